from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from tests.trust.title_bench import BILL, TitleBench, actor

from zhidao.core.errors import Conflict, NotFound, Refused, Unavailable, ZhidaoError
from zhidao.core.events import every
from zhidao.core.journal import Records
from zhidao.store.memory import MemoryJournal
from zhidao.trust.events import Title, TitleMoved
from zhidao.trust.service.titles.acts import ACTS, Act


@pytest.fixture
async def node() -> AsyncIterator[TitleBench]:
    node = TitleBench()
    yield node
    await node.stop()


async def minted(node: TitleBench) -> Title:
    return await node.titles.mint(
        actor("carrier"),
        document=BILL,
        consignment="c-1",
        holder="exporter",
        readers=["importer", "importer-bank"],
    )


async def act(
    node: TitleBench, party: str, action: str, to: str = "", remark: str = "", *, title: str = BILL
) -> Title:
    seen = len((await node.titles.title(title)).transactions)
    return await node.titles.life.act(actor(party), title, Act(action, seen, to, remark))


LIFE = [
    # who, what, to whom; then holder, beneficiary, active
    ("exporter", "transfer_holder", "importer-bank", ("importer-bank", "exporter", True)),
    ("importer-bank", "reject_holder", "", ("exporter", "exporter", True)),
    ("exporter", "transfer_holder", "importer-bank", ("importer-bank", "exporter", True)),
    ("exporter", "nominate", "importer", ("importer-bank", "exporter", True)),
    ("importer-bank", "endorse", "importer", ("importer-bank", "importer", True)),
    ("importer", "reject_beneficiary", "", ("importer-bank", "exporter", True)),
    ("exporter", "nominate", "importer", ("importer-bank", "exporter", True)),
    ("importer-bank", "endorse", "importer", ("importer-bank", "importer", True)),
    ("importer-bank", "transfer_holder", "importer", ("importer", "importer", True)),
    ("importer", "transfer", "exporter", ("exporter", "exporter", True)),
    ("exporter", "reject", "", ("importer", "importer", True)),
    ("importer", "return", "", ("importer", "importer", True)),
    ("carrier", "restore", "", ("importer", "importer", True)),
    ("importer", "return", "", ("importer", "importer", True)),
    ("carrier", "burn", "", ("", "", False)),
]


async def test_a_title_lives_its_whole_life_and_its_chain_tells_it(node: TitleBench):
    await minted(node)
    for number, (party, action, to, expected) in enumerate(LIFE):
        title = await act(node, party, action, to, remark=f"step {number}")
        assert (title.holder_party, title.beneficiary_party, title.active) == expected, action
    assert {action for _, action, _, _ in LIFE} == set(ACTS)
    links = await node.titles.life.endorsements(actor("importer"), BILL)
    assert [link.signer_party for link in links] == ["carrier", *(party for party, *_ in LIFE)]
    assert [link.remark for link in links] == ["", *(f"step {n}" for n in range(len(LIFE)))]
    assert [link.nominee_party for link in links][4:6] == ["importer", ""]
    raws = "".join(fact.raw for fact in node.transactions())
    assert b"step".hex() not in raws, "a remark stands in the public log in clear"
    with pytest.raises(NotFound):
        await node.titles.life.endorsements(actor("stranger"), BILL)


async def test_a_repeated_act_is_found_again_even_after_the_title_went_on(node: TitleBench):
    await minted(node)
    first = Act("transfer", 1, "importer", "sold")
    sold = await node.titles.life.act(actor("exporter"), BILL, first)
    assert await node.titles.life.act(actor("exporter"), BILL, first) == sold
    back = await act(node, "importer", "transfer", "exporter")
    written = len(node.journal.written)
    # The exporter holds it once more, and still the late repetition sells nothing again.
    assert await node.titles.life.act(actor("exporter"), BILL, first) == back
    for other in (Act("transfer", 1, "importer-bank"), Act("transfer", 9, "importer")):
        with pytest.raises(Conflict) as caught:
            await node.titles.life.act(actor("exporter"), BILL, other)
        assert caught.value.code == "title_moved"
    assert len(node.journal.written) == written


async def test_acts_without_the_right_are_refused_with_their_reason_and_not_logged(
    node: TitleBench,
):
    await minted(node)
    attempts = [
        ("importer", "transfer", "importer", "not_holder"),
        ("importer", "nominate", "importer", "not_beneficiary"),
        ("exporter", "reject", "", "no_receiver"),
        ("exporter", "burn", "", "not_issuer"),
        ("stranger", "transfer", "stranger", "not_found"),
        ("exporter", "transfer", "nobody-here", "no_key"),
        ("exporter", "transfer", "exporter", "already_holder"),
    ]
    before = len(node.transactions())
    for party, action, to, code in attempts:
        with pytest.raises(ZhidaoError) as caught:
            await act(node, party, action, to)
        assert caught.value.code == code, (party, action)
        # The answer is no, and nothing that waiting would mend.
        assert isinstance(caught.value, Refused), (party, action)
    assert len(node.transactions()) == before
    with pytest.raises(Refused) as refused:
        await act(node, "carrier", "burn")
    assert refused.value.code == "not_surrendered"
    with pytest.raises(Refused) as refused:
        await act(node, "exporter", "transfer", "importer", remark="汉" * 35)
    assert refused.value.code == "remark_too_long"


async def test_a_title_in_a_deals_custody_obeys_no_party(node: TitleBench):
    await minted(node)
    await node.titles.into_custody(actor("exporter"), title=BILL, deal="d")
    for action, to in (("transfer", "importer"), ("return", "")):
        with pytest.raises(Refused, match="in custody of deal d,") as refused:
            await act(node, "exporter", action, to)
        assert "zhidao deal show d" in refused.value.remedy


async def test_a_crash_after_any_write_of_a_return_and_burn_is_finished_by_repeating(
    node: TitleBench,
):
    class Crash(Exception):
        pass

    await minted(node)
    crash_at, writes = 1, 0
    append = node.journal.append

    @dataclass
    class CrashingJournal:
        journal: MemoryJournal

        async def append(self, entries, *, handled=None):
            nonlocal writes
            done = await append(entries, handled=handled)
            writes += 1
            if writes == crash_at:
                raise Crash
            return done

        def __getattr__(self, name):
            return getattr(self.journal, name)

    node.records = Records(CrashingJournal(node.journal), node.records._scribe)
    await node.stop()
    acts = [("exporter", Act("return", 1, "", "discharged")), ("carrier", Act("burn", 2))]
    for number in range(1, 20):
        crash_at = writes + (number % 3) + 1
        node.start(timeout_s=0.3)
        try:
            for party, one in acts:
                title = await node.titles.life.act(actor(party), BILL, one)
            break
        except (Crash, Unavailable):
            await node.stop()
    assert not title.active
    assert number > 2, "nothing crashed"
    moves = every(await node.records.history(f"title/{BILL}"), TitleMoved)
    assert [move.action for move in moves] == ["mint", "surrender", "burn"]
    purposes = [fact.purpose for fact in node.transactions()]
    assert purposes[3:] == ["mint", "return", "let burn", "burn"]
