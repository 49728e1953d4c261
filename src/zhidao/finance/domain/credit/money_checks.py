"""Checks of what is drawn: the amount, the draft and the commercial invoice."""

from __future__ import annotations

from collections.abc import Iterator

from zhidao.finance.domain.credit.checks import (
    Case,
    Conflict,
    asked,
    check,
    plain,
    same,
    told,
    within,
)
from zhidao.finance.domain.credit.credit_terms import Goods, Line
from zhidao.finance.domain.credit.goods_descriptions import added_goods
from zhidao.finance.domain.credit.papers import Invoice


@check("amount.over", "UCP 600 18(b), 30(a)", "More is drawn than the credit gives.")
def _over(case: Case) -> Iterator[Conflict]:
    if case.presentation.claimed_minor > case.credit.amount_most_minor:
        yield (
            asked("32B most", case.credit.amount_most_minor),
            (f"presentation:claimed_minor = {case.presentation.claimed_minor}"),
        )


@check("amount.under", "UCP 600 30(c)", "Less is drawn than a whole shipment may come to.")
def _under(case: Case) -> Iterator[Conflict]:
    least = case.credit.amount_least_minor
    is_whole = not case.credit.shipment.partial_allowed
    if is_whole and case.presentation.claimed_minor < least:
        yield (
            asked("32B least", least),
            (f"presentation:claimed_minor = {case.presentation.claimed_minor}"),
        )


@check("amount.invoices", "UCP 600 14(d), 18(b)", "The claim is not what the invoices come to.")
def _claim(case: Case) -> Iterator[Conflict]:
    total = sum(invoice.amount_minor for invoice in case.invoices)
    claimed = case.presentation.claimed_minor
    # A bank may take an invoice above the credit if no more than the credit is drawn (18(b)).
    if case.invoices and claimed != min(total, max(claimed, case.credit.amount_most_minor)):
        yield (
            told(case.invoices[0], "amount_minor", total),
            (f"presentation:claimed_minor = {claimed}"),
        )


@check("draft.amount", "UCP 600 14(d); ISBP 821 B8", "The draft is not for the claimed amount.")
def _draft_amount(case: Case) -> Iterator[Conflict]:
    total = sum(draft.amount_minor for draft in case.drafts)
    if case.drafts and total != case.presentation.claimed_minor:
        yield (
            told(case.drafts[0], "amount_minor", total),
            (f"presentation:claimed_minor = {case.presentation.claimed_minor}"),
        )


@check("draft.words", "ISBP 821 B14", "Words and figures of the draft differ.")
def _draft_words(case: Case) -> Iterator[Conflict]:
    for draft in case.drafts:
        if draft.words_minor != draft.amount_minor:
            yield (
                told(draft, "words_minor", draft.words_minor),
                (told(draft, "amount_minor", draft.amount_minor)),
            )


@check("draft.currency", "ISBP 821 B8", "The draft is in another currency.")
def _draft_currency(case: Case) -> Iterator[Conflict]:
    for draft in case.drafts:
        if draft.currency != case.credit.currency:
            yield asked("32B", case.credit.currency), told(draft, "currency", draft.currency)


@check("draft.tenor", "ISBP 821 B2", "The draft runs for another time than the credit says.")
def _draft_tenor(case: Case) -> Iterator[Conflict]:
    for draft in case.drafts:
        if draft.tenor_days != case.credit.tenor_days:
            yield asked("42C", case.credit.tenor_days), told(draft, "tenor_days", draft.tenor_days)


@check("draft.drawee", "ISBP 821 B1; UCP 600 6(c)", "The draft is drawn on somebody else.")
def _drawee(case: Case) -> Iterator[Conflict]:
    drawee = case.credit.drawee or case.credit.issuing_bank
    for draft in case.drafts:
        if not same(draft.drawee, drawee):
            yield asked("42A", drawee), told(draft, "drawee", draft.drawee)


@check("draft.applicant", "UCP 600 6(c)", "A draft is drawn on the applicant.")
def _on_applicant(case: Case) -> Iterator[Conflict]:
    for draft in case.drafts:
        if same(draft.drawee, case.credit.applicant.name):
            yield asked("50", case.credit.applicant.name), told(draft, "drawee", draft.drawee)


@check("draft.drawer", "ISBP 821 B8", "The draft was not drawn by the beneficiary.")
def _drawer(case: Case) -> Iterator[Conflict]:
    for draft in case.drafts:
        if not same(draft.issuer, case.credit.beneficiary.name):
            yield asked("59", case.credit.beneficiary.name), told(draft, "issuer", draft.issuer)


@check("invoice.seller", "UCP 600 18(a)(i)", "The invoice does not come from the beneficiary.")
def _seller(case: Case) -> Iterator[Conflict]:
    for invoice in case.invoices:
        if not same(invoice.seller.name, case.credit.beneficiary.name):
            yield (
                asked("59", case.credit.beneficiary.name),
                (told(invoice, "seller", invoice.seller.name)),
            )


@check("invoice.buyer", "UCP 600 18(a)(ii)", "The invoice is not made out to the applicant.")
def _buyer(case: Case) -> Iterator[Conflict]:
    for invoice in case.invoices:
        if not same(invoice.buyer.name, case.credit.applicant.name):
            yield (
                asked("50", case.credit.applicant.name),
                told(invoice, "buyer", invoice.buyer.name),
            )


@check("invoice.countries", "UCP 600 14(j)", "An address lies in another country.")
def _countries(case: Case) -> Iterator[Conflict]:
    for invoice in case.invoices:
        pairs = (
            ("59", case.credit.beneficiary, invoice.seller),
            ("50", case.credit.applicant, invoice.buyer),
        )
        for tag, theirs, ours in pairs:
            if theirs.country != ours.country:
                yield asked(tag, theirs.country), told(invoice, "country", ours.country)


@check("invoice.currency", "UCP 600 18(a)(iii)", "The invoice is in another currency.")
def _invoice_currency(case: Case) -> Iterator[Conflict]:
    for invoice in case.invoices:
        if invoice.currency != case.credit.currency:
            yield asked("32B", case.credit.currency), told(invoice, "currency", invoice.currency)


@check("invoice.goods", "UCP 600 18(c)", "The invoice does not describe the goods as the credit.")
def _goods(case: Case) -> Iterator[Conflict]:
    goods = case.credit.goods
    for invoice in case.invoices:
        if not goods.lines and not within(goods.description, invoice.description):
            field = told(invoice, "description", invoice.description)
            yield asked("45A", goods.description), field
    for invoice, line, kind in _kinds(case):
        if kind is None:
            field = "lines" if invoice.lines else "description"
            yield asked("45A", goods.description), told(invoice, field, line.description)


@check("invoice.title", "ISBP 821 C1", "A provisional or pro-forma invoice is no invoice.")
def _title(case: Case) -> Iterator[Conflict]:
    for invoice in case.invoices:
        words = invoice.title
        if any(within(bad, words) for bad in ("proforma", "pro forma", "provisional")):
            yield asked("46A", "invoice"), told(invoice, "title", words)


@check("invoice.sum", "ISBP 821 C6; UCP 600 14(d)", "Quantity, price and charges do not add up.")
def _sum(case: Case) -> Iterator[Conflict]:
    for invoice in case.invoices:
        lines = _lines(invoice)
        counted = sum(line.quantity for line in lines)
        if counted != invoice.quantity:
            yield told(invoice, "lines", counted), told(invoice, "quantity", invoice.quantity)
        total = sum(each.quantity * each.unit_price_minor for each in lines)
        total += invoice.charges_minor
        if total != invoice.amount_minor:
            yield (
                told(invoice, "quantity x price + charges", total),
                (told(invoice, "amount_minor", invoice.amount_minor)),
            )


@check("invoice.price", "ISBP 821 C6", "The unit price is not the credit's.")
def _price(case: Case) -> Iterator[Conflict]:
    for invoice, line, kind in _kinds(case):
        wanted = kind.unit_price_minor if kind else 0
        if wanted and line.unit_price_minor != wanted:
            price = line.unit_price_minor
            yield (
                asked("45A price", wanted),
                told(invoice, "lines", f"{line.description}: {price}")
                if invoice.lines
                else told(invoice, "unit_price_minor", price),
            )


@check("invoice.unit", "ISBP 821 C6", "The quantity is counted in another unit.")
def _unit(case: Case) -> Iterator[Conflict]:
    for invoice in case.invoices:
        if not same(invoice.unit, case.credit.goods.unit):
            yield asked("45A unit", case.credit.goods.unit), told(invoice, "unit", invoice.unit)


@check("invoice.over_quantity", "UCP 600 30(a), 30(b)", "More goods than the tolerance allows.")
def _over_quantity(case: Case) -> Iterator[Conflict]:
    for where, kind, wanted, total in _invoiced(case):
        if total * 100 > wanted * (100 + _tolerance(case)):
            yield asked("45A quantity", f"{kind}{wanted}"), f"invoice:{where} = {kind}{total}"


@check("invoice.partial", "UCP 600 30(b), 31(a)", "Part of the goods, though no part is allowed.")
def _partial(case: Case) -> Iterator[Conflict]:
    if not case.invoices or case.credit.shipment.partial_allowed:
        return
    for where, kind, wanted, total in _invoiced(case):
        if total * 100 < wanted * (100 - _tolerance(case)):
            yield asked("43P", "not allowed"), f"invoice:{where} = {kind}{total} of {wanted}"


@check("invoice.rule", "ISBP 821 C8", "The invoice states another trade term.")
def _rule(case: Case) -> Iterator[Conflict]:
    goods = case.credit.goods
    for invoice in case.invoices:
        pairs = (("rule", goods.rule, invoice.rule), ("place", goods.place, invoice.place))
        for field, wanted, stated in pairs:
            if wanted and not same(wanted, stated):
                yield asked(f"45A {field}", wanted), told(invoice, field, stated)


@check("invoice.free_goods", "ISBP 821 C12", "The invoice shows goods that nobody ordered.")
def _free_goods(case: Case) -> Iterator[Conflict]:
    for invoice in case.invoices:
        if invoice.free_of_charge:
            yield asked("45A", "nothing free of charge"), told(invoice, "free_of_charge", "yes")


@check(
    "invoice.added_goods", "UCP 600 14(d), 18(c)", "The invoice shows goods beside the credit's."
)
def _added(case: Case) -> Iterator[Conflict]:
    for invoice in case.invoices:
        told_there = [
            invoice.description,
            invoice.text,
            *(one.description for one in invoice.lines),
        ]
        for words in told_there:
            for added in added_goods(words, asked_for=case.credit.goods):
                yield asked("45A", case.credit.goods.description), told(invoice, "goods", added)


def _lines(told_of: Goods | Invoice) -> list[Line]:
    """The kinds of goods; what names none is about one."""
    if told_of.lines:
        return told_of.lines
    return [
        Line(
            description=told_of.description,
            quantity=told_of.quantity,
            unit_price_minor=told_of.unit_price_minor,
        )
    ]


def _kinds(case: Case) -> Iterator[tuple[Invoice, Line, Line | None]]:
    """Each line of the invoices with the credit's kind that it is about, None if about none.

    Of several that fit the most exactly described. Names are made plain once: lines are many.
    """
    goods = case.credit.goods
    names = [(f" {plain(kind.description)} ", kind) for kind in goods.lines]
    names.sort(key=lambda each: -len(each[0]))
    (only,) = [None] if goods.lines else _lines(goods)
    for invoice in case.invoices:
        for line in _lines(invoice):
            text = "" if only else f" {plain(line.description)} "
            yield invoice, line, only or next((kind for name, kind in names if name in text), None)


def _invoiced(case: Case) -> Iterator[tuple[str, str, int, int]]:
    """A field, the kind of goods, how much of it the credit asks, how much the invoices have."""
    goods = case.credit.goods
    yield "quantity", "", goods.quantity, sum(invoice.quantity for invoice in case.invoices)
    totals = dict.fromkeys((line.description for line in goods.lines), 0)
    for _, line, kind in _kinds(case) if goods.lines else ():
        if kind is not None:
            totals[kind.description] += line.quantity
    for one in goods.lines:
        yield "lines", f"{one.description}: ", one.quantity, totals[one.description]


def _tolerance(case: Case) -> int:
    """Per cent of quantity, more or less."""
    goods = case.credit.goods
    if goods.about:
        return 10
    return 0 if goods.by_pieces else 5
