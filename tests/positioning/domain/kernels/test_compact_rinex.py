"""What a satellite line of Compact RINEX may hold: orders, and values of ten digits."""

from __future__ import annotations

import numpy as np
import pytest

from zhidao.positioning.domain.kernels import compact_rinex


def decoded(line: bytes) -> float | None:
    """The first value of a line, None where the line is damaged."""
    values = np.zeros(1)
    good = compact_rinex._satellite(
        np.frombuffer(line, np.uint8),
        0,
        len(line),
        np.zeros((1, compact_rinex._ORDER_MAX + 1), np.int64),
        np.full((1, 2), -1, np.int64),
        np.zeros((1, 2), np.uint8),
        np.zeros(1, bool),
        values,
    )
    return float(values[0]) if good else None


@pytest.mark.bound("positioning.domain.kernels.compact_rinex._ORDER_MAX")
def test_an_arc_begins_with_an_order_up_to_five() -> None:
    assert decoded(b"5&1234") == 1.234
    assert decoded(b"6&1234") is None


@pytest.mark.bound("positioning.domain.kernels.compact_rinex._VALUE_MAX")
def test_a_value_has_ten_digits_before_the_point_and_a_minus_takes_one() -> None:
    assert decoded(b"3&9999999999999") == 9_999_999_999.999
    assert decoded(b"3&10000000000000") is None
    assert decoded(b"3&-999999999999") == -999_999_999.999
    assert decoded(b"3&-1000000000000") is None
