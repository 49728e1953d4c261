"""Chinese pages say what their English sources say, and which of them lag behind is told."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# Sections that may be owed at one time: whoever goes past it translates first.
OWED_MAX = 12
_FENCE = re.compile(r"^ *```([^\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[(?:[^\]`]|`[^`]*`)*\]\(([^)\s]+)\)")
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_CHINESE = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef\u2018-\u201d]"
# Headings that are a name in either language.
NAMES = {"NATS", "PostgreSQL", "PPP-B2b", "TLS"}
# Words of the field as the pages have them; on the left what else they are called.
TERMS = {
    "保护级": "保护水平",
    "完整性监测": "完好性",
    "提货单": "提单",
    "信用状": "信用证",
    "原产地证明书": "原产地证书",
    "见证人": "见证方",
    "信任列表": "信任名单",
    "封志": "铅封",
    "合约方": "当事方",
    "检查点签名": "联署",
    "帐户": "账户",
    "帐本": "账本",
    "差异点": "不符点",
    "净额结算": "轧差",
    "载波相": "载波相位",
}


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


translations: Any = _module("translations")
PAGES = translations.pages()


@dataclass(frozen=True)
class Pair:
    """One section in both languages."""

    page: Any
    english: str
    chinese: str

    @property
    def name(self) -> str:
        return f"{self.page.name}: {self.english.partition(chr(10))[0]}"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _whole(section: Any) -> str:
    return f"{section.heading}\n{section.text}"


def _pairs(page: Any) -> Iterator[Pair]:
    """The sections of a page that are translated as they stand now."""
    late = {mark.heading for mark in translations.lag(_read(page.english), _read(page.chinese))}
    if translations.untranslated(_read(page.chinese)):
        return
    now = {section.heading: section for section in translations.sections(_read(page.english))}
    known = [m for m in translations.marks(_read(page.chinese)) if m.translated != "-"]
    chinese = translations.sections(_read(page.chinese))
    assert len(chinese) == len(known), f"{page.name}: other sections than its stamp names"
    for mark, section in zip(known, chinese, strict=True):
        if mark.heading not in late:
            yield Pair(page, _whole(now[mark.heading]), _whole(section))


def _by_name(page: Any) -> str:
    return str(page.name)


# --- every page, as its source stands ---------------------------------------------------------


def test_readme_tutorials_and_guides_are_there_in_chinese() -> None:
    assert len(PAGES) > 28
    assert not [page.name for page in PAGES if not page.chinese.exists()]
    assert not [page.name for page in PAGES if not page.english.exists()]


@pytest.mark.parametrize("page", PAGES, ids=_by_name)
def test_what_lags_behind_its_source_is_owed_by_name(page: Any) -> None:
    lagging = translations.unowed(_read(page.english), _read(page.chinese))
    assert not lagging, (
        f"{page.name} lags behind {page.english.relative_to(ROOT)} in {lagging}: translate, then "
        f"`python docs/translations.py stamp {page.name}`; who reads no Chinese says "
        "`python docs/translations.py owe`, and the page tells its reader"
    )


def test_what_is_owed_stays_little() -> None:
    """A page that is not translated at all counts once."""
    owed = {
        page.name if translations.untranslated(_read(page.chinese)) else (page.name, mark.heading)
        for page in PAGES
        for mark in translations.lag(_read(page.english), _read(page.chinese))
    }
    assert len(owed) <= OWED_MAX, f"translate some before you owe more: {owed}"


@pytest.mark.parametrize("page", PAGES, ids=_by_name)
def test_sections_stand_in_the_same_order_and_depth(page: Any) -> None:
    headings = [section.heading for section in translations.sections(_read(page.english))]
    assert len(set(headings)) == len(headings), "a stamp tells sections apart by their headings"
    for pair in _pairs(page):
        english, chinese = (text.split(" ", 1)[0] for text in (pair.english, pair.chinese))
        assert english == chinese, pair.name


# --- the same commands, settings, places and words ----------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=_by_name)
def test_examples_are_those_of_the_source(page: Any) -> None:
    """Comments and made-up phrases may be Chinese; everything else is the same."""
    for pair in _pairs(page):
        both = english, chinese = [_FENCE.findall(text) for text in _both(pair)]
        kinds = [[kind.replace("../../tutorials/", "") for kind, _ in each] for each in both]
        assert kinds[0] == kinds[1], pair.name
        for (kind, told), (_, ours) in zip(english, chinese, strict=True):
            wanted = _in_chinese(told, page) if kind == "{toctree}" else told
            assert _same(wanted, ours), f"{pair.name}: {ours}"


def _in_chinese(toctree: str, page: Any) -> str:
    """The entries of an English list of pages that there are in Chinese."""
    lines = toctree.splitlines()
    there = [line for line in lines if (page.chinese.parent / f"{line}.md").exists()]
    return "\n".join([*(line for line in lines if line.startswith(":")), "", *there])


def _same(english: str, chinese: str) -> bool:
    wanted, ours = english.splitlines(), chinese.splitlines()
    return len(wanted) == len(ours) and all(
        re.fullmatch(_pattern(line), told) for line, told in zip(ours, wanted, strict=True)
    )


def _pattern(line: str) -> str:
    """A line whose comment, if it is Chinese, and each run of Chinese stand for any words."""
    code, mark, comment = re.split(r"((?:^|(?<=\s))# |$)", line, maxsplit=1)
    if re.search(_CHINESE, comment):
        return f"{_pattern(code)}{re.escape(mark)}.+"
    if not re.search(_CHINESE, line):
        return re.escape(line)
    runs = re.split(rf"((?:{_CHINESE}|…)(?:.*(?:{_CHINESE}|…))?)", line)
    return "".join(
        ".+" if at % 2 else rf"\s*{re.escape(run.strip())}\s*" for at, run in enumerate(runs)
    )


@pytest.mark.parametrize(
    ("ours", "english"),
    [
        ("zhidao serve    # 启动节点", "zhidao serve    # starts a node"),
        ("printf %s '一句话' > p && chmod 600 p", "printf %s 'a word' > p && chmod 600 p"),
    ],
)
def test_a_comment_or_a_phrase_of_an_example_may_be_chinese(ours: str, english: str) -> None:
    assert _same(f"{english}\n", f"{ours}\n")


@pytest.mark.parametrize(
    ("ours", "english"),
    [
        ("printf %s '一句话' > p && chmod 644 p", "printf %s 'a word' > p && chmod 600 p"),
        ("zhidao serve --port 1", "zhidao serve --port 2"),
        ("x", "x\ny"),
    ],
)
def test_an_example_with_another_command_is_found(ours: str, english: str) -> None:
    assert not _same(f"{english}\n", f"{ours}\n")


@pytest.mark.parametrize("page", PAGES, ids=_by_name)
def test_names_in_code_type_are_those_of_the_source(page: Any) -> None:
    """Commands, settings, routes, codes, files: none is left out, and none made up."""
    wrong = {}
    for pair in _pairs(page):
        english, chinese = (_spans(text) for text in _both(pair))
        if english != chinese:
            wrong[pair.name] = f"lacks {english - chinese}, has besides {chinese - english}"
    assert not wrong


def _spans(text: str) -> set[str]:
    return {" ".join(span.split()) for span in _SPAN.findall(_FENCE.sub("", text))}


def _both(pair: Pair) -> tuple[str, str]:
    return pair.english, pair.chinese


@pytest.mark.parametrize("page", PAGES, ids=_by_name)
def test_links_lead_to_the_chinese_page_where_there_is_one(page: Any) -> None:
    chinese = {each.english: each.chinese for each in PAGES}
    wrong = {}
    for pair in _pairs(page):
        wanted = {chinese.get(t, t) for t in _targets(pair.english, page.english)}
        found = _targets(pair.chinese, page.chinese)
        # Each README leads to the other, and no other page to English that there is in Chinese.
        strange = (wanted - found) | {path for path in found if path in chinese}
        if strange - {page.english, page.chinese}:
            wrong[pair.name] = sorted(str(path) for path in strange)
    assert not wrong


def _targets(text: str, page: Path) -> set[Any]:
    found: set[Any] = set()
    for target in _LINK.findall(_FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            found.add(target)
        elif not target.startswith("#"):
            found.add((page.parent / target.partition("#")[0]).resolve())
    return found


@pytest.mark.parametrize("page", PAGES, ids=_by_name)
def test_terms_are_the_same_on_every_page(page: Any) -> None:
    text = _read(page.chinese)
    assert not {word: TERMS[word] for word in TERMS if word in text.replace(TERMS[word], "")}


def test_terms_are_those_of_the_pages_of_a_node() -> None:
    catalogue = json.loads(_read(ROOT / "web/src/i18n/zh.json"))
    english = json.loads(_read(ROOT / "web/src/i18n/en.json"))
    assert not {
        key: text
        for key, text in catalogue.items()
        for word, term in TERMS.items()
        # What a printed form calls a thing is the form's own word.
        if word in text.replace(term, "") and not key.startswith("label.")
    }
    named = {key for key, text in english.items() if re.search(r"· Zhidao$", text)}
    assert len(named) > 20
    assert not {key: catalogue[key] for key in named if not catalogue[key].endswith("· 直道")}


def test_the_glossary_has_one_chinese_word_for_each_term_in_both_languages() -> None:
    row = re.compile(r"^\| ([^|]+) \| ([^|]+) \| .+ \| (`[^|]+`) \|$", re.MULTILINE)
    english = {(a, b) for a, b, _ in row.findall(_read(DOCS / "reference/glossary.md"))}
    chinese = {(b, a) for a, b, _ in row.findall(_read(DOCS / "zh/reference/glossary.md"))}
    assert len(english) > 40
    assert english == chinese
    assert not {word for _, word in english if word in TERMS}


@pytest.mark.parametrize("page", PAGES, ids=_by_name)
def test_nothing_of_the_source_stays_in_english(page: Any) -> None:
    """A paragraph without a Chinese letter was forgotten, but for code and what programs print."""
    if translations.untranslated(_read(page.chinese)):
        return
    for section in translations.sections(_read(page.chinese)):
        assert re.search(_CHINESE, section.heading) or section.heading.strip("# ") in NAMES
        text = _FENCE.sub("", section.text)
        for paragraph in re.split(r"\n\n+", text):
            words = re.findall(r"[A-Za-z]{3,}", _SPAN.sub("", paragraph))
            if len(words) > 5 and not paragraph.startswith("    "):
                assert re.search(_CHINESE, paragraph), f"{page.name}: {paragraph}"


# --- the stamp --------------------------------------------------------------------------------

ENGLISH = "# One\n\nA.\n\n## Two\n\nB.\n\n```sh\n# no heading\n```\n"
CHINESE = "# 一\n\n甲。\n\n## 二\n\n乙。\n"


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    monkeypatch.setattr(translations, "DOCS", tmp_path / "docs")
    (tmp_path / "docs" / "zh").mkdir(parents=True)
    page = translations.Page(tmp_path / "docs" / "a.md", tmp_path / "docs" / "zh" / "a.md")
    page.english.write_text(ENGLISH, encoding="utf-8")
    page.chinese.write_text(CHINESE, encoding="utf-8")
    translations.stamp(page)
    return page


def test_a_stamped_page_lags_in_nothing_and_says_whence_it_is(page: Any) -> None:
    assert translations.lag(ENGLISH, _read(page.chinese)) == []
    assert "<!-- translated from ../../docs/a.md\n" in _read(page.chinese)
    assert translations.notice(page, _read(page.chinese)) == _read(page.chinese)
    before = _read(page.chinese)
    translations.stamp(page)
    assert _read(page.chinese) == before


def test_another_word_lags_and_another_break_of_lines_does_not(page: Any) -> None:
    assert translations.unowed(ENGLISH.replace("B.", "C."), _read(page.chinese)) == ["## Two"]
    assert translations.unowed(ENGLISH.replace("\n\nB.", "\n\n\nB."), _read(page.chinese)) == []
    assert translations.unowed(ENGLISH.replace("## Two", "## Too"), _read(page.chinese)) == [
        "## Too",
        "## Two",
    ]
    assert translations.unowed("# One\n\nA.\n", _read(page.chinese)) == ["## Two"]


def test_what_is_owed_is_told_to_the_reader_and_counts_for_that_text_only(page: Any) -> None:
    changed = ENGLISH.replace("B.", "C.") + "\n## Three\n\nD.\n"
    page.english.write_text(changed, encoding="utf-8")
    translations.owe(page)
    text = _read(page.chinese)
    assert translations.unowed(changed, text) == []
    assert [mark.heading for mark in translations.lag(changed, text)] == ["## Two", "## Three"]
    shown = translations.notice(page, text)
    assert shown.startswith("# 一\n\n:::{note}\n")
    assert "“Two”、“Three”" in shown
    assert "[英文页面](../a.md)" in shown
    assert translations.unowed(changed.replace("C.", "E."), text) == ["## Two"]
    translations.owe(page)
    assert _read(page.chinese) == text
    translations.stamp(page)
    assert translations.lag(changed, _read(page.chinese)) == []


def test_a_section_that_is_gone_is_owed_until_the_page_is_stamped(page: Any) -> None:
    page.english.write_text("# One\n\nA.\n", encoding="utf-8")
    translations.owe(page)
    assert translations.unowed("# One\n\nA.\n", _read(page.chinese)) == []
    assert [mark.heading for mark in translations.lag("# One\n\nA.\n", _read(page.chinese))] == [
        "## Two"
    ]


def test_an_example_within_a_list_is_an_example() -> None:
    text = "1. A `b`:\n\n   ```toml\n   [x]\n   ```\n\n   C `d`.\n"
    assert _spans(text) == {"b", "d"}
    assert _FENCE.findall(text) == [("toml", "   [x]\n")]
    assert translations.joined(text) == text


def test_no_blank_stands_between_two_letters_where_a_line_ends() -> None:
    text = "甲，\n乙\n[丙](x)，\n`d` 用\n[E](x)\n\n    甲\n    乙\n\n```sh\n# 甲\n# 乙\n```\n- 丙\n  丁\n"
    assert translations.joined(text) == (
        "甲，乙[丙](x)，\n`d` 用\n[E](x)\n\n    甲\n    乙\n\n```sh\n# 甲\n# 乙\n```\n- 丙丁\n"
    )


def test_a_page_that_is_not_there_is_owed_under_its_english_title(page: Any) -> None:
    page.chinese.unlink()
    translations.owe(page)
    text = _read(page.chinese)
    assert text.startswith("# One\n\n<!-- translated from ")
    assert translations.untranslated(text)
    assert translations.unowed(ENGLISH, text) == []
    assert [mark.heading for mark in translations.lag(ENGLISH, text)] == ["# One", "## Two"]
    assert "本页尚未译成中文" in translations.notice(page, text)


@pytest.mark.parametrize("text", ["# 一\n", "# 一\n\n<!-- translated from a.md\nxyz\n-->\n"])
def test_a_page_without_a_stamp_or_with_a_spoiled_one_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="stamp"):
        translations.marks(text)


def test_the_command_knows_its_words_and_its_pages(capsys: pytest.CaptureFixture[str]) -> None:
    assert translations.main(["translate"]) == 2
    assert translations.main(["stamp", "docs/zh/no-such-page.md"]) == 2
    capsys.readouterr()
    status = translations.main([])
    told = capsys.readouterr().out
    assert (status == 1) == (": lags: " in told or ": missing" in told)
