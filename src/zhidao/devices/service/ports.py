"""What the devices room asks of the world."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry
from zhidao.core.timescale import Utc
from zhidao.devices.domain.command import Command
from zhidao.devices.domain.custody import (
    Claim,
    Nonce,
    Part,
    Refusal,
    StoredChunk,
    StoredFrame,
    Suspect,
    Terminal,
    Unfinished,
    Window,
)
from zhidao.devices.domain.enrolment import Enrolment
from zhidao.devices.domain.track import LastSeen, Report, TrackPoint


class PositionSink(Protocol):
    """Where positions of all bearers meet; noting one again changes nothing."""

    async def take(self, terminal: str, points: Sequence[TrackPoint]) -> None:
        """Notes points that a terminal reported over this bearer."""
        ...


class CommandBook(Protocol):
    """Commands to terminals, and what became of each."""

    async def add(self, command: Command) -> None:
        """Writes a new command down; durable when it returns."""
        ...

    async def change(self, command: Command, *, since: str) -> None:
        """Writes what became of it. Raises Conflict if it is not in state `since` any more."""
        ...

    async def end_queued(self, terminal: str, at: Utc) -> None:
        """Ends all that wait to be sent: they never are."""
        ...

    async def one(self, terminal: str, command: UUID) -> Command:
        """A command by its id. Raises NotFound."""
        ...

    async def count_queued(self, terminal: str) -> int:
        """How many wait to be sent."""
        ...

    async def queued(self, terminal: str, limit: int) -> tuple[Command, ...]:
        """The next that wait to be sent, the oldest first."""
        ...

    async def newest(self, terminal: str, limit: int) -> tuple[Command, ...]:
        """The last ones, the newest first."""
        ...

    async def overdue(self, now: Utc, limit: int) -> tuple[Command, ...]:
        """Those that are open though their time was over before now."""
        ...


class Vault(Protocol):
    """The room's own tables. Whatever takes `entries` writes them in the same transaction."""

    async def secret(self, fresh: bytes) -> bytes:
        """The node's key for tokens: `fresh` if there was none before."""
        ...

    async def add_terminal(
        self, terminal: Terminal, entries: Sequence[Entry], enrolment: Enrolment | None = None
    ) -> None:
        """Adds a terminal, how it stands beside it. Raises Conflict if a name of it is taken."""
        ...

    async def enrolment(self, terminal: str) -> Enrolment:
        """How a terminal stands. Raises NotFound."""
        ...

    async def enrolments(self, terminals: Sequence[str]) -> Mapping[str, Enrolment]:
        """The same of several, asked at once; of terminals that are here."""
        ...

    async def change_enrolment(
        self, after: Enrolment, entries: Sequence[Entry], *, since: int | None = None
    ) -> None:
        """Writes down how a terminal stands now; who is retired leaves number and phone free.

        `since`: the version that it was decided on, else the one before. Raises Conflict if it has
        changed meanwhile.
        """
        ...

    async def terminal(self, terminal: str) -> Terminal:
        """A terminal by its id. Raises NotFound."""
        ...

    async def terminals(
        self, viewer: PartyId | None, *, limit: int, after: str = ""
    ) -> tuple[Terminal, ...]:
        """The terminals of this node that the viewer may see (None: all), by id after `after`."""
        ...

    async def terminal_by_phone(self, phone: str) -> Terminal:
        """By the phone number of its card. Raises NotFound."""
        ...

    async def terminal_by_key(self, multikey: str) -> Terminal:
        """By the key that signs its windows. Raises NotFound."""
        ...

    async def terminal_by_number(self, number: str) -> Terminal:
        """A terminal by the digits in its headers. Raises NotFound."""
        ...

    async def note_refusal(self, terminal: str, refusal: Refusal, entries: Sequence[Entry]) -> None:
        """Keeps the newest refusal of a terminal; whoever is none of this node has a name too."""
        ...

    async def heard(
        self, terminals: Sequence[str]
    ) -> Mapping[str, tuple[LastSeen | None, Refusal | None]]:
        """The newest point and the newest refusal of each terminal, asked at once."""
        ...

    async def keep(
        self,
        frames: Sequence[StoredFrame],
        chunks: Sequence[StoredChunk],
        reports: Sequence[Report] = (),
    ) -> None:
        """Stores frames, chunks and the reports in those frames; durable when it returns.

        Known ones are left as they are, and reports of frames that are not added are left out. Of
        parts of divided messages it is known that they wait, until one completes their message.
        """
        ...

    async def unfinished(self, before: Utc) -> tuple[Unfinished, ...]:
        """Some of the divided messages that are not whole and of which nothing came since."""
        ...

    async def give_up(self, terminal: str, message: Part, entries: Sequence[Entry]) -> None:
        """Nothing more of a divided message is waited for; its parts stay as frames."""
        ...

    async def put_aside(self, suspect: Suspect) -> None:
        """Keeps bytes that nobody may trust."""
        ...

    async def grant(self, nonce: Nonce) -> None:
        """Writes down a nonce before it is given."""
        ...

    async def nonce(self, terminal: str, nonce: bytes) -> Nonce:
        """A nonce that was given to this terminal. Raises NotFound."""
        ...

    async def claim(self, terminal: str, nonce: bytes, claim: Claim) -> bool:
        """Uses an unused nonce for a window; true if the nonce now stands for just that claim."""
        ...

    async def open_claims(self) -> tuple[Nonce, ...]:
        """Nonces that are in use and whose window is not yet decided."""
        ...

    async def chunks(self, terminal: str, window: bytes) -> tuple[StoredChunk, ...]:
        """The stored chunks of a window by sequence."""
        ...

    async def count_chunks(self, terminal: str, window: bytes) -> int:
        """How many chunks of a window are stored."""
        ...

    async def settle(self, nonce: Nonce, window: Window | None, entries: Sequence[Entry]) -> None:
        """Decides a window: whole (it is added) or given up (None). Once only: Conflict after."""
        ...

    async def window(self, digest: str, terminal: str) -> Window:
        """The newest window of those bytes (of that terminal, if named). Raises NotFound."""
        ...

    async def window_before(self, window: Window) -> Window | None:
        """The window of other bytes that its terminal sent last before it, or None."""
        ...

    async def unbatched(self, limit: int, passing: Collection[str] = ()) -> tuple[str, ...]:
        """Terminals with position frames that no PositionsRecorded covers yet.

        Those whose first such frame is oldest come first; without those in `passing`.
        """
        ...

    async def unbatched_positions(self, terminal: str, limit: int) -> tuple[StoredFrame, ...]:
        """Those frames of a terminal, in the order of their ids."""
        ...

    async def batch(
        self, terminal: str, batch: UUID, digests: Sequence[bytes], entries: Sequence[Entry]
    ) -> None:
        """Marks frames as covered. Raises Conflict if one of them was covered meanwhile."""
        ...

    async def recent_points(self, terminal: str, limit: int) -> tuple[TrackPoint, ...]:
        """The points of a terminal with the newest times of its own, newest first."""
        ...

    async def points_between(
        self, terminal: str, first: Utc, end: Utc, limit: int
    ) -> tuple[TrackPoint, ...]:
        """Its points from `first` until before `end` by its own time, the newest first."""
        ...

    async def points_in(
        self, cell: int, first: Utc, end: Utc, viewer: PartyId | None, limit: int
    ) -> tuple[tuple[str, TrackPoint], ...]:
        """Points in a cell by terminals that the viewer may see (None: all), the newest first."""
        ...

    async def unread_frames(self, limit: int) -> tuple[StoredFrame, ...]:
        """The next position frames from before reports were kept; none once all are read."""
        ...

    async def read_frames(self, frames: Sequence[StoredFrame], reports: Sequence[Report]) -> None:
        """Keeps the reports in those frames, and that they were read.

        Raises Conflict if another process went on meanwhile.
        """
        ...

    async def count_frames(self, terminal: str) -> int:
        """How many frames of a terminal are stored."""
        ...

    async def add_seal(
        self, *, consignment: str, terminal: str, seal: str, entries: Sequence[Entry]
    ) -> None:
        """Writes down that a seal joins a terminal to a consignment."""
        ...

    async def seals(self, *, consignment: str, terminal: str) -> tuple[str, ...]:
        """Seals that join a terminal to a consignment, in order of their names."""
        ...

    async def seals_of(self, terminal: str) -> tuple[str, ...]:
        """Seals that join a terminal to any consignment, in order of their names."""
        ...
