"""The real services of payment versus payment in a seeded world of faults."""

from __future__ import annotations

import pytest
from tests.finance.pvp_simulator import BUGS, KEYS, SHARDS, START, World

from zhidao.core.errors import MalformedInput, Refused
from zhidao.finance.domain.pvp.fx import convert
from zhidao.finance.domain.pvp.pvp import Leg, Side, Standing

SEEDS_THAT_SHOW = {
    "dropped_fsync": range(40),
    "unilateral_void": range(40),
    "float_amounts": range(10),
    "unlogged_decision": range(60),
}


def test_no_seed_ends_one_sided_and_some_settle() -> None:
    worlds = [World(seed) for seed in range(12)]
    assert [world.run() for world in worlds] == [[]] * len(worlds)
    assert sum(world.committed for world in worlds) > 0


def test_the_same_seed_gives_the_same_trace_and_another_another() -> None:
    traces = []
    for seed in (7, 7, 8):
        world = World(seed)
        world.run()
        traces.append(world.trace.hexdigest())
    assert traces[0] == traces[1] != traces[2]


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str) -> None:
    assert any(World(seed, bug=bug).run() for seed in SEEDS_THAT_SHOW[bug])


async def _world() -> World:
    world = World(1)
    for party in world.parties.values():
        await world._start(party)
        await world._fund(party)
    return world


async def test_terms_whose_legs_are_not_the_rate_are_refused_before_anything_is_written() -> None:
    world = await _world()
    participant, deal = world.parties["first"].participant, world.deals[0]
    assert participant is not None
    more = Leg("KZT", deal.second.debit, deal.second.credit, deal.second.amount_minor + 1)
    lie = type(deal)(**{**deal.__dict__, "second": more})
    with pytest.raises(Refused, match="minor units"):
        await participant.take([lie])
    assert await participant.votes() == []


async def test_a_vote_that_another_key_signed_does_not_count() -> None:
    world = await _world()
    first, decider = world.parties["first"].participant, world.parties["decider"].decider
    assert first is not None
    assert decider is not None
    (vote,) = await first.take([world.deals[0]])
    with pytest.raises(Refused):
        await decider.hear(vote.replace(b'"side":"first"', b'"side":"second"'))
    with pytest.raises(MalformedInput):
        await decider.hear(b"{}")
    assert await decider.decide() is None


async def test_both_legs_post_after_one_decision_and_repeating_it_changes_nothing() -> None:
    world = await _world()
    deal = world.deals[0]
    sides = [world.parties[side].participant for side in Side]
    decider = world.parties["decider"].decider
    assert decider is not None
    for side in sides:
        assert side is not None
        for vote in await side.take([deal]):
            await decider.hear(vote)
            await decider.hear(vote)
    decision = await decider.decide()
    assert decision is not None
    assert await decider.decide() is None
    for side in sides:
        assert side is not None
        assert await side.follow(decision)
        assert not await side.follow(decision)
        assert await side.standing(deal.name) is Standing.POSTED
        assert await side.take([deal]) == []
    assert await world._judge() == []
    assert convert(deal.first.amount_minor, deal.rate).bought_minor == deal.second.amount_minor


async def test_a_decision_that_another_signs_or_that_is_not_in_the_log_moves_nothing() -> None:
    world = await _world()
    first, decider = world.parties["first"].participant, world.parties["decider"].decider
    assert first is not None
    assert decider is not None
    deal = world.deals[0]
    for vote in await first.take([deal]):
        await decider.hear(vote)
    world.parties["decider"].clock.set(START.plus_ns(10 * 10**9))
    decision = await decider.decide()
    assert decision is not None
    world.parties["decider"].disk.events.clear()
    with pytest.raises(Refused, match="not in the log"):
        await first.follow(decision)
    with pytest.raises(Refused):
        await first.follow(decision.replace(b'"aborts"', b'"abortz"'))
    assert await first.standing(deal.name) is Standing.RESERVED
    assert set(KEYS) == {"first", "second", "decider"}
    assert set(SHARDS) == set(Side)
