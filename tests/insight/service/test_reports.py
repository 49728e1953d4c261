from __future__ import annotations

import json

import pytest
from tests.insight.sample_log import corridor

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Forbidden
from zhidao.core.ids import PartyId, party_id
from zhidao.insight.domain.opened import OpenedLog
from zhidao.insight.service.reports import Reports


class MemoryLog:
    """A log whose events are seen by whoever said them."""

    def __init__(self) -> None:
        self._log = corridor()

    async def opened(self, viewer: PartyId | None) -> OpenedLog:
        seen = [
            leaf
            for leaf in self._log.leaves
            if viewer is None or leaf.event.asserted_by.party == viewer
        ]
        return OpenedLog(self._log.heads, tuple(seen))


async def test_an_auditor_reads_all_and_a_party_what_it_may_see():
    reports = Reports(MemoryLog())
    auditor = json.loads(await reports.document(Actor(party_id("x"), Role.AUDITOR)))
    carrier = json.loads(await reports.document(Actor(party_id("carrier"), Role.PARTY)))
    assert auditor["opened"]["value"] == 60
    assert (carrier["opened"]["value"], carrier["opened"]["total"]) == (6, 68)
    assert [voice["party"] for voice in carrier["voices"]] == ["carrier"]


async def test_an_admin_of_the_node_sees_no_trade():
    with pytest.raises(Forbidden):
        await Reports(MemoryLog()).page(Actor(party_id("x"), Role.ADMIN))
