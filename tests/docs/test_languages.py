"""One build serves two languages: contents at the side, and words to look for."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sphinx", reason="requirements/docs.txt is not installed here: ./run setup")
pytest.importorskip("furo")

_PATH = Path(__file__).resolve().parents[2] / "docs" / "languages.py"
_TREE = (
    '<ul><li class="toctree-l1"><a href="t.html">Tutorials</a></li>'
    '<li class="toctree-l1 has-children"><a href="zh/index.html">中文文档</a><ul>'
    '<li class="toctree-l2"><a href="zh/t.html">教程</a><ul>'
    '<li class="toctree-l3"><a href="zh/a.html">甲</a></li></ul></li></ul></li></ul>'
)


@pytest.fixture(scope="module")
def languages() -> Any:
    spec = importlib.util.spec_from_file_location("docs_languages", _PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_an_english_page_has_the_english_contents_beside_it(languages: Any) -> None:
    shown = languages.contents(_TREE, "en")
    assert "Tutorials" in shown
    assert "zh/" not in shown


def test_a_chinese_page_has_the_chinese_contents_beside_it(languages: Any) -> None:
    shown = languages.contents(_TREE, "zh-CN")
    assert "Tutorials" not in shown
    assert '<li class="toctree-l1"><a href="zh/t.html">' in shown
    assert '<li class="toctree-l2"><a href="zh/a.html">' in shown


def test_a_word_within_a_clause_of_chinese_is_found(languages: Any) -> None:
    found = languages.WordsOfBoth({}).split("节点的保护水平，the bound 见证")
    assert {"保护", "水平", "节点", "the", "bound", "见证"} <= set(found)
    assert "平的" not in found


def test_words_of_the_theme_are_chinese_on_chinese_pages(languages: Any) -> None:
    for word in ("On this page", "Search", "Next", "Previous", "Home"):
        assert languages.words(word) != word
    assert languages.words("Xyzzy") == "Xyzzy"
