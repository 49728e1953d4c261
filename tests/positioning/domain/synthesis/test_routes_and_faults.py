from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao.core.errors import Refused
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.rtk.instantaneous import RtkSettings, solve_baselines
from zhidao.positioning.domain.single_point.geometry import geodetic
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.domain.synthesis.receiver import Receiver, synthesize
from zhidao.positioning.domain.synthesis.routes import MANNERS, rest, route

AT = Gpst.from_utc(Utc.parse("2026-11-21T06:00:00Z")).ns
PLACES = [(44.20, 80.40, 700.0), (44.25, 80.45, 720.0), (44.20, 80.50, 690.0)]


@pytest.mark.parametrize("name", sorted(MANNERS))
def test_a_way_keeps_to_its_speed_and_acceleration_and_meets_its_places(name):
    manner = MANNERS[name]
    found = route(PLACES, manner, first_gpst_ns=AT, step_s=1.0)
    latitude, longitude, height_m = geodetic(found.ecef_m)
    steps = np.diff(found.ecef_m, axis=0)
    speed = np.linalg.norm(steps - 0, axis=1)
    heave_mps = 2 * np.pi * manner.heave_m / manner.heave_s
    assert speed.max() < manner.speed_mps * 1.005 + heave_mps
    if not manner.heave_m:
        assert np.abs(np.diff(speed)).max() < manner.acceleration_mps2 * 1.05
    for place in PLACES:
        off = np.hypot(
            (latitude - np.deg2rad(place[0])) * 6.4e6, (longitude - np.deg2rad(place[1])) * 4.6e6
        )
        assert off.min() < manner.speed_mps
    assert height_m.max() < 720 + manner.heave_m + 0.01
    assert (np.diff(found.gpst_ns) == 10**9).all()


@pytest.mark.parametrize("places", [[], PLACES[:1], [PLACES[0], PLACES[0]]])
def test_a_way_to_nowhere_is_refused(places):
    with pytest.raises(Refused):
        route(places, MANNERS["road"], first_gpst_ns=AT, step_s=1.0)


def receiver(epochs=12, **more):
    still = rest((44.2, 80.4, 700.0), first_gpst_ns=AT, step_s=30, epochs=epochs)
    return Receiver(still.gpst_ns, still.ecef_m, **more)


def test_a_clock_jump_moves_every_range_and_no_position(afternoon):
    plain = synthesize(receiver(), afternoon.navigation, seed=3)
    jumped = synthesize(receiver(clock_jumps=((6, 3000.0),)), afternoon.navigation, seed=3)
    one, other = plain.systems["C"], jumped.systems["C"]
    moved = (other.column("C2I") - one.column("C2I")).round()
    assert set(moved[one.epoch < 6]) == {0.0}
    assert set(moved[one.epoch >= 6]) == {3000.0}
    places = [solve(seen, afternoon.navigation).ecef_m for seen in (plain, jumped)]
    assert np.linalg.norm(places[0] - places[1], axis=1).max() < 0.05


def test_jamming_lowers_strengths_and_in_the_end_takes_satellites(afternoon):
    plain = synthesize(receiver(), afternoon.navigation, seed=3).systems["C"]
    for fall, fewer in ((6.0, False), (16.0, True), (40.0, True)):
        jammed = synthesize(
            receiver(jamming=((4, 7, fall),)), afternoon.navigation, seed=3
        ).systems["C"]
        inside = (jammed.epoch >= 4) & (jammed.epoch <= 7)
        before = (plain.epoch >= 4) & (plain.epoch <= 7)
        assert (inside.sum() < before.sum()) == fewer
        if fall == 6.0:
            lower = np.median(plain.column("S2I")[before]) - np.median(jammed.column("S2I")[inside])
            assert abs(lower - 6) < 0.5
        assert (~inside).sum() == (~before).sum()


def test_two_signals_cancel_the_ionosphere_and_fix_a_baseline(afternoon):
    model = replace(
        receiver().errors, ionosphere=0.0, ionosphere_each=0.0, multipath_m=0.05, noise_m=0.05
    )
    both = {"C": ("2I", "6I")}
    base = receiver(4, signals=both, errors=model)
    shift_m = np.array((0.6, -0.5, 0.4))
    rover = replace(base, ecef_m=base.ecef_m + shift_m)
    seen = [
        synthesize(each, afternoon.navigation, seed=seed) for each, seed in ((rover, 4), (base, 5))
    ]
    pair = solve(seen[0], afternoon.navigation, Settings(signals={"C": "C2I+C6I"}))
    assert pair.solved.all()
    quiet = replace(model, orbit_m=0.0, troposphere=0.0)
    seen = [
        synthesize(replace(each, errors=quiet), afternoon.navigation, seed=seed)
        for each, seed in ((rover, 4), (base, 5))
    ]
    settings = RtkSettings(signals={"C": ("C2I", "C6I")})
    found = solve_baselines(*seen, afternoon.navigation, base.ecef_m[0].tolist(), settings)
    assert found.fixed.all()
    assert np.linalg.norm(found.place_m - rover.ecef_m, axis=1).max() < 0.03
