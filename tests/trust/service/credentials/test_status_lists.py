from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.trust.service.credentials.test_credentials import CARRIER, EXPORTER, KEY, NODE_KEY, Bench

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import SeededRandomness
from zhidao.core.archive import digest_of
from zhidao.core.canonical import jcs
from zhidao.core.errors import NotFound, Unavailable
from zhidao.core.events import every
from zhidao.core.journal import FixedKeyRing, Records
from zhidao.trust.adapters.evidence.bundled_contexts import load_contexts
from zhidao.trust.events import CredentialRevoked, StatusAssigned
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
