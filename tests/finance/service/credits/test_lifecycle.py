"""A documentary credit from issue to reimbursement, and each step that an article forbids."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.finance.credit_cases import PLANTED, clean, clean_digital

from zhidao.core.actor import Actor, Role
from zhidao.core.canonical import jcs
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, Refused
from zhidao.core.ids import party_id
from zhidao.core.journal import Records
from zhidao.core.money import Currency
from zhidao.core.timescale import Utc
from zhidao.finance.domain.credit.calendar import BankingCalendar
from zhidao.finance.domain.credit.states import Act
from zhidao.finance.domain.ledger.ledger import Account, AccountFlag, Transfer, ledger_number
from zhidao.finance.service.credits.lifecycle import CreditLifecycle, CreditRoles
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.wire.credit import read_presentation

ROLES = CreditRoles(
    issuer=party_id("importer-bank"),
    beneficiary=party_id("exporter"),
    applicant=party_id("importer"),
    adviser=party_id("exporter-bank"),
)
BANK, SELLER, BUYER, ADVISER = (
    Actor(party, Role.PARTY) for party in (ROLES.issuer, ROLES.beneficiary, *ROLES.all[2:4])
)
FUND, PAID = UUID(int=1), UUID(int=2)
DRAWN = 4_440_000


@pytest.fixture
async def lifecycle(durable: Any) -> CreditLifecycle:
    durable.clock.set(Utc.parse("2026-09-16T09:00:00Z"))
    ledger = Ledger(
        durable.store,
        scribe=durable.scribe,
        clock=durable.clock,
        holder="node",
    )
    number = ledger_number(Currency("EUR"))
    limited = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
    accounts = [Account(FUND, number, 1, limited), Account(PAID, number, 1)]
    await ledger.open_accounts("EUR", accounts, [])
    await ledger.submit("EUR", [Transfer(UUID(int=9), PAID, FUND, DRAWN, ledger=number, code=1)])
    return CreditLifecycle(
        "LC-2026-0042",
        ROLES,
        records=Records(durable.journal, durable.scribe),
        ledger=ledger,
        clock=durable.clock,
        days=lambda _: BankingCalendar("Suzhou"),
    )


async def _presented(lifecycle: CreditLifecycle, planted: str = "", **terms: Any) -> bytes:
    credit, presentation = clean()
    if planted:
        PLANTED[planted](credit, presentation)
    await lifecycle.issue(BANK, jcs(credit | terms))
    await lifecycle.step(ADVISER, Act.ADVISE)
    await lifecycle.present(SELLER, "1", jcs(presentation))
    await lifecycle.examine(BANK, "1")
    return jcs(clean()[1])


async def test_a_complying_presentation_is_accepted_and_paid_once_when_due(
    lifecycle: CreditLifecycle, durable: Any
) -> None:
    await _presented(lifecycle)
    with pytest.raises(Refused, match="complies"):
        await lifecycle.refuse(BANK, "1")
    with pytest.raises(Refused, match="not accepted"):
        await lifecycle.honour(BANK, "1", debit=FUND, credit=PAID)
    state = await lifecycle.accept(BANK, "1")
    assert str(state.drawings["1"].due_on) == "2026-12-15"
    with pytest.raises(Refused, match="due on"):
        await lifecycle.honour(BANK, "1", debit=FUND, credit=PAID)
    durable.clock.set(Utc.parse("2026-12-15T09:00:00Z"))
    for _ in range(2):
        state = await lifecycle.honour(BANK, "1", debit=FUND, credit=PAID)
        assert state.drawings["1"].honoured
    assert (await lifecycle._ledger.account("EUR", FUND)).balance == 0


async def test_a_discrepant_one_is_refused_once_with_every_discrepancy(
    lifecycle: CreditLifecycle,
) -> None:
    await _presented(lifecycle, "transport.clean")
    state = await lifecycle.refuse(BANK, "1")
    assert state.drawings["1"].refused
    assert state.drawings["1"].discrepancies == 1
    with pytest.raises(Refused, match="does not comply"):
        await lifecycle.accept(BANK, "1")
    assert state.drawn_minor == 0


async def test_after_five_banking_days_a_bank_can_only_honour(
    lifecycle: CreditLifecycle, durable: Any
) -> None:
    await _presented(lifecycle, "transport.clean", available_by="sight")
    durable.clock.set(Utc.parse("2026-09-24T00:00:01Z"))
    with pytest.raises(Refused, match="time to refuse is over"):
        await lifecycle.refuse(BANK, "1")
    assert (await lifecycle.honour(BANK, "1", debit=FUND, credit=PAID)).drawings["1"].honoured


async def test_an_amendment_counts_only_from_the_beneficiarys_yes(
    lifecycle: CreditLifecycle,
) -> None:
    credit, _ = clean()
    await lifecycle.issue(BANK, jcs(credit))
    await lifecycle.amend(BANK, jcs(credit | {"expires_on": "2026-11-15"}))
    assert str((await lifecycle.terms()).expires_on) == "2026-10-15"
    with pytest.raises(Refused, match="waits for the beneficiary"):
        await lifecycle.amend(BANK, jcs(credit))
    await lifecycle.step(SELLER, Act.ACCEPT_AMENDMENT)
    assert str((await lifecycle.terms()).expires_on) == "2026-11-15"
    await lifecycle.amend(BANK, jcs(credit | {"expires_on": "2026-09-15"}))
    await lifecycle.step(SELLER, Act.REJECT_AMENDMENT)
    assert str((await lifecycle.terms()).expires_on) == "2026-11-15"


async def test_nobody_acts_for_another_and_a_repeat_with_other_content_is_a_conflict(
    lifecycle: CreditLifecycle,
) -> None:
    credit, presentation = clean()
    with pytest.raises(Forbidden):
        await lifecycle.issue(SELLER, jcs(credit))
    with pytest.raises(Refused, match="not issued"):
        await lifecycle.present(SELLER, "1", jcs(presentation))
    await lifecycle.issue(BANK, jcs(credit))
    await lifecycle.issue(BANK, jcs(credit))
    with pytest.raises(Conflict):
        await lifecycle.issue(BANK, jcs(credit | {"amount_minor": 1}))
    with pytest.raises(Forbidden):
        await lifecycle.step(BANK, Act.CONFIRM)
    await lifecycle.present(SELLER, "1", jcs(presentation))
    with pytest.raises(Refused, match="may be"):
        await lifecycle.present(SELLER, "2", jcs(presentation))
    with pytest.raises(Refused, match="not examined"):
        await lifecycle.honour(BANK, "1", debit=FUND, credit=PAID)


async def test_the_applicants_waiver_lets_a_discrepant_presentation_through(
    lifecycle: CreditLifecycle,
) -> None:
    await _presented(lifecycle, "transport.clean", available_by="sight")
    with pytest.raises(Forbidden):
        await lifecycle.step(SELLER, Act.WAIVE, "1")
    await lifecycle.step(BUYER, Act.WAIVE, "1")
    assert (await lifecycle.honour(BANK, "1", debit=FUND, credit=PAID)).drawings["1"].honoured
    with pytest.raises(Refused, match="exceeds_credits"):
        await lifecycle.reimburse(BANK, "1", debit=FUND, credit=PAID)


async def test_a_waiver_leaves_the_issuing_bank_its_own_judgement(
    lifecycle: CreditLifecycle,
) -> None:
    await _presented(lifecycle, "transport.clean", available_by="sight")
    await lifecycle.step(BUYER, Act.WAIVE, "1")
    # A nominated bank pays by its own word what complies, never what only the applicant let go.
    with pytest.raises(Refused, match=r"16\(b\): whether a waiver is taken"):
        await lifecycle.honour(ADVISER, "1", debit=FUND, credit=PAID)
    state = await lifecycle.refuse(BANK, "1")
    assert (state.drawings["1"].state, state.drawn_minor) == ("refused", 0)
    with pytest.raises(Refused, match="does not comply"):
        await lifecycle.honour(BANK, "1", debit=FUND, credit=PAID)
    # The applicant may waive it once more; the notice stays the only one.
    for again in (lifecycle.step(BUYER, Act.WAIVE, "1"), lifecycle.refuse(BANK, "1")):
        assert (await again).drawings["1"].state == "refused, then waived"
    with pytest.raises(Refused, match=r"16\(b\)"):
        await lifecycle.honour(ADVISER, "1", debit=FUND, credit=PAID)
    assert (await lifecycle.honour(BANK, "1", debit=FUND, credit=PAID)).drawings["1"].honoured


async def test_what_was_refused_and_waived_draws_the_credit(lifecycle: CreditLifecycle) -> None:
    presentation = await _presented(lifecycle, "transport.clean", available_by="sight")
    await lifecycle.refuse(BANK, "1")
    state = await lifecycle.step(BUYER, Act.WAIVE, "1")
    assert state.drawn_minor == state.drawings["1"].claimed_minor
    for paid in (False, True):
        if paid:
            await lifecycle.honour(BANK, "1", debit=FUND, credit=PAID)
        with pytest.raises(Refused) as refused:
            await lifecycle.present(SELLER, "2", presentation)
        assert refused.value.code == "credit_exhausted"


async def test_what_another_presentation_drew_is_not_waived_any_more(
    lifecycle: CreditLifecycle,
) -> None:
    presentation = await _presented(lifecycle, "transport.clean", available_by="sight")
    await lifecycle.refuse(BANK, "1")
    await lifecycle.present(SELLER, "2", presentation)
    with pytest.raises(Refused, match="others have drawn what it claims"):
        await lifecycle.step(BUYER, Act.WAIVE, "1")


async def _digital(lifecycle: CreditLifecycle, **changes: Any) -> list[Any]:
    credit, presentation = clean_digital()
    await lifecycle.issue(BANK, jcs(credit | {"available_by": "sight"}))
    await lifecycle.present(SELLER, "1", jcs(presentation | changes))
    return list(read_presentation(jcs(presentation)).documents)


async def test_a_corrupted_record_is_asked_for_and_comes_again(
    lifecycle: CreditLifecycle, durable: Any
) -> None:
    papers = await _digital(lifecycle)
    durable.clock.set(Utc.parse("2026-09-17T09:00:00Z"))
    for bad, error in (([], MalformedInput), ([7], MalformedInput), ([1, 1], MalformedInput)):
        with pytest.raises(error):
            await lifecycle.ask_records(BANK, "1", bad)
    with pytest.raises(Forbidden):
        await lifecycle.ask_records(SELLER, "1", [2])
    for _ in range(2):
        state = await lifecycle.ask_records(BANK, "1", [2])
        assert state.drawings["1"].asked == (2,)
    with pytest.raises(Refused, match="asked for again"):
        await lifecycle.ask_records(BANK, "1", [1])
    with pytest.raises(Refused, match="may still come again"):
        await lifecycle.examine(BANK, "1")
    with pytest.raises(Refused, match="not the transport"):
        await lifecycle.re_present(SELLER, "1", [papers[1]])
    with pytest.raises(MalformedInput):
        await lifecycle.re_present(SELLER, "1", papers[1:3])
    durable.clock.set(Utc.parse("2026-09-28T09:00:00Z"))
    again = msgspec.structs.replace(papers[2], vessel="MERIDIAN STAR II")
    with pytest.raises(Forbidden):
        await lifecycle.re_present(BANK, "1", [again])
    for _ in range(2):
        state = await lifecycle.re_present(SELLER, "1", [again])
        assert state.drawings["1"].asked == ()
    with pytest.raises(Refused, match="came again already"):
        await lifecycle.ask_records(BANK, "1", [2])
    state = await lifecycle.examine(BANK, "1")
    # What came again is what was examined: the policy names another vessel than it does.
    assert state.drawings["1"].discrepancies == 1
    assert str(state.drawings["1"].examine_until) == "2026-10-02"
    await lifecycle.refuse(BANK, "1")


async def test_a_record_that_never_comes_again_is_not_presented(
    lifecycle: CreditLifecycle, durable: Any
) -> None:
    await _digital(lifecycle)
    await lifecycle.ask_records(BANK, "1", [2, 5])
    durable.clock.set(Utc.parse("2026-10-16T23:00:00Z"))
    with pytest.raises(Refused, match="may still come again"):
        await lifecycle.examine(BANK, "1")
    durable.clock.set(Utc.parse("2026-10-17T00:00:01Z"))
    state = await lifecycle.examine(BANK, "1")
    assert state.drawings["1"].discrepancies == 2
    assert (await lifecycle.refuse(BANK, "1")).drawings["1"].refused


async def test_a_request_does_not_open_the_time_to_examine_anew(
    lifecycle: CreditLifecycle, durable: Any
) -> None:
    await _digital(lifecycle)
    durable.clock.set(Utc.parse("2026-09-24T09:00:00Z"))
    with pytest.raises(Refused, match="time to examine was over"):
        await lifecycle.ask_records(BANK, "1", [2])
    state = await lifecycle.examine(BANK, "1")
    assert state.drawings["1"].complies


async def test_records_without_a_notice_of_completeness_are_not_examined_yet(
    lifecycle: CreditLifecycle, durable: Any
) -> None:
    await _digital(lifecycle, complete=False)
    with pytest.raises(Refused, match="notice of completeness"):
        await lifecycle.examine(BANK, "1")
    durable.clock.set(Utc.parse("2026-09-18T09:00:00Z"))
    with pytest.raises(Forbidden):
        await lifecycle.step(BANK, Act.COMPLETE, "1")
    for _ in range(2):
        assert (await lifecycle.step(SELLER, Act.COMPLETE, "1")).drawings["1"].complete
    state = await lifecycle.examine(BANK, "1")
    assert state.drawings["1"].complies
    assert str(state.drawings["1"].examine_until) == "2026-09-25"


async def test_facts_from_before_records_were_known_are_the_same_credit(
    lifecycle: CreditLifecycle, durable: Any
) -> None:
    credit, presentation = clean()
    await lifecycle.issue(BANK, jcs(credit))
    await lifecycle.present(SELLER, "1", jcs(presentation))
    journal = getattr(durable.journal, "inner", durable.journal)
    for entry in list(journal.written):
        for said in (entry.event.payload.get("terms"), entry.event.payload.get("papers")):
            for name in ("rules", "record_place", "notice") if said else ():
                said.pop(name, None)
    assert (await lifecycle.issue(BANK, jcs(credit))).version == 1
    assert (await lifecycle.present(SELLER, "1", jcs(presentation))).drawings["1"].complete
