"""BankToCustomerStatement and -AccountReport, camt.053.001.08 and camt.052.001.08, page by page.

Both tell an account's entries between two balances: the one of finished days, the other of today.
A long one is cut into pages, each a message of its own that reconciles by itself; balances between
pages are marked as intermediate (INTM).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID
from xml.sax.saxutils import escape

from zhidao.core.errors import MalformedInput
from zhidao.core.money import Currency
from zhidao.finance.domain.payments.statement import (
    NO_DETAILS,
    AccountStatement,
    StatementEntry,
)
from zhidao.finance.wire.iso20022.messages.entry_details import read_details, references, sides
from zhidao.finance.wire.iso20022.syntax import shared_elements as shared
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope, line_of, read_envelope
from zhidao.finance.wire.iso20022.syntax.framing import Frame, framed
from zhidao.finance.wire.iso20022.syntax.structure import check
from zhidao.finance.wire.iso20022.syntax.trees import (
    account,
    account_number,
    amount_xml,
    minor_of,
    tree_of,
    xml_of,
)

if TYPE_CHECKING:
    from lxml.etree import _Element

STATEMENT: Final = "camt.053.001.08"
REPORT: Final = "camt.052.001.08"
_ROOTS: Final = {
    STATEMENT: ("BkToCstmrStmt", "Stmt", "StmtPgntn"),
    REPORT: ("BkToCstmrAcctRpt", "Rpt", "RptPgntn"),
}
# Opening and closing booked; an interim balance closes a report of an unfinished day.
_OPENING: Final = "OPBD"
_CLOSING: Final = {STATEMENT: "CLBD", REPORT: "ITBD"}
_BETWEEN_PAGES: Final = "INTM"


def encode(statement: AccountStatement, definition: str = STATEMENT) -> bytes:
    """The message of a statement or one page of it, or the report's."""
    return framed(definition, _ROOTS[definition][0], _xml(statement, definition))


def _xml(statement: AccountStatement, definition: str) -> Iterator[str]:
    _, part, paged = _ROOTS[definition]
    code = statement.currency.code
    message = escape(statement.message)
    pages = ""
    if statement.page > 1 or not statement.is_last:
        last = "true" if statement.is_last else "false"
        pages = f"<{paged}><PgNb>{statement.page}</PgNb><LastPgInd>{last}</LastPgInd></{paged}>"
    opening = _balance(
        _OPENING, statement.opening_minor, code, statement.first_day, inner=statement.page > 1
    )
    closing = _balance(
        _CLOSING[definition],
        statement.closing_minor,
        code,
        statement.last_day,
        inner=not statement.is_last,
    )
    yield (
        f"<GrpHdr><MsgId>{message}</MsgId><CreDtTm>{shared.moment(statement.created)}</CreDtTm>"
        f"</GrpHdr><{part}><Id>{message}</Id>{pages}"
        f"<FrToDt><FrDtTm>{statement.first_day.isoformat()}T00:00:00+00:00</FrDtTm>"
        f"<ToDtTm>{statement.last_day.isoformat()}T23:59:59+00:00</ToDtTm></FrToDt>"
        f"<Acct><Id>{xml_of(account(statement.account))}</Id><Ccy>{code}</Ccy></Acct>"
        f"{opening}{closing}"
    )
    for one in statement.entries:
        credit = one.amount_minor > 0
        yield (
            f"<Ntry>{amount_xml('Amt', abs(one.amount_minor), code)}"
            f"<CdtDbtInd>{'CRDT' if credit else 'DBIT'}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
            f"<BookgDt><Dt>{one.booked.isoformat()}</Dt></BookgDt>"
            f"<ValDt><Dt>{one.valued.isoformat()}</Dt></ValDt>"
            f"<AcctSvcrRef>{one.transfer.hex}</AcctSvcrRef>"
            # Of the external list: payments, received or issued credit transfers.
            f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{'RCDT' if credit else 'ICDT'}</Cd>"
            f"<SubFmlyCd>OTHR</SubFmlyCd></Fmly></Domn></BkTxCd>{_details(one)}</Ntry>"
        )
    yield f"</{part}>"


def _details(one: StatementEntry) -> str:
    told = one.details
    inside = references(told, one.uetr)
    if told is not None:
        inside += sides(told)
        if told.returned:
            inside += f"<RtrInf><Rsn><Cd>{told.returned}</Cd></Rsn></RtrInf>"
    return f"<NtryDtls><TxDtls>{inside}</TxDtls></NtryDtls>" if inside else ""


def _balance(code: str, minor: int, currency: str, day: date, *, inner: bool) -> str:
    between = f"<SubTp><Cd>{_BETWEEN_PAGES}</Cd></SubTp>" if inner else ""
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry>{between}</Tp>"
        f"{amount_xml('Amt', abs(minor), currency)}"
        f"<CdtDbtInd>{'CRDT' if minor >= 0 else 'DBIT'}</CdtDbtInd>"
        f"<Dt><Dt>{day.isoformat()}</Dt></Dt></Bal>"
    )


def decode(data: bytes, definition: str = STATEMENT) -> AccountStatement:
    """Reads a statement that this house wrote. Raises MalformedInput if it does not reconcile."""
    envelope = read_envelope(data)
    if envelope.definition != definition:
        raise MalformedInput(f"{definition} is expected, not {envelope.definition}", code="FF01")
    check(envelope.document, definition)
    return read(envelope)


def read(envelope: Envelope) -> AccountStatement:
    """The statement of a message whose structure was checked."""
    frame = Frame(envelope)
    _, part, paged = _ROOTS[envelope.definition]
    told = list(frame.inside(part))
    if len(told) != 1:
        raise MalformedInput("a message with one statement is taken", code="FF01")
    inside = told[0]
    parts = frame.parts(inside)
    currency = frame.text(parts["Acct"], "Ccy")
    page = next(frame.all(inside, paged), None)
    opening, closing = _balances(inside, frame, envelope.definition, currency)
    day = frame.text(parts.get("FrToDt"), "FrDtTm")[:10]
    return AccountStatement(
        message=frame.message,
        account=account_number(tree_of(frame.parts(parts["Acct"])["Id"], frame.start)),
        currency=Currency(currency),
        created=shared.read_moment(frame.created),
        first_day=shared.read_day(day),
        last_day=shared.read_day(frame.text(parts.get("FrToDt"), "ToDtTm")[:10]),
        opening_minor=opening,
        closing_minor=closing,
        entries=tuple(_entry(one, frame, currency) for one in frame.all(inside, "Ntry")),
        page=1 if page is None else int(frame.text(page, "PgNb")),
        is_last=page is None or frame.text(page, "LastPgInd") in ("true", "1"),
    )


def _balances(element: _Element, frame: Frame, definition: str, currency: str) -> tuple[int, int]:
    found: dict[str, int] = {}
    for one in frame.all(element, "Bal"):
        code = frame.code(next(frame.all(one, "Tp"), None), "CdOrPrtry")
        if code in found:
            raise MalformedInput(f"the balance {code} stands twice", where=line_of(one))
        found[code] = _signed(one, frame, currency)
    wanted = (_OPENING, _CLOSING[definition])
    if tuple(found) != wanted:
        raise MalformedInput(f"the balances are {sorted(found)}, not {' and '.join(wanted)}")
    return found[_OPENING], found[_CLOSING[definition]]


def _entry(element: _Element, frame: Frame, currency: str) -> StatementEntry:
    parts = frame.parts(element)
    minor = _signed(element, frame, currency)
    family = frame.text(parts.get("BkTxCd"), "Domn", "Fmly", "Cd")
    if family != ("RCDT" if minor > 0 else "ICDT"):
        raise MalformedInput(
            f"an entry of {minor} is called {family}", code="FF01", where=line_of(element)
        )
    try:
        transfer = UUID(hex=parts["AcctSvcrRef"].text or "")
    except (KeyError, ValueError) as error:
        raise MalformedInput(
            "AcctSvcrRef names no transfer of a ledger", where=line_of(element)
        ) from error
    booked = shared.read_day(frame.text(parts.get("BookgDt"), "Dt"))
    valued = shared.read_day(frame.text(parts.get("ValDt"), "Dt") or booked.isoformat())
    inside = parts.get("NtryDtls")
    told = None if inside is None else next(frame.all(inside, "TxDtls"), None)
    uetr = frame.text(told, "Refs", "UETR")
    details = None if told is None else read_details(frame.parts(told), frame)
    return StatementEntry(
        transfer,
        minor,
        booked,
        uetr,
        None if valued == booked else valued,
        None if details == NO_DETAILS else details,
    )


def _signed(element: _Element, frame: Frame, currency: str) -> int:
    parts = frame.parts(element)
    amount = parts["Amt"]
    if amount.get("Ccy") != currency:
        raise MalformedInput("an amount in another currency", where=line_of(amount), code="AM03")
    minor = minor_of(amount.text or "", currency)
    return minor if parts["CdtDbtInd"].text == "CRDT" else -minor
