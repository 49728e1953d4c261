"""Where a transfer's record stands, from the ids that the ledger's batches wrote."""

from __future__ import annotations

from zhidao.finance.domain.ledger.records import Name, uuid_of
from zhidao.store.database import Database


class PostgresTransferPlaces:
    """Finds a stored transfer by its id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def place(self, shard: str, name: Name) -> tuple[int, int] | None:
        """Batch number and place within the batch; None for an id that only failed."""
        async with self._database.session() as session:
            # Failed ids have places behind the records of their batch.
            row = await session.fetch_one(
                "SELECT t.batch, t.place FROM finance.transfer_id t JOIN finance.records r"
                " ON r.shard = t.shard AND r.batch = t.batch"
                " WHERE t.shard = %s AND t.id = %s AND t.place < length(r.data) / 128",
                (shard, uuid_of(name)),
            )
        return None if row is None else (int(row["batch"]), int(row["place"]))
