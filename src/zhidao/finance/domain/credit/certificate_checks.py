"""Checks of packing lists and certificates: UCP 600 article 14(d), 14(f) and ISBP 821 L to Q."""

from __future__ import annotations

from collections.abc import Iterator

from zhidao.finance.domain.credit.checks import Case, Conflict, asked, check, same, told
from zhidao.finance.domain.credit.papers import Inspection, Origin


@check("packing.net_weight", "UCP 600 14(d); ISBP 821 M", "Net weight is above gross weight.")
def _net(case: Case) -> Iterator[Conflict]:
    for paper in case.packing_lists:
        if paper.net_g > paper.gross_g:
            yield told(paper, "net_g", paper.net_g), told(paper, "gross_g", paper.gross_g)


@check("origin.certified", "ISBP 821 L1, L4", "The certificate certifies no origin.")
def _certified(case: Case) -> Iterator[Conflict]:
    for paper in case.every(Origin):
        if not paper.origin:
            yield told(paper, "origin", "none"), "rule:origin = certified"


@check("origin.country", "UCP 600 14(d)", "The origin is not the one that the credit names.")
def _country(case: Case) -> Iterator[Conflict]:
    wanted = case.credit.goods.origin
    for paper in case.every(Origin):
        if wanted and paper.origin and paper.origin != wanted:
            yield asked("45A origin", wanted), told(paper, "origin", paper.origin)


@check("origin.consignee", "ISBP 821 L5", "Its consignee conflicts with the bill of lading.")
def _consignee(case: Case) -> Iterator[Conflict]:
    allowed = [case.credit.applicant.name, *(one.consignee for one in case.transports)]
    for paper in case.every(Origin):
        if paper.consignee and not any(same(paper.consignee, one) for one in allowed):
            yield (
                f"transport:consignee = {allowed[-1]}",
                (told(paper, "consignee", paper.consignee)),
            )


@check("origin.invoice", "ISBP 821 L4", "It relates to another invoice.")
def _invoice(case: Case) -> Iterator[Conflict]:
    numbers = [one.number for one in case.invoices]
    for paper in case.every(Origin):
        if paper.invoice and numbers and not any(same(paper.invoice, one) for one in numbers):
            yield f"invoice:number = {numbers[0]}", told(paper, "invoice", paper.invoice)


@check("inspection.passed", "ISBP 821 Q5", "The inspection says that the goods failed.")
def _passed(case: Case) -> Iterator[Conflict]:
    for paper in case.every(Inspection):
        if not paper.passed:
            yield told(paper, "passed", "no"), asked("46A", "inspection")


@check("inspection.before", "ISBP 821 A12, Q3", "It was not made before shipment.")
def _before(case: Case) -> Iterator[Conflict]:
    for paper in case.every(Inspection):
        on = paper.inspected_on or paper.issued_on
        if on is not None and case.shipped_on is not None and on > case.shipped_on:
            yield told(paper, "inspected_on", on), f"transport:on_board_on = {case.shipped_on}"
