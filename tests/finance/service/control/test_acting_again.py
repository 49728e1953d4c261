"""What two persons decided is done, though the process died after the word was written."""

from __future__ import annotations

from typing import Any

import pytest
from tests.finance.service.control.test_name_holds import bank_with, pays, say, told

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.service.control.acting_again import ActingAgain
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.payments.deposits import DEPOSIT, Deposits

START = 10_000_000


def killed(approvals: Approvals) -> dict[str, Any]:
    """From now on words are written and not acted on. Returns how they would be."""
    acts = {**approvals._ways.acts}
    approvals._ways.acts.clear()
    return acts


async def test_a_release_that_was_not_acted_on_is_after_a_start(world: Any) -> None:
    services = await bank_with(world)
    await told(services, pays(services))
    acts = killed(services.approvals)
    await say(services, "importer-bank", "aigerim", "bolat")
    assert await services.balance("importer") == START
    services.approvals._ways.acts.update(acts)
    again = ActingAgain(services.approvals, world.durable.clock)
    await again.tick()
    assert await services.balance("importer") == START - 700
    # Once more, as after another start: nothing more moves.
    await ActingAgain(services.approvals, world.durable.clock).tick()
    assert await services.balance("importer") == START - 700


async def test_what_is_not_decided_is_not_done(world: Any) -> None:
    services = await bank_with(world)
    await told(services, pays(services))
    await say(services, "importer-bank", "aigerim")
    await ActingAgain(services.approvals, world.durable.clock).tick()
    assert await services.balance("importer") == START


async def test_a_deposit_that_was_not_booked_is_and_a_failure_is_tried_later(world: Any) -> None:
    services = await bank_with(world)
    clock = world.durable.clock
    approvals = Approvals(records=world.records, clock=clock, limits=Limits.parse("CNY 1.00"))
    deposits = Deposits(accounts=world.accounts, ledger=world.ledger, approvals=approvals)
    bank = Actor(PartyId("importer-bank"), Role.PARTY)
    with pytest.raises(Refused) as refused:
        await deposits.deposit(
            bank, deposit="big", holder="importer", amount=Money(500, Currency("CNY"))
        )
    name = refused.value.where.removeprefix("approval ")
    [act] = [killed(approvals)[DEPOSIT]]
    for one in ("aigerim", "bolat"):
        await approvals.decide(Actor(bank.party, Role.PARTY, one), name, approve=True)
    failures = 1

    async def fails_once(actor: Actor, said: Any) -> object:
        nonlocal failures
        if failures:
            failures -= 1
            raise Refused("not now", code="not_now")
        return await act(actor, said)

    approvals._ways.acts[DEPOSIT] = fails_once
    again = ActingAgain(approvals, clock)
    await again.tick()
    await again.tick()
    assert await services.balance("importer") == START
    clock.set(Utc.from_unix_ns(clock.now().unix_ns + 60 * 10**9))
    await again.tick()
    assert await services.balance("importer") == START + 500
    await again.tick()
    assert await services.balance("importer") == START + 500
