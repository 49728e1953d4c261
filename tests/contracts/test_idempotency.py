"""The contract of where idempotency keys are kept, and the promise made on top of it."""

from __future__ import annotations

import asyncio

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict, Refused
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.adapters.idempotency import MemoryIdempotency, PostgresIdempotency
from zhidao.node.security import idempotency
from zhidao.node.security.idempotency import (
    ANSWER_BYTES_MAX,
    KEPT_HOURS,
    Answer,
    Asked,
    Idempotency,
    IdempotencyStore,
    Kept,
    TooManyKeys,
    asked_by,
)

NOW = Utc.parse("2026-03-01T08:00:00Z")
KEY = SoftwareKey(Algorithm.ED25519, b"k" * 32)
ONE = Asked(b"c" * 32, b"k" * 32, b"r" * 32)
OTHER = Asked(b"c" * 32, b"k" * 32, b"s" * 32)
SECRET = b'{"token":"zd_0_secret"}'
ANSWER = Answer(201, [(b"content-type", b"application/json")], SECRET)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def store(request: pytest.FixtureRequest) -> IdempotencyStore:
    if request.param == "memory":
        return MemoryIdempotency()
    return PostgresIdempotency(request.getfixturevalue("database"))


def over(store: IdempotencyStore, clock: HandClock | None = None, key: SoftwareKey = KEY):  # type: ignore[no-untyped-def]
    return Idempotency(store, clock or HandClock(NOW), SeededRandomness(1), key)


async def test_a_key_is_claimed_once(store: IdempotencyStore) -> None:
    assert await store.claim(ONE, hour=30, oldest_hour=6) is None
    assert await store.claim(OTHER, hour=30, oldest_hour=6) == Kept(ONE.request, b"")
    await store.keep(ONE, b"sealed")
    assert await store.claim(ONE, hour=31, oldest_hour=7) == Kept(ONE.request, b"sealed")
    assert await store.count(ONE.caller, 9) == 1
    assert await store.count(b"d" * 32, 9) == 0


async def test_a_key_stands_until_its_hour_has_gone(store: IdempotencyStore) -> None:
    await store.claim(ONE, hour=30, oldest_hour=6)
    await store.keep(ONE, b"sealed")
    assert await store.claim(OTHER, hour=54, oldest_hour=30) is not None
    assert await store.claim(OTHER, hour=55, oldest_hour=31) is None
    assert await store.claim(OTHER, hour=55, oldest_hour=31) == Kept(OTHER.request, b"")
    await store.forget(55)
    assert await store.count(ONE.caller, 9) == 1
    await store.forget(56)
    assert await store.count(ONE.caller, 9) == 0


async def test_a_key_given_free_can_be_claimed(store: IdempotencyStore) -> None:
    await store.claim(ONE, hour=30, oldest_hour=6)
    await store.drop(ONE)
    assert await store.claim(OTHER, hour=30, oldest_hour=6) is None


async def test_the_first_answer_is_given_again_by_another_process_too(
    store: IdempotencyStore,
) -> None:
    keys = over(store)
    assert await keys.begin(ONE) is None
    await keys.finish(ONE, ANSWER)
    assert await keys.begin(ONE) == ANSWER
    assert await over(store).begin(ONE) == ANSWER


async def test_another_request_under_a_key_is_refused(store: IdempotencyStore) -> None:
    keys = over(store)
    await keys.begin(ONE)
    await keys.finish(ONE, ANSWER)
    with pytest.raises(Refused, match="another request") as refused:
        await keys.begin(OTHER)
    assert refused.value.code == "idempotency_key_reused"


async def test_of_many_at_once_one_does_it(store: IdempotencyStore) -> None:
    keys = over(store)
    done = 0

    async def ask() -> Answer:
        nonlocal done
        known = await keys.begin(ONE)
        if known is None:
            await asyncio.sleep(0.01)
            done += 1
            await keys.finish(ONE, ANSWER)
            return ANSWER
        return known

    assert await asyncio.gather(*(ask() for _ in range(20))) == [ANSWER] * 20
    assert done == 1


async def test_who_waited_for_a_refused_one_is_judged_anew(store: IdempotencyStore) -> None:
    keys = over(store)
    assert await keys.begin(ONE) is None
    second = asyncio.create_task(keys.begin(ONE))
    await asyncio.sleep(0)
    await keys.give_up(ONE)
    assert await second is None
    keys.leave(ONE)


async def test_what_was_never_answered_is_not_done_again(store: IdempotencyStore) -> None:
    """As after a kill: the claim is durable, who made it is gone."""
    await over(store).begin(ONE)
    keys = over(store)
    for _ in range(2):
        with pytest.raises(Conflict) as refused:
            await keys.begin(ONE)
        assert refused.value.code == "idempotency_unanswered"


async def test_a_large_answer_is_not_kept_but_what_it_answers_is_not_done_again(
    store: IdempotencyStore,
) -> None:
    keys = over(store)
    await keys.begin(ONE)
    await keys.finish(ONE, Answer(200, [], b"x" * ANSWER_BYTES_MAX))
    assert await keys.begin(ONE) == Answer(200, [], b"x" * ANSWER_BYTES_MAX)
    await keys.finish(ONE, Answer(200, [], b"x" * (ANSWER_BYTES_MAX + 1)))
    with pytest.raises(Conflict) as refused:
        await keys.begin(ONE)
    assert refused.value.code == "idempotency_answer_gone"


async def test_an_answer_stands_sealed_in_the_store(store: IdempotencyStore) -> None:
    keys = over(store)
    await keys.begin(ONE)
    await keys.finish(ONE, ANSWER)
    kept = await store.claim(ONE, hour=1, oldest_hour=0)
    assert kept is not None
    assert SECRET not in kept.sealed
    assert b"secret" not in kept.sealed
    with pytest.raises(Conflict) as refused:
        await over(store, key=SoftwareKey(Algorithm.ED25519, b"o" * 32)).begin(ONE)
    assert refused.value.code == "idempotency_answer_gone"


@pytest.mark.bound("node.security.idempotency.KEYS_PER_CALLER_MAX")
async def test_keys_expire_and_are_bounded(
    store: IdempotencyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "KEYS_PER_CALLER_MAX", 3)
    clock = HandClock(NOW)
    keys = over(store, clock)
    asked = [Asked(b"c" * 32, bytes([n]) * 32, b"r" * 32) for n in range(4)]
    for one in asked[:3]:
        assert await keys.begin(one) is None
        await keys.finish(one, ANSWER)
    with pytest.raises(TooManyKeys):
        await keys.begin(asked[3])
    assert await keys.begin(asked[0]) == ANSWER
    assert await keys.begin(Asked(b"d" * 32, b"k" * 32, b"r" * 32)) is None
    clock.advance(3600 * KEPT_HOURS)
    assert await keys.begin(asked[0]) == ANSWER
    clock.advance(3600)
    assert await keys.begin(asked[3]) is None


def test_a_key_is_its_callers_and_stands_for_all_of_a_request() -> None:
    def asked(party: str = "a", credential: str = "token 1", *request: bytes) -> Asked:
        return asked_by(Actor(PartyId(party), Role.PARTY, "", credential), "k", *request)

    one = asked("a", "token 1", b"POST", b"/x", b"body")
    assert one == asked("a", "token 1", b"POST", b"/x", b"body")
    assert one.caller != asked("b", "token 1", b"POST", b"/x", b"body").caller
    assert one.caller != asked("a", "token 2", b"POST", b"/x", b"body").caller
    assert one.request != asked("a", "token 1", b"POST", b"/xb", b"ody").request
