"""Two witness stores as one: a database, and a file beside it that no restore turns back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zhidao.trust.domain.witness_rule import HeldHead
from zhidao.trust.service.witness.ports import Move, WitnessStore


class PairedWitnessStore:
    """Implements `WitnessStore`: what either of two stores holds is held.

    After a restore of an older database the file still knows the newer heads, and the witness goes
    on from those; without the file (a standby machine) the database alone decides.
    """

    def __init__(self, database: WitnessStore, beside: WitnessStore) -> None:
        self._database = database
        self._beside = beside

    async def bind(self, identity: str) -> bool:
        """Ties both to the keys; new only if both were."""
        news = [await self._database.bind(identity), await self._beside.bind(identity)]
        return all(news)

    async def held(self) -> Mapping[str, HeldHead]:
        """The larger head of each log, after the smaller store has caught up with it."""
        ours, theirs = await self._database.held(), await self._beside.held()
        newest: dict[str, HeldHead] = {}
        for origin in {*ours, *theirs}:
            pair = [heads.get(origin, HeldHead()) for heads in (ours, theirs)]
            newest[origin] = max(pair, key=lambda head: (head.size, head.at_s))
        for store, heads in ((self._database, ours), (self._beside, theirs)):
            behind = [
                Move(origin, heads.get(origin, HeldHead()), head)
                for origin, head in newest.items()
                if (held := heads.get(origin, HeldHead())).root != head.root
                or held.size != head.size
            ]
            await store.advance(behind)
        return newest

    async def advance(self, moves: Sequence[Move]) -> Sequence[bool]:
        """Durable in both when it returns; the database decides between two processes."""
        stands = await self._database.advance(moves)
        kept = [move for move, fits in zip(moves, stands, strict=True) if fits]
        await self._beside.advance(kept)
        return stands
