"""A name is found among those of many parties, as far as it is looked for."""

from __future__ import annotations

from typing import Any

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import NotFound
from zhidao.core.ids import PartyId
from zhidao.finance.adapters.memory import MemoryNameIndex
from zhidao.finance.events.banks import NettingOpened
from zhidao.finance.service.control.party_references import PartyReferences

READER = Actor(PartyId("carrier"), Role.PARTY)


@pytest.mark.bound("finance.service.control.party_references.OWNERS_MAX")
@pytest.mark.parametrize(("others", "is_found"), [(99, 1), (100, 0)])
async def test_of_a_hundred_owners_the_one_is_found_and_past_them_by_its_owner(
    world: Any, others: int, is_found: int
) -> None:
    index = MemoryNameIndex()
    references = PartyReferences("netting", records=world.records, index=index)
    for number in range(others):
        await index.add("netting", "C-1", f"bank-{number:03}")
    # In order of names it comes last.
    owner = Actor(PartyId("exporter-bank"), Role.PARTY)
    key = await references.key(owner.party, "C-1")
    await references.take(key)
    opened = NettingOpened(
        cycle="C-1", bank=owner.party, currency="CNY", participants=["carrier", "exporter"]
    )
    await world.records.record(
        owner, f"netting/{key}", [opened], after=0, owner=owner.party, visible=[READER.party]
    )
    assert await references.find(READER, "C-1", of=owner.party) == key
    if is_found:
        assert await references.find(READER, "C-1") == key
        return
    with pytest.raises(NotFound) as refusal:
        await references.find(READER, "C-1")
    assert "100 of one name" in refusal.value.remedy
    assert "?of=PARTY" in refusal.value.remedy
