"""A hold that was made for a hit stands until two persons decide, whatever becomes of the list."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
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
from tests.finance.service.test_crashes import Crash

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Refused
from zhidao.core.ids import PartyId
from zhidao.finance.adapters.memory import HeldLists
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.events import BankAdmitted
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
    # The queue says so: nobody released it, and nobody decides what was paid.
    by = Actor(PartyId("importer-bank"), Role.PARTY)
    [cleared] = await services.approvals.approvals(by, limit=10)
    assert (cleared.state, cleared.approved_by) == ("cleared", ())
    assert "looked at since, by fresh lists" in cleared.reason
    for start in ("goes on", "dies"):
        if start == "dies":
            await restarted(services, world, LATER["another list"])
        for approve in (False, True):
            person = Actor(by.party, Role.PARTY, "aigerim")
            with pytest.raises(Conflict) as error:
                await services.approvals.decide(
                    person, cleared.asked.approval, approve=approve, reason="no"
                )
            assert error.value.code == "approved_already"
        assert (await told(services, data))[0] == "ACSP"
        # Lists that nobody read since hold nothing that was booked.
        becomes(services, LATER["an old list"])
        assert (await told(services, data))[0] == "ACSP"
        [still] = await services.approvals.approvals(by, limit=10)
        assert still.state == "cleared"
    assert await services.balance("importer") == START - 700


async def test_what_was_cleared_and_not_booked_before_a_process_died_is_looked_at_anew(
    world: Any,
) -> None:
    services = await bank_with(world, date(2026, 4, 1))
    data = pays(services, "Exporter")
    assert (await told(services, data))[0] == "PDNG"
    becomes(services, LATER["another list"])
    go_on = services.payments._instructing.initiate

    async def dies(*_: Any) -> Any:
        raise Crash

    services.payments._instructing.initiate = dies
    with pytest.raises(Crash):
        await told(services, data)
    services.payments._instructing.initiate = go_on
    await restarted(services, world, LATER["an old list"])
    # Once more nobody can read the lists: two persons are asked anew, and their word counts.
    assert (await told(services, data))[0] == "PDNG"
    assert await services.balance("importer") == START
    await say(services, "importer-bank", "aigerim", approve=False)
    assert await told(services, data) == ("RJCT", "RR04")
    assert await services.balance("importer") == START


async def test_a_hold_of_what_an_earlier_version_paid_meanwhile_is_nobodys_to_refuse(
    world: Any,
) -> None:
    """It noted that fresh lists name nobody, paid, and left the approval waiting."""
    services = await bank_with(world, date(2026, 4, 1))
    data = pays(services, "Exporter")
    assert (await told(services, data))[0] == "PDNG"
    name = await waits(services.approvals, "importer-bank")
    held, services.names = services.names, None
    services.hold(
        Approvals(records=world.records, clock=world.durable.clock, limits=Limits.parse(""))
    )
    assert (await told(services, data))[0] == "ACSP"
    services.names = held
    person = Actor(PartyId("importer-bank"), Role.PARTY, "aigerim")
    await restarted(services, world, LATER["another list"])
    with pytest.raises(Conflict, match="booked meanwhile"):
        await services.approvals.decide(person, name, approve=False, reason="no")
    assert (await services.approvals.approval(person, name)).state == "cleared"
    assert await services.balance("importer") == START - 700


OTHER_WORDS = {
    "town": {"town": "Xi'an"},
    "country": {"country": "CN"},
    "currency": {"currency": "EUR"},
    "holder": {"holder": "customs"},
    "case": {"name": LISTED.upper()},
    "apostrophe": {"name": "Eric Bade'ge"},
    "order": {"name": "Badege, Eric"},
}


@pytest.mark.parametrize("words", OTHER_WORDS)
@pytest.mark.parametrize("verdict", ["", "refuse"])
@pytest.mark.parametrize("later", ["no list", "another list"])
async def test_an_account_in_other_words_is_the_same_persons_and_waits_for_two_persons(
    world: Any, words: str, verdict: str, later: str
) -> None:
    services = await bank_with(world)
    bank = Actor(PartyId("exporter-bank"), Role.PARTY)
    where = {"town": "Goma", "country": "CD"}
    asked = {"holder": "carrier", "currency": "CNY", "name": LISTED, **where}
    other = asked | OTHER_WORDS[words]

    async def opens(ask: dict[str, str]) -> str:
        try:
            await world.accounts.open(bank, **ask)
        except (Refused, Conflict) as error:
            return error.code
        return ""

    assert await opens(asked) == "needs_two_persons"
    if verdict:
        await say(services, "exporter-bank", "li", approve=False)
    becomes(services, LATER[later])
    await restarted(services, world, LATER[later])
    for _ in range(2):
        assert await opens(other) == "needs_two_persons"
        assert await opens(asked) == ("refused_by_person" if verdict else "needs_two_persons")
    # They see who was found when it was held; their word opens it in these words.
    [of_other] = [
        one
        for one in await services.approvals.approvals(bank, limit=10)
        if one.state == "waits" and one.asked.said["asked"] == other
    ]
    assert of_other.asked.said["first"][0]["like"] == LISTED
    for one in ("li", "wang"):
        person = Actor(bank.party, Role.PARTY, one)
        await services.approvals.decide(person, of_other.asked.approval, approve=True)
    assert await opens(other) == ""
    # Somebody else is not held by it.
    assert await opens(asked | {"name": "Han Mei", "holder": "exporter", "currency": "EUR"}) == ""


async def test_a_bank_in_other_words_is_the_same_bank_and_waits_for_two_persons(world: Any) -> None:
    services = await bank_with(world)
    operator = Actor(PartyId("operator"), Role.OPERATOR)
    place = {"town": "Goma", "country": "CD"}
    new = BankAdmitted(bank="carrier", name=f"{LISTED} Bank", bic="ERICKZKA", **place)
    others = [
        new,
        msgspec.structs.replace(new, bic="ERICKZKAXXX"),
        msgspec.structs.replace(new, town="Bukavu"),
        msgspec.structs.replace(new, name=new.name.lower()),
    ]
    for lists in (None, LATER["no list"]):
        if lists is not None:
            becomes(services, lists)
        for one in others if lists is not None else others[:1]:
            with pytest.raises(Refused) as refused:
                await world.accounts.admit(operator, one)
            assert refused.value.code == "needs_two_persons"


async def test_what_is_new_is_not_screened_without_lists(world: Any) -> None:
    services = await bank_with(world)
    await told(services, pays(services))
    becomes(services, LATER["no list"])
    customer = Actor(PartyId("importer"), Role.PARTY)
    data = services.pays(700, message="M-2", uetr="00000000-0000-4000-8000-0000000000ff")
    await services.payments.carry(services.banks["importer-bank"], customer, data)
    assert await services.balance("exporter") == 700


@pytest.mark.parametrize("order", ["sum first", "name first"])
@pytest.mark.parametrize("refuse", ["", "sum", "name"])
async def test_a_payment_above_the_limit_is_screened_when_it_comes(
    world: Any, order: str, refuse: str
) -> None:
    """A list that is gone once its sum was approved would have held nobody."""
    services = await bank_with(world)
    services.approvals = Approvals(
        records=world.records, clock=world.durable.clock, limits=Limits.parse("CNY 1.00")
    )
    services.names = NameHolds(
        services.names._screening, services.approvals, PartyNames(world.records)
    )
    services.hold(services.approvals, services.names)
    data = pays(services)
    assert await told(services, data) == ("PDNG", "")

    async def word(what: str) -> None:
        party, people = {
            "sum": ("importer", ("li", "wang")),
            "name": ("importer-bank", ("aigerim", "bolat")),
        }[what]
        name = await waits(services.approvals, party)
        for one in people[: 1 if refuse == what else 2]:
            person = Actor(PartyId(party), Role.PARTY, one)
            verdict = refuse != what
            await services.approvals.decide(person, name, approve=verdict, reason="listed")

    becomes(services, LATER["no list"])
    first, second = ("sum", "name") if order == "sum first" else ("name", "sum")
    await word(first)
    assert await services.balance("importer") == START
    if refuse == first:
        assert await told(services, data) == ("RJCT", {"sum": "DS02", "name": "RR04"}[refuse])
        return
    assert await told(services, data) == ("PDNG", "")
    await word(second)
    if refuse:
        assert await told(services, data) == ("RJCT", {"sum": "DS02", "name": "RR04"}[refuse])
        assert await services.balance("importer") == START
        return
    assert await services.balance("importer") == START - 700
    assert (await told(services, data))[0] == "ACSP"
