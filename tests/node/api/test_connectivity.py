"""Short messages and the demonstration's network over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide
from tests.connectivity.bench import Bench, bench

from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.wire.compact import Track, pack
from zhidao.connectivity.wire.rdss import Received21, build
from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.node.api.connectivity import routes
from zhidao.node.http.problems import HANDLERS

PHONE = "+8613800138000"
CARD = {"card": "4207733", "terminal": "truck-7", "owner": "carrier", "readers": ["importer"]}
POINTS = (Point(1_795_000_000, 5_546_000, 844_000), Point(1_795_000_060, 5_546_009, 844_100))
SENTENCE = build(Received21(1, "4207733", 2, "", pack(Track(POINTS, simulated=True))))
SEEN = {
    "latitude_ndeg": 55_460_000_000,
    "longitude_ndeg": 8_440_000_000,
    "radius_mm": 500_000,
    "at": "2026-11-24T08:00:00Z",
}


def by(party: str) -> dict[str, str]:
    return {"x-caller": party}


@pytest.fixture
def room() -> Bench:
    return bench()


def _client(room: Bench, *, demo: bool) -> httpx.AsyncClient:
    async def actor(headers: dict[str, str]) -> Actor:
        party = headers["x-caller"]
        return Actor(party_id(party), Role.OPERATOR if party == "operator" else Role.PARTY)

    app = Litestar(
        [routes(room.messages, room.network, demo=demo)],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://node/v1/connectivity")


@pytest.fixture
async def client(room: Bench) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(room, demo=True) as client:
        yield client


async def test_a_sentence_is_taken_once(client: httpx.AsyncClient):
    registered = await client.post("/cards", json=CARD, headers=by("operator"))
    assert registered.status_code == 201
    sentence = {"sentence": SENTENCE}
    answer = (await client.post("/short-messages", json=sentence, headers=by("carrier"))).json()
    assert (answer["terminal"], answer["repeated"], answer["simulated"]) == ("truck-7", False, True)
    assert [point["first"] for point in answer["points"]] == [True, True]
    again = (await client.post("/short-messages", json=sentence, headers=by("operator"))).json()
    assert again == answer | {"repeated": True}
    stranger = await client.post("/short-messages", json=sentence, headers=by("stranger"))
    assert stranger.status_code == 404


async def test_a_card_of_eight_digits_is_registered_and_heard(client: httpx.AsyncClient):
    body = CARD | {"card": "15240507"}
    registered = await client.post("/cards", json=body, headers=by("operator"))
    assert (registered.status_code, registered.json()["card"]) == (201, "15240507")
    sentence = build(Received21(1, "15240507", 2, "", pack(Track(POINTS, simulated=True))))
    answer = await client.post(
        "/short-messages", json={"sentence": sentence}, headers=by("carrier")
    )
    assert answer.json()["sender"] == "15240507"
    # A zero in front is no other card, and a ninth digit is no card.
    zero = await client.post("/cards", json=CARD | {"card": "04207733"}, headers=by("operator"))
    assert zero.json()["card"] == "4207733"
    nine = await client.post("/cards", json=CARD | {"card": "152405070"}, headers=by("operator"))
    assert nine.status_code == 400


@pytest.mark.parametrize(
    "sentence", ["$BDTXR,1,4207733,2,,A4*00", "x" * 9, SENTENCE.replace("A4", "A5")]
)
async def test_a_damaged_sentence_is_refused(client: httpx.AsyncClient, sentence: str):
    await client.post("/cards", json=CARD, headers=by("operator"))
    answer = await client.post(
        "/short-messages", json={"sentence": sentence}, headers=by("carrier")
    )
    assert answer.status_code == 400
    assert answer.json()["code"] in ("malformed_input", "bad_checksum", "bad_payload")


async def test_the_operator_sets_what_the_demonstrations_network_sees(client, room: Bench):
    body = {"sightings": [SEEN], "readers": ["importer-bank"]}
    answer = await client.put(f"/scenario/{PHONE}", json=body, headers=by("operator"))
    assert answer.json() == {"phone": PHONE, "sightings": 1, "applicable": True, "simulated": True}
    known = await room.network.subscriber(PHONE)
    assert known.locations[0].radius_m == 500.0
    assert known.locations[0].simulated
    refused = await client.put(f"/scenario/{PHONE}", json=body, headers=by("carrier"))
    assert refused.status_code == 403


@pytest.mark.parametrize(
    "change",
    [{"radius_mm": 1}, {"latitude_ndeg": 90_000_000_001}, {"at": "yesterday, at eight o'clock"}],
)
async def test_a_sighting_that_is_none_is_refused(client: httpx.AsyncClient, change):
    body = {"sightings": [SEEN | change]}
    answer = await client.put(f"/scenario/{PHONE}", json=body, headers=by("operator"))
    assert answer.status_code == 400


async def test_outside_of_a_demonstration_nobody_sets_the_network(room: Bench):
    async with _client(room, demo=False) as client:
        answer = await client.put(f"/scenario/{PHONE}", json={}, headers=by("operator"))
        assert answer.status_code == 404
