"""Rules of statements and notices: that they add up, and say when an entry was booked.

A schema cannot say it: what was there, and each booked entry, make what is there now; what the
summary counts are the entries; a booked entry bears a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from zhidao.finance.wire.iso20022.syntax.envelope import Envelope, line_of, path_of
from zhidao.finance.wire.iso20022.usage.rules import WHOLE, Violation

if TYPE_CHECKING:
    from lxml.etree import _Element

_PARTS: Final = {"camt.053": "Stmt", "camt.054": "Ntfctn"}
_DAYS_FROM: Final = 2026
_INNER: Final = "INTM"
_ALL: Final = ""


def statement_violations(envelope: Envelope, *, year: int) -> Iterator[Violation]:
    """What does not add up, in the order of the document.

    CBPR+ of 2026, camt.054 R10: a booked entry has a booking or a value day.
    """
    kind = envelope.definition[:8]
    part = _PARTS.get(kind)
    for told in envelope.document[0].iterfind(f"{{*}}{part}") if part else ():
        entries = list(told.iterfind("{*}Ntry"))
        if kind == "camt.054" and year >= _DAYS_FROM:
            yield from _without_day(entries)
        if not _is_whole(told):
            continue
        try:
            if kind == "camt.053":
                yield from _balances(told, entries)
            yield from _summary(told, entries)
        except InvalidOperation:
            continue  # An amount that is none is another rule's.


def _without_day(entries: list[_Element]) -> Iterator[Violation]:
    for one in entries:
        days = [one.find(f"{{*}}{name}") for name in ("BookgDt", "ValDt")]
        if _status(one) == "BOOK" and days == [None, None]:
            yield _broken("booked-day", "DT01", "a booked entry has a booking or a value day", one)


def _balances(told: _Element, entries: list[_Element]) -> Iterator[Violation]:
    """The balance before, and all that was booked, is the balance after."""
    found = {_code(one): one for one in reversed(list(told.iterfind("{*}Bal")))}
    before, after = found.get("OPBD", found.get("PRCD")), found.get("CLBD")
    if before is None or after is None:
        return
    amounts = [before, after, *entries]
    if len({_currency(one) for one in amounts}) != 1:
        return
    moved = sum((_signed(one) for one in entries if _status(one) == "BOOK"), Decimal(0))
    if _signed(before) + moved != _signed(after):
        sentence = f"{_signed(before)} and entries of {moved} do not make {_signed(after)}"
        yield _broken("statement-sum", "AM10", sentence, after)


def _summary(told: _Element, entries: list[_Element]) -> Iterator[Violation]:
    """What the summary counts and adds up are the entries."""
    summary = told.find("{*}TxsSummry")
    if summary is None or not entries or len({_currency(one) for one in entries}) > 1:
        return
    sides = {"TtlNtries": "", "TtlCdtNtries": "CRDT", "TtlDbtNtries": "DBIT"}
    for name, side in sides.items():
        total = summary.find(f"{{*}}{name}")
        if total is None:
            continue
        counted = [one for one in entries if side in ("", one.findtext("{*}CdtDbtInd"))]
        number, added = total.findtext("{*}NbOfNtries"), total.findtext("{*}Sum")
        if number is not None and int(Decimal(number)) != len(counted):
            sentence = f"{number[:20]} entries are counted, {len(counted)} stand there"
            yield _broken("summary-count", "AM18", sentence, total)
        whole = sum((_amount(one) for one in counted), Decimal(0))
        if added is not None and Decimal(added) != whole:
            yield _broken("summary-sum", "AM10", f"{added[:30]} is not the sum, {whole}", total)


def _is_whole(told: _Element) -> bool:
    """Whether all entries stand here, and not on further pages."""
    page = next((one for one in told if str(one.tag).endswith("Pgntn")), None)
    if page is None:
        return True
    number, last = (page.findtext(f"{{*}}{name}") or "" for name in ("PgNb", "LastPgInd"))
    return number.strip("0") == "1" and last.strip() in ("true", "1")


def _code(balance: _Element) -> str:
    return (balance.findtext("{*}Tp/{*}CdOrPrtry/{*}Cd") or "").strip()


def _status(entry: _Element) -> str:
    return (entry.findtext("{*}Sts/{*}Cd") or entry.findtext("{*}Sts") or "").strip()


def _amount(one: _Element) -> Decimal:
    return Decimal((one.findtext("{*}Amt") or "").strip())


def _currency(one: _Element) -> str:
    amount = one.find("{*}Amt")
    return "" if amount is None else str(amount.get("Ccy", ""))


def _signed(one: _Element) -> Decimal:
    side = (one.findtext("{*}CdtDbtInd") or "").strip()
    return _amount(one) if side == "CRDT" else -_amount(one)


def _broken(rule: str, code: str, sentence: str, element: _Element) -> Violation:
    return Violation(rule, code, sentence, path_of(element), line_of(element), WHOLE)
