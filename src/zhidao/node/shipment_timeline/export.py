"""The proof file of a consignment: every event that its parties share, and the files they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.archive import Archive, digest_of
from zhidao.core.errors import NotFound, Refused, Unavailable, ZhidaoError
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry
from zhidao.devices.commands import Custody
from zhidao.devices.events import WindowReceived
from zhidao.exchange.events import FactsAdopted
from zhidao.finance.events import Settled
from zhidao.industry.events import LotFinished
from zhidao.node.shipment_timeline.histories import StoredEvents
from zhidao.node.shipment_timeline.selection import further, kept, title_part
from zhidao.node.shipment_timeline.service import TimelineService
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven
from zhidao.positioning.wire.position_evidence import PositionEvidence
from zhidao.store.reading import Stored
from zhidao.trade.events import ConsignmentEntered, DocumentAdded
from zhidao.trust.events import TitleMoved, TitleTagOpened
from zhidao.trust.service.witness.proving import ProofWriter

# Fields whose digest this node computed itself from bytes that it took in for this consignment.
# A digest that a party merely typed is never looked up: it could be somebody else's file.
_FILES: Final[Mapping[str, tuple[str, ...]]] = {
    DocumentAdded.TYPE: ("digest", "credential"),
    **dict.fromkeys(LotFinished.types(), ("quality", "epcis")),
    **dict.fromkeys(ArrivalProven.types(), ("window", "navigation", "evidence", "before")),
    **dict.fromkeys(ArrivalNotProven.types(), ("window", "evidence", "before")),
    WindowReceived.TYPE: ("digest",),
    **dict.fromkeys(Settled.types(), ("pacs008", "camt054")),
    FactsAdopted.TYPE: ("proof",),
}
FILES_BYTES_MAX: Final = 40 * 1024 * 1024


class ProofExport:
    """Writes proof files."""

    def __init__(
        self,
        timelines: TimelineService,
        events: StoredEvents,
        writer: ProofWriter,
        archive: Archive,
        custody: Custody,
        *,
        origin: str = "",
        foreign_chain: int = 0,
    ) -> None:
        """`origin`: the log's, whose declaration goes with every proof if there is one.

        `foreign_chain`: id of the chain of others on which this node's titles live, if any.
        """
        self._foreign_chain = foreign_chain
        self._timelines = timelines
        self._events = events
        self._writer = writer
        self._archive = archive
        self._custody = custody
        self._log = f"log/{origin}"

    async def proof(self, actor: Actor, consignment: str, *, corridor: str = "") -> bytes:
        """The file, as far as the actor may see the consignment; under a corridor's policy.

        Raises NotFound; Unavailable while an event is not yet in the log; Refused
        (`title_elsewhere`) for a title on a chain of others.
        """
        own = kept(await self._timelines.stored(actor, consignment), consignment)
        chosen = own + await self._further(actor, own) + await self._transactions(own)
        # Facts of other nodes come with those nodes' proofs that they are in their logs.
        adopted = [f"adopted/{consignment}"]
        chosen += await self._events.of("exchange", adopted, viewer=actor.viewer)
        opened = [f"registration/{title}" for title in _titles(own)]
        chosen += await self._events.of("trust", opened, viewer=actor.viewer)
        public = [self._log, *_key_histories(chosen), *_media(own), *_tags(chosen)]
        chosen += await self._events.of("trust", public, viewer=None)
        by_id = {each.event.id: each for each in chosen}
        logged = []
        for each in by_id.values():
            if each.leaf_index is None:
                raise Unavailable(
                    "an event is still on its way into the log", remedy="ask again in a second"
                )
            logged.append((each.leaf_index, Entry(each.event, each.salt)))
        events = [each.event for each in by_id.values()]
        files = await self._files(_named(events, actor.viewer))
        files |= await self._beside(events, files)
        if sum(map(len, files.values())) > FILES_BYTES_MAX:
            raise _too_large()
        return await self._writer.write(
            consignment, logged, files.values(), packed=True, corridor=corridor
        )

    async def _further(self, actor: Actor, own: Sequence[Stored]) -> list[Stored]:
        """Events that help a check and that the actor may see: accounts, banks, orbits."""
        found: list[Stored] = []
        for room, aggregates in further(each.event for each in own).items():
            found += await self._events.of(room, sorted(aggregates), viewer=actor.viewer)
        return found

    async def _transactions(self, own: Sequence[Stored]) -> list[Stored]:
        """The chain's transactions of these titles: open leaves, so everybody may have them."""
        moved = [TitleMoved.of(e.event) for e in own if e.event.type == TitleMoved.TYPE]
        if any(move.chain_id == self._foreign_chain for move in moved):
            raise Refused(
                f"the title lives on chain {self._foreign_chain}, a chain of others; what stands"
                " there is not proven by this node's log yet",
                code="title_elsewhere",
                remedy="whoever asks looks the title's registry up on that chain",
            )
        titles = {f"title/{move.title}" for move in moved}
        if not titles:
            return []
        # An actor who came late to a title sees not every move; the public transactions of all
        # moves are needed to execute those that it sees.
        all_told = await self._events.of("trust", sorted(titles), viewer=None)
        moves = [TitleMoved.of(e.event) for e in all_told if e.event.type == TitleMoved.TYPE]
        chains = sorted({f"chain/{move.chain_id}" for move in moves})
        return title_part(await self._events.of("trust", chains, viewer=None), moves)

    async def _files(self, digests: Iterable[str]) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        size = 0
        for digest in sorted(digests):
            try:
                files[digest] = await self._archive.get(digest)
            except NotFound:
                # Restored from a backup without files, say: the proof tells that it is not there.
                continue
            size += len(files[digest])
            if size > FILES_BYTES_MAX:
                raise _too_large()
        return files

    async def _beside(
        self, events: Sequence[SignedEvent], files: Mapping[str, bytes]
    ) -> dict[str, bytes]:
        """What stands behind those files: signed chunks of windows, orbits of refused windows."""
        found: dict[str, bytes] = {}
        for event in events:
            if event.type == WindowReceived.TYPE:
                received = WindowReceived.of(event)
                for chunk in await self._chunks(received):
                    found[digest_of(chunk)] = chunk
            elif event.type in ArrivalNotProven.types():
                navigation = _navigation(files.get(ArrivalNotProven.of(event).evidence, b""))
                found |= await self._files({navigation} - {""} - set(files))
        return found

    async def _chunks(self, received: WindowReceived) -> list[bytes]:
        try:
            window = await self._custody.window(received.digest, terminal=received.terminal)
        except NotFound:
            return []
        # The same bytes may have come twice; only the chunks of this event are named by it.
        wanted = set(received.chunk_digests)
        return [chunk for chunk in window.chunks if digest_of(chunk) in wanted]


def _key_histories(chosen: Iterable[Stored]) -> list[str]:
    """The open histories of the keys of all who speak; most parties have none."""
    parties = {
        party
        for each in chosen
        for party in (each.event.asserted_by.party, each.event.recorded_by.party)
    }
    return [f"keys/{party}" for party in sorted(parties)]


def _media(own: Iterable[Stored]) -> list[str]:
    """The open histories of these titles' media; most never changed."""
    return [f"medium/{title}" for title in _titles(own)]


def _titles(own: Iterable[Stored]) -> list[str]:
    return sorted({TitleMoved.of(e.event).title for e in own if e.event.type == TitleMoved.TYPE})


def _tags(chosen: Iterable[Stored]) -> list[str]:
    """The open leaves of the tags that are opened here: to whom they are not, they say nothing."""
    return sorted(
        f"titletag/{TitleTagOpened.of(e.event).tag}"
        for e in chosen
        if e.event.type == TitleTagOpened.TYPE
    )


def files_named_by(events: Iterable[SignedEvent], *, entry: bool) -> set[str]:
    """Digests of the files that these events name; that of the entry only if `entry`."""
    digests: set[str] = set()
    for event in events:
        for field in _FILES.get(event.type, ()):
            digests.add(str(event.payload.get(field, "")))
        if entry and ConsignmentEntered.is_told_by(event.type):
            digests.add(str(event.payload["entry"]))
    return digests - {""}


def _named(events: Sequence[SignedEvent], viewer: PartyId | None) -> set[str]:
    # The entry itself is its exporter's alone, as in the trade room.
    entered = [e.payload["exporter"] for e in events if ConsignmentEntered.is_told_by(e.type)]
    return files_named_by(events, entry=viewer is None or viewer in entered)


def _navigation(evidence: bytes) -> str:
    """The orbits that an evidence of this node names; `` if there is none."""
    try:
        return PositionEvidence.decode(evidence).navigation if evidence else ""
    except ZhidaoError:
        return ""


def _too_large() -> Refused:
    # Asking again would not help: the files of a consignment only grow.
    return Refused(
        f"the files of this consignment have more than {FILES_BYTES_MAX} bytes together",
        code="export_too_large",
        remedy="take its files one by one, by the digests that its timeline names",
    )
