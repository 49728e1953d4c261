"""Rules of statements and notices: that they add up, and say when an entry was booked.

A schema cannot say it: what was there, and each booked entry, make what is there now; what the
summary counts are the entries, and what an entry's details tell is that entry; a booked entry bears
a day. Reports of a day (camt.052) add up where they close it. Where nothing tells whether it adds
up, that is said: a statement (camt.053) is never well without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from zhidao.finance.wire.iso20022.syntax.envelope import Envelope, line_of, path_of
from zhidao.finance.wire.iso20022.usage.rules import WHOLE, Violation

if TYPE_CHECKING:
    from lxml.etree import _Element

_PARTS: Final = {"camt.052": "Rpt", "camt.053": "Stmt", "camt.054": "Ntfctn"}
_DAYS_FROM: Final = 2026
_BEFORE: Final = ("OPBD", "PRCD")
_AFTER: Final = "CLBD"
_MIDNIGHT: Final = "00:00:00"


def statement_violations(envelope: Envelope, *, year: int) -> Iterator[Violation]:
    """What does not add up, in the order of the document.

    CBPR+ of 2026, camt.054 R10: a booked entry has a booking or a value day.
    """
    return (one for one in _all(envelope, year) if isinstance(one, Violation))


def unjudged_statements(envelope: Envelope) -> list[str]:
    """Why it cannot be told of statements whether they add up, each with its place."""
    return [one for one in _all(envelope, _DAYS_FROM) if isinstance(one, str)]


def _all(envelope: Envelope, year: int) -> Iterator[Violation | str]:
    kind = envelope.definition[:8]
    part = _PARTS.get(kind)
    for told in envelope.document[0].iterfind(f"{{*}}{part}") if part else ():
        entries = list(told.iterfind("{*}Ntry"))
        if kind == "camt.054" and year >= _DAYS_FROM:
            yield from _without_day(entries)
        try:
            for one in _one(kind, told, entries):
                yield one if isinstance(one, Violation) else f"{one} ({path_of(told)})"
        except InvalidOperation:
            # An amount that is none may be another rule's; nothing was added up with it.
            yield f"an amount in it is no number ({path_of(told)})"


def _one(kind: str, told: _Element, entries: list[_Element]) -> Iterator[Violation | str]:
    """What does not add up in one statement, report or notice."""
    balances = list(told.iterfind("{*}Bal"))
    yield from _twice(balances)
    yield from _entry_twice(entries)
    yield from _currencies(told, balances, entries)
    if kind != "camt.054":
        yield from _balances(kind, told, balances, entries)
    if _is_whole(told):
        yield from _summary(told, entries)
    for one in entries:
        yield from _details(one)


def _without_day(entries: list[_Element]) -> Iterator[Violation]:
    for one in entries:
        days = [one.find(f"{{*}}{name}") for name in ("BookgDt", "ValDt")]
        if _status(one) == "BOOK" and days == [None, None]:
            yield _broken("booked-day", "DT01", "a booked entry has a booking or a value day", one)


def _twice(balances: list[_Element]) -> Iterator[Violation]:
    """One kind of balance stands once for each moment and currency, a booked one for each day."""
    seen: set[tuple[str, ...]] = set()
    for one in balances:
        moment = _moment(one)[:10] if _code(one) in (*_BEFORE, _AFTER) else _moment(one)
        key = (_code(one), _inner(one), moment, _currency(one))
        if key in seen and _code(one):
            yield _broken("balance-twice", "AM05", f"a second {_code(one)} of that moment", one)
        seen.add(key)


def _entry_twice(entries: list[_Element]) -> Iterator[Violation]:
    """What the bank booked under one reference stands once; a reversal says that it is one."""
    seen: set[tuple[str, ...]] = set()
    for one in entries:
        told = (
            "AcctSvcrRef",
            "NtryRef",
            "CdtDbtInd",
            "RvslInd",
            "BookgDt/{*}Dt",
            "BkTxCd/{*}Prtry",
        )
        names = [(one.findtext(f"{{*}}{name}") or "").strip() for name in told]
        key = (*names, _status(one), str(_amount(one)), _currency(one))
        if names[0] and key in seen:
            sentence = f"a second entry of this amount under {names[0][:35]}"
            yield _broken("entry-twice", "AM05", sentence, one)
        seen.add(key)


def _currencies(
    told: _Element, balances: list[_Element], entries: list[_Element]
) -> Iterator[Violation]:
    """An account has a balance in its own currency, an entry is of one in which there is any."""
    known = {_currency(one) for one in balances}
    own = (told.findtext("{*}Acct/{*}Ccy") or "").strip()
    if own and known and own not in known:
        sentence = f"an account in {own[:3]}, and balances in {', '.join(sorted(known))}"
        yield _broken("account-currency", "AM03", sentence, balances[0])
    for one in entries if known else ():
        if _currency(one) not in known:
            sentence = (
                f"an entry in {_currency(one)[:3]}, and balances in {', '.join(sorted(known))}"
            )
            yield _broken("entry-currency", "AM03", sentence, one)


def _balances(
    kind: str, told: _Element, balances: list[_Element], entries: list[_Element]
) -> Iterator[Violation | str]:
    """The balance before, and all that was booked, is the balance after; or why nobody can tell."""
    if balances and {*map(_currency, entries)} - {*map(_currency, balances)}:
        return  # That is broken by itself, and what it comes to in another currency nobody knows.
    before, after = _ends(balances, _BEFORE), _ends(balances, (_AFTER,))
    if not after:
        if kind == "camt.053":
            yield f"no closing balance ({_AFTER}) to hold its entries against"
        return
    if not before:
        yield f"no opening balance ({' or '.join(_BEFORE)}) to count its entries from"
        return
    if not before.keys() & after.keys():
        last = next(iter(after.values()))[-1]
        currencies = f"{_currency(last)[:3]}, and opens in {', '.join(sorted(before))}"
        yield _broken("balance-currency", "AM03", f"it closes in {currencies}", last)
    elif not _is_whole(told):
        yield "it has entries on other pages"
    else:
        yield from _sums(told, before, after, entries)


def _sums(
    told: _Element,
    before: dict[str, list[_Element]],
    after: dict[str, list[_Element]],
    entries: list[_Element],
) -> Iterator[Violation | str]:
    """The same of each currency, by its balances in order of their days."""
    for currency in sorted(before.keys() ^ after.keys()):
        yield f"in {currency[:3]} it opens and does not close, or closes and does not open"
    for currency in sorted(before.keys() & after.keys()):
        counted = [one for one in entries if _currency(one) == currency]
        yield from _sum(told, before[currency][0], after[currency][-1], counted)


def _sum(
    told: _Element, before: _Element, after: _Element, entries: list[_Element]
) -> Iterator[Violation | str]:
    """Whether entries lead from one balance to the other, all of one currency."""
    yield from _between(told, before, after, entries)
    opens, closes = _moment(before)[:10], _moment(after)[:10]
    if opens and closes and closes < opens:
        sentence = f"it closes on {closes[:10]}, before it opens, on {opens[:10]}"
        yield _broken("balance-days", "DT01", sentence, after)
        return
    moved = sum((_signed(one) for one in entries if _status(one) == "BOOK"), Decimal(0))
    if _signed(before) + moved == _signed(after):
        return
    sentence = f"{_signed(before)} and entries of {moved} do not make {_signed(after)}"
    if since := _since(told):
        yield f"{sentence}, and it may tell only what came since {since[:35]}"
    elif len({*map(_currency, told.iterfind("{*}Bal"))}) > 1:
        # A bank may tell beside it what its balances are worth in another currency.
        yield f"{sentence} in {_currency(after)[:3]}, one currency of several"
    else:
        yield _broken("statement-sum", "AM10", sentence, after)


def _between(
    told: _Element, before: _Element, after: _Element, entries: list[_Element]
) -> Iterator[Violation | str]:
    """Whether each further booked balance of that currency is what the entries until then make."""
    booked = [one for one in entries if _status(one) == "BOOK"]
    others = _others(told, before, after)
    if others and not all(map(_day, booked)):
        yield "a balance between stands beside entries without a booking day"
        return
    for one in others:
        day, code = _moment(one)[:10], _code(one)
        counted = (_signed(each) for each in booked if _is_before(_day(each), day, code))
        whole = _signed(before) + sum(counted, Decimal(0))
        if whole == _signed(one):
            continue
        sentence = f"{code} of {day} is {_signed(one)}, and until then it comes to {whole}"
        if _since(told):
            yield f"{sentence}, and it may tell only a part of a day"
        else:
            yield _broken("balance-between", "AM10", sentence, one)


def _others(told: _Element, before: _Element, after: _Element) -> list[_Element]:
    """The booked balances of a currency besides those from and to which it is counted."""
    return [
        one
        for one in told.iterfind("{*}Bal")
        if _code(one) in (*_BEFORE, _AFTER)
        and _currency(one) == _currency(before)
        and one not in (before, after)
    ]


def _is_before(booked: str, day: str, code: str) -> bool:
    """Whether a balance of a day counts an entry: that of the day before counts none of them."""
    return code != "PRCD" and (booked < day or (code == _AFTER and booked == day))


def _ends(balances: list[_Element], names: tuple[str, ...]) -> dict[str, list[_Element]]:
    """By currency, the balances of the first of these kinds that is there, by their days.

    An interim one is of its own moment: banks report entries beside it that it has not counted.
    """
    # Sorting keeps the order of the document among those of one moment.
    by_day = sorted(balances, key=lambda one: _moment(one)[:10])
    found: dict[str, list[_Element]] = {}
    for currency in dict.fromkeys(map(_currency, by_day)):
        of_it = [one for one in by_day if _currency(one) == currency]
        kinds = ([one for one in of_it if _code(one) == name] for name in names)
        first = next(filter(None, kinds), None)
        if first is not None:
            found[currency] = first
    return found


def _since(told: _Element) -> str:
    """The moment within a day since which it tells what came, as far as it says so."""
    since = (told.findtext("{*}FrToDt/{*}FrDtTm") or "").strip()
    return since if since and since[11:19] != _MIDNIGHT else ""


def _details(entry: _Element) -> Iterator[Violation]:
    """The transactions of an entry are what it comes to, where all are told with their amounts.

    What was taken for charges may stand in neither.
    """
    told = list(entry.iterfind("{*}NtryDtls/{*}TxDtls"))
    batches = [
        text for text in map(_text, entry.iterfind("{*}NtryDtls/{*}Btch/{*}NbOfTxs")) if text
    ]
    if not told or any(one.find("{*}Amt") is None for one in told):
        return
    if {*map(_currency, told)} != {_currency(entry)}:
        return
    charges = _charged(entry)
    if charges is None:
        return
    if batches and sum(map(Decimal, batches)) != len(told):
        return
    whole = sum((_signed(one, of=entry) for one in told), Decimal(0))
    if abs(whole - _signed(entry)) > charges:
        beside = f" and charges of {charges}" if charges else ""
        sentence = f"its transactions come to {whole}{beside}, the entry to {_signed(entry)}"
        yield _broken("details-sum", "AM10", sentence, entry)


def _charged(entry: _Element) -> Decimal | None:
    """All charges that an entry and its transactions tell; None where one is of another currency.

    Whether a transaction bears them, and on which side, is told in too many ways to be held to.
    """
    whole = Decimal(0)
    for charges in entry.iter("{*}Chrgs"):
        total = charges.find("{*}TtlChrgsAndTaxAmt")
        amounts = [total] if total is not None else [*charges.iter("{*}Amt")]
        if not amounts or any(one.get("Ccy") != _currency(entry) for one in amounts):
            return None
        whole += sum((abs(Decimal(_text(one))) for one in amounts), Decimal(0))
    return whole


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
    yield from _net(summary, entries)
    yield from _by_code(summary, entries)


def _net(summary: _Element, entries: list[_Element]) -> Iterator[Violation]:
    """What all entries come to together, on the side that it says."""
    total = summary.find("{*}TtlNtries")
    if total is None:
        return
    # Since 2013 the net is an element of its own (camt.053.001.04), with its side in it.
    net = total.find("{*}TtlNetNtry")
    added = total.findtext("{*}TtlNetNtryAmt") if net is None else net.findtext("{*}Amt")
    side = (total if net is None else net).findtext("{*}CdtDbtInd")
    whole = sum(map(_signed, entries), Decimal(0))
    if added is not None and Decimal(added) != {None: abs(whole), "DBIT": -whole}.get(side, whole):
        yield _broken("summary-net", "AM10", f"{added} {side or ''} is not the net, {whole}", total)


def _by_code(summary: _Element, entries: list[_Element]) -> Iterator[Violation]:
    """What is counted of one bank transaction code are the entries of that code."""
    for total in summary.iterfind("{*}TtlNtriesPerBkTxCd"):
        code = _transaction_code(total)
        counted = [one for one in entries if _transaction_code(one) == code]
        number, added = total.findtext("{*}NbOfNtries"), total.findtext("{*}Sum")
        if number is not None and int(Decimal(number)) != len(counted):
            sentence = f"{number[:20]} entries of a code are counted, {len(counted)} stand there"
            yield _broken("summary-count", "AM18", sentence, total)
        whole = sum(map(_amount, counted), Decimal(0))
        if added is not None and Decimal(added) != whole:
            yield _broken("summary-sum", "AM10", f"{added[:30]} is not the sum, {whole}", total)


def _transaction_code(one: _Element) -> tuple[str, ...]:
    code = one.find("{*}BkTxCd")
    return () if code is None else tuple(_text(each) for each in code.iter() if len(each) == 0)


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


def _signed(one: _Element, *, of: _Element | None = None) -> Decimal:
    """An amount, below zero for a debit. `of`: whose side it is on if it names none."""
    side = (one.findtext("{*}CdtDbtInd") or "").strip()
    if not side and of is not None:
        side = (of.findtext("{*}CdtDbtInd") or "").strip()
    return _amount(one) if side == "CRDT" else -_amount(one)


def _inner(balance: _Element) -> str:
    """Whether it stands between two pages."""
    return (balance.findtext("{*}Tp/{*}SubTp/{*}Cd") or "").strip()


def _moment(balance: _Element) -> str:
    texts = (balance.findtext(f"{{*}}Dt/{{*}}{name}") for name in ("Dt", "DtTm"))
    return next((text.strip() for text in texts if text), "")


def _day(entry: _Element) -> str:
    """When it was booked."""
    texts = (entry.findtext(f"{{*}}BookgDt/{{*}}{name}") for name in ("Dt", "DtTm"))
    return next((text.strip()[:10] for text in texts if text), "")


def _text(one: _Element) -> str:
    return (one.text or "").strip()


def _broken(rule: str, code: str, sentence: str, element: _Element) -> Violation:
    return Violation(rule, code, sentence, path_of(element), line_of(element), WHOLE)
