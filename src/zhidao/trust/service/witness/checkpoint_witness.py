"""A witness: cosigns a checkpoint when it is proven to continue what was cosigned before.

Requests that arrive together are made durable together; a signature leaves only after that.
Source: C2SP tlog-witness 1.1.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.errors import Forbidden, NotFound, Refused, Unavailable
from zhidao.core.timescale import NS
from zhidao.trust.domain.note import Cosigner, Note, NoteKey, NoteSignature
from zhidao.trust.domain.witness_rule import HeldHead, OldSizeDiffers, check_growth
from zhidao.trust.service.witness.ports import Move, WitnessStore
from zhidao.trust.wire.log.add_checkpoint import AddCheckpoint
from zhidao.trust.wire.log.note import encode_lines, encode_note

BATCH_MAX: Final = 512
_WAITING_MAX: Final = 4096
# A clock that lags by more than this behind an earlier cosignature needs a person.
_CLOCK_SLACK_S: Final = 5

Alarm = Callable[[AddCheckpoint, HeldHead], None]
"""Called with a signed request that contradicts the held head: it may prove a fork."""


@dataclass(slots=True)
class _Waiting:
    request: AddCheckpoint
    answer: asyncio.Future[bytes] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Witness:
    """Cosigns for the logs it knows. Call `start` first, and let `run` run."""

    def __init__(
        self,
        *,
        cosigners: Sequence[Cosigner],
        logs: Callable[[], Mapping[str, Sequence[NoteKey]]],
        store: WitnessStore,
        clock: Clock,
    ) -> None:
        self._cosigners = tuple(cosigners)
        self._logs = logs
        self._store = store
        self._clock = clock
        self._held: dict[str, HeldHead] = {}
        self._queue: list[_Waiting] = []
        self._woken = asyncio.Event()
        self._started = False
        self.on_contradiction: Alarm = lambda _request, _held: None
        self.on_cosigned: Callable[[str], None] = lambda _origin: None
        self.is_convicted: Callable[[str], bool] = lambda _origin: False

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        """The keys under which it cosigns."""
        return tuple(cosigner.note_key for cosigner in self._cosigners)

    async def start(self, *, keys_are_new: bool) -> None:
        """Reads what was cosigned before.

        Raises Refused (`witness_state_lost`) if these keys have cosigned and the store is empty:
        going on would be to sign a second history.
        """
        empty = await self._store.bind(",".join(sorted(k.id.hex() + k.name for k in self.keys)))
        if empty and not keys_are_new:
            raise Refused(
                "this witness's keys have been used, and what they cosigned is not here",
                code="witness_state_lost",
                remedy="restore the witness's state, or make new witness keys",
            )
        self._held = dict(await self._store.held())
        self._started = True

    def held(self, origin: str) -> HeldHead | None:
        """The newest head that this witness cosigned, or None."""
        return self._held.get(origin)

    def heads(self) -> Mapping[str, HeldHead]:
        """All heads by origin."""
        return self._held

    async def add_checkpoint(self, request: AddCheckpoint) -> bytes:
        """Cosignature lines over the checkpoint, made durable before they are returned.

        Raises NotFound (unknown log), Forbidden (no signature of a known key of that log),
        MalformedInput, OldSizeDiffers, Refused (`inconsistent`), Unavailable.
        """
        if not self._started:
            raise Unavailable("the witness has not started", remedy="ask again")
        self.check_signed(request.note, request.checkpoint.origin)
        if self.is_convicted(request.checkpoint.origin):
            raise Forbidden("this log was proven to tell two histories", code="log_convicted")
        self._check(request)
        if len(self._queue) >= _WAITING_MAX:
            raise Unavailable(f"{_WAITING_MAX} requests wait for this witness already", code="busy")
        waiting = _Waiting(request)
        self._queue.append(waiting)
        self._woken.set()
        return await waiting.answer

    def check_signed(self, note: Note, origin: str) -> tuple[NoteKey, ...]:
        """The log's keys that signed. Raises NotFound, Forbidden."""
        keys = self._logs().get(origin)
        if not keys:
            raise NotFound(f"this witness does not know the log {origin[:80]!r}")
        try:
            signed = note.signed_by(keys)
        except Refused as error:
            raise Forbidden(str(error), code="bad_signature") from error
        if not signed:
            raise Forbidden("no known key of the log signed the checkpoint", code="bad_signature")
        return signed

    async def run(self) -> None:
        """Makes waiting requests durable, a batch at a time, until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._queue:
                batch, self._queue = self._queue[:BATCH_MAX], self._queue[BATCH_MAX:]
                try:
                    await self._settle(batch)
                except Exception as error:
                    for waiting in batch:
                        if not waiting.answer.done():
                            waiting.answer.set_exception(_told(error))
                    if not isinstance(error, Refused | Unavailable):
                        raise

    def _check(self, request: AddCheckpoint) -> HeldHead:
        held = self._held.get(request.checkpoint.origin, HeldHead())
        try:
            check_growth(
                held,
                old_size=request.old_size,
                proof=request.proof,
                checkpoint=request.checkpoint,
            )
        except OldSizeDiffers:
            if request.checkpoint.size == held.size and request.checkpoint.root != held.root:
                self.on_contradiction(request, held)
            raise
        except Refused:
            self.on_contradiction(request, held)
            raise
        return held

    async def _settle(self, batch: Sequence[_Waiting]) -> None:
        """One durable step: of each log the first request; the others are judged after it."""
        moves: dict[str, tuple[_Waiting, Move, bytes]] = {}
        later: list[_Waiting] = []
        for waiting in batch:
            origin = waiting.request.checkpoint.origin
            if origin in moves:
                later.append(waiting)
                continue
            try:
                moves[origin] = (waiting, *self._move(waiting.request))
            except Exception as error:  # noqa: BLE001 (handed to whoever asked)
                waiting.answer.set_exception(error)
        kept = await self._store.advance([move for _, move, _ in moves.values()])
        for (waiting, move, lines), stands in zip(moves.values(), kept, strict=True):
            if not stands:
                # Another process of this witness wrote: what it holds decides.
                self._held = dict(await self._store.held())
                waiting.answer.set_exception(
                    OldSizeDiffers(self._held.get(move.origin, HeldHead()).size)
                )
                continue
            self._held[move.origin] = move.after
            if not waiting.answer.done():
                waiting.answer.set_result(lines)
            self.on_cosigned(move.origin)
        self._queue = later + self._queue

    def _move(self, request: AddCheckpoint) -> tuple[Move, bytes]:
        held = self._check(request)
        now_s = self._clock.now().unix_ns // NS
        if now_s < held.at_s:
            if held.at_s - now_s > _CLOCK_SLACK_S:
                raise Unavailable("the witness's clock stands behind its last cosignature")
            now_s = held.at_s
        lines = [cosigner.cosign(request.note.text, now_s) for cosigner in self._cosigners]
        kept = _by_the_log(request.note, self._logs()[request.checkpoint.origin], lines)
        after = HeldHead(request.checkpoint.size, request.checkpoint.root, now_s, kept)
        return Move(request.checkpoint.origin, held, after), encode_lines(lines)


def _by_the_log(note: Note, keys: Iterable[NoteKey], lines: Sequence[NoteSignature]) -> bytes:
    known = {(key.name, key.id) for key in keys}
    own = tuple(line for line in note.signatures if (line.name, line.key_id) in known)
    return encode_note(Note(note.text, own).with_lines(lines))


def _told(error: Exception) -> Exception:
    """One exception for each who waits: a raised one bears the traceback of who raised it."""
    if isinstance(error, Refused | Unavailable):
        return Unavailable(f"the witness could not keep its state: {error}", remedy="ask again")
    return Unavailable("the witness failed; nothing was signed", remedy="ask again")
