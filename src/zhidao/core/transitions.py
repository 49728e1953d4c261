"""State machines as tables: in which state, which act, whose, leads where, and if what holds.

The rows decide: services ask them what may happen next, folds ask them what an act made of a
state, and the documentation draws its pictures from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

S = TypeVar("S")


@dataclass(frozen=True)
class Guard(Generic[S]):
    """What must hold of the subject, in words (`reads`) and as a question (`holds`).

    `otherwise` is what a refusal says, `{it}` standing for the subject; `rule` is the article or
    the code that it names.
    """

    reads: str
    holds: Callable[[S], bool]
    rule: str = ""
    otherwise: str = ""

    def refusal(self, subject: S) -> str:
        """What a refusal says of this subject."""
        return self.otherwise.format(it=subject)


@dataclass(frozen=True)
class Transition(Generic[S]):
    """One row: in `state`, the `act` of `who` leads to `then` if all guards hold."""

    state: str
    act: str
    who: str
    then: str
    guards: tuple[Guard[S], ...] = ()


@dataclass(frozen=True)
class Machine(Generic[S]):
    """The rows of one thing. `name` is what pages call it, `start` the state before any act.

    `closed`: why an act is refused in a state from which it leads nowhere, where a refusal says
    more than that; the first guard that does not hold is the reason, or else the last.
    """

    name: str
    start: str
    rows: tuple[Transition[S], ...]
    closed: Mapping[tuple[str, str], tuple[Guard[S], ...]] = field(default_factory=dict)

    @property
    def states(self) -> tuple[str, ...]:
        """All states, the start first, in the order of the rows."""
        both = (state for row in self.rows for state in (row.state, row.then))
        return tuple(dict.fromkeys((self.start, *both)))

    @property
    def ends(self) -> tuple[str, ...]:
        """States that nothing leads out of."""
        left = {row.state for row in self.rows if row.then != row.state}
        return tuple(state for state in self.states if state not in left)

    def leads(self, state: str, act: str) -> Iterator[Transition[S]]:
        """The rows of an act in a state, whatever their guards say."""
        return (row for row in self.rows if (row.state, row.act) == (state, act))

    def after(self, state: str, act: str) -> str:
        """What an act that was written down made of a state.

        One that has no row there still counts, if it only ever leads to one state and that is a
        later one: what other versions wrote stays readable. Anything else changes nothing.
        """
        thens = {row.then for row in self.leads(state, act)} or {
            row.then for row in self.rows if row.act == act
        }
        order = self.states
        if len(thens) == 1 and order.index(then := thens.pop()) > order.index(state):
            return then
        return state

    def why_not(self, state: str, act: str, subject: S) -> Guard[S] | None:
        """What stands against an act, or None if it may be done now."""
        rows = list(self.leads(state, act))
        refusals = [_first_broken(row.guards, subject) for row in rows]
        if not rows:
            guards = self.closed.get((state, act), (_nowhere(state, act),))
            return _first_broken(guards, subject) or guards[-1]
        return None if None in refusals else refusals[0]

    def may(self, state: str, act: str, subject: S) -> bool:
        """Whether an act may be done now."""
        return self.why_not(state, act, subject) is None

    def who(self, act: str) -> str:
        """Whose act it is."""
        return next(row.who for row in self.rows if row.act == act)


def rows_of(
    states: Iterable[str],
    act: str,
    who: str,
    then: str = "",
    *guards: Guard[S],
) -> tuple[Transition[S], ...]:
    """The same row for several states; without `then` each stays what it is."""
    return tuple(Transition(state, act, who, then or state, guards) for state in states)


def never(rule: str, otherwise: str) -> Guard[S]:
    """A guard that never holds: why an act leads nowhere."""
    return Guard("never", lambda _: False, rule, otherwise)


def _first_broken(guards: tuple[Guard[S], ...], subject: S) -> Guard[S] | None:
    return next((guard for guard in guards if not guard.holds(subject)), None)


def _nowhere(state: str, act: str) -> Guard[S]:
    return never("", f"nothing that is {state} lets anybody {act}")
