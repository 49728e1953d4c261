"""Short messages: a sentence comes in, its positions count once, whatever came before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from zhidao.connectivity.domain.card_number import is_card, plain_number, spellings
from zhidao.connectivity.domain.message import Form, Message
from zhidao.connectivity.domain.observation import GRID_NDEG, Point
from zhidao.connectivity.events import CardRegistered, ShortMessageReceived
from zhidao.connectivity.service.ports import Card, Observations
from zhidao.connectivity.wire.compact import Track, unpack
from zhidao.connectivity.wire.datagram import decode, is_datagram
from zhidao.connectivity.wire.rdss import Received3, Received21, parse
from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Refused
from zhidao.core.events import SignedEvent, every
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry, Records, Scribe

MAY_REGISTER_CARD: Final = access(Role.OPERATOR)
MAY_RECEIVE: Final = access(
    Role.OPERATOR, Role.PARTY, relation=Relation.PEER, of="the card in the body"
)

BEARER: Final = "short-message"
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a sentence brought. `repeated`: the same message had come before."""

    card: Card
    track: Track
    facts: tuple[ShortMessageReceived, ...]
    repeated: bool


class ShortMessages:
    """Cards, and what they send."""

    def __init__(self, observations: Observations, records: Records, scribe: Scribe) -> None:
        self._observations = observations
        self._records = records
        self._scribe = scribe

    async def register(
        self,
        actor: Actor,
        *,
        card: str,
        terminal: str,
        owner: PartyId,
        readers: Sequence[PartyId] = (),
    ) -> Card:
        """Says in which terminal a card is. The same again changes nothing; else Conflict.

        A card is one, with however many zeros in front its number is given. Raises MalformedInput
        for what is no number of a card: 7 digits, 8 of later BDS-3 cards.
        """
        MAY_REGISTER_CARD.admit(actor)
        if not is_card(card):
            raise MalformedInput(
                f"not the number of a card: {card[:12]!r}",
                code="bad_card",
                remedy="give the 7 or 8 digits on the card",
            )
        # Who registers a card sees it: a ground station's operator brings its messages.
        visible = tuple(sorted({*readers, actor.party} - {owner}))
        for number in spellings(card):
            if before := await self._records.history(f"card/{number}"):
                return _same(before[0], Card(number, terminal, owner, visible))
        plain = plain_number(card)
        wanted = Card(plain, terminal, owner, visible)
        fact = CardRegistered(card=plain, terminal=terminal)
        try:
            await self._records.record(
                actor, f"card/{plain}", [fact], after=0, owner=owner, visible=visible
            )
        except Conflict:
            before = await self._records.history(f"card/{plain}")
            return _same(before[0], wanted)
        return wanted

    async def receive(self, actor: Actor, sentence: str) -> Receipt:
        """Reads a received sentence (BDTXR, BDTCI) with positions and records them.

        They come as compact positions or in a datagram, whose other messages are none of its own.

        Raises MalformedInput for another sentence or payload, NotFound for an unknown card.
        """
        MAY_RECEIVE.admit(actor)
        message = parse(sentence)
        if not isinstance(message, Received21 | Received3):
            raise Refused(
                "this sentence brings no message", remedy="send a BDTXR or BDTCI sentence"
            )
        card = await self._card(actor, message.sender)
        track = _track_of(message.data)
        digest = hashlib.sha256(message.data).digest()
        aggregate = f"short-message/{card.card}"
        for attempt in range(_ATTEMPTS):
            after = len(await self._records.history(aggregate))
            entries_of = partial(self._entries, card, aggregate, track, after)
            try:
                fresh = await self._observations.receive(card, digest, track.points, entries_of)
                break
            except Conflict:
                if attempt + 1 == _ATTEMPTS:
                    raise
        facts = await self._facts(card, track)
        return Receipt(card, track, facts, repeated=not fresh)

    async def _facts(self, card: Card, track: Track) -> tuple[ShortMessageReceived, ...]:
        """What stands recorded for these points."""
        wanted = [point.digest(card.terminal) for point in track.points]
        history = await self._records.history(f"short-message/{card.card}")
        by_digest = {fact.digest: fact for fact in every(history, ShortMessageReceived)}
        return tuple(by_digest[digest] for digest in dict.fromkeys(wanted))

    async def _card(self, actor: Actor, number: str) -> Card:
        # BDS-3 units write the sender with more zeros in front than stand on the card.
        for name in spellings(number):
            try:
                [first, *_] = await self._records.history(f"card/{name}", actor)
            except NotFound:
                continue
            fact = CardRegistered.of(first)
            return Card(fact.card, fact.terminal, first.owner, first.visible)
        raise NotFound(f"no card {plain_number(number)}")

    def _entries(
        self, card: Card, aggregate: str, track: Track, after: int, firsts: Sequence[bool]
    ) -> list[Entry]:
        return [
            self._scribe.write(
                _fact(card, point, first=first),
                by=self._scribe.node,
                aggregate=aggregate,
                version=after + 1 + offset,
                owner=card.owner,
                visible=card.visible,
                occurred_at=point.observed_at,
            )
            for offset, (point, first) in enumerate(zip(track.points, firsts, strict=True))
        ]


def _track_of(data: bytes) -> Track:
    if not is_datagram(data):
        return unpack(data)
    whole = (record for record in decode(data) if isinstance(record, Message))
    tracks = [unpack(each.body) for each in whole if each.form is Form.POSITIONS]
    if not tracks:
        raise Refused(
            "this datagram brings no positions",
            remedy="read it with zhidao shortmessage decode, or listen with a unit of your own",
        )
    points = tuple(point for track in tracks for point in track.points)
    return Track(points, any(track.simulated for track in tracks))


def _fact(card: Card, point: Point, *, first: bool) -> ShortMessageReceived:
    return ShortMessageReceived(
        sender=card.card,
        terminal=card.terminal,
        observed_at=str(point.observed_at),
        latitude_ndeg=point.latitude_e5 * GRID_NDEG,
        longitude_ndeg=point.longitude_e5 * GRID_NDEG,
        digest=point.digest(card.terminal),
        first=first,
    )


def _same(before: SignedEvent, wanted: Card) -> Card:
    fact = CardRegistered.of(before)
    stands = Card(fact.card, fact.terminal, before.owner, before.visible)
    if stands != wanted:
        raise Conflict(f"card {wanted.card} is registered with other particulars")
    return stands
