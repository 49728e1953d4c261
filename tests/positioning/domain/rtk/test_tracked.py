from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao.core.errors import Refused
from zhidao.positioning.domain.observables.observations import (
    ObservationHeader,
    Observations,
    SystemObservations,
)
from zhidao.positioning.domain.observables.signal_codes import (
    matched,
    pairs_of,
    smoothable,
    tracked,
)
from zhidao.positioning.domain.ppp.ppp_settings import B2B_PAIRS, LEGACY_PAIRS
from zhidao.positioning.domain.rtk.rtk_settings import ALL_SIGNALS
from zhidao.positioning.service.high_level import rtk


def _receiver(**codes):
    """codes: by system, how often each code was observed at ten epochs."""
    systems = {}
    for system, counts in codes.items():
        values = np.full((10, len(counts)), np.nan)
        for column, count in enumerate(counts.values()):
            values[:count, column] = 2e7
        marks = np.zeros(values.shape, np.uint8)
        rows = np.arange(10)
        systems[system] = SystemObservations(
            system, tuple(counts), rows, np.full(10, 7), values, marks, marks
        )
    return Observations(ObservationHeader(), np.arange(10) * 10**9, np.zeros(10, bool), systems)


def test_the_better_known_code_counts_while_it_is_there():
    seen = _receiver(E={"C5X": 10, "C5Q": 9}, G={"C1C": 10, "C2L": 10, "C2W": 3})
    assert tracked(seen.systems["E"], "5") == "5Q"
    assert tracked(seen.systems["G"], "2") == "2L"
    assert tracked(seen.systems["G"], "5") == ""


def test_two_receivers_share_the_codes_that_both_have():
    rover = _receiver(E={"C1X": 10, "C5X": 10}, G={"C1C": 10, "C2L": 10, "C2W": 10})
    base = _receiver(E={"C1X": 10, "C5X": 10, "C5Q": 10}, G={"C1C": 10, "C2W": 10}, C={"C2I": 10})
    found = matched(rover, base, ALL_SIGNALS)
    assert found.signals == {"E": ("C1X", "C5X"), "G": ("C1C", "C2W")}
    assert found.base.systems["E"] is base.systems["E"]


def test_a_band_that_each_tracks_otherwise_is_shared_all_the_same():
    rover = _receiver(E={"C1C": 10, "L1C": 10, "C5Q": 10})
    base = _receiver(E={"C1X": 10, "L1X": 10, "C5X": 10})
    found = matched(rover, base, ALL_SIGNALS)
    assert found.signals == {"E": ("C1C", "C5Q")}
    assert found.base.systems["E"].codes == ("C1C", "L1C", "C5Q")


def test_a_name_that_is_taken_from_another_column_is_not_there_twice():
    # The base has hardly any C5Q, and its C5X goes under that name.
    rover, base = _receiver(E={"C5Q": 10}), _receiver(E={"C5Q": 1, "C5X": 10})
    found = matched(rover, base, ALL_SIGNALS)
    assert found.signals == {"E": ("C5Q",)}
    table = found.base.systems["E"]
    assert table.codes.count("C5Q") == 1
    assert np.isfinite(table.column("C5Q")).all()


def test_a_receiver_without_the_usual_codes_gets_pairs_of_its_own():
    seen = _receiver(E={"C1X": 10, "C7X": 10}, G={"C1C": 10, "C2X": 10}, R={"C1C": 10, "C2C": 10})
    assert pairs_of(seen, LEGACY_PAIRS) == {"G": ("1C", "2X"), "R": ("1C", "2C"), "E": ("1X", "7X")}


def test_bands_that_were_not_tracked_are_replaced():
    seen = _receiver(C={"C2I": 10, "C6I": 10}, G={"C1C": 10, "C2W": 10})
    assert pairs_of(seen, B2B_PAIRS) == {"C": ("2I", "6I"), "G": ("1C", "2W")}


def test_smoothing_takes_the_code_that_counts_and_another_band():
    counts = {"C2I": 10, "L2I": 10, "C6I": 10, "L6I": 10}
    seen = _receiver(C=counts, G={"C1C": 10, "L1C": 10}, E={"L1C": 10})
    signals = {"C": "C2I/C2X", "G": "C1C/C1W", "E": "C1C", "J": "C1C"}
    assert smoothable(seen, signals) == {"C": ("C2I", "C6I"), "G": ("C1C", "")}
    assert smoothable(seen, {"C": "C2I+C6I"}) == {}


def test_the_usual_codes_stay_where_they_are():
    counts = {"C1C": 10, "C1W": 10, "C2W": 10, "C2L": 10}
    assert pairs_of(_receiver(G=counts), {"G": ("1W", "2W")}) == {"G": ("1W", "2W")}


def test_receivers_without_a_common_signal_are_told_so():
    rover, base = _receiver(E={"C1X": 10}), _receiver(C={"C2I": 10})
    with pytest.raises(Refused, match="no band in common"):
        rtk(rover, base, None, (0.0, 0.0, 0.0))


def _renamed(seen, changes):
    systems = {
        system: replace(
            table, codes=tuple(c[0] + changes.get((system, c[1:]), c[1:]) for c in table.codes)
        )
        for system, table in seen.systems.items()
    }
    return replace(seen, systems=systems)


def test_a_pair_of_receivers_with_other_names_is_fixed_alike(nagoya):
    changes = {("E", "1C"): "1X", ("E", "5Q"): "5X", ("E", "7Q"): "7X", ("G", "5Q"): "5X"}
    rover, base = (_renamed(_few(each), changes) for each in (nagoya.rover, nagoya.base))
    assert rtk(rover, base, nagoya.navigation, nagoya.base_m).fixed.all()


def _few(seen, epochs=3):
    systems = {}
    for system, table in seen.systems.items():
        rows = table.epoch < epochs
        systems[system] = replace(
            table,
            epoch=table.epoch[rows],
            prn=table.prn[rows],
            values=table.values[rows],
            lost_lock=table.lost_lock[rows],
            strength=table.strength[rows],
        )
    return replace(
        seen,
        gpst_ns=seen.gpst_ns[:epochs],
        power_failed=seen.power_failed[:epochs],
        systems=systems,
    )
