"""Checks of the presentation as a whole: time, place, completeness, and data across documents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from zhidao.finance.domain.credit.checks import (
    Case,
    Conflict,
    agree,
    asked,
    check,
    kind_of,
    same,
    told,
    within,
)
from zhidao.finance.domain.credit.goods_descriptions import not_new
from zhidao.finance.domain.credit.papers import Draft, Paper

_SIGNED_KINDS = (
    "draft",
    "transport",
    "insurance",
    "origin",
    "inspection",
    "beneficiary_statement",
    "payment_obligation",
)


@check("time.expiry", "UCP 600 6(d)(i), 29(a)", "The presentation came after the credit expired.")
def _expiry(case: Case) -> Iterator[Conflict]:
    # The calendar is asked only for what depends on it: it may not know the year of the expiry.
    last, came = case.credit.expires_on, case.presentation.counts_from
    if came > last and came > (last := case.calendar.next_open(last)):
        yield asked("31D", last), f"presentation:presented_on = {came}"


@check("time.late", "UCP 600 14(c)", "It came later after shipment than the credit allows.")
def _late(case: Case) -> Iterator[Conflict]:
    if case.shipped_on is None:
        return
    last = case.shipped_on + timedelta(days=case.credit.presentation_days)
    came = case.presentation.counts_from
    if came > last and came > case.calendar.next_open(last):
        days = case.credit.presentation_days
        yield (
            asked("48", f"{days} days after {case.shipped_on}"),
            (f"presentation:presented_on = {came}"),
        )


@check("time.place", "UCP 600 6(d)(ii)", "It was presented at another place than the credit's.")
def _place(case: Case) -> Iterator[Conflict]:
    # Records have an address of their own where the credit states one: `record.place`.
    if case.credit.record_place and all(paper.record for paper in case.asked):
        return
    if not same(case.credit.expiry_place, case.presentation.place):
        yield (
            asked("31D place", case.credit.expiry_place),
            f"presentation:place = {case.presentation.place}",
        )


@check("time.dated_after", "UCP 600 14(i)", "A document is dated after its presentation.")
def _dated_after(case: Case) -> Iterator[Conflict]:
    for paper in case.asked:
        if paper.issued_on is not None and paper.issued_on > case.presentation.presented_on:
            yield (
                told(paper, "issued_on", paper.issued_on),
                f"presentation:presented_on = {case.presentation.presented_on}",
            )


@check("set.missing", "UCP 600 14(a)", "A document that the credit asks for is not there.")
def _missing(case: Case) -> Iterator[Conflict]:
    present = {kind_of(paper) for paper in case.asked}
    for one in case.credit.requirements:
        if one.kind not in present:
            yield asked("46A", one.kind), "presentation:documents = without it"


@check("set.originals", "UCP 600 17(a)", "There are fewer originals than the credit asks for.")
def _originals(case: Case) -> Iterator[Conflict]:
    for paper in case.asked:
        one = case.credit.requires(kind_of(paper))
        if one is not None and not paper.record and paper.originals < one.originals:
            yield (
                asked(f"46A {one.kind} originals", one.originals),
                (told(paper, "originals", paper.originals)),
            )


@check("set.copies", "UCP 600 17(d), 17(e)", "There are fewer copies than the credit asks for.")
def _copies(case: Case) -> Iterator[Conflict]:
    for paper in case.asked:
        one = case.credit.requires(kind_of(paper))
        if one is None or paper.record:
            continue
        # An original beyond those asked for serves as a copy.
        given = paper.copies + max(0, paper.originals - one.originals)
        if given < one.copies:
            yield asked(f"46A {one.kind} copies", one.copies), told(paper, "copies", given)


@check("set.issuer", "UCP 600 14(f)", "A document was issued by somebody else than asked for.")
def _issuer(case: Case) -> Iterator[Conflict]:
    for paper in case.asked:
        one = case.credit.requires(kind_of(paper))
        if one is not None and one.issuer and not same(one.issuer, paper.issuer):
            yield asked(f"46A {one.kind} issuer", one.issuer), told(paper, "issuer", paper.issuer)


@check("set.says", "UCP 600 14(f)", "A document does not say what the credit wants it to say.")
def _says(case: Case) -> Iterator[Conflict]:
    for paper in case.asked:
        one = case.credit.requires(kind_of(paper))
        for words in one.says if one is not None else ():
            if not within(words, f"{paper.text} {paper.description}"):
                yield asked(f"46A {kind_of(paper)}", words), told(paper, "text", "without it")


@check("set.signature", "ISBP 821 A31, A35", "A document that must be signed is not.")
def _signature(case: Case) -> Iterator[Conflict]:
    for paper in case.asked:
        if kind_of(paper) in _SIGNED_KINDS and not paper.signed:
            yield told(paper, "signed", "no"), "rule:signed = yes"


@check("set.dated", "ISBP 821 A11", "A document that must bear a date has none.")
def _dated(case: Case) -> Iterator[Conflict]:
    for paper in case.asked:
        # A record without a date was issued on the day when it was sent (eUCP article e10).
        dated = paper.issued_on is not None or paper.record
        if kind_of(paper) in ("draft", "insurance") and not dated:
            yield told(paper, "issued_on", "none"), "rule:dated = yes"


@check("set.correction", "ISBP 821 A7", "A correction is not authenticated.")
def _correction(case: Case) -> Iterator[Conflict]:
    for paper in case.asked:
        if paper.correction:
            yield told(paper, "correction", "not authenticated"), "rule:authenticated = yes"


@check("data.credit", "UCP 600 14(d)", "A document quotes another credit.")
def _credit(case: Case) -> Iterator[Conflict]:
    for paper in case.asked:
        if paper.credit and not same(paper.credit, case.credit.number):
            yield asked("20", case.credit.number), told(paper, "credit", paper.credit)


@check("data.description", "UCP 600 14(e)", "Goods are described in conflict with the credit.")
def _description(case: Case) -> Iterator[Conflict]:
    for paper in case.asked:
        if kind_of(paper) != "invoice" and not agree(
            paper.description, case.credit.goods.description
        ):
            yield (
                asked("45A", case.credit.goods.description),
                (told(paper, "description", paper.description)),
            )


@check("data.condition", "UCP 600 14(d), 14(e), 18(c)", "The goods are not new, by a document.")
def _condition(case: Case) -> Iterator[Conflict]:
    goods = case.credit.goods
    for paper in case.asked:
        lines = getattr(paper, "lines", ())
        for text in (paper.description, paper.text, *(one.description for one in lines)):
            for words in not_new(text, asked_for=goods):
                yield asked("45A", goods.description), told(paper, "condition", words)


@check("data.gross_weight", "UCP 600 14(d)", "Two documents state different gross weights.")
def _gross(case: Case) -> Iterator[Conflict]:
    yield from _differ(case, "gross_g")


@check("data.packages", "UCP 600 14(d)", "Two documents state different numbers of packages.")
def _packages(case: Case) -> Iterator[Conflict]:
    yield from _differ(case, "packages")


@check("data.container", "UCP 600 14(d)", "Two documents name different containers.")
def _container(case: Case) -> Iterator[Conflict]:
    yield from _differ(case, "container")


@check("data.marks", "UCP 600 14(d); ISBP 821 A32", "Shipping marks conflict.")
def _marks(case: Case) -> Iterator[Conflict]:
    yield from _differ(case, "marks")


@check("data.quantity", "UCP 600 14(d)", "A document states another quantity than the invoice.")
def _quantity(case: Case) -> Iterator[Conflict]:
    total = sum(invoice.quantity for invoice in case.invoices)
    for kind in ("packing_list", "inspection"):
        papers = [paper for paper in case.asked if kind_of(paper) == kind]
        other = sum(int(getattr(paper, "quantity", 0)) for paper in papers)
        if case.invoices and other and other != total:
            yield told(case.invoices[0], "quantity", total), told(papers[0], "quantity", other)


@check("data.papers", "UCP 600 14(d)", "The cross-check of the consignment found a conflict.")
def _papers(case: Case) -> Iterator[Conflict]:
    for finding in case.presentation.findings:
        yield finding.left, finding.right


def _differ(case: Case, field: str) -> Iterator[Conflict]:
    """Documents that state a datum, and state it differently from the first that does."""
    stating: list[Paper] = [
        paper
        for paper in case.asked
        if not isinstance(paper, Draft) and getattr(paper, field, None)
    ]
    for paper in stating[1:]:
        if kind_of(paper) == kind_of(stating[0]):
            continue  # several of a kind share the goods out between them
        one, other = getattr(stating[0], field), getattr(paper, field)
        if not same(str(one), str(other)):
            yield told(stating[0], field, one), told(paper, field, other)
