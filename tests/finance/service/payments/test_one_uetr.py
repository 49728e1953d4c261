"""A UETR is no secret: whoever uses another's again neither decides nor hinders that payment."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.finance.conftest import actor
from tests.finance.service.bank_services import UETRS, BankServices, read

from zhidao.core.actor import Role
from zhidao.core.errors import Refused
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.naming import AccountCode
from zhidao.finance.domain.payments.message import Returns, StatusReport
from zhidao.finance.domain.payments.payment_legs import leg_name
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.payments import creditor_agent
from zhidao.finance.service.payments.customer_payments import CustomerPayments
from zhidao.finance.service.payments.debtor_agent import Instructing
from zhidao.finance.service.payments.sending import Outgoing
from zhidao.finance.wire.iso20022.syntax.trees import account, bank

START = 10_000_000
PAYER, PAYEE, THIRD = "importer-bank", "exporter-bank", "third-bank"
NOBODY = account("0" * 32)


@pytest.fixture
async def services(world: Any) -> BankServices:
    """With accounts in dollars, and a third bank whose customer is the carrier."""
    made = await BankServices(world).ready()
    third = BankAdmitted(bank=THIRD, name="Third", bic="ALTDKZKA", town="Almaty", country="KZ")
    await world.accounts.admit(actor("operator", Role.OPERATOR), third)
    made.banks[THIRD] = await world.accounts.bank(THIRD)
    for name, holder, currency in (
        (PAYER, "importer", "USD"),
        (PAYEE, "exporter", "USD"),
        (THIRD, "carrier", "CNY"),
    ):
        where = {"name": holder, "town": "Almaty", "country": "KZ"}
        await world.accounts.open(actor(name), holder=holder, currency=currency, **where)
        opened = await world.accounts.customer(name, holder, currency)
        made.accounts[f"{holder} {currency}"] = UUID(opened.account).hex
    for name, holder, currency in ((PAYER, "importer", "USD"), (THIRD, "carrier", "CNY")):
        amount = Money(START, Currency(currency))
        await world.accounts.deposit(actor(name), deposit="d", holder=holder, amount=amount)
    for peer, currency in ((THIRD, "CNY"), (PAYER, "USD")):
        await made.lines.set(actor(PAYEE), peer=peer, currency=currency, limit_minor=START)
    return made


def dollars(services: BankServices, minor: int, message: str, **changes: Any) -> bytes:
    return services.pays(
        minor,
        message=message,
        currency="USD",
        payer_account=account(services.accounts["importer USD"]),
        **{"payee_account": account(services.accounts["exporter USD"]), **changes},
    )


async def of_the_third(services: BankServices, minor: int, **changes: Any) -> Outgoing:
    """What the third bank sends under the same UETR."""
    data = services.pays(
        minor,
        message=uuid4().hex,
        payer_account=account(services.accounts["carrier CNY"]),
        payer_bank=bank("ALTDKZKA"),
        **changes,
    )
    return (await services.take(THIRD, "carrier", data))[-1]


async def heard(services: BankServices, sender: str, onward: Outgoing) -> StatusReport:
    answer, *_ = await services.take(PAYEE, sender, onward.data)
    await services.take(sender, PAYEE, answer.data)
    report = read(answer)
    assert isinstance(report, StatusReport)
    return report


async def available(services: BankServices, whose: str, currency: str) -> int:
    name = UUID(services.accounts[whose])
    return (await services.world.ledger.account(currency, name)).available


async def require_agreed(services: BankServices) -> None:
    """The two banks' books on each other agree, and nothing is reserved."""
    ledger, directory = services.world.ledger, services.payments._directory
    for currency in await ledger.shards():
        assert await ledger.reserved(currency) == ()
        for name in (PAYER, THIRD):
            sums = []
            for at, code, other in (
                (name, AccountCode.DUE_TO_BANK, PAYEE),
                (PAYEE, AccountCode.DUE_FROM_BANK, name),
            ):
                own = await directory.between(services.banks[at], code, other, currency)
                kept = await ledger.account(currency, UUID(bytes=own[::-1]))
                sums.append(abs(kept.credits_posted - kept.debits_posted))
            assert sums[0] == sums[1], (currency, name)


@pytest.mark.parametrize("inside", [False, True])
async def test_a_uetr_stands_for_one_payment_of_a_bank_in_whatever_currency(
    services: BankServices, inside: Any
) -> None:
    to = {"payee_bank": bank("ALMAKZKA"), "payee_account": account(services.accounts["importer"])}
    _, onward = await services.take(PAYER, "importer", dollars(services, 500, "M-1"))
    for changes in (to, {"payee_account": NOBODY}) if inside else ({}, {"payee_account": NOBODY}):
        second = services.pays(700, message=uuid4().hex, **changes)
        [told] = await services.take(PAYER, "importer", second)
        assert {one.status for one in read(told).statuses} == {"RJCT"}
    assert await services.balance("importer") == START
    # The first goes on as if nobody had asked; instructed again, it is told alike.
    _, again = await services.take(PAYER, "importer", dollars(services, 500, "M-1"))
    assert again.data == onward.data
    assert (await heard(services, PAYER, onward)).status == "ACSC"
    assert await available(services, "exporter USD", "USD") == 500
    await require_agreed(services)


@pytest.mark.parametrize("first", ["CNY", "USD"])
async def test_an_answer_is_on_the_payment_whose_message_it_names(
    services: BankServices, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As earlier versions let it be, and two instructions in one moment may.
    async def nothing(*_: Any) -> set[int]:
        return set()

    monkeypatch.setattr(Instructing, "_taken", nothing)
    bad = {"payee_account": NOBODY}
    sent = {
        "USD": dollars(services, 500, "M-1", **({} if first == "USD" else bad)),
        "CNY": services.pays(700, message="M-2", **({} if first == "CNY" else bad)),
    }
    onward = {c: (await services.take(PAYER, "importer", data))[-1] for c, data in sent.items()}
    other = "CNY" if first == "USD" else "USD"
    assert (await heard(services, PAYER, onward[other])).status == "RJCT"
    assert len(await services.world.ledger.reserved(first)) == 1
    assert await services.world.ledger.reserved(other) == ()
    assert (await heard(services, PAYER, onward[first])).status == "ACSC"
    await require_agreed(services)


async def test_a_return_and_a_recall_name_the_currency(
    services: BankServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: Any) -> set[int]:
        return set()

    monkeypatch.setattr(Instructing, "_taken", nothing)
    for data in (dollars(services, 500, "M-1"), services.pays(700, message="M-2")):
        _, onward = await services.take(PAYER, "importer", data)
        assert (await heard(services, PAYER, onward)).status == "ACSC"
    back = services.payments.back
    payer, payee = services.banks[PAYER], services.banks[PAYEE]
    for asking in (
        back.recall(payer, UETRS[:1], reason="DUPL"),
        back.give_back(payee, UETRS[:1], reason="CUST"),
    ):
        with pytest.raises(Refused) as several:
            await asking
        assert several.value.code == "several_payments"
    [recall] = await back.recall(payer, UETRS[:1], reason="DUPL", currency="CNY")
    [pending] = await services.take(PAYEE, PAYER, recall.data)
    assert read(pending).answers[0].status == "PDCR"
    for currency, minor in (("USD", 500), ("CNY", 700)):
        for _ in range(2):
            [sent] = await back.give_back(payee, UETRS[:1], reason="CUST", currency=currency)
            message = read(sent)
            assert isinstance(message, Returns)
            assert (message.returns[0].currency, message.returns[0].returned_minor) == (
                currency,
                minor,
            )
        answer, *_ = await services.take(PAYER, PAYEE, sent.data)
        await services.take(PAYEE, PAYER, answer.data)
    assert await available(services, "importer USD", "USD") == START
    assert await services.balance("importer") == START
    await require_agreed(services)


@pytest.mark.parametrize("bounces", [False, True])
async def test_a_cent_from_another_bank_neither_locks_nor_bounces_a_payment(
    services: BankServices, bounces: Any
) -> None:
    _, onward = await services.take(PAYER, "importer", services.pays(700))
    cent = await of_the_third(services, 1, **({"payee_account": NOBODY} if bounces else {}))
    assert (await heard(services, THIRD, cent)).status == ("RJCT" if bounces else "ACSC")
    for _ in range(2):
        assert (await heard(services, PAYER, onward)).status == "ACSC"
    assert await services.balance("exporter") == 700 + (not bounces)
    await require_agreed(services)


async def test_each_of_two_banks_asks_its_own_back_and_a_return_names_which(
    services: BankServices,
) -> None:
    _, onward = await services.take(PAYER, "importer", services.pays(700))
    assert (await heard(services, THIRD, await of_the_third(services, 1))).status == "ACSC"
    assert (await heard(services, PAYER, onward)).status == "ACSC"
    back, payee = services.payments.back, services.banks[PAYEE]
    with pytest.raises(Refused, match="ALTDKZKA") as several:
        await back.give_back(payee, UETRS[:1], reason="CUST")
    assert several.value.code == "several_payments"
    [recall] = await back.recall(services.banks[THIRD], UETRS[:1], reason="DUPL")
    [told] = await services.take(PAYEE, THIRD, recall.data)
    assert read(told).answers[0].status == "PDCR"
    _, given = await back.answer_recall(payee, THIRD, recall.message, agreed=UETRS[:1])
    assert read(given).returns[0].returned_minor == 1
    [sent] = await back.give_back(payee, UETRS[:1], reason="CUST", sent_by="ALMAKZKA")
    assert read(sent).returns[0].returned_minor == 700
    for name, message in ((THIRD, given), (PAYER, sent)):
        answer, *_ = await services.take(name, PAYEE, message.data)
        await services.take(PAYEE, name, answer.data)
    assert (await services.balance("importer"), await services.balance("exporter")) == (START, 0)
    assert await available(services, "carrier CNY", "CNY") == START
    await require_agreed(services)


async def test_a_bank_speaks_for_what_it_was_sent_not_for_what_another_sent(
    services: BankServices,
) -> None:
    _, onward = await services.take(PAYER, "importer", services.pays(700))
    report = await heard(services, THIRD, await of_the_third(services, 1))
    assert report.status == "ACSC"
    # That the third bank's cent was credited bears no word out on the payment of the first.
    lie = report._replace(receiver="ALMAKZKA", original=onward.message)
    own, payer = services.payments._own, services.banks[PAYER]
    with pytest.raises(Refused) as past:
        await own.require(payer, services.banks[PAYEE], lie, "0" * 64)
    assert past.value.code == "past_own_books"
    assert (await heard(services, PAYER, onward)).status == "ACSC"
    await own.require(payer, services.banks[PAYEE], lie, "0" * 64)


@pytest.mark.parametrize("bounces", [False, True])
async def test_what_an_earlier_version_credited_or_refused_stands(
    services: BankServices, bounces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"payee_account": NOBODY} if bounces else {}
    _, onward = await services.take(PAYER, "importer", services.pays(700, **changes))
    with monkeypatch.context() as earlier:
        # Its names did not hold who sent it.
        earlier.setattr(
            creditor_agent, "leg_name", lambda bank, uetr, leg, **_: leg_name(bank, uetr, leg)
        )
        first = await heard(services, PAYER, onward)
    again = await heard(services, PAYER, onward)
    assert again.status == first.status == ("RJCT" if bounces else "ACSC")
    cent = await heard(services, THIRD, await of_the_third(services, 1))
    if bounces:
        # Whose refusal it was stands nowhere: nobody pays under it any more, and everybody hears.
        assert cent.status == "RJCT"
        assert await services.balance("importer") == START
    else:
        assert (cent.status, await services.balance("exporter")) == ("ACSC", 701)
        back = services.payments.back
        payee, payer = services.banks[PAYEE], services.banks[PAYER]
        [sent] = await back.give_back(payee, UETRS[:1], reason="CUST", sent_by=payer.bic)
        answer, *_ = await services.take(PAYER, PAYEE, sent.data)
        await services.take(PAYEE, PAYER, answer.data)
        assert (await services.balance("importer"), await services.balance("exporter")) == (
            START,
            1,
        )
    await require_agreed(services)


async def test_every_payment_under_a_uetr_is_found_for_who_says_that_it_paid(
    services: BankServices,
) -> None:
    world = services.world
    paid = CustomerPayments(world.ledger, world.accounts, services.payments._directory)
    await heard(services, THIRD, await of_the_third(services, 1))
    _, onward = await services.take(PAYER, "importer", services.pays(700))
    await heard(services, PAYER, onward)
    found = [await paid.payment("CNY", one) for one in await paid.under(PAYEE, UETRS[0])]
    assert sorted(one.amount_minor for one in found if one is not None) == [1, 700]
