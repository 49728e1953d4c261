"""What a person of a bank refused moves no money later, whatever the lists say by then."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from tests.finance.service.bank_services import BankServices
from tests.finance.service.control.test_name_holds import FRESH, bank_with, pays, say, told

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.finance.adapters.memory import HeldLists
from zhidao.finance.domain.ledger.records import uuid_of
from zhidao.finance.domain.naming import AccountCode
from zhidao.finance.domain.screening.screening import Lists
from zhidao.finance.wire.iso20022.syntax.trees import account, person
from zhidao.finance.wire.screening_lists import read_list

START = 10_000_000
OLD = date(2026, 4, 1)
LISTED, OTHERS = "1,Eric Badege\n", "1,Somebody Else\n"


def lists(services: BankServices, text: str, dated: date = FRESH) -> None:
    """From now on the node has this list."""
    listed = read_list("csv", f"id,name\n{text}".encode(), dated=dated)
    source = HeldLists(Lists.of([(listed.version, listed.entries)]))
    services.names._screening._source = source  # type: ignore[attr-defined]


async def money(services: BankServices) -> tuple[int, int]:
    return await services.balance("importer"), await services.balance("exporter")


async def owed(services: BankServices) -> tuple[int, int]:
    """What the payer's bank says it owes, and what the payee's bank says it is owed."""
    directory, ledger = services.payments._directory, services.world.ledger
    payers, payees = services.banks["importer-bank"], services.banks["exporter-bank"]
    found = []
    for bank, code, other in (
        (payers, AccountCode.DUE_TO_BANK, payees),
        (payees, AccountCode.DUE_FROM_BANK, payers),
    ):
        name = await directory.between(bank, code, other.bank, "CNY")
        kept = await ledger.account("CNY", uuid_of(name))
        found.append(abs(kept.credits_posted - kept.debits_posted))
    return found[0], found[1]


async def refused_at_payees_bank(services: BankServices, data: bytes) -> None:
    assert await told(services, data) == ("PDNG", "")
    await say(services, "importer-bank", "aigerim", "bolat")
    await say(services, "exporter-bank", "li", approve=False)


@pytest.mark.parametrize("told_at_once", [False, True])
async def test_what_the_payees_bank_refused_is_not_credited_once_the_lists_are_others(
    world: Any, told_at_once: Any
) -> None:
    services = await bank_with(world, OLD)
    data = pays(services, "Honest Pumps")
    if not told_at_once:
        services.approvals._ways.refusals.clear()  # As if the process died after the word was written.
    await refused_at_payees_bank(services, data)
    if not told_at_once:
        assert await money(services) == (START - 700, 0)
        await services.goes_on()
    assert await money(services) == (START, 0)
    for text, dated in ((OTHERS, FRESH), (LISTED, FRESH), (OTHERS, OLD), (OTHERS, FRESH)):
        lists(services, text, dated)
        await told(services, data)
        await services.goes_on()
        assert await money(services) == (START, 0)
        assert await owed(services) == (0, 0)


@pytest.mark.parametrize("others", [(OTHERS, FRESH), (LISTED, OLD)])
async def test_what_the_payers_bank_refused_is_rejected_for_good(world: Any, others: Any) -> None:
    services = await bank_with(world)
    data = pays(services)
    assert await told(services, data) == ("PDNG", "")
    await say(services, "importer-bank", "aigerim", approve=False)
    assert await told(services, data) == ("RJCT", "RR04")
    lists(services, *others)
    assert (await told(services, data))[0] == "RJCT"
    assert await money(services) == (START, 0)


async def test_a_refusal_that_is_forgotten_by_age_stays_one(world: Any) -> None:
    services = await bank_with(world)
    data = services.pays(700, day="2026-05-07", payee=person("Eric Badege", "Xi'an", "CN"))
    await told(services, data)
    await say(services, "importer-bank", "aigerim", approve=False)
    world.durable.clock.set(Utc.parse("2026-05-05T01:00:00Z"))
    assert (await told(services, data))[0] == "RJCT"
    assert await money(services) == (START, 0)


async def test_nobody_slips_past_a_hold_beside_a_payment_that_was_refused(world: Any) -> None:
    services = await bank_with(world)
    first = pays(services)
    await told(services, first)
    await say(services, "importer-bank", "aigerim", approve=False)
    mixed = services.pays(700, 800, message="M-2", payee=person("Eric Badege", "Xi'an", "CN"))
    assert await told(services, mixed) == ("PDNG", "")
    await say(services, "importer-bank", "aigerim", "bolat")
    await say(services, "exporter-bank", "li", "wang")
    assert await money(services) == (START - 800, 800)
    assert await owed(services) == (800, 800)


@pytest.mark.parametrize(
    ("bank", "side"), [("exporter-bank", "payee_account"), ("importer-bank", "payer_account")]
)
async def test_whoever_holds_the_account_is_looked_for_under_the_name_it_was_opened_by(
    world: Any, bank: str, side: str
) -> None:
    services = await bank_with(world, text=OTHERS)
    opened = await world.accounts.open(
        Actor(PartyId(bank), Role.PARTY),
        holder="carrier",
        currency="CNY",
        name="Blue Lake Trading",
        town="Almaty",
        country="KZ",
    )
    lists(services, "1,Blue Lake Trading\n")
    number = account(UUID(opened.opened.account).hex)
    await told(services, services.pays(700, **{side: number}))
    waiting = await services.approvals.approvals(Actor(PartyId(bank), Role.PARTY), limit=10)
    [one] = waiting
    assert one.asked.said["first"][0]["name"] == "Blue Lake Trading"
    assert await services.balance("exporter") == 0
