"""Facts of what banks do beside the ledger; `events` is the room's face and brings them along.

Approvals, netting, judged alerts, conditional payments, payment versus payment between two nodes.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from zhidao.core.events import Fact


class ApprovalAsked(Fact, frozen=True, kw_only=True):
    """An act above its limit waits for two persons of a party. Aggregate `approval/<approval>`.

    `approval`: SHA-256 over party, act, subject, amount and `said`, so that approving this says
    nothing about anything else. `said`: what will be done, as it was asked for.
    """

    TYPE: ClassVar[str] = "finance.ApprovalAsked.v1"
    approval: str
    act: str
    subject: str
    amount_minor: str
    currency: str
    said: dict[str, Any]


class ApprovalGiven(Fact, frozen=True, kw_only=True):
    """A person of the party approved or refused. `verdict`: approve or refuse; `reason`: or ``.

    Or what that person said counts no more, `lapse`: the person was withdrawn meanwhile, or may
    not do such an act any more. Or, of nobody, what came of the words for good: `done`, the act
    was carried out; `turned_down`, its refusal was; `cleared`, it ended undecided. What is asked
    for anew begins again.
    """

    TYPE: ClassVar[str] = "finance.ApprovalGiven.v1"
    approval: str
    person: str
    verdict: str
    reason: str = ""


class CreditLineSet(Fact, frozen=True, kw_only=True):
    """How much `peer` may owe `bank`, minor units, from now on.

    Aggregate `credit-line/<bank>/<peer>/<currency>`.
    """

    TYPE: ClassVar[str] = "finance.CreditLineSet.v1"
    bank: str
    peer: str
    currency: str
    limit_minor: str


class NettingOpened(Fact, frozen=True, kw_only=True):
    """A bank takes obligations of its customers to net them. Aggregate `netting/<bank>/<cycle>`.

    The first cycles of a node stand under `netting/<cycle>`.
    """

    TYPE: ClassVar[str] = "finance.NettingOpened.v1"
    cycle: str
    bank: str
    currency: str
    participants: list[str]


class Obligation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What its debtor owes, minor units as text; `reference` is the debtor's name for it."""

    creditor: str
    amount_minor: str
    reference: str


class ObligationsAdded(Fact, frozen=True, kw_only=True):
    """A debtor says what it owes; `batch` names the whole list once and for all."""

    TYPE: ClassVar[str] = "finance.ObligationsAdded.v1"
    cycle: str
    batch: str
    debtor: str
    obligations: list[Obligation]


class NettingDecided(Fact, frozen=True, kw_only=True):
    """What settles together, decided once for each attempt; it is then applied whole or not at all.

    `positions`: party and what it receives (negative: pays), text. `waiting`: numbers of the
    obligations, from 1 in order of arrival, for which the money was not there.
    """

    TYPE: ClassVar[str] = "finance.NettingDecided.v1"
    cycle: str
    attempt: int
    positions: list[list[str]]
    gross_minor: str
    settled_minor: str
    moved_minor: str
    waiting: list[int]


class NettingSettled(Fact, frozen=True, kw_only=True):
    """A decision is applied (`done`), or the ledger refused it and another attempt follows."""

    TYPE: ClassVar[str] = "finance.NettingSettled.v1"
    cycle: str
    attempt: int
    done: bool
    reason: str


class HitJudged(Fact, frozen=True, kw_only=True):
    """A person judged an alert. `verdict`: cleared or confirmed. In the screening's aggregate."""

    TYPE: ClassVar[str] = "finance.HitJudged.v1"
    screening: str
    verdict: str
    reason: str
    person: str


class EscrowOpened(Fact, frozen=True, kw_only=True):
    """A bank holds money under a condition. Aggregate `escrow/<payer's bank>/<escrow>`.

    The first ones of a node stand under `escrow/<escrow>`.

    `condition`: as in `domain.condition`. `refund_after`: when nothing was decided until then, the
    payer has its money back. `arbiter`: `` if the parties name nobody for a dispute.
    """

    TYPE: ClassVar[str] = "finance.EscrowOpened.v1"
    escrow: str
    payer: str
    payee: str
    payer_bank: str
    payee_bank: str
    amount_minor: str
    currency: str
    condition: dict[str, Any]
    refund_after: str
    arbiter: str
    reference: str


class EscrowHeld(Fact, frozen=True, kw_only=True):
    """The money is held by a pending transfer.

    `claim`: another one at the payee's bank, by which the payer's will owe it; `` within one bank.
    """

    TYPE: ClassVar[str] = "finance.EscrowHeld.v1"
    escrow: str
    transfer: str
    claim: str = ""


class EscrowNoted(Fact, frozen=True, kw_only=True):
    """An event or word that a leaf of the condition asks for came, or does not hold any more.

    `leaf`: its canonical JSON; `event`: what it rests on (`` for a word, which is this event).
    `recorded_at`: the moment that deadlines count by, the node's word.
    """

    TYPE: ClassVar[str] = "finance.EscrowNoted.v1"
    escrow: str
    leaf: str
    holds: bool
    event: str
    recorded_at: str


class DisputeRaised(Fact, frozen=True, kw_only=True):
    """Payer or payee disputes: nothing is decided by itself from here on."""

    TYPE: ClassVar[str] = "finance.DisputeRaised.v1"
    escrow: str
    reason: str


class ResolutionSigned(Fact, frozen=True, kw_only=True):
    """Payer, payee or arbiter signs how the money is shared; two equal ones of them decide.

    `to_payee_minor`: what the payee gets; the payer has the rest back.
    """

    TYPE: ClassVar[str] = "finance.ResolutionSigned.v1"
    escrow: str
    to_payee_minor: str
    reason: str


class EscrowDecided(Fact, frozen=True, kw_only=True):
    """The one decision. `outcome`: release, refund or share. Public in the log.

    `reason`: condition_met, condition_lost, time_over, by_payee, jointly, no_funds, no_line.
    """

    TYPE: ClassVar[str] = "finance.EscrowDecided.v1"
    OPEN: ClassVar[bool] = True
    escrow: str
    outcome: str
    reason: str
    to_payee_minor: str
    transfer: str
    signed_by: list[str]


class EscrowSettled(Fact, frozen=True, kw_only=True):
    """The decision is applied."""

    TYPE: ClassVar[str] = "finance.EscrowSettled.v1"
    escrow: str
    to_payee_minor: str


class FxQuoted(Fact, frozen=True, kw_only=True):
    """A dealer's signed quote, at the dealer (`given`) or at its client.

    Aggregate `fx-quote/<dealer>/<quote>` or `fx-quote/<client>/<quote>,<dealer's node>,<dealer>`;
    the client's first ones bear the quote alone. `message`: the signed quote as in `wire.pvp`. The
    dealer pays from account `pays_from` of its ledger and receives at `receives_at` of
    the client's.
    """

    TYPE: ClassVar[str] = "finance.FxQuoted.v1"
    quote: str
    given: bool
    dealer: str
    dealer_node: str
    client: str
    client_node: str
    message: dict[str, Any]
    pays_from: str
    receives_at: str


class PvpAgreed(Fact, frozen=True, kw_only=True):
    """This node's side of a payment versus payment. Aggregate `pvp-deal/<bank>/<reference>`.

    `side`: first or second; `decides`: whether this node decides, else the peer.
    """

    TYPE: ClassVar[str] = "finance.PvpAgreed.v1"
    deal: str
    reference: str
    bank: str
    side: str
    quote: str
    peer_node: str
    peer_party: str
    decides: bool
    terms: dict[str, Any]


class PvpHeard(Fact, frozen=True, kw_only=True):
    """The deciding node heard the other side's vote on a deal. Aggregate `pvp-heard/<deal>`.

    Its signature was checked; `side`: first or second.
    """

    TYPE: ClassVar[str] = "finance.PvpHeard.v1"
    deal: str
    side: str
    yes: bool


class PvpEnded(Fact, frozen=True, kw_only=True):
    """The decision on a deal is applied here. `outcome`: commit or abort."""

    TYPE: ClassVar[str] = "finance.PvpEnded.v1"
    deal: str
    outcome: str
    number: int


class PvpTold(Fact, frozen=True, kw_only=True):
    """Decisions up to a number are applied and told. Aggregate `pvp-told/<channel>`."""

    TYPE: ClassVar[str] = "finance.PvpTold.v1"
    channel: str
    number: int


class DepositCounted(Fact, frozen=True, kw_only=True):
    """One caller's word was enough for a deposit; many of them count together.

    Written by earlier versions, read ever since. Aggregates
    `{deposit,payment}-words/<bank>/<currency>/<day>`. `person`: `` for a token.
    """

    TYPE: ClassVar[str] = "finance.DepositCounted.v1"
    deposit: str
    holder: str
    person: str
    amount_minor: str


class CountedPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose money an authorised act moves or binds, and how much of it."""

    account: str
    amount_minor: str


class ActCounted(Fact, frozen=True, kw_only=True):
    """One caller's word was enough for an act; all such acts of a party count together.

    Aggregate `payment-words/<party>/<currency>/<day>`. `act`: what is done, `name`: the act's own,
    `person`: `` for a token, `until`: the last second (Unix) in which it counts, 0 for no end.
    """

    TYPE: ClassVar[str] = "finance.ActCounted.v1"
    act: str
    name: str
    person: str
    parts: list[CountedPart]
    until_s: int


class ActNotCounted(Fact, frozen=True, kw_only=True):
    """An act that was counted came to nothing: it was refused, or its money is free again.

    Aggregate as of `ActCounted`, of the day on which that was known.
    """

    TYPE: ClassVar[str] = "finance.ActNotCounted.v1"
    name: str


class PassportIssued(Fact, frozen=True, kw_only=True):
    """A credit passport was made of a party's verified receivables. Aggregate `passport/<party>`.

    `token`, `claims`: digests of both in the archive, which their party alone may read; `facts`:
    the digest of the `count` receivables that it sums up, `until`: the last day of its year.
    """

    TYPE: ClassVar[str] = "finance.PassportIssued.v1"
    token: str
    claims: str
    facts: str
    until: str
    count: int


class PaymentClaimed(Fact, frozen=True, kw_only=True):
    """A transfer pays one receivable and no other. Aggregate `receivable-payment/<transfer>`."""

    TYPE: ClassVar[str] = "finance.PaymentClaimed.v1"
    receivable: str
