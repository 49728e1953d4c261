"""What the title service asks of the world: an engine, accounts, contracts, logged transactions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from zhidao.core.actor import Actor
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.trust.domain.chain_rules import Admission
from zhidao.trust.domain.evm import (
    Address,
    Block,
    FlatState,
    Outcome,
    StateChanges,
    Transaction,
)
from zhidao.trust.domain.paid_rules import Fees
from zhidao.trust.domain.title_tag import Bill, Brought
from zhidao.trust.events import Title
from zhidao.trust.service.chain.receipt import Receipt


class Engine(Protocol):
    """An Ethereum virtual machine with one state, used by one thread at a time.

    It executes and counts gas; who may send what is the chain's business. It takes a
    transaction's nonce at its word, so that a part of a chain can be replayed.
    """

    def execute(self, transaction: Transaction, block: Block) -> Outcome:
        """Executes a transaction for good; a failed one leaves only the sender's count."""
        ...

    def try_out(self, transaction: Transaction, block: Block) -> Outcome:
        """What `execute` would answer, leaving no trace."""
        ...

    def state_root(self) -> bytes:
        """The 32-byte root of the state trie: equal states, equal roots."""
        ...

    def dump(self) -> FlatState:
        """The whole state, to go on from later."""
        ...

    def changes(self) -> StateChanges:
        """What was written since this was asked last (or since the beginning), as it stands."""
        ...

    def load(self, state: FlatState) -> None:
        """Goes on from a state."""
        ...


MakeEngine = Callable[[int], Engine]
"""Makes an engine with an empty state for a chain id."""


class Bills(Protocol):
    """Finds what stands on the face of a bill of lading."""

    async def face(
        self, actor: Actor, *, consignment: str, document: str
    ) -> tuple[str, str] | None:
        """Carrier code (`` if it bears none) and number of the consignment's bill of lading.

        None unless it has this SHA-256. Raises NotFound if the actor may not see the consignment.
        """
        ...


class Minting(Protocol):
    """Mints titles."""

    async def check_mintable(
        self,
        actor: Actor,
        *,
        document: str,
        consignment: str,
        holder: str,
        readers: Sequence[str],
        bill: Bill | None,
        brought: Brought | None = None,
    ) -> None:
        """Raises what `mint` would refuse, before anything is written."""
        ...

    async def mint(
        self,
        actor: Actor,
        *,
        document: str,
        consignment: str,
        holder: str,
        readers: Sequence[str],
        bill: Bill | None = None,
        brought: Brought | None = None,
    ) -> Title:
        """Mints the title of a document to a party; again: the same title."""
        ...


class Account(Protocol):
    """An account that this node can sign for."""

    @property
    def address(self) -> Address:
        """Where it stands on the chain."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """The signature r || s || parity (65 bytes), s in the lower half; repeatable."""
        ...


class Accounts(Protocol):
    """Finds the node's accounts and those that it keeps for others."""

    def registrar(self) -> Account:
        """The node's own account, which sets the registry up."""
        ...

    def of_party(self, party: PartyId) -> Account:
        """A party's account; of one at another node it has an address only, and signs nothing.

        Raises Unavailable (`no_key`) for a party of which neither is known.
        """
        ...

    def remote(self, address: Address) -> str:
        """The party at another node whose account this is, by a trust list; `` if of none."""
        ...

    def custody(self, *, deal: str, title: str) -> Account:
        """The account that holds one title for one deal; always the same one."""
        ...

    def remark_key(self, *, title: str) -> bytes:
        """The 64-byte key that seals a title's remarks; always the same one."""
        ...


@dataclass(frozen=True, slots=True)
class TitleContracts:
    """Creation codes of the unmodified title contracts."""

    factory_code: bytes
    token_code: bytes


class Executor(Protocol):
    """Executes what is written for a chain, and tells what became of it."""

    async def logged(self, event: SignedEvent) -> tuple[str, ...]:
        """Takes note of a transaction that has its leaf; the titles that it moved already."""
        ...

    async def receipt(self, transaction_hash: bytes, *, timeout_s: float) -> Receipt:
        """The receipt of a written transaction. Raises Unavailable after `timeout_s` seconds."""
        ...

    async def moves(self, title: bytes) -> tuple[Receipt, ...]:
        """Receipts of all executed transactions that touched a title, in order."""
        ...

    async def try_out(self, transaction: Transaction, now_s: int = 0) -> None:
        """Raises the Refused that the transaction would meet in today's state.

        now_s: the time, for those that wait for a time lock.
        """
        ...

    async def try_next(self, make: Callable[[Admission], Transaction]) -> None:
        """The same for a transaction made to follow the newest block."""
        ...

    async def is_guard(self, address: Address) -> bool:
        """Whether the published guard contract stands at an address."""
        ...

    async def check_offer(self, transaction: Transaction, *, is_paid_here: bool) -> None:
        """Raises Refused if the chain would not take what was signed elsewhere for its price.

        is_paid_here: the sender gets what it lacks.
        """
        ...

    async def meet(self, sender: Address) -> None:
        """Learns how many transactions of a sender the chain has, and what it asks for gas."""
        ...

    async def prepare(self, sender: Address, gas: int) -> None:
        """Meets a sender and sees to it that its next transaction is paid for."""
        ...

    def fees(self) -> Fees:
        """What a transaction signed now should offer."""
        ...


class LoggedTransactions(Protocol):
    """The chain's transactions that stand in the log, in leaf order."""

    def replay(self, aggregate: str, *, after: int) -> AsyncIterator[SignedEvent]:
        """ChainTransaction events of the chain with version above `after` that have a leaf."""
        ...

    def written(self, aggregate: str, *, after: int) -> AsyncIterator[SignedEvent]:
        """All that are written with version above `after`, with a leaf or without, by version."""
        ...
