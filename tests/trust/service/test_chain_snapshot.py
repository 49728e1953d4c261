from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.trust.title_bench import BILL, CHAIN, TitleBench, actor

from zhidao.core.errors import Refused
from zhidao.trust.adapters.snapshot_files import SnapshotFiles
from zhidao.trust.service.chain_log import Submission

FOLDER = "chain"


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[TitleBench]:
    bench = TitleBench(SnapshotFiles(tmp_path / FOLDER))
    yield bench
    await bench.stop()


async def traded(node: TitleBench) -> None:
    """A title's beginnings, and a transaction that the contract refuses."""
    await node.titles.mint(
        actor("carrier"),
        document=BILL,
        consignment="c1",
        holder="exporter",
        readers=["importer", "importer-bank"],
    )
    await node.titles.into_custody(actor("exporter"), title=BILL, deal="d")
    raw = node.transfer("exporter", "importer", nonce=1)
    await node.log.submit(lambda _: [Submission(actor("exporter"), raw, "theft", BILL)])
    await asyncio.sleep(0)
    await node.titles.title(BILL)


async def state(node: TitleBench) -> tuple:
    admission, entries = await node.executor.executed()
    return (
        await node.executor.state_root(),
        admission.counts(),
        [(e.receipt.hash, e.receipt.action, e.receipt.titles, e.title) for e in entries],
        [str(e.receipt.refusal) for e in entries],
    )


def restarted(node: TitleBench, folder: Path) -> TitleBench:
    node.snapshots = SnapshotFiles(folder / FOLDER)
    node.start()
    return node


async def test_a_restart_goes_on_from_the_snapshot_to_the_same_state(
    node: TitleBench, tmp_path: Path
) -> None:
    await traded(node)
    before = await state(node)
    await node.stop()
    assert SnapshotFiles(tmp_path / FOLDER).load(CHAIN) is not None
    assert await state(restarted(node, tmp_path)) == before
    raw = await node.titles.sign_from_custody(title=BILL, deal="d", to_party="importer")
    sold = await node.titles.send(actor("importer-bank"), raw=raw, title=BILL, purpose="release")
    assert sold.holder_party == "importer"
    with pytest.raises(Refused):
        await node.titles.into_custody(actor("exporter"), title=BILL, deal="e")


def _head(folder: Path) -> Path:
    return folder / FOLDER / "head"


def _segment(folder: Path) -> Path:
    return next(file for file in (folder / FOLDER).iterdir() if file.name != "head")


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: _flip(_head(folder)),
        lambda folder: _flip(_segment(folder)),
        lambda folder: _segment(folder).unlink(),
        lambda folder: _head(folder).unlink(),
        lambda folder: _head(folder).write_bytes(b""),
    ],
    ids=["head changed", "batch changed", "batch gone", "head gone", "head empty"],
)
async def test_whatever_is_wrong_with_a_snapshot_leads_to_a_replay(
    node: TitleBench, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    await traded(node)
    before = await state(node)
    await node.stop()
    harm(tmp_path)
    assert SnapshotFiles(tmp_path / FOLDER).load(CHAIN) is None
    assert await state(restarted(node, tmp_path)) == before


async def test_a_snapshot_of_another_history_is_forgotten(node: TitleBench, tmp_path: Path) -> None:
    await traded(node)
    await node.stop()
    other = TitleBench(SnapshotFiles(tmp_path / FOLDER))
    try:
        await other.titles.mint(
            actor("carrier"), document="cd" * 32, consignment="c2", holder="importer", readers=[]
        )
        plain = TitleBench()
        await plain.titles.mint(
            actor("carrier"), document="cd" * 32, consignment="c2", holder="importer", readers=[]
        )
        assert await state(other) == await state(plain)
        await plain.stop()
    finally:
        await other.stop()


async def test_a_snapshot_is_one_chain_s_only(node: TitleBench, tmp_path: Path) -> None:
    await traded(node)
    assert SnapshotFiles(tmp_path / FOLDER).load(CHAIN + 1) is None
