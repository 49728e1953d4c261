"""What a page gets to draw: plain structs, amounts in minor units, instants as RFC 3339."""

from __future__ import annotations

from typing import Any

import msgspec

from zhidao.positioning.events import Marks
from zhidao.trade.events import Finding


class View(msgspec.Struct, kw_only=True):
    """Base of the page's structs."""


class WaitsFor(View):
    """Whose move it is, and for what."""

    key: str
    party: str


class Amount(View):
    """An exact amount with its currency's number of decimals."""

    minor: int
    currency: str
    exponent: int


class PartyView(View):
    """A party of the consignment."""

    party: str
    name: str
    trade_role: str
    country: str


class SiteView(View):
    """The place of arrival."""

    name: str
    lon: float
    lat: float
    radius_m: float


class PositionView(View):
    """Where the terminal last said that it was: a claim."""

    lon: float
    lat: float
    at: str


class Milestone(View):
    """A stone on the road. `state`: done, next, later or refused."""

    key: str
    state: str
    at: str
    event: str
    sentence_key: str
    sentence_args: dict[str, str]


class Step(View):
    """One of the ten steps of the demonstration, with its events."""

    n: int
    key: str
    state: str
    at: str
    events: list[str]


class DocumentView(View):
    """A document with its verdict."""

    kind: str
    number: str
    digest: str
    media_type: str
    valid: bool
    rules: list[str]
    credential: str
    event: str


class PapersView(View):
    """How the documents agree."""

    agree: bool
    checks: int
    findings: list[Finding]


class TitleMove(View):
    """One move of the title."""

    action: str
    at: str
    holder_party: str
    event: str


class TitleView(View):
    """The title and who holds it."""

    title: str
    registry: str
    chain_id: int
    holder_party: str
    beneficiary_party: str
    custody: str
    moves: list[TitleMove]


class MoneyView(View):
    """The money. `state`: reserved, paid or released_back; balances as of settlement."""

    payer: str
    payee: str
    payer_bank: str
    payee_bank: str
    amount_minor: int
    currency: str
    exponent: int
    state: str
    payer_balance_minor: int
    payee_balance_minor: int


class ArrivalView(View):
    """The arrival. `state`: proven or not_proven."""

    state: str
    reason: str
    sentence: str
    lat: float
    lon: float
    protection_m: float
    observed_at: str
    satellites: int
    epochs: int
    risk_ppb: int
    marks: Marks
    event: str
    evidence: str


class NetworkView(View):
    """What the mobile network answered."""

    verdict: str
    lat: float
    lon: float
    radius_m: float
    reason: str
    event: str


class ConditionView(View):
    """A condition of payment. `state`: met, waits or failed."""

    name: str
    state: str
    because: str


class Voice(View):
    """Who signed."""

    party: str
    name: str
    fingerprint: str


class Said(View):
    """One event with its seal."""

    id: str
    type: str
    occurred_at: str
    recorded_at: str
    witnessed_at: str
    asserted_by: Voice
    recorded_by: Voice
    custodian: bool
    open: bool
    index: int | None
    summary_key: str
    args: dict[str, Any]


class Road(View):
    """Everything the page shows of one consignment."""

    consignment: str
    label: str
    simulated: list[str]
    state: str
    reason: str
    sentence: str
    waits_for: WaitsFor | None
    amount: Amount
    route: list[list[float]]
    position: PositionView | None
    track: list[list[float]]
    site: SiteView | None
    parties: list[PartyView]
    milestones: list[Milestone]
    steps: list[Step]
    documents: list[DocumentView]
    papers: PapersView | None
    title: TitleView | None
    money: MoneyView | None
    arrival: ArrivalView | None
    network: NetworkView | None
    conditions: list[ConditionView]
    said: list[Said]


class RoadSummary(View):
    """A consignment in the list."""

    consignment: str
    label: str
    simulated: list[str]
    state: str
    reason: str
    sentence: str
    waits_for: WaitsFor | None
    amount: Amount
    milestones: list[Milestone]
    route: list[list[float]]
    position: PositionView | None
    site: SiteView | None
    parties: list[PartyView]
    updated_at: str


class Roads(View):
    """The list of roads."""

    roads: list[RoadSummary]
