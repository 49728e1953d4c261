"""Replay: whoever doubts a position computes it again from the same bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from zhidao.core.archive import digest_of
from zhidao.core.errors import ZhidaoError
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.service.evaluation import Earlier, evaluate
from zhidao.positioning.wire.position_evidence import Noted, PositionEvidence, Result

TOLERANCE_MM: Final = 1.0
_NDEG_MM: Final = 0.111_319_5  # one nanodegree of the equator


@dataclass(frozen=True, slots=True)
class Replay:
    """Whether a second computation agrees; `sentence` says what it found, for a person.

    `inside`: the second computation itself finds the place inside. `usual`: the evidence stands on
    the settings that this software uses by default; others may bound errors too tightly, so they
    are worth a look.
    """

    reproduced: bool
    inside: bool
    usual: bool
    difference_mm: float
    sentence: str


def replay(
    evidence: bytes | PositionEvidence, window: bytes, navigation: bytes, before: bytes = b""
) -> Replay:
    """Computes a position again and compares: within 1 mm and the same decision, or not reproduced.

    navigation, before: empty bytes where the evidence names none. Evidence of each version is
    judged by the rules of that version.
    Raises MalformedInput if `evidence` is none; data that do not fit it are `not reproduced`.
    """
    told = evidence if isinstance(evidence, PositionEvidence) else PositionEvidence.decode(evidence)
    if digest_of(window) != told.window:
        return _not("the window is not the one that the evidence names")
    if (digest_of(navigation) if navigation else "") != told.navigation:
        return _not("the navigation data are not those that the evidence names")
    if (digest_of(before) if before else "") != told.before:
        return _not("the window before is not the one that the evidence names")
    earlier = Earlier(before, told.attempt)
    try:
        data = evaluate(
            told.question,
            window,
            navigation,
            told.chosen(),
            earlier=earlier,
            surroundings=told.surroundings,
        )
        again = PositionEvidence.decode(data).result
    except ZhidaoError as error:
        return _not(f"the data cannot be evaluated: {error}")
    return _compared(told, again)


def _not(sentence: str, difference_mm: float = 0.0) -> Replay:
    return Replay(False, False, False, difference_mm, f"not reproduced: {sentence}")


def _compared(evidence: PositionEvidence, again: Result) -> Replay:
    told = evidence.result
    difference_mm = _difference_mm(told, again)
    if told.decision != again.decision:
        return _not(f"the evidence says {told.decision}, the data say {again.decision}")
    same = (
        "observed_at",
        "satellites",
        "excluded",
        "epochs",
        "fixes",
        "first_at",
        "last_at",
        "stretch_from",
        "stretch_until",
        "stretch_epochs",
        "simulated",
        "mark",
        "systems",
        "open",
    )
    for name in same:
        if getattr(told, name) != getattr(again, name):
            return _not(
                f"{name} is {getattr(told, name)!r} there and {getattr(again, name)!r} here"
            )
    for name in ("findings", "findings_before"):
        if _reasons(getattr(told, name)) != _reasons(getattr(again, name)):
            return _not(f"{name} are others there than here")
    if difference_mm > TOLERANCE_MM:
        return _not(f"position or bound differ by {difference_mm:.1f} mm", difference_mm)
    usual = is_usual(evidence)
    note = "" if usual else "; the settings are not the usual ones"
    return Replay(
        True,
        again.decision == "inside",
        usual,
        difference_mm,
        f"reproduced within {TOLERANCE_MM:.0f} mm: {again.sentence}{note}",
    )


def is_usual(evidence: PositionEvidence) -> bool:
    """The settings of this software, or an older one, for the terminal's class of surroundings."""
    chosen = evidence.chosen()
    if evidence.first_version:
        return chosen.usual
    wanted = Settings.of_arrivals(environment=evidence.surroundings, method=chosen.method)
    return chosen == wanted


def _reasons(found: list[Noted]) -> list[tuple[str, int, str, str]]:
    return [(each.reason, each.epochs, each.first_at, each.last_at) for each in found]


def _difference_mm(told: Result, again: Result) -> float:
    """The greatest difference of place, height and bound; rounding adds up to 0.1 mm."""
    shrink = math.cos(math.radians(told.latitude_ndeg / 1e9))
    return max(
        abs(told.latitude_ndeg - again.latitude_ndeg) * _NDEG_MM,
        abs(told.longitude_ndeg - again.longitude_ndeg) * _NDEG_MM * shrink,
        float(abs(told.height_mm - again.height_mm)),
        float(abs(told.protection_mm - again.protection_mm)),
    )
