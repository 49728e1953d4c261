"""The life of a documentary credit: who may do what next, and which article says so.

The fold of its history is the state; `permit` refuses an act that does not fit it. Article numbers
are of UCP 600, those that begin with `e` of eUCP, told in our own words, not checked against the
texts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from zhidao.core.errors import Refused
from zhidao.finance.domain.credit.papers import RE_PRESENTATION_DAYS


class Act(StrEnum):
    """What a party does."""

    ISSUE = "issue"
    AMEND = "amend"
    ACCEPT_AMENDMENT = "accept_amendment"
    REJECT_AMENDMENT = "reject_amendment"
    ADVISE = "advise"
    CONFIRM = "confirm"
    PRESENT = "present"
    COMPLETE = "complete"
    ASK_RECORDS = "ask_records"
    RE_PRESENT = "re_present"
    EXAMINE = "examine"
    WAIVE = "waive"
    REFUSE = "refuse"
    ACCEPT = "accept"
    HONOUR = "honour"
    REIMBURSE = "reimburse"


@dataclass(frozen=True, slots=True)
class Drawing:
    """One presentation: what was claimed, what examination said, and what was done about it.

    `complete`: the notice of completeness was given, or none is needed. `asked`: the places of the
    records that the bank wants again since `asked_on`, as long as it waits for them.
    """

    claimed_minor: int
    complete: bool = True
    asked: tuple[int, ...] = ()
    asked_on: date | None = None
    complies: bool | None = None
    examine_until: date | None = None
    discrepancies: int = 0
    waived: bool = False
    refused: bool = False
    due_on: date | None = None
    accepted: bool = False
    honoured: bool = False
    reimbursed: bool = False

    def waits_on(self, today: date) -> bool:
        """Whether the time to examine stands still: a corrupted record may still come again."""
        return self.asked_on is not None and today <= self.asked_on + timedelta(
            days=RE_PRESENTATION_DAYS
        )

    def must_honour(self, today: date) -> bool:
        """Complying, waived, or precluded because the notice came not in time (article 16(f))."""
        if self.refused:
            return self.waived
        is_over = self.examine_until is not None and today > self.examine_until
        return bool(self.complies) or self.waived or is_over


@dataclass(frozen=True, slots=True)
class CreditState:
    """A credit as it stands. `version` 0: not issued. `offered`: an amendment without answer."""

    version: int = 0
    offered: int = 0
    most_minor: int = 0
    by_acceptance: bool = False
    advised: bool = False
    confirmer: str = ""
    confirmed: bool = False
    drawings: dict[str, Drawing] = field(default_factory=dict)

    @property
    def drawn_minor(self) -> int:
        """What presentations that were not refused claim."""
        return sum(one.claimed_minor for one in self.drawings.values() if not one.refused)

    def with_drawing(self, name: str, drawing: Drawing) -> CreditState:
        """With one presentation as it is now."""
        return replace(self, drawings={**self.drawings, name: drawing})


def permit(state: CreditState, act: Act, *, drawing: str, today: date) -> None:
    """Raises Refused (`credit_act`), naming the article, unless the act may be done now."""
    if act is Act.ISSUE:
        _need(state.version == 0, "7(b)", "it is issued, and irrevocable from then on")
        return
    _need(state.version > 0, "7", "it is not issued")
    if act in (Act.ACCEPT_AMENDMENT, Act.REJECT_AMENDMENT):
        _need(state.offered > 0, "10(c)", "no amendment waits for an answer")
    elif act is Act.AMEND:
        _need(state.offered == 0, "10(c)", "an amendment waits for the beneficiary's answer")
    elif act is Act.ADVISE:
        _need(not state.advised, "9", "it is advised")
    elif act is Act.CONFIRM:
        _need(bool(state.confirmer), "8", "nobody was asked to confirm it")
        _need(not state.confirmed, "8(b)", "it is confirmed, and irrevocably so")
    elif act is Act.PRESENT:
        _need(drawing not in state.drawings, "14", "this presentation was made")
    else:
        _permit_drawing(state, act, drawing, today)


def _permit_drawing(state: CreditState, act: Act, drawing: str, today: date) -> None:
    one = state.drawings.get(drawing)
    if one is None:
        raise Refused(f"no presentation {drawing[:40]!r}", code="credit_act")
    if act in (Act.EXAMINE, Act.COMPLETE, Act.ASK_RECORDS, Act.RE_PRESENT):
        _need(one.complies is None, "14(a)", "it is examined")
        if act is Act.EXAMINE:
            _need(not one.waits_on(today), "e12", "a corrupted record may still come again")
        elif act is Act.COMPLETE:
            _need(not one.complete, "e6(c)", "the notice of completeness was given")
        elif act is Act.ASK_RECORDS:
            _need(not one.asked, "e12", "records are asked for again")
        else:
            _need(bool(one.asked), "e12", "no record was asked for again")
        return
    _need(one.complies is not None, "14(a)", "it is not examined")
    _need(not one.honoured or act is Act.REIMBURSE, "15", "it is honoured")
    if act is Act.WAIVE:
        _need(not one.complies, "16(b)", "there is nothing to waive")
    elif act is Act.REFUSE:
        _need(not one.complies, "15(a)", "it complies")
        _need(not one.refused, "16(c)", "it was refused: there is one notice only")
        _need(not one.waived, "16(b)", "the applicant waived the discrepancies")
        is_late = one.examine_until is not None and today > one.examine_until
        _need(not is_late, "16(d), 16(f)", "the time to refuse is over")
    elif act is Act.ACCEPT:
        _need(state.by_acceptance, "2", "it is not available by acceptance")
        _need(not one.accepted, "7(a)(iv)", "the draft is accepted")
        _need(one.must_honour(today), "15", "it does not comply")
    elif act is Act.HONOUR:
        _need(one.must_honour(today), "15", "it does not comply")
        _need(one.accepted or not state.by_acceptance, "7(a)(iv)", "the draft is not accepted")
        _need(one.due_on is None or today >= one.due_on, "2", f"it is due on {one.due_on}")
    elif act is Act.REIMBURSE:
        _need(one.honoured, "7(c)", "it is not honoured")
        _need(not one.reimbursed, "7(c)", "it is reimbursed")


def _need(holds: bool, article: str, why: str) -> None:  # noqa: FBT001 (a condition in one line)
    if not holds:
        rules = "eUCP 2.1" if article.startswith("e") else "UCP 600"
        raise Refused(f"{rules} article {article}: {why}", code="credit_act")
