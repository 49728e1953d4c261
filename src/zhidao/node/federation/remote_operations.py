"""What a party does at a deal, or a bank at a ledger, that stand at another node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol
from uuid import UUID, uuid5

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.archive import Archive, digest_of
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.events import SignedEvent, every, latest
from zhidao.core.ids import PartyId
from zhidao.exchange.events import Delivery, Dispatch
from zhidao.finance.domain.deals.deal import Deal
from zhidao.node.federation.kinds import (
    ACCOUNT_ASKED,
    ACCOUNTS,
    JSON,
    LINE_ASKED,
    TITLE_ASKED,
    TITLE_SIGNED,
    AccountAsked,
    LineAsked,
    TitleSigned,
    decode_form,
    encode_form,
)
from zhidao.node.federation.sharing import Outgoing
from zhidao.trust.domain.evm import address_text, parse_address
from zhidao.trust.events import CustodyAsked, CustodyOpened, TitleMoved
from zhidao.trust.wire.evm.title_contract import Registry

MAY_ASK_PEER: Final = access(Role.PARTY, relation=Relation.OWNER, of="what is asked for")
MAY_RESERVE_TITLE: Final = access(Role.PARTY, relation=Relation.OWNER, of="the title")

# Names made of this one are those of documents that say the same thing (RFC 9562 section 5.5).
_SAME: Final = UUID("6f6e6520-6e6f-8465-a163-6b7320616761")
_PAGE: Final = 200


class Letters(Protocol):
    """A party's inbox."""

    async def listed(
        self, actor: Actor, *, state: str = "", consignment: str = "", limit: int = 50
    ) -> list[Delivery]:
        """What came for the actor's party, newest first."""
        ...

    async def decide(
        self, actor: Actor, *, sender: str, document: UUID, outcome: str, code: str, reason: str
    ) -> Delivery:
        """Decides about a document."""
        ...


class KnowsDeals(Protocol):
    """Finds deals; see `finance.service.deals.deals.Deals`."""

    async def deal(self, actor: Actor, name: str) -> Deal:
        """A deal as it stands. Raises NotFound for a stranger."""
        ...


class RemoteOperations:
    """Acts by documents: what comes of them the outbox tells, by the other node's decision."""

    def __init__(
        self,
        *,
        outgoing: Outgoing,
        inbox: Letters,
        archive: Archive,
        deals: KnowsDeals,
        title_history: Callable[[str], Awaitable[Sequence[SignedEvent]]],
        sign: Callable[[PartyId, CustodyAsked], bytes],
    ) -> None:
        """`title_history`: a title's events as they are known here. `sign`: with a party's key."""
        self._outgoing = outgoing
        self._inbox = inbox
        self._archive = archive
        self._deals = deals
        self._title_history = title_history
        self._sign = sign

    async def ask_account(self, actor: Actor, *, node: str, account: AccountAsked) -> Dispatch:
        """Asks for an account of the actor's customer on a peer's ledger; again: the same."""
        return await self._ask(actor, node, ACCOUNT_ASKED, encode_form(account))

    async def ask_line(self, actor: Actor, *, node: str, line: LineAsked) -> Dispatch:
        """Says on a peer's ledger how much a bank may owe the actor's; again: the same."""
        return await self._ask(actor, node, LINE_ASKED, encode_form(line))

    async def _ask(self, actor: Actor, node: str, kind: str, content: bytes) -> Dispatch:
        MAY_ASK_PEER.admit(actor)
        return await self._outgoing.send(
            actor,
            document=uuid5(_SAME, f"{node} {actor.party} {digest_of(content)}"),
            recipient=node,
            to_party=node,
            consignment=ACCOUNTS,
            kind=kind,
            media_type=JSON,
            content=content,
        )

    async def reserve_title(self, actor: Actor, name: str) -> Dispatch:
        """Signs the actor's title into the custody of a deal at a peer; again: the same.

        The request must agree with what the peer's own logged facts say. Raises Unavailable while
        it, or they, are not here yet; Refused (`request_differs`) if it asks for something else.
        """
        MAY_RESERVE_TITLE.admit(actor)
        deal = await self._deals.deal(actor, name)
        letter, asked = await self._asked(actor, deal)
        await self._check(actor, deal, letter, asked)
        raw = self._sign(actor.party, asked)
        sent = await self._outgoing.send(
            actor,
            document=uuid5(UUID(letter.document), "signed"),
            recipient=letter.sender,
            to_party=letter.sender,
            consignment=letter.consignment,
            kind=TITLE_SIGNED,
            media_type=JSON,
            content=encode_form(TitleSigned(deal=name, title=asked.title, raw=raw.hex())),
        )
        await self._inbox.decide(
            actor,
            sender=letter.sender,
            document=UUID(letter.document),
            outcome="accepted",
            code="",
            reason="",
        )
        return sent

    async def _asked(self, actor: Actor, deal: Deal) -> tuple[Delivery, CustodyAsked]:
        letters = await self._inbox.listed(actor, consignment=deal.opened.consignment, limit=_PAGE)
        for letter in letters:
            if letter.kind == TITLE_ASKED and letter.content:
                asked = decode_form(await self._archive.get(letter.content), CustodyAsked)
                if asked.deal == deal.name:
                    return letter, asked
        raise Unavailable(
            f"deal {deal.name} has not asked for the title yet",
            code="not_asked_yet",
            remedy="repeat the request",
        )

    async def _check(self, actor: Actor, deal: Deal, letter: Delivery, asked: CustodyAsked) -> None:
        history = tuple(await self._title_history(asked.title))
        moved = latest(history, TitleMoved)
        opened = [f for f in every(history, CustodyOpened) if f.deal == deal.name]
        if moved is None or not opened:
            raise Unavailable(
                "the title's history is still on its way here",
                code="not_here_yet",
                remedy="repeat the request",
            )
        registry = address_text(Registry.of(parse_address(asked.registrar)).token)
        fits = (
            asked.title == deal.opened.title == opened[-1].title
            and (asked.custody, actor.party) == (opened[-1].account, opened[-1].from_party)
            and (registry, asked.chain_id) == (moved.registry, moved.chain_id)
        )
        if not fits:
            raise Refused(
                "what is asked to be signed is not what the other node's log says of the title",
                code="request_differs",
                remedy="sign nothing, and ask the deal's bank",
            )
        # What was signed before the decision is the same again, and changes nothing.
        if not deal.is_open and letter.state != "decided":
            raise Refused(f"deal {deal.name} is decided", code="deal_is_decided")
