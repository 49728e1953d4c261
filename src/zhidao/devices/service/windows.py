"""Raw windows: nonces given, chunks judged, and the whole recorded once."""

from __future__ import annotations

from typing import Final

from zhidao.core.ambient import Clock, Randomness
from zhidao.core.archive import Archive
from zhidao.core.errors import Conflict, NotFound, Refused, Unavailable
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import NS, Utc
from zhidao.devices.domain.custody import Claim, Nonce, StoredChunk, Terminal, Window
from zhidao.devices.events import WindowReceived
from zhidao.devices.service.ports import Vault
from zhidao.devices.service.quarantine import Quarantine
from zhidao.devices.service.terminal_journal import TerminalJournal
from zhidao.devices.wire.chunk import (
    NONCE_BYTES,
    WINDOW_BYTES_MAX,
    Chunk,
    NonceGrant,
    decode_chunk,
    verify_chunk,
    window_of,
)

NONCE_LIFETIME_S: Final = 900


class Windows:
    """What happens to raw observations between the socket and `WindowReceived`."""

    def __init__(
        self,
        vault: Vault,
        archive: Archive,
        terminal_journal: TerminalJournal,
        clock: Clock,
        randomness: Randomness,
        quarantine: Quarantine | None = None,
    ) -> None:
        self._vault = vault
        self._archive = archive
        self._terminal_journal = terminal_journal
        self._clock = clock
        self._randomness = randomness
        self._quarantine = quarantine or Quarantine()

    async def grant(self, terminal: Terminal) -> NonceGrant:
        """A fresh nonce for the terminal's next window."""
        nonce = self._randomness.token(NONCE_BYTES)
        expires_at = self._clock.now().plus_ns(NONCE_LIFETIME_S * NS)
        await self._vault.grant(Nonce(terminal.terminal, nonce, expires_at))
        return NonceGrant(nonce, NONCE_LIFETIME_S)

    async def judge(self, terminal: Terminal, chunk: Chunk) -> StoredChunk:
        """The chunk as it will be kept.

        Raises Refused: `no_key`, `unknown_key`, `bad_signature`, `replayed_nonce`.
        The nonce is used up only after the signature stood, so that no stranger can burn it.
        """
        verify_chunk(chunk, _key(terminal))
        try:
            nonce = await self._vault.nonce(terminal.terminal, chunk.nonce)
        except NotFound as error:
            raise _replayed("this node did not give its nonce to this terminal") from error
        if self._clock.now() > nonce.expires_at:
            raise _replayed("its nonce has expired")
        claim = Claim(chunk.window, chunk.total, chunk.simulated)
        if not await self._vault.claim(terminal.terminal, chunk.nonce, claim):
            raise _replayed("its nonce was used for another window")
        return StoredChunk(terminal.terminal, chunk.window, chunk.sequence, chunk.encode())

    async def advance(self, terminal: Terminal, nonce: bytes) -> bool:
        """Records the nonce's window if all of it is stored and that was not done before.

        Returns whether it was recorded now. Safe to repeat after a crash at any line.
        """
        state = await self._vault.nonce(terminal.terminal, nonce)
        window = state.claim.window
        if state.settled or not window:
            return False
        if await self._vault.count_chunks(terminal.terminal, window) < state.claim.total:
            return False
        chunks = await self._vault.chunks(terminal.terminal, window)
        if sum(len(chunk.content) for chunk in chunks) > 2 * WINDOW_BYTES_MAX:
            await self._give_up(terminal, state, "the window is too large")
            return False
        contents = [chunk.content for chunk in chunks]
        data = window_of(contents, key=_key(terminal), nonce=nonce)
        await self._record(terminal, state, data, [decode_chunk(c).digest for c in contents])
        return True

    async def tend(self) -> None:
        """Finishes windows that a crash left whole, and gives up those whose nonce has expired.

        A terminal whose rows cannot be read is set aside, and the others go on.
        """
        now = self._clock.now()
        passing = self._quarantine.passed_over
        for state in await self._vault.open_claims():
            if state.terminal in passing:
                continue
            try:
                await self._finish(state, now)
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 (one bad row must not stop the others)
                self._quarantine.put(state.terminal, error)
            else:
                self._quarantine.lift(state.terminal)

    async def _finish(self, state: Nonce, now: Utc) -> None:
        terminal = await self._vault.terminal(state.terminal)
        if not await self.advance(terminal, state.nonce) and now > state.expires_at:
            stored = await self._vault.count_chunks(state.terminal, state.claim.window)
            await self._give_up(terminal, state, f"{stored} of {state.claim.total} chunks came")

    async def _record(
        self, terminal: Terminal, state: Nonce, data: bytes, chunk_digests: list[str]
    ) -> None:
        digest = await self._archive.put(data)
        window = Window(
            terminal=terminal.terminal,
            window=state.claim.window,
            nonce=state.nonce,
            digest=digest,
            key=_key(terminal),
            simulated=state.claim.simulated,
            received_at=self._clock.now(),
        )
        fact = WindowReceived(
            terminal=terminal.terminal,
            key=terminal.multikey,
            digest=digest,
            size_bytes=len(data),
            chunk_digests=chunk_digests,
            nonce=state.nonce.hex(),
            simulated=state.claim.simulated,
        )
        await self._settle(terminal, state, window, fact)

    async def _settle(
        self, terminal: Terminal, state: Nonce, window: Window, fact: WindowReceived
    ) -> None:
        try:
            await self._terminal_journal.write(
                fact,
                terminal=terminal,
                commit=lambda entries: self._vault.settle(state, window, entries),
            )
        except Conflict:
            # Another task may have settled it first; that is the wanted end.
            if not (await self._vault.nonce(state.terminal, state.nonce)).settled:
                raise

    async def _give_up(self, terminal: Terminal, state: Nonce, why: str) -> None:
        # First the fact, then the mark: a crash between them tells it twice rather than never.
        await self._terminal_journal.refuse(terminal, "incomplete", f"window not whole: {why}")
        await self._vault.settle(state, None, ())


def _replayed(why: str) -> Refused:
    return Refused(
        f"chunk refused: {why}",
        code="replayed_nonce",
        remedy="connect again and sign the window over the nonce that the node gives",
    )


def _key(terminal: Terminal) -> PublicKey:
    if terminal.key is None:
        raise Refused(
            f"terminal {terminal.terminal} has no key: what it says is claimed, never proven",
            code="no_key",
            remedy="register a terminal that keeps a key of its own under another name",
        )
    return terminal.key
