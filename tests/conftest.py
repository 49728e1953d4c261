"""Fixtures that every room's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files and vectors beside the checkout; skips where it is not."""
    if not _SHARED.is_dir():
        pytest.skip("no shared test data beside this checkout: this test needs real files")
    return _SHARED
