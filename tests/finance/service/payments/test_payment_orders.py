"""A payment for a later day waits for it, may be taken back until then, and is paid once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.finance.conftest import Durable, World
from tests.finance.service.bank_services import UETRS, BankServices, read
from tests.finance.service.control.test_name_holds import LISTED, bank_with, say, waits
from tests.finance.service.test_crashes import Crash, Doomed, Plan

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Forbidden, NotFound
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.finance.adapters.memory import HeldLists, MemoryPaymentOrderIndex
from zhidao.finance.adapters.memory_messages import MemoryMessageIndex
from zhidao.finance.domain.payments.approval import Approval, Limits
from zhidao.finance.domain.payments.message import StatusReport, Transfers
from zhidao.finance.domain.payments.payment_order import PaymentOrder
from zhidao.finance.domain.screening.screening import Lists
from zhidao.finance.service.control.approval_histories import ApprovalHistories
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.name_holds import NameHolds
from zhidao.finance.service.control.party_names import PartyNames
from zhidao.finance.service.control.screening import Screening
from zhidao.finance.wire.iso20022.messages.messages import decode, encode
from zhidao.finance.wire.iso20022.profiles import CurrencyRules, built_in
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.syntax.trees import account, bank, person
from zhidao.finance.wire.screening_lists import read_list

START = 10_000_000
PAYER = Actor(PartyId("importer"), Role.PARTY)
MONDAY = "2026-05-04"
"""Today is Friday, 1 May 2026."""


@pytest.fixture
async def services(world: Any) -> BankServices:
    return await BankServices(world).ready()


async def told(services: BankServices, data: bytes) -> list[tuple[str, str]]:
    """How the payments stand, once the banks of this node have them."""
    kept = await services.payments.carry(services.banks["importer-bank"], PAYER, data)
    report = read(kept[0])
    assert isinstance(report, StatusReport)
    return [(one.status, one.reason) for one in report.statuses]


def approvals_of(world: Any, limits: str) -> Approvals:
    return Approvals(records=world.records, clock=world.durable.clock, limits=Limits.parse(limits))


async def order_of(services: BankServices) -> PaymentOrder:
    [order] = await services.orders.orders(PAYER, limit=10)
    return order


async def comes(services: BankServices, moment: str) -> None:
    """The time is this, and the node looks at what is due."""
    services.world.durable.clock.set(Utc.parse(moment))
    await services.days.tick()


async def both(services: BankServices) -> tuple[int, int]:
    return await services.balance("importer"), await services.balance("exporter")


async def test_a_payment_for_a_later_day_waits_and_is_paid_on_that_day_once(
    services: BankServices,
) -> None:
    data = services.pays(700, day=MONDAY)
    for _ in range(2):
        assert await told(services, data) == [("ACCP", "")]
    order = await order_of(services)
    assert (order.state, order.next_at) == ("waits", "2026-05-04T00:00:00+00:00")
    assert (order.awaited.sender, order.awaited.bank) == ("importer", "importer-bank")
    await comes(services, "2026-05-03T23:59:59Z")
    assert await both(services) == (START, 0), "nothing is reserved, and nothing paid"
    for moment in ("2026-05-04T00:00:00Z", "2026-05-04T00:01:00Z", "2026-05-05T00:00:00Z"):
        await comes(services, moment)
        assert await both(services) == (START - 700, 700)
    assert (await order_of(services)).state == "executed"
    assert await told(services, data) == [("ACSP", "")]
    assert await both(services) == (START - 700, 700)


async def test_a_day_on_which_banks_rest_rolls_forward_and_the_answer_says_so(
    services: BankServices,
) -> None:
    services.world.durable.clock.set(Utc.parse("2026-05-02T08:00:00Z"))
    assert await told(services, services.pays(700, day="2026-05-02")) == [("ACWC", "")]
    await comes(services, "2026-05-03T12:00:00Z")
    assert await both(services) == (START, 0)
    await comes(services, "2026-05-04T06:00:00Z")
    assert await both(services) == (START - 700, 700)


async def test_an_hour_that_has_passed_rolls_forward_and_a_day_opens_with_its_hour(
    world: Any,
) -> None:
    rules = CurrencyRules(cut_off="12:00:00+00:00", opening="09:30:00+06:00")
    profile = msgspec.structs.replace(built_in("cross-border"), currencies={"CNY": rules})
    services = await BankServices(world, profile=profile).ready()
    services.world.durable.clock.set(Utc.parse("2026-05-01T12:00:01Z"))
    assert await told(services, services.pays(700)) == [("ACWC", "")]
    assert (await order_of(services)).next_at == "2026-05-04T03:30:00+00:00"
    await comes(services, "2026-05-04T03:29:59Z")
    assert await both(services) == (START, 0)
    # The node was away over the whole day: it goes on with the next one.
    await comes(services, "2026-05-04T12:30:00Z")
    assert await both(services) == (START, 0)
    assert (await order_of(services)).next_at == "2026-05-05T03:30:00+00:00"
    await comes(services, "2026-05-05T04:00:00Z")
    assert await both(services) == (START - 700, 700)


async def test_a_node_that_was_away_for_a_month_pays_when_it_is_back(
    services: BankServices,
) -> None:
    await told(services, services.pays(700, day=MONDAY))
    await comes(services, "2026-06-03T08:00:00Z")
    assert await both(services) == (START - 700, 700)


async def inside(services: BankServices) -> dict[str, Any]:
    opened = await services.world.accounts.open(
        Actor(PartyId("importer-bank"), Role.PARTY),
        holder="carrier",
        currency="CNY",
        name="Carrier",
        town="Almaty",
        country="KZ",
    )
    services.accounts["carrier"] = UUID(opened.opened.account).hex
    return {
        "payee_account": account(services.accounts["carrier"]),
        "payee_bank": bank("ALMAKZKA"),
    }


async def test_inside_one_bank_a_later_day_is_waited_for_and_may_be_a_sunday(
    services: BankServices,
) -> None:
    data = services.pays(70, day="2026-05-03", **await inside(services))
    assert await told(services, data) == [("ACCP", "")]
    await comes(services, "2026-05-02T23:00:00Z")
    assert await services.balance("carrier") == 0
    await comes(services, "2026-05-03T00:00:00Z")
    assert await services.balance("carrier") == 70


async def test_each_day_of_a_file_goes_by_itself_and_in_the_same_bytes(
    services: BankServices,
) -> None:
    data = services.pays(100, 20, 3)
    for place, day in ((1, MONDAY), (2, "2026-05-05")):
        data = with_day(data, place, day)
    bank_here = services.banks["importer-bank"]
    first = await services.payments.take(bank_here, "importer", data)
    assert [one.status for one in read(first[0]).statuses] == ["ACSP", "ACCP", "ACCP"]
    assert await services.balance("importer") == START - 100
    again = await services.payments.take(bank_here, "importer", data)
    assert [one.data for one in again] == [one.data for one in first]
    await services.payments.carry_on(bank_here, first)
    for moment, paid in (("2026-05-04T01:00:00Z", 120), ("2026-05-05T01:00:00Z", 123)):
        await comes(services, moment)
        assert await both(services) == (START - paid, paid)
        assert await told(services, data) != []
        assert await both(services) == (START - paid, paid)
    last = await services.payments.take(bank_here, "importer", data)
    assert next(o.data for o in last if o.definition.startswith("pacs")) == first[1].data
    assert (await order_of(services)).state == "executed"


def with_day(data: bytes, place: int, day: str) -> bytes:
    """One payment of a file in a payment information of its own, for that day."""
    file = decode(read_envelope(data))
    assert isinstance(file, Transfers)
    other = file.transfers[place]._replace(group=f"G-{place}1", day=day)
    changed = (*file.transfers[:place], other, *file.transfers[place + 1 :])
    return encode(file._replace(transfers=changed))


async def test_who_instructed_takes_back_what_waits_and_nobody_else(
    services: BankServices,
) -> None:
    data = services.pays(700, 300, day=MONDAY)
    await told(services, data)
    name = (await order_of(services)).awaited.order
    with pytest.raises(NotFound):
        await services.orders.cancel(Actor(PartyId("carrier"), Role.PARTY), name)
    with pytest.raises(Forbidden):
        await services.orders.cancel(Actor(PartyId("importer-bank"), Role.PARTY), name)
    with pytest.raises(NotFound):
        await services.orders.cancel(PAYER, name, uetrs=[UETRS[7]])
    for _ in range(2):
        order = await services.orders.cancel(PAYER, name, uetrs=[UETRS[0]])
        assert sorted(order.waiting) == [1]
    assert await told(services, data) == [("RJCT", "DS02"), ("ACCP", "")]
    await comes(services, "2026-05-04T01:00:00Z")
    assert await both(services) == (START - 300, 300)
    assert (await order_of(services)).state == "mixed"
    with pytest.raises(Conflict) as late:
        await services.orders.cancel(PAYER, name, uetrs=[UETRS[1]])
    assert late.value.code == "payment_left"
    assert await told(services, data) == [("RJCT", "DS02"), ("ACSP", "")]
    assert await both(services) == (START - 300, 300)


async def test_what_is_all_taken_back_is_never_paid_and_taken_back_again_as_before(
    services: BankServices,
) -> None:
    await told(services, services.pays(700, 300, day=MONDAY))
    name = (await order_of(services)).awaited.order
    for _ in range(2):
        assert (await services.orders.cancel(PAYER, name)).state == "cancelled"
    await comes(services, "2026-05-04T01:00:00Z")
    assert await both(services) == (START, 0)


async def test_funds_are_looked_at_on_the_day(services: BankServices) -> None:
    data = services.pays(START, day=MONDAY)
    assert await told(services, data) == [("ACCP", "")]
    await told(services, services.pays(1, message="M-2", uetr=UETRS[9]))
    await comes(services, "2026-05-04T01:00:00Z")
    order = await order_of(services)
    assert (order.state, order.ends[0].code) == ("refused", "AM04")
    assert await both(services) == (START - 1, 1)
    assert await told(services, data) == [("RJCT", "AM04")]


async def test_what_cannot_be_is_refused_when_it_is_taken(services: BankServices) -> None:
    wrong = services.pays(5, day=MONDAY, payee_bank=bank("NOSUCHXX"))
    assert await told(services, wrong) == [("RJCT", "RC01")]
    far = services.pays(5, message="M-2", day="2027-05-04")
    assert await told(services, far) == [("RJCT", "DT01")]
    assert await services.orders.orders(PAYER, limit=10) == []


async def test_whoever_comes_onto_a_list_meanwhile_is_held_on_the_day(world: Any) -> None:
    services = await bank_with(world, text="1,Somebody Else\n")
    data = services.pays(700, day=MONDAY, payee=person(LISTED, "Xi'an", "CN"))
    assert await told(services, data) == [("ACCP", "")]
    listed = read_list("csv", b"id,name\n1,Eric Badege\n", dated=date(2026, 5, 4))
    lists = Lists.of([(listed.version, listed.entries)])
    durable = world.durable
    screening = Screening(HeldLists(lists), records=world.records, clock=durable.clock)
    services.approvals = approvals_of(world, "")
    names = NameHolds(screening, services.approvals, PartyNames(world.records))
    services.hold(services.approvals, names)
    await comes(services, "2026-05-04T01:00:00Z")
    assert await both(services) == (START, 0)
    assert (await order_of(services)).state == "released"
    await say(services, "importer-bank", "aigerim", "bolat")
    assert await services.balance("importer") == START - 700
    assert (await order_of(services)).state == "executed"


async def test_a_person_who_refuses_on_the_day_ends_the_order(world: Any) -> None:
    services = await bank_with(world)
    data = services.pays(700, day=MONDAY, payee=person(LISTED, "Xi'an", "CN"))
    assert await told(services, data) == [("PDNG", "")]
    await say(services, "importer-bank", "aigerim", "bolat")
    assert await told(services, data) == [("ACCP", "")]
    # Words count for three days: on the day the names are looked at again.
    services.world.durable.clock.set(Utc.parse("2026-05-05T01:00:00Z"))
    await services.days.tick()
    assert (await order_of(services)).state == "released"
    await say(services, "importer-bank", "aigerim", approve=False)
    await comes(services, "2026-05-05T02:00:00Z")
    order = await order_of(services)
    assert (order.state, order.ends[0].code) == ("refused", "RR04")
    assert await both(services) == (START, 0)


@pytest.mark.parametrize("killed", [False, True])
async def test_a_third_persons_no_undoes_nothing_that_waits_for_its_day_by_two_others(
    world: Any,
    monkeypatch: pytest.MonkeyPatch,
    killed: bool,  # noqa: FBT001
) -> None:
    services = await bank_with(world)
    data = services.pays(700, day=MONDAY, payee=person(LISTED, "Xi'an", "CN"))
    assert await told(services, data) == [("PDNG", "")]
    name = await waits(services.approvals, "importer-bank")

    async def not_written(self: ApprovalHistories, approval: Approval, became: str) -> Approval:
        return approval

    with monkeypatch.context() as patch:
        if killed:
            patch.setattr(ApprovalHistories, "end", not_written)
        await say(services, "importer-bank", "aigerim", "bolat")
    assert (await order_of(services)).state == "waits"
    third = Actor(PartyId("importer-bank"), Role.PARTY, "chen")
    with pytest.raises(Conflict) as error:
        await services.approvals.decide(third, name, approve=False, reason="I say no")
    assert error.value.code == "approved_already"
    assert await told(services, data) == [("ACCP", "")]
    # Its payer takes it back, as any other.
    await services.orders.cancel(PAYER, (await order_of(services)).awaited.order)
    assert (await order_of(services)).state == "cancelled"
    assert await told(services, data) == [("RJCT", "DS02")]
    assert await both(services) == (START, 0)


async def test_what_a_person_refuses_before_its_day_waits_no_more(world: Any) -> None:
    """A list that came since names the payee, and the instruction was sent once more."""
    services = await bank_with(world, text="1,Somebody Else\n")
    data = services.pays(700, day=MONDAY, payee=person(LISTED, "Xi'an", "CN"))
    assert await told(services, data) == [("ACCP", "")]
    listed = read_list("csv", b"id,name\n1,Eric Badege\n", dated=date(2026, 4, 30))
    services.names._screening._source = HeldLists(Lists.of([(listed.version, listed.entries)]))
    assert await told(services, data) == [("PDNG", "")]
    assert (await order_of(services)).state == "waits"
    await say(services, "importer-bank", "aigerim", approve=False)
    assert await told(services, data) == [("RJCT", "RR04")]
    order = await order_of(services)
    assert (order.state, order.ends[0].code) == ("refused", "RR04")
    await comes(services, "2026-05-04T01:00:00Z")
    assert await both(services) == (START, 0)


async def test_limits_of_two_persons_count_a_payment_when_it_is_taken_and_not_again(
    world: Any,
) -> None:
    services = await BankServices(world).ready()
    services.approvals = approvals_of(world, "CNY 100.00")
    services.hold(services.approvals)
    assert await told(services, services.pays(9_900, day=MONDAY)) == [("ACCP", "")]
    second = services.pays(9_900, message="M-2", uetr=UETRS[9], day=MONDAY)
    assert await told(services, second) == [("PDNG", "")]
    # On the day another caller's word has used the limit up: what was allowed goes on.
    services.world.durable.clock.set(Utc.parse("2026-05-04T00:00:00Z"))
    third = services.pays(9_000, message="M-3", uetr=UETRS[8], day=MONDAY)
    assert await told(services, third) == [("ACSP", "")]
    await services.days.tick()
    assert await both(services) == (START - 18_900, 18_900)


@pytest.mark.bound("finance.service.payments.payment_orders.SHOWN_MAX")
@pytest.mark.parametrize(("count", "shown"), [(3, 3), (4, 3)])
async def test_so_many_payments_of_an_order_are_told_one_by_one_and_the_sums_are_of_all(
    services: BankServices, monkeypatch: pytest.MonkeyPatch, count: int, shown: int
) -> None:
    monkeypatch.setattr("zhidao.finance.service.payments.payment_orders.SHOWN_MAX", 3)
    await told(services, services.pays(*[10] * count, day=MONDAY))
    awaited = (await order_of(services)).awaited
    assert (len(awaited.first), awaited.count) == (shown, count)
    assert [one.minor for one in awaited.sums] == [str(10 * count)]


class Process:
    """Two banks over what survives; dies at one of its steps."""

    def __init__(self) -> None:
        self.durable, self.index = Durable(), MemoryMessageIndex()
        self.orders = MemoryPaymentOrderIndex()

    async def first(self) -> None:
        services = await self._services(Plan(-1)).ready()
        self.banks, self.accounts = services.banks, services.accounts

    def again(self, plan: Plan) -> BankServices:
        services = self._services(plan)
        services.banks, services.accounts = self.banks, self.accounts
        return services

    def _services(self, plan: Plan) -> BankServices:
        world = World(self.durable, lambda inner: Doomed(inner, plan))
        index, orders = Doomed(self.index, plan), Doomed(self.orders, plan)
        return BankServices(world, index=index, order_index=orders)


async def takes(services: BankServices) -> None:
    await told(services, with_day(services.pays(500, 700), 1, MONDAY))


async def executes(services: BankServices) -> None:
    await comes(services, "2026-05-04T01:00:00Z")


async def cancels(services: BankServices) -> None:
    order = await order_of(services)
    await services.orders.cancel(PAYER, order.awaited.order)


async def ends_once(act: Callable[[BankServices], Awaitable[None]], kill_at: int) -> bool:
    """Whether the process died in the act; what it left is gone on with, and paid at most once."""
    process = Process()
    await process.first()
    if act is not takes:
        await takes(process.again(Plan(-1)))
    died, dying = False, process.again(Plan(kill_at, Crash))
    try:
        await act(dying)
    except Crash:
        died = True
    awake = process.again(Plan(-1))
    if not await awake.orders.orders(PAYER, limit=1):
        assert act is takes, "what was kept is kept"
        await takes(awake)  # Who got no answer sends it again.
    for moment in ("2026-05-01T09:00:00Z", "2026-05-04T02:00:00Z", "2026-05-04T04:00:00Z"):
        await comes(awake, moment)
        await awake.unfinished.tick(quiet_ns=0)
    paid = await awake.balance("exporter")
    assert await awake.balance("importer") + paid == START, f"killed at {kill_at}: reserved"
    known = await awake.orders.orders(PAYER, limit=10)
    assert not any(one.is_open for one in known), f"killed at {kill_at}: open"
    if act is cancels:
        cancelled = known[0].ends[1].state == "cancelled"
        assert cancelled or died
        assert paid == (500 if cancelled else 1_200), f"killed at {kill_at}"
    else:
        assert paid == 1_200, f"killed at {kill_at}"
    return died


@pytest.mark.parametrize("act", [takes, executes, cancels])
async def test_wherever_the_process_dies_each_payment_is_paid_once_or_taken_back(
    act: Callable[[BankServices], Awaitable[None]],
) -> None:
    step, died = 1, True
    while died:
        died = await ends_once(act, step)
        step += 1
    assert step > (5 if act is cancels else 20), "there are many moments to die at"
