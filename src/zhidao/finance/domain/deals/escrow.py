"""A conditional payment as the fold of its history: what holds, who disputes, what was decided.

`ESCROW` is its state machine: what the services ask before they act, and what the fold goes by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from zhidao.core.errors import Refused
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc
from zhidao.core.transitions import Guard, Machine, Transition, never, rows_of
from zhidao.finance.domain.deals import condition as conditions
from zhidao.finance.domain.deals.condition import Attestation, Condition, Standing
from zhidao.finance.domain.naming import transfer_id
from zhidao.finance.events.banks import (
    DisputeRaised,
    EscrowDecided,
    EscrowHeld,
    EscrowNoted,
    EscrowOpened,
    EscrowSettled,
    ResolutionSigned,
)

NEVER_NS: Final = 2**62
"""A moment that does not come, Unix nanoseconds."""

DISPUTES_MAX: Final = 32
"""How often one may be disputed."""

NEW: Final = "new"
OPENED: Final = "opened"
HELD: Final = "held"
DISPUTED: Final = "disputed"
DECIDED: Final = "decided"
RELEASED: Final = "released"
REFUNDED: Final = "refunded"
SHARED: Final = "shared"


@dataclass(frozen=True, slots=True)
class Escrow:
    """A conditional payment as the fold of its history. `key`: what its history stands under.

    `state`: new, opened, held, disputed, decided, released, refunded or shared.
    """

    opened: EscrowOpened
    version: int
    key: str
    state: str = OPENED
    held: EscrowHeld | None = None
    met: Mapping[str, int] = field(default_factory=dict)
    """Since when each leaf holds, by its name, Unix nanoseconds."""
    because: Mapping[str, str] = field(default_factory=dict)
    disputes: tuple[tuple[str, str], ...] = ()
    resolutions: Mapping[str, ResolutionSigned] = field(default_factory=dict)
    decided: EscrowDecided | None = None
    settled: EscrowSettled | None = None

    @property
    def name(self) -> str:
        """What its bank calls it."""
        return self.opened.escrow

    @property
    def amount(self) -> Money:
        """What is held."""
        return Money(int(self.opened.amount_minor), Currency(self.opened.currency))

    @property
    def condition(self) -> Condition:
        """What must hold."""
        return conditions.read(self.opened.condition)

    @property
    def owner(self) -> PartyId:
        """The bank that holds the money."""
        return PartyId(self.opened.payer_bank)

    @property
    def readers(self) -> list[PartyId]:
        """Who may read it beside its bank: the parties, and those whose word it waits for."""
        told = self.opened
        words = {
            leaf.by for leaf in conditions.leaves(self.condition) if isinstance(leaf, Attestation)
        }
        names = {told.payer, told.payee, told.payee_bank, told.arbiter, *words} - {""}
        return [PartyId(name) for name in sorted(names - {told.payer_bank})]

    def transfer(self, step: str) -> UUID:
        """The ledger's transfer of a step."""
        return transfer_id("escrow", step, *self.key.split("/"))

    def look_ns(self, *, now_ns: int, grace_ns: int) -> int:
        """When time alone may change something, Unix nanoseconds.

        `grace_ns`: so long after a deadline its passing is believed.
        """
        if self.state == DISPUTED:
            return NEVER_NS  # Two signatures decide, whenever they come.
        times = [Utc.parse(self.opened.refund_after).unix_ns, *conditions.deadlines(self.condition)]
        coming = [at + grace_ns + 1 for at in times if at + grace_ns >= now_ns]
        return min(coming, default=now_ns)


def joint_share(escrow: Escrow) -> tuple[int, list[str]] | None:
    """A share on which two agree, or all of it given back by the payee, with who signed."""
    told = escrow.resolutions
    for share in sorted({int(each.to_payee_minor) for each in told.values()}):
        signers = [party for party, each in told.items() if int(each.to_payee_minor) == share]
        if len(signers) > 1 or (share == 0 and signers == [escrow.opened.payee]):
            return share, signers
    return None


@dataclass(frozen=True, slots=True)
class EscrowNow:
    """A conditional payment at a moment, Unix nanoseconds, less the grace that events have."""

    escrow: Escrow
    before_ns: int

    @property
    def standing(self) -> Standing:
        """How its condition stands."""
        condition, met = self.escrow.condition, self.escrow.met
        return conditions.judge(condition, met, now_ns=self.before_ns).standing

    @property
    def is_over(self) -> bool:
        """Whether the time to wait for the condition is over."""
        return self.before_ns > Utc.parse(self.escrow.opened.refund_after).unix_ns

    def may(self, act: str) -> bool:
        """Whether an act of the machine may be done now."""
        return ESCROW.may(self.escrow.state, act, self)


OPEN: Final = "open"
HOLD: Final = "hold the money"
WITHOUT: Final = "refund for want of money or room"
NOTE: Final = "note a leaf of the condition"
DISPUTE: Final = "dispute"
SIGN: Final = "sign a resolution"
AGREE: Final = "decide as agreed"
RELEASE: Final = "release"
REFUND_LOST: Final = "refund, the condition is lost"
REFUND_LATE: Final = "refund, the time is over"
PAY: Final = "settle as released"
GIVE_BACK: Final = "settle as refunded"
SHARE: Final = "settle as shared"

_NODE: Final = "node"
_UNDECIDED: Final = (OPENED, HELD, DISPUTED)
_NOT_HELD: Final = Guard[EscrowNow]("no money is held yet", lambda now: now.escrow.held is None)
_IS_HELD: Final = Guard[EscrowNow]("money is held", lambda now: now.escrow.held is not None)
_AGREED: Final = Guard[EscrowNow](
    "two of payer, payee and arbiter sign one sharing, or the payee gives all back",
    lambda now: joint_share(now.escrow) is not None,
)
_MET: Final = Guard[EscrowNow]("the condition is met", lambda now: now.standing is Standing.MET)
_LOST: Final = Guard[EscrowNow](
    "the condition cannot be met any more", lambda now: now.standing is Standing.LOST
)
_OVER: Final = Guard[EscrowNow]("the time to refund has come", lambda now: now.is_over)
_FEW: Final = Guard[EscrowNow](
    f"it was disputed fewer than {DISPUTES_MAX} times",
    lambda now: len(now.escrow.disputes) < DISPUTES_MAX,
    "too_many",
    "it is disputed; sign a resolution",
)
_IS_DECIDED: Final[Guard[EscrowNow]] = never("escrow_decided", "escrow {it.escrow.name} is decided")


def _decided_as(outcome: str) -> Guard[EscrowNow]:
    return Guard(
        f"the decision is to {outcome}",
        lambda now: now.escrow.decided is not None and now.escrow.decided.outcome == outcome,
    )


ESCROW: Final = Machine[EscrowNow](
    "escrow",
    NEW,
    (
        Transition(NEW, OPEN, "payer's bank", OPENED),
        Transition(OPENED, HOLD, _NODE, HELD),
        Transition(DISPUTED, HOLD, _NODE, DISPUTED, (_NOT_HELD,)),
        *rows_of((OPENED, DISPUTED), WITHOUT, _NODE, DECIDED, _NOT_HELD),
        *rows_of(_UNDECIDED, NOTE, "node, or the party whose word it is"),
        *rows_of(_UNDECIDED, DISPUTE, "payer or payee", DISPUTED, _FEW),
        *rows_of(_UNDECIDED, SIGN, "payer, payee or arbiter"),
        *rows_of((HELD, DISPUTED), AGREE, _NODE, DECIDED, _IS_HELD, _AGREED),
        Transition(HELD, RELEASE, _NODE, DECIDED, (_MET,)),
        Transition(HELD, REFUND_LOST, _NODE, DECIDED, (_LOST,)),
        Transition(HELD, REFUND_LATE, _NODE, DECIDED, (_OVER,)),
        Transition(DECIDED, PAY, _NODE, RELEASED, (_decided_as("release"),)),
        Transition(DECIDED, GIVE_BACK, _NODE, REFUNDED, (_decided_as("refund"),)),
        Transition(DECIDED, SHARE, _NODE, SHARED, (_decided_as("share"),)),
    ),
    {
        (state, act): (_IS_DECIDED,)
        for state in (DECIDED, RELEASED, REFUNDED, SHARED)
        for act in (NOTE, DISPUTE, SIGN)
    },
)
DECISIONS: Final = (AGREE, RELEASE, REFUND_LOST, REFUND_LATE)
"""The acts that decide, the first that may be done first."""
SETTLING: Final = {"release": PAY, "refund": GIVE_BACK, "share": SHARE}
"""By which act a decision is settled."""

_ACTS: Final = {
    EscrowOpened.TYPE: OPEN,
    EscrowHeld.TYPE: HOLD,
    EscrowNoted.TYPE: NOTE,
    DisputeRaised.TYPE: DISPUTE,
    ResolutionSigned.TYPE: SIGN,
}
_DECIDING: Final = {
    "no_funds": WITHOUT,
    "no_line": WITHOUT,
    "condition_met": RELEASE,
    "condition_lost": REFUND_LOST,
    "time_over": REFUND_LATE,
}
"""The act by the reason that a decision gives; for any other it was agreed."""


def act_of(escrow: Escrow, fact: Fact | SignedEvent) -> str:
    """The act that a fact tells of; `` for one that is none of the machine's."""
    told = fact.payload() if isinstance(fact, Fact) else fact.payload
    match fact.TYPE if isinstance(fact, Fact) else fact.type:
        case EscrowDecided.TYPE:
            return _DECIDING.get(told["reason"], AGREE)
        case EscrowSettled.TYPE:
            return SETTLING[escrow.decided.outcome] if escrow.decided is not None else ""
        case kind:
            return _ACTS.get(kind, "")


def permit(now: EscrowNow, *facts: Fact) -> None:
    """Raises Refused unless each of these facts may follow, one after the other."""
    for fact in facts:
        act = act_of(now.escrow, fact)
        broken = ESCROW.why_not(now.escrow.state, act, now)
        if broken is not None:
            name = now.escrow.name
            said = broken.refusal(now) or f"escrow {name}: {act} needs that {broken.reads}"
            raise Refused(said, code=broken.rule or "escrow_state")
        escrow = replace(now.escrow, state=ESCROW.after(now.escrow.state, act))
        now = replace(now, escrow=escrow)


def fold(history: Sequence[SignedEvent]) -> Escrow | None:
    """The conditional payment that a history makes, or None if it is empty."""
    escrow: Escrow | None = None
    for event in history:
        if event.type == EscrowOpened.TYPE:
            key = event.aggregate.partition("/")[2]
            state = ESCROW.after(NEW, OPEN)
            escrow = Escrow(EscrowOpened.of(event), event.version, key, state)
            continue
        assert escrow is not None, "its history starts with its opening"
        state = ESCROW.after(escrow.state, act_of(escrow, event))
        escrow = replace(_told(escrow, event), version=event.version, state=state)
    return escrow


def _told(escrow: Escrow, event: SignedEvent) -> Escrow:
    """With what a fact says; where it leads is the table's."""
    by = event.asserted_by.party
    match event.type:
        case EscrowHeld.TYPE:
            return replace(escrow, held=EscrowHeld.of(event))
        case EscrowNoted.TYPE:
            noted = EscrowNoted.of(event)
            met = {leaf: at for leaf, at in escrow.met.items() if leaf != noted.leaf}
            why = {leaf: each for leaf, each in escrow.because.items() if leaf != noted.leaf}
            if noted.holds:
                met[noted.leaf] = Utc.parse(noted.recorded_at).unix_ns
                why[noted.leaf] = noted.event or str(event.id)
            return replace(escrow, met=met, because=why)
        case DisputeRaised.TYPE:
            raised = DisputeRaised.of(event)
            return replace(escrow, disputes=(*escrow.disputes, (by, raised.reason)))
        case ResolutionSigned.TYPE:
            signed = {**escrow.resolutions, by: ResolutionSigned.of(event)}
            return replace(escrow, resolutions=signed)
        case EscrowDecided.TYPE:
            return replace(escrow, decided=EscrowDecided.of(event))
        case EscrowSettled.TYPE:
            return replace(escrow, settled=EscrowSettled.of(event))
        case _:
            return escrow
