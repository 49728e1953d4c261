"""Delays between signals of one system: found, taken off, or left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao.positioning.domain.measurements import measure
from zhidao.positioning.domain.receiver_delays import tied
from zhidao.positioning.domain.settings import Settings
from zhidao.positioning.domain.solving import solve


@pytest.fixture(scope="module")
def pairs(shared):
    from zhidao.positioning.wire.rinex_nav import read_navigation
    from zhidao.positioning.wire.rinex_obs import read_observations

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
