"""What becomes of a DataValue of OPC UA: status, type and both times stay with it."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.industry.adapters.opcua import reading_of


def bare(text: str) -> datetime:
    """As the library gives it: UTC without a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=None)


SOURCE, SERVER = bare("2026-05-01T09:00:00.250Z"), bare("2026-05-01T09:00:01Z")


def data_value(value: Any, *, code: int = 0, name: str = "Good", type_: str = "Double", **times):
    variant = None if value is None else SimpleNamespace(
        Value=value, VariantType=SimpleNamespace(name=type_)
    )  # fmt: skip
    return SimpleNamespace(
        Value=variant,
        StatusCode=SimpleNamespace(value=code, name=name),
        SourceTimestamp=times.get("source", SOURCE),
        ServerTimestamp=times.get("server", SERVER),
    )


def test_a_good_value_keeps_its_type_and_both_times() -> None:
    read = reading_of("Flow", data_value(48.5, type_="Float"), "opc.tcp://a")
    assert (read.value, read.type, read.status) == (48.5, "Float", "Good")
    assert read.source_at == Utc.parse("2026-05-01T09:00:00.25Z")
    assert read.server_at == Utc.parse("2026-05-01T09:00:01Z")


@pytest.mark.parametrize(
    ("code", "name", "status"),
    [
        (0x80AF0000, "BadSensorFailure", "BadSensorFailure"),
        (0x40900000, "UncertainLastUsableValue", "UncertainLastUsableValue"),
        (0x00960000, "GoodLocalOverride", "GoodLocalOverride"),
        (0x00300000, "GoodClamped", "GoodClamped"),
        (0x80FF0000, "", "0x80FF0000"),
        # Limits and structure in the low bits: the value itself is good.
        (0x00000480, "Good", "Good"),
    ],
)
def test_good_is_the_code_zero_alone(code: int, name: str, status: str) -> None:
    read = reading_of("Flow", data_value(48.5, code=code, name=name), "opc.tcp://a")
    assert read.status == status
    assert read.value == 48.5


@pytest.mark.parametrize("value", [None, "broken", True, [1.0], {"x": 1}])
def test_a_bad_value_that_is_no_number_is_kept_as_bad(value: Any) -> None:
    read = reading_of("Flow", data_value(value, code=0x808A0000, name="BadNotConnected"), "e")
    assert (read.value, read.status) == (None, "BadNotConnected")


@pytest.mark.parametrize("value", [None, "48", True, [1.0], {"x": 1}])
def test_a_good_value_that_is_no_number_is_malformed(value: Any) -> None:
    with pytest.raises(MalformedInput, match="Flow is no number"):
        reading_of("Flow", data_value(value), "opc.tcp://a")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_good_value_that_is_not_finite_is_no_number_and_no_error(value: float) -> None:
    assert reading_of("Flow", data_value(value), "opc.tcp://a").value is None


def test_a_time_of_1601_or_none_is_no_time() -> None:
    for source in (None, bare("1601-01-01T00:00:00Z")):
        assert reading_of("Flow", data_value(1, source=source), "e").source_at is None
