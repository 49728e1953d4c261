"""Whether goods originate, by which criterion, and the tree of reasons; exact, never rounded.

Source: RCEP articles 3.2 (originating goods), 3.4 (cumulation), 3.5 (regional value content), 3.7
(de minimis), 3.15 (direct consignment); not checked against the published text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.origin.agreements import Agreement, ProductRule


@dataclass(frozen=True, slots=True)
class Material:
    """An input. `proofs`: agreements under which its origin is proven; `weight_kg` may be 0."""

    description: str
    hs: str
    value: Decimal
    origin: str
    proofs: frozenset[str] = frozenset()
    weight_kg: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class BillOfMaterials:
    """What a product is made of and what it costs, all values in one currency, of one lot.

    `fob` is the value free on board; `hs` six digits of the agreement's edition; the costs serve
    the build-up method. `wholly_obtained`, `reacted`: the maker's own statements.
    """

    product: str
    hs: str
    country: str
    fob: Decimal
    materials: tuple[Material, ...]
    labour: Decimal = Decimal(0)
    overhead: Decimal = Decimal(0)
    profit: Decimal = Decimal(0)
    other: Decimal = Decimal(0)
    weight_kg: Decimal = Decimal(0)
    wholly_obtained: bool = False
    reacted: bool = False

    def __post_init__(self) -> None:
        amounts = (self.fob, self.labour, self.overhead, self.profit, self.other)
        values = (*amounts, *(material.value for material in self.materials))
        if any(not value.is_finite() or value < 0 for value in values) or not self.fob:
            raise MalformedInput("values are not negative and FOB is above zero", where="fob")


class Outcome(StrEnum):
    """Three answers, as everywhere."""

    ORIGINATING = "originating"
    NOT_ORIGINATING = "not originating"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Reason:
    """A node of the proof tree: a sentence, whether it holds (None: unknown), what it rests on."""

    sentence: str
    holds: bool | None
    because: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for one agreement. `notes` are ACU and DMI where they were needed.

    `share_percent` is the larger value content of both methods, cut (never rounded up) to three
    decimals.
    """

    agreement: str
    outcome: Outcome
    criterion: str
    notes: tuple[str, ...]
    share_percent: Decimal
    proof: Reason


_TEXTILES: Final = range(50, 64)
_CHANGES: Final = {"CC": 2, "CTH": 4, "CTSH": 6}
_NAMES: Final = {2: "chapter", 4: "heading", 6: "subheading"}


@dataclass(frozen=True, slots=True)
class Route:
    """Countries of the verified track in order; `under_control`: where customs held the transit."""

    countries: tuple[str, ...]
    under_control: frozenset[str] = frozenset()


def determine(
    bill: BillOfMaterials, agreement: Agreement, *, route: Route | None = None
) -> Decision:
    """Whether the product originates under one agreement.

    Without a route the tree says that direct consignment was not asked; with one, a country
    outside of the agreement without proven control takes the preference away.
    """
    ours, foreign = _sides(bill, agreement)
    shares = build_down(bill, foreign), build_up(bill, ours)
    share = _cut(max(shares))
    if bill.country not in agreement.members:
        reason = Reason(f"{bill.country} is no party of {agreement.name}", holds=False)
        return Decision(agreement.name, Outcome.NOT_ORIGINATING, "", (), share, reason)
    direct = _direct(agreement, route)
    criterion, notes, proof = _criterion(bill, agreement, ours, foreign, shares)
    whole = Reason(
        f"{bill.product} has {agreement.name} preference", _both(proof, direct), (proof, direct)
    )
    if proof.holds is None:
        outcome = Outcome.UNDECIDED
    elif proof.holds and direct.holds is not False:
        outcome = Outcome.ORIGINATING
    else:
        outcome = Outcome.NOT_ORIGINATING
    named = criterion if outcome is Outcome.ORIGINATING else ""
    return Decision(agreement.name, outcome, named, notes if named else (), share, whole)


def build_down(bill: BillOfMaterials, foreign: Iterable[Material]) -> Fraction:
    """(FOB - value of non-originating materials) / FOB, in per cent."""
    inputs = sum((Fraction(material.value) for material in foreign), Fraction(0))
    return (Fraction(bill.fob) - inputs) / Fraction(bill.fob) * 100


def build_up(bill: BillOfMaterials, ours: Iterable[Material]) -> Fraction:
    """(Originating materials + labour + overhead + profit + other) / FOB, in per cent."""
    inputs = sum((Fraction(material.value) for material in ours), Fraction(0))
    costs = (bill.labour, bill.overhead, bill.profit, bill.other)
    return (
        (inputs + sum((Fraction(cost) for cost in costs), Fraction(0))) / Fraction(bill.fob) * 100
    )


def _sides(bill: BillOfMaterials, agreement: Agreement) -> tuple[list[Material], list[Material]]:
    """Originating and other materials: a party's origin counts only with its proof (cumulation)."""
    ours: list[Material] = []
    foreign: list[Material] = []
    for material in bill.materials:
        proven = material.origin in agreement.members and agreement.name in material.proofs
        (ours if proven else foreign).append(material)
    return ours, foreign


def _criterion(
    bill: BillOfMaterials,
    agreement: Agreement,
    ours: list[Material],
    foreign: list[Material],
    shares: tuple[Fraction, Fraction],
) -> tuple[str, tuple[str, ...], Reason]:
    cumulated = any(material.origin != bill.country for material in ours)
    if bill.wholly_obtained and not bill.materials:
        return "WO", (), Reason("wholly obtained, by the maker's statement", holds=True)
    if not foreign and ours:
        told = Reason("every material is originating, with its proof", holds=True)
        return "PE", ("ACU",) if cumulated else (), told
    if not bill.materials:
        # A bill without a line is a question, not a product of nothing foreign.
        return "", (), Reason("no material is listed", holds=None)
    rule = agreement.rule_of(bill.hs)
    if rule is None:
        sentence = f"no {agreement.name} rule for {bill.hs} is installed"
        return "", (), Reason(sentence, holds=None)
    return _by_rule(rule, bill, agreement, foreign, shares, ("ACU",) if cumulated else ())


def _by_rule(
    rule: ProductRule,
    bill: BillOfMaterials,
    agreement: Agreement,
    foreign: list[Material],
    shares: tuple[Fraction, Fraction],
    cumulated: tuple[str, ...],
) -> tuple[str, tuple[str, ...], Reason]:
    """The first alternative of the product's rule that holds, after those that do not."""
    tried: list[Reason] = []
    for alternative in rule.alternatives:
        terms = [_term(term, bill, agreement, foreign, shares) for term in alternative]
        holds = all(reason.holds for reason, _ in terms)
        reason = Reason(" and ".join(alternative), holds, tuple(reason for reason, _ in terms))
        if holds:
            tolerated = any(needed for _, needed in terms)
            notes = cumulated + (("DMI",) if tolerated else ())
            return _code(alternative), notes, Reason(f"rule {rule}", True, (*tried, reason))
        tried.append(reason)
    return "", (), Reason(f"rule {rule}", False, tuple(tried))


def _code(alternative: tuple[str, ...]) -> str:
    first = alternative[0]
    return "CTC" if first in _CHANGES else "RVC" if first.startswith("RVC") else first


def _term(
    term: str,
    bill: BillOfMaterials,
    agreement: Agreement,
    foreign: list[Material],
    shares: tuple[Fraction, Fraction],
) -> tuple[Reason, bool]:
    """Whether one term holds, and whether it did so only by the tolerance."""
    if term in _CHANGES:
        return _change(_CHANGES[term], bill, agreement, foreign)
    if term.startswith("RVC"):
        wanted = int(term[3:])
        reasons = tuple(
            Reason(f"{name} {_cut(share)} % of at least {wanted} %", share >= wanted)
            for name, share in zip(("build-down", "build-up"), shares, strict=True)
        )
        return Reason(term, any(reason.holds for reason in reasons), reasons), False
    if term == "CR":
        return Reason("a chemical reaction, by the maker's statement", bill.reacted), False
    if term == "PE":
        return Reason("every material is originating", not foreign), False
    return Reason("wholly obtained", bill.wholly_obtained and not bill.materials), False


def _change(
    digits: int, bill: BillOfMaterials, agreement: Agreement, foreign: list[Material]
) -> tuple[Reason, bool]:
    kept = [material for material in foreign if material.hs[:digits] == bill.hs[:digits]]
    name = _NAMES[digits]
    reasons = tuple(
        Reason(f"{m.description} {m.hs} of {m.origin}: change of {name}", m not in kept)
        for m in foreign
    )
    if not kept:
        return Reason(f"every other material changes {name}", True, reasons), False
    tolerance = _tolerance(kept, bill, agreement)
    return Reason(f"change of {name}", tolerance.holds, (*reasons, tolerance)), True


def _tolerance(kept: list[Material], bill: BillOfMaterials, agreement: Agreement) -> Reason:
    """De minimis: materials without the change are at most a share of value, or of weight."""
    limit = Fraction(agreement.tolerance_percent)
    value = sum((Fraction(m.value) for m in kept), Fraction(0)) / Fraction(bill.fob) * 100
    by_value = Reason(
        f"{_cut(value)} % of FOB without the change, at most {limit} %", value <= limit
    )
    if not agreement.textile_weight or int(bill.hs[:2]) not in _TEXTILES or not bill.weight_kg:
        return by_value
    weight = (
        sum((Fraction(m.weight_kg) for m in kept), Fraction(0)) / Fraction(bill.weight_kg) * 100
    )
    weighed = all(m.weight_kg for m in kept)
    by_weight = Reason(
        f"{_cut(weight)} % of weight, at most {limit} %", weighed and weight <= limit
    )
    holds = bool(by_value.holds or by_weight.holds)
    return Reason("tolerance by value or weight", holds, (by_value, by_weight))


def _direct(agreement: Agreement, route: Route | None) -> Reason:
    if route is None:
        return Reason("direct consignment was not asked: no verified track", holds=None)
    outside = [c for c in dict.fromkeys(route.countries) if c not in agreement.members]
    reasons = tuple(
        Reason(f"transit of {c} under customs control", c in route.under_control) for c in outside
    )
    holds = bool(route.countries) and all(reason.holds for reason in reasons)
    return Reason(f"track {' '.join(route.countries) or 'is empty'}", holds, reasons)


def _both(one: Reason, two: Reason) -> bool | None:
    if one.holds is False or two.holds is False:
        return False
    return None if one.holds is None else True


def _cut(share: Fraction) -> Decimal:
    """Three decimals, cut towards zero: 39.9999 must never be shown as 40."""
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(share.numerator) / Decimal(share.denominator)
        return exact.quantize(Decimal("0.001"), rounding=ROUND_DOWN)
