"""The evidence of a lot: both versions are read, and sifted as they were."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.spoiling import BOUNDED, spoiled

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.industry.domain.quality import GOOD, Bound, Reading, Why, judge, sift
from zhidao.industry.wire.quality_record import decode_record, encode_record

AT = Utc.parse("2026-05-04T08:00:00Z")
READINGS = [
    Reading("Flow", Decimal("48.25"), "Float", GOOD, AT, AT.plus_ns(7)),
    Reading("Flow", Decimal("48.5"), "Float", "BadSensorFailure", AT.plus_ns(1), None),
    Reading("Flow", None, "", "BadNotConnected", None, AT),
]
FIRST = jcs(
    {
        "v": 1,
        "order": "PO-1",
        "lot": "L-1",
        "judgements": [],
        "samples": [{"name": "Flow", "value": "48", "observed_at": "2026-05-04T08:00:00Z"}],
    }
)


def record(readings: list[Reading]) -> bytes:
    sifted = sift(readings, begun_at=AT, ended_at=AT)
    bounds = [Bound("Flow", Decimal(45), Decimal(51), "MQH")]
    return encode_record(
        order="PO-1",
        lot="L-1",
        begun_at=AT,
        ended_at=AT,
        readings=readings,
        judgements=judge(sifted.samples, bounds if sifted.samples else []),
    )


def test_everything_that_a_machine_said_is_in_the_record() -> None:
    data = record(READINGS)
    assert jcs(json.loads(data)) == data
    read = decode_record(data)
    assert (read.order, read.lot, read.has_status) == ("PO-1", "L-1", True)
    assert read.sifted == sift(READINGS, begun_at=AT, ended_at=AT)
    assert [each for each, _ in read.sifted.left] == READINGS[1:]
    assert {why for _, why in read.sifted.left} == {Why.STATUS}


def test_a_record_of_the_first_version_stays_readable_and_says_no_status() -> None:
    read = decode_record(FIRST)
    assert not read.has_status
    [sample] = read.sifted.samples
    assert (sample.name, sample.value, sample.observed_at, sample.type) == ("Flow", 48, AT, "")


@pytest.mark.parametrize("version", [0, 3])
def test_a_record_of_another_version_is_refused(version: int) -> None:
    with pytest.raises(MalformedInput) as refused:
        decode_record(jcs(json.loads(FIRST) | {"v": version}))
    assert refused.value.code == "unknown_version"


@BOUNDED
@given(st.sampled_from([FIRST, record(READINGS)]).flatmap(spoiled))
def test_a_spoiled_record_is_malformed_or_read(data: bytes) -> None:
    with suppress(MalformedInput):
        decode_record(data)
