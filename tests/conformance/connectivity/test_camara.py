"""CAMARA's own scenarios, read from its feature files, against our two location APIs.

Source: CAMARA DeviceLocation r3.2 (Apache-2.0), location-verification 3.0.0 and
location-retrieval 0.5.0.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from litestar import Litestar, Request
from litestar.di import Provide
from litestar.testing import TestClient
from tests.connectivity.bench import bench

from zhidao.connectivity.adapters.memory import MemoryNetwork
from zhidao.connectivity.domain.subscriber_location import Subscriber, SubscriberLocation
from zhidao.connectivity.service.location import Location
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock
from zhidao.core.errors import Unauthenticated
from zhidao.core.geo import Geodetic
from zhidao.core.ids import party_id
from zhidao.core.timescale import NS, Utc
from zhidao.node.api.camara import routes

NOW = Utc.parse("2026-11-24T08:00:00Z")
CENTRE = Geodetic(50.735851, 7.10066)
KNOWN, NOWHERE, NOT_SERVED, UNKNOWN = "+491234567", "+491234568", "+491234569", "+499999999"
AGE_S, RADIUS_M = 60, 500.0
TOKENS = {
    "party": Actor(party_id("bank"), Role.PARTY),
    "of-device": Actor(party_id("driver"), Role.PARTY),
    "no-scope": Actor(party_id("admin"), Role.ADMIN),
}
# Our network knows devices by phone number only.
UNSUPPORTED = {"ipv4Address": {"publicAddress": "84.125.93.10", "publicPort": 59765}}
NOT_SCHEMA_COMPLIANT = {
    "$.device.phoneNumber": "123",
    "$.device.ipv4Address": {"publicAddress": "84.125.93.10"},
    "$.device.ipv6Address": "not an address",
    "$.device.networkAccessIdentifier": 17,
    "$.area.areaType": "SQUARE",
    "$.area.center.latitude": 90.5,
    "$.area.center.longitude": -181,
    "$.area.radius": 0,
    "$.maxAge": "6a0",
}
# The feature asks 404 LOCATION_RETRIEVAL.DEVICE_NOT_FOUND, a code that its own OpenAPI file does
# not have; that file says 422 LOCATION_RETRIEVAL.UNABLE_TO_LOCATE, and we follow it.
CONTRADICTED = {"@location_retrieval_404_unable_to_locate_device"}


class NotApplicable(Exception):
    """The scenario asks for something that this implementation does not offer."""


@dataclass
class Case:
    """A scenario with its steps; outlines are already filled in."""

    tag: str
    steps: list[str]


@dataclass
class World:
    """One scenario's request and its answer."""

    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    answer: Any = None


def _cases(text: str) -> Iterator[Case]:
    background: list[str] = []
    block: list[str] = []
    tag = ""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    for line in [*lines, "@end"]:
        if line.startswith(("Feature:", "Background:")):
            block = []
        elif line.startswith("@"):
            if tag:
                yield from _filled(tag, background, block)
            else:
                background = block
            tag, block = line, []
        else:
            block.append(line)


def _filled(tag: str, background: list[str], block: list[str]) -> Iterator[Case]:
    steps = [line for line in block if re.match(r"(Given|When|Then|And|But) ", line)]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in block
        if line.startswith("|")
    ]
    if not rows:
        yield Case(tag, [*background, *steps])
    for values in rows[1:]:
        filled = steps
        for name, value in zip(rows[0], values, strict=True):
            filled = [step.replace(f"<{name}>", value) for step in filled]
        yield Case(f"{tag} {values[0]}", [*background, *filled])


def _app() -> Litestar:
    network = MemoryNetwork()
    seen = SubscriberLocation(
        CENTRE, RADIUS_M, NOW.plus_ns(-AGE_S * NS), "test network", simulated=True
    )
    readers = (party_id("bank"), party_id("driver"))

    async def fill() -> None:
        await network.set(Subscriber(KNOWN, True, readers, (seen,)))
        await network.set(Subscriber(NOWHERE, True, readers, ()))
        await network.set(Subscriber(NOT_SERVED, False, readers, (seen,)))

    async def actor(request: Request[Any, Any, Any]) -> Actor:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in TOKENS:
            raise Unauthenticated("no valid token")
        return TOKENS[token]

    router = routes(
        Location(network, HandClock(NOW), bench().questions),
        subject_of=lambda who: KNOWN if who.party == "driver" else "",
    )
    return Litestar(
        [router], dependencies={"actor": Provide(actor)}, on_startup=[fill], openapi_config=None
    )


def _default_body(path: str) -> dict[str, Any]:
    body: dict[str, Any] = {"device": {"phoneNumber": KNOWN}, "maxAge": 120}
    if "verification" in path:
        body["area"] = _area(CENTRE.latitude_deg, CENTRE.longitude_deg, 2000)
    return body


def _area(latitude: float, longitude: float, radius: float) -> dict[str, Any]:
    return {
        "areaType": "CIRCLE",
        "center": {"latitude": latitude, "longitude": longitude},
        "radius": radius,
    }


def _set(body: Any, path: str, value: Any) -> None:
    *parents, last = path.removeprefix("$.").split(".")
    for name in parents:
        body = body.setdefault(name, {})
    if value is None:
        body.pop(last, None)
    else:
        body[last] = value


def _get(body: Any, path: str) -> Any:
    for name in path.removeprefix("$.").split("."):
        if not isinstance(body, dict) or name not in body:
            return None
        body = body[name]
    return body


Step = Callable[..., None]
STEPS: list[tuple[re.Pattern[str], Step]] = []


def step(pattern: str) -> Callable[[Step], Step]:
    def register(function: Step) -> Step:
        STEPS.append((re.compile(pattern + r"\s*\|?\Z"), function))
        return function

    return register


@step(r'an environment at "apiRoot"')
@step(r"that some types of device identifiers are not supported by the implementation")
@step(r"that (?:the|there) .*(?:is not available for all devices|is a minimum radius allowed).*")
def _nothing(world: World, spec: Any) -> None:
    pass


@step(r"at least 2 types of device identifiers are supported by the implementation")
def _two_types(world: World, spec: Any) -> None:
    raise NotApplicable("devices are known by phoneNumber only")


@step(r'the resource "(.*)"')
def _resource(world: World, spec: Any, path: str) -> None:
    world.path = path
    world.body = _default_body(path)


@step(r'the header "Content-Type" is set to "(.*)"')
def _content(world: World, spec: Any, kind: str) -> None:
    world.headers["Content-Type"] = kind


@step(r'the header "Authorization" is set to (.*)')
def _token(world: World, spec: Any, which: str) -> None:
    token = "party"
    if "expired" in which or "an invalid" in which:
        token = "expired"
    elif "without the required scope" in which:
        token = "no-scope"
    elif "identifying a device" in which:
        token = "of-device"
    world.headers["Authorization"] = f"Bearer {token}"


@step(r'the header "Authorization" is removed')
def _no_token(world: World, spec: Any) -> None:
    del world.headers["Authorization"]


@step(r'the header "x-correlator" complies with the schema at "(.*)"')
def _correlator(world: World, spec: Any, place: str) -> None:
    value = "b4333c46-49c0-4f62-80d7-f0ef930f1c46"
    _validator(spec, place).validate(value)
    world.headers["x-correlator"] = value


@step(
    r"the request body is set (?:by default to a request body compliant with the schema|to a valid request body)"
)
def _valid(world: World, spec: Any) -> None:
    world.body = _default_body(world.path)


@step(
    r"a valid testing device supported by the service,? identified,? by the token or provided in the request body(.*)"
)
def _device(world: World, spec: Any, more: str) -> None:
    world.body["device"] = {
        "phoneNumber": NOWHERE
        if "no historical location information" in more and "some time" not in more
        else KNOWN
    }


@step(r"a valid testing device which cannot be located .*")
def _nowhere(world: World, spec: Any) -> None:
    world.body["device"] = {"phoneNumber": NOWHERE}


@step(r"the testing device, identified by the token .*")
def _testing(world: World, spec: Any) -> None:
    world.body["device"] = {"phoneNumber": KNOWN}


@step(
    r"a valid device, (?:identified by the token or )?provided in the request body, for which the service is not applicable"
)
def _not_served(world: World, spec: Any) -> None:
    world.body["device"] = {"phoneNumber": NOT_SERVED}


@step(
    r'the request body property "\$\.device" is compliant with the schema,? but does not identify .*'
)
def _unknown(world: World, spec: Any) -> None:
    world.body["device"] = {"phoneNumber": UNKNOWN}


@step(r'the request body property "\$\.device" is set to a valid .*')
def _valid_device(world: World, spec: Any) -> None:
    world.body["device"] = {"phoneNumber": KNOWN}


@step(r'the request body property "\$\.device" is set to: \{\}')
def _empty_device(world: World, spec: Any) -> None:
    world.body["device"] = {}


@step(
    r'the request body property "\$\.device" only includes device identifiers not supported by the implementation'
)
def _unsupported(world: World, spec: Any) -> None:
    world.body["device"] = dict(UNSUPPORTED)


@step(r'the request body property "(.*)" does not comply with the OAS schema at "?(/[^"]*)"?')
def _wrong(world: World, spec: Any, path: str, place: str) -> None:
    value = NOT_SCHEMA_COMPLIANT[path]
    if not place.startswith("/components/schemas/Circle/"):
        assert not _validator(spec, place).is_valid(value), "the value should not comply"
    if path.startswith("$.device."):
        world.body["device"] = {}
    _set(world.body, path, value)


@step(r'the "maxAge" is set to 6a0')
def _wrong_age(world: World, spec: Any) -> None:
    world.body["maxAge"] = "6a0"


@step(r'the request body property "(.*)" is not included')
def _without(world: World, spec: Any, path: str) -> None:
    _set(world.body, path, None)


@step(r'the request body property "\$\.maxAge" is included')
def _with_age(world: World, spec: Any) -> None:
    world.body["maxAge"] = AGE_S


@step(r'the request body property "\$\.maxAge" is set to a value shorter than that time')
def _short_age(world: World, spec: Any) -> None:
    world.body["maxAge"] = AGE_S - 1


@step(r'the request body property "\$\.maxSurface" is set to a value smaller than that area')
def _small_surface(world: World, spec: Any) -> None:
    world.body["maxSurface"] = 10_000


@step(r'the request body property "\$\.area" is set to (.*)')
def _asked_area(world: World, spec: Any, which: str) -> None:
    latitude, longitude = CENTRE.latitude_deg, CENTRE.longitude_deg
    if "not covered" in which:
        latitude = -85.0
    elif "is not located" in which:
        latitude += 1.0
    world.body["area"] = _area(latitude, longitude, 2000)


@step(r'the request body property "\$\.area\.(areaType|center|radius)" is set to .*')
def _small_area(world: World, spec: Any, part: str) -> None:
    world.body["area"] = _area(CENTRE.latitude_deg, CENTRE.longitude_deg, 2)


@step(r"the request body is not included")
def _no_body(world: World, spec: Any) -> None:
    world.body = None


@step(r'the request body is set to "\{\}"')
def _empty_body(world: World, spec: Any) -> None:
    world.body = {}


@step(r'the request "(.*)" is sent')
def _send(world: World, spec: Any, operation: str) -> None:
    content = b"" if world.body is None else json.dumps(world.body).encode()
    world.answer = spec["client"].post(world.path, content=content, headers=world.headers)


@step(r"the response status code is (\d+)")
def _status(world: World, spec: Any, status: str) -> None:
    assert world.answer.status_code == int(status), world.answer.text


@step(r'the response header "Content-Type" is "(.*)"')
def _answer_kind(world: World, spec: Any, kind: str) -> None:
    assert world.answer.headers["content-type"] == kind


@step(r'the response header "x-correlator" has same value as the request header "x-correlator"')
def _answer_correlator(world: World, spec: Any) -> None:
    assert world.answer.headers["x-correlator"] == world.headers["x-correlator"]


@step(r'the response body complies with the OAS schema at "(.*)"')
def _complies(world: World, spec: Any, place: str) -> None:
    _validator(spec, place).validate(world.answer.json())


@step(r'the response property "([^"]*)" is (?:one of: )?("[^"]*"|\d+|\[.*\])')
def _property(world: World, spec: Any, path: str, value: str) -> None:
    wanted = json.loads(value)
    got = _get(world.answer.json(), path)
    assert got in wanted if isinstance(wanted, list) else got == wanted


@step(r'the response property "([^"]*)" contains a user.friendly text')
def _friendly(world: World, spec: Any, path: str) -> None:
    assert len(_get(world.answer.json(), path)) > 10


@step(r'the response property "([^"]*)" exists')
def _exists(world: World, spec: Any, path: str) -> None:
    assert _get(world.answer.json(), path) is not None


@step(r'the response property "([^"]*)" does not exist')
def _absent(world: World, spec: Any, path: str) -> None:
    assert _get(world.answer.json(), path) is None


@step(r'the response property "([^"]*)" exists only if "(.*)" is "(.*)"')
def _exists_if(world: World, spec: Any, path: str, other: str, value: str) -> None:
    body = world.answer.json()
    assert (_get(body, path) is not None) == (_get(body, other) == value)


@step(r'the response property "\$\.lastLocationTime" value is not older than .*')
def _fresh(world: World, spec: Any) -> None:
    at = Utc.parse(world.answer.json()["lastLocationTime"])
    assert NOW.since_ns(at) <= world.body["maxAge"] * NS


def _validator(spec: Any, place: str) -> Any:
    schema = {"$ref": "#" + place.removeprefix("#"), "components": spec["components"]}
    return jsonschema_rs.validator_for(schema, validate_formats=True)


def _run(case: Case, spec: Any) -> None:
    world = World()
    for text in case.steps:
        sentence = text.partition(" ")[2]
        found = [(m, f) for pattern, f in STEPS if (m := pattern.fullmatch(sentence))]
        assert len(found) == 1, f"{len(found)} meanings of: {sentence}"
        match, function = found[0]
        function(world, spec, *match.groups())


@pytest.mark.parametrize(
    ("api", "least"), [("location-verification", 30), ("location-retrieval", 20)]
)
def test_camara_scenarios(shared: Path, api: str, least: int):
    folder = shared / "connectivity" / "camara"
    spec = yaml.safe_load((folder / "api" / f"{api}.yaml").read_text())
    passed, failed, skipped = 0, {}, {}
    with TestClient(_app(), raise_server_exceptions=False) as client:
        whole = {"components": deepcopy(spec["components"]), "client": client}
        for case in _cases((folder / "features" / f"{api}.feature").read_text()):
            try:
                _run(case, whole)
                passed += 1
            except NotApplicable as error:
                skipped[case.tag] = str(error)
            except (AssertionError, KeyError, TypeError, jsonschema_rs.ValidationError) as error:
                failed[case.tag] = str(error)[:300]
    line = {
        "suite": f"camara-{api}",
        "passed": passed,
        "total": passed + len(failed) + len(skipped),
        "failed": sorted(failed),
        "not_applicable": skipped,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    assert {tag: text for tag, text in failed.items() if tag not in CONTRADICTED} == {}
    assert passed >= least


def test_a_device_whose_holder_did_not_agree_looks_unknown():
    with TestClient(_app()) as client:
        TOKENS["stranger"] = Actor(party_id("stranger"), Role.PARTY)
        answer = client.post(
            "/location-retrieval/v0.5/retrieve",
            json={"device": {"phoneNumber": KNOWN}},
            headers={"Authorization": "Bearer stranger"},
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "IDENTIFIER_NOT_FOUND")


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        b'{"device": null}',
        b'{"maxAge": -1}',
        b'{"maxAge": 1e400}',
        b'{"maxSurface": 0}',
        b'{"device": {"phoneNumber": "+491234567", "ipv6Address": "1.2.3.4"}}',
        b"\xff\xfe",
    ],
)
def test_bad_bodies_are_answered_in_camaras_form(body: bytes):
    with TestClient(_app()) as client:
        headers = {
            "Authorization": "Bearer party",
            "Content-Type": "application/json",
            "x-correlator": "a-1",
        }
        answer = client.post("/location-retrieval/v0.5/retrieve", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_ARGUMENT")
        assert answer.json()["status"] == 400
        assert answer.headers["x-correlator"] == "a-1"


def test_a_correlator_of_another_form_is_refused():
    with TestClient(_app()) as client:
        headers = {"Authorization": "Bearer party", "x-correlator": "a b"}
        answer = client.post("/location-retrieval/v0.5/retrieve", json={}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_ARGUMENT")
        assert "x-correlator" not in answer.headers
