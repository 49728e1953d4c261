from __future__ import annotations

from collections.abc import Sequence

from tests.trust.title_bench import CHAIN, KEYS, TitleBench, actor

from zhidao.core.canonical import jcs
from zhidao.core.events import leaf_bytes
from zhidao.core.ids import PartyId
from zhidao.core.journal import FixedKeyRing
from zhidao.trust.adapters.log_memory import MemoryLogStore
from zhidao.trust.domain.merkle import grow, leaf_hash
from zhidao.trust.domain.title_tag import Bill, DoubleTitle
from zhidao.trust.service.title_tags import TitleTags
from zhidao.trust.service.title_watch import TitleWatch

BILL = Bill("STPL", "ZD-1")


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
    false = type(leaf)(
        tag=leaf.tag, title="ee" * 32, registry=leaf.registry, chain_id=leaf.chain_id
    )
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
