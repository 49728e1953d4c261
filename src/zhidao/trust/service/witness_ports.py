"""What a witness asks of the world: heads that stay, and other nodes that answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from zhidao.trust.domain.witness import HeldHead


@dataclass(frozen=True, slots=True)
class Move:
    """A head to hold instead of another one: kept only if `before` still stands."""

    origin: str
    before: HeldHead
    after: HeldHead


class WitnessStore(Protocol):
    """The heads that a witness cosigned, one for each log."""

    async def bind(self, identity: str) -> bool:
        """Ties the store to the witness's keys; True if it was tied to nothing before.

        Raises Refused (`foreign_witness_state`) if it belongs to other keys.
        """
        ...

    async def held(self) -> Mapping[str, HeldHead]:
        """All heads by origin."""
        ...

    async def advance(self, moves: Sequence[Move]) -> Sequence[bool]:
        """Keeps each new head whose `before` (size and root) still stands, each origin once.

        Durable when it returns: only then may a signature leave.
        """
        ...
