"""What follows from simulated parts: the one rule that page and proof share."""

from __future__ import annotations


def trajectory_is_simulated(*, reported: bool, played: bool, signals: bool) -> bool:
    """Whether the reported way of a consignment is a play.

    A frame of a terminal has no bit for it, so it follows from what has: goods that were entered
    as a play were not driven anywhere, and where the signals are made nothing moved either.
    Without a report there is no way to speak of.
    """
    return reported and (played or signals)
