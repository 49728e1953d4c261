"""Who is named in a credit, a conditional payment, a deal, an exchange of currencies or a receivable."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.finance.credit_cases import BUYER, SELLER, clean
from tests.finance.listed_names import REASON, Desk
from tests.finance.service.pvp.test_service import A, B, _accept, _quoted, _rest, net, speaks
from tests.finance.service.receivables.test_registry import OWED, _paid, _shipped

from zhidao.core.actor import Actor, Role
from zhidao.core.canonical import jcs
from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc
from zhidao.finance.adapters.calendar_folder import FolderCalendars
from zhidao.finance.adapters.memory import MemoryEscrowIndex, MemoryNameIndex
from zhidao.finance.domain.credit.states import Act
from zhidao.finance.events import CreditOpened
from zhidao.finance.events.banks import EscrowOpened, Obligation
from zhidao.finance.service.control.party_names import PartyNames
from zhidao.finance.service.control.party_references import PartyReferences
from zhidao.finance.service.credits.service import Credits
from zhidao.finance.service.deals.deals import OPEN, PAY_DEAL
from zhidao.finance.service.deals.escrow_accounting import EscrowBooks
from zhidao.finance.service.deals.escrows import HELD_S, Escrows
from zhidao.finance.service.receivables.netting import Nettings
from zhidao.finance.service.receivables.registry import Receivables
from zhidao.finance.wire.credit import read_credit

PAYER_BANK, PAYEE_BANK = "importer-bank", "exporter-bank"
HELD_NAME = "exporter 公司"
"""Under this name the payee has its account in the tests' small world."""

__all__ = ["net"]  # A fixture.


def by(party: str, person: str = "") -> Actor:
    return Actor(PartyId(party), Role.PARTY, person)


# -- documentary credits -----------------------------------------------------------------------------


def letters_of(world: Any, desk: Desk) -> Credits:
    world.durable.clock.set(Utc.parse("2026-09-16T09:00:00Z"))
    return Credits(
        records=world.records,
        ledger=world.ledger,
        accounts=world.accounts,
        approvals=desk.approvals,
        clock=world.durable.clock,
        lines=world.lines,
        names=PartyReferences("credit", records=world.records, index=MemoryNameIndex()),
        calendars=FolderCalendars(Path("/nowhere")),
        holds=desk.holds,
    )


def credit_asked() -> tuple[CreditOpened, Any]:
    terms, _ = clean()
    opened = CreditOpened(
        credit=terms["number"],
        issuer=PAYER_BANK,
        beneficiary="exporter",
        applicant="importer",
        adviser=PAYEE_BANK,
        confirmer="",
        place="Suzhou",
        rest=[5, 6],
        holidays=["2026-10-01"],
        worked=[],
    )
    return opened, read_credit(jcs(terms | {"available_by": "sight", "tenor_days": 0}))


@pytest.mark.parametrize("name", [SELLER, BUYER, HELD_NAME])
async def test_a_credit_for_a_listed_name_is_issued_once_two_persons_said_so(
    world: Any, name: str
) -> None:
    world.durable.clock.set(Utc.parse("2026-09-16T09:00:00Z"))
    desk = Desk(world.records, world.durable.clock, name)
    letters = letters_of(world, desk)
    opened, terms = credit_asked()
    bank = by(PAYER_BANK)
    await desk.held(PAYER_BANK, lambda: letters.issue(bank, opened, terms=terms), name)
    assert await letters.credits(bank, limit=10) == []
    await desk.say(PAYER_BANK, "aigerim", "bolat")
    # The second person's word issued it.
    [one] = await letters.credits(bank, limit=10)
    assert one.terms == terms
    assert (await letters.issue(bank, opened, terms=terms)).key == one.key


async def test_a_credit_that_a_person_refused_is_not_issued_and_says_why(world: Any) -> None:
    world.durable.clock.set(Utc.parse("2026-09-16T09:00:00Z"))
    desk = Desk(world.records, world.durable.clock, SELLER)
    letters = letters_of(world, desk)
    opened, terms = credit_asked()
    bank = by(PAYER_BANK)
    await desk.held(PAYER_BANK, lambda: letters.issue(bank, opened, terms=terms), SELLER)
    [one] = await desk.waiting(PAYER_BANK)
    for reason in ("", " \u00a0", ".", " - ", "\u200b", "\u3164", "\u2800"):
        with pytest.raises(Refused) as bare:
            await desk.approvals.decide(
                by(PAYER_BANK, "bolat"), one.asked.approval, approve=False, reason=reason
            )
        assert bare.value.code == "reason_needed", repr(reason)
    await desk.say(PAYER_BANK, "bolat", approve=False)
    found = await desk.approvals.approval(bank, one.asked.approval)
    assert (found.state, found.reason) == ("refused", REASON)
    with pytest.raises(Refused) as refused:
        await letters.issue(bank, opened, terms=terms)
    assert refused.value.code == "refused_by_person"


async def test_who_was_listed_since_the_issue_is_looked_at_before_it_is_amended(world: Any) -> None:
    world.durable.clock.set(Utc.parse("2026-09-16T09:00:00Z"))
    desk = Desk(world.records, world.durable.clock, "Nobody Near")
    letters = letters_of(world, desk)
    opened, terms = credit_asked()
    bank = by(PAYER_BANK)
    known = await letters.issue(bank, opened, terms=terms)
    desk.put(SELLER)
    offered = clean()[0] | {"available_by": "sight", "tenor_days": 0, "amount_minor": 1}
    await desk.held(PAYER_BANK, lambda: letters.amend(bank, known.key, jcs(offered)), SELLER)
    await desk.say(PAYER_BANK, "aigerim", "bolat")
    found = await letters.credit(bank, known.key)
    assert [step.act for step, _, _ in found.steps] == [Act.ISSUE, Act.AMEND]


async def test_a_list_that_is_too_old_holds_a_credit_of_anybody(world: Any) -> None:
    world.durable.clock.set(Utc.parse("2026-09-16T09:00:00Z"))
    desk = Desk(world.records, world.durable.clock, "Nobody Near", dated=date(2026, 9, 1))
    letters = letters_of(world, desk)
    opened, terms = credit_asked()
    with pytest.raises(Refused):
        await letters.issue(by(PAYER_BANK), opened, terms=terms)
    [one] = await desk.waiting(PAYER_BANK)
    assert one.asked.said["why"] == "list_too_old"


# -- conditional payments ----------------------------------------------------------------------------


def escrows(world: Any, desk: Desk) -> Escrows:
    return Escrows(
        records=world.records,
        books=EscrowBooks(
            records=world.records,
            ledger=world.ledger,
            accounts=world.accounts,
            lines=world.lines,
            clock=world.durable.clock,
        ),
        names=PartyReferences("escrow", records=world.records, index=MemoryNameIndex()),
        accounts=world.accounts,
        approvals=desk.approvals,
        index=MemoryEscrowIndex(),
        consignments=world.durable.consignments,
        clock=world.durable.clock,
        holds=desk.holds,
    )


CONDITIONAL = EscrowOpened(
    escrow="E-1",
    payer="importer",
    payee="exporter",
    payer_bank=PAYER_BANK,
    payee_bank=PAYEE_BANK,
    amount_minor="700",
    currency="CNY",
    condition={"kind": "word", "by": "carrier", "word": "goods_ok"},
    refund_after="2026-06-01T00:00:00Z",
    arbiter="",
    reference="",
)


async def test_a_conditional_payment_to_a_listed_name_waits_before_money_is_held(
    world: Any,
) -> None:
    desk = Desk(world.records, world.durable.clock, HELD_NAME)
    payments = escrows(world, desk)
    bank = by(PAYER_BANK)
    await desk.held(PAYER_BANK, lambda: payments.open(bank, CONDITIONAL), HELD_NAME)
    assert (await world.balances())[f"{PAYER_BANK} customer importer"] == 10_000_000
    await desk.say(PAYER_BANK, "aigerim", "bolat")
    assert [one.state for one in await payments.escrows(bank, limit=10)] == ["held"]


async def _decided_for_a_listed_payee(world: Any, desk: Desk) -> tuple[Escrows, str]:
    payments = escrows(world, desk)
    opened = await payments.open(by(PAYER_BANK), CONDITIONAL)
    desk.put(HELD_NAME)
    told = await payments.attest(by("carrier"), opened.key, word="goods_ok")
    assert told.decided is not None
    assert (await world.balances())[f"{PAYEE_BANK} customer exporter"] == 0
    return payments, opened.key


async def test_who_was_listed_while_the_money_was_held_is_not_paid_before_two_persons_said_so(
    world: Any,
) -> None:
    desk = Desk(world.records, world.durable.clock, "Nobody Near")
    payments, key = await _decided_for_a_listed_payee(world, desk)
    due = payments._index
    now_ns = world.durable.clock.now().unix_ns
    assert key not in await due.due(now_ns=now_ns, limit=10)
    assert key in await due.due(now_ns=now_ns + HELD_S * 10**9, limit=10)
    await desk.say(PAYER_BANK, "aigerim", "bolat")
    assert (await world.balances())[f"{PAYEE_BANK} customer exporter"] == 700
    assert (await payments.escrow(by(PAYER_BANK), key)).state == "released"


async def test_what_a_person_refused_stays_apart_and_goes_nowhere(world: Any) -> None:
    desk = Desk(world.records, world.durable.clock, "Nobody Near")
    payments, key = await _decided_for_a_listed_payee(world, desk)
    await desk.say(PAYER_BANK, "aigerim", approve=False)
    await payments.look(key)
    balances = await world.balances()
    assert balances[f"{PAYEE_BANK} customer exporter"] == 0
    account = await world.accounts.customer(PAYER_BANK, "importer", "CNY")
    assert await world.accounts.available(account) == 10_000_000 - 700


# -- deals -------------------------------------------------------------------------------------------


async def test_a_deal_with_a_listed_payee_waits_before_it_is_opened_and_before_it_is_paid(
    world: Any, facts: Any
) -> None:
    desk = Desk(world.records, world.durable.clock, HELD_NAME)
    world.deals._holds = desk.holds
    desk.holds.carries_out(OPEN, world.deals._open_said)
    desk.holds.carries_out(PAY_DEAL, world.deals._pay_said)
    bank = by(PAYER_BANK)
    await desk.held(PAYER_BANK, lambda: world.deals.open(bank, facts.deal), HELD_NAME)
    await desk.say(PAYER_BANK, "aigerim", "bolat")
    await world.opened()
    await world.papers_agree()
    await world.customs_release()
    desk.put("Nobody Near", "公司 Exporter")
    await world.tell(facts.proven())
    assert (await world.state()).decided is None
    assert (await world.balances())[f"{PAYEE_BANK} customer exporter"] == 0
    await desk.say(PAYER_BANK, "aigerim", "bolat")
    await world.deals.tick()
    await world.go_on()
    assert (await world.balances())[f"{PAYEE_BANK} customer exporter"] == 4_200_000


# -- netting -----------------------------------------------------------------------------------------


async def test_a_cycle_with_a_listed_participant_is_not_settled_before_two_persons_said_so(
    world: Any,
) -> None:
    desk = Desk(world.records, world.durable.clock, "Nobody Near")
    nettings = Nettings(
        records=world.records,
        ledger=world.ledger,
        accounts=world.accounts,
        approvals=desk.approvals,
        names=PartyReferences("netting", records=world.records, index=MemoryNameIndex()),
        holds=desk.holds,
    )
    bank = by(PAYEE_BANK)
    for holder, name in (("importer", "Importer"), ("carrier", "Eric Badege")):
        await world.accounts.open(
            bank, holder=holder, currency="CNY", name=name, town="Goma", country="CD"
        )
    await world.accounts.deposit(
        bank, deposit="d", holder="importer", amount=Money(700, Currency("CNY"))
    )
    cycle = await nettings.open(
        bank, cycle="N-1", currency="CNY", participants=["importer", "carrier"]
    )
    owed = [Obligation(creditor="carrier", amount_minor="700", reference="a")]
    await nettings.add(by("importer"), cycle.key, batch="b", obligations=owed)
    desk.put("Eric Badege")
    await desk.held(PAYEE_BANK, lambda: nettings.settle(bank, cycle.key), "Eric Badege")
    await desk.say(PAYEE_BANK, "li", "wang")
    assert (await nettings.cycle(bank, cycle.key)).state == "settled"


# -- receivables -------------------------------------------------------------------------------------


async def test_a_share_of_a_listed_debtors_debt_waits_for_two_persons_of_who_would_hold_it(
    world: Any,
) -> None:
    desk = Desk(world.records, world.durable.clock, "Nobody Near")
    registry = Receivables(
        node="node",
        nodes=["node"],
        secret=(7).to_bytes(32, "little"),
        records=world.records,
        clock=world.durable.clock,
        shipped=_shipped,
        paid=_paid,
        randomness=world.durable.randomness,
        approvals=desk.approvals,
        holds=desk.holds,
    )
    seller = by("exporter")
    name = await registry.register(seller, OWED, obligor_party=PartyId("importer"))
    await registry.confirm(by("importer"), name)

    async def pledge() -> Any:
        return await registry.pledge(
            seller, name, share="s1", holder=PartyId(PAYEE_BANK), amount_minor=400
        )

    desk.put("importer 公司")
    await desk.held(PAYEE_BANK, pledge, "importer 公司")
    assert (await registry.shares(seller, name)).pledges == {}
    await desk.say(PAYEE_BANK, "li", "wang")
    assert (await pledge()).pledges == {"s1": (PAYEE_BANK, 400)}
    # A share that stands is not looked at again, whoever is listed meanwhile.
    desk.put("importer 公司", "Nobody Near")
    assert (await pledge()).pledges == {"s1": (PAYEE_BANK, 400)}

    async def assign() -> Any:
        return await registry.assign(by(PAYEE_BANK), name, share="s1", to=PartyId(PAYER_BANK))

    await desk.held(PAYER_BANK, assign, "importer 公司")


async def test_who_may_not_give_a_share_opens_nothing_at_anybodys_bank(world: Any) -> None:
    desk = Desk(world.records, world.durable.clock, "importer 公司")
    registry = Receivables(
        node="node",
        nodes=["node"],
        secret=(7).to_bytes(32, "little"),
        records=world.records,
        clock=world.durable.clock,
        shipped=_shipped,
        paid=_paid,
        randomness=world.durable.randomness,
        approvals=desk.approvals,
        holds=desk.holds,
    )
    name = await registry.register(by("exporter"), OWED, obligor_party=PartyId("importer"))
    await registry.confirm(by("importer"), name)
    for actor in (by("importer"), by("carrier")):
        with pytest.raises(Exception, match=r"no receivable|only|not"):
            await registry.pledge(
                actor, name, share="s1", holder=PartyId(PAYEE_BANK), amount_minor=1
            )
    assert await desk.waiting(PAYEE_BANK) == []


# -- payment versus payment --------------------------------------------------------------------------


def desk_at(net: Any, node: str, *names: str) -> Desk:
    one = net.nodes[node]
    desk = Desk(
        one.service._records,
        one.clock,
        *names,
        approvals=one.approvals,
        organisation_of=lambda peer: f"Organisation of {peer}",
    )
    one.service._holds = one.quotes._holds = desk.holds
    return desk


@pytest.mark.parametrize("name", ["importer bank", f"Organisation of {A}"])
async def test_a_quote_for_a_listed_client_is_not_given(net: Any, name: str) -> None:
    desk = desk_at(net, B, name)
    await desk.held("exporter-bank", lambda: _quoted(net), name)
    assert net.waiting == []
    await desk.say("exporter-bank", "li", "wang")
    await _quoted(net)
    assert len(await net.nodes[A].quotes.quotes(speaks(A), limit=10)) == 1


@pytest.mark.parametrize("name", ["exporter bank", f"Organisation of {B}", "own"])
async def test_a_quote_of_a_listed_dealer_or_for_a_listed_customer_is_not_taken(
    net: Any, name: str
) -> None:
    await _quoted(net)
    desk = desk_at(net, A, name)
    before = await net.nodes[A].balance("own")
    await desk.held("importer-bank", lambda: _accept(net), name)
    assert await net.nodes[A].held() == 0
    await desk.say("importer-bank", "aigerim", "bolat")
    await _rest(net)
    # The second person's word took it.
    assert await net.nodes[A].balance("own") == before - 1_000_001


# -- under what names --------------------------------------------------------------------------------


async def test_a_party_is_asked_under_every_name_that_it_has_here(world: Any) -> None:
    async def listed() -> dict[str, str]:
        return {"exporter": "Xi'an Pumps", "somebody.else-2": ""}

    names = PartyNames(world.records, listed=listed, organisation_of=str.upper)
    assert await names.of(["exporter", ""]) == {HELD_NAME, "Xi'an Pumps"}
    # A bank by its own name, and not by those of its customers.
    assert await names.of([PAYEE_BANK]) == {f"The {PAYEE_BANK}"}
    assert await names.of(["somebody.else-2"], nodes=["east"]) == {"somebody else 2", "EAST"}
