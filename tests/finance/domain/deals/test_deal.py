"""A deal is the fold of its history: each fact moves it, and only so far."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from tests.finance.domain.deals.histories import at, history

from zhidao.core.errors import MalformedInput, Refused
from zhidao.finance.domain.deals.deal import (
    ABORT,
    ARRIVAL,
    ARRIVAL_GRACE_S,
    CUSTOMS,
    DEAL,
    MARKS,
    NEEDS,
    PAPERS,
    RELEASE,
    REST_GRACE_S,
    TITLE,
    Deal,
    act_of,
    check_conditions,
    fold,
    permit,
)
from zhidao.finance.domain.naming import transfer_id
from zhidao.finance.events import (
    ConditionLapsed,
    ConditionMet,
    Conditions,
    DealOpened,
    Decided,
    MoneyReserved,
    ObstacleNoted,
    Settled,
    TitleReserved,
)
from zhidao.positioning.events import Site

SITE = Site(name="yard", latitude_ndeg=1, longitude_ndeg=2, radius_mm=1)
CONDITIONS = Conditions(
    marks=["recomputed"],
    site=SITE,
    not_before=str(at(0)),
    not_after=str(at(1_000)),
    risk_ppb=1,
    needs=[PAPERS, CUSTOMS],
)
OPENED = DealOpened(
    deal="D-1",
    consignment="C-1",
    payer="importer",
    payee="exporter",
    payer_bank="bank",
    payee_bank="other-bank",
    amount_minor=100,
    currency="CNY",
    terminal="T-1",
    title="0x01",
    conditions=CONDITIONS,
)
RESERVED = MoneyReserved(deal="D-1", transfer="t", amount_minor=100, currency="CNY")
IN_CUSTODY = TitleReserved(deal="D-1", title="0x01")
DECIDED = Decided(
    deal="D-1",
    outcome="release",
    reason="conditions_met",
    sentence="All hold.",
    title="0x01",
    title_transaction="",
    transfer="t",
)


def met(name: str) -> ConditionMet:
    return ConditionMet(deal="D-1", name=name, because=f"event of {name}")


def settled(*, paid: bool) -> Settled:
    fields = {
        name: True if kind is bool else 0 if kind is int else [] if str(kind)[:4] == "list" else ""
        for name, kind in ((f.name, f.type) for f in msgspec.structs.fields(Settled))
    }
    return Settled(**{**fields, "deal": "D-1", "paid": paid})


def deal_of(*facts: object) -> Deal:
    deal = fold(history("deal/D-1", OPENED, *facts))
    assert deal is not None
    return deal


def test_nothing_makes_no_deal_and_the_opening_makes_one() -> None:
    assert fold([]) is None
    deal = deal_of()
    assert (deal.opened, deal.version, deal.opened_at) == (OPENED, 1, at(101))
    assert (deal.state, deal.is_open, deal.name) == ("opened", True, "D-1")
    assert (deal.owner, deal.readers) == ("bank", ("exporter", "importer", "other-bank"))
    assert deal.needs == (ARRIVAL, CUSTOMS, PAPERS) == deal.missing


@pytest.mark.parametrize(
    ("facts", "state", "is_open"),
    [
        ([RESERVED], "reserved", True),
        ([RESERVED, IN_CUSTODY], "reserved", True),
        ([RESERVED, DECIDED], "decided", False),
        ([DECIDED], "decided", False),
        ([RESERVED, DECIDED, settled(paid=True)], "paid", False),
        ([RESERVED, DECIDED, settled(paid=False)], "refused", False),
    ],
)
def test_each_fact_moves_it_one_state_on(facts: list[object], state: str, *, is_open: bool) -> None:
    deal = deal_of(*facts)
    assert (deal.state, deal.is_open, deal.version) == (state, is_open, 1 + len(facts))


def test_what_each_fact_says_is_kept() -> None:
    deal = deal_of(RESERVED, IN_CUSTODY, DECIDED, settled(paid=True))
    assert (deal.reserved, deal.title_reserved, deal.decided) == (RESERVED, IN_CUSTODY, DECIDED)
    assert deal.decided_at == at(4)
    assert deal.settled is not None


def test_conditions_are_met_and_lapse_one_by_one() -> None:
    deal = deal_of(met(PAPERS), met(ARRIVAL))
    assert deal.met == {PAPERS: f"event of {PAPERS}", ARRIVAL: f"event of {ARRIVAL}"}
    assert deal.missing == (CUSTOMS,)
    lapsed = deal_of(
        met(PAPERS), met(ARRIVAL), ConditionLapsed(deal="D-1", name=PAPERS, because="replaced")
    )
    assert (lapsed.missing, list(lapsed.met)) == ((CUSTOMS, PAPERS), [ARRIVAL])


def test_obstacles_are_kept_in_their_order_and_decide_nothing() -> None:
    two = [ObstacleNoted(deal="D-1", reason=reason, sentence="…") for reason in ("a", "b")]
    deal = deal_of(*two)
    assert (list(deal.obstacles), deal.state) == (two, "opened")


def test_an_unknown_fact_counts_as_a_version_and_changes_nothing() -> None:
    events = history("deal/D-1", OPENED, RESERVED)
    deal = fold([events[0], replace(events[1], type="finance.Later.v9")])
    assert deal is not None
    assert (deal.reserved, deal.version) == (None, 2)


def test_goods_that_arrived_wait_longer_than_those_on_their_way() -> None:
    assert deal_of().deadline == at(1_000 + ARRIVAL_GRACE_S)
    assert deal_of(met(PAPERS)).deadline == at(1_000 + ARRIVAL_GRACE_S)
    assert deal_of(met(ARRIVAL)).deadline == at(1_000 + REST_GRACE_S)


def test_transfers_bear_the_names_of_their_steps() -> None:
    deal = deal_of(RESERVED, DECIDED)
    assert deal.pending_id == transfer_id("D-1", "reserve", at=at(101))
    assert deal.claim_id == transfer_id("D-1", "claim", at=at(101))
    assert deal.step_id("post") == transfer_id("D-1", "post", at=at(3))
    assert deal.step_id("post") != deal.step_id("void")
    with pytest.raises(AssertionError, match="after the decision"):
        deal_of(RESERVED).step_id("post")


def test_a_party_that_is_its_own_bank_is_no_reader_beside_itself() -> None:
    same = msgspec.structs.replace(OPENED, payer="bank", payee_bank="bank")
    deal = fold(history("deal/D-1", same))
    assert deal is not None
    assert deal.readers == ("exporter",)


def conditions(**changes: object) -> Conditions:
    return msgspec.structs.replace(CONDITIONS, **changes)


@pytest.mark.parametrize(
    "good",
    [
        CONDITIONS,
        conditions(marks=sorted(MARKS), needs=sorted(NEEDS)),
        conditions(marks=[], needs=[]),
        conditions(risk_ppb=1_000_000_000),
        conditions(not_after=str(at(1))),
    ],
)
def test_conditions_that_can_hold_are_taken(good: Conditions) -> None:
    check_conditions(good, title="0x01")


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (conditions(marks=["recomputed", "believed"]), "unknown_condition"),
        (conditions(needs=["sunshine"]), "unknown_condition"),
        (conditions(needs=["recomputed"]), "unknown_condition"),
        (conditions(marks=["recomputed", "recomputed"]), "unknown_condition"),
        (conditions(needs=[PAPERS, PAPERS]), "unknown_condition"),
        (conditions(not_after=str(at(0))), "empty_window"),
        (conditions(not_before=str(at(1_001))), "empty_window"),
        (conditions(risk_ppb=0), "refused"),
        (conditions(risk_ppb=1_000_000_001), "refused"),
        (conditions(site=msgspec.structs.replace(SITE, radius_mm=0)), "empty_site"),
    ],
)
def test_conditions_that_can_never_hold_are_refused(bad: Conditions, code: str) -> None:
    with pytest.raises(Refused) as refused:
        check_conditions(bad, title="0x01")
    assert refused.value.code == code


def test_unknown_marks_and_needs_are_all_named() -> None:
    with pytest.raises(Refused, match="unknown conditions: believed, sunshine"):
        check_conditions(conditions(marks=["believed"], needs=["sunshine"]), title="")


def test_a_title_that_is_asked_for_has_to_be_named() -> None:
    with pytest.raises(Refused) as refused:
        check_conditions(conditions(needs=[TITLE]), title="")
    assert refused.value.code == "no_title"
    check_conditions(conditions(needs=[TITLE]), title="0x01")
    check_conditions(conditions(needs=[PAPERS]), title="")


def test_a_place_that_is_none_is_refused() -> None:
    nowhere = msgspec.structs.replace(SITE, latitude_ndeg=91_000_000_000)
    with pytest.raises(MalformedInput):
        check_conditions(conditions(site=nowhere), title="")


def test_conditions_and_outcomes_are_written_down_in_words_that_do_not_change() -> None:
    # Events of years ago hold them.
    assert (ARRIVAL, RELEASE, ABORT) == ("arrival", "release", "abort")
    assert (
        {"title_in_custody", "papers_agree", "customs_released"}
        == NEEDS
        == {*(TITLE, PAPERS, CUSTOMS)}
    )
    assert {
        *("signed_by_terminal", "bound_to_goods", "recomputed", "corroborated"),
        *("inside", "inside_open_sky_model"),
    } == MARKS


def test_a_window_may_come_a_quarter_of_an_hour_late_and_the_rest_five_days() -> None:
    opened = msgspec.structs.replace(
        OPENED, conditions=conditions(not_after="2026-03-01T12:00:00Z")
    )
    on_its_way = fold(history("deal/D-1", opened))
    arrived = fold(history("deal/D-1", opened, met(ARRIVAL)))
    assert on_its_way is not None
    assert arrived is not None
    assert str(on_its_way.deadline).startswith("2026-03-01T12:15:00")
    assert str(arrived.deadline).startswith("2026-03-06T12:00:00")


def test_the_table_speaks_of_states_acts_and_parties_in_words_that_pages_show() -> None:
    assert (DEAL.name, DEAL.start, DEAL.ends) == ("deal", "new", ("paid", "refused"))
    assert DEAL.states == ("new", "opened", "reserved", "decided", "paid", "refused")
    by = {}
    for row in DEAL.rows:
        by.setdefault(row.who, set()).add(row.act)
    assert by["payer's bank"] == {"open", "reserve the money"}
    assert by["payee"] == {"reserve the title"}
    assert {"release", "abort", "settle as paid", "settle as refused"} < by["node"]
    assert len(by) == 3


def test_an_act_out_of_turn_is_refused_under_a_code() -> None:
    with pytest.raises(Refused, match="nothing that is opened lets anybody settle") as refused:
        permit(deal_of(), [settled(paid=True)])
    assert refused.value.code == "deal_state"
    untitled = fold(history("deal/D-1", msgspec.structs.replace(OPENED, title="")))
    assert untitled is not None
    with pytest.raises(Refused, match="deal D-1 names no title") as refused:
        permit(untitled, [IN_CUSTODY])
    assert refused.value.code == "no_title"
    permit(deal_of(), [IN_CUSTODY])
    with pytest.raises(Refused, match="not reserved yet"):
        permit(deal_of(IN_CUSTODY), [IN_CUSTODY])
    for facts in ([DECIDED], [DECIDED, settled(paid=True)], [DECIDED, settled(paid=False)]):
        with pytest.raises(Refused, match="is decided") as refused:
            permit(deal_of(*facts), [IN_CUSTODY])
        assert refused.value.code == "deal_is_decided"
    # Several facts are looked at one after the other.
    permit(deal_of(), [RESERVED, *(met(need) for need in (ARRIVAL, CUSTOMS, PAPERS))])
    with pytest.raises(Refused):
        permit(deal_of(), [RESERVED, RESERVED])


def test_what_may_be_done_follows_from_what_holds() -> None:
    all_hold = [RESERVED, *(met(need) for need in (ARRIVAL, CUSTOMS, PAPERS))]
    assert deal_of(*all_hold).may(RELEASE)
    assert not deal_of(*all_hold[:-1]).may(RELEASE)
    assert deal_of().may(ABORT)
    assert not deal_of(DECIDED).may(ABORT)
    assert act_of(DECIDED) == RELEASE
    assert act_of(history("deal/D-1", OPENED)[0]) == "open"


@pytest.mark.parametrize("paid", [True, False])
def test_a_settlement_of_the_first_version_is_read_and_its_balances_are_left_out(
    *, paid: bool
) -> None:
    (old,) = history("deal/D-1", settled(paid=paid))
    told = {**old.payload, "payer_balance_minor": 5, "payee_balance_minor": 7}
    old = replace(old, type="finance.Settled.v1", payload=told)
    deal = fold([*history("deal/D-1", OPENED, RESERVED, DECIDED), replace(old, version=4)])
    assert deal is not None
    assert deal.settled == settled(paid=paid)
    assert deal.state == ("paid" if paid else "refused")
    assert "balance" not in str(settled(paid=paid).payload())
