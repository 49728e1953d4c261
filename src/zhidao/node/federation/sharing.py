"""Sends a consignment's facts to the peers that take part in it, each fact once, with proof."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Protocol
from uuid import UUID

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.archive import Archive
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Refused, Unavailable
from zhidao.core.events import SignedEvent, every
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import Entry, Records
from zhidao.exchange.domain.limits import CONTENT_BYTES_MAX
from zhidao.exchange.events import Dispatch, FactsAdopted
from zhidao.industry.events import LotFinished
from zhidao.node.federation.home_record import Handed, HomeRecord
from zhidao.node.federation.kinds import JSON, SHARED
from zhidao.node.federation.party_directory import PartyDirectory
from zhidao.node.federation.share_record import Refusal, ShareRecord
from zhidao.node.federation.share_refusals import Letters, NoLetters, ShareRefusals
from zhidao.node.federation.shareable import (
    beginnings,
    hung,
    is_hanging,
    is_shareable,
    may_see,
    named_by,
    named_in,
)
from zhidao.node.runtime.wakeup import Wakeup
from zhidao.node.shipment_timeline.export import files_named_by
from zhidao.node.shipment_timeline.related import RelatedBook, links_of
from zhidao.store.reading import Stored
from zhidao.trade.events import ConsignmentEntered, DocumentAdded
from zhidao.trust.events import CredentialIssued
from zhidao.trust.service.witness.proving import ProofWriter
from zhidao.trust.wire.proof_file.packed_proof import is_packed
from zhidao.trust.wire.proof_file.zdproof import decode_proof

MAY_HAND_OVER: Final = access(
    Role.PARTY,
    relation=Relation.OWNER,
    of="the consignment",
    parties=lambda entered: (entered.exporter,),
)

_LOG: Final = logging.getLogger("zhidao.federation")
_LOG_WAIT_S, _LOG_LOOK_S = 3.0, 0.25


class Outgoing(Protocol):
    """Sends a document to a peer; see `exchange.commands.Exchange.send`."""

    async def send(
        self,
        actor: Actor,
        *,
        document: UUID,
        recipient: str,
        to_party: str,
        consignment: str,
        kind: str,
        media_type: str,
        content: bytes,
    ) -> Dispatch:
        """Keeps a document for a peer."""
        ...


class Consigned(Protocol):
    """Finds everything that belongs to a consignment."""

    async def stored(self, actor: Actor, consignment: str) -> list[Stored]:
        """All events of it that the actor may see. Raises NotFound."""
        ...


class Sharing:
    """What peers know of consignments. One thing at a time: the second finds what the first did."""

    def __init__(
        self,
        *,
        records: Records,
        consigned: Consigned,
        writer: ProofWriter,
        archive: Archive,
        outgoing: Outgoing,
        related: RelatedBook,
        directory: PartyDirectory,
        ids: IdSource,
        logged: Wakeup,
        letters: Letters | None = None,
    ) -> None:
        """`logged` wakes when events came into the log; `letters`: what peers sent."""
        self._records = records
        self._consigned = consigned
        self._writer = writer
        self._archive = archive
        self._outgoing = outgoing
        self._related = related
        self._directory = directory
        self._ids = ids
        self._logged_now = logged
        self._node = Actor(records.node, Role.NODE)
        self._alone = asyncio.Lock()
        self._record = ShareRecord(records)
        self._homes = HomeRecord(records, self._record, directory, ids)
        self._refusals = ShareRefusals(
            records.node, self._record, self._homes, directory, letters or NoLetters()
        )
        # Of a peer and a consignment: ids of the facts that the peer itself brought.
        self._brought: dict[tuple[str, str], set[str]] = {}
        # Of a consignment: how much of what was adopted is read so far, and who shared of it.
        self._senders: dict[str, tuple[int, frozenset[str]]] = {}

    async def hand_over(self, actor: Actor, consignment: str, node: str) -> None:
        """Gives a consignment's history to a peer to go on with, and shares what is known of it.

        From then on this node adds nothing to that history itself, whatever dies in between, unless
        the peer refuses what it gets: then all is as before, and this may be asked again. Again:
        what is left of it goes, and else nothing. Raises NotFound, Forbidden to all but its
        exporter, Refused (`no_party_there`, `party_clash`, `handed_over` to another, also by
        whoever was quicker),
        Unavailable while it is not wholly in the log.
        """
        MAY_HAND_OVER.admit(actor)
        stored = await self._logged(actor, consignment)
        entered = _entered(stored, consignment)
        MAY_HAND_OVER.check(actor, entered)
        there = self._directory.parties_of(node)
        if not there & _parties(entered):
            raise Refused(
                f"none of the consignment's parties is at home at {node}",
                code="no_party_there",
                remedy="admit the node with a trust list that names them",
            )
        # First of all it is written down: of two at once, here or in another process, one goes.
        handed = await self._homes.begin(consignment, node)
        await self._complete(handed)

    async def resume(self) -> None:
        """Completes what a process began to hand over and did not live to end.

        Raises what sending raises; one that is refused does not hold the others up.
        """
        async for handed in self._homes.unfinished():
            if handed.peer not in self._directory.nodes():
                continue
            try:
                await self._complete(handed)
            except Refused as error:
                _LOG.warning("%s: %s", handed.consignment, error, extra={"code": error.code})

    async def _complete(self, handed: Handed) -> None:
        """Sends what the peer has not; the document that ends the hand-over goes once."""
        consignment, peer = handed.consignment, handed.peer
        async with self._alone:
            stands = await self._homes.of(consignment)
            if stands is None or stands.document != handed.document:
                return
            if stands.is_ended:
                await self._send(consignment, peer)
                return
            content = await self._homes.sent(handed.document) or await self._send_last(handed)
            if content:
                proof = decode_proof(await self._archive.get(content))
                events = [str(opened.event.id) for opened in proof.events]
                await self._record.note(consignment, peer, handed.document, events, home=True)

    async def _send_last(self, handed: Handed) -> str:
        """Sends what ends a hand-over and notes it; else what another process had sent already."""
        consignment, peer = handed.consignment, handed.peer
        try:
            await self._send(consignment, peer, last=handed.document)
        except Conflict as error:
            # Another process of this node was quicker with the very same document.
            content = await self._homes.sent(handed.document)
            if error.code != "document_differs" or not content:
                raise
            return content
        except Refused:
            if not await self._record.standing(peer, consignment):
                await self._homes.take_back(handed)
            raise
        return ""

    async def _logged(self, actor: Actor, consignment: str) -> list[Stored]:
        """All that belongs to the consignment, once it is found and in the log."""

        async def look() -> list[Stored] | None:
            stored = await self._consigned.stored(actor, consignment)
            # The projection that tells what belongs together may be behind what was just entered.
            await self._related.relate([link for s in stored for link in links_of(s.event)])
            is_there = _is_whole([each.event for each in stored]) and all(
                each.leaf_index is not None for each in stored
            )
            return stored if is_there else None

        stored = await self._logged_now.found(look, within_s=_LOG_WAIT_S, fallback_s=_LOG_LOOK_S)
        if stored is not None:
            return stored
        raise Unavailable("some of it is still on its way into the log", code="not_logged_yet")

    async def home(self, consignment: str) -> PartyId:
        """The node that writes the consignment's history: this one again where a peer refused.

        Whoever it was given to keeps it, also if that node is no peer any more.
        """
        handed = await self._homes.of(consignment)
        return PartyId(handed.peer) if handed else self._records.node

    async def refusals(self, consignment: str) -> list[Refusal]:
        """What stands between the nodes of a consignment; see `ShareRefusals.of`."""
        return await self._refusals.of(consignment, await self.members(consignment))

    async def check_home(self, consignment: str) -> None:
        """Raises Refused (`handed_over`) where another node writes the consignment's history."""
        home = await self.home(consignment)
        if home != self._records.node:
            raise Refused(
                f"the history of {consignment} is written at {home} now",
                code="handed_over",
                remedy=f"let the party do this at {home}"
                if home in self._directory.nodes()
                else f"{home} is no peer of this node now: its operator admits {home} again, and"
                " what was written there comes",
            )

    async def members(self, consignment: str) -> set[str]:
        """The peers that take part: it was shared with them, or they shared it.

        One that refused all that it got takes no part.
        """
        # Another process of this node may have adopted more since.
        before, _ = self._senders.get(consignment, (0, frozenset()))
        news = await self._records.history(f"adopted/{consignment}", after=before)
        brought = await self._senders_of(news)
        read, senders = self._senders.get(consignment, (0, frozenset()))
        senders |= brought
        self._senders[consignment] = (max(read, before + len(news)), senders)
        found = set(senders)
        for peer in self._directory.nodes():
            if peer not in found and await self._record.standing(peer, consignment):
                found.add(peer)
        return found

    async def _senders_of(self, adopted: Sequence[SignedEvent]) -> set[str]:
        """Peers that brought facts, not those whose place another node took since."""
        found = set()
        for event in adopted:
            for fact in every((event,), FactsAdopted):
                if not (await self._record.succession.of(fact.sender)).is_past(event.recorded_at):
                    found.add(fact.sender)
        return found

    def peers_changed(self) -> None:
        """A peer was admitted, or is none any more: who has what is asked anew."""
        self._record.succession.forget()
        self._brought.clear()
        self._senders.clear()

    async def nodes(self, consignment: str) -> list[str]:
        """All nodes that know the consignment, this one among them, by name."""
        home = await self.home(consignment)
        return sorted({self._records.node, home, *await self.members(consignment)})

    def joined(self, consignment: str, peer: str, events: Iterable[SignedEvent]) -> None:
        """A peer shared these facts: it takes part, and has them."""
        read, senders = self._senders.get(consignment, (0, frozenset()))
        self._senders[consignment] = (read, senders | {peer})
        if (peer, consignment) in self._brought:
            self._brought[peer, consignment] |= {str(event.id) for event in events}

    async def named(self, consignment: str, events: Sequence[SignedEvent]) -> set[str]:
        """Histories that hang on a consignment, by these events and by what is known here."""
        known = {name for _, name in await self._related.of(f"consignment/{consignment}")}
        return known | named_by(events, consignment)

    async def tell(self, event: SignedEvent, consignment: str) -> None:
        """Shares the consignment with every peer that may see this event and has it not yet."""
        if not is_shareable(event):
            return
        for peer in sorted(await self.members(consignment)):
            known = await self._known(peer, consignment)
            if str(event.id) not in known and may_see(event, self._directory.parties_of(peer)):
                await self.share(consignment, peer)

    async def share(self, consignment: str, peer: str) -> None:
        """Sends what the peer's parties may see and it has not; nothing if there is nothing.

        What is too large for one document goes in several, in an order in which each can be
        adopted; after a crash between two the rest goes with the next call. Raises Refused
        (`content_too_large`) where a single fact with its files is too large.
        """
        async with self._alone:
            await self._send(consignment, peer)

    async def _send(self, consignment: str, peer: str, *, last: UUID | None = None) -> None:
        """The same for whoever holds the lock.

        `last`: id of the document that ends a hand-over; it goes even where the peer has all.
        Raises Refused (`no_party_there`, `party_clash`) then, if none of the peer's parties may see
        the history, or somebody else would.
        """
        known = await self._known(peer, consignment)
        stored = await self._consigned.stored(self._node, consignment)
        others = self._directory.clashes_of(peer)
        audience = self._directory.parties_of(peer)
        chosen = hung(beginnings(stored, audience, others), consignment)
        fresh = [each for each in chosen if str(each.event.id) not in known]
        own = f"consignment/{consignment}"
        seen = any(each.event.aggregate == own for each in chosen)
        if last and not seen:
            raise _unseen(consignment, peer, [e.event for e in stored], others)
        # What comes before the entry is in the log waits for it.
        if not seen or not (fresh or last):
            return
        rest = sorted(fresh, key=lambda each: (_turn(each.event, own), _index(each)))
        await self._send_in_parts(consignment, peer, chosen, known, rest, last=last)

    async def _send_in_parts(
        self,
        consignment: str,
        peer: str,
        chosen: Sequence[Stored],
        known: set[str],
        rest: Sequence[Stored],
        *,
        last: UUID | None,
    ) -> None:
        while True:
            part, content = await self._portion(consignment, chosen, known, rest)
            is_last = len(part) == len(rest)
            document = last if last and is_last else self._ids.new()
            await self._outgoing.send(
                self._node,
                document=document,
                recipient=peer,
                to_party=peer,
                consignment=consignment,
                kind=SHARED,
                media_type=JSON,
                content=content,
            )
            # Whoever becomes the home has everything by then.
            events = [str(each.event.id) for each in part]
            await self._record.note(consignment, peer, document, events, home=document == last)
            known |= set(events)
            if is_last:
                return
            rest = rest[len(part) :]

    async def _portion(
        self,
        consignment: str,
        chosen: Sequence[Stored],
        known: Collection[str],
        rest: Sequence[Stored],
    ) -> tuple[Sequence[Stored], bytes]:
        """As much of the rest as one document carries, and that document.

        Raises Refused (`content_too_large`) where a single fact with its files is too large.
        """
        part = rest
        while True:
            needed = _needed(consignment, chosen, known, part)
            content = await self._proof(consignment, needed, part)
            if len(content) > CONTENT_BYTES_MAX and len(part) <= 1:
                content = await self._proof(consignment, needed, part, packed=True)
            if len(content) <= CONTENT_BYTES_MAX and _is_readable(content):
                return part, content
            if len(part) <= 1:
                what = part[0].event.type if part else "the history"
                raise Refused(
                    f"{what} of {consignment} with its files is more than the "
                    f"{CONTENT_BYTES_MAX // 1024 // 1024} MiB that an exchange carries",
                    code="content_too_large",
                    where=f"event {part[0].event.id}" if part else "",
                    remedy="carry the consignment's proof file to the other node's parties by hand",
                )
            part = part[: len(part) // 2]

    async def _proof(
        self,
        consignment: str,
        needed: Sequence[Stored],
        fresh: Sequence[Stored],
        *,
        packed: bool = False,
    ) -> bytes:
        files = []
        for digest in sorted(files_named_by([each.event for each in fresh], entry=True)):
            try:
                files.append(await self._archive.get(digest))
            except NotFound:
                # A restored node may lack it; the peer says what it cannot do without.
                _LOG.warning("%s: the file %s is not here to be shared", consignment, digest)
        logged = [(_index(each), Entry(each.event, each.salt)) for each in needed]
        return await self._writer.write(consignment, logged, files, packed=packed)

    async def _known(self, peer: str, consignment: str) -> set[str]:
        """Ids of the facts that the peer has: sent to it and not refused, or brought by it."""
        if (peer, consignment) not in self._brought:
            stored = await self._consigned.stored(self._node, consignment)
            former = (await self._record.succession.of(peer)).former
            self._brought[peer, consignment] = {
                str(s.event.id)
                for s in stored
                if s.event.recorded_by.party == peer
                and s.event.recorded_by.key.multikey not in former
            }
        sent = await self._record.standing(peer, consignment)
        return self._brought[peer, consignment] | {one for fact in sent for one in fact.events}


def _unseen(
    consignment: str, peer: str, events: Sequence[SignedEvent], others: Collection[PartyId]
) -> Refused:
    """Why no party at a peer gets the history: nobody may, or one whom it does not name would."""
    own = [event for event in events if event.aggregate == f"consignment/{consignment}"]
    clashing = sorted({party for event in own for party in named_in(event) & set(others)})
    if clashing:
        return Refused(
            f"{consignment} names {', '.join(clashing)}, and {peer} has somebody else of that id,"
            " who would read it",
            code="party_clash",
            remedy="agree which of them takes an id of its own; then admit the newest list",
        )
    return Refused(
        f"no party at {peer} may see the history of {consignment}",
        code="no_party_there",
        remedy="hand it over to a node where one of its parties is at home",
    )


def _turn(event: SignedEvent, own: str) -> int:
    """What must be there first goes first: the own history, then what names others, then these."""
    return 0 if event.aggregate == own else 2 if is_hanging(event) else 1


def _needed(
    consignment: str, chosen: Sequence[Stored], known: Collection[str], part: Sequence[Stored]
) -> list[Stored]:
    """What goes with a part: the own history so far, and with what hangs on a fact that fact."""
    there = {str(each.event.id) for each in part} | set(known)
    news = _hanging(part)
    fresh = {each.event.id for each in part}
    return [
        each
        for each in chosen
        if str(each.event.id) in there
        and (
            each.event.id in fresh
            or each.event.aggregate == f"consignment/{consignment}"
            or any(name in news for _, _, name in links_of(each.event))
        )
    ]


def _hanging(part: Sequence[Stored]) -> set[str]:
    return {each.event.aggregate for each in part if is_hanging(each.event)}


def _is_readable(content: bytes) -> bool:
    """Whether the other side will read the document: a packed one may inflate to too much."""
    if not is_packed(content):
        return True
    try:
        decode_proof(content)
    except MalformedInput:
        return False
    return True


def _is_whole(events: Sequence[SignedEvent]) -> bool:
    """Whether lot and credentials that the consignment names are among these events."""
    entered = [ConsignmentEntered.of(e) for e in events if ConsignmentEntered.is_told_by(e.type)]
    lots = {e.payload["lot"] for e in events if LotFinished.is_told_by(e.type)}
    credited = {e.payload["document"] for e in events if e.type == CredentialIssued.TYPE}
    documents = {
        e.payload["digest"]
        for e in events
        if e.type == DocumentAdded.TYPE and e.payload["credential"]
    }
    return documents <= credited and all(not e.lot or e.lot in lots for e in entered)


def _entered(stored: Sequence[Stored], consignment: str) -> ConsignmentEntered:
    for each in stored:
        event = each.event
        if event.aggregate == f"consignment/{consignment}" and (
            ConsignmentEntered.is_told_by(event.type)
        ):
            return ConsignmentEntered.of(event)
    raise NotFound("no consignment of that name")


def _parties(entered: ConsignmentEntered) -> frozenset[PartyId]:
    return frozenset(
        PartyId(name)
        for name in (
            *(entered.exporter, entered.importer, entered.carrier),
            *(entered.importer_bank, entered.exporter_bank, entered.customs),
        )
    )


def _index(stored: Stored) -> int:
    assert stored.leaf_index is not None, "only what is logged is shared"
    return stored.leaf_index
