"""A node's payments are held to the network that its settings name, by the days that it knows."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from zhidao.core.ambient import HandClock
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.timescale import Utc
from zhidao.finance.adapters.calendar_folder import FolderCalendars
from zhidao.finance.adapters.schema_pack import FolderSchemas, add_pack
from zhidao.node.wiring.finance import _network

OWN = {
    "profile": "corridor",
    "structured_addresses_from": 2026,
    "address_lines_max": 2,
    "uetr_required": True,
    "charges": ["SHAR"],
    "currencies": {"KZT": {"calendar": "KZ", "amount_minor_max": 700}},
}
DAYS = {
    "calendar": "KZ",
    "source": "a notice",
    "first_year": 2027,
    "last_year": 2027,
    "rest": [5, 6],
    "announced": ["2027-03-08"],
}


def network(folder: Path, name: str) -> Any:
    context: Any = SimpleNamespace(data=folder, clock=HandClock(Utc.parse("2026-11-26T00:00:00Z")))
    settings: Any = SimpleNamespace(network_profile=name)
    return _network(context, FolderSchemas(folder / "packs"), settings)()


def test_a_profile_of_the_operator_settles_by_the_operators_calendar(tmp_path: Path) -> None:
    assert network(tmp_path, "cross-border").profile == "cross-border"
    source = tmp_path / "source"
    source.mkdir()
    source.joinpath("corridor.json").write_bytes(msgspec.json.encode(OWN))
    add_pack(source, tmp_path / "packs")
    with pytest.raises(Unavailable, match="no banking calendar KZ for KZT") as unknown:
        network(tmp_path, "corridor")
    assert str(unknown.value).count(unknown.value.remedy) == 1
    FolderCalendars(tmp_path / "calendars").add(msgspec.json.encode(DAYS))
    found = network(tmp_path, "corridor")
    assert found.next_day("KZT", date(2027, 3, 6)) == date(2027, 3, 9)
    assert found.currencies["KZT"].amount_minor_max == 700


def test_a_network_that_nobody_added_stops_the_start_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(MalformedInput, match="no profile 'corridor'"):
        network(tmp_path, "corridor")
