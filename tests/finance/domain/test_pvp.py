"""The protocol as a model: every state that three crashing parties and a bad network can reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from zhidao.core.errors import Refused
from zhidao.finance.domain.pvp import Ballot, Outcome, Side, Standing, applied, reserved

STATES_MIN = 1_000


class Node(NamedTuple):
    """A participant: what its disk holds, and whether it runs. A restart knows the disk only."""

    standing: Standing = Standing.UNKNOWN
    up: bool = True


class State(NamedTuple):
    """The whole world. The network is a set: anything sent may come any number of times, or never.

    `written`: the decision on the decider's disk. `ballot`: what it heard since it started.
    """

    first: Node = Node()
    second: Node = Node()
    decider_up: bool = True
    ballot: Ballot = Ballot()
    written: Outcome | None = None
    late: bool = False
    network: frozenset[str] = frozenset({"propose"})


Rules = Callable[[State], Iterator[State]]


def _with(state: State, side: Side, node: Node, *sent: str) -> State:
    network = state.network | set(sent)
    if side is Side.FIRST:
        return state._replace(first=node, network=network)
    return state._replace(second=node, network=network)


def _participant(state: State, side: Side) -> Iterator[State]:
    node = state.first if side is Side.FIRST else state.second
    if not node.up:
        yield _with(state, side, node._replace(up=True))
        return
    yield _with(state, side, node._replace(up=False))
    open_yet = node.standing not in (Standing.POSTED, Standing.RELEASED)
    if "propose" in state.network and open_yet:
        for held in (True, False):
            # What the ledger once held or refused it answers again.
            if node.standing is (Standing.DECLINED if held else Standing.RESERVED):
                continue
            after = node._replace(standing=reserved(node.standing, held=held))
            yield _with(state, side, after)  # reserved, and dead before the vote left
            yield _with(state, side, after, f"{side} {'yes' if held else 'no'}")
    for outcome in Outcome:
        if outcome in state.network and open_yet:
            yield _with(state, side, node._replace(standing=applied(node.standing, outcome)))


def _decider(state: State) -> Iterator[State]:
    if not state.decider_up:
        yield state._replace(decider_up=True)
        return
    yield state._replace(decider_up=False, ballot=Ballot())
    if state.written is not None:
        yield state._replace(network=state.network | {state.written})
        return
    for side in Side:
        for word in ("yes", "no"):
            if f"{side} {word}" in state.network:
                yes = word == "yes" and not state.late
                yield state._replace(ballot=state.ballot.heard(side, yes=yes))
    outcome = state.ballot.outcome(late=state.late)
    if outcome is not None:
        yield state._replace(written=outcome)


def honest(state: State) -> Iterator[State]:
    """All that may happen next."""
    yield from _participant(state, Side.FIRST)
    yield from _participant(state, Side.SECOND)
    yield from _decider(state)
    if not state.late:
        yield state._replace(late=True)


def impatient(state: State) -> Iterator[State]:
    """Planted: a side lets go by itself once the deadline is over."""
    yield from honest(state)
    if state.late and state.first.standing is Standing.RESERVED:
        yield state._replace(first=state.first._replace(standing=Standing.RELEASED))


def hasty(state: State) -> Iterator[State]:
    """Planted: the decider tells before it writes."""
    yield from honest(state)
    outcome = state.ballot.outcome(late=state.late)
    if state.decider_up and state.written is None and outcome is not None:
        yield state._replace(network=state.network | {outcome})


def forgetful(state: State) -> Iterator[State]:
    """Planted: a side's disk drops what it said was synced."""
    yield from honest(state)
    if not state.first.up and state.first.standing is Standing.RESERVED:
        yield state._replace(first=Node(Standing.UNKNOWN, up=True))


def _explore(rules: Rules) -> tuple[set[State], str]:
    """All states that can be reached, and the first violation, or nothing."""
    seen, waiting = {State()}, [State()]
    while waiting:
        state = waiting.pop()
        standings = {state.first.standing, state.second.standing}
        if {Standing.POSTED, Standing.RELEASED} <= standings:
            return seen, f"one-sided: {state}"
        try:
            after = set(rules(state))
        except Refused as error:
            return seen, f"{error.code}: {state}"
        for state in after - seen:
            seen.add(state)
            waiting.append(state)
    return seen, ""


def test_no_crash_loss_doubling_or_order_makes_a_settlement_one_sided() -> None:
    states, violation = _explore(honest)
    assert violation == ""
    assert len(states) >= STATES_MIN
    ends = {(state.first.standing, state.second.standing) for state in states}
    assert (Standing.POSTED, Standing.POSTED) in ends
    assert (Standing.RELEASED, Standing.RELEASED) in ends


def test_from_every_state_the_world_can_still_end_with_both_or_neither() -> None:
    states, _ = _explore(honest)
    before: dict[State, set[State]] = {}
    for state in states:
        for after in honest(state):
            before.setdefault(after, set()).add(state)
    over = (Standing.POSTED, Standing.RELEASED)
    done = {
        state
        for state in states
        if state.first.standing is state.second.standing and state.first.standing in over
    }
    waiting = list(done)
    while waiting:
        for state in before.get(waiting.pop(), ()):
            if state not in done:
                done.add(state)
                waiting.append(state)
    assert done == states


@pytest.mark.parametrize("rules", [impatient, hasty, forgetful])
def test_the_model_finds_each_planted_fault(rules: Rules) -> None:
    _, violation = _explore(rules)
    assert violation


def test_a_decision_without_this_sides_yes_is_a_contradiction() -> None:
    for standing in (Standing.UNKNOWN, Standing.DECLINED, Standing.RELEASED):
        with pytest.raises(Refused, match="cannot commit"):
            applied(standing, Outcome.COMMIT)
    with pytest.raises(Refused, match="cannot abort"):
        applied(Standing.POSTED, Outcome.ABORT)
