"""The contract of core.archive.Archive, kept by the memory twin and by PostgreSQL."""

from __future__ import annotations

import pytest

from zhidao.core.archive import Archive, digest_of
from zhidao.core.errors import MalformedInput, NotFound
from zhidao.store.archive import PostgresArchive
from zhidao.store.memory import MemoryArchive


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def archive(request: pytest.FixtureRequest) -> Archive:
    if request.param == "memory":
        return MemoryArchive()
    return PostgresArchive(request.getfixturevalue("database"))


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"x" * 3_000_000])
async def test_bytes_come_back_under_their_digest(archive: Archive, data: bytes):
    digest = await archive.put(data)
    assert digest == digest_of(data)
    assert await archive.put(data) == digest
    assert await archive.get(digest) == data


async def test_several_are_kept_at_once(archive: Archive):
    many = [b"one", b"two", b"one"]
    assert await archive.put_many(many) == [digest_of(data) for data in many]
    assert await archive.get(digest_of(b"two")) == b"two"
    assert await archive.put_many([]) == []


async def test_an_unknown_digest_is_not_found(archive: Archive):
    with pytest.raises(NotFound):
        await archive.get("0" * 64)


@pytest.mark.parametrize("name", ["", "xyz", "A" * 64, "0" * 63])
async def test_what_is_no_digest_is_malformed(archive: Archive, name: str):
    with pytest.raises(MalformedInput):
        await archive.get(name)
