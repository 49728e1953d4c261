from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.ambient import HandClock
from zhidao.core.errors import Forbidden, MalformedInput, NotFound, Refused, Unavailable
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trust.adapters.log.memory import MemoryHeadCopy, MemoryLogStore
from zhidao.trust.adapters.witness.memory import MemoryWitnessStore
from zhidao.trust.domain.note import Cosigner
from zhidao.trust.domain.witness_rule import HeldHead, OldSizeDiffers
from zhidao.trust.service.log.entries import COMMITMENT_PREFIX, Entries, commitment_leaves
from zhidao.trust.service.log.sequencer import Sequencer, TimedKey
from zhidao.trust.service.witness.checkpoint_witness import Witness
from zhidao.trust.wire.log.add_checkpoint import (
    AddCheckpoint,
    decode_add_checkpoint,
    encode_add_checkpoint,
)
from zhidao.trust.wire.log.note import decode_lines, decode_note

KEY = SoftwareKey(Algorithm.ED25519, b"k" * 32)
PQ_KEY = SoftwareKey(Algorithm.ML_DSA_44, b"q" * 32)
COSIGNERS = [
    Cosigner("witness.example", SoftwareKey(Algorithm.ED25519, b"w" * 32)),
    Cosigner("witness.example", SoftwareKey(Algorithm.ML_DSA_44, b"w" * 32)),
]
NOW = Utc.parse("2026-11-24T10:00:00Z")


class Log:
    """A small log in memory that can be asked to prove its growth."""

    def __init__(self, origin: str = "log.example", clock: HandClock | None = None) -> None:
        self.store = MemoryLogStore()
        timed = TimedKey(PQ_KEY, clock or HandClock(NOW))
        self.log = Sequencer(
            origin=origin, key=KEY, store=self.store, copy=MemoryHeadCopy(), timed=timed
        )

    async def grow(self, *leaves: bytes) -> bytes:
        if self.log.recovering:
            await self.log.start()
        async with self.store.transaction() as transaction:
            await self.log.append(transaction, leaves)
        return await self.log.sign_checkpoint()

    async def request(self, old: int, note: bytes) -> AddCheckpoint:
        size = decode_add_checkpoint(encode_add_checkpoint(0, [], note)).checkpoint.size
        proof: Sequence[bytes] = await self.log.reader.consistency(old, size) if old else []
        return decode_add_checkpoint(encode_add_checkpoint(old, proof, note))


@asynccontextmanager
async def witness(
    log: Log, store: MemoryWitnessStore, clock: HandClock | None = None
) -> AsyncIterator[Witness]:
    made = Witness(
        cosigners=COSIGNERS,
        logs=lambda: {log.log.origin: log.log.keys},
        store=store,
        clock=clock or HandClock(NOW),
    )
    await made.start(keys_are_new=True)
    running = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_log_that_grows_is_cosigned_by_both_keys() -> None:
    log = Log()
    async with witness(log, MemoryWitnessStore()) as made:
        for old, leaves in ((0, [b"a"]), (1, [b"b", b"c"]), (3, [])):
            note = await log.grow(*leaves)
            lines = decode_lines(await made.add_checkpoint(await log.request(old, note)))
            cosigned = decode_note(note).with_lines(lines)
            assert len(cosigned.cosigned_by(made.keys)) == 2
            assert len(cosigned.cosigned_by(log.log.keys)) == 1
        held = made.held(log.log.origin)
        assert held is not None
        assert held.size == 3
        assert decode_note(held.note).signed_by([*made.keys, log.log.note_key])


async def test_a_second_history_is_refused_and_told() -> None:
    log, fork = Log(), Log()
    await log.grow(b"a", b"b")
    await fork.grow(b"a", b"other")
    async with witness(log, MemoryWitnessStore()) as made:
        told: list[tuple[AddCheckpoint, HeldHead]] = []
        made.on_contradiction = lambda request, held: told.append((request, held))
        await made.add_checkpoint(await log.request(0, await log.grow()))
        forked = await fork.request(2, await fork.grow(b"c"))
        with pytest.raises(Refused) as refusal:
            await made.add_checkpoint(forked)
        assert refusal.value.code == "inconsistent"
        with pytest.raises(OldSizeDiffers):
            await made.add_checkpoint(await log.request(1, await log.grow(b"c")))
        assert [request for request, _ in told] == [forked]
        same_size = await fork.request(0, (await Log().grow(b"x", b"y")))
        with pytest.raises(OldSizeDiffers) as differs:
            await made.add_checkpoint(same_size)
        assert differs.value.size == 2
        assert told[-1][0] is same_size


async def test_strangers_are_told_apart() -> None:
    log, stranger = Log(), Log("other.example")
    async with witness(log, MemoryWitnessStore()) as made:
        with pytest.raises(NotFound):
            await made.add_checkpoint(await stranger.request(0, await stranger.grow(b"a")))
        note = await log.grow(b"a")
        unsigned = note.partition(b"\n\n")[0] + b"\n\n" + (await stranger.grow()).split(b"\n\n")[1]
        with pytest.raises(Forbidden):
            await made.add_checkpoint(await log.request(0, unsigned))
        with pytest.raises(MalformedInput):
            await made.add_checkpoint(decode_add_checkpoint(encode_add_checkpoint(9, [], note)))


async def test_many_requests_at_once_leave_one_line_of_history() -> None:
    log = Log()
    notes = [await log.grow(b"%d" % number) for number in range(12)]
    async with witness(log, MemoryWitnessStore()) as made:
        requests = [await log.request(old, note) for old, note in enumerate(notes)]
        first = [made.add_checkpoint(requests[0]) for _ in range(6)]
        answers = await asyncio.gather(*first, return_exceptions=True)
        assert sum(isinstance(answer, bytes) for answer in answers) == 1
        assert sum(isinstance(answer, OldSizeDiffers) for answer in answers) == 5
        for request in requests[1:]:
            await made.add_checkpoint(request)
        assert made.heads()[log.log.origin].size == 12


async def test_keys_that_cosigned_do_not_start_without_what_they_cosigned() -> None:
    log = Log()
    made = Witness(cosigners=COSIGNERS, logs=dict, store=MemoryWitnessStore(), clock=HandClock(NOW))
    with pytest.raises(Unavailable):
        await made.add_checkpoint(await log.request(0, await log.grow(b"a")))
    with pytest.raises(Refused) as refusal:
        await made.start(keys_are_new=False)
    assert refusal.value.code == "witness_state_lost"


async def test_a_clock_that_falls_back_dates_nothing_earlier() -> None:
    log, clock = Log(), HandClock(NOW)
    async with witness(log, MemoryWitnessStore(), clock) as made:
        await made.add_checkpoint(await log.request(0, await log.grow(b"a")))
        clock.advance(-3)
        note = await log.grow(b"b")
        lines = decode_lines(await made.add_checkpoint(await log.request(1, note)))
        [at_s, _] = [
            each.at_s for each in decode_note(note).with_lines(lines).cosigned_by(made.keys)
        ]
        assert at_s == NOW.unix_ns // 10**9
        clock.advance(-3600)
        with pytest.raises(Unavailable):
            await made.add_checkpoint(await log.request(2, await log.grow(b"c")))


async def test_a_log_dates_its_heads_forwards_only() -> None:
    clock = HandClock(NOW)
    log = Log(clock=clock)
    times = []
    for step in (0, 50, -20, 5):
        clock.advance(step)
        note = decode_note(await log.grow(b"x"))
        times += [each.at_s for each in note.cosigned_by(log.log.keys)]
    assert times == sorted(times)
    assert times[1] - times[0] == 50


@given(st.binary(max_size=80) | st.builds(lambda b: b"old 0\n\n" + b, st.binary(max_size=60)))
def test_any_bytes_are_a_request_or_malformed(data: bytes) -> None:
    with suppress(MalformedInput):
        decode_add_checkpoint(data)


async def test_entries_are_answered_when_a_signed_head_covers_them() -> None:
    log = Log()
    await log.log.start()
    entries = Entries(log.log, log.store)
    running = asyncio.create_task(entries.run())
    answers = await asyncio.gather(
        *(entries.add(commitment_leaves(bytes([n]) * 32 * (n + 1))) for n in range(20))
    )
    for number, answer in enumerate(answers):
        size = decode_add_checkpoint(
            encode_add_checkpoint(0, [], answer.checkpoint)
        ).checkpoint.size
        assert answer.first + answer.count <= size
        assert await log.log.reader.leaf(answer.first) == COMMITMENT_PREFIX + bytes([number]) * 32
    assert sum(answer.count for answer in answers) == await log.log.reader.size()
    assert len({answer.checkpoint for answer in answers}) == 1
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    for bad in (b"", b"x" * 31, bytes(32 * 257)):
        with pytest.raises(MalformedInput):
            commitment_leaves(bad)
