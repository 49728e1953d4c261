from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide
from tests.trust.title_bench import BILL, TitleBench

from zhidao.core.actor import Actor, Role
from zhidao.core.encoding import base64url
from zhidao.core.ids import party_id
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.node.api.trust.titles import routes
from zhidao.node.http.problems import HANDLERS
from zhidao.trust.domain.title_tag import Bill, Registered, open_tag

ROOT = "/v1/trust/titles"
ORDER = {
    "consignment": "c-1",
    "document": BILL,
    "holder": "exporter",
    "readers": ["importer", "importer-bank"],
}


def by(party: str) -> dict[str, str]:
    return {"x-caller": party}


@pytest.fixture
async def bench() -> AsyncIterator[TitleBench]:
    bench = TitleBench()
    yield bench
    await bench.stop()


@pytest.fixture
async def client(bench: TitleBench) -> AsyncIterator[httpx.AsyncClient]:
    async def actor(headers: dict[str, str]) -> Actor:
        return Actor(party_id(headers["x-caller"]), Role.PARTY)

    app = Litestar(
        [routes(bench.titles)],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
    )
    # In this test's own loop, where the bench's relay runs too.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        yield client


async def test_a_carrier_mints_and_the_parties_see_it(client: httpx.AsyncClient):
    answer = await client.post(ROOT, json=ORDER, headers=by("carrier"))
    assert answer.status_code == 201
    title = answer.json()
    assert (title["title"], title["holder_party"], title["custody"]) == (BILL, "exporter", "")
    for party in ("carrier", "exporter", "importer"):
        assert (await client.get(f"{ROOT}/{BILL}", headers=by(party))).json() == title
        page = (await client.get(ROOT, headers=by(party))).json()
        assert page == {"titles": [title], "after": ""}
    again = await client.post(ROOT, json=ORDER, headers=by("carrier"))
    assert again.json() == title


async def test_a_bill_is_registered_before_its_title_is_minted(
    client: httpx.AsyncClient, bench: TitleBench
):
    bench.papers.complete, bench.papers.number = False, "ZD-1"
    bare = await client.post(ROOT, json=ORDER, headers=by("carrier"))
    assert (bare.status_code, bare.json()["code"]) == (422, "unregistered_title")
    assert not bench.journal.written
    named = ORDER | {"carrier_code": "STPL", "bill_number": "ZD-1"}
    assert (await client.post(ROOT, json=named, headers=by("carrier"))).status_code == 201
    opened = await client.get(f"{ROOT}/{BILL}/registration", headers=by("exporter"))
    assert (opened.json()["title"], opened.json()["number"]) == (BILL, "ZD-1")
    hidden = await client.get(f"{ROOT}/{BILL}/registration", headers=by("stranger"))
    assert hidden.status_code == 404
    twice = await client.post(ROOT, json=named | {"document": "cd" * 32}, headers=by("carrier"))
    assert (twice.status_code, twice.json()["code"]) == (409, "double_title")
    bench.papers.complete, bench.papers.number = True, ""
    wrong = await client.post(ROOT, json=named | {"document": "cd" * 32}, headers=by("carrier"))
    assert (wrong.status_code, wrong.json()["code"]) == (422, "bill_mismatch")


async def test_no_title_is_minted_for_what_is_no_bill_of_the_consignment(
    client: httpx.AsyncClient, bench: TitleBench
):
    bench.papers.known = False
    for more in ({}, {"carrier_code": "STPL", "bill_number": "ZD-1"}):
        answer = await client.post(ROOT, json=ORDER | more, headers=by("carrier"))
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_bill")
    assert not bench.journal.written


async def test_a_carrier_that_keeps_its_key_brings_tag_and_claim(
    client: httpx.AsyncClient, bench: TitleBench
):
    place = (await client.get(f"{ROOT}/registry", headers=by("carrier"))).json()
    bill, key = Bill("STPL", BILL[:16].upper()), SoftwareKey(Algorithm.ED25519, b"o" * 32)
    tag, opening = open_tag(bill, key)

    def brought(signer: SoftwareKey, title: str) -> dict[str, object]:
        claim = signer.sign(Registered(tag, title, place["registry"], place["chain_id"]).claim)
        signed = {"opening": base64url(opening), "claim": base64url(claim)}
        return ORDER | {"brought": {"issuer": signer.public.multikey, **signed}}

    for wrong in (
        brought(SoftwareKey(Algorithm.ED25519, b"x" * 32), BILL),
        brought(key, "77" * 32),
    ):
        answer = await client.post(ROOT, json=wrong, headers=by("carrier"))
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_title_tag")
    assert not bench.journal.written
    made = await client.post(ROOT, json=brought(key, BILL), headers=by("carrier"))
    assert made.status_code == 201
    opened = (await client.get(f"{ROOT}/{BILL}/registration", headers=by("exporter"))).json()
    assert (opened["tag"], opened["issuer"]) == (tag, key.public.multikey)


async def test_strangers_get_404_whether_it_stands_or_not(client: httpx.AsyncClient):
    await client.post(ROOT, json=ORDER, headers=by("carrier"))
    for title in (BILL, "cd" * 32):
        seen = await client.get(f"{ROOT}/{title}", headers=by("stranger"))
        sent = await client.post(
            f"{ROOT}/{title}/transactions", json={"raw": "02c0"}, headers=by("stranger")
        )
        assert (seen.status_code, sent.status_code) == (404, 404)
    assert (await client.get(ROOT, headers=by("stranger"))).json()["titles"] == []


async def test_a_holder_sends_what_he_signed_himself(client: httpx.AsyncClient, bench: TitleBench):
    await client.post(ROOT, json=ORDER, headers=by("carrier"))
    raw = bench.transfer("exporter", "importer").hex()
    for _ in range(2):
        answer = await client.post(
            f"{ROOT}/{BILL}/transactions", json={"raw": raw}, headers=by("exporter")
        )
        assert answer.json()["holder_party"] == "importer"
    stale = bench.transfer("exporter", "stranger").hex()
    answer = await client.post(
        f"{ROOT}/{BILL}/transactions", json={"raw": stale}, headers=by("exporter")
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "replayed_nonce")


@pytest.mark.parametrize(
    "change",
    [
        {"document": "AB" * 32},
        {"document": "ab"},
        {"holder": ""},
        {"holder": "Not A Name"},
        {"readers": ["x"] * 65},
        {"more": 1},
        {"consignment": 7},
    ],
)
async def test_wrong_input_is_refused_and_nothing_is_written(
    client: httpx.AsyncClient, bench: TitleBench, change
):
    answer = await client.post(ROOT, json=ORDER | change, headers=by("carrier"))
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert not bench.journal.written


@pytest.mark.parametrize("path", ["/zz", "?limit=0", "?limit=501", "?after=zz", f"/{BILL}/nothing"])
async def test_wrong_questions_are_refused(client: httpx.AsyncClient, path: str):
    answer = await client.get(ROOT + path, headers=by("carrier"))
    assert answer.status_code in {400, 404, 405}


async def test_a_title_lives_through_the_routes_and_its_chain_is_readable(
    client: httpx.AsyncClient,
):
    title = (await client.post(ROOT, json=ORDER, headers=by("carrier"))).json()

    async def act(party: str, action: str, **more) -> httpx.Response:
        body = {"action": action, "seen": len(title["transactions"])} | more
        return await client.post(f"{ROOT}/{BILL}/acts", json=body, headers=by(party))

    lent = await act("exporter", "transfer_holder", to="importer-bank", remark="in pledge 质押")
    assert lent.json()["holder_party"] == "importer-bank"
    assert (await act("exporter", "burn")).json()["code"] == "title_moved"
    links = (await client.get(f"{ROOT}/{BILL}/endorsements", headers=by("carrier"))).json()
    told = [(each["action"], each["signer_party"], each["remark"]) for each in links]
    assert told == [("mint", "carrier", ""), ("transfer", "exporter", "in pledge 质押")]
    facts = (await client.get(f"{ROOT}/{BILL}/assessment", headers=by("carrier"))).json()
    assert [(each["name"], each["verdict"]) for each in facts] == [
        ("singularity", "ok"),
        ("control", "ok"),
        ("integrity", "ok"),
        ("change_of_medium", "ok"),
    ]
    for path in ("endorsements", "assessment"):
        hidden = await client.get(f"{ROOT}/{BILL}/{path}", headers=by("stranger"))
        assert hidden.status_code == 404
    assert (await act("stranger", "return")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"action": "steal", "seen": 1},
        {"action": "transfer", "seen": 1},
        {"action": "return", "seen": 1, "to": "importer"},
        {"action": "return", "seen": -1},
        {"action": "return"},
    ],
)
async def test_malformed_acts_are_refused(client: httpx.AsyncClient, bench: TitleBench, body):
    await client.post(ROOT, json=ORDER, headers=by("carrier"))
    written = len(bench.journal.written)
    answer = await client.post(f"{ROOT}/{BILL}/acts", json=body, headers=by("exporter"))
    assert answer.status_code == 400
    assert len(bench.journal.written) == written


@pytest.mark.bound("core.limits.PAGE_ITEMS_MAX")
@pytest.mark.parametrize(("limit", "status"), [(500, 200), (501, 400)])
async def test_a_page_of_titles_has_five_hundred_at_most(
    client: httpx.AsyncClient, limit: int, status: int
):
    answer = await client.get(f"{ROOT}?limit={limit}", headers=by("carrier"))
    assert answer.status_code == status
    assert ("500" in answer.text) == (status == 400)
