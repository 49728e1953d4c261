"""A devices room in memory for each test."""

from __future__ import annotations

import pytest
from tests.devices.ground import ground


@pytest.fixture
def room():
    return ground()
