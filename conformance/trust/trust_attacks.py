"""Attacks on credentials, tokens, notes, logs and titles: each must meet exactly its reason.

The tables are those of the tests (`tests/trust/attacks`): a case that is added there counts here.
Needs no outside data.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import judged

ROOT = Path(__file__).resolve().parents[2]


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    del shared
    return judged("trust-attacks", _cases())


def _cases() -> Iterator[tuple[str, bool]]:
    sys.path.insert(0, str(ROOT))
    from tests.trust.attacks import test_credentials as credentials
    from tests.trust.attacks import test_logs as logs

    for what, make, reason, evidence in credentials.CASES:
        yield f"credential: {what}", credentials.code(make(), evidence) == reason
    for what, made, reason in credentials.TOKENS:
        yield f"token: {what}", credentials.code(made().encode()) == reason
    for what, act, reason in logs.CASES:
        yield f"log: {what}", logs.outcome(act) == reason
