"""The ids of payment messages on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zhidao.finance.domain.payments.payment_legs import mark_of
from zhidao.finance.service.ports import Remembered
from zhidao.store.database import Database


class PostgresMessageIndex:
    """Rows of `finance.message`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remember(self, bank: str, other: str, messages: Sequence[Remembered]) -> list[str]:
        """One statement for all; the digest under each id afterwards."""
        columns = {
            "bank": bank,
            "other": other,
            "messages": [one.message for one in messages],
            "definitions": [one.definition for one in messages],
            "digests": [one.digest for one in messages],
            "marks": [_signed(mark_of(one.digest)) for one in messages],
        }
        async with self._database.session() as session:
            await session.execute(
                "INSERT INTO finance.message (bank, other, message, definition, digest, mark)"
                " SELECT %(bank)s, %(other)s, m, f, d, k FROM unnest(%(messages)s::text[],"
                " %(definitions)s::text[], %(digests)s::text[], %(marks)s::bigint[])"
                " AS new (m, f, d, k) ON CONFLICT DO NOTHING",
                columns,
            )
            rows = await session.fetch_all(
                "SELECT message, digest FROM finance.message"
                " WHERE bank = %(bank)s AND other = %(other)s AND message = ANY(%(messages)s)",
                columns,
            )
        held = {str(row["message"]): str(row["digest"]) for row in rows}
        return [held[one.message] for one in messages]

    async def of_message(self, bank: str, other: str, message: str) -> Remembered | None:
        """A message by its id."""
        async with self._database.session() as session:
            row = await session.fetch_one(
                "SELECT message, definition, digest FROM finance.message"
                " WHERE bank = %s AND other = %s AND message = %s",
                (bank, other, message),
            )
        return None if row is None else _remembered(row)

    async def of_marks(self, bank: str, marks: Sequence[int]) -> dict[int, Remembered]:
        """Messages by their marks."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT message, definition, digest FROM finance.message"
                " WHERE bank = %s AND mark = ANY(%s)",
                (bank, list(map(_signed, marks))),
            )
        return {mark_of(one.digest): one for one in map(_remembered, rows)}


def _remembered(row: dict[str, Any]) -> Remembered:
    return Remembered(str(row["message"]), str(row["definition"]), str(row["digest"]))


def _signed(mark: int) -> int:
    """64 bits as PostgreSQL's bigint holds them."""
    return mark - 2**64 if mark >= 2**63 else mark
