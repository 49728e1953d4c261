"""The usage rules themselves, each bound to the names of the elements that it looks at."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from zhidao.core.errors import MalformedInput
from zhidao.finance.wire.iso20022.profiles import Profile
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope, line_of, local, path_of
from zhidao.finance.wire.iso20022.syntax.trees import minor_of
from zhidao.finance.wire.iso20022.usage.external_codes import list_of

if TYPE_CHECKING:
    from lxml.etree import _Element

UETR: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TRANSACTIONS: Final = {
    "pacs.008": ("CdtTrfTxInf", "IntrBkSttlmAmt"),
    "pacs.009": ("CdtTrfTxInf", "IntrBkSttlmAmt"),
    "pacs.004": ("TxInf", "RtrdIntrBkSttlmAmt"),
    "pain.001": ("CdtTrfTxInf", "InstdAmt"),
}
_BETWEEN_BANKS: Final = ("pacs.002", "pacs.004", "pacs.008", "pacs.009", "camt.056")
POSITIVE: Final = frozenset(
    ("InstdAmt", "IntrBkSttlmAmt", "RtrdIntrBkSttlmAmt", "TtlIntrBkSttlmAmt")
)
_ALL: Final = "the whole message"
WHOLE: Final = -1


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a message breaks, and where.

    `transaction`: the place of the transaction in the message, from 0; -1 for the message itself.
    """

    rule: str
    code: str
    sentence: str
    path: str
    line: str
    transaction: int = WHOLE


class Walk:
    """One message under the rules of a network and a year."""

    def __init__(
        self,
        envelope: Envelope,
        profile: Profile,
        *,
        year: int,
        at: datetime | None,
        codes: Mapping[str, frozenset[str]],
    ) -> None:
        self._envelope = envelope
        self._profile = profile
        self._at = at
        self._structured = year >= profile.structured_addresses_from
        self._kind = envelope.definition[:8]
        self._codes = codes.get(list_of(envelope.definition))
        self._found: list[Violation] = []
        self._transaction = WHOLE
        self._uetrs: set[str] = set()
        self._currency = ""
        self._good_days: set[tuple[str, str]] = set()
        self._asked: tuple[str, _Element] | None = None
        """The day that pain.001 asks for, of the payments that follow."""
        self._announced: list[tuple[_Element, int]] = []
        """Counts and control sums beside the place of the first transaction that they are of."""
        self._amounts: list[str] = []

    def run(self) -> list[Violation]:
        """Everything that is wrong."""
        self._header()
        self._over(self._envelope.document)
        self._counts()
        return self._found

    def run_beside(self, heads: Sequence[_Element], count: int, amounts: list[str]) -> bool:
        """Whether nothing is wrong with a message, as far as it stands beside its payments."""
        self._header()
        for head in heads:
            self._over(head)
        self._transaction, self._amounts = count - 1, amounts
        self._counts()
        return not self._found

    def _over(self, top: _Element) -> None:
        rules = _rules_of(self._kind)
        for element in top.iter():
            rule = rules.get(element.tag)
            if rule is None:
                rule = rules[element.tag] = rule_of(local(element), self._kind)
            if rule is not _NOTHING:
                rule(self, element)

    def _broken(self, rule: str, code: str, sentence: str, element: _Element | None) -> None:
        path = _ALL if element is None else path_of(element)
        line = "" if element is None else line_of(element)
        self._found.append(Violation(rule, code, sentence, path, line, self._transaction))

    def _header(self) -> None:
        header, definition = self._envelope.header, self._envelope.definition
        if header is not None and header.definition != definition:
            sentence = f"the header says {header.definition}, the document is {definition}"
            self._broken("header-definition", "FF01", sentence, self._envelope.header_element)

    def agent(self, element: _Element) -> None:
        """Instructing and instructed agent are those of the header."""
        header = self._envelope.header
        if header is None or self._kind not in _BETWEEN_BANKS:
            return
        name = local(element)
        bic = header.sender_bic if name == "InstgAgt" else header.receiver_bic
        told = (element.findtext("{*}FinInstnId/{*}BICFI") or "").strip()
        if bic and told and head_office(told) != head_office(bic):
            sentence = f"{name} is {told}, the header says {bic}"
            self._broken("header-bic", "RC01", sentence, element)

    def amount(self, element: _Element) -> None:
        """A currency in use, its decimals, more than nothing, and what the network allows."""
        currency = element.get("Ccy")
        if currency is None:
            return
        name, text = local(element), (element.text or "").strip()
        if text.startswith("-"):
            self._broken("amount-positive", "AM12", f"an amount of {text[:40]}", element)
            return
        try:
            minor = minor_of(text, currency)
        except MalformedInput as error:
            rule = "currency" if error.code == "AM03" else "amount-decimals"
            self._broken(rule, error.code, str(error.args[0]), element)
            return
        if minor == 0 and name in POSITIVE:
            self._broken("amount-positive", "AM01", "an amount of zero", element)
        if name == TRANSACTIONS.get(self._kind, ("", ""))[1]:
            self._currency = currency
            if self._asked is not None:
                self._judge_day(*self._asked)
            if self._announced:
                self._amounts.append(text)
            limits = self._profile.currencies.get(currency)
            if limits is not None and 0 < limits.amount_minor_max < minor:
                sentence = f"more than this network carries in {currency}"
                self._broken("amount-limit", "AM02", sentence, element)

    def reference(self, element: _Element) -> None:
        """Older formats give slashes a meaning of their own."""
        text = (element.text or "").strip()
        if "/" in text and (text[0] == "/" or text[-1] == "/" or "//" in text):
            name = local(element)
            sentence = f"{name} {text[:40]!r} begins or ends with a slash, or has two in a row"
            self._broken("slash", "FF01", sentence, element)

    def uetr(self, element: _Element) -> None:
        """The form of a reference that follows a payment from end to end."""
        if not UETR.fullmatch((element.text or "").strip()):
            self._broken("uetr-form", "FF01", "a UETR is a UUID of version 4", element)

    def transaction(self, element: _Element) -> None:
        """A transfer begins: it bears a UETR that no other of the message has."""
        self._transaction += 1
        if self._kind not in ("pacs.008", "pacs.009"):
            return
        uetr = ""
        for child in element[0] if len(element) else ():
            if str(child.tag).endswith("}UETR"):
                uetr = (child.text or "").strip()
        if not uetr:
            if self._profile.uetr_required:
                self._broken("uetr-missing", "FF01", "a transfer bears a UETR", element)
        elif uetr in self._uetrs:
            self._broken("uetr-twice", "DUPL", f"UETR {uetr[:40]} stands twice", element)
        self._uetrs.add(uetr)

    def announced(self, element: _Element) -> None:
        """A count or control sum: compared at the end."""
        self._announced.append((element, self._transaction + 1))

    def group(self, element: _Element) -> None:
        """A payment information begins: what it announces is of its own transactions.

        CBPR+ of 2026, pain.001 R8: of one that a bank passes on it bears the message's own id.
        """
        self._announced.append((element, self._transaction + 1))
        if self._envelope.header is None or not self._structured:
            return
        name = (element.findtext("{*}PmtInfId") or "").strip()
        own = (self._envelope.document[0].findtext("{*}GrpHdr/{*}MsgId") or "").strip()
        if self._kind == "pain.001" and name != own:
            sentence = f"PmtInfId {name[:40]!r} is not the message's own id, {own[:40]!r}"
            self._broken("group-id", "FF01", sentence, element)

    def charges(self, element: _Element) -> None:
        """Who bears the charges."""
        text = (element.text or "").strip()
        if text not in self._profile.charges:
            wanted = ", ".join(self._profile.charges)
            sentence = f"charges are borne by one of {wanted}, not {text[:40]!r}"
            self._broken("charges", "FF01", sentence, element)

    def iban(self, element: _Element) -> None:
        """Check digits and length by country."""
        text = (element.text or "").strip()
        if not is_iban(text):
            self._broken("iban", "AC01", f"{text[:40]!r} is no IBAN", element)

    def address(self, element: _Element) -> None:
        """An address is structured, or at least has town and country."""
        if not self._structured:
            return
        start = element.tag.rindex("}") + 1
        names = [child.tag[start:] for child in element]
        if "TwnNm" not in names or "Ctry" not in names:
            sentence = "an address has at least TwnNm and Ctry; lines alone are not taken any more"
            self._broken("address", "FF01", sentence, element)
        elif names.count("AdrLine") > self._profile.address_lines_max:
            sentence = f"beside the town {self._profile.address_lines_max} lines at most"
            self._broken("address-lines", "FF01", sentence, element)

    def day(self, element: _Element) -> None:
        """A day on which the currency settles: not of the past, not too late, not too far."""
        if self._at is None or self._kind not in TRANSACTIONS:
            return
        text = (element.text or "").strip()[:10]
        if not text:
            text = "".join((one.text or "").strip() for one in element)[:10]
        if local(element) == "ReqdExctnDt":
            self._asked = text, element
        else:
            self._judge_day(text, element)

    @property
    def asked_day(self) -> str | None:
        """The day that the payments after what was walked are asked for, if one was told."""
        return None if self._asked is None else self._asked[0]

    def _judge_day(self, text: str, element: _Element) -> None:
        at, currency = self._at, self._currency
        if at is None or (text, currency) in self._good_days:
            return
        rolls = local(element) == "ReqdExctnDt"
        wrong = day_wrong(text, currency, self._profile, at, rolls=rolls)
        if wrong is None:
            self._good_days.add((text, currency))
        else:
            self._broken(*wrong, element)

    def reason(self, element: _Element) -> None:
        """A reason's code is of its list, where the list is installed."""
        code = (element.findtext("{*}Cd") or "").strip()
        if self._codes is not None and code and code not in self._codes:
            sentence = f"{code[:8]} is no code of {list_of(self._envelope.definition)}"
            self._broken("reason", "FF01", sentence, element)

    def _counts(self) -> None:
        total = self._transaction + 1
        self._transaction = WHOLE
        limit = self._profile.transactions_max
        if limit and total > limit:
            sentence = f"{total} transactions; this network takes {limit} a message"
            self._broken("transactions", "AM18", sentence, None)
        for place, (element, first) in enumerate(self._announced):
            name = local(element)
            if name == "PmtInf":
                continue
            last = total
            if _in_group(element):
                later = self._announced[place + 1 :]
                last = next((begin for one, begin in later if local(one) == "PmtInf"), total)
            self._compare(element, name, first, last)

    def _compare(self, element: _Element, name: str, first: int, last: int) -> None:
        text = (element.text or "").strip()
        if name == "NbOfTxs":
            if text != str(last - first):
                sentence = f"{text[:20]} transactions are announced, {last - first} stand there"
                self._broken("count", "AM18", sentence, element)
            return
        try:
            told = [Decimal(amount) for amount in self._amounts[first:last]]
            differs = sum(told, Decimal(0)) != Decimal(text)
        except InvalidOperation:
            differs = True
        if differs:
            self._broken("control-sum", "AM10", "the control sum is not the sum", element)


def day_wrong(
    text: str, currency: str, profile: Profile, at: datetime, *, rolls: bool = False
) -> tuple[str, str, str] | None:
    """Why a payment of this day does not go: rule, code and sentence; None if it does.

    `rolls`: a day on which banks rest, or that is closed by now, is as good as the next one.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return "day", "DT01", f"{text!r} is no day"
    today = at.date()
    # A day has begun somewhere on earth up to 14 hours before it begins in UTC.
    if day < today - timedelta(1):
        return "day-past", "DT01", f"{day} is over"
    if not rolls and not profile.settles(currency, day):
        return "day-closed", "DT01", f"{currency} does not settle on {day}"
    if not rolls and profile.too_late(currency, day, at):
        closes = profile.currencies[currency].cut_off
        return "cut-off", "TM01", f"too late for {day}: {currency} closes at {closes}"
    if profile.days_ahead_max and day > today + timedelta(profile.days_ahead_max):
        return "day-far", "DT01", f"{day} is more than {profile.days_ahead_max} days ahead"
    return None


_Rule: TypeAlias = Callable[[Walk, "_Element"], None]


def _nothing(_walk: Walk, _element: _Element) -> None:
    """An element that no rule looks at."""


_NOTHING: Final[_Rule] = _nothing
_BY_NAME: Final[dict[str, _Rule]] = {
    **dict.fromkeys(
        ("MsgId", "InstrId", "EndToEndId", "TxId", "PmtInfId", "BizMsgIdr"), Walk.reference
    ),
    **dict.fromkeys(("UETR", "OrgnlUETR"), Walk.uetr),
    **dict.fromkeys(("IntrBkSttlmDt", "ReqdExctnDt"), Walk.day),
    "PstlAdr": Walk.address,
    "IBAN": Walk.iban,
    "Rsn": Walk.reason,
}


def rule_of(name: str, kind: str) -> _Rule:
    """The rule that looks at elements of this name in messages of a kind such as `pacs.008`."""
    if name in ("InstgAgt", "InstdAgt"):
        return Walk.agent
    if name == "ChrgBr":
        return Walk.charges if kind == "pacs.008" else _NOTHING
    transaction = TRANSACTIONS.get(kind, ("", ""))[0]
    if name == transaction:
        return Walk.transaction
    if name in ("NbOfTxs", "CtrlSum"):
        return Walk.announced if transaction else _NOTHING
    if name == "PmtInf":
        return Walk.group
    if name in _BY_NAME:
        return _BY_NAME[name]
    # Amounts have many names; those without a currency are let pass by the rule itself.
    return Walk.amount if name.endswith(("Amt", "Val")) else _NOTHING


@cache
def _rules_of(_kind: str) -> dict[object, _Rule]:
    """The rule of each element's whole name, filled as names are met."""
    return {}


def head_office(bic: str) -> str:
    """A BIC of eight letters is that of the head office, XXX."""
    return bic.ljust(11, "X") if len(bic) == 8 else bic


@lru_cache(maxsize=65_536)
def is_iban(text: str) -> bool:
    """Whether check digits, length and form by country are those of an IBAN."""
    from stdnum import iban

    return bool(iban.is_valid(text))


def _in_group(element: _Element) -> bool:
    holder = element.getparent()
    return holder is not None and local(holder) == "PmtInf"
