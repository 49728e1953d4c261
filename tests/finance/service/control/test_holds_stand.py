"""A hold that was made for a hit stands until two persons decide, whatever becomes of the list."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.finance.listed_names import lists_of
from tests.finance.service.control.test_name_holds import (
    FRESH,
    LISTED,
    bank_with,
    pays,
    say,
    told,
    waits,
)

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId
from zhidao.finance.adapters.memory import HeldLists
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.service.control.acting_again import ActingAgain
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.name_holds import NameHolds
from zhidao.finance.service.control.party_names import PartyNames

START = 10_000_000
LATER = {
    "no list": lists_of(dated=FRESH),
    "another list": lists_of("Somebody Else", dated=FRESH),
    "an old list": lists_of("Somebody Else", dated=date(2020, 1, 1)),
}


def becomes(services: Any, lists: Any) -> None:
    services.names._screening._source = HeldLists(lists)


async def restarted(services: Any, world: Any, lists: Any) -> None:
    """A new process over what is written: nothing of the old one's memory is there."""
    services.approvals = Approvals(
        records=world.records, clock=world.durable.clock, limits=Limits.parse("")
    )
    becomes(services, lists)
    services.names = NameHolds(
        services.names._screening, services.approvals, PartyNames(world.records)
    )
    services.hold(services.approvals, services.names)
    world.accounts.screened_by(services.names)
    await ActingAgain(services.approvals, world.durable.clock).tick()


async def reason(services: Any, bank: str) -> str:
    by = Actor(PartyId(bank), Role.PARTY)
    one = await services.approvals.approval(by, await waits(services.approvals, bank))
    return str(one.reason)


@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("start", ["goes on", "dies"])
async def test_what_the_payees_bank_holds_is_not_booked_once_the_list_is_another(
    world: Any, later: str, start: str
) -> None:
    services = await bank_with(world)
    data = pays(services)
    await told(services, data)
    await say(services, "importer-bank", "aigerim", "bolat")
    becomes(services, LATER[later])
    if start == "dies":
        await restarted(services, world, LATER[later])
    await services.goes_on()
    await told(services, data)
    assert await services.balance("exporter") == 0
    assert "no list of this node names who was found" in await reason(services, "exporter-bank")
    # Two persons decide, and it is booked once.
    await say(services, "exporter-bank", "li", "wang")
    if later == "an old list":
        # Of a list that is too old nobody knows anything: that is a question of its own.
        await say(services, "exporter-bank", "li", "wang")
    await services.goes_on()
    assert await services.balance("exporter") == 700


@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("start", ["goes on", "dies"])
async def test_what_the_payers_bank_holds_is_not_paid_by_sending_it_again(
    world: Any, later: str, start: str
) -> None:
    services = await bank_with(world)
    data = pays(services)
    await told(services, data)
    await say(services, "importer-bank", "aigerim")
    becomes(services, LATER[later])
    if start == "dies":
        await restarted(services, world, LATER[later])
    for _ in range(2):
        assert await told(services, data) == ("PDNG", "")
    assert await services.balance("importer") == START
    await say(services, "importer-bank", "bolat", approve=False)
    assert await told(services, data) == ("RJCT", "RR04")
    assert await services.balance("importer") == START


async def test_a_bank_that_brings_the_message_itself_does_not_get_around_its_hold(
    world: Any,
) -> None:
    services = await bank_with(world)
    sent: list[bytes] = []
    carry_on = services.payments.take

    async def seen(at: Any, sender: str, data: bytes, *, person: str | None = None) -> Any:
        if sender == "importer-bank" and b"pacs.008" in data:
            sent.append(data)
        return await carry_on(at, sender, data, person=person)

    services.payments.take = seen
    await told(services, pays(services))
    await say(services, "importer-bank", "aigerim", "bolat")
    becomes(services, LATER["no list"])
    by = Actor(PartyId("importer-bank"), Role.PARTY, "aigerim")
    await services.payments.carry(services.banks["exporter-bank"], by, sent[0])
    assert await services.balance("exporter") == 0


async def test_a_refusal_stands_when_the_list_is_gone(world: Any) -> None:
    services = await bank_with(world)
    data = pays(services)
    await told(services, data)
    await say(services, "importer-bank", "aigerim", approve=False)
    await restarted(services, world, LATER["no list"])
    assert await told(services, data) == ("RJCT", "RR04")
    assert await services.balance("importer") == START


async def test_an_account_that_waits_is_not_opened_once_the_list_is_gone(world: Any) -> None:
    services = await bank_with(world)
    bank = Actor(PartyId("exporter-bank"), Role.PARTY)
    asked = {
        "holder": "carrier",
        "currency": "CNY",
        "name": LISTED,
        "town": "Goma",
        "country": "CD",
    }
    for lists in (None, *LATER.values()):
        if lists is not None:
            becomes(services, lists)
        with pytest.raises(Refused) as refused:
            await world.accounts.open(bank, **asked)
        assert refused.value.code == "needs_two_persons"
    becomes(services, LATER["no list"])
    await say(services, "exporter-bank", "li", "wang")
    assert (await world.accounts.open(bank, **asked)).opened.name == LISTED


async def test_what_was_held_unread_goes_on_by_fresh_lists_and_not_without_any(world: Any) -> None:
    services = await bank_with(world, date(2026, 4, 1))
    data = pays(services, "Exporter")
    assert (await told(services, data))[0] == "PDNG"
    becomes(services, LATER["no list"])
    assert (await told(services, data))[0] == "PDNG"
    becomes(services, LATER["another list"])
    assert (await told(services, data))[0] == "ACSP"
    # The queue says so: nobody released it.
    assert "looked at since, by fresh lists" in await reason(services, "importer-bank")


async def test_what_is_new_is_not_screened_without_lists(world: Any) -> None:
    services = await bank_with(world)
    await told(services, pays(services))
    becomes(services, LATER["no list"])
    customer = Actor(PartyId("importer"), Role.PARTY)
    data = services.pays(700, message="M-2", uetr="00000000-0000-4000-8000-0000000000ff")
    await services.payments.carry(services.banks["importer-bank"], customer, data)
    assert await services.balance("exporter") == 700
