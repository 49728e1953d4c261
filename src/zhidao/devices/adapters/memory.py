"""The vault in this process, for unit tests and simulation."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from zhidao.core.errors import Conflict, NotFound
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry, Journal
from zhidao.core.timescale import Utc
from zhidao.devices.domain.cell import cell_of
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
from zhidao.devices.domain.enrolment import RETIRED, Enrolment
from zhidao.devices.domain.track import LastSeen, Report, TrackPoint
from zhidao.devices.service.points import POSITION_IDS


class MemoryVault:
    """Implements `service.ports.Vault`. The journal is written first: it alone may raise."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._secret = b""
        self._terminals: dict[str, Terminal] = {}
        self._enrolments: dict[str, Enrolment] = {}
        self.frames: dict[tuple[str, bytes], StoredFrame] = {}
        self.suspects: list[Suspect] = []
        self._reports: dict[tuple[str, UUID, int], Report] = {}
        self._read: set[UUID] = set()
        self._refusals: dict[str, Refusal] = {}
        self._batched: set[tuple[str, bytes]] = set()
        self._nonces: dict[tuple[str, bytes], Nonce] = {}
        self._chunks: dict[tuple[str, bytes, int], StoredChunk] = {}
        self._parts: dict[tuple[str, int, int], dict[int, StoredFrame]] = {}
        self._windows: list[Window] = []
        self._seals: set[tuple[str, str, str]] = set()

    async def secret(self, fresh: bytes) -> bytes:
        """The key for tokens."""
        self._secret = self._secret or fresh
        return self._secret

    async def add_terminal(
        self, terminal: Terminal, entries: Sequence[Entry], enrolment: Enrolment | None = None
    ) -> None:
        """Adds a terminal. Raises Conflict."""
        taken = any(
            (terminal.key is not None and terminal.key == other.key)
            or (
                not self._is_retired(other)
                and (terminal.number == other.number or terminal.phone == other.phone)
            )
            for other in self._terminals.values()
        )
        if taken or terminal.terminal in self._terminals:
            raise Conflict(f"terminal {terminal.terminal} or a number or key of it is taken")
        await self._append(entries)
        self._terminals[terminal.terminal] = terminal
        self._enrolments[terminal.terminal] = enrolment or Enrolment(terminal.terminal)

    async def enrolment(self, terminal: str) -> Enrolment:
        """See the port."""
        if terminal not in self._enrolments:
            raise NotFound(f"no terminal {terminal!r}")
        return self._enrolments[terminal]

    async def enrolments(self, terminals: Sequence[str]) -> Mapping[str, Enrolment]:
        """See the port."""
        return {name: self._enrolments[name] for name in terminals if name in self._enrolments}

    async def change_enrolment(
        self, after: Enrolment, entries: Sequence[Entry], *, since: int | None = None
    ) -> None:
        """See the port."""
        version = after.version - 1 if since is None else since
        if (await self.enrolment(after.terminal)).version != version:
            raise Conflict(f"terminal {after.terminal} stands otherwise meanwhile")
        await self._append(entries)
        self._enrolments[after.terminal] = after

    def _is_retired(self, terminal: Terminal) -> bool:
        return self._enrolments[terminal.terminal].state == RETIRED

    async def terminal(self, terminal: str) -> Terminal:
        """By id. Raises NotFound."""
        if terminal not in self._terminals:
            raise NotFound(f"no terminal {terminal!r}")
        return self._terminals[terminal]

    async def terminals(
        self, viewer: PartyId | None, *, limit: int, after: str = ""
    ) -> tuple[Terminal, ...]:
        """See the port."""
        found = [self._terminals[name] for name in sorted(self._terminals) if name > after]
        return tuple(each for each in found if each.shown_to(viewer))[:limit]

    async def terminal_by_phone(self, phone: str) -> Terminal:
        """See the port."""
        for name in sorted(self._terminals):
            found = self._terminals[name]
            if found.phone == phone and not self._is_retired(found):
                return self._terminals[name]
        raise NotFound(f"no terminal with the phone number {phone[:20]!r}")

    async def terminal_by_key(self, multikey: str) -> Terminal:
        """See the port."""
        for name in sorted(self._terminals):
            if multikey and self._terminals[name].multikey == multikey:
                return self._terminals[name]
        raise NotFound("no terminal with that key")

    async def terminal_by_number(self, number: str) -> Terminal:
        """By number. Raises NotFound."""
        for terminal in self._terminals.values():
            if terminal.number == number and not self._is_retired(terminal):
                return terminal
        raise NotFound(f"no terminal with the number {number!r}")

    async def note_refusal(self, terminal: str, refusal: Refusal, entries: Sequence[Entry]) -> None:
        """Keeps the newest refusal."""
        await self._append(entries)
        self._refusals[terminal] = refusal

    async def heard(
        self, terminals: Sequence[str]
    ) -> Mapping[str, tuple[LastSeen | None, Refusal | None]]:
        """See the port."""
        found = {}
        for terminal in terminals:
            mine = [r for r in self._reports.values() if r.terminal == terminal]
            newest = max(mine, key=lambda report: report.rank, default=None)
            heard = max((report.point.received_at for report in mine), default=None)
            seen = LastSeen(heard, newest.point) if newest and heard else None
            found[terminal] = (seen, self._refusals.get(terminal))
        return found

    async def keep(
        self,
        frames: Sequence[StoredFrame],
        chunks: Sequence[StoredChunk],
        reports: Sequence[Report] = (),
    ) -> None:
        """Stores frames, chunks and reports."""
        fresh = {f.id for f in frames if (f.terminal, f.digest) not in self.frames}
        for frame in frames:
            self.frames.setdefault((frame.terminal, frame.digest), frame)
        self._add(report for report in reports if report.frame in fresh)
        for chunk in chunks:
            self._chunks.setdefault((chunk.terminal, chunk.window, chunk.sequence), chunk)
        self._note([(frame, frame.part) for frame in frames if frame.part is not None])

    def _note(self, parts: Sequence[tuple[StoredFrame, Part]]) -> None:
        for frame, part in parts:
            if part.number and not part.completes:
                message = self._parts.setdefault((frame.terminal, *part.message), {})
                message.setdefault(part.number, frame)
        for frame, part in parts:
            if part.completes:
                self._parts.pop((frame.terminal, *part.message), None)

    async def unfinished(self, before: Utc) -> tuple[Unfinished, ...]:
        """See the port."""
        out = []
        for (terminal, message, first), frames in sorted(self._parts.items()):
            if all(frame.received_at < before for frame in frames.values()):
                total = next(f.part.total for f in frames.values() if f.part)
                pieces = tuple((number, frames[number].plain) for number in sorted(frames))
                out.append(Unfinished(terminal, Part(message, first, 0, total), pieces))
        return tuple(out)

    async def give_up(self, terminal: str, message: Part, entries: Sequence[Entry]) -> None:
        """See the port."""
        await self._append(entries)
        self._parts.pop((terminal, *message.message), None)

    async def put_aside(self, suspect: Suspect) -> None:
        """Keeps bytes that nobody may trust."""
        self.suspects.append(suspect)

    async def grant(self, nonce: Nonce) -> None:
        """Writes a nonce down."""
        self._nonces[nonce.terminal, nonce.nonce] = nonce

    async def nonce(self, terminal: str, nonce: bytes) -> Nonce:
        """A nonce of this terminal. Raises NotFound."""
        if (terminal, nonce) not in self._nonces:
            raise NotFound("no such nonce")
        return self._nonces[terminal, nonce]

    async def claim(self, terminal: str, nonce: bytes, claim: Claim) -> bool:
        """Uses a nonce for one window."""
        before = await self.nonce(terminal, nonce)
        if not before.claim.window:
            before = self._nonces[terminal, nonce] = replace(before, claim=claim)
        return before.claim == claim

    async def open_claims(self) -> tuple[Nonce, ...]:
        """Nonces in use whose window is open."""
        return tuple(n for n in self._nonces.values() if n.claim.window and not n.settled)

    async def chunks(self, terminal: str, window: bytes) -> tuple[StoredChunk, ...]:
        """Chunks of a window by sequence."""
        found = [c for c in self._chunks.values() if (c.terminal, c.window) == (terminal, window)]
        return tuple(sorted(found, key=lambda c: c.sequence))

    async def count_chunks(self, terminal: str, window: bytes) -> int:
        """How many chunks of a window are stored."""
        return len(await self.chunks(terminal, window))

    async def settle(self, nonce: Nonce, window: Window | None, entries: Sequence[Entry]) -> None:
        """Decides a window once."""
        if (await self.nonce(nonce.terminal, nonce.nonce)).settled:
            raise Conflict("this window was decided before")
        await self._append(entries)
        self._nonces[nonce.terminal, nonce.nonce] = replace(nonce, settled=True)
        if window:
            self._windows.append(window)

    async def window(self, digest: str, terminal: str) -> Window:
        """The newest window of those bytes. Raises NotFound."""
        for window in reversed(self._windows):
            if window.digest == digest and terminal in ("", window.terminal):
                return window
        raise NotFound("no window of that digest")

    async def window_before(self, window: Window) -> Window | None:
        """The window that its terminal sent before, or None."""
        earlier = [
            each
            for each in self._windows
            if each.terminal == window.terminal
            and each.received_at < window.received_at
            and each.digest != window.digest
        ]
        return max(earlier, key=lambda each: each.received_at, default=None)

    async def unbatched(self, limit: int, passing: Collection[str] = ()) -> tuple[str, ...]:
        """Terminals with uncovered position frames, whoever waits longest first."""
        waiting = sorted(self._open_positions(), key=lambda frame: frame.id)
        names = dict.fromkeys(frame.terminal for frame in waiting if frame.terminal not in passing)
        return tuple(names)[:limit]

    async def unbatched_positions(self, terminal: str, limit: int) -> tuple[StoredFrame, ...]:
        """Uncovered position frames of a terminal."""
        mine = [frame for frame in self._open_positions() if frame.terminal == terminal]
        return tuple(sorted(mine, key=lambda frame: frame.id)[:limit])

    async def batch(
        self, terminal: str, batch: UUID, digests: Sequence[bytes], entries: Sequence[Entry]
    ) -> None:
        """Marks frames as covered by `batch`."""
        keys = {(terminal, digest) for digest in digests}
        if keys & self._batched:
            raise Conflict(f"some frames of batch {batch} were covered before")
        await self._append(entries)
        self._batched |= keys

    async def recent_points(self, terminal: str, limit: int) -> tuple[TrackPoint, ...]:
        """See the port."""
        mine = [report for report in self._reports.values() if report.terminal == terminal]
        newest = sorted(mine, key=_by_own_time, reverse=True)
        return tuple(report.point for report in newest[:limit])

    async def points_between(
        self, terminal: str, first: Utc, end: Utc, limit: int
    ) -> tuple[TrackPoint, ...]:
        """See the port."""
        points = await self.recent_points(terminal, len(self._reports))
        return tuple(p for p in points if first <= p.observed_at < end)[:limit]

    async def points_in(
        self, cell: int, first: Utc, end: Utc, viewer: PartyId | None, limit: int
    ) -> tuple[tuple[str, TrackPoint], ...]:
        """See the port."""
        found = [
            report
            for report in self._reports.values()
            if first <= report.point.observed_at < end
            and report.point.valid
            and cell_of(report.point.latitude_udeg, report.point.longitude_udeg) == cell
            and report.terminal in self._terminals
            and self._terminals[report.terminal].shown_to(viewer)
        ]
        newest = sorted(found, key=_by_own_time, reverse=True)[:limit]
        return tuple((report.terminal, report.point) for report in newest)

    async def unread_frames(self, limit: int) -> tuple[StoredFrame, ...]:
        """See the port."""
        known = {report.frame for report in self._reports.values()} | self._read
        found = [
            frame
            for frame in self.frames.values()
            if frame.message_id in POSITION_IDS and frame.id not in known
        ]
        return tuple(sorted(found, key=lambda frame: (frame.terminal, frame.id))[:limit])

    async def read_frames(self, frames: Sequence[StoredFrame], reports: Sequence[Report]) -> None:
        """See the port."""
        self._add(reports)
        self._read |= {frame.id for frame in frames}

    async def count_frames(self, terminal: str) -> int:
        """How many frames are stored."""
        return sum(frame.terminal == terminal for frame in self.frames.values())

    async def add_seal(
        self, *, consignment: str, terminal: str, seal: str, entries: Sequence[Entry]
    ) -> None:
        """Writes down what a seal joins."""
        await self._append(entries)
        self._seals.add((consignment, terminal, seal))

    async def seals(self, *, consignment: str, terminal: str) -> tuple[str, ...]:
        """Seals that join a terminal to a consignment."""
        found = (s for c, t, s in self._seals if (c, t) == (consignment, terminal))
        return tuple(sorted(found))

    async def seals_of(self, terminal: str) -> tuple[str, ...]:
        """Seals that join a terminal to any consignment."""
        return tuple(sorted(s for _, t, s in self._seals if t == terminal))

    def _add(self, reports: Iterable[Report]) -> None:
        for report in reports:
            self._reports.setdefault((report.terminal, report.frame, report.place), report)

    def _open_positions(self) -> list[StoredFrame]:
        return [
            frame
            for key, frame in self.frames.items()
            if key not in self._batched and frame.message_id in POSITION_IDS
        ]

    async def _append(self, entries: Sequence[Entry]) -> None:
        if entries:
            await self._journal.append(entries)


def _by_own_time(report: Report) -> tuple[int, int]:
    return report.point.observed_at.tai_ns, report.number
