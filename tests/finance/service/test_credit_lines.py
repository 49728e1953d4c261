"""A bank is owed by another no more than its line: by one message, by many at once, or for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.finance.service.bank_desks import UETRS, Desks, read

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Forbidden, Refused
from zhidao.core.ids import PartyId
from zhidao.finance.domain.message import StatusReport
from zhidao.finance.domain.naming import AccountCode, account_id
from zhidao.finance.service.credit_lines import Pair
from zhidao.finance.wire.iso20022.trees import account

HERE = Actor(PartyId("exporter-bank"), Role.PARTY)
PAIR = Pair("exporter-bank", "importer-bank", "CNY")


@pytest.fixture
async def desks(world: Any) -> Desks:
    """Nobody has set a line."""
    return await Desks(world).ready(line_minor=0)


async def _line(desks: Desks, minor: int) -> None:
    line = await desks.lines.set(HERE, peer="importer-bank", currency="CNY", limit_minor=minor)
    assert line.limit_minor == minor


async def _file(desks: Desks, amount: int, *, message: str = "M-1", first: int = 0) -> bytes:
    """A pacs.008 of the importer's bank with one payment."""
    made = desks.pays(amount, message=message, uetr=UETRS[first])
    _, onward = await desks.take("importer-bank", "importer", made)
    return onward.data


async def _told(desks: Desks, data: bytes) -> list[tuple[str, str]]:
    answer, *_ = await desks.take("exporter-bank", "importer-bank", data)
    report = read(answer)
    assert isinstance(report, StatusReport)
    return [(one.status, one.reason) for one in report.statuses]


async def test_without_a_line_no_payment_of_another_bank_is_credited(desks: Desks) -> None:
    data = await _file(desks, 700)
    answer, *notices = await desks.take("exporter-bank", "importer-bank", data)
    assert notices == []
    assert await _told(desks, data) == [("RJCT", "NARR")]
    report = read(answer)
    assert isinstance(report, StatusReport)
    assert [(one.status, one.reason) for one in report.statuses] == [("RJCT", "AM14")]
    await desks.take("importer-bank", "exporter-bank", answer.data)
    assert (await desks.balance("importer"), await desks.balance("exporter")) == (10_000_000, 0)


async def test_a_line_holds_to_the_last_minor_unit_within_one_message(desks: Desks) -> None:
    await _line(desks, 1_000)
    _, onward = await desks.take("importer-bank", "importer", desks.pays(700, 301, 300, 1))
    assert await _told(desks, onward.data) == [
        *(("ACSC", ""), ("RJCT", "AM14"), ("ACSC", ""), ("RJCT", "AM14")),
    ]
    assert await desks.balance("exporter") == 1_000
    line = await desks.lines.line(HERE, peer="importer-bank", currency="CNY")
    assert (line.limit_minor, line.used_minor) == (1_000, 1_000)


async def test_what_was_refused_stays_refused_when_there_is_room_again(desks: Desks) -> None:
    """Its payer has the money back: crediting the payee now would make money."""
    data = await _file(desks, 700)
    assert await _told(desks, data) == [("RJCT", "AM14")]
    await _line(desks, 10_000)
    assert await _told(desks, data) == [("RJCT", "NARR")]
    assert await desks.balance("exporter") == 0
    assert await _told(desks, await _file(desks, 700, message="M-2", first=1)) == [("ACSC", "")]


async def test_an_auditor_sees_the_lines_of_all_banks(desks: Desks) -> None:
    await _line(desks, 1_000)
    found = await desks.lines.lines(Actor(PartyId("auditor"), Role.AUDITOR), limit=9)
    assert [(one.pair, one.limit_minor) for one in found] == [(PAIR, 1_000)]


async def test_what_no_account_took_stays_refused_when_the_account_opens(desks: Desks) -> None:
    await _line(desks, 10_000)
    nobody = account_id(
        bank="exporter-bank", code=AccountCode.CUSTOMER, holder="carrier", currency="CNY"
    )
    made = desks.pays(700, payee_account=account(nobody.hex))
    _, onward = await desks.take("importer-bank", "importer", made)
    assert await _told(desks, onward.data) == [("RJCT", "AC01")]
    opened = await desks.world.accounts.open(
        HERE, holder="carrier", currency="CNY", name="Carrier", town="Xi'an", country="CN"
    )
    assert opened.opened.account == str(nobody)
    assert await _told(desks, onward.data) == [("RJCT", "NARR")]
    assert (await desks.world.ledger.account("CNY", nobody)).available == 0


async def test_a_message_that_comes_again_after_the_line_is_used_up_is_answered_alike(
    desks: Desks,
) -> None:
    await _line(desks, 700)
    data = await _file(desks, 700)
    for _ in range(3):
        assert await _told(desks, data) == [("ACSC", "")]
    await _line(desks, 0)
    assert await _told(desks, data) == [("ACSC", "")]
    assert await desks.balance("exporter") == 700


async def test_many_messages_at_once_stay_within_the_line(desks: Desks) -> None:
    await _line(desks, 1_000)
    files = [await _file(desks, 300, message=f"N-{n}", first=n) for n in range(12)]
    told = await asyncio.gather(*(_told(desks, data) for data in files))
    assert sum(one == [("ACSC", "")] for one in told) == 3
    assert await desks.balance("exporter") == 900


async def test_room_comes_back_with_what_goes_back(desks: Desks) -> None:
    await _line(desks, 700)
    assert await _told(desks, await _file(desks, 700)) == [("ACSC", "")]
    await desks.payments.give_back(desks.banks["exporter-bank"], UETRS[:1], reason="AC04")
    assert await _told(desks, await _file(desks, 700, message="M-2", first=1)) == [("ACSC", "")]


async def test_a_line_above_the_limit_takes_two_persons_and_an_old_word_raises_nothing(
    world: Any,
) -> None:
    desks = await Desks(world, limits="CNY 10.00").ready(line_minor=0)
    await _line(desks, 1_000)
    asked = {"peer": "importer-bank", "currency": "CNY", "limit_minor": 1_001}
    with pytest.raises(Refused) as waits:
        await desks.lines.set(HERE, **asked)
    assert waits.value.code == "needs_two_persons"
    name = waits.value.where.partition(" ")[2]
    persons = [Actor(PartyId("exporter-bank"), Role.PARTY, person) for person in ("li", "wang")]
    for person in persons:
        await desks.approvals.decide(person, name, approve=True)
    line = await desks.lines.line(HERE, peer="importer-bank", currency="CNY")
    assert line.limit_minor == 1_001
    await _line(desks, 0)
    await desks.approvals.decide(persons[0], name, approve=True)
    line = await desks.lines.line(HERE, peer="importer-bank", currency="CNY")
    assert line.limit_minor == 0


async def test_only_a_bank_sets_a_line_and_never_for_itself_or_a_stranger(desks: Desks) -> None:
    with pytest.raises(Forbidden):
        await desks.lines.set(
            Actor(PartyId("exporter"), Role.PARTY),
            peer="importer-bank",
            currency="CNY",
            limit_minor=1,
        )
    for peer, code in (("exporter-bank", "same_party"), ("carrier", "not_a_bank")):
        with pytest.raises(Refused) as refused:
            await desks.lines.set(HERE, peer=peer, currency="CNY", limit_minor=1)
        assert refused.value.code == code


async def test_claims_that_fail_inside_leave_nothing_behind(desks: Desks) -> None:
    await _line(desks, 1_000)
    with pytest.raises(ZeroDivisionError):
        async with desks.lines.claim_all(PAIR, [(b"a" * 16, 1_000)]):
            raise ZeroDivisionError
    async with desks.lines.claim_all(PAIR, [(b"b" * 16, 1_000)]):
        pass
    with pytest.raises(Refused) as refused:
        async with desks.lines.claim_all(PAIR, [(b"c" * 16, 1_001)]):
            pass
    assert refused.value.code == "credit_line"


async def test_a_bank_reads_its_own_lines_page_by_page(desks: Desks) -> None:
    await _line(desks, 5)
    await desks.lines.set(HERE, peer="importer-bank", currency="EUR", limit_minor=7)
    rows = await desks.lines.lines(HERE, limit=1)
    assert [(row.pair.currency, row.limit_minor) for row in rows] == [("CNY", 5)]
    rows = await desks.lines.lines(HERE, limit=5, after=("importer-bank", "CNY"))
    assert [(row.pair.currency, row.limit_minor) for row in rows] == [("EUR", 7)]
    assert await desks.lines.lines(Actor(PartyId("importer-bank"), Role.PARTY), limit=5) == []


async def test_the_line_of_a_bank_whose_key_is_elsewhere_is_told_by_the_node(desks: Desks) -> None:
    records = desks.world.records
    ring = records._scribe._ring
    records._scribe._ring = type(ring)(
        {party: key for party, key in ring._keys.items() if party != HERE.party}
    )
    await _line(desks, 700)
    *_, told = await records.history("credit-line/exporter-bank/importer-bank/CNY")
    assert (told.owner, told.asserted_by.party) == ("exporter-bank", "node")
    assert not told.custodian
