"""A credit over HTTP from issue to reimbursement, by the party that each step is for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.finance.credit_cases import PLANTED, clean, clean_digital

from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc
from zhidao.finance.adapters.calendar_folder import FolderCalendars
from zhidao.finance.adapters.memory import MemoryNameIndex
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.party_references import PartyReferences
from zhidao.finance.service.credits.service import Credits
from zhidao.finance.service.payments.credit_lines import CreditLines
from zhidao.node.api.finance import approvals as finance_approvals
from zhidao.node.api.finance import credit as finance_credit

CLAIMED = 4_440_000
ONE = "/credits/LC-2026-0042"
DRAWING = f"{ONE}/drawings/1"


def _issue(**changes: Any) -> dict[str, Any]:
    credit, _ = clean()
    return {
        "beneficiary": "exporter",
        "applicant": "importer",
        "adviser": "exporter-bank",
        "calendar": {"place": "Suzhou", "rest": [5, 6], "holidays": ["2026-10-01"]},
        "terms": credit | {"available_by": "sight", "tenor_days": 0},
        **changes,
    }


def _papers(planted: str = "") -> dict[str, Any]:
    credit, presentation = clean()
    if planted:
        PLANTED[planted](credit, presentation)
    draft = next(paper for paper in presentation["documents"] if paper["kind"] == "draft")
    draft["tenor_days"] = 0
    return presentation


@pytest.fixture
async def call(world: Any, facts: Any, serve: Any) -> Any:
    return await _served(world, facts, serve, Limits({}))


async def _served(
    world: Any,
    facts: Any,
    serve: Any,
    limits: Limits,
    line_minor: int = CLAIMED,
    calendars: FolderCalendars | None = None,
) -> Any:
    world.durable.clock.set(Utc.parse("2026-09-16T09:00:00Z"))
    for bank, holder in (("importer-bank", "importer"), ("exporter-bank", "exporter")):
        await world.accounts.open(
            facts.actor(bank), holder=holder, currency="EUR", name=holder, town="A", country="DK"
        )
    approvals = Approvals(records=world.records, clock=world.durable.clock, limits=limits)
    alone = Approvals(records=world.records, clock=world.durable.clock, limits=Limits({}))
    lines = CreditLines(
        records=world.records, ledger=world.ledger, accounts=world.accounts, approvals=alone
    )
    await lines.set(
        facts.actor("exporter-bank"), peer="importer-bank", currency="EUR", limit_minor=line_minor
    )
    letters = Credits(
        records=world.records,
        ledger=world.ledger,
        accounts=world.accounts,
        approvals=approvals,
        clock=world.durable.clock,
        lines=lines,
        names=PartyReferences("credit", records=world.records, index=MemoryNameIndex()),
        calendars=calendars or FolderCalendars(Path("/nowhere")),
        holds=None,
    )
    return serve(finance_credit.routes(letters), finance_approvals.routes(approvals))


async def _fund(world: Any, facts: Any) -> None:
    await world.accounts.deposit(
        facts.actor("importer-bank"),
        deposit="for the credit",
        holder="importer",
        amount=Money(CLAIMED, Currency("EUR")),
    )


async def _step(call: Any, step: str, party: str = "importer-bank", person: str = "") -> Any:
    return await call("POST", f"{DRAWING}/steps", {"step": step}, party=party, person=person)


async def _presented(call: Any, planted: str = "") -> None:
    assert (await call("POST", "/credits", _issue())).status_code == 201
    advised = await call("POST", f"{ONE}/steps", {"step": "advise"}, party="exporter-bank")
    assert advised.status_code == 201, advised.text
    for _ in range(2):
        shown = await call("POST", DRAWING, _papers(planted), party="exporter")
        assert shown.status_code == 201, shown.text
    examined = await _step(call, "examine")
    assert examined.status_code == 201, examined.text


async def test_the_adviser_honours_and_the_issuer_pays_it_back_once(world, facts, call) -> None:
    await _presented(call)
    for _ in range(2):
        paid = await _step(call, "honour", party="exporter-bank")
        assert paid.status_code == 201, paid.text
        assert paid.json()["drawings"][0]["state"] == "honoured"
    short = await _step(call, "reimburse")
    assert (short.status_code, short.json()["code"]) == (422, "exceeds_credits")
    await _fund(world, facts)
    for _ in range(2):
        back = await _step(call, "reimburse")
        assert back.json()["drawings"][0]["state"] == "reimbursed", back.text
    balances = await world.balances()
    assert balances["exporter-bank customer exporter"] in (0, CLAIMED)
    accounts = await world.ledger.accounts("EUR")
    assert sum(account.balance for account in accounts) == 0
    moved = sorted(account.credits_posted for account in accounts)
    # Paid once over each leg: beneficiary, two dues a way, the claim, the deposit.
    assert set(moved) == {0, CLAIMED}


async def test_the_advisers_bank_pays_for_no_other_beyond_its_line(world, facts, serve) -> None:
    call = await _served(world, facts, serve, Limits({}), CLAIMED - 1)
    await _presented(call)
    refused = await _step(call, "honour")
    assert (refused.status_code, refused.json()["code"]) == (422, "credit_line")
    assert (await world.balances())["exporter-bank customer exporter"] == 0
    # The adviser may honour by itself: then nobody owes it but the issuer, under the credit.
    paid = await _step(call, "honour", party="exporter-bank")
    assert paid.json()["drawings"][0]["state"] == "honoured", paid.text


async def test_a_notice_of_refusal_holds_every_discrepancy(call) -> None:
    await _presented(call, "transport.clean")
    refused = await _step(call, "refuse")
    (drawing,) = refused.json()["drawings"]
    assert drawing["state"] == "refused"
    (found,) = drawing["discrepancies"]
    assert found["check"] == "transport.clean"
    assert "3 cartons torn" in found["left"] + found["right"]
    honoured = await _step(call, "honour")
    assert (honoured.status_code, honoured.json()["code"]) == (422, "credit_act")


async def test_lines_that_are_not_the_whole_are_refused_and_nothing_is_issued(call) -> None:
    asked = _issue()
    goods = asked["terms"]["goods"]
    goods["lines"] = [{"description": "Pump", "quantity": 23, "unit_price_minor": 0}]
    refused = await call("POST", "/credits", asked)
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed_input")
    assert (await call("GET", "/credits")).json() == []
    asked["terms"]["goods"] = goods | {"lines": []}
    assert (await call("POST", "/credits", asked)).status_code == 201
    amended = await call("POST", f"{ONE}/amendments", asked["terms"] | {"goods": goods})
    assert (amended.status_code, amended.json()["code"]) == (400, "malformed_input")


async def test_strangers_find_no_credit_and_parties_only_take_their_own_steps(call) -> None:
    await _presented(call)
    for role in ("party", "operator"):
        assert (await call("GET", ONE, party="carrier", role=role)).status_code == 404
        assert (await call("GET", "/credits", party="carrier", role=role)).json() == []
    assert (await call("POST", DRAWING, _papers(), party="carrier")).status_code == 404
    assert (await _step(call, "honour", party="carrier")).status_code == 404
    assert (await _step(call, "honour", party="exporter")).status_code == 403
    assert (await _step(call, "waive", party="exporter")).status_code == 403
    assert (
        await call("POST", f"{ONE}/amendments", _issue()["terms"], party="exporter")
    ).status_code == 403
    looked = await call("GET", ONE, party="x", role="auditor")
    assert [step["act"] for step in looked.json()["steps"]][:2] == ["issue", "advise"]
    assert (
        await call("POST", f"{ONE}/steps", {"step": "confirm"}, party="x", role="auditor")
    ).status_code == 403


async def test_issuing_again_is_the_same_credit_and_another_one_a_conflict(call) -> None:
    first = await call("POST", "/credits", _issue())
    again = await call("POST", "/credits", _issue())
    assert again.json() == first.json()
    assert (await call("POST", "/credits", _issue(applicant="carrier"))).status_code == 409
    terms = _issue()["terms"] | {"amount_minor": 1}
    assert (await call("POST", "/credits", _issue(terms=terms))).status_code == 409


@pytest.mark.parametrize(
    "changes",
    [
        {"adviser": "nobody"},
        {"confirmer": "exporter-bank"},
        {"calendar": {"place": "Suzhou", "rest": [7], "holidays": []}},
        {"calendar": {"place": "Suzhou", "rest": [], "holidays": ["2026-13-01"]}},
        {"calendar": {"place": "Suzhou", "rest": [], "holidays": ["2026-10-01", "2026-10-01"]}},
        {"beneficiary": "a b"},
        {"terms": {}},
        {"unknown": 1},
    ],
)
async def test_a_malformed_credit_is_refused_and_nothing_is_written(world, call, changes) -> None:
    written = len(world.durable.journal.written)
    answer = await call("POST", "/credits", _issue(**changes))
    assert answer.status_code in (400, 409, 422), answer.text
    assert len(world.durable.journal.written) == written
    customer = await call("POST", "/credits", _issue(), party="importer")
    assert customer.status_code == 403


async def test_an_amendment_is_offered_whole_and_answered(call) -> None:
    await call("POST", "/credits", _issue())
    later = _issue()["terms"] | {"expires_on": "2026-11-15"}
    offered = (await call("POST", f"{ONE}/amendments", later)).json()
    assert (offered["offered"], offered["terms"]["expires_on"]) == (True, "2026-10-15")
    yes = {"step": "accept_amendment"}
    assert (await call("POST", f"{ONE}/steps", yes)).status_code == 403
    taken = (await call("POST", f"{ONE}/steps", yes, party="exporter")).json()
    assert (taken["offered"], taken["terms"]["expires_on"]) == (False, "2026-11-15")
    dollars = later | {"currency": "USD"}
    assert (await call("POST", f"{ONE}/amendments", dollars)).status_code == 422


async def test_above_the_limit_two_persons_pay_and_two_tokens_never(world, facts, serve) -> None:
    call = await _served(world, facts, serve, Limits.parse("EUR 10000.00"))
    await _fund(world, facts)
    asked = await call("POST", "/credits", _issue())
    assert (asked.status_code, asked.json()["code"]) == (422, "needs_two_persons")
    (waiting,) = (await call("GET", "/approvals")).json()
    assert (waiting["state"], waiting["approved_by"]) == ("waits", [])
    path = f"/approvals/{waiting['approval']}"
    for _ in range(2):
        token = await call("POST", path, {"verdict": "approve"})
        assert (token.status_code, token.json()["code"]) == (403, "no_person")
    for _ in range(2):
        one = await call("POST", path, {"verdict": "approve"}, person="aigerim")
        assert one.json()["state"] == "waits"
    assert (await call("GET", ONE)).status_code == 404
    other = await call("POST", path, {"verdict": "approve"}, party="exporter-bank", person="li")
    assert other.status_code == 404
    two = await call("POST", path, {"verdict": "approve"}, person="daniyar")
    assert two.json()["approved_by"] == ["aigerim", "daniyar"]
    assert (await call("GET", ONE)).json()["credit"] == "LC-2026-0042"
    # The act itself is a word, too: the second person who asks for it has it done.
    await call("POST", f"{ONE}/steps", {"step": "advise"}, party="exporter-bank")
    await call("POST", DRAWING, _papers(), party="exporter")
    await _step(call, "examine")
    assert (await _step(call, "honour", person="aigerim")).json()["code"] == "needs_two_persons"
    assert (await _step(call, "honour", person="aigerim")).json()["code"] == "needs_two_persons"
    paid = await _step(call, "honour", person="daniyar")
    assert paid.json()["drawings"][0]["state"] == "honoured", paid.text


async def test_a_larger_amendment_takes_two_persons_too_and_counts_once(
    world, facts, serve
) -> None:
    call = await _served(world, facts, serve, Limits.parse("EUR 1000000.00"))
    assert (await call("POST", "/credits", _issue())).status_code == 201
    terms = (await call("GET", ONE)).json()["terms"]
    more = _issue()["terms"] | {"amount_minor": 100_000_001}
    asked = await call("POST", f"{ONE}/amendments", more)
    assert (asked.status_code, asked.json()["code"]) == (422, "needs_two_persons")
    assert not (await call("GET", ONE)).json()["offered"]
    (waiting,) = (await call("GET", "/approvals")).json()
    path = f"/approvals/{waiting['approval']}"
    for person in ("aigerim", "daniyar"):
        await call("POST", path, {"verdict": "approve"}, person=person)
    assert (await call("GET", ONE)).json()["offered"]
    answer = await call("POST", f"{ONE}/steps", {"step": "accept_amendment"}, party="exporter")
    assert answer.json()["terms"]["amount_minor"] == 100_000_001
    less = await call("POST", f"{ONE}/amendments", terms)
    assert less.status_code == 201, less.text
    await call("POST", f"{ONE}/steps", {"step": "accept_amendment"}, party="exporter")
    # A late repeat of a person's word brings nothing back.
    assert (await call("POST", path, {"verdict": "approve"}, person="daniyar")).status_code == 201
    assert not (await call("GET", ONE)).json()["offered"]
    # A smaller amount, and steps of others, need nobody.
    stranger = await call("POST", f"{ONE}/amendments", more, party="exporter")
    assert stranger.status_code == 403


async def test_confirming_and_accepting_a_draft_take_two_persons_too(world, facts, serve) -> None:
    call = await _served(world, facts, serve, Limits.parse("EUR 10000.00"))
    terms = clean()[0] | {"confirming_bank": "Bank of the exporter"}
    issue = _issue(terms=terms, confirmer="exporter-bank")
    for person in ("aigerim", "daniyar"):
        issued = await call("POST", "/credits", issue, person=person)
    assert issued.status_code == 201, issued.text

    async def takes_two(path: str, step: str) -> None:
        for person in ("", "li", "li"):
            asked = await call("POST", path, {"step": step}, party="exporter-bank", person=person)
            assert asked.json()["code"] == "needs_two_persons", asked.text
        done = await call("POST", path, {"step": step}, party="exporter-bank", person="wang")
        assert done.status_code == 201, done.text
        again = await call("POST", path, {"step": step}, party="exporter-bank")
        assert again.status_code == 201, again.text

    await call("POST", f"{ONE}/steps", {"step": "advise"}, party="exporter-bank")
    await takes_two(f"{ONE}/steps", "confirm")
    shown = await call("POST", DRAWING, clean()[1], party="exporter")
    assert shown.status_code == 201, shown.text
    await _step(call, "examine", party="exporter-bank")
    await takes_two(f"{DRAWING}/steps", "accept")


async def test_a_refusal_by_one_person_stands(world, facts, serve) -> None:
    call = await _served(world, facts, serve, Limits.parse("USD 1.00"))
    await call("POST", "/credits", _issue(), person="aigerim")
    (waiting,) = (await call("GET", "/approvals")).json()
    path = f"/approvals/{waiting['approval']}"
    no = await call("POST", path, {"verdict": "refuse"}, person="daniyar")
    assert (no.json()["state"], no.json()["refused_by"]) == ("refused", "daniyar")
    assert (await call("POST", path, {"verdict": "approve"}, person="li")).status_code == 409
    again = await call("POST", "/credits", _issue(), person="li")
    assert again.json()["code"] == "refused_by_person"
    # Three days later the words are old, and it may be asked anew.
    world.durable.clock.set(Utc.parse("2026-09-20T09:00:00Z"))
    assert (await call("POST", "/credits", _issue(), person="li")).json()[
        "code"
    ] == "needs_two_persons"


async def test_two_banks_issue_credits_of_the_same_number(world, facts, call) -> None:
    assert (await call("POST", "/credits", _issue())).status_code == 201
    other = {**_issue(), "adviser": "importer-bank"}
    second = await call("POST", "/credits", other, party="exporter-bank")
    assert second.status_code == 201, second.text
    assert second.json()["key"] == "exporter-bank/LC-2026-0042"
    for bank in ("importer-bank", "exporter-bank"):
        assert (await call("GET", ONE, party=bank)).json()["issuer"] == bank
    unsaid = await call("GET", ONE, party="exporter")
    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "ambiguous_name")
    said = await call("GET", f"{ONE}?of=exporter-bank", party="exporter")
    assert said.json()["issuer"] == "exporter-bank"
    advise = {"step": "advise"}
    done = await call("POST", f"{ONE}/steps?of=exporter-bank", advise, party="importer-bank")
    assert done.json()["advised"] is True, done.text
    assert (await call("GET", ONE, party="importer-bank")).json()["advised"] is False


async def test_a_credit_of_before_stands_under_its_number_alone(world, facts, call) -> None:
    assert (await call("POST", "/credits", _issue())).status_code == 201
    moved = [
        replace(entry, event=replace(entry.event, aggregate="credit/LC-2026-0042"))
        for entry in world.durable.journal.written
        if entry.event.aggregate == "credit/importer-bank/LC-2026-0042"
    ]
    assert moved
    journal = world.durable.journal
    await getattr(journal, "inner", journal).append(moved)
    again = await call("POST", "/credits", _issue())
    assert (again.status_code, again.json()["key"]) == (201, "LC-2026-0042")
    advised = await call("POST", f"{ONE}/steps", {"step": "advise"}, party="exporter-bank")
    assert advised.status_code == 422, "in the test both stand, and the adviser sees both"
    said = f"{ONE}/steps?of=importer-bank"
    advised = await call("POST", said, {"step": "advise"}, party="exporter-bank")
    assert advised.json()["key"] == "LC-2026-0042"
    shown = await call("POST", f"{DRAWING}?of=importer-bank", _papers(), party="exporter")
    assert shown.status_code == 201, shown.text


async def test_records_are_asked_for_and_come_again_over_http(call) -> None:
    terms, presentation = clean_digital()
    assert (await call("POST", "/credits", _issue(terms=terms))).status_code == 201
    incomplete = presentation | {"complete": False}
    shown = (await call("POST", DRAWING, incomplete, party="exporter")).json()
    assert shown["drawings"][0]["state"] == "incomplete"
    assert (await _step(call, "examine")).status_code == 422
    whole = await _step(call, "complete", party="exporter")
    assert whole.json()["drawings"][0]["state"] == "presented"
    asked = f"{DRAWING}/records/asked"
    for party, status in (("carrier", 404), ("exporter", 403), ("exporter-bank", 201)):
        answer = await call("POST", asked, {"records": [2]}, party=party)
        assert answer.status_code == status, answer.text
    (drawing,) = answer.json()["drawings"]
    assert (drawing["state"], drawing["records_asked"]) == ("awaits_records", [2])
    assert drawing["records_until"] == "2026-10-16"
    for bad in ({"records": []}, {"records": [-1]}, {"records": [50]}, {}):
        assert (await call("POST", asked, bad)).status_code in (400, 422)
    again = {"documents": [presentation["documents"][2] | {"text": "as it was"}]}
    for party, status in (("carrier", 404), ("importer-bank", 403), ("exporter", 201)):
        answer = await call("POST", f"{DRAWING}/records", again, party=party)
        assert answer.status_code == status, answer.text
    (drawing,) = answer.json()["drawings"]
    assert drawing["state"] == "presented"
    assert drawing["papers"]["documents"][2]["text"] == "as it was"
    assert drawing["papers"]["documents"][2]["corruption"]["again_on"] == "2026-09-16"
    assert (await _step(call, "examine")).json()["drawings"][0]["state"] == "complies"


async def test_each_bank_counts_the_banking_days_of_its_own_place(
    world, facts, serve, tmp_path
) -> None:
    calendars = FolderCalendars(tmp_path)
    call = await _served(world, facts, serve, Limits({}), calendars=calendars)
    for wrong in ({"calendar": "XX"}, {"calendars": {"carrier": "CN"}}):
        refused = await call("POST", "/credits", _issue(**{"calendar": "TARGET", **wrong}))
        assert refused.status_code in (400, 422), refused.text
    issue = _issue(calendar="CN", calendars={"importer-bank": "TARGET"})
    made = await call("POST", "/credits", issue)
    assert made.json()["banking_days"] == [
        {"of": "Suzhou", "calendar": "CN", "last_year": 2026},
        {"of": "importer-bank", "calendar": "TARGET", "last_year": 2099},
    ]
    for drawing, bank, until in (("1", "importer-bank", "09-23"), ("2", "exporter-bank", "09-22")):
        path = f"{ONE}/drawings/{drawing}"
        papers = _papers() | {"claimed_minor": CLAIMED // 2}
        shown = await call("POST", path, papers, party="exporter")
        assert shown.status_code == 201, shown.text
        found = await call("POST", f"{path}/steps", {"step": "examine"}, party=bank)
        # The Sunday of 20 September is worked in China, and the counter's day is its own.
        assert found.json()["drawings"][-1]["examine_until"] == f"2026-{until}", found.text


async def test_a_year_without_data_is_said_until_the_operator_adds_it(
    world, facts, serve, tmp_path
) -> None:
    calendars = FolderCalendars(tmp_path)
    call = await _served(world, facts, serve, Limits({}), calendars=calendars)
    assert (await call("POST", "/credits", _issue(calendar="CN"))).status_code == 201
    world.durable.clock.set(Utc.parse("2026-12-29T09:00:00Z"))
    papers = _papers() | {"presented_on": "2026-12-29"}
    assert (await call("POST", DRAWING, papers, party="exporter")).status_code == 201
    unknown = await _step(call, "examine")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "calendar_not_known")
    assert "2027" in unknown.json()["detail"]
    file = {
        "calendar": "CN", "source": "the test's own", "first_year": 2027, "last_year": 2027,
        "rest": [5, 6], "announced": ["2027-01-01"],
    }  # fmt: skip
    calendars.add(json.dumps(file).encode())
    found = await _step(call, "examine")
    assert found.json()["drawings"][0]["examine_until"] == "2027-01-06", found.text
    assert (await call("GET", ONE)).json()["banking_days"][0]["last_year"] == 2027
