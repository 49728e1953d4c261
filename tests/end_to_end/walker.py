"""Who walks the road in a test: people at browsers of their own, what they press and what they key."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Response, expect
from tests.end_to_end.test_money_by_hand import Hand

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = DOCS / "tutorials" / "your-own-corridor.md"
PROGRAM = DOCS / "tutorials" / "corridor_terminal.py"
_LOOK_MS = 500
_PRESSES = 5
PASSWORD = "a sentence of {name} alone"


@dataclass
class Walker(Hand):
    """A person at a browser. `pressed`: the words of all that anybody pressed or filled in."""

    pressed: set[str] = field(default_factory=set)

    def key(self, box: Locator, label: str, text: str, *, exact: bool = False) -> None:
        if exact:
            box.get_by_label(label, exact=True).fill(text)
            self.keyed[self.party] += 1
        else:
            super().key(box, label, text)
        self.pressed.add(label)

    def secret(self, box: Locator, name: str) -> None:
        """A password, which no role of the accessibility tree names."""
        box.get_by_label("Password").fill(PASSWORD.format(name=name))
        self.keyed[self.party] += 1
        self.pressed.add("Password")

    def act(self, title: str) -> Locator:
        self.pressed.add(title)
        return super().act(title)

    def pick(self, box: Locator, label: str, choice: str) -> None:
        """One of what a list offers, by how its words begin."""
        chooser = box.get_by_role("combobox", name=label)
        begins = re.compile(f"^{re.escape(choice)}")
        offered = chooser.get_by_role("option").filter(has_text=begins)
        chooser.select_option(label=offered.first.inner_text())
        self.pressed.add(label)

    def press(self, box: Locator, name: str) -> None:
        box.get_by_role("button", name=name, exact=True).click()
        self.pressed.add(name)

    def press_until(self, box: Locator, name: str, done: Locator) -> None:
        """Presses, and again where somebody changed meanwhile what the page showed, or is not ready.

        The other node may not have asked yet, which the page says, and to press again.
        """
        for _ in range(_PRESSES):
            self.press(box, name)
            changed = box.get_by_text(re.compile("^Changed since"))
            told = changed.or_(box.get_by_role("alert"))
            expect(done.or_(told).first).to_be_visible(timeout=60_000)
            if not told.count():
                break
            self.page.wait_for_timeout(_LOOK_MS)
        expect(done).to_be_visible(timeout=60_000)

    def goes(self, name: str) -> None:
        """To a page, by the head of every page."""
        head = self.page.get_by_role("banner").get_by_role("navigation")
        head.get_by_role("link", name=name, exact=True).click()
        self.pressed.add(name)

    def follows(self, waits: str) -> None:
        """The way from what waits for somebody to the place where it is done."""
        self.page.get_by_role("banner").get_by_role("link", name="Waits for you").click()
        self.page.get_by_role("main").get_by_role("link", name=waits, exact=True).click()
        self.pressed |= {"Waits for you", waits}

    def gives(self, box: Locator, file: Path) -> None:
        """A file, as somebody picks it."""
        with self.page.expect_file_chooser() as choosing:
            self.press(box, "Choose files")
        choosing.value.set_files(file)

    def takes(self, press: Locator, folder: Path) -> Path:
        """A file that the page hands out."""
        with self.page.expect_download() as download:
            press.click()
        file = folder / download.value.suggested_filename
        download.value.save_as(file)
        return file

    def region(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=name, exact=True)

    def unfolds(self, name: str) -> None:
        """Opens a section of a page that is folded away."""
        section = self.region(name)
        if not section.get_by_role("group").first.evaluate("each => each.open"):
            section.get_by_role("heading", name=name, exact=True).click()

    def joins(self, link: str, name: str) -> None:
        """Sets the own password by the link of an invitation."""
        self.page.goto(link)
        main = self.page.get_by_role("main")
        self.key(main, "Your own password", PASSWORD.format(name=name))
        self.press(main, "Set the password and enter")
        # Who counts at once is in; who waits for a party's word is told so.
        expect(main.get_by_role("heading", name="You are invited")).to_have_count(0)

    def signs_in(self, url: str, name: str) -> None:
        self.page.goto(f"{url}/login")
        main = self.page.get_by_role("main")
        self.key(main, "Name", name)
        self.secret(main, name)
        self.press(main, "Sign in")
        expect(self.page.get_by_role("navigation", name="Pages")).to_be_visible()

    def signs_out(self) -> None:
        self.page.get_by_text("Preferences", exact=True).click()
        self.pressed.add("Preferences")
        self.press(self.page.get_by_role("banner"), "Sign out")
        expect(self.page.get_by_role("button", name="Sign in")).to_be_visible()


@dataclass
class Walk:
    """Everybody on the way, what was keyed and pressed, and since when they walk.

    `busy`: how many others waited for each processor when they began.
    """

    browser: Browser
    folder: Path
    nodes: dict[str, dict[str, Any]]
    keyed: Counter[str] = field(default_factory=Counter)
    pressed: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    people: dict[str, Walker] = field(default_factory=dict)
    pictures: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    busy: float = 0.0
    began_s: float = field(default_factory=time.monotonic)

    def say(self, what: str) -> None:
        """When something was done, for whoever reads the output."""
        sys.stdout.write(f"{time.monotonic() - self.began_s:5.1f} s  {what}\n")

    def opens(self, party: str) -> Walker:
        """Somebody sits down at a browser of their own."""
        context = self.browser.new_context(
            locale="en",
            timezone_id="UTC",
            viewport={"width": 1280, "height": 900},
            ignore_https_errors=True,
        )
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("response", self._notes)
        self.people[party] = Walker(party, page, self.keyed, self.pressed)
        return self.people[party]

    @contextmanager
    def invited(self, name: str, link: str) -> Iterator[Walker]:
        """Somebody invited, at a browser of their own, for a while."""
        walker = self.opens(name)
        walker.joins(link, name)
        yield walker
        walker.signs_out()
        walker.page.context.close()
        del self.people[name]

    def _notes(self, response: Response) -> None:
        """A list that a page asked for and did not get, or any answer that is the node's fault."""
        lost = "/v1/lists/" in response.url and response.status == HTTPStatus.NOT_FOUND
        if lost or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.lost.append(f"{response.status} {response.url}")

    def looks_around(self, party: str) -> None:
        """Somebody opens everything that the head of the page offers."""
        person = self.people[party]
        head = person.page.get_by_role("navigation", name="Pages")
        for link in head.get_by_role("link").all():
            link.click()
            # As long as somebody looks; a page that was left does not wait for its lists.
            person.page.wait_for_timeout(_LOOK_MS)

    def picture(self, name: str, of: Locator) -> None:
        """What the tutorial shows of the way, taken where the walk is."""
        of.screenshot(path=self.folder / f"{name}.png", animations="disabled")
        self.pictures.append(f"{name}.png")

    def runs(self, program: str, **words: str) -> str:
        """Runs the tutorial's own line of a program with these words in it; what it prints."""
        begins = f"path/to/checkout/.venv/bin/python {program}"
        lines = [line for line in TUTORIAL.read_text().splitlines() if line.startswith(begins)]
        [line] = [line for line in lines if ("--port" in line) == bool(words)]
        for name, word in words.items():
            assert name in line
            line = line.replace(name, word)
        return terminal_program(self.folder, *line.removeprefix(begins).split())


def terminal_program(folder: Path, *words: str) -> str:
    """Runs the tutorial's terminal, whose key is in this folder; what it prints."""
    return subprocess.run(
        [sys.executable, str(PROGRAM), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout.strip()


def words_of_tutorial() -> tuple[set[str], list[str]]:
    """What the tutorial says to press or fill in, and the pictures that it shows, in order."""
    text = TUTORIAL.read_text()
    return set(re.findall(r"\*\*([^*\n]+)\*\*", text)), re.findall(r"\(\.\./images/([^)]+)\)", text)
