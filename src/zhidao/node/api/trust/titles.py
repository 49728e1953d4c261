"""Routes of titles: mint a bill of lading, see who holds it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import CALLER, LIST, READ
from zhidao.core.actor import Actor
from zhidao.core.encoding import parse_base64url, parse_hex
from zhidao.core.keys import PublicKey
from zhidao.core.limits import PAGE_ITEMS_MAX
from zhidao.node.http.access import ACCESS
from zhidao.node.http.known_parties import KNOWN
from zhidao.node.lists.listing import LISTED, Listing
from zhidao.trust.domain.title_tag import Bill, Brought
from zhidao.trust.events import MediumChanged, Title, TitleTagOpened
from zhidao.trust.service.titles.acts import MAY_ACT_ON_TITLE, Act, Endorsement
from zhidao.trust.service.titles.change_of_medium import (
    MAY_CHANGE_TO_PAPER,
    MAY_CHANGE_TO_TOKEN,
    STATEMENT_CHARACTERS_MAX,
    Paper,
)
from zhidao.trust.service.titles.mletr import MletrRequirement
from zhidao.trust.service.titles.possible_acts import PossibleActs
from zhidao.trust.service.titles.recovery_accounts import MAY_SPEAK_TO_GUARD, GuardActed
from zhidao.trust.service.titles.service import MAY_MINT, MAY_SEND_TRANSACTION, TitleService
from zhidao.trust.wire.evm.transaction import TRANSACTION_BYTES_MAX

_DIGEST = r"^[0-9a-f]{64}\Z"
Digest = Annotated[str, msgspec.Meta(pattern=_DIGEST)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Hex = Annotated[str, msgspec.Meta(min_length=2, max_length=2 * TRANSACTION_BYTES_MAX)]
_Title = Annotated[str, Parameter(pattern=_DIGEST)]


_TITLES = Listing(
    "titles",
    ("title",),
    ("title", "consignment", "holder_party", "beneficiary_party", "active", "registry"),
    rows="titles",
    further="after",
)


class SignedTag(msgspec.Struct, forbid_unknown_fields=True):
    """What a carrier signed where its key is: the tag of its bill, and the claim of its title.

    `opening` is over the RFC 8785 form of ["zhidao title tag v1", code, number], `claim` over that
    of ["zhidao title claim v1", tag, document, registry, chain id]; the tag is the SHA-256 of
    `opening` in hexadecimal. `issuer`: the key as Multikey; both signatures base64url.
    """

    issuer: Annotated[str, msgspec.Meta(max_length=128)]
    opening: Annotated[str, msgspec.Meta(max_length=128)]
    claim: Annotated[str, msgspec.Meta(max_length=128)]

    def brought(self) -> Brought:
        """The values. Raises MalformedInput."""
        issuer = PublicKey.from_multikey(self.issuer)
        return Brought(issuer, parse_base64url(self.opening), parse_base64url(self.claim))


class RegistryPlace(msgspec.Struct):
    """Where this node's titles are minted: what a carrier's claim names."""

    registry: str
    chain_id: int


class NewTitle(msgspec.Struct, forbid_unknown_fields=True):
    """What to mint. `document`: SHA-256 of the bill of lading; `holder`: the party to own it."""

    consignment: Name
    document: Digest
    holder: Annotated[Name, KNOWN]
    readers: Annotated[list[Annotated[Name, KNOWN]], msgspec.Meta(max_length=64)] = []
    # Only for a bill whose document does not bear them; without any of both nothing is minted.
    carrier_code: Annotated[str, msgspec.Meta(max_length=64)] = ""
    bill_number: Annotated[str, msgspec.Meta(max_length=64)] = ""
    # Of a carrier that keeps its key itself: the same key makes the same tag at every node.
    brought: SignedTag | None = None


class ToPaper(msgspec.Struct, forbid_unknown_fields=True):
    """Paper for a title: the SHA-256 of its text or scan, and the statement put on it."""

    paper: Digest
    statement: Annotated[str, msgspec.Meta(min_length=1, max_length=STATEMENT_CHARACTERS_MAX)]


class FromPaper(NewTitle, forbid_unknown_fields=True, kw_only=True):
    """A new title in the place of paper: its SHA-256, and the statement put on the new bill."""

    paper: Digest
    statement: Annotated[str, msgspec.Meta(min_length=1, max_length=STATEMENT_CHARACTERS_MAX)]


class SignedTransaction(msgspec.Struct, forbid_unknown_fields=True):
    """An EIP-1559 transaction that a holder signed elsewhere, in lower-case hexadecimal."""

    raw: Hex


class TitleAct(msgspec.Struct, forbid_unknown_fields=True):
    """What to do with a title that has `seen` transactions; `to` where somebody receives it.

    `remark` (104 bytes of UTF-8 at most) is sealed before it reaches the public chain.
    """

    action: Literal[
        "transfer",
        "transfer_holder",
        "nominate",
        "endorse",
        "reject",
        "reject_holder",
        "reject_beneficiary",
        "return",
        "restore",
        "burn",
    ]
    seen: Annotated[int, msgspec.Meta(ge=1, le=2**31)]
    to: Annotated[str, msgspec.Meta(max_length=64), KNOWN] = ""
    remark: Annotated[str, msgspec.Meta(max_length=104)] = ""


class TitlePage(msgspec.Struct):
    """Titles in order of their token id. `after` asks for the next page, or is empty."""

    titles: list[Title]
    after: str


def routes(titles: TitleService) -> Router:
    """Routes under /v1/trust/titles."""

    @post("/", opt={ACCESS: MAY_MINT})
    async def mint_title(data: NewTitle, actor: Actor) -> Title:
        """Mints the one title of a document; the same request again answers the same title."""
        named = data.carrier_code or data.bill_number
        return await titles.mint(
            actor,
            document=data.document,
            consignment=data.consignment,
            holder=data.holder,
            readers=data.readers,
            bill=Bill(data.carrier_code, data.bill_number) if named else None,
            brought=data.brought.brought() if data.brought else None,
        )

    @get("/registry", opt={ACCESS: CALLER})
    async def registry_place(actor: Actor) -> RegistryPlace:
        """The registry in which this node mints titles, and its chain's id."""
        del actor  # Anybody who is signed in may ask.
        registry, chain_id = titles.tags.place
        return RegistryPlace(registry=registry, chain_id=chain_id)

    @get("/", opt={LISTED: _TITLES, ACCESS: LIST})
    async def list_titles(
        actor: Actor,
        limit: Annotated[int, Parameter(ge=1, le=PAGE_ITEMS_MAX)] = 50,
        after: Annotated[str | None, Parameter(pattern=r"^[0-9a-f]{64}\Z")] = None,
    ) -> TitlePage:
        """The titles that the caller may see."""
        found, more = await titles.titles_for(actor, limit=limit, after=after or "")
        return TitlePage(titles=found, after=more)

    @get("/{title:str}", opt={ACCESS: READ})
    async def one_title(title: _Title, actor: Actor) -> Title:
        """A title as it stands; 404 for whoever may not see it."""
        return await titles.title_for(actor, title)

    @get("/{title:str}/registration", opt={ACCESS: READ})
    async def title_registration(title: _Title, actor: Actor) -> TitleTagOpened:
        """What shows a holder that the log has one title for his bill; 404 without it."""
        return await titles.tags.opened(actor, title)

    @get("/{title:str}/endorsements", opt={ACCESS: READ})
    async def title_endorsements(title: _Title, actor: Actor) -> list[Endorsement]:
        """The chain of endorsements from minting on, with opened remarks; 404 as for the title."""
        return await titles.life.endorsements(actor, title)

    @get("/{title:str}/assessment", opt={ACCESS: READ})
    async def title_assessment(title: _Title, actor: Actor) -> list[MletrRequirement]:
        """What shows singularity, control and integrity (MLETR 10 and 11); 404 as for the title."""
        return await titles.assessment.assess(actor, title)

    @get("/{title:str}/acts", opt={ACCESS: READ})
    async def possible_acts(title: _Title, actor: Actor) -> PossibleActs:
        """What the caller's party may do with the title now, and whose move it is; else 404."""
        return await titles.possible.acts(actor, title)

    @post("/{title:str}/acts", status_code=200, opt={ACCESS: MAY_ACT_ON_TITLE})
    async def act_on_title(title: _Title, data: TitleAct, actor: Actor) -> Title:
        """Does one act of a title's life with the key of the caller's party; again: nothing more.

        Refused with `title_moved` if the title has gone on since `seen`.
        """
        act = Act(action=data.action, seen=data.seen, to=data.to, remark=data.remark)
        return await titles.life.act(actor, title, act)

    @post("/{title:str}/transactions", opt={ACCESS: MAY_SEND_TRANSACTION})
    async def send_transaction(title: _Title, data: SignedTransaction, actor: Actor) -> Title:
        """Logs and executes what a holder signed with a key of his own; the same bytes act once."""
        raw = parse_hex(data.raw)
        return await titles.send(actor, raw=raw, title=title, purpose="sent by a party")

    @post("/{title:str}/paper", status_code=200, opt={ACCESS: MAY_CHANGE_TO_PAPER})
    async def title_to_paper(title: _Title, data: ToPaper, actor: Actor) -> Title:
        """The issuer gives paper for a title that was given back, and burns it (MLETR 18)."""
        paper = Paper(data.paper, data.statement)
        return await titles.medium.to_paper(actor, title, paper=paper)

    @post("/from-paper", opt={ACCESS: MAY_CHANGE_TO_TOKEN})
    async def title_from_paper(data: FromPaper, actor: Actor) -> Title:
        """The issuer takes paper in and mints a title in its place (MLETR 17)."""
        named = data.carrier_code or data.bill_number
        return await titles.medium.to_token(
            actor,
            paper=Paper(data.paper, data.statement),
            document=data.document,
            consignment=data.consignment,
            holder=data.holder,
            readers=data.readers,
            bill=Bill(data.carrier_code, data.bill_number) if named else None,
            brought=data.brought.brought() if data.brought else None,
        )

    @get("/{title:str}/medium", opt={ACCESS: READ})
    async def title_medium(title: _Title, actor: Actor) -> list[MediumChanged]:
        """The changes of a title's medium; 404 as for the title."""
        return await titles.medium.changes(actor, title)

    @post("/guards", status_code=200, opt={ACCESS: MAY_SPEAK_TO_GUARD})
    async def send_to_guard(data: SignedTransaction, actor: Actor) -> GuardActed:
        """Logs and executes what somebody signed to create a guard or to speak to one.

        A guard has titles for an owner; a threshold of its guardians names a new owner, who takes
        over when the time lock has run out, unless the owner cancels. The same bytes act once.
        """
        return await titles.guards.send(actor, parse_hex(data.raw))

    return Router(
        "/v1/trust/titles",
        route_handlers=[
            *(
                mint_title,
                registry_place,
                list_titles,
                one_title,
                title_registration,
                title_endorsements,
            ),
            *(title_assessment, possible_acts, act_on_title, send_transaction, send_to_guard),
            *(title_to_paper, title_from_paper, title_medium),
        ],
        tags=["trust"],
    )
