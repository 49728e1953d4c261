from __future__ import annotations

import pytest
from tests.insight.sample_log import corridor

from zhidao.core.errors import Refused
from zhidao.insight.domain.opened import LogHead, open_log

HEAD = LogHead("log", 3, "00" * 32, "key", "unchecked")


def test_leaves_stand_in_the_order_of_the_log_each_once():
    events = [leaf.event for leaf in corridor().leaves[:3]]
    log = open_log([HEAD], [(0, 2, events[2]), (0, 0, events[0]), (0, 2, events[2])])
    assert [leaf.at.index for leaf in log.leaves] == [0, 2]
    assert (len(log.leaves), log.total) == (2, 3)


def test_two_events_cannot_claim_one_leaf():
    first, second = (leaf.event for leaf in corridor().leaves[:2])
    with pytest.raises(Refused) as caught:
        open_log([HEAD], [(0, 1, first), (0, 1, second)])
    assert caught.value.code == "leaf_twice"


@pytest.mark.parametrize("index", [-1, 3])
def test_a_leaf_lies_inside_its_log(index: int):
    with pytest.raises(Refused) as caught:
        open_log([HEAD], [(0, index, corridor().leaves[0].event)])
    assert caught.value.code == "leaf_beyond"


def test_now_is_when_the_newest_leaf_was_recorded():
    log = corridor()
    assert log.newest == max(leaf.event.recorded_at for leaf in log.leaves)
    assert open_log([HEAD], []).newest is None
