"""What a peer has of consignments: what was sent to it and it did not refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict
from zhidao.core.events import every
from zhidao.core.journal import Records
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.receipt import Outcome, Stage
from zhidao.exchange.events import DocumentSent, FactsShared, ReceiptTaken
from zhidao.node.federation.peer_succession import PeerSuccession

_ATTEMPTS: Final = 8


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a peer took facts of a consignment not; `home`: it would have gone on with it.

    `by`: this node, where it is the one that refuses what the peer sent.
    """

    peer: str
    code: str
    reason: str
    home: bool
    by: str = ""


class ShareRecord:
    """Reads the exchange's own histories: what a peer's receipt refuses was not shared.

    Until a receipt is here, what was sent counts as had: the other side may have taken it. What a
    former node of the peer's name got, the one that took its place has not: as if it refused it.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._node = Actor(records.node, Role.NODE)
        # Read so far; another process of this node may have written more since.
        self._sent: dict[tuple[str, str], list[FactsShared]] = {}
        self.succession = PeerSuccession(records)
        # To whom a document went, and when.
        self._went: dict[str, tuple[str, Utc]] = {}
        # Of documents about which the last word was said: the refusal, or None.
        self._said: dict[str, ReceiptTaken | None] = {}

    async def standing(self, peer: str, consignment: str) -> list[FactsShared]:
        """What was sent to a peer and not refused, in order."""
        sent = await self.sent(peer, consignment)
        return [fact for fact in sent if await self._refused(fact.document) is None]

    async def is_refused(self, document: str) -> bool:
        """Whether the peer's last word about a document is that it does not take it."""
        return await self._refused(document) is not None

    async def refusal(self, peer: str, consignment: str) -> Refusal | None:
        """The newest refusal of what has not reached the peer since, or None."""
        standing = await self.standing(peer, consignment)
        there = {event for fact in standing for event in fact.events}
        is_home = any(fact.home for fact in standing)
        for fact in reversed(await self.sent(peer, consignment)):
            said = await self._refused(fact.document)
            lacks = not there.issuperset(fact.events) or (fact.home and not is_home)
            if said is not None and lacks:
                return Refusal(peer, said.code, said.reason, fact.home)
        return None

    async def note(
        self, consignment: str, peer: str, document: UUID, events: list[str], *, home: bool
    ) -> None:
        """Writes down that facts are on their way to a peer; the same document again: nothing."""
        fact = FactsShared(
            consignment=consignment, peer=peer, document=str(document), events=events, home=home
        )
        aggregate = _aggregate(peer, consignment)
        for _ in range(_ATTEMPTS):
            sent = await self.sent(peer, consignment)
            if any(each.document == fact.document for each in sent):
                return
            after = len(sent)
            try:
                await self._records.record(
                    self._node, aggregate, [fact], after=after, owner=self._node.party
                )
            except Conflict:
                continue
            return
        raise Conflict(f"{aggregate}: others keep writing")

    async def sent(self, peer: str, consignment: str) -> list[FactsShared]:
        """All that went to a peer, in order, whichever process sent it; refused or not."""
        known = self._sent.setdefault((peer, consignment), [])
        before = len(known)
        news = await self._records.history(_aggregate(peer, consignment), after=before)
        # Whoever asked at the same time may have read the same.
        known.extend(list(every(news, FactsShared))[len(known) - before :])
        return list(known)

    async def _refused(self, document: str) -> ReceiptTaken | None:
        """The refusal of a document, or None if there is none (yet)."""
        return await self._past(document) or await self._told(document)

    async def _past(self, document: str) -> ReceiptTaken | None:
        """Stands for the refusal of what went to another node than bears the peer's name now."""
        if document not in self._went:
            history = await self._records.history(f"outgoing/{document}")
            sent = [e for e in history if DocumentSent.is_told_by(e.type)]
            if not sent:
                return None
            self._went[document] = (DocumentSent.of(sent[0]).recipient, sent[0].recorded_at)
        peer, at = self._went[document]
        if not (await self.succession.of(peer)).is_past(at):
            return None
        return ReceiptTaken(
            document=document,
            recipient=peer,
            stage=Stage.DECIDED,
            outcome=Outcome.REFUSED,
            code="peer_replaced",
            reason=f"it went to the node that was {peer} before this one took its place",
            receipts=[],
        )

    async def _told(self, document: str) -> ReceiptTaken | None:
        if document not in self._said:
            history = await self._records.history(f"outgoing/{document}")
            taken = list(every(history, ReceiptTaken))
            refused = next((each for each in taken if each.outcome == Outcome.REFUSED), None)
            if refused is None and not any(each.stage == Stage.DECIDED for each in taken):
                return None
            self._said[document] = refused
        return self._said[document]


def _aggregate(peer: str, consignment: str) -> str:
    return f"shared/{peer}/{consignment}"
