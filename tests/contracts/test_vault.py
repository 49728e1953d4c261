"""The vault of the devices room: the memory twin and PostgreSQL keep the same promises."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict, NotFound
from zhidao.core.geo import Frame
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Journal, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import NS, Utc
from zhidao.devices.adapters.memory import MemoryVault
from zhidao.devices.adapters.postgres import PostgresVault
from zhidao.devices.domain.cell import cell_of
from zhidao.devices.domain.custody import (
    Claim,
    Nonce,
    Part,
    Refusal,
    StoredChunk,
    StoredFrame,
    Suspect,
    Terminal,
    Window,
)
from zhidao.devices.domain.track import IN_FUTURE, REASONS, LastSeen, Report, TrackPoint
from zhidao.devices.events import PositionsRecorded
from zhidao.devices.service.ports import Vault
from zhidao.devices.wire.egts.kept import POSITION_ID
from zhidao.devices.wire.teltonika.records import RECORD_IDS
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


def _frame(number: int, message_id: int = 0x0200, terminal: str = "truck-7") -> StoredFrame:
    return StoredFrame(
        terminal, bytes([number]) * 32, UUID(int=number), NOW, message_id, number, b"plain"
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
    others = (*RECORD_IDS, POSITION_ID)
    records = [_frame(5 + n, message, "truck-8") for n, message in enumerate(others)]
    await kept.vault.keep([*frames, *records], [])
    assert await kept.vault.unbatched(10) == ("truck-7", "truck-8")
    assert await kept.vault.unbatched_positions("truck-7", 10) == tuple(frames[:3])
    assert await kept.vault.unbatched_positions("truck-8", 10) == tuple(records)
    digests = [f.digest for f in frames[:2]]
    await kept.vault.batch("truck-7", UUID(int=9), digests, [kept.entry(1)])
    with pytest.raises(Conflict):
        await kept.vault.batch("truck-7", UUID(int=10), digests[1:], [kept.entry(2)])
    assert await kept.vault.unbatched_positions("truck-7", 10) == (frames[2],)
    assert await _history(kept) == 1


def _part(number: int, *, completes: bool = False, first: int = 7, frame: int = 0) -> StoredFrame:
    part = Part(0x0704, first, number, 3, completes)
    return replace(_frame(frame or 10 + number), part=part)


async def test_parts_are_known_until_their_message_is_whole(kept: Kept):
    later = NOW.plus_ns(1)
    await kept.vault.keep([_part(1), _part(3)], [])
    await kept.vault.keep([_part(1), _part(1, first=900, frame=20)], [])
    whole, other = await kept.vault.unfinished(later)
    assert (whole.terminal, whole.part) == ("truck-7", Part(0x0704, 7, 0, 3))
    assert whole.pieces == ((1, b"plain"), (3, b"plain"))
    assert other.part.first_serial == 900
    # Of what came since, the line that brought it tells.
    assert await kept.vault.unfinished(NOW) == ()
    await kept.vault.keep([_part(2), _part(0, completes=True, frame=30)], [])
    assert await kept.vault.unfinished(later) == (other,)
    with pytest.raises(Conflict):
        await kept.vault.give_up("truck-7", other.part, [kept.entry(7)])
    assert await kept.vault.unfinished(later) == (other,)
    await kept.vault.give_up("truck-7", other.part, [kept.entry(1)])
    await kept.vault.give_up("truck-7", other.part, [])
    assert await kept.vault.unfinished(later) == ()
    assert await _history(kept) == 1


async def test_seals_are_found_by_consignment_and_terminal(kept: Kept):
    for seal in ("S-2", "S-1"):
        entries = [kept.entry(1, f"seal/{seal}")]
        await kept.vault.add_seal(consignment="c", terminal="truck-7", seal=seal, entries=entries)
    assert await kept.vault.seals(consignment="c", terminal="truck-7") == ("S-1", "S-2")
    assert await kept.vault.seals(consignment="c", terminal="truck-8") == ()
    entries = [kept.entry(1, "seal/S-0")]
    await kept.vault.add_seal(consignment="d", terminal="truck-7", seal="S-0", entries=entries)
    assert await kept.vault.seals(consignment="c", terminal="truck-7") == ("S-1", "S-2")
    assert await kept.vault.seals_of("truck-7") == ("S-0", "S-1", "S-2")
    assert await kept.vault.seals_of("truck-8") == ()
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


def _report(number: int, observed_s: int, received_s: int = 600, **more: Any) -> Report:
    """A report of a frame of its own; times in seconds from `NOW`."""
    terminal, place = more.pop("terminal", "truck-7"), more.pop("place", 0)
    return Report(terminal, UUID(int=number), place, _point(observed_s, received_s, **more))


def _point(observed_s: int, received_s: int = 600, **more: Any) -> TrackPoint:
    usual: dict[str, Any] = {
        "latitude_udeg": 43_200_000,
        "longitude_udeg": -76_900_000,
        "frame": Frame.WGS84,
        "altitude_m": 800,
        "speed_kmh": 61.3,
        "course_deg": 90,
        "beidou": True,
        "satellites": 12,
        "valid": True,
        "reason": "",
    }
    times = {
        "observed_at": NOW.plus_ns(observed_s * NS),
        "received_at": NOW.plus_ns(received_s * NS),
    }
    return TrackPoint(**times, **(usual | more))


def _own_time(report: Report) -> int:
    return report.point.observed_at.tai_ns


async def _keep(kept: Kept, *reports: Report) -> None:
    frames = {
        each.frame: replace(_frame(each.frame.int), terminal=each.terminal) for each in reports
    }
    await kept.vault.keep(list(frames.values()), [], reports)


async def test_a_point_is_read_back_as_it_was_whatever_bits_came(kept: Kept):
    """Sixteen bits of a broken terminal, coordinates on the edge, and each reason."""
    odd = [
        _report(1, 1, altitude_m=64_535, speed_kmh=6553.5, course_deg=65_535, satellites=255),
        _report(2, 2, altitude_m=32_768, speed_kmh=3276.8, course_deg=32_768, beidou=False),
        _report(9, 0, altitude_m=-1_000),
        _report(3, 3, latitude_udeg=-90_000_000, longitude_udeg=180_000_000, frame=Frame.GCJ02),
        *(
            _report(4 + at, 4 + at, valid=False, reason=reason)
            for at, reason in enumerate(REASONS[1:])
        ),
    ]
    await _keep(kept, *odd)
    found = await kept.vault.recent_points("truck-7", 100)
    assert found == tuple(each.point for each in sorted(odd, key=_own_time, reverse=True))
    assert await kept.vault.recent_points("truck-8", 100) == ()
    assert await kept.vault.recent_points("truck-7", 2) == found[:2]


async def test_two_reports_of_one_second_both_stand_and_a_repeated_frame_adds_none(kept: Kept):
    """In frames of their own, and side by side in one."""
    twins = [_report(1, 5), _report(2, 5), _report(9, 5), _report(9, 5, place=1)]
    await _keep(kept, *twins)
    assert len(await kept.vault.recent_points("truck-7", 9)) == 4
    await _keep(kept, *twins)
    assert len(await kept.vault.recent_points("truck-7", 9)) == 4
    assert await kept.vault.count_frames("truck-7") == 3


async def test_a_late_batch_adds_to_the_track_and_does_not_move_the_newest_back(kept: Kept):
    newest = _report(1, 500)
    await _keep(kept, newest)
    await _keep(kept, _report(2, 100, 700), _report(3, 400, 700))
    (seen, _) = (await kept.vault.heard(["truck-7"]))["truck-7"]
    assert seen == LastSeen(NOW.plus_ns(700 * NS), newest.point)
    own = [p.observed_at.since_ns(NOW) // NS for p in await kept.vault.recent_points("truck-7", 9)]
    assert own == [500, 400, 100]


async def test_a_clock_that_ran_ahead_does_not_hold_the_newest_for_ever(kept: Kept):
    await _keep(kept, _report(1, 90_000, 10, valid=False, reason=IN_FUTURE))
    right = _report(2, 20, 20)
    await _keep(kept, right)
    (seen, _) = (await kept.vault.heard(["truck-7"]))["truck-7"]
    assert seen is not None
    assert seen.point == right.point


async def test_of_equal_times_the_one_received_last_is_the_newest(kept: Kept):
    later = _report(1, 5, 30)
    await _keep(kept, later, _report(2, 5, 20))
    await _keep(kept, _report(3, 5, 10))
    (seen, _) = (await kept.vault.heard(["truck-7"]))["truck-7"]
    assert seen is not None
    assert seen.point == later.point


async def test_a_day_is_read_by_the_terminals_own_time_even_if_it_came_days_later(kept: Kept):
    day = 86_400
    await _keep(kept, _report(1, 10, 20), _report(2, day - 1, 9 * day), _report(3, day, day + 1))
    await _keep(kept, _report(4, -1, 0), _report(5, 20, 30, terminal="truck-8"))
    found = await kept.vault.points_between("truck-7", NOW, NOW.plus_ns(day * NS), 9)
    assert [p.observed_at.since_ns(NOW) // NS for p in found] == [day - 1, 10]
    assert len(await kept.vault.points_between("truck-7", NOW, NOW.plus_ns(day * NS), 1)) == 1


async def test_who_was_in_a_cell_is_told_of_the_terminals_that_the_viewer_may_see(kept: Kept):
    day = 86_400
    shown = replace(TERMINAL, terminal="truck-8", number="8", phone="+4912345", key=None)
    for each in (TERMINAL, replace(shown, owner=party_id("other"), visible=())):
        await kept.vault.add_terminal(each, [])
    await _keep(
        kept,
        *(_report(1, 10), _report(2, 20, latitude_udeg=44_000_000), _report(3, day + 5, day + 5)),
        *(_report(4, 30, terminal="truck-8"), _report(5, 40, valid=False, reason=REASONS[1])),
    )
    cell = cell_of(43_201_000, -76_901_000)

    async def near(viewer: str | None, limit: int = 9) -> list[tuple[str, int]]:
        reader = party_id(viewer) if viewer else None
        found = await kept.vault.points_in(cell, NOW, NOW.plus_ns(day * NS), reader, limit)
        return [(name, point.observed_at.since_ns(NOW) // NS) for name, point in found]

    assert await near(None) == [("truck-8", 30), ("truck-7", 10)]
    assert await near(None, 1) == [("truck-8", 30)]
    assert await near("importer") == await near("carrier") == [("truck-7", 10)]
    assert await near("stranger") == []


async def test_old_points_that_came_today_do_not_hide_newer_ones_of_yesterday(kept: Kept):
    """A terminal leaves a dead zone and sends what it kept there."""
    day = 86_400
    await _keep(kept, *(_report(n, n, 4 * day) for n in (1, 2, 3)))
    await _keep(kept, *(_report(n, 3 * day + n, 3 * day + n) for n in (4, 5)))
    found = await kept.vault.recent_points("truck-7", 3)
    assert [p.observed_at.since_ns(NOW) // NS for p in found] == [3 * day + 5, 3 * day + 4, 3]


async def test_the_track_of_a_terminal_that_was_silent_for_weeks_is_found(kept: Kept):
    day = 86_400
    for number, at in enumerate((0, 20, 21, 90)):
        await _keep(kept, _report(number + 1, at * day, at * day))
    found = await kept.vault.recent_points("truck-7", 3)
    assert [p.observed_at.since_ns(NOW) // NS // day for p in found] == [90, 21, 20]
    assert len(await kept.vault.recent_points("truck-7", 9)) == 4


async def test_the_newest_point_of_each_terminal_is_asked_at_once(kept: Kept):
    many = [_report(n + 1, n, terminal=f"truck-{8 + n % 2}") for n in range(6)]
    await _keep(kept, *many)
    await kept.vault.keep([_frame(30, 0x0002)], [])
    heard = await kept.vault.heard(["truck-9", "truck-7", "truck-8", "nobody"])
    assert {name: seen and seen.point for name, (seen, _) in heard.items()} == {
        "truck-7": None,
        "truck-8": many[4].point,
        "truck-9": many[5].point,
        "nobody": None,
    }
