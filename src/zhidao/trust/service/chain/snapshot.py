"""A chain's state at a height, kept so that a restart replays the last transactions only.

A snapshot is a convenience, never a truth: it counts only if its last transaction is the one that
stands at that place in the log, and whatever is wrong with it leads to a replay of everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from zhidao.trust.domain.evm import Address, Block, FlatState, StateChanges
from zhidao.trust.domain.title_state import TitleState
from zhidao.trust.service.chain.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Entry:
    """A receipt, and the title for which its transaction was logged (`` for none)."""

    receipt: Receipt
    title: str


@dataclass(frozen=True, slots=True)
class Head:
    """Everything but the receipts: machine state, senders' counts, titles as they stand."""

    chain_id: int
    block: Block
    state: FlatState
    counts: Mapping[Address, int]
    titles: Sequence[TitleState]


class Snapshots(Protocol):
    """Keeps a head, all receipts, and what changed since the head."""

    def load(self, chain_id: int) -> tuple[Head, list[Entry]] | None:
        """What was kept, if it is whole and of this chain; receipts from block 1 on."""
        ...

    def save(self, fresh: Sequence[Entry], changes: StateChanges, head: Callable[[], Head]) -> None:
        """Adds the receipts since the last save, and what changed with them; durable at return.

        head: gives the whole state, which is kept now and then. A save that failed is made good by
        the next one, which brings its receipts again.
        """
        ...

    def discard(self) -> None:
        """Forgets everything: it does not belong to the log that stands."""
        ...


class NoSnapshots:
    """Implements `Snapshots` by keeping nothing."""

    def load(self, chain_id: int) -> tuple[Head, list[Entry]] | None:
        """Nothing."""
        del chain_id
        return None

    def save(self, fresh: Sequence[Entry], changes: StateChanges, head: Callable[[], Head]) -> None:
        """Keeps nothing."""

    def discard(self) -> None:
        """There is nothing."""
