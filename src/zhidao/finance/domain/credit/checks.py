"""What a check of an examination is: a question to the case, kept by its name with its article.

The modules of checks register here and the examination asks all of them; neither knows the other.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final, TypeAlias, TypeVar

from zhidao.finance.domain.credit.calendar import BankingCalendar
from zhidao.finance.domain.credit.credit_terms import Credit
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

_PaperT = TypeVar("_PaperT", bound=Paper)
Conflict: TypeAlias = tuple[str, str] | tuple[str, str, str]
"""The two data that do not go together: `place:field = value`; and their article, if it is not the
check's own."""
URDTT: Final = "URDTT 1.0"


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
        dates = [one.shipped_on for one in self.transports]
        return max((day for day in dates if day is not None), default=None)


Check: TypeAlias = Callable[[Case], Iterator[Conflict]]
CHECKS: Final[dict[str, tuple[str, str, str, Check]]] = {}
"""By name: article, that of URDTT, sentence, the check. Filled by the modules of checks."""


def check(name: str, article: str, sentence: str, *, urdtt: str = "") -> Callable[[Check], Check]:
    """Registers a check. `urdtt`: what a credit under URDTT cites for it, if it has its own."""

    def register(function: Check) -> Check:
        assert name not in CHECKS, f"two checks are called {name}"
        # Under URDTT a record that is not what the terms ask for does not comply (article 8); how
        # data are compared is then the credit's own choice, and that is the bankers' practice.
        CHECKS[name] = (article, urdtt or f"{URDTT} 8, as {article}", sentence, function)
        return function

    return register


def kind_of(paper: Paper) -> str:
    """`invoice`, `transport`, ..."""
    return str(paper.__struct_config__.tag)


def told(paper: Paper, field: str, value: object) -> str:
    """A datum of a document, as a person finds it."""
    return f"{kind_of(paper)}:{field} = {_said(value)}"


def asked(field: str, value: object) -> str:
    """A datum of the credit."""
    return f"credit:{field} = {_said(value)}"


def _said(value: object) -> object:
    return ("yes" if value else "no") if isinstance(value, bool) else value


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
