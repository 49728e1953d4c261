"""A deal as the fold of its history: what was promised, what holds, what was decided.

`DEAL` is its state machine: what the services ask before they act, and what the fold goes by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from zhidao.core.errors import Refused
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.timescale import NS, Utc
from zhidao.core.transitions import Guard, Machine, Transition, never, rows_of
from zhidao.finance.domain.naming import transfer_id
from zhidao.finance.events import (
    ConditionLapsed,
    ConditionMet,
    Conditions,
    DealOpened,
    Decided,
    MoneyReserved,
    ObstacleNoted,
    Settled,
    TitleReserved,
)

ARRIVAL: Final = "arrival"
TITLE: Final = "title_in_custody"
PAPERS: Final = "papers_agree"
CUSTOMS: Final = "customs_released"
NEEDS: Final = frozenset((TITLE, PAPERS, CUSTOMS))
MARKS: Final = frozenset(
    (
        *("signed_by_terminal", "bound_to_goods", "recomputed", "corroborated"),
        *("inside", "inside_open_sky_model"),
    )
)
RELEASE: Final = "release"
ABORT: Final = "abort"

NEW: Final = "new"
OPENED: Final = "opened"
RESERVED: Final = "reserved"
DECIDED: Final = "decided"
PAID: Final = "paid"
REFUSED: Final = "refused"

ARRIVAL_GRACE_S: Final = 900
"""A window observed in time may reach the node this much later."""
REST_GRACE_S: Final = 5 * 86_400
"""Goods that arrived in time may wait this long for customs, papers or title."""


@dataclass(frozen=True, slots=True)
class Deal:
    """One deal as it stands after `version` events; `state` is one of the machine `DEAL`."""

    opened: DealOpened
    opened_at: Utc
    version: int
    state: str = OPENED
    reserved: MoneyReserved | None = None
    title_reserved: TitleReserved | None = None
    met: Mapping[str, str] = field(default_factory=dict)
    obstacles: tuple[ObstacleNoted, ...] = ()
    decided: Decided | None = None
    decided_at: Utc | None = None
    settled: Settled | None = None

    @property
    def name(self) -> str:
        """The deal's id."""
        return self.opened.deal

    @property
    def owner(self) -> PartyId:
        """The bank that opened the deal."""
        return PartyId(self.opened.payer_bank)

    @property
    def readers(self) -> tuple[PartyId, ...]:
        """The parties that may read the deal beside its owner."""
        others = {self.opened.payer, self.opened.payee, self.opened.payee_bank}
        return tuple(PartyId(party) for party in sorted(others - {self.opened.payer_bank}))

    @property
    def needs(self) -> tuple[str, ...]:
        """All conditions by name; the arrival is always one, of several containers each one's."""
        return (*arrivals_of(self.opened), *sorted(self.opened.conditions.needs))

    @property
    def has_arrived(self) -> bool:
        """Whether all that is awaited arrived."""
        return all(need in self.met for need in arrivals_of(self.opened))

    @property
    def missing(self) -> tuple[str, ...]:
        """Conditions that do not hold."""
        return tuple(need for need in self.needs if need not in self.met)

    @property
    def is_open(self) -> bool:
        """Whether nothing was decided."""
        return any(DEAL.leads(self.state, ABORT))

    def may(self, act: str) -> bool:
        """Whether an act of the machine may be done now."""
        return DEAL.may(self.state, act, self)

    @property
    def deadline(self) -> Utc:
        """Scenario time after which an undecided deal is aborted."""
        grace_s = REST_GRACE_S if self.has_arrived else ARRIVAL_GRACE_S
        return Utc.parse(self.opened.conditions.not_after).plus_ns(grace_s * NS)

    @property
    def pending_id(self) -> UUID:
        """The pending transfer that holds the money."""
        return transfer_id(self.name, "reserve", at=self.opened_at)

    @property
    def claim_id(self) -> UUID:
        """The pending transfer by which the payer's bank will owe the payee's."""
        return transfer_id(self.name, "claim", at=self.opened_at)

    def step_id(self, step: str) -> UUID:
        """The transfer of a later step (post, void, between_banks, payment)."""
        assert self.decided_at is not None, "money moves after the decision"
        return transfer_id(self.name, step, at=self.decided_at)


OPEN: Final = "open"
RESERVE_MONEY: Final = "reserve the money"
RESERVE_TITLE: Final = "reserve the title"
MEET: Final = "note a condition met"
MEET_TITLE: Final = "note the title in custody"
LAPSE: Final = "note a condition lapsed"
NOTE: Final = "note an obstacle"
PAY: Final = "settle as paid"
GIVE_BACK: Final = "settle as refused"

_BANK: Final = "payer's bank"
_NODE: Final = "node"
_UNDECIDED: Final = (OPENED, RESERVED)
_TITLE_NAMED: Final = Guard[Deal](
    "the deal names a title",
    lambda deal: bool(deal.opened.title),
    "no_title",
    "deal {it.name} names no title",
)
_TITLE_NOT_YET: Final = Guard[Deal](
    "it is not reserved yet", lambda deal: deal.title_reserved is None
)
_TITLE_THERE: Final = Guard[Deal](
    "the title is reserved, and not noted yet",
    lambda deal: deal.title_reserved is not None and TITLE in deal.missing,
)
_ALL_HOLD: Final = Guard[Deal]("every condition holds", lambda deal: not deal.missing)
_TO_PAY: Final = Guard[Deal](
    "the decision is to pay",
    lambda deal: deal.decided is not None and deal.decided.outcome == RELEASE,
)
_NOT_TO_PAY: Final = Guard[Deal](
    "the decision is not to pay",
    lambda deal: deal.decided is not None and deal.decided.outcome == ABORT,
)
_IS_DECIDED: Final[Guard[Deal]] = never("deal_is_decided", "deal {it.name} is decided")

DEAL: Final = Machine[Deal](
    "deal",
    NEW,
    (
        Transition(NEW, OPEN, _BANK, OPENED),
        Transition(OPENED, RESERVE_MONEY, _BANK, RESERVED),
        *rows_of(_UNDECIDED, RESERVE_TITLE, "payee", "", _TITLE_NAMED, _TITLE_NOT_YET),
        *rows_of(_UNDECIDED, MEET, _NODE),
        *rows_of(_UNDECIDED, MEET_TITLE, _NODE, "", _TITLE_THERE),
        *rows_of(_UNDECIDED, LAPSE, _NODE),
        *rows_of(_UNDECIDED, NOTE, _NODE),
        Transition(RESERVED, RELEASE, _NODE, DECIDED, (_ALL_HOLD,)),
        *rows_of(_UNDECIDED, ABORT, _NODE, DECIDED),
        Transition(DECIDED, PAY, _NODE, PAID, (_TO_PAY,)),
        Transition(DECIDED, GIVE_BACK, _NODE, REFUSED, (_NOT_TO_PAY,)),
    ),
    {(state, RESERVE_TITLE): (_TITLE_NAMED, _IS_DECIDED) for state in (DECIDED, PAID, REFUSED)},
)

_ACTS: Final = {
    **dict.fromkeys(DealOpened.types(), OPEN),
    MoneyReserved.TYPE: RESERVE_MONEY,
    TitleReserved.TYPE: RESERVE_TITLE,
    ConditionLapsed.TYPE: LAPSE,
    ObstacleNoted.TYPE: NOTE,
}


def act_of(fact: Fact | SignedEvent) -> str:
    """The act that a fact tells of; `` for one that is none of the machine's."""
    told = fact.payload() if isinstance(fact, Fact) else fact.payload
    match fact.told_as if isinstance(fact, Fact) else fact.type:
        case ConditionMet.TYPE:
            return MEET_TITLE if told["name"] == TITLE else MEET
        case Decided.TYPE:
            return str(told["outcome"])
        case kind if Settled.is_told_by(kind):
            return PAY if told["paid"] else GIVE_BACK
        case kind:
            return _ACTS.get(kind, "")


def permit(deal: Deal, facts: Sequence[Fact]) -> None:
    """Raises Refused unless each of these facts may follow, one after the other."""
    for fact in facts:
        act = act_of(fact)
        broken = DEAL.why_not(deal.state, act, deal)
        if broken is not None:
            said = broken.refusal(deal) or f"deal {deal.name}: {act} needs that {broken.reads}"
            raise Refused(said, code=broken.rule or "deal_state")
        deal = replace(deal, state=DEAL.after(deal.state, act))


def fold(history: Sequence[SignedEvent]) -> Deal | None:
    """The deal that a history makes, or None if the history is empty."""
    deal: Deal | None = None
    for event in history:
        act = act_of(event)
        if act == OPEN:
            state = DEAL.after(NEW, act)
            deal = Deal(DealOpened.of(event), event.recorded_at, event.version, state)
            continue
        assert deal is not None, "a deal's history starts with its opening"
        state = DEAL.after(deal.state, act)
        deal = replace(_told(deal, event), version=event.version, state=state)
    return deal


def _told(deal: Deal, event: SignedEvent) -> Deal:
    """With what a fact says; where it leads is the table's."""
    match event.type:
        case MoneyReserved.TYPE:
            return replace(deal, reserved=MoneyReserved.of(event))
        case TitleReserved.TYPE:
            return replace(deal, title_reserved=TitleReserved.of(event))
        case ConditionMet.TYPE:
            met = ConditionMet.of(event)
            return replace(deal, met={**deal.met, met.name: met.because})
        case ConditionLapsed.TYPE:
            gone = ConditionLapsed.of(event).name
            return replace(deal, met={n: why for n, why in deal.met.items() if n != gone})
        case ObstacleNoted.TYPE:
            return replace(deal, obstacles=(*deal.obstacles, ObstacleNoted.of(event)))
        case Decided.TYPE:
            return replace(deal, decided=Decided.of(event), decided_at=event.occurred_at)
        case kind if Settled.is_told_by(kind):
            return replace(deal, settled=Settled.of(event))
        case _:
            return deal


def arrival_of(container: str) -> str:
    """The condition that one of several containers arrived."""
    return f"{ARRIVAL}:{container}"


def arrivals_of(opened: DealOpened) -> tuple[str, ...]:
    """The conditions that the goods arrived: one, or one for each of several containers."""
    carried = sorted(each.container for each in opened.carried)
    return tuple(map(arrival_of, carried)) or (ARRIVAL,)


def share_ppb(opened: DealOpened) -> int:
    """The risk that each container's arrival may bear, so that all of them bear no more than asked.

    The chance that any is outside all the same is at most the sum of the chances.
    """
    return opened.conditions.risk_ppb // max(1, len(opened.carried))


def check_conditions(conditions: Conditions, *, title: str) -> None:
    """Refuses conditions that name unknown things or that can never hold.

    Raises MalformedInput for a site that is no place or whose outline crosses itself.
    """
    unknown = sorted(set(conditions.marks) - MARKS) + sorted(set(conditions.needs) - NEEDS)
    if unknown:
        raise Refused(f"unknown conditions: {', '.join(unknown)}", code="unknown_condition")
    for words in (conditions.marks, conditions.needs):
        if len(set(words)) != len(words):
            raise Refused("a condition stands twice", code="unknown_condition")
    if Utc.parse(conditions.not_before) >= Utc.parse(conditions.not_after):
        raise Refused("the time window ends before it starts", code="empty_window")
    if not 0 < conditions.risk_ppb <= 1_000_000_000:
        raise Refused("the accepted risk is a number from 1 to 1,000,000,000 parts per billion")
    if not conditions.site.corners and conditions.site.radius_mm <= 0:
        raise Refused("the site has no extent; nobody can arrive inside it", code="empty_site")
    conditions.site.area()
    if TITLE in conditions.needs and not title:
        raise Refused("the title is a condition but none is named", code="no_title")
