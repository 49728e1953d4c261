"""Conditional payments: money held under a condition, released, refunded, or shared by agreement.

The decision is written once and then applied idempotently. A dispute stops what would decide by
itself; two of payer, payee and arbiter who sign the same sharing end it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict, Refused
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Handled, Records
from zhidao.core.timescale import NS, Utc
from zhidao.finance.domain.deals import condition as conditions
from zhidao.finance.domain.deals import escrow as escrow_states
from zhidao.finance.domain.deals.condition import Attestation, Happened, Standing
from zhidao.finance.domain.deals.escrow import (
    DECISIONS,
    ESCROW,
    HOLD,
    NEW,
    SETTLING,
    Escrow,
    EscrowNow,
    joint_share,
    permit,
)
from zhidao.finance.domain.payments.approval import Demand
from zhidao.finance.domain.payments.payment import MESSAGE_AMOUNT_MAX
from zhidao.finance.events.banks import (
    DisputeRaised,
    EscrowDecided,
    EscrowHeld,
    EscrowNoted,
    EscrowOpened,
    EscrowSettled,
    ResolutionSigned,
)
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.keyed_locks import KeyedLocks
from zhidao.finance.service.control.name_holds import NameHolds, again
from zhidao.finance.service.control.party_references import PartyReferences
from zhidao.finance.service.deals.escrow_accounting import EscrowBooks
from zhidao.finance.service.deals.escrow_scheduler import EscrowRounds
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ports import EscrowIndex
from zhidao.trade.commands import Consignments

MAY_OPEN_ESCROW: Final = access(
    Role.PARTY,
    relation=Relation.BANK_OF,
    of="the payer's money",
    parties=lambda opened: (opened.payer_bank,),
)
MAY_GIVE_WORD: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the escrow, whose word it waits for",
    parties=lambda words: (word.by for word in words),
)
MAY_DISPUTE_ESCROW: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the escrow, its payer or payee",
    parties=lambda opened: (opened.payer, opened.payee),
)
MAY_RESOLVE_ESCROW: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the escrow, its payer, payee or arbiter",
    parties=lambda told: (told.payer, told.payee, told.arbiter),
)

OPEN: Final = "open_escrow"
PAY_OUT: Final = "pay_out_escrow"
HELD_S: Final = 30
"""After so long one whose payout waits for two persons is looked at again."""
EVENTS: Final = tuple(sorted(conditions.FACTS))
GRACE_S: Final = 60
"""Events recorded in time are still on their way through log and bus this long at most."""


class Escrows:
    """Opens conditional payments, listens for what they wait for, and ends each once.

    All but the opening go by keys (`party_references`), as `key` finds them.
    """

    def __init__(
        self,
        *,
        records: Records,
        books: EscrowBooks,
        names: PartyReferences,
        accounts: Accounts,
        approvals: Approvals,
        index: EscrowIndex,
        consignments: Consignments,
        clock: Clock,
        holds: NameHolds | None,
    ) -> None:
        """`holds`: looks at payer and payee when it is opened and again when it is paid out."""
        self._holds = holds
        if holds is not None:
            holds.carries_out(PAY_OUT, self._pay_out_said)
        self._records = records
        self._books = books
        self._names = names
        self._accounts = accounts
        self._approvals = approvals
        self._index = index
        self._consignments = consignments
        self._clock = clock
        self._node = Actor(records.node, Role.NODE)
        self._locks = KeyedLocks()
        self.rounds = EscrowRounds(index, clock, self.look)
        approvals.carries_out(OPEN, self._open_said)

    async def open(self, actor: Actor, opened: EscrowOpened) -> Escrow:
        """Holds the payer's money under a condition; its bank only. Again: the same.

        Raises Refused (`unknown_condition`, `needs_two_persons`, `credit_line`), NotFound for a
        consignment that payer or payee may not see, Conflict if the bank named another one so.
        """
        bank = await self._accounts.require_bank(actor)
        MAY_OPEN_ESCROW.check(actor, opened)
        key = await self._names.key(bank.bank, opened.escrow)
        async with self._locks.of(key):
            escrow = await self._books.find(key)
            if escrow is None:
                new = Escrow(opened, 0, key, state=NEW)
                waits_for = await self._check(new)
                if self._holds is not None:
                    said = again(OPEN, opened.payload())
                    await self._holds.demand(bank.bank, **_screened(new, said))
                async with self._approvals.allowed(actor, await self._demand(new)):
                    await self._names.take(key)
                    await self._index.add(key, consignments=waits_for)
                    await self._write(new, opened, by=actor)
            elif escrow.opened != opened:
                raise Conflict(f"escrow {opened.escrow} was opened with other content")
            await self._advance(key)
            return await self._books.known(key)

    async def key(self, actor: Actor, name: str, *, of: str = "") -> str:
        """The key of one that the actor may see. `of`: the bank that named it.

        Raises NotFound, Refused (`ambiguous_name`).
        """
        return await self._names.find(actor, name, of=of)

    async def attest(self, actor: Actor, key: str, *, word: str) -> Escrow:
        """A party that the condition names signs its word. Again: no change."""
        MAY_GIVE_WORD.admit(actor)
        leaf = Attestation(by=actor.party, word=word)
        async with self._locks.of(key):
            escrow = await self.escrow(actor, key)
            waits_for = [one for one in conditions.leaves(escrow.condition) if one == leaf]
            MAY_GIVE_WORD.check(actor, waits_for)
            if conditions.name(leaf) not in escrow.met:
                await self._note(escrow, leaf, by=actor)
                await self._advance(key)
            return await self._books.known(key)

    async def dispute(self, actor: Actor, key: str, *, reason: str) -> Escrow:
        """Payer or payee disputes; from here on only a joint act decides. Again: no change."""
        MAY_DISPUTE_ESCROW.admit(actor)
        async with self._locks.of(key):
            escrow = await self.escrow(actor, key)
            MAY_DISPUTE_ESCROW.check(actor, escrow.opened)
            if (actor.party, reason) not in escrow.disputes:
                raised = DisputeRaised(escrow=escrow.name, reason=reason)
                await self._write(escrow, raised, by=actor)
            return await self._books.known(key)

    async def resolve(self, actor: Actor, key: str, *, to_payee_minor: int, reason: str) -> Escrow:
        """Payer, payee or arbiter signs how the money is shared; two equal ones of them decide.

        A party's later signature replaces its earlier one. The payee alone may give all back.
        """
        MAY_RESOLVE_ESCROW.admit(actor)
        async with self._locks.of(key):
            escrow = await self.escrow(actor, key)
            told = escrow.opened
            MAY_RESOLVE_ESCROW.check(actor, told)
            if not 0 <= to_payee_minor <= escrow.amount.minor:
                raise Refused(f"the payee's share is 0 to {escrow.amount.minor} minor units")
            signed = ResolutionSigned(
                escrow=escrow.name, to_payee_minor=str(to_payee_minor), reason=reason
            )
            if escrow.resolutions.get(actor.party) != signed:
                await self._write(escrow, signed, by=actor)
            await self._advance(key)
            return await self._books.known(key)

    async def escrow(self, actor: Actor, key: str) -> Escrow:
        """A conditional payment as it stands. Raises NotFound for a stranger."""
        return await self._books.known(key, actor)

    async def escrows(self, actor: Actor, *, limit: int, after: str = "") -> list[Escrow]:
        """Those that the actor may see behind a key, in order of key."""
        start = f"escrow/{after}" if after else ""
        names = await self._records.aggregates("escrow/", actor, limit=limit, after=start)
        return [await self._books.known(name.partition("/")[2]) for name in names]

    def standing(self, escrow: Escrow) -> Standing:
        """How its condition stands now."""
        return self._now(escrow).standing

    def _now(self, escrow: Escrow) -> EscrowNow:
        return EscrowNow(escrow, self._clock.now().unix_ns - GRACE_S * NS)

    async def _write(
        self, escrow: Escrow, *facts: Fact, by: Actor, handled: Handled | None = None
    ) -> None:
        permit(self._now(escrow), *facts)
        await self._books.write(escrow, *facts, by=by, handled=handled)

    async def handle(self, event: SignedEvent) -> None:
        """Takes in a verified event; it counts once for each payment that waits for it."""
        consignment = event.payload.get("consignment")
        if event.type not in conditions.FACTS or not isinstance(consignment, str):
            return
        for key in await self._index.open_of(consignment):
            async with self._locks.of(key):
                await self._take(key, event)

    async def look(self, key: str) -> bool:
        """Takes one on as far as it can go now; whether there is such a one.

        Raises ZhidaoError for what it waits for.
        """
        async with self._locks.of(key):
            if await self._books.find(key) is None:
                return False
            await self._advance(key)
            return True

    async def _open_said(self, actor: Actor, said: Mapping[str, Any]) -> Escrow:
        return await self.open(actor, msgspec.convert(said, EscrowOpened, strict=True))

    async def _demand(self, escrow: Escrow) -> Demand:
        """What the opening takes of a caller's word: the payer's money is bound."""
        opened = escrow.opened
        payer = await self._accounts.customer(opened.payer_bank, opened.payer, opened.currency)
        held = [(UUID(payer.account).hex, escrow.amount.minor)]
        return Demand(OPEN, opened.escrow, escrow.amount, opened.payload(), held)

    async def _check(self, new: Escrow) -> list[str]:
        """Refuses what could not be kept; the consignments that the condition speaks of."""
        opened = new.opened
        condition = conditions.read(opened.condition)
        Utc.parse(opened.refund_after)
        for party in filter(None, (opened.payer, opened.payee, opened.arbiter)):
            party_id(party)
        if opened.payer == opened.payee or opened.arbiter in (opened.payer, opened.payee):
            raise Refused("payer, payee and arbiter are different parties", code="same_party")
        if not 0 < int(opened.amount_minor) <= MESSAGE_AMOUNT_MAX:
            raise Refused(
                f"the amount is not 1 to {MESSAGE_AMOUNT_MAX} minor units",
                code="amount_not_positive",
            )
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
        await self._books.check_line(new)
        return sorted(told)

    async def _take(self, key: str, event: SignedEvent) -> None:
        handled = Handled(f"finance.escrows.{key}", event.id)
        escrow = await self._books.find(key)
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
                facts.append(_noted(escrow.name, leaf, event, holds=True))
            elif conditions.lapses(leaf, event) and known:
                facts.append(_noted(escrow.name, leaf, event, holds=False))
        if facts:
            await self._write(escrow, *facts, by=self._node, handled=handled)
            await self._advance(key)

    async def _note(self, escrow: Escrow, leaf: Attestation, *, by: Actor) -> None:
        noted = EscrowNoted(
            escrow=escrow.name,
            leaf=conditions.name(leaf),
            holds=True,
            event="",
            recorded_at=str(self._clock.now()),
        )
        await self._write(escrow, noted, by=by)

    async def _advance(self, key: str) -> None:
        """Brings it as far as it can go now. Every line may be repeated."""
        escrow = await self._books.known(key)
        if self._now(escrow).may(HOLD):
            await self._hold(escrow)
            escrow = await self._books.known(key)
        found = self._decision(escrow)
        if found is not None:
            # Due until it is applied, whatever happens in between.
            await self._index.put_off(key, until_ns=0)
            await self._write(escrow, found, by=self._node)
            escrow = await self._books.known(key)
        now = self._now(escrow)
        if escrow.decided is not None and now.may(SETTLING[escrow.decided.outcome]):
            if await self._is_held(escrow):
                # The list may be another than on the day of the opening. The money stays apart.
                until_ns = self._clock.now().unix_ns + HELD_S * NS
                await self._index.put_off(key, until_ns=until_ns)
                return
            await self._books.apply(escrow)
            if escrow.decided.to_payee_minor == "0":
                # The payer has it all again.
                demand = await self._demand(escrow)
                await self._approvals.came_to_nothing(escrow.opened.payer_bank, demand)
            settled = EscrowSettled(
                escrow=escrow.name, to_payee_minor=escrow.decided.to_payee_minor
            )
            await self._write(escrow, settled, by=self._node)
            escrow = await self._books.known(key)
        if escrow.state in ESCROW.ends:
            await self._index.close(key)
            return
        now_ns = self._clock.now().unix_ns
        look_ns = escrow.look_ns(now_ns=now_ns, grace_ns=GRACE_S * NS)
        await self._index.put_off(key, until_ns=look_ns)

    async def _is_held(self, escrow: Escrow) -> bool:
        """Whether two persons of the payer's bank look at who gets the money, or one said no."""
        if self._holds is None:
            return False
        said = again(PAY_OUT, {"key": escrow.key})
        return await self._holds.is_held(escrow.opened.payer_bank, **_screened(escrow, said))

    async def _pay_out_said(self, actor: Actor, said: Mapping[str, Any]) -> object:
        del actor  # The money is apart already, and goes where the decision says.
        return await self.look(str(said["key"]))

    async def _hold(self, escrow: Escrow) -> None:
        found = await self._books.hold(escrow)
        if isinstance(found, str):
            await self._write(escrow, self._decided(escrow, "refund", found, 0), by=self._node)
            return
        transfer, claim = found
        held = EscrowHeld(escrow=escrow.name, transfer=transfer, claim=claim)
        await self._write(escrow, held, *await self._known_before(escrow), by=self._node)

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
                if fact is not None and conditions.says(leaf, fact.told_as, fact.payload()):
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
        now = self._now(escrow)
        match next((act for act in DECISIONS if now.may(act)), None):
            case None:
                return None
            case escrow_states.RELEASE:
                return self._decided(escrow, "release", "condition_met", escrow.amount.minor)
            case escrow_states.REFUND_LOST:
                return self._decided(escrow, "refund", "condition_lost", 0)
            case escrow_states.REFUND_LATE:
                return self._decided(escrow, "refund", "time_over", 0)
            case _:
                return self._agreed(escrow)

    def _agreed(self, escrow: Escrow) -> EscrowDecided:
        jointly = joint_share(escrow)
        assert jointly is not None, "the table lets only an agreed share be decided"
        share, signers = jointly
        whole = escrow.amount.minor
        outcome = {0: "refund", whole: "release"}.get(share, "share")
        reason = "jointly" if len(signers) > 1 else "by_payee"
        return self._decided(escrow, outcome, reason, share, signers)

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


def _screened(escrow: Escrow, said: Mapping[str, Any]) -> dict[str, Any]:
    """Whom a conditional payment is between, as `NameHolds.demand` asks it."""
    opened = escrow.opened
    named = (opened.payer, opened.payee, opened.payee_bank, opened.arbiter)
    return {
        "subject": f"conditional payment {opened.escrow}",
        "amount": escrow.amount,
        "parties": {party for party in named if party},
        "said": said,
    }


def _noted(name: str, leaf: Happened, event: SignedEvent, *, holds: bool) -> EscrowNoted:
    return EscrowNoted(
        escrow=name,
        leaf=conditions.name(leaf),
        holds=holds,
        event=str(event.id),
        recorded_at=str(event.recorded_at),
    )
