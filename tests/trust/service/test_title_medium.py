"""Change of medium: the old one dies in the same act, whatever is lost on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.trust.service.test_title_life import act, minted
from tests.trust.title_bench import BILL, TitleBench, actor

from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, ZhidaoError
from zhidao.trust.events import ChainTransaction, MediumChanged
from zhidao.trust.service.title_medium import Paper

PAPER = Paper("cd" * 32, "Electronic since this day; this paper is void.")
ISSUED = Paper("ef" * 32, "Issued on paper in place of an electronic bill.")


@pytest.fixture
async def node() -> AsyncIterator[TitleBench]:
    node = TitleBench()
    yield node
    await node.stop()


async def from_paper(node: TitleBench, **more: Any) -> Any:
    words: dict[str, Any] = {
        "paper": PAPER,
        "document": BILL,
        "consignment": "c-1",
        "holder": "exporter",
        "readers": ["importer"],
        "bill": None,
    }
    return await node.titles.medium.to_token(actor("carrier"), **(words | more))


def order(node: TitleBench) -> list[str]:
    """What was written, as far as media and the title's own transactions go."""
    told = []
    for entry in node.journal.written:
        event = entry.event
        if event.type == MediumChanged.TYPE:
            told.append(event.payload["change"])
        elif event.type == ChainTransaction.TYPE and event.payload["purpose"] in ("mint", "burn"):
            told.append(event.payload["purpose"])
    return told


async def requirement(node: TitleBench, name: str) -> tuple[str, str]:
    facts = await node.titles.assessment.assess(actor("carrier"), BILL)
    found = next(fact for fact in facts if fact.name == name)
    return found.verdict, found.evidence


async def test_paper_becomes_a_title_and_loses_its_effect_first(node: TitleBench):
    title = await from_paper(node)
    assert (title.holder_party, title.active) == ("exporter", True)
    # Once in the paper's history, once in the title's, and both before the minting.
    assert order(node) == ["to_token", "to_token", "mint"]
    events = [e.event for e in node.journal.written if e.event.type == MediumChanged.TYPE]
    assert all(event.open for event in events)
    assert {event.aggregate for event in events} == {f"medium/{PAPER.digest}", f"medium/{BILL}"}
    assert await from_paper(node) == title, "again: the same"
    assert order(node) == ["to_token", "to_token", "mint"]
    [change] = await node.titles.medium.changes(actor("importer"), BILL)
    assert (change.paper, change.statement) == (PAPER.digest, PAPER.statement)
    verdict, evidence = await requirement(node, "change_of_medium")
    assert verdict == "ok"
    assert "lost its effect before" in evidence


async def test_a_title_becomes_paper_and_is_burnt(node: TitleBench):
    await minted(node)
    assert (await requirement(node, "change_of_medium"))[1] == "its medium did not change"
    with pytest.raises(Refused) as caught:
        await node.titles.medium.to_paper(actor("carrier"), BILL, paper=ISSUED)
    assert caught.value.code == "not_surrendered"
    await act(node, "exporter", "return")
    title = await node.titles.medium.to_paper(actor("carrier"), BILL, paper=ISSUED)
    assert not title.active
    assert order(node)[-2:] == ["to_paper", "burn"]
    again = await node.titles.medium.to_paper(actor("carrier"), BILL, paper=ISSUED)
    assert again == title
    assert order(node).count("burn") == 1
    with pytest.raises(Conflict) as other:
        await node.titles.medium.to_paper(actor("carrier"), BILL, paper=PAPER)
    assert other.value.code == "medium_changed"
    verdict, evidence = await requirement(node, "change_of_medium")
    assert verdict == "ok"
    assert "took its place" in evidence


async def test_one_paper_gives_one_title_and_one_title_comes_from_one_paper(node: TitleBench):
    await from_paper(node)
    for more in (
        {"document": "77" * 32},
        {"paper": Paper("99" * 32, PAPER.statement)},
        {"paper": Paper(PAPER.digest, "Another statement.")},
        {"holder": "importer"},
    ):
        before = len(node.transactions())
        with pytest.raises(ZhidaoError) as caught:
            await from_paper(node, **more)
        assert caught.value.code in {"medium_changed", "double_title"}
        assert len(node.transactions()) == before


async def test_only_the_issuer_changes_a_medium_and_says_so(node: TitleBench):
    await minted(node)
    await act(node, "exporter", "return")
    for party, error in (("importer", Refused), ("stranger", NotFound)):
        with pytest.raises(error):
            await node.titles.medium.to_paper(actor(party), BILL, paper=ISSUED)
    for bad in (Paper("ef" * 32, " "), Paper("ef" * 32, "x" * 501), Paper("xyz", "said")):
        with pytest.raises(ZhidaoError):
            await node.titles.medium.to_paper(actor("carrier"), BILL, paper=bad)
    with pytest.raises(Refused) as caught:
        await from_paper(node, paper=Paper(BILL, "the same bytes"))
    assert caught.value.code == "same_document"
    assert "to_paper" not in order(node)


async def test_who_may_not_mint_takes_no_paper_in(node: TitleBench):
    async def nobody(party: object) -> bool:
        del party
        return False

    node.titles._may_mint = nobody
    with pytest.raises(Forbidden):
        await from_paper(node)
    assert order(node) == []


async def test_a_decision_that_was_not_carried_out_is_finished_by_repeating(node: TitleBench):
    await minted(node)
    await act(node, "exporter", "return")
    burn = node.titles.life.act

    async def dies(*_: object) -> None:
        raise ConnectionError

    node.titles.life.act = dies  # type: ignore[method-assign,assignment]
    with pytest.raises(ConnectionError):
        await node.titles.medium.to_paper(actor("carrier"), BILL, paper=ISSUED)
    node.titles.life.act = burn  # type: ignore[method-assign]
    assert (await requirement(node, "change_of_medium"))[0] == "medium_unfinished"
    # Between decision and burning the title comes to life no more.
    with pytest.raises(Refused) as caught:
        await act(node, "carrier", "restore")
    assert caught.value.code == "medium_changed"
    title = await node.titles.medium.to_paper(actor("carrier"), BILL, paper=ISSUED)
    assert not title.active
