"""Banks, accounts and deposits: who may, and what a repetition does."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from zhidao.core.actor import Role
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.naming import AccountCode, account_id
from zhidao.finance.events import AccountOpened, BankAdmitted

BANK = BankAdmitted(bank="carrier", name="C", bic="CARRKZKA", town="Almaty", country="KZ")
CNY_5 = Money(500, Currency("CNY"))


async def balance(world: Any, holder: str) -> int:
    [own] = await world.accounts.statements(_actor(holder), limit=9)
    return own.sums.balance


def _actor(party: str, role: Role = Role.PARTY) -> Any:
    from zhidao.core.actor import Actor
    from zhidao.core.ids import PartyId

    return Actor(PartyId(party), role)


async def test_a_deposit_of_one_name_credits_once(world) -> None:
    bank = _actor("importer-bank")
    for _ in range(3):
        await world.accounts.deposit(bank, deposit="second", holder="importer", amount=CNY_5)
    assert await balance(world, "importer") == 10_000_500
    with pytest.raises(Conflict) as conflict:
        await world.accounts.deposit(
            bank, deposit="second", holder="importer", amount=Money(501, Currency("CNY"))
        )
    assert conflict.value.code == "exists_with_different_amount"
    # What stands under the name is said, in money, and what to do.
    assert "a deposit named second of 5.00 CNY stands already" in str(conflict.value)
    assert "another name" in conflict.value.remedy
    await world.accounts.open(
        bank, holder="carrier", currency="CNY", name="C", town="A", country="KZ"
    )
    with pytest.raises(Conflict, match="to another account stands already"):
        await world.accounts.deposit(bank, deposit="second", holder="carrier", amount=CNY_5)
    assert await balance(world, "carrier") == 0


async def test_only_an_admitted_bank_touches_money(world) -> None:
    for party in ("importer", "carrier", "operator"):
        with pytest.raises(Forbidden):
            await world.accounts.deposit(
                _actor(party), deposit="x", holder="importer", amount=CNY_5
            )
        with pytest.raises(Forbidden):
            await world.accounts.open(
                _actor(party), holder="importer", currency="CNY", name="n", town="t", country="CN"
            )


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR, Role.ADMIN, Role.NODE])
async def test_a_banks_name_without_the_party_role_is_not_enough(world, role) -> None:
    with pytest.raises(Forbidden):
        await world.accounts.deposit(
            _actor("importer-bank", role), deposit="x", holder="importer", amount=CNY_5
        )


async def test_only_the_operator_admits_banks_and_a_second_description_conflicts(world) -> None:
    with pytest.raises(Forbidden):
        await world.accounts.admit(_actor("carrier"), BANK)
    operator = _actor("operator", Role.OPERATOR)
    assert await world.accounts.admit(operator, BANK) == BANK
    written = len(world.durable.journal.written)
    assert await world.accounts.admit(operator, BANK) == BANK
    assert len(world.durable.journal.written) == written
    with pytest.raises(Conflict):
        await world.accounts.admit(operator, msgspec.structs.replace(BANK, name="D"))


@pytest.mark.parametrize("bic", ["CARRKZKA", "CARRKZKAXXX"])
async def test_one_bic_is_one_bank_s_and_the_other_is_told_whose(world, bic) -> None:
    operator = _actor("operator", Role.OPERATOR)
    await world.accounts.admit(operator, BANK)
    other = msgspec.structs.replace(BANK, bank="customs", name="Other", bic=bic)
    with pytest.raises(Conflict) as conflict:
        await world.accounts.admit(operator, other)
    assert conflict.value.code == "bic_taken"
    assert "carrier (C)" in str(conflict.value)
    assert "customs" not in {each.bank for each in await world.accounts.banks(limit=9)}
    branch = msgspec.structs.replace(other, bic="CARRKZKA001")
    assert await world.accounts.admit(operator, branch) == branch


async def test_of_two_banks_that_ask_for_a_bic_at_once_one_gets_it(world, monkeypatch) -> None:
    """The look before passes both, as in two processes: what is written decides."""
    operator = _actor("operator", Role.OPERATOR)
    other = msgspec.structs.replace(BANK, bank="customs")

    async def looked(_: object) -> None:
        return None

    with monkeypatch.context() as early:
        early.setattr(world.accounts, "_must_be_free", looked)
        found = await asyncio.gather(
            *(world.accounts.admit(operator, each) for each in (BANK, other)),
            return_exceptions=True,
        )
    assert sorted(isinstance(each, Conflict) for each in found) == [False, True]
    having = [each for each in await world.accounts.banks(limit=9) if each.bic == BANK.bic]
    assert len(having) == 1
    assert await world.accounts.admit(operator, having[0]) == having[0]


@pytest.mark.parametrize("changes", [{"bic": "CARR"}, {"bic": "carrkzka"}, {"country": "kz"}])
async def test_a_bank_that_messages_cannot_name_is_refused(world, changes) -> None:
    with pytest.raises(MalformedInput):
        await world.accounts.admit(
            _actor("operator", Role.OPERATOR), msgspec.structs.replace(BANK, **changes)
        )


UNTIDY = ["Old  Bank", " Old Bank", "Old\u3000Bank", "Old Bank \u2764\ufe0f", "Old\u3164Bank"]


@pytest.mark.parametrize("name", UNTIDY)
async def test_a_bank_that_was_admitted_under_an_untidy_name_is_again_and_no_new_one(
    world, name
) -> None:
    operator = _actor("operator", Role.OPERATOR)
    bank = msgspec.structs.replace(BANK, name=name)
    with pytest.raises(MalformedInput) as refused:
        await world.accounts.admit(operator, bank)
    assert (refused.value.code, refused.value.where) == ("unprintable", "$.name")
    # As a release wrote it that asked for less.
    await world.records.record(operator, "bank/carrier", [bank], after=0, owner=PartyId("carrier"))
    written = len(world.durable.journal.written)
    assert await world.accounts.admit(operator, bank) == bank
    assert len(world.durable.journal.written) == written
    for other in ("Old Bank", " D"):
        with pytest.raises(Conflict, match="another description"):
            await world.accounts.admit(operator, msgspec.structs.replace(bank, name=other))


@pytest.mark.parametrize("name", UNTIDY)
async def test_an_account_that_was_opened_under_an_untidy_name_is_again_and_no_new_one(
    world, name
) -> None:
    bank = _actor("importer-bank")
    asked = {"holder": "carrier", "currency": "KZT", "town": "Almaty", "country": "KZ"}
    with pytest.raises(MalformedInput) as refused:
        await world.accounts.open(bank, name=name, **asked)
    assert (refused.value.code, refused.value.where) == ("unprintable", "$.name")
    first = await opened_before(world, name=name, **asked)
    assert (await world.accounts.open(bank, name=name, **asked)).opened == first
    with pytest.raises(Conflict, match="another description"):
        await world.accounts.open(bank, name="Other", **asked)


async def opened_before(world: Any, **asked: str) -> AccountOpened:
    """Opens an account as a release wrote it that asked for less of a name."""
    bank = await world.accounts.bank("importer-bank")
    fact = AccountOpened(
        account=str(
            account_id(
                bank=bank.bank,
                code=AccountCode.CUSTOMER,
                holder=asked["holder"],
                currency=asked["currency"],
            )
        ),
        bank=bank.bank,
        purpose="customer",
        **asked,
    )
    return await world.accounts._ensure(bank, fact, AccountCode.CUSTOMER)


async def test_an_account_opens_once_and_keeps_its_description(world) -> None:
    bank = _actor("importer-bank")
    names = {"holder": "carrier", "currency": "KZT", "town": "Almaty", "country": "KZ"}
    first = await world.accounts.open(bank, name="Carrier", **names)
    assert await world.accounts.open(bank, name="Carrier", **names) == first
    with pytest.raises(Conflict):
        await world.accounts.open(bank, name="Other", **names)


async def test_holder_and_bank_see_an_account_and_nobody_else(world) -> None:
    [own] = await world.accounts.statements(_actor("importer"), limit=9)
    name = own.opened.account
    for party in ("importer", "importer-bank"):
        assert (await world.accounts.statement(_actor(party), name)).opened.account == name
    for party in ("exporter", "exporter-bank", "carrier"):
        with pytest.raises(NotFound):
            await world.accounts.statement(_actor(party), name)
    purposes = [
        s.opened.purpose for s in await world.accounts.statements(_actor("importer-bank"), limit=9)
    ]
    assert sorted(purposes) == ["cash", "customer"]


async def test_money_for_nobody_is_refused(world) -> None:
    with pytest.raises(Refused) as refused:
        await world.accounts.deposit(
            _actor("importer-bank"), deposit="x", holder="exporter", amount=CNY_5
        )
    assert refused.value.code == "no_account"
    with pytest.raises(Refused):
        await world.accounts.deposit(
            _actor("importer-bank"),
            deposit="x",
            holder="importer",
            amount=Money(-1, Currency("CNY")),
        )
