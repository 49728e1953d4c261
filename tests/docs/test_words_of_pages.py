"""What a tutorial of the pages says in bold stands on the pages in just these words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_TUTORIALS = {"en": "docs/tutorials/your-own-corridor.md", "zh": "docs/zh/your-own-corridor.md"}


@pytest.mark.parametrize("language", sorted(_TUTORIALS))
def test_bold_words_are_words_of_the_pages(language: str) -> None:
    catalogue = json.loads((ROOT / f"web/src/i18n/{language}.json").read_text())
    said = set(_BOLD.findall((ROOT / _TUTORIALS[language]).read_text()))
    assert len(said) > 50
    assert {word for word in said if not _stands(word, catalogue)} == set()


def _stands(word: str, catalogue: dict[str, str]) -> bool:
    """A label may go on with a hint; a name stands for what the page fills in."""
    return any(
        re.fullmatch(_pattern(text), word) or _begins(text, word) for text in catalogue.values()
    )


def _begins(text: str, word: str) -> bool:
    return re.match(rf"{re.escape(word)}(?!\w)", text) is not None


def _pattern(text: str) -> str:
    return re.sub(r"\\\{\w+\\\}", r"[\\w-]+", re.escape(text))


@pytest.mark.parametrize("word", ["Xyzzy", "Press the button", "打开"])
def test_a_word_of_no_page_is_found(word: str) -> None:
    for language in _TUTORIALS:
        catalogue = json.loads((ROOT / f"web/src/i18n/{language}.json").read_text())
        assert not _stands(word, catalogue)
