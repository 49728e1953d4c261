"""Routes of netting: a bank's cycles, what customers owe in them, and what settled."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import LIST, READ
from zhidao.core.actor import Actor
from zhidao.core.limits import JSON_INTEGER_MAX
from zhidao.core.money import Currency
from zhidao.finance.domain.receivables.liquidity import Liquidity, saved
from zhidao.finance.domain.receivables.netting import net
from zhidao.finance.events.banks import Obligation
from zhidao.finance.service.receivables.netting import (
    BATCH_MAX,
    MAY_ADD_OBLIGATIONS,
    MAY_OPEN_CYCLE,
    MAY_SETTLE_CYCLE,
    PARTICIPANTS_MAX,
    Cycle,
    Nettings,
)
from zhidao.node.http.access import ACCESS
from zhidao.node.lists.listing import LISTED, Listing

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"
_Cycle = Annotated[str, Parameter(pattern=_NAME, max_length=64)]
_KEY = r"^(([a-z0-9.-]{1,64}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,63})?\Z"
_After = Annotated[str, Parameter(pattern=_KEY, max_length=129)]
_Of = Annotated[str, Parameter(max_length=64)]
_Limit = Annotated[int, Parameter(ge=1, le=50)]
_Name = Annotated[str, msgspec.Meta(pattern=_NAME, max_length=64)]
_Minor = Annotated[int, msgspec.Meta(gt=0, le=JSON_INTEGER_MAX)]


_CYCLES = Listing(
    "netting",
    ("key",),
    (
        *("cycle", "bank", "state", "currency", "count", "gross_minor", "needed_minor"),
        *("settled_minor", "moved_minor", "key"),
    ),
)


class NewCycle(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A cycle among customers of the caller's bank, who all have accounts in the currency."""

    cycle: _Name
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    participants: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=64)]],
        msgspec.Meta(min_length=2, max_length=PARTICIPANTS_MAX),
    ]


class Owed(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One obligation of the caller."""

    creditor: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    amount_minor: _Minor
    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class NewObligations(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the caller's party owes; `batch` names the list, so that sending it again is safe."""

    batch: _Name
    obligations: Annotated[list[Owed], msgspec.Meta(min_length=1, max_length=BATCH_MAX)]


class NetPositionView(msgspec.Struct, kw_only=True):
    """What a party receives in all (negative: pays), minor units."""

    party: str
    net_minor: int


class ObligationView(msgspec.Struct, kw_only=True):
    """One obligation and whether it waits for money, by its number of arrival."""

    number: int
    debtor: str
    creditor: str
    amount_minor: int
    reference: str
    waits: bool


class LiquidityView(msgspec.Struct, kw_only=True):
    """The money that must be there beforehand if the day is settled in so many cycles."""

    cycles: int
    needed_minor: int
    largest_minor: int


class CycleView(msgspec.Struct, kw_only=True):
    """A cycle. `state`: open, decided or settled.

    A participant sees its own obligations and its own position, and sums of all; the bank sees
    everything. `liquidity` compares ways to settle the same day and is for the bank alone.
    `key`: what a list goes on behind.
    """

    cycle: str
    key: str
    bank: str
    currency: str
    exponent: int
    state: str
    participants: list[str]
    count: int
    gross_minor: int
    needed_minor: int
    settled_minor: int
    moved_minor: int
    attempts: int
    positions: list[NetPositionView]
    obligations: list[ObligationView]
    liquidity: list[LiquidityView]


_ROWS_MAX = 2_000


def routes(nettings: Nettings) -> Router:
    """Routes under /v1/finance/netting."""

    @post("/", opt={ACCESS: MAY_OPEN_CYCLE})
    async def open_cycle(data: NewCycle, actor: Actor) -> CycleView:
        """Opens a cycle; banks only. Again with the same content: the same cycle."""
        cycle = await nettings.open(
            actor, cycle=data.cycle, currency=data.currency, participants=data.participants
        )
        return await _view(nettings, actor, cycle)

    @get("/", opt={LISTED: _CYCLES, ACCESS: LIST})
    async def listed(actor: Actor, limit: _Limit = 20, after: _After = "") -> list[CycleView]:
        """The cycles in which the caller takes part, or that its bank keeps."""
        found = await nettings.cycles(actor, limit=limit, after=after)
        return [await _view(nettings, actor, cycle) for cycle in found]

    @get("/{cycle:str}", opt={ACCESS: READ})
    async def one(cycle: _Cycle, actor: Actor, of: _Of = "") -> CycleView:
        """One cycle, as far as the caller may see it.

        `of`: its bank, where several have one of this name.
        """
        key = await nettings.key(actor, cycle, of=of)
        return await _view(nettings, actor, await nettings.cycle(actor, key))

    @post("/{cycle:str}/obligations", opt={ACCESS: MAY_ADD_OBLIGATIONS})
    async def add(cycle: _Cycle, data: NewObligations, actor: Actor, of: _Of = "") -> CycleView:
        """Says what the caller's party owes. The same batch again: no change."""
        owed = [
            Obligation(
                creditor=each.creditor,
                amount_minor=str(each.amount_minor),
                reference=each.reference,
            )
            for each in data.obligations
        ]
        key = await nettings.key(actor, cycle, of=of)
        known = await nettings.add(actor, key, batch=data.batch, obligations=owed)
        return await _view(nettings, actor, known)

    @post("/{cycle:str}/settlement", opt={ACCESS: MAY_SETTLE_CYCLE})
    async def settle(cycle: _Cycle, actor: Actor, of: _Of = "") -> CycleView:
        """Decides what settles with the money that is there, and moves it; the bank only.

        Above the limit it takes two persons. Again: no change.
        """
        key = await nettings.key(actor, cycle, of=of)
        return await _view(nettings, actor, await nettings.settle(actor, key))

    handlers: list[Any] = [open_cycle, listed, one, add, settle]
    return Router("/v1/finance/netting", route_handlers=handlers, tags=["finance"])


async def _view(nettings: Nettings, actor: Actor, cycle: Cycle) -> CycleView:
    return await asyncio.to_thread(_shown, cycle, actor.party, nettings.seen_by(actor, cycle))


def _shown(cycle: Cycle, party: str, everything: bool) -> CycleView:  # noqa: FBT001 (one caller)
    table, decided = cycle.table, cycle.decided
    positions = net(table)
    told = (
        [(name, int(minor)) for name, minor in decided.positions]
        if decided
        else list(zip(cycle.opened.participants, positions.net_minor.tolist(), strict=True))
    )
    count = sum(len(batch.obligations) for batch in cycle.batches)
    liquidity: list[Liquidity] = saved(table) if everything and count else []
    return CycleView(
        cycle=cycle.opened.cycle,
        key=cycle.key,
        bank=cycle.opened.bank,
        currency=cycle.opened.currency,
        exponent=Currency(cycle.opened.currency).exponent,
        state=cycle.state,
        participants=cycle.opened.participants,
        count=count,
        gross_minor=table.gross_minor,
        needed_minor=positions.needed_minor,
        settled_minor=int(decided.settled_minor) if decided else 0,
        moved_minor=int(decided.moved_minor) if decided else 0,
        attempts=decided.attempt if decided else 0,
        positions=[
            NetPositionView(party=name, net_minor=minor)
            for name, minor in told
            if everything or name == party
        ],
        obligations=_obligations(cycle, None if everything else party)[:_ROWS_MAX],
        liquidity=[
            LiquidityView(
                cycles=each.cycles,
                needed_minor=each.needed_minor,
                largest_minor=each.largest_minor,
            )
            for each in liquidity
        ],
    )


def _obligations(cycle: Cycle, party: str | None) -> list[ObligationView]:
    """The obligations of a cycle, numbered over all; of a party, those that it owes or is owed."""
    waiting = set(cycle.decided.waiting) if cycle.decided else set()
    flat = [(batch.debtor, one) for batch in cycle.batches for one in batch.obligations]
    return [
        ObligationView(
            number=number,
            debtor=debtor,
            creditor=one.creditor,
            amount_minor=int(one.amount_minor),
            reference=one.reference,
            waits=number in waiting,
        )
        for number, (debtor, one) in enumerate(flat, 1)
        if party is None or party in (debtor, one.creditor)
    ]
