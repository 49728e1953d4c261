"""Which node writes a consignment's history: decided once, for all processes of this node.

A hand-over is written down before anything of it goes, with the id of the document that ends it:
whatever dies in between, this node adds nothing any more, and the same document is sent or found.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Refused
from zhidao.core.events import every
from zhidao.core.ids import IdSource
from zhidao.core.journal import Records
from zhidao.exchange.events import DocumentSent, FactsShared
from zhidao.node.federation.party_directory import PartyDirectory
from zhidao.node.federation.share_record import ShareRecord

_ATTEMPTS: Final = 8
_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Handed:
    """The peer that writes a history, and the document with which it has all of it.

    `is_ended`: that document went, and was noted.
    """

    consignment: str
    peer: str
    document: UUID
    is_ended: bool


class HomeRecord:
    """Reads and writes `home/<consignment>` in the exchange's journal.

    Its facts are `FactsShared` without events: the newest counts, unless its document was refused.
    One that names this node takes the one before back, if nothing of that ever went. Earlier
    data has none; there a share with `home` says it, also to one who is no peer any more.
    """

    def __init__(
        self, records: Records, shares: ShareRecord, directory: PartyDirectory, ids: IdSource
    ) -> None:
        self._records = records
        self._node = Actor(records.node, Role.NODE)
        self._shares = shares
        self._directory = directory
        self._ids = ids
        self._peers_ever: set[str] = set()
        self._is_listed = False
        # Documents that ended their hand-over; they stay so.
        self._ended: set[str] = set()

    async def of(self, consignment: str) -> Handed | None:
        """To whom a consignment was given, or None while this node writes it."""
        history = await self._records.history(_aggregate(consignment))
        facts = list(every(history, FactsShared))
        return await self._counts(facts) if facts else await self._of_before(consignment)

    async def begin(self, consignment: str, peer: str) -> Handed:
        """Writes down that a peer gets a consignment; again: what stands.

        Raises Refused (`handed_over`) where another got it, whoever was first.
        """
        for _ in range(_ATTEMPTS):
            after = len(await self._records.history(_aggregate(consignment)))
            stands = await self.of(consignment)
            if stands is not None and stands.peer != peer:
                raise Refused(
                    f"{consignment} is written at {stands.peer} already", code="handed_over"
                )
            if stands is not None:
                return stands
            document = self._ids.new()
            try:
                await self._write(consignment, peer, document, after=after)
            except Conflict:
                continue
            return Handed(consignment, peer, document, is_ended=False)
        raise Conflict(f"{_aggregate(consignment)}: others keep writing")

    async def take_back(self, handed: Handed) -> None:
        """Takes back a hand-over of which nothing went; if its document goes yet, it counts."""
        after = len(await self._records.history(_aggregate(handed.consignment)))
        node = self._records.node
        await self._write(handed.consignment, node, handed.document, after=after)

    async def sent(self, document: UUID) -> str:
        """SHA-256 of the content that went to the outbox under an id; empty if none did."""
        history = await self._records.history(f"outgoing/{document}")
        return next((fact.content for fact in every(history, DocumentSent)), "")

    async def unfinished(self) -> AsyncIterator[Handed]:
        """Hand-overs that were begun and have not ended, whichever process began them."""
        after = ""
        while True:
            names = await self._records.aggregates("home/", self._node, limit=_PAGE, after=after)
            for history in await self._records.histories(names, self._node):
                facts = list(every(history, FactsShared))
                handed = await self._counts(facts)
                if handed is not None and not handed.is_ended:
                    yield handed
            if len(names) < _PAGE:
                return
            after = names[-1]

    async def _counts(self, facts: list[FactsShared]) -> Handed | None:
        last = facts[-1]
        if last.peer == self._records.node:
            if not await self.sent(UUID(last.document)):
                return None
            # Another process sent it in the very moment: whoever has it goes on with it.
            last = next(fact for fact in reversed(facts) if fact.peer != self._records.node)
        if await self._shares.is_refused(last.document):
            return None
        if last.document not in self._ended:
            noted = await self._shares.sent(last.peer, last.consignment)
            if any(fact.document == last.document for fact in noted):
                self._ended.add(last.document)
        ended = last.document in self._ended
        return Handed(last.consignment, last.peer, UUID(last.document), is_ended=ended)

    async def _of_before(self, consignment: str) -> Handed | None:
        names = [f"shared/{peer}/{consignment}" for peer in sorted(await self._ever())]
        for history in await self._records.histories(names, self._node):
            for fact in every(history, FactsShared):
                if fact.home and not await self._shares.is_refused(fact.document):
                    return Handed(consignment, fact.peer, UUID(fact.document), is_ended=True)
        return None

    async def _ever(self) -> set[str]:
        """All nodes that are or were peers."""
        self._peers_ever.update(self._directory.nodes())
        if not self._is_listed:
            after = ""
            while True:
                names = await self._records.aggregates(
                    "peer/", self._node, limit=_PAGE, after=after
                )
                self._peers_ever.update(name.removeprefix("peer/") for name in names)
                if len(names) < _PAGE:
                    break
                after = names[-1]
            self._is_listed = True
        return self._peers_ever

    async def _write(self, consignment: str, peer: str, document: UUID, *, after: int) -> None:
        fact = FactsShared(
            consignment=consignment, peer=peer, document=str(document), events=[], home=True
        )
        await self._records.record(
            self._node, _aggregate(consignment), [fact], after=after, owner=self._node.party
        )


def _aggregate(consignment: str) -> str:
    return f"home/{consignment}"
