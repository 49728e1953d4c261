"""What the history of a documentary credit makes of it: the fold of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from zhidao.core.canonical import jcs
from zhidao.core.events import SignedEvent
from zhidao.finance.domain.credit.states import Act, CreditState, Drawing
from zhidao.finance.events import CreditActed
from zhidao.finance.wire.credit import read_credit


def fold(history: Sequence[SignedEvent]) -> CreditState:
    """The state that a history makes."""
    state = CreditState()
    for fact in acts(history):
        state = after(state, fact)
    return state


def acts(history: Sequence[SignedEvent]) -> list[CreditActed]:
    """The steps of a history, oldest first; its opening is none."""
    return [CreditActed.of(event) for event in history if event.type == CreditActed.TYPE]


def after(state: CreditState, fact: CreditActed) -> CreditState:
    """The state after one more step."""
    act = Act(fact.act)
    if act is Act.ISSUE:
        terms = read_credit(jcs(fact.terms))
        return replace(
            state,
            version=1,
            most_minor=terms.amount_most_minor,
            by_acceptance=terms.available_by == "acceptance",
            confirmer=terms.confirming_bank,
        )
    if act is Act.AMEND:
        most = read_credit(jcs(fact.terms)).amount_most_minor
        return replace(state, offered=state.version + 1, offered_most_minor=most)
    if act is Act.ACCEPT_AMENDMENT:
        most = state.offered_most_minor
        return replace(state, version=state.offered, offered=0, most_minor=most)
    if act is Act.REJECT_AMENDMENT:
        return replace(state, offered=0)
    if act is Act.ADVISE:
        return replace(state, advised=True)
    if act is Act.CONFIRM:
        return replace(state, confirmed=True)
    if act is Act.PRESENT:
        said = fact.papers or {}
        made = Drawing(int(said["claimed_minor"]), complete=bool(said.get("complete", True)))
        return state.with_drawing(fact.drawing, made)
    return state.with_drawing(fact.drawing, _drawing(state.drawings[fact.drawing], act, fact))


def _drawing(one: Drawing, act: Act, fact: CreditActed) -> Drawing:
    if act is Act.EXAMINE:
        notice = fact.notice or {}
        return replace(
            one,
            complies=bool(notice["complies"]),
            examine_until=date.fromisoformat(notice["examine_until"]),
            discrepancies=len(notice["discrepancies"]),
        )
    if act is Act.ACCEPT:
        return replace(one, accepted=True, due_on=date.fromisoformat(fact.due_on))
    if act is Act.COMPLETE:
        return replace(one, complete=True)
    if act is Act.ASK_RECORDS:
        places = tuple(int(place) for place in (fact.notice or {})["records"])
        return replace(one, asked=places, asked_on=date.fromisoformat(fact.day))
    if act is Act.RE_PRESENT:
        return replace(one, asked=(), asked_on=None)
    if act is Act.WAIVE:
        return replace(one, waived=True)
    if act is Act.REFUSE:
        # Whoever waived what is refused now waives that anew, or not.
        return replace(one, refused=True, waived=False)
    return replace(one, honoured=True, reimbursed=one.reimbursed or act is Act.REIMBURSE)


def is_done(state: CreditState, act: Act, drawing: str) -> bool:
    """Whether a step was taken, so that taking it again changes nothing."""
    one = state.drawings.get(drawing)
    flags = {
        Act.ISSUE: state.version > 0,
        Act.ADVISE: state.advised,
        Act.CONFIRM: state.confirmed,
        Act.PRESENT: one is not None,
        Act.COMPLETE: one is not None and one.complete,
        Act.EXAMINE: one is not None and one.complies is not None,
        Act.WAIVE: one is not None and one.waived,
        Act.REFUSE: one is not None and one.refused,
        Act.ACCEPT: one is not None and one.accepted,
        Act.HONOUR: one is not None and one.honoured,
        Act.REIMBURSE: one is not None and one.reimbursed,
    }
    return flags.get(act, False)
