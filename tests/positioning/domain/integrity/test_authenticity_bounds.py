"""What speaks against signals, each check at its bound and one past it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.positioning.domain.integrity.test_authenticity import _with

from zhidao.core.geo import Circle, Geodetic
from zhidao.positioning.domain.integrity.authenticity import (
    Gain,
    findings,
    ranges_against_doppler,
    strength_steps,
)
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.integrity.suspicion import Finding, Suspicion
from zhidao.positioning.domain.integrity.velocity import velocities
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.domain.single_point.measurements import Measurements
from zhidao.positioning.domain.single_point.rates import Beside, beside
from zhidao.positioning.domain.single_point.solution import Solution
from zhidao.positioning.domain.solver_settings import Settings

SETTINGS = Settings()
MILLISECOND_M = 299_792.458
NS = 10**9


@pytest.fixture(scope="module")
def solved(afternoon) -> Solution:
    return solve(afternoon.seen, afternoon.navigation)


def of(afternoon, reason: Suspicion, solved: Solution, seen=None, **more: Any) -> Finding | None:
    """What is found of one kind, once at most."""
    seen = afternoon.seen if seen is None else seen
    found = findings(seen, afternoon.navigation, solved, SETTINGS, **more)
    mine = [each for each in found if each.reason is reason]
    assert len(mine) <= 1
    return mine[0] if mine else None


def moving(
    solved: Solution, code_m: Any, names: list[str], *, step_s: Any = 1.0, rate_mps: Any = 0.0
) -> tuple[Solution, Beside]:
    """Ranges (e, s) of named satellites, in a solution that is asked for nothing else."""
    code_m = np.array(code_m, float)
    shape = code_m.shape
    numbers = [SYSTEMS.index(name[0]) * 100 + int(name[1:]) for name in names]
    steps = np.broadcast_to(step_s, shape[0] - 1)
    data = Measurements(
        gpst_ns=np.concatenate(([0], np.cumsum(np.round(steps * NS).astype(int)))),
        observed=np.full(shape[0], shape[1]),
        present=np.isfinite(code_m),
        satellite=np.tile(numbers, (shape[0], 1)),
        system=np.zeros(shape, int),
        systems="C",
        range_m=code_m,
        place_m=np.zeros((*shape, 3)),
        rotation_radps=np.zeros(shape),
        carrier_hz=np.ones(shape),
        accuracy_m=np.ones(shape),
        noise=np.ones(shape),
    )
    rate = np.broadcast_to(np.asarray(rate_mps, float), shape)
    none = np.full(shape, np.nan)
    return replace(solved, measurements=data), Beside(rate, none, code_m, none, none)


def stairs(epochs: int, at: list[int], height_m: float) -> Any:
    """A range that jumps up for good at each of the epochs."""
    code = np.zeros(epochs)
    for epoch in at:
        code[epoch:] += height_m
    return code


THREE = ["C21", "C22", "C23"]


def ranges(solved: Solution, code_m: Any, names: list[str], **more: Any) -> list[Finding]:
    return ranges_against_doppler(*moving(solved, code_m, names, **more))


@pytest.mark.parametrize(
    ("step_s", "height_m", "suspect"),
    [
        # 40 m and a metre more for each second of a step, of a minute at most.
        *((1, 41.0, False), (1, 41.01, True), (1, -41.0, False), (1, -41.01, True)),
        *((30, 70.0, False), (30, 70.01, True), (60, 100.0, False), (60, 100.01, True)),
        (60.001, 1e6, False),
    ],
)
def test_a_range_may_jump_by_forty_metres_and_one_a_second(
    solved, step_s, height_m, suspect
) -> None:
    code = np.zeros((40, 3))
    code[:, 1] = stairs(40, [5, 11, 30], height_m)
    found = ranges(solved, code, THREE, step_s=step_s)
    if not suspect:
        assert found == []
        return
    [one] = found
    assert one.reason is Suspicion.RANGE_AGAINST_DOPPLER
    assert one.satellites == ("C22",)
    assert one.epochs.tolist() == [5, 11, 30]
    assert one.sentence == (
        f"ranges of C22 jump by about {abs(height_m):.0f} m against their own Doppler, "
        "3 times in 39 steps"
    )


@pytest.mark.parametrize(
    ("epochs", "jumps", "suspect"),
    [
        *((40, [5, 11], False), (40, [5, 11, 30], True)),
        # Three jumps are five per cent of sixty steps, and less of sixty-one.
        *((61, [5, 11, 30], True), (62, [5, 11, 30], False), (62, [5, 11, 30, 31], True)),
    ],
)
def test_three_jumps_and_five_per_cent_of_the_steps_are_needed(
    solved, epochs, jumps, suspect
) -> None:
    code = np.zeros((epochs, 3))
    code[:, 0] = stairs(epochs, jumps, 90.0)
    found = ranges(solved, code, THREE)
    assert [each.satellites for each in found] == ([("C21",)] if suspect else [])


def test_a_range_moves_by_its_doppler_at_both_ends_of_a_step(solved) -> None:
    step_s = np.array([10.0, 20.0, 30.0, 10.0] * 5)
    rate = np.random.default_rng(1).uniform(-900, 900, (21, 3))
    moved = (rate[1:] + rate[:-1]) / 2 * step_s[:, None]
    code = np.concatenate((np.full((1, 3), 2e7), 2e7 + np.cumsum(moved, 0)))
    assert ranges(solved, code, THREE, step_s=step_s, rate_mps=rate) == []
    code[:, 2] += stairs(21, [2, 9, 15], 500.0)
    [one] = ranges(solved, code, THREE, step_s=step_s, rate_mps=rate)
    assert (one.satellites, one.epochs.tolist()) == (("C23",), [2, 9, 15])
    assert "jump by about 500 m" in one.sentence


def test_a_clock_that_is_set_moves_all_ranges_of_a_system_and_accuses_none(solved) -> None:
    names = [*THREE, "G01", "G02", "G03"]
    code = np.zeros((30, 6))
    code[:, :3] += stairs(30, [4, 8, 12], 5_000.0)[:, None]
    assert ranges(solved, code, names) == []
    code[:, 4] += stairs(30, [5, 9, 13], 200.0)
    code[:, 0] += stairs(30, [6, 9, 20], 300.0)
    [one] = ranges(solved, code, names)
    # In the order of the systems, as they are numbered.
    assert set(one.satellites) == {"C21", "G02"}
    assert one.epochs.tolist() == [5, 6, 9, 13, 20]
    assert "jump by about 250 m" in one.sentence
    assert one.sentence.endswith("6 times in 58 steps")


def test_steps_without_a_range_or_its_doppler_are_not_looked_at(solved) -> None:
    code = np.zeros((30, 3))
    code[:, 1] = stairs(30, [4, 8, 12], 500.0)
    gaps = code.copy()
    gaps[[3, 20], 1] = np.nan
    # Without the epoch before it, the first jump is not seen: two are too few.
    assert ranges(solved, gaps, THREE) == []
    gaps[:, 1] += stairs(30, [25], 500.0)
    [one] = ranges(solved, gaps, THREE)
    assert one.epochs.tolist() == [8, 12, 25]
    assert one.sentence.endswith("3 times in 25 steps")
    rate = np.zeros((30, 3))
    rate[[3, 20, 28], 1] = np.nan
    assert ranges(solved, code, THREE, rate_mps=rate) == []


def test_the_lower_middle_of_an_even_number_is_the_common_motion(solved) -> None:
    code = np.zeros((20, 4))
    code[:, 2] = stairs(20, [3, 7, 11], 400.0)
    code[:, 3] = stairs(20, [3, 7, 11], 400.0)
    [one] = ranges(solved, code, ["C21", "C22", "C23", "C24"])
    assert one.satellites == ("C23", "C24")


def test_one_satellite_alone_is_its_own_common_motion(solved) -> None:
    assert ranges(solved, stairs(20, [3, 7, 11], 400.0)[:, None], ["C21"]) == []
    assert ranges(solved, np.full((20, 1), np.nan), ["C21"]) == []


def by_drift(afternoon, solved: Solution, jump_m: float, gap_s: float = 30.0) -> Solution:
    """The clock goes by its Doppler, but for a jump at epoch 20 after a step of `gap_s`."""
    data = solved.measurements
    gpst_ns = data.gpst_ns.copy()
    gpst_ns[20:] += int((gap_s - 30) * NS)
    moved = replace(solved, measurements=replace(data, gpst_ns=gpst_ns))
    drift = velocities(afternoon.seen, afternoon.navigation, moved, SETTINGS).drift_mps
    steps = (drift[1:] + drift[:-1]) / 2 * np.diff(gpst_ns) / NS
    clock = np.concatenate(([1_000.0], 1_000.0 + np.cumsum(steps)))
    clock[20:] += jump_m
    return replace(moved, clock_m=clock[:, None])


@pytest.mark.parametrize(
    ("jump_m", "gap_s", "suspect"),
    [
        # 50 m and five for each second of a step, of a minute at most.
        *((199.99, 30, False), (200.01, 30, True), (-199.99, 30, False), (-200.01, 30, True)),
        *((99.99, 10, False), (100.01, 10, True), (349.99, 60, False), (350.01, 60, True)),
        (10_000.0, 61, False),
        (3 * MILLISECOND_M + 199.99, 30, False),
        (3 * MILLISECOND_M + 200.01, 30, True),
        (-MILLISECOND_M - 199.99, 30, False),
        (-MILLISECOND_M - 200.01, 30, True),
        (MILLISECOND_M / 2, 30, True),
    ],
)
def test_a_clock_moves_by_its_drift_within_fifty_metres_and_five_a_second(
    afternoon, solved, jump_m, gap_s, suspect
) -> None:
    found = of(afternoon, Suspicion.CLOCK_JUMP, by_drift(afternoon, solved, jump_m, gap_s))
    assert (found is not None) is suspect
    if found:
        assert (found.epochs.tolist(), found.satellites) == ([20], ())
        assert found.sentence == (
            "the receiver's clock jumps 1 times, against its drift by Doppler and not by whole "
            "milliseconds"
        )


def test_the_clock_of_any_system_may_be_the_one_that_jumps(afternoon, solved) -> None:
    calm = by_drift(afternoon, solved, 0).clock_m
    wild = by_drift(afternoon, solved, 5_000)
    for columns in ((calm, wild.clock_m), (wild.clock_m, calm)):
        both = replace(wild, clock_m=np.concatenate(columns, 1))
        found = of(afternoon, Suspicion.CLOCK_JUMP, both)
        assert found is not None
        assert found.epochs.tolist() == [20]
    unknown = replace(wild, clock_m=np.full((40, 1), np.nan))
    assert of(afternoon, Suspicion.CLOCK_JUMP, unknown) is None


def level(afternoon, strength: Any) -> Observations:
    """The afternoon with strengths by epoch and satellite."""

    def change(values: Any, table: Any) -> None:
        for row in range(len(values)):
            values[row, 3] = strength(int(table.epoch[row]), int(table.prn[row]))

    return _with(afternoon, change)


UP = {22, 24, 35, 40, 43, 45, 60}


@pytest.mark.parametrize(("half_dbhz", "alike"), [(0.79, True), (0.81, False)])
def test_satellites_are_alike_within_less_than_eight_tenths(
    afternoon, solved, half_dbhz, alike
) -> None:
    seen = level(afternoon, lambda _, prn: 45 + (half_dbhz if prn in UP else -half_dbhz))
    found = of(afternoon, Suspicion.STRENGTHS_ALIKE, solved, seen)
    assert (found is not None) is alike
    if found:
        assert (found.epochs.tolist(), found.satellites) == (list(range(40)), ())
        assert found.sentence == (
            "satellites high and low are received equally strong, within 0.8 dB: they may come "
            "from one antenna"
        )


@pytest.mark.parametrize(("calm", "alike"), [(20, True), (19, False)])
def test_they_are_alike_in_half_of_the_epochs(afternoon, solved, calm, alike) -> None:
    seen = level(afternoon, lambda epoch, prn: 45 + (5 if prn in UP and epoch >= calm else 0))
    found = of(afternoon, Suspicion.STRENGTHS_ALIKE, solved, seen)
    assert (found is not None) is alike
    if found:
        assert found.epochs.tolist() == list(range(20))


@pytest.mark.parametrize(("wide_deg", "alike"), [(29.9, False), (30.1, True)])
def test_alike_is_suspect_over_thirty_degrees_of_elevation(
    afternoon, solved, wide_deg, alike
) -> None:
    cells = solved.elevation.shape[1]
    up = np.tile(np.deg2rad(np.linspace(35, 35 + wide_deg, cells)), (40, 1))
    used = solved.used.copy()
    used[:, [0, -1]] = True
    flat = replace(solved, elevation=up, used=used)
    found = of(afternoon, Suspicion.STRENGTHS_ALIKE, flat, level(afternoon, lambda *_: 45))
    assert (found is not None) is alike


@pytest.mark.parametrize(("count", "alike"), [(5, False), (6, True)])
def test_six_satellites_are_enough_to_be_alike(afternoon, solved, count, alike) -> None:
    few = solved.used & (np.cumsum(solved.used, 1) <= count)
    found = of(
        afternoon,
        Suspicion.STRENGTHS_ALIKE,
        replace(solved, used=few),
        level(afternoon, lambda *_: 45),
    )
    assert (found is not None) is alike


def test_epochs_with_too_few_satellites_leave_the_others_to_be_judged(afternoon, solved) -> None:
    few = solved.used & (np.cumsum(solved.used, 1) <= 5)
    few[10:] = solved.used[10:]
    found = of(
        afternoon,
        Suspicion.STRENGTHS_ALIKE,
        replace(solved, used=few),
        level(afternoon, lambda *_: 45),
    )
    assert found is not None
    assert found.epochs.tolist() == list(range(10, 40))


@pytest.mark.parametrize(
    ("step_dbhz", "reason", "word"),
    [
        *((6.0, None, ""), (6.01, Suspicion.STRENGTHS_RISE, "stronger")),
        *((-8.0, None, ""), (-8.01, Suspicion.STRENGTHS_FALL, "weaker")),
    ],
)
@pytest.mark.parametrize("count", [5, 6])
def test_all_at_once_rise_by_more_than_six_or_fall_by_more_than_eight(
    afternoon, solved, step_dbhz, reason, word, count
) -> None:
    seen = level(afternoon, lambda epoch, _: 32 + step_dbhz * (epoch >= 20))
    few = replace(solved, used=solved.used & (np.cumsum(solved.used, 1) <= count))
    near = beside(seen, solved.measurements, SETTINGS, afternoon.navigation)
    found = strength_steps(few, near)
    if reason is None or count < 6:
        assert found == []
        return
    [one] = found
    assert (one.reason, one.epochs.tolist(), one.satellites) == (reason, [20], ())
    assert one.sentence == f"all satellites become {word} at once, 1 times"
    assert of(afternoon, reason, few, seen) is not None


def test_a_middle_satellite_tells_the_step_and_both_ways_are_told(afternoon, solved) -> None:
    def strength(epoch: int, prn: int) -> float:
        loud = 20 if 10 <= epoch < 30 else 0
        return 30 + loud + (9 if prn == 60 and epoch >= 35 else 0)

    near = beside(level(afternoon, strength), solved.measurements, SETTINGS, afternoon.navigation)
    up, down = strength_steps(solved, near)
    assert (up.reason, up.epochs.tolist()) == (Suspicion.STRENGTHS_RISE, [10])
    assert (down.reason, down.epochs.tolist()) == (Suspicion.STRENGTHS_FALL, [30])
    none = replace(near, strength_dbhz=np.full_like(near.strength_dbhz, np.nan))
    assert strength_steps(solved, none) == []


def placed(solved: Solution, point: Geodetic, bound_m: float) -> Solution:
    return replace(
        solved,
        latitude=np.full(40, np.deg2rad(point.latitude_deg)),
        longitude=np.full(40, np.deg2rad(point.longitude_deg)),
        horizontal_m=np.full(40, bound_m),
    )


CENTRE = Geodetic(44.2, 80.4)
CIRCLE = Circle(CENTRE, 1_000)


@pytest.mark.parametrize(("more_m", "outside"), [(-0.01, True), (0.01, False)])
def test_a_position_is_outside_if_its_whole_bound_is(afternoon, solved, more_m, outside) -> None:
    point = Geodetic(44.25, 80.4)
    beyond_m = -CIRCLE.spare_m(point)
    assert beyond_m > 4_000
    at = placed(solved, point, beyond_m + more_m)
    found = of(afternoon, Suspicion.OUTSIDE_NETWORK_CIRCLE, at, circle=CIRCLE)
    assert (found is not None) is outside
    if found:
        assert found.epochs.tolist() == list(range(40))
        assert found.satellites == ()
        assert (
            found.sentence == "40 positions lie with their bounds outside of the network's circle"
        )


def test_positions_without_a_solution_or_a_bound_are_not_asked(afternoon, solved) -> None:
    at = placed(solved, Geodetic(45, 80.4), 10.0)
    reason = at.reason.copy()
    reason[:7] = 1
    horizontal_m = at.horizontal_m.copy()
    horizontal_m[30:] = np.inf
    some = replace(at, reason=reason, horizontal_m=horizontal_m)
    found = of(afternoon, Suspicion.OUTSIDE_NETWORK_CIRCLE, some, circle=CIRCLE)
    assert found is not None
    assert found.epochs.tolist() == list(range(7, 30))


@pytest.mark.parametrize(
    ("centre", "point", "far"),
    [
        # With a bound of half the world, only what is far by degrees is outside.
        (Geodetic(0, 0), Geodetic(0, 89.9), False),
        (Geodetic(0, 0), Geodetic(0, 90.1), True),
        (Geodetic(0, 0), Geodetic(0, -89.9), False),
        (Geodetic(0, 0), Geodetic(0, -90.1), True),
        (Geodetic(0, 170), Geodetic(0, -170), False),
        (Geodetic(0, 170), Geodetic(0, -100.1), False),
        (Geodetic(0, 170), Geodetic(0, -99.9), True),
        (Geodetic(0, -170), Geodetic(0, 170), False),
        (Geodetic(40, 0), Geodetic(49.99, 0), False),
        (Geodetic(40, 0), Geodetic(50.01, 0), True),
        (Geodetic(40, 0), Geodetic(29.99, 0), True),
        (Geodetic(-40, 0), Geodetic(-49.99, 0), False),
        (Geodetic(-40, 0), Geodetic(-50.01, 0), True),
        (Geodetic(0, 0), Geodetic(0, 179.9), True),
    ],
)
def test_what_is_a_quarter_of_the_globe_away_is_outside_of_any_circle(
    afternoon, solved, centre, point, far
) -> None:
    at = placed(solved, point, 2.5e7)
    circle = Circle(centre, 1_000)
    found = of(afternoon, Suspicion.OUTSIDE_NETWORK_CIRCLE, at, circle=circle)
    assert (found is not None) is far


@pytest.mark.parametrize(
    ("share", "epochs"),
    [
        ([0.6] * 12 + [0.3], []),
        ([0.6] * 12 + [0.299], [12]),
        # The first quarter says what is usual.
        ([0.6, 0.6, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2], [2, 3, 4, 5, 6, 7]),
        ([0.9, 0.5, 0.1, 0.34, 0.36, 0.36, 0.36, 0.36], [2, 3]),
        ([0.6, 0.29], [1]),
        ([0.6, 0.31, 0.1], [2]),
        ([0.6, 0.6, 0.6, 0.6, 0.1], [4]),
        ([0.6], []),
        ([], []),
    ],
)
def test_a_gain_below_half_of_what_it_was_is_told(afternoon, solved, share, epochs) -> None:
    gain = Gain(np.arange(len(share)), np.array(share, float))
    found = of(afternoon, Suspicion.GAIN_FALLS, solved, gain=gain)
    assert (found.epochs.tolist() if found else []) == epochs
    if found:
        usual = float(np.median(share[: max(len(share) // 4, 1)]))
        assert found.satellites == ()
        assert found.sentence == (
            f"the receiver's gain falls below half of {usual:.2f} in {len(epochs)} of its messages"
        )


def test_all_that_is_found_stands_in_the_order_of_the_checks(afternoon) -> None:
    number = int(afternoon.seen.systems["C"].prn[0])

    def spoil(values: Any, table: Any) -> None:
        values[(table.prn == number) & (table.epoch % 2 == 1), 0] += 1_873.7
        values[table.epoch >= 20, 0] += 600.0
        values[:, 3] = np.where(table.epoch >= 30, 30.0, np.where(table.epoch >= 20, 50.0, 40.0))

    seen = _with(afternoon, spoil)
    found = findings(
        seen,
        afternoon.navigation,
        solve(seen, afternoon.navigation),
        SETTINGS,
        circle=Circle(Geodetic(44.9, 80.4), 10),
        gain=Gain(np.arange(8), np.array([0.8] * 4 + [0.1] * 4)),
    )
    assert [each.reason for each in found] == [
        Suspicion.RANGE_AGAINST_DOPPLER,
        Suspicion.CLOCK_JUMP,
        Suspicion.STRENGTHS_ALIKE,
        Suspicion.STRENGTHS_RISE,
        Suspicion.STRENGTHS_FALL,
        Suspicion.OUTSIDE_NETWORK_CIRCLE,
        Suspicion.GAIN_FALLS,
    ]


def beginning(afternoon, epochs: int) -> Observations:
    """The first epochs of the afternoon."""
    table = afternoon.seen.systems["C"]
    first = table.epoch < epochs
    made = type(table)(
        "C",
        table.codes,
        table.epoch[first],
        table.prn[first],
        table.values[first],
        table.lost_lock[first],
        table.strength[first],
    )
    seen = afternoon.seen
    return Observations(seen.header, seen.gpst_ns[:epochs], seen.power_failed[:epochs], {"C": made})


def test_one_epoch_alone_has_no_steps(afternoon) -> None:
    seen = beginning(afternoon, 1)
    alone = solve(seen, afternoon.navigation)
    assert findings(seen, afternoon.navigation, alone, SETTINGS) == []


def test_two_epochs_are_enough_for_a_clock_to_jump(afternoon) -> None:
    seen = beginning(afternoon, 2)
    both = solve(seen, afternoon.navigation)
    assert of(afternoon, Suspicion.CLOCK_JUMP, both, seen) is None
    jumped = replace(both, clock_m=both.clock_m + np.array([[0.0], [1_000.0]]))
    found = of(afternoon, Suspicion.CLOCK_JUMP, jumped, seen)
    assert found is not None
    assert found.epochs.tolist() == [1]
