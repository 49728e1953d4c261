"""The examination engine: every check is asked of a presentation, and all answers come at once.

A bank that refuses gives one notice with every discrepancy (UCP 600 article 16(c)), so nothing
stops at the first. Data need not be identical, only free of conflict (article 14(d)); documents
that nobody asked for and conditions without a document are disregarded (14(g), 14(h)) and named.
The articles are told in our own words. UCP 600, ISBP 821, eUCP 2.1 and URDTT 1.0 themselves were
not at hand. The numbers of UCP 600 and ISBP 821 are from general knowledge, not checked; which
article of eUCP and URDTT speaks of what was held against public tables of contents and
commentaries, their sub-articles were not checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from zhidao.finance.domain.credit import (  # noqa: F401 (they register themselves)
    certificate_checks,
    general_checks,
    insurance_checks,
    money_checks,
    obligation_checks,
    record_checks,
    transport_checks,
)
from zhidao.finance.domain.credit.calendar import BankingCalendar
from zhidao.finance.domain.credit.checks import CHECKS, URDTT, Case, told
from zhidao.finance.domain.credit.credit_terms import Credit
from zhidao.finance.domain.credit.papers import Presentation


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One reason to refuse: the check, its article, our sentence, and the two data."""

    check: str
    article: str
    sentence: str
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Examination:
    """The whole answer. It complies if there is no discrepancy."""

    checks: int
    discrepancies: tuple[Discrepancy, ...]
    disregarded: tuple[str, ...]
    examine_until: date

    @property
    def complies(self) -> bool:
        """Whether the bank must honour."""
        return not self.discrepancies


def examine(
    credit: Credit,
    presentation: Presentation,
    calendar: BankingCalendar,
    *,
    examiner: BankingCalendar | None = None,
) -> Examination:
    """All discrepancies of a presentation, in the order of the checks.

    `calendar`: of the counter, where the credit expires. `examiner`: of the examining bank's place,
    whose banking days the time to refuse counts; None: the same. Raises Refused
    (`calendar_not_known`) if the answer depends on a year that a calendar does not know.
    """
    case = Case(credit, presentation, calendar)
    own = credit.regime == URDTT
    found = tuple(
        Discrepancy(name, urdtt if own else (*named, article)[0], sentence, left, right)
        for name, (article, urdtt, sentence, function) in CHECKS.items()
        for left, right, *named in function(case)
    )
    asked = {id(paper) for paper in case.asked}
    extra = [
        f"{told(paper, 'number', paper.number)}: not asked for (UCP 600 article 14(g))"
        for paper in presentation.documents
        if id(paper) not in asked
    ]
    extra += [
        f"condition without a document: {condition} (UCP 600 article 14(h))"
        for condition in credit.conditions
    ]
    until = (examiner or calendar).examine_until(presentation.counts_from, presentation.pauses)
    return Examination(len(CHECKS), found, tuple(extra), until)
