"""A presentation that complies, what may vary in it, and one planted discrepancy for each check."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

Plain = dict[str, Any]
Change = Callable[[Plain, Plain], None]

GOODS = "Stainless steel centrifugal pump SP-40"
SELLER, BUYER = "Suzhou Precision Pumps Co., Ltd.", "Nordvand Pumper ApS"

_PAPER: Plain = {"issuer": SELLER, "signed": True, "issued_on": "2026-09-05"}
CREDIT: Plain = {
    "number": "LC-2026-0042",
    "issued_on": "2026-08-01",
    "expires_on": "2026-10-15",
    "expiry_place": "Suzhou",
    "applicant": {"name": BUYER, "country": "DK"},
    "beneficiary": {"name": SELLER, "country": "CN"},
    "issuing_bank": "Vestkyst Bank A/S",
    "amount_minor": 4_440_000,
    "currency": "EUR",
    "available_by": "acceptance",
    "tenor_days": 90,
    "electronic": True,
    "goods": {
        "description": GOODS,
        "quantity": 24,
        "unit": "H87",
        "unit_price_minor": 185_000,
        "by_pieces": True,
        "origin": "CN",
        "rule": "CIF",
        "place": "Esbjerg",
    },
    "shipment": {
        "loading": "Shanghai",
        "discharge": "Esbjerg",
        "latest_on": "2026-09-20",
        "notify": BUYER,
        "freight": "prepaid",
    },
    "cover": {
        "percent": 110,
        "risks": ["Institute Cargo Clauses (A)"],
        "irrespective_of_percentage": True,
    },
    "requirements": [
        {"kind": "draft"},
        {"kind": "invoice", "originals": 1, "copies": 2},
        {"kind": "transport", "originals": 1},
        {"kind": "insurance"},
        {"kind": "packing_list", "copies": 1},
        {"kind": "origin", "issuer": "CCPIT Suzhou"},
        {"kind": "inspection", "issuer": "Taihu Inspection Co.", "says": ["tested at 16 bar"]},
    ],
    "conditions": ["The pumps must be of good repute."],
}
PRESENTATION: Plain = {
    "presented_on": "2026-09-16",
    "place": "Suzhou",
    "claimed_minor": 4_440_000,
    "bank": "Taihu Commercial Bank",
    "documents": [
        _PAPER
        | {
            "kind": "draft",
            "drawee": "Vestkyst Bank A/S",
            "amount_minor": 4_440_000,
            "words_minor": 4_440_000,
            "currency": "EUR",
            "tenor_days": 90,
            "credit": "LC-2026-0042",
        },
        _PAPER
        | {
            "kind": "invoice",
            "signed": False,
            "number": "INV-2026-0417",
            "originals": 3,
            "seller": {"name": SELLER, "country": "CN"},
            "buyer": {"name": BUYER, "country": "DK"},
            "currency": "EUR",
            "quantity": 24,
            "unit": "H87",
            "unit_price_minor": 185_000,
            "amount_minor": 4_440_000,
            "description": f"{GOODS}, article 7731",
            "rule": "CIF",
            "place": "Esbjerg",
        },
        _PAPER
        | {
            "kind": "transport",
            "issuer": "Silk Meridian Lines",
            "carrier": "Silk Meridian Lines",
            "capacity": "carrier",
            "issued_on": "2026-09-10",
            "on_board_on": "2026-09-10",
            "vessel": "MERIDIAN STAR",
            "loading": "Shanghai",
            "discharge": "Esbjerg",
            "originals": 3,
            "originals_issued": 3,
            "shipper": SELLER,
            "consignee": "To order",
            "notify": BUYER,
            "freight": "prepaid",
            "container": "CSQU3054383",
            "marks": "NORDVAND 1-12",
            "packages": 12,
            "gross_g": 1_248_000,
            "description": "Centrifugal pump",
        },
        _PAPER
        | {
            "kind": "insurance",
            "issuer": "Taihu Insurance",
            "form": "policy",
            "capacity": "insurer",
            "issued_on": "2026-09-09",
            "originals": 2,
            "originals_issued": 2,
            "currency": "EUR",
            "amount_minor": 4_884_000,
            "risks": ["Institute Cargo Clauses (A)", "War"],
            "covers_from": "Warehouse Suzhou via Shanghai",
            "covers_to": "Esbjerg, Torvet",
            "vessel": "Meridian Star",
            "assured": SELLER,
        },
        _PAPER
        | {
            "kind": "packing_list",
            "signed": False,
            "copies": 1,
            "quantity": 24,
            "packages": 12,
            "net_g": 1_104_000,
            "gross_g": 1_248_000,
            "container": "CSQU3054383",
            "marks": "NORDVAND 1-12",
            "description": "pump SP-40",
        },
        _PAPER
        | {
            "kind": "origin",
            "issuer": "CCPIT Suzhou",
            "origin": "CN",
            "consignee": "to order",
            "invoice": "INV-2026-0417",
            "gross_g": 1_248_000,
        },
        _PAPER
        | {
            "kind": "inspection",
            "issuer": "Taihu Inspection Co.",
            "passed": True,
            "inspected_on": "2026-09-04",
            "quantity": 24,
            "text": "All pumps were tested at 16 bar.",
        },
    ],
}


def paper(presentation: Plain, kind: str) -> Plain:
    """The document of a kind."""
    found: Plain = next(one for one in presentation["documents"] if one["kind"] == kind)
    return found


def _set(kind: str, **fields: Any) -> Change:
    return lambda credit, presentation: paper(presentation, kind).update(fields)


def _present(**fields: Any) -> Change:
    return lambda credit, presentation: presentation.update(fields)


def _credit(part: str = "", **fields: Any) -> Change:
    return lambda credit, presentation: (credit[part] if part else credit).update(fields)


_WAY: Plain = {
    "air": {"capacity": "carrier", "original_for": "consignor", "consignee": BUYER},
    "rail": {"capacity": "railway stamp", "consignee": BUYER},
    "charter_party_bill": {"capacity": "master", "charter_party": True},
}


def _by(form: str, **fields: Any) -> Change:
    """The goods go by another way, and the document says these things."""
    return _both(
        _credit("shipment", document=form),
        _set("transport", **_WAY[form] | {"form": form, "vessel": "MERIDIAN STAR"} | fields),
    )


def _both(*changes: Change) -> Change:
    def change(credit: Plain, presentation: Plain) -> None:
        for one in changes:
            one(credit, presentation)

    return change


def _without(kind: str) -> Change:
    def change(credit: Plain, presentation: Plain) -> None:
        presentation["documents"].remove(paper(presentation, kind))

    return change


def _second_vessel(credit: Plain, presentation: Plain) -> None:
    other = copy.deepcopy(paper(presentation, "transport"))
    presentation["documents"].append(other | {"vessel": "MERIDIAN MOON"})


def _record(kind: str, **fields: Any) -> Change:
    return _set(kind, record=True, **fields)


def _formats(kind: str) -> Change:
    def change(credit: Plain, presentation: Plain) -> None:
        one = next(one for one in credit["requirements"] if one["kind"] == kind)
        one["formats"] = ["application/pdf", "UN/CEFACT XML"]

    return change


PLANTED: dict[str, Change] = {
    "time.expiry": _both(_present(presented_on="2026-10-16"), _credit(presentation_days=60)),
    "time.late": _present(presented_on="2026-10-02"),
    "time.place": _present(place="Esbjerg"),
    "time.dated_after": _set("packing_list", issued_on="2026-09-17"),
    "set.missing": _without("origin"),
    "set.originals": _set("origin", originals=0),
    "set.copies": _set("packing_list", copies=0),
    "set.issuer": _set("origin", issuer="CCPIT Wuxi"),
    "set.says": _set("inspection", text="All pumps were looked at."),
    "set.signature": _set("inspection", signed=False),
    "set.dated": _set("draft", issued_on=None),
    "set.correction": _set("origin", correction=True),
    "data.credit": _set("draft", credit="LC-2026-0043"),
    "data.description": _set("packing_list", description="Brass valve"),
    "data.gross_weight": _set("packing_list", gross_g=1_249_000),
    "data.packages": _set("packing_list", packages=13),
    "data.container": _set("packing_list", container="CSQU3054384"),
    "data.marks": _set("packing_list", marks="NORDVAND 1-14"),
    "data.quantity": _set("packing_list", quantity=23),
    "data.papers": _present(
        findings=[{"rule": "hs", "left": "invoice:hs = 841370", "right": "origin:hs = 841381"}]
    ),
    "record.complete": _both(_record("origin"), _present(complete=False)),
    "record.allowed": _both(_record("origin"), _credit(electronic=False)),
    "record.readable": _record("origin", readable=False),
    "record.authentic": _record("origin", authentic=False),
    "record.notice": _both(
        _record("origin"),
        _present(notice={"credit": "LC-2026-0043", "received_on": "2026-09-16"}),
    ),
    "record.place": _both(
        _record("origin"),
        _credit(record_place="docs@vestkyst.example"),
        _present(record_place="docs@vestkyst.example.org"),
    ),
    "record.format": _both(_record("origin", format="image/tiff"), _formats("origin")),
    "record.external": _record("origin", external="https://ccpit.example/1", reachable=False),
    "record.corrupted": _record("origin", corruption={"asked_on": "2026-09-17"}),
    "amount.over": _present(claimed_minor=4_440_001),
    "amount.under": _present(claimed_minor=4_217_999),
    "amount.invoices": _present(claimed_minor=4_430_000),
    "draft.amount": _set("draft", amount_minor=4_439_999),
    "draft.words": _set("draft", words_minor=4_400_000),
    "draft.currency": _set("draft", currency="USD"),
    "draft.tenor": _set("draft", tenor_days=60),
    "draft.drawee": _set("draft", drawee="Taihu Commercial Bank"),
    "draft.applicant": _set("draft", drawee=BUYER),
    "draft.drawer": _set("draft", issuer="Suzhou Valve Works"),
    "invoice.seller": _set("invoice", seller={"name": "Suzhou Valve Works", "country": "CN"}),
    "invoice.buyer": _set("invoice", buyer={"name": "Sydvand ApS", "country": "DK"}),
    "invoice.countries": _set("invoice", buyer={"name": BUYER, "country": "SE"}),
    "invoice.currency": _set("invoice", currency="USD"),
    "invoice.goods": _set("invoice", description="Steel pump SP-40"),
    "invoice.title": _set("invoice", title="Pro-forma invoice"),
    "invoice.sum": _set("invoice", charges_minor=100),
    "invoice.price": _set("invoice", unit_price_minor=184_999),
    "invoice.unit": _set("invoice", unit="KGM"),
    "invoice.over_quantity": _set("invoice", quantity=25),
    "invoice.partial": _set("invoice", quantity=23),
    "invoice.rule": _set("invoice", rule="FOB"),
    "invoice.free_goods": _set("invoice", free_of_charge=True),
    "invoice.added_goods": _set("invoice", description=f"{GOODS} and 3 spare motors"),
    "data.condition": _set("packing_list", text="Goods are second-hand."),
    "transport.form": _set("transport", form="multimodal"),
    "transport.vessel": _set("transport", vessel="TRAIN X8015"),
    "transport.accepted": _by("air", accepted=False),
    "transport.consignor": _by("air", original_for="consignee"),
    "transport.no_charter_party": _by("charter_party_bill", charter_party=False),
    "transport.whole": _set("transport", covers_whole=False),
    "transport.negotiable": _by("rail", consignee="To order"),
    "transport.carrier": _set("transport", carrier=""),
    "transport.capacity": _set("transport", capacity="agent for carrier", principal="Other Line"),
    "transport.on_board": _set("transport", on_board_on=None),
    "transport.intended_vessel": _set("transport", intended_vessel=True),
    "transport.latest": _set("transport", on_board_on="2026-09-21"),
    "transport.loading": _set("transport", loading="Ningbo"),
    "transport.discharge": _set("transport", discharge="Aarhus"),
    "transport.full_set": _set("transport", originals=2),
    "transport.terms": _set("transport", has_terms=False),
    "transport.charter_party": _set("transport", charter_party=True),
    "transport.transhipment": _set("transport", transhipment=True, in_containers=False),
    "transport.clean": _set("transport", clauses=["3 cartons torn"]),
    "transport.deck": _set("transport", on_deck=True),
    "transport.consignee": _set("transport", consignee=BUYER),
    "transport.endorsed": _set("transport", endorsed=False),
    "transport.notify": _set("transport", notify="Sydvand ApS"),
    "transport.freight": _set("transport", freight="collect"),
    "transport.same_voyage": _second_vessel,
    "transport.holder": _record("transport", holder="somebody else"),
    "insurance.form": _set("insurance", form="cover note"),
    "insurance.capacity": _set("insurance", capacity="broker"),
    "insurance.originals": _set("insurance", originals=1),
    "insurance.date": _set("insurance", issued_on="2026-09-11"),
    "insurance.currency": _set("insurance", currency="USD"),
    "insurance.amount": _set("insurance", amount_minor=4_883_999),
    "insurance.voyage": _set("insurance", covers_to="Hamburg"),
    "insurance.risks": _set("insurance", risks=["War"]),
    "insurance.excess": _set("insurance", excess=True),
    "insurance.endorsed": _set("insurance", endorsed=False),
    "insurance.vessel": _set("insurance", vessel="MERIDIAN MOON"),
    "packing.net_weight": _set("packing_list", net_g=1_248_001),
    "origin.certified": _set("origin", origin=""),
    "origin.country": _set("origin", origin="VN"),
    "origin.consignee": _set("origin", consignee="Sydvand ApS"),
    "origin.invoice": _set("origin", invoice="INV-2026-0418"),
    "inspection.passed": _set("inspection", passed=False),
    "inspection.before": _set("inspection", inspected_on="2026-09-11"),
}


def _obligation(**fields: Any) -> Change:
    return _set("payment_obligation", **fields)


DIGITAL: dict[str, Change] = {
    # Planted in `clean_digital`.
    "record.paper": _set("inspection", record=False),
    "obligation.amount": _obligation(amount_minor=4_440_001),
    "obligation.currency": _obligation(currency="USD"),
    "obligation.tenor": _obligation(tenor_days=60),
    "obligation.obligor": _obligation(issuer="Taihu Commercial Bank"),
    "obligation.beneficiary": _obligation(beneficiary="Suzhou Valve Works"),
    "obligation.conditional": _obligation(conditional=True),
    "record.complete": _present(complete=False),
    "record.authentic": _set("invoice", authentic=False),
    "record.corrupted": _set(
        "transport", corruption={"asked_on": "2026-09-17", "again_on": "2026-10-18"}
    ),
    "set.signature": _obligation(signed=False),
    "set.missing": _without("payment_obligation"),
    "transport.clean": _set("transport", clauses=["3 cartons torn"]),
    "time.expiry": _both(
        # Counted from the notice of completeness.
        _present(notice={"credit": "LC-2026-0042", "received_on": "2026-10-16"}),
        _credit(presentation_days=60),
    ),
}
DIGITAL_HARMLESS: tuple[Change, ...] = (
    _set("transport", corruption={"asked_on": "2026-09-17", "again_on": "2026-10-17"}),
    _set("transport", originals=0, copies=0, endorsed=False),
    _set("transport", on_board_on=None),  # e11: the date of issue
    _set("insurance", issued_on=None, effective_on="2026-09-09"),  # e10: the day it was sent
    _set("origin", external="https://ccpit.example/1"),
    _set("origin", format="application/octet-stream"),  # no format is asked for: any (e5)
    _both(_set("origin", format="Application/PDF"), _formats("origin")),
    _present(notice={"credit": "lc-2026-0042", "received_on": "2026-09-18"}),
    _present(place="Esbjerg"),  # where nothing is paper, the address of records counts
    _obligation(issuer=BUYER),
)


def clean_digital() -> tuple[Plain, Plain]:
    """A credit under URDTT, all data, and a presentation that complies with it."""
    credit, presentation = clean()
    credit |= {"rules": "URDTT 1.0", "record_place": "https://bank.example/records"}
    presentation["record_place"] = credit["record_place"]
    credit["requirements"][0] = {"kind": "payment_obligation"}
    presentation["documents"][0] = _PAPER | {
        "kind": "payment_obligation",
        "issuer": "Vestkyst Bank A/S",
        "beneficiary": SELLER,
        "amount_minor": 4_440_000,
        "currency": "EUR",
        "tenor_days": 90,
        "number": "PO-1",
    }
    for one in presentation["documents"]:
        one["record"] = True
    paper(presentation, "transport")["holder"] = "Taihu Commercial Bank"
    return credit, presentation


def mutated_digital(chance: random.Random) -> tuple[Plain, Plain, set[str]]:
    """One planted discrepancy under URDTT, or none and some harmless change."""
    credit, presentation = clean_digital()
    planted = chance.choice(["", *sorted(DIGITAL)])
    change = DIGITAL[planted] if planted else chance.choice(DIGITAL_HARMLESS)
    change(credit, presentation)
    return credit, presentation, {planted} - {""}


def _extra(credit: Plain, presentation: Plain) -> None:
    statement = _PAPER | {"kind": "beneficiary_statement", "signed": False, "correction": True}
    presentation["documents"].append(statement)


HARMLESS: tuple[tuple[str, Change], ...] = (
    # What it touches, and the change: it moves a check to its very border, or an article lets it
    # pass expressly.
    ("time", _present(presented_on="2026-10-01")),  # the 21st day after shipment
    (  # the day of expiry
        "time",
        _both(_credit(presentation_days=60), _present(presented_on="2026-10-15")),
    ),
    (  # expiry on a Saturday: the Monday after counts (29(a))
        "time",
        _both(
            _credit(expires_on="2026-10-10", presentation_days=60),
            _present(presented_on="2026-10-12"),
        ),
    ),
    (
        "transport time insurance inspection",
        _both(_set("transport", on_board_on="2026-09-20"), _present(presented_on="2026-09-21")),
    ),
    ("transport", _set("transport", issued_on="2026-09-12")),  # the on-board date counts
    ("transport", _set("transport", shipper="Yangtze Forwarding")),  # 14(k)
    ("transport", _set("transport", transhipment=True)),  # in a container, 20(c)(ii)
    ("transport", _set("transport", capacity="agent for master")),  # who need not be named
    (
        "transport",
        _set("transport", capacity="agent for carrier", principal="SILK MERIDIAN LINES"),
    ),
    ("transport record", _set("transport", record=True, holder="Taihu Commercial Bank")),
    ("transport", _set("transport", consignee="TO ORDER.")),
    ("invoice", _set("invoice", signed=False, issued_on=None)),  # 18(a)(iv)
    ("invoice", _set("invoice", seller={"name": SELLER.upper(), "country": "CN"})),
    ("invoice", _set("invoice", description=GOODS.lower())),
    ("invoice", _set("invoice", originals=1, copies=2)),
    ("insurance", _set("insurance", amount_minor=9_000_000)),
    ("insurance", _set("insurance", issued_on="2026-09-14", effective_on="2026-09-10")),
    ("insurance", _set("insurance", form="certificate", capacity="agent")),
    ("insurance", _set("insurance", vessel="")),
    ("packing", _set("packing_list", net_g=1_248_000)),
    ("packing", _set("packing_list", description="", marks="")),
    ("origin", _set("origin", consignee=BUYER)),
    ("origin record", _set("origin", record=True)),
    ("draft", _set("draft", credit="")),
    ("inspection time", _set("inspection", inspected_on="2026-09-10")),
    (
        "insurance",
        _both(_credit("cover", irrespective_of_percentage=False), _set("insurance", excess=True)),
    ),
    (
        "amount invoice draft",
        _both(_credit("goods", about=True), _credit(tolerance_plus=10)),
    ),
    (
        "amount invoice draft transport",
        _credit("shipment", partial_allowed=True, transhipment_allowed=True),
    ),
    ("transport", _credit("shipment", notify="", freight="")),
    ("beneficiary", _extra),  # not asked for: disregarded (14(g))
)


def clean() -> tuple[Plain, Plain]:
    """A credit and a presentation that complies with it, free to change."""
    return copy.deepcopy(CREDIT), copy.deepcopy(PRESENTATION)


def mutated(chance: random.Random, *, count: int) -> tuple[Plain, Plain, set[str]]:
    """`count` planted discrepancies and some harmless changes beside them, and what was planted.

    No two of them touch the same data: a fault that another change makes legal is none.
    """
    planted: list[str] = []
    touched: set[str] = set()
    for name in chance.sample(sorted(PLANTED), len(PLANTED)):
        if len(planted) < count and not _touches(name) & touched:
            planted.append(name)
            touched |= _touches(name)
    credit, presentation = clean()
    for kinds, change in chance.sample(HARMLESS, chance.randint(0, 5)):
        if not set(kinds.split()) & touched:
            change(credit, presentation)
            touched |= set(kinds.split())
    for name in planted:
        PLANTED[name](credit, presentation)
    return credit, presentation, set(planted)


def _touches(name: str) -> set[str]:
    words = next(
        (words for names, words in _TOUCHES if name in names.split()),
        name.split(".", maxsplit=1)[0],
    )
    return set(words.split())


_TOUCHES = (
    ("amount.over amount.under amount.invoices draft.amount", "amount invoice draft insurance"),
    ("set.missing set.originals set.issuer set.correction", "origin"),
    (
        " ".join(name for name in PLANTED if name.startswith("record.")),
        "origin record time",
    ),
    ("transport.holder", "transport record"),
    ("transport.latest transport.on_board", "transport time insurance inspection"),
    ("transport.transhipment", "transport amount"),
    ("transport.vessel", "transport insurance"),
    ("transport.same_voyage", "transport amount insurance"),
    ("insurance.date", "insurance time"),
    ("inspection.before", "inspection time"),
    ("set.says set.signature", "inspection"),
    ("set.dated data.credit", "draft"),
    (
        "set.copies data.condition data.description data.packages data.container data.marks",
        "packing",
    ),
    ("data.gross_weight", "packing origin"),
    ("time.dated_after", "packing time"),
    ("data.quantity", "packing invoice inspection"),
    ("invoice.sum invoice.price invoice.over_quantity invoice.partial", "invoice amount insurance"),
)
