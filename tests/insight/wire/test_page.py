from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.insight.sample_log import SampleLog, corridor, prepare

from zhidao.insight.domain.report import make_report
from zhidao.insight.wire.document import encode_report
from zhidao.insight.wire.page import encode_page

ROOT = Path(__file__).resolve().parents[3]
AGAIN = (
    "import sys;from tests.insight.sample_log import corridor;"
    "from zhidao.insight.domain.report import make_report;"
    "from zhidao.insight.wire.page import encode_page;"
    "from zhidao.insight.wire.document import encode_report;"
    "r=make_report(corridor());sys.stdout.buffer.write(encode_page(r)+encode_report(r))"
)


class Reading(HTMLParser):
    """What a browser would see: tags, their attributes, and the text in each language."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "input", "br", "rect", "line"):
            self.open.append(tag)
        for name, value in attrs:
            if name in ("href", "src", "srcset", "action", "data", "poster"):
                self.addresses.append(str(value))
            if name.startswith("on") or name == "style":
                self.handlers.append(name)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("rect", "line"):
            assert self.open.pop() == tag


def page() -> str:
    return encode_page(make_report(corridor())).decode()


def test_a_page_asks_nobody_and_runs_nothing():
    reading = Reading()
    text = page()
    reading.feed(text)
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(reading.tags)
    assert (reading.addresses, reading.handlers, reading.open) == ([], [], [])
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"] * 2


def test_a_page_allows_its_own_style_and_nothing_else():
    text = page()
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src &#x27;sha256-{digest}&#x27;" in text
    assert "default-src &#x27;none&#x27;" in text
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_the_same_log_gives_the_same_bytes_in_another_process_zone_and_year():
    report = make_report(corridor())
    environment = os.environ | {"PYTHONHASHSEED": "4711", "TZ": "Asia/Almaty"}
    done = subprocess.run(
        [sys.executable, "-c", AGAIN],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == encode_page(report) + encode_report(report)


def test_every_sentence_stands_in_both_languages():
    text = page()
    # What somebody signed is quoted as it was said; all the rest is told twice.
    quoted = text.count('<q lang="en">')
    assert text.count('lang="en"') - quoted - 2 == text.count('lang="zh"') - 1
    assert "opened 60 of 68" in text
    assert "已打开 60 / 共 68" in text


def test_a_score_of_too_few_cases_says_so_instead():
    text = page()
    assert "3 of 3, not enough (3 of at least 5)" in text
    assert "not enough (2 of at least 5)" in text
    assert "6 of 6 = 100.0 %" in text


def test_simulation_is_said_across_the_page():
    assert '<p class="band"><span lang="en">SIMULATED data: ' in page()
    book = SampleLog()
    prepare(book, "c", simulated=False)
    assert "SIMULATED" not in encode_page(make_report(book.log())).decode()


def test_a_hostile_name_stays_text():
    book = SampleLog()
    prepare(book, '<script>"x"&')
    text = encode_page(make_report(book.log())).decode()
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_an_empty_log_is_a_page_too():
    assert b"No leaf was opened" in encode_page(make_report(SampleLog().log()))


@pytest.mark.browser
def test_the_language_switches_without_a_script_and_nothing_is_asked(tmp_path: Path):
    import shutil

    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium on this machine: the page was not looked at")
    file = tmp_path / "report.html"
    file.write_bytes(encode_page(make_report(corridor())))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        context = browser.new_context(
            java_script_enabled=False, viewport={"width": 360, "height": 740}
        )
        asked: list[str] = []
        told: list[str] = []
        tab = context.new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: told.append(message.text))
        tab.goto(file.as_uri())
        assert tab.locator("h1").inner_text() == "Audit annex: what the log proves"
        tab.get_by_text("中文", exact=True).click()
        assert tab.locator("h1").inner_text() == "审计附录：日志所证明的事"
        tab.keyboard.press("ArrowLeft")
        assert tab.locator("h1").inner_text() == "Audit annex: what the log proves"
        printed = tab.pdf(format="A4")
        browser.close()
    assert asked == [file.as_uri()]
    assert told == []
    assert printed.startswith(b"%PDF")
