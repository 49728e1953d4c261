"""The table: every row with its question, who asks it, and the function that answers.

Topics of the bank's rows: UCP 600 articles 14, 17 to 31, ISBP 821; of customs' rows: the agreements
and the WTO Valuation Agreement. Numbers of articles were not checked against the published texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhidao.trade.domain.comparison import Answer, CheckResult
from zhidao.trade.domain.conflicts import goods, money, parties
from zhidao.trade.domain.conflicts.compared_set import Evidence
from zhidao.trade.domain.conflicts.odd_one import told_once


class View(StrEnum):
    """Whose question a row is."""

    BANK = "bank"
    CUSTOMS = "customs"


_CUSTOMS: Final = frozenset(f"XD-{n:02}" for n in (6, 14, 15, 16, 17, 18, 20, 32, 33, 34, 35, 36))
# Of customs' rows these are no concern of a bank that looks at papers only.
_NOT_THE_BANKS: Final = frozenset(("XD-14", "XD-33", "XD-34", "XD-35"))
RULES: Final = tuple(f"XD-{n:02}" for n in range(1, 37))

CHECKS: Final[tuple[Callable[[Evidence], Iterator[CheckResult]], ...]] = (
    goods.credit_goods,
    goods.descriptions,
    money.currency,
    money.amount,
    money.drawing,
    goods.quantities,
    money.delivery_terms,
    parties.sellers_and_buyers,
    parties.consignees,
    parties.shippers,
    parties.certificate_consignees,
    goods.commodity_codes,
    goods.origins,
    goods.weights,
    goods.packages,
    goods.marks,
    goods.boxes,
    parties.ports,
    money.shipment_date,
    money.presentation_date,
    money.document_dates,
    money.insurance,
    parties.clean,
    parties.originals,
    money.freight,
    parties.transhipment,
    money.references,
    parties.criteria,
    parties.direct_consignment,
    money.declared_value,
    parties.voyages,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All answers, ordered by row."""

    answers: tuple[CheckResult, ...]

    def seen_by(self, view: View) -> tuple[CheckResult, ...]:
        """The answers that are of concern to one party."""
        return tuple(answer for answer in self.answers if view in views_of(answer.rule))

    @property
    def findings(self) -> tuple[CheckResult, ...]:
        """Every answer but agreement."""
        return tuple(answer for answer in self.answers if answer.answer is not Answer.AGREE)

    def told(self, view: View | None = None) -> tuple[CheckResult, ...]:
        """The findings as a person reads them, of concern to one party or to all.

        Where one paper stands alone it is one finding, however many rows compared it.
        """
        return told_once(self.answers if view is None else self.seen_by(view))

    @property
    def unasked(self) -> tuple[str, ...]:
        """Rows that had nothing to compare: papers or facts for them are not there."""
        asked = {answer.rule for answer in self.answers}
        return tuple(rule for rule in RULES if rule not in asked)


def views_of(rule: str) -> frozenset[View]:
    """Who asks a row."""
    views = set()
    if rule not in _NOT_THE_BANKS:
        views.add(View.BANK)
    if rule in _CUSTOMS:
        views.add(View.CUSTOMS)
    return frozenset(views)


def compare(evidence: Evidence) -> Comparison:
    """Every row's answers about a set."""
    answers = [answer for check in CHECKS for answer in check(evidence)]
    return Comparison(tuple(sorted(answers, key=lambda answer: answer.rule)))
