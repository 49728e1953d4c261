"""The result of `zhidao insight corridor`, as far as a report tells it."""

from __future__ import annotations

from typing import Any

import msgspec

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.versions import check_version_in
from zhidao.insight.wire.corridor_document import FORMAT
from zhidao.insight.wire.corridor_published import PUBLISHED_BYTES_MAX


class _Total(msgspec.Struct):
    """A line of totals; the numbers are there where it is told."""

    crossing: str
    part: str
    simulated: bool
    told: bool
    consignments: int = 0
    parties: int = 0
    missing: int = 0
    mean_h: float = 0.0
    p90_h: float = 0.0
    bound_h: tuple[float, float] = (0.0, 0.0)
    interval_90_h: tuple[float, float] = (0.0, 0.0)


class _Result(msgspec.Struct):
    seed: str
    basis: dict[str, Any]
    totals: list[_Total]


def decode_corridor_result(data: bytes) -> dict[str, Any]:
    """The document. Raises MalformedInput for what is none."""
    plain = parse_strict(data, bytes_max=PUBLISHED_BYTES_MAX)
    check_version_in(plain, form="figures of a corridor", known=(1,))
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise MalformedInput("no figures of a corridor")
    try:
        msgspec.convert(plain, _Result)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"no figures of a corridor: {error}") from error
    return plain
