"""Archived days: read back row by row, and verified by whoever has the two files."""

from __future__ import annotations

import builtins
import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.store.day_files import DayFile, check_day, days_of, read_day, read_manifest, write_day

ROW = np.dtype([("key", "i8"), ("time", "i8"), ("report", "i8"), ("place", "i4"), ("mark", "i2")])
ORDER = ("key", "time", "report", "place", "mark")
DAY = date(2026, 11, 1)


def _rows(count: int = 5_000) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(1)
    rows = np.zeros(count, ROW)
    rows["key"] = rng.integers(0, 50, count)
    rows["time"] = rng.integers(0, 1 << 60, count)
    rows["report"] = rng.integers(0, 1 << 62, count)
    rows["place"] = rng.integers(-(2**31), 2**31, count)
    rows["mark"] = rng.integers(-(2**15), 2**15, count)
    return rows


@pytest.fixture
def file(tmp_path: Path) -> DayFile:
    """A day's files, not yet written; skips where the extra is not installed."""
    pytest.importorskip("pyarrow")
    return DayFile(tmp_path, "devices.position", DAY)


def test_what_is_read_back_is_what_was_written_sorted(file: DayFile):
    rows = _rows()
    told = write_day(file, rows, ORDER)
    assert check_day(file.manifest) == told == read_manifest(file.manifest)
    assert read_day(file.manifest, told).tolist() == sorted(rows.tolist())
    assert (told.rows, told.day, told.table) == (5_000, "2026-11-01", "devices.position")
    assert list(days_of(file.folder, file.table)) == [file.manifest]
    mine = read_day(file.manifest, told, [("key", "==", 7)])
    assert mine.tolist() == sorted(row for row in rows.tolist() if row[0] == 7)


def test_the_root_is_of_the_rows_and_not_of_their_order(file: DayFile):
    rows = _rows(100)
    first = write_day(file, rows, ORDER)
    assert write_day(file, rows[::-1], ORDER).root == first.root
    rows["mark"][3] ^= 1
    assert write_day(file, rows, ORDER).root != first.root


def test_a_day_without_rows_is_a_day(file: DayFile):
    assert write_day(file, _rows(0), ORDER) == check_day(file.manifest)


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _told(path: Path, **changed: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_bytes()) | changed))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda f: _flipped(f.rows), "not those that were archived"),
        (lambda f: f.rows.write_bytes(f.rows.read_bytes()[:-9]), "not those that were archived"),
        (lambda f: f.rows.unlink(), "absent"),
        (lambda f: f.manifest.write_bytes(b"{}"), ""),
        (lambda f: f.manifest.write_bytes(b"\xff" * 70_000), ""),
        (lambda f: _told(f.manifest, root="00" * 32), "not those under the root"),
        (lambda f: _told(f.manifest, rows=4), "not those under the root"),
        (lambda f: _told(f.manifest, format="zhidao-week"), "no archived day"),
        (lambda f: _told(f.manifest, table="../../etc"), "no archived day"),
    ],
)
def test_what_was_changed_is_told_by_name(file: DayFile, spoil: Any, why: str):
    write_day(file, _rows(500), ORDER)
    spoil(file)
    with pytest.raises(MalformedInput, match=why or r"\.json") as told:
        check_day(file.manifest)
    assert told.value.code == "archive_damaged"


def test_other_rows_under_their_own_digest_do_not_pass_for_those_of_the_root(file: DayFile):
    """Whoever changes rows can write a file anew, and its digest: the root is in the log."""
    first = write_day(file, _rows(500), ORDER)
    changed = _rows(500)
    changed["place"][0] += 1
    write_day(file, changed, ORDER)
    _told(file.manifest, root=first.root)
    with pytest.raises(MalformedInput, match="not those under the root"):
        check_day(file.manifest)


@pytest.mark.parametrize("version", [0, 2])
def test_another_version_is_told_as_such(file: DayFile, version: int):
    write_day(file, _rows(3), ORDER)
    _told(file.manifest, v=version, more="fields")
    with pytest.raises(
        MalformedInput, match=f"version {version}; this program understands 1"
    ) as told:
        read_manifest(file.manifest)
    assert told.value.code == "unknown_version"


def test_without_the_extra_the_command_that_brings_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    real = builtins.__import__

    def without(name: str, *more: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return real(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Refused) as told:
        write_day(DayFile(tmp_path, "devices.position", DAY), _rows(3), ORDER)
    assert told.value.code == "no_pyarrow"
    assert "zhidao[archive]" in told.value.remedy
