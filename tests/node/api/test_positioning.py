from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from litestar import Litestar
from litestar.di import Provide

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.archive import digest_of
from zhidao.core.errors import NotFound
from zhidao.core.geo import Geodetic
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Gpst, Utc
from zhidao.devices.events import Binding, RawWindow, Ride, WindowReceived
from zhidao.node.api.positioning import routes
from zhidao.node.http.problems import HANDLERS
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.receiver import Receiver, synthesize
from zhidao.positioning.events import Site
from zhidao.positioning.service.arrivals import ArrivalService
from zhidao.positioning.service.bases import BaseService
from zhidao.positioning.service.navigation import NavigationService
from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations
from zhidao.store.memory import MemoryArchive, MemoryJournal

ROOT = "/v1/positioning"
START = Utc.parse("2026-11-21T06:00:00Z")
PLACE = Geodetic(43.354, 77.012, 700.0)
NAVIGATION = constellation(START, START, seed=1, systems="CEG")


def _window() -> bytes:
    place = PLACE.to_ecef()
    at = Gpst.from_utc(START).ns + np.arange(16) * 5 * 10**9
    way = np.tile((place.x_m, place.y_m, place.z_m), (16, 1))
    return write_observations(synthesize(Receiver(at, way, systems="CEG"), NAVIGATION, seed=1))


WINDOW = _window()


class Below:
    """The devices and connectivity rooms, as far as this test needs them."""

    async def window(self, digest: str, *, terminal: str = "") -> RawWindow:
        return RawWindow(
            terminal="T-1",
            key="zKey",
            digest=digest_of(WINDOW),
            data=WINDOW,
            signed=True,
            simulated=True,
            chunk_digests=[],
        )

    async def binding(self, *, terminal: str, consignment: str, container: str = "") -> Binding:
        return Binding(
            seal="S",
            container="C",
            terminal=terminal,
            terminal_key="zKey",
            sealed_by="carrier",
            checked_by="customs",
            bound=True,
            reason="",
        )

    async def rides(self, terminal: str) -> list[Ride]:
        del terminal
        return [
            Ride(consignment=name, container="C", begin=START, end=None) for name in ("C-1", "C-2")
        ]

    async def phone(self, terminal: str) -> str:
        raise NotFound("the network knows no phone of this terminal")

    async def window_before(self, digest: str, *, terminal: str) -> bytes:
        del digest, terminal
        return b""

    async def surroundings(self, terminal: str) -> str:
        del terminal
        return "open_sky"

    async def owner(self, terminal: str) -> PartyId:
        del terminal
        return PartyId("carrier")

    async def keyed(self, terminal: str) -> bool:
        del terminal
        return True

    async def audience(self, terminal: str) -> frozenset[PartyId]:
        del terminal
        return frozenset()

    async def check(self, actor: Actor, **asked: object) -> None:
        raise AssertionError("no phone, no question")


@pytest.fixture
def services() -> Iterator[tuple[NavigationService, BaseService, ArrivalService, Scribe]]:
    clock, randomness = HandClock(START), SeededRandomness(1)
    key = SoftwareKey(Algorithm.ED25519, bytes(32))
    ring = FixedKeyRing({PartyId(p): key for p in ("operator", "bank", "importer")})
    scribe = Scribe(
        node=PartyId("node"),
        key=key,
        ring=ring,
        clock=clock,
        ids=IdSource(clock, randomness),
        randomness=randomness,
    )
    records, archive, below = Records(MemoryJournal(), scribe), MemoryArchive(), Below()
    with ThreadPoolExecutor(1) as workers:
        navigation = NavigationService(records, archive, workers)
        bases = BaseService(records, archive, workers)
        arrivals = ArrivalService(
            records=records,
            archive=archive,
            navigation=navigation,
            bases=bases,
            custody=below,
            network=below,
            workers=workers,
            method="points",
        )
        yield navigation, bases, arrivals, scribe


@pytest.fixture
async def client(services) -> AsyncIterator[httpx.AsyncClient]:
    async def actor(headers: dict[str, str]) -> Actor:
        return Actor(PartyId(headers["x-caller"]), Role(headers.get("x-role", "party")))

    app = Litestar(
        [routes(*services[:3])],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        yield client


OPERATOR = {"x-caller": "operator", "x-role": "operator"}
BANK = {"x-caller": "bank"}
STRANGER = {"x-caller": "stranger"}


async def _prove(client: httpx.AsyncClient, services) -> None:
    _, _, arrivals, scribe = services
    body = gzip.compress(write_navigation(NAVIGATION))
    answer = await client.post(f"{ROOT}/navigation", content=body, headers=OPERATOR)
    assert answer.status_code == 201, answer.text
    assert answer.json()["systems"] == "CEG"
    await arrivals.expect(
        Actor(PartyId("bank"), Role.PARTY),
        consignment="C-1",
        terminal="T-1",
        site=Site(
            name="Yard",
            latitude_ndeg=PLACE.latitude_ndeg,
            longitude_ndeg=PLACE.longitude_ndeg,
            radius_mm=100_000,
        ),
        not_before=START,
        not_after=START.plus_ns(3600 * 10**9),
        risk_ppb=10_000,
        readers=(),
    )
    fact = WindowReceived(
        terminal="T-1",
        key="zKey",
        digest=digest_of(WINDOW),
        size_bytes=len(WINDOW),
        chunk_digests=[],
        nonce="00",
        simulated=True,
    )
    entry = scribe.write(
        fact,
        by=scribe.node,
        aggregate="terminal/T-1",
        version=1,
        owner=scribe.node,
        visible=(),
        occurred_at=None,
    )
    await arrivals.on_window(entry.event)


async def test_from_navigation_to_arrival_track_and_evidence(client, services):
    await _prove(client, services)
    arrival = (await client.get(f"{ROOT}/arrivals/C-1", headers=BANK)).json()
    assert arrival["state"] == "proven"
    digest = arrival["proven"]["evidence"]
    evidence = await client.get(f"{ROOT}/evidence/{digest}", headers=BANK)
    assert digest_of(evidence.content) == digest
    assert evidence.headers["content-type"].startswith("application/json")
    track = (await client.get(f"{ROOT}/arrivals/C-1/track", headers=BANK)).json()
    assert len(track["fixes"]) == 16
    assert track["fixes"][0]["sky"][0]["satellite"].startswith("C")
    assert track["evidence"] == digest
    assert track["epochs"] == track["positions"] == 16
    # Each epoch stands for itself: inside where its bound is less than its room to the edge.
    for fix in track["fixes"]:
        assert 0 < fix["protection_mm"] < fix["room_mm"] <= 100_000
    used = [each for each in track["fixes"][-1]["sky"] if each["used"]]
    assert len(used) == arrival["proven"]["satellites"]
    assert all(25_000 < each["strength_mdbhz"] < 60_000 for each in used)
    deciding = next(fix for fix in track["fixes"] if fix["at"] == track["observed_at"])
    assert deciding["protection_mm"] == arrival["proven"]["protection_mm"]


async def test_a_track_is_computed_once_and_shown_only_to_its_parties(client, services):
    await _prove(client, services)
    first = await client.get(f"{ROOT}/arrivals/C-1/track", headers=BANK)
    # Nothing but the kept track can answer now: the archive has forgotten the evidence.
    services[2]._archive = MemoryArchive()
    again = await client.get(f"{ROOT}/arrivals/C-1/track", headers=BANK)
    assert (again.status_code, again.content) == (200, first.content)
    refused = await client.get(f"{ROOT}/arrivals/C-1/track", headers=STRANGER)
    assert refused.status_code == 404


async def test_another_party_finds_nothing(client, services):
    await _prove(client, services)
    arrival = (await client.get(f"{ROOT}/arrivals/C-1", headers=BANK)).json()
    for path in ("arrivals/C-1", "arrivals/C-1/track", f"evidence/{arrival['proven']['evidence']}"):
        assert (await client.get(f"{ROOT}/{path}", headers=STRANGER)).status_code == 404


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [(BANK, b"x", 403), (OPERATOR, b"", 400), (OPERATOR, b"x", 400), (OPERATOR, b"\x1f\x8b", 400)],
)
async def test_bad_navigation_is_refused(client, headers, body, status):
    answer = await client.post(f"{ROOT}/navigation", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["status"] == status


async def test_a_digest_must_look_like_one(client):
    assert (await client.get(f"{ROOT}/evidence/..", headers=BANK)).status_code in (400, 404)
    assert (await client.get(f"{ROOT}/evidence/{'a' * 64}", headers=BANK)).status_code == 404


async def test_a_base_is_added_once_by_the_operator(client):
    added = await client.post(f"{ROOT}/bases", content=WINDOW, headers=OPERATOR)
    again = await client.post(f"{ROOT}/bases", content=WINDOW, headers=OPERATOR)
    assert (added.status_code, added.json()) == (201, again.json())
    assert len(added.json()["ecef_mm"]) == 3
    assert (await client.post(f"{ROOT}/bases", content=WINDOW, headers=BANK)).status_code == 403
    assert (await client.post(f"{ROOT}/bases", content=b"", headers=OPERATOR)).status_code == 400


@pytest.mark.bound("positioning.service.bases.BASE_BODY_BYTES_MAX")
@pytest.mark.bound("positioning.service.navigation.NAVIGATION_BODY_BYTES_MAX")
@pytest.mark.parametrize(
    ("path", "bound"),
    [("bases", "BASE_BODY_BYTES_MAX"), ("navigation", "NAVIGATION_BODY_BYTES_MAX")],
)
async def test_a_body_past_the_bound_of_its_route_is_refused(services, monkeypatch, path, bound):
    monkeypatch.setattr(f"zhidao.node.api.positioning.{bound}", 60)

    async def actor(headers: dict[str, str]) -> Actor:
        return Actor(PartyId("operator"), Role.OPERATOR)

    app = Litestar(
        [routes(*services[:3])],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as asked:
        at = await asked.post(f"{ROOT}/{path}", content=b"x" * 60)
        past = await asked.post(f"{ROOT}/{path}", content=b"x" * 61)
    assert (at.status_code, past.status_code) == (400, 413)
