"""The contract of people's choices about pages, kept by the memory twin and by PostgreSQL."""

from __future__ import annotations

import pytest

from zhidao.node.adapters.preference_store import PostgresPreferences
from zhidao.node.preferences.choices import Look, Preferences, Store, TableChoice
from zhidao.node.preferences.memory import MemoryPreferences


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryPreferences()
    return PostgresPreferences(request.getfixturevalue("database"))


async def test_nothing_was_chosen_at_first(store: Store) -> None:
    assert await store.preferences("aida") == Preferences()


async def test_a_choice_takes_the_place_of_the_one_before_and_is_ones_own(store: Store) -> None:
    await store.put_look("aida", Look(language="kk", theme="dark"))
    await store.put_look("aida", Look(language="zh"))
    await store.put_table("aida", "deals", TableChoice(sort="deal"), most=9)
    await store.put_table(
        "aida", "deals", TableChoice(sort="-deal", shown=("deal", "state")), most=9
    )
    found = await store.preferences("aida")
    assert found.look == Look(language="zh")
    assert found.tables == {"deals": TableChoice(sort="-deal", shown=("deal", "state"))}
    assert await store.preferences("ben") == Preferences()


async def test_of_too_many_tables_the_longest_untouched_go(store: Store) -> None:
    for name in ("a", "b", "c"):
        await store.put_table("aida", name, TableChoice(sort=name), most=3)
    await store.put_table("ben", "z", TableChoice(sort="z"), most=3)
    await store.put_table("aida", "a", TableChoice(sort="-a"), most=3)
    await store.put_table("aida", "d", TableChoice(sort="d"), most=3)
    assert set((await store.preferences("aida")).tables) == {"a", "c", "d"}
    assert set((await store.preferences("ben")).tables) == {"z"}
