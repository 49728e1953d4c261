"""A node's titles over memory: a journal that outlives restarts, and a relay of its own."""

from __future__ import annotations

import asyncio

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.store.memory import MemoryJournal
from zhidao.trust.adapters.chain.chain_accounts import KeptAccounts
from zhidao.trust.adapters.chain.logged_transactions import MemoryLoggedTransactions
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.adapters.chain.title_artefacts import load_title_contracts
from zhidao.trust.domain.evm import Address
from zhidao.trust.events import ChainTransaction
from zhidao.trust.service.chain.embedded import TitleChain
from zhidao.trust.service.chain.executor import ChainExecutor
from zhidao.trust.service.chain.snapshot import Snapshots
from zhidao.trust.service.chain.submissions import ChainLog, aggregate_of
from zhidao.trust.service.titles.bill_tags import TitleTags
from zhidao.trust.service.titles.service import TitleService
from zhidao.trust.wire.evm.keccak import address_of
from zhidao.trust.wire.evm.title_contract import Registry, transfer_call
from zhidao.trust.wire.evm.transaction import Draft, sign

CHAIN = 1_234_567
BILL = "ab" * 32
PARTIES = [PartyId(p) for p in ("carrier", "exporter", "importer", "importer-bank", "stranger")]
KEYS = {p: SoftwareKey(Algorithm.ED25519, bytes([n + 1]) * 32) for n, p in enumerate(PARTIES)}


def actor(party: str) -> Actor:
    return Actor(PartyId(party), Role.PARTY)


class PapersOfEveryBill:
    """Papers in which every document is a bill of the carrier, numbered by its digest.

    `complete`: bills bear the carrier's code; `known`: they are there at all; `number`: of all.
    """

    async def face(
        self, actor: Actor, *, consignment: str, document: str
    ) -> tuple[str, str] | None:
        del actor, consignment
        number = self.number or document[:16].upper()
        return ("STPL" if self.complete else "", number) if self.known else None

    complete = True
    known = True
    number = ""


class Elsewhere:
    """Accounts of parties at other nodes."""

    def __init__(self, keys: dict[PartyId, SoftwareKey]) -> None:
        self._known = {party: Address(address_of(key.public)) for party, key in keys.items()}

    def address_of(self, party: PartyId) -> Address | None:
        return self._known.get(party)

    def party_at(self, address: Address) -> str:
        return next((party for party, known in self._known.items() if known == address), "")


class TitleBench:
    """A node's titles over memory: a journal that outlives restarts, and a relay of our own."""

    def __init__(self, snapshots: Snapshots | None = None, remote: str = "") -> None:
        """`remote`: a party whose keys are at another node; its account is known here."""
        self.snapshots = snapshots
        self.papers = PapersOfEveryBill()
        self.journal = MemoryJournal(self._wake)
        self.logged = MemoryLoggedTransactions(self.journal)
        node_key = SoftwareKey(Algorithm.ED25519, b"n" * 32)
        self.clock = clock = HandClock(Utc.parse("2026-11-24T12:00:00Z"))
        chance = SeededRandomness(1)
        ids = IdSource(clock, chance)
        scribe = Scribe(
            node=PartyId("node"),
            key=node_key,
            ring=FixedKeyRing({p: k for p, k in KEYS.items() if p != remote}),
            clock=clock,
            ids=ids,
            randomness=chance,
        )
        self.records = Records(self.journal, scribe)
        chain_keys = {
            p: SoftwareKey(Algorithm.SECP256K1, bytes([n + 101]) * 32)
            for n, p in enumerate(PARTIES)
        }
        elsewhere = Elsewhere({p: chain_keys.pop(p) for p in [*chain_keys] if p == remote})
        self.accounts = KeptAccounts(FixedKeyRing(chain_keys), b"c" * 32, elsewhere)
        self.registry = Registry.of(self.accounts.registrar().address)
        self.woken = asyncio.Event()
        self.position = 0
        self.relay: asyncio.Task[None] | None = None
        self.start()

    def _wake(self) -> None:
        self.woken.set()

    def start(self, *, relay: bool = True, timeout_s: float = 15.0) -> None:
        self.executor = ChainExecutor(
            lambda: TitleChain(PyEvmEngine(CHAIN), chain_id=CHAIN, registry=self.registry),
            self.logged,
            aggregate_of(CHAIN),
            self.snapshots,
            snapshot_every=3,
        )
        self.log = ChainLog(
            self.records, CHAIN, executed=self.executor.executed, logged=self.logged
        )
        self.titles = TitleService(
            records=self.records,
            accounts=self.accounts,
            contracts=load_title_contracts,
            chain_log=self.log,
            executor=self.executor,
            chain_id=CHAIN,
            tags=TitleTags(self.records, FixedKeyRing(KEYS), self.registry, CHAIN),
            bills=self.papers,
            clock=self.clock,
            timeout_s=timeout_s,
        )
        if relay:
            self.relay = asyncio.create_task(self._relay())

    async def stop(self) -> None:
        if self.relay:
            self.relay.cancel()
            await asyncio.gather(self.relay, return_exceptions=True)
        self.relay = None

    async def _relay(self) -> None:
        while True:
            self.woken.clear()
            while self.position < len(self.journal.written):
                event = self.journal.written[self.position].event
                if event.type == ChainTransaction.TYPE:
                    self.logged.log(event)
                    await self.titles.handle(event)
                self.position += 1
            await self.woken.wait()

    def transactions(self) -> list[ChainTransaction]:
        events = [entry.event for entry in self.journal.written]
        return [ChainTransaction.of(e) for e in events if e.type == ChainTransaction.TYPE]

    def transfer(self, party: str, to: str, *, nonce: int = 0, chain_id: int = CHAIN) -> bytes:
        receiver = self.accounts.of_party(PartyId(to)).address
        draft = Draft(
            chain_id=chain_id,
            nonce=nonce,
            to=self.registry.escrow(bytes.fromhex(BILL)),
            data=transfer_call(receiver),
            gas=600_000,
        )
        return sign(draft, self.accounts.of_party(PartyId(party)).sign_digest)
