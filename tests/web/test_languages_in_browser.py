"""The pages in a language that does not exist, and in those that run from right to left."""

from __future__ import annotations

import itertools
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, Page, Response, Route, expect

pytestmark = pytest.mark.browser
_SOURCES = Path(__file__).parents[2] / "web" / "src"
_KNOWN = json.loads((_SOURCES / "languages.json").read_text(encoding="utf-8"))

PAGES = (
    *("/", "/consignments/C-2038", "/consignments/C-2039/position", "/node", "/exchange"),
    *("/trust", "/papers", "/papers/folder", "/declarations", "/money"),
    *("/money/credits", "/money/credits/LC-2026-0042", "/money/exchange", "/money/receivables"),
    *("/people", "/access", "/devices", "/factory", "/trace", "/waiting", "/deals"),
)
# What Intl says in English, and names that are one everywhere.
_NOT_OURS = set(
    """jan feb mar apr may jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun and ago now
    in yesterday today second seconds minute minutes hour hours day days sec secs min mins hr hrs
    utc gmt asia almaty km rinex sha ubl cii csv xml json pdf mb wgs bic uetr gtin jt tcp
    """.split()
)
_TEXTS = """() => {
  const out = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement;
    if (parent.closest('noscript, script, style, code')) continue;
    out.push(walk.currentNode.textContent);
  }
  for (const each of document.querySelectorAll('[aria-label], [title], [placeholder], [alt]'))
    for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
      if (each.hasAttribute(name)) out.push(each.getAttribute(name));
  out.push(document.title);
  const names = new Intl.DisplayNames('en-GB', {type: 'region'});
  const known = [];
  for (let a = 65; a < 91; a++) for (let b = 65; b < 91; b++)
    known.push(names.of(String.fromCharCode(a, b)));
  for (const each of document.querySelectorAll('option[lang]'))
    known.push(each.textContent);
  return [out, known];
}"""


def _strange(message: Any) -> Any:
    """A message of another alphabet: every letter that is not an argument's name is accented."""
    if isinstance(message, list):
        return [
            _strange(part)
            if isinstance(part, str)
            else [*part[:2], {case: _strange(inner) for case, inner in part[2].items()}]
            for part in message
        ]
    pieces = re.split(r"(\{\w+(?::\w+)?\})", message)
    return "".join(p if p.startswith("{") else re.sub("[A-Za-z]", "ø", p) for p in pieces)


def _words(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Za-z]{2,}", text)}


def _strings(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(_strings(each) for each in value.values())
    if isinstance(value, list):
        return " ".join(_strings(each) for each in value)
    return str(value)


def _violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['help']} {v['nodes'][0]['html'][:200]}" for v in found]


@pytest.mark.every_days(2)
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_every_word_of_the_pages_stands_in_the_catalogues(readers: Any, node: Any) -> None:
    reader = readers()
    told: set[str] = set()
    answers: list[Response] = []

    def note(answer: Response) -> None:
        if "/v1/" in answer.url and "json" in answer.headers.get("content-type", ""):
            answers.append(answer)

    def strange(route: Route) -> None:
        words = route.fetch().json()
        route.fulfill(json={key: _strange(message) for key, message in words.items()})

    reader.context.route("**/words-en-*.json", strange)
    reader.context.on("response", note)
    found = {}
    for path in PAGES:
        page = reader.open(path)
        page.wait_for_timeout(250)
        for answer in answers:
            # What a page that is closed already still asked for is said by no page.
            with suppress(Error):
                told.update(_words(_strings(answer.json())))
        answers.clear()
        texts, known = page.evaluate(_TEXTS)
        passed = told | _NOT_OURS | _words(" ".join(known)) | _words(path)
        rest = [text.strip() for text in texts if _words(text) - passed]
        if rest:
            found[path] = rest
        page.close()
    assert not found, found


def test_styles_know_beginning_and_end_not_left_and_right() -> None:
    style = (_SOURCES / "style.css").read_text()
    physical = re.findall(
        r"^\s*(?:(?:margin|padding|border|scroll-margin)-(?:left|right)|left|right)[\w-]*:.*"
        r"|^\s*(?:text-align|float|clear): (?:left|right).*"
        r"|^\s*border-(?:top|bottom)-(?:left|right)-radius:.*",
        style,
        re.MULTILINE,
    )
    assert physical == []
    sides = re.findall(r"^\s*(?:margin|padding): (\S+) (\S+) (\S+) (\S+);", style, re.MULTILINE)
    assert [each for each in sides if each[1] != each[3]] == []


_PARTY = (
    *("/", "/consignments/C-2038", "/papers", "/devices", "/waiting", "/declarations"),
    *("/trust", "/access"),
)
_FROM_RIGHT = [
    pytest.param(
        language,
        width,
        paths,
        marks=[pytest.mark.slow]
        if (language, paths) == ("ar", _PARTY[:2])
        else [pytest.mark.slow, pytest.mark.long],
        id=f"{language}-{width}-{len(paths)}",
    )
    for language, width in itertools.product(
        [tag for tag in _KNOWN if _KNOWN[tag].get("rtl")], (360, 1440)
    )
    for paths in (_PARTY[:2], (*_PARTY[2:], *(page for page in PAGES if page not in _PARTY)))
]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("language", "width", "paths"), _FROM_RIGHT)
def test_pages_from_right_to_left_are_usable_by_all(
    readers: Any, language: str, width: int, paths: tuple[str, ...]
) -> None:
    reader = readers(language=language, width=width)
    for path in paths:
        page = reader.open(path)
        assert page.locator("html").get_attribute("dir") == "rtl"
        assert _violations(page) == [], path
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 0, path
        page.close()


@pytest.mark.slow
def test_a_road_runs_from_right_to_left_and_identifiers_do_not(readers: Any) -> None:
    page = readers(language="ar").open("/consignments/C-2038")
    first, second = (page.locator(".stone").nth(i).bounding_box() for i in (0, 1))
    assert first["x"] > second["x"]  # type: ignore[index]
    digits = page.locator("code.digits").first
    assert digits.evaluate("e => getComputedStyle(e).direction") == "ltr"
    assert digits.evaluate("e => getComputedStyle(e).unicodeBidi") == "isolate"
    # Figures are compared with papers: digits are those of papers.
    expect(page.locator("main")).not_to_contain_text(re.compile("[٠-٩۰-۹]"))


@pytest.mark.slow
@pytest.mark.parametrize("language", [tag for tag in _KNOWN if not _KNOWN[tag]["complete"]])
def test_what_a_language_lacks_is_in_english_with_a_mark(readers: Any, language: str) -> None:
    reader = readers(language=language)
    home = reader.open("/")
    assert "[en]" not in home.locator("body").inner_text()
    tracing = reader.open("/trace")
    # English stands inside its own direction, whatever the page's is.
    sentence = "Follows an article, lot or container through the events that you may see."
    expect(tracing.locator("main")).to_contain_text(f"\u2066[en] {sentence}\u2069")
    assert tracing.locator("nav a").last.inner_text() != "Node"


@pytest.mark.slow
def test_a_reader_finds_each_language_by_its_own_name(readers: Any) -> None:
    page = readers(language="kk-KZ").open("/")
    assert page.locator("html").get_attribute("lang") == "kk"
    page.locator(".preferences summary").click()
    choice = page.locator(".preferences select").first
    names = [each["name"] for each in _KNOWN.values()]
    assert choice.locator("option").all_inner_texts()[1:] == names
    choice.select_option("ru")
    expect(page.locator("h1")).to_have_text("Пути грузов")
    page.reload()
    expect(page.locator("h1")).to_have_text("Пути грузов")
