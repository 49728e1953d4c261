"""The vault in PostgreSQL; facts and rows are one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from zhidao.core.errors import Conflict, NotFound
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc
from zhidao.devices.adapters.enrolments import EnrolmentRows
from zhidao.devices.adapters.parts import Parts
from zhidao.devices.adapters.positions import Positions, rows_of
from zhidao.devices.adapters.windows import Windows
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
    terminal_id,
)
from zhidao.devices.domain.enrolment import Enrolment
from zhidao.devices.domain.track import LastSeen, Report, TrackPoint
from zhidao.store.database import Database, Session
from zhidao.store.journal import PostgresJournal

_TERMINAL: Final = (
    "select terminal, phone, number, key, owner, visible, surroundings from devices.terminal"
)
_FRAME: Final = (
    "select terminal, digest, id, received_tai_ns, message, serial, plain from devices.frame"
)
# As the index of those that no fact covers yet has them (migration 0011).
_POSITION: Final = "message in (512, 1796, 65544, 65552, 65678, 131600)"
# The next frames from before positions had a table, behind the last that was read: of JT/T 808.
_UNREAD: Final = (
    f"{_FRAME} where message in (512, 1796) and (terminal, id) > (%s, %s)"
    " order by terminal, id limit %s"
)
_FILLED: Final = (
    "select terminal, frame from devices.position_fill where part = 'frames' and not done"
)
_FRAME_COLUMNS: Final = (
    *("terminal", "digest", "id", "received_tai_ns", "message", "serial", "plain"),
)


class PostgresVault:
    """Implements `service.ports.Vault`."""

    def __init__(
        self, database: Database, journal: PostgresJournal, archive: Path | None = None
    ) -> None:
        """`archive`: the folder of days of positions that are no longer in the database."""
        self._database = database
        self._journal = journal
        self._positions = Positions(database, archive)
        self._windows = Windows(database, journal)
        self._parts = Parts(database, journal)
        self._enrolments = EnrolmentRows(database, journal)

    async def secret(self, fresh: bytes) -> bytes:
        """The key for tokens."""
        async with self._database.session() as s:
            await s.execute(
                "insert into devices.secret (name, value) values ('token', %s)"
                " on conflict do nothing",
                (fresh,),
            )
            row = await s.fetch_one("select value from devices.secret where name = 'token'")
        assert row is not None
        return bytes(row["value"])

    async def add_terminal(
        self, terminal: Terminal, entries: Sequence[Entry], enrolment: Enrolment | None = None
    ) -> None:
        """Adds a terminal. Raises Conflict."""

        async def work(s: Session) -> None:
            await s.execute(
                "insert into devices.terminal"
                " (terminal, phone, number, key, owner, visible, surroundings)"
                " values (%s, %s, %s, %s, %s, %s, %s)",
                (
                    terminal.terminal,
                    terminal.phone,
                    terminal.number,
                    terminal.multikey,
                    terminal.owner,
                    list(terminal.visible),
                    terminal.surroundings,
                ),
            )
            await s.execute(
                "insert into devices.terminal_number (number, terminal) values (%s, %s)",
                (terminal.number, terminal.terminal),
            )
            await s.execute(
                "insert into devices.terminal_phone (phone, terminal) values (%s, %s)",
                (terminal.phone, terminal.terminal),
            )
            await s.execute(
                "insert into devices.terminal_id (terminal_id, terminal) values (%s, %s)",
                (terminal_id(terminal.terminal), terminal.terminal),
            )
            if terminal.key:
                await s.execute(
                    "insert into devices.terminal_key (digest, terminal) values (%s, %s)",
                    (_digest(terminal.multikey), terminal.terminal),
                )
            await self._enrolments.add(s, enrolment or Enrolment(terminal.terminal))
            await self._journal.append_in(s, entries)

        await self._database.run(work)
        self._journal.wake()

    async def enrolment(self, terminal: str) -> Enrolment:
        """See the port."""
        return await self._enrolments.one(terminal)

    async def enrolments(self, terminals: Sequence[str]) -> Mapping[str, Enrolment]:
        """See the port."""
        return await self._enrolments.of_each(terminals)

    async def change_enrolment(
        self, after: Enrolment, entries: Sequence[Entry], *, since: int | None = None
    ) -> None:
        """See the port."""
        version = after.version - 1 if since is None else since
        await self._enrolments.change(after, entries, version)

    async def terminal(self, terminal: str) -> Terminal:
        """By id. Raises NotFound."""
        async with self._database.session() as s:
            row = await s.fetch_one(f"{_TERMINAL} where terminal = %s", (terminal,))
        if row is None:
            raise NotFound(f"no terminal {terminal[:40]!r}")
        return _terminal(row)

    async def terminals(
        self, viewer: PartyId | None, *, limit: int, after: str = ""
    ) -> tuple[Terminal, ...]:
        """See the port."""
        seen = "" if viewer is None else " and (owner = %(viewer)s or %(viewer)s = any(visible))"
        rows = await self._database.read(
            f'{_TERMINAL} where terminal collate "C" > %(after)s{seen}'
            ' order by terminal collate "C" limit %(limit)s',
            {"viewer": viewer, "after": after, "limit": limit},
        )
        return tuple(_terminal(row) for row in rows)

    async def terminal_by_phone(self, phone: str) -> Terminal:
        """By phone. Raises NotFound."""
        rows = await self._database.read(
            "select terminal from devices.terminal_phone where phone = %s", (phone,)
        )
        if not rows:
            raise NotFound(f"no terminal with the phone number {phone[:20]!r}")
        return await self.terminal(rows[0]["terminal"])

    async def terminal_by_key(self, multikey: str) -> Terminal:
        """By key. Raises NotFound."""
        rows = await self._database.read(
            "select terminal from devices.terminal_key where digest = %s", (_digest(multikey),)
        )
        if not rows:
            raise NotFound("no terminal with that key")
        return await self.terminal(rows[0]["terminal"])

    async def terminal_by_number(self, number: str) -> Terminal:
        """By number. Raises NotFound."""
        async with self._database.session() as s:
            row = await s.fetch_one(
                "select terminal from devices.terminal_number where number = %s", (number,)
            )
        if row is None:
            raise NotFound(f"no terminal with the number {number[:20]!r}")
        return await self.terminal(row["terminal"])

    async def note_refusal(self, terminal: str, refusal: Refusal, entries: Sequence[Entry]) -> None:
        """Keeps the newest refusal, in one transaction with what is told of it."""

        async def work(s: Session) -> None:
            await s.execute(
                "insert into devices.refusal (terminal, reason, sentence, at_tai_ns)"
                " values (%s, %s, %s, %s) on conflict (terminal) do update set"
                " reason = excluded.reason, sentence = excluded.sentence,"
                " at_tai_ns = excluded.at_tai_ns",
                (terminal, refusal.reason, refusal.sentence, refusal.at.tai_ns),
            )
            await self._journal.append_in(s, entries)

        await self._database.run(work)
        self._journal.wake()

    async def heard(
        self, terminals: Sequence[str]
    ) -> Mapping[str, tuple[LastSeen | None, Refusal | None]]:
        """See the port."""
        newest = await self._positions.last(terminals)
        refusals = await self._database.read(
            "select terminal, reason, sentence, at_tai_ns from devices.refusal"
            " where terminal = any(%s)",
            (list(terminals),),
        )
        refused = {
            row["terminal"]: Refusal(row["reason"], row["sentence"], Utc(row["at_tai_ns"]))
            for row in refusals
        }
        return {name: (newest.get(name), refused.get(name)) for name in terminals}

    async def keep(
        self,
        frames: Sequence[StoredFrame],
        chunks: Sequence[StoredChunk],
        reports: Sequence[Report] = (),
    ) -> None:
        """Stores frames and reports by COPY, and chunks beside them, in one transaction."""
        await self._positions.prepare(reports)

        async def work(s: Session) -> None:
            known = await self._known(s, frames)
            fresh = [f for f in frames if (f.terminal, f.digest) not in known]
            if fresh:
                await s.copy("devices.frame", _FRAME_COLUMNS, map(_frame_row, fresh))
            added = {frame.id for frame in fresh}
            new = rows_of([report for report in reports if report.frame in added])
            await self._positions.add(s, new)
            await self._windows.add(s, chunks)
            await self._parts.note(s, frames)

        await self._database.run(work)

    async def unfinished(self, before: Utc) -> tuple[Unfinished, ...]:
        """See the port."""
        return await self._parts.left(before)

    async def give_up(self, terminal: str, message: Part, entries: Sequence[Entry]) -> None:
        """See the port."""
        await self._parts.give_up(terminal, message, entries)

    async def put_aside(self, suspect: Suspect) -> None:
        """Keeps bytes that nobody may trust."""
        async with self._database.session() as s:
            await s.execute(
                "insert into devices.suspect (terminal, id, received_tai_ns, reason, raw)"
                " values (%s, %s, %s, %s, %s)",
                (
                    suspect.terminal,
                    suspect.id,
                    suspect.received_at.tai_ns,
                    suspect.reason,
                    suspect.raw,
                ),
            )

    async def grant(self, nonce: Nonce) -> None:
        """Writes a nonce down."""
        await self._windows.grant(nonce)

    async def nonce(self, terminal: str, nonce: bytes) -> Nonce:
        """A nonce of this terminal. Raises NotFound."""
        return await self._windows.nonce(terminal, nonce)

    async def claim(self, terminal: str, nonce: bytes, claim: Claim) -> bool:
        """Uses a nonce for one window."""
        return await self._windows.claim(terminal, nonce, claim)

    async def open_claims(self) -> tuple[Nonce, ...]:
        """Nonces in use whose window is open."""
        return await self._windows.open_claims()

    async def chunks(self, terminal: str, window: bytes) -> tuple[StoredChunk, ...]:
        """Chunks of a window by sequence."""
        return await self._windows.chunks(terminal, window)

    async def count_chunks(self, terminal: str, window: bytes) -> int:
        """How many chunks of a window are stored."""
        return await self._windows.count_chunks(terminal, window)

    async def settle(self, nonce: Nonce, window: Window | None, entries: Sequence[Entry]) -> None:
        """Decides a window once."""
        await self._windows.settle(nonce, window, entries)

    async def window(self, digest: str, terminal: str) -> Window:
        """The newest window of those bytes. Raises NotFound."""
        return await self._windows.window(digest, terminal)

    async def window_before(self, window: Window) -> Window | None:
        """The window that its terminal sent before, or None."""
        return await self._windows.window_before(window)

    async def unbatched(self, limit: int, passing: Collection[str] = ()) -> tuple[str, ...]:
        """Terminals with uncovered position frames, whoever waits longest first."""
        async with self._database.session() as s:
            rows = await s.fetch_all(
                "select terminal from (select distinct on (terminal) terminal, id"  # noqa: S608 (a constant)
                f" from devices.frame where batch is null and {_POSITION}"
                " and terminal <> all(%s) order by terminal, id) as firsts order by id limit %s",
                (list(passing), limit),
            )
        return tuple(row["terminal"] for row in rows)

    async def unbatched_positions(self, terminal: str, limit: int) -> tuple[StoredFrame, ...]:
        """Uncovered position frames of a terminal."""
        where = f"terminal = %s and batch is null and {_POSITION} order by id limit %s"
        return await self._frames(where, (terminal, limit))

    async def batch(
        self, terminal: str, batch: UUID, digests: Sequence[bytes], entries: Sequence[Entry]
    ) -> None:
        """Marks frames as covered by `batch`."""

        async def work(s: Session) -> None:
            changed = await s.execute(
                "update devices.frame set batch = %s"
                " where terminal = %s and digest = any(%s::bytea[]) and batch is null",
                (batch, terminal, list(digests)),
            )
            if changed != len(digests):
                raise Conflict(f"some frames of batch {batch} were covered before")
            await self._journal.append_in(s, entries)

        await self._database.run(work)
        self._journal.wake()

    async def recent_points(self, terminal: str, limit: int) -> tuple[TrackPoint, ...]:
        """See the port."""
        return await self._positions.recent(terminal, limit)

    async def points_between(
        self, terminal: str, first: Utc, end: Utc, limit: int
    ) -> tuple[TrackPoint, ...]:
        """See the port."""
        return await self._positions.between(terminal, first, end, limit)

    async def points_in(
        self, cell: int, first: Utc, end: Utc, viewer: PartyId | None, limit: int
    ) -> tuple[tuple[str, TrackPoint], ...]:
        """See the port."""
        return await self._positions.in_cell(cell, first, end, viewer, limit)

    async def unread_frames(self, limit: int) -> tuple[StoredFrame, ...]:
        """See the port."""
        async with self._database.session() as s:
            at = await s.fetch_one(_FILLED)
            if at is None:
                return ()
            rows = await s.fetch_all(_UNREAD, (at["terminal"], at["frame"], limit))
            if not rows:
                await s.execute(
                    "update devices.position_fill set done = true"
                    " where part = 'frames' and terminal = %s and frame = %s",
                    (at["terminal"], at["frame"]),
                )
        return tuple(map(_frame, rows))

    async def read_frames(self, frames: Sequence[StoredFrame], reports: Sequence[Report]) -> None:
        """See the port. Frames that came since have their reports already; that changes nothing."""
        await self._positions.prepare(reports)
        last = frames[-1]

        async def work(s: Session) -> None:
            await self._positions.add_again(s, rows_of(reports))
            moved = await s.execute(
                "update devices.position_fill set terminal = %s, frame = %s"
                " where part = 'frames' and not done and (terminal, frame) < (%s, %s)",
                (last.terminal, last.id, last.terminal, last.id),
            )
            if not moved:
                raise Conflict("another process has read these frames")

        await self._database.run(work)

    async def count_frames(self, terminal: str) -> int:
        """How many frames are stored."""
        sql = "select count(*) as n from devices.frame where terminal = %s"
        return await self._count(sql, (terminal,))

    async def add_seal(
        self, *, consignment: str, terminal: str, seal: str, entries: Sequence[Entry]
    ) -> None:
        """Writes down what a seal joins."""

        async def work(s: Session) -> None:
            await s.execute(
                "insert into devices.seal (consignment, terminal, seal) values (%s, %s, %s)",
                (consignment, terminal, seal),
            )
            await self._journal.append_in(s, entries)

        await self._database.run(work)
        self._journal.wake()

    async def seals(self, *, consignment: str, terminal: str) -> tuple[str, ...]:
        """Seals that join a terminal to a consignment."""
        async with self._database.session() as s:
            rows = await s.fetch_all(
                "select seal from devices.seal where consignment = %s and terminal = %s"
                " order by seal",
                (consignment, terminal),
            )
        return tuple(row["seal"] for row in rows)

    async def seals_of(self, terminal: str) -> tuple[str, ...]:
        """Seals that join a terminal to any consignment."""
        async with self._database.session() as s:
            rows = await s.fetch_all(
                "select seal from devices.seal where terminal = %s order by seal", (terminal,)
            )
        return tuple(row["seal"] for row in rows)

    async def _known(self, s: Session, frames: Sequence[StoredFrame]) -> set[tuple[str, bytes]]:
        """Which of these frames are stored already: a terminal repeats what was not answered."""
        rows = await s.fetch_all(
            "select terminal, digest from devices.frame"
            " where (terminal, digest) in (select * from unnest(%s::text[], %s::bytea[]))",
            ([f.terminal for f in frames], [f.digest for f in frames]),
        )
        return {(row["terminal"], bytes(row["digest"])) for row in rows}

    async def _frames(self, where: str, params: tuple[Any, ...]) -> tuple[StoredFrame, ...]:
        async with self._database.session() as s:
            rows = await s.fetch_all(f"{_FRAME} where {where}", params)
        return tuple(map(_frame, rows))

    async def _count(self, sql: str, params: tuple[Any, ...]) -> int:
        async with self._database.session() as s:
            row = await s.fetch_one(sql, params)
        return int(row["n"]) if row else 0


def _frame_row(frame: StoredFrame) -> tuple[Any, ...]:
    return (
        frame.terminal,
        frame.digest,
        frame.id,
        frame.received_at.tai_ns,
        frame.message_id,
        frame.serial,
        frame.plain,
    )


def _digest(multikey: str) -> bytes:
    return hashlib.sha256(multikey.encode()).digest()


def _terminal(row: dict[str, Any]) -> Terminal:
    return Terminal(
        terminal=row["terminal"],
        phone=row["phone"],
        number=row["number"],
        key=PublicKey.from_multikey(row["key"]) if row["key"] else None,
        owner=PartyId(row["owner"]),
        visible=tuple(PartyId(party) for party in row["visible"]),
        surroundings=row["surroundings"],
    )


def _frame(row: Mapping[str, Any]) -> StoredFrame:
    return StoredFrame(
        terminal=row["terminal"],
        digest=bytes(row["digest"]),
        id=row["id"],
        received_at=Utc(row["received_tai_ns"]),
        message_id=row["message"],
        serial=row["serial"],
        plain=bytes(row["plain"]),
    )
