"""Money that goes back: only together with the other bank's word, whatever day it is there."""

from __future__ import annotations

import pytest
from tests.finance.returns_simulator import FUNDS, Simulation
from tests.finance.service.bank_services import UETRS, BankServices, read

from zhidao.core.errors import Refused
from zhidao.core.timescale import Utc
from zhidao.finance.domain.payments.message import Returns, StatusReport

START = FUNDS
SATURDAY = Utc.parse("2026-05-02T08:00:00Z")


@pytest.fixture
async def services(world) -> BankServices:
    return await BankServices(world).ready()


async def paid(services: BankServices, amount: int) -> None:
    _, onward = await services.take("importer-bank", "importer", services.pays(amount))
    answer, *_ = await services.take("exporter-bank", "importer-bank", onward.data)
    await services.take("importer-bank", "exporter-bank", answer.data)


async def give_back(services: BankServices, uetr: str = UETRS[0]):
    exporter = services.banks["exporter-bank"]
    [sent] = await services.payments.back.give_back(exporter, [uetr], reason="AC04")
    return sent


def day_of(sent) -> str:
    back = read(sent)
    assert isinstance(back, Returns)
    return back.returns[0].day


async def test_a_return_on_a_closed_day_bears_the_next_open_one_and_is_taken(
    services: BankServices,
) -> None:
    await paid(services, 700)
    services.world.durable.clock.set(SATURDAY)
    sent = await give_back(services)
    assert day_of(sent) == "2026-05-04"
    answer, *_ = await services.take("importer-bank", "exporter-bank", sent.data)
    await services.take("exporter-bank", "importer-bank", answer.data)
    assert await services.balance("importer") == START
    assert await services.balance("exporter") == 0


async def test_a_return_that_the_payers_bank_refuses_is_the_payees_again(
    services: BankServices,
) -> None:
    await paid(services, 700)
    sent = await give_back(services)
    assert await services.balance("exporter") == 0, "reserved"
    services.world.durable.clock.set(Utc.parse("2026-05-06T00:10:00Z"))
    [answer] = await services.take("importer-bank", "exporter-bank", sent.data)
    report = read(answer)
    assert isinstance(report, StatusReport)
    assert report.statuses[0].reason == "DT01"
    await services.take("exporter-bank", "importer-bank", answer.data)
    assert await services.balance("exporter") == 700
    # Another day is another message, and that one is taken.
    later = await give_back(services)
    assert later.message != sent.message
    assert day_of(later) == "2026-05-06"
    # The first, come again, is answered as it was, and changes nothing by that.
    [again] = await services.take("importer-bank", "exporter-bank", sent.data)
    assert again.data == answer.data
    await services.take("exporter-bank", "importer-bank", again.data)
    assert await services.balance("exporter") == 0
    answer, *_ = await services.take("importer-bank", "exporter-bank", later.data)
    await services.take("exporter-bank", "importer-bank", answer.data)
    assert (await services.balance("importer"), await services.balance("exporter")) == (START, 0)


async def test_a_return_asked_for_again_is_the_same_bytes_until_it_is_refused(
    services: BankServices,
) -> None:
    await paid(services, 700)
    first = await give_back(services)
    services.world.durable.clock.set(Utc.parse("2026-05-02T00:10:00Z"))
    assert (await give_back(services)).data == first.data
    await services.take("importer-bank", "exporter-bank", first.data)
    services.world.durable.clock.set(Utc.parse("2026-05-20T00:10:00Z"))
    # The answer was lost; days later the same message is still answered as it was.
    [answer] = await services.take("importer-bank", "exporter-bank", first.data)
    await services.take("exporter-bank", "importer-bank", answer.data)
    assert (await services.balance("importer"), await services.balance("exporter")) == (START, 0)


async def test_a_payment_delivered_again_days_later_still_stands(services: BankServices) -> None:
    _, onward = await services.take("importer-bank", "importer", services.pays(700))
    await services.take("exporter-bank", "importer-bank", onward.data)
    services.world.durable.clock.set(Utc.parse("2026-05-20T00:10:00Z"))
    answer, *_ = await services.take("exporter-bank", "importer-bank", onward.data)
    report = read(answer)
    assert isinstance(report, StatusReport)
    assert report.status == "ACSC"
    told, again = await services.take("importer-bank", "importer", services.pays(700))
    assert again.data == onward.data
    assert read(told).status == "ACSP"
    await services.take("importer-bank", "exporter-bank", answer.data)
    assert (await services.balance("importer"), await services.balance("exporter")) == (
        START - 700,
        700,
    )


async def test_what_is_given_back_is_refused_once_it_is_gone(services: BankServices) -> None:
    await paid(services, 700)
    sent = await give_back(services)
    answer, *_ = await services.take("importer-bank", "exporter-bank", sent.data)
    await services.take("exporter-bank", "importer-bank", answer.data)
    assert (await give_back(services)).data == sent.data
    with pytest.raises(Refused):
        await give_back(services, UETRS[5])


async def holds(seed: int) -> int:
    ended = await Simulation(seed).run()
    assert ended.owed_by_payer_bank == ended.owed_to_payee_bank, f"seed {seed}: {ended}"
    assert ended.reserved == 0, f"seed {seed}: {ended}"
    assert ended.payer + ended.payee == FUNDS, f"seed {seed}: {ended}"
    return ended.given_back


@pytest.mark.slow
async def test_two_banks_agree_to_the_cent_over_calendars_kills_and_a_bad_network() -> None:
    given = [await holds(seed) for seed in range(200)]
    assert sum(1 for one in given if one) > 30, "returns happen in the simulation"


@pytest.mark.long
async def test_two_banks_agree_over_ten_thousand_seeds() -> None:
    for seed in range(10_000):
        await holds(seed)
