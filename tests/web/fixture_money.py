"""What the fixture node answers about money: one of everything that a page must show."""

from __future__ import annotations

import json
from typing import Any

from litestar import get, post

SENT: list[dict[str, Any]] = []
_EUR = {"currency": "EUR", "exponent": 2}
_CNY = {"currency": "CNY", "exponent": 2}


@get("/v1/finance/accounts")
async def accounts() -> list[dict[str, Any]]:
    rows = (
        ("importer-bank", "importer", "customer", 8_240_000, 4_200_000, _EUR),
        ("importer-bank", "importer-bank", "cash", -12_440_000, 0, _EUR),
        ("customs", "carrier", "customer", 1_000_000, 0, _EUR),
        ("customs", "forwarder", "customer", 7_000_000, 0, _CNY),
    )
    return [
        {
            "account": f"00000000-0000-8000-8000-00000000000{n}", "number": f"0000000000008000800000000000000{n}", "bank": bank, "closed": n == 2,
            "holder": holder, "purpose": purpose, "name": holder, "balance_minor": balance,
            "available_minor": balance - held, "debits_pending_minor": held, **money,
        }
        for n, (bank, holder, purpose, balance, held, money) in enumerate(rows)
    ]  # fmt: skip


@get("/v1/finance/accounts/{account:str}/movements")
async def movements(account: str) -> dict[str, Any]:
    rows = (
        ("12:04:11", "reserved", -4_200_000, "deal-C-2043", ""),
        ("11:58:40", "booked", -4_200_000, "exporter", "8a562c67-ca16-48ba-b074-65581be6f001"),
        ("11:20:03", "freed", -4_200_000, "deal-C-2039", ""),
        ("09:00:00", "booked", 12_440_000, "importer-bank", ""),
    )
    told = [
        {
            "transfer": f"00000000-0000-8000-8000-0000000000{n:02}", "at": f"2026-03-05T{at}Z",
            "state": state, "amount_minor": amount, "other": other, "uetr": uetr,
            "account": account, "position": f"{9 - n}.1", "counterparty": "Taihu Pump Works" if uetr else "",
            "end_to_end": "INV-77" if uetr else "", "remittance": "Invoice 77, pumps" if uetr else "", "resolves": "", **_EUR,
        }
        for n, (at, state, amount, other, uetr) in enumerate(rows)
    ]  # fmt: skip
    return {"account": account, "movements": told, "complete": True, "after": "", **_EUR}


@get("/v1/finance/movements")
async def all_movements(account: str = "00000000-0000-8000-8000-000000000000") -> dict[str, Any]:
    return await movements.fn(account)  # type: ignore[no-any-return]


@get("/v1/finance/accounts/{account:str}")
async def one_account(account: str) -> dict[str, Any]:
    return next(one for one in await accounts.fn() if one["account"] == account)


@get("/v1/finance/accounts/{account:str}/balance")
async def balance_at(account: str, at: str) -> dict[str, Any]:
    return {"account": account, "at": at, "balance_minor": 8_240_000, **_EUR}


@get("/v1/finance/credit-lines")
async def lines() -> list[dict[str, Any]]:
    told = {"bank": "customs", "peer": "importer-bank"}
    return [
        {**told, "limit_minor": 50_000_000, "used_minor": 4_200_000, **_CNY},
        {**told, "limit_minor": 0, "used_minor": 0, **_EUR},
    ]


@post("/v1/finance/credit-lines")
async def set_line(data: dict[str, Any]) -> dict[str, Any]:
    SENT.append(data)
    return data


@post("/v1/finance/escrows")
async def hold(data: dict[str, Any]) -> dict[str, Any]:
    SENT.append(data)
    return data


@post("/v1/finance/pvp/quotes")
async def give(data: dict[str, Any]) -> dict[str, Any]:
    SENT.append(data)
    return data


@post("/v1/finance/netting/{cycle:str}/obligations")
async def owe(cycle: str, data: dict[str, Any], of: str) -> dict[str, Any]:
    SENT.append({"cycle": cycle, "of": of, **data})
    return data


@get("/v1/finance/currencies")
async def currencies() -> list[dict[str, Any]]:
    return [_CNY, _EUR, {"currency": "JPY", "exponent": 0}]


@get("/v1/finance/banks")
async def banks() -> list[dict[str, Any]]:
    return [
        {"bank": "importer-bank", "name": "Alatau Trade Bank", "bic": "ALTBKZKA", "town": "Almaty", "country": "KZ"},
        {"bank": "customs", "name": "Bank of the gate", "bic": "GATEKZKA", "town": "Khorgos", "country": "KZ"},
    ]  # fmt: skip


@get("/v1/exchange/peers")
async def peers() -> list[dict[str, Any]]:
    return [{"node": "xian", "organisation": "Export hall of Xi'an"}]


@post(["/v1/finance/accounts", "/v1/finance/deposits"])
async def account_act(data: dict[str, Any]) -> dict[str, Any]:
    SENT.append(data)
    row = dict((await accounts.fn())[3])
    return row | {"balance_minor": row["balance_minor"] + data.get("amount_minor", 0)}


@post(["/v1/federation/accounts", "/v1/federation/credit-lines"], status_code=202)
async def asked_elsewhere(data: dict[str, Any]) -> dict[str, Any]:
    SENT.append(data)
    return {"document": "00000000-0000-8000-8000-0000000000aa", "state": "waiting"}


@get("/fixture/sent")
async def sent() -> list[dict[str, Any]]:
    """What the forms sent, the newest last."""
    return SENT


@get("/v1/finance/deals")
async def deals() -> list[dict[str, Any]]:
    told = {
        "payer": "importer",
        "payee": "exporter",
        "amount_minor": 4_200_000,
        "reason": "",
        **_EUR,
    }
    return [
        {"deal": f"deal-{n}", "consignment": name, "state": state, **told}
        for n, (name, state) in enumerate((("C-2038", "paid"), ("C-2039", "refused"), ("C-2043", "reserved")))
    ]  # fmt: skip


@get("/v1/finance/escrows")
async def escrows() -> list[dict[str, Any]]:
    leaves = [
        {"kind": "fact", "what": "trade.PapersChecked.v1", "about": "C-2038", "asserted_by": "", "met": True},
        {"kind": "word", "what": "goods_ok", "about": "", "asserted_by": "customs", "met": False},
    ]  # fmt: skip
    told = {
        "payer": "importer", "payee": "exporter", "amount_minor": 1_000_000, "standing": "open",
        "payer_bank": "importer-bank", "arbiter": "customs", "reason": "", "leaves": leaves, "disputes": [], "resolutions": [], "to_payee_minor": 0, **_EUR,
    }  # fmt: skip
    dispute = {"party": "importer", "reason": "goods were wet"}
    signed = {"party": "exporter", "to_payee_minor": 700_000, "reason": "a third off"}
    return [
        {"escrow": "E-1", "key": "importer-bank/E-1", "state": "held", **told},
        {"escrow": "E-2", "key": "importer-bank/E-2", **told | {"state": "disputed", "disputes": [dispute], "resolutions": [signed]}},
    ]  # fmt: skip


@get("/v1/finance/approvals")
async def approvals() -> list[dict[str, Any]]:
    told = {
        "act": "honour_credit", "subject": "LC-2026-0042 1", "amount_minor": 4_440_000, **_EUR,
        "state": "waits", "asked_at": "2026-03-05T11:00:00Z", "persons": 2, "refused_by": "", "reason": "", "said": {},
    }  # fmt: skip
    like = {
        "name": "Eric Badege Trading",
        "like": "ERIC BADEGE",
        "source": "un",
        "entry": "7",
        "score_permille": 953,
    }
    said = {
        "act": "issue_credit",
        "asked": {},
        "why": "somebody named is like somebody on a list",
        "hits": 1,
        "first": [like],
    }
    old = said | {"act": "open_account", "why": "list_too_old", "hits": 0, "first": []}
    held = told | {"act": "release", "subject": "credit LC-2026-0043", "approved_by": []}
    return [
        {"approval": "a" * 64, "approved_by": ["daniyar"], **told},
        {"approval": "b" * 64, "approved_by": ["Aigerim"], **told},
        {"approval": "d" * 64, **held, "said": said},
        {"approval": "e" * 64, **held, "subject": "account of carrier", "said": old},
    ]


@get("/v1/finance/payment-orders")
async def payment_orders() -> list[dict[str, Any]]:
    paid = {
        "payee": "Taihu Pump Works", "account": "0" * 32, "reference": "INV-77", "amount_minor": 1_250_000,
        "day": "2026-12-07", "code": "", **_EUR,
    }  # fmt: skip
    first = [
        {"uetr": f"00000000-0000-4000-8000-00000000000{n}", "state": state, **paid}
        for n, state in enumerate(("waits", "cancelled"))
    ]
    return [
        {
            "payment_order": "c" * 64, "bank": "importer-bank", "sender": "importer", "message": "RENT-2026-12", "state": "waits",
            "next_at": "2026-12-07T00:00:00+00:00", "payments": 2, "waiting": 1, "sums": [{"amount_minor": 2_500_000, **_EUR}], "first": first,
        }
    ]  # fmt: skip


_DRAFT = {"kind": "draft", "issuer": "Taihu Pump Works", "issued_on": "2026-09-15", "amount_minor": 4_440_000, "drawee": "Vestkyst Bank A/S"}  # fmt: skip
_INVOICE = {"kind": "invoice", "issuer": "Taihu Pump Works", "issued_on": "2026-09-08", "quantity": 25, "unit": "H87", "amount_minor": 4_440_000, "description": "Centrifugal pumps SP-40", "seller": {"name": "Taihu Pump Works", "country": "CN"}, "unit_price_minor": 0, "lines": [{"description": "Centrifugal pump SP-40", "quantity": 23, "unit_price_minor": 182_609}, {"description": "Seal kit", "quantity": 2, "unit_price_minor": 120_000}]}  # fmt: skip
_BILL = {"kind": "transport", "issuer": "Silk Meridian Lines", "loading": "Shanghai", "discharge": "Esbjerg", "clauses": ["3 cartons torn"], "on_board_on": "2026-09-10", "endorsed": True}  # fmt: skip


def _credit() -> dict[str, Any]:
    found = [
        {"check": "transport.clean", "article": "UCP 600 article 27", "sentence": "The transport document declares a defect of the goods.", "left": "transport:clauses = 3 cartons torn", "right": "rule:clean = yes"},
        {"check": "invoice.over_quantity", "article": "UCP 600 article 30(b)", "sentence": "The invoice is for more goods than the credit allows.", "left": "invoice:quantity = 25", "right": "credit:goods.quantity = 24"},
        {"check": "invoice.price", "article": "ISBP 821 C6", "sentence": "The unit price is not the credit's.", "left": "credit:45A price = 110000", "right": "invoice:lines = Seal kit: 120000"},
        {"check": "set.missing", "article": "UCP 600 article 14(a)", "sentence": "A document that the credit asks for is missing.", "left": "credit:requirements = origin", "right": "presentation:documents = none"},
    ]  # fmt: skip
    drawing = {
        "drawing": "1", "state": "discrepant", "claimed_minor": 4_440_000, "presented_on": "2026-09-16",
        "examine_until": "2026-09-23", "due_on": "", "checks": 96, "discrepancies": found,
        "disregarded": ["beneficiary_statement: not asked for (UCP 600 article 14(g))"],
        "papers": {"documents": [_DRAFT, _INVOICE, _BILL]}, "records_asked": [], "records_until": "",
    }  # fmt: skip
    records = {
        "drawing": "2", "state": "awaits_records", "claimed_minor": 100, "presented_on": "2026-09-16",
        "examine_until": "", "due_on": "", "checks": 0, "discrepancies": [], "disregarded": [],
        "papers": {"documents": [_INVOICE | {"record": True}, _BILL | {"record": True}]},
        "records_asked": [1], "records_until": "2026-10-16",
    }  # fmt: skip
    presented = records | {"drawing": "3", "state": "presented", "records_asked": []}
    at = "2026-09-16T09:00:00Z"
    steps = [
        {"act": act, "drawing": "1" if act in ("present", "examine") else "", "by": by, "at": at, "transfer": ""}
        for act, by in (("issue", "importer-bank"), ("advise", "customs"), ("present", "exporter"), ("examine", "customs"))
    ]  # fmt: skip
    return {
        "credit": "LC-2026-0042", "key": "importer-bank/LC-2026-0042", "issuer": "importer-bank", "beneficiary": "exporter",
        "applicant": "importer", "adviser": "customs", "confirmer": "", "version": 1, "offered": False,
        "advised": True, "confirmed": False, "drawn_minor": 4_440_000, "may_be_drawn_minor": 4_662_000,
        "exponent": 2, "regime": "eUCP 2.1",
        "banking_days": [{"of": "Suzhou", "calendar": "CN", "last_year": 2026}, {"of": "importer-bank", "calendar": "", "last_year": 0}],
        "drawings": [drawing, records, presented], "steps": steps,
        "terms": {
            "currency": "EUR", "amount_minor": 4_440_000, "expires_on": "2026-10-15",
            "expiry_place": "Suzhou", "available_by": "sight", "version": 1,
            "shipment": {"document": "bill_of_lading", "loading": "Shanghai", "discharge": "Esbjerg"},
        },
    }  # fmt: skip


@get("/v1/finance/credits")
async def credit_list() -> list[dict[str, Any]]:
    return [_credit()]


@get("/v1/finance/credits/{credit:str}")
async def one_credit(credit: str) -> dict[str, Any]:
    del credit
    return _credit()


@get("/v1/finance/pvp/deals")
async def pvp() -> dict[str, Any]:
    told = {
        "side": "first", "peer_node": "east", "peer_party": "east-bank", "deadline": "2026-03-05T12:01:00Z",
        "first": {"amount_minor": 1_000_001, **_CNY},
        "second": {"amount_minor": 68_030_068, "currency": "KZT", "exponent": 2},
    }  # fmt: skip
    return {
        "deals": [
            {"reference": f"D-{n}", "state": state, "decision": n, **told}
            for n, state in enumerate(("waiting", "committed", "aborted"))
        ],
        "stopped": [],
    }


@get("/v1/finance/pvp/quotes")
async def quotes() -> list[dict[str, Any]]:
    return [
        {
            "quote": "Q-1", "given": False, "dealer": "east-bank", "dealer_node": "east",
            "client": "west-bank", "client_node": "west", "sold": "CNY", "bought": "KZT",
            "sold_exponent": 2, "bought_exponent": 2, "numerator": 6_803, "denominator": 100,
            "sold_minor_max": 10_000_000, "valid_until": "2026-03-05T12:10:00Z",
        }
    ]  # fmt: skip


@get("/v1/finance/netting")
async def netting() -> list[dict[str, Any]]:
    sums = {
        "forwarder": 4_150_000,
        "exporter": 1_200_000,
        "carrier": -350_000,
        "importer": -5_000_000,
    }
    owed = [
        {"number": n, "debtor": "importer", "creditor": "exporter", "amount_minor": 100, "waits": n == 2}
        for n in (1, 2)
    ]  # fmt: skip
    saves = ((1, 5_350_000), (4, 9_800_000), (24, 14_100_000), (96, 18_700_000), (412, 21_300_000))
    return [
        {
            "cycle": "2026-03-05", "key": "customs/2026-03-05", "bank": "customs",
            "participants": ["customs", *sums], "state": "open", "count": 412, **_CNY,
            "gross_minor": 48_200_000, "needed_minor": 5_350_000, "settled_minor": 0, "moved_minor": 0,
            "positions": [{"party": party, "net_minor": minor} for party, minor in sums.items()],
            "obligations": owed,
            "liquidity": [{"cycles": n, "needed_minor": minor} for n, minor in saves],
        }
    ]  # fmt: skip


@get("/v1/finance/receivables")
async def receivables() -> list[dict[str, Any]]:
    told = {
        "obligor": "DK 12345674", "obligor_party": "customs", "supplier": "CN 91320594MA1ABCDE7X",
        "supplier_party": "exporter", "amount_minor": 4_440_000, "due_on": "2026-12-15", **_EUR,
    }  # fmt: skip
    shares = [
        {"share": "s1", "holder": "exporter-bank", "amount_minor": 2_000_000},
        {"share": "s2", "holder": "carrier", "amount_minor": 1_000_000},
    ]
    return [
        {"token": "c" * 64, "invoice": "INV-2026-0417", "confirmed": True, "free_minor": 1_440_000, "paid_on": "", "disputed": "", "shares": shares, **told},
        {"token": "d" * 64, "invoice": "INV-2026-0418", "confirmed": False, "free_minor": 4_440_000, "paid_on": "2026-12-10", "disputed": "", "shares": [], **told},
    ]  # fmt: skip


@get("/v1/finance/calendars")
async def calendars() -> list[dict[str, Any]]:
    china = {"calendar": "CN", "sources": ["State Council"], "years": [[2025, 2026]], "next_closed": [], "missing_year": 2027}  # fmt: skip
    euro = {"calendar": "TARGET", "sources": ["ECB"], "years": [[2002, 2099]], "next_closed": ["2026-12-25", "2027-01-01"], "missing_year": 0}  # fmt: skip
    return [china, euro]


@get("/v1/finance/passport")
async def passport() -> list[dict[str, Any]]:
    claims = {
        "node": "node", "period": {"from": "2025-11-25", "until": "2026-11-25"}, "facts": {"count": 12, "sha256": "a" * 64},
        "supplier": ["CN 91320594MA1ABCDE7X"], "receivables": {"registered": 12, "confirmed": 12, "paid": 9, "overdue": 1},
        "shipments_verified": 12, "turnover": [{"currency": "EUR", "exponent": 2, "paid_minor": "9223372036854775807"}],
        "days_to_pay": {"count": 9, "median": 41, "most": 88}, "days_late": {"count": 9, "median": 0, "most": 12},
        "disputes": {"raised": 1, "open": 0}, "buyers": 3,
    }  # fmt: skip
    hidden = [name for name in claims if name not in ("node", "period", "facts")]
    return [{"issued_at": "2026-11-25T09:00:00Z", "until": "2026-11-25", "claims": claims, "may_hide": hidden, "token": "x"}]  # fmt: skip


@post("/v1/finance/passport/presentations", status_code=200)
async def present(data: dict[str, Any]) -> dict[str, Any]:
    return {"presentation": json.dumps(data, sort_keys=True)}


ANSWERS = [
    *(
        accounts,
        movements,
        all_movements,
        one_account,
        balance_at,
        deals,
        escrows,
        approvals,
        payment_orders,
        credit_list,
        one_credit,
        pvp,
        quotes,
        netting,
    ),
    *(
        receivables,
        calendars,
        passport,
        present,
        lines,
        currencies,
        set_line,
        hold,
        give,
        owe,
        sent,
        banks,
        peers,
        account_act,
        asked_elsewhere,
    ),
]
