from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao.core.errors import Refused
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.satellites.joining import join_navigation, join_observations


def part(seen, first, last):
    """Epochs first to last - 1, as a recording of its own would hold them."""
    systems = {}
    for system, table in seen.systems.items():
        rows = (table.epoch >= first) & (table.epoch < last)
        systems[system] = replace(
            table,
            epoch=table.epoch[rows] - first,
            prn=table.prn[rows],
            values=table.values[rows],
            lost_lock=table.lost_lock[rows],
            strength=table.strength[rows],
        )
    times, failed = seen.gpst_ns[first:last], seen.power_failed[first:last]
    return replace(seen, gpst_ns=times, power_failed=failed, systems=systems)


def test_recordings_of_one_receiver_join_in_the_order_of_time(afternoon):
    seen = afternoon.seen
    again = join_observations([part(seen, 25, 40), part(seen, 0, 10), part(seen, 10, 25)])
    assert np.array_equal(again.gpst_ns, seen.gpst_ns)
    one, other = seen.systems["C"], again.systems["C"]
    for name in ("epoch", "prn", "values", "strength"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name == "values")


def test_a_code_that_one_part_lacks_is_blank_there(afternoon):
    seen = afternoon.seen
    late = part(seen, 20, 40)
    table = late.systems["C"]
    fewer = replace(
        table,
        codes=table.codes[:1],
        values=table.values[:, :1],
        lost_lock=table.lost_lock[:, :1],
        strength=table.strength[:, :1],
    )
    joined = join_observations([part(seen, 0, 20), replace(late, systems={"C": fewer})])
    phases = joined.systems["C"].column("L2I")
    assert np.isnan(phases).tolist() == (joined.systems["C"].epoch >= 20).tolist()


def test_overlapping_recordings_are_refused(afternoon):
    with pytest.raises(Refused, match="overlap"):
        join_observations([part(afternoon.seen, 0, 11), part(afternoon.seen, 10, 20)])
    with pytest.raises(Refused, match="no epochs"):
        join_observations([])


def test_navigation_of_several_files_serves_as_one(afternoon):
    whole = afternoon.navigation
    rows = np.arange(len(whole.ephemerides))
    parts = [
        replace(whole, ephemerides=whole.ephemerides.take(rows[first::3])) for first in (2, 0, 1)
    ]
    # The same message in two files counts once.
    joined = join_navigation([*parts, parts[0]])
    assert np.array_equal(joined.ephemerides.toe_ns, whole.ephemerides.toe_ns)
    assert np.array_equal(joined.ephemerides.satellite, whole.ephemerides.satellite)
    assert joined.simulated
    found, expected = solve(afternoon.seen, joined), solve(afternoon.seen, whole)
    assert np.array_equal(found.ecef_m, expected.ecef_m, equal_nan=True)
