"""Payment versus payment between a bank of this node and one of another: deals and recovery.

The node of the bank that accepts a quote decides, on a chain of its own for each pair of banks and
ledgers. What is said travels by the post, at least once and in order; every step is written before
it is said, so that a node that starts again says it again and nothing happens twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.canonical import Json, jcs, parse_strict
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Refused, Unavailable, ZhidaoError
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId, parse_id
from zhidao.core.journal import Records
from zhidao.core.keys import PublicKey
from zhidao.core.money import Money
from zhidao.core.timescale import NS
from zhidao.finance.domain.pvp.pvp import Channel, Letter, Side
from zhidao.finance.events import PvpDecided
from zhidao.finance.events.banks import PvpAgreed, PvpEnded, PvpHeard
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.name_holds import NameHolds, again
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.ports import Decisions, Logged, Post, PvpIndex
from zhidao.finance.service.pvp.bilateral_sessions import PvpChains
from zhidao.finance.service.pvp.fx_quotes import QUOTE, FxQuotes, mine, own_account
from zhidao.finance.service.pvp.pvp_history import Chain, Dealing, PvpBooks
from zhidao.finance.service.pvp.pvp_terms import PvpTerms, bound_by, is_asked
from zhidao.finance.wire.pvp import MESSAGE_BYTES_MAX, decode_votes, read_quote, read_terms

_LOG: Final = logging.getLogger(__name__)
ACCEPT: Final = "accept_quote"
TERMS: Final = "finance.pvp-terms"
VOTES: Final = "finance.pvp-votes"
DECISION: Final = "finance.pvp-decision"
KINDS: Final = (QUOTE, TERMS, VOTES, DECISION)
_AGAIN_S: Final = 30
_TICK_S: Final = 0.5
_TICK_NS: Final = 500_000_000


class PvpService:
    """Agrees, votes, decides and follows for the banks of this node."""

    def __init__(
        self,
        *,
        node: PartyId,
        node_keys: Sequence[PublicKey],
        records: Records,
        index: PvpIndex,
        ledger: Ledger,
        accounts: Accounts,
        approvals: Approvals,
        quotes: FxQuotes,
        post: Post,
        decisions: Decisions,
        clock: Clock,
        logged: Logged,
        holds: NameHolds | None,
    ) -> None:
        """`node_keys`: those with which this node signs decisions or did, the present one last.

        `logged` wakes when events came under a signed tree head. `holds`: looks at the dealer and
        at whose account pays before a quote is taken.
        """
        self._holds = holds
        self._logged = logged
        self._unproven = False
        self._node = node
        keys = [key.multikey for key in node_keys]
        self._records = records
        self._ledger = ledger
        self._accounts = accounts
        self._approvals = approvals
        self._quotes = quotes
        self._post = post
        self._decisions = decisions
        self._clock = clock
        self._terms = PvpTerms(
            node_keys=keys,
            quotes=quotes,
            decisions=decisions,
            clock=clock,
            sold_under=self._sold_under,
        )
        chains = PvpChains(
            node=node,
            node_keys=keys,
            records=records,
            ledger=ledger,
            quotes=quotes,
            decisions=decisions,
            clock=clock,
            remembers=self._is_open,
            logged=self._is_logged,
        )
        self._books = PvpBooks(
            node=node,
            records=records,
            index=index,
            make=chains.make,
            is_over=self._terms.is_over,
        )
        self._one = asyncio.Lock()
        self._proven: set[UUID] = set()
        self._said: dict[str, str] = {}
        self._undone: set[str] | None = None
        """Deals whose step may have been cut off; before the first round, all that are open."""
        self._looked_s = 0
        approvals.carries_out(ACCEPT, self._accept_said)

    async def accept(
        self,
        actor: Actor,
        *,
        reference: str,
        quote: str,
        sold_minor: int,
        pays_from: UUID,
        receives_at: UUID,
        deadline_s: int,
        dealer: str = "",
        dealer_node: str = "",
    ) -> Dealing:
        """Takes a quote: reserves this side's leg and asks the dealer's node. Again: the same deal.

        `dealer`, `dealer_node`: whose quote, if several dealers gave one of that id.

        Raises Refused (`quote_expired`, `quote_exceeded`, `needs_two_persons`), NotFound for a
        quote that the bank did not get, Conflict if the reference stands for another deal.
        """
        bank = await self._accounts.require_bank(actor)
        aggregate = f"pvp-deal/{bank.bank}/{reference}"
        known = await self._books.find(aggregate)
        if known is None:
            whose = {"dealer": dealer, "dealer_node": dealer_node}
            got = await self._quotes.got(actor, quote, **whose)
            offer = read_quote(got.message)
            payer = await own_account(self._accounts, actor, pays_from, offer.sold)
            terms = self._terms.offered(
                got,
                nonce=f"{bank.bank}/{reference}",
                sold_minor=sold_minor,
                pays_from=pays_from,
                receives_at=receives_at,
                deadline_s=deadline_s,
            )
            said = {
                "reference": reference,
                "quote": quote,
                "sold_minor": sold_minor,
                "pays_from": str(pays_from),
                "receives_at": str(receives_at),
                "deadline_s": deadline_s,
                **{key: name for key, name in whose.items() if name},
            }
            sold = Money(sold_minor, offer.sold)
            if self._holds is not None:
                await self._holds.demand(
                    bank.bank,
                    subject=f"quote {quote}",
                    amount=sold,
                    names=(payer.name,),
                    parties=(got.dealer,),
                    nodes=(got.dealer_node,),
                    said=again(ACCEPT, said),
                )
            agreed = PvpAgreed(
                deal=terms.name,
                reference=reference,
                bank=bank.bank,
                side=Side.FIRST,
                quote=quote,
                peer_node=got.dealer_node,
                peer_party=got.dealer,
                decides=True,
                terms=terms.plain,
            )
            demand = replace(bound_by(terms, Side.FIRST), act=ACCEPT, subject=reference, said=said)
            async with self._approvals.allowed(actor, demand):
                await self._books.agree(actor, agreed)
        elif (
            not is_asked(known, quote, sold_minor, pays_from, receives_at)
            or dealer not in ("", known.agreed.peer_party)
            or dealer_node not in ("", known.agreed.peer_node)
        ):
            raise Conflict(f"deal {reference} was made with other content")
        async with self._one:
            await self._go(aggregate)
        return await self._known(aggregate)

    async def deals(self, actor: Actor, *, limit: int, after: str = "") -> list[Dealing]:
        """The deals of the actor's bank, by reference."""
        names = await mine(self._records, "pvp-deal/", actor, limit=limit, after=after)
        return [await self._known(name) for name in names]

    async def deal(self, actor: Actor, reference: str) -> Dealing:
        """One deal of the actor's bank. Raises NotFound."""
        aggregate = f"pvp-deal/{actor.party}/{reference}"
        await self._records.history(aggregate, actor)
        return await self._known(aggregate)

    async def stopped(self, actor: Actor) -> list[str]:
        """Why participants of the actor's bank stopped: contradictions for two persons to judge."""
        chains = await self._books.chains()
        return sorted(
            f"{chain.channel.name}: {chain.participant.frozen}"
            for chain in chains
            if chain.participant.frozen and chain.own_bank == actor.party
        )

    async def take(self, letter: Letter, content: bytes) -> None:
        """Takes in a message from another node; the same again changes nothing.

        Raises MalformedInput or Refused for what is not so, Unavailable for what comes too early.
        """
        if len(content) > MESSAGE_BYTES_MAX:
            raise MalformedInput(f"a message of {len(content)} bytes")
        takers = {
            QUOTE: self._quotes.take,
            TERMS: self._take_terms,
            VOTES: self._take_votes,
            DECISION: self._take_decision,
        }
        taker = takers.get(letter.kind)
        if taker is None:
            raise MalformedInput(f"no message of payment versus payment: {letter.kind[:64]}")
        async with self._one:
            await taker(letter, content)

    async def run(self) -> None:
        """Decides, tells, and says again what may have been lost, until cancelled."""
        while True:
            seen = self._logged.count
            try:
                await self.tick()
            except ZhidaoError as error:
                _LOG.warning("payment versus payment waits: %s", error)
            if self._unproven:
                # A decision was written but no tree head covers it: told as soon as one does.
                await self._logged.after(seen, fallback_ns=_TICK_NS)
            else:
                await asyncio.sleep(_TICK_S)

    async def tick(self) -> None:
        """One round: what a crash left is taken up again."""
        async with self._one:
            self._unproven = False
            now_s = self._clock.now().unix_ns // NS
            if self._undone is None:
                self._undone = {dealing.aggregate for dealing in await self._books.open()}
                self._looked_s = 0
            if self._undone and now_s - self._looked_s >= _AGAIN_S:
                self._looked_s = now_s
                for aggregate in sorted(self._undone):
                    with self._apart(aggregate):
                        await self._go(aggregate)
            for chain in await self._books.chains():
                with self._apart(chain.channel.name):
                    await self._decide(chain)

    @contextlib.contextmanager
    def _apart(self, name: str) -> Iterator[None]:
        """What is wrong with one deal or one pair of banks must not stop the others."""
        try:
            yield
        except Refused as error:
            if self._said.get(name) != str(error):
                self._said[name] = str(error)
                _LOG.warning("payment versus payment %s waits: %s", name, error)
        else:
            self._said.pop(name, None)

    # -- this side -------------------------------------------------------------------------------

    async def _go(self, aggregate: str) -> None:
        """Reserves and votes, and says so, once. Every line may be repeated."""
        if self._undone is not None:
            self._undone.add(aggregate)
        dealing = await self._known(aggregate)
        await self._books.remember(dealing)
        if dealing.ended is None:
            await self._reserve_and_vote(dealing)
        if self._undone is not None:
            self._undone.discard(aggregate)

    async def _reserve_and_vote(self, dealing: Dealing) -> None:
        agreed, chain = dealing.agreed, await self._books.chain(dealing)
        if agreed.decides:
            body: dict[str, Json] = {"quote": agreed.quote, "terms": agreed.terms}
            await self._say(chain, TERMS, jcs(body))
        for votes in await chain.participant.take([dealing.terms]):
            if chain.decider is not None:
                await chain.decider.hear(votes)
            else:
                await self._say(chain, VOTES, votes)
        if chain.decider is not None:
            # What the other side said before this process started is said once and not again.
            for told in await self._books.heard(agreed.deal):
                await chain.decider.recall(dealing.terms, Side(told.side), yes=told.yes)
        await self._decide(chain)

    async def _decide(self, chain: Chain) -> None:
        """Decides what can be decided, and applies and tells what the log holds by now."""
        if chain.decider is None:
            return
        while await chain.decider.decide() is not None:
            pass
        while more := await chain.decider.decisions(after=chain.told, limit=16):
            for data in more:
                event = SignedEvent.decode(data)
                proof = await self._decisions.prove(event)
                if proof is None:
                    self._unproven = True
                    return
                await self._follow(chain, event)
                body: dict[str, Json] = {"event": data.decode(), "proof": proof.decode()}
                body["ledgers"] = [chain.channel.first_ledger, chain.channel.second_ledger]
                await self._say(chain, DECISION, jcs(body))
                await self._books.note_told(chain, PvpDecided.of(event).number)

    async def _follow(self, chain: Chain, event: SignedEvent) -> None:
        """Applies a decision that a log holds, and notes the ends of this node's deals."""
        decided = PvpDecided.of(event)
        self._proven.add(event.id)
        try:
            await chain.participant.follow(event.encode())
        finally:
            self._proven.discard(event.id)
        if await chain.participant.cursor() < decided.number:
            raise Unavailable(
                f"decision {decided.number} came before the one that it continues", code="pvp_gap"
            )
        ends = [(name, "commit") for name in decided.commits]
        ends += [(name, "abort") for name in decided.aborts]
        for name, outcome in ends:
            dealing = await self._books.by_name(name)
            if dealing is not None and dealing.ended is None:
                await self._end(
                    dealing, PvpEnded(deal=name, outcome=outcome, number=decided.number)
                )

    async def _end(self, dealing: Dealing, fact: PvpEnded) -> None:
        if fact.outcome == "abort":
            agreed = dealing.agreed
            demand = bound_by(dealing.terms, Side(agreed.side))
            await self._approvals.came_to_nothing(agreed.bank, demand)
        if (await self._known(dealing.aggregate)).ended is None:
            node, owner = Actor(self._node, Role.NODE), PartyId(dealing.agreed.bank)
            await self._records.record(node, dealing.aggregate, [fact], after=1, owner=owner)
        await self._books.remember(await self._known(dealing.aggregate))

    async def _say(self, chain: Chain, kind: str, content: bytes) -> None:
        await self._post.send(
            Actor(PartyId(chain.own_bank), Role.PARTY),
            node=chain.peer_node,
            party=chain.peer_party,
            kind=kind,
            content=content,
        )

    # -- messages --------------------------------------------------------------------------------

    async def _take_terms(self, letter: Letter, content: bytes) -> None:
        plain = _fields(content, {"quote", "terms"})
        terms, quote = read_terms(plain["terms"]), str(plain["quote"])
        aggregate = f"pvp-deal/{letter.to_party}/{terms.name[:32]}"
        if await self._books.find(aggregate) is None:
            await self._terms.check(letter, terms, await self._quotes.given(letter.to_party, quote))
            agreed = PvpAgreed(
                deal=terms.name,
                reference=terms.name[:32],
                bank=letter.to_party,
                side=Side.SECOND,
                quote=quote,
                peer_node=letter.node,
                peer_party=letter.from_party,
                decides=False,
                terms=terms.plain,
            )
            # What the quote bound is bound by the deal from here on, also once the quote is over.
            await self._approvals.follows(letter.to_party, bound_by(terms, Side.SECOND))
            await self._books.agree(Actor(PartyId(letter.to_party), Role.PARTY), agreed)
        await self._go(aggregate)

    async def _take_votes(self, letter: Letter, content: bytes) -> None:
        _, votes = decode_votes(content)
        ledgers = {(vote.terms.first.ledger, vote.terms.second.ledger) for vote in votes}
        if len(ledgers) != 1:
            raise MalformedInput("votes of one message are about one pair of ledgers")
        first, second = ledgers.pop()
        channel = Channel(
            self._node, letter.to_party, first, letter.node, letter.from_party, second
        )
        chain = await self._books.known_chain(channel)
        assert chain.decider is not None, "the first of a channel decides"
        fresh = []
        for vote in votes:
            # Decisions are public: a peer must not have this node decide what it never agreed to.
            dealing = await self._books.by_name(vote.terms.name)
            if dealing is None and await self._books.heard(vote.terms.name):
                continue  # It ended, and its vote comes once more.
            if dealing is None or dealing.channel(self._node) != channel:
                raise Refused("a vote on a deal that is not ours", code="pvp_not_ours")
            fresh.append(vote)
        if fresh:
            if len(fresh) < len(votes):
                raise Refused("votes on deals that ended and on others", code="pvp_not_ours")
            await chain.decider.hear(content)
            # The other side says it once: what is not written down now would be forgotten. As it
            # counts: a late yes stays a no after the next start.
            for vote in fresh:
                yes = chain.decider.counted(vote.terms.name, vote.side)
                told = vote.yes if yes is None else yes
                await self._books.note_heard(
                    PvpHeard(deal=vote.terms.name, side=vote.side, yes=told)
                )
        await self._decide(chain)

    async def _take_decision(self, letter: Letter, content: bytes) -> None:
        plain = _fields(content, {"event", "proof", "ledgers"})
        event = SignedEvent.decode(str(plain["event"]).encode())
        await self._decisions.check(event, str(plain["proof"]).encode(), node=letter.node)
        ledgers = plain["ledgers"]
        if not isinstance(ledgers, list) or len(ledgers) != 2:
            raise MalformedInput("a decision names its two ledgers")
        channel = Channel(
            letter.node,
            letter.from_party,
            str(ledgers[0]),
            self._node,
            letter.to_party,
            str(ledgers[1]),
        )
        await self._follow(await self._books.known_chain(channel), event)

    # -- parts -----------------------------------------------------------------------------------

    async def _sold_under(self, bank: str, quote: str) -> int:
        return await self._books.sold_under(bank, quote)

    def _is_open(self, name: str) -> bool:
        return self._books.is_open(name)

    async def _is_logged(self, event: SignedEvent) -> bool:
        return event.id in self._proven

    async def _known(self, aggregate: str) -> Dealing:
        dealing = await self._books.find(aggregate)
        if dealing is None:
            raise NotFound("no deal of that name")
        return dealing

    async def _accept_said(self, actor: Actor, said: Mapping[str, Any]) -> Dealing:
        return await self.accept(
            actor,
            reference=str(said["reference"]),
            quote=str(said["quote"]),
            sold_minor=int(said["sold_minor"]),
            pays_from=parse_id(str(said["pays_from"])),
            receives_at=parse_id(str(said["receives_at"])),
            deadline_s=int(said["deadline_s"]),
            dealer=str(said.get("dealer", "")),
            dealer_node=str(said.get("dealer_node", "")),
        )


def _fields(content: bytes, names: set[str]) -> dict[str, Any]:
    plain = parse_strict(content, bytes_max=MESSAGE_BYTES_MAX)
    if not isinstance(plain, dict) or set(plain) != names:
        raise MalformedInput(f"this message has {', '.join(sorted(names))} and nothing else")
    return plain
