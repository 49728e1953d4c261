"""A witness's heads in PostgreSQL: one transaction for all that moves together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from zhidao.store.database import Database
from zhidao.trust.adapters.witness.memory import foreign_state
from zhidao.trust.domain.witness_rule import HeldHead
from zhidao.trust.service.witness.ports import Move

_WITNESS: Final = "own"
_BIND: Final = (
    "insert into trust.witness_identity (witness, identity) values (%s, %s)"
    " on conflict (witness) do nothing"
)
_IDENTITY: Final = "select identity from trust.witness_identity where witness = %s"
_HELD: Final = "select origin, size, root, at_s, note from trust.witness_head"
# A row that is not there stands for the empty log, from which the first head comes.
_ADVANCE: Final = (
    "insert into trust.witness_head as held (origin, size, root, at_s, note)"
    " select origin, size, root, at_s, note from unnest("
    "%(origins)s::text[], %(sizes)s::bigint[], %(roots)s::bytea[], %(times)s::bigint[],"
    " %(notes)s::bytea[], %(old_sizes)s::bigint[], %(old_roots)s::bytea[])"
    " as new (origin, size, root, at_s, note, old_size, old_root)"
    " where old_size = 0 or exists (select from trust.witness_head as before"
    " where before.origin = new.origin and before.size = new.old_size"
    " and before.root = new.old_root)"
    " on conflict (origin) do update set size = excluded.size, root = excluded.root,"
    " at_s = excluded.at_s, note = excluded.note"
    " where (held.size, held.root) in (select o.size, o.root from unnest("
    "%(origins)s::text[], %(old_sizes)s::bigint[], %(old_roots)s::bytea[])"
    " as o (origin, size, root) where o.origin = held.origin)"
    " returning origin"
)


class PostgresWitnessStore:
    """Implements `WitnessStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def bind(self, identity: str) -> bool:
        """Ties the tables to the keys."""
        async with self._database.session() as session:
            made = await session.execute(_BIND, (_WITNESS, identity))
            row = await session.fetch_one(_IDENTITY, (_WITNESS,))
        if row is None or row["identity"] != identity:
            raise foreign_state()
        return made == 1

    async def held(self) -> Mapping[str, HeldHead]:
        """All heads by origin."""
        async with self._database.session() as session:
            rows = await session.fetch_all(_HELD)
        return {
            row["origin"]: HeldHead(
                int(row["size"]), bytes(row["root"]), int(row["at_s"]), bytes(row["note"])
            )
            for row in rows
        }

    async def advance(self, moves: Sequence[Move]) -> Sequence[bool]:
        """Keeps what still fits, in one commit."""
        if not moves:
            return []
        # In one order everywhere, so that two processes of one witness cannot lock crosswise.
        ordered = sorted(moves, key=lambda move: move.origin)
        async with self._database.session() as session:
            rows = await session.fetch_all(
                _ADVANCE,
                {
                    "origins": [move.origin for move in ordered],
                    "sizes": [move.after.size for move in ordered],
                    "roots": [move.after.root for move in ordered],
                    "times": [move.after.at_s for move in ordered],
                    "notes": [move.after.note for move in ordered],
                    "old_sizes": [move.before.size for move in ordered],
                    "old_roots": [move.before.root for move in ordered],
                },
            )
        stands = {row["origin"] for row in rows}
        return [move.origin in stands for move in moves]
