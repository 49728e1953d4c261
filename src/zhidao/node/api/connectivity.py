"""Routes of short messages, cards, and the demonstration's network."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Router, post, put
from litestar.params import Parameter

from zhidao.connectivity.domain.subscriber_location import (
    Subscriber,
    SubscriberLocation,
    check_phone,
)
from zhidao.connectivity.service.ports import ScenarioBook
from zhidao.connectivity.service.short_messages import MAY_RECEIVE, MAY_REGISTER_CARD, ShortMessages
from zhidao.core.access import access
from zhidao.core.actor import NOBODY, Actor, Role
from zhidao.core.geo import Geodetic
from zhidao.core.ids import party_id
from zhidao.core.timescale import Utc
from zhidao.node.http.access import ACCESS
from zhidao.node.http.known_parties import KNOWN

MAY_SET_SCENARIO: Final = access(Role.OPERATOR)

PartyName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Readers = Annotated[list[Annotated[PartyName, KNOWN]], msgspec.Meta(max_length=32)]
TerminalName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,29}\Z")]
CardNumber = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,8}\Z")]
LatitudeNdeg = Annotated[int, msgspec.Meta(ge=-90_000_000_000, le=90_000_000_000)]
LongitudeNdeg = Annotated[int, msgspec.Meta(ge=-180_000_000_000, le=180_000_000_000)]
_PhonePath = Annotated[str, Parameter(pattern=r"^\+[1-9][0-9]{4,14}\Z")]


class NewSentence(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One sentence of a short-message unit, as it came from the line."""

    sentence: Annotated[str, msgspec.Meta(min_length=9, max_length=4096)]


class ReceivedPoint(msgspec.Struct, kw_only=True):
    """A position of a message. `first`: no bearer had brought it before."""

    observed_at: str
    latitude_ndeg: int
    longitude_ndeg: int
    digest: str
    first: bool


class SentenceView(msgspec.Struct, kw_only=True):
    """What a sentence brought. `repeated`: the same message had come before."""

    sender: str
    terminal: str
    simulated: bool
    repeated: bool
    points: list[ReceivedPoint]


class NewCard(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """In which terminal a BeiDou card is."""

    card: CardNumber
    terminal: TerminalName
    owner: Annotated[PartyName, KNOWN]
    readers: Readers = []


class CardView(msgspec.Struct, kw_only=True):
    """A card as it is registered."""

    card: str
    terminal: str
    owner: str
    readers: list[str]


class NewSubscriberLocation(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where the demonstration's network saw a device: a circle at a time."""

    latitude_ndeg: LatitudeNdeg
    longitude_ndeg: LongitudeNdeg
    radius_mm: Annotated[int, msgspec.Meta(ge=1000, le=200_000_000)]
    at: Annotated[str, msgspec.Meta(min_length=20, max_length=40)]


class NewScenario(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """All that the demonstration's network knows of a device; replaces what it knew.

    `holder`: the party whose SIM it is; empty for nobody.
    """

    sightings: Annotated[list[NewSubscriberLocation], msgspec.Meta(max_length=500)] = []
    holder: Annotated[str, msgspec.Meta(max_length=64), KNOWN] = ""
    readers: Readers = []
    applicable: bool = True
    network: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] = "scenario network"


class ScenarioView(msgspec.Struct, kw_only=True):
    """What the demonstration's network knows now."""

    phone: str
    sightings: int
    applicable: bool
    simulated: bool


def routes(short_messages: ShortMessages, scenario: ScenarioBook, *, demo: bool) -> Router:
    """The room's own router; the scenario can be set in a demonstration only."""

    @post("/short-messages", opt={ACCESS: MAY_RECEIVE})
    async def receive(data: NewSentence, actor: Actor) -> SentenceView:
        """Takes one received sentence with compact positions."""
        receipt = await short_messages.receive(actor, data.sentence)
        return SentenceView(
            sender=receipt.card.card,
            terminal=receipt.card.terminal,
            simulated=receipt.track.simulated,
            repeated=receipt.repeated,
            points=[
                ReceivedPoint(
                    observed_at=fact.observed_at,
                    latitude_ndeg=fact.latitude_ndeg,
                    longitude_ndeg=fact.longitude_ndeg,
                    digest=fact.digest,
                    first=fact.first,
                )
                for fact in receipt.facts
            ],
        )

    @post("/cards", opt={ACCESS: MAY_REGISTER_CARD})
    async def register(data: NewCard, actor: Actor) -> CardView:
        """Says in which terminal a card is (operator)."""
        card = await short_messages.register(
            actor,
            card=data.card,
            terminal=data.terminal,
            owner=party_id(data.owner),
            readers=[party_id(reader) for reader in data.readers],
        )
        return CardView(
            card=card.card, terminal=card.terminal, owner=card.owner, readers=list(card.visible)
        )

    @put("/scenario/{phone:str}", opt={ACCESS: MAY_SET_SCENARIO})
    async def set_scenario(phone: _PhonePath, data: NewScenario, actor: Actor) -> ScenarioView:
        """Sets what the demonstration's network knows of a device (operator)."""
        MAY_SET_SCENARIO.admit(actor)
        locations = [
            SubscriberLocation(
                centre=Geodetic.from_ndeg(
                    latitude_ndeg=each.latitude_ndeg, longitude_ndeg=each.longitude_ndeg
                ),
                radius_m=each.radius_mm / 1000,
                at=Utc.parse(each.at),
                network=data.network,
                simulated=True,
            )
            for each in data.sightings
        ]
        subscriber = Subscriber(
            phone=check_phone(phone),
            applicable=data.applicable,
            readers=tuple(party_id(reader) for reader in data.readers),
            holder=party_id(data.holder) if data.holder else NOBODY,
            locations=tuple(sorted(locations, key=lambda s: s.at)),
        )
        await scenario.set(subscriber)
        return ScenarioView(
            phone=phone,
            sightings=len(locations),
            applicable=data.applicable,
            simulated=True,
        )

    handlers: list[Any] = [receive, register]
    if demo:
        handlers.append(set_scenario)
    return Router("/v1/connectivity", route_handlers=handlers, tags=["connectivity"])
