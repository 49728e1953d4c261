"""The book of commands to terminals: the memory twin and PostgreSQL keep the same promises."""

from __future__ import annotations

from uuid import UUID

import pytest

from zhidao.core.errors import Conflict, NotFound
from zhidao.core.ids import party_id
from zhidao.core.timescale import NS, Utc
from zhidao.devices.adapters.commands import PostgresCommands
from zhidao.devices.adapters.memory_commands import MemoryCommands
from zhidao.devices.domain import command as states
from zhidao.devices.domain.command import QUEUED, SENT, Command
from zhidao.devices.service.ports import CommandBook

NOW = Utc.parse("2026-11-24T08:00:00Z")


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def book(request: pytest.FixtureRequest) -> CommandBook:
    if request.param == "memory":
        return MemoryCommands()
    return PostgresCommands(request.getfixturevalue("database"))


def _command(number: int, terminal: str = "truck-7") -> Command:
    values = {"parameters": [{"id": 0x83, "value": "京A"}, {"id": 0x29, "value": 30}]}
    return Command(
        UUID(int=number), terminal, "set_parameters", values, party_id("operator"), NOW,
        NOW.plus_ns(number * NS),
    )  # fmt: skip


async def test_what_waits_is_given_in_order_and_the_newest_first(book: CommandBook) -> None:
    for number in (2, 1, 3):
        await book.add(_command(number))
    await book.add(_command(9, "van-3"))
    assert [each.id.int for each in await book.queued("truck-7", 9)] == [1, 2, 3]
    assert [each.id.int for each in await book.newest("truck-7", 2)] == [3, 2]
    assert await book.queued("nobody", 9) == ()
    assert (await book.queued("truck-7", 9))[0] == _command(1)


async def test_a_change_is_written_once(book: CommandBook) -> None:
    before = _command(1)
    await book.add(before)
    going = states.sent(before, 7, NOW)
    await book.change(going, since=QUEUED)
    with pytest.raises(Conflict):
        await book.change(going, since=QUEUED)
    done = states.answered(going, 0, NOW.plus_ns(NS), (("a.b", "30 (s)"),))
    await book.change(done, since=SENT)
    assert await book.newest("truck-7", 5) == (done,)
    assert await book.queued("truck-7", 9) == ()


async def test_what_is_open_after_its_time_is_overdue(book: CommandBook) -> None:
    for number in (1, 2, 3):
        await book.add(_command(number))
    await book.change(states.sent(_command(2), 1, NOW), since=QUEUED)
    ended = states.overdue(_command(1), NOW)
    await book.change(ended, since=QUEUED)
    assert [each.id.int for each in await book.overdue(NOW.plus_ns(3 * NS), 9)] == [2]
    assert [each.id.int for each in await book.overdue(NOW.plus_ns(3 * NS + 1), 9)] == [2, 3]
    assert len(await book.overdue(NOW.plus_ns(9 * NS), 1)) == 1


async def test_what_waits_is_counted_read_by_its_id_and_ended_at_once(book: CommandBook) -> None:
    for number in (1, 2, 3):
        await book.add(_command(number))
    await book.add(_command(9, "van-3"))
    going = states.sent(_command(1), 5, NOW)
    await book.change(going, since=QUEUED)
    assert await book.count_queued("truck-7") == 2
    assert [each.id.int for each in await book.queued("truck-7", 1)] == [2]
    assert await book.one("truck-7", UUID(int=3)) == _command(3)
    with pytest.raises(NotFound):
        await book.one("truck-7", UUID(int=9))
    await book.end_queued("truck-7", NOW)
    assert await book.newest("truck-7", 9) == (
        states.overdue(_command(3), NOW), states.overdue(_command(2), NOW), going,
    )  # fmt: skip
    assert await book.count_queued("truck-7") == 0
    assert await book.count_queued("van-3") == 1
