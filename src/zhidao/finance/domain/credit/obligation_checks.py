"""Checks of a payment obligation that is data: URDTT articles 12 and 13.

Who owes whom how much and when must follow from the terms. URDTT's text was not at hand: which
article speaks of it was held against its table of contents.
"""

from __future__ import annotations

from collections.abc import Iterator

from zhidao.finance.domain.credit.checks import Case, Conflict, asked, check, same, told
from zhidao.finance.domain.credit.papers import PaymentObligation

_ARTICLE = "URDTT 1.0 12"


@check("obligation.amount", _ARTICLE, "It is not for the claimed amount.", urdtt=_ARTICLE)
def _amount(case: Case) -> Iterator[Conflict]:
    papers = case.every(PaymentObligation)
    total = sum(paper.amount_minor for paper in papers)
    claimed = case.presentation.claimed_minor
    if papers and total != claimed:
        yield told(papers[0], "amount_minor", total), f"presentation:claimed_minor = {claimed}"


@check("obligation.currency", _ARTICLE, "It is in another currency.", urdtt=_ARTICLE)
def _currency(case: Case) -> Iterator[Conflict]:
    for paper in case.every(PaymentObligation):
        if paper.currency != case.credit.currency:
            yield asked("32B", case.credit.currency), told(paper, "currency", paper.currency)


@check("obligation.tenor", _ARTICLE, "It is due after another time.", urdtt=_ARTICLE)
def _tenor(case: Case) -> Iterator[Conflict]:
    for paper in case.every(PaymentObligation):
        if paper.tenor_days != case.credit.tenor_days:
            yield asked("42C", case.credit.tenor_days), told(paper, "tenor_days", paper.tenor_days)


@check(
    "obligation.obligor",
    "URDTT 1.0 12, 13",
    "Neither the applicant nor a bank of the credit owes it.",
    urdtt="URDTT 1.0 12, 13",
)
def _obligor(case: Case) -> Iterator[Conflict]:
    credit = case.credit
    # The buyer's own obligation, or a financial services provider's undertaking.
    banks = [one for one in (credit.issuing_bank, credit.confirming_bank, credit.drawee) if one]
    for paper in case.every(PaymentObligation):
        if not any(same(paper.issuer, one) for one in (credit.applicant.name, *banks)):
            yield asked("50", credit.applicant.name), told(paper, "issuer", paper.issuer)


@check("obligation.beneficiary", _ARTICLE, "It is owed to somebody else.", urdtt=_ARTICLE)
def _beneficiary(case: Case) -> Iterator[Conflict]:
    wanted = case.credit.beneficiary.name
    for paper in case.every(PaymentObligation):
        if not same(paper.beneficiary, wanted):
            yield asked("59", wanted), told(paper, "beneficiary", paper.beneficiary)


@check("obligation.conditional", _ARTICLE, "It still depends on a condition.", urdtt=_ARTICLE)
def _conditional(case: Case) -> Iterator[Conflict]:
    for paper in case.every(PaymentObligation):
        if paper.conditional:
            yield told(paper, "conditional", "yes"), "rule:conditional = no"
