"""A seeded world around the real services of payment versus payment.

Virtual clock; a disk that fails, dies before or after a write and forgets what was not synced; a
network that loses, doubles, delays and reorders; parties that crash at any write. One seed, one
trace. Whatever happens, at the end the world heals and is judged.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import Unavailable, ZhidaoError
from zhidao.core.events import SignedEvent
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import Entry, FixedKeyRing, Handled, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.money import Currency
from zhidao.core.timescale import Utc
from zhidao.finance.adapters.memory import MemoryLedgerStore
from zhidao.finance.domain.ledger.ledger import (
    Account,
    AccountFlag,
    Resolution,
    Transfer,
    ledger_number,
)
from zhidao.finance.domain.ledger.records import name_of
from zhidao.finance.domain.naming import transfer_id
from zhidao.finance.domain.pvp.fx import Conversion, Rate, convert
from zhidao.finance.domain.pvp.pvp import Leg, Outcome, Side, Standing, Terms
from zhidao.finance.events import PvpDecided
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.pvp.decider import PvpDecider
from zhidao.finance.service.pvp.participant import PvpParticipant, RoundingAccounts
from zhidao.finance.wire.pvp import read_terms
from zhidao.store.memory import MemoryJournal

START = Utc.parse("2026-06-01T08:00:00Z")
FUNDS = 4_000_000_000_000_000
SHARDS = {Side.FIRST: "CNY", Side.SECOND: "KZT"}
PAYER, PAYEE, POSITION, ROUNDING = (UUID(int=number) for number in range(1, 5))
KEYS = {
    name: SoftwareKey(Algorithm.ED25519, hashlib.sha256(name.encode()).digest())
    for name in ("first", "second", "decider")
}
MS = 1_000_000
BUGS = ("dropped_fsync", "unilateral_void", "float_amounts", "unlogged_decision")


class Crashed(Exception):
    """The machine stopped here."""


class Disk:
    """Everything durable of one party, as a list of writes; a restart replays those synced."""

    def __init__(self, chance: random.Random) -> None:
        self.writes: list[tuple[str, str, tuple[Any, ...], dict[str, Any]]] = []
        self.synced = 0
        self.chance = chance
        self.drops_syncs = False
        self.faults = 0.0
        self.dead = False
        self.events: set[UUID] = set()
        self.journal = MemoryJournal()
        self.store = MemoryLedgerStore(self.journal)

    async def write(self, part: str, method: str, *args: Any, **options: Any) -> Any:
        """One atomic write: PostgreSQL's promise. The chances are of the moments around it."""
        roll = self.chance.random()
        if self.dead or roll < self.faults:
            self.dead = True
            raise Crashed("before the write")
        if roll < 1.5 * self.faults:
            raise Unavailable("the disk said no", code="database_unavailable")
        answer = await getattr(getattr(self, part), method)(*args, **options)
        self.writes.append((part, method, args, options))
        if not (self.drops_syncs and self.chance.random() < 0.9):
            self.synced = len(self.writes)
        self._know(self.writes[-1])
        if roll > 1 - self.faults:
            self.dead = True
            raise Crashed("after the write, before anybody heard")
        if roll > 1 - 1.5 * self.faults:
            raise Unavailable("the acknowledgement was lost", code="database_unavailable")
        return answer

    async def restart(self) -> None:
        """What was synced is there again, and nothing else."""
        self.dead, self.writes = False, self.writes[: self.synced]
        self.events = set()
        self.journal = MemoryJournal()
        self.store = MemoryLedgerStore(self.journal)
        for write in self.writes:
            part, method, args, options = write
            await getattr(getattr(self, part), method)(*args, **options)
            self._know(write)

    def _know(self, write: tuple[str, str, tuple[Any, ...], dict[str, Any]]) -> None:
        if write[0] == "journal":
            self.events.update(entry.event.id for entry in write[2][0])


class DiskJournal:
    """The room's journal on the faulty disk."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    async def append(self, entries: Sequence[Entry], *, handled: Handled | None = None) -> bool:
        return bool(await self._disk.write("journal", "append", entries, handled=handled))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._disk.journal, name)


class DiskLedgerStore:
    """The ledger's store on the faulty disk."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    async def acquire(self, shard: str, *, holder: str) -> int:
        return int(await self._disk.write("store", "acquire", shard, holder=holder))

    async def open_accounts(self, *args: Any, **options: Any) -> None:
        await self._disk.write("store", "open_accounts", *args, **options)

    async def commit(self, *args: Any, **options: Any) -> None:
        await self._disk.write("store", "commit", *args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._disk.store, name)


class VoidingParticipant(PvpParticipant):
    """Planted bug: lets go by itself when its own clock says that it waited long enough."""

    clock: HandClock

    async def _again(self) -> list[bytes]:
        held = await self._restored()
        late = [
            self._resolution(name, Outcome.ABORT)
            for name, deal in held.terms.items()
            if held.standing[name] is Standing.RESERVED
            and self.clock.now().unix_ns > deal.deadline_ns
        ]
        if late:
            await self._ledger.submit(self._shard, late)
        return await super()._again()


class FloatParticipant(PvpParticipant):
    """Planted bug: converts with floats and has no remainder."""

    def _conversion(self, deal: Terms) -> Conversion:
        return Conversion(deal.second.amount_minor, 0, deal.rate.denominator)


class HastyDecider(PvpDecider):
    """Planted bug: tells its decision before the decision is written."""

    world: World

    async def _write(self, fact: PvpDecided, *, after: int) -> SignedEvent:
        entry = self.world.parties["decider"].scribe.write(
            fact,
            by=self._actor.party,
            aggregate="pvp-decisions/decider",
            version=after + 1,
            owner=self._actor.party,
            visible=(),
            occurred_at=None,
        )
        self.world.tell_decision(entry.event.encode())
        try:
            await self._records._journal.append([entry])
        except BaseException:
            self._decided = None
            raise
        return entry.event


@dataclass
class Party:
    """One process: its disk survives, all else is made anew at each start."""

    name: str
    disk: Disk
    clock: HandClock
    starts: int = 0
    is_up: bool = True
    participant: PvpParticipant | None = None
    decider: PvpDecider | None = None
    scribe: Scribe = field(init=False)
    ledger: Ledger = field(init=False)


class World:
    """Three parties, some deals, one seed."""

    def __init__(self, seed: int, *, bug: str = "", trusting: bool = False) -> None:
        """`trusting`: participants that do not ask the log (only to show what a bug then does)."""
        assert bug == "" or bug in BUGS
        self.seed, self.bug, self.trusting = seed, bug, trusting
        self.chance = random.Random(seed)
        self.now_ns = START.unix_ns
        self.queue: list[tuple[int, int, str, str, bytes]] = []
        self.sent = 0
        self.trace = hashlib.sha256()
        self.refusals: list[str] = []
        self.events = 0
        self.harsh = True
        self.committed = 0
        self.loss = self.chance.choice((0.0, 0.05, 0.3))
        self.faults = self.chance.choice((0.0, 0.03, 0.1))
        if bug == "dropped_fsync":
            self.faults = 0.1  # a machine that never stops forgets nothing
        self.lossy = self.chance.choice(list(KEYS)) if bug == "dropped_fsync" else ""
        self.parties = {name: Party(name, Disk(self.chance), HandClock(START)) for name in KEYS}
        self.deals = [self._deal(number) for number in range(self.chance.randint(1, 3))]

    # -- the run ---------------------------------------------------------------------------------

    def run(self) -> list[str]:
        """Carries all deals to their end; the violations found, none if all is well."""
        return asyncio.run(self.carry())

    async def carry(self) -> list[str]:
        for party in self.parties.values():
            await self._start(party)
            await self._fund(party)
            party.disk.faults = self.faults
            party.disk.drops_syncs = party.name == self.lossy
            self._at(self.chance.randrange(1000 * MS), party.name, "tick", b"")
        for deal in self.deals:
            data = jcs(deal.plain)
            for name in ("first", "second"):
                for _ in range(self.chance.choice((1, 1, 2))):
                    delay = self.chance.randrange(4000 * MS)
                    self._at(delay, name, "propose", data)
        await self._until(START.unix_ns + 8_000 * MS)
        self.harsh = False
        for party in self.parties.values():
            party.disk.faults, party.disk.drops_syncs = 0.0, False
        await self._until(self.now_ns + 15_000 * MS)
        try:
            return await self._judge()
        except ZhidaoError as error:
            return [f"what stood is gone: {error}"]

    async def _until(self, end_ns: int) -> None:
        while self.queue and self.queue[0][0] <= end_ns:
            at_ns, _, name, kind, data = heapq.heappop(self.queue)
            self.now_ns = max(at_ns, self.now_ns)
            for party in self.parties.values():
                party.clock.set(Utc.from_unix_ns(self.now_ns))
            await self._deliver(self.parties[name], kind, data)
        self.now_ns = end_ns

    async def _deliver(self, party: Party, kind: str, data: bytes) -> None:
        self.events += 1
        outcome = "ok"
        if kind == "start":
            await self._start(party)
        elif not party.is_up:
            outcome = "down"
        else:
            try:
                await self._handle(party, kind, data)
            except Crashed:
                outcome = "crashed"
            except ZhidaoError as error:
                outcome = error.code
                self.refusals.append(error.code)
        if party.disk.dead and party.is_up:
            party.is_up = False
            self._at(self.chance.randrange(3000 * MS), party.name, "start", b"")
        if kind == "tick":
            pause = 500 if self.harsh else 1500
            self._at(self.chance.randrange(pause * MS, 2 * pause * MS), party.name, "tick", b"")
        line = f"{self.now_ns} {party.name} {kind} {len(data)} {outcome}\n"
        self.trace.update(line.encode() + data)

    async def _handle(self, party: Party, kind: str, data: bytes) -> None:
        if party.participant is not None:
            await self._participate(party.participant, party.name, kind, data)
        elif party.decider is not None:
            await self._preside(party.decider, kind, data)

    async def _participate(
        self, participant: PvpParticipant, name: str, kind: str, data: bytes
    ) -> None:
        if kind == "propose":
            for votes in await participant.take([read_terms(parse_strict(data))]):
                self.send("decider", "votes", votes)
        elif kind == "decision":
            await participant.follow(data)
        elif kind == "tick":
            for votes in await participant.votes():
                self.send("decider", "votes", votes)
            after = await participant.cursor()
            self.send("decider", "pull", jcs({"after": after, "who": name}))

    async def _preside(self, decider: PvpDecider, kind: str, data: bytes) -> None:
        if kind == "votes":
            await decider.hear(data)
        if kind in ("votes", "tick"):
            decision = await decider.decide()
            if decision is not None:
                self.tell_decision(decision)
        elif kind == "pull":
            asked = parse_strict(data)
            for decision in await decider.decisions(after=asked["after"]):
                self.send(asked["who"], "decision", decision)

    def tell_decision(self, decision: bytes) -> None:
        """To both participants."""
        self.send("first", "decision", decision)
        self.send("second", "decision", decision)

    def send(self, name: str, kind: str, data: bytes) -> None:
        """Over the faulty network: lost, doubled, late, in another order."""
        if self.harsh and self.chance.random() < self.loss:
            return
        copies = 2 if self.harsh and self.chance.random() < self.loss else 1
        for _ in range(copies):
            slow = self.harsh and self.chance.random() < 0.1
            self._at(self.chance.randrange((3000 if slow else 30) * MS), name, kind, data)

    def _at(self, delay_ns: int, name: str, kind: str, data: bytes) -> None:
        self.sent += 1
        heapq.heappush(self.queue, (self.now_ns + delay_ns, self.sent, name, kind, data))

    # -- the parties -----------------------------------------------------------------------------

    async def _start(self, party: Party) -> None:
        if party.starts:
            await party.disk.restart()
        party.starts += 1
        party.is_up = True
        who, key = PartyId(party.name), KEYS[party.name]
        chance = SeededRandomness(f"{self.seed} {party.name} {party.starts}".encode())
        party.scribe = Scribe(
            node=who,
            key=key,
            ring=FixedKeyRing({}),
            clock=party.clock,
            ids=IdSource(party.clock, chance),
            randomness=chance,
        )
        records, actor = Records(DiskJournal(party.disk), party.scribe), Actor(who, Role.NODE)
        if party.name == "decider":
            kind = HastyDecider if self.bug == "unlogged_decision" else PvpDecider
            party.decider = kind(
                records=records, actor=actor, keys={key.public.multikey}, clock=party.clock
            )
            if isinstance(party.decider, HastyDecider):
                party.decider.world = self
            return
        party.ledger = Ledger(
            DiskLedgerStore(party.disk), scribe=party.scribe, clock=party.clock, holder=party.name
        )
        self._participant(party, records, actor)

    def _participant(self, party: Party, records: Records, actor: Actor) -> None:
        side = Side(party.name)
        kind: type[PvpParticipant] = PvpParticipant
        if self.bug == "unilateral_void":
            kind = VoidingParticipant
        elif self.bug == "float_amounts":
            kind = FloatParticipant
        party.participant = kind(
            side=side,
            shard=SHARDS[side],
            ledger=party.ledger,
            records=records,
            actor=actor,
            signer=KEYS[party.name],
            deciders=lambda: {KEYS["decider"].public.multikey},
            logged=self._logged,
            rounding=RoundingAccounts(POSITION, ROUNDING) if side is Side.SECOND else None,
        )
        if isinstance(party.participant, VoidingParticipant):
            party.participant.clock = party.clock

    async def _logged(self, event: SignedEvent) -> bool:
        return self.trusting or event.id in self.parties["decider"].disk.events

    async def _fund(self, party: Party) -> None:
        if party.name == "decider":
            return
        shard = SHARDS[Side(party.name)]
        number = ledger_number(Currency(shard))
        limited = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
        accounts = [Account(PAYER, number, 1, limited), Account(PAYEE, number, 1)]
        accounts += [Account(POSITION, number, 1), Account(ROUNDING, number, 1)]
        await party.ledger.open_accounts(shard, accounts, [])
        money = Transfer(UUID(int=99), PAYEE, PAYER, FUNDS, ledger=number, code=1)
        await party.ledger.submit(shard, [money])

    def _deal(self, number: int) -> Terms:
        chance = self.chance
        # Sometimes more than the payer has: that side votes no.
        sold = chance.randrange(10**14, FUNDS // (1 if chance.random() < 0.3 else 3))
        rate = Rate(chance.randrange(1, 1000), chance.choice((7, 333, 997, 1000)))
        if self.bug == "float_amounts":
            bought = max(1, int(sold * (rate.numerator / rate.denominator)))
        else:
            bought = convert(sold, rate).bought_minor
        bought_max = FUNDS if chance.random() < 0.2 else FUNDS // 3
        if bought > bought_max:
            sold, rate = bought_max, Rate(1, 7)
            bought = int(sold / 7) if self.bug == "float_amounts" else sold // 7
        return Terms(
            nonce=f"{self.seed}-{number}",
            first=Leg("CNY", PAYER, PAYEE, sold),
            second=Leg("KZT", PAYER, PAYEE, bought),
            rate=rate,
            first_key=KEYS["first"].public.multikey,
            second_key=KEYS["second"].public.multikey,
            decider_key=KEYS["decider"].public.multikey,
            deadline_ns=START.unix_ns + chance.randrange(1000, 7000) * MS,
        )

    # -- the verdict -----------------------------------------------------------------------------

    async def _judge(self) -> list[str]:
        wrong = [
            f"{party.name} is frozen: {party.participant.frozen}"
            for party in self.parties.values()
            if party.participant is not None and party.participant.frozen
        ]
        if "pvp_unlogged" in self.refusals:
            wrong.append("a decision was told that is not in the log")
        committed = {
            name
            for event in (e.event for e in self.parties["decider"].disk.journal.written)
            if event.type == PvpDecided.TYPE
            for name in PvpDecided.of(event).commits
        }
        self.committed = len(committed)
        exact = rounded = 0
        for deal in self.deals:
            fates = {side: await self._fate(deal, side) for side in Side}
            posted = [side for side, fate in fates.items() if fate is Resolution.POSTED]
            if len(posted) == 1:
                wrong.append(f"{deal.nonce} is one-sided: {fates}")
            if posted and deal.name not in committed:
                wrong.append(f"{deal.nonce} was posted without a logged decision")
            if Resolution.PENDING in fates.values():
                wrong.append(f"{deal.nonce} still holds money")
            if Side.SECOND in posted:
                remainder = deal.first.amount_minor * deal.rate.numerator
                remainder -= deal.second.amount_minor * deal.rate.denominator
                exact += remainder * (_COMMON // deal.rate.denominator)
        rounded, carried = await self._rounded()
        if exact != rounded * _COMMON + carried:
            wrong.append(f"remainders of {exact} are {rounded} rounded and {carried} carried")
        return wrong + await self._unequal()

    async def _fate(self, deal: Terms, side: Side) -> Resolution | None:
        store = self.parties[side].disk.store
        hold, post, void = (
            name_of(transfer_id("pvp", word, deal.name, side))
            for word in ("hold", Outcome.COMMIT, Outcome.ABORT)
        )
        found = (await store.find(SHARDS[side], [hold, post, void])).transfers
        if post in found:
            return Resolution.POSTED
        if void in found:
            return Resolution.VOIDED
        return Resolution.PENDING if hold in found else None

    async def _rounded(self) -> tuple[int, int]:
        party = self.parties["second"]
        account = await party.ledger.account("KZT", ROUNDING)
        assert party.participant is not None
        held = (await party.participant._restored()).carried
        carried = sum(above * (_COMMON // below) for below, above in held.items())
        return account.balance, carried

    async def _unequal(self) -> list[str]:
        wrong = []
        for side, shard in SHARDS.items():
            accounts = await self.parties[side].ledger.accounts(shard)
            posted = sum(account.balance for account in accounts)
            pending = sum(a.credits_pending - a.debits_pending for a in accounts)
            if posted or pending:
                wrong.append(f"{shard} does not sum to zero: {posted}, {pending}")
        return wrong


_COMMON = 7 * 333 * 997 * 1000
