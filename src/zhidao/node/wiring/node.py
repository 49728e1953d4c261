"""Builds a whole node: the runtime context first, then the rooms from below, then API and jobs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from litestar.types import ASGIApp

from zhidao.bus.nats import NatsBus
from zhidao.core.errors import ZhidaoError
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import Records, Scribe
from zhidao.core.judging import Judges
from zhidao.core.keys import Algorithm
from zhidao.core.quota import LeafQuota
from zhidao.finance.adapters.postgres_names import PostgresNameIndex
from zhidao.finance.service.control.party_references import OWNERS_MAX
from zhidao.node.adapters.ambient import SystemClock, SystemRandomness
from zhidao.node.adapters.availability.copies import DatabaseCopies
from zhidao.node.adapters.availability.own_etcd import OwnEtcd
from zhidao.node.adapters.keys.files import KeyFiles, PartyRing
from zhidao.node.adapters.keys.known import adopt, in_folder, party_records
from zhidao.node.adapters.postgres import (
    PostgresDeadLetters,
    PostgresRelated,
    PostgresStoredEvents,
)
from zhidao.node.api import asyncapi
from zhidao.node.api import clock as clock_api
from zhidao.node.api import health as health_api
from zhidao.node.api import party_statements as statements_api
from zhidao.node.api import worklist as worklist_api
from zhidao.node.api.application import application
from zhidao.node.api.trust import authority as authority_api
from zhidao.node.http.authentication import Authenticator
from zhidao.node.identity.access_log import Readings
from zhidao.node.identity.organisation import Organisation
from zhidao.node.identity.own_keys import (
    first_key,
    meeting_key,
    recording_keys,
    refuse_no_files,
    revoked_keys,
)
from zhidao.node.identity.party_statements import Statements
from zhidao.node.leases.roles import ROLES
from zhidao.node.operations.alarms import Alarms
from zhidao.node.operations.backup import newest_backup_at
from zhidao.node.operations.checkup_clock import machine_time
from zhidao.node.operations.clock_watch import ClockWatch
from zhidao.node.operations.database_clock import DatabaseClock
from zhidao.node.operations.health import Health
from zhidao.node.operations.loop_watch import LoopWatch, Stall, tell
from zhidao.node.operations.metrics import Metrics
from zhidao.node.operations.replication_watch import ReplicationWatch
from zhidao.node.operations.signing_permit import SigningPermit
from zhidao.node.operations.takeover_watch import TakeoverWatch
from zhidao.node.operations.write_gate import WriteGate
from zhidao.node.operations.write_probe import WriteProbe
from zhidao.node.runtime.consumers import run_consumer
from zhidao.node.runtime.jobs import Job, JobBook
from zhidao.node.runtime.relay import Relay, Watch
from zhidao.node.runtime.runtime_context import Consumer, Room, RuntimeContext
from zhidao.node.runtime.workers import Workers
from zhidao.node.security.gate import Gate
from zhidao.node.security.known_keys import LACKING_REMEDY, compare, named, without_keys
from zhidao.node.security.standing import OpenPages
from zhidao.node.web import help as help_pages
from zhidao.node.web import pages
from zhidao.node.wiring import rooms
from zhidao.node.wiring.entrance import Entrance, build_entrance
from zhidao.node.wiring.notifications.channels import build as build_notifications
from zhidao.node.wiring.operations.node_records import build as build_operations
from zhidao.node.wiring.operations.node_records import told_authority
from zhidao.node.wiring.operations.own_process import Hold
from zhidao.node.wiring.settings import Settings
from zhidao.node.worklist.service import Worklists
from zhidao.node.worklist.sources import agreements
from zhidao.store import outbox
from zhidao.store.archive import PostgresArchive
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import migrate
from zhidao.store.space import SpaceWatch


class Node:
    """A built node: its application, its gate, its alarms, and the jobs that make it live."""

    def __init__(
        self,
        *,
        app: ASGIApp,
        gate: Gate,
        entrance: Entrance,
        jobs: Sequence[Job],
        devices_address: Callable[[], str],
        context: RuntimeContext,
        alarms: Alarms,
        job_book: JobBook,
        drain: Callable[[], Awaitable[None]],
        open_pages: Sequence[OpenPages],
    ) -> None:
        self.app = app
        self.gate = gate
        self.entrance = entrance
        self.alarms = alarms
        self.job_book = job_book
        self.devices_address = devices_address
        self._jobs = jobs
        self._context = context
        self._drain = drain
        self._open_pages = open_pages

    def jobs(self) -> Sequence[Job]:
        """Work that runs until cancelled, and may be started again when it fails."""
        return self._jobs

    def close_pages(self) -> None:
        """Ends the streams of events that are open."""
        for each in self._open_pages:
            each.close(each.holders())

    async def close(self) -> None:
        """Moves what was written into log and bus and lets go of both; the jobs have ended."""
        with contextlib.suppress(ZhidaoError):
            await self.gate.failed.write(everything=True)
        await self._drain()
        await self._context.bus.close()
        await self._context.database.close()


async def build_node(
    settings: Settings, workers: Executor, judges: Workers, hold: Hold | None = None
) -> Node:
    """Opens database and bus, brings the schema up to date, and builds every room.

    hold: the leases under which it writes; None where nobody else can.
    """
    metrics = Metrics()
    keys = KeyFiles(settings.data / "keys", settings.passphrase, SystemRandomness())
    space = SpaceWatch(settings.data, settings.disk_reserve_bytes)
    loose = _LooseEnds()
    database = await _database(settings, space, loose, hold)
    context = await _context(settings, workers, judges, keys, loose, database)
    clock, randomness = context.clock, context.randomness
    journal = PostgresJournal(database, "node", context.wake_relay)
    entrance = build_entrance(context, keys, journal, settings.provider)
    gate, parties = entrance.gate, entrance.parties
    organisation = Organisation(
        Records(journal, context.scribe), settings.data, settings.organisation
    )
    await organisation.load()
    alarms = Alarms()
    parties.lacking = loose.lacking
    _alarm_of_keys(alarms, loose.lacking)
    built = await rooms.build(
        *(context, settings, keys, parties, organisation, alarms),
        *(entrance.administration, entrance.callers),
    )
    built.watch.alarm_by(
        lambda sentence, proof: alarms.sound(
            "fraud_proven",
            sentence,
            "look at the proof in the data folder's fraud/: zhidao fraud verify FILE",
            args={"log": proof.origin},
        )
    )
    built.titles_watch.alarm_by(
        lambda double: alarms.sound(
            "double_title",
            f"one bill has two titles: {double.first.title} in registry {double.first.registry}"
            f" and {double.second.title} in {double.second.registry}",
            "pay against neither; ask the carrier, and show both leaves to whoever decides",
            args={"first": double.first.title, "second": double.second.title},
        )
    )
    relay = Relay(
        database, built.log, context.bus, Watch(alarms, loose.permit, metrics, context.logged)
    )
    loose.wake = relay.wake
    loose.permit.recovering = lambda: built.log.recovering
    watch = ClockWatch(machine_time(), alarms)
    loose.permit.clock = watch.wrong
    if hold is not None:
        loose.permit.unsure, loose.permit.on_lost = hold.unsure, hold.give_up
    copies = ReplicationWatch(
        DatabaseCopies(database).now,
        context.bus.lacking,
        alarms,
        wanted=settings.standbys,
        strict=settings.strict,
    )
    loose.permit.copies = copies.stopped
    dead = PostgresDeadLetters(database)
    probe = WriteProbe(database)
    await probe.write()
    health = Health(
        probes={
            "database": _probe(database.ready, "PostgreSQL"),
            "bus": _probe(context.bus.ready, "NATS"),
            "devices": built.devices_probe,
        },
        log=built.log_state,
        recovering=lambda: built.log.recovering,
        dead_letters=dead.count,
        space=space,
        clock=clock,
        metrics=metrics,
        alarms=alarms,
        waiting=_waiting(database),
        writes=probe.asked,
        stopped=lambda: loose.permit.stopped,
        ledgers=built.ledgers,
        backup_at=lambda: newest_backup_at(space.folder),
        scenario=settings.scenario,
    )
    told = build_notifications(
        context,
        settings.notifications,
        keys,
        page=settings.url,
        organisation=lambda: organisation.name,
        work=[*built.work, agreements(entrance.people, entrance.tokens)],
        persons=entrance.callers.persons,
        alarms=health.alarms,
    )
    job_book = JobBook(clock)
    looked = build_operations(
        context,
        settings.shown,
        job_book,
        acts=entrance.acts.read,
        free_bytes=space.free_bytes,
        leaves=built.log_state,
        alarms=alarms,
        positions=settings.positions,
        drill_days=settings.drill_days,
        leases=hold.leases if hold else None,
    )
    app = application(
        [
            *[router for room in built.rooms for router in room.routers],
            *entrance.routers(organisation, demo=settings.demo),
            worklist_api.routes(
                Worklists([*built.work, agreements(entrance.people, entrance.tokens)])
            ),
            *told.routers,
            looked.router,
            health_api.routes(
                health, metrics, settings.scenario, hold.roles if hold else frozenset(ROLES)
            ),
            clock_api.routes(watch, entrance.administration),
            asyncapi.routes(),
            authority_api.routes(lambda: told_authority(settings.shown)),
            statements_api.routes(Statements(journal, context.scribe, gate.has_key)),
            *pages.routes(),
            *help_pages.routes(),
        ],
        authenticator=Authenticator(
            gate,
            Readings(
                journal,
                context.scribe,
                subjects=PostgresRelated(database),
                histories=PostgresStoredEvents(database),
                parties=parties.names,
                owners=partial(PostgresNameIndex(database).owners, limit=OWNERS_MAX),
                clock=clock,
            ),
            built.peers,
        ),
        metrics=metrics,
        randomness=randomness,
        body_bytes_max=settings.body_bytes_max,
        requests_per_second=settings.requests_per_second,
        refusals_per_second=settings.refusals_per_second,
        workers=judges,
        proxies=settings.proxies,
        writes=WriteGate(space.is_low, loose.permit, time.monotonic),
        transfers=built.transfers,
        hosts=settings.hosts,
        idempotency=entrance.idempotency,
        must_be_known=parties.must_be_known,
    )
    loose.serving = True
    return Node(
        app=app,
        gate=gate,
        entrance=entrance,
        jobs=[
            Job("write probe", probe.run),
            Job("clock watch", watch.run),
            Job("copies", copies.run),
            *_takeover(settings, alarms),
            *(
                [Job("database clock", DatabaseClock(hold.leases.now_s, clock, alarms).run)]
                if hold
                else []
            ),
            *_jobs(built.rooms, relay, context, dead, metrics),
            entrance.job(),
            *told.jobs,
            *looked.jobs,
            Job("standing", partial(entrance.standing.run, built.open_pages)),
        ],
        devices_address=built.devices_address,
        context=context,
        alarms=alarms,
        job_book=job_book,
        drain=relay.drain,
        open_pages=built.open_pages,
    )


@dataclass(slots=True)
class _LooseEnds:
    """What the context needs of parts built on it: ends tied when those stand."""

    permit: SigningPermit = field(default_factory=SigningPermit)
    serving: bool = False
    # Parties that lack keys, and which.
    lacking: Mapping[PartyId, str] = field(default_factory=dict)
    wake: Callable[[], None] = lambda: None

    def wake_relay(self) -> None:
        self.wake()


async def _context(
    settings: Settings,
    workers: Executor,
    judges: Judges,
    keys: KeyFiles,
    loose: _LooseEnds,
    database: Database,
) -> RuntimeContext:
    clock, randomness = SystemClock(), SystemRandomness()
    source = settings.own_keys(keys)
    try:
        await migrate(database)
        await refuse_no_files(database, keys.names(), settings.data / "keys")
        node_key = await first_key(database, source)
        loose.lacking = await _lacking(database, settings.data / "keys")
        recording, recorded = await recording_keys(database, source, settings.name)
        revoked = await revoked_keys(database, settings.name)
        bus = await NatsBus.connect(
            settings.bus_url,
            prefix=settings.bus_prefix,
            owner=f"{settings.name} {node_key.public.fingerprint}",
            replicas=settings.bus_replicas,
            authority=settings.bus_authority,
        )
    except BaseException:
        await database.close()
        raise
    ids = IdSource(clock, randomness)
    quota = LeafQuota(settings.leaves_per_party_hour, clock)
    ring = PartyRing(keys, Algorithm.ED25519, loose.lacking)
    return RuntimeContext(
        database=database,
        bus=bus,
        archive=PostgresArchive(database),
        scribe=Scribe(
            node=settings.name,
            key=recording,
            ring=ring,
            clock=clock,
            ids=ids,
            randomness=randomness,
            permit=loose.permit.check,
            quota=quota,
        ),
        node=settings.name,
        node_key=node_key,
        own_keys=source,
        recording_keys=tuple(key.public for key in recorded),
        revoked_keys=revoked,
        present_key=recording,
        oldest_key=meeting_key(recorded, revoked),
        ring=ring,
        chain_ring=PartyRing(keys, Algorithm.SECP256K1, loose.lacking),
        clock=clock,
        scenario_clock=settings.scenario or clock,
        ids=ids,
        randomness=randomness,
        workers=workers,
        judges=judges,
        quota=quota,
        data=settings.data,
        wake_relay=loose.wake_relay,
        demo=settings.demo,
    )


async def _lacking(database: Database, folder: Path) -> Mapping[PartyId, str]:
    """Parties at home here whose keys are lost. Raises Refused for a key that is another's."""
    records, held = await party_records(database), in_folder(folder)
    lacking = without_keys(compare(records, held))
    await adopt(database, records, held)
    return lacking


def _alarm_of_keys(alarms: Alarms, lacking: Mapping[PartyId, str]) -> None:
    if not lacking:
        return
    sentence = f"keys are lost of {named(lacking)}: they sign nothing, and no new ones were made"
    args: dict[str, str | int] = {"parties": named(lacking), "count": len(lacking)}
    alarms.sound("keys_lacking", sentence, LACKING_REMEDY, args=args)


async def _database(
    settings: Settings, space: SpaceWatch, loose: _LooseEnds, hold: Hold | None
) -> Database:
    return await Database.open(
        settings.database_url,
        # Starting writes a few rows (lease, schema); the reserve is there for that.
        low_space=lambda: settings.own_database and loose.serving and space.is_low(),
        randomness=SystemRandomness(),
        fence=hold.fence if hold else None,
        holder=hold.holder if hold else "",
    )


def _takeover(settings: Settings, alarms: Alarms) -> list[Job]:
    """Looks at this machine's etcd, where the settings name one."""
    if not settings.etcd:
        return []
    return [Job("takeover", TakeoverWatch(OwnEtcd(settings.etcd).ill, alarms).run)]


def _waiting(database: Database) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        async with database.session() as session:
            return await outbox.waiting(session)

    return count


def _probe(ready: Callable[[], Awaitable[bool]], name: str) -> Callable[[], Awaitable[str]]:
    async def probe() -> str:
        if not await ready():
            raise TimeoutError(f"{name} gives no answer")
        return name

    return probe


def _jobs(
    built: Sequence[Room],
    relay: Relay,
    context: RuntimeContext,
    dead: PostgresDeadLetters,
    metrics: Metrics,
) -> list[Job]:
    def stalled(stall: Stall) -> None:
        metrics.stall(stall)
        tell(stall)

    jobs = [Job("relay", relay.run), Job("loop watch", LoopWatch(stalled).run)]
    for room in built:
        jobs += [Job(f"{room.name} {_name(work)}", work) for work in room.background]
        jobs += [_consumer_job(c, context, dead, metrics) for c in room.consumers]
    return jobs


def _name(work: Callable[[], Awaitable[None]]) -> str:
    return str(getattr(work, "__qualname__", work))


def _consumer_job(
    consumer: Consumer, context: RuntimeContext, dead: PostgresDeadLetters, metrics: Metrics
) -> Job:
    async def job() -> None:
        await run_consumer(
            consumer,
            node=context.node,
            bus=context.bus,
            dead=dead,
            clock=context.clock,
            metrics=metrics,
        )

    return Job(f"consumer {consumer.name}", job)
