"""Conditional payments: money held under a condition, released, refunded, or shared by agreement.

The decision is written once and then applied idempotently. A dispute stops what would decide by
itself; two of payer, payee and arbiter who sign the same sharing end it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, Unavailable, ZhidaoError
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Handled, Records
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import NS, Utc
from zhidao.finance.domain import condition as conditions
from zhidao.finance.domain.condition import Happened, Standing, Word
from zhidao.finance.domain.escrow import Escrow, fold, joint_share
from zhidao.finance.domain.ledger import Result, Transfer, TransferFlag, ledger_number
from zhidao.finance.domain.naming import AccountCode, TransferCode
from zhidao.finance.domain.payment import MESSAGE_AMOUNT_MAX
from zhidao.finance.events.banks import (
    DisputeRaised,
    EscrowDecided,
    EscrowHeld,
    EscrowNoted,
    EscrowOpened,
    EscrowSettled,
    ResolutionSigned,
)
from zhidao.finance.service.accounts import Accounts
from zhidao.finance.service.approvals import Approvals
from zhidao.finance.service.correspondents import legs_between
from zhidao.finance.service.ledger import Ledger
from zhidao.finance.service.ports import EscrowIndex
from zhidao.trade.commands import Consignments

_LOG: Final = logging.getLogger(__name__)
OPEN: Final = "open_escrow"
EVENTS: Final = tuple(sorted(conditions.FACTS))
GRACE_S: Final = 60
"""Events recorded in time are still on their way through log and bus this long at most."""
_TICK_S: Final = 1.0
ATTEMPTS_MAX: Final = 64
"""So often a decided payment that the ledger refuses is tried under the next ids."""
_WAIT_S_MAX: Final = 3_600
"""Between two such attempts, doubling up to this: each that fails uses up its ids."""
_TRIES: Final = 16


class Escrows:
    """Opens conditional payments, listens for what they wait for, and ends each once."""

    def __init__(
        self,
        *,
        records: Records,
        ledger: Ledger,
        accounts: Accounts,
        approvals: Approvals,
        index: EscrowIndex,
        consignments: Consignments,
        clock: Clock,
    ) -> None:
        self._records = records
        self._ledger = ledger
        self._accounts = accounts
        self._approvals = approvals
        self._index = index
        self._consignments = consignments
        self._clock = clock
        self._node = Actor(records.node, Role.NODE)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._said: dict[str, str] = {}
        self._waits: dict[str, tuple[int, Refused]] = {}
        approvals.carries_out(OPEN, self._open_said)

    async def open(self, actor: Actor, opened: EscrowOpened) -> Escrow:
        """Holds the payer's money under a condition; its bank only. Again: the same.

        Raises Refused (`unknown_condition`, `needs_two_persons`), NotFound for a consignment that
        payer or payee may not see, Conflict if the name stands for another one.
        """
        bank = await self._accounts.require_bank(actor)
        if opened.payer_bank != bank.bank:
            raise Forbidden(f"{actor.party} cannot hold money of {opened.payer_bank}")
        async with self._lock(opened.escrow):
            escrow = await self._find(opened.escrow)
            if escrow is None:
                waits_for = await self._check(opened)
                amount = Money(int(opened.amount_minor), Currency(opened.currency))
                await self._approvals.demand(
                    actor, act=OPEN, subject=opened.escrow, amount=amount, said=opened.payload()
                )
                await self._index.add(opened.escrow, consignments=waits_for)
                await self._write(Escrow(opened, 0), opened, by=actor)
            elif escrow.opened != opened:
                raise Conflict(f"escrow {opened.escrow} was opened with other content")
            await self._advance(opened.escrow)
            return await self._known(opened.escrow)

    async def word(self, actor: Actor, name: str, *, word: str) -> Escrow:
        """A party that the condition names signs its word. Again: no change."""
        actor.require(Role.PARTY)
        leaf = Word(by=actor.party, word=word)
        async with self._lock(name):
            escrow = await self.escrow(actor, name)
            if leaf not in list(conditions.leaves(escrow.condition)):
                raise Forbidden(f"escrow {name} waits for no such word of {actor.party}")
            if conditions.name(leaf) not in escrow.met:
                self._require_undecided(escrow)
                await self._note(escrow, leaf, by=actor)
                await self._advance(name)
            return await self._known(name)

    async def dispute(self, actor: Actor, name: str, *, reason: str) -> Escrow:
        """Payer or payee disputes; from here on only a joint act decides. Again: no change."""
        actor.require(Role.PARTY)
        async with self._lock(name):
            escrow = await self.escrow(actor, name)
            if actor.party not in (escrow.opened.payer, escrow.opened.payee):
                raise Forbidden("payer and payee dispute")
            if (actor.party, reason) not in escrow.disputes:
                self._require_undecided(escrow)
                if len(escrow.disputes) >= _DISPUTES_MAX:
                    raise Refused("it is disputed; sign a resolution", code="too_many")
                await self._write(escrow, DisputeRaised(escrow=name, reason=reason), by=actor)
            return await self._known(name)

    async def resolve(self, actor: Actor, name: str, *, to_payee_minor: int, reason: str) -> Escrow:
        """Payer, payee or arbiter signs how the money is shared; two equal ones of them decide.

        A party's later signature replaces its earlier one. The payee alone may give all back.
        """
        actor.require(Role.PARTY)
        async with self._lock(name):
            escrow = await self.escrow(actor, name)
            told = escrow.opened
            if actor.party not in {told.payer, told.payee, told.arbiter}:
                raise Forbidden("payer, payee and arbiter resolve")
            if not 0 <= to_payee_minor <= escrow.amount.minor:
                raise Refused(f"the payee's share is 0 to {escrow.amount.minor} minor units")
            signed = ResolutionSigned(
                escrow=name, to_payee_minor=str(to_payee_minor), reason=reason
            )
            if escrow.resolutions.get(actor.party) != signed:
                self._require_undecided(escrow)
                await self._write(escrow, signed, by=actor)
            await self._advance(name)
            return await self._known(name)

    async def escrow(self, actor: Actor, name: str) -> Escrow:
        """A conditional payment as it stands. Raises NotFound for a stranger."""
        await self._records.history(f"escrow/{name}", actor)
        return await self._known(name)

    async def escrows(self, actor: Actor, *, limit: int, after: str = "") -> list[Escrow]:
        """Those that the actor may see, in order of name."""
        start = f"escrow/{after}" if after else ""
        names = await self._records.aggregates("escrow/", actor, limit=limit, after=start)
        return [await self._known(name.partition("/")[2]) for name in names]

    def standing(self, escrow: Escrow) -> Standing:
        """How its condition stands now."""
        now_ns = self._clock.now().unix_ns - GRACE_S * NS
        return conditions.judge(escrow.condition, escrow.met, now_ns=now_ns).standing

    async def handle(self, event: SignedEvent) -> None:
        """Takes in a verified event; it counts once for each payment that waits for it."""
        consignment = event.payload.get("consignment")
        if event.type not in conditions.FACTS or not isinstance(consignment, str):
            return
        for name in await self._index.open_of(consignment):
            async with self._lock(name):
                await self._take(name, event)

    async def run(self) -> None:
        """Goes round all open ones each second, until cancelled."""
        while True:
            await self.tick()
            await asyncio.sleep(_TICK_S)

    async def tick(self) -> None:
        """Takes every open one on: what a crash left, and what time decides."""
        try:
            names = await self._index.open()
        except Unavailable as error:
            _LOG.warning("open conditional payments are unknown for now: %s", error)
            return
        for name in names:
            async with self._lock(name):
                try:
                    if await self._find(name) is not None:
                        await self._advance(name)
                    self._said.pop(name, None)
                except ZhidaoError as error:
                    if self._said.get(name) != str(error):
                        self._said[name] = str(error)
                        _LOG.warning("conditional payment %s waits: %s", name, error)

    async def _open_said(self, actor: Actor, said: Mapping[str, Any]) -> Escrow:
        return await self.open(actor, msgspec.convert(said, EscrowOpened, strict=True))

    async def _check(self, opened: EscrowOpened) -> list[str]:
        """Refuses what could not be kept; the consignments that the condition speaks of."""
        condition = conditions.read(opened.condition)
        Utc.parse(opened.refund_after)
        for party in filter(None, (opened.payer, opened.payee, opened.arbiter)):
            party_id(party)
        if opened.payer == opened.payee or opened.arbiter in (opened.payer, opened.payee):
            raise Refused("payer, payee and arbiter are different parties", code="same_party")
        if not 0 < int(opened.amount_minor) <= MESSAGE_AMOUNT_MAX:
            raise Refused("the amount is not positive, or too large", code="amount_not_positive")
        await self._accounts.bank(opened.payee_bank)
        await self._accounts.customer(opened.payer_bank, opened.payer, opened.currency)
        await self._accounts.customer(opened.payee_bank, opened.payee, opened.currency)
        told = {
            leaf.consignment for leaf in conditions.leaves(condition) if isinstance(leaf, Happened)
        }
        for consignment in sorted(told):
            # What payer or payee may not see must not be learnt from a payment either.
            for party in (opened.payer, opened.payee):
                await self._consignments.consignment(Actor(PartyId(party), Role.PARTY), consignment)
        return sorted(told)

    async def _take(self, name: str, event: SignedEvent) -> None:
        handled = Handled(f"finance.escrows.{name}", event.id)
        escrow = await self._find(name)
        if escrow is None or escrow.decided or await self._records.is_handled(handled):
            return
        asked = {
            conditions.name(leaf): leaf
            for leaf in conditions.leaves(escrow.condition)
            if isinstance(leaf, Happened)
        }
        facts = []
        for leaf_name, leaf in asked.items():
            known = leaf_name in escrow.met
            if conditions.holds(leaf, event) and not known:
                facts.append(_noted(name, leaf, event, holds=True))
            elif conditions.lapses(leaf, event) and known:
                facts.append(_noted(name, leaf, event, holds=False))
        if facts:
            await self._write(escrow, *facts, by=self._node, handled=handled)
            await self._advance(name)

    async def _note(self, escrow: Escrow, leaf: Word, *, by: Actor) -> None:
        noted = EscrowNoted(
            escrow=escrow.name,
            leaf=conditions.name(leaf),
            holds=True,
            event="",
            recorded_at=str(self._clock.now()),
        )
        await self._write(escrow, noted, by=by)

    async def _advance(self, name: str) -> None:
        """Brings it as far as it can go now. Every line may be repeated."""
        escrow = await self._known(name)
        if escrow.decided is None and escrow.held is None:
            await self._hold(escrow)
            escrow = await self._known(name)
        if escrow.decided is None:
            found = self._decision(escrow)
            if found is not None:
                await self._write(escrow, found, by=self._node)
                escrow = await self._known(name)
        if escrow.decided is not None and escrow.settled is None:
            await self._apply(escrow)
            escrow = await self._known(name)
        if escrow.settled is not None:
            await self._index.close(name)

    async def _hold(self, escrow: Escrow) -> None:
        opened = escrow.opened
        payer = await self._accounts.customer(opened.payer_bank, opened.payer, opened.currency)
        transfer = Transfer(
            id=escrow.transfer("hold"),
            debit_account_id=UUID(payer.account),
            credit_account_id=await self._escrow_account(escrow),
            amount=escrow.amount.minor,
            ledger=ledger_number(escrow.amount.currency),
            code=TransferCode.RESERVE,
            flags=TransferFlag.PENDING,
        )
        [result] = await self._ledger.submit(opened.currency, [transfer])
        if result.holds:
            held = EscrowHeld(escrow=escrow.name, transfer=str(transfer.id))
            await self._write(escrow, held, *await self._known_before(escrow), by=self._node)
        else:
            decided = self._decided(escrow, "refund", "no_funds", 0)
            await self._write(escrow, decided, by=self._node)

    async def _known_before(self, escrow: Escrow) -> list[EscrowNoted]:
        """What trade says now: its events before the opening were nobody's business then.

        Who asserted them is not told again, so leaves that ask for it wait for the next event.
        """
        found: dict[str, EscrowNoted] = {}
        for leaf in conditions.leaves(escrow.condition):
            name = conditions.name(leaf)
            if not isinstance(leaf, Happened) or leaf.asserted_by or name in escrow.met:
                continue
            seen = await self._consignments.consignment(self._node, leaf.consignment)
            for fact in (seen.papers, seen.customs, seen.delivered):
                if fact is not None and conditions.says(leaf, fact.TYPE, fact.payload()):
                    found[name] = EscrowNoted(
                        escrow=escrow.name,
                        leaf=name,
                        holds=True,
                        event="",
                        recorded_at=str(self._clock.now()),
                    )
        return list(found.values())

    def _decision(self, escrow: Escrow) -> EscrowDecided | None:
        """What must be decided now, if anything."""
        jointly = joint_share(escrow)
        if jointly is not None:
            share, signers = jointly
            whole = escrow.amount.minor
            outcome = {0: "refund", whole: "release"}.get(share, "share")
            reason = "jointly" if len(signers) > 1 else "by_payee"
            return self._decided(escrow, outcome, reason, share, signers)
        if escrow.disputes or escrow.held is None:
            return None
        standing = self.standing(escrow)
        if standing is Standing.MET:
            return self._decided(escrow, "release", "condition_met", escrow.amount.minor)
        if standing is Standing.LOST:
            return self._decided(escrow, "refund", "condition_lost", 0)
        over_ns = Utc.parse(escrow.opened.refund_after).unix_ns + GRACE_S * NS
        if self._clock.now().unix_ns > over_ns:
            return self._decided(escrow, "refund", "time_over", 0)
        return None

    def _decided(
        self, escrow: Escrow, outcome: str, reason: str, share: int, by: Sequence[str] = ()
    ) -> EscrowDecided:
        return EscrowDecided(
            escrow=escrow.name,
            outcome=outcome,
            reason=reason,
            to_payee_minor=str(share),
            transfer=str(escrow.transfer("hold")),
            signed_by=sorted(by),
        )

    async def _apply(self, escrow: Escrow) -> None:
        decided, opened = escrow.decided, escrow.opened
        assert decided is not None, "only a decision is applied"
        share = int(decided.to_payee_minor)
        if share == 0:
            void = Transfer(
                id=escrow.transfer("void"),
                pending_id=escrow.transfer("hold"),
                flags=TransferFlag.VOID_PENDING_TRANSFER,
            )
            [result] = await self._ledger.submit(opened.currency, [void])
            # Nothing to void if the money was never held, and it cannot be any more.
            never = (Result.PENDING_TRANSFER_NOT_FOUND, Result.ID_ALREADY_FAILED)
            _require(escrow, result, result.holds or result in never)
        else:
            await self._pay(escrow, share)
        settled = EscrowSettled(escrow=escrow.name, to_payee_minor=decided.to_payee_minor)
        await self._write(escrow, settled, by=self._node)

    async def _pay(self, escrow: Escrow, share: int) -> None:
        """Pays the share, under the next ids where earlier ones failed for want of something."""
        until_ns, refused = self._waits.get(escrow.name, (0, None))
        now_ns = self._clock.now().unix_ns
        if refused is not None and now_ns < until_ns:
            raise refused
        results, attempt = [Result.ID_ALREADY_FAILED], 0
        for attempt in range(ATTEMPTS_MAX):
            moves = await self._moves(escrow, share, attempt)
            results = await self._ledger.submit(escrow.opened.currency, moves)
            # If it is posted, a later attempt did it and answers that it stands.
            later = (Result.ID_ALREADY_FAILED, Result.PENDING_TRANSFER_ALREADY_POSTED)
            if not any(result in later for result in results):
                break
        why = next((r for r in results if r is not Result.LINKED_EVENT_FAILED), results[0])
        try:
            _require(escrow, why, results[0].holds)
        except Refused as error:
            wait_s = min(2**attempt, _WAIT_S_MAX)
            self._waits[escrow.name] = (now_ns + wait_s * NS, error)
            raise
        self._waits.pop(escrow.name, None)

    async def _moves(self, escrow: Escrow, share: int, attempt: int = 0) -> list[Transfer]:
        """Posts the share (the rest of the reservation is free by that) and pays it, as one."""
        opened = escrow.opened
        payee = await self._accounts.customer(opened.payee_bank, opened.payee, opened.currency)
        legs = await legs_between(
            self._accounts,
            opened.payer_bank,
            opened.payee_bank,
            opened.currency,
            first=await self._escrow_account(escrow),
            last=UUID(payee.account),
        )
        again = f" again {attempt}" if attempt else ""
        post = Transfer(
            id=escrow.transfer(f"post{again}"),
            pending_id=escrow.transfer("hold"),
            amount=share,
            flags=TransferFlag.POST_PENDING_TRANSFER | TransferFlag.LINKED,
        )
        return [
            post,
            *(
                Transfer(
                    id=escrow.transfer(f"leg {place}{again}"),
                    debit_account_id=debit,
                    credit_account_id=credit,
                    amount=share,
                    ledger=ledger_number(escrow.amount.currency),
                    code=TransferCode.PAYMENT,
                    flags=TransferFlag.LINKED if place + 1 < len(legs) else TransferFlag(0),
                )
                for place, (debit, credit) in enumerate(legs)
            ),
        ]

    async def _escrow_account(self, escrow: Escrow) -> UUID:
        bank = await self._accounts.bank(escrow.opened.payer_bank)
        return await self._accounts.technical(
            bank, AccountCode.ESCROW, f"escrow {escrow.name}", escrow.opened.currency
        )

    async def _write(
        self, escrow: Escrow, *facts: Fact, by: Actor, handled: Handled | None = None
    ) -> None:
        await self._records.record(
            by,
            f"escrow/{escrow.name}",
            facts,
            after=escrow.version,
            owner=escrow.owner,
            visible=escrow.readers,
            handled=handled,
        )

    def _require_undecided(self, escrow: Escrow) -> None:
        if escrow.decided is not None:
            raise Refused(f"escrow {escrow.name} is decided", code="escrow_decided")

    async def _find(self, name: str) -> Escrow | None:
        return fold(await self._records.history(f"escrow/{name}"))

    async def _known(self, name: str) -> Escrow:
        escrow = await self._find(name)
        if escrow is None:
            raise NotFound("no conditional payment of that name")
        return escrow

    def _lock(self, name: str) -> asyncio.Lock:
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock


_DISPUTES_MAX: Final = 32


def _noted(name: str, leaf: Happened, event: SignedEvent, *, holds: bool) -> EscrowNoted:
    return EscrowNoted(
        escrow=name,
        leaf=conditions.name(leaf),
        holds=holds,
        event=str(event.id),
        recorded_at=str(event.recorded_at),
    )


def _require(escrow: Escrow, result: Result, holds: bool) -> None:  # noqa: FBT001 (one line's use)
    if not holds:
        raise Refused(
            f"escrow {escrow.name}: the ledger does not follow the decision: {result.value}",
            code="ledger_contradicts",
            remedy="an operator must look at the payment's transfers",
        )
