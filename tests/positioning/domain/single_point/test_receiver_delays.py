"""Delays between signals of one system: found, taken off, or left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.single_point import receiver_delays
from zhidao.positioning.domain.single_point.least_squares import fit_with_model
from zhidao.positioning.domain.single_point.measurements import measure
from zhidao.positioning.domain.single_point.receiver_delays import tied
from zhidao.positioning.domain.solver_settings import Settings


@pytest.fixture(scope="module")
def pairs(shared):
    from zhidao.positioning.wire.rinex.navigation import read_navigation
    from zhidao.positioning.wire.rinex.observation_files import read_observations

    folder = shared / "positioning" / "rtk_static_pair"
    seen = read_observations((folder / "base.obs.gz").read_bytes(), systems="C")
    return seen, read_navigation((folder / "base.nav.gz").read_bytes())


def test_both_generations_share_a_clock_once_their_difference_is_known(pairs):
    settings = Settings(signals={"C": "C2I+C6I/C2I"})
    data = measure(*pairs, settings).take(np.arange(0, 301, 10))
    joined = tied(data, pairs[1], settings)
    assert len(set(data.system[data.present].tolist())) > 1
    assert joined.systems == "C"
    assert (joined.accuracy_m >= data.accuracy_m).all()


def test_a_delay_of_our_own_making_is_taken_off_again(afternoon):
    settings = Settings()
    data = measure(afternoon.seen, afternoon.navigation, settings)
    odd = data.present & (data.satellite % 2 == 1)
    split = replace(
        data,
        systems="CC",
        system=np.where(odd, 1, 0),
        range_m=data.range_m + np.where(odd, 25.0, 0),
    )
    joined = tied(split, afternoon.navigation, settings)
    assert joined.systems == "C"
    shifted = (joined.range_m - data.range_m)[data.present & odd]
    other = (joined.range_m - data.range_m)[data.present & ~odd]
    assert abs(shifted.mean() - other.mean()) < 3


def test_a_few_epochs_keep_their_clocks_apart(afternoon):
    data = measure(afternoon.seen, afternoon.navigation, Settings()).take(np.arange(3))
    split = replace(data, systems="CC", system=np.where(data.satellite % 2 == 1, 1, 0))
    assert tied(split, afternoon.navigation, Settings()).systems == "CC"


def test_a_single_signal_is_not_touched(afternoon):
    data = measure(afternoon.seen, afternoon.navigation, Settings())
    assert tied(data, afternoon.navigation, Settings()) is data


def test_pairs_per_satellite_are_as_good_as_one_clock_allows(pairs):
    solved = solve(*pairs, Settings(signals={"C": "C2I+C6I/C2I"}))
    apart = solve(*pairs, Settings(signals={"C": "C2I+C6I/C2I"}, tie_delays=False))
    assert solved.solved.all()
    assert solved.dilution[:, 2].mean() < apart.dilution[:, 2].mean()


def test_epochs_without_two_clocks_of_a_system_are_not_fitted_and_change_nothing(
    afternoon, monkeypatch
):
    data = measure(afternoon.seen, afternoon.navigation, Settings())
    epochs = np.arange(len(data.gpst_ns))[:, None]
    # A second clock in a third of the epochs alone.
    odd = data.present & (data.satellite % 2 == 1) & (epochs % 3 == 0)
    shift_m = np.where(odd, 25.0, 0)
    split = replace(data, systems="CC", system=np.where(odd, 1, 0), range_m=data.range_m + shift_m)
    fitted = []

    def counted(some, *rest):
        fitted.append(len(some.gpst_ns))
        return fit_with_model(some, *rest)

    monkeypatch.setattr(receiver_delays, "fit_with_model", counted)
    joined = tied(split, afternoon.navigation, Settings())
    monkeypatch.setattr(
        receiver_delays, "_compared", lambda some, _: np.ones(len(some.gpst_ns), bool)
    )
    every = tied(split, afternoon.navigation, Settings())
    assert fitted == [len(epochs[::3]), len(epochs)]
    assert joined.systems == every.systems == "C"
    assert np.array_equal(joined.range_m, every.range_m)
    assert np.array_equal(joined.accuracy_m, every.accuracy_m)


def test_clocks_that_are_never_heard_together_stay_apart(afternoon):
    data = measure(afternoon.seen, afternoon.navigation, Settings())
    late = np.arange(len(data.gpst_ns))[:, None] >= len(data.gpst_ns) // 2
    split = replace(data, systems="CC", system=np.where(late & data.present, 1, 0))
    assert tied(split, afternoon.navigation, Settings()).systems == "CC"
