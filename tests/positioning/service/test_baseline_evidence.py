"""Arrivals that must also agree with a baseline, beside a base station that the operator added."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.positioning.conftest import PLACE, START, times

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Forbidden, MalformedInput, Refused
from zhidao.core.ids import PartyId
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.receiver import ErrorModel, Receiver, synthesize
from zhidao.positioning.service.evidence_replay import replay
from zhidao.positioning.wire.position_evidence import PositionEvidence
from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations

BANK = Actor(PartyId("importer-bank"), Role.PARTY)
OPERATOR = Actor(PartyId("operator"), Role.OPERATOR)
# Under one sky both receivers share the errors of orbits and air.
QUIET = ErrorModel(
    orbit_m=0.0, ionosphere=0.0, ionosphere_each=0.0, troposphere=0.0, multipath_m=0.1, noise_m=0.1
)
BANDS = {"C": ("2I", "6I", "7I"), "G": ("1C", "2W"), "E": ("1C", "7Q")}
EPOCHS = 5


@pytest.fixture(scope="module")
def pair():
    """Navigation, the rover's window and the base's recording, three kilometres apart."""
    sky = constellation(START, START.plus_ns(600 * 10**9), seed=5, systems="CEG")
    here = PLACE.to_ecef()
    rover_m = np.tile((here.x_m, here.y_m, here.z_m), (EPOCHS, 1))
    base_m = rover_m + np.array((0.0, 2_000.0, -2_200.0))
    seen = [
        synthesize(
            Receiver(times(EPOCHS), place_m, systems="CEG", errors=QUIET, signals=BANDS),
            sky,
            seed=seed,
        )
        for seed, place_m in ((1, rover_m), (2, base_m))
    ]
    return write_navigation(sky), *(write_observations(each) for each in seen), rover_m[0]


@pytest.fixture
async def waiting(world, pair):
    world.arrivals._method = "rtk"
    await world.navigation.add(OPERATOR, pair[0])
    await world.expect(not_after=START.plus_ns(600 * 10**9))
    return world


async def _told(world, window):
    await world.arrivals.on_window(world.window(window))
    return await world.arrivals.arrival(BANK, "C-1")


async def test_a_fixed_baseline_tells_the_arrival_to_the_centimetre(waiting, pair):
    added = await waiting.bases.add(OPERATOR, pair[2])
    assert await waiting.bases.add(OPERATOR, pair[2]) == added
    arrival = await _told(waiting, pair[1])
    assert arrival.state == "proven"
    proven = arrival.proven
    assert abs(proven.latitude_ndeg - PLACE.latitude_ndeg) * 0.111 < 30
    assert abs(proven.height_mm - PLACE.height_m * 1000) < 100
    # The bound is that of single points: metres.
    assert proven.protection_mm > 5_000
    data = await waiting.arrivals.evidence(BANK, proven.evidence)
    navigation = await waiting.navigation.data(proven.navigation)
    again = replay(data, pair[1], navigation)
    assert (again.reproduced, again.inside, again.usual) == (True, True, True)
    # Without the base in it the same evidence is not reproduced.
    assert not replay(data, pair[1], pair[0]).reproduced
    assert PositionEvidence.decode(data).chosen().method == "rtk"
    track = await waiting.arrivals.track(BANK, "C-1")
    assert all(fix.reason == "ok" for fix in track.fixes)


async def test_without_a_base_nothing_is_fixed(waiting, pair):
    arrival = await _told(waiting, pair[1])
    assert [each.reason for each in arrival.not_proven] == ["not_fixed"]


async def test_a_base_that_contradicts_takes_the_proof_away(waiting, pair):
    """A base whose header is 200 m wrong moves the baseline out of the single point's bound."""
    lines = pair[2].decode().splitlines()
    at = next(n for n, line in enumerate(lines) if "APPROX POSITION" in line)
    x = float(lines[at][:14]) + 200
    lines[at] = f"{x:14.4f}{lines[at][14:]}"
    await waiting.bases.add(OPERATOR, "\n".join(lines).encode())
    arrival = await _told(waiting, pair[1])
    assert arrival.state == "not_proven"
    assert arrival.not_proven[0].reason in ("fault_not_excluded", "not_fixed")


async def test_only_the_operator_adds_bases_with_a_place_and_epochs(world, pair):
    with pytest.raises(Forbidden):
        await world.bases.add(BANK, pair[2])
    with pytest.raises(MalformedInput):
        await world.bases.add(OPERATOR, b"no RINEX")
    text = pair[2].decode()
    nowhere = "\n".join(
        f"{'':60}APPROX POSITION XYZ" if "APPROX POSITION" in line else line
        for line in text.splitlines()
    )
    with pytest.raises(Refused, match="holds no place"):
        await world.bases.add(OPERATOR, nowhere.encode())
    empty = text[: text.index("END OF HEADER") + 14]
    with pytest.raises(Refused, match="no epochs"):
        await world.bases.add(OPERATOR, empty.encode())


def test_methods_are_of_version_3_and_known():
    with pytest.raises(MalformedInput):
        Settings(method="guess")
    with pytest.raises(MalformedInput):
        Settings.of_version_2(method="rtk")
    chosen = Settings.of_arrivals(method="rtk")
    assert chosen.usual
    assert not replace(chosen, boundary_mm=2).usual
