"""What a page gets to draw: plain structs, amounts in minor units, instants as RFC 3339."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from zhidao.positioning.events import Marks


class View(msgspec.Struct, kw_only=True):
    """Base of the page's structs."""


Scale = Literal["clock", "scenario", "satellite", "speaker"]
"""What an instant counts by: the node's own clock, the time of a play, satellites, its speaker."""


class ReasonView(View):
    """A reason as a stable code with its parameters; the catalogues of the page put it in words.

    `text` is the English sentence as it was signed, for a code that a catalogue does not know.
    """

    code: str
    args: dict[str, str | int | float]
    text: str = ""


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
    """The place of arrival: a circle, or a polygon by `outline` ([lon, lat] corners in order).

    `radius_m`: how far the place reaches from the point; the radius of a circle.
    """

    name: str
    lon: float
    lat: float
    radius_m: float
    outline: list[list[float]] = []


class ReportedPositionView(View):
    """Where the terminal last said that it was: a claim."""

    lon: float
    lat: float
    at: str


class ContainerView(View):
    """One of several containers. `state`: open, sealed, checked, not_proven or arrived.

    `event` is the newest fact of it, `` where there is none; `told` why a window proved nothing.
    `position` and `track`: where its terminal said that it was while it rode with it.
    """

    container: str
    terminal: str
    seal: str
    state: str
    observed_at: str
    event: str
    told: ReasonView | None
    position: ReportedPositionView | None
    track: list[list[float]]


class Milestone(View):
    """A milestone. `state`: done, next, later, refused or withheld (a deal between others).

    `there` of `of` containers reached it, where the consignment has several; else both are 0.

    `at`: when it happened, by `scale`; `recorded_at`: when the node wrote it down, by its clock.
    """

    key: str
    state: str
    at: str
    scale: Scale
    recorded_at: str
    event: str
    sentence_key: str
    sentence_args: dict[str, str]
    there: int = 0
    of: int = 0


class Step(View):
    """One of the ten steps of the demonstration, with its events; `at` by the node's clock."""

    n: int
    key: str
    state: str
    at: str
    events: list[str]


class DocumentView(View):
    """A document with its verdict; `recorded_at` by the node's clock."""

    kind: str
    number: str
    digest: str
    media_type: str
    valid: bool
    rules: list[str]
    credential: str
    recorded_at: str
    event: str


class SideView(View):
    """What one paper says in one place; `line` and `part` say where the field is repeated."""

    paper: str
    field: str
    value: str
    line: str = ""
    part: str = ""


class FindingView(View):
    """One rule's answer about two places. `verdict`: conflict or undecided."""

    rule: str
    verdict: str
    told: ReasonView
    left: SideView
    right: SideView


class PapersView(View):
    """How the documents agree."""

    agree: bool
    checks: int
    findings: list[FindingView]


class TitleMove(View):
    """One move of the title; `at` by the node's clock."""

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


class ArrivalView(View):
    """The arrival. `state`: proven or not_proven."""

    state: str
    reason: str
    sentence: str
    told: ReasonView | None
    lat: float
    lon: float
    protection_m: float
    observed_at: str
    scale: Scale
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
    told: ReasonView | None
    event: str


class CrossingView(View):
    """When the goods were at one side of a border crossing; `left_…` is empty while they are there.

    Each instant lies between its two. `mark`: claimed, or proven by positions.
    """

    crossing: str
    side: str
    entered_from: str
    entered_to: str
    left_from: str
    left_to: str
    mark: str
    simulated: bool
    by: str
    event: str


class PaymentConditionView(View):
    """A condition of payment. `state`: met, waits or failed."""

    name: str
    state: str
    because: str
    told: ReasonView | None


class SignerView(View):
    """Who signed."""

    party: str
    name: str
    fingerprint: str


class Said(View):
    """One event with its seal. `scale` is that of `occurred_at`; the node's clock for the other."""

    id: str
    type: str
    occurred_at: str
    scale: Scale
    recorded_at: str
    witnessed_at: str
    asserted_by: SignerView
    recorded_by: SignerView
    custodian: bool
    open: bool
    index: int | None
    summary_key: str
    args: dict[str, Any]


class TimelineView(View):
    """Everything the page shows of one consignment."""

    consignment: str
    label: str
    simulated: list[str]
    time_scale: Scale
    state: str
    reason: str
    sentence: str
    told: ReasonView | None
    waits_for: WaitsFor | None
    moves: list[WaitsFor]
    amount: Amount
    route: list[list[float]]
    position: ReportedPositionView | None
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
    containers: list[ContainerView]
    conditions: list[PaymentConditionView]
    crossings: list[CrossingView]
    said: list[Said]


class TimelineSummary(View):
    """A consignment in the list."""

    consignment: str
    label: str
    simulated: list[str]
    time_scale: Scale
    state: str
    reason: str
    sentence: str
    told: ReasonView | None
    waits_for: WaitsFor | None
    moves: list[WaitsFor]
    amount: Amount
    milestones: list[Milestone]
    route: list[list[float]]
    position: ReportedPositionView | None
    site: SiteView | None
    parties: list[PartyView]
    updated_at: str


class TimelineList(View):
    """The list of timelines."""

    roads: list[TimelineSummary]
