"""Verdicts of a result beside those that its standards get now: nobody's word is taken for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from zhidao.insight.domain.assessment import Answer


class Standing(StrEnum):
    """What became of a verdict.

    same: the same verdict for the same reason. other: one of the two is another now. untold: the
    standard asks it, and the result leaves it out. unasked: the standard asks nothing of that
    item, or in other words.
    """

    SAME = "same"
    OTHER = "other"
    UNTOLD = "untold"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True)
class Stated:
    """A verdict as a result states it. question: its words, (English, Chinese)."""

    standard: str
    item: str
    question: tuple[str, str]
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A verdict stated and the one that is given now; empty where there is none."""

    standard: str
    item: str
    standing: Standing
    stated: str = ""
    now: str = ""
    reason_now: str = ""


def compared(stated: Sequence[Stated], now: Sequence[Answer]) -> list[Compared]:
    """Every verdict stated, in order, and after them those that were left out."""
    given = {(answer.standard, answer.question.id): answer for answer in now}
    told = {(each.standard, each.item) for each in stated}
    left_out = [
        Compared(*key, Standing.UNTOLD, now=str(answer.verdict), reason_now=answer.reason)
        for key, answer in given.items()
        if key not in told
    ]
    return [_compared(each, given.get((each.standard, each.item))) for each in stated] + left_out


def _compared(stated: Stated, now: Answer | None) -> Compared:
    if now is None or stated.question != (now.question.en, now.question.zh):
        return Compared(stated.standard, stated.item, Standing.UNASKED, stated=stated.verdict)
    same = (stated.verdict, stated.reason) == (str(now.verdict), now.reason)
    return Compared(
        stated.standard,
        stated.item,
        Standing.SAME if same else Standing.OTHER,
        stated=stated.verdict,
        now=str(now.verdict),
        reason_now=now.reason,
    )
