"""A positioning room in memory, with the rooms below it played by plain values."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.positioning.conftest import START, Afternoon, still, times

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.archive import digest_of
from zhidao.core.errors import NotFound
from zhidao.core.events import SignedEvent
from zhidao.core.geo import Ecef
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.devices.events import Binding, RawWindow, Ride, WindowReceived
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.receiver import Receiver, synthesize
from zhidao.positioning.events import Site
from zhidao.positioning.service.arrivals import ArrivalService
from zhidao.positioning.service.bases import BaseService
from zhidao.positioning.service.navigation import NavigationService
from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations
from zhidao.store.memory import MemoryArchive, MemoryJournal

TERMINAL_KEY = "zTerminal"
OPERATOR = Actor(PartyId("operator"), Role.OPERATOR)
BANK = Actor(PartyId("importer-bank"), Role.PARTY)
EXPORTER = Actor(PartyId("exporter"), Role.PARTY)
STRANGER = Actor(PartyId("stranger"), Role.PARTY)


@dataclass
class Custody:
    """Windows and bindings as the devices room would keep them."""

    windows: dict[str, RawWindow] = field(default_factory=dict)
    bound: bool = True
    kind: str = "open_sky"

    async def window(self, digest: str, *, terminal: str = "") -> RawWindow:
        if digest not in self.windows:
            raise NotFound("no such window")
        return self.windows[digest]

    async def binding(self, *, terminal: str, consignment: str, container: str = "") -> Binding:
        return Binding(
            seal="S1",
            container="C1",
            terminal=terminal,
            terminal_key=TERMINAL_KEY,
            sealed_by="carrier",
            checked_by="customs",
            bound=self.bound,
            reason="" if self.bound else "nobody checked the seal",
        )

    async def rides(self, terminal: str) -> list[Ride]:
        return [
            Ride(consignment=name, container="C1", begin=START, end=None)
            for name in ("C-1", "C-2", "C-3")
        ]

    async def phone(self, terminal: str) -> str:
        return "+77010000001"

    async def window_before(self, digest: str, *, terminal: str) -> bytes:
        assert terminal
        kept = list(self.windows)
        place = kept.index(digest)
        return self.windows[kept[place - 1]].data if place else b""

    async def surroundings(self, terminal: str) -> str:
        assert terminal
        return self.kind

    async def owner(self, terminal: str) -> PartyId:
        if terminal == "T-elsewhere":
            raise NotFound("no such terminal")
        return PartyId("carrier")

    async def keyed(self, terminal: str) -> bool:
        if terminal == "T-elsewhere":
            raise NotFound("no such terminal")
        return terminal != "T-claimed"

    async def audience(self, terminal: str) -> frozenset[PartyId]:
        await self.keyed(terminal)
        return frozenset(map(PartyId, ("importer-bank", "carrier")))


@dataclass
class Network:
    """A network that always says the same."""

    verdict: str = "match"
    asked: int = 0

    async def check(self, actor: Actor, **asked: Any) -> NetworkChecked:
        self.asked += 1
        self.readers = asked["readers"]
        return NetworkChecked(
            check="1",
            phone=asked["phone"],
            verdict=self.verdict,
            reason="",
            observed_at=str(asked["at"]),
            fix_latitude_ndeg=asked["latitude_ndeg"],
            fix_longitude_ndeg=asked["longitude_ndeg"],
            fix_bound_mm=asked["bound_mm"],
            network_latitude_ndeg=0,
            network_longitude_ndeg=0,
            network_radius_mm=0,
            network="operator-a",
            simulated=True,
        )


@dataclass
class World:
    """The room and what it stands on."""

    arrivals: ArrivalService
    navigation: NavigationService
    bases: BaseService
    custody: Custody
    network: Network
    journal: MemoryJournal
    archive: MemoryArchive
    scribe: Scribe
    site: Site
    first: Utc
    last: Utc

    async def expect(
        self, consignment: str = "C-1", *, actor: Actor | None = None, **changes: Any
    ) -> None:
        wish = {
            "consignment": consignment,
            "terminal": "T-1",
            "site": self.site,
            "not_before": self.first,
            "not_after": self.last,
            "risk_ppb": 100_000,
            "readers": ("exporter",),
        }
        await self.arrivals.expect(actor or BANK, **(wish | changes))

    def window(self, data: bytes, **changes: Any) -> SignedEvent:
        """Stores a window as the devices room would, and tells it."""
        raw = RawWindow(
            terminal="T-1",
            key=TERMINAL_KEY,
            digest=digest_of(data),
            data=data,
            signed=True,
            simulated=False,
            chunk_digests=["0" * 64],
        )
        kept = RawWindow(**({n: getattr(raw, n) for n in raw.__struct_fields__} | changes))
        self.custody.windows[kept.digest] = kept
        fact = WindowReceived(
            terminal=kept.terminal,
            key=kept.key,
            digest=kept.digest,
            size_bytes=len(data),
            chunk_digests=kept.chunk_digests,
            nonce="00",
            simulated=kept.simulated,
        )
        entry = self.scribe.write(
            fact,
            by=self.scribe.node,
            aggregate="terminal/T-1",
            version=1,
            owner=self.scribe.node,
            visible=(),
            occurred_at=None,
        )
        return replace(entry.event)


def _signer(seed: int) -> SoftwareKey:
    return SoftwareKey(Algorithm.ED25519, bytes([seed]) * 32)


@pytest.fixture(scope="session")
def afternoon() -> Afternoon:
    """The simulated afternoon with three constellations, as arrivals are judged by."""
    navigation = constellation(START, START.plus_ns(3600 * 10**9), seed=5, systems="CEG")
    seen = synthesize(Receiver(times(), still(), systems="CEG"), navigation, seed=11)
    return Afternoon(
        navigation,
        times(),
        still(),
        seen,
        write_observations(seen),
        write_navigation(navigation),
    )


@pytest.fixture
def world(afternoon) -> Iterator[World]:
    clock = HandClock(afternoon.seen.utc(-1))
    randomness = SeededRandomness(1)
    parties = ("operator", "importer-bank", "exporter", "stranger")
    scribe = Scribe(
        node=PartyId("node"),
        key=_signer(1),
        ring=FixedKeyRing({PartyId(p): _signer(9 + i) for i, p in enumerate(parties)}),
        clock=clock,
        ids=IdSource(clock, randomness),
        randomness=randomness,
    )
    journal, archive = MemoryJournal(), MemoryArchive()
    records = Records(journal, scribe)
    custody, network = Custody(), Network()
    place = Ecef(*afternoon.ecef_m[0].tolist()).to_geodetic()
    with ThreadPoolExecutor(1) as workers:
        navigation = NavigationService(records, archive, workers)
        bases = BaseService(records, archive, workers)
        arrivals = ArrivalService(
            records=records,
            archive=archive,
            navigation=navigation,
            bases=bases,
            custody=custody,
            network=network,
            workers=workers,
            method="points",
        )
        yield World(
            arrivals=arrivals,
            navigation=navigation,
            bases=bases,
            custody=custody,
            network=network,
            journal=journal,
            archive=archive,
            scribe=scribe,
            site=Site(
                name="Gate",
                latitude_ndeg=place.latitude_ndeg,
                longitude_ndeg=place.longitude_ndeg,
                radius_mm=60_000,
            ),
            first=afternoon.seen.utc(0),
            last=afternoon.seen.utc(-1),
        )
