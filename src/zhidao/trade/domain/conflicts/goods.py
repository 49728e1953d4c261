"""Rows about goods: descriptions, quantities, codes, origin, weights, packages, marks, boxes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.codes import container_number
from zhidao.trade.domain.comparison import (
    Answer,
    CheckResult,
    Statement,
    content_words,
    described,
    near,
    result,
    same,
    words,
)
from zhidao.trade.domain.conflicts.compared_set import (
    BILL,
    CARRIAGE,
    CERTIFICATES,
    DECLARATIONS,
    INVOICES,
    Evidence,
    by_id,
    stated,
    summed,
)
from zhidao.trade.domain.model.catalogue import CREDIT, EQUIPMENT, ITEM
from zhidao.trade.domain.model.code_lists import COUNTED_UNITS, correlate
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.reason_codes import About, Note, Noted, Topic

_DESCRIPTION: Final = "natureIdentificationCargo.description"
_QUANTITY_TOLERANCE: Final = Decimal("0.05")  # UCP 600 article 30(b), not for counted units.


def credit_goods(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-01: the invoice's goods cover every word of the credit that names goods."""
    if evidence.credit is None or f"{CREDIT}.goodsDescription" not in evidence.credit.values:
        return
    asked = stated("documentary_credit", evidence.credit, f"{CREDIT}.goodsDescription")
    for kind, invoice in evidence.those(INVOICES):
        text = _goods(invoice)
        missing = content_words(asked.value) - content_words(text)
        covered = content_words(asked.value) & content_words(text)
        answer = Answer.AGREE if not missing else Answer.UNDECIDED if covered else Answer.CONFLICT
        note = Noted(Note.NOT_SAID, " ".join(sorted(missing))) if missing else None
        billed = Statement(kind, "descriptions", text)
        yield result("XD-01", answer, About(Topic.GOODS_OF_CREDIT), asked, billed, note=note)


def descriptions(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-02, XD-13: other papers name each line's goods at least in general terms."""
    if evidence.invoice is None:
        return
    anchor, invoice = evidence.invoice
    ours = by_id(invoice, _DESCRIPTION)
    for rule, kinds in (
        ("XD-02", ("packing_list", *CARRIAGE, "insurance_declaration", *DECLARATIONS)),
        ("XD-13", CERTIFICATES),
    ):
        for kind, paper in evidence.those(kinds):
            theirs = by_id(paper, _DESCRIPTION)
            for item in sorted(ours.keys() | theirs.keys()):
                left = _said(anchor, invoice, ours, item)
                right = _said(kind, paper, theirs, item)
                if item in ours and item in theirs:
                    yield described(
                        rule, About(Topic.GOODS_OF_LINE, item), left, right, codes_meet=None
                    )
                else:
                    yield result(rule, Answer.CONFLICT, About(Topic.LINES, item), left, right)


def quantities(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-06: each line's quantity and unit; 5 per cent where the unit does not count things."""
    if evidence.invoice is None:
        return
    anchor, invoice = evidence.invoice
    amounts = by_id(invoice, "requestedQuantity")
    units = by_id(invoice, "requestedUnitCode")
    for kind, paper in evidence.those(("packing_list", *CERTIFICATES, *DECLARATIONS)):
        theirs, their_units = by_id(paper, "requestedQuantity"), by_id(paper, "requestedUnitCode")
        for item in sorted(amounts.keys() | theirs.keys()):
            left = _said(anchor, invoice, amounts, item)
            right = _said(kind, paper, theirs, item)
            unit = units.get(item, ("", ""))[0]
            if item not in amounts or item not in theirs or unit in COUNTED_UNITS:
                yield same("XD-06", About(Topic.QUANTITIES_OF_LINE, item), left, right)
            else:
                yield _tolerated(item, left, right)
            yield same(
                "XD-06",
                About(Topic.UNITS_OF_LINE, item),
                _said(anchor, invoice, units, item),
                _said(kind, paper, their_units, item),
            )


def _tolerated(item: str, left: Statement, right: Statement) -> CheckResult:
    one, two = Decimal(left.value), Decimal(right.value)
    gap = abs(one - two)
    answer = Answer.AGREE if not gap else Answer.UNDECIDED
    if gap > one * _QUANTITY_TOLERANCE:
        answer = Answer.CONFLICT
    return result("XD-06", answer, About(Topic.QUANTITIES_OF_LINE, item), left, right)


def commodity_codes(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-14: HS codes, through the correlation where editions differ."""
    papers = [*evidence.those(("export_declaration",)), *evidence.those((*INVOICES,))]
    if not papers:
        return
    anchor, base = papers[0]
    edition = base.get("hsEditionCode", "2022")
    others = (*INVOICES, *CERTIFICATES, "import_declaration", *CARRIAGE)
    for kind, paper in evidence.those(tuple(k for k in others if k != anchor)):
        theirs = by_id(paper, "typeCode")
        for item, (code, path) in by_id(base, "typeCode").items():
            left = stated(anchor, base, path)
            right = _said(kind, paper, theirs, item)
            other = paper.get("hsEditionCode", edition)
            yield _codes(item, left, right, code=code, edition=edition, other=other)


def _codes(
    item: str, left: Statement, right: Statement, *, code: str, edition: str, other: str
) -> CheckResult:
    what = About(Topic.HS_CODES_OF_LINE, item)
    if edition == other:
        return same("XD-14", what, left, right)
    try:
        may_be = correlate(code, edition=edition, to=other)
    except MalformedInput:
        note = Noted(Note.NO_CORRELATION, code)
        return result("XD-14", Answer.UNDECIDED, what, left, right, note=note)
    told = f"{edition} {code} = {other} {' / '.join(may_be.codes)}"
    note = Noted(Note.OTHER_EDITION, told)
    if right.value not in may_be.codes:
        return result("XD-14", Answer.CONFLICT, what, left, right, note=note)
    answer = Answer.AGREE if may_be.is_certain else Answer.UNDECIDED
    return result("XD-14", answer, what, left, right, note=note)


def origins(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-15: the country of origin of each line."""
    if evidence.invoice is None:
        return
    anchor, invoice = evidence.invoice
    ours = by_id(invoice, "originCountry.id")
    for kind, paper in evidence.those((*INVOICES, *CERTIFICATES, *DECLARATIONS)):
        if kind == anchor:
            continue
        theirs = by_id(paper, "originCountry.id")
        for item in sorted(ours):
            left = _said(anchor, invoice, ours, item)
            right = _said(kind, paper, theirs, item)
            yield same("XD-15", About(Topic.ORIGINS_OF_LINE, item), left, right)


def weights(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-16, XD-17, XD-21: gross weight, net weight and volume against the packing list."""
    packing = evidence.papers.get("packing_list")
    if packing is None:
        return
    for rule, what, name, kinds in (
        ("XD-16", About(Topic.GROSS_WEIGHTS), "grossWeight", (*CARRIAGE, *DECLARATIONS)),
        ("XD-17", About(Topic.NET_WEIGHTS), "netWeight", (*INVOICES, *CERTIFICATES, *DECLARATIONS)),
        ("XD-21", About(Topic.VOLUMES), "grossVolume", (*CARRIAGE, "shipping_instruction")),
    ):
        ours = summed("packing_list", packing, name)
        for kind, paper in evidence.those(kinds):
            theirs = summed(kind, paper, name)
            if ours and theirs:
                yield near(rule, what, ours[1], theirs[1], one=ours[0], two=theirs[0])
    yield from _net_below_gross(evidence)


def _net_below_gross(evidence: Evidence) -> Iterator[CheckResult]:
    for kind, paper in evidence.those(("packing_list", *DECLARATIONS)):
        gross = by_id(paper, "grossWeight")
        for item, (net, path) in by_id(paper, "netWeight").items():
            if item in gross and Decimal(net) > Decimal(gross[item][0]):
                above = stated(kind, paper, path)
                below = stated(kind, paper, gross[item][1])
                what = About(Topic.NET_AND_GROSS_OF_LINE, item)
                yield result("XD-17", Answer.CONFLICT, what, above, below)


def packages(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-18: how many outermost packages, and of which kinds."""
    packing = evidence.papers.get("packing_list")
    if packing is None:
        return
    others = (*CARRIAGE, *CERTIFICATES, *DECLARATIONS, "insurance_declaration")
    ours = summed("packing_list", packing, "packageQuantity")
    for kind, paper in evidence.those(others):
        theirs = summed(kind, paper, "packageQuantity")
        if ours and theirs:
            yield same("XD-18", About(Topic.PACKAGE_NUMBERS), ours[1], theirs[1])
        left, right = (
            _set(k, p, "packageTypeCode") for k, p in (("packing_list", packing), (kind, paper))
        )
        yield same("XD-18", About(Topic.PACKAGE_KINDS), left, right)


def marks(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-19: shipping marks, whatever their order, case and line breaks."""
    packing = evidence.papers.get("packing_list")
    if packing is None:
        return
    ours = by_id(packing, "shippingMarks")
    for kind, paper in evidence.those((*CARRIAGE, *INVOICES, *CERTIFICATES)):
        theirs = by_id(paper, "shippingMarks")
        for item in sorted(ours.keys() & theirs.keys()):
            left = _said("packing_list", packing, ours, item)
            right = _said(kind, paper, theirs, item)
            one, two = set(words(left.value)), set(words(right.value))
            answer = Answer.AGREE if one == two else Answer.CONFLICT
            # Extra handling marks on one paper are no conflict, but a person should see them.
            if one != two and (one < two or two < one):
                answer = Answer.UNDECIDED
            yield result("XD-19", answer, About(Topic.MARKS_OF_LINE, item), left, right)


def boxes(evidence: Evidence) -> Iterator[CheckResult]:
    """XD-20: the same containers and seals on every paper, each with a right check digit."""
    bill = evidence.papers.get(BILL)
    if bill is None:
        return
    others = ("packing_list", *CARRIAGE[1:], *DECLARATIONS, "shipping_instruction")
    for what, name in (
        (About(Topic.CONTAINER_NUMBERS), "id"),
        (About(Topic.SEAL_NUMBERS), "affixedSealId"),
    ):
        left = _set(BILL, bill, name, group=EQUIPMENT)
        for kind, paper in evidence.those(others):
            yield same("XD-20", what, left, _set(kind, paper, name, group=EQUIPMENT))
        if evidence.movement and evidence.movement.containers and name == "id":
            seen = " ".join(sorted(evidence.movement.containers))
            yield same("XD-20", what, left, Statement("events", "equipment", seen))
    for k, number in enumerate(bill.each(EQUIPMENT, "id")):
        try:
            container_number(number)
        except MalformedInput:
            place = stated(BILL, bill, f"{EQUIPMENT}[{k}].id")
            note = Noted(Note.WRONG_NUMBER, number)
            yield result(
                "XD-20", Answer.CONFLICT, About(Topic.CONTAINER_NUMBER), place, place, note=note
            )


def _goods(paper: CanonicalConsignment) -> str:
    return "; ".join(paper.each(ITEM, _DESCRIPTION))


def _said(
    kind: str, paper: CanonicalConsignment, found: dict[str, tuple[str, str]], item: str
) -> Statement:
    if item in found:
        return stated(kind, paper, found[item][1])
    return Statement(kind, f"line {item}", "absent")


def _set(kind: str, paper: CanonicalConsignment, name: str, *, group: str = ITEM) -> Statement:
    return Statement(kind, f"{group}[].{name}", " ".join(sorted(set(paper.each(group, name)))))
