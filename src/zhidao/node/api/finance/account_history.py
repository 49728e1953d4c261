"""Routes of what happened on an account: statements, movements, what stood on it at a moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Response, Router, get
from litestar.params import Parameter

from zhidao.core.access import READ
from zhidao.core.actor import Actor
from zhidao.core.errors import MalformedInput
from zhidao.core.limits import DAY
from zhidao.core.money import Currency
from zhidao.core.timescale import Utc
from zhidao.finance.domain.payments.message import Notice, NoticeEntry
from zhidao.finance.domain.payments.statement import (
    NO_DETAILS,
    AccountMovement,
    AccountStatement,
    EntryDetails,
    pages,
)
from zhidao.finance.events import AccountOpened
from zhidao.finance.service.ledger.account_statements import Position, Statements
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.balance_history import BalanceHistory
from zhidao.finance.service.payments.entry_sources import EntrySources
from zhidao.finance.wire.iso20022.messages import camt053, notices
from zhidao.finance.wire.iso20022.syntax.trees import account as account_tree
from zhidao.finance.wire.iso20022.syntax.trees import at
from zhidao.finance.wire.statement_csv import csv_of
from zhidao.node.http.access import ACCESS
from zhidao.node.http.openapi import FURTHER_KINDS
from zhidao.node.lists.listing import LISTED, Listing

_Account = Annotated[str, Parameter(min_length=1, max_length=64)]
_OneAccount = Annotated[str, Parameter(max_length=64)]
_Day = Annotated[str, Parameter(pattern=DAY)]
_After = Annotated[str, Parameter(pattern=r"^([0-9]{1,18}\.[0-9]{1,9})?\Z", max_length=28)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]
_Moment = Annotated[str, Parameter(min_length=20, max_length=40)]
ENTRIES_MAX: Final = 20_000

_MOVEMENTS: Final = Listing(
    "movements",
    ("position",),
    (
        *("at", "state", "amount_minor", "currency", "counterparty", "end_to_end", "remittance"),
        *("uetr", "other", "transfer", "account", "position"),
    ),
    rows="movements",
    further="after",
    asked=(("account", "account"),),
)


class MovementView(msgspec.Struct, kw_only=True):
    """What a transfer did to an account. `amount_minor`: positive for what comes in.

    `state`: booked, reserved or freed. `other`: whose account is on the other side, told to the
    account's bank only; `counterparty`, `end_to_end` and `remittance`: as the payment told them.
    `resolves`: the transfer that reserved what this one books or frees; empty else.
    """

    account: str
    position: str
    transfer: str
    at: str
    state: str
    amount_minor: int
    currency: str
    exponent: int
    other: str
    uetr: str
    counterparty: str
    end_to_end: str
    remittance: str
    resolves: str


class MovementsView(msgspec.Struct, kw_only=True):
    """The newest movements first. `complete`: there are no older ones; `after`: where they are."""

    account: str
    currency: str
    exponent: int
    movements: list[MovementView]
    complete: bool
    after: str


_NOTHING: Final = MovementsView(
    account="", currency="", exponent=0, movements=[], complete=True, after=""
)


class BalanceView(msgspec.Struct, kw_only=True):
    """What was booked on an account up to a moment."""

    account: str
    currency: str
    exponent: int
    at: str
    balance_minor: int


def routes(
    accounts: Accounts, statements: Statements, sources: EntrySources, balances: BalanceHistory
) -> Router:
    """Routes under /v1/finance."""

    @get(
        "/accounts/{account:str}/statement",
        media_type="application/xml",
        opt={ACCESS: READ, FURTHER_KINDS: ("text/csv",)},
    )
    async def statement(
        account: _Account,
        actor: Actor,
        first: _Day,
        last: _Day,
        page: Annotated[int, Parameter(ge=1, le=99_999)] = 1,
        form: Literal["camt053", "camt052", "camt054", "csv"] = "camt053",
    ) -> Response[bytes]:
        """An account between two days (UTC), both within; its bank and its holder only.

        Each entry tells what its payment told: references, both sides, what it was for.
        """
        opened = (await accounts.statement(actor, account)).opened
        days = _day(first), _day(last)
        name = UUID(opened.account)
        made = await statements.statement(
            opened.currency,
            name,
            message=f"ST{first.replace('-', '')}{last.replace('-', '')}.{name.hex[:12]}",
            first_day=days[0],
            last_day=days[1],
        )
        cut = [made] if form == "csv" else list(pages(made, entries_max=ENTRIES_MAX))
        if page > len(cut):
            raise MalformedInput(f"the statement has {len(cut)} pages", where="page")
        wanted = cut[page - 1]
        entries = await sources.told(opened.bank, opened.currency, wanted.entries)
        return _written(replace(wanted, entries=entries), form)

    async def found(actor: Actor, account: str, limit: int, after: str) -> MovementsView:
        opened = (await accounts.statement(actor, account)).opened
        before = Position(*map(int, after.split("."))) if after else None
        told, further = await statements.earlier(
            opened.currency, UUID(opened.account), limit=limit, before=before
        )
        keys = {(one.mark, one.uetr) for _, one in told}
        behind = await sources.behind(opened.bank, opened.currency, keys)
        holders: dict[UUID, str] = {}
        for _, one in told if actor.party == opened.bank else ():
            if one.other not in holders:
                other = await accounts.opened(one.other)
                holders[one.other] = other.holder if other else ""
        return MovementsView(
            account=opened.account,
            currency=opened.currency,
            exponent=Currency(opened.currency).exponent,
            movements=[
                _movement(
                    opened,
                    position,
                    one,
                    behind.get((one.mark, one.uetr), (NO_DETAILS, None))[0],
                    holders.get(one.other, ""),
                )
                for position, one in told
            ],
            complete=further is None,
            after="" if further is None else f"{further.batch}.{further.place}",
        )

    @get("/accounts/{account:str}/movements", opt={ACCESS: READ})
    async def movements(
        account: _Account, actor: Actor, limit: _Limit = 20, after: _After = ""
    ) -> MovementsView:
        """The latest movements of an account, as they happen; its bank and its holder only."""
        return await found(actor, account, limit, after)

    @get("/movements", opt={LISTED: _MOVEMENTS, ACCESS: READ})
    async def listed(
        actor: Actor, account: _OneAccount = "", limit: _Limit = 50, after: _After = ""
    ) -> MovementsView:
        """The movements of an account as a list, the newest first, down to its first one.

        Without an account there are none.
        """
        if not account:
            return _NOTHING
        return await found(actor, account, limit, after)

    @get("/accounts/{account:str}/balance", opt={ACCESS: READ})
    async def balance(account: _Account, actor: Actor, at: _Moment) -> BalanceView:
        """What was booked on an account up to a moment; its bank and its holder only.

        A moment that is to come is refused (`not_yet`); one less than a minute ahead is now.
        """
        opened = (await accounts.statement(actor, account)).opened
        moment = balances.known_until(Utc.parse(at))
        return BalanceView(
            account=opened.account,
            currency=opened.currency,
            exponent=Currency(opened.currency).exponent,
            at=str(moment),
            balance_minor=await balances.balance(
                opened.currency, UUID(opened.account), at_ns=moment.unix_ns
            ),
        )

    handlers: list[Any] = [statement, movements, listed, balance]
    return Router("/v1/finance", route_handlers=handlers, tags=["finance"])


def _movement(
    opened: AccountOpened,
    position: Position,
    one: AccountMovement,
    told: EntryDetails,
    other: str,
) -> MovementView:
    side = told.payer if one.amount_minor > 0 else told.payee
    # What came back comes from the one who was paid.
    if told.returned:
        side = told.payee if one.amount_minor > 0 else told.payer
    return MovementView(
        account=opened.account,
        position=f"{position.batch}.{position.place}",
        transfer=str(one.transfer),
        at=str(one.at),
        state=one.state,
        amount_minor=one.amount_minor,
        currency=opened.currency,
        exponent=Currency(opened.currency).exponent,
        other=other,
        uetr=one.uetr,
        counterparty=at(side, "Nm"),
        end_to_end=told.end_to_end,
        remittance=at(told.remittance, "Ustrd"),
        resolves=str(one.resolves) if one.resolves else "",
    )


def _written(made: AccountStatement, form: str) -> Response[bytes]:
    if form == "csv":
        return Response(csv_of(made).encode(), media_type="text/csv")
    if form == "camt054":
        data = notices.encode(_notice(made))
    else:
        data = camt053.encode(made, camt053.STATEMENT if form == "camt053" else camt053.REPORT)
    return Response(data, media_type="application/xml")


def _notice(made: AccountStatement) -> Notice:
    """What was booked, as the account's holder is told of it."""
    return Notice(
        notices.DEFINITION,
        made.message,
        made.created.isoformat(),
        account_tree(made.account),
        made.currency.code,
        tuple(
            NoticeEntry(
                entry=one.transfer.hex,
                amount_minor=one.amount_minor,
                day=one.booked.isoformat(),
                uetr=one.uetr,
                **{name: getattr(one.details or NO_DETAILS, name) for name in _TOLD},
            )
            for one in made.entries
        ),
    )


_TOLD: Final = tuple(name for name in EntryDetails._fields if name != "returned")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise MalformedInput(f"no such day: {text}") from error
