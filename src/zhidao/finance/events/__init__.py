"""What the finance room tells the others. Deals live in aggregate `deal/<id>`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

import zhidao.finance.events.banks
import zhidao.finance.events.payment_orders  # noqa: F401 (the face is one, on three pages)
from zhidao.core.events import Fact
from zhidao.positioning.events import Carried, Site


class Conditions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must hold before money moves.

    `marks`: subset of signed_by_terminal, bound_to_goods, recomputed, corroborated, inside,
    inside_open_sky_model (the weaker one, which whoever bears `inside` bears too).
    `needs`: subset of papers_agree, title_in_custody, customs_released.
    """

    marks: list[str]
    site: Site
    not_before: str
    not_after: str
    risk_ppb: int
    needs: list[str]


class BankAdmitted(Fact, frozen=True, kw_only=True):
    """The operator lets a party keep accounts on this node. Aggregate `bank/<party>`.

    `bic`: ISO 9362 code; `name`, `town` and `country` (ISO 3166-1 alpha-2) go into messages.
    """

    TYPE: ClassVar[str] = "finance.BankAdmitted.v1"
    bank: str
    name: str
    bic: str
    town: str
    country: str


class AccountOpened(Fact, frozen=True, kw_only=True):
    """A bank opened an account. Aggregate `account/<account>`.

    `purpose`: customer, cash, escrow, due_to_bank, due_from_bank. `name`, `town`, `country`: of
    the holder, as messages name it.
    """

    TYPE: ClassVar[str] = "finance.AccountOpened.v1"
    account: str
    bank: str
    holder: str
    purpose: str
    currency: str
    name: str
    town: str
    country: str


class DealOpened(Fact, frozen=True, kw_only=True):
    """The importer's bank offers to pay on conditions.

    Version 2 is of several containers: `carried` names each of the consignment's with its
    terminal, and `terminal` is ``. It is paid when all of them arrived, and all else holds.
    """

    TYPE: ClassVar[str] = "finance.DealOpened.v1"
    LATER: ClassVar[Mapping[str, Mapping[str, Any]]] = {"finance.DealOpened.v2": {"carried": []}}
    deal: str
    consignment: str
    payer: str
    payee: str
    payer_bank: str
    payee_bank: str
    amount_minor: int
    currency: str
    terminal: str
    title: str
    conditions: Conditions
    carried: list[Carried] = msgspec.field(default_factory=list)

    @property
    def terminals(self) -> list[str]:
        """The terminals by which the goods are awaited."""
        return [each.terminal for each in self.carried] or [self.terminal]


class MoneyReserved(Fact, frozen=True, kw_only=True):
    """The amount is held by a pending transfer.

    `claim`: another one at the payee's bank, by which the payer's will owe it; `` within one bank.
    """

    TYPE: ClassVar[str] = "finance.MoneyReserved.v1"
    deal: str
    transfer: str
    amount_minor: int
    currency: str
    claim: str = ""


class TitleReserved(Fact, frozen=True, kw_only=True):
    """The title is in the deal's custody account."""

    TYPE: ClassVar[str] = "finance.TitleReserved.v1"
    deal: str
    title: str


class ConditionMet(Fact, frozen=True, kw_only=True):
    """One condition holds (`name`: arrival, papers_agree, customs_released, title_in_custody)."""

    TYPE: ClassVar[str] = "finance.ConditionMet.v1"
    deal: str
    name: str
    because: str


class ConditionLapsed(Fact, frozen=True, kw_only=True):
    """A condition that held does not hold any more: what it rested on was replaced."""

    TYPE: ClassVar[str] = "finance.ConditionLapsed.v1"
    deal: str
    name: str
    because: str


class ObstacleNoted(Fact, frozen=True, kw_only=True):
    """Something stands in the way. It decides nothing; it explains a later abort."""

    TYPE: ClassVar[str] = "finance.ObstacleNoted.v1"
    deal: str
    reason: str
    sentence: str


class Decided(Fact, frozen=True, kw_only=True):
    """The one durable decision: it holds all that is then applied. Public in the log.

    `outcome`: release or abort. `title_transaction`: the signed transfer out of custody, hex
    (`` if no title was reserved). `transfer` is posted on release and voided on abort.
    """

    TYPE: ClassVar[str] = "finance.Decided.v1"
    OPEN: ClassVar[bool] = True
    deal: str
    outcome: str
    reason: str
    sentence: str
    title: str
    title_transaction: str
    transfer: str


class Settled(Fact, frozen=True, kw_only=True):
    """The decision is applied on both sides. `paid` tells which.

    Message digests are in the archive (`` on abort). Version 1 told both parties' balances, and so
    each to the other, to both banks and to every reader of a proof.
    """

    TYPE: ClassVar[str] = "finance.Settled.v2"
    FORMER: ClassVar[Mapping[str, Mapping[str, Any]]] = {"finance.Settled.v1": {}}
    DROPPED: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "finance.Settled.v1": ("payer_balance_minor", "payee_balance_minor")
    }
    deal: str
    paid: bool
    reason: str
    pacs008: str
    camt054: str
    schema: str


class TransfersPosted(Fact, frozen=True, kw_only=True):
    """A batch of ledger transfers. Aggregate `ledger/<ledger>`; `root`: Merkle root, hex."""

    TYPE: ClassVar[str] = "finance.TransfersPosted.v1"
    ledger: str
    batch: int
    count: int
    root: str
    head: str


class BalancesStated(Fact, frozen=True, kw_only=True):
    """All balances of a ledger after a batch. Aggregate `balances/<ledger>`.

    `root`: Merkle root over the accounts' 128-byte records in order of opening, hex; `digest`:
    SHA-256 of the kept snapshot, from which a restart begins.
    """

    TYPE: ClassVar[str] = "finance.BalancesStated.v1"
    ledger: str
    batch: int
    head: str
    accounts: int
    root: str
    digest: str


class PvpTaken(Fact, frozen=True, kw_only=True):
    """Terms that this node is about to reserve a leg for. Aggregate `pvp-taken/<ledger>`.

    `deals`: terms as in `wire.pvp`, amounts as text.
    """

    TYPE: ClassVar[str] = "finance.PvpTaken.v1"
    ledger: str
    deals: list[dict[str, Any]]


class PvpDecided(Fact, frozen=True, kw_only=True):
    """The one decision on some deals, by the digest of their terms. Public in the log.

    Aggregate `pvp-decisions/<decider>`; `head` chains it to all decisions before.
    """

    TYPE: ClassVar[str] = "finance.PvpDecided.v1"
    OPEN: ClassVar[bool] = True
    number: int
    previous: str
    commits: list[str]
    aborts: list[str]
    head: str


class PvpFollowed(Fact, frozen=True, kw_only=True):
    """A decision is applied on this ledger. Aggregate `pvp-followed/<ledger>`.

    `carried`: remainders below a minor unit that are carried on, `[denominator, numerator]`.
    """

    TYPE: ClassVar[str] = "finance.PvpFollowed.v1"
    ledger: str
    number: int
    head: str
    decided: list[str]
    carried: list[list[str]]


class ListUsed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version of a sanctions list: its day, and the SHA-256 of its file, hex."""

    source: str
    dated: str
    digest: str
    entries: int


class ScreeningHit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A listed name like the one asked for; `alert`: a person must decide."""

    source: str
    entry: str
    name: str
    score_permille: int
    alert: bool
    reason: str
    countries: list[str]
    born: list[str]


class NameScreened(Fact, frozen=True, kw_only=True):
    """A name was held against sanctions lists. Aggregate `screening/<party>/<id>`.

    The best hits stand first.
    """

    TYPE: ClassVar[str] = "finance.NameScreened.v1"
    screening: str
    name: str
    lists: list[ListUsed]
    hits: list[ScreeningHit]


class CreditOpened(Fact, frozen=True, kw_only=True):
    """Who is who under a credit, and when its counter works. First in its aggregate.

    That is `credit/<issuer>/<credit>`; the first credits of a node stand under `credit/<credit>`.

    `confirmer`: `` if nobody is asked to confirm. `rest`: days of the week without banking, Monday
    0; `holidays` and `worked`: single days, ISO 8601. `calendar`: instead of these a calendar that
    the node knows, by name; `calendars`: those of banks whose place has other banking days.
    """

    TYPE: ClassVar[str] = "finance.CreditOpened.v1"
    credit: str
    issuer: str
    beneficiary: str
    applicant: str
    adviser: str
    confirmer: str
    place: str
    rest: list[int]
    holidays: list[str]
    worked: list[str]
    calendar: str = ""
    calendars: dict[str, str] = msgspec.field(default_factory=dict)


class CreditActed(Fact, frozen=True, kw_only=True):
    """Somebody took a step in the life of a documentary credit, in the credit's aggregate.

    `act`: issue, amend, accept_amendment, reject_amendment, advise, confirm, present, examine,
    complete, ask_records, re_present, waive, refuse, accept, honour, reimburse. `terms`: the credit
    on issue and amend; `papers`: the presentation on present, `records` (places) and `documents` on
    re_present; `notice`: the examination on examine, all discrepancies on refuse, `records`
    (places) on ask_records.
    """

    TYPE: ClassVar[str] = "finance.CreditActed.v1"
    credit: str
    act: str
    day: str
    drawing: str = ""
    terms: dict[str, Any] | None = None
    papers: dict[str, Any] | None = None
    notice: dict[str, Any] | None = None
    transfer: str = ""
    due_on: str = ""


class ShipmentClaimed(Fact, frozen=True, kw_only=True):
    """A shipment stands behind one receivable and no other. Aggregate `shipment-claim/<token>`."""

    TYPE: ClassVar[str] = "finance.ShipmentClaimed.v1"
    receivable: str


class ReceivableRegistered(Fact, frozen=True, kw_only=True):
    """A supplier registered what an obligor owes. Aggregate `receivable/<token>`.

    Amounts are minor units as text; `obligor_party`: who confirms it on this node.
    """

    TYPE: ClassVar[str] = "finance.ReceivableRegistered.v1"
    receivable: str
    obligor: str
    obligor_party: str
    supplier: str
    supplier_party: str
    invoice: str
    shipment: str
    amount_minor: str
    currency: str
    due_on: str


class ReceivableActed(Fact, frozen=True, kw_only=True):
    """A step: confirm, pledge, assign, release, settle, dispute or withdraw.

    `share` names the share, `holder` who has it; `transfer` paid it on `paid_on`; `reason` is what
    the obligor disputes.
    """

    TYPE: ClassVar[str] = "finance.ReceivableActed.v1"
    receivable: str
    act: str
    share: str = ""
    holder: str = ""
    amount_minor: str = ""
    transfer: str = ""
    paid_on: str = ""
    reason: str = ""


class ReceivableAsked(Fact, frozen=True, kw_only=True):
    """A party asked one blinded question. Aggregate `receivable-questions/<party>/<day>`."""

    TYPE: ClassVar[str] = "finance.ReceivableAsked.v1"
    questions: int
