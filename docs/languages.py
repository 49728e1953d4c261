"""What makes one build serve two languages: switch, words, contents at the side, and search."""

from __future__ import annotations

import gettext
import re
from pathlib import Path
from typing import Any, Final

import sphinx
from bs4 import BeautifulSoup, Tag
from sphinx.search import languages
from sphinx.search.en import SearchEnglish

CHINESE: Final = "zh/"
HOME: Final = {"en": "index", "zh-CN": "zh/index"}
NAME: Final = {"en": "Zhidao", "zh-CN": "直道"}
_SPHINX: Final = gettext.translation(
    "sphinx", Path(sphinx.__file__).parent / "locale", ["zh_CN"], fallback=True
)
# What the theme says beyond Sphinx's own catalogue.
_THEME: Final = {
    "Back to top": "回到页首",
    "Contents": "目录",
    "Home": "首页",
    "Made with ": "构建工具：",
    "Next": "下一页",
    "On this page": "本页内容",
    "Previous": "上一页",
    "Skip to content": "跳到正文",
}
_RUN: Final = re.compile(r"[\u4e00-\u9fff]{3,}")


class WordsOfBoth(SearchEnglish):
    """English words, and of each run of Chinese every two letters that stand together.

    Chinese has no blanks: without this only a whole clause would be found.
    """

    def split(self, input: str) -> list[str]:  # noqa: A002 - the name that Sphinx calls it by.
        """The words of a text that a reader may look for."""
        pairs = [run[at : at + 2] for run in _RUN.findall(input) for at in range(len(run) - 1)]
        return [*super().split(input), *pairs]


def words(text: str) -> str:
    """A word of the theme in Chinese, or as it is."""
    return _THEME.get(text) or _SPHINX.gettext(text)


def say_language(app: Any, name: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    """Each page knows its language, where it stands in the other one, and its own contents."""
    chinese = name.startswith(CHINESE)
    own, other = ("zh-CN", "en") if chinese else ("en", "zh-CN")
    there = name.removeprefix(CHINESE) if chinese else f"{CHINESE}{name}"
    context |= {
        "page_language": own,
        "other_language": other,
        "other_page": there if there in app.env.all_docs else None,
        "other_home": HOME[other],
        "language": own,
        "furo_navigation_tree": contents(context.get("furo_navigation_tree", ""), own),
    }
    if chinese:
        context |= {"_": words, "gettext": words, "master_doc": HOME[own], "docstitle": NAME[own]}
    for way in ("prev", "next"):
        context[way] = _if_in_language(context.get(way), app, name, way)


def _if_in_language(link: Any, app: Any, name: str, way: str) -> Any:
    """The page before or after, unless it is of the other language."""
    parent, before, after = app.env.collect_relations().get(name, (None, None, None))
    there = {"prev": before, "next": after}[way] or parent or ""
    return link if there.startswith(CHINESE) == name.startswith(CHINESE) else None


def contents(tree: str, language: str) -> str:
    """The contents at the side of one language: the Chinese pages hang below their own index."""
    soup = BeautifulSoup(tree, "html.parser")
    for entry in soup.select("li.toctree-l1"):
        if entry.a is None or entry.a.get_text(strip=True) != "中文文档":
            continue
        below = entry.find("ul", recursive=False)
        if language == "en":
            entry.extract()
        elif isinstance(below, Tag):
            return re.sub(r"toctree-l(\d)", lambda m: f"toctree-l{int(m[1]) - 1}", str(below))
    return str(soup)


def connect(app: Any) -> None:
    """Connects all of this after the theme, which makes the contents that are cut here."""
    languages["en"] = WordsOfBoth
    app.connect("html-page-context", say_language, priority=900)
