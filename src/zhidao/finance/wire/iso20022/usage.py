"""Usage rules of cross-border payments over any ISO 20022 message: what a schema cannot say.

The rules are ours, in the manner of CBPR+ (whose texts were not at hand). `code`: the reason of the
external code list that a pacs.002 would give.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from zhidao.core.errors import MalformedInput
from zhidao.core.money import Currency, Money
from zhidao.finance.wire.iso20022.envelope import Envelope, line_of, local, path_of

if TYPE_CHECKING:
    from lxml.etree import _Element

YEAR_MIN: Final = 2023
STRUCTURED_FROM: Final = 2026
"""From the release of November of this year an address has at least town and country."""
_UETR: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_REFERENCES: Final = ("MsgId", "InstrId", "EndToEndId", "TxId", "PmtInfId", "BizMsgIdr")
_POSITIVE: Final = ("InstdAmt", "IntrBkSttlmAmt", "RtrdIntrBkSttlmAmt", "TtlIntrBkSttlmAmt")
_TRANSACTIONS: Final = {
    "pacs.008": ("CdtTrfTxInf", "IntrBkSttlmAmt"),
    "pacs.009": ("CdtTrfTxInf", "IntrBkSttlmAmt"),
    "pacs.004": ("TxInf", "RtrdIntrBkSttlmAmt"),
    "pain.001": ("CdtTrfTxInf", "InstdAmt"),
}
_BETWEEN_BANKS: Final = ("pacs.002", "pacs.004", "pacs.008", "pacs.009", "camt.056")
_ALL: Final = "the whole message"


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a message breaks, and where."""

    rule: str
    code: str
    sentence: str
    path: str
    line: str


def violations(envelope: Envelope, *, year: int = STRUCTURED_FROM) -> list[Violation]:
    """All broken rules in the order of the rules. `year`: of the usage guidelines in force.

    Raises MalformedInput for a year before 2023.
    """
    if not YEAR_MIN <= year <= 9999:
        raise MalformedInput(f"usage rules begin with {YEAR_MIN}")
    found = [each for rule in _RULES for each in rule(envelope)]
    if year >= STRUCTURED_FROM:
        found += _addresses(envelope)
    return found


def _broken(rule: str, code: str, sentence: str, element: _Element | None) -> Violation:
    if element is None:
        return Violation(rule, code, sentence, _ALL, "")
    return Violation(rule, code, sentence, path_of(element), line_of(element))


def _all(envelope: Envelope, *names: str) -> Iterator[_Element]:
    return envelope.document.iter(*(f"{{*}}{name}" for name in names))


def _text(element: _Element) -> str:
    return (element.text or "").strip()


def _header_names_the_message(envelope: Envelope) -> Iterator[Violation]:
    header = envelope.header
    if header is not None and header.definition != envelope.definition:
        sentence = f"the header says {header.definition}, the document is {envelope.definition}"
        yield _broken("header-definition", "FF01", sentence, envelope.header_element)


def _header_names_the_banks(envelope: Envelope) -> Iterator[Violation]:
    header = envelope.header
    if header is None or not envelope.definition.startswith(_BETWEEN_BANKS):
        return
    for agent, bic in (("InstgAgt", header.sender_bic), ("InstdAgt", header.receiver_bic)):
        for element in _all(envelope, agent):
            told = (element.findtext("{*}FinInstnId/{*}BICFI") or "").strip()
            if bic and told and _branch(told) != _branch(bic):
                sentence = f"{agent} is {told}, the header says {bic}"
                yield _broken("header-bic", "RC01", sentence, element)


def _branch(bic: str) -> str:
    """A BIC of eight letters is that of the head office, XXX."""
    return bic.ljust(11, "X") if len(bic) == 8 else bic


def _currencies(envelope: Envelope) -> Iterator[Violation]:
    for element in envelope.document.iter():
        currency = element.get("Ccy")
        if currency is None:
            continue
        try:
            Currency(currency)
        except MalformedInput:
            sentence = f"{currency!r} is a commodity or no currency in use"
            yield _broken("currency", "AM03", sentence, element)
            continue
        try:
            amount = Money.parse(_text(element), currency)
        except MalformedInput as error:
            yield _broken("amount-decimals", "AM12", str(error.args[0]), element)
            continue
        if amount.minor <= 0 and local(element) in _POSITIVE:
            code = "AM01" if amount.minor == 0 else "AM12"
            yield _broken("amount-positive", code, f"an amount of {amount}", element)


def _slashes(envelope: Envelope) -> Iterator[Violation]:
    for element in _all(envelope, *_REFERENCES):
        text = _text(element)
        if text.startswith("/") or text.endswith("/") or "//" in text:
            sentence = f"{local(element)} {text!r} begins or ends with a slash, or has two in a row"
            yield _broken("slash", "FF01", sentence, element)


def _uetrs(envelope: Envelope) -> Iterator[Violation]:
    for element in _all(envelope, "UETR", "OrgnlUETR"):
        if not _UETR.fullmatch(_text(element)):
            yield _broken("uetr-form", "FF01", "a UETR is a UUID of version 4", element)
    kind = envelope.definition[:8]
    if kind in ("pacs.008", "pacs.009"):
        seen: set[str] = set()
        for transaction in _all(envelope, "CdtTrfTxInf"):
            uetr = (transaction.findtext("{*}PmtId/{*}UETR") or "").strip()
            if not uetr:
                yield _broken("uetr-missing", "FF01", "a transfer bears a UETR", transaction)
            elif uetr in seen:
                yield _broken("uetr-twice", "DUPL", f"UETR {uetr} stands twice", transaction)
            seen.add(uetr)


def _counts(envelope: Envelope) -> Iterator[Violation]:
    names = _TRANSACTIONS.get(envelope.definition[:8])
    if names is None:
        return
    transactions = list(_all(envelope, names[0]))
    for element in _all(envelope, "NbOfTxs"):
        holder = element.getparent()
        inside = transactions
        if holder is not None and local(holder) == "PmtInf":
            inside = list(holder.iter(f"{{*}}{names[0]}"))
        if _text(element) != str(len(inside)):
            sentence = f"{_text(element)} transactions are announced, {len(inside)} stand there"
            yield _broken("count", "AM18", sentence, element)
    for element in _all(envelope, "CtrlSum"):
        holder = element.getparent()
        inside_of = (
            holder if holder is not None and local(holder) == "PmtInf" else envelope.document
        )
        try:
            amounts = [Decimal(_text(a)) for a in inside_of.iter(f"{{*}}{names[1]}")]
            differs = sum(amounts, Decimal(0)) != Decimal(_text(element))
        except InvalidOperation:
            differs = True
        if differs:
            yield _broken("control-sum", "AM10", "the control sum is not the sum", element)


def _charges(envelope: Envelope) -> Iterator[Violation]:
    if envelope.definition.startswith("pacs.008"):
        for element in _all(envelope, "ChrgBr"):
            if _text(element) not in ("DEBT", "CRED", "SHAR"):
                sentence = f"charges are borne by DEBT, CRED or SHAR, not {_text(element)!r}"
                yield _broken("charges", "FF01", sentence, element)


def _ibans(envelope: Envelope) -> Iterator[Violation]:
    from stdnum import iban

    for element in _all(envelope, "IBAN"):
        if not iban.is_valid(_text(element)):
            yield _broken("iban", "AC01", f"{_text(element)!r} is no IBAN", element)


def _addresses(envelope: Envelope) -> Iterator[Violation]:
    for element in _all(envelope, "PstlAdr"):
        if element.find("{*}TwnNm") is None or element.find("{*}Ctry") is None:
            sentence = "an address has at least TwnNm and Ctry; lines alone are not taken any more"
            yield _broken("address", "FF01", sentence, element)
        elif len(element.findall("{*}AdrLine")) > 2:
            yield _broken("address-lines", "FF01", "beside the town two lines at most", element)


_RULES: Final[tuple[Callable[[Envelope], Iterator[Violation]], ...]] = (
    _header_names_the_message,
    _header_names_the_banks,
    _currencies,
    _slashes,
    _uetrs,
    _counts,
    _charges,
    _ibans,
)
