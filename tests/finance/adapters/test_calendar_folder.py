"""Of banking calendars none is left out silently: a day would be counted wrongly."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from zhidao.core.errors import Unavailable
from zhidao.finance.adapters import calendar_folder
from zhidao.finance.adapters.calendar_folder import FolderCalendars


@pytest.mark.parametrize("past", [0, 1])
def test_more_files_than_are_read_stop_all_counting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, past: int
) -> None:
    monkeypatch.setattr(calendar_folder, "FILES_MAX", 3)
    rules = json.loads((files("zhidao.finance.wire.calendars") / "cn.json").read_bytes())
    for name in ("XXA", "XXB", "XXC", "XXD")[: 3 + past]:
        (tmp_path / f"{name}.json").write_text(json.dumps(rules | {"calendar": name}))
    kept = FolderCalendars(tmp_path)
    if not past:
        assert {"XXA", "XXB", "XXC"} <= {each.name for each in kept.calendars()}
        return
    with pytest.raises(Unavailable, match="at most 3") as refusal:
        kept.calendars()
    assert refusal.value.code == "calendar_unreadable"
    assert refusal.value.remedy


def test_a_calendar_past_its_size_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "XXA.json").write_bytes(b" " * (calendar_folder.FILE_BYTES_MAX + 1))
    with pytest.raises(Unavailable, match=str(calendar_folder.FILE_BYTES_MAX)) as refusal:
        FolderCalendars(tmp_path).calendars()
    assert refusal.value.where == "XXA.json"
