"""Judging a machine's values against the limits of an order, in exact decimals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc


@dataclass(frozen=True, slots=True)
class Sample:
    """One value as the machine gave it. `observed_at` is the machine's own source time."""

    name: str
    value: Decimal
    observed_at: Utc


@dataclass(frozen=True, slots=True)
class Bound:
    """What a value must keep: `low <= value <= high`, in `unit` (UN/ECE Rec. 20)."""

    name: str
    low: Decimal
    high: Decimal
    unit: str

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise MalformedInput(f"limit {self.name}: low {self.low} is above high {self.high}")


@dataclass(frozen=True, slots=True)
class Judgement:
    """How all samples of one name stand to their bound."""

    bound: Bound
    count: int
    lowest: Decimal
    highest: Decimal
    mean: Decimal
    outside: int


def decimal_of(text: str, *, what: str) -> Decimal:
    """A finite decimal of at most 30 characters. Raises MalformedInput."""
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise MalformedInput(f"{what} is no number: {text[:40]!r}") from error
    if not value.is_finite() or len(text) > 30:
        raise MalformedInput(f"{what} is no plain number: {text[:40]!r}")
    return value


def judge(samples: Sequence[Sample], bounds: Sequence[Bound]) -> list[Judgement]:
    """One judgement a bound, in their order.

    Raises MalformedInput if a bound has no sample: what was not measured is not within limits.
    """
    by_name: Mapping[str, list[Decimal]] = {bound.name: [] for bound in bounds}
    for sample in samples:
        if sample.name in by_name:
            by_name[sample.name].append(sample.value)
    judged = []
    for bound in bounds:
        values = by_name[bound.name]
        if not values:
            raise MalformedInput(f"the machine gave no value of {bound.name}")
        judged.append(
            Judgement(
                bound=bound,
                count=len(values),
                lowest=min(values),
                highest=max(values),
                mean=(sum(values, Decimal(0)) / len(values)).quantize(Decimal("0.0001")),
                outside=sum(not bound.low <= value <= bound.high for value in values),
            )
        )
    return judged
