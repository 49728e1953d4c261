from __future__ import annotations

from pathlib import Path

import pytest

from zhidao.core.errors import Conflict, NotFound, Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.adapters.log.head_file import FileHeadCopy
from zhidao.trust.adapters.log.memory import MemoryHeadCopy, MemoryLogStore
from zhidao.trust.domain.merkle import leaf_hash, root_of, verify_consistency, verify_inclusion
from zhidao.trust.service.log.ports import HeadCopy
from zhidao.trust.service.log.reader import LogReader, checkpoint_of
from zhidao.trust.service.log.sequencer import Sequencer, origin_of
from zhidao.trust.wire.log.note import decode_note
from zhidao.trust.wire.log.tiles import decode_bundle, parse_tile_path

KEY = SoftwareKey(Algorithm.ED25519, b"k" * 32)
ORIGIN = origin_of("node", KEY)


async def started(store: MemoryLogStore, copy: HeadCopy) -> Sequencer:
    log = Sequencer(origin=ORIGIN, key=KEY, store=store, copy=copy)
    await log.start()
    return log


async def append(log: Sequencer, store: MemoryLogStore, leaves: list[bytes]) -> int:
    async with store.transaction() as transaction:
        return (await log.append(transaction, leaves)).first


def leaves(first: int, last: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(first, last)]


async def test_every_leaf_is_provable_in_every_checkpoint_after_it() -> None:
    store = MemoryLogStore()
    log = await started(store, MemoryHeadCopy())
    sizes = [1, 2, 255, 256, 257, 700]
    for before, size in zip([0, *sizes], sizes, strict=False):
        assert await append(log, store, leaves(before, size)) == before
        checkpoint = checkpoint_of(await log.sign_checkpoint())
        assert (checkpoint.origin, checkpoint.size) == (ORIGIN, size)
        for index in {0, size // 2, size - 1}:
            proof = await log.reader.proof(index)
            verify_inclusion(
                leaf=leaf_hash(proof.leaf),
                index=index,
                size=proof.size,
                proof=proof.inclusion,
                root=checkpoint.root,
            )
    last = await log.reader.root(700)
    for size in sizes:
        verify_consistency(
            first=size,
            second=700,
            first_root=await log.reader.root(size),
            second_root=last,
            proof=await log.reader.consistency(size, 700),
        )


async def test_a_checkpoint_is_signed_once_for_each_size() -> None:
    store = MemoryLogStore()
    log = await started(store, MemoryHeadCopy())
    empty = await log.sign_checkpoint()
    assert checkpoint_of(empty).size == 0
    await append(log, store, leaves(0, 3))
    assert await log.reader.checkpoint() == empty
    note = await log.sign_checkpoint()
    assert await log.sign_checkpoint() == note == await log.reader.checkpoint()
    assert decode_note(note).signed_by([log.note_key]) == (log.note_key,)


async def test_appending_nothing_changes_nothing() -> None:
    store = MemoryLogStore()
    log = await started(store, MemoryHeadCopy())
    async with store.transaction() as transaction:
        nothing = await log.append(transaction, [])
    assert (nothing.first, nothing.size) == (0, 0)


async def test_a_failed_transaction_leaves_no_leaf() -> None:
    store = MemoryLogStore()
    log = await started(store, MemoryHeadCopy())
    with pytest.raises(ZeroDivisionError):
        await _fail_after_appending(log, store)
    assert await log.reader.size() == 0
    with pytest.raises(NotFound):
        await log.reader.leaf(0)


async def _fail_after_appending(log: Sequencer, store: MemoryLogStore) -> None:
    async with store.transaction() as transaction:
        await log.append(transaction, leaves(0, 2))
        raise ZeroDivisionError


async def test_a_leaf_that_no_bundle_can_hold_is_refused() -> None:
    store = MemoryLogStore()
    log = await started(store, MemoryHeadCopy())
    with pytest.raises(Refused, match="leaf 1") as refusal:
        await append(log, store, [b"", bytes(65_536)])
    assert refusal.value.code == "leaf_too_large"


async def test_an_older_writer_neither_appends_nor_signs() -> None:
    store, copy = MemoryLogStore(), MemoryHeadCopy()
    old = await started(store, copy)
    new = await started(store, copy)
    await append(new, store, leaves(0, 1))
    with pytest.raises(Conflict):
        await append(old, store, leaves(1, 2))
    with pytest.raises(Conflict):
        await old.sign_checkpoint()


async def test_an_older_database_beside_a_newer_head_signs_nothing(tmp_path: Path) -> None:
    copy = FileHeadCopy(tmp_path / "log" / "checkpoint")
    store = MemoryLogStore()
    log = await started(store, copy)
    await append(log, store, leaves(0, 5))
    await log.sign_checkpoint()

    backup = MemoryLogStore()
    restored = await started(backup, copy)
    assert "0 leaves, the newest checkpoint 5" in restored.recovering
    with pytest.raises(Refused) as refusal:
        await restored.sign_checkpoint()
    assert refusal.value.code == "recovering"
    with pytest.raises(Refused):
        await append(restored, backup, leaves(0, 5))
    assert (await started(store, copy)).recovering == ""


async def test_another_history_of_the_same_size_is_noticed() -> None:
    copy, store = MemoryHeadCopy(), MemoryLogStore()
    log = await started(store, copy)
    await append(log, store, leaves(0, 5))
    await log.sign_checkpoint()
    other = MemoryLogStore()
    await append(await started(other, MemoryHeadCopy()), other, leaves(1, 7))
    assert "another history" in (await started(other, copy)).recovering


async def test_a_foreign_or_broken_copy_is_noticed() -> None:
    copy = MemoryHeadCopy()
    await copy.keep(b"no note")
    assert "unreadable" in (await started(MemoryLogStore(), copy)).recovering
    stranger = SoftwareKey(Algorithm.ED25519, b"s" * 32)
    elsewhere = Sequencer(
        origin=origin_of("x", stranger),
        key=stranger,
        store=MemoryLogStore(),
        copy=(theirs := MemoryHeadCopy()),
    )
    await elsewhere.start()
    await elsewhere.sign_checkpoint()
    assert "another log" in (await started(MemoryLogStore(), theirs)).recovering


def _flipped(note: bytes, line: int) -> bytes:
    lines = note.split(b"\n")
    lines[line] = lines[line][:-2] + bytes([lines[line][-2] ^ 4]) + lines[line][-1:]
    return b"\n".join(lines)


async def test_a_damaged_copy_is_mended_from_the_head_that_the_database_has() -> None:
    store, copy = MemoryLogStore(), MemoryHeadCopy()
    log = await started(store, copy)
    await append(log, store, leaves(0, 5))
    whole = await log.sign_checkpoint()
    for damaged in (b"", b"no note", whole[: len(whole) // 2], whole[:-3], _flipped(whole, 2)):
        await copy.keep(damaged)
        assert (await started(store, copy)).recovering == "", damaged
        assert await copy.newest() == whole


async def test_a_damaged_copy_that_counts_more_leaves_is_not_mended() -> None:
    store, copy = MemoryLogStore(), MemoryHeadCopy()
    log = await started(store, copy)
    await append(log, store, leaves(0, 5))
    await log.sign_checkpoint()
    older = MemoryLogStore()
    second = await started(older, MemoryHeadCopy())
    await append(second, older, leaves(0, 3))
    await second.sign_checkpoint()
    whole = await copy.newest()
    assert whole is not None
    damaged = whole[:-30]
    await copy.keep(damaged)
    assert "unreadable" in (await started(older, copy)).recovering
    assert await copy.newest() == damaged


async def test_tiles_are_served_as_the_newest_checkpoint_needs_them() -> None:
    store = MemoryLogStore()
    log = await started(store, MemoryHeadCopy())
    await append(log, store, leaves(0, 300))
    await log.sign_checkpoint()
    await append(log, store, leaves(300, 310))
    hashes = [leaf_hash(leaf) for leaf in leaves(0, 310)]
    reader = log.reader
    assert await reader.tile(parse_tile_path("0/000")) == b"".join(hashes[:256])
    assert await reader.tile(parse_tile_path("0/001.p/44")) == b"".join(hashes[256:300])
    assert await reader.tile(parse_tile_path("1/000.p/1")) == root_of(hashes[:256])
    bundle = decode_bundle(await reader.tile(parse_tile_path("entries/001.p/44")))
    assert bundle == tuple(leaves(256, 300))
    for missing in ("0/001", "0/001.p/45", "1/000.p/2", "0/002.p/1", "63/000.p/1"):
        with pytest.raises(NotFound):
            await reader.tile(parse_tile_path(missing))


async def test_proofs_beyond_the_log_are_refused() -> None:
    store = MemoryLogStore()
    log = await started(store, MemoryHeadCopy())
    with pytest.raises(NotFound, match="no checkpoint yet"):
        await log.reader.checkpoint()
    await append(log, store, leaves(0, 3))
    await log.sign_checkpoint()
    for index in (-1, 3, 2**70):
        with pytest.raises(NotFound):
            await log.reader.proof(index)
    with pytest.raises(Refused):
        await log.reader.inclusion(0, 4)


async def test_a_reader_sees_the_log_grow() -> None:
    store = MemoryLogStore()
    log = await started(store, MemoryHeadCopy())
    reader = LogReader(store)
    for size in range(1, 40):
        await append(log, store, leaves(size - 1, size))
        assert await reader.root(size) == root_of([leaf_hash(leaf) for leaf in leaves(0, size)])
