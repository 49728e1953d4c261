"""The routes of trade as a client meets them: bodies, answers, refusals."""

from __future__ import annotations

import base64
import json

import pytest
from litestar import Litestar, Request
from litestar.di import Provide
from litestar.testing import AsyncTestClient
from tests.trade.service.test_clearance import clearance_of

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.node.api.trade import transparency as trade_transparency
from zhidao.node.api.trade.consignments import routes
from zhidao.node.http.problems import HANDLERS
from zhidao.trade.domain.invoice import invoices_of
from zhidao.trade.service.releases import Releases
from zhidao.trade.service.transparency import Transparency
from zhidao.trade.wire import consignment_entry, entry, ubl_invoice

BASE = "/v1/trade"
ONE = BASE + "/consignments/zd-2026-0001"


@pytest.fixture
async def client(world):
    async def actor(request: Request) -> Actor:
        return Actor(party_id(request.headers["x-party"]), Role.PARTY)

    app = Litestar(
        [
            routes(
                world.consignments,
                world.validation,
                Releases(world.consignments, clearance_of()),
            ),
            trade_transparency.routes(
                Transparency(
                    archive=world.archive,
                    consignments=world.consignments,
                    credentials=world.credentials,
                )
            ),
        ],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
    )
    async with AsyncTestClient(app) as asking:
        yield asking


def by(party: str, media_type: str = "application/json") -> dict[str, str]:
    return {"x-party": party, "content-type": media_type}


def bill_body(bill: bytes) -> dict[str, str]:
    return {
        "kind": "bill_of_lading",
        "number": "SMLSHA0417",
        "media_type": "application/json",
        "content": base64.b64encode(bill).decode(),
    }


async def test_the_road_of_the_papers_over_http(client, entry_bytes, bill_bytes):
    entered = await client.post(BASE + "/consignments", content=entry_bytes, headers=by("exporter"))
    assert entered.status_code == 201
    assert entered.json()["state"] == "Entered"
    added = await client.post(ONE + "/documents", json=bill_body(bill_bytes), headers=by("carrier"))
    assert added.status_code == 201
    checked = await client.post(ONE + "/check", headers=by("importer-bank"))
    assert (checked.status_code, checked.json()["agree"]) == (200, True)
    rows = await client.get(ONE + "/check", headers=by("importer"))
    assert {row["answer"] for row in rows.json()} == {"agree"}
    released = await client.post(
        ONE + "/customs-release",
        json={"declaration": "26DK00123", "decision": "released"},
        headers=by("customs"),
    )
    assert released.status_code == 201
    state = (await client.get(ONE, headers=by("exporter-bank"))).json()
    assert state["customs"]["declaration"] == "26DK00123"
    assert state["papers"]["agree"]
    page = (await client.get(BASE + "/consignments?limit=1", headers=by("importer"))).json()
    assert page["next"] == "zd-2026-0001"
    digest = state["documents"][0]["digest"]
    document = await client.get(f"{ONE}/documents/{digest}", headers=by("importer"))
    assert document.content.startswith(b"<?xml")
    assert document.headers["content-disposition"].startswith("attachment")
    assert document.headers["x-content-type-options"] == "nosniff"


async def test_a_stranger_gets_404_on_every_route(client, entry_bytes, bill_bytes):
    await client.post(BASE + "/consignments", content=entry_bytes, headers=by("exporter"))
    stranger = by("stranger")
    asked = [
        await client.get(ONE, headers=stranger),
        await client.get(ONE + "/check", headers=stranger),
        await client.post(ONE + "/check", headers=stranger),
        await client.get(f"{ONE}/documents/{'0' * 64}", headers=stranger),
        await client.post(ONE + "/documents", json=bill_body(bill_bytes), headers=stranger),
        await client.post(
            ONE + "/customs-release",
            json={"declaration": "D", "decision": "released"},
            headers=stranger,
        ),
    ]
    assert [a.status_code for a in asked] == [404] * 6
    listed = await client.get(BASE + "/consignments", headers=stranger)
    assert listed.json() == {"consignments": [], "next": ""}


async def test_invoices_are_judged_and_attacks_refused(client, entry_bytes):
    invoice = ubl_invoice.write(invoices_of(entry.read(entry_bytes))[0])
    xml = by("importer", "application/xml")
    url = BASE + "/invoices/validate"
    good = (await client.post(url, content=invoice, headers=xml)).json()
    assert good["outcome"] == "valid"
    wrong = invoice.replace(b">47400.00</cbc:Payable", b">1.00</cbc:Payable")
    bad = (await client.post(url, content=wrong, headers=xml)).json()
    assert bad["outcome"] == "invalid"
    assert bad["findings"][0]["rule"] == "BR-CO-16"
    assert bad["findings"][0]["place"] == "/Invoice/cac:LegalMonetaryTotal"
    for attack in (b"<!DOCTYPE a><a/>", b"", b"<a>" * 99 + b"</a>" * 99):
        refused = await client.post(url, content=attack, headers=xml)
        assert refused.status_code == 400
        assert refused.json()["code"].startswith("xml_")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/consignments", b"{}"),
        ("/consignments", b"[]"),
        ("/consignments", b"not json"),
        ("/consignments", b"\xff"),
        ("/consignments/zd-1/documents", b'{"kind":"bill_of_lading"}'),
        ("/consignments/zd-1/customs-release", b'{"declaration":"D","decision":"held"}'),
        ("/consignments/zd-1/customs-release", b'{"declaration":1,"decision":"released"}'),
    ],
)
async def test_a_wrong_body_is_a_typed_refusal(client, path, body):
    refused = await client.post(BASE + path, content=body, headers=by("exporter"))
    assert refused.status_code == 400
    assert refused.headers["content-type"].startswith("application/problem+json")


async def test_a_double_key_is_seen_by_the_strict_reading(client, entry_bytes):
    twice = entry_bytes.replace(b'"order":', b'"order": "PO-1", "order":', 1)
    refused = await client.post(BASE + "/consignments", content=twice, headers=by("exporter"))
    assert (refused.status_code, refused.json()["code"]) == (400, "duplicate_key")


async def test_the_description_of_the_routes_can_be_made(client):
    schema = client.app.openapi_schema.to_schema()
    assert BASE + "/consignments/{consignment}" in schema["paths"]
    assert "CustomsDecision" in json.dumps(schema["components"])


async def test_an_entry_as_the_page_makes_it_opens_a_consignment(client, entry_bytes):
    second = consignment_entry.migrated(entry.read(entry_bytes))
    answers = [
        await client.post(BASE + "/consignments", content=second, headers=by("exporter"))
        for _ in range(2)
    ]
    assert [a.status_code for a in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert [d["kind"] for d in answers[0].json()["documents"]][:3] == [
        "invoice",
        "packing_list",
        "origin_statement",
    ]
    seen = await client.get(ONE, headers=by("customs"))
    assert seen.json()["entered"]["importer_bank"] == "importer-bank"
    plain = json.loads(second)
    del plain["customsParty"]["nodeId"]
    refused = await client.post(
        BASE + "/consignments", content=json.dumps(plain).encode(), headers=by("exporter")
    )
    assert (refused.status_code, refused.json()["code"]) == (400, "missing_fields")
    assert "customsParty.nodeId" in refused.json()["detail"]


async def test_passports_and_the_arrival_of_untp_over_http(client, entry_bytes):
    await client.post(BASE + "/consignments", content=entry_bytes, headers=by("exporter"))
    works = {"facility_id": "https://id.example.com/factory/7", "facility_name": "Works 7"}
    made = await client.post(ONE + "/product-passports", json=works, headers=by("exporter"))
    assert made.status_code == 201
    assert {c["type"][0] for c in made.json()["credentials"]} == {"DigitalProductPassport"}
    wrong = {**works, "facility_id": "works seven"}
    refused = await client.post(ONE + "/product-passports", json=wrong, headers=by("exporter"))
    assert refused.status_code == 400
    for route, body in (("/product-passports", works), ("/arrival-credential", None)):
        strange = await client.post(ONE + route, json=body, headers=by("stranger"))
        assert strange.status_code == 404
    early = await client.post(ONE + "/arrival-credential", headers=by("carrier"))
    assert (early.status_code, early.json()["code"]) == (422, "not_delivered")


async def test_the_carrier_adds_the_bill_that_the_node_proposes(client, entry_bytes):
    await client.post(BASE + "/consignments", content=entry_bytes, headers=by("exporter"))
    wanted = {"number": "SMLSHA0417", "carrier_code": "SMLS", "on_board": "2026-02-20"}
    path = ONE + "/proposed-bill"
    for party, status in (("importer", 403), ("stranger", 404)):
        answer = await client.post(path, json=wanted, headers=by(party))
        assert answer.status_code == status, party
    for wrong in ({"number": "no/slash"}, {"carrier_code": "TOOLONG"}, {"on_board": "someday"}):
        answer = await client.post(path, json=wanted | wrong, headers=by("carrier"))
        assert answer.status_code == 400, wrong
    proposed = await client.post(path, json=wanted, headers=by("carrier"))
    assert proposed.status_code == 200
    added = await client.post(
        ONE + "/documents", json=bill_body(proposed.content), headers=by("carrier")
    )
    assert added.status_code == 201, added.text
    # Whatever the carrier takes over as it was entered agrees with everybody else's papers.
    checked = (await client.post(ONE + "/check", headers=by("importer-bank"))).json()
    assert (checked["agree"], checked["findings"]) == (True, [])
