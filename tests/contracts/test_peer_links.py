"""The contract of kept links between nodes, by the memory twin and by PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from zhidao.core.timescale import NS, Utc
from zhidao.exchange.adapters.links import MemoryLinks, PostgresLinks
from zhidao.exchange.service.peer_invitations import KeptLink, Links, LinkState

LINK = KeptLink(b"i" * 32, Utc.parse("2026-03-01T08:00:00Z"))


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def links(request: pytest.FixtureRequest) -> Links:
    if request.param == "memory":
        return MemoryLinks()
    return PostgresLinks(request.getfixturevalue("database"))


async def test_a_link_ends_once_with_who_took_it(links: Links) -> None:
    assert await links.link(LINK.secret_hash) is None
    await links.add(LINK)
    assert await links.link(LINK.secret_hash) == LINK
    ends = [links.end(LINK.secret_hash, LinkState.USED, b"%d" % taker) for taker in range(4)]
    assert sorted(await asyncio.gather(*ends)) == [False, False, False, True]
    taken = await links.link(LINK.secret_hash)
    assert taken is not None
    assert (taken.state, taken.taken in (b"0", b"1", b"2", b"3")) == (LinkState.USED, True)
    assert not await links.end(LINK.secret_hash, LinkState.WITHDRAWN)
    assert not await links.end(b"o" * 32, LinkState.WITHDRAWN)


async def test_links_are_listed_latest_first_and_forgotten_by_their_end(links: Links) -> None:
    later = replace(LINK, secret_hash=b"l" * 32, expires_at=LINK.expires_at.plus_ns(NS))
    await links.add(LINK)
    await links.add(later)
    assert list(await links.every()) == [later, LINK]
    await links.forget(LINK.expires_at)
    assert list(await links.every()) == [later, LINK]
    await links.forget(later.expires_at)
    assert list(await links.every()) == [later]
