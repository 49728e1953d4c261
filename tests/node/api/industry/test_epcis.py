"""The routes of EPCIS: capture, pages of events with their links, traces, and what is refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide
from tests.industry.domain.test_trace import event, made
from tests.industry.service.test_epcis import ROAD, World, document

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.node.api.industry import epcis as epcis_api
from zhidao.node.http.problems import HANDLERS


class Asking:
    """Asks the routes as a party."""

    def __init__(self) -> None:
        self.world = World()

        async def actor(request: Any) -> Actor:
            return Actor(party_id(request.headers["x-party"]), Role.PARTY)

        self._app = Litestar(
            [epcis_api.routes(self.world.epcis)],
            dependencies={"actor": Provide(actor)},
            exception_handlers=HANDLERS,
            openapi_config=None,
        )

    async def __call__(
        self, method: str, path: str, party: str = "exporter", **more: Any
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._app)
        headers = {"x-party": party, "content-type": "application/json"} | more.pop("headers", {})
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            return await client.request(method, f"/v1/epcis/{path}", headers=headers, **more)


@pytest.fixture
def ask() -> Asking:
    return Asking()


async def test_what_is_captured_is_found_and_followed_by_its_readers(ask: Asking) -> None:
    sent = await ask("POST", "capture?readers=importer", content=document(*ROAD))
    assert sent.status_code == 202, sent.text
    assert len(sent.json()["events"]) == 3
    for party, status in (("exporter", 200), ("importer", 200), ("customs", 404)):
        told = await ask("GET", "trace", party, params={"thing": "urn:raw"})
        assert told.status_code == status
        if status == 200:
            answer = told.json()
            assert (answer["made"], answer["carried"], answer["beside"]) == (2, 1, 0)
            last = answer["steps"][-1]
            assert (last["thing"], last["before"], last["by"]) == ("urn:case", "urn:s1", "exporter")
            assert last["event"] == sent.json()["events"][2]
    back = await ask("GET", "trace", params={"thing": "urn:case", "direction": "backward"})
    assert (back.json()["complete"], [e["why"] for e in back.json()["ends"]]) == (True, ["origin"])


async def test_pages_of_events_are_led_on_by_links(ask: Asking) -> None:
    await ask("POST", "capture", content=document(*(made(n, f"urn:{n}") for n in range(5))))
    path, seen = "events?perPage=2&eventType=ObjectEvent", []
    while path:
        answer = await ask("GET", path)
        assert answer.headers["GS1-EPCIS-Version"] == "2.0.0"
        body = answer.json()["epcisBody"]["queryResults"]["resultsBody"]
        seen += [event["epcList"][0] for event in body["eventList"]]
        link = answer.headers.get("link", "")
        path = link.partition("<")[2].partition(">")[0].removeprefix("/v1/epcis/")
    assert seen == [f"urn:{n}" for n in (4, 3, 2, 1, 0)]


async def test_one_wrong_event_refuses_all_unless_told_to_proceed(ask: Asking) -> None:
    data = document(ROAD[0], made(1, "urn:b") | {"action": "PUSH"})
    refused = await ask("POST", "capture", content=data)
    assert refused.status_code == 400
    assert "/epcisBody/eventList/1/action" in refused.text
    proceed = {"GS1-Capture-Error-Behaviour": "proceed"}
    taken = await ask("POST", "capture", content=data, headers=proceed)
    assert taken.status_code == 202
    assert [each["index"] for each in taken.json()["refused"]] == [1]


@pytest.mark.parametrize(
    "path",
    [
        *("events?EQ_anything=1", "events?perPage=0", "events?nextPageToken=x", "trace"),
        *("trace?thing=urn:a&direction=up", "trace?thing=urn:a&at=yesterday"),
        *("trace?thing=" + "x" * 513, "events?GE_eventTime=now"),
    ],
)
async def test_what_no_query_says_is_400(ask: Asking, path: str) -> None:
    assert (await ask("GET", path)).status_code == 400


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"type":1}', b"[" * 100, b'{"a":1,"a":2}', b"\xff"]
)
async def test_what_is_no_document_is_400(ask: Asking, data: bytes) -> None:
    assert (await ask("POST", "capture", content=data)).status_code == 400


async def test_a_lot_that_does_not_add_up_is_flagged_wherever_it_is_asked_for(ask: Asking) -> None:
    lot = [{"epcClass": "urn:raw", "quantity": 100, "uom": "KGM"}]
    more = [{"epcClass": "urn:raw", "quantity": 100.5, "uom": "KGM"}]
    ins = made(1) | {"quantityList": lot}
    del ins["epcList"]
    outs = event("ObjectEvent", 2, action="OBSERVE", bizStep="shipping", quantityList=more)
    sent = await ask("POST", "capture", content=document(ins))
    assert sent.json()["imbalances"] == []
    sent = await ask("POST", "capture", content=document(outs))
    [flagged] = sent.json()["imbalances"]
    assert (flagged["put_in"], flagged["taken_out"], flagged["stock"]) == ("100", "100.5", "")
    traced = (await ask("GET", "trace", params={"thing": "urn:raw"})).json()
    balance = (await ask("GET", "balance", params={"lot": "urn:raw"})).json()
    assert traced["imbalances"] == balance == [flagged]
    events = (await ask("GET", "events", params={"orderDirection": "ASC"})).json()
    names = [e["eventID"] for e in events["epcisBody"]["queryResults"]["resultsBody"]["eventList"]]
    assert [flagged["said_in"], flagged["said_over"]] == names
    for party, thing in (("customs", "urn:raw"), ("exporter", "urn:none")):
        hidden = await ask("GET", "balance", party, params={"lot": thing})
        assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")


async def test_a_quantity_below_nothing_is_refused_whole(ask: Asking) -> None:
    lot = [{"epcClass": "urn:raw", "quantity": -1}]
    sent = await ask("POST", "capture", content=document(made(1, "urn:a") | {"quantityList": lot}))
    assert sent.status_code == 400
    assert sent.json()["where"] == "/epcisBody/eventList/0/quantityList/0/quantity"
