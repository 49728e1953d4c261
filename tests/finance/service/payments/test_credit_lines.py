"""A bank is owed by another no more than its line: by one message, by many at once, or for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.finance.service.bank_services import UETRS, BankServices, read

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Forbidden, Refused
from zhidao.core.ids import PartyId
from zhidao.finance.domain.naming import AccountCode, account_id
from zhidao.finance.domain.payments.message import StatusReport
from zhidao.finance.service.payments.credit_lines import Pair
from zhidao.finance.wire.iso20022.syntax.trees import account

HERE = Actor(PartyId("exporter-bank"), Role.PARTY)
PAIR = Pair("exporter-bank", "importer-bank", "CNY")


@pytest.fixture
async def services(world: Any) -> BankServices:
    """Nobody has set a line."""
    return await BankServices(world).ready(line_minor=0)


async def _line(services: BankServices, minor: int) -> None:
    line = await services.lines.set(HERE, peer="importer-bank", currency="CNY", limit_minor=minor)
    assert line.limit_minor == minor


async def _file(
    services: BankServices, amount: int, *, message: str = "M-1", first: int = 0
) -> bytes:
    """A pacs.008 of the importer's bank with one payment."""
    made = services.pays(amount, message=message, uetr=UETRS[first])
    _, onward = await services.take("importer-bank", "importer", made)
    return onward.data


async def _told(services: BankServices, data: bytes) -> list[tuple[str, str]]:
    answer, *_ = await services.take("exporter-bank", "importer-bank", data)
    report = read(answer)
    assert isinstance(report, StatusReport)
    return [(one.status, one.reason) for one in report.statuses]


async def test_without_a_line_no_payment_of_another_bank_is_credited(
    services: BankServices,
) -> None:
    data = await _file(services, 700)
    answer, *notices = await services.take("exporter-bank", "importer-bank", data)
    assert notices == []
    assert await _told(services, data) == [("RJCT", "NARR")]
    report = read(answer)
    assert isinstance(report, StatusReport)
    assert [(one.status, one.reason) for one in report.statuses] == [("RJCT", "AM14")]
    await services.take("importer-bank", "exporter-bank", answer.data)
    assert (await services.balance("importer"), await services.balance("exporter")) == (
        10_000_000,
        0,
    )


async def test_a_line_holds_to_the_last_minor_unit_within_one_message(
    services: BankServices,
) -> None:
    await _line(services, 1_000)
    _, onward = await services.take("importer-bank", "importer", services.pays(700, 301, 300, 1))
    assert await _told(services, onward.data) == [
        *(("ACSC", ""), ("RJCT", "AM14"), ("ACSC", ""), ("RJCT", "AM14")),
    ]
    assert await services.balance("exporter") == 1_000
    line = await services.lines.line(HERE, peer="importer-bank", currency="CNY")
    assert (line.limit_minor, line.used_minor) == (1_000, 1_000)


async def test_what_was_refused_stays_refused_when_there_is_room_again(
    services: BankServices,
) -> None:
    """Its payer has the money back: crediting the payee now would make money."""
    data = await _file(services, 700)
    assert await _told(services, data) == [("RJCT", "AM14")]
    await _line(services, 10_000)
    assert await _told(services, data) == [("RJCT", "NARR")]
    assert await services.balance("exporter") == 0
    assert await _told(services, await _file(services, 700, message="M-2", first=1)) == [
        ("ACSC", "")
    ]


async def test_an_auditor_sees_the_lines_of_all_banks(services: BankServices) -> None:
    await _line(services, 1_000)
    found = await services.lines.lines(Actor(PartyId("auditor"), Role.AUDITOR), limit=9)
    assert [(one.pair, one.limit_minor) for one in found] == [(PAIR, 1_000)]


async def test_what_no_account_took_stays_refused_when_the_account_opens(
    services: BankServices,
) -> None:
    await _line(services, 10_000)
    nobody = account_id(
        bank="exporter-bank", code=AccountCode.CUSTOMER, holder="carrier", currency="CNY"
    )
    made = services.pays(700, payee_account=account(nobody.hex))
    _, onward = await services.take("importer-bank", "importer", made)
    assert await _told(services, onward.data) == [("RJCT", "AC01")]
    opened = await services.world.accounts.open(
        HERE, holder="carrier", currency="CNY", name="Carrier", town="Xi'an", country="CN"
    )
    assert opened.opened.account == str(nobody)
    assert await _told(services, onward.data) == [("RJCT", "NARR")]
    assert (await services.world.ledger.account("CNY", nobody)).available == 0


async def test_a_message_that_comes_again_after_the_line_is_used_up_is_answered_alike(
    services: BankServices,
) -> None:
    await _line(services, 700)
    data = await _file(services, 700)
    for _ in range(3):
        assert await _told(services, data) == [("ACSC", "")]
    await _line(services, 0)
    assert await _told(services, data) == [("ACSC", "")]
    assert await services.balance("exporter") == 700


async def test_many_messages_at_once_stay_within_the_line(services: BankServices) -> None:
    await _line(services, 1_000)
    files = [await _file(services, 300, message=f"N-{n}", first=n) for n in range(12)]
    told = await asyncio.gather(*(_told(services, data) for data in files))
    assert sum(one == [("ACSC", "")] for one in told) == 3
    assert await services.balance("exporter") == 900


async def test_room_comes_back_with_what_goes_back(services: BankServices) -> None:
    await _line(services, 700)
    assert await _told(services, await _file(services, 700)) == [("ACSC", "")]
    importer = Actor(PartyId("importer"), Role.PARTY)
    bank = services.banks["importer-bank"]
    await services.payments.carry(bank, importer, services.pays(700))
    exporter_bank = services.banks["exporter-bank"]
    back = await services.payments.back.give_back(exporter_bank, UETRS[:1], reason="AC04")
    # Not before the other bank has taken it.
    assert await _told(services, await _file(services, 700, message="M-3", first=2)) == [
        ("RJCT", "AM14")
    ]
    await services.payments.carry_on(exporter_bank, back)
    assert await _told(services, await _file(services, 700, message="M-2", first=1)) == [
        ("ACSC", "")
    ]


async def test_a_line_above_the_limit_takes_two_persons_and_an_old_word_raises_nothing(
    world: Any,
) -> None:
    services = await BankServices(world, limits="CNY 10.00").ready(line_minor=0)
    await _line(services, 1_000)
    asked = {"peer": "importer-bank", "currency": "CNY", "limit_minor": 1_001}
    with pytest.raises(Refused) as waits:
        await services.lines.set(HERE, **asked)
    assert waits.value.code == "needs_two_persons"
    name = waits.value.where.partition(" ")[2]
    persons = [Actor(PartyId("exporter-bank"), Role.PARTY, person) for person in ("li", "wang")]
    for person in persons:
        await services.approvals.decide(person, name, approve=True)
    line = await services.lines.line(HERE, peer="importer-bank", currency="CNY")
    assert line.limit_minor == 1_001
    await _line(services, 0)
    await services.approvals.decide(persons[0], name, approve=True)
    line = await services.lines.line(HERE, peer="importer-bank", currency="CNY")
    assert line.limit_minor == 0


async def test_only_a_bank_sets_a_line_and_never_for_itself_or_a_stranger(
    services: BankServices,
) -> None:
    with pytest.raises(Forbidden):
        await services.lines.set(
            Actor(PartyId("exporter"), Role.PARTY),
            peer="importer-bank",
            currency="CNY",
            limit_minor=1,
        )
    for peer, code in (("exporter-bank", "same_party"), ("carrier", "not_a_bank")):
        with pytest.raises(Refused) as refused:
            await services.lines.set(HERE, peer=peer, currency="CNY", limit_minor=1)
        assert refused.value.code == code


async def test_claims_that_fail_inside_leave_nothing_behind(services: BankServices) -> None:
    await _line(services, 1_000)
    with pytest.raises(ZeroDivisionError):
        async with services.lines.claim_all(PAIR, [(b"a" * 16, 1_000)]):
            raise ZeroDivisionError
    async with services.lines.claim_all(PAIR, [(b"b" * 16, 1_000)]):
        pass
    with pytest.raises(Refused) as refused:
        async with services.lines.claim_all(PAIR, [(b"c" * 16, 1_001)]):
            pass
    assert refused.value.code == "credit_line"


async def test_a_bank_reads_its_own_lines_page_by_page(services: BankServices) -> None:
    await _line(services, 5)
    await services.lines.set(HERE, peer="importer-bank", currency="EUR", limit_minor=7)
    rows = await services.lines.lines(HERE, limit=1)
    assert [(row.pair.currency, row.limit_minor) for row in rows] == [("CNY", 5)]
    rows = await services.lines.lines(HERE, limit=5, after=("importer-bank", "CNY"))
    assert [(row.pair.currency, row.limit_minor) for row in rows] == [("EUR", 7)]
    assert await services.lines.lines(Actor(PartyId("importer-bank"), Role.PARTY), limit=5) == []


async def test_the_line_of_a_bank_whose_key_is_elsewhere_is_told_by_the_node(
    services: BankServices,
) -> None:
    records = services.world.records
    ring = records._scribe._ring
    records._scribe._ring = type(ring)(
        {party: key for party, key in ring._keys.items() if party != HERE.party}
    )
    await _line(services, 700)
    *_, told = await records.history("credit-line/exporter-bank/importer-bank/CNY")
    assert (told.owner, told.asserted_by.party) == ("exporter-bank", "node")
    assert not told.custodian
