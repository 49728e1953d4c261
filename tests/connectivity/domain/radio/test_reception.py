"""The chance of service is what shadow fading and sight leave, and a span where models end."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.connectivity.domain.radio.link_budget import (
    Cell,
    Inside,
    Terminal,
    aside_db,
    carried_db,
)
from zhidao.connectivity.domain.radio.path_loss import (
    VALIDITY,
    Links,
    Model,
    Surroundings,
    blocked_loss_db,
    clear_chance,
    clear_loss_db,
)
from zhidao.connectivity.domain.radio.reception import Chances, Radio, Sight, chances, horizon_m
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic, course, destination

_SITE = Geodetic(43.35, 77.04)


def _cell(place: Geodetic = _SITE, **changed) -> Cell:
    values = {"name": "A", "height_m": 35, "frequency_mhz": 800, "eirp_dbm": 60}
    return Cell(place=place, **(values | changed))


def _at(*places: Geodetic, cells, radio: Radio | None = None) -> Chances:
    return chances(
        np.array([each.latitude_deg for each in places]),
        np.array([each.longitude_deg for each in places]),
        cells,
        radio or Radio(),
    )


def _away(distance_m: float, azimuth_deg: float = 90.0, start: Geodetic = _SITE) -> Geodetic:
    return destination(start, azimuth_deg=azimuth_deg, distance_m=distance_m)


def _normal(ratio: float) -> float:
    return 0.5 * (1 + math.erf(ratio / math.sqrt(2)))


def _parts(cell: Cell, place: Geodetic, radio: Radio) -> list[tuple[float, float, float]]:
    """Weight, spare decibels and deviation of each state of one link, one number at a time."""
    way = course(cell.place, place)
    links = Links(
        np.array([way.distance_m]),
        np.array([cell.height_m]),
        np.array([cell.frequency_mhz / 1e3]),
        radio.around,
    )
    spare_db = carried_db(cell, radio.terminal)
    spare_db -= float(
        aside_db(
            np.array([cell.azimuth_deg]), np.array([cell.beam_deg]), np.array([way.azimuth_deg])
        )[0]
    )
    share = float(clear_chance(cell.model, links.distance_m, radio.around.terminal_height_m)[0])
    states = []
    for weight, loss_of in ((share, clear_loss_db), (1 - share, blocked_loss_db)):
        loss_db, deviation_db = loss_of(cell.model, links)
        total_db = math.hypot(float(deviation_db[0]), radio.terminal.inside.deviation_db)
        states.append((weight, spare_db - float(loss_db[0]), total_db))
    return states


def _cells_around(seed: int) -> list[Cell]:
    """Sites of one to three cells, all models, all within the ranges as seen from the middle."""
    rng = random.Random(seed)
    cells = []
    for number in range(rng.randint(1, 4)):
        place = _away(rng.uniform(50, 4_500), rng.uniform(0, 360))
        model = rng.choice(list(Model))
        height_m = 35.0 if model is Model.RMA else VALIDITY[model].base_m[0]
        cells += [
            Cell(
                name=f"{number}-{sector}",
                place=place,
                height_m=height_m,
                frequency_mhz=rng.choice((700, 2_100, 3_500)),
                eirp_dbm=rng.uniform(20, 62),
                model=model,
                gain_dbi=rng.choice((math.nan, 15.0)),
                azimuth_deg=rng.choice((math.nan, rng.uniform(0, 360))),
            )
            for sector in range(rng.randint(1, 3))
        ]
    return cells


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("inside", [Inside.NOTHING, Inside.CAR])
def test_a_chance_is_that_of_the_same_sum_done_one_link_at_a_time(
    seed: int, inside: Inside
) -> None:
    cells, radio = _cells_around(seed), Radio(Terminal(inside=inside))
    by_site: dict[Geodetic, float] = {}
    for cell in cells:
        chance = sum(w * _normal(spare / sd) for w, spare, sd in _parts(cell, _SITE, radio))
        by_site[cell.place] = max(by_site.get(cell.place, 0.0), chance)
    expected = 1 - math.prod(1 - each for each in by_site.values())
    found = _at(_SITE, cells=cells, radio=radio)
    # Chords for geodesics: millimetres, so some millionths of a chance.
    assert found.low[0] == pytest.approx(expected, abs=1e-5)
    assert found.low[0] == found.beyond[0] == found.high[0]


@pytest.mark.parametrize("seed", range(6))
def test_a_chance_is_what_drawing_sight_and_fading_gives(seed: int) -> None:
    """Of sites with one cell each: clause 7.5 draws both apart for each site."""
    cells = [c for c in _cells_around(seed + 100) if c.name.endswith("-0")]
    rng = np.random.default_rng(seed)
    served = np.zeros(100_000, dtype=bool)
    for cell in cells:
        (share, clear_db, clear_sd), (_, blocked_db, blocked_sd) = _parts(cell, _SITE, Radio())
        clear = rng.random(len(served)) < share
        fading = rng.standard_normal(len(served))
        served |= (
            np.where(clear, clear_db + clear_sd * fading, blocked_db + blocked_sd * fading) > 0
        )
    assert _at(_SITE, cells=cells).low[0] == pytest.approx(served.mean(), abs=0.008)


def test_in_the_worst_case_no_line_of_sight_helps() -> None:
    cell, near = _cell(eirp_dbm=10), _away(300)
    [_, (_, spare_db, deviation_db)] = _parts(cell, near, Radio())
    worst = _at(near, cells=[cell], radio=Radio(sight=Sight.WORST))
    assert worst.high[0] == pytest.approx(_normal(spare_db / deviation_db), abs=1e-5)
    assert worst.high[0] < _at(near, cells=[cell]).low[0]


def test_cells_of_one_site_help_by_their_best_and_other_sites_add_up() -> None:
    middle = _away(2_000)
    alone = _at(middle, cells=[_cell(eirp_dbm=30)]).low[0]
    twice = _at(middle, cells=[_cell(eirp_dbm=30), _cell(eirp_dbm=25)]).low[0]
    assert 0.01 < alone < 0.9
    assert twice == pytest.approx(alone, abs=1e-12)
    opposite = _away(2_000, start=middle)
    both = _at(middle, cells=[_cell(eirp_dbm=30), _cell(opposite, eirp_dbm=30)]).low[0]
    assert both == pytest.approx(1 - (1 - alone) ** 2, abs=1e-4)


def test_antennas_of_one_mast_are_one_site_though_their_places_differ_by_metres() -> None:
    middle = _away(2_000)
    alone = _at(middle, cells=[_cell(eirp_dbm=30)]).low[0]
    for apart_m, same in ((99.0, True), (101.0, False)):
        beside = _cell(_away(apart_m, 0.0), eirp_dbm=30)
        for cells in ([_cell(eirp_dbm=30), beside], [beside, _cell(eirp_dbm=30)]):
            both = _at(middle, cells=cells).low[0]
            assert (both < alone + 0.01) == same, apart_m


@pytest.mark.bound("connectivity.domain.radio.reception.LINKS_MAX")
def test_more_links_than_can_be_judged_in_minutes_are_refused(monkeypatch) -> None:
    from zhidao.connectivity.domain.radio import reception

    cells = [_cell(), _cell(_away(100_000))]
    # Three links: each place hears one of the two cells, the last hears none.
    places = [_away(10.0), _away(500.0), _away(99_000.0), _away(300_000.0)]
    monkeypatch.setattr(reception, "LINKS_MAX", 3)
    assert len(_at(*places, cells=cells).low) == 4
    monkeypatch.setattr(reception, "LINKS_MAX", 2)
    with pytest.raises(MalformedInput, match="make --step longer"):
        _at(*places, cells=cells)


def test_a_sector_serves_before_it_and_not_behind() -> None:
    east = _cell(eirp_dbm=32, azimuth_deg=90.0)
    found = _at(_away(2_000, 90.0), _away(2_000, 270.0), _away(2_000, 0.0), cells=[east])
    all_around = _at(_away(2_000, 90.0), cells=[_cell(eirp_dbm=32)])
    assert found.low[0] == pytest.approx(all_around.low[0], abs=1e-6)
    assert found.low[1] < 0.02
    assert found.low[1] < found.low[2] < found.low[0]


def test_the_best_cell_is_told_and_none_where_none_is_in_reach() -> None:
    far = _cell(_away(6_000), name="B", eirp_dbm=58)
    found = _at(_away(500), _away(5_500), _away(60_000), cells=[_cell(), far])
    assert found.cell.tolist() == [0, 1, -1]
    assert (found.low[2], found.beyond[2], found.high[2]) == (0, 0, 0)


def test_beyond_a_model_nothing_surely_serves_and_the_best_case_is_free_space() -> None:
    cell, worst = _cell(), Radio(sight=Sight.WORST)
    edge, past, gone = (_at(_away(d), cells=[cell], radio=worst) for d in (4_999, 5_100, 29_000))
    assert edge.low[0] == edge.high[0] > 0.9
    assert past.low[0] == gone.low[0] == 0
    [_, (_, spare_db, deviation_db)] = _parts(cell, _away(4_999.9), worst)
    further_db = 20 * math.log10(29_000 / 5_000)
    assert gone.high[0] == pytest.approx(_normal((spare_db - further_db) / deviation_db), abs=1e-4)
    assert past.low[0] < past.beyond[0] < past.high[0] < edge.high[0]


def test_nothing_is_heard_beyond_the_horizon() -> None:
    limit_m = horizon_m(35, 1.5)
    assert limit_m == pytest.approx(24_385 + 5_048, abs=20)
    cells = [_cell(eirp_dbm=100)]
    inside, outside = _away(limit_m - 2), _away(limit_m + 2)
    assert _at(inside, cells=cells).high[0] > 0.5
    assert _at(outside, cells=cells).high[0] == 0


def test_nearer_than_a_model_begins_a_link_is_at_least_as_good_as_there() -> None:
    cell = _cell(eirp_dbm=-28)
    under, at_edge = _at(_away(3), cells=[cell]), _at(_away(10.001), cells=[cell])
    assert at_edge.low[0] == at_edge.high[0]
    assert under.low[0] == pytest.approx(at_edge.low[0], abs=1e-4)
    assert under.high[0] == 1


@given(
    seed=st.integers(0, 10**6),
    metres=st.lists(st.floats(0, 40_000), min_size=1, max_size=30),
    azimuth=st.floats(0, 360),
)
@settings(max_examples=60, deadline=None)
def test_the_span_is_in_order_and_widens_only_where_models_end(seed, metres, azimuth) -> None:
    cells = _cells_around(seed)
    found = _at(*(_away(d, azimuth) for d in metres), cells=cells)
    for part in (found.low, found.beyond, found.high):
        assert ((part >= 0) & (part <= 1)).all()
    assert (found.low <= found.beyond + 1e-12).all()
    assert (found.beyond <= found.high + 1e-12).all()


def test_many_places_are_judged_in_parts_with_the_same_answers(monkeypatch) -> None:
    from zhidao.connectivity.domain.radio import reception

    cells = _cells_around(3)
    places = [_away(d) for d in range(0, 30_000, 700)]
    whole = _at(*places, cells=cells)
    monkeypatch.setattr(reception, "_BLOCK_PAIRS", 5)
    parts = _at(*places, cells=cells)
    assert np.array_equal(whole.low, parts.low)
    assert np.array_equal(whole.high, parts.high)
    assert np.array_equal(whole.cell, parts.cell)


def test_a_vehicle_is_counted_in_its_own_range_of_frequencies_only() -> None:
    car = Radio(Terminal(inside=Inside.CAR))
    _at(_away(100), cells=[_cell(frequency_mhz=600)], radio=car)
    with pytest.raises(MalformedInput, match=r"7\.4\.3\.2"):
        _at(_away(100), cells=[_cell(frequency_mhz=599)], radio=car)
    _at(_away(100), cells=[_cell(frequency_mhz=599)])


def test_a_cell_that_no_model_is_for_is_never_judged() -> None:
    with pytest.raises(MalformedInput, match=r"7\.4\.1-1"):
        _at(_away(100), cells=[_cell(frequency_mhz=450)])
    with pytest.raises(MalformedInput, match=r"7\.4\.1-1"):
        _at(_away(100), cells=[_cell()], radio=Radio(around=Surroundings(terminal_height_m=0.5)))
