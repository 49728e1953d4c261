"""What networks answer over HTTP, and in CAMARA's form."""

from __future__ import annotations

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide
from tests.connectivity.bench import bench
from tests.connectivity.service.test_networks import AT, CIRCLE, PHONE, networks

from zhidao.connectivity.domain.subscriber_location import NetworkAnswer, Presence
from zhidao.connectivity.service.location import Location
from zhidao.connectivity.service.ports import NetworkAway
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock
from zhidao.core.ids import party_id
from zhidao.node.api import camara
from zhidao.node.api import networks as api
from zhidao.node.http.problems import HANDLERS

ASKED = {"device": {"phoneNumber": PHONE}}


def client(says: NetworkAnswer | NetworkAway) -> httpx.AsyncClient:
    async def actor(headers: dict[str, str]) -> Actor:
        party = headers.get("x-caller", "carrier")
        roles = {"operator": Role.OPERATOR, "auditor": Role.AUDITOR, "admin": Role.ADMIN}
        return Actor(party_id(party), roles.get(party, Role.PARTY))

    room, _ = networks(says)
    location = Location(room, HandClock(AT), bench().questions)
    app = Litestar(
        [api.routes(room, location), camara.routes(location)],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://node")


async def test_a_circle_and_a_reason_are_told():
    async with client(NetworkAnswer((CIRCLE,), presence=Presence.IDLE)) as http:
        told = (await http.get(f"/v1/connectivity/locations/{PHONE}")).json()
    assert told == {
        "phone": PHONE,
        "presence": "idle",
        "why": "",
        "circle": {
            "latitude_ndeg": 43_350_000_000,
            "longitude_ndeg": 77_040_000_000,
            "radius_mm": 1_000_000,
            "at": "2026-11-30T20:00:00Z",
            "network": "corridor",
            "simulated": False,
        },
    }
    async with client(NetworkAnswer(why="it is in a network of others")) as http:
        told = (await http.get(f"/v1/connectivity/locations/{PHONE}")).json()
        assert (told["circle"], told["why"]) == (None, "it is in a network of others")
        answer = await http.post("/location-retrieval/v0.5/retrieve", json=ASKED)
    assert (answer.status_code, answer.json()["code"]) == (
        422,
        "LOCATION_RETRIEVAL.UNABLE_TO_LOCATE",
    )
    assert answer.json()["message"].startswith(
        "the network cannot locate the device: it is in a network of others"
    )


async def test_a_network_that_is_away_is_503_with_the_time_to_ask_again():
    async with client(NetworkAway("network corridor does not answer as it should", 17)) as http:
        answer = await http.post("/location-retrieval/v0.5/retrieve", json=ASKED)
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
        assert answer.headers["retry-after"] == "17"
        own = await http.get(f"/v1/connectivity/locations/{PHONE}")
    assert (own.status_code, own.json()["code"]) == (503, "unavailable")
    assert int(own.headers["retry-after"]) > 0


async def test_what_is_withheld_is_403_and_no_location():
    withheld = NetworkAnswer(why="its operator does not tell", withheld=True)
    async with client(withheld) as http:
        answer = await http.post("/location-retrieval/v0.5/retrieve", json=ASKED)
    assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_DENIED")


async def test_an_area_where_the_network_of_the_sim_locates_nobody_is_told():
    asked = ASKED | {
        "area": {
            "areaType": "CIRCLE",
            "center": {"latitude": 10.0, "longitude": 10.0},
            "radius": 2_000,
        }
    }
    async with client(NetworkAnswer((CIRCLE,))) as http:
        answer = await http.post("/location-verification/v3/verify", json=asked)
    assert answer.json()["code"] == "LOCATION_VERIFICATION.AREA_NOT_COVERED"


@pytest.mark.parametrize("phone", ["77010000001", "+0", "+77010000001x", "+7701000000123456"])
async def test_what_is_no_number_is_refused(phone: str):
    async with client(NetworkAnswer()) as http:
        answer = await http.get(f"/v1/connectivity/locations/{phone}")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("caller", "status"),
    [("carrier", 200), ("operator", 200), ("stranger", 404), ("auditor", 403), ("admin", 403)],
)
async def test_where_a_sim_is_learns_who_its_holder_agreed_to(caller: str, status: int):
    async with client(NetworkAnswer((CIRCLE,))) as http:
        path = f"/v1/connectivity/locations/{PHONE}"
        answer = await http.get(path, headers={"x-caller": caller})
    assert answer.status_code == status


async def test_the_state_of_networks_is_the_operators():
    async with client(NetworkAnswer()) as http:
        answer = await http.get("/v1/connectivity/networks", headers={"x-caller": "operator"})
        assert [(each["name"], each["answers"], each["answered_at"]) for each in answer.json()] == [
            ("corridor", True, "")
        ]
        refused = await http.get("/v1/connectivity/networks")
    assert refused.status_code == 403
