"""What payments are held to follows the folder of calendars, without a new start."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from zhidao.core.ambient import HandClock
from zhidao.core.errors import Unavailable
from zhidao.core.timescale import Utc
from zhidao.finance.adapters import network_profile
from zhidao.finance.adapters.calendar_folder import FolderCalendars
from zhidao.finance.adapters.network_profile import FolderNetwork
from zhidao.finance.wire.iso20022.profiles import Profile, built_in, read_profile

TUESDAY = date(2026, 12, 1)
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def network(folder: Path, profile: Profile | None = None) -> tuple[FolderNetwork, HandClock]:
    clock = HandClock(Utc.parse("2026-12-01T08:00:00Z"))
    made = FolderNetwork(profile or built_in("cross-border"), FolderCalendars(folder), clock)
    return made, clock


def fedwire(**changes: Any) -> bytes:
    """The house's, of 2026, with the first Tuesday of December closed."""
    rules = json.loads((files("zhidao.finance.wire.calendars") / "fedwire.json").read_bytes())
    rules |= {"first_year": 2026, "last_year": 2026} | changes
    rules["yearly"] = [*rules["yearly"], f"{TUESDAY:%m-%d}"]
    return json.dumps(rules).encode()


def day(of: FolderNetwork) -> date:
    return of.profile().execution_day("USD", TUESDAY, NOON)


def test_a_calendar_that_is_added_and_taken_away_counts_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "calendars"
    kept, _ = network(folder)
    assert day(kept) == TUESDAY
    # As the command does it, in a process of its own over the same folder.
    FolderCalendars(folder).add(fedwire())
    assert day(kept) == date(2026, 12, 2)
    [file] = folder.iterdir()
    file.unlink()
    assert day(kept) == TUESDAY


def test_a_file_that_is_written_over_counts_with_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "calendars"
    FolderCalendars(folder).add(fedwire())
    kept, _ = network(folder)
    assert day(kept) == date(2026, 12, 2)
    [file] = folder.iterdir()
    stood = folder.stat().st_mtime_ns
    file.write_bytes(fedwire().replace(b"12-01", b"12-03"))
    assert folder.stat().st_mtime_ns == stood
    monkeypatch.setattr(network_profile, "_LOOK_NS", 0)
    assert day(kept) == TUESDAY


def test_no_day_is_counted_while_a_calendar_cannot_be_read_or_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "calendars"
    FolderCalendars(folder).add(fedwire())
    kept, _ = network(folder)
    kept.profile()
    bad = folder / "XXA.json"
    bad.write_text("{")
    for _ in range(2):
        with pytest.raises(Unavailable) as refused:
            kept.profile()
        assert (refused.value.code, refused.value.where) == ("calendar_unreadable", "XXA.json")
    bad.unlink()
    assert day(kept) == date(2026, 12, 2)
    text = (files("zhidao.finance.wire.iso20022.profiles") / "cross-border.json").read_bytes()
    FolderCalendars(folder).add(fedwire(calendar="OWN"))
    own, _ = network(folder, read_profile(text.replace(b"FEDWIRE", b"OWN")))
    assert day(own) == date(2026, 12, 2)
    next(folder.glob("OWN*")).unlink()
    with pytest.raises(Unavailable, match="no banking calendar OWN for USD"):
        own.profile()


def test_a_new_year_is_ten_years_ahead_again(tmp_path: Path) -> None:
    kept, clock = network(tmp_path)
    before = kept.profile()
    assert kept.profile() is before
    clock.set(Utc.parse("2027-01-01T00:00:01Z"))
    closed = kept.profile().currencies["USD"].closed
    assert max(closed)[:4] == "2037"
    assert max(before.currencies["USD"].closed)[:4] == "2036"
