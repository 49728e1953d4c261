"""Where links of invitations are kept: in memory, and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from zhidao.core.timescale import Utc
from zhidao.exchange.service.peer_invitations import KeptLink, LinkState
from zhidao.store.database import Database

_LISTED: Final = 100


class MemoryLinks:
    """Implements `service.peer_invitations.Links` for tests."""

    def __init__(self) -> None:
        self._kept: dict[bytes, KeptLink] = {}

    async def add(self, link: KeptLink) -> None:
        """Keeps a new link."""
        self._kept[link.secret_hash] = link

    async def link(self, secret_hash: bytes) -> KeptLink | None:
        """The link of that secret."""
        return self._kept.get(secret_hash)

    async def every(self) -> Sequence[KeptLink]:
        """The latest links."""
        kept = sorted(self._kept.values(), key=lambda each: each.expires_at.tai_ns, reverse=True)
        return kept[:_LISTED]

    async def end(self, secret_hash: bytes, state: LinkState, taken: bytes = b"") -> bool:
        """Ends an open link; see the port."""
        found = self._kept.get(secret_hash)
        if found is None or found.state is not LinkState.OPEN:
            return False
        self._kept[secret_hash] = replace(found, state=state, taken=taken)
        return True

    async def forget(self, before: Utc) -> None:
        """Forgets links that ran out before this."""
        self._kept = {
            name: link
            for name, link in self._kept.items()
            if link.expires_at.tai_ns >= before.tai_ns
        }


class PostgresLinks:
    """Implements `service.peer_invitations.Links`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, link: KeptLink) -> None:
        """Keeps a new link."""
        async with self._database.session() as session:
            await session.execute(
                "insert into exchange.invitation (secret_hash, state, expires_tai_ns, taken)"
                " values (%s, %s, %s, %s)",
                (link.secret_hash, link.state.value, link.expires_at.tai_ns, link.taken),
            )

    async def link(self, secret_hash: bytes) -> KeptLink | None:
        """The link of that secret."""
        async with self._database.session() as session:
            row = await session.fetch_one(
                "select * from exchange.invitation where secret_hash = %s", (secret_hash,)
            )
        return None if row is None else _link(row)

    async def every(self) -> Sequence[KeptLink]:
        """The latest links."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "select * from exchange.invitation order by expires_tai_ns desc limit %s",
                (_LISTED,),
            )
        return [_link(row) for row in rows]

    async def end(self, secret_hash: bytes, state: LinkState, taken: bytes = b"") -> bool:
        """Ends an open link; see the port."""
        async with self._database.session() as session:
            ended = await session.execute(
                "update exchange.invitation set state = %s, taken = %s"
                " where secret_hash = %s and state = 'open'",
                (state.value, taken, secret_hash),
            )
        return bool(ended)

    async def forget(self, before: Utc) -> None:
        """Forgets links that ran out before this."""
        async with self._database.session() as session:
            await session.execute(
                "delete from exchange.invitation where expires_tai_ns < %s", (before.tai_ns,)
            )


def _link(row: dict[str, Any]) -> KeptLink:
    return KeptLink(
        bytes(row["secret_hash"]),
        Utc(row["expires_tai_ns"]),
        LinkState(row["state"]),
        bytes(row["taken"]),
    )
