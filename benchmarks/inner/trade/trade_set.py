"""One entry to a whole set: how fast, how faithfully, and whether it finds what was planted.

Entries are generated from one seed and every value in them is made up. A conflict is planted by
writing one document of a set from another value; it counts as found if the row that owns it gives
any answer but agreement. Clean sets count every answer but agreement as a false alarm.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import ROUND_UP, Decimal
from pathlib import Path
from typing import Any

from benchmarks.measuring import claim

SEED = 20261124
SETS = 1000
RUNS = 5
ENTRY = Path(__file__).resolve().parents[3] / "tests" / "trade" / "data" / "set_entry.json"


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the common contract)
    """The lines of this benchmark."""
    yield _one_entry()
    yield _printed()
    yield _round_trips()
    yield from _conflicts()
    yield from _decisions(10_000 if long else 500)


def _one_entry() -> dict[str, Any]:
    """Milliseconds from the entry's bytes to thirteen documents, validated and compared."""
    from zhidao.trade.adapters.packs import EN16931_UBL, default_folder, newest_pack
    from zhidao.trade.adapters.rule_process import Judge
    from zhidao.trade.domain.conflicts.table import compare
    from zhidao.trade.service.document_set import make_set
    from zhidao.trade.wire import canonical_entry

    judge = Judge(newest_pack(default_folder(), EN16931_UBL.package))
    data = ENTRY.read_bytes()
    judge.judge(make_set(canonical_entry.read(data))[0].data)
    values = []
    for _ in range(RUNS):
        start = time.perf_counter()
        made = make_set(canonical_entry.read(data))
        verdict = judge.judge(made[0].data)
        found = compare(_evidence(made))
        values.append((time.perf_counter() - start) * 1e3)
        assert verdict.outcome.value == "valid"
        assert not found.findings
    return claim("trade_set_13_documents", values, "ms", target=150, at_most=True)


def _printed() -> dict[str, Any]:
    """Seconds from the entry's bytes to thirteen documents with a PDF/A of each, one process."""
    from zhidao.core.errors import Unavailable
    from zhidao.trade.library.documents import document_set

    data = ENTRY.read_bytes()
    values = []
    for _ in range(RUNS):
        start = time.perf_counter()
        try:
            made = document_set(data, languages=("en", "zh"))
        except Unavailable as problem:
            return {"claim": "trade_set_13_documents_with_pdf", "skipped": str(problem)}
        values.append(time.perf_counter() - start)
        assert sum(name.endswith(".pdf") for name in made.files) == 13
    return claim("trade_set_13_documents_with_pdf", values, "s", target=2, at_most=True)


def _round_trips() -> dict[str, Any]:
    """Share of documents that are written again to the same bytes after reading."""
    from zhidao.trade.domain.documents.formalities import FORMS
    from zhidao.trade.service.document_set import make_set, read_document, rewrite

    dice = random.Random(SEED)
    same = total = 0
    for _ in range(100):
        for made in make_set(_read(generated(dice)), FORMS.values()):
            found = read_document(made.data, kind=made.form.kind)
            same += rewrite(found) == made.data and found.is_whole
            total += 1
    return claim("trade_round_trip_equal_share", [100 * same / total], "%", target=100)


def _conflicts() -> Iterator[dict[str, Any]]:
    from zhidao.trade.domain.conflicts.table import compare
    from zhidao.trade.domain.documents.formalities import FORMS
    from zhidao.trade.service.document_set import make_set

    dice = random.Random(SEED + 1)
    rules = sorted(PLANTS)
    found = alarms = 0
    missed: dict[str, int] = {}
    for n in range(SETS):
        consignment = _read(generated(dice))
        made = _worded_otherwise(make_set(consignment, FORMS.values()), consignment, dice)
        alarms += bool(compare(_evidence(made)).findings)
        rule = rules[n % len(rules)]
        planted = _planted(rule, consignment, made, dice)
        if any(answer.rule == rule for answer in compare(planted).findings):
            found += 1
        else:
            missed[rule] = missed.get(rule, 0) + 1
    if missed:
        print(f"missed: {missed}")
    yield claim("trade_planted_conflicts_found", [100 * found / SETS], "%", target=99.5)
    yield claim("trade_clean_sets_alarmed", [100 * alarms / SETS], "%", target=0.1, at_most=True)


def _decisions(count: int) -> Iterator[dict[str, Any]]:
    """Declarations lodged and decided over a journal in memory; an auditor decides all again."""
    import asyncio

    return iter(asyncio.run(_decided(count)))


async def _decided(count: int) -> list[dict[str, Any]]:
    from zhidao.core.actor import Actor, Role
    from zhidao.core.ids import party_id
    from zhidao.trade.domain.documents.formalities import FORMS
    from zhidao.trade.service.document_set import make_set

    dice = random.Random(SEED + 2)
    clearance = _clearance()
    auditor = Actor(party_id("auditor"), Role.AUDITOR)
    form = FORMS["import_declaration"]
    waited: list[float] = []
    same = 0
    for n in range(count):
        entry = generated(dice)
        entry["importDeclarationDocument"]["id"] = number = f"IMP-{n:06}"
        data = make_set(_read(entry), [form])[0].data
        start = time.perf_counter()
        await clearance.submit(
            Actor(party_id("importer"), Role.PARTY),
            data,
            kind=form.kind,
            customs=party_id("customs"),
        )
        await clearance.assess(number)
        waited.append((time.perf_counter() - start) * 1e3)
        same += all(equal for _, equal in await clearance.rerun(auditor, number))
    slowest = sorted(waited)[int(len(waited) * 0.99)]
    return [
        claim("trade_risk_decisions_same_again", [100 * same / count], "%", target=100),
        claim("trade_declared_to_channel_p99", [slowest], "ms", target=50, at_most=True),
    ]


def _clearance() -> Any:
    from zhidao.core.ambient import HandClock, SeededRandomness
    from zhidao.core.ids import IdSource, party_id
    from zhidao.core.journal import FixedKeyRing, Records, Scribe
    from zhidao.core.keys import Algorithm, SoftwareKey
    from zhidao.core.timescale import Utc
    from zhidao.store.memory import MemoryArchive, MemoryJournal
    from zhidao.trade.adapters.listing_file import ListingFile
    from zhidao.trade.domain.clearance.risk import Look, RiskRule, RuleSet
    from zhidao.trade.service.clearance import Clearance

    clock, dice = HandClock(Utc.parse("2026-09-12T08:00:00Z")), SeededRandomness(SEED)
    keys = {party_id("importer"): SoftwareKey(Algorithm.ED25519, dice.token(32))}
    scribe = Scribe(
        node=party_id("node"),
        key=SoftwareKey(Algorithm.ED25519, dice.token(32)),
        ring=FixedKeyRing(keys),
        clock=clock,
        ids=IdSource(clock, dice),
        randomness=dice,
    )
    rules = (
        RiskRule("cheap", "value.perKilogram", Look.BELOW, "20000", 40, "below the usual price"),
        RiskRule("large", "value.customs", Look.ABOVE, "50000000000", 40, "a large value"),
        RiskRule("many", "items.count", Look.ABOVE, "4", 30, "many lines"),
    )
    return Clearance(
        records=Records(MemoryJournal(), scribe),
        archive=MemoryArchive(),
        rules=RuleSet("bench", "1", rules, yellow_from=40, red_from=70, random_permille=20),
        listings=ListingFile(None),
    )


def _worded_otherwise(made: list[Any], consignment: Any, dice: random.Random) -> list[Any]:
    """The set as several people write it: what papers may say otherwise without a conflict.

    Names in capitals without points, marks in another order, another shipper than the seller, and
    descriptions in general terms; each with a chance of one half.
    """
    from zhidao.trade.domain.documents.formalities import FORMS
    from zhidao.trade.domain.model.consignment import CanonicalConsignment
    from zhidao.trade.service.document_set import make_set

    goods, mark = "natureIdentificationCargo.description", "shippingMarks"
    worded = []
    for document in made:
        kind, values = document.form.kind, dict(consignment.values)
        if kind.startswith("origin") and dice.random() < 0.5:
            for role in ("consignorParty", "consigneeParty"):
                plain = values[f"{role}.name"].upper().replace(".", "").replace(",", "")
                values[f"{role}.name"] = plain
        if kind == "transport_document" and dice.random() < 0.5:
            values["consignorParty.name"] = "Taihu Freight Forwarders"
        for k in range(consignment.counts["includedConsignmentItem"]):
            at = f"includedConsignmentItem[{k}]."
            if kind in ("transport_document", "rail_consignment_note") and dice.random() < 0.5:
                values[at + mark] = " ".join(reversed(values[at + mark].split()))
                values[at + goods] = values[at + goods].partition(" model")[0]
        other = CanonicalConsignment(values, consignment.sources)
        worded.append(make_set(other, [FORMS[kind]])[0])
    return worded


def _evidence(made: list[Any]) -> Any:
    from zhidao.trade.domain.conflicts.compared_set import Evidence, Movement

    papers = {one.form.kind: one.absorbed.consignment for one in made}
    bill = papers["transport_document"]
    members = frozenset(("CN", "VN"))
    at = "mainCarriageTransportMovement."
    invoice = papers["packing_list"]
    criteria = dict.fromkeys(invoice.each("includedConsignmentItem", "id"), "PE")
    return Evidence(
        papers,
        criteria={"RCEP": criteria, "ACFTA": criteria},
        track=("CN", "VN"),
        members={"RCEP": members, "ACFTA": members},
        movement=Movement(
            bill.get(at + "meansName").title(),
            bill.get(at + "id"),
            frozenset(bill.each("utilizedTransportEquipment", "id")),
        ),
    )


def _read(entry: dict[str, Any]) -> Any:
    from zhidao.trade.wire import canonical_entry

    return canonical_entry.read(json.dumps(entry).encode())


_GOODS = (
    ("Stainless steel centrifugal pump", "841370"),
    ("Mechanical seal kit", "848420"),
    ("Lithium battery pack", "850760"),
    ("Cotton work jacket", "620332"),
    ("Ceramic floor tile", "690721"),
    ("Steel pipe fitting", "730793"),
)


def generated(dice: random.Random) -> dict[str, Any]:
    """A clean entry: made-up goods, weights, prices, days and terms that fit each other."""
    entry: dict[str, Any] = json.loads(ENTRY.read_text())
    shipped = date(2026, 1, 1) + timedelta(days=dice.randrange(300))
    items = [_item(dice, k) for k in range(dice.randint(1, 6))]
    for item in items:
        item["equipmentId"] = dice.choice(entry["utilizedTransportEquipment"])["id"]
    total = sum(
        (Decimal(i["requestedQuantity"]) * Decimal(i["unitPriceAmount"]) for i in items), Decimal(0)
    )
    entry["includedConsignmentItem"] = items
    rule = dice.choice(("CIF", "CIP", "FOB", "FCA", "CFR"))
    terms = entry["applicableTradeDeliveryTerms"]
    terms["deliveryTypeCode"] = rule
    entry["freightPaymentCode"] = "COL" if rule in ("FOB", "FCA") else "PRE"
    credit = entry["documentaryCredit"]
    credit["goodsDescription"] = " and ".join(
        i["natureIdentificationCargo"]["description"] for i in items
    )
    credit["amount"] = entry["presentationDocument"]["drawnAmount"] = f"{total:f}"
    place = terms["relevantLocation"]
    credit["deliveryTerms"] = f"{rule} {place['name']} ({place['id']}) Incoterms 2020"
    entry["insuranceDocument"]["insuredAmount"] = (
        f"{(total * Decimal('1.1')).quantize(Decimal(1), rounding=ROUND_UP):f}"
    )
    for name, offset in _DAYS.items():
        head, _, tail = name.partition(".")
        entry[head][tail] = (shipped + timedelta(days=offset)).isoformat()
    return entry


_DAYS = {
    "invoiceDocument.issueDate": -4,
    "invoiceDocument.dueDate": 90,
    "packingListDocument.issueDate": -4,
    "roadConsignmentNoteDocument.issueDate": -3,
    "railConsignmentNoteDocument.issueDate": -2,
    "exportDeclarationDocument.issueDate": -2,
    "rcepOriginDocument.issueDate": -1,
    "formEOriginDocument.issueDate": -1,
    "insuranceDocument.issueDate": -1,
    "insuranceDocument.effectiveDate": -2,
    "mainCarriageTransportMovement.departureDate": 0,
    "transportContractDocument.issueDate": 0,
    "mainCarriageTransportMovement.arrivalDate": 6,
    "customsValuation.exchangeDate": 6,
    "importDeclarationDocument.issueDate": 7,
    "presentationDocument.issueDate": 10,
    "documentaryCredit.latestShipmentDate": 5,
    "documentaryCredit.expiryDate": 40,
}


def _item(dice: random.Random, k: int) -> dict[str, Any]:
    goods, code = dice.choice(_GOODS)
    net = Decimal(dice.randrange(1_000, 2_000_000)) / 100
    gross = net * Decimal(dice.randrange(102, 130)) / 100
    return {
        "id": str(k + 1),
        "natureIdentificationCargo": {"description": f"{goods} model {dice.randrange(100, 999)}"},
        "typeCode": code,
        "originCountry": {"id": "CN"},
        "originCriterionCode": "PE",
        "requestedQuantity": str(dice.randrange(20, 5000)),
        "requestedUnitCode": dice.choice(("H87", "SET", "KGM")),
        "unitPriceAmount": f"{Decimal(dice.randrange(50, 500_000)) / 100:f}",
        "taxCategoryCode": "O",
        "taxRatePercent": "0",
        "netWeight": f"{net:f}",
        "grossWeight": f"{gross.quantize(Decimal('0.01')):f}",
        "grossVolume": f"{Decimal(dice.randrange(20, 3000)) / 100:f}",
        "packageQuantity": str(dice.randrange(2, 400)),
        "packageTypeCode": dice.choice(("CT", "PX", "CS")),
        "shippingMarks": f"ZD {dice.randrange(1000, 9999)} HAIPHONG",
    }


def _planted(rule: str, consignment: Any, made: list[Any], dice: random.Random) -> Any:
    """The evidence of a set in which one document, or one fact beside them, says another thing."""
    from dataclasses import replace

    from zhidao.trade.domain.documents.formalities import FORMS
    from zhidao.trade.domain.model.consignment import CanonicalConsignment
    from zhidao.trade.service.document_set import make_set

    evidence = _evidence(made)
    plant = dice.choice(PLANTS[rule])
    if callable(plant):
        return replace(evidence, **plant(evidence))
    kind, path, other = plant
    if "[]" in path:
        group = path.partition("[]")[0]
        path = path.replace("[]", f"[{dice.randrange(consignment.counts[group])}]")
    before = consignment.get(path)
    values = {**consignment.values, path: other(before) if callable(other) else other}
    assert values[path] != before, (rule, path)
    changed = CanonicalConsignment(values, consignment.sources)
    wrong = make_set(changed, [FORMS[kind]])[0]
    return replace(evidence, papers={**evidence.papers, kind: wrong.absorbed.consignment})


def _by(share: str) -> Callable[[str], str]:
    return lambda text: (
        f"{(Decimal(text) * Decimal(share)).quantize(Decimal('0.01')).normalize():f}"
    )


def _plus(amount: int) -> Callable[[str], str]:
    return lambda text: f"{Decimal(text) + amount:f}"


def _later(days: int) -> Callable[[str], str]:
    return lambda text: (date.fromisoformat(text) + timedelta(days=days)).isoformat()


def _other(*choices: str) -> Callable[[str], str]:
    return lambda text: next(c for c in choices if c != text)


_I, _E, _C = "includedConsignmentItem[].", "utilizedTransportEquipment[].", "documentaryCredit."
_BOLTS = "Galvanised bolts"
# What is planted for each row: a document, its field and the other value; or another fact.
PLANTS: dict[str, tuple[Any, ...]] = {
    "XD-01": (("documentary_credit", _C + "goodsDescription", "Optical fibre reels"),),
    "XD-02": tuple(
        (kind, _I + "natureIdentificationCargo.description", _BOLTS)
        for kind in ("packing_list", "transport_document", "insurance_declaration")
    ),
    "XD-03": (("documentary_credit", _C + "currencyCode", "EUR"),),
    "XD-04": (("documentary_credit", _C + "amount", _by("0.99")),),
    "XD-05": (("presentation_letter", "presentationDocument.drawnAmount", _plus(1)),),
    "XD-06": tuple(
        (kind, _I + "requestedQuantity", _plus(1))
        for kind in ("packing_list", "origin_form_e", "export_declaration")
    ),
    "XD-07": (
        ("documentary_credit", _C + "deliveryTerms", "DAP Hanoi (VNHAN) Incoterms 2020"),
        ("import_declaration", "applicableTradeDeliveryTerms.deliveryTypeCode", "DDP"),
    ),
    "XD-08": (("documentary_credit", _C + "beneficiaryName", "Wuxi Valve Works"),),
    "XD-09": (
        ("documentary_credit", _C + "applicantName", "Da Nang Import Company"),
        ("packing_list", "consigneeParty.postalAddress.countryId", "LA"),
    ),
    "XD-10": (("transport_document", "notifiedParty.name", "Hai Phong Pump Trading"),),
    "XD-12": (("origin_rcep", "consigneeParty.name", "Da Nang Import Company"),),
    "XD-13": (("origin_rcep", _I + "natureIdentificationCargo.description", _BOLTS),),
    "XD-14": tuple(
        (kind, _I + "typeCode", "731815")
        for kind in ("origin_form_e", "import_declaration", "transport_document")
    ),
    "XD-15": (("import_declaration", _I + "originCountry.id", "LA"),),
    "XD-16": tuple(
        (kind, _I + "grossWeight", _plus(2))
        for kind in ("transport_document", "rail_consignment_note", "road_consignment_note")
    ),
    "XD-17": (("origin_form_e", _I + "netWeight", _plus(2)),),
    "XD-18": (
        ("transport_document", _I + "packageQuantity", _plus(1)),
        ("origin_rcep", _I + "packageTypeCode", "BG"),
    ),
    "XD-19": (("transport_document", _I + "shippingMarks", "ZD 1 HANOI"),),
    "XD-20": (
        ("transport_document", _E + "affixedSealId", "SML000000"),
        lambda e: {"movement": _moved(e, containers=frozenset(("CSQU3054383",)))},
    ),
    "XD-21": (("transport_document", _I + "grossVolume", _plus(1)),),
    "XD-22": (
        ("transport_document", "loadingBaseportLocation.id", "KRPUS"),
        ("documentary_credit", _C + "unloadingRange", "VNSGN"),
    ),
    "XD-23": (("transport_document", "mainCarriageTransportMovement.departureDate", _later(6)),),
    "XD-24": (
        ("documentary_credit", _C + "expiryDate", _later(-31)),
        ("presentation_letter", "presentationDocument.issueDate", _later(12)),
    ),
    "XD-25": (("packing_list", "packingListDocument.issueDate", _later(15)),),
    "XD-26": (
        (
            "transport_document",
            "mainCarriageTransportMovement.departureDate",
            _later(-3),
        ),
    ),
    "XD-27": (
        ("insurance_declaration", "insuranceDocument.insuredAmount", _by("0.98")),
        ("insurance_declaration", "insuranceDocument.currencyCode", "EUR"),
    ),
    "XD-28": (("transport_document", "transportContractDocument.clause", "3 cartons wet"),),
    "XD-29": (
        ("transport_document", "transportContractDocument.originalQuantity", "2"),
        ("transport_document", "transportContractDocument.electronicIndicator", "true"),
    ),
    "XD-30": (("transport_document", "freightPaymentCode", _other("PRE", "COL")),),
    "XD-31": (("transport_document", "onCarriageTransportMovement.meansName", "LITTLE STAR"),),
    "XD-32": (
        ("origin_rcep", "invoiceDocument.id", "INV-2026-0418"),
        ("packing_list", "invoiceDocument.issueDate", _later(1)),
    ),
    "XD-33": (("origin_rcep", _I + "originCriterionCode", "CTC"),),
    "XD-34": (lambda _e: {"track": ("CN", "HK", "VN")},),
    "XD-35": (("import_declaration", _I + "unitPriceAmount", _by("0.97")),),
    "XD-36": (
        ("export_declaration", "mainCarriageTransportMovement.meansName", "MERIDIAN MOON"),
        lambda e: {"movement": _moved(e, voyage="042S")},
    ),
}


def _moved(evidence: Any, **other: Any) -> Any:
    from dataclasses import replace

    return replace(evidence.movement, **other)
