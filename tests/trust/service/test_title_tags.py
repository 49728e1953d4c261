from __future__ import annotations

import pytest
from tests.trust.title_bench import BILL as TITLE
from tests.trust.title_bench import CHAIN, KEYS, TitleBench, actor

from zhidao.core.encoding import parse_base64url
from zhidao.core.errors import Conflict, NotFound, Unavailable
from zhidao.core.events import every
from zhidao.core.journal import FixedKeyRing
from zhidao.core.keys import PublicKey
from zhidao.trust.domain.title_tag import Bill, Registered, check_registered
from zhidao.trust.events import TitleRegistered
from zhidao.trust.service.title_tags import TitleTags

BILL = Bill("STPL", "ZD-1")


@pytest.fixture
async def bench() -> TitleBench:
    bench = TitleBench()
    await bench.stop()
    return bench


def tags(bench: TitleBench, ring: dict | None = None) -> TitleTags:
    keys = KEYS if ring is None else ring
    return TitleTags(bench.records, FixedKeyRing(keys), bench.registry, CHAIN)


async def test_a_holder_opens_the_leaf_that_everybody_sees(bench: TitleBench) -> None:
    leaf = await tags(bench).register(actor("carrier"), BILL, title=TITLE, readers=["exporter"])
    opened = await tags(bench).opened(actor("exporter"), TITLE)
    seen = every(await bench.records.history(f"titletag/{leaf.tag}"), TitleRegistered)
    found = check_registered(
        Bill(opened.carrier_code, opened.number),
        TITLE,
        issuer=PublicKey.from_multikey(opened.issuer),
        opening=parse_base64url(opened.opening),
        leaves=[Registered(f.tag, f.title, f.registry, f.chain_id) for f in seen],
    )
    assert found.title == TITLE
    with pytest.raises(NotFound):
        await tags(bench).opened(actor("stranger"), TITLE)


async def test_the_leaf_is_open_and_names_no_bill(bench: TitleBench) -> None:
    await tags(bench).register(actor("carrier"), BILL, title=TITLE, readers=[])
    [leaf, opening] = [entry.event for entry in bench.journal.written]
    assert leaf.open
    assert not opening.open
    assert b"ZD-1" not in leaf.encode()


async def test_asking_again_writes_nothing_and_a_second_title_is_refused(
    bench: TitleBench,
) -> None:
    first = await tags(bench).register(actor("carrier"), BILL, title=TITLE, readers=[])
    assert await tags(bench).register(actor("carrier"), BILL, title=TITLE, readers=[]) == first
    assert len(bench.journal.written) == 2
    for bill, title in ((BILL, "cd" * 32), (Bill("STPL", "ZD-2"), TITLE)):
        with pytest.raises(Conflict) as refusal:
            await tags(bench).register(actor("carrier"), bill, title=title, readers=[])
        assert refusal.value.code == "double_title"
        assert len(bench.journal.written) == 2


async def test_a_party_without_a_key_here_registers_nothing(bench: TitleBench) -> None:
    with pytest.raises(Unavailable):
        await tags(bench, {}).register(actor("carrier"), BILL, title=TITLE, readers=[])
    assert bench.journal.written == []
