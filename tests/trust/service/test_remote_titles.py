"""A title whose holder keeps its key at another node."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from tests.trust.title_bench import BILL, TitleBench, actor

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.ids import PartyId

EXPORTER = PartyId("exporter")


@pytest_asyncio.fixture
async def node() -> AsyncIterator[TitleBench]:
    bench = TitleBench(remote=EXPORTER)
    yield bench
    await bench.stop()


@pytest_asyncio.fixture
async def remote() -> AsyncIterator[TitleBench]:
    bench = TitleBench()
    yield bench
    await bench.stop()


async def minted(node: TitleBench) -> None:
    title = await node.titles.mint(
        actor("carrier"), document=BILL, consignment="c-1", holder=EXPORTER, readers=["importer"]
    )
    assert title.holder_party == EXPORTER, "a trust list names the account"


async def test_a_holder_elsewhere_signs_its_title_into_custody(
    node: TitleBench, remote: TitleBench
):
    await minted(node)
    asked = await node.titles.custody_asked(title=BILL, deal="d", party=EXPORTER)
    assert asked == await node.titles.custody_asked(title=BILL, deal="d", party=EXPORTER)
    raw = remote.titles.sign_custody(EXPORTER, asked)
    kept = await node.titles.into_custody(actor(EXPORTER), title=BILL, deal="d", signed=raw)
    assert kept == await node.titles.into_custody(actor(EXPORTER), title=BILL, deal="d", signed=raw)
    assert (kept.custody, kept.holder_party) == ("d", "node")
    back = await node.titles.sign_from_custody(title=BILL, deal="d", to_party=EXPORTER)
    title = await node.titles.send(actor("importer"), raw=back, title=BILL, purpose="abort")
    assert title.holder_party == EXPORTER
    spoken = {entry.event.asserted_by.party for entry in node.journal.written}
    assert EXPORTER not in spoken, "this node has no key of the holder"


async def test_only_the_holders_own_transfer_into_this_custody_is_taken(
    node: TitleBench, remote: TitleBench
):
    await minted(node)
    asked = await node.titles.custody_asked(title=BILL, deal="d", party=EXPORTER)
    others = [
        remote.titles.sign_custody(PartyId("stranger"), asked),
        remote.titles.sign_custody(EXPORTER, _with(asked, custody="0x" + "11" * 20)),
        remote.titles.sign_custody(EXPORTER, _with(asked, title="cd" * 32)),
    ]
    before = len(node.journal.written)
    for raw in others:
        with pytest.raises(Refused) as refused:
            await node.titles.into_custody(actor(EXPORTER), title=BILL, deal="d", signed=raw)
        assert refused.value.code == "wrong_transaction"
    assert len(node.journal.written) == before


async def test_without_its_holders_signature_nothing_moves(node: TitleBench):
    await minted(node)
    with pytest.raises(Unavailable, match="no key"):
        await node.titles.into_custody(actor(EXPORTER), title=BILL, deal="d")
    assert (await node.titles.title(BILL)).holder_party == EXPORTER


async def test_custody_is_asked_of_the_holder_only(node: TitleBench):
    await minted(node)
    with pytest.raises(Refused) as refused:
        await node.titles.custody_asked(title=BILL, deal="d", party="importer")
    assert refused.value.code == "not_holder"


def _with(asked, **changes: str):
    return msgspec.structs.replace(asked, **changes)
