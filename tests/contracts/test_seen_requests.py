"""The contract of where seen requests are kept, and the promise made on top of it."""

from __future__ import annotations

import asyncio

import pytest

from zhidao.core.ambient import HandClock
from zhidao.core.errors import Unauthenticated
from zhidao.core.timescale import Utc
from zhidao.node.adapters.seen_requests import MemorySeen, PostgresSeen
from zhidao.node.security.http_signatures import Message, parse_signature
from zhidao.node.security.seen_requests import KEPT_MINUTES, SeenRequests, SeenStore

NOW = Utc.parse("2026-03-01T08:00:00Z")
REQUEST = Message("POST", "https", "node.example", "/v1/x", "", {})


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def store(request: pytest.FixtureRequest) -> SeenStore:
    if request.param == "memory":
        return MemorySeen()
    return PostgresSeen(request.getfixturevalue("database"))


async def test_a_mark_is_new_once(store: SeenStore) -> None:
    one, two, three = (7, b"a" * 32), (7, b"b" * 32), (8, b"a" * 32)
    assert await store.take([one, two, one]) == {b"a" * 32, b"b" * 32}
    assert await store.take([two]) == frozenset()
    assert await store.take([three]) == {b"a" * 32}


async def test_only_what_is_older_is_forgotten(store: SeenStore) -> None:
    await store.take([(7, b"a"), (8, b"b")])
    await store.forget(8)
    assert await store.take([(7, b"a"), (8, b"b")]) == {b"a"}


def request_of(nonce: str, created: int = NOW.unix_ns // 10**9):  # type: ignore[no-untyped-def]
    head = f's=("@method" "@target-uri");created={created};keyid="k";nonce="{nonce}"'
    return parse_signature(head, "s=:AAAA:")


async def test_of_many_who_bring_one_request_one_is_let_in(store: SeenStore) -> None:
    clock = HandClock(NOW)
    seen = SeenRequests(store, clock)
    nonces = [f"n{number % 40}" for number in range(400)]
    done = await asyncio.gather(
        *(seen.use(request_of(nonce), REQUEST) for nonce in nonces), return_exceptions=True
    )
    assert sum(each is None for each in done) == 40
    assert all(each is None or isinstance(each, Unauthenticated) for each in done)


async def test_another_process_over_the_same_store_knows_it_too(store: SeenStore) -> None:
    await SeenRequests(store, HandClock(NOW)).use(request_of("n"), REQUEST)
    with pytest.raises(Unauthenticated, match="used before"):
        await SeenRequests(store, HandClock(NOW)).use(request_of("n"), REQUEST)


async def test_what_was_forgotten_is_refused_even_if_the_clock_goes_back(store: SeenStore) -> None:
    clock = HandClock(NOW)
    seen = SeenRequests(store, clock)
    await seen.use(request_of("n"), REQUEST)
    clock.advance(60 * (KEPT_MINUTES + 1))
    await seen.use(request_of("later", clock.now().unix_ns // 10**9), REQUEST)
    with pytest.raises(Unauthenticated, match="used before"):
        await seen.use(request_of("n"), REQUEST)
