"""The first outside terminal, on the pages of a node that `zhidao serve` has just started.

A newcomer makes the first admin, a carrier and its people, adds a tracker that is sold, watches it
being refused and then heard, and seals it to a consignment; no key is made up, nothing is asked but
by pages. The tracker is a plain script over TCP: its frames are written here, byte by byte, after
JT/T 808, not with the node's own client.
"""

from __future__ import annotations

import re
import socket
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.end_to_end import test_people_by_hand
from tests.end_to_end.test_money_by_hand import (
    Hand,
    enter_goods,
    entry_file,
    usable,
)
from tests.end_to_end.test_people_by_hand import (
    ADMIN,
    add_person,
    enter,
    first_admin,
    form,
    row,
)
from tests.node.live_node import answer_of, zhidao

from zhidao.simulation import participants

pytestmark = [
    pytest.mark.browser,
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.timeout(570),
]

served, browser = test_people_by_hand.served, test_people_by_hand.browser
SECONDS_MAX = 300.0
OPERATOR = "a long way to the first fix"
E2013, E2019 = 2013, 2019


class Tracker:
    """A tracker of a catalogue: registers, shows its code, says where it is."""

    def __init__(self, number: str, edition: int) -> None:
        self.number = number
        self.edition = edition
        self.serial = 0

    def frame(self, message: int, body: bytes) -> bytes:
        """A frame (JT/T 808-2019 section 4.4; of 2013 without version and with six BCD bytes)."""
        new = self.edition == E2019
        head = message.to_bytes(2, "big") + (len(body) | (0x4000 if new else 0)).to_bytes(2, "big")
        head += b"\x01" if new else b""
        head += bytes.fromhex(self.number.zfill(20 if new else 12))
        head += self.serial.to_bytes(2, "big")
        self.serial += 1
        data = head + body
        check = 0
        for byte in data:
            check ^= byte
        escaped = (
            (data + bytes([check])).replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02")
        )
        return b"\x7e" + escaped + b"\x7e"

    def registration(self) -> bytes:
        """0x0100: province, city, maker, model, id, colour, plate (GBK)."""
        new = self.edition == E2019
        maker, model, own = (11, 30, 30) if new else (5, 20, 7)
        body = bytes(4) + b"ACME".ljust(maker, b"\0") + b"T360".ljust(model, b"\0")
        return body + b"0000001"[:own].ljust(own, b"\0") + b"\x02" + "京A12345".encode("gbk")

    def position(self, latitude: float, longitude: float) -> bytes:
        """0x0200 with a fix: alarm, status, place in millionths, height, speed, course, time."""
        at = datetime.now(UTC) + timedelta(hours=8)  # The standard's clock is Beijing's.
        body = bytes(4) + (0b11).to_bytes(4, "big")
        body += round(latitude * 1e6).to_bytes(4, "big") + round(longitude * 1e6).to_bytes(4, "big")
        return body + bytes([0, 120, 1, 44, 0, 90]) + bytes.fromhex(f"{at:%y%m%d%H%M%S}")

    def ask(self, line: socket.socket, message: int, body: bytes) -> tuple[int, bytes]:
        """Sends one message; the answer's number and body."""
        line.sendall(self.frame(message, body))
        data = b""
        while data.count(b"\x7e") < 2:
            got = line.recv(4096)
            assert got, "the node hung up"
            data += got
        raw = data[1 : data.index(b"\x7e", 1)]
        raw = raw.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")
        return int.from_bytes(raw[:2], "big"), raw[17 if self.edition == E2019 else 12 : -1]

    def report(self, address: tuple[str, int], latitude: float, longitude: float) -> bool:
        """Registers, authenticates and says where it is. False if it is not let in."""
        with socket.create_connection(address, timeout=20) as line:
            kind, answer = self.ask(line, 0x0100, self.registration())
            assert kind == 0x8100
            if answer[2] != 0:
                return False
            code = answer[3:]
            shown = bytes([len(code)]) + code + bytes(35) if self.edition == E2019 else code
            kind, answer = self.ask(line, 0x0102, shown)
            assert (kind, answer[4]) == (0x8001, 0)
            kind, answer = self.ask(line, 0x0200, self.position(latitude, longitude))
            assert (kind, answer[4]) == (0x8001, 0)
        return True


@pytest.mark.every_days(2)
def test_a_tracker_that_is_sold_is_heard_within_minutes(
    served: dict[str, Any], browser: Browser, tmp_path: Path
) -> None:
    began = time.monotonic()
    people(first_admin(browser, served, "Khorgos Dry Port"))
    operator = Hand("corridor", enter(browser, served["url"], "olga", OPERATOR))
    page = operator.page
    page.get_by_role("link", name="Devices").click()
    told = re.search(r"connect to ([0-9.]+), port ([0-9]+)", said(page.get_by_text("connect to")))
    assert told is not None
    address = (told[1], int(told[2]))
    old = Tracker("013800138000", E2013)
    assert not old.report(address, 44.21, 80.41)
    # It says its number without the country's code; the page shows what to type.
    knocked = page.get_by_role("listitem").filter(has_text="013800138000")
    expect(knocked).to_be_visible(timeout=15_000)
    add(operator, "VAN-3", "+86 138 0013 8000", "013800138000")
    assert old.report(address, 44.21, 80.41)
    row = page.get_by_role("listitem").filter(has_text="VAN-3")
    expect(row).to_contain_text("44.21000, 80.41000 (claimed)", timeout=15_000)
    expect(row).to_contain_text("never prove an arrival")
    took = time.monotonic() - began
    sys.stderr.write(f"first outside terminal on the page: {took:.0f} s after the first page\n")
    assert took <= SECONDS_MAX
    a_newer_one(operator, address)
    usable(page)
    sealed(served, browser, tmp_path)


def a_newer_one(operator: Hand, address: tuple[str, int]) -> None:
    """By the headers of 2019, known by its phone; its number is nobody else's any more."""
    add(operator, "VAN-4", "+7 701 555 0123", "")
    assert Tracker("77015550123", E2019).report(address, 43.25, 76.9)
    row = operator.page.get_by_role("listitem").filter(has_text="VAN-4")
    expect(row).to_contain_text("43.25000, 76.90000 (claimed)", timeout=15_000)
    form = operator.act("Add a terminal")
    form.get_by_label("Plate or name").fill("VAN-5")
    form.get_by_label("Phone number of its card").fill("+7 701 555 0123")
    form.get_by_label("Number in its headers").fill("")
    form.get_by_role("button", name="Add it").click()
    expect(form.get_by_role("alert")).to_contain_text("VAN-4")


def sealed(served: dict[str, Any], browser: Browser, folder: Path) -> None:
    """The carrier puts the tracker into a container of the exporter's goods, on their page."""
    words = others(served, folder)
    exporter = Hand("exporter", enter(browser, served["url"], "p-exporter", words["exporter"]))
    enter_goods(exporter, entry_file(folder))
    carrier = Hand("carrier", enter(browser, served["url"], "p-carrier", words["carrier"]))
    waits = carrier.page.get_by_role("banner").get_by_role("link", name="Waits for you")
    expect(waits).to_contain_text("2", timeout=40_000)
    waits.click()
    carrier.page.get_by_role("link", name="Seal the container").click()
    form = carrier.act("Seal the container")
    form.get_by_label("terminal").first.select_option("VAN-3")
    carrier.key(form, "Number on the seal", "HZ-0417")
    form.get_by_role("button", name="Close the seal").click()
    region = carrier.page.get_by_role("region", name="Seal", exact=True)
    expect(region).to_contain_text("VAN-3", timeout=30_000)


def others(served: dict[str, Any], folder: Path) -> dict[str, str]:
    """The other parties of a consignment, and one person of two of them, by command."""
    callers = []
    for name, password in (("ada", ADMIN), ("olga", OPERATOR)):
        file = folder / f"{name}.password"
        file.touch(mode=0o600)
        file.write_text(password)
        callers.append(
            ("--url", served["url"], "--as", name, "--password-file", str(file), "--json")
        )
    ada, olga = callers
    passwords = {}
    for party, name, role, country in participants.PARTIES:
        if party != "carrier":
            answer_of(zhidao("party", "add", party, name, role, country, *ada))
    for party in ("exporter", "carrier"):
        made = answer_of(zhidao("people", "make", f"p-{party}", party, "party", *ada))
        answer_of(zhidao("people", "agree", f"p-{party}", *olga))
        passwords[party] = made["password"]
    return passwords


def said(where: Locator) -> str:
    expect(where.first).to_be_visible(timeout=30_000)
    return where.first.inner_text()


def people(admin: Page) -> None:
    """The carrier, and who runs the node."""
    admin.get_by_role("link", name="People").click()
    box = form(admin, "Add a party")
    box.get_by_label("Name of the party").fill("Steppe Haulage")
    box.get_by_label("Short name").fill("carrier")
    box.get_by_label("Country").fill("kz")
    box.get_by_role("button", name="Add this party").click()
    expect(row(admin, "Parties", "Steppe Haulage")).to_be_visible()
    add_person(admin, "olga", "corridor", "operator", OPERATOR)


def add(operator: Hand, plate: str, phone: str, number: str) -> None:
    """What a newcomer types of a device that is sold: no key."""
    form = operator.act("Add a terminal")
    form.get_by_label("Plate or name").fill(plate)
    form.get_by_label("Phone number of its card").fill(phone)
    form.get_by_label("Number in its headers").fill(number)
    form.get_by_label("Whose it is").select_option("carrier")
    form.get_by_role("button", name="Add it").click()
    expect(operator.page.get_by_role("listitem").filter(has_text=plate)).to_be_visible()
