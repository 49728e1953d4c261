from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trust.adapters.witness.file import FileWitnessStore
from zhidao.trust.adapters.witness.memory import MemoryWitnessStore
from zhidao.trust.domain.witness_rule import HeldHead
from zhidao.trust.service.witness.ports import Move, WitnessStore
from zhidao.trust.service.witness.state import PairedWitnessStore

if TYPE_CHECKING:
    from zhidao.store.database import Database

EMPTY = HeldHead()


def head(size: int, mark: int = 0) -> HeldHead:
    return HeldHead(size, bytes([size, mark]) * 16, 100 + size, b"note %d\n" % size)


@pytest.fixture(
    params=["memory", "file", "paired", pytest.param("postgres", marks=pytest.mark.service)]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> WitnessStore:
    if request.param == "memory":
        return MemoryWitnessStore()
    if request.param == "file":
        return FileWitnessStore(tmp_path / "witness" / "heads")
    if request.param == "paired":
        return PairedWitnessStore(MemoryWitnessStore(), FileWitnessStore(tmp_path / "heads"))
    from zhidao.trust.adapters.witness.postgres import PostgresWitnessStore

    database: Database = request.getfixturevalue("database")
    return PostgresWitnessStore(database)


async def test_a_store_belongs_to_one_set_of_keys(store: WitnessStore) -> None:
    assert await store.bind("one")
    assert not await store.bind("one")
    with pytest.raises(Refused) as refusal:
        await store.bind("two")
    assert refusal.value.code == "foreign_witness_state"
    assert await store.held() == {}


async def test_heads_of_several_logs_move_together(store: WitnessStore) -> None:
    await store.bind("one")
    assert list(await store.advance([Move("b", EMPTY, head(3)), Move("a", EMPTY, head(5))])) == [
        True,
        True,
    ]
    moved = await store.advance([Move("a", head(5), head(9)), Move("b", head(3), head(3))])
    assert list(moved) == [True, True]
    assert await store.held() == {"a": head(9), "b": head(3)}
    assert list(await store.advance([])) == []


async def test_only_what_continues_the_held_head_is_kept(store: WitnessStore) -> None:
    await store.bind("one")
    await store.advance([Move("a", EMPTY, head(5))])
    late = await store.advance(
        [Move("a", EMPTY, head(7)), Move("b", head(2), head(4)), Move("c", EMPTY, head(1))]
    )
    assert list(late) == [False, False, True]
    other_root = Move("a", head(5, mark=1), head(8))
    assert list(await store.advance([other_root])) == [False]
    assert await store.held() == {"a": head(5), "c": head(1)}


async def test_a_file_is_read_back_and_its_torn_end_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "heads"
    store = FileWitnessStore(file)
    await store.bind("one")
    await store.advance([Move("a", EMPTY, head(5))])
    whole = file.read_bytes()
    await store.advance([Move("a", head(5), head(6))])
    for cut in range(len(whole), len(file.read_bytes()) - 1, 7):
        torn = tmp_path / f"torn-{cut}"
        torn.write_bytes(file.read_bytes()[:cut])
        again = FileWitnessStore(torn)
        assert not await again.bind("one")
        assert await again.held() == {"a": head(5)}
        assert list(await again.advance([Move("a", head(5), head(7))])) == [True]
        assert await FileWitnessStore(torn).held() == {"a": head(7)}


async def test_damage_inside_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "heads"
    store = FileWitnessStore(file)
    await store.bind("one")
    await store.advance([Move("a", EMPTY, head(5))])
    file.write_bytes(file.read_bytes().replace(b"identity", b"identitx"))
    with pytest.raises(MalformedInput, match="damaged"):
        await FileWitnessStore(file).bind("one")


async def test_a_restored_older_database_does_not_turn_the_witness_back(tmp_path: Path) -> None:
    beside = FileWitnessStore(tmp_path / "heads")
    pair = PairedWitnessStore(MemoryWitnessStore(), beside)
    await pair.bind("one")
    await pair.advance([Move("a", EMPTY, head(5))])
    restored = MemoryWitnessStore()
    await restored.bind("one")
    again = PairedWitnessStore(restored, beside)
    assert await again.held() == {"a": head(5)}
    assert await restored.held() == {"a": head(5)}
