"""What a node remembers of its payments versus payment: deals, participants, deciders.

All of it is a fold of the journal, made when it is first asked for. Which histories must be read
for it, an index tells: a deal's entry is open from before its first event until after its last, so
that whatever a crash cuts off is looked up in its history by the next start. Of deals that ended
nothing is read and nothing stays in memory but the sum of what their quote has sold, from when it
is asked for until the quote is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import NotFound
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.finance.domain.pvp.pvp import Channel, Side, Terms
from zhidao.finance.events.banks import PvpAgreed, PvpEnded, PvpHeard, PvpTold
from zhidao.finance.service.ports import EndedPvp, PvpIndex
from zhidao.finance.service.pvp.decider import PvpDecider
from zhidao.finance.service.pvp.fx_quotes import once
from zhidao.finance.service.pvp.participant import PvpParticipant
from zhidao.finance.wire.pvp import read_terms

PAGE: Final = 200
"""So many entries of the index are looked up and closed together at a start."""
QUOTES_MAX: Final = 1_000
"""Sums of more quotes than this are looked through for those that are over."""


@dataclass(frozen=True, slots=True)
class Dealing:
    """A deal as its bank sees it."""

    agreed: PvpAgreed
    terms: Terms
    ended: PvpEnded | None

    @property
    def aggregate(self) -> str:
        """Where its history is."""
        return aggregate_of(self.agreed)

    @property
    def under(self) -> tuple[str, str]:
        """Its bank, and the quote that it was made under."""
        return self.agreed.bank, self.agreed.quote

    @property
    def state(self) -> str:
        """One word: waiting, committed or aborted."""
        if self.ended is None:
            return "waiting"
        return "committed" if self.ended.outcome == "commit" else "aborted"

    def channel(self, node: str) -> Channel:
        """The pair of banks and ledgers that it runs between; `node`: this one."""
        agreed, terms = self.agreed, self.terms
        own, other = (node, agreed.bank), (agreed.peer_node, agreed.peer_party)
        first, second = (own, other) if agreed.side == Side.FIRST else (other, own)
        return Channel(*first, terms.first.ledger, *second, terms.second.ledger)


@dataclass(slots=True)
class Chain:
    """One channel here: this node's participant, and the decider if this node decides."""

    channel: Channel
    participant: PvpParticipant
    decider: PvpDecider | None
    own_bank: str
    peer_node: str
    peer_party: str
    told: int = 0


@dataclass(slots=True)
class _Held:
    """What must be at hand: the deals without an end, and what quotes have sold."""

    open: dict[str, Dealing] = field(default_factory=dict)
    sold: dict[tuple[str, str], int] = field(default_factory=dict)
    """By bank and quote that it gave: what deals sold or may yet sell, minor units.

    Of quotes that were asked for; any other sum is in the index and in `open`.
    """
    ending: dict[str, Dealing] = field(default_factory=dict)
    """Deals of `open` whose end is known, but perhaps not to the index."""
    chains: dict[str, Chain] = field(default_factory=dict)

    def hold(self, dealing: Dealing) -> None:
        """Holds a deal without an end that was not held before."""
        self._count(dealing, _sells(dealing))
        self.open[dealing.agreed.deal] = dealing

    def let_go(self, dealing: Dealing) -> None:
        """Lets go of a deal that ended and was held."""
        before = self.open.pop(dealing.agreed.deal)
        del self.ending[dealing.agreed.deal]
        self._count(dealing, _sells(dealing) - _sells(before))

    def may_sell(self, quote: tuple[str, str]) -> int:
        """What the deals without an end may sell under a quote, minor units."""
        return sum(_sells(one) for one in self.open.values() if one.under == quote)

    def _count(self, dealing: Dealing, more_minor: int) -> None:
        if dealing.under in self.sold:
            self.sold[dealing.under] += more_minor


class PvpBooks:
    """Finds deals by name and by reference, and the chain that each belongs to."""

    def __init__(
        self,
        *,
        node: PartyId,
        records: Records,
        index: PvpIndex,
        make: Callable[[Dealing, Channel], Chain],
        is_over: Callable[[str, str], Awaitable[bool]],
    ) -> None:
        """`make`: builds the chain of a deal's channel, once for each.

        `is_over`: whether a quote that a bank gave cannot be accepted any more.
        """
        self._is_over = is_over
        self._node = node
        self._records = records
        self._index = index
        self._make = make
        self._held: _Held | None = None
        self._restoring = asyncio.Lock()
        self._changing = asyncio.Lock()

    async def chain(self, dealing: Dealing) -> Chain:
        """The chain of a deal."""
        held = await self._restored()
        return await self._chain(held, dealing)

    async def known_chain(self, channel: Channel) -> Chain:
        """A chain in which this node has a deal. Raises NotFound."""
        found = (await self._restored()).chains.get(channel.name)
        if found is None:
            raise NotFound(f"there is no deal between {channel.first_bank} and others like it")
        return found

    async def chains(self) -> list[Chain]:
        """All chains of this node."""
        return list((await self._restored()).chains.values())

    async def agree(self, actor: Actor, agreed: PvpAgreed) -> None:
        """Writes down a new deal. Again: no change. Raises Conflict if its name is taken."""
        aggregate = aggregate_of(agreed)
        # First the entry: without it, no later start would find the deal that the event makes. An
        # entry whose event never came is passed over.
        await self._index.add(aggregate, bank=agreed.bank)
        await once(self._records, actor, aggregate, agreed)

    async def remember(self, dealing: Dealing) -> None:
        """Takes a deal in as its history stands now."""
        held = await self._restored()
        async with self._changing:
            is_held = dealing.agreed.deal in held.open
            if dealing.ended is None and not is_held:
                held.hold(dealing)
            elif dealing.ended is not None and is_held:
                held.ending[dealing.agreed.deal] = dealing
                await self._close(held)

    async def open(self) -> list[Dealing]:
        """The deals without an end, by name."""
        held = await self._restored()
        return [held.open[name] for name in sorted(held.open)]

    async def by_name(self, name: str) -> Dealing | None:
        """A deal without an end by the digest of its terms; None for any other."""
        return (await self._restored()).open.get(name)

    def is_open(self, name: str) -> bool:
        """Whether a deal is without an end, by the digest of its terms."""
        return self._held is not None and name in self._held.open

    async def heard(self, name: str) -> list[PvpHeard]:
        """The other side's vote on a deal as this node decides on it, if it came."""
        return [PvpHeard.of(event) for event in await self._records.history(f"pvp-heard/{name}")]

    async def note_heard(self, fact: PvpHeard) -> None:
        """Writes down the first vote that the other side gave on a deal. Again: no change."""
        if not await self.heard(fact.deal):
            await self._records.record(
                Actor(self._node, Role.NODE),
                f"pvp-heard/{fact.deal}",
                [fact],
                after=0,
                owner=self._node,
            )

    async def sold_under(self, bank: str, quote: str) -> int:
        """What deals under a quote that a bank gave have sold or may yet sell, minor units."""
        held, wanted = await self._restored(), (bank, quote)
        async with self._changing:
            if wanted not in held.sold:
                await self._close(held)
                ended_minor = await self._index.sold(bank, quote)
                held.sold[wanted] = ended_minor + held.may_sell(wanted)
            sold_minor = held.sold[wanted]
        if len(held.sold) > QUOTES_MAX:
            for one in list(held.sold):
                if one != wanted and await self._is_over(*one):
                    held.sold.pop(one, None)
        return sold_minor

    async def find(self, aggregate: str) -> Dealing | None:
        """A deal by its history."""
        history = await self._records.history(aggregate)
        return _dealing(history) if history else None

    async def note_told(self, chain: Chain, number: int) -> None:
        """Writes down how far a chain's decisions are applied and told."""
        await self._records.record(
            Actor(self._node, Role.NODE),
            f"pvp-told/{chain.channel.name}",
            [PvpTold(channel=chain.channel.name, number=number)],
            after=chain.told,
            owner=self._node,
        )
        chain.told = number

    async def _chain(self, held: _Held, dealing: Dealing) -> Chain:
        channel = dealing.channel(self._node)
        known = held.chains.get(channel.name)
        if known is None:
            known = self._make(dealing, channel)
            known.told = len(await self._records.history(f"pvp-told/{channel.name}"))
            held.chains[channel.name] = known
        return known

    async def _close(self, held: _Held) -> None:
        """Closes what ended. Should it fail, whether the index knows is open, and it comes again.

        Until it is done no sum may be taken from the index: a deal would count in both places.
        """
        ended = list(held.ending.values())
        await self._index.close([self._end(one) for one in ended])
        for one in ended:
            held.let_go(one)

    async def _restored(self) -> _Held:
        # One reads for all who ask meanwhile: a second set of chains would not know the votes that
        # the first one heard.
        async with self._restoring:
            if self._held is None:
                self._held = await self._read()
            return self._held

    async def _read(self) -> _Held:
        held, after = _Held(), ""
        while names := await self._index.open(after=after, limit=PAGE):
            found = [dealing for name in names if (dealing := await self.find(name)) is not None]
            for dealing in found:
                await self._chain(held, dealing)
                if dealing.ended is None:
                    held.hold(dealing)
            # The last process ended between the event and the entry, or there were no entries yet.
            await self._index.close([self._end(one) for one in found if one.ended is not None])
            after = names[-1]
        after = ""
        while names := await self._index.one_of_each_channel(after=after, limit=PAGE):
            for name in names:
                dealing = await self.find(name)
                assert dealing is not None, "an entry is closed by its history"
                await self._chain(held, dealing)
            after = names[-1]
        return held

    def _end(self, dealing: Dealing) -> EndedPvp:
        bank, quote = dealing.under
        return EndedPvp(
            deal=dealing.aggregate,
            bank=bank,
            channel=dealing.channel(self._node).name,
            quote=quote,
            sold_minor=_sells(dealing),
        )


def aggregate_of(agreed: PvpAgreed) -> str:
    """Where the history of a deal is."""
    return f"pvp-deal/{agreed.bank}/{agreed.reference}"


def _sells(dealing: Dealing) -> int:
    """What counts against the quote that this side gave."""
    counts = dealing.agreed.side == Side.SECOND and dealing.state != "aborted"
    return dealing.terms.first.amount_minor if counts else 0


def _dealing(history: tuple[SignedEvent, ...]) -> Dealing:
    agreed = PvpAgreed.of(history[0])
    ended = PvpEnded.of(history[1]) if len(history) > 1 else None
    return Dealing(agreed, read_terms(agreed.terms), ended)
