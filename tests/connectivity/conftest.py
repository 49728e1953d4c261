"""What every test of this room needs."""

from __future__ import annotations

import pytest
from tests.connectivity.bench import Bench, bench

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id


@pytest.fixture
def room() -> Bench:
    return bench()


@pytest.fixture
def node() -> Actor:
    return Actor(party_id("node"), Role.NODE)


@pytest.fixture
def operator() -> Actor:
    return Actor(party_id("operator"), Role.OPERATOR)
