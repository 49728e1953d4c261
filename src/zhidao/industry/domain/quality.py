"""Judging a machine's values against the limits of an order, in exact decimals.

What a machine says is a `Reading`; only one that is Good, of the time of the run, and new is a
`Sample`. Whatever else it said is kept beside and counts for nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext
from enum import StrEnum
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc

GOOD: Final = "Good"
# OPC UA Part 6, section 5.2.2.2: the type of which limits are rounded before they are compared.
FLOAT: Final = "Float"
# How far a machine's clock may be beside the node's, before and after the run.
CLOCK_SLACK_NS: Final = 2 * 10**9
# Far beyond what any machine's type holds.
_DECIMAL_CHARS_MAX: Final = 30


@dataclass(frozen=True, slots=True)
class Reading:
    """What a machine answered for one name, whether it counts or not.

    value: None where it gave no finite number. status: the name of the OPC UA status code, `Good`
    and nothing else for a value to rely on. type: the machine's own. Times: None if not said.
    """

    name: str
    value: Decimal | None
    type: str
    status: str
    source_at: Utc | None
    server_at: Utc | None


@dataclass(frozen=True, slots=True)
class Sample:
    """One value that counts. `observed_at` is the machine's own source time.

    type: the machine's own, by which limits are rounded; empty where nobody recorded it.
    """

    name: str
    value: Decimal
    observed_at: Utc
    type: str = ""


class Why(StrEnum):
    """Why a reading is no sample."""

    STATUS = "status"
    NO_NUMBER = "no_number"
    NO_SOURCE_TIME = "no_source_time"
    SOURCE_TIME = "source_time"
    REPEATED = "repeated"
    CONTRADICTS = "contradicts"


@dataclass(frozen=True, slots=True)
class Sifted:
    """The samples among readings, and why each other one is none."""

    samples: tuple[Sample, ...]
    left: tuple[tuple[Reading, Why], ...]

    @property
    def doubtful(self) -> frozenset[str]:
        """Names of which something was said that does not count; a repetition says nothing new."""
        return frozenset(reading.name for reading, why in self.left if why is not Why.REPEATED)


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


def sift(readings: Sequence[Reading], *, begun_at: Utc, ended_at: Utc) -> Sifted:
    """Tells samples from what is none; `begun_at` to `ended_at`: the run, by the node's clock.

    As many samples as distinct source times: a value that stands still was measured once.
    """
    samples: list[Sample] = []
    left: list[tuple[Reading, Why]] = []
    seen: dict[tuple[str, Utc], Decimal] = {}
    earliest, latest = begun_at.plus_ns(-CLOCK_SLACK_NS), ended_at.plus_ns(CLOCK_SLACK_NS)
    for reading in readings:
        why = _why_not(reading, earliest, latest)
        if why is not None:
            left.append((reading, why))
            continue
        assert reading.value is not None
        assert reading.source_at is not None
        known = seen.get((reading.name, reading.source_at))
        if known is not None:
            left.append((reading, Why.REPEATED if known == reading.value else Why.CONTRADICTS))
            continue
        seen[reading.name, reading.source_at] = reading.value
        samples.append(Sample(reading.name, reading.value, reading.source_at, reading.type))
    return Sifted(tuple(samples), tuple(left))


def _why_not(reading: Reading, earliest: Utc, latest: Utc) -> Why | None:
    if reading.status != GOOD:
        return Why.STATUS
    if reading.value is None:
        return Why.NO_NUMBER
    if reading.source_at is None:
        return Why.NO_SOURCE_TIME
    if not 0 <= reading.source_at.since_ns(earliest) <= latest.since_ns(earliest):
        return Why.SOURCE_TIME
    return None


def not_shown(sifted: Sifted, bounds: Sequence[Bound]) -> list[str]:
    """Names of bounds of which it is not shown whether they were kept, in their order.

    Nothing was measured of them, or something was said that does not count.
    """
    measured = {sample.name for sample in sifted.samples}
    return [
        bound.name
        for bound in bounds
        if bound.name not in measured or bound.name in sifted.doubtful
    ]


def decimal_of(text: str, *, what: str) -> Decimal:
    """A finite decimal of at most 30 characters. Raises MalformedInput."""
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise MalformedInput(f"{what} is no number: {text[:40]!r}") from error
    if not value.is_finite() or len(text) > _DECIMAL_CHARS_MAX:
        raise MalformedInput(f"{what} is no plain number: {text[:40]!r}")
    return value


def judge(samples: Sequence[Sample], bounds: Sequence[Bound]) -> list[Judgement]:
    """One judgement a bound, in their order.

    Raises MalformedInput if a bound has no sample: what was not measured is not within limits.
    """
    by_name: Mapping[str, list[Sample]] = {bound.name: [] for bound in bounds}
    for sample in samples:
        if sample.name in by_name:
            by_name[sample.name].append(sample)
    judged = []
    for bound in bounds:
        found = by_name[bound.name]
        if not found:
            raise MalformedInput(f"the machine gave no value of {bound.name}")
        values = [sample.value for sample in found]
        judged.append(
            Judgement(
                bound=bound,
                count=len(values),
                lowest=min(values),
                highest=max(values),
                mean=_mean(values),
                outside=sum(not _keeps(bound, sample) for sample in found),
            )
        )
    return judged


def _mean(values: Sequence[Decimal]) -> Decimal:
    """To four decimals. A double may have 308 digits before them."""
    with localcontext(prec=400):
        return (sum(values, Decimal(0)) / len(values)).quantize(Decimal("0.0001"))


def _keeps(bound: Bound, sample: Sample) -> bool:
    """Whether a sample is within, at its own precision.

    A 32-bit Float cannot say 6.1: the limit is rounded to a Float as the machine's value was.
    """
    low, high = bound.low, bound.high
    if sample.type == FLOAT:
        low, high = as_float32(low), as_float32(high)
    return low <= sample.value <= high


def as_float32(value: Decimal) -> Decimal:
    """The IEEE 754 binary32 number nearest to a value, as its double is read; or infinite.

    >>> as_float32(Decimal("6.1"))
    Decimal('6.099999904632568')
    """
    try:
        return Decimal(repr(struct.unpack("<f", struct.pack("<f", float(value)))[0]))
    except OverflowError:
        return Decimal("Infinity").copy_sign(value)
