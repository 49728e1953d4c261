"""The goods of a road, as people lead them on the pages of a node that `zhidao serve` started: an
order, a lot from a real machine, a terminal, a seal, a look at it, customs' release. No request of
the test's own but for the makings of parties and people; what a hand keys is counted."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from tests.end_to_end import test_people_by_hand
from tests.end_to_end.test_money_by_hand import (
    CONSIGNMENT,
    NAMES,
    Hand,
    commands,
    enter_goods,
    entry_file,
    usable,
)
from tests.end_to_end.test_people_by_hand import enter, first_admin

from zhidao.node.adapters.ambient import SystemRandomness
from zhidao.simulation import participants
from zhidao.simulation.machine import machine

pytestmark = [
    pytest.mark.browser,
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.timeout(570),
]

served, browser = test_people_by_hand.served, test_people_by_hand.browser
SEAL = "HZ-0417"
KEYED_MAX = 20


@contextmanager
def machine_running() -> Iterator[str]:
    """A simulated pump bench that speaks OPC UA, in a thread of its own; its address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    bench = machine(SystemRandomness())
    address = asyncio.run_coroutine_threadsafe(bench.__aenter__(), loop).result(60)
    try:
        yield address
    finally:
        ending = bench.__aexit__(None, None, None)
        asyncio.run_coroutine_threadsafe(ending, loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.mark.every_days(2)
def test_goods_are_led_by_hand(served: dict[str, Any], browser: Browser, tmp_path: Path) -> None:
    first_admin(browser, served, "Khorgos Gate")
    passwords = commands(served, tmp_path)
    keyed: Counter[str] = Counter()

    def hand(party: str) -> Hand:
        name = "olga" if party == "corridor" else f"p-{party}"
        page = enter(browser, served["url"], name, passwords[party])
        expect(page.get_by_role("link", name="Devices")).to_be_visible()
        return Hand(party, page, keyed)

    people = {party: hand(party) for party in ("corridor", "exporter", "carrier", "customs")}
    with machine_running() as address:
        order_and_lot(people["exporter"], address)
    terminal(people["corridor"], people["carrier"])
    people["exporter"].at("/papers")
    enter_goods(people["exporter"], entry_file(tmp_path))
    seal_and_release(people)
    sys.stdout.write(f"keyed by hand: {dict(keyed)}, {keyed.total()} in sum\n")
    assert keyed.total() <= KEYED_MAX, keyed


def order_and_lot(exporter: Hand, address: str) -> None:
    exporter.page.get_by_role("link", name="Factory").click()
    form = exporter.act("Open an order")
    limits = "; ".join(
        f"{each['name']} {each['low']} {each['high']} {each['unit']}"
        for each in participants.LIMITS
    )
    exporter.key(form, "Number of the order", "PO-417")
    exporter.key(form, "Article number (GTIN)", participants.GTIN)
    exporter.key(form, "How many pieces", "4")
    exporter.key(form, "Limits of the values", limits)
    form.get_by_role("button", name="Open it").dblclick()
    expect(form.get_by_role("status")).to_contain_text("The order stands.")
    row = exporter.page.get_by_role("listitem").filter(has_text="PO-417")
    expect(row).to_contain_text("0 of 4 made")
    form = exporter.act("Finish a lot")
    exporter.key(form, "Number of the lot", "L-1")
    exporter.key(form, "First serial number", "SN-007")
    exporter.key(form, "How many pieces", "4")
    exporter.key(form, "Address of the machine", address)
    form.get_by_role("button", name="Read the machine and write the lot down").click()
    # The machine is read over the line, value by value.
    expect(row).to_contain_text("4 of 4 made", timeout=60_000)
    expect(row).to_contain_text("values read from the machine")
    usable(exporter.page)


def terminal(operator: Hand, carrier: Hand) -> None:
    operator.page.get_by_role("link", name="Devices").click()
    form = operator.act("Add a terminal")
    operator.key(form, "Plate or name", "KZ-777")
    operator.key(form, "Phone number of its card", "+7 701 555 0123")
    form.get_by_label("Whose it is").select_option("carrier")
    form.get_by_role("button", name="Add it").click()
    expect(form.get_by_role("status")).to_contain_text("It may connect now.")
    # The same number on another one is refused, with whose it is.
    form.get_by_label("Plate or name").fill("KZ-778")
    form.get_by_label("Phone number of its card").fill("+77015550123")
    form.get_by_role("button", name="Add it").click()
    expect(form.get_by_role("alert")).to_contain_text("KZ-777")
    usable(operator.page)
    carrier.page.get_by_role("link", name="Devices").click()
    mine = carrier.page.get_by_role("listitem").filter(has_text="KZ-777")
    expect(mine).to_contain_text("never prove an arrival")
    expect(mine).to_contain_text("Not heard yet.")
    expect(carrier.page.get_by_text("Add a terminal", exact=True)).to_have_count(0)


def seal_and_release(people: dict[str, Hand]) -> None:
    carrier, customs = people["carrier"], people["customs"]
    waits = carrier.page.get_by_role("banner").get_by_role("link", name="Waits for you")
    expect(waits).to_contain_text("2", timeout=40_000)
    waits.click()
    carrier.page.get_by_role("link", name="Seal the container").click()
    region = carrier.page.get_by_role("region", name="Seal", exact=True)
    expect(region).to_contain_text("Not sealed yet.")
    form = carrier.act("Seal the container")
    expect(form.get_by_label("Number of the container")).not_to_have_value("")
    carrier.key(form, "Number on the seal", SEAL.lower())
    form.get_by_role("button", name="Close the seal").dblclick()
    expect(region).to_contain_text(f"{NAMES['carrier']} sealed container")
    expect(region).to_contain_text(SEAL)
    expect(carrier.page.get_by_role("link", name="Seal the container")).to_have_count(0)
    # Customs cannot let go before somebody looked; the page offers what is their move alone.
    customs.at(f"/consignments/{CONSIGNMENT}")
    expect(customs.page.get_by_text("Let the goods go", exact=True)).to_have_count(0)
    form = customs.act("Look at the seal")
    customs.key(form, "Where I looked", "gate 4")
    form.get_by_role("button", name="Say what I found").click()
    region = customs.page.get_by_role("region", name="Seal", exact=True)
    expect(region).to_contain_text("found it whole")
    form = customs.act("Let the goods go")
    customs.key(form, "Number of the declaration", "KZ-50401-0017742")
    usable(customs.page)
    form = customs.act("Let the goods go")
    form.get_by_role("button", name="Release").dblclick()
    expect(customs.page.get_by_text("Customs let the goods go.")).to_be_visible(timeout=40_000)
    expect(customs.page.get_by_text("Let the goods go", exact=True)).to_have_count(0)
    customs.page.get_by_role("link", name="Devices").click()
    usable(customs.page)
