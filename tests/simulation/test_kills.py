from __future__ import annotations

from dataclasses import replace

import pytest

from zhidao.simulation.adapters.node_record import NodeRecord
from zhidao.simulation.kills import BothRecords, Voyage, judge
from zhidao.simulation.step_report import Outcome

ID = "01a20e66-8b1c-8618-a496-b03fb079b68e"
_LOG = NodeRecord(
    events={},
    boxes=((ID, 0, b"leaf", True),),
    leaves={0: b"leaf"},
    log_size=1,
    transfers=(),
    balances={},
    pending=0,
    frames=frozenset((b"frame",)),
    bus=("leaf-0",),
    dead_letters=(),
)
_VOYAGE = Voyage(1, "importer-node", Outcome(acknowledged=frozenset((b"frame",))))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"boxes": ((ID, None, b"leaf", False),)}, "1 events have no leaf"),
        ({"boxes": ((ID, 0, b"leaf", False),)}, "1 events are not known to be on the bus"),
        ({"boxes": ((ID, 0, b"other", True),)}, "not its event's commitment"),
        ({"boxes": ((ID, 0, b"leaf", True), ("b", 0, b"leaf", True))}, "leaves [0] belong to two"),
        ({"leaves": {0: b"leaf", 2: b"x"}}, "there are gaps"),
        ({"log_size": 2}, "its head says 2"),
        ({"leaves": {0: b"leaf", 1: b"x"}, "log_size": 2}, "leaves without event"),
        ({"bus": ()}, "the bus misses leaves"),
        ({"dead_letters": ("finance: why",)}, "given up: finance: why"),
        ({"pending": 5}, "5 minor units are still reserved"),
        ({"balances": {(100, "a"): 5}}, "the ledger's sum is 5"),
        ({"transfers": ((200, 100, 1, 0),)}, "the ledger holds other transfers"),
        ({"frames": frozenset()}, "1 frames were acknowledged and are not stored"),
        ({"frames": frozenset((b"frame", b"other"))}, "were never acknowledged"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_the_judge_notices(wrong: dict[str, object], sentence: str):
    clean = judge(_VOYAGE, BothRecords(_LOG, _LOG))
    found = judge(_VOYAGE, BothRecords(replace(_LOG, **wrong), _LOG))
    assert any(sentence in each for each in found), found
    assert not any(sentence in each for each in clean) or "ledger holds" in sentence


def test_the_judge_misses_every_fact_of_an_empty_node():
    found = judge(_VOYAGE, BothRecords(_LOG, _LOG))
    assert "finance.Settled.v2 was recorded 0 times, not 1" in found
    assert any(each.startswith("the title went") for each in found)
    assert any(each.startswith("the road ended unpaid") for each in found)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"log_size": 2}, "exporter's side: the log has 1 leaves"),
        ({"dead_letters": ("federation: why",)}, "exporter's side: given up: federation: why"),
        ({"transfers": ((200, 100, 1, 0),)}, "the exporter's side has a ledger of its own"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_the_judge_looks_at_the_other_side_too(wrong: dict[str, object], sentence: str):
    found = judge(_VOYAGE, BothRecords(_LOG, replace(_LOG, **wrong)))
    assert any(sentence in each for each in found), found
