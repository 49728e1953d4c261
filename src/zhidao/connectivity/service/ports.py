"""What the connectivity room asks of the world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.domain.subscriber_location import Subscriber
from zhidao.core.geo import Geodetic
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry


class NetworkBackend(Protocol):
    """A mobile network, or what stands for one."""

    async def subscriber(self, phone: str) -> Subscriber:
        """What the network knows of a device. Raises NotFound, Unavailable."""
        ...

    def covers(self, place: Geodetic) -> bool:
        """Whether the network could locate a device there."""
        ...


class ScenarioBook(NetworkBackend, Protocol):
    """A network whose knowledge a demonstration sets."""

    async def set(self, subscriber: Subscriber) -> None:
        """Replaces what the network knows of a device."""
        ...


@dataclass(frozen=True, slots=True)
class Card:
    """A BeiDou short-message card in a terminal."""

    card: str
    terminal: str
    owner: PartyId
    visible: tuple[PartyId, ...]


class Observations(Protocol):
    """Positions by digest, whatever their bearer: each is counted once."""

    async def take(self, terminal: str, points: Sequence[Point], bearer: str) -> tuple[bool, ...]:
        """Notes points of a bearer; true for each that no bearer had brought before."""
        ...

    async def receive(
        self,
        card: Card,
        message: bytes,
        points: Sequence[Point],
        entries_of: Callable[[Sequence[bool]], Sequence[Entry]],
    ) -> bool:
        """Notes a short message (`message`: its digest), its points and its facts, all in one.

        `entries_of` gets, for each point, whether it is the first of its kind. Returns False, and
        writes nothing, if the message came before. Raises Conflict like a journal.
        """
        ...

    async def bearers(self, terminal: str, digest: str) -> tuple[str, ...]:
        """Over which bearers an observation came, in order of their names."""
        ...
