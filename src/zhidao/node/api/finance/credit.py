"""Routes of documentary credits: issue, amend, advise, confirm, present, examine, pay."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import LIST, READ
from zhidao.core.actor import Actor
from zhidao.core.canonical import jcs
from zhidao.core.errors import Conflict
from zhidao.core.money import Currency
from zhidao.finance.domain.credit.credit_terms import DOCUMENTS_MAX, Credit
from zhidao.finance.domain.credit.papers import AnyPaper, Corruption, Presentation
from zhidao.finance.domain.credit.states import Act, Drawing
from zhidao.finance.events import CreditOpened
from zhidao.finance.service.credits.electronic_records import assembled
from zhidao.finance.service.credits.lifecycle import MAY_ACT_ON_CREDIT
from zhidao.finance.service.credits.service import MAY_ISSUE_CREDIT, Credits, CreditStanding
from zhidao.finance.wire.credit import CalendarField, plain
from zhidao.node.http.access import ACCESS
from zhidao.node.http.known_parties import KNOWN
from zhidao.node.lists.listing import LISTED, Listing

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"
_Credit = Annotated[str, Parameter(pattern=_NAME, max_length=64)]
_Drawing = Annotated[str, Parameter(pattern=_NAME, max_length=64)]
_KEY = r"^(([a-z0-9.-]{1,64}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,63})?\Z"
_After = Annotated[str, Parameter(pattern=_KEY, max_length=129)]
_Of = Annotated[str, Parameter(max_length=64)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]
_PartyName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


_CREDITS = Listing(
    "credits",
    ("key",),
    (
        *("credit", "issuer", "beneficiary", "applicant", "adviser", "confirmer"),
        *("terms.currency", "drawn_minor", "may_be_drawn_minor", "regime", "key"),
    ),
)


class NewCredit(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A credit of the caller's bank; `terms.number` is its name.

    `adviser` is also the bank where the beneficiary is paid. `confirmer` stands in the terms, too.
    `calendar`: the banking days of the place where it expires, listed or by a name that this node
    knows (`/v1/finance/calendars`); `calendars`: names for banks of other places, which count their
    own days to examine and refuse.
    """

    beneficiary: Annotated[_PartyName, KNOWN]
    applicant: Annotated[_PartyName, KNOWN]
    adviser: Annotated[_PartyName, KNOWN]
    confirmer: Annotated[str, msgspec.Meta(max_length=64), KNOWN] = ""
    calendar: CalendarField | Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    calendars: dict[_PartyName, Annotated[str, msgspec.Meta(min_length=1, max_length=32)]] = (
        msgspec.field(default_factory=dict)
    )
    terms: Credit


class CreditStep(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A step that concerns the credit as a whole."""

    step: Literal["advise", "confirm", "accept_amendment", "reject_amendment"]


class DrawingStep(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A step that concerns one presentation."""

    step: Literal["complete", "examine", "waive", "refuse", "accept", "honour", "reimburse"]


class RecordsAsked(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Corrupted records that the bank wants again, by their places, the first is 0."""

    records: Annotated[
        list[Annotated[int, msgspec.Meta(ge=0, lt=DOCUMENTS_MAX)]],
        msgspec.Meta(min_length=1, max_length=DOCUMENTS_MAX),
    ]


class RecordsAgain(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The records that were asked for, in the order of the request."""

    documents: Annotated[list[AnyPaper], msgspec.Meta(min_length=1, max_length=DOCUMENTS_MAX)]


class DiscrepancyView(msgspec.Struct, kw_only=True):
    """One reason to refuse: the check, its article, a sentence, and the two data."""

    check: str
    article: str
    sentence: str
    left: str
    right: str


class DrawingView(msgspec.Struct, kw_only=True):
    """A presentation as it stands, in one word and with its notice.

    `state`: incomplete, presented, awaits_records, complies, discrepant, waived, refused, accepted,
    honoured, reimbursed. `records_asked`: places of the records that should come again.
    """

    drawing: str
    state: str
    claimed_minor: int
    presented_on: str
    examine_until: str
    due_on: str
    checks: int
    discrepancies: list[DiscrepancyView]
    disregarded: list[str]
    papers: dict[str, Any]
    records_asked: list[int]
    records_until: str


class CreditStepView(msgspec.Struct, kw_only=True):
    """A step that was taken, by whom and when."""

    act: str
    drawing: str
    by: str
    at: str
    transfer: str


class BankingDaysView(msgspec.Struct, kw_only=True):
    """Whose banking days count: first the counter's by its place, then those of banks.

    `calendar`: `` if the credit lists its days; `last_year`: the last year whose holidays this node
    knows, 0 where none is needed or none is known.
    """

    of: str
    calendar: str
    last_year: int


class CreditView(msgspec.Struct, kw_only=True):
    """A credit as it stands. `terms`: those in force; `offered`: an amendment without answer.

    `key`: what a list goes on behind. `regime`: the rules that the terms are subject to.
    """

    credit: str
    key: str
    issuer: str
    beneficiary: str
    applicant: str
    adviser: str
    confirmer: str
    version: int
    offered: bool
    advised: bool
    confirmed: bool
    drawn_minor: int
    may_be_drawn_minor: int
    exponent: int
    banking_days: list[BankingDaysView]
    regime: str
    terms: Credit
    drawings: list[DrawingView]
    steps: list[CreditStepView]


def routes(service: Credits) -> Router:
    """Routes under /v1/finance/credits."""

    def shown(standing: CreditStanding) -> CreditView:
        return _credit(standing, service.banking_days(standing.opened))

    @post("/", opt={ACCESS: MAY_ISSUE_CREDIT})
    async def issue(data: NewCredit, actor: Actor) -> CreditView:
        """Issues a credit; the issuing bank only. Again with the same content: the same credit."""
        opened = CreditOpened(
            credit=data.terms.number,
            issuer=actor.party,
            beneficiary=data.beneficiary,
            applicant=data.applicant,
            adviser=data.adviser,
            confirmer=data.confirmer,
            calendars=dict(data.calendars),
            **_banking_days(data.calendar, data.terms.expiry_place),
        )
        return shown(await service.issue(actor, opened, terms=data.terms))

    @get("/", opt={LISTED: _CREDITS, ACCESS: LIST})
    async def listed(actor: Actor, limit: _Limit = 50, after: _After = "") -> list[CreditView]:
        """The credits to which the caller is a party."""
        return [shown(one) for one in await service.credits(actor, limit=limit, after=after)]

    @get("/{credit:str}", opt={ACCESS: READ})
    async def one(credit: _Credit, actor: Actor, of: _Of = "") -> CreditView:
        """One credit with its terms, presentations and steps.

        `of`: the bank that issued it, where several issued one of this name.
        """
        return shown(await service.credit(actor, await service.key(actor, credit, of=of)))

    @post("/{credit:str}/amendments", opt={ACCESS: MAY_ACT_ON_CREDIT})
    async def amend(credit: _Credit, data: Credit, actor: Actor, of: _Of = "") -> CreditView:
        """Offers other terms, whole; the issuing bank only. The beneficiary answers by a step."""
        key = await service.key(actor, credit, of=of)
        return shown(await service.amend(actor, key, jcs(plain(data))))

    @post("/{credit:str}/steps", opt={ACCESS: MAY_ACT_ON_CREDIT})
    async def step(credit: _Credit, data: CreditStep, actor: Actor, of: _Of = "") -> CreditView:
        """Advises, confirms, or answers an amendment. Again: no change."""
        key = await service.key(actor, credit, of=of)
        return shown(await service.step(actor, key, Act(data.step)))

    @post("/{credit:str}/drawings/{drawing:str}", opt={ACCESS: MAY_ACT_ON_CREDIT})
    async def present(
        credit: _Credit, drawing: _Drawing, data: Presentation, actor: Actor, of: _Of = ""
    ) -> CreditView:
        """Takes the beneficiary's documents as data. Again with the same content: no change."""
        key = await service.key(actor, credit, of=of)
        return shown(await service.present(actor, key, drawing, jcs(plain(data))))

    @post("/{credit:str}/drawings/{drawing:str}/steps", opt={ACCESS: MAY_ACT_ON_CREDIT})
    async def drawing_step(
        credit: _Credit, drawing: _Drawing, data: DrawingStep, actor: Actor, of: _Of = ""
    ) -> CreditView:
        """Takes one step with a presentation.

        `complete` is the presenter's notice of completeness; `refuse` gives one complete notice.
        Honouring and reimbursing above the limit takes two persons. Again: no change.
        """
        key = await service.key(actor, credit, of=of)
        match data.step:
            case "complete":
                found = await service.step(actor, key, Act.COMPLETE, drawing)
            case "examine":
                found = await service.examine(actor, key, drawing)
            case "waive":
                found = await service.step(actor, key, Act.WAIVE, drawing)
            case "refuse":
                found = await service.refuse(actor, key, drawing)
            case "accept":
                found = await service.accept(actor, key, drawing)
            case "honour":
                found = await service.honour(actor, key, drawing)
            case "reimburse":
                found = await service.reimburse(actor, key, drawing)
        return shown(found)

    @post("/{credit:str}/drawings/{drawing:str}/records/asked", opt={ACCESS: MAY_ACT_ON_CREDIT})
    async def ask_records(
        credit: _Credit, drawing: _Drawing, data: RecordsAsked, actor: Actor, of: _Of = ""
    ) -> CreditView:
        """Asks for corrupted electronic records again; a bank of the credit only.

        The time to examine stands still until they come, at most 30 days.
        """
        key = await service.key(actor, credit, of=of)
        return shown(await service.ask_records(actor, key, drawing, data.records))

    @post("/{credit:str}/drawings/{drawing:str}/records", opt={ACCESS: MAY_ACT_ON_CREDIT})
    async def re_present(
        credit: _Credit, drawing: _Drawing, data: RecordsAgain, actor: Actor, of: _Of = ""
    ) -> CreditView:
        """Takes the records that were asked for again; the beneficiary only."""
        key = await service.key(actor, credit, of=of)
        return shown(await service.re_present(actor, key, drawing, data.documents))

    handlers: list[Any] = [
        *(issue, listed, one, amend, step, present, drawing_step),
        *(ask_records, re_present),
    ]
    return Router("/v1/finance/credits", route_handlers=handlers, tags=["finance"])


def _banking_days(calendar: CalendarField | str, place: str) -> dict[str, Any]:
    if isinstance(calendar, str):
        return {"place": place, "calendar": calendar, "rest": [], "holidays": [], "worked": []}
    return {
        "place": calendar.place,
        "rest": sorted(calendar.rest),
        "holidays": _days(calendar.holidays),
        "worked": _days(calendar.worked),
    }


def _days(days: list[date]) -> list[str]:
    listed = sorted(day.isoformat() for day in days)
    if len(set(listed)) != len(listed):
        raise Conflict("a day stands twice in the calendar")
    return listed


def _credit(standing: CreditStanding, days: list[tuple[str, str, int]]) -> CreditView:
    opened, state = standing.opened, standing.state
    return CreditView(
        credit=opened.credit,
        key=standing.key,
        issuer=opened.issuer,
        beneficiary=opened.beneficiary,
        applicant=opened.applicant,
        adviser=opened.adviser,
        confirmer=opened.confirmer,
        version=state.version,
        offered=state.offered > 0,
        advised=state.advised,
        confirmed=state.confirmed,
        drawn_minor=state.drawn_minor,
        may_be_drawn_minor=standing.terms.amount_most_minor,
        exponent=Currency(standing.terms.currency).exponent,
        banking_days=[
            BankingDaysView(of=who, calendar=name, last_year=year) for who, name, year in days
        ],
        regime=standing.terms.regime,
        terms=standing.terms,
        drawings=[_drawing(standing, name, one) for name, one in state.drawings.items()],
        steps=[
            CreditStepView(act=step.act, drawing=step.drawing, by=by, at=at, transfer=step.transfer)
            for step, by, at in standing.steps
        ],
    )


def _drawing(standing: CreditStanding, name: str, one: Drawing) -> DrawingView:
    mine = [step for step, _, _ in standing.steps if step.drawing == name]
    presented = [step for step in mine if step.papers]
    papers: dict[str, Any] = {}
    if presented:  # with the records that came again in the place of the corrupted ones
        papers = plain(assembled(mine, name))
    notice = next((step.notice for step in mine if step.act == Act.EXAMINE and step.notice), {})
    return DrawingView(
        drawing=name,
        state=_state(one),
        claimed_minor=one.claimed_minor,
        presented_on=str(papers.get("presented_on", "")),
        examine_until=one.examine_until.isoformat() if one.examine_until else "",
        due_on=one.due_on.isoformat() if one.due_on else "",
        checks=int(notice.get("checks", 0)),
        discrepancies=msgspec.convert(notice.get("discrepancies", []), list[DiscrepancyView]),
        disregarded=list(notice.get("disregarded", [])),
        papers=papers,
        records_asked=list(one.asked),
        records_until=Corruption(asked_on=one.asked_on).last_on.isoformat() if one.asked_on else "",
    )


def _state(one: Drawing) -> str:
    flags = (
        (one.reimbursed, "reimbursed"),
        (one.honoured, "honoured"),
        (one.accepted, "accepted"),
        (one.waived, "waived"),
        (one.refused, "refused"),
        (one.complies is None and not one.complete, "incomplete"),
        (one.complies is None and bool(one.asked), "awaits_records"),
        (one.complies is None, "presented"),
        (bool(one.complies), "complies"),
    )
    return next((word for holds, word in flags if holds), "discrepant")
