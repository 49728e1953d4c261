"""What is offered is what the contract takes, and nothing that it takes is left out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.trust.service.titles.test_acts import LIFE, act, minted
from tests.trust.title_bench import BILL, PARTIES, TitleBench, actor

from zhidao.core.errors import NotFound, Refused
from zhidao.trust.domain.evm import ZERO_ADDRESS
from zhidao.trust.service.titles.acts import ACTS
from zhidao.trust.wire.evm import title_contract as contract

SEEING = ("carrier", "exporter", "importer", "importer-bank")


@pytest.fixture
async def node() -> AsyncIterator[TitleBench]:
    node = TitleBench()
    yield node
    await node.stop()


async def taken(node: TitleBench, party: str, action: str) -> bool:
    """Whether the contract takes an act of the party's from somebody to somebody, now."""
    account = node.accounts.of_party(actor(party).party)
    token = bytes.fromhex(BILL)
    signature, has_receiver = ACTS[action]
    receivers = [ZERO_ADDRESS]
    if has_receiver:
        receivers = [node.accounts.of_party(each).address for each in PARTIES]
    for receiver in receivers:
        data = contract.act_call(signature, token, receiver, b"")
        try:
            await node.titles._writing.try_out(account, to=node.registry.escrow(token), data=data)
        except Refused:
            continue
        return True
    return False


async def test_each_party_is_offered_what_the_contract_takes_at_every_step(node: TitleBench):
    await minted(node)
    of_holders = [action for action in ACTS if action not in ("restore", "burn")]
    for party, action, to, _ in LIFE:
        for each in SEEING:
            turn = await node.titles.possible.acts(actor(each), BILL)
            allowed = {one for one in of_holders if await taken(node, each, one)}
            assert set(turn.acts) - {"restore", "burn"} == allowed, (action, each)
            assert bool(turn.acts) == (each in turn.movers)
        offered = await node.titles.possible.acts(actor(party), BILL)
        assert action in offered.acts
        assert offered.seen == len((await node.titles.title(BILL)).transactions)
        await act(node, party, action, to)
    ended = await node.titles.possible.acts(actor("exporter"), BILL)
    assert (ended.state, ended.acts, ended.movers) == ("ended", [], [])


async def test_a_stranger_is_told_nothing_and_custody_offers_nothing(node: TitleBench):
    await minted(node)
    with pytest.raises(NotFound):
        await node.titles.possible.acts(actor("stranger"), BILL)
    await node.titles.into_custody(actor("exporter"), title=BILL, deal="deal-1")
    for party in SEEING:
        turn = await node.titles.possible.acts(actor(party), BILL)
        assert (turn.state, turn.custody, turn.acts) == ("in_custody", "deal-1", [])


async def test_a_party_that_keeps_its_key_elsewhere_is_told_so():
    node = TitleBench(remote="exporter")
    try:
        await minted(node)
        turn = await node.titles.possible.acts(actor("exporter"), BILL)
        assert not turn.key_here
        assert "transfer" in turn.acts
    finally:
        await node.stop()
