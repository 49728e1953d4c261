"""BankToCustomerStatement and -AccountReport, camt.053.001.08 and camt.052.001.08.

Both tell an account's entries between two balances: the one of finished days, the other of today.
"""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from zhidao.core.errors import MalformedInput
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.statement import AccountStatement, StatementEntry
from zhidao.finance.wire.iso20022 import terms
from zhidao.finance.wire.iso20022.grammar import Branch, Node, branch, read, write
from zhidao.finance.wire.iso20022.terms import leaf

STATEMENT: Final = "camt.053.001.08"
REPORT: Final = "camt.052.001.08"
_ROOTS: Final = {STATEMENT: ("BkToCstmrStmt", "Stmt"), REPORT: ("BkToCstmrAcctRpt", "Rpt")}
# Opening and closing booked; an interim balance closes a report of an unfinished day.
_CLOSING: Final = {STATEMENT: "CLBD", REPORT: "ITBD"}
_SIDE: Final = terms.fixed("CRDT", "DBIT")


def _balance(code: str) -> Branch:
    kind = Branch((("CdOrPrtry", Branch((("Cd", terms.fixed(code)),))),))
    return Branch(
        (
            ("Tp", kind),
            ("Amt", terms.AMOUNT),
            ("CdtDbtInd", _SIDE),
            ("Dt", Branch((("Dt", terms.DAY),))),
        )
    )


# Bank transaction codes of the external list: payments, received or issued credit transfers.
_CODE: Final = Branch(
    (
        (
            "Domn",
            Branch(
                (
                    ("Cd", terms.fixed("PMNT")),
                    (
                        "Fmly",
                        Branch(
                            (
                                ("Cd", terms.fixed("RCDT", "ICDT")),
                                ("SubFmlyCd", terms.fixed("OTHR")),
                            )
                        ),
                    ),
                )
            ),
        ),
    )
)
_ENTRY: Final = Branch(
    (
        ("Amt", terms.AMOUNT),
        ("CdtDbtInd", _SIDE),
        ("Sts", Branch((("Cd", terms.fixed("BOOK")),))),
        ("BookgDt", Branch((("Dt", terms.DAY),))),
        ("AcctSvcrRef", terms.REFERENCE),
        ("BkTxCd", _CODE),
    )
)


def _grammar(definition: str) -> Branch:
    inside = Branch(
        (
            ("Id", terms.REFERENCE),
            ("FrToDt", Branch((("FrDtTm", terms.MOMENT), ("ToDtTm", terms.MOMENT)))),
            ("Acct", terms.OWN_ACCOUNT),
            ("Bal", _balance("OPBD")),
            ("Bal", _balance(_CLOSING[definition])),
            ("Ntry", _ENTRY),
        ),
        many="Ntry",
    )
    header = Branch((("MsgId", terms.REFERENCE), ("CreDtTm", terms.MOMENT)))
    return Branch((("GrpHdr", header), (_ROOTS[definition][1], inside)))


def encode(statement: AccountStatement, definition: str = STATEMENT) -> bytes:
    """The statement's message, or the report's."""
    return write(definition, _document(statement, definition), _grammar(definition))


def decode(data: bytes, definition: str = STATEMENT) -> AccountStatement:
    """Reads a message of exactly this form. Raises MalformedInput if it does not reconcile."""
    root, part = _ROOTS[definition]
    document = read(definition, data, root, _grammar(definition))
    inside = document.at(part)
    currency = Currency(inside.at("Acct/Ccy").text)
    opening, closing = inside.all("Bal")
    statement = AccountStatement(
        message=document.at("GrpHdr/MsgId").text,
        account=inside.at("Acct/Id/Othr/Id").text,
        currency=currency,
        created=terms.read_moment(document.at("GrpHdr/CreDtTm").text),
        first_day=terms.read_day(inside.at("FrToDt/FrDtTm").text[:10]),
        last_day=terms.read_day(inside.at("FrToDt/ToDtTm").text[:10]),
        opening_minor=_signed(opening),
        closing_minor=_signed(closing),
        entries=tuple(map(_entry, inside.all("Ntry"))),
    )
    if _document(statement, definition) != document:
        raise MalformedInput("the statement's parts do not agree with each other", code="FF01")
    return statement


def _entry(node: Node) -> StatementEntry:
    try:
        transfer = UUID(hex=node.at("AcctSvcrRef").text)
    except ValueError as error:
        raise MalformedInput("AcctSvcrRef names no transfer of a ledger") from error
    return StatementEntry(transfer, _signed(node), terms.read_day(node.at("BookgDt/Dt").text))


def _signed(node: Node) -> int:
    minor = terms.read_amount(node.at("Amt")).minor
    return minor if node.at("CdtDbtInd").text == "CRDT" else -minor


def _sides(minor: int, currency: Currency) -> tuple[Node, Node]:
    side = "CRDT" if minor >= 0 else "DBIT"
    return terms.amount("Amt", Money(abs(minor), currency)), leaf("CdtDbtInd", side)


def _document(statement: AccountStatement, definition: str) -> Node:
    def balance(code: str, minor: int, day: date) -> Node:
        kind = branch("Tp", branch("CdOrPrtry", leaf("Cd", code)))
        when = branch("Dt", leaf("Dt", day.isoformat()))
        return branch("Bal", kind, *_sides(minor, statement.currency), when)

    def entry(one: StatementEntry) -> Node:
        family = leaf("Cd", "RCDT" if one.amount_minor > 0 else "ICDT")
        code = branch("Domn", leaf("Cd", "PMNT"), branch("Fmly", family, leaf("SubFmlyCd", "OTHR")))
        return branch(
            "Ntry",
            *_sides(one.amount_minor, statement.currency),
            branch("Sts", leaf("Cd", "BOOK")),
            branch("BookgDt", leaf("Dt", one.booked.isoformat())),
            leaf("AcctSvcrRef", one.transfer.hex),
            branch("BkTxCd", code),
        )

    root, part = _ROOTS[definition]
    return branch(
        root,
        branch(
            "GrpHdr",
            leaf("MsgId", statement.message),
            leaf("CreDtTm", terms.moment(statement.created)),
        ),
        branch(
            part,
            leaf("Id", statement.message),
            branch(
                "FrToDt",
                leaf("FrDtTm", f"{statement.first_day.isoformat()}T00:00:00+00:00"),
                leaf("ToDtTm", f"{statement.last_day.isoformat()}T23:59:59+00:00"),
            ),
            branch(
                "Acct",
                terms.account_number(statement.account),
                leaf("Ccy", statement.currency.code),
            ),
            balance("OPBD", statement.opening_minor, statement.first_day),
            balance(_CLOSING[definition], statement.closing_minor, statement.last_day),
            *map(entry, statement.entries),
        ),
    )
