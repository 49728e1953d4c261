"""The annex of a long log stays one that a person can read, print and reach by keyboard."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright
from tests.insight.sample_log import NODE, SampleLog, corridor, prepare, register

from zhidao.core.timescale import NS
from zhidao.finance.events import Settled
from zhidao.insight.domain.opened import OpenedLog
from zhidao.insight.domain.report import make_report
from zhidao.insight.domain.selection import Selection
from zhidao.insight.wire import page_parts
from zhidao.insight.wire.page import encode_page

WIDTHS = (390, 768, 1440)


def page(log: OpenedLog, selection: Selection | None = None, *, summary: bool = False) -> str:
    made = make_report(log, selection or Selection())
    return encode_page(made, is_summary=summary).decode()


@pytest.fixture(scope="module")
def long_log() -> OpenedLog:
    return corridor(paid=50, refused=10)


def test_a_long_log_lists_all_and_gives_the_steps_of_the_newest(long_log: OpenedLog):
    text = page(long_log)
    steps = re.findall(r'<h3 id="consignment-\d+">(\w+): ', text)
    assert steps == [f"r{number}" for number in reversed(range(10))]
    listed = [
        name for name in re.findall(r'<th scope="row">(\w+)</th>', text) if name[1:].isdigit()
    ]
    assert len(listed) == 60
    assert "the newest 10 of 60" in text


def test_steps_of_those_named_are_all_given(long_log: OpenedLog):
    names = tuple(f"a{number}" for number in range(12))
    text = page(long_log, Selection(names))
    assert len(re.findall(r'<h3 id="consignment-\d+">', text)) == 12
    assert "the newest" not in text.partition("Step by step")[2]
    assert "Of 60 consignments 12 are told of here: a0, a1," in text


def test_more_rows_than_anybody_reads_are_counted(
    long_log: OpenedLog, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(page_parts, "ROWS_MAX", 60)
    assert "more rows stand" not in page(long_log)
    monkeypatch.setattr(page_parts, "ROWS_MAX", 59)
    assert "1 more rows stand in the JSON" in page(long_log)


def test_gaps_of_many_consignments_are_told_for_some_and_counted(long_log: OpenedLog):
    refused = corridor(paid=0, refused=22)
    text = page(refused)
    assert len(re.findall(r"<span lang=\"en\">That r\d+ reached: ", text)) == 20
    assert "That 2 more consignments reached every step." in text
    assert "more consignments reached" not in page(long_log)
    assert "That 10 more consignments reached every step." in page(long_log, summary=True)


def test_a_summary_names_no_consignment(long_log: OpenedLog):
    text = page(long_log, summary=True)
    assert re.findall(r"\b[ar]\d{1,2}\b", text) == []
    assert "Summary: figures only." in text


def test_a_longer_log_makes_no_longer_page():
    small = encode_page(make_report(corridor(paid=200, refused=40)))
    large = encode_page(make_report(corridor(paid=500, refused=100)))
    assert len(large) < 1.1 * len(small) < 300_000


def test_a_head_that_nobody_vouches_for_is_said_across_the_page():
    log = corridor(paid=1, refused=0)
    heads = (replace(log.heads[0], checked="unchecked"),)
    assert page(log).count('<p class="band">') == 1
    text = page(OpenedLog(heads, log.leaves))
    assert text.count('<p class="band">') == 2
    assert "NOT CHECKED: 1 of 1 heads" in text
    assert text.index("NOT CHECKED") < text.index("opened 21 of 25")
    assert "未核对：" in text


def test_both_times_are_shown_where_they_are_apart():
    for late_s, shown in ((900, False), (901, True)):
        book = SampleLog()
        register(book)
        prepare(book, "a", simulated=False)
        happened = book.now.plus_ns((10 - late_s) * NS)
        fact = Settled(deal="deal-a", paid=True, reason="x", pacs008="", camt054="", schema="")
        book.tell(NODE, "deal/deal-a", fact, happened=happened)
        text = page(book.log())
        assert f"<code>{happened}</code>" in text
        assert (f"written down {book.now}, 15 min 01 s later" in text) == shown


def test_a_play_says_by_which_clock_it_is_measured():
    book = SampleLog()
    prepare(book, "a")
    fact = Settled(deal="deal-a", paid=True, reason="x", pacs008="", camt054="", schema="")
    book.tell(NODE, "deal/deal-a", fact, happened=book.now.plus_ns(-86_400 * NS))
    assert "Played: some events are told by the play" in page(book.log())
    assert "Played: some" not in page(corridor())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: nobody looked at the annex")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(
    browser: Browser, tmp_path: Path, long_log: OpenedLog, width: int, language: str
):
    file = tmp_path / "annex.html"
    file.write_text(page(long_log), encoding="utf-8")
    # axe itself is a script, which the page's own policy would not run.
    context = browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
    tab = context.new_page()
    tab.goto(file.as_uri())
    tab.locator(f"#language-{language}").check(force=True)
    violations = Axe().run(tab).response["violations"]
    wide = tab.evaluate("document.documentElement.scrollWidth")
    quoted = tab.locator("q").first.is_visible()
    context.close()
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in violations] == []
    assert wide <= width
    assert quoted, "what was signed is shown in either language"


@pytest.mark.browser
@pytest.mark.parametrize(("summary", "sheets_max"), [(True, 6), (False, 16)])
def test_sixty_consignments_are_no_book(
    browser: Browser, tmp_path: Path, long_log: OpenedLog, *, summary: bool, sheets_max: int
):
    file = tmp_path / "annex.html"
    file.write_text(page(long_log, summary=summary), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(file.as_uri())
    printed = tab.pdf(format="A4")
    tab.close()
    sheets = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert 2 <= sheets <= sheets_max
