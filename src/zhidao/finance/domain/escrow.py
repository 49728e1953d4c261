"""A conditional payment as the fold of its history: what holds, who disputes, what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc
from zhidao.finance.domain import condition as conditions
from zhidao.finance.domain.condition import Condition, Word
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


@dataclass(frozen=True, slots=True)
class Escrow:
    """A conditional payment as the fold of its history. `key`: what its history stands under."""

    opened: EscrowOpened
    version: int
    key: str
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
        words = {leaf.by for leaf in conditions.leaves(self.condition) if isinstance(leaf, Word)}
        names = {told.payer, told.payee, told.payee_bank, told.arbiter, *words} - {""}
        return [PartyId(name) for name in sorted(names - {told.payer_bank})]

    @property
    def state(self) -> str:
        """One word: opened, held, disputed, decided, released, refunded or shared."""
        if self.decided is not None:
            done = {"release": "released", "refund": "refunded", "share": "shared"}
            return "decided" if self.settled is None else done[self.decided.outcome]
        if self.disputes:
            return "disputed"
        return "opened" if self.held is None else "held"

    def transfer(self, step: str) -> UUID:
        """The ledger's transfer of a step."""
        return transfer_id("escrow", step, *self.key.split("/"))

    def look_ns(self, *, now_ns: int, grace_ns: int) -> int:
        """When time alone may change something, Unix nanoseconds.

        `grace_ns`: so long after a deadline its passing is believed.
        """
        if self.decided is None and self.disputes:
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


def fold(history: Sequence[SignedEvent]) -> Escrow | None:
    """The conditional payment that a history makes, or None if it is empty."""
    escrow: Escrow | None = None
    for event in history:
        if event.type == EscrowOpened.TYPE:
            key = event.aggregate.partition("/")[2]
            escrow = Escrow(EscrowOpened.of(event), event.version, key)
            continue
        assert escrow is not None, "its history starts with its opening"
        escrow = replace(_step(escrow, event), version=event.version)
    return escrow


def _step(escrow: Escrow, event: SignedEvent) -> Escrow:
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
