"""Builds what who runs the node looks at: settings, jobs, certificates, backups, growth."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from litestar import Router

from zhidao.core.errors import NotFound
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.devices.adapters.positions import ROW, TABLE
from zhidao.node.adapters.archived_days import ArchivedDays, LoggedDays
from zhidao.node.adapters.drill_records import DrillRecords
from zhidao.node.adapters.operation_records import PostgresOperationRecords
from zhidao.node.adapters.tls.authority import read_authority
from zhidao.node.adapters.tls.certificate import described
from zhidao.node.api import operations as api
from zhidao.node.api.trust import authority as authority_api
from zhidao.node.events import Administered, DeadLetter, DrillDone
from zhidao.node.leases.ports import Leases
from zhidao.node.operations.alarms import Alarms
from zhidao.node.operations.backup import newest_backup_at
from zhidao.node.operations.certificate_watch import CertificateWatch, Ending
from zhidao.node.operations.drill_watch import SHOWN, DrillWatch
from zhidao.node.operations.growth import Growth
from zhidao.node.operations.health import LogState
from zhidao.node.operations.partition_watch import PartitionWatch
from zhidao.node.operations.retention import POSITIONS_KEPT, Retention, Rule
from zhidao.node.runtime.jobs import Job, JobBook
from zhidao.node.runtime.runtime_context import RuntimeContext
from zhidao.node.security.administration import PREFIX, Act
from zhidao.node.wiring.operations.shown import ShownSettings
from zhidao.store.families import by_table
from zhidao.store.families.partitions import AHEAD_DAYS_LEAST, days_ahead, make_ahead, tighten
from zhidao.store.journal import PostgresJournal
from zhidao.store.reading import Stored

_PAGE: Final = 200


class Acts(Protocol):
    """Acts of administration, oldest first, after the act of that id."""

    async def __call__(self, *, viewer: PartyId | None, after: str, limit: int) -> list[Stored]:
        """See `PostgresActs.read`."""
        ...


@dataclass(frozen=True, slots=True)
class BuiltOperations:
    """Routes and work of what is looked at."""

    router: Router
    jobs: Sequence[Job]


class DayPartitions:
    """Implements `node.operations.partition_watch.Partitions` by the node's database and clock."""

    def __init__(self, context: RuntimeContext) -> None:
        self._context = context

    async def make_ahead(self) -> int:
        """See the port."""
        return await make_ahead(self._context.database, self._context.clock.now())

    async def tighten(self) -> int:
        """See the port."""
        return await tighten(self._context.database, self._context.clock.now())

    async def days_ahead(self) -> int:
        """See the port."""
        return await days_ahead(self._context.database, self._context.clock.now())


def build(
    context: RuntimeContext,
    shown: ShownSettings,
    book: JobBook,
    *,
    acts: Acts,
    free_bytes: Callable[[], int],
    leaves: Callable[[], Awaitable[LogState]],
    alarms: Alarms,
    positions: Rule = POSITIONS_KEPT,
    drill_days: int = 0,
    leases: Leases | None = None,
) -> BuiltOperations:
    """`acts`: of administration; `leaves`: the log's state; `leases`: of its processes.

    `drill_days`: so recent the newest drill of a backup must be; 0: nobody is asked for one.
    """
    records = PostgresOperationRecords(context.database)

    async def size() -> int:
        try:
            return (await leaves()).size
        except NotFound:
            # A new log has signed no head yet.
            return 0

    async def letters(limit: int) -> list[DeadLetter]:
        return await records.dead_letters(limit=limit)

    async def endings() -> list[Ending]:
        return [
            Ending(names=each.names, ends_at=each.ends_at, days_left=each.days_left, own=each.own)
            for each in await _certificates(context, shown)
        ]

    drills = DrillRecords(
        context.database,
        PostgresJournal(context.database, "node", context.wake_relay),
        context.scribe,
    )
    drilled = DrillWatch(
        drills, lambda: newest_backup_at(context.data), alarms, context.clock, days=drill_days
    )
    growth = Growth(records, free_bytes, size, context.clock)
    return BuiltOperations(
        api.routes(
            settings=lambda: shown_settings(shown),
            jobs=book.states,
            certificates=lambda: _certificates(context, shown),
            backups=lambda: _backups(context, acts),
            drills=lambda: _drills(drills),
            letters=letters,
            growth=growth,
            roles=lambda: _roles(leases),
        ),
        [
            Job("growth", growth.run),
            Job("drills", drilled.run),
            Job("certificates", CertificateWatch(endings, alarms).run),
            Job(
                "partitions",
                PartitionWatch(DayPartitions(context), alarms, AHEAD_DAYS_LEAST).run,
            ),
            Job("retention", _retention(context, positions, alarms).run),
        ],
    )


def _retention(context: RuntimeContext, rule: Rule, alarms: Alarms) -> Retention:
    """Of days of positions: what terminals sent stays in its frames, whatever becomes of them."""
    journal = PostgresJournal(context.database, "node", context.wake_relay)
    return Retention(
        rule,
        ArchivedDays(context.database, by_table()[TABLE], ROW, context.data / "archive"),
        LoggedDays(context.database, journal, context.scribe),
        alarms,
        context.clock,
    )


async def _roles(leases: Leases | None) -> api.RolesView:
    if leases is None:
        return api.RolesView(processes=[], leases=[])
    return api.RolesView(
        processes=[
            api.ProcessView(
                name=each.holder,
                roles=each.roles.split(","),
                url=each.url,
                started_at=each.started,
                seen_s=max(0, round(each.age_s)),
            )
            for each in await leases.members()
        ],
        leases=[
            api.LeaseView(
                role=each.role,
                holder=each.holder,
                epoch=each.epoch,
                since=each.since,
                vacant=not each.holder or each.over_s > 0,
            )
            for each in await leases.look()
        ],
    )


def shown_settings(shown: ShownSettings) -> list[api.SettingView]:
    """Every setting as it may be looked at."""
    return [
        api.SettingView(
            name=each.setting.name, value=each.shown, source=each.source, text=each.setting.text
        )
        for each in shown.values
    ]


async def _certificates(context: RuntimeContext, shown: ShownSettings) -> list[api.CertificateView]:
    if shown.certificate is None:
        return []
    file, own = shown.certificate
    told = await asyncio.to_thread(described, file, context.clock.now().to_datetime())
    return [
        api.CertificateView(
            purpose="tls",
            names=told.names,
            issuer=told.issuer,
            fingerprint=told.fingerprint,
            begins_at=told.begins_at,
            ends_at=told.ends_at,
            days_left=told.days_left,
            own=own,
        )
    ]


async def told_authority(shown: ShownSettings) -> tuple[authority_api.AuthorityView, bytes]:
    """The authority beside the node's own certificate, and its certificate as DER."""
    file, own = shown.certificate or (None, False)
    found = await asyncio.to_thread(read_authority, file.parent) if file and own else None
    if found is None:
        return authority_api.AuthorityView(made=False), b""
    ends = Utc.from_datetime(found.certificate.not_valid_after_utc)
    view = authority_api.AuthorityView(
        made=True, names=list(found.names), fingerprint=found.fingerprint, ends_at=str(ends)
    )
    return view, found.der


async def _backups(context: RuntimeContext, acts: Acts) -> list[api.BackupView]:
    """Newest first. Acts are few: each is something that a person did."""
    found: list[api.BackupView] = []
    after = ""
    while page := await acts(viewer=context.node, after=after, limit=_PAGE):
        for stored in page:
            fact = Administered.of(stored.event)
            if fact.act == Act.BACKUP_BEGUN:
                number = fact.values.get("number", "")
                found.append(
                    api.BackupView(
                        number=int(number) if number.isdecimal() else 0,
                        file=fact.subject,
                        sealed=fact.values.get("sealed") == "yes",
                        at=str(stored.event.occurred_at),
                    )
                )
        after = page[-1].event.aggregate.removeprefix(PREFIX)
    return found[::-1]


async def _drills(drills: DrillRecords) -> list[api.DrillView]:
    return [_drill(stored) for stored in await drills.newest(SHOWN)]


def _drill(stored: Stored) -> api.DrillView:
    fact = DrillDone.of(stored.event)
    return api.DrillView(
        id=str(stored.event.id),
        at=str(stored.event.occurred_at),
        leaf=stored.leaf_index,
        backup=fact.backup,
        made_at=fact.made_at,
        sha256=fact.sha256,
        rows=fact.rows,
        log_size=fact.log_size,
        ledgers=fact.ledgers,
        transfers=fact.transfers,
        holds=not fact.wrong,
        wrong=fact.wrong,
        lost_s=fact.lost_s,
        lost_leaves=fact.lost_leaves,
        restored_ms=fact.restored_ms,
        ready_ms=fact.ready_ms,
    )
