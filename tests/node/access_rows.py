"""For each route that a role or a relation guards: whose object it is, and what is sent.

`owner`: who may, for what exists in the world. `second`: another party of the same object, whose
act it is not; empty where every party of the object may. A path's names are the world's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tests.node.access_world import CONSIGNMENT, AccessWorld

_F: Final = "/v1/finance"
_T: Final = "/v1/trade"
_C: Final = f"{_T}/consignments/{{consignment}}"
_TITLE: Final = "/v1/trust/titles/{title}"


@dataclass(frozen=True, slots=True)
class Row:
    """Who may ask and what for; `body`: JSON, or bytes as they are."""

    owner: str
    second: str = ""
    body: Any = None

    @property
    def sent(self) -> dict[str, Any]:
        """The body as httpx takes it."""
        if self.body is None:
            return {}
        return {"content": self.body} if isinstance(self.body, bytes) else {"json": self.body}


# Reading what is named in the path: a party that may. A stranger gets 404.
READS: Final = {
    "/v1/consignments/{consignment}/proof": "exporter",
    "/v1/consignments/{consignment}/road": "exporter",
    "/v1/devices/seals/{seal}": "carrier",
    "/v1/devices/terminals/{terminal}": "carrier",
    "/v1/devices/terminals/{terminal}/positions": "carrier",
    "/v1/events/{event_id}/proof": "exporter",
    "/v1/federation/consignments/{consignment}": "exporter",
    f"{_F}/accounts/{{account}}": "importer",
    f"{_F}/accounts/{{account}}/balance": "importer",
    f"{_F}/accounts/{{account}}/movements": "importer",
    f"{_F}/accounts/{{account}}/statement": "importer",
    f"{_F}/credits/{{credit}}": "importer",
    f"{_F}/deals/{{deal}}": "importer",
    f"{_F}/deals/{{deal}}/messages/{{message}}": "importer",
    f"{_F}/escrows/{{escrow}}": "importer",
    f"{_F}/ledgers/{{ledger_name}}/accounts/{{account}}/proof": "importer",
    f"{_F}/ledgers/{{ledger_name}}/transfers/{{transfer}}/proof": "importer",
    f"{_F}/netting/{{cycle}}": "importer",
    f"{_F}/receivables/{{token}}": "importer",
    "/v1/industry/orders/{order}/lots/{lot}": "exporter",
    "/v1/positioning/arrivals/{consignment}": "exporter",
    "/v1/positioning/arrivals/{consignment}/track": "exporter",
    "/v1/positioning/evidence/{digest}": "exporter",
    _C: "exporter",
    f"{_C}/check": "exporter",
    f"{_C}/documents/{{digest}}": "exporter",
    f"{_T}/declarations/{{declaration}}": "exporter",
    f"{_T}/presentations/{{presentation}}": "exporter",
    f"{_T}/presentations/{{presentation}}/file": "exporter",
    f"{_T}/entries/drafts/{{name}}": "exporter",
    "/v1/trust/credentials/{digest}": "exporter",
    _TITLE: "importer",
    f"{_TITLE}/acts": "importer",
    f"{_TITLE}/assessment": "importer",
    f"{_TITLE}/endorsements": "importer",
    f"{_TITLE}/medium": "importer",
    f"{_TITLE}/registration": "importer",
}
ASKED: Final = {
    f"{_F}/accounts/{{account}}/balance": "?at=2026-01-01T00:00:00Z",
    f"{_F}/accounts/{{account}}/statement": "?first=2026-01-01&last=2026-12-31",
}
# The same lists as tables, and as files.
_TABLES: Final = (
    *("accounts", "approvals", "consignments", "credit-lines", "credits", "deals", "declarations"),
    *(
        "drafts",
        "escrows",
        "exchanges-of-currency",
        "movements",
        "netting",
        "orders",
        "payment-orders",
    ),
    *(
        "presentations",
        "quotes",
        "recalls",
        "receivables",
        "roads",
        "screenings",
        "seals",
        "terminals",
        "titles",
        "worklist",
    ),
)
# Lists: what the caller's party may see, and nothing of it to anybody else.
LISTS: Final = (
    *(f"{_F}/{name}" for name in ("accounts", "credits", "deals", "escrows", "netting")),
    *(f"{_F}/receivables", f"{_F}/pvp/deals", f"{_F}/pvp/quotes", f"{_F}/screenings"),
    *("/v1/devices/seals", "/v1/devices/terminals"),
    *(f"{_F}/approvals", f"{_T}/declarations", f"{_T}/presentations", f"{_T}/consignments"),
    *(
        f"{_F}/credit-lines",
        f"{_F}/passport",
        f"{_F}/movements",
        f"{_F}/payment-orders",
        f"{_T}/entries/drafts",
    ),
    *("/v1/corridor", "/v1/roads", "/v1/trust/titles", "/v1/industry/orders", "/v1/worklist"),
    "/v1/industry/recalls",
    *(f"/v1/lists/{name}{form}" for name in _TABLES for form in ("", "/csv")),
)


def writes(world: AccessWorld) -> dict[tuple[str, str], Row]:
    """Every route that writes for a party, with what it truly takes."""
    account = {"holder": "exporter", "currency": "CNY", "name": "E", "town": "X", "country": "CN"}
    escrow = {
        "escrow": "E-2",
        "payer": "importer",
        "payee": "exporter",
        "payee_bank": "exporter-bank",
        "amount_minor": 1,
        "currency": "CNY",
        "condition": {"kind": "word", "by": "carrier", "word": "ok"},
        "refund_after": "2030-06-01T00:00:00Z",
    }
    title = {"consignment": CONSIGNMENT, "document": "ab" * 32, "holder": "exporter"}
    invoice = {"obligor": "DK 12345674", "supplier": "CN 91320594MA1ABCDE7X", "invoice": "I-9"}
    post: dict[str, Row] = {
        "/v1/devices/seals": Row(
            "carrier",
            "",
            {
                "seal": "S-9",
                "container": "CSQU3054383",
                "consignment": CONSIGNMENT,
                "terminal": world.names["terminal"],
            },
        ),
        "/v1/devices/seals/{seal}/checks": Row(
            "carrier",
            "",
            {
                "container": "CSQU3054383",
                "terminal": world.names["terminal"],
                "intact": True,
                "place": "gate",
            },
        ),
        f"{_F}/accounts": Row("importer-bank", "importer", account),
        f"{_F}/banks/{{bank}}/messages": Row("importer", "", world.payment()),
        f"{_F}/credit-lines": Row(
            "importer-bank",
            "importer",
            {"peer": "exporter-bank", "currency": "CNY", "limit_minor": 5},
        ),
        f"{_F}/credits": Row("importer-bank", "importer", world.another_credit()),
        f"{_F}/credits/{{credit}}/amendments": Row(
            "importer-bank", "exporter", world.credit["terms"]
        ),
        f"{_F}/credits/{{credit}}/steps": Row("exporter-bank", "importer", {"step": "advise"}),
        f"{_F}/credits/{{credit}}/drawings/{{drawing}}": Row("exporter", "importer", world.papers),
        f"{_F}/credits/{{credit}}/drawings/{{drawing}}/steps": Row(
            "importer-bank", "exporter", {"step": "examine"}
        ),
        f"{_F}/credits/{{credit}}/drawings/{{drawing}}/records/asked": Row(
            "importer-bank", "exporter", {"records": [1]}
        ),
        f"{_F}/deposits": Row(
            "importer-bank",
            "importer",
            {"deposit": "d-9", "holder": "importer", "amount_minor": 5, "currency": "CNY"},
        ),
        f"{_F}/escrows": Row("importer-bank", "importer", escrow),
        f"{_F}/escrows/{{escrow}}/words": Row("carrier", "importer", {"word": "goods_ok"}),
        f"{_F}/escrows/{{escrow}}/disputes": Row("importer", "carrier", {"reason": "wet"}),
        f"{_F}/escrows/{{escrow}}/resolutions": Row(
            "importer", "carrier", {"to_payee_minor": 0, "reason": "wet"}
        ),
        f"{_F}/netting": Row(
            "importer-bank",
            "importer",
            {"cycle": "C-2", "currency": "CNY", "participants": ["carrier", "importer"]},
        ),
        f"{_F}/netting/{{cycle}}/obligations": Row(
            "importer",
            "",
            {
                "batch": "b",
                "obligations": [{"creditor": "carrier", "amount_minor": 1, "reference": "r"}],
            },
        ),
        f"{_F}/netting/{{cycle}}/settlement": Row("importer-bank", "importer"),
        f"{_F}/passport": Row("exporter"),
        f"{_F}/passport/presentations": Row(
            "exporter", "", {"show": [], "audience": "bank", "nonce": "n" * 16}
        ),
        f"{_F}/recalls": Row(
            "importer-bank",
            "importer",
            {"uetrs": ["8a562c67-ca16-48ba-b074-65581be6f001"], "reason": "DUPL"},
        ),
        f"{_F}/returns": Row(
            "importer-bank",
            "importer",
            {"uetrs": ["8a562c67-ca16-48ba-b074-65581be6f001"], "reason": "AC04"},
        ),
        f"{_F}/receivables": Row(
            "exporter",
            "",
            invoice
            | {
                "obligor_party": "importer",
                "shipment": CONSIGNMENT,
                "amount_minor": 1,
                "currency": "CNY",
                "due_on": "2027-01-01",
            },
        ),
        f"{_F}/receivables/look-up": Row("importer-bank", "", invoice),
        f"{_F}/receivables/{{token}}/confirmation": Row("importer", "exporter"),
        f"{_F}/receivables/{{token}}/dispute": Row("importer", "exporter", {"reason": "short"}),
        f"{_F}/receivables/{{token}}/payment": Row(
            "importer", "exporter-bank", {"transfer": world.names["transfer"]}
        ),
        f"{_F}/receivables/{{token}}/shares": Row(
            "exporter", "importer", {"share": "s2", "holder": "importer-bank", "amount_minor": 1}
        ),
        f"{_F}/receivables/{{token}}/shares/{{share}}/steps": Row(
            "exporter-bank", "importer", {"step": "assign", "to": "importer-bank"}
        ),
        f"{_F}/transfers": Row(
            "importer-bank",
            "importer",
            {
                "currency": "CNY",
                "transfers": [
                    {
                        "transfer": "018f0000-0000-7000-8000-000000000001",
                        "debit": world.names["account"],
                        "credit": world.names["account"],
                        "amount_minor": 1,
                    }
                ],
            },
        ),
        f"{_F}/transfers/{{currency}}/records": Row("importer-bank", "importer", bytes(128)),
        "/v1/epcis/capture": Row(
            "exporter",
            "",
            {
                "@context": [],
                "type": "EPCISDocument",
                "schemaVersion": "2.0",
                "epcisBody": {
                    "eventList": [
                        {
                            "type": "ObjectEvent",
                            "eventTime": "2026-01-01T00:00:00Z",
                            "eventTimeZoneOffset": "+00:00",
                            "action": "OBSERVE",
                            "epcList": ["urn:x:1"],
                        }
                    ]
                },
            },
        ),
        "/v1/industry/orders": Row(
            "exporter",
            "",
            {
                "order": "O-9",
                "gtin": "06901234000016",
                "quantity": 1,
                "limits": [{"name": "p", "low": "1", "high": "2", "unit": "BAR"}],
            },
        ),
        "/v1/industry/orders/{order}/lots": Row(
            "exporter",
            "importer",
            {"lot": "L-9", "serials": ["S1"], "endpoint": "opc.tcp://127.0.0.1:1"},
        ),
        f"{_C}/arrival-credential": Row("carrier", "importer"),
        f"{_C}/check": Row("exporter"),
        f"{_C}/customs-release": Row(
            "customs", "importer", {"declaration": "D-9", "decision": "released"}
        ),
        f"{_C}/crossings": Row(
            "carrier",
            "importer",
            {
                "crossing": "khorgos",
                "side": "KZ",
                "entered_from": "2026-02-20T04:00:00Z",
                "entered_to": "2026-02-20T04:10:00Z",
            },
        ),
        f"{_C}/proposed-bill": Row(
            "carrier",
            "importer",
            {"number": "X1", "carrier_code": "SMLS", "on_board": "2026-02-20"},
        ),
        f"{_C}/documents": Row(
            "carrier",
            "importer",
            {
                "kind": "bill_of_lading",
                "number": "X",
                "media_type": "application/json",
                "content": "e30=",
            },
        ),
        f"{_C}/product-passports": Row(
            "exporter",
            "importer",
            {"facility_id": "https://maker.example/suzhou", "facility_name": "Suzhou"},
        ),
        f"{_T}/declarations/{{declaration}}/answer": Row(
            "carrier", "", {"version": 1, "permit": True, "reason": "seen"}
        ),
        f"{_T}/declarations/{{declaration}}/decision": Row(
            "customs", "carrier", {"version": 1, "decision": "held", "reason": "look"}
        ),
        f"{_T}/declarations/{{declaration}}/cancel": Row(
            "exporter", "customs", {"version": 1, "reason": "mistake"}
        ),
        f"{_T}/declarations/{{declaration}}/rerun": Row("customs"),
        f"{_T}/presentations": Row("exporter", "", {"entry": world.entry, "bank": "importer-bank"}),
        f"{_T}/entries/drafts/{{name}}": Row("exporter", "", {"fields": world.fields}),
        "/v1/trust/credentials/{digest}/revoke": Row(
            "exporter", "importer", {"reason": "key_compromise"}
        ),
        "/v1/trust/log/commitments": Row("exporter", "", b"c" * 32),
        "/v1/trust/titles": Row("carrier", "importer", title),
        "/v1/trust/titles/from-paper": Row(
            "carrier", "", title | {"paper": "ef" * 32, "statement": "a scan"}
        ),
        f"{_TITLE}/acts": Row("importer", "", {"action": "nominate", "seen": 1, "to": "exporter"}),
        f"{_TITLE}/paper": Row("carrier", "", {"paper": "ef" * 32, "statement": "void"}),
        f"{_F}/deals/{{deal}}/title": Row("exporter", "importer"),
        "/v1/federation/deals/{deal}/title": Row("exporter"),
        "/v1/federation/consignments/{consignment}/hand-over": Row(
            "exporter", "", {"node": "there"}
        ),
    }
    rows = {("POST", path): row for path, row in post.items()}
    rows["DELETE", f"{_T}/entries/drafts/{{name}}"] = Row("exporter")
    return rows
