"""A process that dies within a file of payments: the next one goes on, and nothing stays reserved."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import pytest
from tests.finance.conftest import Durable, World
from tests.finance.service.bank_services import UETRS, BankServices
from tests.finance.service.test_crashes import Crash, Doomed, Plan

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId
from zhidao.core.timescale import NS
from zhidao.finance.adapters.memory_messages import MemoryMessageIndex
from zhidao.finance.service.payments.resuming import Step

START = 10_000_000
AMOUNTS = (700, 300, 200, 41)
CUSTOMER = Actor(PartyId("importer"), Role.PARTY)


class Process:
    """Two banks over what survives; dies at one of its steps."""

    def __init__(self) -> None:
        self.durable, self.index = Durable(), MemoryMessageIndex()

    async def first(self) -> BankServices:
        world = World(self.durable)
        services = await BankServices(world, index=self.index).ready()
        self.banks, self.accounts = services.banks, services.accounts
        return services

    def again(self, plan: Plan) -> BankServices:
        world = World(self.durable, lambda inner: Doomed(inner, plan))
        services = BankServices(world, index=Doomed(self.index, plan))
        services.banks, services.accounts = self.banks, self.accounts
        return services


async def reserved(services: BankServices) -> int:
    ledger = services.world.ledger
    held = [await ledger.reserved(currency) for currency in await ledger.shards()]
    return sum(one.amount for many in held for one in many)


async def ends_whole(kill_at: int, act: Callable[[BankServices], Awaitable[object]]) -> bool:
    """Whether the process died; afterwards the next one has finished what was begun."""
    process = Process()
    services = await process.first()
    await services.payments.carry(
        services.banks["importer-bank"], CUSTOMER, services.pays(500, message="M-0", uetr=UETRS[9])
    )
    plan = Plan(kill_at, Crash)
    dying = process.again(plan)
    died = False
    try:
        await act(dying)
    except Crash:
        died = True
    awake = process.again(Plan(-1))
    await awake.unfinished.tick(quiet_ns=0)
    assert await reserved(awake) == 0, f"killed at step {kill_at}"
    importer, exporter = await awake.balance("importer"), await awake.balance("exporter")
    assert importer + exporter == START, f"killed at step {kill_at}"
    assert exporter in (0, 500, 500 + sum(AMOUNTS)), f"killed at step {kill_at}: all or nothing"
    return died


async def pay(services: BankServices) -> None:
    data = services.pays(*AMOUNTS)
    await services.payments.carry(services.banks["importer-bank"], CUSTOMER, data)


async def give_back(services: BankServices) -> None:
    bank = services.banks["exporter-bank"]
    sent = await services.payments.back.give_back(bank, [UETRS[9]], reason="AC04")
    await services.payments.carry_on(bank, sent)


@pytest.mark.parametrize("act", [pay, give_back])
async def test_nothing_stays_reserved_wherever_the_process_dies(act) -> None:
    step, died = 1, True
    while died:
        died = await ends_whole(step, act)
        step += 1
    assert step > 20, "there are many moments to die at"


@pytest.mark.long
async def test_two_hundred_kills_one_after_the_other_leave_nothing_reserved() -> None:
    process, chance = Process(), random.Random(5)
    services = await process.first()
    kills = number = 0
    while kills < 200:
        number += 1
        dying = process.again(Plan(chance.randrange(1, 120), Crash))
        data = services.pays(7, message=f"M-{number}").replace(
            UETRS[0].encode(), f"00000000-0000-4000-8001-{number:012d}".encode()
        )
        try:
            await dying.unfinished.tick(quiet_ns=0)
            await dying.payments.carry(dying.banks["importer-bank"], CUSTOMER, data)
        except Crash:
            kills += 1
    awake = process.again(Plan(-1))
    await awake.unfinished.tick(quiet_ns=0)
    assert await reserved(awake) == 0
    assert await awake.balance("importer") + await awake.balance("exporter") == START


async def test_what_was_reserved_a_moment_ago_is_left_to_its_caller() -> None:
    process = Process()
    services = await process.first()
    await services.take("importer-bank", "importer", services.pays(700))
    await services.unfinished.tick()
    assert await reserved(services) == 700
    process.durable.clock.set(process.durable.clock.now().plus_ns(30 * NS))
    await services.unfinished.tick()
    assert await reserved(services) == 0
    assert await services.balance("exporter") == 700


async def test_what_cannot_be_gone_on_with_waits_longer_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = Process()
    services = await process.first()
    await services.take("importer-bank", "importer", services.pays(700))
    tried = []

    async def refuse(step: Step) -> None:
        tried.append(step.sender)
        raise Refused("not now")

    monkeypatch.setattr(services.unfinished, "_carry", refuse)
    for seconds in range(0, 300, 10):
        process.durable.clock.set(services.world.durable.clock.now().plus_ns(10 * NS))
        await services.unfinished.tick()
        assert seconds >= 0
    assert 3 <= len(tried) <= 5, "after 20, 40, 80 and 160 s"


@pytest.mark.bound("finance.service.payments.resuming.OWNERS_MAX")
@pytest.mark.parametrize("most", [1, 2])
async def test_accounts_beyond_those_remembered_are_read_again(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("zhidao.finance.service.payments.resuming.OWNERS_MAX", most)
    process = Process()
    services = await process.first()
    await services.take("importer-bank", "importer", services.pays(700))
    await services.take("exporter-bank", "exporter", services.pays(1, message="M-2"))
    steps = await services.unfinished.steps()
    assert [one.sender for one in steps] == ["importer"]
    assert len(services.unfinished._owners) <= most
