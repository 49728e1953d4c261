from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest
from tests.verification import corridor_bench
from tests.verification.corridor_bench import CONSIGNMENT, NODE, NONCE, TERMINAL, Corridor

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.actor import Actor, Role
from zhidao.core.archive import digest_of
from zhidao.core.errors import NotFound, Unavailable
from zhidao.core.events import SignedEvent, leaf_bytes
from zhidao.core.ids import PartyId
from zhidao.devices.events import (
    Binding,
    PositionsRecorded,
    RawWindow,
    Ride,
    SubmissionRefused,
    WindowReceived,
)
from zhidao.devices.wire.chunk import Chunk, sign_chunks
from zhidao.industry.events import LotFinished
from zhidao.node.identity.parties import Parties
from zhidao.node.shipment_timeline.export import ProofExport
from zhidao.node.shipment_timeline.related import links_of
from zhidao.node.shipment_timeline.service import TimelineService
from zhidao.positioning.events import ArrivalProven
from zhidao.store.memory import MemoryArchive
from zhidao.store.reading import Stored
from zhidao.trade.events import ConsignmentEntered
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.adapters.log.memory import MemoryHeadCopy, MemoryLogStore
from zhidao.trust.domain.proof import Proof
from zhidao.trust.events import AccountNamed, ChainTransaction, TitleRegistered, TitleTagOpened
from zhidao.trust.service.log.sequencer import Sequencer
from zhidao.trust.service.witness.proving import ProofWriter
from zhidao.trust.wire.evm.title_contract import mint_call
from zhidao.trust.wire.proof_file.zdproof import decode_proof
from zhidao.verification.verdict import Verdict, verify

AUDITOR = Actor(PartyId("auditor"), Role.AUDITOR)


def party(name: str) -> Actor:
    return Actor(PartyId(name), Role.PARTY)


@dataclass
class Events:
    """The journals of all rooms."""

    stored: list[Stored]

    async def of(
        self, room: str, aggregates: Sequence[str], *, viewer: PartyId | None
    ) -> list[Stored]:
        return [
            each
            for each in self.stored
            if each.event.aggregate in aggregates
            and each.event.type.startswith(f"{room}.")
            and (viewer is None or viewer in (each.event.owner, *each.event.visible))
        ]

    async def find(self, event_id: UUID, *, viewer: PartyId | None) -> Stored | None:
        raise AssertionError("not asked here")

    async def consignments(self, *, viewer: PartyId | None, limit: int) -> list[str]:
        raise AssertionError("not asked here")


@dataclass
class Related:
    """What belongs together, from all events."""

    links: set[tuple[str, str, str]]

    async def relate(self, links: Sequence[tuple[str, str, str]]) -> None:
        self.links |= set(links)

    async def of(self, subject: str) -> list[tuple[str, str]]:
        return [(room, aggregate) for s, room, aggregate in self.links if s == subject]

    async def of_each(self, subjects: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        return {subject: await self.of(subject) for subject in subjects}

    async def subjects_of(self, room: str, aggregate: str) -> list[str]:
        return [s for s, r, a in self.links if (r, a) == (room, aggregate)]


class Tracks:
    """No tracks."""

    async def track(self, terminal: str) -> list[tuple[float, float, str]]:
        return []


@dataclass
class Custody:
    """Windows with their chunks."""

    windows: dict[str, list[Chunk]]

    async def window(self, digest: str, *, terminal: str = "") -> RawWindow:
        if digest not in self.windows:
            raise NotFound("no window")
        chunks = [chunk.encode() for chunk in self.windows[digest]]
        return RawWindow(
            terminal=terminal,
            key="",
            digest=digest,
            data=b"",
            signed=True,
            simulated=True,
            chunk_digests=[],
            chunks=chunks,
        )

    async def binding(self, *, terminal: str, consignment: str, container: str = "") -> Binding:
        raise AssertionError("not asked here")

    async def rides(self, terminal: str) -> list[Ride]:
        del terminal
        return []

    async def phone(self, terminal: str) -> str:
        raise AssertionError("not asked here")

    async def window_before(self, digest: str, *, terminal: str) -> bytes:
        raise AssertionError("not asked here")

    async def surroundings(self, terminal: str) -> str:
        raise AssertionError("not asked here")

    async def owner(self, terminal: str) -> PartyId:
        raise AssertionError("not asked here")

    async def keyed(self, terminal: str) -> bool:
        raise AssertionError("not asked here")

    async def audience(self, terminal: str) -> frozenset[PartyId]:
        del terminal
        return frozenset()


class Exporting:
    """A node that has walked the road and exports it."""

    def __init__(self, corridor: Corridor) -> None:
        self.corridor = corridor
        self.custody = Custody({})
        self.archive = MemoryArchive()

    async def export(self, actor: Actor, *, unlogged: bool = False) -> Proof:
        corridor = self.corridor
        store = MemoryLogStore()
        log = Sequencer(
            origin=corridor.origin, key=corridor.node_key, store=store, copy=MemoryHeadCopy()
        )
        await log.start()
        leaves = [leaf_bytes(entry.event, entry.salt) for entry in corridor.entries]
        async with store.transaction() as transaction:
            await log.append(transaction, leaves)
        await log.sign_checkpoint()
        stored = [
            Stored(entry.event, entry.salt, leaf, None if unlogged else index)
            for index, (entry, leaf) in enumerate(zip(corridor.entries, leaves, strict=True))
        ]
        for data in corridor.files.values():
            await self.archive.put(data)
        events = Events(stored)
        timelines = TimelineService(
            related=Related({link for entry in corridor.entries for link in links_of(entry.event)}),
            events=events,
            parties=Parties.__new__(Parties),
            tracks=Tracks(),
            rides=self.custody,
            changed=lambda _: None,
        )
        writer = ProofWriter(log.reader)
        export = ProofExport(timelines, events, writer, self.archive, self.custody)
        return decode_proof(await export.proof(actor, CONSIGNMENT))

    def judged(self, proof: Proof) -> Verdict:
        return verify(proof, [self.corridor.trust()], evm=PyEvmEngine)


@pytest.fixture
async def node() -> Exporting:
    corridor = Corridor()
    await corridor.proof()
    node = Exporting(corridor)
    window = next(e for e in corridor.entries if e.event.type == WindowReceived.TYPE).event
    data = corridor.files[window.payload["digest"]]
    node.custody.windows[digest_of(data)] = sign_chunks(
        data, window=b"w" * 16, nonce=NONCE, simulated=True, key=corridor.terminal_key
    )
    # Chunks lie in the vault of their room and not in the archive.
    for chunk in node.custody.windows[digest_of(data)]:
        del corridor.files[chunk.digest]
    return node


def codes(verdict: Verdict) -> tuple[set[str], set[str]]:
    return {s.code for s in verdict.proven}, {s.code for s in verdict.not_proven}


async def test_an_auditors_proof_holds_all_that_the_checks_need(node: Exporting) -> None:
    verdict = node.judged(await node.export(AUDITOR))
    assert verdict.holds, verdict.sentence
    proven, _ = codes(verdict)
    assert {
        *("signed_by_terminal", "bound_to_goods", "position", "inside", "papers", "quality"),
        *("epcis", "credential", "title_history", "decision", "title_passed", "payment"),
    } <= proven


async def test_a_banks_proof_holds_the_deal_and_not_the_exporters_entry(node: Exporting) -> None:
    proof = await node.export(party("importer-bank"))
    verdict = node.judged(proof)
    # The entry itself is the exporter's alone, so the papers cannot be compared again.
    assert (verdict.verdict, verdict.missing[-1:]) == ("holds_in_part", ("papers",)), verdict
    proven, open_questions = codes(verdict)
    assert {"decision", "payment", "title_passed", "position"} <= proven
    assert "papers" in open_questions
    entry = next(e for e in node.corridor.entries if e.event.type == ConsignmentEntered.TYPE).event
    assert entry.payload["entry"] not in proof.blobs
    assert entry.payload["entry"] in (await node.export(party("exporter"))).blobs


async def test_the_titles_tag_goes_with_what_opens_it_to_whoever_may_open_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readers = corridor_bench._readers
    tags = {TitleRegistered.TYPE, TitleTagOpened.TYPE}
    for is_opened in (True, False):
        if not is_opened:
            monkeypatch.setattr(
                corridor_bench,
                "_readers",
                lambda name: () if name.startswith("registration/") else readers(name),
            )
        corridor = Corridor()
        await corridor.proof()
        node = Exporting(corridor)
        proof = await node.export(party("importer"))
        assert tags & {opened.event.type for opened in proof.events} == (
            tags if is_opened else set()
        )
        proven, open_questions = codes(node.judged(proof))
        assert "title_registration" in (proven if is_opened else open_questions)


async def test_nobody_gets_an_event_that_he_may_not_see_unless_it_is_public(
    node: Exporting,
) -> None:
    for name in ("carrier", "customs", "importer", "exporter-bank"):
        proof = await node.export(party(name))
        for opened in proof.events:
            event = opened.event
            assert event.open or name in (event.owner, *event.visible), f"{name}: {event.type}"
        verdict = node.judged(proof)
        assert verdict.stands, f"{name}: {verdict.sentence}"
    carrier = await node.export(party("carrier"))
    assert not {e.event.type for e in carrier.events} & {ArrivalProven.TYPE, AccountNamed.TYPE}
    assert "title_holder" in codes(node.judged(carrier))[0]


async def test_a_stranger_gets_nothing(node: Exporting) -> None:
    with pytest.raises(NotFound):
        await node.export(party("stranger"))


async def test_other_consignments_business_stays_closed(node: Exporting) -> None:
    corridor = node.corridor
    foreign = _foreign_business(corridor)
    proof = await node.export(AUDITOR)
    opened = {o.event.id for o in proof.events}
    assert not opened & {event.id for event in foreign}
    verdict = node.judged(proof)
    assert verdict.holds, verdict.sentence


def _foreign_business(corridor: Corridor) -> list[SignedEvent]:
    def first(kind: str) -> dict[str, object]:
        return dict(next(e.event.payload for e in corridor.entries if e.event.type == kind))

    window = first(WindowReceived.TYPE) | {"digest": "ab" * 32, "chunk_digests": ["cd" * 32]}
    lot = first(LotFinished.TYPE) | {"lot": "L-0418"}
    answer = first(NetworkChecked.TYPE) | {"observed_at": "2026-11-21T07:00:00Z"}
    at = "2026-11-21T06:30:00Z"
    batch = PositionsRecorded(terminal=TERMINAL, count=9, root="ab" * 32, first_at=at, last_at=at)
    carrier = corridor.accounts.of_party(PartyId("carrier"))
    other = mint_call(bytes([9]) * 32, carrier.address)
    raw = corridor._signed(carrier, 1, corridor.registry.token, other)
    mint = ChainTransaction(
        chain_id=corridor.chain_id, raw=raw.hex(), hash="0x00", purpose="mint", title="09" * 32
    )
    broken = ChainTransaction(
        chain_id=corridor.chain_id, raw="00", hash="0x00", purpose="custody", title=corridor.title
    )
    return [
        corridor.say(NODE, f"terminal/{TERMINAL}", WindowReceived(**window)),  # type: ignore[arg-type]
        corridor.say(NODE, f"terminal/{TERMINAL}", batch),
        corridor.say("exporter", "order/PO-2026-117", LotFinished(**lot)),  # type: ignore[arg-type]
        corridor.say(NODE, "network-check/1", NetworkChecked(**answer)),  # type: ignore[arg-type]
        corridor.say("carrier", f"chain/{corridor.chain_id}", mint),
        corridor.say("carrier", f"chain/{corridor.chain_id}", broken),
    ]


async def test_a_refused_submission_on_this_journey_is_opened(node: Exporting) -> None:
    fact = SubmissionRefused(terminal=TERMINAL, reason="wrong_token", sentence="no")
    refused = node.corridor.say(NODE, f"terminal/{TERMINAL}", fact)
    assert refused.id in {o.event.id for o in (await node.export(AUDITOR)).events}


async def test_an_event_without_a_leaf_is_waited_for(node: Exporting) -> None:
    with pytest.raises(Unavailable):
        await node.export(AUDITOR, unlogged=True)


async def test_chunks_that_are_gone_leave_the_signature_unproven(node: Exporting) -> None:
    node.custody.windows.clear()
    verdict = node.judged(await node.export(AUDITOR))
    assert verdict.holds, verdict.sentence
    assert "signed_by_terminal" in codes(verdict)[1]
