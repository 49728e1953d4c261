"""The life of a documentary credit: who may do what next, and which article says so.

The fold of its history is the state; `permit` refuses an act that does not fit it, as the tables
`CREDIT` (the credit itself) and `DRAWING` (each presentation under it) say. Article numbers
are of UCP 600, those that begin with `e` of eUCP, told in our own words, not checked against the
texts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from zhidao.core.errors import Refused
from zhidao.core.transitions import Guard, Machine, S, Transition, never, rows_of
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


NOT_ISSUED: Final = "not issued"
ISSUED: Final = "issued"
OFFERED: Final = "amendment offered"

NOT_MADE: Final = "not made"
PRESENTED: Final = "presented"
COMPLYING: Final = "complying"
DISCREPANT: Final = "discrepant"
REFUSED: Final = "refused"
WAIVED: Final = "waived"
WAIVED_LATE: Final = "refused, then waived"
ACCEPTED: Final = "accepted"
HONOURED: Final = "honoured"
REIMBURSED: Final = "reimbursed"

ISSUER: Final = "issuing bank"
ADVISER: Final = "advising bank"
CONFIRMER: Final = "confirming bank"
ANY_BANK: Final = "a bank of the credit"
BENEFICIARY: Final = "beneficiary"
APPLICANT: Final = "applicant"


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

    @property
    def state(self) -> str:
        """Its state in the table `DRAWING`."""
        if self.honoured:
            return REIMBURSED if self.reimbursed else HONOURED
        if self.accepted:
            return ACCEPTED
        if self.waived:
            return WAIVED_LATE if self.refused else WAIVED
        if self.refused:
            return REFUSED
        if self.complies is None:
            return PRESENTED
        return COMPLYING if self.complies else DISCREPANT

    def waits_on(self, today: date) -> bool:
        """Whether the time to examine stands still: a corrupted record may still come again."""
        return self.asked_on is not None and today <= self.asked_on + timedelta(
            days=RE_PRESENTATION_DAYS
        )

    @property
    def draws(self) -> bool:
        """Whether its claim counts: not of one that was refused, unless that was waived then."""
        return self.state != REFUSED

    def must_honour(self, today: date) -> bool:
        """Complying, or precluded because the notice came not in time (article 16(f))."""
        is_over = self.examine_until is not None and today > self.examine_until
        return bool(self.complies) or (is_over and not self.refused)


@dataclass(frozen=True, slots=True)
class CreditState:
    """A credit as it stands. `version` 0: not issued. `offered`: an amendment without answer."""

    version: int = 0
    offered: int = 0
    most_minor: int = 0
    offered_most_minor: int = 0
    """What may be drawn by the amendment that waits."""
    by_acceptance: bool = False
    advised: bool = False
    confirmer: str = ""
    confirmed: bool = False
    drawings: dict[str, Drawing] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """Its state in the table `CREDIT`."""
        if not self.version:
            return NOT_ISSUED
        return OFFERED if self.offered else ISSUED

    @property
    def drawn_minor(self) -> int:
        """What presentations claim that count, however they came to."""
        return sum(one.claimed_minor for one in self.drawings.values() if one.draws)

    def with_drawing(self, name: str, drawing: Drawing) -> CreditState:
        """With one presentation as it is now."""
        return replace(self, drawings={**self.drawings, name: drawing})


@dataclass(frozen=True, slots=True)
class CreditNow:
    """A credit on a day, for an act about the presentation `drawing`, or about none (``)."""

    credit: CreditState
    drawing: str
    today: date


@dataclass(frozen=True, slots=True)
class DrawingNow:
    """A presentation under a credit on a day. `by_issuer`: the issuing bank is who acts."""

    one: Drawing
    credit: CreditState
    today: date
    by_issuer: bool = True

    @property
    def has_room(self) -> bool:
        """Whether the credit has what it claims beside all others; a claim alone may be beyond."""
        others = self.credit.drawn_minor - (self.one.claimed_minor if self.one.draws else 0)
        return not others or others + self.one.claimed_minor <= self.credit.most_minor

    @property
    def may_honour(self) -> bool:
        """It must be, or the issuing bank itself takes the applicant's waiver."""
        return self.one.must_honour(self.today) or (self.one.waived and self.by_issuer)


_BOTH: Final = (ISSUED, OFFERED)
_CreditGuard = Guard[CreditNow]
_DrawingGuard = Guard[DrawingNow]

CREDIT: Final = Machine[CreditNow](
    "documentary credit",
    NOT_ISSUED,
    (
        Transition(NOT_ISSUED, Act.ISSUE, ISSUER, ISSUED),
        Transition(ISSUED, Act.AMEND, ISSUER, OFFERED),
        Transition(OFFERED, Act.ACCEPT_AMENDMENT, BENEFICIARY, ISSUED),
        Transition(OFFERED, Act.REJECT_AMENDMENT, BENEFICIARY, ISSUED),
        *rows_of(
            _BOTH,
            Act.ADVISE,
            ADVISER,
            "",
            _CreditGuard(
                "it is not advised yet", lambda now: not now.credit.advised, "9", "it is advised"
            ),
        ),
        *rows_of(
            _BOTH,
            Act.CONFIRM,
            CONFIRMER,
            "",
            _CreditGuard(
                "a bank was asked to confirm it",
                lambda now: bool(now.credit.confirmer),
                "8",
                "nobody was asked to confirm it",
            ),
            _CreditGuard(
                "it is not confirmed yet",
                lambda now: not now.credit.confirmed,
                "8(b)",
                "it is confirmed, and irrevocably so",
            ),
        ),
        *rows_of(
            _BOTH,
            Act.PRESENT,
            BENEFICIARY,
            "",
            _CreditGuard(
                "the presentation is a new one",
                lambda now: now.drawing not in now.credit.drawings,
                "14",
                "this presentation was made",
            ),
        ),
    ),
    {
        **{(NOT_ISSUED, act): (never("7", "it is not issued"),) for act in set(Act) - {Act.ISSUE}},
        **{
            (state, Act.ISSUE): (never("7(b)", "it is issued, and irrevocable from then on"),)
            for state in _BOTH
        },
        (OFFERED, Act.AMEND): (never("10(c)", "an amendment waits for the beneficiary's answer"),),
        **{
            (ISSUED, act): (never("10(c)", "no amendment waits for an answer"),)
            for act in (Act.ACCEPT_AMENDMENT, Act.REJECT_AMENDMENT)
        },
    },
)

_NO_MORE_ASKED: Final = _DrawingGuard(
    "no record is asked for again",
    lambda now: not now.one.asked,
    "e12",
    "records are asked for again",
)
_ASKED: Final = _DrawingGuard(
    "a record is asked for again",
    lambda now: bool(now.one.asked),
    "e12",
    "no record was asked for again",
)
_NO_NOTICE: Final = _DrawingGuard(
    "the notice of completeness was not given",
    lambda now: not now.one.complete,
    "e6(c)",
    "the notice of completeness was given",
)
_NO_WAIT: Final = _DrawingGuard(
    "no corrupted record may still come again",
    lambda now: not now.one.waits_on(now.today),
    "e12",
    "a corrupted record may still come again",
)
_NOT_COMPLYING: Final = _DrawingGuard(
    "it does not comply", lambda now: not now.one.complies, "16(b)", "there is nothing to waive"
)
_IN_TIME: Final = _DrawingGuard(
    "the time to refuse is not over",
    lambda now: now.one.examine_until is None or now.today <= now.one.examine_until,
    "16(d), 16(f)",
    "the time to refuse is over",
)
_BY_ACCEPTANCE: Final = _DrawingGuard(
    "the credit is available by acceptance",
    lambda now: now.credit.by_acceptance,
    "2",
    "it is not available by acceptance",
)
_ISSUERS_WORD: Final = _DrawingGuard(
    "the issuing bank takes the waiver, unless it complies or the time to refuse is over",
    lambda now: now.may_honour or now.one.accepted or not now.one.waived,
    "16(b)",
    "whether a waiver is taken is the issuing bank's own judgement",
)
_MUST_HONOUR: Final = _DrawingGuard(
    "it complies, a waiver was taken, or the time to refuse is over",
    lambda now: now.may_honour or now.one.accepted,
    "15",
    "it does not comply",
)
_ROOM: Final = _DrawingGuard(
    "the credit has room for it beside the other presentations",
    lambda now: now.has_room,
    "2",
    "others have drawn what it claims: {it.credit.drawn_minor} of {it.credit.most_minor}",
)
_DRAFT_ACCEPTED: Final = _DrawingGuard(
    "its draft is accepted, where the credit asks for one",
    lambda now: now.one.accepted or not now.credit.by_acceptance,
    "7(a)(iv)",
    "the draft is not accepted",
)
_DUE: Final = _DrawingGuard(
    "it is due",
    lambda now: now.one.due_on is None or now.today >= now.one.due_on,
    "2",
    "it is due on {it.one.due_on}",
)

_EXAMINED: Final = (COMPLYING, DISCREPANT, REFUSED, WAIVED, WAIVED_LATE, ACCEPTED)
_PAID: Final = (HONOURED, REIMBURSED)
_BEFORE: Final = (Act.COMPLETE, Act.ASK_RECORDS, Act.RE_PRESENT, Act.EXAMINE)
_AFTER: Final = (Act.WAIVE, Act.REFUSE, Act.ACCEPT, Act.HONOUR)

DRAWING: Final = Machine[DrawingNow](
    "presentation under a documentary credit",
    NOT_MADE,
    (
        Transition(NOT_MADE, Act.PRESENT, BENEFICIARY, PRESENTED),
        Transition(PRESENTED, Act.COMPLETE, BENEFICIARY, PRESENTED, (_NO_NOTICE,)),
        Transition(PRESENTED, Act.ASK_RECORDS, ANY_BANK, PRESENTED, (_NO_MORE_ASKED,)),
        Transition(PRESENTED, Act.RE_PRESENT, BENEFICIARY, PRESENTED, (_ASKED,)),
        Transition(PRESENTED, Act.EXAMINE, ANY_BANK, COMPLYING, (_NO_WAIT,)),
        Transition(PRESENTED, Act.EXAMINE, ANY_BANK, DISCREPANT, (_NO_WAIT,)),
        Transition(DISCREPANT, Act.WAIVE, APPLICANT, WAIVED),
        Transition(WAIVED, Act.WAIVE, APPLICANT, WAIVED),
        *rows_of((REFUSED, WAIVED_LATE), Act.WAIVE, APPLICANT, WAIVED_LATE, _ROOM),
        Transition(ACCEPTED, Act.WAIVE, APPLICANT, ACCEPTED, (_NOT_COMPLYING,)),
        *rows_of((DISCREPANT, WAIVED), Act.REFUSE, ANY_BANK, REFUSED, _IN_TIME),
        *rows_of(
            (COMPLYING, DISCREPANT, WAIVED, WAIVED_LATE),
            *(Act.ACCEPT, ANY_BANK, ACCEPTED),
            *(_BY_ACCEPTANCE, _ISSUERS_WORD, _MUST_HONOUR, _ROOM),
        ),
        *rows_of(
            (COMPLYING, DISCREPANT, WAIVED, WAIVED_LATE, ACCEPTED),
            *(Act.HONOUR, ANY_BANK, HONOURED),
            *(_ISSUERS_WORD, _MUST_HONOUR, _ROOM, _DRAFT_ACCEPTED, _DUE),
        ),
        Transition(HONOURED, Act.REIMBURSE, ISSUER, REIMBURSED),
    ),
    {
        **{
            (state, act): (never("14(a)", "it is examined"),)
            for state in (*_EXAMINED, *_PAID)
            for act in _BEFORE
        },
        **{
            (PRESENTED, act): (never("14(a)", "it is not examined"),)
            for act in (*_AFTER, Act.REIMBURSE)
        },
        **{(state, act): (never("15", "it is honoured"),) for state in _PAID for act in _AFTER},
        (COMPLYING, Act.WAIVE): (never("16(b)", "there is nothing to waive"),),
        (COMPLYING, Act.REFUSE): (never("15(a)", "it complies"),),
        **{
            (state, Act.REFUSE): (never("16(c)", "it was refused: there is one notice only"),)
            for state in (REFUSED, WAIVED_LATE)
        },
        (ACCEPTED, Act.REFUSE): (
            _DrawingGuard("", lambda now: not now.one.complies, "15(a)", "it complies"),
            _DrawingGuard(
                "",
                lambda now: not now.one.refused,
                "16(c)",
                "it was refused: there is one notice only",
            ),
            _DrawingGuard(
                "",
                lambda now: not now.one.waived,
                "16(b)",
                "the applicant waived the discrepancies",
            ),
            _IN_TIME,
        ),
        (REFUSED, Act.ACCEPT): (_BY_ACCEPTANCE, never("15", "it does not comply")),
        (ACCEPTED, Act.ACCEPT): (_BY_ACCEPTANCE, never("7(a)(iv)", "the draft is accepted")),
        (REFUSED, Act.HONOUR): (never("15", "it does not comply"),),
        **{(state, Act.REIMBURSE): (never("7(c)", "it is not honoured"),) for state in _EXAMINED},
        (REIMBURSED, Act.REIMBURSE): (never("7(c)", "it is reimbursed"),),
    },
)
_OF_DRAWING: Final = frozenset((*_BEFORE, *_AFTER, Act.REIMBURSE))


def whose(act: Act) -> str:
    """Whose act it is, by the tables."""
    return (DRAWING if act in _OF_DRAWING else CREDIT).who(act)


def permit(
    state: CreditState, act: Act, *, drawing: str, today: date, by_issuer: bool = True
) -> None:
    """Raises Refused (`credit_act`), naming the article, unless the act may be done now.

    `by_issuer`: whether the issuing bank acts, of what each bank of the credit may do.
    """
    if act not in _OF_DRAWING or state.state == NOT_ISSUED:
        now = CreditNow(state, drawing, today)
        _refuse_if(CREDIT.why_not(state.state, act, now), now)
        return
    one = state.drawings.get(drawing)
    if one is None:
        raise Refused(f"no presentation {drawing[:40]!r}", code="credit_act")
    seen = DrawingNow(one, state, today, by_issuer)
    _refuse_if(DRAWING.why_not(one.state, act, seen), seen)


def _refuse_if(broken: Guard[S] | None, subject: S) -> None:
    if broken is not None:
        rules = "eUCP 2.1" if broken.rule.startswith("e") else "UCP 600"
        raise Refused(
            f"{rules} article {broken.rule}: {broken.refusal(subject)}", code="credit_act"
        )
