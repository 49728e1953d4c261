"""Whoever is on a list is not paid and opens no account, until two persons of the bank say so."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from tests.finance.service.bank_services import BankServices, read

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import MalformedInput, NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency, Money
from zhidao.finance.adapters.memory import HeldLists
from zhidao.finance.domain.screening.screening import Lists
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.name_holds import NameHolds, again
from zhidao.finance.service.control.party_names import PartyNames
from zhidao.finance.service.control.screening import Screening
from zhidao.finance.service.ledger.accounts import ADMIT, OPEN
from zhidao.finance.wire.iso20022.syntax.trees import person
from zhidao.finance.wire.screening_lists import read_list

FRESH = date(2026, 4, 30)
LISTED = "Eric Badege"


async def bank_with(world: Any, dated: date | None = FRESH, text: str = "1,Eric Badege\n") -> Any:
    """Two banks whose node has this list, or none."""
    services = await BankServices(world).ready()
    durable = world.durable
    listed = read_list("csv", f"id,name\n{text}".encode(), dated=dated or FRESH)
    lists = Lists.of([(listed.version, listed.entries)] if dated else [])
    screening = Screening(HeldLists(lists), records=world.records, clock=durable.clock)
    names = NameHolds(screening, services.approvals, PartyNames(world.records))
    services.hold(services.approvals, names)
    world.accounts.screened_by(names)
    services.names = names
    return services


def pays(services: BankServices, payee: str = LISTED) -> bytes:
    return services.pays(700, payee=person(payee, "Xi'an", "CN"))


async def told(services: BankServices, data: bytes) -> tuple[str, str]:
    customer = Actor(PartyId("importer"), Role.PARTY)
    kept = await services.payments.carry(services.banks["importer-bank"], customer, data)
    report = read(kept[0])
    return report.statuses[0].status, report.statuses[0].reason


async def waits(approvals: Approvals, bank: str) -> str:
    listed = await approvals.approvals(Actor(PartyId(bank), Role.PARTY), limit=10)
    [one] = [each for each in listed if each.state == "waits"]
    return one.asked.approval


async def say(services: BankServices, bank: str, *persons: str, approve: bool = True) -> None:
    name = await waits(services.approvals, bank)
    for one in persons:
        by = Actor(PartyId(bank), Role.PARTY, one)
        reason = "" if approve else "the same date of birth"
        await services.approvals.decide(by, name, approve=approve, reason=reason)


async def test_a_name_on_a_list_is_paid_once_two_persons_of_each_bank_said_so(world: Any) -> None:
    services = await bank_with(world)
    data = pays(services)
    assert await told(services, data) == ("PDNG", "")
    await say(services, "importer-bank", "aigerim")
    assert await services.balance("importer") == 10_000_000
    await say(services, "importer-bank", "bolat")
    # Reserved at the payer's bank; the payee's bank looks for itself.
    assert await services.balance("importer") == 10_000_000 - 700
    assert await services.balance("exporter") == 0
    await say(services, "exporter-bank", "li", "wang")
    assert await services.balance("exporter") == 700
    assert await told(services, data) == ("ACSP", "")


async def test_what_a_person_of_the_bank_refuses_is_refused(world: Any) -> None:
    services = await bank_with(world)
    data = pays(services)
    await told(services, data)
    await say(services, "importer-bank", "aigerim", approve=False)
    assert await told(services, data) == ("RJCT", "RR04")
    assert await services.balance("importer") == 10_000_000


async def test_what_the_payees_bank_refuses_goes_back_to_the_payer(world: Any) -> None:
    services = await bank_with(world)
    await told(services, pays(services))
    await say(services, "importer-bank", "aigerim", "bolat")
    await say(services, "exporter-bank", "li", approve=False)
    await services.goes_on()
    assert await services.balance("importer") == 10_000_000
    assert await services.balance("exporter") == 0


@pytest.mark.parametrize("payee", ["Exporter", "Badger Erik Trading"])
async def test_others_are_paid_at_once(world: Any, payee: str) -> None:
    services = await bank_with(world)
    assert (await told(services, pays(services, payee)))[0] == "ACSP"
    assert await services.balance("exporter") == 700


async def test_a_list_that_is_too_old_holds_everybody_and_no_list_nobody(world: Any) -> None:
    services = await bank_with(world, date(2026, 4, 1))
    assert (await told(services, pays(services, "Exporter")))[0] == "PDNG"
    approval = await services.approvals.approval(
        Actor(PartyId("importer-bank"), Role.PARTY),
        await waits(services.approvals, "importer-bank"),
    )
    assert approval.asked.said["why"] == "list_too_old"


async def test_without_a_list_nothing_is_screened(world: Any) -> None:
    services = await bank_with(world, None)
    assert (await told(services, pays(services)))[0] == "ACSP"


async def test_an_account_under_a_listed_name_waits_for_two_persons(world: Any) -> None:
    services = await bank_with(world)
    bank = Actor(PartyId("exporter-bank"), Role.PARTY)
    asked = {
        "holder": "carrier",
        "currency": "CNY",
        "name": LISTED,
        "town": "Goma",
        "country": "CD",
    }
    with pytest.raises(Refused) as refused:
        await world.accounts.open(bank, **asked)
    assert refused.value.code == "needs_two_persons"
    await say(services, "exporter-bank", "li", "wang")
    # The second person's word opened it.
    [carrier] = [
        one for one in await world.accounts.statements(bank, limit=9) if one.opened.name == LISTED
    ]
    assert carrier.opened.holder == "carrier"
    assert (await world.accounts.open(bank, **asked)).opened == carrier.opened


@pytest.mark.parametrize("count", [20, 21])
@pytest.mark.bound("finance.service.control.name_holds.HITS_SHOWN_MAX")
async def test_the_first_hits_are_shown_and_the_number_of_all(world: Any, count: int) -> None:
    listed = "".join(f"{n},Eric Badege Nzabonimana{'q' * n}\n" for n in range(5))
    services = await bank_with(world, text=listed)
    names = [f"Eric Badege Nzabonimana{'q' * n}" for n in range(5)]
    _, hits = await services.names._alerts(names)
    assert len(hits) >= 5
    several = (hits * 5)[:count]

    async def found(asked: Any, parties: Any, nodes: Any) -> Any:
        return "", several

    services.names._alerts = found
    await told(services, pays(services))
    name = await waits(services.approvals, "importer-bank")
    approval = await services.approvals.approval(Actor(PartyId("importer-bank"), Role.PARTY), name)
    assert (approval.asked.said["hits"], len(approval.asked.said["first"])) == (count, 20)


@pytest.mark.bound("finance.service.control.name_holds.KNOWN_MAX")
@pytest.mark.parametrize(("most", "left"), [(2, 2), (1, 1)])
async def test_names_beyond_those_remembered_are_screened_again(
    world: Any, monkeypatch: pytest.MonkeyPatch, most: int, left: int
) -> None:
    services = await bank_with(world)
    monkeypatch.setattr("zhidao.finance.service.control.name_holds.KNOWN_MAX", most)
    names = services.names
    await names._alerts(["Li Lei", "Han Mei"])
    await names._alerts(["Li Lei"])
    assert len(names._clear.names) == left


@pytest.mark.parametrize("each", [80, pytest.param(1, marks=pytest.mark.long)])
async def test_nobody_on_the_lists_at_hand_is_paid(world: Any, shared: Any, each: int) -> None:
    services = await bank_with(world)
    folder = shared / "finance" / "screening"
    files = [(folder / f"ofac_{name}.csv").read_bytes() for name in ("sdn", "alt")]
    listed = read_list("ofac", *files, dated=FRESH)
    services.names._screening._source = HeldLists(Lists.of([(listed.version, listed.entries)]))
    asked = sorted({name for entry in listed.entries for name in entry.names})[::each]
    missed = [one for one in asked if not (await services.names._alerts([one]))[1]]
    assert len(asked) > 200
    assert not missed


# -- lists that change, names that are too long -----------------------------------------------------


def of(*names: str) -> Lists:
    text = "".join(f"{n},{name}\n" for n, name in enumerate(names))
    listed = read_list("csv", f"id,name\n{text}".encode(), dated=FRESH)
    return Lists.of([(listed.version, listed.entries)])


class Changing:
    """A folder in which a new list appears after it was first read."""

    def __init__(self, *lists: Lists) -> None:
        self._lists = list(lists)

    async def lists(self) -> Lists:
        return self._lists.pop(0) if len(self._lists) > 1 else self._lists[0]


async def test_a_list_that_comes_while_names_are_looked_at_is_asked_too(world: Any) -> None:
    services = await bank_with(world, text="1,Somebody Else\n")
    services.names._screening._source = Changing(of("Somebody Else"), of("Han Mei"))
    why, found = await services.names._alerts(["Han Mei"])
    assert (why, [name for name, _ in found]) == ("", ["Han Mei"])


async def test_what_is_clear_by_an_older_list_is_not_by_the_one_that_came(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = await bank_with(world)
    names, before, after = services.names, of("Somebody Else"), of("Han Mei")
    looks, gate = asyncio.Event(), asyncio.Event()

    async def slowly(work: Any) -> Any:
        looks.set()
        await gate.wait()
        return work()

    with monkeypatch.context() as patched:
        patched.setattr("zhidao.finance.service.control.name_holds.asyncio.to_thread", slowly)
        slow = asyncio.create_task(names._looked(before, {"Han Mei"}))
        await looks.wait()
    assert await names._looked(after, {"Li Lei"}) == []
    gate.set()
    assert await slow == []
    # The slow look was by the older list: what it found clear is clear by that list alone.
    assert [name for name, _ in await names._looked(after, {"Han Mei"})] == ["Han Mei"]


@pytest.mark.parametrize(("size", "why"), [(10_000, ""), (10_001, "name_too_long")])
async def test_a_name_too_long_to_be_read_is_held(world: Any, size: int, why: str) -> None:
    services = await bank_with(world)
    assert (await services.names._alerts(["ab " * 3_333 + "x" * (size - 9_999)]))[0] == why


# -- for whom is paid, and who is admitted ----------------------------------------------------------


@pytest.mark.parametrize("side", ["ultimate_payer", "ultimate_payee"])
async def test_for_whom_is_paid_is_looked_at_by_each_bank(world: Any, side: str) -> None:
    services = await bank_with(world)
    data = services.pays(700, **{side: person(LISTED, "Goma", "CD")})
    assert await told(services, data) == ("PDNG", "")
    await say(services, "importer-bank", "aigerim", "bolat")
    # It is told to the payee's bank, which looks for itself.
    assert await services.balance("importer") == 10_000_000 - 700
    assert await services.balance("exporter") == 0
    await say(services, "exporter-bank", "li", "wang")
    assert await services.balance("exporter") == 700


async def test_a_bank_of_a_listed_name_is_admitted_once_two_persons_of_the_node_said_so(
    world: Any,
) -> None:
    services = await bank_with(world)
    operator = Actor(PartyId("operator"), Role.OPERATOR)
    new = BankAdmitted(bank="carrier", name=LISTED, bic="CARRKZKA", town="Goma", country="CD")
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            await world.accounts.admit(operator, new)
        assert refused.value.code == "needs_two_persons"
    with pytest.raises(Refused):
        await world.accounts.bank("carrier")
    name = await waits(services.approvals, "node")
    # A bank's people have no word in it.
    stranger = Actor(PartyId("importer-bank"), Role.PARTY, "li")
    with pytest.raises(NotFound):
        await services.approvals.decide(stranger, name, approve=True)
    for one in ("aida", "berik"):
        by = Actor(PartyId("node"), Role.OPERATOR, one)
        await services.approvals.decide(by, name, approve=True)
    assert await world.accounts.bank("carrier") == new
    assert await world.accounts.admit(operator, new) == new


UNTIDY = "Eric  Badege"


async def test_an_opening_that_waited_under_an_untidy_name_is_carried_out(world: Any) -> None:
    """A release asked for less of a name when it was held: two persons' word counts all the same."""
    services = await bank_with(world)
    bank = Actor(PartyId("exporter-bank"), Role.PARTY)
    asked = {
        "holder": "carrier",
        "currency": "CNY",
        "name": UNTIDY,
        "town": "Goma",
        "country": "CD",
    }
    with pytest.raises(Refused) as refused:
        await services.names.demand(
            "exporter-bank",
            subject="account of carrier",
            amount=Money(0, Currency("CNY")),
            names=[UNTIDY],
            said=again(OPEN, asked),
        )
    assert refused.value.code == "needs_two_persons"
    await say(services, "exporter-bank", "li", "wang")
    opened = (await world.accounts.open(bank, **asked)).opened
    assert (opened.holder, opened.name) == ("carrier", UNTIDY)
    # What is new is asked for a tidy name before anybody is bothered with it.
    with pytest.raises(MalformedInput) as untidy:
        await world.accounts.open(bank, **(asked | {"holder": "customs"}))
    assert untidy.value.code == "unprintable"
    listed = await services.approvals.approvals(bank, limit=10)
    assert [each.state for each in listed] == ["approved"]


async def test_a_bank_that_waited_under_an_untidy_name_is_admitted(world: Any) -> None:
    services = await bank_with(world)
    operator = Actor(PartyId("operator"), Role.OPERATOR)
    new = BankAdmitted(bank="carrier", name=UNTIDY, bic="CARRKZKA", town="Goma", country="CD")
    with pytest.raises(Refused) as refused:
        await services.names.demand(
            "node",
            subject="bank carrier",
            amount=Money(0, Currency("USD")),
            names=[UNTIDY],
            said=again(ADMIT, new.payload()),
        )
    assert refused.value.code == "needs_two_persons"
    name = await waits(services.approvals, "node")
    for one in ("aida", "berik"):
        by = Actor(PartyId("node"), Role.OPERATOR, one)
        await services.approvals.decide(by, name, approve=True)
    assert await world.accounts.bank("carrier") == new
    assert await world.accounts.admit(operator, new) == new
