from __future__ import annotations

from pathlib import Path

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.config import load
from zhidao.node.identity.organisation import Organisation
from zhidao.store.memory import MemoryJournal

NODE = PartyId("node")
ADMIN = Actor(NODE, Role.ADMIN)


class World:
    def __init__(self, data: Path) -> None:
        self.data = data
        self.journal = MemoryJournal()
        clock, randomness = HandClock(Utc.parse("2026-03-01T08:00:00Z")), SeededRandomness(1)
        scribe = Scribe(
            node=NODE,
            key=SoftwareKey(Algorithm.ED25519, b"n" * 32),
            ring=FixedKeyRing({}),
            clock=clock,
            ids=IdSource(clock, randomness),
            randomness=randomness,
        )
        self.records = Records(self.journal, scribe)

    async def organisation(self, setting: str = "") -> Organisation:
        """As a node finds it when it starts."""
        organisation = Organisation(self.records, self.data, setting)
        await organisation.load()
        return organisation

    def shown(self, *, environment: dict[str, str] | None = None) -> tuple[object, str]:
        """What `zhidao config show` says."""
        config = load(None, environment or {}, {"node.data": str(self.data)})
        [found] = [each for each in config.every() if each.setting.name == "node.organisation"]
        return found.value, found.source


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_name_said_at_first_start_is_kept_and_shown_with_its_source(world: World) -> None:
    assert world.shown() == ("", "default")
    organisation = await world.organisation()
    assert organisation.name == ""
    await organisation.call(ADMIN, " Corridor \n authority ")
    assert organisation.name == "Corridor authority"
    assert (await world.organisation()).name == "Corridor authority"
    assert world.shown() == ("Corridor authority", "first start")
    [entry] = world.journal.written
    assert entry.event.payload == {"name": "Corridor authority"}


async def test_a_setting_wins_over_what_was_said(world: World) -> None:
    organisation = await world.organisation("Settings Ltd")
    await organisation.call(ADMIN, "Said Ltd")
    assert organisation.name == "Settings Ltd"
    named = {"ZHIDAO_NODE_ORGANISATION": "Settings Ltd"}
    assert world.shown(environment=named) == ("Settings Ltd", "ZHIDAO_NODE_ORGANISATION")
    assert (await world.organisation()).name == "Said Ltd"


async def test_nothing_is_written_for_an_empty_name_or_the_same_again(world: World) -> None:
    organisation = await world.organisation()
    await organisation.call(ADMIN, "  ")
    assert world.journal.written == []
    for name in ("A", "A", "B", "A"):
        await organisation.call(ADMIN, name)
    assert [entry.event.payload["name"] for entry in world.journal.written] == ["A", "B", "A"]


async def test_a_lost_or_old_file_is_written_again_from_the_journal(world: World) -> None:
    await (await world.organisation()).call(ADMIN, "A")
    (world.data / "organisation").write_text("older")
    await world.organisation()
    assert world.shown() == ("A", "first start")
    (world.data / "organisation").unlink()
    await world.organisation()
    assert world.shown() == ("A", "first start")


async def test_a_name_said_at_first_start_is_no_setting_to_the_node(world: World) -> None:
    await (await world.organisation()).call(ADMIN, "A")
    config = load(None, {}, {"node.data": str(world.data)})
    assert (config.text("node.organisation"), config.setting("node.organisation")) == ("A", "")
