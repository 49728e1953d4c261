"""A message of two currencies moves once two persons saw each: one approval shows one currency."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from tests.finance.service.bank_services import UETRS, BankServices, read
from tests.finance.service.control.test_daily_totals import PAYEE_BANK, PAYER_BANK, by, limited

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc
from zhidao.finance.domain.payments.message import (
    Return,
    Returns,
    Status,
    StatusReport,
    Transfers,
)
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.wire.iso20022.messages import reversals
from zhidao.finance.wire.iso20022.messages.messages import decode, encode
from zhidao.finance.wire.iso20022.messages.statuses import TO_BANK
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.syntax.trees import account

DAY = "2026-05-05"
FUNDS = {"CNY": 10_000_000, "EUR": 9_000_000}


async def banks(world: Any) -> tuple[BankServices, dict[str, Any]]:
    """Both hold accounts in two currencies; the parts of a payment in euros."""
    world.durable.clock.set(Utc.parse(f"{DAY}T08:00:00Z"))  # A day of work in both.
    services = await BankServices(world).ready()
    numbers = {}
    for bank, holder in ((PAYER_BANK, "importer"), (PAYEE_BANK, "exporter")):
        await world.accounts.open(
            by(bank),
            holder=holder,
            currency="EUR",
            name=f"{holder} 公司",
            town="Xi'an",
            country="CN",
        )
        opened = await world.accounts.customer(bank, holder, "EUR")
        numbers[holder] = UUID(opened.account)
    await world.accounts.deposit(
        by(PAYER_BANK),
        deposit="euros",
        holder="importer",
        amount=Money(FUNDS["EUR"], Currency("EUR")),
    )
    accounts = {
        "payer_account": account(numbers["importer"].hex),
        "payee_account": account(numbers["exporter"].hex),
    }
    return services, {"currency": "EUR", "uetr": UETRS[9], "group": "G-9", **accounts}


def both(services: BankServices, euros: dict[str, Any], *, cny: int, eur: int) -> bytes:
    parts = [services.pays(cny, day=DAY), services.pays(eur, day=DAY, **euros)]
    files = [decode(read_envelope(each)) for each in parts]
    assert all(isinstance(each, Transfers) for each in files)
    return encode(files[0]._replace(transfers=files[0].transfers + files[1].transfers))


async def left(services: BankServices, euros: dict[str, Any]) -> dict[str, int]:
    customer = services.world.accounts.customer
    found = {}
    for currency in FUNDS:
        opened = await customer(PAYER_BANK, "importer", currency)
        balance = await services.world.ledger.account(currency, UUID(opened.account))
        found[currency] = balance.available
    return found


async def status(services: BankServices, data: bytes, person: str = "") -> set[str]:
    kept = await services.payments.carry(services.banks[PAYER_BANK], by("importer", person), data)
    return {each.status for each in read(kept[0]).statuses}


async def waiting(approvals: Approvals) -> dict[str, str]:
    listed = await approvals.approvals(by("importer"), limit=10)
    return {one.asked.currency: one.asked.approval for one in listed if one.state == "waits"}


@pytest.mark.parametrize("first", ["CNY", "EUR"])
async def test_two_persons_of_one_currency_move_nothing_of_the_other(
    world: Any, first: str
) -> None:
    services, euros = await banks(world)
    approvals = limited(world)
    services.hold(approvals)
    data = both(services, euros, cny=20_000, eur=7_000_000)
    assert await status(services, data, "aida") == {"PDNG"}
    asked = await waiting(approvals)
    assert set(asked) == {"CNY", "EUR"}
    await approvals.decide(by("importer", "bolat"), asked[first], approve=True)
    assert await left(services, euros) == FUNDS
    assert set(await waiting(approvals)) == {"CNY", "EUR"} - {first}
    # Nor by sending it again, or by one who acts alone.
    assert await status(services, data, "aida") == {"PDNG"}
    assert await left(services, euros) == FUNDS
    (other,) = (await waiting(approvals)).values()
    await approvals.decide(by("importer", "chen"), other, approve=True)
    moved = {"CNY": FUNDS["CNY"] - 20_000, "EUR": FUNDS["EUR"] - 7_000_000}
    assert await left(services, euros) == moved
    assert await status(services, data, "aida") == {"ACSP"}
    assert await left(services, euros) == moved


async def test_what_is_below_the_limit_goes_with_what_two_persons_approved(world: Any) -> None:
    services, euros = await banks(world)
    approvals = limited(world)
    services.hold(approvals)
    data = both(services, euros, cny=6_000, eur=7_000_000)
    assert await status(services, data, "aida") == {"PDNG"}
    asked = await waiting(approvals)
    assert set(asked) == {"EUR"}
    await approvals.decide(by("importer", "bolat"), asked["EUR"], approve=True)
    moved = {"CNY": FUNDS["CNY"] - 6_000, "EUR": FUNDS["EUR"] - 7_000_000}
    assert await left(services, euros) == moved


@pytest.mark.parametrize("first", ["CNY", "EUR"])
async def test_two_persons_of_one_currency_take_no_return_of_the_other(
    world: Any, first: str
) -> None:
    """By the message of a bank whose books are elsewhere: one message may give several back."""
    services, euros = await banks(world)
    place = {"town": "Aktau", "country": "KZ"}
    other_bank = BankAdmitted(bank="carrier", name="A third bank", bic="CARRKZKA", **place)
    await world.accounts.admit(Actor(PartyId("operator"), Role.OPERATOR), other_bank)
    data = both(services, euros, cny=20_000, eur=7_000_000).replace(b"XIANCNBJ", b"CARRKZKA")
    assert await status(services, data, "aida") == {"ACSP"}
    gone = await left(services, euros)
    head = ("2026-05-05T08:00:00+00:00", other_bank.bic, "ALMAKZKA")
    paid = tuple(Status("", "", "", one, "ACSC", "", "") for one in (UETRS[0], UETRS[9]))
    about = ("M", "pacs.008.001.08", "", "", "")
    report = StatusReport(TO_BANK, "T-1", *head, *about, paid)
    await services.take(PAYER_BANK, "carrier", encode(report))
    back = tuple(
        Return(f"B-{uetr[-2:]}", *("",) * 4, uetr, minor, minor, currency, DAY, "AC04", "")
        for uetr, minor, currency in ((UETRS[0], 20_000, "CNY"), (UETRS[9], 7_000_000, "EUR"))
    )
    whole = Returns(reversals.RETURN, "B-BOTH", *head, back)
    approvals = limited(world)
    services.hold(approvals)

    async def brought() -> set[str]:
        payer = services.banks[PAYER_BANK]
        kept = await services.payments.carry(payer, by("carrier", "aida"), encode(whole))
        return {each.status for each in read(kept[0]).statuses}

    async def asked() -> dict[str, str]:
        listed = await approvals.approvals(by("carrier"), limit=10)
        return {one.asked.currency: one.asked.approval for one in listed if one.state == "waits"}

    for _ in range(2):
        with pytest.raises(Refused, match="two persons"):
            await brought()
    assert set(await asked()) == {"CNY", "EUR"}
    await approvals.decide(by("carrier", "bolat"), (await asked())[first], approve=True)
    assert await left(services, euros) == gone
    (other,) = (await asked()).values()
    await approvals.decide(by("carrier", "chen"), other, approve=True)
    assert await left(services, euros) == FUNDS
