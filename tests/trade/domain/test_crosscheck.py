"""Each row finds the conflict that is planted for it, and clean papers raise no alarm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from zhidao.trade.domain.comparison import Answer
from zhidao.trade.domain.consignment import Packages
from zhidao.trade.domain.crosscheck import compare
from zhidao.trade.domain.invoice import invoices_of
from zhidao.trade.domain.papers import FinishedLot, Papers, origin_statement_of, packing_list_of
from zhidao.trade.wire import bill_of_lading, entry

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def clean() -> Papers:
    value = entry.read((DATA / "entry.json").read_bytes())
    return Papers(
        entry=value,
        invoices=invoices_of(value),
        packing=packing_list_of(value),
        origin=origin_statement_of(value),
        bill=bill_of_lading.read((DATA / "bill_of_lading.json").read_bytes()),
        lots=(FinishedLot("PO-2026-117", "L-0417", "06901234567892", 24, within_limits=True),),
    )


def found(papers: Papers) -> set[tuple[str, str]]:
    return {(c.rule, c.answer.value) for c in compare(papers) if c.answer is not Answer.AGREE}


def bill(**changes) -> Callable[[Papers], Papers]:
    return lambda p: replace(p, bill=replace(p.bill, **changes))


def cargo(**changes) -> Callable[[Papers], Papers]:
    return lambda p: replace(p, bill=replace(p.bill, cargo=(replace(p.bill.cargo[0], **changes),)))


def origin(**changes) -> Callable[[Papers], Papers]:
    return lambda p: replace(p, origin=replace(p.origin, **changes))


def origin_line(**changes) -> Callable[[Papers], Papers]:
    def change(p: Papers) -> Papers:
        first, *rest = p.origin.lines
        return replace(p, origin=replace(p.origin, lines=(replace(first, **changes), *rest)))

    return change


def lot(**changes) -> Callable[[Papers], Papers]:
    return lambda p: replace(p, lots=(replace(p.lots[0], **changes),))


def invoice_line(**changes) -> Callable[[Papers], Papers]:
    def change(p: Papers) -> Papers:
        (invoice,) = p.invoices
        first, *rest = invoice.lines
        changed = replace(invoice, lines=(replace(first, **changes), *rest))
        return replace(p, invoices=(changed,))

    return change


PLANTED = {
    "other goods by code": (cargo(hs=("640510",)), {("XD-02", "conflict")}),
    "other goods by words": (
        cargo(hs=(), description="Leather shoes, black"),
        {("XD-02", "undecided")},
    ),
    "dearer invoice": (invoice_line(net=Decimal("54400.00")), {("XD-05", "conflict")}),
    "fewer pieces of origin": (origin_line(quantity=Decimal(23)), {("XD-06", "conflict")}),
    "other unit": (origin_line(unit="SET"), {("XD-06", "conflict")}),
    "another exporter": (origin(exporter="Somebody Else Ltd."), {("XD-08", "conflict")}),
    "another buyer": (origin(consignee="Nordvand Pumper A/S"), {("XD-12", "conflict")}),
    "a branch of the buyer": (
        origin(consignee="Nordvand Pumper ApS, Aarhus"),
        {("XD-12", "undecided")},
    ),
    "another consignee": (bill(consignee="Somebody Else ApS"), {("XD-10", "conflict")}),
    "origin of a line is missing": (
        lambda p: replace(p, origin=replace(p.origin, lines=p.origin.lines[:1])),
        {("XD-06", "conflict"), ("XD-13", "conflict"), ("XD-17", "conflict")},
    ),
    "another HS code": (origin_line(hs="841381"), {("XD-14", "conflict")}),
    "another origin": (origin_line(origin="VN"), {("XD-15", "conflict")}),
    "lighter": (cargo(weight=Decimal("1087.2")), {("XD-16", "conflict")}),
    "2 kg of rounding": (cargo(weight=Decimal(1290)), {("XD-16", "undecided")}),
    "net weight": (origin_line(net_kg=Decimal(900)), {("XD-17", "conflict")}),
    "short": (cargo(packages=Packages(12, "CT")), {("XD-18", "conflict")}),
    "other packages": (cargo(packages=Packages(14, "PX")), {("XD-18", "conflict")}),
    "another container": (bill(containers=("NARU3472484",)), {("XD-20", "conflict")}),
    "a second container": (
        bill(containers=("CSQU3054383", "NARU3472484")),
        {("XD-20", "conflict")},
    ),
    "another port": (bill(discharge="DEBRV"), {("XD-22", "conflict")}),
    "a clause": (bill(clauses=("12 cartons wet",)), {("XD-28", "undecided")}),
    "freight to collect": (bill(freight="COL"), {("XD-30", "conflict")}),
    "another invoice": (origin(invoices=("INV-9",)), {("XD-32", "conflict")}),
    "another day": (origin(invoice_on=date(2026, 9, 2)), {("XD-32", "conflict")}),
    "another vessel": (bill(means="OTHER STAR"), {("XD-36", "conflict")}),
    "fewer serials": (lot(count=23), {("ZD-01", "conflict")}),
    "another article": (lot(gtin="06901234567908"), {("ZD-01", "conflict")}),
    "outside the limits": (lot(within_limits=False), {("ZD-01", "conflict")}),
    "no bill": (lambda p: replace(p, bill=None), {("ZD-00", "undecided")}),
}


def test_clean_papers_agree_in_every_row(clean):
    answers = compare(clean)
    assert found(clean) == set()
    assert len(answers) == 36
    assert len({a.rule for a in answers}) == 20


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_conflict_is_found_and_nothing_else(clean, name):
    plant, wanted = PLANTED[name]
    assert found(plant(clean)) == wanted


@pytest.mark.parametrize(
    "change",
    [
        bill(to_order=True, consignee=""),
        bill(consignee="NORDVAND PUMPER APS"),
        cargo(weight=Decimal("1.2912"), weight_unit="TNE"),
        cargo(hs=(), description="PUMPS"),
        bill(freight=""),
        lambda p: replace(p, lots=()),
    ],
)
def test_what_may_differ_raises_no_alarm(clean, change):
    assert found(change(clean)) == set()


def test_an_answer_says_what_stands_where(clean):
    papers = cargo(weight=Decimal("1087.2"))(clean)
    [answer] = [a for a in compare(papers) if a.answer is Answer.CONFLICT]
    assert answer.sentence == "gross weights do not agree; the difference is 204"
    assert answer.left == "packing_list:gross weight = 1291.2 kg"
    assert answer.right == "bill_of_lading:cargoGrossWeight = 1087.2 kg"
