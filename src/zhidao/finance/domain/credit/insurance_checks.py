"""Checks of the insurance document: UCP 600 article 28."""

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


@check("insurance.form", "UCP 600 28(c)", "A cover note is no insurance document.")
def _form(case: Case) -> Iterator[Conflict]:
    for paper in case.covers:
        if paper.form == "cover note":
            yield told(paper, "form", paper.form), "rule:form = policy, certificate or declaration"


@check("insurance.capacity", "UCP 600 28(a)", "It was not issued by or for an insurer.")
def _capacity(case: Case) -> Iterator[Conflict]:
    for paper in case.covers:
        if paper.capacity == "broker":
            yield told(paper, "capacity", paper.capacity), "rule:capacity = insurer, agent or proxy"


@check("insurance.originals", "UCP 600 28(b)", "Not all originals that were issued are there.")
def _originals(case: Case) -> Iterator[Conflict]:
    for paper in case.covers:
        if not paper.record and paper.originals < paper.originals_issued:
            yield (
                told(paper, "originals_issued", paper.originals_issued),
                (told(paper, "originals", paper.originals)),
            )


@check("insurance.date", "UCP 600 28(e)", "Cover begins after shipment.")
def _date(case: Case) -> Iterator[Conflict]:
    for paper in case.covers:
        begins = paper.effective_on or paper.issued_on
        if begins is not None and case.shipped_on is not None and begins > case.shipped_on:
            yield told(paper, "effective_on", begins), f"transport:on_board_on = {case.shipped_on}"


@check("insurance.currency", "UCP 600 28(f)(i)", "Cover is in another currency.")
def _currency(case: Case) -> Iterator[Conflict]:
    for paper in case.covers:
        if paper.currency != case.credit.currency:
            yield asked("32B", case.credit.currency), told(paper, "currency", paper.currency)


@check("insurance.amount", "UCP 600 28(f)(ii)", "Cover is below the percentage asked for.")
def _amount(case: Case) -> Iterator[Conflict]:
    total = sum(invoice.amount_minor for invoice in case.invoices)
    base = max(total, case.presentation.claimed_minor)
    percent = case.credit.cover.percent if case.credit.cover else 110
    insured = sum(paper.amount_minor for paper in case.covers)
    if case.covers and insured * 100 < base * percent:
        yield (
            f"invoice:amount_minor x {percent} % = {base * percent // 100}",
            (told(case.covers[0], "amount_minor", insured)),
        )


@check("insurance.voyage", "UCP 600 28(f)(iii)", "Cover does not run from port to port.")
def _voyage(case: Case) -> Iterator[Conflict]:
    shipment = case.credit.shipment
    for paper in case.covers:
        if not within(shipment.loading, paper.covers_from):
            yield asked("44E", shipment.loading), told(paper, "covers_from", paper.covers_from)
        if not within(shipment.discharge, paper.covers_to):
            yield asked("44F", shipment.discharge), told(paper, "covers_to", paper.covers_to)


@check("insurance.risks", "UCP 600 28(g), 28(h)", "A risk that the credit names is not covered.")
def _risks(case: Case) -> Iterator[Conflict]:
    wanted = case.credit.cover.risks if case.credit.cover else []
    for paper in case.covers:
        covered = {plain(risk) for risk in paper.risks}
        for risk in wanted:
            if plain(risk) not in covered:
                yield asked("46A risk", risk), told(paper, "risks", ", ".join(paper.risks))


@check("insurance.excess", "UCP 600 28(j)", "An excess, though cover must pay any percentage.")
def _excess(case: Case) -> Iterator[Conflict]:
    strict = case.credit.cover is not None and case.credit.cover.irrespective_of_percentage
    for paper in case.covers:
        if strict and paper.excess:
            yield asked("46A", "irrespective of percentage"), told(paper, "excess", "yes")


@check("insurance.endorsed", "ISBP 821 K19", "It is not endorsed by who is assured.")
def _endorsed(case: Case) -> Iterator[Conflict]:
    for paper in case.covers:
        if same(paper.assured, case.credit.beneficiary.name) and not paper.endorsed:
            yield told(paper, "assured", paper.assured), told(paper, "endorsed", "no")


@check("insurance.vessel", "UCP 600 14(d)", "It names another vessel than the bill of lading.")
def _vessel(case: Case) -> Iterator[Conflict]:
    for paper in case.covers:
        vessels = [one.vessel for one in case.transports]
        if paper.vessel and vessels and not any(same(paper.vessel, one) for one in vessels):
            yield f"transport:vessel = {vessels[0]}", told(paper, "vessel", paper.vessel)
