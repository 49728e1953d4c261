from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

from zhidao import insight
from zhidao.insight.domain.journeys import MILESTONES
from zhidao.insight.domain.opened import Clock
from zhidao.insight.domain.report import MARKS
from zhidao.insight.wire.texts import TEXTS

SOURCE = "".join(p.read_text() for p in sorted(Path(insight.__file__).parent.rglob("*.py")))


def words(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_say_the_same_words():
    for key, (english, chinese) in TEXTS.items():
        assert words(english) == words(chinese), key
        assert english.strip(), key
        assert re.search("[\u4e00-\u9fff]", chinese) or words(chinese), key


def test_every_milestone_and_mark_has_a_name():
    assert {f"milestone_{key}" for key, _, _ in MILESTONES} <= set(TEXTS)
    assert {f"mark_{name}" for name in MARKS} <= set(TEXTS)


def test_no_sentence_is_left_over():
    assert [key for key in TEXTS if not is_used(key)] == []


def is_used(key: str) -> bool:
    if key.startswith("checked_"):
        return f"`{key.partition('_')[2]}`" in SOURCE  # Who opens a log names it.
    if key.startswith(("step_", "whole_road_")):
        return key.rpartition("_")[2] in list(Clock)
    named = [f'"{key}"', f"'{key}'"]
    by_parts = key.startswith(("milestone_", "mark_", "kind_", "outcome_", "gap_", "gaps_"))
    elsewhere = SOURCE.replace(f'    "{key}": (', "")
    return any(name in elsewhere for name in named) or (
        by_parts and f'"{key.partition("_")[2]}"' in SOURCE
    )
