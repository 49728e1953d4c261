"""The money and the title of a road, as people lead them on the pages of a node that `zhidao serve`
started: no request of the test's own, only labels and roles. Parties and people are made by command
before; every value that a hand keys from there on is counted."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect
from tests.end_to_end import test_people_by_hand
from tests.end_to_end.test_people_by_hand import enter
from tests.node.live_node import answer_of, zhidao

from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.simulation import participants
from zhidao.simulation.scenario import simulated_scenario

pytestmark = [
    pytest.mark.browser,
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.timeout(570),
]

# The same node and the same browser as of the people.
served, browser = test_people_by_hand.served, test_people_by_hand.browser
ADMIN = "a sentence of an admin"
CONSIGNMENT = "C-0417"
KEYED_MAX = 20
NAMES = {party: name for party, name, *_ in participants.PARTIES}


@dataclass
class Hand:
    """A person at a browser: what is keyed is counted under the person's party."""

    party: str
    page: Page
    keyed: Counter[str] = field(default_factory=Counter)

    def key(self, box: Locator, label: str, text: str) -> None:
        # A label may go on with a hint.
        box.get_by_role("textbox", name=re.compile(f"^{re.escape(label)}")).fill(text)
        self.keyed[self.party] += 1

    def act(self, title: str) -> Locator:
        """The form of an act, opened by its name, and before that the section that folds it away."""
        named = self.page.get_by_text(title, exact=True)
        named.first.wait_for(state="attached")
        section = self.page.get_by_role("region").filter(has=named)
        if section.count() and not any(each.is_visible() for each in named.all()):
            section.last.get_by_role("heading").first.click()
        form = self.page.get_by_role("group").filter(has=named).last
        if not form.evaluate("each => each.open"):
            form.get_by_text(title, exact=True).first.click()
        return form

    def at(self, path: str) -> None:
        self.page.goto(self.page.url.split("/", 3)[0] + "//" + self.page.url.split("/")[2] + path)


def commands(served: dict[str, Any], folder: Path) -> dict[str, str]:
    """Makes parties and one person of each; their passwords by party."""
    admin = folder / "admin.password"
    admin.touch(mode=0o600)
    admin.write_text(ADMIN)
    who = ("--url", served["url"], "--as", "ada", "--password-file", str(admin), "--json")
    operator = answer_of(zhidao("people", "make", "olga", "corridor", "operator", *who))
    words = folder / "olga.password"
    words.touch(mode=0o600)
    words.write_text(operator["password"])
    olga = ("--url", served["url"], "--as", "olga", "--password-file", str(words), "--json")
    passwords = {"corridor": operator["password"]}
    for party, name, role, country in participants.PARTIES:
        answer_of(zhidao("party", "add", party, name, role, country, *who))
        made = answer_of(zhidao("people", "make", f"p-{party}", party, "party", *who))
        answer_of(zhidao("people", "agree", f"p-{party}", *olga))
        passwords[party] = made["password"]
    return passwords


def terminal(served: dict[str, Any], folder: Path) -> None:
    """The operator registers the terminal that the deal is to wait for; the bank may see it."""
    key = SoftwareKey(Algorithm.ED25519, bytes(range(32))).public.multikey
    words = ("terminal", "add", participants.TERMINAL, "--phone", participants.PHONE)
    words += ("--owner", "carrier", "--reader", "importer-bank", "--key", key)
    who = ("--as", "olga", "--password-file", str(folder / "olga.password"), "--json")
    answer_of(zhidao(*words, "--url", served["url"], *who))


def entry_file(folder: Path) -> Path:
    """The exporter's entry: goods that no lot of this node makes."""
    voyage = simulated_scenario(CONSIGNMENT, fail="", seed=417).voyage
    body = participants.entry(CONSIGNMENT, voyage)
    del body["productionOrderDocument"]
    for item in body["includedConsignmentItem"]:
        item.pop("lotId", None)
    file = folder / "entry.json"
    file.write_text(json.dumps(body))
    return file


def usable(page: Page) -> None:
    """No finding of axe and nothing to push sideways, narrow and wide, every form open."""
    page.locator("details.act-form").evaluate_all(
        "all => all.forEach(each => { each.open = true })"
    )
    for width in (360, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        page.mouse.move(0, 0)
        page.wait_for_timeout(400)
        found = Axe().run(page).response["violations"]
        assert [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found] == []
        assert page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        ), width
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.every_days(3)
def test_money_and_title_are_led_by_hand(
    served: dict[str, Any],
    browser: Browser,
    tmp_path: Path,
) -> None:
    first = browser.new_context(locale="en").new_page()
    first.goto(f"{served['url']}/start#{served['first_admin_code']}")
    first.get_by_label("Name of your organisation").fill("Khorgos Gate")
    first.get_by_label("Name", exact=True).fill("ada")
    first.get_by_label("Password").fill(ADMIN)
    first.get_by_role("button", name="Make the administrator").click()
    expect(first.get_by_text("The administrator exists")).to_be_visible()
    passwords = commands(served, tmp_path)
    terminal(served, tmp_path)
    keyed: Counter[str] = Counter()

    def hand(party: str) -> Hand:
        name = "olga" if party == "corridor" else f"p-{party}"
        page = enter(browser, served["url"], name, passwords[party])
        expect(page.get_by_role("link", name="Money")).to_be_visible()
        return Hand(party, page, keyed)

    people = {party: hand(party) for party in ("corridor", *participants.ALL)}
    enter_goods(people["exporter"], entry_file(tmp_path))
    banks(people)
    accounts(people)
    bill_and_title(people)
    title_in_two_tabs(people, browser)
    deal(people)
    custody_and_papers(people)
    sys.stdout.write(f"keyed by hand: {dict(keyed)}, {keyed.total()} in sum\n")
    assert keyed.total() <= KEYED_MAX, keyed


def enter_goods(exporter: Hand, file: Path) -> None:
    exporter.page.get_by_role("link", name="Papers").click()
    with exporter.page.expect_file_chooser() as choosing:
        exporter.page.get_by_role("button", name="Choose files").click()
    choosing.value.set_files(file)
    exporter.page.get_by_role("button", name="Open the consignment").click()
    expect(exporter.page.get_by_role("heading", name="Title to the goods")).to_be_visible(
        timeout=60_000
    )


def banks(people: dict[str, Hand]) -> None:
    operator = people["corridor"]
    operator.page.get_by_role("link", name="Money").click()
    for party, name, bic, town, _ in participants.BANKS:
        form = operator.act("Admit a bank")
        form.get_by_label("Which party").select_option(party)
        # Proposed of what the node knows of the party.
        expect(form.get_by_label("Name as messages bear it")).to_have_value(NAMES[party])
        operator.key(form, "BIC (8 or 11 characters)", bic)
        operator.key(form, "Town", town)
        form.get_by_role("button", name="Admit this bank").click()
        expect(form.get_by_role("status")).to_have_text(f"{name} may keep accounts here now.")
    usable(operator.page)


def accounts(people: dict[str, Hand]) -> None:
    for bank, holder, town, _ in participants.CUSTOMERS:
        teller = people[bank]
        teller.page.get_by_role("link", name="Money").click()
        form = teller.act("Open an account")
        form.get_by_label("For whom").select_option(holder)
        teller.key(form, "Town", town)
        form.get_by_role("button", name="Open this account").click()
        expect(form.get_by_role("status")).to_have_text(f"The account of {NAMES[holder]} is open.")
    payer = people["importer-bank"]
    form = payer.act("Take a deposit")
    payer.key(form, "Amount", "500000")
    # Twice in one moment, and once more under its name, as another tab has it: one deposit.
    name = form.get_by_label("Your name for this deposit")
    first = name.input_value()
    form.get_by_role("button", name="Credit this amount").dblclick()
    expect(form.get_by_role("status")).to_contain_text("CNY 0.00 before, CNY 500,000.00 now")
    expect(name).to_have_value(f"{first}-2")
    name.fill(first)
    form.get_by_label("Amount").fill("500000")
    form.get_by_role("button", name="Credit this amount").click()
    expect(form.get_by_role("status")).to_contain_text("nothing more was credited")
    payee = people["exporter-bank"]
    form = payee.act("Set a line")
    form.get_by_label("The other bank").select_option("importer-bank")
    payee.key(form, "It may owe at most", "1000000")
    form.get_by_role("button", name="Set the line").click()
    expect(form.get_by_role("status")).to_contain_text("may owe your bank at most")
    usable(payer.page)


def bill_and_title(people: dict[str, Hand]) -> None:
    importer, carrier = people["importer"], people["carrier"]
    importer.at(f"/consignments/{CONSIGNMENT}")
    waits = importer.page.get_by_role("region", name="Title to the goods")
    expect(waits).to_contain_text(f"{NAMES['carrier']} must move")
    carrier.at(f"/consignments/{CONSIGNMENT}")
    form = carrier.act("Add the bill of lading")
    carrier.key(form, "Number of the bill", participants.BILL_NUMBER)
    carrier.key(form, "Your carrier code", participants.CARRIER_CODE)
    form.get_by_role("button", name="Add the bill of lading").click()
    form = carrier.act("Issue the title")
    expect(form).to_contain_text("It is not issued twice")
    form.get_by_role("button", name="Issue the title").dblclick()
    region = carrier.page.get_by_role("region", name="Title to the goods")
    expect(region).to_contain_text("Who holds it", timeout=60_000)
    expect(region).to_contain_text(f"{NAMES['exporter']} must move")


def title_in_two_tabs(people: dict[str, Hand], browser: Browser) -> None:
    del browser
    exporter = people["exporter"]
    exporter.at(f"/consignments/{CONSIGNMENT}")
    other = Hand("exporter", exporter.page.context.new_page(), exporter.keyed)
    other.page.set_default_timeout(30_000)
    other.page.goto(exporter.page.url)
    forms = [each.act("Transfer the title") for each in (exporter, other)]
    for form in forms:
        form.get_by_label("To whom").select_option("importer")
    # Both tabs rest on the same title: what the second asks is what the first did.
    for form in forms:
        form.get_by_role("button", name="Transfer the title").click(no_wait_after=True)
    for each in (exporter, other):
        region = each.page.get_by_role("region", name="Title to the goods")
        expect(region).to_contain_text(f"{NAMES['importer']} must move", timeout=60_000)
    other.page.close()
    importer = people["importer"]
    importer.at(f"/consignments/{CONSIGNMENT}")
    region = importer.page.get_by_role("region", name="Title to the goods")
    expect(region.get_by_text("Handed over")).to_have_count(1)
    form = importer.act("Reject the title")
    form.get_by_role("button", name="Reject the title").click()
    expect(region).to_contain_text(f"{NAMES['exporter']} must move", timeout=60_000)
    usable(importer.page)


def deal(people: dict[str, Hand]) -> None:
    exporter, bank = people["exporter"], people["importer-bank"]
    exporter.at(f"/consignments/{CONSIGNMENT}")
    money = exporter.page.get_by_role("region", name="Money", exact=True)
    expect(money).to_contain_text(f"{NAMES['importer-bank']} must move")
    bank.at(f"/consignments/{CONSIGNMENT}")
    region = bank.page.get_by_role("region", name="Money", exact=True)
    # The road waits for others first: the bank opens what it wants to do.
    contents = bank.page.get_by_role("navigation", name="On this page")
    contents.get_by_role("link", name="Money", exact=True).click()
    region.get_by_role("link", name="Open the deal").click()
    page = bank.page
    expect(page.get_by_label("Amount in CNY")).to_have_value("327360.00")
    page.get_by_role("combobox", name=re.compile("^Terminal on the goods")).fill(
        participants.TERMINAL
    )
    bank.keyed["importer-bank"] += 1
    says = page.get_by_role("region", name="What both sides read")
    expect(says).to_contain_text("at least three corners")
    area = page.get_by_role("group", name="Map: press to set a corner or the centre")
    corners = page.get_by_role("textbox", name=re.compile("^Corners"))
    expect(area).not_to_contain_text("…", timeout=60_000)
    for number, (x, y) in enumerate(((200, 120), (320, 120), (320, 240), (200, 240)), 1):
        area.click(position={"x": x, "y": y})
        page.wait_for_function(
            "n => [...document.querySelectorAll('textarea')].some("
            "each => each.value.split('\\n').length === n && each.value)",
            arg=number,
        )
    assert len(corners.input_value().splitlines()) == 4
    expect(says).to_contain_text("an area of 4 corners")
    expect(says).to_contain_text(f"reserves CNY 327,360.00 of {NAMES['importer']}")
    without_a_mouse(page, says)
    usable(page)
    form = bank.act("Open the deal")
    form.get_by_role("button", name="Open the deal").dblclick()
    stands = page.get_by_role("region", name=f"Deal deal-{CONSIGNMENT}")
    expect(stands).to_contain_text("reserved", timeout=60_000)
    expect(stands).to_contain_text(f"{NAMES['exporter']} must move")
    usable(page)


def without_a_mouse(page: Page, says: Locator) -> None:
    """The same place by the keyboard alone; a word that is no place is named beside it."""
    page.get_by_role("button", name="Take the last corner away").press("Enter")
    expect(says).to_contain_text("an area of 3 corners")
    page.get_by_role("radio", name="By a centre and a radius").press("Space")
    expect(says).to_contain_text("is no latitude and longitude")
    centre = page.get_by_role("textbox", name=re.compile("^Centre"))
    centre.press_sequentially("43.2567, 76.9286")
    expect(says).to_contain_text("Give a radius of more than 0")
    page.get_by_role("textbox", name="Radius in metres").press_sequentially("500")
    expect(says).to_contain_text("(within 500 m)")
    page.get_by_role("radio", name="By its corners").press("Space")
    corners = page.get_by_role("textbox", name=re.compile("^Corners"))
    corners.press("Control+End")
    corners.press_sequentially("\n43.2400, 76.8700")
    expect(says).to_contain_text("an area of 4 corners")


def custody_and_papers(people: dict[str, Hand]) -> None:
    exporter, bank = people["exporter"], people["importer-bank"]
    exporter.at(f"/consignments/{CONSIGNMENT}")
    form = exporter.act("Give the title into custody")
    form.get_by_role("button", name="Give the title into custody").click()
    region = exporter.page.get_by_role("region", name="Title to the goods")
    expect(region).to_contain_text("in the deal's custody", timeout=60_000)
    form = exporter.act("Compare the papers")
    form.get_by_role("button", name="Compare the papers").click()
    papers = exporter.page.get_by_role("region", name="Papers")
    expect(papers.get_by_role("status")).to_contain_text("all agree", timeout=60_000)
    bank.at(f"/deals/deal-{CONSIGNMENT}")
    stands = bank.page.get_by_role("region", name=f"Deal deal-{CONSIGNMENT}")
    expect(stands.get_by_role("listitem").filter(has_text="title is in custody")).to_contain_text(
        "met", timeout=60_000
    )
    expect(stands).to_contain_text(f"Waits for terminal {participants.TERMINAL}")
    exporter.at("/deals")
    expect(exporter.page.get_by_role("link", name=f"deal-{CONSIGNMENT}")).to_be_visible()
    usable(exporter.page)
