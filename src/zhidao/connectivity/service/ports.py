"""What the connectivity room asks of the world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.domain.reported_cell import CellReport
from zhidao.connectivity.domain.sim import Sim
from zhidao.connectivity.domain.subscriber_location import Holding, NetworkAnswer, Subscriber
from zhidao.core.errors import Unavailable
from zhidao.core.events import SignedEvent
from zhidao.core.geo import Geodetic
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry
from zhidao.core.timescale import Utc


class NetworkBackend(Protocol):
    """A mobile network, or what stands for one."""

    async def holding(self, phone: str, /) -> Holding:
        """Whose a SIM is and who may ask, without asking its network. Raises NotFound."""
        ...

    async def subscriber(self, phone: str, /) -> Subscriber:
        """What the network knows of a device. Raises NotFound, Unavailable."""
        ...

    def covers(self, phone: str, place: Geodetic, radius_m: float, /) -> bool:
        """Whether the network could locate that device anywhere within a circle."""
        ...


class NetworkAway(Unavailable):
    """A network does not answer; the same question may be asked again after so many seconds."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendState:
    """A network as its operator sees it. `why`: what is wrong, or what else is to be known.

    answered_at: when it last answered, if it did; cells: in the table of sites; devices and
    stations: how many it told of.
    """

    name: str
    kind: str
    plmn: str
    sims: int
    answers: bool = False
    answered_at: tuple[Utc, ...] = ()
    why: str = ""
    cells: int = 0
    devices: int = 0
    stations: int = 0


class SimNetwork(Protocol):
    """A network that is asked about SIMs of a table."""

    async def answer(self, sim: Sim) -> NetworkAnswer:
        """Where a SIM is, or why that is not told. Raises NetworkAway."""
        ...

    def covers(self, place: Geodetic, radius_m: float, /) -> bool:
        """Whether it could locate a device anywhere within a circle."""
        ...

    async def state(self) -> BackendState:
        """What it answers now."""
        ...

    async def close(self) -> None:
        """Lets go of all connections."""
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


class ReportedCells(Protocol):
    """Cells that terminals told of themselves, by terminal and time."""

    async def note(self, reports: Sequence[CellReport]) -> None:
        """Keeps reports; what is there already stays, and what is too old for anybody goes."""
        ...

    async def between(
        self, terminal: str, first: Utc, last: Utc, limit: int
    ) -> tuple[CellReport, ...]:
        """Reports of a terminal within two times, oldest first; of too many the newest."""
        ...

    async def heard_since(self, terminals: Sequence[str], at: Utc) -> int:
        """How many of these terminals told a cell at a time or later."""
        ...


# Later than every question.
NEWEST: Final = UUID(int=(1 << 128) - 1)


class QuestionBook(Protocol):
    """What was asked about SIMs, as signed facts, newest first."""

    async def keep(self, question: UUID, *, owner: PartyId, phone: str, entry: Entry) -> None:
        """Writes a question and its fact, all in one. Raises Conflict like a journal."""
        ...

    async def newest(
        self, *, viewer: PartyId | None, phone: str, before: UUID, limit: int
    ) -> tuple[SignedEvent, ...]:
        """The newest facts before a question that a party owns; None reads those of all.

        phone: about this SIM only, empty for all.
        """
        ...
