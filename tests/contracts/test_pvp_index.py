"""The contract of the finder of payments versus payment, on memory and on PostgreSQL."""

from __future__ import annotations

import pytest

from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.finance.adapters.memory import MemoryPvpIndex
from zhidao.finance.adapters.postgres_pvp import PostgresPvpIndex
from zhidao.finance.service.ports import EndedPvp, PvpIndex


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def index(request: pytest.FixtureRequest) -> PvpIndex:
    if request.param == "postgres":
        return PostgresPvpIndex(request.getfixturevalue("database"))
    return MemoryPvpIndex()


def ended(
    deal: str, sold_minor: int, *, quote: str = "Q-1", bank: str = "b", channel: str = "c"
) -> EndedPvp:
    return EndedPvp(
        deal=f"pvp-deal/{bank}/{deal}",
        bank=bank,
        channel=channel,
        quote=quote,
        sold_minor=sold_minor,
    )


async def test_what_is_added_is_open_until_it_is_closed(index: PvpIndex) -> None:
    for deal in ("2", "1", "3", "2"):
        await index.add(f"pvp-deal/b/{deal}", bank="b")
    assert await index.open(limit=9) == ("pvp-deal/b/1", "pvp-deal/b/2", "pvp-deal/b/3")
    await index.close([ended("1", 5), ended("3", 0)])
    await index.close([])
    assert await index.open(limit=9) == ("pvp-deal/b/2",)


async def test_a_closed_deal_is_never_open_again_and_counts_once(index: PvpIndex) -> None:
    await index.add("pvp-deal/b/1", bank="b")
    for _ in range(2):
        await index.close([ended("1", 5), ended("1", 5)])
        await index.add("pvp-deal/b/1", bank="b")
    assert await index.open(limit=9) == ()
    assert await index.sold("b", "Q-1") == 5


async def test_a_deal_that_was_never_added_can_be_closed(index: PvpIndex) -> None:
    await index.close([ended("1", 5)])
    await index.add("pvp-deal/b/1", bank="b")
    assert await index.open(limit=9) == ()
    assert await index.sold("b", "Q-1") == 5


async def test_sums_are_of_one_bank_and_one_quote_and_may_pass_one_amounts_bound(
    index: PvpIndex,
) -> None:
    for name in ("1", "2", "3", "4"):
        await index.add(f"pvp-deal/b/{name}", bank="b")
    await index.close(
        [
            ended("1", AMOUNT_MINOR_MAX),
            ended("2", AMOUNT_MINOR_MAX),
            ended("3", 7, quote="Q-2"),
            ended("1", 9, bank="b2"),
        ]
    )
    assert await index.sold("b", "Q-1") == 2 * AMOUNT_MINOR_MAX
    assert await index.sold("b", "Q-2") == 7
    assert await index.sold("b2", "Q-1") == 9
    assert await index.sold("b", "Q-3") == 0


async def test_each_channel_in_which_a_deal_ended_has_one_deal_that_tells_of_it(
    index: PvpIndex,
) -> None:
    await index.add("pvp-deal/b/open", bank="b")
    await index.close([ended("1", 0), ended("2", 0), ended("3", 0, channel="d")])
    await index.close([ended("0", 0), ended("4", 0, bank="a")])
    found = await index.one_of_each_channel(limit=9)
    assert found == ("pvp-deal/a/4", "pvp-deal/b/1", "pvp-deal/b/3")


async def test_deals_and_channels_are_read_page_by_page(index: PvpIndex) -> None:
    for name in ("1", "1/x", "2"):
        await index.add(f"pvp-deal/b/{name}", bank="b")
    assert await index.open(limit=2) == ("pvp-deal/b/1", "pvp-deal/b/1/x")
    assert await index.open(after="pvp-deal/b/1/x", limit=2) == ("pvp-deal/b/2",)
    assert await index.open(after="pvp-deal/b/2", limit=2) == ()
    await index.close([ended(name, 0, channel=name) for name in ("1", "1/x", "2")])
    assert await index.one_of_each_channel(limit=1) == ("pvp-deal/b/1",)
    found = await index.one_of_each_channel(after="pvp-deal/b/1", limit=9)
    assert found == ("pvp-deal/b/1/x", "pvp-deal/b/2")
