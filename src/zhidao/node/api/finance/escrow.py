"""Routes of conditional payments: hold, say the word, dispute, resolve jointly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import LIST, READ
from zhidao.core.actor import Actor
from zhidao.core.limits import JSON_INTEGER_MAX
from zhidao.finance.domain.deals import condition as conditions
from zhidao.finance.domain.deals.condition import Condition, Happened, leaves
from zhidao.finance.domain.deals.escrow import Escrow
from zhidao.finance.events.banks import EscrowOpened
from zhidao.finance.service.deals.escrows import (
    MAY_DISPUTE_ESCROW,
    MAY_GIVE_WORD,
    MAY_OPEN_ESCROW,
    MAY_RESOLVE_ESCROW,
    Escrows,
)
from zhidao.node.http.access import ACCESS
from zhidao.node.http.known_parties import KNOWN
from zhidao.node.lists.listing import LISTED, Listing

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"
_Escrow = Annotated[str, Parameter(pattern=_NAME, max_length=64)]
_After = Annotated[
    str,
    Parameter(pattern=r"^([a-z0-9.-]{1,64}/)?([A-Za-z0-9][A-Za-z0-9._-]{0,63})?\Z", max_length=129),
]
_Of = Annotated[str, Parameter(max_length=64)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]
_Party = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


_ESCROWS = Listing(
    "escrows",
    ("key",),
    (
        *("escrow", "state", "payer", "payee", "currency", "amount_minor", "reference"),
        *("payer_bank", "payee_bank", "refund_after", "outcome", "reason", "key"),
    ),
)


class NewEscrow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Money of a customer of the caller's bank, held until its condition is met or lost.

    `refund_after`: if nothing is decided until then, the payer has it back. `arbiter`: who may sign
    a resolution beside the two, or `` for nobody.
    """

    escrow: Annotated[str, msgspec.Meta(pattern=_NAME, max_length=64)]
    payer: Annotated[_Party, KNOWN]
    payee: Annotated[_Party, KNOWN]
    payee_bank: Annotated[_Party, KNOWN]
    amount_minor: Annotated[int, msgspec.Meta(gt=0, le=JSON_INTEGER_MAX)]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    condition: Condition
    refund_after: Annotated[str, msgspec.Meta(min_length=20, max_length=40)]
    arbiter: Annotated[str, msgspec.Meta(max_length=64), KNOWN] = ""
    reference: Annotated[str, msgspec.Meta(max_length=140)] = ""

    def parties_within(self) -> Iterator[str]:
        """Whose word the condition waits for."""
        for leaf in leaves(self.condition):
            yield leaf.asserted_by if isinstance(leaf, Happened) else leaf.by


class GivenAttestation(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The caller's word, as the condition names it."""

    word: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{1,32}\Z")]


class Dispute(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Why the caller disputes."""

    reason: _Reason


class Resolution(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How the money is shared: this much to the payee, the rest back to the payer."""

    to_payee_minor: Annotated[int, msgspec.Meta(ge=0, le=JSON_INTEGER_MAX)]
    reason: _Reason


class LeafView(msgspec.Struct, kw_only=True):
    """One event or word that the condition asks for. `because`: the event that it rests on."""

    kind: str
    what: str
    about: str
    asserted_by: str
    met: bool
    because: str


class DisputeView(msgspec.Struct, kw_only=True):
    """Who disputes, and why."""

    party: str
    reason: str


class ResolutionView(msgspec.Struct, kw_only=True):
    """A signature under a sharing."""

    party: str
    to_payee_minor: int
    reason: str


class EscrowView(msgspec.Struct, kw_only=True):
    """A conditional payment. `state`: opened, held, disputed, decided, released, refunded, shared.

    `standing`: how the condition stands: met, open or lost. `key`: what a list goes on behind.
    """

    escrow: str
    key: str
    payer: str
    payee: str
    payer_bank: str
    payee_bank: str
    amount_minor: int
    currency: str
    exponent: int
    reference: str
    arbiter: str
    refund_after: str
    condition: dict[str, Any]
    state: str
    standing: str
    leaves: list[LeafView]
    disputes: list[DisputeView]
    resolutions: list[ResolutionView]
    outcome: str
    reason: str
    to_payee_minor: int
    signed_by: list[str]


def routes(escrows: Escrows) -> Router:
    """Routes under /v1/finance/escrows."""

    def view(escrow: Escrow) -> EscrowView:
        return _view(escrow, str(escrows.standing(escrow)))

    @post("/", opt={ACCESS: MAY_OPEN_ESCROW})
    async def open_escrow(data: NewEscrow, actor: Actor) -> EscrowView:
        """Holds money under a condition; the payer's bank only. Again: the same.

        Above the limit it takes two persons.
        """
        opened = EscrowOpened(
            escrow=data.escrow,
            payer=data.payer,
            payee=data.payee,
            payer_bank=actor.party,
            payee_bank=data.payee_bank,
            amount_minor=str(data.amount_minor),
            currency=data.currency,
            condition=msgspec.to_builtins(data.condition),
            refund_after=data.refund_after,
            arbiter=data.arbiter,
            reference=data.reference,
        )
        return view(await escrows.open(actor, opened))

    @get("/", opt={LISTED: _ESCROWS, ACCESS: LIST})
    async def listed(actor: Actor, limit: _Limit = 50, after: _After = "") -> list[EscrowView]:
        """The conditional payments to which the caller is a party."""
        return [view(each) for each in await escrows.escrows(actor, limit=limit, after=after)]

    @get("/{escrow:str}", opt={ACCESS: READ})
    async def one(escrow: _Escrow, actor: Actor, of: _Of = "") -> EscrowView:
        """One conditional payment: what holds, what is open, how it ended.

        `of`: the payer's bank, where several have one of this name.
        """
        return view(await escrows.escrow(actor, await escrows.key(actor, escrow, of=of)))

    @post("/{escrow:str}/words", opt={ACCESS: MAY_GIVE_WORD})
    async def word(
        escrow: _Escrow, data: GivenAttestation, actor: Actor, of: _Of = ""
    ) -> EscrowView:
        """A party that the condition names signs its word. Again: no change."""
        key = await escrows.key(actor, escrow, of=of)
        return view(await escrows.attest(actor, key, word=data.word))

    @post("/{escrow:str}/disputes", opt={ACCESS: MAY_DISPUTE_ESCROW})
    async def dispute(escrow: _Escrow, data: Dispute, actor: Actor, of: _Of = "") -> EscrowView:
        """Payer or payee disputes: from here on two signatures decide, and nothing else."""
        key = await escrows.key(actor, escrow, of=of)
        return view(await escrows.dispute(actor, key, reason=data.reason))

    @post("/{escrow:str}/resolutions", opt={ACCESS: MAY_RESOLVE_ESCROW})
    async def resolve(escrow: _Escrow, data: Resolution, actor: Actor, of: _Of = "") -> EscrowView:
        """Signs a sharing; two equal signatures of payer, payee and arbiter carry it out.

        The payee alone may give everything back (`to_payee_minor` 0).
        """
        key = await escrows.key(actor, escrow, of=of)
        found = await escrows.resolve(
            actor, key, to_payee_minor=data.to_payee_minor, reason=data.reason
        )
        return view(found)

    handlers: list[Any] = [open_escrow, listed, one, word, dispute, resolve]
    return Router("/v1/finance/escrows", route_handlers=handlers, tags=["finance"])


def _view(escrow: Escrow, standing: str) -> EscrowView:
    opened, decided = escrow.opened, escrow.decided
    return EscrowView(
        escrow=opened.escrow,
        key=escrow.key,
        payer=opened.payer,
        payee=opened.payee,
        payer_bank=opened.payer_bank,
        payee_bank=opened.payee_bank,
        amount_minor=escrow.amount.minor,
        currency=opened.currency,
        exponent=escrow.amount.currency.exponent,
        reference=opened.reference,
        arbiter=opened.arbiter,
        refund_after=opened.refund_after,
        condition=opened.condition,
        state=escrow.state,
        standing=standing,
        leaves=[_leaf(escrow, leaf) for leaf in conditions.leaves(escrow.condition)],
        disputes=[DisputeView(party=party, reason=reason) for party, reason in escrow.disputes],
        resolutions=[
            ResolutionView(party=party, to_payee_minor=int(each.to_payee_minor), reason=each.reason)
            for party, each in escrow.resolutions.items()
        ],
        outcome=decided.outcome if decided else "",
        reason=decided.reason if decided else "",
        to_payee_minor=int(decided.to_payee_minor) if decided else 0,
        signed_by=decided.signed_by if decided else [],
    )


def _leaf(escrow: Escrow, leaf: conditions.Leaf) -> LeafView:
    name = conditions.name(leaf)
    return LeafView(
        kind="fact" if isinstance(leaf, Happened) else "word",
        what=leaf.fact if isinstance(leaf, Happened) else leaf.word,
        about=leaf.consignment if isinstance(leaf, Happened) else "",
        asserted_by=leaf.asserted_by if isinstance(leaf, Happened) else leaf.by,
        met=name in escrow.met,
        because=escrow.because.get(name, ""),
    )
