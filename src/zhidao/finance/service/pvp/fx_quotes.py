"""Quotes between banks of two nodes: signed by the dealer, carried by the post, kept by both."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Final
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, Refused, Unavailable
from zhidao.core.events import Fact
from zhidao.core.ids import PartyId, parse_id
from zhidao.core.journal import KeyRing, Records
from zhidao.core.keys import Signer
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import NS, Utc
from zhidao.finance.domain.naming import AccountCode
from zhidao.finance.domain.payments.approval import Demand
from zhidao.finance.domain.pvp.fx import Quote, Rate
from zhidao.finance.domain.pvp.pvp import Letter
from zhidao.finance.events import AccountOpened
from zhidao.finance.events.banks import FxQuoted
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.name_holds import NameHolds, again
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ports import Decisions, Post
from zhidao.finance.wire.pvp import MESSAGE_BYTES_MAX, encode_quote, read_quote, read_quoted

QUOTE = "finance.fx-quote"
GIVE: Final = "give_quote"
_DEALERS_MAX = 100


class FxQuotes:
    """Gives quotes as a dealer of this node, and takes those of other nodes' dealers."""

    def __init__(
        self,
        *,
        node: PartyId,
        ring: KeyRing,
        records: Records,
        accounts: Accounts,
        post: Post,
        decisions: Decisions,
        approvals: Approvals,
        holds: NameHolds | None,
    ) -> None:
        """`ring`: the keys with which this node's banks sign.

        `approvals`: a quote binds its dealer to what it would pay at most; `holds`: looks at the
        client before a quote is given; its terms name nobody else.
        """
        self._holds = holds
        self._approvals = approvals
        approvals.carries_out(GIVE, self._give_said)
        self._node = node
        self._ring = ring
        self._records = records
        self._accounts = accounts
        self._post = post
        self._decisions = decisions

    async def give(
        self,
        actor: Actor,
        quote: Quote,
        *,
        client: str,
        client_node: str,
        pays_from: UUID,
        receives_at: UUID,
    ) -> FxQuoted:
        """Signs a quote for a bank at another node and sends it. Again: the same.

        `pays_from`: the dealer's account here; `receives_at`: its account on the client's ledger.
        Raises Forbidden for who is no bank, Conflict if the id stands for another quote, NotFound
        (`unknown_peer`), Refused (`needs_two_persons`).
        """
        bank = await self._accounts.require_bank(actor)
        if quote.dealer != bank.bank:
            raise Forbidden(f"{actor.party} gives no quotes of {quote.dealer}")
        await own_account(self._accounts, actor, pays_from, quote.bought)
        self._decisions.keys(client_node)
        aggregate = f"fx-quote/{bank.bank}/{quote.id}"
        demand = None
        if not await self._records.history(aggregate):
            said = _said(quote, client, client_node, pays_from, receives_at)
            if self._holds is not None:
                await self._holds.demand(
                    bank.bank,
                    subject=f"quote {quote.id}",
                    amount=Money(quote.sold_minor_max, quote.sold),
                    parties=(client,),
                    nodes=(client_node,),
                    said=again(GIVE, said),
                )
            demand = _demand(quote, pays_from, said)
        for code in (AccountCode.FX_POSITION, AccountCode.FX_ROUNDING):
            await self._accounts.technical(bank, code, bank.bank, quote.bought.code)
        signed: Any = parse_strict(
            encode_quote(quote, self.signer(bank.bank)), bytes_max=MESSAGE_BYTES_MAX
        )
        fact = FxQuoted(
            quote=quote.id,
            given=True,
            dealer=bank.bank,
            dealer_node=self._node,
            client=client,
            client_node=client_node,
            message=signed,
            pays_from=str(pays_from),
            receives_at=str(receives_at),
        )
        async with AsyncExitStack() as stack:
            if demand is not None:
                await stack.enter_async_context(self._approvals.allowed(actor, demand))
            await once(self._records, actor, aggregate, fact)
        await self._post.send(
            actor, node=client_node, party=client, kind=QUOTE, content=jcs(fact.payload())
        )
        return fact

    async def take(self, letter: Letter, content: bytes) -> None:
        """Keeps a quote that came for a bank of this node. Raises MalformedInput, Refused."""
        told = read_quoted(content)
        if (told.dealer_node, told.dealer) != (letter.node, letter.from_party):
            raise Refused("the quote is not its sender's", code="pvp_not_ours")
        if (told.client_node, told.client) != (self._node, letter.to_party):
            raise Refused("the quote is for another", code="pvp_not_ours")
        offer = read_quote(told.message)
        if (offer.id, offer.dealer) != (told.quote, told.dealer):
            raise Refused("the quote does not say what was signed", code="bad_signature")
        for account in (told.pays_from, told.receives_at):
            parse_id(account)
        bank = Actor(PartyId(letter.to_party), Role.PARTY)
        await self._accounts.require_bank(bank)
        got = FxQuoted(**{**told.payload(), "given": False})
        await once(self._records, bank, _got_name(letter.to_party, told), got)

    async def quotes(self, actor: Actor, *, limit: int, after: str = "") -> list[FxQuoted]:
        """The quotes that the actor's bank gave or got, by id."""
        after = f"{after},~" if after else ""  # past those of all dealers under that id
        names = await mine(self._records, "fx-quote/", actor, limit=limit, after=after)
        return [FxQuoted.of((await self._records.history(name, actor))[0]) for name in names]

    async def got(
        self, actor: Actor, quote: str, *, dealer: str = "", dealer_node: str = ""
    ) -> FxQuoted:
        """A quote that another node's dealer gave the actor's bank.

        Dealers may use the same id: then the dealer and its node say which one is meant. Raises
        NotFound, Refused (`quote_of_several`, `pvp_not_ours` for the bank's own).
        """
        plain = f"fx-quote/{actor.party}/{quote}"
        names = await self._records.aggregates(f"{plain},", actor, limit=_DEALERS_MAX)
        if dealer and dealer_node:
            names = (f"{plain},{dealer_node},{dealer}",)
        found: dict[tuple[str, str], FxQuoted] = {}
        # Before ids of different dealers were told apart, the id alone was the name.
        for name in (plain, *names):
            history = await self._records.history(name)
            told = FxQuoted.of(history[0]) if history else None
            if told is not None and not told.given and told.quote == quote:
                found[told.dealer_node, told.dealer] = told
        meant = [
            told
            for told in found.values()
            if dealer in ("", told.dealer) and dealer_node in ("", told.dealer_node)
        ]
        if not meant:
            await self._records.history(plain, actor)
            raise Refused("a bank does not take its own quote", code="pvp_not_ours")
        if len(meant) > 1:
            raise Refused(
                f"{len(meant)} dealers gave a quote {quote[:40]!r}",
                code="quote_of_several",
                remedy="name its dealer and dealer_node",
            )
        return meant[0]

    async def given(self, bank: str, quote: str) -> FxQuoted:
        """A quote that a bank of this node gave. Raises Refused."""
        history = await self._records.history(f"fx-quote/{bank}/{quote}")
        given = FxQuoted.of(history[0]) if history else None
        if given is None or not given.given:
            raise Refused(f"{bank} gave no quote {quote[:40]!r}", code="pvp_not_ours")
        return given

    async def _give_said(self, actor: Actor, said: Mapping[str, Any]) -> FxQuoted:
        rate = Rate(*(int(term) for term in said["rate"]))
        quote = Quote(
            id=str(said["quote"]),
            dealer=actor.party,
            sold=Currency(str(said["sold"])),
            bought=Currency(str(said["bought"])),
            rate=rate,
            sold_minor_max=int(said["sold_minor_max"]),
            valid_until=Utc.parse(str(said["valid_until"])),
        )
        return await self.give(
            actor,
            quote,
            client=str(said["client"]),
            client_node=str(said["client_node"]),
            pays_from=parse_id(str(said["pays_from"])),
            receives_at=parse_id(str(said["receives_at"])),
        )

    def signer(self, bank: str) -> Signer:
        """The key with which a bank of this node signs. Raises Unavailable."""
        signer = self._ring.signer(PartyId(bank))
        if signer is None:
            raise Unavailable(f"this node holds no key of {bank}", code="no_key")
        return signer


def _said(
    quote: Quote, client: str, client_node: str, pays_from: UUID, receives_at: UUID
) -> dict[str, Any]:
    """A quote as two persons are asked about it."""
    return {
        "quote": quote.id,
        "client": client,
        "client_node": client_node,
        "sold": quote.sold.code,
        "bought": quote.bought.code,
        "rate": [str(quote.rate.numerator), str(quote.rate.denominator)],
        "sold_minor_max": str(quote.sold_minor_max),
        "valid_until": str(quote.valid_until),
        "pays_from": str(pays_from),
        "receives_at": str(receives_at),
    }


def _demand(quote: Quote, pays_from: UUID, said: dict[str, Any]) -> Demand:
    """What a quote binds of its dealer while it is good: what it would pay at most."""
    most = quote.sold_minor_max * quote.rate.numerator // quote.rate.denominator
    amount = Money(min(most, AMOUNT_MINOR_MAX), quote.bought)
    held, until_s = [(pays_from.hex, amount.minor)], quote.valid_until.unix_ns // NS + 1
    return Demand(GIVE, quote.id, amount, said, held, until_s=max(until_s, 1))


def _got_name(client: str, told: FxQuoted) -> str:
    """Of a quote at its client. The comma sorts before all that an id may go on with."""
    return f"fx-quote/{client}/{told.quote},{told.dealer_node},{told.dealer}"


async def own_account(
    accounts: Accounts, actor: Actor, account: UUID, currency: Currency
) -> AccountOpened:
    """An account of the actor's own books, in that currency. Raises unless it is one."""
    opened = (await accounts.statement(actor, str(account))).opened
    if opened.bank != actor.party:
        raise Forbidden(f"account {account} is not on {actor.party}'s books")
    if opened.currency != currency.code:
        raise MalformedInput(f"account {account} is kept in {opened.currency}, not {currency}")
    return opened


async def once(records: Records, actor: Actor, aggregate: str, fact: Fact) -> None:
    """Writes the first fact of an aggregate. Raises Conflict if another one stands there."""
    try:
        await records.record(actor, aggregate, [fact], after=0, owner=actor.party)
    except Conflict:
        (first, *_) = await records.history(aggregate)
        if first.payload != fact.payload():
            name = aggregate.rpartition("/")[2].partition(",")[0]
            raise Conflict(f"{name} stands for other content") from None


async def mine(
    records: Records, prefix: str, actor: Actor, *, limit: int, after: str
) -> tuple[str, ...]:
    """Aggregates of the actor's party below a prefix; of all parties for who reads everything."""
    whole = prefix if actor.viewer is None else f"{prefix}{actor.party}/"
    start = f"{whole}{after}" if after else ""
    return await records.aggregates(whole, actor, limit=limit, after=start)
