"""What a database tells of its copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Copy:
    """A standby as the database tells of it; empty texts: it does not tell this role."""

    state: str
    sync: str


@dataclass(frozen=True, slots=True)
class Copies:
    """All standbys, and synchronous_standby_names: empty if commits wait for nobody."""

    names: str
    standbys: Sequence[Copy]
