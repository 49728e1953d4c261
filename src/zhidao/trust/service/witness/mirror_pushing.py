"""Brings this log to its mirrors, whatever they say and however often they fail.

A mirror is believed in nothing but where to go on, and there only as far as the log reaches; that
it keeps all entries counts once it has cosigned the head. How far each has the log is kept, so a
restart goes on. Source: C2SP tlog-mirror (revision 0838f7b4), the side of the client.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from zhidao.core.ambient import Randomness
from zhidao.core.errors import NotFound, Refused, Unavailable, ZhidaoError
from zhidao.core.retry_policy import RetryPolicy
from zhidao.trust.domain.mirroring import MirrorTarget, Pushed
from zhidao.trust.domain.note import Checkpoint, Note
from zhidao.trust.service.log.reader import LogReader, checkpoint_of
from zhidao.trust.service.witness.head_offering import HeadOffering
from zhidao.trust.service.witness.ports import Answer, MirrorPositions, Network
from zhidao.trust.wire.log.mirror import (
    MirrorInfo,
    Package,
    Upload,
    decode_mirror_info,
    encode_upload,
)
from zhidao.trust.wire.log.note import checkpoint_text, decode_lines

# A mirror of ours reads 2 MiB of one request.
_BODY_BYTES: Final = 1024 * 1024
_PACKAGES_MAX: Final = 32
_REQUESTS_A_TURN: Final = 64
_TURNED_AWAY_MAX: Final = 3
_NO_SUCH_CODING: Final = 415
_LINES_BYTES_MAX: Final = 64 * 1024
EVERY_S: Final = 5.0
# With jitter, so that many nodes do not come together to a mirror that was away.
PAUSES: Final = RetryPolicy(first_s=1.0, longest_s=300.0, jitter=0.5)
# About half a minute of failing; a lie is told of at once.
ALARM_AFTER: Final = 5
_LIES: Final = ("bad_signature", "mirror_ahead")
_LOG: Final = logging.getLogger("zhidao.mirror")


class MirrorPush:
    """The way of one log to one mirror."""

    def __init__(
        self,
        target: MirrorTarget,
        *,
        origin: str,
        reader: LogReader,
        network: Network,
        offering: HeadOffering,
        positions: MirrorPositions,
    ) -> None:
        self.target = target
        self._origin = origin
        self._reader = reader
        self._network = network
        self._offering = offering
        self._positions = positions
        # Until the mirror says that it does not read gzip.
        self._is_packed = True

    async def pushed(self) -> Pushed:
        """How far the mirror has the log."""
        return await self._positions.of(self.target.url)

    async def step(self) -> bool:
        """Brings what the mirror lacks of the newest head; True once it has cosigned it.

        False: more is to be brought at once. Raises Unavailable, MalformedInput, and Refused:
        `mirror_ahead` (it claims leaves that this log does not have), `mirror_stuck` (it takes
        nothing), `bad_signature` (its cosignature does not hold), `witness_refused`.
        """
        try:
            note = await self._reader.checkpoint()
        except NotFound:
            return True
        head = checkpoint_of(note)
        pushed = await self.pushed()
        if pushed.cosigned == head.size:
            return True
        await self._offering.offer(self.target.url, note)
        upload = Upload(self._origin, min(pushed.leaves, head.size), head.size, b"")
        turned_away = 0
        for _ in range(_REQUESTS_A_TURN):
            packages = await self._packages(upload)
            answer = await self._send(upload, packages)
            if answer.status == 200:
                await self._keep_cosigned(upload.end, answer.body)
                return upload.end == head.size
            told = _told(answer)
            upload = await self._next(upload, told)
            if answer.status == 202 and upload.start < packages[0].leaves[1]:
                raise Refused("it says that it takes entries, and keeps none", code="mirror_stuck")
            turned_away += answer.status == 409
            if turned_away > _TURNED_AWAY_MAX:
                raise Refused("it sends us elsewhere each time", code="mirror_stuck")
            kept = replace(await self.pushed(), leaves=upload.start)
            await self._positions.keep(self.target.url, kept)
        return False

    async def _packages(self, upload: Upload) -> list[Package]:
        """The first packages of the upload, one at least where any is left."""
        found: list[Package] = []
        room = _BODY_BYTES
        for first, end in islice(upload.packages(), _PACKAGES_MAX):
            entries = await self._reader.entries(first, end - first)
            package = Package((first, end), entries, ())
            room -= sum(len(entry) + 2 for entry in entries)
            if found and room < 0:
                break
            proof = await self._reader.subtree(package.subtree, upload.end)
            found.append(replace(package, proof=proof))
        return found

    async def _send(self, upload: Upload, packages: Sequence[Package]) -> Answer:
        url, body = f"{self.target.url}/add-entries", encode_upload(upload, packages)
        answer = await self._post(url, body)
        if self._is_packed and answer.status == _NO_SUCH_CODING:
            self._is_packed = False
            answer = await self._post(url, body)
        if answer.status >= 500 or answer.status == 429:
            raise Unavailable(f"it answered {answer.status}")
        if answer.status == 202 and not packages:
            raise Refused("it says that it takes entries where there are none", code="mirror_stuck")
        return answer

    async def _post(self, url: str, body: bytes) -> Answer:
        kind = "application/octet-stream"
        return await self._network.post(url, body, kind=kind, packed=self._is_packed)

    async def _next(self, upload: Upload, told: MirrorInfo) -> Upload:
        """What to send next, if what the mirror told can be."""
        size = checkpoint_of(await self._reader.checkpoint()).size
        if told.size > size or told.next_entry > size:
            raise Refused(
                f"it claims a head of {told.size} leaves and {told.next_entry} entries, and this"
                f" log has {size}",
                code="mirror_ahead",
            )
        if told.size < max(upload.end, told.next_entry):
            raise Unavailable(f"it does not know the head of {upload.end} leaves yet")
        # Its witness may have taken a newer head meanwhile: then that one is brought.
        return Upload(self._origin, told.next_entry, told.size, told.ticket)

    async def _keep_cosigned(self, size: int, body: bytes) -> None:
        """Keeps that the mirror has all, if one of its keys says so of our own head."""
        if len(body) > _LINES_BYTES_MAX:
            raise Refused(
                f"its cosignatures have more than {_LINES_BYTES_MAX} bytes", code="bad_signature"
            )
        root = await self._reader.root(size)
        note = Note(checkpoint_text(Checkpoint(self._origin, size, root)), decode_lines(body))
        cosigned = note.cosigned_by(self.target.keys)
        if not cosigned:
            raise Refused("it cosigns with none of its listed keys", code="bad_signature")
        at_s = max(each.at_s for each in cosigned)
        await self._positions.keep(self.target.url, Pushed(size, size, at_s, body))


def _told(answer: Answer) -> MirrorInfo:
    if answer.status not in (202, 409):
        said = answer.body[:120]
        raise Refused(f"it answered {answer.status}: {said!r}", code="mirror_refused")
    return decode_mirror_info(answer.body)


@dataclass(frozen=True, slots=True)
class PushState:
    """How a push stands: `problem` is empty while it goes well, `failures` in a row."""

    target: MirrorTarget
    pushed: Pushed
    problem: str
    failures: int


class MirrorPushing:
    """Keeps up all pushes, each for itself, so that a slow mirror holds up no other.

    `sound(target, problem, behind)` and `clear(target)` raise an alarm and take it back; `sleep`
    waits so many seconds.
    """

    def __init__(
        self,
        pushes: Sequence[MirrorPush],
        *,
        randomness: Randomness,
        sound: Callable[[MirrorTarget, str], None],
        clear: Callable[[MirrorTarget], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.pushes = tuple(pushes)
        self._randomness = randomness
        self._sound = sound
        self._clear = clear
        self._sleep = sleep
        self._problems: dict[str, tuple[str, int]] = {}

    async def run(self) -> None:
        """Until cancelled. A mistake of ours in one push ends all, and the caller starts anew."""
        async with asyncio.TaskGroup() as group:
            for push in self.pushes:
                group.create_task(self._keep_up(push))

    async def states(self) -> list[PushState]:
        """How each push stands now."""
        found = []
        for push in self.pushes:
            problem, failures = self._problems.get(push.target.url, ("", 0))
            found.append(PushState(push.target, await push.pushed(), problem, failures))
        return found

    async def _keep_up(self, push: MirrorPush) -> None:
        failures = 0
        while True:
            try:
                is_done = await push.step()
            except ZhidaoError as error:
                failures += 1
                self._failed(push.target, error, failures)
                await self._sleep(PAUSES.pause_s(failures, self._randomness))
                continue
            failures = 0
            if self._problems.pop(push.target.url, None):
                self._clear(push.target)
            await self._sleep(EVERY_S if is_done else 0)

    def _failed(self, target: MirrorTarget, error: ZhidaoError, failures: int) -> None:
        self._problems[target.url] = (str(error), failures)
        _LOG.warning("the mirror at %s has not all: %s", target.url, error)
        if failures >= ALARM_AFTER or error.code in _LIES:
            self._sound(target, str(error))
