"""The condition under which a process may write: part of the transaction that it guards.

The only writer of a node holds a lease, a row with an epoch. Whoever takes the lease over raises
the epoch. A transaction that checked the old one keeps the row as it is until it ends, so the
takeover waits for it; one that checks later finds the epoch gone and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zhidao.core.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Fence:
    """An SQL condition with named parameters, true while writing is allowed.

    Asking it locks what it read until the transaction ends. The names of its parameters begin
    with `fence_`, so that they stand beside those of any statement.
    """

    condition: str
    parameters: Mapping[str, Any]


def over() -> Unavailable:
    """What a writer hears whose lease another process has taken."""
    return Unavailable(
        "another process of this node has taken over; nothing was written", code="lease_lost"
    )
