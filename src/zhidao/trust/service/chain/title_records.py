"""What is known of titles: their histories in the journal, kept level with the chain.

The chain executes; the journal tells, in parties, what became of each title. What is executed and
not told yet is told by whoever comes next, in chain order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import check_digest
from zhidao.core.errors import Conflict, NotFound
from zhidao.core.events import SignedEvent, every, latest
from zhidao.core.ids import PartyId
from zhidao.core.journal import Handled, Records
from zhidao.trust.domain.evm import ZERO_ADDRESS, Address, address_text
from zhidao.trust.domain.title_state import TitleState
from zhidao.trust.events import Title, TitleAsked, TitleMoved
from zhidao.trust.service.chain.ports import Executor
from zhidao.trust.service.chain.receipt import Receipt
from zhidao.trust.service.chain.submissions import ChainLog
from zhidao.trust.service.chain.title_names import TitleNames, deal_of
from zhidao.trust.wire.evm.title_contract import Registry

_T = TypeVar("_T")
_ATTEMPTS_MAX: Final = 5


class TitleRecords:
    """Reads titles, and tells in their histories what the chain did to them."""

    def __init__(
        self,
        records: Records,
        names: TitleNames,
        chain_log: ChainLog,
        executor: Executor,
        registry: Registry,
        *,
        chain_id: int,
        timeout_s: float,
    ) -> None:
        """`timeout_s` bounds each wait for the chain."""
        self._records = records
        self._names = names
        self._log = chain_log
        self._executor = executor
        self._registry = registry
        self._chain_id = chain_id
        self._timeout_s = timeout_s
        self._node = Actor(PartyId(records.node), Role.NODE)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def alone(self, title: str) -> asyncio.Lock:
        """One use case at a time for one title; others are not held up."""
        return self._locks.setdefault(title, asyncio.Lock())

    async def title(self, title: str) -> Title:
        """The title as it stands. Raises NotFound if there is none."""
        history = await self._records.history(aggregate_of_title(title))
        asked, moved = latest(history, TitleAsked), latest(history, TitleMoved)
        if asked is None or moved is None:
            raise NotFound("no title of that name")
        moves = every(history, TitleMoved)
        return Title(
            title=title,
            registry=moved.registry,
            chain_id=moved.chain_id,
            consignment=asked.consignment,
            holder=moved.holder,
            beneficiary=moved.beneficiary,
            holder_party=moved.holder_party,
            beneficiary_party=moved.beneficiary_party,
            custody=deal_of(moved.holder, history),
            active=moved.action != "burn",
            transactions=[move.transaction for move in moves],
        )

    async def title_for(self, actor: Actor, title: str) -> Title:
        """The same for somebody who may see it. Raises NotFound for everyone else."""
        await self._records.history(aggregate_of_title(title), actor)
        return await self.title(title)

    async def titles_for(
        self, actor: Actor, *, limit: int, after: str = ""
    ) -> tuple[list[Title], str]:
        """The titles that the actor may see, by token id, and where the next page starts."""
        start = aggregate_of_title(after) if after else ""
        names = await self._records.aggregates("title/", actor, limit=limit, after=start)
        found = []
        for name in names:
            try:
                found.append(await self.title(name.removeprefix("title/")))
            except NotFound:
                # Asked for and not minted yet.
                continue
        more = names[-1].removeprefix("title/") if len(names) == limit else ""
        return found, more

    async def settled(self, title: str) -> TitleState:
        """The title's state once everything written for it is executed and told.

        A title that was never minted has the zero address for its owner.
        """
        token = bytes.fromhex(check_digest(title))
        for transaction_hash in await self._log.of_title(title):
            await self._executor.receipt(transaction_hash, timeout_s=self._timeout_s)
        await self.tell(title)
        moves = await self._executor.moves(token)
        return moves[-1].state_of(token) if moves else TitleState(token, Address(bytes(20)))

    async def executed(self, transaction_hash: bytes) -> Receipt:
        """Waits for a receipt. Raises the Refused with which the contract answered."""
        receipt = await self._executor.receipt(transaction_hash, timeout_s=self._timeout_s)
        if receipt.refusal is not None:
            raise receipt.refusal
        return receipt

    async def tell(self, title: str, handled: Handled | None = None) -> None:
        """Records the moves of a title that its history does not have yet, in chain order."""
        receipts = await self._executor.moves(bytes.fromhex(title))

        async def write() -> None:
            history = await self._records.history(aggregate_of_title(title))
            told = len(every(history, TitleMoved))
            facts = [await self._moved(title, receipt, history) for receipt in receipts[told:]]
            if facts or handled:
                parties = {party for fact in facts for party in _parties(fact)}
                parties |= {await self._nominee(title, receipt) for receipt in receipts[told:]}
                await self._records.record(
                    self._node,
                    aggregate_of_title(title),
                    facts,
                    after=len(history),
                    owner=history[0].owner if history else self._node.party,
                    visible=audience(history, *parties),
                    handled=handled,
                )

        await persist(write)

    async def _moved(
        self, title: str, receipt: Receipt, history: tuple[SignedEvent, ...]
    ) -> TitleMoved:
        state = receipt.state_of(bytes.fromhex(title))
        return TitleMoved(
            title=title,
            registry=address_text(self._registry.token),
            chain_id=self._chain_id,
            action=receipt.action,
            transaction="0x" + receipt.hash.hex(),
            holder=address_text(state.holder),
            beneficiary=address_text(state.beneficiary),
            holder_party=await self._names.holder_name(state.holder, history),
            beneficiary_party=await self._names.holder_name(state.beneficiary, history),
        )

    async def _nominee(self, title: str, receipt: Receipt) -> str:
        nominee = receipt.state_of(bytes.fromhex(title)).nominee
        return await self._names.party_of(nominee) if nominee != ZERO_ADDRESS else ""


def aggregate_of_title(title: str) -> str:
    """The aggregate that tells a title's history. Raises MalformedInput for no token id."""
    return f"title/{check_digest(title)}"


def audience(history: tuple[SignedEvent, ...], *more: str) -> list[PartyId]:
    """Who may read the next fact: all who could read the first one, and those that it concerns."""
    before = history[0].visible if history else ()
    return [*before, *(PartyId(party) for party in more if party)]


def _parties(fact: TitleMoved) -> tuple[str, str]:
    return fact.holder_party, fact.beneficiary_party


async def persist(write: Callable[[], Awaitable[_T]]) -> _T:
    """Runs a read-then-write again while somebody else writes to the same history."""
    for _ in range(_ATTEMPTS_MAX):
        try:
            return await write()
        except Conflict:
            continue
    return await write()
