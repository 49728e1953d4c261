"""The routes that a person's entry goes through, the window's and the bank's."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, Request
from litestar.di import Provide
from litestar.testing import AsyncTestClient

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.judging import Effort
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.api.trade import codes as trade_codes
from zhidao.node.api.trade import entry as trade_entry
from zhidao.node.api.trade import origin as trade_origin
from zhidao.node.api.trade import window as trade_window
from zhidao.node.http.problems import HANDLERS
from zhidao.store.memory import MemoryArchive, MemoryJournal
from zhidao.trade.adapters.listing_file import ListingFile
from zhidao.trade.adapters.lodged_numbers import MemoryLodgedNumbers
from zhidao.trade.adapters.memory_drafts import MemoryDrafts
from zhidao.trade.adapters.printing.entry_printing import print_document
from zhidao.trade.domain.clearance.reference import REFERENCE
from zhidao.trade.domain.model.known_codes import SHORT_CODES
from zhidao.trade.events import Consignment
from zhidao.trade.service.clearance import Clearance
from zhidao.trade.service.document_set import make_set
from zhidao.trade.service.entering import imported
from zhidao.trade.service.presenting import PresentationService
from zhidao.trade.service.releases import Releases
from zhidao.trade.wire import canonical_entry

DATA = Path(__file__).parents[3] / "trade" / "data"
ENTRY = (DATA / "set_entry.json").read_bytes()
FIELDS, _ = imported(ENTRY)
SET = {d.form.kind: d for d in make_set(canonical_entry.read(ENTRY))}
E = "/v1/trade/entries"
TERMS = "applicableTradeDeliveryTerms"
D = "/v1/trade/declarations"
P = "/v1/trade/presentations"
OF_BILL = {
    "includedConsignmentItem[0].typeCode": "841370",
    "includedConsignmentItem[0].originCountry.id": "CN",
}
PARTIES = ("exporter", "importer", "customs", "health", "importer-bank")


class ThroughPickle:
    """Judges for which work, what it is given and what it answers cross to another process."""

    async def run(
        self, effort: Effort, work: Callable[..., Any], /, *args: Any, **named: Any
    ) -> Any:
        del effort
        there, given, names = pickle.loads(pickle.dumps((work, args, named)))
        return pickle.loads(pickle.dumps(there(*given, **names)))


class NoRoads:
    """No consignment stands here."""

    async def consignments(self, actor: Actor, *, limit: int, after: str) -> list[Consignment]:
        return []


@pytest.fixture
async def client():
    async def actor(request: Request) -> Actor:
        return Actor(party_id(request.headers["x-party"]), Role.PARTY)

    clock, dice = HandClock(Utc.parse("2026-09-12T08:00:00Z")), SeededRandomness(7)
    ring = FixedKeyRing(
        {party_id(p): SoftwareKey(Algorithm.ED25519, dice.token(32)) for p in PARTIES}
    )
    scribe = Scribe(
        node=party_id("node"), key=SoftwareKey(Algorithm.ED25519, dice.token(32)), ring=ring,
        clock=clock, ids=IdSource(clock, dice), randomness=dice,
    )  # fmt: skip
    journal = MemoryJournal()
    records, archive = Records(journal, scribe), MemoryArchive()
    clearance = Clearance(
        records=records, archive=archive, rules=REFERENCE, listings=ListingFile(None),
        numbers=MemoryLodgedNumbers(journal), judges=ThroughPickle(),
    )  # fmt: skip
    presentations = PresentationService(
        records=records, archive=archive, ring=ring, clock=clock, judges=ThroughPickle()
    )
    entry = trade_entry.routes(MemoryDrafts(), clock, print_document, ThroughPickle())
    app = Litestar(
        [
            entry,
            trade_codes.routes(SHORT_CODES),
            trade_origin.routes(SHORT_CODES),
            trade_window.routes(clearance, Releases(NoRoads(), clearance), presentations),
        ],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
    )
    async with AsyncTestClient(app) as asking:
        yield asking


def by(party: str) -> dict[str, str]:
    return {"x-party": party}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def check(client, fields, party="exporter"):
    answer = await client.post(f"{E}/check", json={"fields": fields}, headers=by(party))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_entry_grows_until_it_makes_thirteen_documents(client):
    empty = await check(client, {})
    assert empty["documents"] == []
    assert 40 < len(empty["missing"]) == empty["needed"] <= 45
    assert "railTransportMovement.wagonId" in empty["apart"]
    assert {each["cause"] for each in empty["papers"]} == {"sale", "mode", "border"}
    wrong = await check(client, {"invoiceDocument.issueDate": "2026-02-30", "nonsense": "x"})
    assert {each["path"] for each in wrong["troubles"]} == {"invoiceDocument.issueDate", "nonsense"}
    whole = await check(client, FIELDS)
    assert (whole["troubles"], whole["missing"]) == ([], [])
    assert len(whole["documents"]) == 13
    assert whole["findings"] == []
    why = {each["kind"]: (each["cause"], each["cause_of"]) for each in whole["papers"]}
    assert why["transport_document"] == ("mode", "sea")
    assert why["origin_form_e"] == ("agreement", "ACFTA")
    assert why["rail_consignment_note"] == ("named", "CS-2026-0417")
    mode = {"mainCarriageTransportMovement.modeCode": "rail"}
    rail = await check(client, {**FIELDS, **mode, f"{TERMS}.deliveryTypeCode": "CIP"})
    assert [each["kind"] for each in rail["left_out"]] == ["transport_document"]
    far = await check(client, {**FIELDS, "deliveryLocation.id": "KZALA"})
    assert {each["code"] for each in far["troubles"]} == {"no_preference"}
    late = await check(client, {**FIELDS, "presentationDocument.drawnAmount": "99000"})
    assert late["findings"][0]["left"] != late["findings"][0]["right"]
    second = await check(client, {**FIELDS, "includedConsignmentItem[2].id": "3"})
    assert "includedConsignmentItem[2].netWeight" in second["missing"]


async def test_fields_are_told_with_names_and_codes(client):
    told = (await client.get(f"{E}/fields", headers=by("exporter"))).json()
    fields = {each["path"]: each for each in told}
    assert fields["freightPaymentCode"]["choices"] == ["PRE", "COL"]
    assert fields["consignorParty.name"]["zh"] == "名称"
    assert "CT" in fields["includedConsignmentItem[].packageTypeCode"]["choices"]


async def test_codes_are_suggested_by_their_beginning_and_their_names(client):
    ask = {"kind": "place", "text": "rott"}
    told = (await client.get("/v1/trade/codes", params=ask, headers=by("exporter"))).json()
    assert told == [{"code": "NLRTM", "name": "Rotterdam"}]
    ask = {"kind": "hs", "text": "6109"}
    told = (await client.get("/v1/trade/codes", params=ask, headers=by("exporter"))).json()
    assert [each["code"] for each in told] == ["610910", "610990"]
    ask = {"kind": "colour", "text": "red"}
    told = await client.get("/v1/trade/codes", params=ask, headers=by("exporter"))
    assert told.status_code == 400
    ask = {"kind": "station", "text": ""}
    assert (
        await client.get("/v1/trade/codes", params=ask, headers=by("exporter"))
    ).status_code == 400


async def test_the_origin_of_an_item_is_determined_by_its_bill(client):
    bill = json.loads((DATA / "bill.json").read_bytes())

    async def ask(plain, fields, item="1"):
        body = {"fields": fields, "item": item, "content": b64(json.dumps(plain).encode())}
        return await client.post("/v1/trade/origin", json=body, headers=by("exporter"))

    short = await ask(bill, {k: v for k, v in FIELDS.items() if "rcepOrigin" not in k})
    assert (short.status_code, short.json()["code"]) == (422, "no_preference")
    bill["materials"] = bill["materials"][:1]
    claimed = {k: v for k, v in FIELDS.items() if "rcepOrigin" not in k}
    assert (await ask(bill, claimed)).json() == [
        {"agreement": "ACFTA", "criterion": "RVC", "share_percent": "60.000"}
    ]
    none = {k: v for k, v in claimed.items() if "formEOrigin" not in k}
    assert (await ask(bill, none)).json() == []
    assert (await ask(bill, claimed, item="2")).status_code == 400
    assert (await ask({"type": "x"}, claimed)).status_code == 400


@pytest.mark.bound("node.api.trade.origin._BILL_CHARACTERS_MAX")
async def test_a_bill_of_more_characters_is_refused_unread(client):
    bill = (DATA / "bill.json").read_bytes()
    most = trade_origin._BILL_CHARACTERS_MAX
    for size, status in ((most, 200), (most + 4, 400)):
        content = b64(bill.ljust(size // 4 * 3))
        assert len(content) == size
        body = {"fields": {"includedConsignmentItem[0].id": "1", **OF_BILL}, "item": "1"}
        answer = await client.post(
            "/v1/trade/origin", json=body | {"content": content}, headers=by("exporter")
        )
        assert answer.status_code == status, answer.text


async def test_drafts_are_a_partys_own(client):
    url = f"{E}/drafts/first"
    kept = await client.post(url, json={"fields": {"id": "ZD-1"}}, headers=by("exporter"))
    assert kept.status_code == 200
    assert (await client.get(url, headers=by("exporter"))).json()["fields"] == {"id": "ZD-1"}
    assert (await client.get(url, headers=by("importer"))).status_code == 404
    names = (await client.get(f"{E}/drafts", headers=by("exporter"))).json()
    assert [each["name"] for each in names] == ["first"]
    assert (await client.delete(url, headers=by("exporter"))).status_code == 204
    assert (await client.get(url, headers=by("exporter"))).status_code == 404


@pytest.mark.bound("node.api.trade.entry._DRAFTS_MAX")
async def test_a_party_keeps_a_hundred_drafts_and_may_still_change_them(client):
    for number in range(100):
        kept = await client.post(
            f"{E}/drafts/d{number}", json={"fields": {}}, headers=by("exporter")
        )
        assert kept.status_code == 200
    more = await client.post(f"{E}/drafts/more", json={"fields": {}}, headers=by("exporter"))
    assert (more.status_code, more.json()["code"]) == (422, "too_many_drafts")
    assert "100" in more.json()["detail"]
    changed = {"fields": {"id": "ZD-2"}}
    again = await client.post(f"{E}/drafts/d0", json=changed, headers=by("exporter"))
    assert again.status_code == 200
    other = await client.post(f"{E}/drafts/more", json={"fields": {}}, headers=by("importer"))
    assert other.status_code == 200


async def test_an_entry_of_version_1_is_imported_field_by_field(client):
    old = (DATA / "entry.json").read_bytes()
    body = {"name": "old.json", "content": b64(old)}
    told = (await client.post(f"{E}/import", json=body, headers=by("exporter"))).json()
    assert told["unmapped"] == []
    assert told["fields"]["issuingBankParty.nodeId"] == "importer-bank"
    assert told["fields"]["includedConsignmentItem[0].lotId"] == "L-0417"
    assert told["fields"]["productionOrderDocument.lotId"] == "L-0417"
    assert told["fields"]["simulatedIndicator"] == "true"


async def test_an_invoice_a_table_and_an_entry_are_imported(client):
    async def take(name, data):
        body = {"name": name, "content": b64(data)}
        return await client.post(f"{E}/import", json=body, headers=by("exporter"))

    invoice = (await take("a.xml", SET["invoice_ubl"].data)).json()
    assert invoice["fields"]["invoiceDocument.id"] == "INV-2026-0417"
    assert invoice["unmapped"] == []
    assert (await take("e.json", ENTRY)).json()["fields"] == FIELDS
    table = b"id,typeCode,netWeight\n1,841370,12.5\n2,848420,3\n"
    rows = (await take("t.csv", table)).json()["fields"]
    assert rows["includedConsignmentItem[1].typeCode"] == "848420"
    long = await take("l.csv", b"path,value\nid," + b"9" * 200_000 + b"\n")
    assert (long.status_code, long.json()["code"]) == (400, "malformed_input")
    # What is none of these is told by its name, what it seems to be, and what is taken.
    for name, data, seems in (
        ("a.pdf", b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        ("a.xlsx", b"PK\x03\x04\x14\0", "a ZIP archive"),
        ("a.json", b' [{"id": "1"}]', "a JSON list"),
        ("a.bin", b"ab\0\x01\x02", "a binary file"),
        ("a.txt", b"only words", "text"),
        ("a.csv", b"\xff\xfea\0b", "a binary file"),
        ("empty", b" \n", "an empty file"),
    ):
        refused = await take(name, data)
        assert (refused.status_code, refused.json()["code"]) == (400, "not_taken"), name
        assert refused.json()["detail"].startswith(f"{name}: "), name
        assert seems in refused.json()["detail"]
        assert "CSV in UTF-8" in refused.json()["remedy"]
    pairs = (await take("p.csv", b"path,value\nid,ZD-9\n")).json()["fields"]
    assert pairs == {"id": "ZD-9"}
    for wrong in (b"a,b\n1,2\n", b"\xff\xfe", b"<a/>", b"{}"):
        assert (await take("w", wrong)).status_code == 400


async def test_a_folder_is_read_by_what_its_files_are(client):
    bill = SET["transport_document"].data.replace(b'"CNSHA"', b'"KRPUS"')
    files = [
        ("one.xml", SET["invoice_ubl"].data),
        ("b.json", bill),
        ("c", SET["packing_list"].data),
    ]
    files += [("twice.xml", SET["invoice_ubl"].data), ("photo.jpg", b"\xff\xd8\xff")]
    body = {"files": [{"name": name, "content": b64(data)} for name, data in files]}
    told = (await client.post(f"{E}/folder", json=body, headers=by("importer"))).json()
    assert [each["kind"] for each in told["files"]] == [
        *("invoice_ubl", "transport_document", "packing_list", "invoice_ubl", ""),
    ]
    assert told["files"][3]["trouble"]["code"] == "second_document"
    assert told["files"][4]["trouble"] is not None
    assert "XD-22" in {each["rule"] for each in told["findings"]}


async def test_a_document_of_an_entry_is_downloaded(client):
    url = f"{E}/documents/invoice_ubl"
    answer = await client.post(url, json={"fields": FIELDS}, headers=by("exporter"))
    assert answer.content == SET["invoice_ubl"].data
    none = await client.post(f"{E}/documents/none", json={"fields": FIELDS}, headers=by("exporter"))
    assert none.status_code == 404


async def test_a_declaration_goes_through_the_window(client):
    def lodge(data, reason=""):
        body = {
            "kind": "import_declaration", "content": b64(data), "customs": "customs",
            "agencies": ["health"], "reason": reason,
        }  # fmt: skip
        return client.post(D, json=body, headers=by("importer"))

    first = (await lodge(SET["import_declaration"].data)).json()
    # No list stands on this node: nothing is green there.
    said = (first["version"], first["status"], first["risk"]["channel"])
    assert said == (1, "assessed", "yellow")
    assert [each["rule"] for each in first["reasons"]] == ["unscreened", "cheap"]
    assert first["reasons"][0]["reason"] == "no list was screened"
    # Invoiced in dollars, and these rules know no rate: not judged, and said so.
    rate = first["reasons"][1]
    assert (rate["fact"], rate["weight"]) == ("value.notCompared", 0)
    one = f"{D}/{first['declaration']}"
    assert (await client.get(one, headers=by("importer-bank"))).status_code == 404
    early = await client.post(
        f"{one}/decision", json={"version": 1, "decision": "released"}, headers=by("customs")
    )
    assert early.status_code == 422
    permit = await client.post(
        f"{one}/answer", json={"version": 1, "permit": True}, headers=by("health")
    )
    assert permit.json()["answers"][0]["answer"] == "permit"
    another = SET["import_declaration"].data.replace(b"INV-2026-0417", b"INV-2026-0418")
    refused = await lodge(another, "a wrong invoice number")
    assert (refused.status_code, refused.json()["code"]) == (422, "other_consignment")
    other = SET["import_declaration"].data.replace(b"MERIDIAN STAR", b"MERIDIAN MOON")
    assert (await lodge(other)).status_code == 422
    amended = (await lodge(other, "another ship")).json()
    assert (amended["version"], amended["answers"]) == (2, [])
    stale = await client.post(
        f"{one}/answer", json={"version": 1, "permit": True}, headers=by("health")
    )
    assert stale.status_code == 409
    runs = (await client.post(f"{one}/rerun", headers=by("customs"))).json()
    assert [run["same"] for run in runs] == [True, True]
    mute = await client.post(
        f"{one}/decision", json={"version": 2, "decision": "refused"}, headers=by("customs")
    )
    assert (mute.status_code, mute.json()["code"]) == (422, "no_reason")
    gone = await client.post(
        f"{one}/cancel", json={"version": 2, "reason": "sold"}, headers=by("importer")
    )
    assert gone.json()["status"] == "cancelled"
    assert [d["declaration"] for d in (await client.get(D, headers=by("customs"))).json()] == [
        first["declaration"]
    ]


async def test_a_presentation_is_made_and_read(client):
    body = {"entry": b64(ENTRY), "bank": "importer-bank"}
    made = await client.post(P, json=body, headers=by("exporter"))
    assert made.status_code == 201, made.text
    number = made.json()["presentation"]
    read = (await client.get(f"{P}/{number}", headers=by("importer-bank"))).json()
    assert len(read["papers"]) == 7
    assert read["findings"] == []
    assert (await client.get(f"{P}/{number}", headers=by("customs"))).status_code == 404
    file = await client.get(f"{P}/{number}/file", headers=by("importer-bank"))
    assert json.loads(file.content)["format"] == "zhidao.presentation.v1"
