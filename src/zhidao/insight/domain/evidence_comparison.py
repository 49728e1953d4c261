"""What an assessment lost since an earlier one: evidence that went, verdicts that fell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.insight.domain.assessment import (
    SIGNED_REASON,
    UNSIGNED_REASON,
    Cited,
    Evidence,
    Verdict,
)

# A verdict of a lower place than before is a loss.
_PLACE: Final = {
    Verdict.CONTRADICTED: 0,
    Verdict.NEEDS_PERSON: 1,
    Verdict.CLAIMED: 2,
    Verdict.SHOWN: 3,
}
Line = tuple[str, str, Evidence]
_Name = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Loss:
    """What is worse than before.

    what: `evidence`, `verdict`, `signature`, or `question`, which is not asked any more. was, now:
    a line of evidence, a verdict or a reason; now is empty where nothing is there.
    """

    standard: str
    item: str
    what: str
    was: str
    now: str = ""


def lost_evidence(before: Iterable[Line], now: Iterable[Line]) -> list[Loss]:
    """Lines that went, of each question and kind of evidence of which there are fewer now.

    A file that was renamed, or gave its place to another of its kind, is no loss; a line that a
    declaration points to is itself alone.
    """
    had, have = _places(before), _places(now)
    found = []
    for name, places in had.items():
        gone = [place for place in places if place not in have.get(name, ())]
        fewer = len(places) - len(have.get(name, ()))
        found += [Loss(name[0], name[1], "evidence", place) for place in gone[: max(0, fewer)]]
    return found


def lost_verdicts(
    before: Sequence[tuple[str, str, str]], now: Sequence[tuple[str, str, str]]
) -> list[Loss]:
    """Verdicts that fell, and questions that are not answered any more.

    Each is standard, item, verdict. A verdict that is none counts as the best: it fell.
    """
    given = {(standard, item): verdict for standard, item, verdict in now}
    found = []
    for standard, item, was in before:
        verdict = given.get((standard, item))
        if verdict is None:
            found.append(Loss(standard, item, "question", was))
        elif _place(verdict) < _place(was):
            found.append(Loss(standard, item, "verdict", was, verdict))
    return found


def lost_signatures(
    before: Sequence[tuple[str, str, str]], now: Sequence[tuple[str, str, str]]
) -> list[Loss]:
    """Claims that were signed and are claimed unsigned. Each is standard, item, reason."""
    given = {(standard, item): reason for standard, item, reason in now}
    return [
        Loss(standard, item, "signature", was, given[standard, item])
        for standard, item, was in before
        if was == SIGNED_REASON and given.get((standard, item)) == UNSIGNED_REASON
    ]


def _place(verdict: str) -> int:
    return _PLACE[Verdict(verdict)] if verdict in set(Verdict) else max(_PLACE.values())


def _places(lines: Iterable[Line]) -> dict[_Name, list[str]]:
    found: dict[_Name, list[str]] = defaultdict(list)
    for standard, item, evidence in lines:
        if not isinstance(evidence, Cited):
            kind, place = evidence.kind, evidence.figure
        elif evidence.kind == "declared":
            place = f"{evidence.path}: {evidence.quotation}"
            kind = f"declared {place}"
        else:
            kind, place = evidence.kind, evidence.path
        found[standard, item, kind].append(place)
    return found
