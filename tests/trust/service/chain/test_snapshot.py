from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.trust.title_bench import BILL, CHAIN, TitleBench, actor

from zhidao.core.errors import Refused
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.adapters.chain.snapshot_files import SnapshotFiles
from zhidao.trust.service.chain.embedded import TitleChain
from zhidao.trust.service.chain.submissions import Submission
from zhidao.trust.service.titles.acts import Act

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
    return next(file for file in (folder / FOLDER).iterdir() if len(file.name) == 64)


def _journal(folder: Path) -> Path:
    return next((folder / FOLDER).glob("journal-*"))


async def sent(node: TitleBench, times: int) -> None:
    """The title goes back and forth between two parties."""
    for _ in range(times):
        title = await node.titles.title(BILL)
        taker = {"exporter": "importer", "importer": "exporter"}[title.holder_party]
        act = Act("transfer", len(title.transactions), taker)
        await node.titles.life.act(actor(title.holder_party), BILL, act)


async def minted(node: TitleBench) -> None:
    await node.titles.mint(
        actor("carrier"), document=BILL, consignment="c1", holder="exporter", readers=["importer"]
    )


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


async def test_between_two_heads_changes_go_to_a_journal_and_come_back_from_it(
    node: TitleBench, tmp_path: Path
) -> None:
    await minted(node)
    head = _head(tmp_path).read_bytes()
    await sent(node, 7)
    before = await state(node)
    await node.stop()
    assert _head(tmp_path).read_bytes() == head, "not written again"
    kept = SnapshotFiles(tmp_path / FOLDER).load(CHAIN)
    assert kept is not None
    assert kept[0].block.number > 7
    assert len(kept[1]) == kept[0].block.number
    assert await state(restarted(node, tmp_path)) == before
    await sent(node, 5)
    before = await state(node)
    await node.stop()
    assert await state(restarted(node, tmp_path)) == before, "and it goes on"


@pytest.mark.parametrize("harm", ["cut", "flipped", "more", "gone"])
async def test_of_a_torn_journal_the_whole_part_counts_and_is_continued(
    node: TitleBench, tmp_path: Path, harm: str
) -> None:
    await minted(node)
    await sent(node, 9)
    before = await state(node)
    await node.stop()
    whole = SnapshotFiles(tmp_path / FOLDER).load(CHAIN)
    path = _journal(tmp_path)
    data = path.read_bytes()
    torn = {
        "cut": data[:-3],
        "flipped": data[:-3] + bytes(3),
        "more": data + b"\0\0\1\0half a record",
        "gone": b"",
    }[harm]
    path.write_bytes(torn)
    left = SnapshotFiles(tmp_path / FOLDER).load(CHAIN)
    assert whole is not None
    assert left is not None
    assert (left[0].block.number == whole[0].block.number) == (harm == "more")
    assert await state(restarted(node, tmp_path)) == before
    await sent(node, 4)
    before = await state(node)
    await node.stop()
    assert await state(restarted(node, tmp_path)) == before


async def test_a_journal_of_another_head_counts_nothing(node: TitleBench, tmp_path: Path) -> None:
    await minted(node)
    await sent(node, 4)
    before = await state(node)
    await node.stop()
    old = _journal(tmp_path)
    stale = tmp_path / FOLDER / f"journal-{'00' * 32}"
    stale.write_bytes(old.read_bytes() * 2)
    assert await state(restarted(node, tmp_path)) == before


async def test_a_journal_that_grew_long_becomes_a_head(node: TitleBench, tmp_path: Path) -> None:
    node.snapshots = SnapshotFiles(tmp_path / FOLDER, whole_every=6)
    await node.stop()
    node.start()
    await minted(node)
    heads = set()
    for _ in range(6):
        await sent(node, 2)
        heads.add(_head(tmp_path).read_bytes())
        assert len(list((tmp_path / FOLDER).glob("journal-*"))) <= 1
    assert len(heads) > 1
    before = await state(node)
    await node.stop()
    assert await state(restarted(node, tmp_path)) == before


async def test_a_save_that_failed_is_made_good_by_the_next(
    node: TitleBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await minted(node)
    await sent(node, 4)
    await node.stop()
    files = SnapshotFiles(tmp_path / FOLDER)
    kept = files.load(CHAIN)
    assert kept is not None
    head, entries = kept
    chain = TitleChain(PyEvmEngine(CHAIN), chain_id=CHAIN, registry=node.registry)
    for entry in entries[:-2]:
        made = entry.receipt.transaction
        assert made is not None
        chain.execute(made.raw, number=chain.height + 1, recorded_s=entry.receipt.block.timestamp_s)
    folder = tmp_path / "again"
    files = SnapshotFiles(folder)
    files.save(chain.entries(), chain.changes(), chain.head)
    for failed, entry in enumerate(entries[-2:]):
        made = entry.receipt.transaction
        assert made is not None
        chain.execute(made.raw, number=chain.height + 1, recorded_s=entry.receipt.block.timestamp_s)
        if not failed:
            with monkeypatch.context() as broken:
                broken.setattr("os.fsync", _full_disk)
                with pytest.raises(OSError, match="full"):
                    files.save(chain.entries(chain.height), chain.changes(), chain.head)
        else:
            files.save(chain.entries(chain.height - 1), chain.changes(), chain.head)
    again = SnapshotFiles(folder).load(CHAIN)
    assert again is not None
    assert again[0].state == head.state
    assert [e.receipt.hash for e in again[1]] == [e.receipt.hash for e in entries]


def _full_disk(_: int) -> None:
    raise OSError("the disk is full")


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
