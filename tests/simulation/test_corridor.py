"""The simulated corridor: the same for one seed, marked as what it is, on its own way."""

from __future__ import annotations

from collections import Counter

import pytest

from zhidao.core.canonical import jcs
from zhidao.node.search.terms import check_digit
from zhidao.simulation import participants
from zhidao.simulation.corridor import CONSIGNMENTS, STAGES, _entry, consignments
from zhidao.trade.wire.entry import read


def test_forty_are_made_by_the_seed_and_by_nothing_else() -> None:
    made = consignments(417)
    assert made == consignments(417)
    assert made != consignments(418)
    assert len(made) == CONSIGNMENTS == 40
    assert Counter(each.stage for each in made) == dict(STAGES)
    assert len({each.container for each in made}) == 40


@pytest.mark.parametrize("each", consignments(417)[::7], ids=lambda each: each.name)
def test_each_says_that_it_is_simulated(each) -> None:
    whole = _entry(each)
    assert whole["simulatedIndicator"] == "true"
    entry = read(jcs(whole))
    assert entry.id.startswith("sim-")
    assert {whole["consignorParty"]["nodeId"], whole["consigneeParty"]["nodeId"]} == {
        participants.SHIPPER[0],
        participants.BUYER[0],
    }
    assert (
        "simulated"
        in whole["includedConsignmentItem"][0]["natureIdentificationCargo"]["description"]
    )
    assert each.container[-1] == check_digit(each.container[:-1])


def test_lorries_stand_on_the_way_between_both_ends() -> None:
    for each in consignments(417):
        longitude, latitude = each.place
        assert 76.9 < longitude < 109
        assert 34 < latitude < 45
        if each.stage in ("leaving", "entering"):
            assert (longitude, latitude) == (80.41, 44.21)
        elif each.has("released"):
            assert longitude <= 80.41
