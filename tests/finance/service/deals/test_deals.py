"""Deals from opening to their one end, paid or refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused
from zhidao.core.timescale import Utc
from zhidao.devices.events import SubmissionRefused
from zhidao.finance.events import Decided
from zhidao.finance.wire.iso20022.messages import camt054, pacs008

UNPAID = {
    "importer-bank customer importer": 10_000_000,
    "importer-bank escrow D-1": 0,
    "exporter-bank customer exporter": 0,
    "importer-bank cash importer-bank": -10_000_000,
    "importer-bank due_to_bank exporter-bank": 0,
    "exporter-bank due_from_bank importer-bank": 0,
}


async def everything_holds(world: Any, facts: Any) -> None:
    await world.papers_agree()
    await world.customs_release()
    await world.tell(facts.proven())


async def test_a_deal_whose_conditions_all_hold_pays_and_passes_the_title(world, facts) -> None:
    reserved = await world.opened()
    assert reserved.state == "reserved"
    assert reserved.missing == ("arrival", "customs_released", "papers_agree")
    await everything_holds(world, facts)
    deal = await world.state()
    assert deal.state == "paid"
    assert deal.decided.outcome == "release"
    assert world.durable.titles.holder == "importer"
    assert await world.balances() == {
        "importer-bank customer importer": 5_800_000,
        "importer-bank escrow D-1": 0,
        "exporter-bank customer exporter": 4_200_000,
        "importer-bank cash importer-bank": -10_000_000,
        "importer-bank due_to_bank exporter-bank": 4_200_000,
        "exporter-bank due_from_bank importer-bank": -4_200_000,
    }


async def test_both_messages_tell_of_the_payment(world, facts) -> None:
    await world.opened()
    await everything_holds(world, facts)
    settled = (await world.state()).settled
    transfer = pacs008.decode(await world.durable.archive.get(settled.pacs008))
    notice = camt054.decode(await world.durable.archive.get(settled.camt054))
    assert transfer == notice
    assert str(transfer.amount) == "42000.00 CNY"
    assert (transfer.payer_bank, transfer.payee_bank) == ("ALMAKZKA", "XIANCNBJ")
    assert transfer.payee.name == "exporter 公司"
    assert settled.schema == "not checked"


async def test_each_bank_balances_by_itself(world, facts) -> None:
    await world.opened()
    await everything_holds(world, facts)
    balances = await world.balances()
    for bank in ("importer-bank", "exporter-bank"):
        assert sum(v for name, v in balances.items() if name.startswith(bank)) == 0


async def test_the_decision_is_public_and_holds_what_is_applied(world, facts) -> None:
    await world.opened()
    await everything_holds(world, facts)
    [event] = [e.event for e in world.durable.journal.written if e.event.type == Decided.TYPE]
    assert event.open
    decided = Decided.of(event)
    assert bytes.fromhex(decided.title_transaction) == world.durable.titles.sent[0]
    assert decided.transfer == (await world.state()).reserved.transfer


async def test_positioning_is_asked_for_the_arrival_before_money_counts_as_reserved(world) -> None:
    await world.opened()
    [asked] = world.durable.arrivals.expected
    assert asked["terminal"] == "T-1"
    assert asked["not_after"] == Utc.parse("2026-05-01T12:00:00Z")
    assert {"importer", "exporter", "exporter-bank"} <= set(asked["readers"])


async def test_customs_see_the_arrival_where_the_deal_waits_for_their_release(world) -> None:
    await world.opened()
    [asked] = world.durable.arrivals.expected
    assert "customs_released" in (await world.state()).needs
    assert set(asked["readers"]) == {"customs", "importer", "exporter", "exporter-bank"}


async def test_customs_do_not_see_an_arrival_that_does_not_wait_for_them(world, facts) -> None:
    needs = [need for need in facts.conditions.needs if need != "customs_released"]
    conditions = msgspec.structs.replace(facts.conditions, needs=needs)
    await world.opened(conditions=conditions)
    [asked] = world.durable.arrivals.expected
    assert "customs" not in asked["readers"]


async def test_what_trade_knew_before_the_opening_counts(world, facts) -> None:
    await world.papers_agree()
    await world.customs_release()
    await world.opened()
    assert (await world.state()).missing == ("arrival",)
    await world.tell(facts.proven())
    assert (await world.state()).state == "paid"


async def test_nothing_is_paid_while_one_condition_is_missing(world, facts) -> None:
    await world.opened()
    await world.papers_agree()
    await world.tell(facts.proven())
    assert (await world.state()).missing == ("customs_released",)
    assert (await world.balances())["exporter-bank customer exporter"] == 0


async def test_a_later_undecided_check_takes_the_agreement_back(world, facts) -> None:
    await world.opened()
    await world.papers_agree()
    await world.customs_release()
    checked = world.durable.consignments.papers
    undecided = msgspec.structs.replace(checked, agree=False)
    world.durable.consignments.papers = undecided
    # The arrival comes before the news of the undecided check does.
    await world.tell(facts.proven())
    assert (await world.state()).missing == ("papers_agree",)
    await world.tell(undecided)
    assert (await world.state()).state == "reserved"
    await world.papers_agree()
    assert (await world.state()).state == "paid"


@pytest.mark.parametrize(
    "changes",
    [
        {"signed_by_terminal": False},
        {"bound_to_goods": False},
        {"recomputed": False},
        {"corroborated_by": []},
        {"inside_risk_ppb": 0},
        {"inside_risk_ppb": 1_001},
    ],
)
async def test_every_mark_that_is_asked_must_be_there(world, facts, changes) -> None:
    await world.opened()
    await world.tell(facts.proven(marks=msgspec.structs.replace(facts.marks, **changes)))
    deal = await world.state()
    assert "arrival" in deal.missing
    assert [noted.reason for noted in deal.obstacles] == ["arrival_lacks_marks"]


@pytest.mark.parametrize(
    "changes",
    [
        {"observed_at": "2026-05-01T08:59:59Z"},
        {"observed_at": "2026-05-01T12:00:01Z"},
        {"terminal": "T-2"},
    ],
)
async def test_an_arrival_at_another_time_or_by_another_terminal_does_not_count(
    world, facts, changes
) -> None:
    await world.opened()
    await world.tell(facts.proven(**changes))
    assert "arrival" in (await world.state()).missing


@pytest.mark.parametrize("code", ["terminal_unknown", "terminal_without_key"])
async def test_no_deal_waits_for_a_terminal_that_can_prove_nothing(world, code) -> None:
    before = await world.balances()
    world.durable.arrivals.useless["T-1"] = code
    with pytest.raises(Refused) as refused:
        await world.opened()
    assert refused.value.code == code
    assert await world.balances() == before


async def test_a_mark_that_is_not_asked_may_be_missing(world, facts) -> None:
    asked = msgspec.structs.replace(facts.conditions, marks=["recomputed"], needs=[])
    await world.opened(conditions=asked)
    bare = msgspec.structs.replace(facts.marks, corroborated_by=[], bound_to_goods=False)
    await world.tell(facts.proven(marks=bare))
    assert (await world.state()).state == "paid"


async def ends_unpaid(world: Any, reason: str) -> None:
    deal = await world.state()
    assert (deal.state, deal.decided.outcome, deal.settled.reason) == ("refused", "abort", reason)
    assert deal.decided.sentence
    assert (deal.settled.pacs008, deal.settled.camt054) == ("", "")
    assert world.durable.titles.holder == "exporter"
    assert world.durable.titles.custody == ""
    assert await world.balances() == UNPAID
    assert all(account.debits_pending == 0 for account in await world.ledger.accounts("CNY"))


@pytest.mark.parametrize("reason", ["network_disagrees", "too_late", "terminal_not_bound"])
async def test_a_signed_window_that_disproves_ends_the_deal_unpaid(world, facts, reason) -> None:
    await world.opened()
    await world.tell(facts.not_proven(reason))
    await ends_unpaid(world, reason)


async def test_disagreement_blocks_even_a_proven_arrival(world, facts) -> None:
    await world.opened()
    marks = msgspec.structs.replace(facts.marks, disagreed_by=["network"])
    await world.tell(facts.proven(marks=marks))
    await ends_unpaid(world, "network_disagrees")


async def test_papers_in_conflict_end_the_deal_unpaid(world) -> None:
    await world.opened()
    await world.papers_conflict()
    await ends_unpaid(world, "papers_conflict")
    assert "invoice:weight = 10" in (await world.state()).decided.sentence


async def test_papers_in_conflict_before_the_opening_end_the_deal_at_once(world, facts) -> None:
    await world.papers_conflict()
    deal = await world.deals.open(facts.actor("importer-bank"), facts.deal)
    assert deal.state == "decided"
    await world.go_on()
    await ends_unpaid(world, "papers_conflict")


@pytest.mark.parametrize("reason", ["wrong_token", "replayed_nonce", "unknown_key"])
async def test_a_refused_submission_only_explains_the_deadline(world, facts, reason) -> None:
    await world.opened()
    refused = SubmissionRefused(terminal="T-1", reason=reason, sentence="Not trusted.")
    for _ in range(20):
        await world.tell(refused)
    deal = await world.state()
    assert deal.state == "reserved"
    assert len(deal.obstacles) == 1
    await past_the_deadline(world)
    await ends_unpaid(world, reason)


async def past_the_deadline(world: Any, at: str = "2026-05-01T12:15:01Z") -> None:
    world.durable.scenario.set(Utc.parse(at))
    for _ in range(3):
        await world.deals.tick()


async def test_a_refused_submission_does_not_keep_the_real_terminal_from_being_paid(
    world, facts
) -> None:
    await world.opened()
    await world.tell(SubmissionRefused(terminal="T-1", reason="wrong_token", sentence="No."))
    await everything_holds(world, facts)
    assert (await world.state()).state == "paid"


@pytest.mark.parametrize("reason", ["network_disagrees", "too_late", "terminal_not_bound"])
async def test_a_stranger_without_the_terminals_key_cannot_end_a_deal(world, facts, reason) -> None:
    await world.opened()
    await world.tell(facts.not_proven(reason, signed=False))
    assert (await world.state()).state == "reserved"
    await everything_holds(world, facts)
    assert (await world.state()).state == "paid"


async def test_silence_until_the_deadline_ends_the_deal_unpaid(world) -> None:
    await world.opened()
    await past_the_deadline(world, "2026-05-01T12:15:00Z")
    assert (await world.state()).state == "reserved"
    await past_the_deadline(world)
    await ends_unpaid(world, "too_late")


async def test_a_passed_deadline_waits_for_events_on_their_way(world, facts) -> None:
    await world.opened()
    world.durable.scenario.set(Utc.parse("2026-05-01T13:00:00Z"))
    await world.deals.tick()
    await world.deals.tick()
    await everything_holds(world, facts)
    assert (await world.state()).state == "paid"


async def test_goods_that_arrived_in_time_may_wait_for_customs(world, facts) -> None:
    await world.opened()
    await world.papers_agree()
    await world.tell(facts.proven())
    await past_the_deadline(world, "2026-05-03T00:00:00Z")
    assert (await world.state()).state == "reserved"
    await past_the_deadline(world, "2026-05-06T12:00:01Z")
    await ends_unpaid(world, "too_late")


async def test_a_window_that_fails_after_the_arrival_was_proven_changes_nothing(
    world, facts
) -> None:
    await world.opened()
    await world.tell(facts.proven())
    await world.tell(facts.not_proven("network_disagrees"))
    assert (await world.state()).state == "reserved"


async def test_events_that_come_twice_count_once(world, facts) -> None:
    await world.opened()
    await world.papers_agree()
    await world.customs_release()
    event = world.event(facts.proven())
    await world.deals.handle(event)
    await world.go_on()
    written = len(world.durable.journal.written)
    await world.deals.handle(event)
    await world.go_on()
    assert len(world.durable.journal.written) == written


async def test_opening_again_changes_nothing_and_other_content_conflicts(world, facts) -> None:
    await world.opened()
    written = len(world.durable.journal.written)
    bank = facts.actor("importer-bank")
    await world.deals.open(bank, facts.deal)
    await world.deals.reserve_title(facts.actor("exporter"), "D-1")
    assert len(world.durable.journal.written) == written
    with pytest.raises(Conflict):
        await world.deals.open(bank, msgspec.structs.replace(facts.deal, amount_minor=1))


async def test_short_funds_are_refused_before_anything_is_written(world, facts) -> None:
    written = len(world.durable.journal.written)
    with pytest.raises(Refused) as refused:
        await world.opened(amount_minor=10_000_001)
    assert refused.value.code == "exceeds_credits"
    assert len(world.durable.journal.written) == written


async def test_reserved_money_cannot_be_promised_twice(world, facts) -> None:
    await world.opened(amount_minor=6_000_000)
    other = msgspec.structs.replace(facts.deal, deal="D-2", amount_minor=6_000_000)
    with pytest.raises(Refused) as refused:
        await world.deals.open(facts.actor("importer-bank"), other)
    assert refused.value.code == "exceeds_credits"


def elsewhere(facts, **changes):
    """A second deal of the same consignment that waits at another place."""
    site = msgspec.structs.replace(facts.deal.conditions.site, radius_mm=99_000)
    conditions = msgspec.structs.replace(facts.deal.conditions, site=site)
    return msgspec.structs.replace(facts.deal, deal="D-2", conditions=conditions, **changes)


async def owed(world: Any, facts: Any) -> int:
    line = await world.lines.line(
        facts.actor("exporter-bank"), peer="importer-bank", currency="CNY"
    )
    return line.used_minor


async def test_a_deal_beyond_the_line_between_the_banks_is_refused_by_name(world, facts) -> None:
    await world.let_owe(4_199_999)
    with pytest.raises(Refused) as refused:
        await world.opened()
    assert refused.value.code == "credit_line"
    assert await world.records.history("deal/D-1") == ()
    await world.let_owe(4_200_000)
    assert (await world.opened()).state == "reserved"


async def test_what_a_deal_holds_counts_against_the_line_until_it_ends(world, facts) -> None:
    second = msgspec.structs.replace(facts.deal, deal="D-2", title="", conditions=facts.conditions)
    second = msgspec.structs.replace(
        second, conditions=msgspec.structs.replace(facts.conditions, needs=[])
    )
    await world.let_owe(8_000_000)
    await world.opened()
    assert await owed(world, facts) == 4_200_000
    with pytest.raises(Refused) as refused:
        await world.deals.open(facts.actor("importer-bank"), second)
    assert refused.value.code == "credit_line"
    await past_the_deadline(world)
    assert (await world.state()).state == "refused"
    assert await owed(world, facts) == 0
    opened = await world.deals.open(facts.actor("importer-bank"), second)
    assert opened.state == "reserved"


async def test_no_decision_to_pay_meets_a_closed_line(world, facts) -> None:
    await world.opened()
    await world.let_owe(0)
    await everything_holds(world, facts)
    assert (await world.state()).state == "paid"
    assert await owed(world, facts) == 4_200_000


async def test_a_line_closed_while_a_deal_opens_ends_it_unpaid(world, facts) -> None:
    """The line is looked at before the opening is written; the reservation looks again."""

    async def closed(opened: Any) -> None:
        await world.let_owe(0)

    world.deals._settlement.check_line = closed
    deal = await world.deals.open(facts.actor("importer-bank"), facts.deal)
    assert (deal.decided.outcome, deal.decided.reason) == ("abort", "credit_line")
    await world.deals.step()
    assert (await world.state()).state == "refused"
    assert await world.balances() == UNPAID


async def test_a_second_deal_with_another_site_is_refused_before_anything_is_written(
    world, facts
) -> None:
    await world.opened()
    written, before = len(world.durable.journal.written), await world.balances()
    with pytest.raises(Conflict) as refused:
        await world.deals.open(facts.actor("importer-bank"), elsewhere(facts, amount_minor=1_000))
    assert refused.value.code == "awaited_otherwise"
    assert len(world.durable.journal.written) == written
    assert await world.balances() == before


async def test_of_two_deals_opened_at_once_for_two_sites_one_ends_with_nothing_reserved(
    world, facts
) -> None:
    before = await world.balances()
    world.durable.arrivals.rival = {"terminal": "T-9", "readers": ()}
    deal = await world.deals.open(facts.actor("importer-bank"), facts.deal)
    assert deal.reserved is None
    assert (deal.decided.outcome, deal.decided.reason) == ("abort", "awaited_otherwise")
    await world.go_on()
    assert (await world.state()).state == "refused"
    assert await world.balances() == before


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"payee": "importer"}, "same_party"),
        ({"payee": "carrier"}, "no_account"),
        ({"payee_bank": "carrier"}, "not_a_bank"),
        ({"currency": "EUR"}, "no_account"),
        ({"title": ""}, "no_title"),
        ({"amount_minor": 0}, "amount_not_positive"),
        ({"deal": "D/1"}, "refused"),
    ],
)
async def test_a_deal_that_could_not_be_kept_is_not_opened(world, changes, code) -> None:
    with pytest.raises(Refused) as refused:
        await world.opened(**changes)
    assert refused.value.code == code


async def test_only_the_payers_bank_opens_and_only_the_payee_reserves_the_title(
    world, facts
) -> None:
    for party in ("importer", "exporter-bank"):
        with pytest.raises(Forbidden):
            await world.deals.open(facts.actor(party), facts.deal)
    await world.deals.open(facts.actor("importer-bank"), facts.deal)
    with pytest.raises(Forbidden):
        await world.deals.reserve_title(facts.actor("importer"), "D-1")
    with pytest.raises(NotFound):
        await world.deals.reserve_title(facts.actor("carrier"), "D-1")


async def test_a_stranger_sees_no_deal(world, facts) -> None:
    await world.opened()
    for party in ("carrier", "customs", "operator"):
        with pytest.raises(NotFound):
            await world.deals.deal(facts.actor(party), "D-1")
    for party in ("importer", "exporter", "importer-bank", "exporter-bank"):
        assert (await world.deals.deal(facts.actor(party), "D-1")).name == "D-1"


async def test_a_title_that_came_unnoticed_before_a_crash_goes_back(world, facts) -> None:
    await world.deals.open(facts.actor("importer-bank"), facts.deal)
    await world.durable.titles.into_custody(facts.actor("exporter"), title="ab" * 32, deal="D-1")
    await past_the_deadline(world)
    await ends_unpaid(world, "too_late")


async def test_a_decided_deal_takes_no_title(world, facts) -> None:
    await world.deals.open(facts.actor("importer-bank"), facts.deal)
    await world.papers_conflict()
    with pytest.raises(Refused) as refused:
        await world.deals.reserve_title(facts.actor("exporter"), "D-1")
    assert refused.value.code == "deal_is_decided"
    await ends_unpaid(world, "papers_conflict")
