"""The vault of the devices room: the memory twin and PostgreSQL keep the same promises."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict, NotFound
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Journal, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import NS, Utc
from zhidao.devices.adapters.memory import MemoryVault
from zhidao.devices.adapters.postgres import PostgresVault
from zhidao.devices.domain.custody import (
    Claim,
    Nonce,
    Refusal,
    StoredChunk,
    StoredFrame,
    Suspect,
    Terminal,
    Window,
)
from zhidao.devices.events import PositionsRecorded
from zhidao.devices.service.ports import Vault
from zhidao.store.journal import PostgresJournal
from zhidao.store.memory import MemoryJournal

KEY = SoftwareKey(Algorithm.ED25519, bytes([9]) * 32)
OTHER_KEY = SoftwareKey(Algorithm.ED25519, bytes([8]) * 32).public
NOW = Utc.parse("2026-11-24T08:00:00Z")
TERMINAL = Terminal(
    "truck-7",
    "+8613800138000",
    "8613800138000",
    KEY.public,
    party_id("carrier"),
    (party_id("importer"),),
)
CLAIM = Claim(b"w" * 16, 2, simulated=True)


@dataclass
class Kept:
    vault: Vault
    journal: Journal
    scribe: Scribe

    def entry(self, version: int, aggregate: str = "terminal/truck-7"):
        fact = PositionsRecorded(terminal="truck-7", count=1, root="00", first_at="", last_at="")
        return self.scribe.write(
            fact,
            by=party_id("node"),
            aggregate=aggregate,
            version=version,
            owner=party_id("carrier"),
            visible=(),
            occurred_at=None,
        )


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def kept(request: pytest.FixtureRequest) -> Kept:
    clock, randomness = HandClock(NOW), SeededRandomness(1)
    scribe = Scribe(
        node=party_id("node"),
        key=SoftwareKey(Algorithm.ED25519, bytes(32)),
        ring=FixedKeyRing({}),
        clock=clock,
        ids=IdSource(clock, randomness),
        randomness=randomness,
    )
    if request.param == "memory":
        memory = MemoryJournal()
        return Kept(MemoryVault(memory), memory, scribe)
    database = request.getfixturevalue("database")
    journal = PostgresJournal(database, "devices", lambda: None)
    return Kept(PostgresVault(database, journal), journal, scribe)


def _frame(number: int, message_id: int = 0x0200) -> StoredFrame:
    return StoredFrame(
        "truck-7", bytes([number]) * 32, UUID(int=number), NOW, message_id, number, b"plain"
    )


async def _history(kept: Kept) -> int:
    return len(await kept.journal.load("terminal/truck-7", viewer=None))


async def test_the_secret_is_made_once(kept: Kept):
    assert await kept.vault.secret(b"a" * 32) == b"a" * 32
    assert await kept.vault.secret(b"b" * 32) == b"a" * 32


async def test_a_terminal_is_found_by_id_and_by_number_and_is_one(kept: Kept):
    await kept.vault.add_terminal(TERMINAL, [kept.entry(1)])
    assert await kept.vault.terminal("truck-7") == TERMINAL
    assert await kept.vault.terminal_by_number("8613800138000") == TERMINAL
    assert await kept.vault.terminal_by_phone(TERMINAL.phone) == TERMINAL
    assert await kept.vault.terminal_by_key(KEY.public.multikey) == TERMINAL
    ends = replace(TERMINAL, terminal="truck-8", number="1", phone="+1123456", key=OTHER_KEY)
    for other in (
        TERMINAL,
        replace(ends, number=TERMINAL.number),
        replace(ends, phone=TERMINAL.phone),
        replace(ends, key=TERMINAL.key),
    ):
        with pytest.raises(Conflict):
            await kept.vault.add_terminal(other, [kept.entry(2)])
    for lookup in (
        kept.vault.terminal("x"),
        kept.vault.terminal_by_number("2"),
        kept.vault.terminal_by_phone("+2"),
        kept.vault.terminal_by_key(OTHER_KEY.multikey),
    ):
        with pytest.raises(NotFound):
            await lookup
    assert await _history(kept) == 1


async def test_of_six_at_once_with_one_key_one_is_taken(kept: Kept):
    told = await asyncio.gather(
        *(
            kept.vault.add_terminal(
                replace(TERMINAL, terminal=f"truck-{n}", number=f"{n}", phone=f"+4912345{n}"), []
            )
            for n in range(1, 7)
        ),
        return_exceptions=True,
    )
    assert [isinstance(each, Conflict) for each in told if each] == [True] * 5
    assert len(await kept.vault.terminals(None, limit=9)) == 1


async def test_terminals_are_listed_to_those_who_may_see_them_by_id_and_page(kept: Kept):
    for number, name in enumerate(("truck-7", "Truck-9", "van-3")):
        key = SoftwareKey(Algorithm.ED25519, bytes([number]) * 32).public
        each = replace(TERMINAL, terminal=name, number=str(number + 1), phone=f"+4912345{number}")
        each = replace(each, key=key)
        await kept.vault.add_terminal(each, [])
    hidden = replace(TERMINAL, terminal="x", number="9", phone="+49123459", owner=party_id("other"))
    await kept.vault.add_terminal(replace(hidden, visible=(), key=None), [])

    async def seen(viewer: str | None, **page: Any) -> list[str]:
        reader = party_id(viewer) if viewer else None
        found = await kept.vault.terminals(reader, **({"limit": 9} | page))
        return [each.terminal for each in found]

    assert await seen(None) == ["Truck-9", "truck-7", "van-3", "x"]
    assert await seen(TERMINAL.owner, limit=2) == ["Truck-9", "truck-7"]
    assert await seen(TERMINAL.owner, limit=2, after="truck-7") == ["van-3"]
    assert await seen(TERMINAL.visible[0]) == ["Truck-9", "truck-7", "van-3"]
    assert await seen("other") == ["x"]
    assert await seen("stranger") == []


async def test_frames_and_chunks_are_kept_once(kept: Kept):
    chunk = StoredChunk("truck-7", b"w" * 16, 1, b"content")
    await kept.vault.keep([_frame(1), _frame(2)], [chunk])
    await kept.vault.keep([_frame(2), _frame(3)], [chunk, replace(chunk, sequence=2)])
    await kept.vault.keep([], [])
    assert await kept.vault.count_frames("truck-7") == 3
    assert await kept.vault.count_chunks("truck-7", b"w" * 16) == 2
    assert [c.sequence for c in await kept.vault.chunks("truck-7", b"w" * 16)] == [1, 2]
    assert (await kept.vault.chunks("truck-7", b"w" * 16))[0] == chunk


async def test_suspects_stay_apart(kept: Kept):
    await kept.vault.put_aside(Suspect("truck-7", UUID(int=1), NOW, "bad_checksum", b"raw"))
    assert await kept.vault.count_frames("truck-7") == 0


async def test_a_nonce_serves_one_window_of_one_terminal(kept: Kept):
    nonce = Nonce("truck-7", b"n" * 16, NOW.plus_ns(900 * NS))
    await kept.vault.grant(nonce)
    assert await kept.vault.nonce("truck-7", b"n" * 16) == nonce
    with pytest.raises(NotFound):
        await kept.vault.nonce("truck-8", b"n" * 16)
    assert await kept.vault.open_claims() == ()
    assert await kept.vault.claim("truck-7", b"n" * 16, CLAIM)
    assert await kept.vault.claim("truck-7", b"n" * 16, CLAIM)
    assert not await kept.vault.claim("truck-7", b"n" * 16, replace(CLAIM, window=b"x" * 16))
    assert not await kept.vault.claim("truck-7", b"n" * 16, replace(CLAIM, total=3))
    assert await kept.vault.open_claims() == (replace(nonce, claim=CLAIM),)


async def test_of_two_claims_at_once_one_wins(kept: Kept):
    await kept.vault.grant(Nonce("truck-7", b"n" * 16, NOW))
    claims = [replace(CLAIM, window=bytes([i]) * 16) for i in range(1, 5)]
    won = await asyncio.gather(*(kept.vault.claim("truck-7", b"n" * 16, c) for c in claims))
    assert sum(won) == 1


async def test_a_window_is_settled_once_with_its_fact(kept: Kept):
    nonce = Nonce("truck-7", b"n" * 16, NOW, CLAIM)
    await kept.vault.grant(nonce)
    await kept.vault.claim("truck-7", b"n" * 16, CLAIM)
    window = Window("truck-7", CLAIM.window, nonce.nonce, "ab" * 32, KEY.public, True, NOW)
    with pytest.raises(Conflict):
        await kept.vault.settle(nonce, window, [kept.entry(7)])
    assert (await kept.vault.nonce("truck-7", b"n" * 16)).settled is False
    await kept.vault.settle(nonce, window, [kept.entry(1)])
    with pytest.raises(Conflict):
        await kept.vault.settle(nonce, window, [kept.entry(2)])
    assert await _history(kept) == 1
    assert await kept.vault.window("ab" * 32, "") == window
    assert await kept.vault.window("ab" * 32, "truck-7") == window
    for digest, terminal in (("ab" * 32, "truck-8"), ("cd" * 32, "")):
        with pytest.raises(NotFound):
            await kept.vault.window(digest, terminal)
    assert await kept.vault.open_claims() == ()


async def test_of_two_terminals_with_the_same_bytes_the_newest_is_given(kept: Kept):
    for number, terminal in enumerate(("truck-7", "truck-8")):
        nonce = Nonce(terminal, b"n" * 16, NOW, CLAIM)
        await kept.vault.grant(nonce)
        await kept.vault.claim(terminal, b"n" * 16, CLAIM)
        at = NOW.plus_ns(number * NS)
        window = Window(terminal, CLAIM.window, nonce.nonce, "ab" * 32, KEY.public, True, at)
        await kept.vault.settle(nonce, window, [])
    assert (await kept.vault.window("ab" * 32, "")).terminal == "truck-8"
    assert (await kept.vault.window("ab" * 32, "truck-7")).terminal == "truck-7"


async def test_each_position_frame_is_covered_once(kept: Kept):
    frames = [_frame(1), _frame(2), _frame(3, 0x0704), _frame(4, 0x0900)]
    await kept.vault.keep(frames, [])
    assert await kept.vault.unbatched(10) == ("truck-7",)
    assert await kept.vault.unbatched_positions("truck-7", 10) == tuple(frames[:3])
    digests = [f.digest for f in frames[:2]]
    await kept.vault.batch("truck-7", UUID(int=9), digests, [kept.entry(1)])
    with pytest.raises(Conflict):
        await kept.vault.batch("truck-7", UUID(int=10), digests[1:], [kept.entry(2)])
    assert await kept.vault.unbatched_positions("truck-7", 10) == (frames[2],)
    assert await kept.vault.recent_positions("truck-7", 2) == (frames[2], frames[1])
    assert await _history(kept) == 1


async def test_seals_are_found_by_consignment_and_terminal(kept: Kept):
    for seal in ("S-2", "S-1"):
        entries = [kept.entry(1, f"seal/{seal}")]
        await kept.vault.add_seal(consignment="c", terminal="truck-7", seal=seal, entries=entries)
    assert await kept.vault.seals(consignment="c", terminal="truck-7") == ("S-1", "S-2")
    assert await kept.vault.seals(consignment="c", terminal="truck-8") == ()
    with pytest.raises(Conflict):
        await kept.vault.add_seal(
            consignment="c", terminal="truck-7", seal="S-1", entries=[kept.entry(1, "seal/S-1")]
        )


async def test_the_newest_refusal_of_a_terminal_is_kept(kept):
    assert await kept.vault.heard(["truck-7", "nobody"]) == {
        "truck-7": (None, None),
        "nobody": (None, None),
    }
    for reason in ("wrong_token", "no_key"):
        newest = Refusal(reason, "a sentence", Utc.parse("2026-11-24T08:00:00Z"))
        await kept.vault.note_refusal("truck-7", newest, [])
    assert (await kept.vault.heard(["truck-7"]))["truck-7"] == (None, newest)


async def test_a_terminal_without_a_key_is_read_back_without_one(kept):
    keyless = Terminal("van-3", "+8613800138001", "13800138001", None, party_id("carrier"), ())
    await kept.vault.add_terminal(keyless, [])
    assert await kept.vault.terminal("van-3") == keyless


async def test_one_phone_number_is_in_one_terminal_in_the_same_instant_too(kept: Kept):
    """Two are registered at once, each with a number of its own: one of them is refused."""
    names = [f"truck-{n}" for n in range(6)]
    asked = [
        kept.vault.add_terminal(
            replace(TERMINAL, terminal=name, number=f"86138001380{n:02d}"),
            [kept.entry(1, f"terminal/{name}")],
        )
        for n, name in enumerate(names)
    ]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Conflict) for answer in answers) == 5, answers
    (kept_name,) = [n for n, answer in zip(names, answers, strict=True) if answer is None]
    assert (await kept.vault.terminal_by_phone(TERMINAL.phone)).terminal == kept_name
    for name in {*names} - {kept_name}:
        with pytest.raises(NotFound):
            await kept.vault.terminal(name)
        assert not await kept.journal.load(f"terminal/{name}", viewer=None)


async def test_the_newest_position_of_each_terminal_is_asked_at_once(kept: Kept):
    others = [replace(_frame(n), terminal=f"truck-{8 + n % 2}") for n in range(6)]
    await kept.vault.keep([_frame(20), _frame(30, 0x0002), _frame(10), *others], [])
    heard = await kept.vault.heard(["truck-9", "truck-7", "truck-8", "nobody"])
    assert {name: frame and frame.serial for name, (frame, _) in heard.items()} == {
        "truck-7": 20,
        "truck-8": 4,
        "truck-9": 5,
        "nobody": None,
    }
