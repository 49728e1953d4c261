"""Whoever asks where a SIM is, by whatever route and of whatever network, its holder reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide
from litestar.routes import HTTPRoute
from tests.connectivity.served import (
    NCI,
    PHONE,
    PLMN,
    SUPI,
    Core,
    Operator,
    answer,
    device,
    serving,
)

from zhidao.connectivity.adapters.camara_client import RETRIEVE, CamaraNetwork
from zhidao.connectivity.adapters.open5gs import Open5gsNetwork
from zhidao.connectivity.adapters.postgres import PostgresQuestions, ScenarioNetwork
from zhidao.connectivity.domain.served_cell import CellId, ServedCell
from zhidao.connectivity.domain.sim import Sim
from zhidao.connectivity.domain.subscriber_location import Subscriber
from zhidao.connectivity.events import SimAsked
from zhidao.connectivity.service.location import MAY_LOCATE, Location
from zhidao.connectivity.service.networks import Networks
from zhidao.connectivity.service.ports import SimNetwork
from zhidao.connectivity.service.questions import Questions
from zhidao.connectivity.service.track_checks import TrackChecks
from zhidao.connectivity.wire.network_files import CamaraPlan, Open5gsPlan
from zhidao.core.actor import Actor, Role
from zhidao.core.geo import Geodetic
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.node.adapters.ambient import SystemClock, SystemRandomness
from zhidao.node.api import camara, networks
from zhidao.node.api.sims import questions as sim_questions
from zhidao.node.api.sims import track_checks
from zhidao.node.http.access import ACCESS
from zhidao.node.http.problems import HANDLERS
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal

pytestmark = pytest.mark.service
SECOND, THIRD = "+77010000002", "+77010000003"
HERE = {"latitude": 43.35, "longitude": 77.04}
HOLDER = "haulier"
CELL_WORDS = (SUPI, SUPI[5:], str(NCI), "nr_cgi", PLMN, "imeisv")
SEEN = {
    "lastLocationTime": "2026-11-30T10:00:00Z",
    "area": {"areaType": "CIRCLE", "center": HERE, "radius": 700},
}
TOKEN = {"access_token": "t0ken-of-the-test", "token_type": "Bearer", "expires_in": 60}
FIX = {
    "at": "2026-11-30T10:00:00Z",
    "latitude_ndeg": 43_350_000_000,
    "longitude_ndeg": 77_040_000_000,
    "bound_mm": 9_000,
}
# Each route that asks: its request about a number, and the kinds of answers that it may give.
ASKING: dict[tuple[str, str], tuple[dict[str, Any], str]] = {
    ("GET", "/v1/connectivity/locations/{phone}"): ({}, "located"),
    ("POST", "/location-retrieval/v0.5/retrieve"): ({}, "located"),
    ("POST", "/location-verification/v3/verify"): (
        {"area": {"areaType": "CIRCLE", "center": HERE, "radius": 2000}},
        "compared",
    ),
    ("POST", "/v1/connectivity/track-checks"): ({"fixes": [FIX]}, "compared"),
}
API = {
    "/v1/connectivity/track-checks": "track-checks",
    "/v1/connectivity/locations/{phone}": "locations",
    "/location-retrieval/v0.5/retrieve": "location-retrieval",
    "/location-verification/v3/verify": "location-verification",
}


@pytest.fixture
def core() -> Core:
    return Core({"/ue-info": [device()]})


@pytest.fixture
def operator() -> Operator:
    return Operator({"/token": (200, TOKEN), RETRIEVE: (200, SEEN)})


@pytest.fixture
def addresses(core: Core, operator: Operator) -> Iterator[tuple[str, str]]:
    with serving(core) as core_url, serving(operator) as operator_url:
        yield core_url, operator_url


@pytest.fixture
async def app(
    addresses: tuple[str, str], database: Database, core: Core
) -> AsyncIterator[Litestar]:
    clock, randomness = SystemClock(), SystemRandomness()
    ids = IdSource(clock, randomness)
    readers = (party_id("carrier"),)
    sims = {
        PHONE: Sim(PHONE, "corridor", readers, SUPI, party_id(HOLDER)),
        SECOND: Sim(SECOND, "operator", readers, holder=party_id(HOLDER)),
    }
    cell = ServedCell(CellId(PLMN, NCI), Geodetic(43.35, 77.04), 5_000.0)
    plan = CamaraPlan(
        "operator", "40101", addresses[1], f"{addresses[1]}/token", "zhidao", "operator.secret"
    )
    asked: dict[str, SimNetwork] = {
        "corridor": Open5gsNetwork(
            *(Open5gsPlan("corridor", PLMN, addresses[0], "sites.csv"), {cell.cell: cell}),
            *((sims[PHONE],), clock),
        ),
        "operator": CamaraNetwork(plan, "a secret of the test", 1, clock),
    }
    scenario = ScenarioNetwork(database)
    await scenario.set(Subscriber(THIRD, True, readers, (), holder=party_id(HOLDER)))
    room = Networks(sims, asked, scenario)
    journal = PostgresJournal(database, "connectivity", lambda: None)
    scribe = Scribe(
        node=party_id("corridor-node"),
        key=SoftwareKey(Algorithm.ED25519, bytes(32)),
        ring=FixedKeyRing({}),
        clock=clock,
        ids=ids,
        randomness=randomness,
    )
    questions = Questions(PostgresQuestions(database, journal), scribe, ids=ids, clock=clock)
    location = Location(room, clock, questions)

    async def actor(headers: dict[str, str]) -> Actor:
        party = headers.get("x-caller", "carrier")
        roles = {"corridor-node": Role.OPERATOR, "auditor": Role.AUDITOR}
        return Actor(party_id(party), roles.get(party, Role.PARTY))

    checks = TrackChecks(location, Records(journal, scribe))
    yield Litestar(
        [
            *(networks.routes(room, location), sim_questions.routes(questions)),
            *(camara.routes(location), track_checks.routes(checks)),
        ],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
    )
    await room.close()


@asynccontextmanager
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as http:
        yield http


def routes_that_ask(app: Litestar) -> set[tuple[str, str]]:
    found = set()
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                if handler.opt.get(ACCESS) is MAY_LOCATE:
                    path = route.path_format
                    found |= {(m, path) for m in handler.http_methods if m != "OPTIONS"}
    return found


async def ask(
    http: httpx.AsyncClient, route: tuple[str, str], phone: str, caller: str
) -> httpx.Response:
    method, path = route
    headers = {"x-caller": caller}
    if method == "GET":
        return await http.get(path.format(phone=phone), headers=headers)
    named = {"phone": phone} if "fixes" in ASKING[route][0] else {"device": {"phoneNumber": phone}}
    body = ASKING[route][0] | named
    return await http.post(path, json=body, headers=headers)


async def questions_of(http: httpx.AsyncClient, caller: str, **asked: str) -> list[dict[str, str]]:
    told = await http.get("/v1/connectivity/questions", params=asked, headers={"x-caller": caller})
    assert told.status_code == 200, told.text
    # Names and times are of the node's own making, and may look like anything.
    made = ("question", "event", "asked_at")
    said = str([{k: v for k, v in each.items() if k not in made} for each in told.json()])
    assert not any(each in said for each in CELL_WORDS)
    return told.json()


async def test_no_route_asks_that_is_not_tried_here(app: Litestar):
    assert routes_that_ask(app) == ASKING.keys()


@pytest.mark.parametrize("route", ASKING, ids=lambda route: route[1])
@pytest.mark.parametrize("phone", [PHONE, SECOND], ids=["open5gs", "camara"])
async def test_each_question_is_the_holders_to_read(
    app: Litestar, database: Database, route: tuple[str, str], phone: str
):
    kind = ASKING[route][1]
    async with client(app) as http:
        for caller in ("carrier", HOLDER, "corridor-node"):
            assert (await ask(http, route, phone, caller)).status_code == 200
        assert (await ask(http, route, phone, "stranger")).status_code == 404
        told = await questions_of(http, HOLDER, phone=phone)
        assert [(each["asker"], each["role"], each["answer"]) for each in reversed(told)] == [
            ("carrier", "party", kind),
            (HOLDER, "party", kind),
            ("corridor-node", "operator", kind),
            ("stranger", "party", "refused"),
        ]
        assert {each["phone"] for each in told} == {phone}
        assert {each["api"] for each in told} == {API[route[1]]}
        assert await questions_of(http, "auditor") == told
        for other in ("carrier", "stranger", "corridor-node"):
            assert await questions_of(http, other) == []
    # Each is a signed fact in the journal, and says no more than the answer does.
    journal = PostgresJournal(database, "connectivity", lambda: None)
    for each in told:
        (entry,) = await journal.load(f"sim-question/{each['question']}", viewer=party_id(HOLDER))
        assert SimAsked.of(entry.event).asker == each["asker"]
        said = str({k: v for k, v in entry.event.payload.items() if k != "question"})
        assert not any(word in said for word in (*CELL_WORDS, "43.35", "43350"))
        entry.event.verify()


@pytest.mark.parametrize("route", ASKING, ids=lambda route: route[1])
async def test_a_stranger_cannot_tell_a_sim_from_no_sim_while_its_network_is_away(
    app: Litestar, core: Core, operator: Operator, route: tuple[str, str]
):
    async def silent(send: Any, _: str) -> None:
        await answer(send, b"", 500)

    core.lie = silent
    operator.answers["/token"] = (500, {})
    async with client(app) as http:
        heard = set()
        for phone in (PHONE, SECOND, THIRD, "+77010000009"):
            refused = await ask(http, route, phone, "stranger")
            heard.add((refused.status_code, refused.text, tuple(sorted(refused.headers))))
        assert len(heard) == 1
        assert heard.pop()[0] == 404
        assert (core.asked, operator.asked) == ([], [])
        for phone in (PHONE, SECOND):
            assert (await ask(http, route, phone, "carrier")).status_code == 503
        told = await questions_of(http, HOLDER)
        assert [(each["phone"], each["asker"], each["answer"]) for each in told] == [
            (SECOND, "carrier", "unavailable"),
            (PHONE, "carrier", "unavailable"),
            (THIRD, "stranger", "refused"),
            (SECOND, "stranger", "refused"),
            (PHONE, "stranger", "refused"),
        ]
        # Of the number of no table an auditor sees that it was tried, and not which it was.
        assert [each["phone"] for each in await questions_of(http, "auditor")].count("") == 1


async def test_the_list_is_bounded_and_reads_its_words(app: Litestar):
    route = ("GET", "/v1/connectivity/locations/{phone}")
    async with client(app) as http:
        for _ in range(3):
            await ask(http, route, PHONE, "carrier")
        whole = await questions_of(http, HOLDER)
        first = await questions_of(http, HOLDER, limit="2")
        rest = await questions_of(http, HOLDER, after=first[-1]["question"])
        assert first + rest == whole
        for wrong in ("limit=0", "limit=501", "phone=77", "after=x", f"after={'-' * 36}"):
            refused = await http.get(
                f"/v1/connectivity/questions?{wrong}", headers={"x-caller": HOLDER}
            )
            assert refused.status_code == 400, wrong
