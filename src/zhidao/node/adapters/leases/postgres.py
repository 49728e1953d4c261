"""Leases and processes of a node in PostgreSQL, by its own clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from zhidao.core.errors import Unavailable
from zhidao.node.leases.lease import LEASE_S, Grant, Lease, Mark
from zhidao.node.leases.ports import Member
from zhidao.store.database import Database, Session
from zhidao.store.fence import Fence

# A takeover that waits longer than that for a writer's transaction cuts the writer off.
_WAIT_MS: Final = 300
_ALIVE_S: Final = 60
# What every writer asks: the roles of one process stand and fall together, and each fact is logged.
_FENCE_ROLE: Final = "log"
_LOOK: Final = (
    "select role, holder, epoch, renewals,"
    " extract(epoch from clock_timestamp() - until)::float8 as over_s,"
    " to_char(since at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as since"
    " from node.lease where node_id = %(node)s and shard = '' order by role"
)
_MAKE: Final = (
    "insert into node.lease (node_id, role, shard, holder, epoch, renewals, since, until)"
    " select %(node)s, role, '', '', 0, 0, clock_timestamp(), clock_timestamp()"
    " from unnest(%(roles)b::text[]) as new (role) on conflict do nothing"
)
# The one lock that waits for writers (they hold the key's share lock, as a foreign key does),
# while renewals and writers never wait for each other.
_LOCK: Final = (
    "select role, holder, epoch, renewals from node.lease"
    " where node_id = %(node)s and shard = '' and role = any (%(roles)b::text[])"
    " order by role for update"
)
# Beyond every epoch that there was, also where the row was lost or came out of an old backup.
_TAKE: Final = (
    "update node.lease set holder = %(holder)s, epoch = %(epoch)s, renewals = 0,"
    " since = clock_timestamp(), until = clock_timestamp() + make_interval(secs => %(seconds)s)"
    " where node_id = %(node)s and shard = '' and role = any (%(roles)b::text[])"
)
_NOW_S: Final = "select extract(epoch from clock_timestamp())::bigint as now_s"
_CLOCK: Final = "select extract(epoch from clock_timestamp())::float8 as now_s"
_RENEW: Final = (
    "update node.lease set renewals = renewals + 1,"
    " until = clock_timestamp() + make_interval(secs => %(seconds)s)"
    " where node_id = %(node)s and shard = '' and role = any (%(roles)b::text[])"
    " and holder = %(holder)s and epoch = %(epoch)s"
)
_RELEASE: Final = (
    "update node.lease set holder = '', until = clock_timestamp()"
    " where node_id = %(node)s and role = any (%(roles)b::text[])"
    " and holder = %(holder)s and epoch = %(epoch)s"
)
_CUT_OFF: Final = (
    "select pg_terminate_backend(pid) as ended from pg_stat_activity"
    " where application_name = %s and usename = current_user and datname = current_database()"
    " and pid <> pg_backend_pid()"
)
_TELL: Final = (
    "insert into node.process as old"
    " (node_id, holder, roles, url, certificate, pass, started_at, seen_at)"
    " values (%(node)s, %(holder)s, %(roles)s, %(url)s, %(certificate)s, %(password)s,"
    " clock_timestamp(), clock_timestamp())"
    " on conflict (node_id, holder) do update set roles = excluded.roles, url = excluded.url,"
    " certificate = excluded.certificate, seen_at = excluded.seen_at, started_at = case"
    " when old.pass = excluded.pass then old.started_at else excluded.started_at end,"
    " pass = excluded.pass"
)
_MEMBERS: Final = (
    "select holder, roles, url, certificate, pass,"
    " extract(epoch from clock_timestamp() - seen_at)::float8 as age_s,"
    " to_char(started_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as started"
    " from node.process where node_id = %(node)s"
    " and seen_at > clock_timestamp() - make_interval(secs => %(alive)s) order by holder"
)
_LEAVE: Final = "delete from node.process where node_id = %(node)s and holder = %(holder)s"


def connection_name(holder: str) -> str:
    """Under which name the server shows a process's connections (63 bytes at most)."""
    return f"zhidao {holder}"[:63]


def fence_of(node: str, grant: Grant) -> Fence:
    """What a transaction of the holder asks, and holds until its end."""
    return Fence(
        "exists (select 1 from node.lease where node_id = %(fence_node)s::text"
        " and role = %(fence_role)s::text and shard = '' and epoch = %(fence_epoch)s::bigint"
        " and holder = %(fence_holder)s::text for key share)",
        {
            "fence_node": node,
            "fence_role": _FENCE_ROLE,
            "fence_epoch": grant.epoch,
            "fence_holder": grant.holder,
        },
    )


class PostgresLeases:
    """Leases in the schema `node`. The database is one of its own: a busy pool loses no lease."""

    def __init__(self, database: Database, node: str) -> None:
        self._database = database
        self._node = node

    async def look(self) -> tuple[Lease, ...]:
        """See the port."""
        rows = await self._database.read(_LOOK, {"node": self._node})
        return tuple(Lease(**row) for row in rows)

    async def now_s(self) -> float:
        """See the port."""
        rows = await self._database.read(_CLOCK, {})
        return float(rows[0]["now_s"])

    async def take(
        self, roles: Sequence[str], holder: str, stood: Mapping[str, Mark]
    ) -> Grant | None:
        """See the port."""
        try:
            return await self._take(roles, holder, stood)
        except Unavailable:
            # A writer that was stopped inside a transaction holds its lock for as long as it is.
            for former in sorted({mark[0] for mark in stood.values()} - {""}):
                await self.cut_off(former)
            return await self._take(roles, holder, stood)

    async def _take(
        self, roles: Sequence[str], holder: str, stood: Mapping[str, Mark]
    ) -> Grant | None:
        about = {"node": self._node, "roles": sorted(roles), "holder": holder}
        async with self._database.session() as session:
            await session.execute(f"set local lock_timeout = {_WAIT_MS}")
            await session.execute(_MAKE, about)
            rows = await session.fetch_all(_LOCK, about)
            found = {row["role"]: (row["holder"], row["epoch"], row["renewals"]) for row in rows}
            if any(found[role] != stood.get(role, ("", 0, 0)) for role in roles):
                return None
            highest = max(epoch for _, epoch, _ in found.values())
            epoch = max(highest + 1, await _now_s(session))
            await session.execute(_TAKE, about | {"epoch": epoch, "seconds": LEASE_S})
        return Grant(holder, epoch, tuple(sorted(roles)))

    async def renew(self, grant: Grant) -> bool:
        """See the port."""
        async with self._database.session() as session:
            # A renewal that a crash forgets is one that did not happen; none waits for the disk.
            await session.execute("set local synchronous_commit = off")
            renewed = await session.execute(_RENEW, self._of(grant) | {"seconds": LEASE_S})
        return renewed == len(grant.roles)

    async def release(self, grant: Grant) -> None:
        """See the port."""
        async with self._database.session() as session:
            await session.execute(_RELEASE, self._of(grant))

    async def cut_off(self, holder: str) -> None:
        """See the port."""
        async with self._database.session() as session:
            await session.fetch_all(_CUT_OFF, (connection_name(holder),))

    async def tell(self, member: Member) -> None:
        """See the port."""
        async with self._database.session() as session:
            await session.execute("set local synchronous_commit = off")
            await session.execute(
                _TELL,
                {
                    "node": self._node,
                    "holder": member.holder,
                    "roles": member.roles,
                    "url": member.url,
                    "certificate": member.certificate,
                    "password": member.password,
                },
            )

    async def members(self) -> tuple[Member, ...]:
        """See the port."""
        rows = await self._database.read(_MEMBERS, {"node": self._node, "alive": _ALIVE_S})
        return tuple(Member(**row | {"password": row.pop("pass")}) for row in rows)

    async def leave(self, holder: str) -> None:
        """See the port."""
        async with self._database.session() as session:
            await session.execute(_LEAVE, {"node": self._node, "holder": holder})

    def _of(self, grant: Grant) -> dict[str, object]:
        return {
            "node": self._node,
            "roles": list(grant.roles),
            "holder": grant.holder,
            "epoch": grant.epoch,
        }


async def _now_s(session: Session) -> int:
    row = await session.fetch_one(_NOW_S)
    assert row is not None, "a select without a table gives a row"
    return int(row["now_s"])
