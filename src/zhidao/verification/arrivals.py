"""Arrivals: the position is computed again from the raw window, and its marks are looked at."""

from __future__ import annotations

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.geo import bound_in_words
from zhidao.devices.events import TerminalRegistered
from zhidao.positioning.events import (
    ArrivalExpected,
    ArrivalNotProven,
    ArrivalProven,
    ArrivalWithdrawn,
    Site,
    risk_in_words,
)
from zhidao.positioning.service.attempts import attempt_after
from zhidao.positioning.service.evidence_replay import TOLERANCE_MM, is_usual, replay
from zhidao.positioning.wire.position_evidence import PositionEvidence, Question, Result
from zhidao.trade.domain.promise import ARRIVAL
from zhidao.trust.domain.proof import Replayed, Statement
from zhidao.verification.case import Case, OpenedFact
from zhidao.verification.marks import are_opened, claimed_marks, marks_of

# Reasons that come after the position itself stood inside.
_BEYOND_THE_POSITION = frozenset(("terminal_not_bound", "network_disagrees", "not_signed"))


def replay_arrivals(case: Case) -> Replayed:
    """Computes every position again that the proof names, within 1 mm and to the same decision.

    Raises Refused: `not_reproduced` if the raw data say otherwise than the node, and what
    `marks_of` refuses.
    """
    proven: list[Statement] = []
    open_questions: list[Statement] = []
    there: set[str] = set()
    arrivals = [t for t in case.every(ArrivalProven) if t.fact.consignment == case.consignment]
    for told in arrivals:
        if _replay_arrival(case, told, proven, open_questions):
            there.add(told.fact.container)
    for failed in case.every(ArrivalNotProven):
        if failed.fact.consignment == case.consignment:
            _replay_failure(case, failed.fact, proven, open_questions)
    if not arrivals:
        open_questions.append(
            Statement("arrival", "That the goods arrived: no proven arrival is opened.")
        )
    elif case.entered.containers:
        _say_how_many(sorted(case.entered.containers), there, proven, open_questions)
    parts = _shown(case, there)
    return Replayed(tuple(proven), tuple(dict.fromkeys(open_questions)), parts)


def _shown(case: Case, there: set[str]) -> frozenset[str]:
    """The arrival, if it is shown of each container."""
    wanted = set(case.entered.containers) or {""}
    return frozenset((ARRIVAL,) if wanted <= there else ())


def _say_how_many(
    wanted: list[str],
    there: set[str],
    proven: list[Statement],
    open_questions: list[Statement],
) -> None:
    """Of several containers: all of them arrived, or so many did."""
    lacking = [each for each in wanted if each not in there]
    if not lacking:
        text = f"All {len(wanted)} containers of the entry arrived: {', '.join(wanted)}."
        proven.append(Statement("containers", text))
        return
    open_questions.append(
        Statement(
            "containers",
            f"That all containers arrived: {len(wanted) - len(lacking)} of {len(wanted)} did; "
            f"nothing here shows it of {', '.join(lacking)}.",
        )
    )


def _replay_arrival(
    case: Case,
    told: OpenedFact[ArrivalProven],
    proven: list[Statement],
    open_questions: list[Statement],
) -> bool:
    """Whether the arrival is shown: its evidence, and the facts on which its marks rest."""
    fact = told.fact
    expected = _expected(case, told)
    _check_container(case, told, expected)
    evidence = _evidence(case, fact, fact.navigation)
    if evidence is None:
        open_questions.append(
            Statement("arrival", "That the goods arrived: the evidence is not enclosed.")
        )
        return False
    _check_question(evidence.question, expected)
    if _position(fact) != _position_of(evidence.result) or fact.site != expected.site:
        raise _contradicted("the arrival says another position than its evidence")
    if evidence.result.decision != "inside" or not _marked_as(fact, evidence, expected.risk_ppb):
        raise _contradicted("the evidence does not find the position inside")
    _check_version(case, told, evidence)
    _check_attempt(case, told, evidence, expected)
    if evidence.result.simulated and not fact.simulated:
        raise _contradicted("the evidence says simulated, the arrival hides it")
    if _is_recomputed(case, evidence):
        _say_position(fact, evidence, proven, open_questions)
    else:
        open_questions.append(_not_recomputed(fact))
    marks = marks_of(case, told)
    proven += marks.proven
    open_questions += marks.not_proven
    proven += claimed_marks(fact.marks)
    open_questions += _limits_of_positions()
    return are_opened(case, told)


def _marked_as(fact: ArrivalProven, evidence: PositionEvidence, risk_ppb: int) -> bool:
    """Whether the arrival bears just the mark that its evidence gives."""
    strong, weak = fact.marks.inside_risk_ppb, fact.marks.inside_open_sky_model_ppb
    if evidence.result.mark == "inside_open_sky_model":
        return (strong, weak) == (0, risk_ppb)
    return (strong, weak) == (risk_ppb, 0)


def _check_version(case: Case, told: OpenedFact[ArrivalProven], evidence: PositionEvidence) -> None:
    """An arrival of the second version says what its evidence leaves open, and of what class."""
    fact, first = told.fact, told.event.type in ArrivalProven.FORMER
    if first is not evidence.first_version:
        raise _contradicted("the arrival and its evidence are of different versions")
    said = (fact.before, fact.surroundings, fact.open_questions)
    if said != (evidence.before, evidence.surroundings, evidence.result.open):
        raise _contradicted("the arrival leaves other questions open than its evidence")
    classes = {
        each.fact.surroundings
        for each in case.every(TerminalRegistered)
        if each.fact.terminal == fact.terminal
    }
    if not first and classes and evidence.surroundings not in classes:
        raise _contradicted("the terminal is registered with another class of surroundings")


def _check_attempt(
    case: Case,
    told: OpenedFact[ArrivalProven],
    evidence: PositionEvidence,
    expected: ArrivalExpected,
) -> None:
    """The risk is that of all windows near the site, of which those before this one count."""
    failures = [
        each.fact
        for each in case.every(ArrivalNotProven)
        if each.fact.consignment == case.consignment
        and each.fact.terminal == told.fact.terminal
        and each.index < told.index
    ]
    if not evidence.first_version and evidence.attempt < attempt_after(expected, failures):
        raise _contradicted("more windows were asked than the evidence counts")


_REMAINS = {
    code: Statement(code, sentence)
    for code, sentence in (
        (
            "coherent_simulator",
            (
                "That no simulator made all signals from the start, consistent in every respect: "
                "what is looked for is disagreement, and such a simulator leaves none."
            ),
        ),
        (
            "slow_drag_off",
            (
                "That nobody took the receiver over from true signals and led it away as slowly as "
                "a vehicle drives."
            ),
        ),
        (
            "surroundings_unmeasured",
            (
                "That errors are no greater than under an open sky: nobody has recorded, beside a "
                "reference, what reflections do in the surroundings that this terminal is "
                "registered with."
            ),
        ),
        (
            "no_window_before",
            "Where the terminal was before: it had sent no window until then.",
        ),
        (
            "window_before_unsolved",
            (
                "Where the terminal was in its window before: no position could be computed from "
                "it with the same orbits."
            ),
        ),
    )
}


def _say_position(
    fact: ArrivalProven,
    evidence: PositionEvidence,
    proven: list[Statement],
    open_questions: list[Statement],
) -> None:
    result = evidence.result
    where = f"{fact.latitude_ndeg / 1e9:.7f}, {fact.longitude_ndeg / 1e9:.7f}"
    proven.append(
        Statement(
            "position",
            f"Computed again from the enclosed raw signals, within {TOLERANCE_MM:.0f} mm: at "
            f"{fact.observed_at} the antenna was at {where} (WGS 84), by {fact.satellites} "
            f"satellites; signals put out as faulty: {', '.join(result.excluded) or 'none'}.",
        )
    )
    settings = evidence.chosen()
    bound = Statement("inside", _inside(fact, by_chance=settings.version > 2))
    alone = _one_constellation(result.systems or settings.systems)
    if alone:
        open_questions.append(alone)
    open_questions += [_REMAINS[code] for code in result.open if code in _REMAINS]
    if is_usual(evidence):
        proven.append(bound)
    else:
        open_questions.append(
            Statement(
                "inside",
                "That the bound is wide enough: it was computed with settings that are not this "
                "software's usual ones.",
            )
        )


def _inside(fact: ArrivalProven, *, by_chance: bool) -> str:
    """What is proven of the place; by the chance to be outside since version 3 of the settings."""
    site = f"{fact.site.name!r} ({_extent(fact.site)}) over {fact.epochs} epochs"
    model = "the error models" if fact.marks.inside_risk_ppb else "the error models of an open sky"
    risk = f"at most {risk_in_words(fact.marks.inside_by_any_model_ppb)}, if {model} hold"
    level = bound_in_words(fact.protection_mm / 1000)
    if by_chance:
        return (
            f"The position lay inside {site}; the chance to be outside all the same, summed over "
            f"every edge and every fault that is provided for, is {risk}. Whatever the site's "
            f"shape, the position's bound at that risk is {level}."
        )
    return (
        f"With its bound of {level} the position lay inside {site}; the chance to be outside all "
        f"the same is {risk}."
    )


_NAMES = {"C": "BeiDou", "E": "Galileo", "G": "GPS", "J": "QZSS", "R": "GLONASS"}


def _one_constellation(systems: str) -> Statement | None:
    """What a bound by a single constellation cannot show."""
    if len(systems) != 1:
        return None
    name = _NAMES.get(systems, systems)
    return Statement(
        "one_constellation",
        f"That {name} was not wrong as a whole: with ranges of one constellation alone nothing can "
        "show it, and the bound assumes that it was not. Ranges of a second constellation would.",
    )


def _extent(site: Site) -> str:
    if not site.corners:
        return f"radius {site.radius_mm / 1000:.1f} m"
    corners = (f"{c.latitude_ndeg / 1e9:.7f}, {c.longitude_ndeg / 1e9:.7f}" for c in site.corners)
    return f"the polygon with {len(site.corners)} corners {'; '.join(corners)} (WGS 84)"


def _replay_failure(
    case: Case,
    fact: ArrivalNotProven,
    proven: list[Statement],
    open_questions: list[Statement],
) -> None:
    said = f"A window of terminal {fact.terminal} proves no arrival ({fact.reason})"
    if not fact.evidence:
        open_questions.append(
            Statement("window_refused", f"{said}: the node's word, no evidence is named.")
        )
        return
    evidence = _evidence(case, fact, None)
    if evidence is None or not _is_recomputed(case, evidence):
        open_questions.append(
            Statement("window_refused", f"{said}: the raw window is not enclosed.")
        )
        return
    decision = evidence.result.decision
    if fact.reason in _BEYOND_THE_POSITION:
        if decision != "inside" and fact.reason != "not_signed":
            raise _contradicted(f"the node says {fact.reason}, the data say {decision}")
        open_questions.append(
            Statement(
                "window_refused",
                f"{said}: the position itself is computed again ({decision}); the reason beside "
                "it is the node's word.",
            )
        )
    elif decision != fact.reason:
        raise _contradicted(f"the node says {fact.reason}, the data say {decision}")
    else:
        proven.append(
            Statement(
                "window_refused",
                f"{said}, computed again from the enclosed signals: {evidence.result.sentence}.",
            )
        )


def _expected(case: Case, told: OpenedFact[ArrivalProven]) -> ArrivalExpected:
    wishes = [wish.fact for wish in _standing(case, told) if wish.index < told.index]
    # Of one container the newest wish counts; of several there is one for each terminal.
    ours = [wish for wish in wishes if wish.terminal == told.fact.terminal and wish.container]
    if not ours:
        ours = wishes[-1:]
    if not ours or ours[-1].terminal != told.fact.terminal:
        raise _contradicted("nobody asked for this arrival of this terminal")
    return ours[-1]


def _standing(case: Case, told: OpenedFact[ArrivalProven]) -> list[OpenedFact[ArrivalExpected]]:
    """What was awaited between the same changes: a wish that was withdrawn is none any more."""
    ends = [
        end.index
        for end in case.every(ArrivalWithdrawn)
        if end.fact.consignment == case.consignment
    ]
    return [
        wish
        for wish in case.every(ArrivalExpected)
        if wish.fact.consignment == case.consignment
        and all((end < wish.index) is (end < told.index) for end in ends)
    ]


def _check_container(
    case: Case, told: OpenedFact[ArrivalProven], expected: ArrivalExpected
) -> None:
    """A terminal speaks for the one container of which it is asked, and each has one of its own."""
    fact = told.fact
    if fact.container != expected.container:
        raise _contradicted("the arrival is of another container than was asked")
    if fact.container not in (case.entered.containers or [""]):
        raise _contradicted(f"{fact.container or 'no'} container of the entry is named")
    pairs = {
        (wish.fact.container, wish.fact.terminal)
        for wish in _standing(case, told)
        if wish.fact.container
    }
    if any(len(set(names)) < len(pairs) for names in zip(*pairs, strict=True)):
        raise _contradicted("a container has two terminals, or a terminal two containers")


def _evidence(
    case: Case, fact: ArrivalProven | ArrivalNotProven, navigation_digest: str | None
) -> PositionEvidence | None:
    """The enclosed evidence, if it is of the data that the event names; None if it lacks."""
    data = case.file(fact.evidence)
    if data is None:
        return None
    try:
        evidence = PositionEvidence.decode(data)
    except MalformedInput as error:
        raise _contradicted(f"the evidence cannot be read: {error}") from error
    if navigation_digest not in (None, evidence.navigation) or fact.window != evidence.window:
        raise _contradicted("the evidence is of other data than the event names")
    return evidence


def _is_recomputed(case: Case, evidence: PositionEvidence) -> bool:
    """Whether the position came out again; False if something that it needs is not enclosed."""
    window = case.file(evidence.window)
    navigation = case.file(evidence.navigation) if evidence.navigation else b""
    before = case.file(evidence.before) if evidence.before else b""
    if window is None or navigation is None or before is None:
        return False
    found = replay(evidence, window, navigation, before)
    if not found.reproduced:
        raise Refused(f"the position is {found.sentence}", code="not_reproduced")
    return True


def _not_recomputed(fact: ArrivalProven) -> Statement:
    return Statement(
        "recomputed",
        f"recomputed: not checked here. The node's evidence says that the goods were inside "
        f"{fact.site.name!r} at {fact.observed_at}, and answers what was asked; raw window and "
        "ephemerides are not enclosed, so nothing was computed again.",
    )


def _check_question(question: Question, expected: ArrivalExpected) -> None:
    """The evidence answers what was asked, by somebody who waits, and nothing easier."""
    asked = (question.consignment, question.terminal, question.site, question.not_before)
    wanted = (expected.consignment, expected.terminal, expected.site, expected.not_before)
    rest = (question.not_after, question.risk_ppb) == (expected.not_after, expected.risk_ppb)
    if asked != wanted or not rest:
        raise _contradicted("the evidence answers another question than was asked")


def _position(fact: ArrivalProven) -> tuple[object, ...]:
    return (
        fact.observed_at,
        fact.latitude_ndeg,
        fact.longitude_ndeg,
        fact.height_mm,
        fact.protection_mm,
        fact.satellites,
        fact.epochs,
    )


def _position_of(result: Result) -> tuple[object, ...]:
    return (
        result.observed_at,
        result.latitude_ndeg,
        result.longitude_ndeg,
        result.height_mm,
        result.protection_mm,
        result.satellites,
        result.stretch_epochs,
    )


def _contradicted(why: str) -> Refused:
    return Refused(f"the arrival is not reproduced: {why}", code="not_reproduced")


def _limits_of_positions() -> tuple[Statement, ...]:
    return (
        Statement(
            "genuine_signals",
            "That the signals came from the satellites: open signals bear no signature, and a "
            "simulator beside the antenna could make them.",
        ),
        Statement(
            "navigation",
            "That the broadcast orbits are right: the operator brought the file; wrong ones would "
            "mostly show as ranges that contradict each other.",
        ),
    )
