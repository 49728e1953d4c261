"""The room's own fixtures, for its routes."""

from __future__ import annotations

from tests.trade.conftest import (  # noqa: F401 (fixtures)
    bill_bytes,
    entry_bytes,
    judge,
    short_bill_bytes,
    world,
)
