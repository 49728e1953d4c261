from __future__ import annotations

import contextlib
import gzip
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.satellites.corrections import (
    CLOCK_AGE_S_MAX,
    Correction,
    CorrectionStore,
    without,
)
from zhidao.positioning.domain.satellites.orbits import SatelliteStates
from zhidao.positioning.wire.bits import Layout
from zhidao.positioning.wire.precise.ppp_b2b import decode_b2b, satellite_of_slot


def corrected_states(
    states: SatelliteStates,
    velocity_mps: np.ndarray,
    corrections: list[Correction | None],
) -> tuple[SatelliteStates, np.ndarray]:
    """Broadcast states with corrections taken off, and which rows had one.

    velocity_mps (n, 3): inertial velocities in the axes of the Earth-fixed frame.
    """
    rows = np.array([correction is not None for correction in corrections], bool)
    deltas = np.array([c.orbit_m if c else (0.0, 0.0, 0.0) for c in corrections]).reshape(-1, 3)
    clock_m = np.array([c.clock_m if c else 0.0 for c in corrections])
    return without(states, velocity_mps, orbit_m=deltas, clock_m=clock_m), rows


@pytest.fixture(scope="module")
def frames(shared):
    packed = (shared / "positioning/ppp_b2b/233h_bdsb2b.txt.gz").read_bytes()
    text = gzip.decompress(packed).decode()
    rows = (line.split("\t") for line in text.splitlines())
    return [bytes.fromhex(row[5].strip()) for row in rows if row[2].strip() == "60"][:900]


def test_an_hour_from_the_sky_gives_masks_orbits_biases_and_clocks(frames):
    found = [m for m in map(decode_b2b, frames) if m is not None]
    assert {m.kind for m in found} == {1, 2, 3, 4}
    mask = next(m for m in found if m.kind == 1)
    assert len(mask.satellites) == 59
    assert {s // 100 for s in mask.satellites} == {0, 3}
    radial = [o.radial_m for m in found for o in m.orbits if not math.isnan(o.radial_m)]
    assert radial
    assert max(map(abs, radial)) < 3
    biases = {name for m in found for _, name, _ in m.biases_m}
    assert {"1P", "5P", "6I"} <= biases


@given(st.binary(min_size=50, max_size=70))
def test_no_frame_raises_anything_but_malformed_input(data):
    with contextlib.suppress(MalformedInput):
        decode_b2b(data)
    for kind in (1, 2, 3, 4, 6, 7):
        with contextlib.suppress(MalformedInput):
            decode_b2b(bytes([kind << 2 | data[0] & 3]) + data[1:] + bytes(10))


def test_a_short_frame_is_refused():
    with pytest.raises(MalformedInput, match="462 bits"):
        decode_b2b(bytes(57))


def test_a_combined_message_holds_clocks_and_orbits():
    layout = Layout.of(
        "kind:6 clocks:5 orbits:3 s1:17 r1:4 ssr1:2 iodp:4 first:9 c1:3 v1:i15 c2:3 v2:i15 "
        "s2:17 r2:4 ssr2:2 slot:9 iodn:10 corr:3 radial:i15 along:i13 cross:i13 class:3 value:3"
    )
    data = layout.write(
        {
            "kind": 6, "clocks": 2, "orbits": 1, "s1": 500, "ssr1": 1, "iodp": 3, "first": 7,
            "c1": 2, "v1": -100, "c2": 2, "v2": -(1 << 14), "s2": 500, "ssr2": 1, "slot": 64,
            "iodn": 33, "corr": 2, "radial": 10, "along": -5, "cross": 4, "class": 1, "value": 4,
        }
    )  # fmt: skip
    found = decode_b2b(data.ljust(58, b"\0"))
    assert [c.place for c in found.clocks] == [7, 8]
    assert found.clocks[0].clock_m == pytest.approx(-0.16)
    assert math.isnan(found.clocks[1].clock_m)
    (orbit,) = found.orbits
    assert (orbit.satellite, orbit.iodn) == (1, 33)
    assert (orbit.radial_m, orbit.along_m) == pytest.approx((0.016, -0.032))
    assert orbit.accuracy_m == pytest.approx(0.005)


def test_slots_name_the_satellites_of_four_systems():
    assert [satellite_of_slot(n) for n in (0, 1, 63, 64, 101, 138, 174, 175)] == [
        0, 301, 363, 1, 201, 101, 137, 0,
    ]  # fmt: skip


def _store():
    store = CorrectionStore()
    store.set_mask(3, (301, 319))
    store.set_orbit(
        319, second=86_390, iodn=24, iod_corr=5, orbit_m=(0.1, 0.2, 0.3), accuracy_m=0.1
    )
    return store


def _clock(store, **changed):
    told = {
        "iodp": 3, "place": 1, "satellite": 0, "second": 86_395, "iod_corr": 5, "clock_m": 0.5,
    }  # fmt: skip
    store.set_clock(**(told | changed))


def test_orbit_and_clock_count_together_over_midnight():
    store = _store()
    _clock(store)
    assert store.at(319, 2) == Correction(24, (0.1, 0.2, 0.3), 0.5, 0.1)


@pytest.mark.parametrize(
    "changed", [{"iod_corr": 4}, {"iodp": 2}, {"place": 0}, {"clock_m": math.nan}]
)
def test_what_does_not_belong_together_is_not_used(changed):
    store = _store()
    _clock(store, **changed)
    assert store.at(319, 86_396) is None


def test_an_old_clock_and_one_of_the_future_are_not_used():
    store = _store()
    _clock(store)
    assert store.at(319, (86_395 + CLOCK_AGE_S_MAX + 1) % 86_400) is None
    assert store.at(319, 86_394) is None


def test_the_next_issue_may_come_while_the_last_is_still_in_use():
    store = _store()
    _clock(store)
    _clock(store, iod_corr=6, clock_m=0.9)
    assert store.at(319, 86_396).clock_m == 0.5


def test_corrections_are_taken_off_along_radius_track_and_normal():
    states = SatelliteStates(np.array([[2.0e7, 0.0, 0.0]] * 2), np.zeros(2))
    velocity = np.array([[0.0, 3000.0, 0.0]] * 2)
    correction = Correction(1, (1.0, 2.0, 3.0), 0.3, 0.1)
    found, rows = corrected_states(states, velocity, [correction, None])
    assert found.ecef_m[0] - states.ecef_m[0] == pytest.approx([-1, -2, -3])
    assert found.clock_s[0] == pytest.approx(-0.3 / 299_792_458)
    assert np.array_equal(found.ecef_m[1], states.ecef_m[1])
    assert rows.tolist() == [True, False]


def test_a_clock_for_a_slot_that_names_no_satellite_is_passed_over():
    store = CorrectionStore()
    store.set_mask(5, (301, 302))
    for iodp in (None, 5):
        store.set_clock(iodp=iodp, place=-1, satellite=0, second=10, iod_corr=1, clock_m=0.5)
    assert store.clocks == {}
