from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zhidao.trust.adapters.log.mirror_positions import (
    MemoryMirrorPositions,
    PostgresMirrorPositions,
)
from zhidao.trust.domain.mirroring import Pushed
from zhidao.trust.service.witness.ports import MirrorPositions

if TYPE_CHECKING:
    from zhidao.store.database import Database

URL = "https://m.example/witness"


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def positions(request: pytest.FixtureRequest) -> MirrorPositions:
    if request.param == "memory":
        return MemoryMirrorPositions()
    database: Database = request.getfixturevalue("database")
    return PostgresMirrorPositions(database, "log.example")


async def test_the_last_word_of_each_mirror_stays(positions: MirrorPositions) -> None:
    assert await positions.of(URL) == Pushed()
    first, second = Pushed(256), Pushed(700, 700, 1_772_000_000, b"lines")
    await positions.keep(URL, first)
    await positions.keep("https://n.example", Pushed(1))
    assert await positions.of(URL) == first
    await positions.keep(URL, second)
    assert await positions.of(URL) == second
    # A mirror that lost entries is behind again.
    await positions.keep(URL, first)
    assert await positions.of(URL) == first
    assert await positions.of("https://n.example") == Pushed(1)


@pytest.mark.service
async def test_each_log_has_its_own_positions(database: Database) -> None:
    await PostgresMirrorPositions(database, "one.example").keep(URL, Pushed(5))
    assert await PostgresMirrorPositions(database, "two.example").of(URL) == Pushed()
