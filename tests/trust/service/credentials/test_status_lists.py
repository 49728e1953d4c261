from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.trust.service.credentials.test_credentials import CARRIER, EXPORTER, KEY, NODE_KEY, Bench

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import SeededRandomness
from zhidao.core.archive import digest_of
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import NotFound, Refused, Unavailable
from zhidao.core.events import every
from zhidao.core.journal import FixedKeyRing, Records
from zhidao.trust.adapters.evidence.bundled_contexts import load_contexts
from zhidao.trust.events import CredentialRevoked, StatusAssigned
from zhidao.trust.service.credentials import status_lists
from zhidao.trust.service.credentials.credentials import CredentialService
from zhidao.trust.service.credentials.external_evidence import Fetched, Gathered
from zhidao.trust.service.credentials.status_lists import StatusLists
from zhidao.trust.service.credentials.verification import CredentialVerifier

BASE = "https://node.example/v1/trust/status"
ACTOR = Actor(EXPORTER, Role.PARTY)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    records = Records(bench.journal, bench.service._records._scribe)
    bench.lists = StatusLists(records, bench.clock, SeededRandomness(2), base=BASE)
    bench.service = CredentialService(
        records=records,
        archive=bench.archive,
        ring=FixedKeyRing({EXPORTER: KEY}),
        node_key=NODE_KEY,
        clock=bench.clock,
        known={},
        contexts=load_contexts,
        statuses=bench.lists,
    )
    return bench


async def test_many_credentials_at_once_each_get_an_index(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = bench.journal.load

    async def slow(*asked: Any, **more: Any) -> Any:
        found = await load(*asked, **more)
        await asyncio.sleep(0)
        return found

    monkeypatch.setattr(bench.journal, "load", slow)
    given = await asyncio.gather(*(bench.lists.entry(ACTOR, f"c-{n}") for n in range(20)))
    assert len({each["statusListIndex"] for each in given}) == 20


async def test_a_revoked_credential_is_refused_by_us_and_by_whoever_reads_the_list(
    bench: Bench,
) -> None:
    data = jcs(await bench.issue(revocable=True))
    other = jcs(await bench.issue(revocable=True, kind="packing_list"))
    assert await bench.service.verify(data) == (True, "")
    await bench.service.revoke(ACTOR, digest_of(data), reason="key lost")
    await bench.service.revoke(ACTOR, digest_of(data), reason="again")
    assert await bench.service.verify(data) == (False, "revoked")
    assert await bench.service.verify(other) == (True, "")
    served = jcs(await bench.service.status_list(EXPORTER))
    now = bench.clock.now()
    evidence = Gathered(lists={f"{BASE}/{EXPORTER}": Fetched(served, now)})
    stranger = CredentialVerifier(load_contexts())
    assert stranger.verify(data, now, evidence=evidence).code == "revoked"
    assert stranger.verify(other, now, evidence=evidence).code == "ok"
    assert stranger.verify(other, now).code == "status_unavailable"
    revoked = every(await bench.service._records.history(f"status/{EXPORTER}"), CredentialRevoked)
    assert [fact.reason for fact in revoked] == ["key lost"]


async def test_asking_again_for_a_revocable_credential_takes_no_second_index(bench: Bench) -> None:
    first = await bench.issue(revocable=True)
    assert await bench.issue(revocable=True) == first
    history = await bench.service._records.history(f"status/{EXPORTER}")
    assert len(every(history, StatusAssigned)) == 1


async def test_only_the_issuer_takes_a_credential_back(bench: Bench) -> None:
    data = jcs(await bench.issue(revocable=True))
    plain = jcs(await bench.issue(kind="plain", revocable=False))
    with pytest.raises(NotFound):
        await bench.service.revoke(Actor(CARRIER, Role.PARTY), digest_of(data), reason="theft")
    with pytest.raises(NotFound):
        await bench.service.revoke(ACTOR, digest_of(plain), reason="it has no status")
    assert await bench.service.verify(data) == (True, "")


async def test_a_list_that_nobody_keeps_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound):
        await bench.service.status_list(EXPORTER)
    with pytest.raises(NotFound):
        await Bench().service.status_list(EXPORTER)
    with pytest.raises(Unavailable):
        await Bench().issue(revocable=True)


async def test_a_credential_bears_a_status_wherever_its_node_keeps_lists(bench: Bench) -> None:
    status = (await bench.issue())["credentialStatus"]
    assert status["statusListCredential"] == f"{BASE}/{EXPORTER}"
    assert "credentialStatus" not in await bench.issue(kind="packing_list", revocable=False)
    assert "credentialStatus" not in await Bench().issue()


async def test_a_full_list_is_followed_by_another_and_both_tell_what_was_revoked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_lists, "CREDENTIALS_MAX", 3)
    made = [jcs(await bench.issue(revocable=True, kind=f"kind_{n}")) for n in range(7)]
    named = [parse_strict(data)["credentialStatus"]["statusListCredential"] for data in made]
    of = f"{BASE}/{EXPORTER}"
    assert named == [of] * 3 + [f"{of}/2"] * 3 + [f"{of}/3"]
    for data in (made[1], made[4]):
        await bench.service.revoke(ACTOR, digest_of(data), reason="recalled")
    # Another process, and one that was started anew, see the same and go on behind it.
    records = Records(bench.journal, bench.service._records._scribe)
    fresh = StatusLists(records, bench.clock, SeededRandomness(3), base=BASE)
    entry = await fresh.entry(ACTOR, "c-8")
    assert entry["statusListCredential"] == f"{of}/3"
    assert [(await bench.service.verify(data))[1] for data in made] == [
        *("", "revoked", "", "", "revoked", "", "")
    ]
    served = {
        f"{of}{tail}": Fetched(jcs(await bench.service.status_list(EXPORTER, number)), now)
        for now in [bench.clock.now()]
        for number, tail in ((1, ""), (2, "/2"), (3, "/3"))
    }
    stranger = CredentialVerifier(load_contexts())
    told = [
        stranger.verify(data, bench.clock.now(), evidence=Gathered(lists=served)).code
        for data in made
    ]
    assert told == ["ok", "revoked", "ok", "ok", "revoked", "ok", "ok"]
    for number in (0, 4, 1001):
        with pytest.raises(NotFound):
            await bench.service.status_list(EXPORTER, number)


async def test_each_credential_reads_only_what_came_since_the_last_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, read = bench.journal.load, []

    async def counted(aggregate: str, **more: Any) -> Any:
        found = await load(aggregate, **more)
        if aggregate.startswith("status/"):
            read.append(len(found))
        return found

    monkeypatch.setattr(bench.journal, "load", counted)
    for n in range(10):
        await bench.lists.entry(ACTOR, f"c-{n}")
    assert max(read) == 1


async def test_after_the_last_list_nothing_is_given(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_lists, "CREDENTIALS_MAX", 1)
    monkeypatch.setattr(status_lists, "LISTS_MAX", 2)
    for name in ("c-1", "c-2"):
        await bench.lists.entry(ACTOR, name)
    with pytest.raises(Refused) as refused:
        await bench.lists.entry(ACTOR, "c-3")
    assert refused.value.code == "status_list_full"


@pytest.mark.parametrize(
    "address",
    [
        *(f"{BASE}/{EXPORTER}/1", f"{BASE}/{EXPORTER}/02", f"{BASE}/{EXPORTER}/"),
        *(f"{BASE}/{EXPORTER}/2/3", f"{BASE}/{EXPORTER}/two", "https://other.example/a"),
        f"{BASE}",
    ],
)
def test_an_address_that_is_none_of_our_lists_is_not_looked_up(bench: Bench, address: str) -> None:
    assert bench.lists.named(address) is None
