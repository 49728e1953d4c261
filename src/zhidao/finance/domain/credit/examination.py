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

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final, TypeAlias, TypeVar

from zhidao.finance.domain.credit.calendar import BankingCalendar
from zhidao.finance.domain.credit.papers import (
    AnyPaper,
    Draft,
    Insurance,
    Invoice,
    PackingList,
    Paper,
    Presentation,
    Transport,
)
from zhidao.finance.domain.credit.terms import Credit

_PaperT = TypeVar("_PaperT", bound=Paper)
Conflict: TypeAlias = tuple[str, str]
"""The two data that do not go together: `place:field = value`."""


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


@dataclass(frozen=True)
class Case:
    """A presentation under a credit, at a counter with its calendar."""

    credit: Credit
    presentation: Presentation
    calendar: BankingCalendar

    def every(self, kind: type[_PaperT]) -> list[_PaperT]:
        """The documents of one kind."""
        return [paper for paper in self.presentation.documents if isinstance(paper, kind)]

    @cached_property
    def invoices(self) -> list[Invoice]:
        """The invoices."""
        return self.every(Invoice)

    @cached_property
    def drafts(self) -> list[Draft]:
        """The drafts."""
        return self.every(Draft)

    @cached_property
    def transports(self) -> list[Transport]:
        """The transport documents."""
        return self.every(Transport)

    @cached_property
    def covers(self) -> list[Insurance]:
        """The insurance documents."""
        return self.every(Insurance)

    @cached_property
    def packing_lists(self) -> list[PackingList]:
        """The packing lists."""
        return self.every(PackingList)

    @cached_property
    def asked(self) -> list[AnyPaper]:
        """The documents that the credit asks for; others are disregarded (article 14(g))."""
        kinds = {one.kind for one in self.credit.requirements}
        return [paper for paper in self.presentation.documents if kind_of(paper) in kinds]

    @cached_property
    def shipped_on(self) -> date | None:
        """The latest on-board date of the set (article 31(b)), or None."""
        dates = [one.on_board_on or one.issued_on for one in self.transports]
        return max((day for day in dates if day is not None), default=None)


Check: TypeAlias = Callable[[Case], Iterator[Conflict]]
CHECKS: Final[dict[str, tuple[str, str, str, Check]]] = {}
"""By name: article, that of URDTT, sentence, the check. Filled by the modules of checks."""
_URDTT: Final = "URDTT 1.0"


def check(name: str, article: str, sentence: str, *, urdtt: str = "") -> Callable[[Check], Check]:
    """Registers a check. `urdtt`: what a credit under URDTT cites for it, if it has its own."""

    def register(function: Check) -> Check:
        assert name not in CHECKS, f"two checks are called {name}"
        # Under URDTT a record that is not what the terms ask for does not comply (article 8); how
        # data are compared is then the credit's own choice, and that is the bankers' practice.
        CHECKS[name] = (article, urdtt or f"{_URDTT} 8, as {article}", sentence, function)
        return function

    return register


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
    from zhidao.finance.domain.credit import (  # noqa: F401 (they register themselves)
        certificate_checks,
        general_checks,
        insurance_checks,
        money_checks,
        obligation_checks,
        record_checks,
        transport_checks,
    )

    case = Case(credit, presentation, calendar)
    own = credit.regime == _URDTT
    found = tuple(
        Discrepancy(name, urdtt if own else article, sentence, left, right)
        for name, (article, urdtt, sentence, function) in CHECKS.items()
        for left, right in function(case)
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


def kind_of(paper: Paper) -> str:
    """`invoice`, `transport`, ..."""
    return str(paper.__struct_config__.tag)


def told(paper: Paper, field: str, value: object) -> str:
    """A datum of a document, as a person finds it."""
    return f"{kind_of(paper)}:{field} = {value}"


def asked(field: str, value: object) -> str:
    """A datum of the credit."""
    return f"credit:{field} = {value}"


def plain(text: str) -> str:
    """A name or description as it is compared: without case, punctuation and double blanks."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


def same(one: str, other: str) -> bool:
    """Whether two names are the same but for spelling signs."""
    return plain(one) == plain(other)


def within(part: str, whole: str) -> bool:
    """Whether a text holds another one as whole words."""
    return f" {plain(part)} " in f" {plain(whole)} "


def agree(one: str, other: str) -> bool:
    """Whether two descriptions do not conflict: one may be more general (article 14(e))."""
    first, second = set(plain(one).split()), set(plain(other).split())
    return not first or not second or first <= second or second <= first
