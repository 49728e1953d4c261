"""A statement out of the ledger reconciles to nothing left over, day after day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.money import Currency
from zhidao.finance.adapters.schema_pack import FolderSchemas
from zhidao.finance.domain.ledger.ledger import Account, Transfer, TransferFlag
from zhidao.finance.domain.payments.statement import pages
from zhidao.finance.service.ledger.account_statements import LOOKED_BATCHES_MAX, Statements
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.wire.iso20022.messages import camt053 as wire

ONE, TWO, THREE = UUID(int=1), UUID(int=2), UUID(int=3)
DAY = date(2026, 5, 1)


async def moved(durable) -> Ledger:
    """Two days of credits, debits and a reservation of which a part is posted."""
    ledger = Ledger(durable.store, scribe=durable.scribe, clock=durable.clock, holder="node")
    await ledger.open_accounts("CNY", [Account(ONE, 7, 1), Account(TWO, 7, 1)], [])

    def pay(number: int, debit: UUID, credit: UUID, amount: int, **more) -> Transfer:
        return Transfer(UUID(int=number), debit, credit, amount, ledger=7, code=1, **more)

    await ledger.submit("CNY", [pay(10, ONE, TWO, 1_000), pay(11, TWO, ONE, 250)])
    await ledger.submit("CNY", [pay(12, TWO, ONE, 400, flags=TransferFlag.PENDING)])
    durable.clock.advance(86_400)
    post = Transfer(
        UUID(int=13), amount=300, pending_id=UUID(int=12), flags=TransferFlag.POST_PENDING_TRANSFER
    )
    await ledger.submit("CNY", [post, pay(14, TWO, ONE, 600)])
    return ledger


async def statement_of(durable, first: date, last: date, account: UUID = TWO):
    statements = Statements(durable.store, durable.clock)
    return await statements.statement("CNY", account, message="S-1", first_day=first, last_day=last)


async def test_two_days_follow_each_other_and_end_at_the_ledgers_balance(durable) -> None:
    ledger = await moved(durable)
    first = await statement_of(durable, DAY, DAY)
    second = await statement_of(durable, DAY + timedelta(1), DAY + timedelta(1))
    assert (first.opening_minor, first.closing_minor) == (0, 750)
    assert [entry.amount_minor for entry in second.entries] == [-300, -600]
    assert second.opening_minor == first.closing_minor
    assert second.closing_minor == (await ledger.account("CNY", TWO)).balance == -150
    other = await statement_of(durable, DAY, DAY + timedelta(1), ONE)
    whole = await statement_of(durable, DAY, DAY + timedelta(1))
    assert other.closing_minor + whole.closing_minor == 0


@pytest.mark.parametrize("definition", [wire.STATEMENT, wire.REPORT])
async def test_the_message_is_valid_and_reads_back(durable, shared: Path, definition: str) -> None:
    await moved(durable)
    statement = await statement_of(durable, DAY, DAY + timedelta(1))
    data = wire.encode(statement, definition)
    assert wire.decode(data, definition) == statement
    verdict = await FolderSchemas(shared / "finance/xsd").check(definition, data)
    assert verdict.startswith("valid")
    empty = replace(statement, entries=(), closing_minor=statement.opening_minor)
    assert wire.decode(wire.encode(empty, definition), definition) == empty


async def test_a_statement_that_does_not_reconcile_is_refused(durable) -> None:
    await moved(durable)
    statement = await statement_of(durable, DAY, DAY + timedelta(1))
    with pytest.raises(MalformedInput):
        replace(statement, closing_minor=statement.closing_minor + 1)
    data = wire.encode(statement)
    for old, new in (
        (b">3.00<", b">3.01<"),
        (b"CLBD", b"OPBD"),
        (b">RCDT<", b">ICDT<"),
        (b">OPBD", b">ITBD"),
    ):
        assert old in data
        with pytest.raises(MalformedInput):
            wire.decode(data.replace(old, new, 1))
    with pytest.raises(MalformedInput):
        wire.decode(data.replace(b"</Ntry>", b"</Ntry><Ntry/>", 1))
    assert statement.currency == Currency("CNY")


async def test_a_long_statement_comes_in_pages_that_lead_to_each_other(
    durable, shared: Path
) -> None:
    await moved(durable)
    whole = await statement_of(durable, DAY, DAY + timedelta(1))
    uetr = "174c245f-2682-4291-ad67-2a41e530cd27"
    whole = replace(whole, entries=(replace(whole.entries[0], uetr=uetr), *whole.entries[1:]))
    parts = list(pages(whole, entries_max=3))
    assert [(one.page, one.is_last, len(one.entries)) for one in parts] == [
        (1, False, 3),
        (2, True, 1),
    ]
    assert parts[0].closing_minor == parts[1].opening_minor
    assert parts[1].closing_minor == whole.closing_minor
    schemas = FolderSchemas(shared / "finance/xsd")
    for part in parts:
        data = wire.encode(part)
        assert wire.decode(data) == part
        assert (await schemas.check(wire.STATEMENT, data)).startswith("valid")
    assert b"<UETR>" in wire.encode(parts[0])
    assert list(pages(whole, entries_max=9)) == [whole]
    empty = replace(whole, entries=(), closing_minor=whole.opening_minor)
    assert list(pages(empty, entries_max=9)) == [empty]


@pytest.mark.parametrize("entries_max", [1, 2, 3, 9])
async def test_pages_out_of_the_ledger_are_those_of_the_whole(durable, entries_max: int) -> None:
    await moved(durable)
    statements = Statements(durable.store, durable.clock)
    days = {"first_day": DAY + timedelta(1), "last_day": DAY + timedelta(1)}
    whole = await statements.statement("CNY", TWO, message="S-1", **days)
    told = [
        one
        async for one in statements.pages(
            "CNY", TWO, message="S-1", entries_max=entries_max, **days
        )
    ]
    assert told == list(pages(whole, entries_max=entries_max))


async def test_the_latest_movements_come_first_and_reservations_are_told(durable) -> None:
    ledger = await moved(durable)
    statements = Statements(durable.store, durable.clock)
    placed, further = await statements.earlier("CNY", TWO, limit=10)
    assert further is None
    found = [one for _, one in placed]
    assert [(one.amount_minor, one.state) for one in found] == [
        (-600, "booked"),
        (-300, "booked"),
        (-400, "reserved"),
        (-250, "booked"),
        (1_000, "booked"),
    ]
    assert {one.other for one in found} == {ONE}
    assert [str(one.at)[:10] for one in found[1:3]] == ["2026-05-02", "2026-05-01"]
    some, further = await statements.earlier("CNY", ONE, limit=2)
    assert [one.amount_minor for _, one in some] == [600, 300]
    assert further is not None
    rest, further = await statements.earlier("CNY", ONE, limit=9, before=further)
    assert [one.amount_minor for _, one in (*some, *rest)] == [-one.amount_minor for one in found]
    assert further is None
    assert await statements.earlier("EUR", ONE, limit=2) == ([], None)
    await ledger.open_accounts("CNY", [Account(THREE, 7, 1)], [])
    # An account that was still for long is not looked for through the whole ledger.
    for number in range(100, 100 + LOOKED_BATCHES_MAX):
        more = Transfer(UUID(int=number), THREE, ONE, 1, ledger=7, code=1)
        await ledger.submit("CNY", [more])
    none, further = await statements.earlier("CNY", TWO, limit=3)
    assert none == []
    assert further is not None
    older, _ = await statements.earlier("CNY", TWO, limit=9, before=further)
    assert [one for _, one in older] == found
    many, further = await statements.earlier("CNY", ONE, limit=600)
    assert len(many) == LOOKED_BATCHES_MAX
    assert further is not None
