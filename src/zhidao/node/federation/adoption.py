"""Takes facts that a peer shared: proven to be in its log, they join this node's own histories.

They stay what they were: asserted by their party, recorded by the peer. This node gives each a leaf
in its own log too, under the same salt, and keeps the peer's proof.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import Archive
from zhidao.core.errors import Conflict, Refused
from zhidao.core.events import SignedEvent, every
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry, Journal, Records
from zhidao.exchange.events import Delivery, FactsAdopted
from zhidao.node.federation.party_directory import PartyDirectory
from zhidao.node.federation.shareable import is_hanging, is_shareable, name_of, named_in, room_of
from zhidao.node.federation.sharing import Sharing
from zhidao.node.shipment_timeline.export import files_named_by
from zhidao.trade.events import ConsignmentEntered
from zhidao.trust.domain.proof import OpenedEvent, Proof, verify_log_part
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof

_ATTEMPTS: Final = 8
# Histories that name their consignment in their first fact.
_NAMING: Final = ("deal/", "title/", "arrival/", "seal/", "consignment/")


class Adoption:
    """Adopts shared facts, all or nothing of a document; again changes nothing."""

    def __init__(
        self,
        *,
        records: Records,
        journals: Mapping[str, Journal],
        archive: Archive,
        directory: PartyDirectory,
        own_list: Callable[[], Awaitable[TrustList]],
        sharing: Sharing,
    ) -> None:
        """`journals`: by room. `records`: those of the exchange room."""
        self._records = records
        self._journals = journals
        self._archive = archive
        self._directory = directory
        self._own_list = own_list
        self._sharing = sharing
        self._node = Actor(records.node, Role.NODE)

    async def take(self, delivery: Delivery) -> None:
        """Adopts what a document shares.

        Raises MalformedInput; Refused: what the proof's check says, `unlisted_peer`,
        `wrong_speaker` (also where another peer's list gives the party other keys), `party_clash`,
        `not_shareable`, `missing_file`, `other_consignment`, and `history_differs` where this
        node knows the history otherwise.
        """
        proof = decode_proof(await self._archive.get(delivery.content))
        await self._check(proof, delivery)
        fresh = await self._fresh(proof)
        await self._check_files(proof, [opened.event for opened in fresh])
        for data in proof.blobs.values():
            await self._archive.put(data)
        slim = await self._archive.put(encode_proof(replace(proof, blobs={})))
        for room, entries in _by_history(fresh):
            await self._append(room, entries)
        if fresh:
            await self._note(proof, delivery, slim, fresh)
        self._sharing.joined(
            proof.consignment, delivery.sender, [opened.event for opened in proof.events]
        )

    async def _check(self, proof: Proof, delivery: Delivery) -> None:
        listed = self._directory.list_of(delivery.sender)
        if listed is None:
            raise Refused(
                f"no trust list of {delivery.sender} is kept here",
                code="unlisted_peer",
                remedy="admit it again: zhidao peer add CARD --trust TRUSTFILE",
            )
        if proof.consignment != delivery.consignment:
            raise Refused("the proof is of another consignment", code="other_consignment")
        self._check_names(proof, delivery.sender)
        trust = self._directory.merged(await self._own_list(), delivery.sender)
        findings = verify_log_part(proof, trust)
        if not findings.holds:
            raise Refused(findings.sentence, code=findings.reason)
        logs = [n.log.name for n in listed.nodes if n.party == delivery.sender]
        if proof.origin not in logs:
            raise Refused(f"the proof is not of {delivery.sender}'s log", code="wrong_origin")
        for opened in proof.events:
            self._check_event(opened.event, proof, delivery.sender)
        await self._check_hanging(proof)

    def _check_names(self, proof: Proof, sender: str) -> None:
        """What names somebody by an id that means another here would be read by that other."""
        clashes = self._directory.clashes_of(sender)
        for event in (opened.event for opened in proof.events):
            if event.recorded_by.party == self._records.node:
                continue
            met = clashes & (named_in(event) | {event.asserted_by.party})
            if met:
                raise Refused(
                    f"{sender} has a party {min(met)}, and here somebody else has that id",
                    code="party_clash",
                    where=f"event {event.id}",
                    remedy="agree which of them takes an id of its own; then admit the newest list",
                )

    async def _check_hanging(self, proof: Proof) -> None:
        """What does not name the consignment begins only where a fact of it names that."""
        begun = [o.event for o in proof.events if o.event.version == 1]
        hanging = [e for e in begun if is_hanging(e)]
        if not hanging:
            return
        events = [o.event for o in proof.events]
        # What the network was asked of an arrival may come after the arrival itself.
        arrival = f"arrival/{proof.consignment}"
        events += [e.event for e in await self._journals["positioning"].load(arrival, viewer=None)]
        named = await self._sharing.named(proof.consignment, events)
        for event in hanging:
            if event.aggregate not in named:
                raise Refused(
                    f"nothing of {proof.consignment} names {event.aggregate}",
                    code="other_consignment",
                    where=f"event {event.id}",
                )

    def _check_event(self, event: SignedEvent, proof: Proof, sender: str) -> None:
        where = f"event {event.id}"
        if not is_shareable(event):
            raise Refused(f"a {event.type} is not shared", code="not_shareable", where=where)
        own = event.recorded_by.party == self._records.node
        if not own and self._directory.is_here(event.asserted_by.party):
            raise Refused(
                f"{event.asserted_by.party} is at home here: no other node records its word",
                code="wrong_speaker",
                where=where,
            )
        for speaker in (event.asserted_by, event.recorded_by):
            if not own and self._directory.disputes(speaker.party, speaker.key, sender):
                raise Refused(
                    f"another peer's list gives {speaker.party} other keys than {sender}'s does",
                    code="wrong_speaker",
                    where=where,
                    remedy="ask both for their newest lists and admit them again",
                )
        if event.version == 1 and event.aggregate != name_of(event):
            raise Refused(
                f"{event.aggregate} begins with a fact about {name_of(event) or 'something else'}",
                code="not_shareable",
                where=where,
            )
        named = event.payload.get("consignment")
        first = event.version == 1 and event.aggregate.startswith(_NAMING)
        if first and named != proof.consignment:
            raise Refused(
                f"{event.aggregate} is of consignment {named}",
                code="other_consignment",
                where=where,
            )

    async def _fresh(self, proof: Proof) -> list[OpenedEvent]:
        """What this node does not have yet. Raises Refused where histories part."""
        known: dict[tuple[str, str], tuple[Entry, ...]] = {}
        fresh = []
        for opened in proof.events:
            event = opened.event
            key = (room_of(event), event.aggregate)
            if key not in known:
                known[key] = await self._journals[key[0]].load(event.aggregate, viewer=None)
            standing = known[key]
            if event.version <= len(standing):
                if standing[event.version - 1].event.digest != event.digest:
                    raise _parted(event)
            elif event.recorded_by.party == self._records.node:
                raise _parted(event)
            else:
                fresh.append(opened)
        return fresh

    async def _check_files(self, proof: Proof, events: Sequence[SignedEvent]) -> None:
        """A file must come with its fact, so that nobody gets at another's by naming its digest."""
        missing = files_named_by(events, entry=True) - set(proof.blobs)
        entries = [e.payload["entry"] for e in events if ConsignmentEntered.is_told_by(e.type)]
        if missing:
            what = "the entry" if missing & set(entries) else f"the file {min(missing)[:16]}…"
            raise Refused(f"{what} is named and does not come along", code="missing_file")

    async def _append(self, room: str, entries: Sequence[Entry]) -> None:
        try:
            await self._journals[room].append(entries)
        except Conflict as error:
            raise _parted(entries[0].event) from error

    async def _note(
        self, proof: Proof, delivery: Delivery, slim: str, fresh: Sequence[OpenedEvent]
    ) -> None:
        aggregate = f"adopted/{proof.consignment}"
        readers = {p for o in fresh for p in (o.event.owner, *o.event.visible)}
        fact = FactsAdopted(
            consignment=proof.consignment,
            sender=delivery.sender,
            document=delivery.document,
            proof=slim,
            events=len(fresh),
        )
        for _ in range(_ATTEMPTS):
            history = await self._records.history(aggregate)
            if any(f.document == delivery.document for f in every(history, FactsAdopted)):
                return
            try:
                await self._records.record(
                    self._node,
                    aggregate,
                    [fact],
                    after=len(history),
                    owner=PartyId(self._records.node),
                    visible=sorted(readers),
                )
            except Conflict:
                continue
            return
        raise Conflict(f"{aggregate}: others keep writing")


def _by_history(fresh: Sequence[OpenedEvent]) -> list[tuple[str, list[Entry]]]:
    """Entries of each history, in the order in which the peer's log began them."""
    histories: dict[tuple[str, str], list[Entry]] = {}
    for opened in fresh:
        key = (room_of(opened.event), opened.event.aggregate)
        histories.setdefault(key, []).append(Entry(opened.event, opened.salt))
    return [(room, entries) for (room, _), entries in histories.items()]


def _parted(event: SignedEvent) -> Refused:
    return Refused(
        f"this node knows the history of {event.aggregate} otherwise at version {event.version}",
        code="history_differs",
        remedy="compare both nodes' proofs of it; one history has one node that writes it",
    )
