"""Terminals and seals over HTTP: who may do what, and what a stranger sees."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide
from tests.devices.device_room import PHONE, TERMINAL, TERMINAL_KEY, DeviceRoom, device_room

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.devices.adapters.gateway import Gateway
from zhidao.node.api.devices import commands as command_routes
from zhidao.node.api.devices import seals as seal_routes
from zhidao.node.api.devices.terminals import routes
from zhidao.node.http.problems import HANDLERS

TRUCK = {
    "terminal": TERMINAL,
    "phone": PHONE,
    "key": TERMINAL_KEY.public.multikey,
    "owner": "carrier",
    "readers": ["importer"],
}
SEAL = {
    "seal": "S-1",
    "container": "MSKU1234565",
    "consignment": "c-1",
    "terminal": TERMINAL,
    "readers": ["importer"],
}
LOOK = {"container": "MSKU1234565", "terminal": TERMINAL, "intact": True, "place": "Esbjerg"}


def by(party: str) -> dict[str, str]:
    return {"x-caller": party}


@pytest.fixture
def room() -> DeviceRoom:
    return device_room()


@pytest.fixture
async def client(room: DeviceRoom) -> AsyncIterator[httpx.AsyncClient]:
    async def actor(headers: dict[str, str]) -> Actor:
        party = headers["x-caller"]
        return Actor(party_id(party), Role.OPERATOR if party == "operator" else Role.PARTY)

    async def tend() -> None:
        pass

    gateway = Gateway(room.services, host="127.0.0.1", port=0, tend=tend)
    router = routes(
        terminals=room.terminals,
        enrolments=room.enrolments,
        tracks=room.tracks,
        terminal_journal=room.services.terminal_journal,
        gateway=gateway,
    )
    app = Litestar(
        [router, seal_routes.routes(room.seals), command_routes.routes(room.commands)],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://node/v1/devices") as client:
        yield client


async def test_the_operator_registers_and_the_parties_see(client: httpx.AsyncClient):
    answer = await client.post("/terminals", json=TRUCK, headers=by("operator"))
    assert answer.status_code == 201
    assert answer.json()["number"] == PHONE.removeprefix("+")
    for party in ("carrier", "importer", "operator"):
        shown = await client.get(f"/terminals/{TERMINAL}", headers=by(party))
        assert shown.json() == answer.json()
        track = await client.get(f"/terminals/{TERMINAL}/positions", headers=by(party))
        assert track.json() == []
    for path in (f"/terminals/{TERMINAL}", f"/terminals/{TERMINAL}/positions", "/terminals/none"):
        assert (await client.get(path, headers=by("stranger"))).status_code == 404
    refused = await client.post("/terminals", json=TRUCK, headers=by("carrier"))
    assert refused.status_code == 403


async def test_a_day_and_a_place_are_asked_for_and_nonsense_is_told(client: httpx.AsyncClient):
    await client.post("/terminals", json=TRUCK, headers=by("operator"))
    track, near = f"/terminals/{TERMINAL}/positions", "/positions"
    place = {"latitude_udeg": 43_200_000, "longitude_udeg": 76_900_000, "day": "2026-11-24"}
    for path, asked in ((track, {"day": "2026-11-24"}), (near, place)):
        answer = await client.get(path, params=asked, headers=by("carrier"))
        assert (answer.status_code, answer.json()) == (200, [])
        for day in ("2026-02-30", "today", "2026-11-24T00:00:00Z", "0000-01-01"):
            wrong = await client.get(path, params=asked | {"day": day}, headers=by("carrier"))
            assert wrong.status_code == 400, (path, day)
    for change in ({"latitude_udeg": 90_000_001}, {"longitude_udeg": -180_000_001}, {"day": ""}):
        wrong = await client.get(near, params=place | change, headers=by("carrier"))
        assert wrong.status_code == 400, change


async def test_a_seal_binds_after_a_look(client: httpx.AsyncClient):
    await client.post("/terminals", json=TRUCK, headers=by("operator"))
    assert (await client.post("/seals", json=SEAL, headers=by("stranger"))).status_code == 404
    closed = await client.post("/seals", json=SEAL, headers=by("carrier"))
    assert (closed.status_code, closed.json()["type"]) == (201, "devices.Sealed.v1")
    assert (await client.post("/seals", json=SEAL, headers=by("carrier"))).json() == closed.json()
    other = await client.post("/seals", json=SEAL | {"consignment": "c-2"}, headers=by("carrier"))
    assert other.status_code == 409
    shown = (await client.get("/seals/S-1", headers=by("importer"))).json()
    assert (shown["bound"], shown["sealed_by"]) == (False, "carrier")
    looked = await client.post("/seals/S-1/checks", json=LOOK, headers=by("importer"))
    assert looked.status_code == 201
    assert (await client.get("/seals/S-1", headers=by("importer"))).json()["bound"]
    assert (await client.get("/seals/S-1", headers=by("stranger"))).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"phone": "123"},
        {"terminal": "a" * 31},
        {"key": "z6MkNot"},
        {"owner": "Not A Party"},
        {"more": 1},
        {"readers": ["x"] * 33},
        {"number": "1" * 21},
    ],
)
async def test_bad_particulars_are_refused(client: httpx.AsyncClient, room: DeviceRoom, change):
    answer = await client.post("/terminals", json=TRUCK | change, headers=by("operator"))
    assert answer.status_code == 400
    assert room.events == []


async def test_only_the_operator_sees_the_gateway(client: httpx.AsyncClient):
    shown = await client.get("/gateway", headers=by("operator"))
    assert shown.json()["sessions"] == 0
    assert (await client.get("/gateway", headers=by("carrier"))).status_code == 403


async def test_the_operator_opens_a_window_and_closes_the_door(client: httpx.AsyncClient):
    await client.post("/terminals", json=TRUCK | {"window_minutes": 0}, headers=by("operator"))
    path = f"/terminals/{TERMINAL}"
    states = [(await client.get(path, headers=by("carrier"))).json()["enrolment"]["state"]]
    for act, body in (("invitation", {"minutes": 5}), ("suspension", {}), ("invitation", {})):
        answer = await client.post(f"{path}/{act}", json=body, headers=by("operator"))
        assert answer.status_code == 201
        states.append(answer.json()["state"])
        assert bool(answer.json()["until"]) == (act == "invitation")
    answer = await client.post(f"{path}/retirement", headers=by("operator"))
    states.append(answer.json()["state"])
    assert states == ["new", "invited", "suspended", "invited", "retired"]
    (row,) = (await client.get("/terminals", headers=by("carrier"))).json()
    assert (row["state"], row["invited_until"]) == ("retired", "")
    again = await client.post(f"{path}/invitation", json={}, headers=by("operator"))
    assert (again.status_code, again.json()["code"]) == (422, "enrolment_state")
    for act in ("invitation", "suspension", "retirement", "commands"):
        body = {"kind": "check_link"} if act == "commands" else {}
        refused = await client.post(f"{path}/{act}", json=body, headers=by("carrier"))
        assert refused.status_code == 403


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (
            {"kind": "set_parameters", "parameters": [{"number": 0x29, "value": "30"}]},
            {"parameters": [{"id": 0x29, "value": 30}]},
        ),
        ({"kind": "follow", "interval_s": 5, "valid_s": 60}, {"interval_s": 5, "valid_s": 60}),
        ({"kind": "text", "text": "stop"}, {"flags": 4, "kind": 1, "text": "stop"}),
        ({"kind": "ask_position"}, {}),
    ],
)
async def test_a_command_waits_for_its_terminal(client, room, body, kept):
    await client.post("/terminals", json=TRUCK, headers=by("operator"))
    path = f"/terminals/{TERMINAL}/commands"
    answer = await client.post(path, json=body, headers=by("operator"))
    assert (answer.status_code, answer.json()["state"]) == (201, "queued")
    assert (await client.get(path, headers=by("operator"))).json() == [answer.json()]
    (waiting,) = await room.commands._book.queued(TERMINAL, 9)
    assert waiting.values == kept


@pytest.mark.parametrize(
    "parameter",
    [
        {"number": 0x29, "value": "a"},
        {"number": 0x29, "value": "٣"},
        {"number": 0xF999, "value": "1"},
    ],
)
async def test_a_parameter_that_is_none_is_bad_input(client, parameter):
    await client.post("/terminals", json=TRUCK, headers=by("operator"))
    body = {"kind": "set_parameters", "parameters": [parameter]}
    path = f"/terminals/{TERMINAL}/commands"
    answer = await client.post(path, json=body, headers=by("operator"))
    assert answer.status_code == 400
