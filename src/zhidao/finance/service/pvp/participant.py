"""Payment versus payment as a service: a participant with its ledger (`pvp_decider` decides).

Neither knows the network: they take messages and give messages, so that the node, the simulator
and two processes on loopback run the same code. The order of writes is the whole safety:

    participant: terms in the journal, reservations in the ledger, then the vote leaves
    decider:     decision in the journal (and so in the log), then the decision leaves
    participant: decision seen in the log, posts and voids in the ledger, `followed` in the journal
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from zhidao.core.actor import Actor
from zhidao.core.errors import Refused
from zhidao.core.events import SignedEvent
from zhidao.core.journal import Records
from zhidao.core.keys import Signer
from zhidao.core.money import Currency
from zhidao.finance.domain.ledger.ledger import Result, Transfer, TransferFlag, ledger_number
from zhidao.finance.domain.naming import TransferCode, transfer_id
from zhidao.finance.domain.pvp.fx import Conversion, carry
from zhidao.finance.domain.pvp.pvp import (
    BATCH_MAX,
    FIRST_HEAD,
    OPEN_MAX,
    Outcome,
    Side,
    Standing,
    Terms,
    applied,
    decision_head,
    reserved,
)
from zhidao.finance.events import PvpDecided, PvpFollowed, PvpTaken
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.wire.pvp import Vote, encode_votes, read_terms

Logged = Callable[[SignedEvent], Awaitable[bool]]
"""Whether an event stands in the public log, asked of somebody other than who sent it."""


@dataclass(frozen=True, slots=True)
class RoundingAccounts:
    """Where the whole minor units of remainders go: from the dealer's position to `rounding`."""

    position: UUID
    rounding: UUID


@dataclass(slots=True)
class _Legs:
    """What a participant holds in memory: the fold of its journal."""

    terms: dict[str, Terms] = field(default_factory=dict)
    standing: dict[str, Standing] = field(default_factory=dict)
    decided: set[str] = field(default_factory=set)
    number: int = 0
    head: str = FIRST_HEAD
    carried: dict[int, int] = field(default_factory=dict)
    taken_version: int = 0


class PvpParticipant:
    """One side of the deals whose leg runs on one ledger of this node."""

    def __init__(
        self,
        *,
        side: Side,
        shard: str,
        ledger: Ledger,
        records: Records,
        actor: Actor,
        signer: Signer,
        deciders: Callable[[], Collection[str]],
        logged: Logged,
        rounding: RoundingAccounts | None = None,
        channel: str = "",
        remembers: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """`signer`: this side's key in the terms. `rounding`: for the side that rounds (second).

        `deciders`: the decider's keys, present and former ones: a deal outlives a rotation.

        `channel` names its histories where one ledger has several participants, each with its own
        decider; the ledger's name if there is but one.

        `remembers`: whether a decided deal may still be asked for; of others nothing is kept, and
        they must not be taken again.
        """
        self._remembers = remembers
        self._channel = channel or shard
        self._side = side
        self._shard = shard
        self._ledger = ledger
        self._records = records
        self._actor = actor
        self._signer = signer
        self._deciders = deciders
        self._logged = logged
        self._rounding = rounding
        self._held: _Legs | None = None
        self._one = asyncio.Lock()
        self.frozen = ""
        """Why this participant stopped: a contradiction that two persons must look at."""

    async def take(self, deals: Sequence[Terms]) -> list[bytes]:
        """Reserves this side's leg of each deal; the signed votes that must reach the decider.

        Deals known already are voted on again. Raises Refused for terms that are not this side's,
        before anything is written.
        """
        async with self._one:
            return await self._take(deals)

    async def _take(self, deals: Sequence[Terms]) -> list[bytes]:
        held = await self._restored()
        fresh = {deal.name: deal for deal in deals if deal.name not in held.decided}
        for deal in fresh.values():
            self._check(deal)
        new = [deal for name, deal in fresh.items() if name not in held.terms]
        if len(held.terms) + len(new) > OPEN_MAX:
            raise Refused(f"{OPEN_MAX} deals wait for their decision", code="too_many")
        for start in range(0, len(new), BATCH_MAX):
            part = new[start : start + BATCH_MAX]
            fact = PvpTaken(ledger=self._shard, deals=[deal.plain for deal in part])
            await self._write(f"pvp-taken/{self._channel}", fact, after=held.taken_version)
            held.taken_version += 1
            held.terms.update({deal.name: deal for deal in part})
        try:
            await self._reserve(list(fresh.values()))
        except BaseException:
            # The terms stand in the journal: the next step reserves what is in doubt.
            self._held = None
            raise
        return self._votes(fresh)

    async def votes(self) -> list[bytes]:
        """The votes on all deals that wait for their decision: sent again until it comes."""
        async with self._one:
            return await self._again()

    async def _again(self) -> list[bytes]:
        held = await self._restored()
        return self._votes(held.terms)

    async def waiting(self) -> tuple[str, ...]:
        """The deals that wait for their decision, by name."""
        async with self._one:
            return tuple((await self._restored()).terms)

    async def cursor(self) -> int:
        """The number of the last decision that is applied here."""
        async with self._one:
            return (await self._restored()).number

    async def standing(self, name: str) -> Standing:
        """How far this side's leg is, for the deals of this run of the program."""
        async with self._one:
            return (await self._restored()).standing.get(name, Standing.UNKNOWN)

    async def follow(self, data: bytes) -> bool:
        """Applies a decision of the decider; False if another comes before it, or it was applied.

        Raises Refused: not the decider's, not in the log, or contradicting what was decided.
        """
        async with self._one:
            return await self._follow(data)

    async def _follow(self, data: bytes) -> bool:
        held = await self._restored()
        self._check_frozen()
        event = SignedEvent.decode(data)
        event.verify()
        if event.asserted_by.key.multikey not in self._deciders():
            raise Refused("the decision is not the decider's", code="bad_signature")
        decided = PvpDecided.of(event)
        computed = decision_head(
            decided.previous, decided.number, commits=decided.commits, aborts=decided.aborts
        )
        if decided.number < 1 or decided.head != computed:
            raise self._freeze(f"decision {decided.number} is not what its head says")
        if decided.number <= held.number:
            if decided.head != await self._head(decided.number):
                raise self._freeze(f"decision {decided.number} was told in two ways")
            return False
        if decided.number != held.number + 1:
            return False
        if decided.previous != held.head:
            raise self._freeze(f"decision {decided.number} does not continue the ones before")
        if not await self._logged(event):
            raise Refused(
                f"decision {decided.number} is not in the log",
                code="pvp_unlogged",
                remedy="wait until it is; nobody posts before",
            )
        await self._apply(decided)
        return True

    async def _head(self, number: int) -> str:
        """The head of a decision that was applied here."""
        held = await self._restored()
        if number == held.number:
            return held.head
        history = await self._records.history(f"pvp-followed/{self._channel}")
        return PvpFollowed.of(history[number - 1]).head

    # -- applying --------------------------------------------------------------------------------

    async def _apply(self, decided: PvpDecided) -> None:
        held = await self._restored()
        mine = [(name, Outcome.COMMIT) for name in decided.commits if name in held.terms]
        mine += [(name, Outcome.ABORT) for name in decided.aborts if name in held.terms]
        try:
            after = {name: applied(held.standing[name], outcome) for name, outcome in mine}
        except Refused as error:
            raise self._freeze(str(error.args[0])) from error
        carried = await self._settle(decided.number, mine)
        fact = PvpFollowed(
            ledger=self._shard,
            number=decided.number,
            head=decided.head,
            decided=[*decided.commits, *decided.aborts],
            carried=[[str(below), str(above)] for below, above in sorted(carried.items())],
        )
        await self._write(f"pvp-followed/{self._channel}", fact, after=held.number)
        held.standing.update(after)
        held.decided.update(fact.decided)
        for name, _ in mine:
            del held.terms[name]
        held.decided = {name for name in held.decided if self._remembers(name)}
        held.standing = {
            name: standing
            for name, standing in held.standing.items()
            if name in held.terms or self._remembers(name)
        }
        held.number, held.head, held.carried = decided.number, decided.head, carried

    async def _settle(self, number: int, mine: Sequence[tuple[str, Outcome]]) -> dict[int, int]:
        """Posts and voids in one batch of the ledger, with the rounding that they cause."""
        held = await self._restored()
        batch, exact = [], []
        for name, outcome in mine:
            if held.standing[name] is not Standing.RESERVED:
                continue
            batch.append(self._resolution(name, outcome))
            if outcome is Outcome.COMMIT and self._rounding is not None:
                exact.append(self._conversion(held.terms[name]))
        whole, carried = carry(held.carried, exact)
        if whole and self._rounding is not None:
            batch.append(
                Transfer(
                    id=transfer_id("pvp-rounding", self._channel, str(number)),
                    debit_account_id=self._rounding.position,
                    credit_account_id=self._rounding.rounding,
                    amount=whole,
                    ledger=ledger_number(Currency(self._shard)),
                    code=TransferCode.PVP_ROUNDING,
                )
            )
        results = await self._ledger.submit(self._shard, batch) if batch else []
        wrong = [result for result in results if not result.holds]
        if wrong:
            raise self._freeze(f"decision {number} does not fit the ledger: {wrong[0]}")
        return carried

    def _resolution(self, name: str, outcome: Outcome) -> Transfer:
        commit = outcome is Outcome.COMMIT
        flag = TransferFlag.POST_PENDING_TRANSFER if commit else TransferFlag.VOID_PENDING_TRANSFER
        amount = self._held.terms[name].leg(self._side).amount_minor if self._held else 0
        return Transfer(
            id=transfer_id("pvp", outcome, name, self._side),
            amount=amount if commit else 0,
            pending_id=transfer_id("pvp", "hold", name, self._side),
            flags=flag,
        )

    # -- reserving -------------------------------------------------------------------------------

    async def _reserve(self, deals: Sequence[Terms]) -> None:
        held = await self._restored()
        for start in range(0, len(deals), BATCH_MAX):
            part = deals[start : start + BATCH_MAX]
            results = await self._ledger.submit(self._shard, [self._hold(deal) for deal in part])
            for deal, result in zip(part, results, strict=True):
                before = held.standing.get(deal.name, Standing.UNKNOWN)
                held.standing[deal.name] = reserved(before, held=result.holds)
                assert result is not Result.LINKED_EVENT_FAILED, "holds are not linked"

    def _hold(self, deal: Terms) -> Transfer:
        leg = deal.leg(self._side)
        return Transfer(
            id=transfer_id("pvp", "hold", deal.name, self._side),
            debit_account_id=leg.debit,
            credit_account_id=leg.credit,
            amount=leg.amount_minor,
            user_data_128=int(deal.name[:32], 16),
            ledger=ledger_number(Currency(self._shard)),
            code=TransferCode.PVP_LEG,
            flags=TransferFlag.PENDING,  # without a timeout: no timer undoes a reservation
        )

    def _check(self, deal: Terms) -> None:
        self._check_frozen()
        leg = deal.leg(self._side)
        if leg.ledger != self._shard or deal.key(self._side) != self._signer.public.multikey:
            raise Refused(f"deal {deal.name[:16]}: this leg is not ours", code="pvp_not_ours")
        if deal.decider_key not in self._deciders():
            raise Refused(f"deal {deal.name[:16]}: we know another decider", code="pvp_decider")
        self._conversion(deal)

    def _conversion(self, deal: Terms) -> Conversion:
        return deal.conversion()

    def _votes(self, deals: dict[str, Terms]) -> list[bytes]:
        standing = self._held.standing if self._held else {}
        votes = [
            Vote(deal, self._side, yes=standing[name] is Standing.RESERVED)
            for name, deal in deals.items()
        ]
        shares = range(0, len(votes), BATCH_MAX)
        return [encode_votes(votes[start : start + BATCH_MAX], self._signer) for start in shares]

    # -- recovery --------------------------------------------------------------------------------

    async def _restored(self) -> _Legs:
        """The fold of the journal; reservations in doubt are made again, which changes nothing."""
        if self._held is not None:
            return self._held
        held, decided = _Legs(), set[str]()
        for event in await self._records.history(f"pvp-followed/{self._channel}"):
            fact = PvpFollowed.of(event)
            held.number, held.head = fact.number, fact.head
            decided.update(fact.decided)
            held.carried = {int(below): int(above) for below, above in fact.carried}
        for event in await self._records.history(f"pvp-taken/{self._channel}"):
            held.taken_version += 1
            for plain in PvpTaken.of(event).deals:
                deal = read_terms(plain)
                if deal.name not in decided:
                    held.terms[deal.name] = deal
        held.decided = {name for name in decided if self._remembers(name)}
        self._held = held
        try:
            await self._reserve(list(held.terms.values()))
        except BaseException:
            self._held = None
            raise
        return held

    async def _write(self, aggregate: str, fact: PvpTaken | PvpFollowed, *, after: int) -> None:
        try:
            await self._records.record(
                self._actor, aggregate, [fact], after=after, owner=self._actor.party
            )
        except BaseException:
            # Whether it stands is unknown: the journal is read again before the next step.
            self._held = None
            raise

    def _check_frozen(self) -> None:
        if self.frozen:
            raise Refused(f"payment versus payment stopped: {self.frozen}", code="pvp_frozen")

    def _freeze(self, why: str) -> Refused:
        self.frozen = why
        return Refused(
            f"payment versus payment stopped: {why}",
            code="pvp_contradiction",
            remedy="show the signed decisions to both parties; no reservation is let go",
        )
