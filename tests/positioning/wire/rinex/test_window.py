from __future__ import annotations

import numpy as np
import pytest

from zhidao.core.errors import Refused
from zhidao.positioning.wire.rinex.observation_files import read_observations
from zhidao.positioning.wire.rinex.window import cut_window


def test_a_window_holds_just_its_epochs_with_the_same_values(afternoon):
    first, last = afternoon.seen.utc(5), afternoon.seen.utc(9)
    cut = read_observations(cut_window(afternoon.window, first, last))
    assert cut.gpst_ns.tolist() == afternoon.gpst_ns[5:10].tolist()
    assert cut.simulated
    whole = afternoon.seen.systems["C"]
    rows = (whole.epoch >= 5) & (whole.epoch <= 9)
    assert np.array_equal(cut.systems["C"].values, whole.values[rows], equal_nan=True)


def test_a_window_of_one_system_counts_its_satellites_anew(shared):
    folder = shared / "positioning" / "rtk_static_pair"
    data = (folder / "base.obs.gz").read_bytes()
    whole = read_observations(data)
    cut = read_observations(cut_window(data, whole.utc(10), whole.utc(12), systems="C"))
    assert list(cut.systems) == ["C"]
    assert len(cut.gpst_ns) == 3


def test_a_window_of_a_window_is_the_same_bytes(afternoon):
    first, last = afternoon.seen.utc(5), afternoon.seen.utc(9)
    once = cut_window(afternoon.window, first, last)
    assert cut_window(once, first, last) == once


def test_an_empty_window_is_refused(afternoon):
    late = afternoon.seen.utc(-1).plus_ns(10**9)
    with pytest.raises(Refused, match="no epoch between"):
        cut_window(afternoon.window, late, late.plus_ns(10**10))
