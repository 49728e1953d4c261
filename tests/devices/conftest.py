"""A devices room in memory for each test."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

# importlib mode gives test files no package: the room's ground is loaded once by its path.
_spec = importlib.util.spec_from_file_location(
    "devices_ground", Path(__file__).with_name("ground.py")
)
assert _spec is not None
assert _spec.loader is not None
_ground = importlib.util.module_from_spec(_spec)
sys.modules["devices_ground"] = _ground
_spec.loader.exec_module(_ground)


@pytest.fixture
def room():
    return _ground.ground()
