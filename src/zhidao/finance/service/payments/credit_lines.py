"""How much a bank lets another owe it, by currency; without a line nothing is owed.

What is owed stands in the ledger, on the account `due_from_bank`. Whoever is about to let another
bank owe more claims the room first; claims that run at once never add up to more than the line.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import NotFound, Refused
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Records
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.ledger.records import Name
from zhidao.finance.domain.naming import AccountCode, account_id
from zhidao.finance.domain.payments.approval import Demand
from zhidao.finance.events.banks import CreditLineSet
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger

MAY_READ_LINES: Final = access(Role.PARTY, Role.AUDITOR, relation=Relation.BANK_OF, of="each line")

SET: Final = "set_credit_line"
NO_ROOM: Final = "credit_line"
"""The code of a refusal for want of room."""
PAIRS_MAX: Final = 10_000
"""Pairs of banks and currency that are remembered; more are read again."""


class Pair(NamedTuple):
    """A bank, the bank that may owe it, and in what currency."""

    bank: str
    peer: str
    currency: str


@dataclass(frozen=True, slots=True)
class CreditLine:
    """A line as it stands, in minor units. `version`: how often it was set; 0 for never."""

    pair: Pair
    limit_minor: int
    used_minor: int
    version: int


@dataclass(slots=True)
class _Room:
    """What is known of a pair between two looks into the ledger."""

    limit_minor: int
    version: int
    owed_most_minor: int | None = None
    """What the peer owes at most, with all claims since the last look; None before the first."""
    claims: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_used(self) -> bool:
        """Whether somebody claims in it now."""
        return bool(self.claims) or self.looking.locked()


class CreditLines:
    """Sets lines and keeps everybody within them. One for each ledger: claims meet here."""

    def __init__(
        self, *, records: Records, ledger: Ledger, accounts: Accounts, approvals: Approvals
    ) -> None:
        self._records = records
        self._ledger = ledger
        self._accounts = accounts
        self._approvals = approvals
        self._rooms: dict[Pair, _Room] = {}
        approvals.carries_out(SET, self._set_said)

    async def set(self, actor: Actor, *, peer: str, currency: str, limit_minor: int) -> CreditLine:
        """Says how much another bank may owe the actor's at most; 0: nothing. Again: no change.

        What is owed already stays owed. Raises Refused (`not_a_bank`, `same_party`,
        `needs_two_persons`).
        """
        pair = await self._pair(actor, peer, currency)
        if not 0 <= limit_minor <= AMOUNT_MINOR_MAX:
            raise Refused("a line is 0 to 2^63-1 minor units", code="amount_not_positive")
        room = await self._read_again(pair)
        if room.limit_minor != limit_minor:
            demand = Demand(
                SET,
                pair.peer,
                Money(limit_minor, Currency(pair.currency)),
                # After how many settings: an old word must not bring back what was lowered since.
                {**_plain(pair), "limit_minor": str(limit_minor), "after": room.version},
                # Only what is let be owed beyond what was let before binds anything more.
                [(f"line of {pair.peer}", max(limit_minor - room.limit_minor, 0))],
            )
            async with self._approvals.allowed(actor, demand):
                fact = CreditLineSet(**_plain(pair), limit_minor=str(limit_minor))
                await self._records.record(
                    self._records.speaker(actor),
                    _aggregate(pair),
                    [fact],
                    after=room.version,
                    owner=PartyId(pair.bank),
                )
            await self._read_again(pair)
        return await self._line(pair)

    async def line(self, actor: Actor, *, peer: str, currency: str) -> CreditLine:
        """How much a bank may owe the actor's, and owes. Raises Forbidden for who is no bank."""
        return await self._line(await self._pair(actor, peer, currency))

    async def lines(
        self, actor: Actor, *, limit: int, after: tuple[str, str] = ("", "")
    ) -> list[CreditLine]:
        """The lines that the actor's bank ever set, by peer and currency, after such a pair.

        An auditor sees the first ones of all banks.
        """
        MAY_READ_LINES.admit(actor)
        audits = actor.role is Role.AUDITOR
        prefix = "credit-line/" if audits else f"credit-line/{actor.party}/"
        start = f"{prefix}{after[0]}/{after[1]}" if after[0] else ""
        names = await self._records.aggregates(prefix, actor, limit=limit, after=start)
        return [await self._line(Pair(*name.split("/")[1:])) for name in names]

    @asynccontextmanager
    async def claim(
        self, pair: Pair, wanted: Sequence[tuple[Name, int]]
    ) -> AsyncIterator[frozenset[Name]]:
        """Holds room for transfers by which the peer will owe more; the names that find none.

        Inside, the others are to be booked. Whether they were is looked up when room gets scarce.
        What stands in the ledger already, or failed there for ever, needs no room and finds it.
        """
        room = await self._room(pair)
        whole = sum(minor for _, minor in wanted)
        without: frozenset[Name] = frozenset()
        async with room.looking:
            owed = room.owed_most_minor
            if owed is None or owed + whole > room.limit_minor:
                await room.idle.wait()
                owed = room.owed_most_minor = await self._owed(pair)
            if owed + whole > room.limit_minor:
                without, whole = await self._fitting(pair, wanted, room.limit_minor - owed)
            room.owed_most_minor = owed + whole
            room.claims += 1
            room.idle.clear()
        try:
            yield without
        finally:
            room.claims -= 1
            if not room.claims:
                room.idle.set()

    @asynccontextmanager
    async def claim_all(
        self, pair: Pair, wanted: Sequence[tuple[Name, int]]
    ) -> AsyncIterator[None]:
        """The same for what goes together. Raises Refused (`credit_line`) if there is no room."""
        async with self.claim(pair, wanted) as without:
            if without:
                raise Refused(
                    f"{pair.peer} would owe {pair.bank} more than its line in {pair.currency}",
                    code=NO_ROOM,
                    remedy=f"{pair.bank} sets how much {pair.peer} may owe it, or is paid first",
                )
            yield

    def forget(self, pair: Pair) -> None:
        """Somebody let the peer owe more without a claim: the next one looks into the ledger."""
        if pair in self._rooms:
            self._rooms[pair].owed_most_minor = None

    async def _fitting(
        self, pair: Pair, wanted: Sequence[tuple[Name, int]], left_minor: int
    ) -> tuple[frozenset[Name], int]:
        """The names without room, taken in order, and how much the others need of it."""
        sums = dict(wanted)
        history = await self._ledger.find(pair.currency, list(sums))
        without, taken = set(), 0
        for name, minor in sums.items():
            if name in history.transfers or history.failed(name):
                continue
            if taken + minor > left_minor:
                without.add(name)
            else:
                taken += minor
        return frozenset(without), taken

    async def _owed(self, pair: Pair) -> int:
        """What the peer owes by the ledger, with what is reserved to be owed, minor units."""
        account = _due_from(pair)
        try:
            sums = await self._ledger.account(pair.currency, account)
        except NotFound:
            return 0
        return sums.debits_posted + sums.debits_pending - sums.credits_posted

    async def _room(self, pair: Pair) -> _Room:
        known = self._rooms.get(pair)
        if known is not None:
            return known
        made = _Room(*await self._told(pair))
        made.idle.set()
        if len(self._rooms) >= PAIRS_MAX:
            self._rooms = {pair: room for pair, room in self._rooms.items() if room.is_used}
        # Whoever read it meanwhile has claims in it.
        return self._rooms.setdefault(pair, made)

    async def _read_again(self, pair: Pair) -> _Room:
        """The room by what the journal says now: whether a setting was written can be unknown."""
        room = await self._room(pair)
        room.limit_minor, room.version = await self._told(pair)
        return room

    async def _told(self, pair: Pair) -> tuple[int, int]:
        history = await self._records.history(_aggregate(pair))
        return int(CreditLineSet.of(history[-1]).limit_minor) if history else 0, len(history)

    async def _line(self, pair: Pair) -> CreditLine:
        room = await self._room(pair)
        return CreditLine(pair, room.limit_minor, max(0, await self._owed(pair)), room.version)

    async def _pair(self, actor: Actor, peer: str, currency: str) -> Pair:
        bank = await self._accounts.require_bank(actor)
        other = await self._accounts.bank(party_id(peer))
        if other.bank == bank.bank:
            raise Refused("a bank owes itself nothing", code="same_party")
        return Pair(bank.bank, other.bank, Currency(currency).code)

    async def _set_said(self, actor: Actor, said: Mapping[str, Any]) -> CreditLine:
        peer, currency = str(said["peer"]), str(said["currency"])
        pair = await self._pair(actor, peer, currency)
        if (await self._read_again(pair)).version != said["after"]:
            return await self._line(pair)
        return await self.set(
            actor, peer=peer, currency=currency, limit_minor=int(said["limit_minor"])
        )


def _due_from(pair: Pair) -> UUID:
    return account_id(
        bank=pair.bank,
        code=AccountCode.DUE_FROM_BANK,
        holder=pair.peer,
        currency=pair.currency,
    )


def _plain(pair: Pair) -> dict[str, str]:
    return {"bank": pair.bank, "peer": pair.peer, "currency": pair.currency}


def _aggregate(pair: Pair) -> str:
    return f"credit-line/{pair.bank}/{pair.peer}/{pair.currency}"
