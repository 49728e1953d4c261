from __future__ import annotations

import numpy as np
import pytest

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.integrity.stanford import AlertLimits, Regions, cells, regions


def test_each_position_lies_in_one_region():
    error = np.array([1.0, -12.0, 45.0, 5.0, 70.0, 3.0, np.nan])
    level = np.array([10.0, 10.0, 30.0, 50.0, 60.0, np.inf, 10.0])
    found = regions(error, level, 40.0)
    assert found == Regions(1, 1, 1, 1, 1, 1)
    assert found.available_share == 0.5
    assert regions(error[:0], level[:0], 40.0).available_share == 0


def test_the_grid_counts_everything_once_and_the_far_in_its_last_step():
    error, level = np.array([0.5, 3.0, 99.0]), np.array([9.0, 9.5, np.inf])
    counts, edges = cells(error, level, top_m=10, step_m=1)
    assert counts.sum() == 3
    assert counts[0, 9] == counts[3, 9] == counts[9, 9] == 1
    assert len(edges) == 11
    with pytest.raises(MalformedInput):
        cells(error, level, top_m=10, step_m=0)


def test_available_is_what_lies_within_both_limits():
    limits = AlertLimits(40, 50)
    good = limits.within(np.array([30.0, 30.0, 60.0]), np.array([40.0, 60.0, 10.0]))
    assert good.tolist() == [True, False, False]
    with pytest.raises(MalformedInput):
        AlertLimits(0, 1)
