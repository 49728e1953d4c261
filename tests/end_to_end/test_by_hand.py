"""The road walked by hand: five people in five browsers on two new nodes under TLS, by labels and
roles alone. No request of the test's own until it is paid and verified; then three ask the nodes
whatever can be asked. Every value that a hand keys is counted by whose it is.

The walk is the tutorial `your-own-corridor`: what it presses is what the tutorial names, its
pictures are the tutorial's. `ZHIDAO_PICTURES=docs/images` puts new ones there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.end_to_end import test_people_by_hand
from tests.end_to_end.every_question import asks_everything
from tests.end_to_end.test_goods_by_hand import machine_running
from tests.end_to_end.test_money_by_hand import CONSIGNMENT, NAMES
from tests.end_to_end.test_people_by_hand import serving
from tests.end_to_end.walker import Walk, Walker, words_of_tutorial
from tests.node.live_node import answer_of, zhidao

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
BANK = "importer-bank"
# Who acts at which node; the customs post runs the one, the exporter the other.
AT = {
    HERE: {"exporter": ("Exporter", "CN")},
    THERE: {
        "carrier": ("Carrier", "CN"),
        "importer": ("Importer", "KZ"),
        BANK: ("Bank", "KZ"),
        "customs": ("Customs", "KZ"),
    },
}
CALLED = {
    "exporter": "the exporter",
    "carrier": "the carrier",
    "importer": "the importer",
    BANK: "the importer’s bank",
}
RUNS = {HERE: "exporter", THERE: "customs"}
ROAD = f"/consignments/{CONSIGNMENT}"
KEYED_MAX = 100
MACHINE_S_MAX = 240


@pytest.fixture
def walk(browser: Browser, tmp_path: Path) -> Iterator[Walk]:
    began_s, busy = time.monotonic(), os.getloadavg()[0] / (os.cpu_count() or 1)
    # A busy machine takes its time.
    expect.set_options(timeout=30_000)
    # Side by side, as two organisations start theirs; but all on one machine.
    nodes = [serving(tmp_path / name, name, tls="auto", alone=False) for name in (HERE, THERE)]
    with ExitStack() as ends, ThreadPoolExecutor() as starting:
        here, there = starting.map(ends.enter_context, nodes)
        yield Walk(browser, tmp_path, {HERE: here, THERE: there}, busy=busy, began_s=began_s)
    expect.set_options(timeout=5_000)


def test_five_people_walk_the_road_on_two_nodes(walk: Walk) -> None:
    until_sealed(walk)
    look_at_the_seal(walk.people["customs"], whole=True)
    walk.picture("corridor-title", walk.people["customs"].region("Seal"))
    place = deal(walk)
    custody(walk)
    papers(walk)
    walk.say("the money waits for the goods")
    driven(walk, place)
    importer = walk.people["importer"]
    expect(importer.region("Arrival")).to_contain_text("Proven", timeout=60_000)
    importer.unfolds("Arrival")
    walk.picture("corridor-arrival", importer.region("Arrival").get_by_role("figure"))
    release(walk)
    walk.say("the goods are there, and let go")
    paid(walk)
    verified(walk)
    walk.say("paid, and verified")
    # What came from the other node is on the exporter's pages too.
    walk.looks_around("exporter")
    over(walk)
    told(walk)
    is_the_tutorial(walk)
    asked(walk)


def until_sealed(walk: Walk) -> None:
    """From the first start of two nodes to a sealed container with a title."""
    until_goods(walk)
    bill_and_title(walk)
    seal(walk)
    walk.say("the title is issued, the container sealed")


def until_goods(walk: Walk) -> None:
    """From the first start of two nodes to a consignment at both, and accounts for its money."""
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


def over(walk: Walk) -> None:
    """For those who see none of its money the road is over too, once the rest of it is done."""
    for party in ("carrier", "customs"):
        person = walk.people[party]
        person.at("/")
        ended = person.region("Ended").get_by_role("listitem").filter(has_text=CONSIGNMENT)
        expect(ended).to_contain_text("All that you may see of it is done.")
        ended.get_by_role("link").click()
        expect(person.page.get_by_text("All that you may see of it is done.")).to_be_visible()
        expect(person.page.get_by_text("Under way", exact=True)).to_have_count(0)
    # What was reserved and then paid is not told as still reserved.
    importer = walk.people["importer"]
    importer.at("/money")
    marks = importer.region("Latest payments").get_by_role("listitem")
    expect(marks.filter(has_text="was reserved")).to_have_count(1)
    expect(marks.filter(has_text=re.compile("^reserved"))).to_have_count(0)


def told(walk: Walk) -> None:
    """Prints what was keyed by whom; the bounds of the walk."""
    took_s = time.monotonic() - walk.began_s
    sys.stdout.write(
        f"keyed by hand: {dict(walk.keyed)}, {walk.keyed.total()} in sum; {took_s:.0f} s\n"
    )
    assert walk.keyed.total() <= KEYED_MAX, walk.keyed
    assert not walk.lost
    # Who shares the machine with others waits for them.
    assert took_s <= MACHINE_S_MAX * (1 + walk.busy)


def asked(walk: Walk) -> None:
    """No question is a fault of a node; what the payer has left is told to the payer alone.

    Whose node has half of it, who carried, and who paid; the bank keeps the account.
    """
    exporter = walk.people["exporter"].page
    titles = exporter.request.get(exporter.evaluate("location.origin") + "/v1/trust/titles")
    names = {
        "secret": "17264000",
        "consignment": CONSIGNMENT,
        "deal": f"deal-{CONSIGNMENT}",
        "title": titles.json()["titles"][0]["title"],
        "bank": BANK,
        "party": "importer",
    }
    parties = ("exporter", "carrier", "importer")
    told_to = {party: asks_everything(walk.people[party], names) for party in parties}
    assert [party for party, paths in told_to.items() if paths] == ["importer"], told_to


def is_the_tutorial(walk: Walk) -> None:
    """What was pressed is what the tutorial says, and what it shows was seen on the way."""
    words, pictures = words_of_tutorial()
    assert walk.pictures == pictures
    kept = os.environ.get("ZHIDAO_PICTURES")
    for name in pictures if kept else ():
        shutil.copy(walk.folder / name, Path(str(kept)) / name)
    assert walk.pressed == words


def people_of(walk: Walk, node: str) -> None:
    """The first admin of a node by the console's link, then its parties and their people."""
    served, admin = walk.nodes[node], walk.opens(RUNS[node])
    admin.page.goto(f"{served['url']}/start#{served['first_admin_code']}")
    main = admin.page.get_by_role("main")
    admin.key(main, "Name of your organisation", ORGANISATIONS[node])
    admin.key(main, "Name", "ada", exact=True)
    admin.secret(main, "ada")
    admin.press(main, "Make the administrator")
    expect(main.get_by_text("The administrator exists")).to_be_visible()
    admin.goes("People")
    for party, (role, country) in AT[node].items():
        form = admin.act("Add a party")
        admin.key(form, "Name of the party", NAMES[party])
        admin.key(form, "Short name", party)
        admin.pick(form, "What it does", role)
        admin.key(form, "Country", country)
        admin.press(form, "Add this party")
        expect(form.get_by_role("status")).to_have_text("Done.")
    for name, party, role in [
        ("olga", node, "operator"),
        *((f"p-{party}", party, "party") for party in AT[node]),
    ]:
        form = admin.act("Invite a person")
        admin.key(form, "Name", name)
        admin.pick(form, "Acts for", CALLED.get(party, party))
        form.get_by_role("radio", name=role).first.check()
        admin.press(form, "Make the link")
        made = admin.page.get_by_role("status").filter(has_text=f"The link for {name}")
        # The link is copied, or its QR code scanned: nobody keys it.
        walk.links[f"{node} {name}"] = made.locator("code").inner_text()
    if node == THERE:
        walk.picture("corridor-people", admin.region("Parties"))


def peers(walk: Walk) -> None:
    """One admin makes a link, the other takes it; each admits by the fingerprint of the other."""
    here, there = walk.people[RUNS[HERE]], walk.people[RUNS[THERE]]
    for admin in (here, there):
        admin.goes("Peers")
    inviting, taking = there.region("Invite a node"), here.region("Take an invitation")
    form = there.act("Make a link")
    there.press(form, "Make a link")
    # Copied from a message, not keyed.
    link = inviting.locator("code").first.inner_text()
    said = inviting.get_by_role("definition").last.inner_text().strip()
    taking.get_by_role("textbox", name="Link, or the text of a file").fill(link)
    here.press(taking, "Look at it")
    expect(taking.get_by_role("definition").filter(has_text=said)).to_be_visible()
    said = taking.get_by_role("definition").last.inner_text().strip()
    walk.picture("corridor-peers", taking)
    here.press(here.act(f"Admit {THERE}"), f"Admit {THERE}")
    expect(taking.get_by_role("status").last).to_contain_text("is a peer now.")
    # The other sees who took the link, and the fingerprint that the first reads out.
    there.page.reload()
    expect(inviting.get_by_role("definition").filter(has_text=said)).to_be_visible()
    there.press(there.act(f"Admit {HERE}"), f"Admit {HERE}")
    expect(there.region("Nodes that this one exchanges with")).to_contain_text(ORGANISATIONS[HERE])


def agreements(walk: Walk, node: str) -> None:
    """Everybody sets the own password by the link; the operator agrees for parties without people."""
    runs = RUNS[node]
    walk.people[runs].signs_out()
    for party in AT[node]:
        person = walk.people.get(party) or walk.opens(party)
        person.joins(walk.links[f"{node} p-{party}"], f"p-{party}")
    with walk.invited("olga", walk.links[f"{node} olga"]) as operator:
        operator.goes("People")
        agrees = operator.region("Waits for a word").get_by_role("button", name="Agree for")
        for left in range(len(AT[node]), 0, -1):
            expect(agrees).to_have_count(left)
            agrees.first.click()
        operator.pressed.add("Agree for")
        expect(agrees).to_have_count(0)
        if node == THERE:
            equipped(walk, operator)
    for party in AT[node]:
        person = walk.people[party]
        person.press(person.page.get_by_role("main"), "Enter")
        expect(person.page.get_by_role("navigation", name="Pages")).to_be_visible()


def equipped(walk: Walk, operator: Walker) -> None:
    """The carrier's terminal makes its key; the operator admits it, today's orbits, and a bank."""
    key = walk.runs("corridor_terminal.py")
    operator.goes("Devices")
    form = operator.act("Add a terminal")
    operator.key(form, "Plate or name", participants.TERMINAL)
    operator.key(form, "Phone number of its card", participants.PHONE)
    operator.pick(form, "Whose it is", NAMES["carrier"])
    # Whoever is to check the arrival must see what proves it.
    operator.pick(form, "Who may see where it is", "all parties")
    operator.key(form, "Key that signs its raw signals", key)
    operator.press(form, "Add it")
    expect(form.get_by_role("status")).to_contain_text("It may connect now.")
    orbits = operator.region("Orbits of the satellites")
    operator.gives(orbits, walk.folder / "orbits.rnx")
    expect(orbits.get_by_role("status")).to_contain_text("messages of BeiDou, Galileo, and GPS")
    operator.goes("Money")
    form = operator.act("Admit a bank")
    operator.key(form, "BIC (8 or 11 characters)", "ALTBKZKA")
    operator.key(form, "Town", "Almaty")
    operator.press(form, "Admit this bank")
    expect(form.get_by_role("status")).to_contain_text("may keep accounts here now.")


def goods(walk: Walk) -> None:
    """An order, a lot from the machine, the consignment of it, and all of that to the other node."""
    exporter = walk.people["exporter"]
    with machine_running() as address:
        order_and_lot(exporter, address)
    walk.picture("corridor-factory", exporter.page.get_by_role("main").get_by_role("list").first)
    exporter.goes("Papers")
    exporter.gives(exporter.page.get_by_role("main"), entry_file(walk.folder))
    exporter.press(exporter.page.get_by_role("main"), "Open the consignment")
    over = exporter.act("Hand over to another node")
    over.get_by_role("button", name="Hand over to another node").click()
    expect(exporter.page.get_by_text(f"Handed over: {ORGANISATIONS[THERE]}").first).to_be_visible()


def order_and_lot(exporter: Walker, address: str) -> None:
    exporter.goes("Factory")
    form = exporter.act("Open an order")
    limits = "; ".join(
        f"{each['name']} {each['low']} {each['high']} {each['unit']}"
        for each in participants.LIMITS
    )
    pieces = str(len(participants.SERIALS))
    exporter.key(form, "Number of the order", participants.ORDER)
    exporter.key(form, "Article number (GTIN)", participants.GTIN)
    exporter.key(form, "How many pieces", pieces)
    exporter.key(form, "Limits of the values", limits)
    exporter.press(form, "Open it")
    row = exporter.page.get_by_role("listitem").filter(has_text=participants.ORDER)
    form = exporter.act("Finish a lot")
    exporter.key(form, "Number of the lot", participants.LOT)
    exporter.key(form, "First serial number", participants.SERIALS[0])
    exporter.key(form, "How many pieces", pieces)
    exporter.key(form, "Address of the machine", address)
    exporter.press(form, "Read the machine and write the lot down")
    expect(row).to_contain_text(f"{pieces} of {pieces} made", timeout=60_000)


def entry_file(folder: Path) -> Path:
    """The exporter's entry, as a program of its own made it: one bank keeps both sides' money."""
    voyage = simulated_scenario(CONSIGNMENT, fail="", seed=417).voyage
    body = participants.entry(CONSIGNMENT, voyage)
    body["presentingBankParty"] = body["issuingBankParty"]
    del body["simulatedIndicator"]
    file = folder / "entry.json"
    file.write_text(json.dumps(body))
    return file


def accounts(walk: Walk) -> None:
    """One bank keeps the importer's money and the exporter's; the importer pays some in."""
    bank = walk.people[BANK]
    bank.goes("Money")
    for holder, town in (("importer", "Almaty"), ("exporter", "Xi'an")):
        form = bank.act("Open an account")
        bank.pick(form, "For whom", NAMES[holder])
        bank.key(form, "Town", town)
        if holder == "exporter":
            # What a peer tells of its parties has no country.
            bank.key(form, "Country", "CN")
        bank.press(form, "Open this account")
        expect(form.get_by_role("status")).to_have_text(f"The account of {NAMES[holder]} is open.")
    form = bank.act("Take a deposit")
    bank.pick(form, "Into the account", NAMES["importer"])
    bank.key(form, "Amount", "500000")
    bank.press(form, "Credit this amount")
    expect(form.get_by_role("status")).to_contain_text("CNY 0.00 before, CNY 500,000.00 now")


def bill_and_title(walk: Walk) -> None:
    """The carrier's bill of lading, and the one title of it."""
    carrier = walk.people["carrier"]
    carrier.follows("Add the bill of lading")
    form = carrier.act("Add the bill of lading")
    carrier.key(form, "Number of the bill", participants.BILL_NUMBER)
    carrier.key(form, "Your carrier code", participants.CARRIER_CODE)
    carrier.press(form, "Add the bill of lading")
    carrier.press(carrier.act("Issue the title"), "Issue the title")
    expect(carrier.region("Title to the goods")).to_contain_text("Who holds it", timeout=60_000)


def seal(walk: Walk) -> None:
    carrier = walk.people["carrier"]
    form = carrier.act("Seal the container")
    carrier.key(form, "Number on the seal", participants.SEAL)
    carrier.press(form, "Close the seal")
    expect(carrier.region("Seal")).to_contain_text(f"{NAMES['carrier']} sealed container")


def look_at_the_seal(customs: Walker, *, whole: bool) -> None:
    customs.follows("Look at the seal")
    form = customs.act("Look at the seal")
    if not whole:
        form.get_by_role("combobox").select_option(label="broken or another")
    customs.key(form, "Where I looked", "gate 4")
    customs.press(form, "Say what I found")
    found = "found it whole" if whole else "found it broken"
    expect(customs.region("Seal")).to_contain_text(found)


def deal(walk: Walk) -> str:
    """The bank opens the deal; where the goods must arrive is drawn on the map. The place of it."""
    bank = walk.people[BANK]
    bank.follows("Agree on the payment")
    page = bank.page
    expect(page.get_by_label("Amount in CNY")).to_have_value("327360.00")
    area = page.get_by_role("group", name="Map: press to set a corner or the centre")
    expect(area).not_to_contain_text("…", timeout=60_000)
    for x, y in ((200, 120), (320, 120), (320, 240), (200, 240)):
        area.click(position={"x": x, "y": y})
    corners = page.get_by_role("textbox", name=re.compile("^Corners"))
    expect(bank.region("What both sides read")).to_contain_text("an area of 4 corners")
    drawn = [tuple(map(float, line.split(","))) for line in corners.input_value().splitlines()]
    walk.picture("corridor-deal", bank.region("The arrival"))
    bank.press(bank.act("Open the deal"), "Open the deal")
    stands = bank.region(f"Deal deal-{CONSIGNMENT}")
    expect(stands).to_contain_text("reserved", timeout=60_000)
    return " ".join(str(sum(each) / 4) for each in zip(*drawn, strict=True))


def custody(walk: Walk) -> None:
    """The exporter's title goes into the deal's custody, signed at the exporter's own node."""
    exporter = walk.people["exporter"]
    exporter.follows("Give the title into custody")
    # The bank's node reserves at the same time: whoever looked before that is asked to look again.
    given = exporter.region("Title to the goods").get_by_text("in the deal's custody").first
    act = "Give the title into custody"
    exporter.press_until(exporter.act(act), act, given)


def papers(walk: Walk) -> None:
    """The bank's node keeps the history now, so the bank has the papers compared."""
    bank = walk.people[BANK]
    bank.follows("Hold the papers against each other")
    walk.picture("corridor-road", bank.region("The road of this consignment"))
    bank.press(bank.act("Compare the papers"), "Compare the papers")
    expect(bank.region("Papers").get_by_role("status")).to_contain_text("all agree")


def driven(walk: Walk, place: str) -> None:
    """The terminal drives to the place that the deal names."""
    latitude, longitude = place.split()
    port = walk.nodes[THERE]["devices"].rpartition(":")[2]
    words = {"LATITUDE": latitude, "LONGITUDE": longitude, "7611": port}
    walk.runs("corridor_terminal.py", **words)
    walk.people["importer"].at(ROAD)


def release(walk: Walk) -> None:
    customs = walk.people["customs"]
    customs.follows("Decide about the goods")
    form = customs.act("Let the goods go")
    customs.key(form, "Number of the declaration", "KZ-50401-0017742")
    customs.press(form, "Release")
    expect(customs.page.get_by_text("Customs let the goods go.").first).to_be_visible()


def paid(walk: Walk) -> None:
    """Those of the deal read that it is paid, each at the own node."""
    for party in (BANK, "importer", "exporter"):
        person = walk.people[party]
        person.at(ROAD)
        done = person.page.get_by_text("The title passed and the payment posted.")
        expect(done).to_be_visible(timeout=60_000)
    walk.people["importer"].unfolds("Money")
    walk.picture("corridor-paid", walk.people["importer"].region("Money"))


def verified(walk: Walk) -> None:
    """The exporter's node gives the proof; a browser and a command without nodes check it."""
    exporter = walk.people["exporter"]
    # The node that writes the history sends the whole proof once it ended.
    exporter.goes("Exchange")
    came = exporter.region("Received").get_by_role("listitem")
    expect(came.filter(has_text="Proof of a consignment").first).to_be_visible(timeout=60_000)
    exporter.at(ROAD)
    export = exporter.page.get_by_role("link", name="Export the proof")
    proof = exporter.takes(export, walk.folder)
    exporter.goes("Trust")
    region = exporter.region("Check a proof file")
    exporter.gives(region, proof)
    expect(region.get_by_role("status")).to_contain_text("What was checked holds")
    walk.picture("corridor-proof", region.get_by_role("status"))
    take = "Take that list along, for zhidao verify"
    trust = exporter.takes(region.get_by_role("link", name=take), walk.folder)
    exporter.pressed |= {"Export the proof", take}
    answer = answer_of(zhidao("verify", str(proof), "--trust", str(trust), "--json"))
    assert (answer["verdict"], answer["missing"]) == ("holds", [])


@pytest.mark.long
def test_a_wrong_seal_ends_the_road_refused_and_everything_goes_back(walk: Walk) -> None:
    until_sealed(walk)
    place = deal(walk)
    custody(walk)
    look_at_the_seal(walk.people["customs"], whole=False)
    # The page of whoever may close another one says so; here nobody does.
    carrier = walk.people["carrier"]
    carrier.follows("Seal the container")
    expect(carrier.region("Seal")).to_contain_text("found broken")
    papers(walk)
    driven(walk, place)
    importer = walk.people["importer"]
    expect(importer.region("Arrival")).to_contain_text("No seal binds", timeout=60_000)
    walk.say("the arrival is not proven")
    for party in (BANK, "importer", "exporter"):
        person = walk.people[party]
        person.at(ROAD)
        ended = person.region("Money").get_by_text("released back to the payer")
        expect(ended).to_be_visible(timeout=60_000)
        expect(person.page.get_by_text("No seal binds this terminal").first).to_be_visible()
    exporter = walk.people["exporter"]
    expect(exporter.region("Title to the goods")).to_contain_text(NAMES["exporter"])
    expect(exporter.region("Title to the goods")).not_to_contain_text("in the deal's custody")
    bank = walk.people[BANK]
    bank.goes("Money")
    expect(bank.region("Accounts")).to_contain_text("500,000.00")
    walk.say("refused, and everything is back")
    sys.stdout.write(f"keyed by hand: {dict(walk.keyed)}, {walk.keyed.total()} in sum\n")
    assert walk.keyed.total() <= KEYED_MAX, walk.keyed
