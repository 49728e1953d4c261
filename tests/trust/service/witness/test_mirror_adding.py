"""Entries brought to a mirror, by the rules of C2SP tlog-mirror."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from tests.trust.watch_bench import ORIGIN, Corridor, LyingLog, fork_of

from zhidao.core.errors import MalformedInput, NotFound, Refused, Unavailable
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.note import Cosigner
from zhidao.trust.service.log.reader import checkpoint_of
from zhidao.trust.service.witness.mirror import Mirrors, MirrorSigner
from zhidao.trust.service.witness.mirror_adding import BEHIND_MAX, Added, MirrorAdding
from zhidao.trust.wire.log.mirror import Package, Upload, decode_upload, encode_upload, mirror_info
from zhidao.trust.wire.log.note import decode_lines, decode_note


class Brought:
    """A mirror that fetches nothing, and a client that brings it entries."""

    def __init__(self) -> None:
        self.corridor = Corridor(1)
        self.log = self.corridor.log
        [self.node] = self.corridor.nodes
        self.cosigner = Cosigner("m.example", SoftwareKey(Algorithm.ED25519, b"m" * 32))
        self.mirrors = Mirrors(
            peers=self.node.mirrors._peers,
            network=self.node.mirrors._network,
            open_store=self.node.mirrors._open_store,
            signer=MirrorSigner((self.cosigner,), self.corridor.clock),
        )
        self.adding = MirrorAdding(self.mirrors, self.node.witness.held)

    async def grow(self, count: int) -> int:
        """More leaves, and the head over them at the witness; the size."""
        first = len(self.log.leaves)
        await self.log.grow(*(b"leaf %d" % n for n in range(first, first + count)))
        await self.corridor.submit(0, self.log)
        return len(self.log.leaves)

    async def packages(
        self, start: int, end: int, *, log: LyingLog | None = None, size: int = 0
    ) -> tuple[Upload, list[Package]]:
        log = log or self.log
        upload = Upload(ORIGIN, start, size or end, b"")
        found = []
        for leaves in Upload(ORIGIN, start, end, b"").packages():
            package = Package(leaves, tuple(log.leaves[leaves[0] : leaves[1]]), ())
            proof = await log.log.reader.subtree(package.subtree, upload.end)
            found.append(replace(package, proof=proof))
        return upload, found

    async def bring(self, start: int, end: int, **more: Any) -> Added:
        return await self.adding.add(encode_upload(*await self.packages(start, end, **more)))

    async def size(self) -> int:
        copy = self.mirrors.copy_of(ORIGIN)
        assert copy is not None
        return await copy.size()


@pytest.fixture
async def mirror() -> AsyncIterator[Brought]:
    mirror = Brought()
    await mirror.log.grow()
    await mirror.node.witness.start(keys_are_new=True)
    await mirror.mirrors.start()
    task = asyncio.create_task(mirror.node.witness.run())
    yield mirror
    task.cancel()


async def test_a_mirror_signs_a_head_once_it_holds_all_its_entries(mirror: Brought) -> None:
    size = await mirror.grow(600)
    added = await mirror.bring(0, size)
    reader = mirror.mirrors.of(ORIGIN)
    assert reader is not None
    assert await reader.size() == size
    assert [await reader.leaf(n) for n in (0, 255, 256, 599)] == [
        mirror.log.leaves[n] for n in (0, 255, 256, 599)
    ]
    note = decode_note(await reader.checkpoint())
    assert [c.key for c in note.cosigned_by([mirror.cosigner.note_key])] == [
        mirror.cosigner.note_key
    ]
    signed = replace(note, signatures=decode_lines(added.lines))
    assert len(signed.cosigned_by([mirror.cosigner.note_key])) == 1
    # It keeps the log's own signature too, and served is what was signed.
    assert note.signed_by(mirror.log.log.keys)
    assert checkpoint_of(await reader.checkpoint()).size == size


async def test_a_part_is_kept_and_the_rest_is_asked_for(mirror: Brought) -> None:
    size = await mirror.grow(700)
    upload, packages = await mirror.packages(0, size)
    first = await mirror.adding.add(encode_upload(upload, packages[:1]))
    assert first == Added(size, 256, is_saved=True)
    # Cut inside the second package: what is whole counts.
    rest = encode_upload(replace(upload, start=256), packages[1:])
    assert await mirror.adding.add(rest[:-40]) == Added(size, 512, is_saved=True)
    reader = mirror.mirrors.of(ORIGIN)
    assert reader is not None
    with pytest.raises(NotFound):
        await reader.checkpoint()
    done = await mirror.bring(500, size)
    assert done.lines, "it may begin before what is lacking"
    assert (await mirror.bring(size, size)).lines, "and be asked again"


async def test_compressed_is_as_good_as_plain(mirror: Brought) -> None:
    size = await mirror.grow(300)
    body = gzip.compress(encode_upload(*await mirror.packages(0, size)))
    assert (await mirror.adding.add(body, is_gzip=True)).lines
    with pytest.raises(MalformedInput):
        await mirror.adding.add(b"no gzip", is_gzip=True)


async def test_a_log_goes_on_from_any_size(mirror: Brought) -> None:
    for count in (1, 255, 1, 300, 3):
        before = await mirror.size()
        size = await mirror.grow(count)
        assert (await mirror.bring(before, size)).lines
        assert await mirror.size() == size


@pytest.mark.bound("trust.service.witness.mirror_adding.BEHIND_MAX")
async def test_who_does_not_know_where_to_start_is_told(mirror: Brought) -> None:
    size = await mirror.grow(300)
    for start, end in ((0, 0), (0, 299), (0, 301), (257, size)):
        told = await mirror.adding.add(encode_upload(Upload(ORIGIN, start, end, b""), []))
        assert told == Added(size, 0, is_saved=False)
    assert mirror_info(300, next_entry=0) == b"300\n0\n\n"
    await mirror.bring(0, size)
    await mirror.grow(9_000)
    # An older head is known, but the mirror may not go back to it.
    assert (await mirror.bring(300, 9_300)).lines
    assert await mirror.bring(size, size) == Added(9_300, 9_300, is_saved=False)
    far = Upload(ORIGIN, 9_300 - BEHIND_MAX - 1, 9_300, b"")
    assert await mirror.adding.add(encode_upload(far, [])) == Added(9_300, 9_300, is_saved=False)
    assert (await mirror.bring(9_300 - BEHIND_MAX, 9_300)).lines


async def test_an_upload_that_began_under_an_older_head_may_end(mirror: Brought) -> None:
    size = await mirror.grow(300)
    await mirror.bring(0, 256, size=size)
    await mirror.grow(50)
    added = await mirror.bring(256, size)
    assert added.lines
    assert await mirror.size() == size


async def test_what_is_not_proven_is_not_kept(mirror: Brought) -> None:
    size = await mirror.grow(300)
    upload, packages = await mirror.packages(0, size)
    one = packages[1]
    lies = [
        replace(one, entries=(*one.entries[:-1], b"another")),
        replace(one, proof=one.proof[:-1]),
        replace(one, proof=(*one.proof, bytes(32))),
        replace(one, proof=(bytes(32), *one.proof[1:])),
    ]
    for lie in lies:
        with pytest.raises(Refused) as caught:
            await mirror.adding.add(encode_upload(upload, [packages[0], lie]))
        assert caught.value.code == "bad_consistency"
        assert caught.value.http_status == 422
        assert await mirror.size() == 256
    assert (await mirror.bring(256, size)).lines


async def test_another_history_is_not_kept_even_with_its_own_proofs(mirror: Brought) -> None:
    size = await mirror.grow(300)
    fork = await fork_of(mirror.log, shared=256)
    await fork.grow(*(b"fork %d" % n for n in range(44)))
    with pytest.raises(Refused):
        await mirror.bring(0, size, log=fork)
    assert await mirror.size() == 0


async def test_bodies_that_say_nothing_are_refused(mirror: Brought) -> None:
    size = await mirror.grow(300)
    upload, packages = await mirror.packages(0, size)
    whole = encode_upload(upload, packages)
    head = len(encode_upload(upload, []))
    for body in (b"", whole[:5], whole[: head - 1], whole[:head], whole[: head + 100]):
        with pytest.raises(MalformedInput):
            await mirror.adding.add(body)
    with pytest.raises(MalformedInput):
        await mirror.adding.add(encode_upload(replace(upload, start=2, end=1), []))
    with pytest.raises(NotFound):
        await mirror.adding.add(encode_upload(replace(upload, origin="other.example"), []))
    many = replace(packages[0], proof=tuple(bytes(32) for _ in range(64)))
    with pytest.raises(MalformedInput, match="at most 63"):
        await mirror.adding.add(encode_upload(upload, [many]))
    assert await mirror.size() == 0


async def test_two_that_bring_the_same_at_once_do_no_harm(mirror: Brought) -> None:
    size = await mirror.grow(900)
    both = await asyncio.gather(mirror.bring(0, size), mirror.bring(0, size))
    assert all(each.lines for each in both)
    assert await mirror.size() == size
    reader = mirror.mirrors.of(ORIGIN)
    assert reader is not None
    assert await reader.root(size) == checkpoint_of(await mirror.log.log.reader.checkpoint()).root


async def test_only_a_few_are_served_at_once(mirror: Brought) -> None:
    size = await mirror.grow(600)
    body = encode_upload(*await mirror.packages(0, size))
    told = await asyncio.gather(
        *(mirror.adding.add(body) for _ in range(6)), return_exceptions=True
    )
    refused = [one for one in told if isinstance(one, BaseException)]
    assert [type(one) for one in refused] == [Unavailable, Unavailable]


def test_a_request_reads_back_as_it_was_written() -> None:
    upload = Upload("log.example", 250, 520, b"ticket")
    packages = [
        Package(leaves, tuple(b"%d" % n for n in range(*leaves)), (bytes(32),) * 2)
        for leaves in upload.packages()
    ]
    assert [package.leaves for package in packages] == [(250, 256), (256, 512), (512, 520)]
    assert [package.subtree for package in packages] == [(0, 256), (256, 512), (512, 520)]
    again, read = decode_upload(encode_upload(upload, packages))
    assert (again, list(read)) == (upload, packages)
