"""What an event of another room means for a deal: facts to note, or a reason to end it.

Who can end a deal by an abort? Only what the deal's own terminal signed, what the papers say, and
time. What somebody else sends in the terminal's name is noted as an obstacle and explains the
abort that the deadline brings; by itself it ends nothing, or any stranger could.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zhidao.core.events import Fact
from zhidao.core.timescale import Utc
from zhidao.devices.events import SubmissionRefused
from zhidao.finance.domain.deals.deal import (
    ARRIVAL,
    CUSTOMS,
    PAPERS,
    Deal,
    arrival_of,
    share_ppb,
)
from zhidao.finance.events import ConditionLapsed, ConditionMet, DealOpened, ObstacleNoted
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven, Marks
from zhidao.trade.events import CustomsReleased, PapersChecked

# These end a deal when the terminal itself signed the window; every other reason leaves room for
# a better window before the deadline.
BLOCKING: Final = frozenset(("network_disagrees", "too_late", "terminal_not_bound"))

_LETS_GO: Final = frozenset(("released",))


@dataclass(frozen=True, slots=True)
class Abort:
    """Why a deal ends unpaid."""

    reason: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Facts that follow from an event, and an abort if it ends the deal."""

    facts: tuple[Fact, ...] = ()
    abort: Abort | None = None


def of_arrival(deal: Deal, proven: ArrivalProven) -> Verdict:
    """An arrival was proven; it counts if it bears all that the conditions ask."""
    need = _arrival_by(deal, proven.terminal, proven.container)
    if not need:
        return Verdict()
    if proven.marks.disagreed_by:
        who = ", ".join(proven.marks.disagreed_by)
        return Verdict(abort=Abort("network_disagrees", f"{who} contradicts the fix."))
    lacking = _lacking(deal.opened, proven)
    if lacking:
        sentence = f"The arrival at {proven.observed_at} lacks: {', '.join(lacking)}."
        return _obstacle(deal, "arrival_lacks_marks", sentence)
    because = (
        f"arrival at {proven.site.name} proven for {proven.observed_at}, evidence {proven.evidence}"
    )
    return _met(deal, need, because)


def _arrival_by(deal: Deal, terminal: str, container: str) -> str:
    """The arrival that a terminal proves for a deal, by its name; `` if it is none of the deal's.

    Of several containers a terminal speaks for its own one, never for another or for all of them.
    """
    carried = deal.opened.carried
    if not carried:
        return ARRIVAL if (terminal, container) == (deal.opened.terminal, "") else ""
    named = any((each.terminal, each.container) == (terminal, container) for each in carried)
    return arrival_of(container) if named else ""


def _lacking(opened: DealOpened, proven: ArrivalProven) -> list[str]:
    conditions, risk_ppb = opened.conditions, share_ppb(opened)
    lacking = [mark for mark in conditions.marks if not _bears(mark, proven.marks, risk_ppb)]
    observed = Utc.parse(proven.observed_at)
    if not Utc.parse(conditions.not_before) <= observed <= Utc.parse(conditions.not_after):
        lacking.append("the asked time")
    if proven.site != conditions.site:
        lacking.append("the asked place")
    return lacking


def _bears(mark: str, marks: Marks, risk_ppb: int) -> bool:
    match mark:
        case "corroborated":
            return bool(marks.corroborated_by)
        case "inside":
            return 0 < marks.inside_risk_ppb <= risk_ppb
        case "inside_open_sky_model":
            return 0 < marks.inside_by_any_model_ppb <= risk_ppb
        case "signed_by_terminal":
            return marks.signed_by_terminal
        case "bound_to_goods":
            return marks.bound_to_goods
        case _:
            assert mark == "recomputed", "conditions are checked at opening"
            return marks.recomputed


def of_no_arrival(deal: Deal, failed: ArrivalNotProven) -> Verdict:
    """A window proved nothing: some reasons end the deal, others only explain."""
    need = _arrival_by(deal, failed.terminal, failed.container)
    if not need or need in deal.met:
        # What is proven stays proven: a later bad window does not undo an arrival.
        return Verdict()
    if failed.reason in BLOCKING and failed.marks.signed_by_terminal:
        return Verdict(abort=Abort(failed.reason, failed.sentence))
    return _obstacle(deal, failed.reason, failed.sentence)


def of_refusal(deal: Deal, refused: SubmissionRefused) -> Verdict:
    """Something sent in the terminal's name was not trusted: it only explains."""
    if refused.terminal not in deal.opened.terminals or deal.has_arrived:
        return Verdict()
    return _obstacle(deal, refused.reason, refused.sentence)


def of_papers(deal: Deal, checked: PapersChecked) -> Verdict:
    """The documents were held against each other."""
    if PAPERS not in deal.needs:
        return Verdict()
    if checked.agree:
        return _met(deal, PAPERS, f"{checked.checks} checks over {len(checked.documents)} papers")
    conflicts = [finding for finding in checked.findings if finding.verdict == "conflict"]
    if conflicts:
        first = conflicts[0]
        sentence = f"{first.sentence} ({first.left}; {first.right})"
        return Verdict(abort=Abort("papers_conflict", sentence))
    if PAPERS in deal.met:
        because = "a later check left something undecided"
        return Verdict((ConditionLapsed(deal=deal.name, name=PAPERS, because=because),))
    return Verdict()


def of_customs(deal: Deal, released: CustomsReleased) -> Verdict:
    """Customs let the goods go, or decided otherwise."""
    if CUSTOMS not in deal.needs:
        return Verdict()
    if released.decision not in _LETS_GO:
        sentence = f"Customs decided {released.decision!r} on {released.declaration}."
        return _obstacle(deal, "customs_held", sentence)
    return _met(deal, CUSTOMS, f"declaration {released.declaration}")


def of_deadline(deal: Deal) -> Abort:
    """The time is over: the newest obstacle tells why, if there is one."""
    lacking = ", ".join(deal.missing)
    until = str(deal.deadline)
    if deal.obstacles and not deal.has_arrived:
        last = deal.obstacles[-1]
        return Abort(last.reason, f"{last.sentence} Nothing better came until {until}.")
    return Abort("too_late", f"Until {until} these conditions did not hold: {lacking}.")


def _met(deal: Deal, name: str, because: str) -> Verdict:
    if name in deal.met:
        return Verdict()
    return Verdict((ConditionMet(deal=deal.name, name=name, because=because),))


def _obstacle(deal: Deal, reason: str, sentence: str) -> Verdict:
    # One note a reason: a stranger's flood of refusals must not grow the history.
    if any(known.reason == reason for known in deal.obstacles):
        return Verdict()
    return Verdict((ObstacleNoted(deal=deal.name, reason=reason, sentence=sentence),))
