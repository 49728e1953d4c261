"""What a tutorial of the pages says in bold stands on the pages in just these words."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_WALK = {
    "en": "docs/tutorials/your-own-corridor.md",
    "zh": "docs/zh/tutorials/your-own-corridor.md",
}
_CHINESE = sorted((ROOT / "docs/zh").rglob("*.md"))


@cache
def _catalogue(language: str) -> dict[str, str]:
    told: dict[str, str] = json.loads((ROOT / f"web/src/i18n/{language}.json").read_text("utf-8"))
    return told


def _said(text: str) -> set[str]:
    return set(_BOLD.findall(text))


@pytest.mark.parametrize("language", sorted(_WALK))
def test_bold_words_are_words_of_the_pages(language: str) -> None:
    said = _said((ROOT / _WALK[language]).read_text("utf-8"))
    assert len(said) > 50
    assert {word for word in said if not _keys(word, _catalogue(language))} == set()


@pytest.mark.parametrize("page", _CHINESE, ids=lambda path: str(path.relative_to(ROOT)))
def test_bold_words_of_every_chinese_page_are_words_of_the_pages(page: Path) -> None:
    """There bold is for what stands on a page of the node, and for nothing else."""
    catalogue = _catalogue("zh")
    assert {word for word in _said(page.read_text("utf-8")) if not _keys(word, catalogue)} == set()


def test_the_chinese_walk_presses_what_the_english_one_presses() -> None:
    """In each section, every bold word of the one is there in the other, by its key."""
    sections = {
        language: re.split(r"^## ", (ROOT / page).read_text("utf-8"), flags=re.MULTILINE)
        for language, page in _WALK.items()
    }
    assert len(sections["en"]) == len(sections["zh"])
    for english, chinese in zip(sections["en"], sections["zh"], strict=True):
        ours = set().union(*(_keys(word, _catalogue("zh")) for word in _said(chinese)))
        lacking = {w for w in _said(english) if not _keys(w, _catalogue("en")) & ours}
        assert lacking == set(), chinese.partition("\n")[0]


def _keys(word: str, catalogue: dict[str, str]) -> set[str]:
    """Where a word stands. A label may go on with a hint; a name is what the page fills in."""
    return {
        key
        for key, text in catalogue.items()
        if _pattern(text).fullmatch(word) or _begins(text, word)
    }


def _begins(text: str, word: str) -> bool:
    return text.startswith(word) and re.match(r"\w", text[len(word) :]) is None


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", r"[\\w-]+", re.escape(text)))


@pytest.mark.parametrize("word", ["Xyzzy", "Press the button", "打开"])
def test_a_word_of_no_page_is_found(word: str) -> None:
    for language in _WALK:
        assert not _keys(word, _catalogue(language))


_NEWCOMERS = ("run-a-node", "tokens-and-roles", "first-terminal", "exchange", "first-consignment")
_BY_PROGRAM = re.compile(r"\b(curl|wget|httpx|http -|Invoke-WebRequest)\b")


@pytest.mark.parametrize("name", _NEWCOMERS)
def test_a_newcomer_needs_pages_and_commands_only(name: str) -> None:
    """What a person does first is done on a page or by `zhidao`, in every language of the docs."""
    pages = list((ROOT / "docs").rglob(f"{name}.md"))
    assert len(pages) > 1, "the chapter moved: follow it"
    asked = {page: _BY_PROGRAM.findall(page.read_text(encoding="utf-8")) for page in pages}
    assert {page: found for page, found in asked.items() if found} == {}
