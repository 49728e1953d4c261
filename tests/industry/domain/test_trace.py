"""Traces beside an independent oracle in plain Python, which shares no code with the index."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from zhidao.core.timescale import Utc
from zhidao.industry.domain import genealogy, relations, short_walk, walk_budget
from zhidao.industry.domain.epcis_event import EpcisEvent, Role, read_event
from zhidao.industry.domain.genealogy import ALWAYS_NS, NEVER_NS, Genealogy, Sees
from zhidao.industry.domain.names import NOBODY, Array, Names
from zhidao.industry.domain.trace import Direction, Ending, path
from zhidao.industry.domain.walk import (
    CONTRADICTIONS_MAX,
    CYCLES_MAX,
    FOUND_MAX,
    short_trace,
    trace,
)
from zhidao.industry.domain.walk_budget import LOOKS_MAX, WALK_NS, Budget, Spent


@pytest.fixture(params=["short", "columns"], autouse=True)
def road(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """By which walk a trace goes if it can; everything here is so by both."""
    if request.param == "columns":
        monkeypatch.setattr(short_walk, "STATES_MOST", 0)
    told: str = request.param
    return told


NOW = Utc.parse("2026-06-01T00:00:00Z")
GTIN = "https://id.gs1.org/01/09506000134352"


def when(minute: int) -> str:
    return f"2026-01-{1 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00Z"


def tai(minute: int) -> int:
    return Utc.parse(when(minute)).tai_ns


def event(kind: str, minute: int, **fields: Any) -> dict[str, Any]:
    common = {"type": kind, "eventTime": when(minute), "eventTimeZoneOffset": "+00:00"}
    return common | fields


def packed(minute: int, parent: str, *children: str, action: str = "ADD") -> dict[str, Any]:
    return event(
        "AggregationEvent", minute, action=action, parentID=parent, childEPCs=list(children)
    )


def turned(minute: int, inputs: list[str], outputs: list[str], **more: Any) -> dict[str, Any]:
    return event("TransformationEvent", minute, inputEPCList=inputs, outputEPCList=outputs, **more)


def made(minute: int, *things: str, **more: Any) -> dict[str, Any]:
    return event("ObjectEvent", minute, action="ADD", epcList=list(things), **more)


def read(plain: dict[str, Any], by: str = "maker") -> EpcisEvent:
    return read_event(plain, {"cbvmda": "urn:epcglobal:cbv:mda:"}, by=by, now=NOW)


def index_of(*events: dict[str, Any], settled: bool = False) -> Genealogy:
    """settled: after each event, as if somebody traced between them."""
    index = Genealogy()
    for plain in events:
        index.put(read(plain))
        if settled:
            index.settle()
    return index


class SeenWithout:
    """Everything that stands may be seen, but what bears one of these keys."""

    def __init__(self, index: Genealogy, hidden: Collection[str]) -> None:
        index.settle()
        self._may = np.array([index.key(n) not in hidden for n in range(len(index.at_ns))], bool)
        self._stands = index.sight(None)

    def __call__(self, events: Array) -> Array:
        seen: Array = self._may[events] & self._stands(events)
        return seen

    def one(self, event: int) -> bool:
        return bool(self._may[event]) and self._stands.one(event)


def seen_without(index: Genealogy, hidden: Collection[str]) -> Sees:
    return SeenWithout(index, hidden)


def forward(index: Genealogy, thing: str, **more: Any) -> Any:
    return trace(index, thing, Direction.FORWARD, sees=seen_without(index, ()), **more)


def backward(index: Genealogy, thing: str, **more: Any) -> Any:
    return trace(index, thing, Direction.BACKWARD, sees=seen_without(index, ()), **more)


def test_a_raw_lot_is_found_in_what_was_made_of_it_and_what_carries_that() -> None:
    index = index_of(
        made(0, "urn:raw"),
        turned(10, ["urn:raw", "urn:other"], ["urn:blend"]),
        turned(20, ["urn:blend"], ["urn:s1", "urn:s2"]),
        packed(30, "urn:case", "urn:s1", "urn:stranger"),
        packed(40, "urn:pallet", "urn:case"),
    )
    found = forward(index, "urn:raw")
    assert found.made == {"urn:blend", "urn:s1", "urn:s2"}
    assert found.carried == {"urn:case", "urn:pallet"}
    assert found.beside == {"urn:stranger"}
    [step] = [step for step in found.steps if step.state.thing == "urn:pallet"]
    way = path(found, step.state)
    assert [edge.target for edge in way] == ["urn:blend", "urn:s1", "urn:case", "urn:pallet"]
    assert all(one.target == other.source for one, other in pairwise(way))
    back = backward(index, "urn:pallet")
    assert back.made >= {"urn:raw", "urn:other", "urn:blend"}
    reasons = {end.thing: end.why for end in back.ends}
    assert reasons["urn:raw"] is Ending.ORIGIN
    assert reasons["urn:other"] is Ending.NOT_TOLD


def test_what_was_unpacked_before_is_not_in_the_container() -> None:
    index = index_of(
        packed(10, "urn:a", "urn:s"),
        packed(20, "urn:a", "urn:s", action="DELETE"),
        packed(20, "urn:b", "urn:s"),
        packed(15, "urn:ship1", "urn:a"),
        packed(25, "urn:ship2", "urn:a"),
    )
    assert forward(index, "urn:s").carried == {"urn:a", "urn:b", "urn:ship1"}
    assert forward(index, "urn:s", at=Utc(tai(12))).carried == {"urn:a"}
    assert forward(index, "urn:s", at=Utc(tai(20))).carried == {"urn:b"}
    assert backward(index, "urn:ship2").carried == {"urn:a"}


def test_a_deletion_without_children_unpacks_everything() -> None:
    everyone = event("AggregationEvent", 20, action="DELETE", parentID="urn:a")
    index = index_of(packed(10, "urn:a", "urn:s", "urn:t"), everyone, packed(30, "urn:a", "urn:t"))
    assert backward(index, "urn:a", at=Utc(tai(25))).carried == set()
    assert backward(index, "urn:a", at=Utc(tai(35))).carried == {"urn:t"}


def test_a_lot_leads_to_the_serials_that_were_commissioned_of_it() -> None:
    serials = [f"{GTIN}/21/{n}" for n in range(3)]
    index = index_of(made(1, *serials, "urn:x", ilmd={"cbvmda:lotNumber": "L1"}))
    assert forward(index, f"{GTIN}/10/L1").made == set(serials)
    assert backward(index, serials[0]).made == {f"{GTIN}/10/L1"}


def test_parts_of_one_transformation_are_joined_by_its_identifier() -> None:
    one, other = {"transformationID": "urn:t:1"}, {"transformationID": "urn:t:1"}
    index = index_of(turned(5, ["urn:a"], [], **one), turned(9, [], ["urn:b"], **other))
    assert forward(index, "urn:a").made == {"urn:b"}
    assert backward(index, "urn:b").made == {"urn:a"}


def test_an_error_declaration_takes_out_whichever_comes_first_and_only_ones_own() -> None:
    plain = packed(10, "urn:a", "urn:s")
    wrong = plain | {"errorDeclaration": {"declarationTime": when(20)}}
    for order in ([plain, wrong], [wrong, plain], [plain, wrong, plain]):
        assert forward(index_of(*order), "urn:s").carried == set()
    index = index_of(plain)
    index.put(read(wrong, by="stranger"))
    assert forward(index, "urn:s").carried == {"urn:a"}


def test_what_may_not_be_seen_is_as_if_not_said() -> None:
    hidden = read(turned(10, ["urn:raw"], ["urn:blend"]), by="other")
    index = index_of(made(0, "urn:raw"))
    index.put(hidden)
    found = trace(index, "urn:raw", Direction.FORWARD, sees=seen_without(index, [hidden.key]))
    assert found.made == set()
    assert [end.why for end in found.ends] == [Ending.HERE]


def test_a_circle_ends_and_is_named() -> None:
    index = index_of(turned(10, ["urn:a"], ["urn:b"]), turned(20, ["urn:b"], ["urn:a"]))
    found = forward(index, "urn:a")
    assert found.made == {"urn:b"}
    assert found.cycles == (("urn:a", "urn:b"),)


def test_two_parents_at_once_are_kept_and_shown() -> None:
    index = index_of(packed(10, "urn:a", "urn:s"), packed(20, "urn:b", "urn:s"))
    found = forward(index, "urn:s")
    assert found.carried == {"urn:a", "urn:b"}
    [(one, other)] = found.contradictions
    assert (one.target, other.target) == ("urn:a", "urn:b")


@pytest.mark.parametrize(
    ("step", "action", "why"),
    [
        ("shipping", "OBSERVE", Ending.SHIPPED),
        ("retail_selling", "OBSERVE", Ending.SOLD),
        ("destroying", "DELETE", Ending.GONE),
        ("inspecting", "DELETE", Ending.GONE),
        ("storing", "OBSERVE", Ending.HERE),
    ],
)
def test_a_branch_says_why_it_ends(step: str, action: str, why: Ending) -> None:
    last = event("ObjectEvent", 9, action=action, bizStep=step, epcList=["urn:a"])
    [end] = forward(index_of(made(1, "urn:a"), last), "urn:a").ends
    assert (end.why, end.event) == (why, read(last).key)


@pytest.mark.bound("industry.domain.walk.FOUND_MAX")
@pytest.mark.parametrize("beyond", [0, 1])
def test_a_trace_finds_so_many_and_says_if_there_are_more(beyond: int) -> None:
    one = read(made(1, f"{GTIN}/21/0", ilmd={"cbvmda:lotNumber": "L"}))
    serials = [(Role.EPC, f"{GTIN}/21/{n}") for n in range(FOUND_MAX + beyond)]
    index = Genealogy()
    index.put(replace(one, things=(*serials, (Role.LOT, f"{GTIN}/10/L"))))
    found = forward(index, f"{GTIN}/10/L")
    assert (len(found.steps) - 1, found.cut_short) == (FOUND_MAX, bool(beyond))


@pytest.mark.bound("industry.domain.walk.CONTRADICTIONS_MAX")
@pytest.mark.parametrize("beyond", [0, 1])
def test_so_many_contradictions_are_told(beyond: int) -> None:
    index = index_of(packed(9, "urn:long", "urn:s"))
    for n in range(CONTRADICTIONS_MAX + beyond):
        index.put(read(packed(10 + 2 * n, f"urn:p{n}", "urn:s")))
        index.put(read(packed(11 + 2 * n, f"urn:p{n}", "urn:s", action="DELETE")))
    found = forward(index, "urn:s")
    told = len(found.contradictions)
    assert (told, found.cut_short) == (CONTRADICTIONS_MAX, bool(beyond))


@pytest.mark.bound("industry.domain.walk.CYCLES_MAX")
@pytest.mark.parametrize("beyond", [0, 1])
def test_so_many_circles_are_told(beyond: int) -> None:
    count = CYCLES_MAX + beyond
    star = [turned(10, ["urn:hub"], [f"urn:{n}" for n in range(count)])]
    back = turned(20, [f"urn:{n}" for n in range(count)], ["urn:hub"])
    found = forward(index_of(*star, back), "urn:hub")
    assert (len(found.cycles), found.cut_short) == (CYCLES_MAX, bool(beyond))
    assert len(found.made) == count


@pytest.mark.bound("industry.domain.walk_budget.LOOKS_MAX")
def test_a_walk_looks_at_so_much_and_for_so_long() -> None:
    Budget(lambda: 0).spend(LOOKS_MAX)
    with pytest.raises(Spent):
        Budget(lambda: 0).spend(LOOKS_MAX + 1)
    times = iter([0, WALK_NS, WALK_NS + 1])
    budget = Budget(lambda: next(times))
    budget.spend(128)
    with pytest.raises(Spent):
        budget.spend(128)


def test_a_walk_without_time_says_what_it_found_and_that_it_was_cut_short() -> None:
    index = index_of(*(turned(n, [f"urn:{n}"], [f"urn:{n + 1}"]) for n in range(500)))
    ticks = iter(range(0, 100 * WALK_NS, WALK_NS))
    found = forward(index, "urn:0", now_ns=lambda: next(ticks))
    assert found.cut_short
    assert 1 < len(found.steps) < 500
    assert not forward(index, "urn:0").cut_short


def test_a_walk_that_has_looked_at_too_much_says_of_no_branch_that_nobody_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = index_of(made(0, "urn:a"), turned(1, ["urn:a"], ["urn:b", "urn:c"]))
    for most in range(1, 40):
        monkeypatch.setattr(walk_budget, "LOOKS_MAX", most)
        found = forward(index, "urn:a")
        assert {end.why for end in found.ends} <= {Ending.HERE}
        assert found.cut_short or (len(found.steps), len(found.ends)) == (3, 2)
    assert not found.cut_short


def test_names_are_kept_as_they_came() -> None:
    names = Names()
    told = ["urn:a:1", "urn:a:2", "a/b/1", "\ud800", "", "/", "a/b/\u4e2d", "x" * 600]
    for _ in range(2):
        assert names.numbers(told).tolist() == list(range(len(told)))
        assert names.labels(range(len(told))) == told
        names.seal()
    assert names.find("urn:a:3") == NOBODY


def test_names_longer_than_any_is_taken_today_are_kept() -> None:
    names, told = Names(), [f"urn:{n}:{'x' * 2_700}" for n in range(70)]
    names.numbers(told)
    names.seal()
    assert names.labels(range(len(told))) == told


def looks(index: Genealogy, thing: str, direction: Direction = Direction.FORWARD) -> int:
    found = trace(index, thing, direction, sees=seen_without(index, ()))
    assert not found.cut_short
    return found.looks


def test_parts_of_one_transformation_are_not_told_once_for_each_pair() -> None:
    parts = [turned(n, ["urn:m"], [f"urn:o{n}"], transformationID="urn:t") for n in range(300)]
    assert looks(index_of(*parts), "urn:m") < 20 * len(parts)


def test_a_box_that_is_used_again_and_again_is_no_cube() -> None:
    def used(times: int) -> Genealogy:
        index = Genealogy()
        for n in range(times):
            index.put(read(packed(2 * n, "urn:box", "urn:s")))
            index.put(read(packed(2 * n + 1, "urn:box", "urn:s", action="DELETE")))
        return index

    assert looks(used(80), "urn:s") < 5 * looks(used(40), "urn:s")


# The oracle: every rule by full scans over plain events, no pruning.


@dataclass(frozen=True)
class Stay:
    child: str
    parent: str
    start: int
    end: int


def stays_of(events: list[dict[str, Any]]) -> list[Stay]:
    packings = [e for e in events if e["type"] == "AggregationEvent"]
    found = []
    for adding in (e for e in packings if e["action"] == "ADD"):
        start = Utc.parse(adding["eventTime"]).tai_ns
        for child in adding["childEPCs"]:
            ends = [
                Utc.parse(e["eventTime"]).tai_ns
                for e in packings
                if e["action"] == "DELETE"
                and e["parentID"] == adding["parentID"]
                and (not e.get("childEPCs") or child in e["childEPCs"])
            ]
            later = [end for end in ends if end > start]
            found.append(Stay(child, adding["parentID"], start, min(later, default=ALWAYS_NS)))
    return found


def becomes_of(events: list[dict[str, Any]]) -> list[tuple[str, str, int, int]]:
    found = []
    for one in (e for e in events if e["type"] == "TransformationEvent"):
        for other in (e for e in events if e["type"] == "TransformationEvent"):
            shared = one.get("transformationID")
            if one is not other and not (shared and shared == other.get("transformationID")):
                continue
            for source in one.get("inputEPCList", []):
                for target in other.get("outputEPCList", []):
                    t_in = Utc.parse(one["eventTime"]).tai_ns
                    t_out = Utc.parse(other["eventTime"]).tai_ns
                    found += [(source, target, t_in, t_out)]
    return found


def oracle(
    events: list[dict[str, Any]], start: str, direction: str, at: int | None
) -> tuple[set[str], dict[str, set[tuple[int, int]]], set[str]]:
    """Made things, the windows of all things, and what stood beside."""
    stays, becomes = stays_of(events), becomes_of(events)
    first = (start, NEVER_NS if at is None else at, ALWAYS_NS if at is None else at + 1, True)
    states, todo = {first}, [first]
    while todo:
        thing, low, high, own = todo.pop()
        new = []
        for source, target, t_in, t_out in becomes:
            if direction == "forward" and source == thing and t_in >= low and (own or t_in < high):
                new.append((target, t_out, ALWAYS_NS, True))
            if direction == "backward" and target == thing and t_out < high:
                new.append((source, t_in, t_in + 1, True))
        for stay in stays:
            inner, outer = (
                (stay.child, stay.parent) if direction == "forward" else (stay.parent, stay.child)
            )
            a, b = max(low, stay.start), min(high, stay.end)
            if inner == thing and a < b:
                new.append((outer, a, b, False))
        for state in new:
            if state not in states:
                states.add(state)
                todo.append(state)
    windows: dict[str, set[tuple[int, int]]] = {}
    for thing, low, high, _ in states:
        windows.setdefault(thing, set()).add((low, high))
    beside = {
        stay.child
        for parent, low, high, own in states
        if not own
        for stay in stays
        if stay.parent == parent and stay.start < high and low < stay.end
    }
    return {s[0] for s in states if s[3]} - {start}, windows, beside - set(windows)


def joined(windows: set[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    points: list[list[int]] = []
    for low, high in sorted(windows):
        if points and low <= points[-1][1]:
            points[-1][1] = max(points[-1][1], high)
        else:
            points.append([low, high])
    return tuple((low, high) for low, high in points)


def world(dice: random.Random) -> list[dict[str, Any]]:
    """Lots, blends, serials, cases, pallets, containers; repacked, unpacked whole, corrected."""
    names = {
        level: [f"urn:{level}:{n}" for n in range(count)]
        for level, count in (("lot", 3), ("blend", 3), ("serial", 8), ("case", 4), ("pallet", 2))
    }
    levels = list(names)
    events: list[dict[str, Any]] = []
    for number in range(dice.randint(12, 40)):
        minute = dice.randint(0, 60)
        match dice.randrange(6):
            case 0:
                below, above = dice.choice([("lot", "blend"), ("blend", "serial"), ("lot", "lot")])
                inputs = dice.sample(names[below], dice.randint(1, 2))
                outputs = dice.sample(names[above], dice.randint(1, 3))
                shared = {"transformationID": f"urn:t:{dice.randrange(3)}"}
                match dice.randrange(4):
                    case 0:
                        events.append(turned(minute, inputs, [], **shared))
                    case 1:
                        events.append(turned(minute, [], outputs, **shared))
                    case _:
                        events.append(turned(minute, inputs, outputs))
            case 1:
                events.append(made(minute, dice.choice(names["lot"])))
            case 2:
                parent = dice.choice(names["case"] + names["pallet"])
                events.append(event("AggregationEvent", minute, action="DELETE", parentID=parent))
            case _:
                level = dice.choice((2, 3))
                parent = dice.choice(names[levels[level + 1]])
                children = dice.sample(names[levels[level]], dice.randint(1, 3))
                action = "DELETE" if dice.random() < 0.3 else "ADD"
                events.append(packed(minute, parent, *children, action=action))
        events[-1]["bizTransactionList"] = [{"bizTransaction": f"urn:n:{number % 7}"}]
    return events


@pytest.mark.parametrize(
    "queries", [600, pytest.param(10_000, marks=(pytest.mark.long, pytest.mark.timeout(900)))]
)
@pytest.mark.parametrize("packed_after", [0, 7])
def test_random_traces_are_those_of_the_oracle(
    monkeypatch: pytest.MonkeyPatch, queries: int, packed_after: int
) -> None:
    """packed_after: so many rows, names and events lie apart before they join the many; 0: all."""
    if packed_after:
        monkeypatch.setattr(relations, "RUN_ROWS", packed_after)
        monkeypatch.setattr(genealogy, "FRESH_MOST", packed_after)
    dice = random.Random(queries)
    asked = found_something = 0
    while asked < queries:
        events = world(dice)
        withdrawn = dice.sample(events, len(events) // 8)
        said = [*events, *dice.sample(events, 3)]
        said += [e | {"errorDeclaration": {"declarationTime": when(99)}} for e in withdrawn]
        dice.shuffle(said)
        index = index_of(*said, settled=bool(packed_after))
        stands = {read(e).key: e for e in events}
        for gone in withdrawn:
            stands.pop(read(gone).key, None)
        for _ in range(20):
            asked += 1
            hidden = (
                {key for key in stands if dice.random() < 0.1} if dice.random() < 0.5 else set()
            )
            visible = [plain for key, plain in stands.items() if key not in hidden]
            level = dice.choice(("lot", "blend", "serial", "case", "pallet"))
            thing = f"urn:{level}:{dice.randrange(3)}"
            direction = dice.choice(("forward", "backward"))
            at = tai(dice.randint(0, 60)) if dice.random() < 0.3 else None
            wanted, windows, beside = oracle(visible, thing, direction, at)
            answer = trace(
                index,
                thing,
                Direction(direction),
                sees=seen_without(index, hidden),
                at=None if at is None else Utc(at),
            )
            assert answer.made == wanted
            assert answer.windows == {each: joined(w) for each, w in windows.items()}
            if direction == "forward":
                assert answer.beside == beside
            found_something += len(windows) > 2
    assert found_something > queries // 4


def test_both_walks_tell_the_same_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(4)
    plain = 0
    for _ in range(150):
        index = index_of(*world(dice))
        for _ in range(20):
            thing = f"urn:{dice.choice(('lot', 'blend', 'serial', 'case'))}:{dice.randrange(3)}"
            at = Utc(tai(dice.randint(0, 60))) if dice.random() < 0.5 else None
            direction, sees = dice.choice(list(Direction)), seen_without(index, ())
            with monkeypatch.context() as patched:
                patched.setattr(short_walk, "STATES_MOST", 48)
                short = short_trace(index, thing, direction, sees=sees, at=at)
                patched.setattr(short_walk, "STATES_MOST", 0)
                assert short_trace(index, thing, direction, sees=sees, at=at) is None
                by_columns = trace(index, thing, direction, sees=sees, at=at)
            assert short is None or short == by_columns
            plain += short is not None and short.found > 2
    assert plain > 80


def test_a_thing_with_many_around_it_is_left_to_the_columns() -> None:
    crowd = [f"urn:{n}" for n in range(short_walk.ROWS_MOST)]
    index = index_of(packed(1, "urn:a", "urn:s", *crowd))
    sees = seen_without(index, ())
    assert short_trace(index, "urn:s", Direction.FORWARD, sees=sees) is None
    assert len(forward(index, "urn:s").beside) == len(crowd)
