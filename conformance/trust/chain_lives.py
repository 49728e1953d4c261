"""Two hundred random lives of titles: the node's engine against anvil, transaction by transaction.

Compared are success, gas, events and revert data of each, and every storage word at the end.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

PROGRAMS = 200


def run(shared: Path | None) -> dict[str, Any]:
    """The report; skipped where anvil cannot be had."""
    del shared
    import pytest
    from tests.trust.service.chain.test_json_rpc import compared

    try:
        outcomes = asyncio.run(compared(PROGRAMS))
    except pytest.skip.Exception as reason:
        return {"suite": "chain-lives", "skipped": str(reason)}
    except AssertionError as error:
        return {
            "suite": "chain-lives", "passed": 0, "total": PROGRAMS, "failed": [str(error)[:300]],
        }  # fmt: skip
    return {
        "suite": "chain-lives",
        "passed": PROGRAMS,
        "total": PROGRAMS,
        "failed": [],
        "succeeded": outcomes[""],
        "reverted": outcomes["revert"],
    }
