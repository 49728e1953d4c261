"""The one writer of the log: leaves in the caller's transaction, then a signed checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict, MalformedInput, Refused
from zhidao.core.keys import Signer
from zhidao.core.timescale import NS
from zhidao.trust.domain.log_key import log_origin
from zhidao.trust.domain.merkle import grow, leaf_hash
from zhidao.trust.domain.note import Checkpoint, Cosigner, Note, NoteKey, sign_note
from zhidao.trust.events import Appended
from zhidao.trust.service.log.ports import HeadCopy, LogStore
from zhidao.trust.service.log.reader import LogReader
from zhidao.trust.wire.log.note import checkpoint_text, decode_note, encode_note, parse_checkpoint
from zhidao.trust.wire.log.tiles import ENTRY_BYTES_MAX

# Origin and size of a note stand within so many bytes; its size has at most so many digits.
_LINES_BYTES_MAX: Final = 512


def origin_of(name: str, key: NoteKey | Signer) -> str:
    """The origin of a node's log under a key."""
    return log_origin(name, key.key if isinstance(key, NoteKey) else key.public)


@dataclass(frozen=True, slots=True)
class TimedKey:
    """The log's ML-DSA-44 key. Its line says when, so heads that go back in time convict the log.

    `clock` gives the time; it is never put before that of the head before.
    """

    key: Signer
    clock: Clock


class Sequencer:
    """Implements `trust.commands.Log`. Call `start` before anything else."""

    def __init__(
        self,
        *,
        origin: str,
        key: Signer,
        store: LogStore,
        copy: HeadCopy,
        timed: TimedKey | None = None,
    ) -> None:
        self.note_key = NoteKey(origin, key.public)
        self.reader = LogReader(store)
        self._key = key
        self._timed = timed
        self._cosigner = Cosigner(origin, timed.key) if timed else None
        self._store = store
        self._copy = copy
        self._epoch = 0
        self._recovering = "the log's writer has not started"

    @property
    def origin(self) -> str:
        """The log's name in its checkpoints."""
        return self.note_key.name

    @property
    def recovering(self) -> str:
        """Why nothing is appended or signed now; empty when the log is in order."""
        return self._recovering

    async def start(self) -> None:
        """Takes the lease and compares the database with the copy of the newest checkpoint.

        After a restore of an older database the log is `recovering`: signing a second history
        over the same sizes would be a fork.
        """
        # The lease first: what is compared next could otherwise grow under the comparison.
        self._epoch = await self._store.take()
        self._recovering = await self._gap()

    async def append(self, transaction: object, leaves: Sequence[bytes]) -> Appended:
        """Adds leaves inside the caller's transaction; nothing is public before its commit.

        Raises Refused for a leaf over 65,535 bytes (`leaf_too_large`) and while recovering,
        Conflict (`lease_lost`) if another writer has taken the log.
        """
        self._check_ready()
        for at, leaf in enumerate(leaves):
            if len(leaf) > ENTRY_BYTES_MAX:
                raise Refused(
                    f"leaf {at} of the batch has {len(leaf)} bytes; at most {ENTRY_BYTES_MAX}",
                    code="leaf_too_large",
                )
        # The row lock is held until the caller commits, so that leaves get their places in the
        # order of commits and a reader never sees a gap.
        head = await self._store.lock(transaction)
        if head.epoch != self._epoch:
            raise _lease_lost()
        growth = grow(head.edge, map(leaf_hash, leaves))
        if leaves:
            await self._store.extend(transaction, epoch=self._epoch, growth=growth, leaves=leaves)
        return Appended(first=head.edge.size, size=growth.after.size, root=growth.after.root)

    async def sign_checkpoint(self) -> bytes:
        """The signed note of the newest committed head; the same bytes if asked again.

        The note is kept in the database and as a copy beside it before anybody sees it.
        """
        self._check_ready()
        head, newest = await self._store.newest()
        if head.epoch != self._epoch:
            raise _lease_lost()
        if newest is None or parse_checkpoint(decode_note(newest).text).size != head.edge.size:
            # Of the committed head alone: a head over leaves that roll back would be a second
            # history.
            checkpoint = Checkpoint(self.origin, head.edge.size, head.edge.root)
            note = self._signed(checkpoint_text(checkpoint), newest)
            newest = await self._store.keep_checkpoint(head.edge.size, encode_note(note))
        # Written even if the note stood already: the process may have died between the two.
        if await self._copy.newest() != newest:
            await self._copy.keep(newest)
        return newest

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        """All keys that sign this log's heads: plain first, then the timed one if there is one."""
        return (self.note_key, *([self._cosigner.note_key] if self._cosigner else []))

    def _signed(self, text: str, before: bytes | None) -> Note:
        note = sign_note(text, [(self.origin, self._key)])
        if self._timed is None or self._cosigner is None:
            return note
        at_s = self._timed.clock.now().unix_ns // NS
        if before is not None:
            earlier = decode_note(before).cosigned_by([self._cosigner.note_key])
            # A clock that was set back must not make a later head look older than the one before.
            at_s = max([at_s, *(each.at_s for each in earlier)])
        return note.with_lines([self._cosigner.cosign(text, at_s)])

    def _check_ready(self) -> None:
        if self._recovering:
            raise Refused(
                f"the log is recovering: {self._recovering}",
                code="recovering",
                remedy="restore a newer backup, or declare a new log key (zhidao log new-key)",
            )

    async def _gap(self) -> str:
        """What the database lacks against the copied checkpoint; empty if nothing."""
        copied = await self._copy.newest()
        if copied is None:
            return ""
        try:
            note = decode_note(copied)
            checkpoint = parse_checkpoint(note.text)
            mine = note.signed_by([self.note_key])
        except (MalformedInput, Refused) as error:
            if await self._mended(copied):
                return ""
            return f"the copy of the newest checkpoint is unreadable: {error}"
        if not mine or checkpoint.origin != self.origin:
            return f"the copied checkpoint is of another log, {checkpoint.origin}"
        size = await self.reader.size()
        # Fewer leaves than were signed: a backup was restored, and going on would sign other leaves
        # at places that somebody may hold a proof for.
        if size < checkpoint.size:
            return f"the database has {size} leaves, the newest checkpoint {checkpoint.size}"
        if await self.reader.root(checkpoint.size) != checkpoint.root:
            return f"the database holds another history of {checkpoint.size} leaves"
        return ""

    async def _mended(self, damaged: bytes) -> bool:
        """Puts the database's own signed head in the place of a copy that is no signed note.

        Not where what can still be read of it counts more leaves than the database has: that one
        may be older than the log.
        """
        head, newest = await self._store.newest()
        if newest is None:
            return False
        try:
            note = decode_note(newest)
            checkpoint = parse_checkpoint(note.text)
            mine = note.signed_by([self.note_key])
        except (MalformedInput, Refused):
            return False
        if not mine or checkpoint.size > head.edge.size or _size_in(damaged) > head.edge.size:
            return False
        if await self.reader.root(checkpoint.size) != checkpoint.root:
            return False
        await self._copy.keep(newest)
        return True


def _size_in(damaged: bytes) -> int:
    """The size that a damaged note still names in its second line; 0 if it names none."""
    lines = damaged[:_LINES_BYTES_MAX].split(b"\n")
    return int(lines[1]) if len(lines) > 2 and lines[1].isdigit() else 0


def _lease_lost() -> Conflict:
    return Conflict("another writer has taken the log", code="lease_lost")
