"""Titles live on a chain of others as they do on the node's own; anvil is that chain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.trust.anvil import running
from tests.trust.elsewhere_bench import ANVIL, ElsewhereBench, Killed, Through
from tests.trust.title_bench import BILL, actor

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.ids import PartyId
from zhidao.trust.events import ChainSettled
from zhidao.trust.service.chain.submissions import Submission
from zhidao.trust.service.titles.acts import Act
from zhidao.trust.wire.evm.title_contract import transfer_call
from zhidao.trust.wire.evm.transaction import Draft, decode, sign

pytestmark = pytest.mark.service


@asynccontextmanager
async def chain(
    *, mines: bool = True, dead: bool = False, money: int = 10**20, **options: Any
) -> AsyncIterator[tuple[ElsewhereBench, Through]]:
    with running(ANVIL, "--no-mining") as url:
        through = Through(*(["http://127.0.0.1:9"] if dead else []), url)
        node = ElsewhereBench(through, **options)
        await through.fund(node.accounts.registrar().address, money)
        mining = asyncio.create_task(_mine(through)) if mines else None
        try:
            yield node, through
        finally:
            if mining:
                mining.cancel()
            await node.stop()
            await through.inner.close()


async def _mine(through: Through) -> None:
    while True:
        await through.mine()
        await asyncio.sleep(0.05)


async def insist(ask: Callable[[], Awaitable[Any]], times: int = 400) -> Any:
    """Asks again and again, as a client does that is told that nothing is done twice."""
    for _ in range(times):
        try:
            return await ask()
        except Killed:
            pass
        except Unavailable as error:
            if error.code != "not_executed_yet":
                raise
        await asyncio.sleep(0.05)
    raise AssertionError("it never came true")


async def refused(node: ElsewhereBench) -> None:
    """Raises Unavailable until the chain has refused a sender for want of coins."""
    if "nsufficient funds" not in node.elsewhere.problem:
        raise Unavailable("nobody is refused yet", code="not_executed_yet")


async def count(through: Through, address: bytes) -> int:
    told = await through.inner.call("eth_getTransactionCount", "0x" + address.hex(), "latest")
    return int(told, 16)


async def moved_outside(
    node: ElsewhereBench, through: Through, party: str, to: str, nonce: int
) -> str:
    """A holder's own wallet moves its title, past this node."""
    raw = sign(
        Draft(
            chain_id=ANVIL,
            nonce=nonce,
            to=node.registry.escrow(bytes.fromhex(BILL)),
            data=transfer_call(node.accounts.of_party(PartyId(to)).address),
            gas=600_000,
            fee_max_wei=3 * 10**9,
            tip_max_wei=10**9,
        ),
        node.accounts.of_party(PartyId(party)).sign_digest,
    )
    await through.fund(node.accounts.of_party(PartyId(party)).address)
    sent = await through.inner.call("eth_sendRawTransaction", "0x" + raw.hex())
    assert isinstance(sent, str)
    return sent


async def minted(node: ElsewhereBench) -> Any:
    return await node.titles.mint(
        actor("carrier"),
        document=BILL,
        consignment="c-1",
        holder="exporter",
        readers=["importer", "importer-bank"],
    )


async def test_a_title_is_minted_kept_for_a_deal_and_released_to_the_buyer():
    async with chain() as (node, _):
        title = await minted(node)
        assert (title.chain_id, title.holder_party) == (ANVIL, "exporter")
        kept = await node.titles.into_custody(actor("exporter"), title=BILL, deal="deal-1")
        assert (kept.custody, kept.holder_party) == ("deal-1", "node")
        raw = await node.titles.sign_from_custody(title=BILL, deal="deal-1", to_party="importer")
        bank = actor("importer-bank")
        sold = await node.titles.send(bank, raw=raw, title=BILL, purpose="release")
        assert (sold.holder_party, sold.custody) == ("importer", "")
        assert await node.titles.send(bank, raw=raw, title=BILL, purpose="release") == sold
        purposes = [fact.purpose for fact in node.transactions()]
        assert purposes == [
            *("deploy factory", "deploy registry", "let mint", "gas", "mint", "gas", "custody"),
            *("gas", "release"),
        ]
        assert not any(fact.foreign or fact.code for fact in node.settled())
        assert len(node.settled()) == len(purposes)
        assert node.errors == []


async def test_a_whole_life_ends_where_it_ends_on_the_own_chain():
    async with chain(dead=True) as (node, _):
        await minted(node)
        steps = [
            ("exporter", Act("nominate", 1, "importer-bank")),
            ("exporter", Act("endorse", 2, "importer-bank")),
            ("exporter", Act("transfer_holder", 3, "importer", "to the buyer's bank")),
            ("importer", Act("reject_holder", 4)),
            ("exporter", Act("transfer_holder", 5, "importer-bank")),
            ("importer-bank", Act("return", 6)),
            ("carrier", Act("burn", 7)),
        ]
        for party, act in steps:
            title = await node.titles.life.act(actor(party), BILL, act)
            assert await node.titles.life.act(actor(party), BILL, act) == title
        assert not title.active
        links = await node.titles.life.endorsements(actor("carrier"), BILL)
        assert [link.action for link in links] == [
            *("mint", "nominate", "endorse", "transfer", "reject", "transfer", "surrender", "burn")
        ]
        assert links[3].remark == "to the buyer's bank"
        with pytest.raises(Refused) as refusal:
            await node.titles.life.act(actor("exporter"), BILL, Act("return", 8))
        assert refusal.value.code == "title_inactive"
        assert node.errors == []


async def test_killed_between_log_and_chain_the_very_bytes_are_sent_once():
    async with chain() as (node, through):
        await minted(node)
        await node.stop()
        node.start(timeout_s=0.2, stepping=False)
        sent = len(through.sent)
        with pytest.raises(Unavailable) as refusal:
            await node.titles.into_custody(actor("exporter"), title=BILL, deal="d")
        assert refusal.value.code == "not_executed_yet"
        assert len(through.sent) == sent, "logged first, then sent"
        await node.stop()
        node.start()
        kept = await node.titles.into_custody(actor("exporter"), title=BILL, deal="d")
        assert kept.custody == "d"
        logged = [fact.raw for fact in node.transactions()]
        assert set(through.sent) == {"0x" + raw for raw in logged}
        assert [f.purpose for f in node.transactions()].count("custody") == 1
        assert await count(through, node.accounts.of_party(PartyId("exporter")).address) == 1


@pytest.mark.parametrize("every", [13, 19, 29])
async def test_killed_at_calls_of_every_kind_a_life_goes_on_and_nothing_is_done_twice(every: int):
    async with chain() as (node, through):
        through.kill_every = every
        append, written = node.journal.append, []

        async def cut_off(entries: Any, **more: Any) -> bool:
            done = await append(entries, **more)
            written.extend(e for e in entries if e.event.type == ChainSettled.TYPE)
            if len(written) % 3 == 2 and entries and entries[-1] in written:
                raise Killed
            return done

        node.journal.append = cut_off
        node.start(relay=False, stepping=False, timeout_s=0.3)
        await insist(lambda: minted(node))
        for seen, (party, to) in enumerate((("exporter", "importer"), ("importer", "exporter")), 1):
            act = Act("transfer", seen, to)
            title = await insist(
                lambda party=party, act=act: node.titles.life.act(actor(party), BILL, act)
            )
        through.kill_every = 0
        assert (title.holder_party, len(title.transactions)) == ("exporter", 3)
        assert node.kills >= 5
        settled = [fact.hash for fact in node.settled()]
        assert len(settled) == len(set(settled))
        senders = [decode(bytes.fromhex(f.raw)).sender for f in node.transactions()]
        for sender in set(senders):
            assert await count(through, sender) == senders.count(sender)


async def test_a_reorganisation_loses_nothing_and_tells_nothing_too_early():
    async with chain(mines=False, confirmations=3) as (node, through):
        minting = asyncio.create_task(minted(node))
        await _mined_until(through, minting)
        moving = asyncio.create_task(
            node.titles.life.act(actor("exporter"), BILL, Act("transfer", 1, "importer"))
        )
        for _ in range(100):
            if [f.purpose for f in node.transactions()].count("gas") < 2:
                await asyncio.sleep(0.02)
        # Mined twice, and each time its block is replaced by an empty one before it is final.
        for _ in range(2):
            await asyncio.sleep(0.2)
            await through.mine(2)
            await asyncio.sleep(0.2)
            assert not moving.done()
            await through.inner.call("anvil_reorg", 2, [])
        await _mined_until(through, moving)
        assert moving.result().holder_party == "importer"
        assert len(node.settled()) == len(node.transactions())
        assert all(not fact.code for fact in node.settled())


async def _mined_until(through: Through, task: asyncio.Task[Any]) -> None:
    for _ in range(400):
        if task.done():
            return
        await through.mine()
        await asyncio.sleep(0.03)


async def test_a_transaction_of_others_on_the_contracts_is_found_and_recorded():
    async with chain() as (node, through):
        await minted(node)
        sent = await moved_outside(node, through, "exporter", "importer", 0)
        for _ in range(200):
            title = await node.titles.title(BILL)
            if title.holder_party == "importer":
                break
            await asyncio.sleep(0.03)
        assert title.transactions[-1] == sent
        (foreign,) = [fact for fact in node.settled() if fact.foreign]
        assert (foreign.hash, foreign.titles[0].title) == (sent, BILL)
        # The exporter's number went on without this node; its next act bears the right one.
        await node.titles.life.act(actor("importer"), BILL, Act("transfer", 2, "exporter"))
        back = await node.titles.life.act(actor("exporter"), BILL, Act("transfer", 3, "importer"))
        assert back.holder_party == "importer"
        links = await node.titles.life.endorsements(actor("carrier"), BILL)
        assert [link.signer_party for link in links] == [
            *("carrier", "exporter", "importer", "exporter")
        ]
        await node.stop()
        node.start()
        assert await node.titles.title(BILL) == back


async def test_an_act_whose_number_went_elsewhere_is_refused_and_may_be_decided_anew():
    async with chain() as (node, through):
        await minted(node)
        await node.stop()
        node.start(timeout_s=0.1, stepping=False)
        act = Act("transfer", 1, "importer-bank")
        with pytest.raises(Unavailable):
            await node.titles.life.act(actor("exporter"), BILL, act)
        await moved_outside(node, through, "exporter", "importer", 0)
        await asyncio.sleep(0.3)
        await node.stop()
        node.start()
        with pytest.raises(Refused) as refusal:
            await node.titles.life.act(actor("exporter"), BILL, act)
        assert refusal.value.code in ("title_moved", "not_holder")
        assert [fact.code for fact in node.settled()].count("nonce_taken") == 1
        assert (await node.titles.title(BILL)).holder_party == "importer"


async def test_an_act_that_waits_is_raised_logged_and_counts_once():
    async with chain(mines=False, polls_per_bump=4) as (node, through):
        await _mined_until(through, asyncio.create_task(minted(node)))
        await through.fund(node.accounts.of_party(PartyId("exporter")).address)
        before = len(node.transactions())
        act = Act("transfer", 1, "importer")
        waiting = asyncio.create_task(node.titles.life.act(actor("exporter"), BILL, act))
        # No block comes before it was raised.
        async with asyncio.timeout(20):
            while len(node.transactions()) < before + 2:
                await asyncio.sleep(0.01)
        await _mined_until(through, waiting)
        title = await waiting
        assert title.holder_party == "importer"
        offers = [decode(bytes.fromhex(fact.raw)) for fact in node.transactions()[before:]]
        assert len(offers) > 1
        assert len({(one.sender, one.nonce, one.to, one.data) for one in offers}) == 1
        fees = [one.fee_max_wei for one in offers]
        assert fees == sorted(set(fees))
        assert {"0x" + one.raw.hex() for one in offers} >= set(through.sent[-2:])
        assert [fact.nonce for fact in node.settled() if fact.titles][-1] == offers[0].nonce
        assert len(title.transactions) == 2


async def _dear(through: Through) -> None:
    """Every block asks two and a half gwei: more than what was first offered."""
    while True:
        await through.inner.call("anvil_setNextBlockBaseFeePerGas", hex(25 * 10**8))
        await asyncio.sleep(0.01)


async def test_a_chain_that_is_rewritten_below_what_was_final_stops_the_titles():
    async with chain(mines=False) as (node, through):
        minting = asyncio.create_task(minted(node))
        await _mined_until(through, minting)
        await through.inner.call("anvil_reorg", 6, [])
        await through.mine(3)
        await asyncio.sleep(0.3)
        assert node.errors[-1].code == "chain_rewritten"
        before = len(through.sent)
        await node.stop()
        node.start(timeout_s=0.3)
        with pytest.raises(Unavailable):
            await node.titles.into_custody(actor("exporter"), title=BILL, deal="d")
        assert len(through.sent) == before


async def test_an_account_with_a_history_of_others_sets_no_registry_up():
    async with chain() as (node, through):
        registrar = node.accounts.registrar()
        draft = Draft(chain_id=ANVIL, nonce=0, to=registrar.address, data=b"", gas=21_000,
                      fee_max_wei=3 * 10**9, tip_max_wei=10**9)  # fmt: skip
        raw = sign(draft, registrar.sign_digest)
        await through.inner.call("eth_sendRawTransaction", "0x" + raw.hex())
        await asyncio.sleep(0.2)
        with pytest.raises(Refused) as refusal:
            await minted(node)
        assert refusal.value.code == "registrar_used"
        assert node.transactions() == []


async def test_without_money_for_gas_nothing_is_lost_and_the_reason_is_told():
    async with chain(money=0) as (node, through):
        await node.stop()
        node.start(timeout_s=0.5)
        # On a busy machine the chain may not have been asked yet when the first time-out ends.
        for _ in range(20):
            with pytest.raises(Unavailable) as refusal:
                await minted(node)
            if "nsufficient funds" in str(refusal.value):
                break
        assert "nsufficient funds" in str(refusal.value)
        await through.fund(node.accounts.registrar().address)
        title = await insist(lambda: minted(node))
        assert title.holder_party == "exporter"
        assert [fact.purpose for fact in node.transactions()].count("mint") == 1


async def test_another_chain_is_refused():
    with running(ANVIL + 1) as url:
        through = Through(url)
        node = ElsewhereBench(through)
        with pytest.raises(Refused) as refusal:
            await minted(node)
        assert refusal.value.code == "wrong_chain"
        assert node.transactions() == []
        await node.stop()
        await through.inner.close()


async def test_bytes_that_nobody_here_can_raise_must_offer_enough():
    async with chain() as (node, through):
        await minted(node)
        dear = asyncio.create_task(_dear(through))
        await asyncio.sleep(0.3)
        exporter = node.accounts.of_party(PartyId("exporter"))
        free = node.transfer("exporter", "importer", chain_id=ANVIL)
        before = len(node.transactions())
        with pytest.raises(Refused) as refusal:
            await node.titles.send(actor("exporter"), raw=free, title=BILL, purpose="transfer")
        assert refusal.value.code == "fee_too_low"
        poor = sign(
            Draft(chain_id=ANVIL, nonce=0, to=None, data=b"", gas=60_000, fee_max_wei=3 * 10**9,
                  tip_max_wei=10**9),
            exporter.sign_digest,
        )  # fmt: skip
        with pytest.raises(Refused) as refusal:
            await node.elsewhere.check_offer(decode(poor), is_paid_here=False)
        assert refusal.value.code == "no_money_for_gas"
        assert len(node.transactions()) == before
        dear.cancel()


async def test_a_sender_without_money_does_not_hold_the_others_up():
    async with chain() as (node, through):
        await minted(node)
        exporter, stranger = (node.accounts.of_party(PartyId(p)) for p in ("exporter", "stranger"))
        fees = {"fee_max_wei": 3 * 10**9, "tip_max_wei": 10**9}
        poor = sign(
            Draft(chain_id=ANVIL, nonce=0, to=exporter.address, data=b"", gas=21_000,
                  value_wei=10**18, **fees),
            stranger.sign_digest,
        )  # fmt: skip
        await node.log.submit(lambda _: [Submission(actor("stranger"), poor, "attack", "")])
        # The node knows of it by now: it promises coins to the exporter that never come, and must
        # not count as the gas that the exporter is given.
        await insist(lambda: refused(node))
        act = Act("transfer", 1, "importer")
        title = await insist(lambda: node.titles.life.act(actor("exporter"), BILL, act))
        assert title.holder_party == "importer"
        # It is not forgotten either: with money it goes its way.
        await through.fund(stranger.address)
        receipt = await node.elsewhere.receipt(decode(poor).hash, timeout_s=20)
        assert receipt.refusal is None
