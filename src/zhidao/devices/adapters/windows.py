"""Windows of raw observations in PostgreSQL: nonces, what they were used for, chunks, the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from zhidao.core.errors import Conflict, NotFound
from zhidao.core.journal import Entry
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc
from zhidao.devices.domain.custody import Claim, Nonce, StoredChunk, Window
from zhidao.store.database import Database, Session
from zhidao.store.journal import PostgresJournal

_NONCE: Final = (
    "select terminal, nonce, expires_tai_ns, window_id, total, simulated, settled"
    " from devices.nonce"
)


class Windows:
    """The part of `service.ports.Vault` that keeps windows."""

    def __init__(self, database: Database, journal: PostgresJournal) -> None:
        self._database = database
        self._journal = journal

    async def add(self, s: Session, chunks: Sequence[StoredChunk]) -> None:
        """Keeps chunks in a transaction of others; known ones stay as they are."""
        for chunk in chunks:
            await s.execute(
                "insert into devices.chunk (terminal, window_id, sequence, content)"
                " values (%s, %s, %s, %s) on conflict do nothing",
                (chunk.terminal, chunk.window, chunk.sequence, chunk.content),
            )

    async def grant(self, nonce: Nonce) -> None:
        """Writes a nonce down."""
        async with self._database.session() as s:
            await s.execute(
                "insert into devices.nonce (terminal, nonce, expires_tai_ns, window_id, total,"
                " simulated, settled) values (%s, %s, %s, '', 0, false, false)",
                (nonce.terminal, nonce.nonce, nonce.expires_at.tai_ns),
            )

    async def nonce(self, terminal: str, nonce: bytes) -> Nonce:
        """A nonce of this terminal. Raises NotFound."""
        async with self._database.session() as s:
            row = await s.fetch_one(
                f"{_NONCE} where terminal = %s and nonce = %s", (terminal, nonce)
            )
        if row is None:
            raise NotFound("no such nonce")
        return _nonce(row)

    async def claim(self, terminal: str, nonce: bytes, claim: Claim) -> bool:
        """Uses a nonce for one window."""
        wanted = (claim.window, claim.total, claim.simulated)
        async with self._database.session() as s:
            changed = await s.execute(
                "update devices.nonce set window_id = %s, total = %s, simulated = %s"
                " where terminal = %s and nonce = %s and window_id = ''",
                (*wanted, terminal, nonce),
            )
        return bool(changed) or (await self.nonce(terminal, nonce)).claim == claim

    async def open_claims(self) -> tuple[Nonce, ...]:
        """Nonces in use whose window is open."""
        async with self._database.session() as s:
            rows = await s.fetch_all(f"{_NONCE} where window_id <> '' and not settled")
        return tuple(map(_nonce, rows))

    async def chunks(self, terminal: str, window: bytes) -> tuple[StoredChunk, ...]:
        """Chunks of a window by sequence."""
        async with self._database.session() as s:
            rows = await s.fetch_all(
                "select sequence, content from devices.chunk"
                " where terminal = %s and window_id = %s order by sequence",
                (terminal, window),
            )
        return tuple(
            StoredChunk(terminal, window, row["sequence"], bytes(row["content"])) for row in rows
        )

    async def count_chunks(self, terminal: str, window: bytes) -> int:
        """How many chunks of a window are stored."""
        async with self._database.session() as s:
            row = await s.fetch_one(
                "select count(*) as n from devices.chunk where terminal = %s and window_id = %s",
                (terminal, window),
            )
        return int(row["n"]) if row else 0

    async def settle(self, nonce: Nonce, window: Window | None, entries: Sequence[Entry]) -> None:
        """Decides a window once."""

        async def work(s: Session) -> None:
            changed = await s.execute(
                "update devices.nonce set settled = true"
                " where terminal = %s and nonce = %s and not settled",
                (nonce.terminal, nonce.nonce),
            )
            if not changed:
                raise Conflict("this window was decided before")
            if window:
                await _add_window(s, window)
            await self._journal.append_in(s, entries)

        await self._database.run(work)
        self._journal.wake()

    async def window(self, digest: str, terminal: str) -> Window:
        """The newest window of those bytes. Raises NotFound."""
        async with self._database.session() as s:
            row = await s.fetch_one(
                "select * from devices.window_digest"
                " where digest = %s and (%s = '' or terminal = %s)"
                " order by received_tai_ns desc limit 1",
                (digest, terminal, terminal),
            )
        if row is None:
            raise NotFound("no window of that digest")
        return _window(row)

    async def window_before(self, window: Window) -> Window | None:
        """The window that its terminal sent before, or None."""
        async with self._database.session() as s:
            row = await s.fetch_one(
                "select * from devices.window_digest"
                " where terminal = %s and received_tai_ns < %s and digest <> %s"
                " order by received_tai_ns desc limit 1",
                (window.terminal, window.received_at.tai_ns, window.digest),
            )
        return None if row is None else _window(row)


async def _add_window(s: Session, window: Window) -> None:
    await s.execute(
        "insert into devices.window_digest (digest, terminal, window_id, nonce, key, simulated,"
        " received_tai_ns) values (%s, %s, %s, %s, %s, %s, %s)",
        (
            window.digest,
            window.terminal,
            window.window,
            window.nonce,
            window.key.multikey,
            window.simulated,
            window.received_at.tai_ns,
        ),
    )


def _window(row: dict[str, Any]) -> Window:
    return Window(
        terminal=row["terminal"],
        window=bytes(row["window_id"]),
        nonce=bytes(row["nonce"]),
        digest=row["digest"],
        key=PublicKey.from_multikey(row["key"]),
        simulated=row["simulated"],
        received_at=Utc(row["received_tai_ns"]),
    )


def _nonce(row: dict[str, Any]) -> Nonce:
    return Nonce(
        terminal=row["terminal"],
        nonce=bytes(row["nonce"]),
        expires_at=Utc(row["expires_tai_ns"]),
        claim=Claim(bytes(row["window_id"]), row["total"], row["simulated"]),
        settled=row["settled"],
    )
