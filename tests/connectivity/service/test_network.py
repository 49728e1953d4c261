"""A check is asked once, written down, and a silent network never disagrees."""

from __future__ import annotations

import pytest

from zhidao.connectivity.domain.subscriber_location import Subscriber, SubscriberLocation
from zhidao.connectivity.events import NetworkChecked, SimAsked
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic
from zhidao.core.ids import party_id
from zhidao.core.timescale import Utc

AT = Utc.parse("2026-11-24T08:00:00Z")
PHONE = "+8613800138000"
ASKED = {
    "phone": PHONE,
    "latitude_ndeg": 55_460_000_000,
    "longitude_ndeg": 8_440_000_000,
    "bound_mm": 9_000,
    "at": AT,
}


def _known(latitude_deg: float, *, locations: bool = True) -> Subscriber:
    seen = SubscriberLocation(
        Geodetic(latitude_deg, 8.44), 500.0, AT, "test network", simulated=True
    )
    return Subscriber(PHONE, True, (), (seen,) if locations else ())


@pytest.mark.parametrize(
    ("latitude_deg", "verdict"), [(55.46, "match"), (55.48, "mismatch"), (55.4645, "partial")]
)
async def test_the_network_agrees_or_not(room, node, latitude_deg, verdict):
    await room.network.set(_known(latitude_deg))
    fact = await room.checks.check(node, **ASKED, readers=("carrier",))
    assert fact.verdict == verdict
    assert fact.simulated
    assert (fact.network_radius_mm, fact.fix_bound_mm) == (500_000, 9_000)
    asked, entry = room.journal.written
    assert SimAsked.of(asked.event).answer == "compared"
    assert NetworkChecked.of(entry.event) == fact
    assert entry.event.visible == (party_id("carrier"),)


async def test_no_answer_is_unknown_and_no_disagreement(room, node):
    assert (await room.checks.check(node, **ASKED)).verdict == "unknown"
    await room.network.set(_known(0.0, locations=False))
    fact = await room.checks.check(node, **(ASKED | {"bound_mm": 1}))
    assert (fact.verdict, fact.network_radius_mm) == ("unknown", 0)
    room.network.reachable = False
    fact = await room.checks.check(node, **(ASKED | {"bound_mm": 2}))
    assert fact.verdict == "unknown"
    assert "did not answer" in fact.reason


async def test_the_same_question_gives_the_answer_that_stands(room, node):
    await room.network.set(_known(55.46))
    first = await room.checks.check(node, **ASKED)
    await room.network.set(_known(10.0))
    assert await room.checks.check(node, **ASKED) == first
    assert [each.event.type for each in room.journal.written] == [
        SimAsked.TYPE,
        NetworkChecked.TYPE,
    ]


async def test_what_is_no_number_is_refused(room, node):
    with pytest.raises(MalformedInput):
        await room.checks.check(node, **(ASKED | {"phone": "123"}))
