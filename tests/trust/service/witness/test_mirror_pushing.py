"""A log that is brought to a mirror of ours, and to mirrors that lie or fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
from tests.trust.service.witness.test_mirror_adding import Brought
from tests.trust.watch_bench import ORIGIN

from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import Unavailable, ZhidaoError
from zhidao.trust.adapters.log.mirror_positions import MemoryMirrorPositions
from zhidao.trust.domain.mirroring import MirrorTarget, Pushed
from zhidao.trust.domain.witness_rule import OldSizeDiffers
from zhidao.trust.service.witness.head_offering import HeadOffering
from zhidao.trust.service.witness.mirror_pushing import (
    ALARM_AFTER,
    PAUSES,
    MirrorPush,
    MirrorPushing,
)
from zhidao.trust.service.witness.ports import Answer
from zhidao.trust.wire.log.add_checkpoint import decode_add_checkpoint
from zhidao.trust.wire.log.mirror import decode_upload, mirror_info

URL = "https://m.example/witness"


class Line:
    """Implements `Network` to one mirror of ours; `lie` may answer add-entries in its place."""

    def __init__(self, mirror: Brought) -> None:
        self.mirror = mirror
        self.sent: list[tuple[int, int]] = []
        self.packed: list[bool] = []
        self.reads_no_gzip = False
        self.lie: Callable[[], Answer] | None = None
        self.before_entries: Callable[[], object] | None = None

    async def get(self, url: str) -> Answer:
        raise Unavailable(f"nobody asks for {url}")

    async def post(self, url: str, body: bytes, *, kind: str, packed: bool = False) -> Answer:
        try:
            if url == f"{URL}/add-checkpoint":
                return await self._head(body)
            assert (url, kind) == (f"{URL}/add-entries", "application/octet-stream")
            self.packed.append(packed)
            if packed and self.reads_no_gzip:
                return Answer(415, b"")
            return await self._entries(body)
        except ZhidaoError as error:
            return Answer(error.http_status, str(error).encode())

    async def _head(self, body: bytes) -> Answer:
        try:
            lines = await self.mirror.node.witness.add_checkpoint(decode_add_checkpoint(body))
        except OldSizeDiffers as differs:
            return Answer(409, b"%d\n" % differs.size)
        return Answer(200, lines)

    async def _entries(self, body: bytes) -> Answer:
        assert len(body) < 2 * 1024 * 1024
        upload, _ = decode_upload(body)
        self.sent.append((upload.start, upload.end))
        if self.before_entries is not None:
            change, self.before_entries = self.before_entries, None
            await change()  # type: ignore[misc]
        if self.lie is not None:
            return self.lie()
        added = await self.mirror.adding.add(body)
        if added.lines:
            return Answer(200, added.lines)
        told = mirror_info(added.size, next_entry=added.next_entry)
        return Answer(202 if added.is_saved else 409, told)


class Bench:
    """A log with its push; nothing but the push brings the mirror a head."""

    def __init__(self) -> None:
        self.mirror = Brought()
        self.line = Line(self.mirror)
        self.positions = MemoryMirrorPositions()
        self.push = self.started()

    def started(self) -> MirrorPush:
        """The push as after a start of the node."""
        reader = self.mirror.log.log.reader
        return MirrorPush(
            MirrorTarget(URL, (self.mirror.cosigner.note_key,), ("corridor",)),
            origin=ORIGIN,
            reader=reader,
            network=self.line,
            offering=HeadOffering(reader, self.line),
            positions=self.positions,
        )

    async def grow(self, count: int) -> int:
        log = self.mirror.log
        first = len(log.leaves)
        await log.grow(*(b"leaf %d" % n for n in range(first, first + count)))
        return len(log.leaves)

    async def pushed(self) -> Pushed:
        return await self.positions.of(URL)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    await bench.mirror.log.grow()
    await bench.mirror.node.witness.start(keys_are_new=True)
    await bench.mirror.mirrors.start()
    task = asyncio.create_task(bench.mirror.node.witness.run())
    yield bench
    task.cancel()


async def test_a_log_of_any_size_is_brought_and_signed_for(bench: Bench) -> None:
    for count in (1, 255, 1, 700, 9_000):
        size = await bench.grow(count)
        assert await bench.push.step()
        pushed = await bench.pushed()
        assert (pushed.leaves, pushed.cosigned) == (size, size)
        assert pushed.at_s > 0
        assert pushed.lines
        assert await bench.mirror.size() == size
    sent = len(bench.line.sent)
    assert await bench.push.step(), "what is signed for is not brought again"
    assert len(bench.line.sent) == sent


async def test_a_start_goes_on_where_the_last_one_ended(bench: Bench) -> None:
    await bench.grow(300)
    assert await bench.push.step()
    size = await bench.grow(9_000)
    await bench.started().step()
    assert bench.line.sent[1:] == [(300, size), (8_448, size)]
    assert await bench.mirror.size() == size


async def test_entries_go_in_gzip_until_a_mirror_says_that_it_reads_none(bench: Bench) -> None:
    await bench.grow(300)
    assert await bench.push.step()
    assert bench.line.packed == [True]
    bench.line.reads_no_gzip = True
    size = await bench.grow(300)
    assert await bench.push.step()
    await bench.grow(1)
    assert await bench.push.step()
    assert bench.line.packed == [True, True, False, False]
    assert await bench.mirror.size() == size + 1


async def test_a_mirror_that_lost_its_copy_gets_all_again(bench: Bench) -> None:
    size = await bench.grow(600)
    await bench.positions.keep(URL, Pushed(leaves=512, cosigned=256))
    assert await bench.push.step()
    assert bench.line.sent == [(512, size), (0, size)]
    assert (await bench.pushed()).cosigned == size


async def test_a_head_that_came_meanwhile_is_brought_instead(bench: Bench) -> None:
    await bench.grow(300)

    async def newer() -> None:
        await bench.grow(100)
        await bench.mirror.corridor.submit(0, bench.mirror.log)

    bench.line.before_entries = newer
    assert not await bench.push.step(), "there is a newer head than the one we came with"
    assert (await bench.pushed()).cosigned == 400
    assert await bench.push.step()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(202, mirror_info(300, next_entry=0)), "mirror_stuck"),
        (Answer(202, mirror_info(300, next_entry=255)), "mirror_stuck"),
        (Answer(409, mirror_info(300, next_entry=0)), "mirror_stuck"),
        (Answer(409, mirror_info(301, next_entry=0)), "mirror_ahead"),
        (Answer(202, mirror_info(300, next_entry=301)), "mirror_ahead"),
        (Answer(409, mirror_info(0, next_entry=0)), "unavailable"),
        (Answer(409, b"go away"), "malformed_input"),
        (Answer(413, b""), "mirror_refused"),
        (Answer(302, b""), "mirror_refused"),
        (Answer(503, b""), "unavailable"),
        (Answer(200, b""), "malformed_input"),
        (Answer(200, b"x" * 70_000), "bad_signature"),
    ],
)
async def test_a_mirror_that_lies_is_told_of_and_never_counted(
    bench: Bench, answer: Answer, code: str
) -> None:
    await bench.grow(300)
    bench.line.lie = lambda: answer
    with pytest.raises(ZhidaoError) as refusal:
        await bench.push.step()
    assert refusal.value.code == code
    assert (await bench.pushed()).cosigned == 0
    assert len(bench.line.sent) <= 4
    # Once it is honest, all is well.
    bench.line.lie = None
    assert await bench.push.step()


async def test_a_signature_for_another_head_counts_for_nothing(bench: Bench) -> None:
    await bench.grow(300)
    assert await bench.push.step()
    old = (await bench.pushed()).lines
    await bench.grow(1)
    bench.line.lie = lambda: Answer(200, old)
    with pytest.raises(ZhidaoError) as refusal:
        await bench.push.step()
    assert refusal.value.code == "bad_signature"
    assert (await bench.pushed()).cosigned == 300
    # Nor does one of a key that is not listed, even if it is a witness of the policy.
    witness = bench.mirror.node.witness
    lines = await witness.add_checkpoint(
        decode_add_checkpoint(b"old 301\n\n" + await bench.mirror.log.log.reader.checkpoint())
    )
    bench.line.lie = lambda: Answer(200, lines)
    with pytest.raises(ZhidaoError) as refusal:
        await bench.push.step()
    assert refusal.value.code == "bad_signature"


class Told:
    """The alarms that stand, and the pauses that were made."""

    def __init__(self) -> None:
        self.alarms: dict[str, str] = {}
        self.pauses_s: list[float] = []
        self.alarmed: list[bool] = []

    async def sleep(self, pause_s: float) -> None:
        self.pauses_s.append(pause_s)
        self.alarmed.append(bool(self.alarms))
        await asyncio.sleep(0.001)

    def pushing(self, *pushes: MirrorPush) -> MirrorPushing:
        return MirrorPushing(
            pushes,
            randomness=SeededRandomness(3),
            sound=lambda target, problem: self.alarms.update({target.url: problem}),
            clear=lambda target: self.alarms.pop(target.url, None),
            sleep=self.sleep,
        )


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.002)


async def test_who_fails_is_tried_ever_later_and_alarmed_until_it_goes_well(bench: Bench) -> None:
    await bench.grow(300)
    told = Told()
    bench.line.lie = lambda: Answer(503, b"")
    pushing = told.pushing(bench.push)
    running = asyncio.create_task(pushing.run())
    await _until(lambda: len(told.pauses_s) > 12)
    assert told.alarmed[:ALARM_AFTER] == [False] * (ALARM_AFTER - 1) + [True]
    pauses_s = told.pauses_s[:12]
    for at, pause_s in enumerate(pauses_s):
        longest_s = min(2.0**at, PAUSES.longest_s)
        assert longest_s / 2 <= pause_s <= longest_s
    [state] = await pushing.states()
    assert (state.problem, told.alarms) == ("it answered 503", {URL: "it answered 503"})
    assert state.failures >= 12
    bench.line.lie = None
    await _until(lambda: not told.alarms)
    [state] = await pushing.states()
    assert (state.problem, state.failures, state.pushed.cosigned) == ("", 0, 300)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_lie_is_alarmed_at_once_and_holds_up_no_other_mirror(bench: Bench) -> None:
    other = Bench()
    other.mirror.log = bench.mirror.log
    await other.mirror.node.witness.start(keys_are_new=True)
    await other.mirror.mirrors.start()
    witness = asyncio.create_task(other.mirror.node.witness.run())
    other.push = other.started()
    await bench.grow(300)
    told = Told()
    bench.line.lie = lambda: Answer(409, mirror_info(9_999, next_entry=0))
    running = asyncio.create_task(told.pushing(bench.push, other.push).run())
    await _until(lambda: len(told.alarms) == 1 and bool(other.line.sent))
    async with asyncio.timeout(5):
        while (await other.pushed()).cosigned != 300:
            await asyncio.sleep(0.002)
    for task in (running, witness):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
