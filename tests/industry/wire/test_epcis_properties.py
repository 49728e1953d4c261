"""EPCIS documents of any lot: each event bears the hash that its own content gives."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.spoiling import BOUNDED

from zhidao.core.canonical import jcs
from zhidao.core.timescale import Utc
from zhidao.industry.domain.event_hash import event_hash
from zhidao.industry.domain.quality import Bound, Judgement
from zhidao.industry.wire.epcis import lot_document

codes = st.text("ABCXYZ0189-.", min_size=1, max_size=12)
values = st.decimals(-1000, 1000, places=3)
judgements = st.builds(
    Judgement,
    st.builds(lambda name, low: Bound(name, low, low + 1, "MMT"), codes, values),
    st.integers(1, 9),
    values,
    values,
    values,
    st.just(0),
)


@BOUNDED
@given(
    codes,
    st.lists(codes, min_size=1, max_size=4, unique=True),
    st.integers(10**8, 4 * 10**9),
    st.lists(judgements, max_size=3),
)
def test_each_event_of_a_lot_is_named_by_its_own_content(
    lot: str, serials: list[str], second: int, told: list[Judgement]
) -> None:
    data, hashes = lot_document(
        gtin="09506000134352",
        lot=lot,
        serials=serials,
        finished_at=Utc.from_unix_ns(second * 10**9),
        judgements=told,
    )
    document = json.loads(data)
    assert jcs(document) == data
    events = document["epcisBody"]["eventList"]
    assert [event.pop("eventID") for event in events] == hashes
    assert [event_hash(event, document["@context"][1]) for event in events] == hashes
    assert len(events[0]["epcList"]) == len(serials)
    # Nobody inspected what was not measured.
    assert len(events) == (2 if told else 1)
    if not told:
        return
    assert events[1]["quantityList"][0]["quantity"] == len(serials)
    reports = events[1]["sensorElementList"][0]["sensorReport"]
    assert [Decimal(r["stringValue"].split("..")[0]) for r in reports] == [j.lowest for j in told]
