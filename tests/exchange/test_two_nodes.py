"""Two real nodes over loopback TLS: a line that cuts and delays, and kills at any moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.exchange_voyage import voyage

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(280)]


async def test_kills_cuts_and_delays_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    found = await voyage(tmp_path, documents=60, kills=3, faults=0.12, seed=4, patience_s=90)
    assert found.cuts > 3, "the line was too good for this test"
    assert found.kills == 3
    assert (found.lost, found.doubled, found.out_of_order, found.unproven) == (0, 0, 0, 0)
    assert found.healed_s <= 30
