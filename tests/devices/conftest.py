"""A devices room in memory for each test."""

from __future__ import annotations

import pytest
from tests.devices.device_room import device_room


@pytest.fixture
def room():
    return device_room()
