"""Routes of the single window and of presentations: lodge, assess, answer, decide, present."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Response, Router, get, post
from litestar.params import Parameter

from zhidao.core.access import LIST, READ
from zhidao.core.actor import Actor
from zhidao.core.encoding import parse_base64
from zhidao.core.ids import party_id
from zhidao.node.http.access import ACCESS
from zhidao.node.http.known_parties import KNOWN
from zhidao.node.lists.listing import LISTED, Listing
from zhidao.trade.domain.clearance.declaration import Declaration
from zhidao.trade.events import AgencyAnswered, PresentationManifest, PresentedSet, RiskDecided
from zhidao.trade.service.clearance import (
    MAY_ANSWER,
    MAY_CANCEL,
    MAY_DECIDE,
    MAY_DECLARE,
    Clearance,
)
from zhidao.trade.service.presenting import MAY_PRESENT, PresentationService
from zhidao.trade.service.releases import Releases
from zhidao.trade.wire.fields import PAPER_BYTES_MAX

_Party = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}\Z", max_length=64)]
_Reason = Annotated[str, msgspec.Meta(max_length=500)]
_Version = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_Number = Annotated[str, Parameter(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", max_length=64)]
_After = Annotated[str, Parameter(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?\Z", max_length=64)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]
_CONTENT_MAX = PAPER_BYTES_MAX * 4 // 3 + 4


_DECLARATIONS = Listing(
    "declarations",
    ("declaration",),
    (
        *("declaration", "version", "kind", "status", "declarant", "customs"),
        *("risk.channel", "ended_by", "reason"),
    ),
)


_PRESENTATIONS = Listing(
    "presentations",
    ("presentation",),
    ("presentation", "consignment", "credit", "presenter", "bank", "made_at", "currency"),
)


class NewDeclaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A declaration, or its next version with a reason; `content` is the document in base64."""

    kind: Literal["export_declaration", "import_declaration"]
    content: Annotated[str, msgspec.Meta(min_length=4, max_length=_CONTENT_MAX)]
    customs: Annotated[_Party, KNOWN]
    agencies: Annotated[list[Annotated[_Party, KNOWN]], msgspec.Meta(max_length=20)] = []
    reason: _Reason = ""


class AgencyAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agency's word about a version."""

    version: _Version
    permit: bool
    reason: _Reason = ""


class WindowDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Customs' decision about a version."""

    version: _Version
    decision: Literal["held", "released", "refused"]
    reason: _Reason = ""


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The declarant takes a version back."""

    version: _Version
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class RiskReason(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that matched, and why it is a rule; `reason_zh` is '' if nobody wrote it."""

    rule: str
    fact: str
    value: str
    weight: int
    reason: str
    reason_zh: str


class DeclarationView(msgspec.Struct, frozen=True, kw_only=True):
    """A declaration as it stands. `roads`: the consignments that this very release let go."""

    declaration: str
    version: int
    kind: str
    document: str
    declarant: str
    customs: str
    agencies: list[str]
    reason: str
    status: str
    ended_by: str
    risk: RiskDecided | None
    reasons: list[RiskReason]
    answers: list[AgencyAnswered]
    roads: list[str] = []


class Rerun(msgspec.Struct, frozen=True, kw_only=True):
    """A risk decision out of the log, made again from its own rules and facts."""

    version: int
    channel: str
    score: int
    same: bool


class NewPresentation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry file (base64) to be presented, and the party at this node that reads it."""

    entry: Annotated[str, msgspec.Meta(min_length=4, max_length=_CONTENT_MAX)]
    bank: Annotated[_Party, KNOWN]
    despite_conflicts: bool = False


def routes(clearance: Clearance, releases: Releases, presentations: PresentationService) -> Router:
    """Routes under /v1/trade/declarations and /v1/trade/presentations."""

    async def told(actor: Actor, found: Declaration) -> DeclarationView:
        reasons = {
            r.id: (r.reason, r.reason_zh) for r in await clearance.rules_of(actor, _number(found))
        }
        return _told(found, reasons)

    @post("/declarations", opt={ACCESS: MAY_DECLARE})
    async def submit(data: NewDeclaration, actor: Actor) -> DeclarationView:
        """Lodges a declaration or amends it; risk rules choose its channel at once."""
        lodged = await clearance.submit(
            actor,
            parse_base64(data.content),
            kind=data.kind,
            customs=party_id(data.customs),
            agencies=[party_id(each) for each in data.agencies],
            reason=data.reason,
        )
        if lodged.risk is None:
            lodged = await clearance.assess(_number(lodged))
        return await told(actor, lodged)

    @get("/declarations", opt={LISTED: _DECLARATIONS, ACCESS: LIST})
    async def listed(actor: Actor, after: _After = "", limit: _Limit = 50) -> list[DeclarationView]:
        """The declarations that the caller may see, by number."""
        found = await clearance.listed(actor, limit=limit, after=after)
        return [_told(each, {}) for each in found]

    @get("/declarations/{declaration:str}", opt={ACCESS: READ})
    async def one(declaration: _Number, actor: Actor) -> DeclarationView:
        """A declaration with the rules that chose its channel."""
        return await told(actor, await clearance.declaration(actor, declaration))

    @post("/declarations/{declaration:str}/answer", status_code=200, opt={ACCESS: MAY_ANSWER})
    async def answer(declaration: _Number, data: AgencyAnswer, actor: Actor) -> DeclarationView:
        """An agency permits or denies."""
        found = await clearance.answer(
            actor, declaration, version=data.version, permit=data.permit, reason=data.reason
        )
        return await told(actor, found)

    @post("/declarations/{declaration:str}/decision", status_code=200, opt={ACCESS: MAY_DECIDE})
    async def decide(declaration: _Number, data: WindowDecision, actor: Actor) -> DeclarationView:
        """Customs holds, releases or refuses; a release lets the goods go on their road, too."""
        found, roads = await releases.decide(
            actor, declaration, version=data.version, decision=data.decision, reason=data.reason
        )
        return msgspec.structs.replace(await told(actor, found), roads=roads)

    @post("/declarations/{declaration:str}/cancel", status_code=200, opt={ACCESS: MAY_CANCEL})
    async def cancel(declaration: _Number, data: Withdrawal, actor: Actor) -> DeclarationView:
        """The declarant takes it back before it is decided."""
        found = await clearance.cancel(actor, declaration, version=data.version, reason=data.reason)
        return await told(actor, found)

    @post("/declarations/{declaration:str}/rerun", status_code=200, opt={ACCESS: READ})
    async def rerun(declaration: _Number, actor: Actor) -> list[Rerun]:
        """Every risk decision of the declaration, made again from what the log points to."""
        return [
            Rerun(version=fact.version, channel=fact.channel, score=fact.score, same=same)
            for fact, same in await clearance.rerun(actor, declaration)
        ]

    @post("/presentations", opt={ACCESS: MAY_PRESENT})
    async def present(data: NewPresentation, actor: Actor) -> PresentationManifest:
        """Signs and keeps the presentation of an entry for a bank of this node."""
        fact = await presentations.make(
            actor,
            parse_base64(data.entry),
            bank=party_id(data.bank),
            despite=data.despite_conflicts,
        )
        return fact.manifest

    @get("/presentations", opt={LISTED: _PRESENTATIONS, ACCESS: LIST})
    async def presented(
        actor: Actor, after: _After = "", limit: _Limit = 50
    ) -> list[PresentationManifest]:
        """The presentations that the caller may see, by number."""
        return await presentations.listed(actor, limit=limit, after=after)

    @get("/presentations/{presentation:str}", opt={ACCESS: READ})
    async def read(presentation: _Number, actor: Actor) -> PresentedSet:
        """What a presentation says, read again from its bytes."""
        return await presentations.presented(actor, presentation)

    @get(
        "/presentations/{presentation:str}/file",
        media_type="application/octet-stream",
        opt={ACCESS: READ},
    )
    async def file(presentation: _Number, actor: Actor) -> Response[bytes]:
        """The signed file, to be sent on or checked elsewhere."""
        data = await presentations.file(actor, presentation)
        headers = {
            "Content-Disposition": f'attachment; filename="{presentation}.zdpresent"',
            "X-Content-Type-Options": "nosniff",
        }
        return Response(data, media_type="application/octet-stream", headers=headers)

    window = [submit, listed, one, answer, decide, cancel, rerun]
    presenting = [present, presented, read, file]
    return Router("/v1/trade", route_handlers=[*window, *presenting], tags=["trade"])


def _number(declaration: Declaration) -> str:
    return declaration.submitted.declaration


def _told(found: Declaration, reasons: dict[str, tuple[str, str]]) -> DeclarationView:
    submitted = found.submitted
    matches = found.risk.matches if found.risk else []
    return DeclarationView(
        declaration=submitted.declaration,
        version=submitted.version,
        kind=submitted.kind,
        document=submitted.document,
        declarant=submitted.declarant,
        customs=submitted.customs,
        agencies=submitted.agencies,
        reason=submitted.reason,
        status=found.status.value,
        ended_by=found.ended_by,
        risk=found.risk,
        reasons=[
            RiskReason(
                rule=m.rule,
                fact=m.fact,
                value=m.value,
                weight=m.weight,
                reason=reasons.get(m.rule, ("", ""))[0],
                reason_zh=reasons.get(m.rule, ("", ""))[1],
            )
            for m in matches
        ],
        answers=list(found.answers.values()),
    )
