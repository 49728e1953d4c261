"""Conditions of payment: all, any, k of n and by a moment, over verified events and signed words.

A condition is met, open, or lost (it can never be met any more). Deadlines count by the moment at
which the node recorded what happened; no witness of time is asked: "time: node's word".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.events import SignedEvent
from zhidao.core.timescale import Utc
from zhidao.positioning.events import ArrivalProven, Marks
from zhidao.trade.events import CustomsReleased, Delivered, PapersChecked

DEPTH_MAX: Final = 8
LEAVES_MAX: Final = 64
FACTS: Final = {
    name: each
    for each in (ArrivalProven, CustomsReleased, Delivered, PapersChecked)
    for name in each.types()
}
"""Verified events that a condition may name: each is about one consignment."""
OPEN_SKY_MODEL: Final = "inside_open_sky_model"
# Fields by which a leaf says which of several containers it means.
_ONE_OF_SEVERAL: Final = frozenset(("container", "terminal"))
MARKS: Final = frozenset(
    ("signed_by_terminal", "bound_to_goods", "recomputed", "corroborated", OPEN_SKY_MODEL)
)
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Count = Annotated[int, msgspec.Meta(ge=1, le=LEAVES_MAX)]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class All(_Strict, frozen=True, kw_only=True, tag_field="kind", tag="all"):
    """Every one of them."""

    of: Annotated[list[Condition], msgspec.Meta(min_length=1, max_length=LEAVES_MAX)]


class AnyOf(_Strict, frozen=True, kw_only=True, tag_field="kind", tag="any"):
    """One of them."""

    of: Annotated[list[Condition], msgspec.Meta(min_length=1, max_length=LEAVES_MAX)]


class AtLeast(_Strict, frozen=True, kw_only=True, tag_field="kind", tag="at_least"):
    """So many of them."""

    count: _Count
    of: Annotated[list[Condition], msgspec.Meta(min_length=1, max_length=LEAVES_MAX)]


class By(_Strict, frozen=True, kw_only=True, tag_field="kind", tag="by"):
    """That one, met not later than `until` (RFC 3339)."""

    until: Annotated[str, msgspec.Meta(min_length=20, max_length=40)]
    of: Condition


class Happened(_Strict, frozen=True, kw_only=True, tag_field="kind", tag="fact"):
    """A verified event about a consignment. `says`: fields that must have these values.

    `asserted_by`: who must have said it; `` for anybody whom its room lets say it. `marks` and
    `risk_ppb` (0: not asked): of an arrival only; with the mark `inside_open_sky_model` the risk
    may be that of the weaker mark. A fact of any version of its type is meant.
    """

    fact: _Name
    consignment: _Name
    says: Annotated[dict[str, str | int | bool], msgspec.Meta(max_length=8)] = msgspec.field(
        default_factory=dict
    )
    asserted_by: Annotated[str, msgspec.Meta(max_length=64)] = ""
    marks: Annotated[list[_Name], msgspec.Meta(max_length=len(MARKS))] = msgspec.field(
        default_factory=list
    )
    risk_ppb: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] = 0


class Attestation(_Strict, frozen=True, kw_only=True, tag_field="kind", tag="word"):
    """A named party signs a word about this very payment, such as an inspector's `goods_ok`."""

    by: _Name
    word: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{1,32}\Z")]


Condition: TypeAlias = All | AnyOf | AtLeast | By | Happened | Attestation
Leaf: TypeAlias = Happened | Attestation


class Standing(StrEnum):
    """How a condition stands."""

    MET = "met"
    OPEN = "open"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a condition stands, and since when if it is met (Unix nanoseconds)."""

    standing: Standing
    since_ns: int = 0


def read(plain: Mapping[str, Any]) -> Condition:
    """A condition from its JSON. Raises MalformedInput, or Refused for one that means nothing."""
    try:
        condition: Condition = msgspec.convert(plain, Condition, strict=True)
    except (msgspec.ValidationError, RecursionError) as error:
        raise MalformedInput(f"a condition: {error}", where="condition") from error
    _check(condition, depth=1)
    if len(list(leaves(condition))) > LEAVES_MAX:
        raise Refused(f"a condition has at most {LEAVES_MAX} leaves", code="unknown_condition")
    return condition


def name(leaf: Leaf) -> str:
    """What a leaf is noted under: the same words have the same name."""
    return jcs(msgspec.to_builtins(leaf)).decode()


def leaves(condition: Condition) -> Iterator[Leaf]:
    """The events and words that a condition speaks of, in its order, repeated as they stand."""
    match condition:
        case Happened() | Attestation():
            yield condition
        case By():
            yield from leaves(condition.of)
        case _:
            for each in condition.of:
                yield from leaves(each)


def judge(condition: Condition, met: Mapping[str, int], *, now_ns: int) -> Verdict:
    """How a condition stands. `met`: since when each leaf holds, by its name, Unix nanoseconds.

    >>> judge(Attestation(by="a", word="ok"), {}, now_ns=5).standing.value
    'open'
    """
    match condition:
        case Happened() | Attestation():
            since = met.get(name(condition))
            return Verdict(Standing.OPEN) if since is None else Verdict(Standing.MET, since)
        case By():
            return _by(judge(condition.of, met, now_ns=now_ns), condition.until, now_ns)
        case _:
            verdicts = [judge(each, met, now_ns=now_ns) for each in condition.of]
            return _of_group(verdicts, _needed(condition))


def deadlines(condition: Condition) -> Iterator[int]:
    """When its parts are over, Unix nanoseconds."""
    match condition:
        case By():
            yield Utc.parse(condition.until).unix_ns
            yield from deadlines(condition.of)
        case All() | AnyOf() | AtLeast():
            for each in condition.of:
                yield from deadlines(each)


def lapses(leaf: Happened, event: SignedEvent) -> bool:
    """Whether an event of the same kind about the same consignment says otherwise than the leaf."""
    return _is_about(leaf, event) and not holds(leaf, event)


def holds(leaf: Happened, event: SignedEvent) -> bool:
    """Whether an event is what a leaf asks for."""
    if leaf.asserted_by and event.asserted_by.party != leaf.asserted_by:
        return False
    if not says(leaf, event.type, event.payload):
        return False
    return FACTS[leaf.fact] is not ArrivalProven or _bears(leaf, ArrivalProven.of(event).marks)


def says(leaf: Happened, kind: str, payload: Mapping[str, Any]) -> bool:
    """Whether a fact of a kind is about the leaf's consignment and has the values it asks for."""
    if not _same_fact(leaf, kind) or payload.get("consignment") != leaf.consignment:
        return False
    if payload.get("container") and not leaf.says.keys() & _ONE_OF_SEVERAL:
        # One of several containers is not the consignment: `Delivered` tells that all arrived.
        return False
    return _agrees(leaf.says, payload)


def _agrees(said: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
    return all(
        type(payload.get(field)) is type(value) and payload[field] == value
        for field, value in said.items()
    )


def _is_about(leaf: Happened, event: SignedEvent) -> bool:
    same = event.payload.get("consignment") == leaf.consignment
    if event.payload.get("container"):
        # What happens to one of several containers says nothing of another.
        which = {name: leaf.says[name] for name in sorted(_ONE_OF_SEVERAL & leaf.says.keys())}
        same = same and bool(which) and _agrees(which, event.payload)
    return same and _same_fact(leaf, event.type)


def _same_fact(leaf: Happened, kind: str) -> bool:
    """Whether a type is that of the leaf's fact, in whatever version."""
    return kind in FACTS and FACTS[kind] is FACTS[leaf.fact]


def _bears(leaf: Happened, marks: Marks) -> bool:
    if marks.disagreed_by:
        return False
    weaker = OPEN_SKY_MODEL in leaf.marks
    risk_ppb = marks.inside_by_any_model_ppb if weaker else marks.inside_risk_ppb
    if leaf.risk_ppb and not 0 < risk_ppb <= leaf.risk_ppb:
        return False
    bears = {
        "signed_by_terminal": marks.signed_by_terminal,
        "bound_to_goods": marks.bound_to_goods,
        "recomputed": marks.recomputed,
        "corroborated": bool(marks.corroborated_by),
        OPEN_SKY_MODEL: bool(marks.inside_by_any_model_ppb),
    }
    return all(bears[mark] for mark in leaf.marks)


def _by(verdict: Verdict, until: str, now_ns: int) -> Verdict:
    until_ns = Utc.parse(until).unix_ns
    if verdict.standing is Standing.MET:
        return verdict if verdict.since_ns <= until_ns else Verdict(Standing.LOST)
    return Verdict(Standing.LOST) if now_ns > until_ns else verdict


def _needed(condition: All | AnyOf | AtLeast) -> int:
    if isinstance(condition, AtLeast):
        return condition.count
    return len(condition.of) if isinstance(condition, All) else 1


def _of_group(verdicts: list[Verdict], needed: int) -> Verdict:
    since = sorted(each.since_ns for each in verdicts if each.standing is Standing.MET)
    if len(since) >= needed:
        # It was met when the last one that it needed came.
        return Verdict(Standing.MET, since[needed - 1])
    alive = sum(each.standing is not Standing.LOST for each in verdicts)
    return Verdict(Standing.OPEN if alive >= needed else Standing.LOST)


def _check(condition: Condition, *, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise Refused(f"a condition is at most {DEPTH_MAX} deep", code="unknown_condition")
    match condition:
        case Attestation():
            return
        case Happened():
            _check_fact(condition)
        case By():
            Utc.parse(condition.until)
            _check(condition.of, depth=depth + 1)
        case _:
            if _needed(condition) > len(condition.of):
                raise Refused("more conditions are needed than there are", code="unknown_condition")
            for each in condition.of:
                _check(each, depth=depth + 1)


def _check_fact(leaf: Happened) -> None:
    kind = FACTS.get(leaf.fact)
    if kind is None:
        known = ", ".join(sorted(FACTS))
        raise Refused(
            f"no condition rests on {leaf.fact}; known: {known}", code="unknown_condition"
        )
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for field, value in leaf.says.items():
        if fields.get(field) is not type(value):
            raise Refused(f"{leaf.fact} has no {field} like {value!r}", code="unknown_condition")
    if (leaf.marks or leaf.risk_ppb) and kind is not ArrivalProven:
        raise Refused("only an arrival bears marks", code="unknown_condition")
    if set(leaf.marks) - MARKS:
        raise Refused(f"known marks: {', '.join(sorted(MARKS))}", code="unknown_condition")
