from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from tests.trust.title_bench import CHAIN, KEYS, TitleBench, actor

from zhidao.core.canonical import jcs
from zhidao.core.errors import Conflict
from zhidao.core.events import leaf_bytes
from zhidao.core.ids import PartyId
from zhidao.core.journal import FixedKeyRing
from zhidao.trust.adapters.log.memory import MemoryLogStore
from zhidao.trust.domain.merkle import grow, leaf_hash
from zhidao.trust.domain.title_tag import Bill, DoubleTitle
from zhidao.trust.service.titles.bill_tags import TitleTags
from zhidao.trust.service.witness.title_watch import TitleWatch
from zhidao.trust.wire.proof_file.zdproof import decode_proof

BILL = Bill("STPL", "ZD-1")
GOLDEN = Path(__file__).resolve().parents[3] / "golden"


async def log_of(leaves: Sequence[bytes]) -> MemoryLogStore:
    store = MemoryLogStore()
    epoch = await store.take()
    async with store.transaction() as transaction:
        head = await store.lock(transaction)
        growth = grow(head.edge, map(leaf_hash, leaves))
        await store.extend(transaction, epoch=epoch, growth=growth, leaves=leaves)
    return store


async def leaves_of(title: str, *, party: str = "carrier", bill: Bill = BILL) -> list[bytes]:
    bench = TitleBench()
    tags = TitleTags(bench.records, FixedKeyRing(KEYS), bench.registry, CHAIN)
    await tags.register(actor(party), bill, title=title, readers=[])
    await bench.stop()
    return [leaf_bytes(entry.event, entry.salt) for entry in bench.journal.written]


async def test_an_issuer_that_registers_one_bill_on_two_nodes_is_found():
    alarms: list[DoubleTitle] = []
    watch = TitleWatch(
        {
            "own": await log_of(await leaves_of("aa" * 32)),
            "other": await log_of(await leaves_of("bb" * 32)),
        }
    )
    assert not await watch.step()
    watch.alarm_by(alarms.append)
    await watch.step()
    assert [(one.first.title, one.second.title) for one in alarms] == [("aa" * 32, "bb" * 32)]


async def test_the_same_title_mirrored_and_other_bills_are_no_fraud():
    same = await leaves_of("aa" * 32)
    other = await leaves_of("bb" * 32, bill=Bill("STPL", "ZD-2"))
    watch = TitleWatch({"own": await log_of(same), "copy": await log_of([*same, *other])})
    await watch.step()
    assert watch.found == []


async def test_a_tag_copied_by_somebody_else_frames_nobody():
    """Tags are public: a liar logs the carrier's tag with a title of his own."""
    honest = await leaves_of("aa" * 32)
    bench = TitleBench()
    tags = TitleTags(bench.records, FixedKeyRing(KEYS), bench.registry, CHAIN)
    leaf = await tags.register(actor("carrier"), BILL, title="aa" * 32, readers=[])
    liar = TitleBench()
    # The claim is of the other title, so that it is worth nothing here.
    false = msgspec.structs.replace(leaf, title="ee" * 32)
    await liar.records.record(
        actor("stranger"), f"titletag/{leaf.tag}", [false], after=0, owner=PartyId("stranger")
    )
    (entry,) = liar.journal.written
    copied = leaf_bytes(entry.event, entry.salt)
    forged = copied.replace(
        KEYS[PartyId("stranger")].public.multikey.encode(),
        KEYS[PartyId("carrier")].public.multikey.encode(),
    )
    assert forged != copied
    junk = [b"trust.TitleRegistered.v1", jcs({"event": 1, "k": "trust.TitleRegistered.v1"})]
    await bench.stop()
    await liar.stop()
    watch = TitleWatch({"own": await log_of(honest), "liar": await log_of([copied, forged, *junk])})
    await watch.step()
    assert watch.found == []


async def test_of_five_nodes_the_second_that_registers_a_bill_is_told_of_the_first():
    empty = [await log_of([]) for _ in range(3)]
    first = await log_of(await leaves_of("aa" * 32))
    logs = {f"log-{n}": store for n, store in enumerate([*empty, first])}
    bench = TitleBench()
    watch = TitleWatch({"own": await log_of([]), **logs})
    second = TitleTags(bench.records, FixedKeyRing(KEYS), bench.registry, CHAIN, elsewhere=watch)
    started = time.monotonic()
    with pytest.raises(Conflict) as refusal:
        await second.register(actor("carrier"), BILL, title="bb" * 32, readers=[])
    assert (refusal.value.code, time.monotonic() - started < 3) == ("double_title", True)
    assert bench.journal.written == []
    await bench.stop()


async def test_two_readers_at_once_pass_over_no_leaf():
    store = await log_of([*await leaves_of("aa" * 32), *await leaves_of("bb" * 32)])
    watch = TitleWatch({"one": store})
    await asyncio.gather(*(watch.step() for _ in range(5)))
    assert [(one.first.title, one.second.title) for one in watch.found] == [("aa" * 32, "bb" * 32)]


async def test_a_leaf_of_before_claims_is_its_asserting_keys():
    leaves = [
        leaf.replace(b"trust.TitleRegistered.v2", b"trust.TitleRegistered.v1")
        for leaf in await leaves_of("aa" * 32)
    ]
    watch = TitleWatch({"one": await log_of(leaves)})
    await watch.step()
    assert watch._first == {}, "its fields are those of a later version"
    proof = decode_proof((GOLDEN / "road-promised-compact-v3.zdproof").read_bytes())
    [old] = [o.event for o in proof.events if o.event.type == "trust.TitleRegistered.v1"]
    watch = TitleWatch({"one": await log_of([leaf_bytes(old, b"")])})
    standing = await watch.standing(old.asserted_by.key.multikey, old.payload["tag"])
    assert standing is not None
    assert standing.title == old.payload["title"]
