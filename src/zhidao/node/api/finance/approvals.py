"""Routes of approvals: what waits for two persons, and a person's word about it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import LIST, READ
from zhidao.core.actor import Actor
from zhidao.finance.domain.payments.approval import PERSONS, Approval
from zhidao.finance.service.control.approvals import MAY_APPROVE, Approvals
from zhidao.node.http.access import ACCESS
from zhidao.node.lists.listing import LISTED, Listing

_Name = Annotated[str, Parameter(pattern=r"^[0-9a-f]{64}\Z", max_length=64)]
_After = Annotated[str, Parameter(pattern=r"^([0-9a-f]{64})?\Z", max_length=64)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]


_APPROVALS = Listing(
    "approvals",
    ("approval",),
    (
        *("act", "subject", "state", "currency", "amount_minor", "asked_at"),
        *("approved_by", "refused_by", "approval"),
    ),
)


class Authorisation(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A person's word; it counts for the person who is signed in. `reason`: why it is refused."""

    verdict: Literal["approve", "refuse"]
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class ApprovalView(msgspec.Struct, kw_only=True):
    """An act that takes two persons. `said`: what it does.

    `state`: waits, approved, refused, or cleared: nobody need decide it, and `reason` says why.
    """

    approval: str
    act: str
    subject: str
    amount_minor: int
    currency: str
    exponent: int
    state: str
    asked_at: str
    persons: int
    approved_by: list[str]
    refused_by: str
    reason: str
    said: dict[str, Any]


def routes(approvals: Approvals) -> Router:
    """Routes under /v1/finance/approvals."""

    @get("/", opt={LISTED: _APPROVALS, ACCESS: LIST})
    async def listed(actor: Actor, limit: _Limit = 50, after: _After = "") -> list[ApprovalView]:
        """What was asked of two persons of the caller's party."""
        found = await approvals.approvals(actor, limit=limit, after=after)
        return [_approval(one) for one in found]

    @get("/{approval:str}", opt={ACCESS: READ})
    async def one(approval: _Name, actor: Actor) -> ApprovalView:
        """One approval."""
        return _approval(await approvals.approval(actor, approval))

    @post("/{approval:str}", opt={ACCESS: MAY_APPROVE})
    async def decide(approval: _Name, data: Authorisation, actor: Actor) -> ApprovalView:
        """Takes the word of the person who is signed in; tokens are refused.

        The second approval carries the act out. Again: no change.
        """
        found = await approvals.decide(
            actor, approval, approve=data.verdict == "approve", reason=data.reason
        )
        return _approval(found)

    handlers: list[Any] = [listed, one, decide]
    return Router("/v1/finance/approvals", route_handlers=handlers, tags=["finance"])


def _approval(approval: Approval) -> ApprovalView:
    return ApprovalView(
        approval=approval.asked.approval,
        act=approval.asked.act,
        subject=approval.asked.subject,
        amount_minor=approval.amount.minor,
        currency=approval.amount.currency.code,
        exponent=approval.amount.currency.exponent,
        state=approval.state,
        asked_at=str(approval.asked_at),
        persons=PERSONS,
        approved_by=list(approval.approved_by),
        refused_by=approval.refused_by,
        reason=approval.reason,
        said=approval.asked.said,
    )
