"""Which part of a report is asked for, out of the words of a command or an address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.insight.domain.corridor.composite import INDICATORS
from zhidao.insight.domain.selection import Selection

# Up to a million, to a millionth: no weight is so small that its share vanishes.
_NUMBER: Final = re.compile(r"\d{1,6}(?:\.\d{1,6})?", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def decode_selection(*, consignments: Sequence[str], first: str, last: str) -> Selection:
    """Consignments by name, and days (UTC) or instants (RFC 3339) of their entry.

    A day as `last` is taken whole, an instant is left out; empty is no bound. Raises
    MalformedInput for what is neither, or where nothing could be between the two.
    """
    return Selection(
        tuple(dict.fromkeys(consignments)),
        _moment(first, "from") if first else None,
        _moment(last, "to", whole_day=True) if last else None,
    )


def decode_weights(text: str) -> dict[str, float]:
    """Weights of a composite by indicator, such as `mean=2,p90=1`; none stands twice.

    Raises MalformedInput for what is no indicator or no number above 0.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        if name not in INDICATORS or name in found or not _NUMBER.fullmatch(number):
            raise MalformedInput(
                f"no weight of an indicator: {part[:40]!r}",
                where="weights",
                remedy=f"write mean=2,p90=1, each once, of {', '.join(INDICATORS)}",
            )
        found[name] = float(number)
    if not all(found.values()):
        raise MalformedInput("a weight is more than 0", where="weights", remedy="leave it out")
    return found


def _moment(text: str, where: str, *, whole_day: bool = False) -> Utc:
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text) + timedelta(days=whole_day)
            return Utc.parse(f"{day}T00:00:00Z")
        return Utc.parse(text)
    except (MalformedInput, ValueError, OverflowError) as error:
        raise MalformedInput(
            f"no day and no instant: {text[:40]!r}",
            where=where,
            remedy="write 2026-05-01 or 2026-05-01T08:00:00Z",
        ) from error
