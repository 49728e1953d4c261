"""The protocol as a model: every state that three crashing parties and a bad network can reach."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import NamedTuple
from uuid import UUID

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.finance.domain.pvp.fx import Conversion, Rate
from zhidao.finance.domain.pvp.pvp import (
    FIRST_HEAD,
    Ballot,
    Channel,
    Leg,
    Outcome,
    Side,
    Standing,
    Terms,
    applied,
    decision_head,
    reserved,
)

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


FIRST_LEG = Leg("cny", UUID(int=1), UUID(int=2), 200)
SECOND_LEG = Leg("kzt", UUID(int=3), UUID(int=4), 466)
TERMS = Terms("n", FIRST_LEG, SECOND_LEG, Rate(7, 3), "key-1", "key-2", "key-0", 2**60)


def test_the_name_of_a_deal_is_the_digest_of_everything_that_was_agreed() -> None:
    # Written by hand as RFC 8785 says: keys sorted, numbers that JSON readers may not hold as text.
    first, second = (
        f'{{"amount_minor":"{minor}","credit":"00000000-0000-0000-0000-00000000000{credit}",'
        f'"debit":"00000000-0000-0000-0000-00000000000{debit}","ledger":"{ledger}"}}'
        for minor, credit, debit, ledger in ((200, 2, 1, "cny"), (466, 4, 3, "kzt"))
    )
    text = (
        f'{{"deadline_ns":"1152921504606846976","decider_key":"key-0","first":{first},'
        f'"first_key":"key-1","nonce":"n","rate":["7","3"],"second":{second},'
        f'"second_key":"key-2"}}'
    )
    assert TERMS.name == hashlib.sha256(text.encode()).hexdigest()


def test_each_side_has_its_leg_and_its_key() -> None:
    assert (TERMS.leg(Side.FIRST), TERMS.key(Side.FIRST)) == (FIRST_LEG, "key-1")
    assert (TERMS.leg(Side.SECOND), TERMS.key(Side.SECOND)) == (SECOND_LEG, "key-2")


def test_the_legs_are_the_exact_exchange_or_no_deal() -> None:
    assert TERMS.conversion() == Conversion(466, 2, 3)
    for minor in (465, 467):
        with pytest.raises(Refused, match="buys 466") as refused:
            replace(TERMS, second=replace(SECOND_LEG, amount_minor=minor)).conversion()
        assert refused.value.code == "pvp_amount"


def test_a_leg_moves_an_amount_that_a_ledger_holds() -> None:
    for minor in (1, 2**63 - 1):
        assert replace(FIRST_LEG, amount_minor=minor).amount_minor == minor
    for wrong in (0, -1, 2**63, 1.0, True):
        with pytest.raises(MalformedInput, match="a leg moves"):
            replace(FIRST_LEG, amount_minor=wrong)


def test_what_was_decided_stays_whatever_is_reserved_later() -> None:
    for held in (True, False):
        for standing in (Standing.POSTED, Standing.RELEASED):
            assert reserved(standing, held=held) is standing
    assert applied(Standing.POSTED, Outcome.COMMIT) is Standing.POSTED
    assert applied(Standing.RELEASED, Outcome.ABORT) is Standing.RELEASED


def test_two_yes_commit_a_no_or_the_deadline_aborts_and_else_nothing_is_decided() -> None:
    for first, second, late in product((None, True, False), (None, True, False), (True, False)):
        ballot = Ballot()
        for side, yes in ((Side.FIRST, first), (Side.SECOND, second)):
            ballot = ballot if yes is None else ballot.heard(side, yes=yes).heard(side, yes=not yes)
        if first and second:
            expected = Outcome.COMMIT
        elif late or False in (first, second):
            expected = Outcome.ABORT
        else:
            expected = None
        assert ballot.outcome(late=late) is expected


def test_the_words_that_stand_in_signed_files_are_these() -> None:
    assert [*Side] == ["first", "second"]
    assert [*Outcome] == ["commit", "abort"]
    assert [*Standing] == ["unknown", "reserved", "declined", "posted", "released"]


def test_a_deciders_chain_is_the_digest_of_each_decision_with_its_predecessor() -> None:
    assert hashlib.sha256(b"zhidao pvp decisions 1\n").hexdigest() == FIRST_HEAD
    text = f'{{"aborts":["c"],"commits":["a","b"],"number":1,"previous":"{FIRST_HEAD}"}}'
    head = decision_head(FIRST_HEAD, 1, commits=("a", "b"), aborts=("c",))
    assert head == hashlib.sha256(text.encode()).hexdigest()


def test_a_channel_is_named_by_node_bank_and_ledger_of_both() -> None:
    channel = Channel("n1", "b1", "l1", "n2", "b2", "l2")
    assert channel.name == "n1/b1/l1/n2/b2/l2"
