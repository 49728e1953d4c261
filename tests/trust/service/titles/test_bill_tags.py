from __future__ import annotations

from functools import partial

import pytest
from tests.trust.title_bench import BILL as TITLE
from tests.trust.title_bench import CHAIN, KEYS, TitleBench, actor

from zhidao.core.encoding import parse_base64url
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Unavailable
from zhidao.core.events import every
from zhidao.core.ids import PartyId
from zhidao.core.journal import FixedKeyRing
from zhidao.core.keys import PublicKey
from zhidao.trust.domain.title_tag import Bill, Registered, check_registered, open_tag
from zhidao.trust.events import TitleRegistered
from zhidao.trust.service.titles.bill_tags import TitleTags

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


def confusables() -> list[str]:
    """Two hundred spellings that a person reads as HMTXA0417, or takes no notice of."""
    number = "HMTXA0417"
    looks = {
        "H": "\u0397\u041d\u13bb\u2c8e\uff28\U0001d407",
        "M": "\u039c\u041c\u216f\u2c98\uff2d\U0001d40c",
        "T": "\u03a4\u0422\u13a2\u2ca6\uff34\U0001d413",
        "X": "\u03a7\u0425\u2169\u2cac\uff38\U0001d417",
        "A": "\u0391\u0410\u13aa\uff21\U0001d400a",
        "0": "\u041e\u039f\uff10\u0660\u0966\U0001d7ceo",
        "4": "\uff14\u0664\u096a\U0001d7d2",
        "1": "\uff11\u0661\u0967\U0001d7cf\u2160l",
        "7": "\uff17\u0667\u096d\U0001d7d5",
    }
    unseen = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u2061\u034f\u115f \t\n\u00a0\u3000"
    swapped = [
        number[:at] + look + number[at + 1 :]
        for at, letter in enumerate(number)
        for look in looks[letter]
    ]
    added = [number[:at] + each + number[at:] for each in unseen for at in range(len(number) + 1)]
    return [*swapped, number.lower(), *added][:200]


async def registered(bench: TitleBench, code: str, number: str) -> None:
    bill = Bill(code, number)
    await tags(bench).register(actor("carrier"), bill, title="cd" * 32, readers=[])


async def test_two_hundred_look_alikes_of_a_number_or_code_get_no_title(bench: TitleBench) -> None:
    await tags(bench).register(actor("carrier"), Bill("STPL", "HMTXA0417"), title=TITLE, readers=[])
    written = len(bench.journal.written)
    found = confusables()
    assert len(set(found)) == 200
    for text in found:
        for code, number in (("STPL", text), (text, "HMTXA0417")):
            with pytest.raises(MalformedInput):
                await registered(bench, code, number)
    for wrong in ("-A", "/1", ".A", "A.1", "A_1", ""):
        with pytest.raises(MalformedInput):
            await registered(bench, "STPL", wrong)
    assert len(bench.journal.written) == written


class Standing:
    """What a mirrored log says under one tag."""

    def __init__(self, registered: Registered) -> None:
        self.registered = registered

    async def standing(self, issuer: str, tag: str) -> Registered | None:
        del issuer
        return self.registered if tag == self.registered.tag else None


async def test_a_bill_with_a_title_in_a_mirrored_log_gets_none_here(bench: TitleBench) -> None:
    own = tags(bench)
    tag, _ = open_tag(BILL, KEYS[PartyId("carrier")])
    for title, registry, chain_id in (
        ("cd" * 32, *own.place),
        (TITLE, "0x" + "11" * 20, CHAIN),
        (TITLE, own.place[0], CHAIN + 1),
    ):
        elsewhere = Standing(Registered(tag, title, registry, chain_id))
        here = TitleTags(
            bench.records, FixedKeyRing(KEYS), bench.registry, CHAIN, elsewhere=elsewhere
        )
        for ask in (here.check, partial(here.register, readers=[])):
            with pytest.raises(Conflict) as refusal:
                await ask(actor("carrier"), BILL, title=TITLE)
            assert refusal.value.code == "double_title"
    assert bench.journal.written == []
    same = Standing(Registered(tag, TITLE, *own.place))
    here = TitleTags(bench.records, FixedKeyRing(KEYS), bench.registry, CHAIN, elsewhere=same)
    assert (await here.register(actor("carrier"), BILL, title=TITLE, readers=[])).tag == tag
