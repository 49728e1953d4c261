"""What the rows of the table are asked of: the papers of a set, and what is known beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from zhidao.trade.domain.comparison import Answer, CheckResult, Statement, result
from zhidao.trade.domain.model.catalogue import ITEM
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.model.forms import plain
from zhidao.trade.domain.reason_codes import About, Note, Noted

INVOICES: Final = ("invoice_ubl", "invoice_cii")
CARRIAGE: Final = ("transport_document", "rail_consignment_note", "road_consignment_note")
CERTIFICATES: Final = ("origin_rcep", "origin_form_e")
DECLARATIONS: Final = ("export_declaration", "import_declaration")
CREDIT: Final = "documentary_credit"
BILL: Final = "transport_document"


@dataclass(frozen=True, slots=True)
class Movement:
    """What events tell of the carriage: the means' name, voyage, containers."""

    means: str
    voyage: str
    containers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A set's papers by kind, and facts from elsewhere; None or empty: not known.

    `criteria`: for each agreement, the criterion recomputed for each item id. `track`: countries
    passed, in order, from verified positions. `under_control`: countries where transit under
    customs control is proven. `title_controlled`: who holds an electronic bill alone is proven.
    """

    papers: Mapping[str, CanonicalConsignment]
    criteria: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    track: tuple[str, ...] = ()
    under_control: frozenset[str] = frozenset()
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    movement: Movement | None = None
    title_controlled: bool | None = None

    def those(self, kinds: tuple[str, ...]) -> Iterator[tuple[str, CanonicalConsignment]]:
        """The papers of these kinds that are there."""
        yield from ((kind, self.papers[kind]) for kind in kinds if kind in self.papers)

    @property
    def invoice(self) -> tuple[str, CanonicalConsignment] | None:
        """The first invoice of the set."""
        return next(self.those(INVOICES), None)

    @property
    def credit(self) -> CanonicalConsignment | None:
        """The documentary credit, if there is one."""
        return self.papers.get(CREDIT)


def stated(kind: str, paper: CanonicalConsignment, path: str) -> Statement:
    """What a paper says at a field, with the place in the paper itself."""
    source = paper.sources.get(path)
    return Statement(kind, source.place if source else path, paper.get(path, "absent"))


def by_id(paper: CanonicalConsignment, name: str) -> dict[str, tuple[str, str]]:
    """For each item id its value and its path; papers without item ids count them by place."""
    found = {}
    for k in range(paper.counts[ITEM]):
        path = f"{ITEM}[{k}].{name}"
        identifier = paper.get(f"{ITEM}[{k}].id", str(k + 1))
        if path in paper.values:
            found[identifier] = (paper.get(path), path)
    return found


def summed(kind: str, paper: CanonicalConsignment, name: str) -> tuple[Decimal, Statement] | None:
    """The sum of a number over a paper's items, None where no item bears it."""
    if not any(paper.each(ITEM, name)):
        return None
    total = paper.total(name)
    return total, Statement(kind, f"sum of {name}", plain(total))


def ordered(
    rule: str, what: About, *, earlier: Statement, later: Statement, reason: Note | None = None
) -> CheckResult:
    """Agreement if the first day is not after the second."""
    agrees = earlier.value <= later.value
    answer = Answer.AGREE if agrees else Answer.CONFLICT
    note = None if agrees or reason is None else Noted(reason)
    return result(rule, answer, what, earlier, later, note=note)
