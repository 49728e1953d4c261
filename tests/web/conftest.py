"""A browser of this machine and a fixture node with the real pages, for tests that look at them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from zhidao.core.programs.child import free_port

_HERE = Path(__file__).parent
_ASSETS = _HERE.parents[1] / "src" / "zhidao" / "node" / "web" / "assets"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """The machine's own Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium; skips plainly where there is none.

    One a module: while Playwright is open, its loop runs in this thread and no other may.
    """
    found = chromium()
    if found is None:
        pytest.skip("no Chromium on this machine: the pages were not looked at")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


@dataclass
class Node:
    """The fixture node and what its tests may turn."""

    url: str

    def turn(self, **state: Any) -> None:
        """Sets the fixture's state; what is not named goes back to normal."""
        normal = {"first_start": False, "signed_in": True, "broken": "", "empty": False}
        usual = {"alarm": False, "look": None, "tables": {}, "role": "party"}
        words = normal | usual | state
        httpx.post(f"{self.url}/fixture", json=words, timeout=30).raise_for_status()


@pytest.fixture(scope="session")
def _served() -> Iterator[Node]:
    if not (_ASSETS / "index.html").exists():
        pytest.skip("the pages are not built here: run python hatch_build.py")
    with serving() as node:
        yield node


@contextmanager
def serving() -> Iterator[Node]:
    """The fixture node in a process of its own."""
    port = free_port()
    words = [sys.executable, str(_HERE / "fixture_node.py"), str(port)]
    # It takes the rules from what the tests of trade use.
    process = subprocess.Popen(words, env=os.environ | {"PYTHONPATH": str(_HERE.parents[1])})
    node = Node(f"http://127.0.0.1:{port}")
    try:
        _wait(node, process)
        yield node
    finally:
        process.terminate()
        process.wait(10)


def _wait(node: Node, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise AssertionError(f"the fixture node ended with {process.returncode}")
        try:
            httpx.get(f"{node.url}/v1/session")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the fixture node did not answer in 20 s")


@pytest.fixture
def node(_served: Node) -> Node:
    """The fixture node in its normal state."""
    _served.turn()
    return _served


@dataclass
class Reader:
    """A person with a browser; remembers each request that left for another host."""

    context: BrowserContext
    node: Node
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """A page at this address, once it has said what it has to say."""
        page = self.context.new_page()
        page.on("request", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda told: (
                self.complaints.append(told.text)
                if told.type == "error" and "status of" not in told.text
                else None
            ),
        )
        page.goto(self.node.url + path)
        page.wait_for_selector("main h1, main .note")
        return page

    def _note(self, request: Request) -> None:
        if not request.url.startswith((self.node.url, "data:", "blob:")):
            self.foreign.append(request.url)


class Readers:
    """Opens browsers for people of several languages, eyes and screens."""

    def __init__(self, browser: Browser, node: Node) -> None:
        self._browser = browser
        self._node = node
        self.opened: list[Reader] = []

    def __call__(
        self, *, language: str = "en", theme: Any = "light", width: int = 1440, **more: Any
    ) -> Reader:
        context = self._browser.new_context(
            viewport={"width": width, "height": 900},
            locale={"en": "en-GB", "zh": "zh-CN"}.get(language, language),
            color_scheme=theme,
            timezone_id="Asia/Almaty",
            **({"service_workers": "block"} | more),
        )
        reader = Reader(context, self._node)
        self.opened.append(reader)
        return reader


@pytest.fixture
def readers(browser: Browser, node: Node) -> Iterator[Readers]:
    """Makes readers; afterwards none may have asked another host or seen a script fail."""
    made = Readers(browser, node)
    yield made
    for reader in made.opened:
        reader.context.close()
        assert reader.foreign == []
        assert [c for c in reader.complaints if "Service Worker" not in c] == []
