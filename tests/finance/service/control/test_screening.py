"""A screening is recorded with its lists, repeats itself, and never answers from old lists."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Refused
from zhidao.core.ids import party_id
from zhidao.core.journal import Records
from zhidao.finance.adapters.memory import HeldLists
from zhidao.finance.domain.screening.screening import Lists
from zhidao.finance.events import NameScreened
from zhidao.finance.service.control.screening import Screening
from zhidao.finance.wire.screening_lists import read_list

BANK = Actor(party_id("node"), Role.PARTY)
ID = str(UUID(int=7 << 76 | 2 << 62 | 1))


def screening_of(durable, dated: date) -> Screening:
    listed = read_list("csv", "id,name\n1,Jane Doe\n2,王伟\n".encode(), dated=dated)
    records = Records(durable.journal, durable.scribe)
    source = HeldLists(Lists.of([(listed.version, listed.entries)]))
    return Screening(source, records=records, clock=durable.clock)


async def test_an_answer_is_recorded_with_its_lists(durable) -> None:
    screening = screening_of(durable, date(2026, 4, 30))
    told = await screening.screen(BANK, screening=ID, name="Wang Wei")
    assert told.hits[0].name == "王伟"
    assert told.hits[0].alert
    [entry] = durable.journal.written
    assert NameScreened.of(entry.event) == told
    assert told.lists[0].dated == "2026-04-30"
    assert await screening.screen(BANK, screening=ID, name="Wang Wei") == told
    assert len(durable.journal.written) == 1
    with pytest.raises(Conflict):
        await screening.screen(BANK, screening=ID, name="Jane Doe")


async def test_an_old_list_answers_and_records_nothing(durable) -> None:
    screening = screening_of(durable, date(2026, 4, 1))
    with pytest.raises(Refused) as refused:
        await screening.screen(BANK, screening=ID, name="Wang Wei")
    assert refused.value.code == "list_too_old"
    assert not durable.journal.written
