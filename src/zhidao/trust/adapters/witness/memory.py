"""A witness's heads in this process: for unit tests and simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zhidao.core.errors import Refused
from zhidao.trust.domain.witness_rule import HeldHead
from zhidao.trust.service.witness.ports import Move


def foreign_state() -> Refused:
    """The refusal of a store that belongs to other keys."""
    return Refused(
        "this witness state belongs to other keys",
        code="foreign_witness_state",
        remedy="start with the keys that it was made with, or in another place",
    )


class MemoryWitnessStore:
    """Implements `WitnessStore`."""

    def __init__(self) -> None:
        self._identity = ""
        self._heads: dict[str, HeldHead] = {}

    async def bind(self, identity: str) -> bool:
        """Ties the store to the keys."""
        fresh = not self._identity
        if not fresh and self._identity != identity:
            raise foreign_state()
        self._identity = identity
        return fresh

    async def held(self) -> Mapping[str, HeldHead]:
        """All heads by origin."""
        return dict(self._heads)

    def items(self) -> Sequence[tuple[str, HeldHead]]:
        """All heads with their origin."""
        return list(self._heads.items())

    def put(self, origin: str, head: HeldHead) -> None:
        """Holds a head whatever stood before: for whoever reads it back from a file."""
        self._heads[origin] = head

    async def advance(self, moves: Sequence[Move]) -> Sequence[bool]:
        """Keeps what still fits."""
        stands = []
        for move in moves:
            held = self._heads.get(move.origin, HeldHead())
            fits = (held.size, held.root) == (move.before.size, move.before.root)
            if fits:
                self._heads[move.origin] = move.after
            stands.append(fits)
        return stands
