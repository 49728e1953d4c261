"""What all RINEX files that are written here share: header lines, comments, dates."""

from __future__ import annotations

from typing import Final

import numpy as np

_GPST_EPOCH: Final = np.datetime64("1980-01-06T00:00:00", "ns")
SIMULATED_COMMENT: Final = "SIMULATED OBSERVATIONS, NO SATELLITE WAS RECEIVED"


def labelled(content: str, label: str) -> str:
    """A header line."""
    return f"{content[:60]:60s}{label}"


def comments_of(comments: tuple[str, ...], *, simulated: bool) -> list[str]:
    """Comments to write; simulated data always say so."""
    found = [comment for comment in comments if comment]
    if simulated and not any("SIMULATED" in comment for comment in found):
        found.insert(0, SIMULATED_COMMENT)
    return found


def calendar(gpst_ns: int) -> tuple[int, int, int, int, int, int]:
    """Year to second of a time counted from 1980-01-06."""
    at = (_GPST_EPOCH + np.timedelta64(gpst_ns, "ns")).astype("datetime64[s]").item()
    return at.year, at.month, at.day, at.hour, at.minute, at.second
