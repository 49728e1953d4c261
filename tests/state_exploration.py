"""Every state that a machine can reach, walked through; what a test then asks of all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from zhidao.core.transitions import Machine, Transition

World = TypeVar("World")
Move = tuple[str, World]
"""An act that was let through, and the world after it."""


@dataclass
class Walk(Generic[World]):
    """What was reached: one world for each key, and the steps between keys."""

    worlds: dict[Hashable, World] = field(default_factory=dict)
    steps: list[tuple[World, str, World]] = field(default_factory=list)
    before: dict[Hashable, set[Hashable]] = field(default_factory=dict)

    def can_reach(self, goal: Callable[[World], bool]) -> set[Hashable]:
        """The keys from which some way leads to a world of that kind."""
        found = {key for key, world in self.worlds.items() if goal(world)}
        waiting = list(found)
        while waiting:
            for key in self.before.get(waiting.pop(), set()) - found:
                found.add(key)
                waiting.append(key)
        return found


def walk(
    starts: Iterable[World],
    moves: Callable[[World], Iterator[Move[World]]],
    key: Callable[[World], Hashable],
) -> Walk[World]:
    """All that can be reached from the starts by the moves."""
    found: Walk[World] = Walk()
    waiting = []
    for start in starts:
        found.worlds[key(start)] = start
        waiting.append(start)
    while waiting:
        world = waiting.pop()
        for act, after in moves(world):
            found.steps.append((world, act, after))
            found.before.setdefault(key(after), set()).add(key(world))
            if key(after) not in found.worlds:
                found.worlds[key(after)] = after
                waiting.append(after)
    return found


def rows_not_taken(
    machine: Machine[Any], steps: Iterable[tuple[str, str, str]]
) -> list[tuple[str, str, str]]:
    """Rows that no step went along: what stands in the table and cannot happen."""
    rows = dict.fromkeys((row.state, row.act, row.then) for row in machine.rows)
    return [row for row in rows if row not in set(steps)]


def steps_without_row(
    machine: Machine[Any], steps: Iterable[tuple[str, str, str]]
) -> list[tuple[str, str, str]]:
    """Steps that went another way than any row."""
    rows = {(row.state, row.act, row.then) for row in machine.rows}
    return sorted({step for step in steps if step not in rows})


def without_guards(machine: Machine[Any], act: str) -> Machine[Any]:
    """The machine with a fault planted: one act asks for nothing."""
    rows = tuple(replace(row, guards=()) if row.act == act else row for row in machine.rows)
    return replace(machine, rows=rows)


def with_row(machine: Machine[Any], row: Transition[Any]) -> Machine[Any]:
    """The machine with a fault planted: one way too many."""
    return replace(machine, rows=(*machine.rows, row))
