"""A bank's netting cycles: customers say what they owe, and what can settle settles at one moment.

Who lacks money keeps its newest obligations waiting (gridlock resolution); everything else moves as
one linked chain of the ledger through a clearing account: all of it, or nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Records
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.ledger.ledger import Result, Transfer, TransferFlag, ledger_number
from zhidao.finance.domain.naming import AccountCode, TransferCode, transfer_id
from zhidao.finance.domain.payments.approval import Demand
from zhidao.finance.domain.receivables.netting import Obligations, net, resolve_gridlock
from zhidao.finance.events.banks import (
    NettingDecided,
    NettingOpened,
    NettingSettled,
    Obligation,
    ObligationsAdded,
)
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.name_holds import NameHolds, again
from zhidao.finance.service.control.party_references import PartyReferences, plain_name
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger

MAY_OPEN_CYCLE: Final = access(Role.PARTY, relation=Relation.BANK_OF, of="the netting cycle")
MAY_ADD_OBLIGATIONS: Final = access(Role.PARTY, relation=Relation.PEER, of="the netting cycle")
MAY_SETTLE_CYCLE: Final = access(
    Role.PARTY,
    relation=Relation.BANK_OF,
    of="the netting cycle",
    parties=lambda opened: (opened.bank,),
)

_LOG: Final = logging.getLogger(__name__)
SETTLE: Final = "settle_netting"
ADD: Final = "add_obligations"
PARTICIPANTS_MAX: Final = 1_000
BATCH_MAX: Final = 1_000
OBLIGATIONS_MAX: Final = 100_000
"""Of one cycle: the command `zhidao finance net` takes more."""
ATTEMPTS_MAX: Final = 16
_TRIES: Final = 32
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle as the fold of its history. `key`: what its history stands under."""

    opened: NettingOpened
    version: int
    key: str
    batches: tuple[ObligationsAdded, ...] = ()
    decided: NettingDecided | None = None
    settled: NettingSettled | None = None

    @property
    def state(self) -> str:
        """One word: open, decided or settled."""
        if self.settled is not None and self.settled.done:
            return "settled"
        return "open" if self.decided is None else "decided"

    @property
    def table(self) -> Obligations:
        """All obligations in the order of their arrival; parties in the order of the opening."""
        place = {party: n for n, party in enumerate(self.opened.participants)}
        rows = [
            (place[batch.debtor], place[one.creditor], int(one.amount_minor))
            for batch in self.batches
            for one in batch.obligations
        ]
        columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
        return Obligations(
            np.array(columns[0], np.int32),
            np.array(columns[1], np.int32),
            np.array(columns[2], np.int64),
            len(place),
        )


class Nettings:
    """Opens cycles, takes obligations, decides and settles.

    All but the opening go by keys (`party_references`), as `key` finds them.
    """

    def __init__(
        self,
        *,
        records: Records,
        ledger: Ledger,
        accounts: Accounts,
        approvals: Approvals,
        names: PartyReferences,
        holds: NameHolds | None,
    ) -> None:
        """`holds`: looks at who takes part before money moves."""
        self._holds = holds
        self._names = names
        self._records = records
        self._ledger = ledger
        self._accounts = accounts
        self._approvals = approvals
        self._node = Actor(records.node, Role.NODE)
        approvals.carries_out(SETTLE, self._settle_said)
        approvals.carries_out(ADD, self._add_said)

    async def open(
        self, actor: Actor, *, cycle: str, currency: str, participants: Sequence[str]
    ) -> Cycle:
        """Opens a cycle among customers of the actor's bank. Again: the same cycle."""
        bank = await self._accounts.require_bank(actor)
        names = sorted(participants)
        if not 2 <= len(names) <= PARTICIPANTS_MAX or len(set(names)) != len(names):
            raise Refused(f"2 to {PARTICIPANTS_MAX} different parties net", code="participants")
        for party in names:
            await self._accounts.customer(bank.bank, party_id(party), Currency(currency).code)
        opened = NettingOpened(cycle=cycle, bank=bank.bank, currency=currency, participants=names)
        key = await self._names.key(bank.bank, cycle)
        known = await self._find(key)
        if known is None:
            visible = [PartyId(party) for party in names]
            await self._names.take(key)
            await self._write(actor, Cycle(opened, 0, key), opened, visible)
            known = await self._known(key)
        if known.opened != opened:
            raise Conflict(f"cycle {cycle} was opened with other content")
        return known

    async def key(self, actor: Actor, name: str, *, of: str = "") -> str:
        """The key of a cycle that the actor may see. `of`: the bank that named it.

        Raises NotFound, Refused (`ambiguous_name`).
        """
        return await self._names.find(actor, name, of=of)

    async def add(
        self, actor: Actor, key: str, *, batch: str, obligations: Sequence[Obligation]
    ) -> Cycle:
        """The actor's party says what it owes. The same batch again: no change.

        Raises NotFound for a stranger, Conflict if the batch stands for other content, Refused
        (`netting_closed`) once the cycle is decided.
        """
        MAY_ADD_OBLIGATIONS.admit(actor)
        fact = ObligationsAdded(
            cycle=plain_name(key), batch=batch, debtor=actor.party, obligations=list(obligations)
        )
        for _ in range(_TRIES):
            known = await self.cycle(actor, key)
            if any(_is_batch(told, fact) for told in known.batches):
                return known
            self._check(known, fact)
            try:
                async with self._approvals.allowed(actor, await self._demand(known, fact)):
                    await self._write(actor, known, fact, [actor.party])
            except Conflict:
                continue  # another debtor was quicker: look again
            return await self._known(key)
        raise Conflict(f"cycle {plain_name(key)} changes too fast; send the batch again")

    async def settle(self, actor: Actor, key: str) -> Cycle:
        """Decides what settles and moves the money; the bank only. Again: goes on or no change.

        Raises Refused (`needs_two_persons`, `netting_money` if balances kept changing meanwhile),
        Conflict if an obligation came in this moment: what is decided is what was approved.
        """
        known = await self.cycle(actor, key)
        MAY_SETTLE_CYCLE.check(actor, known.opened)
        if known.state != "open":
            return await self._settled(actor, known)
        needed = Money(net(known.table).needed_minor, Currency(known.opened.currency))
        said = {"cycle": key, "obligations": len(known.table.amount_minor)}
        if self._holds is not None:
            await self._holds.demand(
                known.opened.bank,
                subject=f"netting {known.opened.cycle}",
                amount=needed,
                parties=known.opened.participants,
                said=again(SETTLE, said),
            )
        owing = net(known.table).net_minor.tolist()
        parts = [
            (party, -minor)
            for party, minor in zip(known.opened.participants, owing, strict=True)
            if minor < 0
        ]
        demand = Demand(SETTLE, known.opened.cycle, needed, said, parts or [("", 0)])
        # It counts even if balances change too fast now: what is decided goes on without a word.
        await self._approvals.demand(actor, demand)
        settled = await self._settled(actor, known)
        await self._approvals.was_done(actor.party, demand)
        return settled

    async def _settled(self, actor: Actor, known: Cycle) -> Cycle:
        """The cycle once its money moved. Raises Refused (`netting_money`)."""
        for _ in range(ATTEMPTS_MAX):
            if known.state == "settled":
                return known
            if known.decided is None or known.settled is not None:
                await self._decide(actor, known)
                known = await self._known(known.key)
            await self._apply(actor, known)
            known = await self._known(known.key)
        if known.state == "settled":
            return known
        raise Refused(
            f"cycle {known.opened.cycle}: balances changed under {ATTEMPTS_MAX} attempts",
            code="netting_money",
            remedy="settle again in a quieter moment",
        )

    async def cycle(self, actor: Actor, key: str) -> Cycle:
        """A cycle, whole, for the service's own use and its bank. Raises NotFound for a stranger.

        What a participant may see of the others is for the caller to leave out (`seen_by`).
        """
        await self._records.history(f"netting/{key}", actor)
        return await self._known(key)

    async def cycles(self, actor: Actor, *, limit: int, after: str = "") -> list[Cycle]:
        """The cycles that the actor may see behind a key, in order of key."""
        start = f"netting/{after}" if after else ""
        names = await self._records.aggregates("netting/", actor, limit=limit, after=start)
        return [await self._known(name.partition("/")[2]) for name in names]

    async def resume(self) -> None:
        """Applies what was decided before a crash; each cycle by its bank, as it began it.

        What ended without settling is not begun again: that is for its bank to ask.
        """
        after = ""
        while names := await self._records.aggregates(
            "netting/", self._node, limit=_PAGE, after=after
        ):
            for name in names:
                cycle = await self._known(name.partition("/")[2])
                if cycle.decided is not None and cycle.settled is None:
                    await self._resume(cycle)
            after = names[-1]

    async def _resume(self, cycle: Cycle) -> None:
        try:
            bank = Actor(PartyId(cycle.opened.bank), Role.PARTY)
            await self.settle(bank, cycle.key)
        except Refused as error:  # Of this cycle: the others go on.
            _LOG.warning("netting cycle %s waits: %s", cycle.opened.cycle, error)

    def seen_by(self, actor: Actor, cycle: Cycle) -> bool:
        """Whether the actor may see everybody's obligations: its bank, or who reads everything."""
        return actor.viewer in (None, cycle.opened.bank)

    async def _settle_said(self, actor: Actor, said: Mapping[str, Any]) -> Cycle:
        return await self.settle(actor, str(said["cycle"]))

    async def _add_said(self, actor: Actor, said: Mapping[str, Any]) -> Cycle:
        owed = msgspec.convert(said["obligations"], list[Obligation], strict=True)
        return await self.add(actor, str(said["cycle"]), batch=str(said["batch"]), obligations=owed)

    async def _demand(self, cycle: Cycle, fact: ObligationsAdded) -> Demand:
        """What a batch takes of its debtor's word: the cycle pays it without asking again."""
        opened = cycle.opened
        payer = await self._accounts.customer(opened.bank, fact.debtor, opened.currency)
        owed_minor = sum(int(one.amount_minor) for one in fact.obligations)
        return Demand(
            ADD,
            f"{opened.cycle} {fact.batch}",
            Money(owed_minor, Currency(opened.currency)),
            {
                "cycle": cycle.key,
                "batch": fact.batch,
                "obligations": msgspec.to_builtins(fact.obligations),
            },
            [(UUID(payer.account).hex, owed_minor)],
        )

    def _check(self, cycle: Cycle, fact: ObligationsAdded) -> None:
        if cycle.decided is not None:
            raise Refused(f"cycle {cycle.opened.cycle} is decided", code="netting_closed")
        if not 0 < len(fact.obligations) <= BATCH_MAX:
            raise Refused(f"a batch has 1 to {BATCH_MAX} obligations")
        names = set(cycle.opened.participants)
        if fact.debtor not in names:
            raise Forbidden(f"{fact.debtor} takes no part in cycle {cycle.opened.cycle}")
        for one in fact.obligations:
            if one.creditor not in names or one.creditor == fact.debtor:
                raise Refused(f"{one.creditor} takes no part, or owes itself", code="participants")
            if not 0 < int(one.amount_minor) <= AMOUNT_MINOR_MAX:
                raise Refused("an obligation is 1 to 2^63-1 minor units")
        amounts = [int(one.amount_minor) for told in cycle.batches for one in told.obligations]
        amounts += [int(one.amount_minor) for one in fact.obligations]
        if len(amounts) > OBLIGATIONS_MAX:
            raise Refused(f"a cycle has at most {OBLIGATIONS_MAX} obligations", code="too_many")
        if sum(amounts) > AMOUNT_MINOR_MAX:
            raise Refused("all obligations together are beyond 2^63-1 minor units")

    async def _decide(self, actor: Actor, cycle: Cycle) -> None:
        opened = cycle.opened
        held = [
            await self._accounts.available(
                await self._accounts.customer(opened.bank, party, opened.currency)
            )
            for party in opened.participants
        ]
        table = cycle.table
        found = await asyncio.to_thread(
            resolve_gridlock, table, np.maximum(np.array(held, np.int64), 0)
        )
        kept = found.settles
        positions = net(
            Obligations(
                table.debtor[kept], table.creditor[kept], table.amount_minor[kept], table.parties
            )
        )
        decided = NettingDecided(
            cycle=opened.cycle,
            attempt=1 if cycle.decided is None else cycle.decided.attempt + 1,
            positions=[
                [party, str(minor)]
                for party, minor in zip(
                    opened.participants, positions.net_minor.tolist(), strict=True
                )
            ],
            gross_minor=str(table.gross_minor),
            settled_minor=str(found.value_minor),
            moved_minor=str(positions.needed_minor),
            waiting=(np.flatnonzero(~kept) + 1).tolist(),
        )
        await self._write(actor, cycle, decided, self._readers(cycle))

    async def _apply(self, actor: Actor, cycle: Cycle) -> None:
        decided, opened = cycle.decided, cycle.opened
        assert decided is not None, "only a decision is applied"
        legs = await self._legs(cycle)
        done, reason = True, ""
        if legs:
            results = await self._ledger.submit(opened.currency, legs)
            if not results[0].holds:
                why = next((r for r in results if r is not Result.LINKED_EVENT_FAILED), results[0])
                done, reason = False, why.value
        settled = NettingSettled(
            cycle=opened.cycle, attempt=decided.attempt, done=done, reason=reason
        )
        await self._write(actor, cycle, settled, self._readers(cycle))

    async def _legs(self, cycle: Cycle) -> list[Transfer]:
        decided, opened = cycle.decided, cycle.opened
        assert decided is not None
        bank = await self._accounts.bank(opened.bank)
        clearing = await self._accounts.technical(
            bank, AccountCode.CLEARING, opened.bank, opened.currency
        )
        moves = sorted((int(minor), party) for party, minor in decided.positions if minor != "0")
        legs = []
        for place, (minor, party) in enumerate(moves):  # who pays comes first
            account = UUID(
                (await self._accounts.customer(opened.bank, party, opened.currency)).account
            )
            legs.append(
                Transfer(
                    id=transfer_id("netting", *cycle.key.split("/"), str(decided.attempt), party),
                    debit_account_id=account if minor < 0 else clearing,
                    credit_account_id=clearing if minor < 0 else account,
                    amount=abs(minor),
                    ledger=ledger_number(Currency(opened.currency)),
                    code=TransferCode.NETTING,
                    flags=TransferFlag.LINKED if place + 1 < len(moves) else TransferFlag(0),
                )
            )
        return legs

    def _readers(self, cycle: Cycle) -> list[PartyId]:
        """A decision tells positions of all: for the bank alone. Others ask for their own."""
        return [PartyId(cycle.opened.bank)]

    async def _write(
        self, actor: Actor, cycle: Cycle, fact: Fact, visible: Sequence[PartyId]
    ) -> None:
        await self._records.record(
            actor,
            f"netting/{cycle.key}",
            [fact],
            after=cycle.version,
            owner=PartyId(cycle.opened.bank),
            visible=visible,
        )

    async def _find(self, key: str) -> Cycle | None:
        return _fold(await self._records.history(f"netting/{key}"))

    async def _known(self, key: str) -> Cycle:
        cycle = await self._find(key)
        if cycle is None:
            raise NotFound("no netting cycle of that name")
        return cycle


def _is_batch(told: ObligationsAdded, fact: ObligationsAdded) -> bool:
    if (told.batch, told.debtor) != (fact.batch, fact.debtor):
        return False
    if told != fact:
        raise Conflict(f"batch {fact.batch} stands for other obligations")
    return True


def _fold(history: Sequence[SignedEvent]) -> Cycle | None:
    cycle: Cycle | None = None
    batches: list[ObligationsAdded] = []
    for event in history:
        if event.type == NettingOpened.TYPE:
            key = event.aggregate.partition("/")[2]
            cycle = Cycle(NettingOpened.of(event), event.version, key)
            continue
        assert cycle is not None, "a cycle's history starts with its opening"
        cycle = replace(cycle, version=event.version)
        match event.type:
            case ObligationsAdded.TYPE:
                batches.append(ObligationsAdded.of(event))
            case NettingDecided.TYPE:
                cycle = replace(cycle, decided=NettingDecided.of(event), settled=None)
            case NettingSettled.TYPE:
                cycle = replace(cycle, settled=NettingSettled.of(event))
    return None if cycle is None else replace(cycle, batches=tuple(batches))
