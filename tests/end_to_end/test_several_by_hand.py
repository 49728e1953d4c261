"""The road walked by hand once more, of a consignment with two containers and two invoices."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.end_to_end import test_by_hand as by_hand
from tests.end_to_end.walker import Walk, Walker, terminal_program
from tests.node.live_node import answer_of, zhidao

from zhidao.simulation import participants

pytestmark = [
    pytest.mark.browser,
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(1200),
]

browser, walk = by_hand.browser, by_hand.walk
CONTAINERS = (participants.CONTAINER, "MSCU6639870")
SEALS = (participants.SEAL, "ZD-884214")
# A second vehicle: its terminal's name, the number of its card, and the folder of its key.
SECOND = ("BDT-0418", "8613800000418", "second")
INVOICES = ("INV-2026-0417", "INV-2026-0418")


def test_two_containers_and_two_invoices_reach_payment_together(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_hand, "equipped", _equipped_with_two)
    monkeypatch.setattr(by_hand, "entry_file", _entry_of_several)
    by_hand.until_goods(walk)
    by_hand.bill_and_title(walk)
    carrier, customs = walk.people["carrier"], walk.people["customs"]
    for container, seal, terminal in zip(
        CONTAINERS, SEALS, (participants.TERMINAL, SECOND[0]), strict=True
    ):
        form = carrier.act("Seal the container")
        carrier.pick(form, "Number of the container", container)
        carrier.pick(form, "Terminal in the container", terminal)
        carrier.key(form, "Number on the seal", seal)
        carrier.press(form, "Close the seal")
        expect(carrier.region("Seal")).to_contain_text(f"sealed container {container}")
    for seal in SEALS:
        _look(customs, seal)
    place = by_hand.deal(walk)
    by_hand.custody(walk)
    by_hand.papers(walk)
    walk.say("the money waits for both")
    by_hand.driven(walk, place)
    importer = walk.people["importer"]
    expect(importer.region("Containers")).to_contain_text("1 of 2 arrived", timeout=60_000)
    by_hand.release(walk)
    customs.at(by_hand.ROAD)
    expect(customs.page.get_by_text("The title passed and the payment posted.")).to_have_count(0)
    _second_drives(walk, place)
    by_hand.paid(walk)
    walk.say("both are there, and all is paid")
    _proven(walk)
    assert not walk.lost
    sys.stdout.write(f"keyed by hand: {dict(walk.keyed)}, {walk.keyed.total()} in sum\n")


def _look(customs: Walker, seal: str) -> None:
    customs.at(by_hand.ROAD)
    customs.act("Look at the seal")
    # Within the section, which is a group too, that of this seal.
    form = customs.region("Seal").get_by_role("group").filter(has_text=f"seal {seal}").last
    customs.key(form, "Where I looked", "gate 4")
    customs.press(form, "Say what I found")
    said = customs.region("Seal").get_by_role("listitem")
    whole = said.filter(has_text=f"looked at {seal} in gate 4 and found it whole")
    expect(whole).to_be_visible()


def _second_drives(walk: Walk, place: str) -> None:
    latitude, longitude = place.split()
    port = walk.nodes[by_hand.THERE]["devices"].rpartition(":")[2]
    name, number, folder = SECOND
    words = ("--port", port, "--name", name, "--number", number, latitude, longitude)
    terminal_program(walk.folder / folder, *words)


def _equipped_with_two(walk: Walk, operator: Walker) -> None:
    _EQUIPPED(walk, operator)
    name, number, folder = SECOND
    own = walk.folder / folder
    own.mkdir()
    key = terminal_program(own, "--name", name)
    shutil.copy(walk.folder / "orbits.rnx", own / "orbits.rnx")
    operator.goes("Devices")
    form = operator.act("Add a terminal")
    operator.key(form, "Plate or name", name)
    operator.key(form, "Phone number of its card", f"+{number}")
    operator.pick(form, "Whose it is", by_hand.NAMES["carrier"])
    operator.pick(form, "Who may see where it is", "all parties")
    operator.key(form, "Key that signs its raw signals", key)
    operator.press(form, "Add it")
    expect(form.get_by_role("status")).to_contain_text("It may connect now.")


def _entry_of_several(folder: Path) -> Path:
    file = _ENTRY_FILE(folder)
    body: dict[str, Any] = json.loads(file.read_text())
    first, second = body["includedConsignmentItem"]
    body["type"] = "zhidao.ConsignmentEntry.v4"
    body["utilizedTransportEquipment"] = [{"id": each} for each in CONTAINERS]
    body["includedConsignmentItem"] = [
        first | {"equipmentId": CONTAINERS[0]},
        second | {"equipmentId": CONTAINERS[1], "invoiceId": INVOICES[1]},
    ]
    file.write_text(json.dumps(body))
    return file


_EQUIPPED, _ENTRY_FILE = by_hand.equipped, by_hand.entry_file


def _proven(walk: Walk) -> None:
    exporter = walk.people["exporter"]
    exporter.at(by_hand.ROAD)
    proof = exporter.takes(exporter.page.get_by_role("link", name="Export the proof"), walk.folder)
    exporter.goes("Trust")
    region = exporter.region("Check a proof file")
    exporter.gives(region, proof)
    expect(region.get_by_role("status")).to_contain_text("What was checked holds", timeout=60_000)
    take = "Take that list along, for zhidao verify"
    trust = exporter.takes(region.get_by_role("link", name=take), walk.folder)
    answer = answer_of(zhidao("verify", str(proof), "--trust", str(trust), "--json"))
    assert (answer["verdict"], answer["missing"]) == ("holds", [])
    told = " ".join(each["text"] for each in answer["proven"])
    for word in (*CONTAINERS, *SEALS, *INVOICES):
        assert word in told
