"""Change of medium: the old one dies in the same act, whatever is lost on the way."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.trust.service.titles.test_acts import act, minted
from tests.trust.title_bench import BILL, CHAIN, TitleBench, actor

from zhidao.core.canonical import jcs
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, ZhidaoError
from zhidao.core.events import SignedEvent
from zhidao.trust.domain.evm import address_text
from zhidao.trust.events import ChainTransaction, MediumChanged
from zhidao.trust.service.titles.change_of_medium import Paper

OTHER = "77" * 32
PAPER = Paper("cd" * 32, "Electronic since this day; this paper is void.")
ISSUED = Paper("ef" * 32, "Issued on paper in place of an electronic bill.")


@pytest.fixture
async def node() -> AsyncIterator[TitleBench]:
    node = TitleBench()
    yield node
    await node.stop()


def words(**more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "paper": PAPER,
        "document": BILL,
        "consignment": "c-1",
        "holder": "exporter",
        "readers": ["importer"],
        "bill": None,
    }
    return plain | more


async def from_paper(node: TitleBench, **more: Any) -> Any:
    return await node.titles.medium.to_token(actor("carrier"), **words(**more))


async def surrendered(node: TitleBench, title: str) -> None:
    await node.titles.mint(
        actor("carrier"), document=title, consignment="c-1", holder="exporter", readers=["importer"]
    )
    await act(node, "exporter", "return", title=title)


def media(node: TitleBench) -> list[SignedEvent]:
    events = (entry.event for entry in node.journal.written)
    return [event for event in events if event.type == MediumChanged.TYPE]


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
    # Once in the paper's history, then in the title's, and both before the minting.
    assert order(node) == ["to_token", "to_token", "mint"]
    claim, decision = media(node)
    assert claim.open
    assert decision.open
    # The name is what anybody can make of registry, carrier and paper.
    said = ["zhidao paper claim v1", CHAIN, address_text(node.registry.token)]
    name = hashlib.sha256(jcs([*said, "carrier", PAPER.digest])).hexdigest()
    assert (claim.aggregate, decision.aggregate) == (f"paper/{name}", f"medium/{BILL}")
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
    before = len(node.journal.written)
    with pytest.raises(Conflict) as burnt:
        await minted(node)
    assert (burnt.value.code, len(node.journal.written)) == ("title_burnt", before)
    with pytest.raises(Conflict) as other:
        await node.titles.medium.to_paper(actor("carrier"), BILL, paper=PAPER)
    assert other.value.code == "medium_changed"
    verdict, evidence = await requirement(node, "change_of_medium")
    assert verdict == "ok"
    assert "took its place" in evidence


async def test_one_paper_gives_one_title_and_one_title_comes_from_one_paper(node: TitleBench):
    await from_paper(node)
    for more, code in (
        ({"document": OTHER}, "double_paper"),
        ({"paper": Paper("99" * 32, PAPER.statement)}, "medium_changed"),
        ({"paper": Paper(PAPER.digest, "Another statement.")}, "medium_changed"),
        ({"holder": "importer"}, "medium_changed"),
    ):
        before = len(node.journal.written)
        with pytest.raises(Conflict) as caught:
            await from_paper(node, **more)
        assert caught.value.code == code
        assert len(node.journal.written) == before, "nothing is written"


async def test_one_paper_takes_the_place_of_one_title(node: TitleBench):
    await surrendered(node, BILL)
    await surrendered(node, OTHER)
    await node.titles.medium.to_paper(actor("carrier"), BILL, paper=ISSUED)
    before = len(node.journal.written)
    with pytest.raises(Conflict) as caught:
        await node.titles.medium.to_paper(actor("carrier"), OTHER, paper=ISSUED)
    assert caught.value.code == "double_paper"
    assert len(node.journal.written) == before
    assert (await node.titles.title(OTHER)).active
    # With a paper of its own it goes.
    assert not (await node.titles.medium.to_paper(actor("carrier"), OTHER, paper=PAPER)).active


async def test_issued_paper_is_taken_in_once_and_paper_without_effect_is_not_given_again(
    node: TitleBench,
):
    await surrendered(node, BILL)
    await node.titles.medium.to_paper(actor("carrier"), BILL, paper=ISSUED)
    with pytest.raises(Conflict) as dead:
        await from_paper(node, paper=ISSUED)
    assert dead.value.code == "medium_changed", "a burnt title does not come back"
    assert (await from_paper(node, paper=ISSUED, document=OTHER)).active
    await act(node, "exporter", "return", title=OTHER)
    with pytest.raises(Conflict) as void:
        await node.titles.medium.to_paper(actor("carrier"), OTHER, paper=ISSUED)
    assert void.value.code == "medium_changed"
    with pytest.raises(Conflict) as again:
        await from_paper(node, paper=ISSUED, document="78" * 32)
    assert again.value.code == "double_paper"


async def test_no_carrier_stands_in_the_way_of_another_that_has_the_paper(node: TitleBench):
    # Both minters are carriers here; the second one knows the first one's paper.
    thief = actor("importer")
    await node.titles.medium.to_token(thief, **words(document=OTHER, readers=[]))
    assert (await from_paper(node)).active
    claims = [event for event in media(node) if event.aggregate.startswith("paper/")]
    assert [event.owner for event in claims] == ["importer", "carrier"]
    assert claims[0].aggregate != claims[1].aggregate
    # Nor does it put its word into the history of another's title.
    before = len(node.journal.written)
    for document in (BILL, OTHER):
        with pytest.raises(Conflict):
            await node.titles.medium.to_token(
                actor("importer-bank"), **words(document=document, readers=[])
            )
    assert len(node.journal.written) == before


async def test_a_title_that_no_paper_gave_is_not_said_to_come_from_paper(node: TitleBench):
    await minted(node)
    before = len(node.journal.written)
    with pytest.raises(Conflict) as caught:
        await from_paper(node)
    assert caught.value.code == "title_exists"
    assert len(node.journal.written) == before


async def test_of_two_requests_for_one_paper_one_wins(node: TitleBench):
    both = await asyncio.gather(
        from_paper(node), from_paper(node, document=OTHER), return_exceptions=True
    )
    lost = [one for one in both if isinstance(one, BaseException)]
    assert [type(one) for one in lost] == [Conflict]
    assert lost[0].code == "double_paper"  # type: ignore[attr-defined]
    assert order(node) == ["to_token", "to_token", "mint"]


async def test_of_two_titles_for_one_paper_one_wins(node: TitleBench):
    await surrendered(node, BILL)
    await surrendered(node, OTHER)
    both = await asyncio.gather(
        *(
            node.titles.medium.to_paper(actor("carrier"), title, paper=ISSUED)
            for title in (BILL, OTHER)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Conflict) and one.code == "double_paper" for one in both) == 1
    assert [(await node.titles.title(t)).active for t in (BILL, OTHER)].count(True) == 1


async def test_the_same_request_twice_at_once_is_one_change(node: TitleBench):
    first, second = await asyncio.gather(from_paper(node), from_paper(node))
    assert first == second
    assert order(node) == ["to_token", "to_token", "mint"]


@pytest.mark.parametrize("written", [0, 1, 2])
async def test_after_a_crash_between_any_two_writes_the_paper_is_its_titles(
    node: TitleBench, monkeypatch: pytest.MonkeyPatch, written: int
):
    append = node.journal.append
    left = written

    async def dies(entries: Any, **more: Any) -> bool:
        nonlocal left
        if any(entry.event.type == MediumChanged.TYPE for entry in entries):
            if not left:
                raise ConnectionError
            left -= 1
        return await append(entries, **more)

    async def no_mint(*_: Any, **__: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(node.journal, "append", dies)
    monkeypatch.setattr(node.titles, "mint", no_mint)
    with pytest.raises(ConnectionError):
        await from_paper(node)
    monkeypatch.undo()
    assert len(media(node)) == written
    if written:
        with pytest.raises(Conflict) as caught:
            await from_paper(node, document=OTHER)
        assert caught.value.code == "double_paper"
    assert (await from_paper(node)).active
    assert order(node) == ["to_token", "to_token", "mint"]


async def test_a_claim_on_the_way_to_paper_outlives_a_crash_before_the_decision(
    node: TitleBench, monkeypatch: pytest.MonkeyPatch
):
    await surrendered(node, BILL)
    await surrendered(node, OTHER)
    append = node.journal.append

    async def dies(entries: Any, **more: Any) -> bool:
        if any(entry.event.aggregate.startswith("medium/") for entry in entries):
            raise ConnectionError
        return await append(entries, **more)

    monkeypatch.setattr(node.journal, "append", dies)
    with pytest.raises(ConnectionError):
        await node.titles.medium.to_paper(actor("carrier"), BILL, paper=ISSUED)
    monkeypatch.undo()
    with pytest.raises(Conflict) as caught:
        await node.titles.medium.to_paper(actor("carrier"), OTHER, paper=ISSUED)
    assert caught.value.code == "double_paper"
    with pytest.raises(Conflict) as early:
        await from_paper(node, paper=ISSUED, document="78" * 32)
    assert early.value.code == "medium_unfinished", "the title that it replaces is alive"
    assert not (await node.titles.medium.to_paper(actor("carrier"), BILL, paper=ISSUED)).active
    assert order(node)[-3:] == ["to_paper", "to_paper", "burn"]


async def test_claims_of_before_count_for_whoever_made_them(node: TitleBench):
    """Papers had no names of their own: taken in under `medium/<paper>`, issued under the title."""

    async def formerly(party: str, aggregate: str, fact: MediumChanged) -> None:
        who = actor(party)
        history = await node.records.history(aggregate)
        await node.records.record(who, aggregate, [fact], after=len(history), owner=who.party)

    def fact(change: str, title: str, paper: Paper) -> MediumChanged:
        return MediumChanged(
            change=change,
            title=title,
            paper=paper.digest,
            holder="exporter",
            statement=paper.statement,
        )

    old = fact("to_token", BILL, PAPER)
    await formerly("carrier", f"medium/{PAPER.digest}", old)
    await formerly("carrier", f"medium/{'55' * 32}", fact("to_paper", "55" * 32, ISSUED))
    # Another carrier's word on a paper that it never had.
    stolen = Paper("dd" * 32, "Mine.")
    await formerly("importer", f"medium/{stolen.digest}", fact("to_token", "66" * 32, stolen))
    with pytest.raises(Conflict) as taken:
        await from_paper(node, document=OTHER)
    assert taken.value.code == "double_paper"
    assert (await from_paper(node)).active
    assert order(node)[-2:] == ["to_token", "mint"], "the old claim stands, the decision is added"
    await surrendered(node, OTHER)
    with pytest.raises(Conflict) as issued:
        await node.titles.medium.to_paper(actor("carrier"), OTHER, paper=ISSUED)
    assert issued.value.code == "double_paper"
    assert (await from_paper(node, paper=stolen, document="78" * 32)).active


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
