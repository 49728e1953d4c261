"""The road walked by hand: five people in five browsers on two new nodes under TLS, by labels and
roles alone. No request of the test's own; every value that a hand keys is counted by whose it is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.end_to_end import test_people_by_hand
from tests.end_to_end.test_goods_by_hand import machine_running
from tests.end_to_end.test_money_by_hand import CONSIGNMENT, NAMES, Hand, enter_goods
from tests.end_to_end.test_peers_by_hand import act, admits, fingerprint, invitation
from tests.end_to_end.test_people_by_hand import serving

from zhidao.simulation import participants
from zhidao.simulation.scenario import simulated_scenario

pytestmark = [
    pytest.mark.browser,
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.timeout(570),
]

browser = test_people_by_hand.browser
HERE, THERE = "xian", "almaty"
ORGANISATIONS = {HERE: "Export hall of Xi'an", THERE: "Dry port of Almaty"}
# Who acts at which node; the customs post runs the one, the exporter the other.
AT = {
    HERE: {"exporter": ("Exporter", "CN")},
    THERE: {
        "carrier": ("Carrier", "CN"),
        "importer": ("Importer", "KZ"),
        "importer-bank": ("Bank", "KZ"),
        "customs": ("Customs", "KZ"),
    },
}
OF_NODE = {HERE: "exporter", THERE: "customs"}
PASSWORD = "a sentence of {name} alone"
PROGRAM = Path(__file__).parents[2] / "docs" / "tutorials" / "corridor_terminal.py"
KEYED_MAX = 100
MACHINE_S_MAX = 240


@dataclass
class Walk:
    """Everybody on the way, what was keyed, and since when they walk."""

    browser: Browser
    folder: Path
    nodes: dict[str, dict[str, Any]]
    keyed: Counter[str] = field(default_factory=Counter)
    hands: dict[str, Hand] = field(default_factory=dict)
    began_s: float = field(default_factory=time.monotonic)

    def say(self, what: str) -> None:
        """When something was done, for whoever reads the output."""
        sys.stdout.write(f"{time.monotonic() - self.began_s:5.1f} s  {what}\n")


@pytest.fixture
def walk(browser: Browser, tmp_path: Path) -> Iterator[Walk]:
    began_s = time.monotonic()
    # A busy machine takes its time.
    expect.set_options(timeout=30_000)
    nodes = [serving(tmp_path / name, name, tls="auto") for name in (HERE, THERE)]
    # Side by side, as two organisations start theirs.
    with ExitStack() as ends, ThreadPoolExecutor() as starting:
        here, there = starting.map(ends.enter_context, nodes)
        yield Walk(browser, tmp_path, {HERE: here, THERE: there}, began_s=began_s)
    expect.set_options(timeout=5_000)


def test_five_people_walk_the_road_on_two_nodes(walk: Walk) -> None:
    walk.say("both nodes are up")
    for node in (HERE, THERE):
        people_of(walk, node)
    peers(walk)
    for node in (HERE, THERE):
        agreements(walk, node)
    walk.say("everybody is in")
    goods(walk)
    walk.say("the goods are entered, and handed over")
    accounts(walk)
    title(walk)
    walk.say("the title is issued, the container sealed")
    place = deal(walk)
    custody(walk)
    papers(walk)
    walk.say("the money waits for the goods")
    arrival(walk, place)
    walk.say("the goods are there, and let go")
    paid(walk)
    walk.say("paid, and the proof checked")
    told(walk)


def told(walk: Walk) -> None:
    """Prints what was keyed by whom; the bounds of the walk."""
    took_s = time.monotonic() - walk.began_s
    sys.stdout.write(
        f"keyed by hand: {dict(walk.keyed)}, {walk.keyed.total()} in sum; {took_s:.0f} s\n"
    )
    assert walk.keyed.total() <= KEYED_MAX, walk.keyed
    assert took_s <= MACHINE_S_MAX


def opens(walk: Walk, party: str) -> Hand:
    """Somebody sits down at a browser of their own."""
    context = walk.browser.new_context(
        locale="en", viewport={"width": 1280, "height": 900}, ignore_https_errors=True
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    walk.hands[party] = Hand(party, page, walk.keyed)
    return walk.hands[party]


def secret(hand: Hand, box: Locator, name: str) -> None:
    box.get_by_label("Password").fill(PASSWORD.format(name=name))
    hand.keyed[hand.party] += 1


def signs_in(walk: Walk, party: str, node: str, name: str) -> None:
    hand = walk.hands[party]
    hand.page.goto(f"{walk.nodes[node]['url']}/login")
    main = hand.page.get_by_role("main")
    hand.key(main, "Name", name)
    secret(hand, main, name)
    main.get_by_role("button", name="Sign in").click()
    expect(hand.page.get_by_role("navigation", name="Pages")).to_be_visible()


@contextmanager
def signed_in(walk: Walk, party: str, node: str, name: str) -> Iterator[Hand]:
    """Another person of the organisation at the same browser, for a while."""
    signs_in(walk, party, node, name)
    yield walk.hands[party]
    signs_out(walk.hands[party])


def signs_out(hand: Hand) -> None:
    hand.page.get_by_text("Preferences", exact=True).click()
    hand.page.get_by_role("button", name="Sign out").click()
    expect(hand.page.get_by_role("button", name="Sign in")).to_be_visible()


def people_of(walk: Walk, node: str) -> None:
    """The first admin of a node by the console's link, then its parties and their people."""
    served, hand = walk.nodes[node], opens(walk, OF_NODE[node])
    hand.page.goto(f"{served['url']}/start#{served['first_admin_code']}")
    main = hand.page.get_by_role("main")
    hand.key(main, "Name of your organisation", ORGANISATIONS[node])
    main.get_by_label("Name", exact=True).fill("ada")
    hand.keyed[hand.party] += 1
    secret(hand, main, "ada")
    main.get_by_role("button", name="Make the administrator").click()
    expect(main.get_by_text("The administrator exists")).to_be_visible()
    hand.page.get_by_role("link", name="People").click()
    for party, (role, country) in AT[node].items():
        form = hand.act("Add a party")
        hand.key(form, "Name of the party", NAMES[party])
        hand.key(form, "Short name", party)
        form.get_by_role("combobox").select_option(label=role)
        hand.key(form, "Country", country)
        form.get_by_role("button", name="Add this party").click()
        expect(form.get_by_role("status")).to_have_text("Done.")
    for name, party, role in [
        ("olga", node, "operator"),
        *((f"p-{party}", party, "party") for party in AT[node]),
    ]:
        form = hand.act("Add a person")
        hand.key(form, "Name", name)
        form.get_by_role("combobox", name="Acts for").select_option(party)
        form.get_by_role("radio", name=role).first.check()
        secret(hand, form, name)
        form.get_by_role("button", name="Add this person").click()
        expect(form.get_by_role("status")).to_have_text("Done.")


def peers(walk: Walk) -> None:
    """Both admins admit the other's node by a file that one gives the other."""
    pages = {node: walk.hands[OF_NODE[node]].page for node in (HERE, THERE)}
    for page in pages.values():
        page.get_by_role("link", name="Peers").click()
    files = {node: invitation(page, node, walk.folder) for node, page in pages.items()}
    admits(pages[HERE], THERE, files[THERE], fingerprint(pages[THERE]))
    admits(pages[THERE], HERE, files[HERE], fingerprint(pages[HERE]))


def agreements(walk: Walk, node: str) -> None:
    """The operator agrees for parties that have nobody yet; then everybody signs in."""
    party = OF_NODE[node]
    signs_out(walk.hands[party])
    with signed_in(walk, party, node, "olga") as olga:
        olga.page.get_by_role("link", name="People").click()
        waits = olga.page.get_by_role("region", name="Waits for a word")
        agrees = waits.get_by_role("button", name="Agree for")
        for left in range(len(AT[node]), 0, -1):
            expect(agrees).to_have_count(left)
            agrees.first.click()
        expect(agrees).to_have_count(0)
        if node == THERE:
            equipped(walk, olga)
    for party in AT[node]:
        if party not in walk.hands:
            opens(walk, party)
        signs_in(walk, party, node, f"p-{party}")


def goods(walk: Walk) -> None:
    """An order, a lot from the machine, the consignment of it, and all of that to the other node."""
    exporter = walk.hands["exporter"]
    with machine_running() as address:
        order_and_lot(exporter, address)
    enter_goods(exporter, entry_file(walk.folder))
    act(exporter.page, "Hand over to another node")
    expect(exporter.page.get_by_text(f"Handed over: {ORGANISATIONS[THERE]}").first).to_be_visible()


def order_and_lot(exporter: Hand, address: str) -> None:
    exporter.page.get_by_role("link", name="Factory").click()
    form = exporter.act("Open an order")
    limits = "; ".join(
        f"{each['name']} {each['low']} {each['high']} {each['unit']}"
        for each in participants.LIMITS
    )
    exporter.key(form, "Number of the order", participants.ORDER)
    exporter.key(form, "Article number (GTIN)", participants.GTIN)
    exporter.key(form, "How many pieces", str(len(participants.SERIALS)))
    exporter.key(form, "Limits of the values", limits)
    form.get_by_role("button", name="Open it").click()
    row = exporter.page.get_by_role("listitem").filter(has_text=participants.ORDER)
    form = exporter.act("Finish a lot")
    exporter.key(form, "Number of the lot", participants.LOT)
    exporter.key(form, "First serial number", participants.SERIALS[0])
    exporter.key(form, "How many pieces", str(len(participants.SERIALS)))
    exporter.key(form, "Address of the machine", address)
    form.get_by_role("button", name="Read the machine and write the lot down").click()
    expect(row).to_contain_text("24 of 24 made", timeout=60_000)


def entry_file(folder: Path) -> Path:
    """The exporter's entry, as a program of its own made it: one bank keeps both sides' money."""
    voyage = simulated_scenario(CONSIGNMENT, fail="", seed=417).voyage
    body = participants.entry(CONSIGNMENT, voyage)
    body["presentingBankParty"] = body["issuingBankParty"]
    del body["simulatedIndicator"]
    file = folder / "entry.json"
    file.write_text(json.dumps(body))
    return file


def equipped(walk: Walk, operator: Hand) -> None:
    """The carrier's terminal makes its key; the operator admits it, today's orbits, and a bank."""
    key = program(walk)
    operator.page.get_by_role("link", name="Devices").click()
    form = operator.act("Add a terminal")
    operator.key(form, "Plate or name", participants.TERMINAL)
    operator.key(form, "Phone number of its card", participants.PHONE)
    form.get_by_label("Whose it is").select_option("carrier")
    operator.key(form, "Key that signs its raw signals", key)
    form.get_by_role("button", name="Add it").click()
    expect(form.get_by_role("status")).to_contain_text("It may connect now.")
    orbits = operator.page.get_by_role("region", name="Orbits of the satellites")
    chosen(operator.page, orbits, walk.folder / "orbits.rnx")
    expect(orbits.get_by_role("status")).to_contain_text("messages of BeiDou, Galileo, GPS")
    operator.page.get_by_role("link", name="Money").click()
    form = operator.act("Admit a bank")
    form.get_by_label("Which party").select_option("importer-bank")
    operator.key(form, "BIC (8 or 11 characters)", "ALTBKZKA")
    operator.key(form, "Town", "Almaty")
    form.get_by_role("button", name="Admit this bank").click()
    expect(form.get_by_role("status")).to_contain_text("may keep accounts here now.")


def program(walk: Walk, *words: str) -> str:
    """Runs the terminal's program of the tutorial; what it prints."""
    command = [sys.executable, str(PROGRAM), *words]
    return subprocess.run(
        command, cwd=walk.folder, capture_output=True, text=True, timeout=120, check=True
    ).stdout.strip()


def chosen(page: Page, box: Locator, file: Path) -> None:
    """A file, as somebody picks it."""
    with page.expect_file_chooser() as choosing:
        box.get_by_role("button", name="Choose files").click()
    choosing.value.set_files(file)


def accounts(walk: Walk) -> None:
    """One bank keeps the importer's money and the exporter's; the importer pays some in."""
    bank = walk.hands["importer-bank"]
    bank.page.get_by_role("link", name="Money").click()
    for holder, town in (("importer", "Almaty"), ("exporter", "Xi'an")):
        form = bank.act("Open an account")
        form.get_by_label("For whom").select_option(holder)
        bank.key(form, "Town", town)
        if holder == "exporter":
            # What a peer tells of its parties has no country.
            bank.key(form, "Country", "CN")
        form.get_by_role("button", name="Open this account").click()
        expect(form.get_by_role("status")).to_have_text(f"The account of {NAMES[holder]} is open.")
    form = bank.act("Take a deposit")
    whose = form.get_by_role("combobox")
    importers = whose.get_by_role("option").filter(has_text=NAMES["importer"])
    whose.select_option(label=importers.inner_text())
    bank.key(form, "Amount", "500000")
    form.get_by_role("button", name="Credit this amount").click()
    expect(form.get_by_role("status")).to_contain_text("CNY 0.00 before, CNY 500,000.00 now")


def title(walk: Walk) -> None:
    """The carrier's bill of lading, the one title of it, and a sealed container."""
    carrier = walk.hands["carrier"]
    follows(carrier, "Add the bill of lading")
    form = carrier.act("Add the bill of lading")
    carrier.key(form, "Number of the bill", participants.BILL_NUMBER)
    carrier.key(form, "Your carrier code", participants.CARRIER_CODE)
    form.get_by_role("button", name="Add the bill of lading").click()
    carrier.act("Issue the title").get_by_role("button", name="Issue the title").click()
    region = carrier.page.get_by_role("region", name="Title to the goods")
    expect(region).to_contain_text("Who holds it", timeout=60_000)
    form = carrier.act("Seal the container")
    carrier.key(form, "Number on the seal", participants.SEAL)
    form.get_by_role("button", name="Close the seal").click()
    region = carrier.page.get_by_role("region", name="Seal", exact=True)
    expect(region).to_contain_text(f"{NAMES['carrier']} sealed container")
    customs = walk.hands["customs"]
    follows(customs, "Look at the seal")
    form = customs.act("Look at the seal")
    customs.key(form, "Where I looked", "gate 4")
    form.get_by_role("button", name="Say what I found").click()
    region = customs.page.get_by_role("region", name="Seal", exact=True)
    expect(region).to_contain_text("found it whole")


def follows(hand: Hand, waits: str) -> None:
    """The way from what waits for somebody to the place where it is done."""
    hand.page.get_by_role("banner").get_by_role("link", name="Waits for you").click()
    hand.page.get_by_role("link", name=waits).first.click()


def deal(walk: Walk) -> str:
    """The bank opens the deal; where the goods must arrive is drawn on the map. The place of it."""
    bank = walk.hands["importer-bank"]
    follows(bank, "Agree on the payment")
    page = bank.page
    expect(page.get_by_label("Amount in CNY")).to_have_value("327360.00")
    area = page.get_by_role("group", name="Map: press to set a corner or the centre")
    expect(area).not_to_contain_text("…", timeout=60_000)
    for x, y in ((200, 120), (320, 120), (320, 240), (200, 240)):
        area.click(position={"x": x, "y": y})
    corners = page.get_by_role("textbox", name=re.compile("^Corners"))
    says = page.get_by_role("region", name="What both sides read")
    expect(says).to_contain_text("an area of 4 corners")
    drawn = [tuple(map(float, line.split(","))) for line in corners.input_value().splitlines()]
    form = bank.act("Open the deal")
    form.get_by_role("button", name="Open the deal").click()
    stands = page.get_by_role("region", name=f"Deal deal-{CONSIGNMENT}")
    expect(stands).to_contain_text("reserved", timeout=60_000)
    return " ".join(str(sum(each) / 4) for each in zip(*drawn, strict=True))


def custody(walk: Walk) -> None:
    """The exporter's title goes into the deal's custody, signed at the exporter's own node."""
    exporter = walk.hands["exporter"]
    follows(exporter, "Give the title into custody")
    form = exporter.act("Give the title into custody")
    form.get_by_role("button", name="Give the title into custody").click()
    region = exporter.page.get_by_role("region", name="Title to the goods")
    expect(region).to_contain_text("in the deal's custody", timeout=60_000)


def papers(walk: Walk) -> None:
    """The bank's node keeps the history now, so the bank has the papers compared."""
    bank = walk.hands["importer-bank"]
    follows(bank, "Hold the papers against each other")
    form = bank.act("Compare the papers")
    form.get_by_role("button", name="Compare the papers").click()
    region = bank.page.get_by_role("region", name="Papers")
    expect(region.get_by_role("status")).to_contain_text("all agree", timeout=60_000)


def arrival(walk: Walk, place: str) -> None:
    """The terminal drives to the place that the deal names; customs let the goods go."""
    port = walk.nodes[THERE]["devices"].rpartition(":")[2]
    program(walk, *place.split(), "--port", port)
    importer = walk.hands["importer"]
    importer.at(f"/consignments/{CONSIGNMENT}")
    region = importer.page.get_by_role("region", name="Arrival")
    expect(region).to_contain_text("Proven", timeout=60_000)
    customs = walk.hands["customs"]
    follows(customs, "Decide about the goods")
    form = customs.act("Let the goods go")
    customs.key(form, "Number of the declaration", "KZ-50401-0017742")
    form.get_by_role("button", name="Release").click()
    expect(customs.page.get_by_text("Customs let the goods go.").first).to_be_visible()


def paid(walk: Walk) -> None:
    """Those of the deal read that it is paid; the exporter checks the proof in its browser."""
    for party in ("importer-bank", "importer", "exporter"):
        hand = walk.hands[party]
        hand.at(f"/consignments/{CONSIGNMENT}")
        expect(hand.page.get_by_text("The title passed and the payment posted.")).to_be_visible()
    exporter = walk.hands["exporter"].page
    with exporter.expect_download() as download:
        exporter.get_by_role("link", name="Export the proof").click()
    file = walk.folder / download.value.suggested_filename
    download.value.save_as(file)
    exporter.get_by_role("link", name="Trust", exact=True).click()
    region = exporter.get_by_role("region", name="Check a proof file")
    chosen(exporter, region, file)
    expect(region.get_by_role("status")).to_contain_text("Nothing is wrong so far")
