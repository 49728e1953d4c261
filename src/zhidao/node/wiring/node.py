"""Builds a whole node: ground floors first, then the rooms from below, then API and jobs."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial

from litestar.types import ASGIApp

from zhidao.bus.nats import NatsBus
from zhidao.core.ids import IdSource
from zhidao.core.journal import Records, Scribe
from zhidao.core.keys import Algorithm
from zhidao.finance.adapters.postgres_names import PostgresNameIndex
from zhidao.finance.service.own_names import OWNERS_MAX
from zhidao.node.adapters.ambient import SystemClock, SystemRandomness
from zhidao.node.adapters.callers import PostgresCallers
from zhidao.node.adapters.key_files import KeyFiles, PartyRing
from zhidao.node.adapters.roads import (
    PostgresDeadLetters,
    PostgresPartyBook,
    PostgresRelated,
    PostgresStoredEvents,
)
from zhidao.node.alarms import Alarms
from zhidao.node.api import callers as callers_api
from zhidao.node.api import health as health_api
from zhidao.node.api import statements as statements_api
from zhidao.node.api.application import application
from zhidao.node.api.doorkeeper import Doorkeeper
from zhidao.node.consumers import run_consumer
from zhidao.node.ground import Consumer, Ground, Room
from zhidao.node.health import Health
from zhidao.node.jobs import Job
from zhidao.node.metrics import Metrics
from zhidao.node.organisation import Organisation
from zhidao.node.own_keys import meeting_key, recording_keys, revoked_keys
from zhidao.node.parties import Parties
from zhidao.node.permit import Permit
from zhidao.node.readings import Readings
from zhidao.node.relay import Relay, Watch
from zhidao.node.security.gate import Gate
from zhidao.node.statements import Statements
from zhidao.node.web import pages
from zhidao.node.wiring import rooms
from zhidao.node.wiring.settings import Settings
from zhidao.node.write_gate import WriteGate
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
        jobs: Sequence[Job],
        devices_address: Callable[[], str],
        ground: Ground,
        alarms: Alarms,
        drain: Callable[[], Awaitable[None]],
    ) -> None:
        self.app = app
        self.gate = gate
        self.alarms = alarms
        self.devices_address = devices_address
        self._jobs = jobs
        self._ground = ground
        self._drain = drain

    def jobs(self) -> Sequence[Job]:
        """Work that runs until cancelled, and may be started again when it fails."""
        return self._jobs

    async def close(self) -> None:
        """Moves what was written into log and bus and lets go of both; the jobs have ended."""
        await self._drain()
        await self._ground.bus.close()
        await self._ground.database.close()


async def build_node(settings: Settings, workers: Executor) -> Node:
    """Opens database and bus, brings the schema up to date, and builds every room."""
    metrics = Metrics()
    keys = KeyFiles(settings.data / "keys", settings.passphrase, SystemRandomness())
    space = SpaceWatch(settings.data, settings.disk_reserve_bytes)
    loose = _LooseEnds()
    database = await _database(settings, space, loose)
    ground = await _ground(settings, workers, keys, loose, database)
    clock, randomness = ground.clock, ground.randomness
    gate = Gate(PostgresCallers(database), clock, randomness)
    parties = Parties(PostgresPartyBook(database), keys)
    journal = PostgresJournal(database, "node", ground.wake_relay)
    organisation = Organisation(
        Records(journal, ground.scribe), settings.data, settings.organisation
    )
    await organisation.load()
    alarms = Alarms()
    built = await rooms.build(ground, settings, keys, parties, organisation, alarms)
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
    relay = Relay(database, built.log, ground.bus, Watch(alarms, loose.permit, metrics))
    loose.wake = relay.wake
    loose.permit.recovering = lambda: built.log.recovering
    dead = PostgresDeadLetters(database)
    health = Health(
        probes={
            "database": _probe(database.ready, "PostgreSQL"),
            "bus": _probe(ground.bus.ready, "NATS"),
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
        scenario=settings.scenario,
    )
    app = application(
        [
            *[router for room in built.rooms for router in room.routers],
            callers_api.routes(
                gate,
                parties,
                demo=settings.demo,
                organisation=organisation,
                node=settings.name,
            ),
            health_api.routes(health, metrics, settings.scenario),
            statements_api.routes(Statements(journal, ground.scribe, gate.has_key)),
            *pages.routes(),
        ],
        doorkeeper=Doorkeeper(
            gate,
            Readings(
                journal,
                ground.scribe,
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
        workers=workers,
        writes=WriteGate(space.is_low, loose.permit, time.monotonic),
        transfers=built.transfers,
    )
    loose.serving = True
    return Node(
        app=app,
        gate=gate,
        jobs=_jobs(built.rooms, relay, ground, dead, metrics),
        devices_address=built.devices_address,
        ground=ground,
        alarms=alarms,
        drain=relay.drain,
    )


@dataclass(slots=True)
class _LooseEnds:
    """What the ground needs of parts that are built on it: ends tied when those stand."""

    permit: Permit = field(default_factory=Permit)
    serving: bool = False
    wake: Callable[[], None] = lambda: None

    def wake_relay(self) -> None:
        self.wake()


async def _ground(
    settings: Settings,
    workers: Executor,
    keys: KeyFiles,
    loose: _LooseEnds,
    database: Database,
) -> Ground:
    clock, randomness = SystemClock(), SystemRandomness()
    source = settings.own_keys(keys)
    node_key = source.make("node", Algorithm.ED25519)
    try:
        await migrate(database)
        recording, recorded = await recording_keys(database, source, settings.name)
        revoked = await revoked_keys(database, settings.name)
        bus = await NatsBus.connect(
            settings.bus_url,
            prefix=settings.bus_prefix,
            owner=f"{settings.name} {node_key.public.fingerprint}",
        )
    except BaseException:
        await database.close()
        raise
    ids = IdSource(clock, randomness)
    ring = PartyRing(keys, Algorithm.ED25519)
    return Ground(
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
        ),
        node=settings.name,
        node_key=node_key,
        own_keys=source,
        recording_keys=tuple(key.public for key in recorded),
        revoked_keys=revoked,
        present_key=recording,
        oldest_key=meeting_key(recorded, revoked),
        ring=ring,
        chain_ring=PartyRing(keys, Algorithm.SECP256K1),
        clock=clock,
        scenario_clock=settings.scenario or clock,
        ids=ids,
        randomness=randomness,
        workers=workers,
        data=settings.data,
        wake_relay=loose.wake_relay,
        demo=settings.demo,
    )


async def _database(settings: Settings, space: SpaceWatch, loose: _LooseEnds) -> Database:
    if not settings.own_database:
        return await Database.open(settings.database_url)
    # Starting writes a few rows (lease, schema); the reserve is there for that.
    return await Database.open(
        settings.database_url, low_space=lambda: loose.serving and space.is_low()
    )


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
    built: Sequence[Room], relay: Relay, ground: Ground, dead: PostgresDeadLetters, metrics: Metrics
) -> list[Job]:
    jobs = [Job("relay", relay.run)]
    for room in built:
        jobs += [Job(f"{room.name} {_name(work)}", work) for work in room.background]
        jobs += [_consumer_job(c, ground, dead, metrics) for c in room.consumers]
    return jobs


def _name(work: Callable[[], Awaitable[None]]) -> str:
    return str(getattr(work, "__qualname__", work))


def _consumer_job(
    consumer: Consumer, ground: Ground, dead: PostgresDeadLetters, metrics: Metrics
) -> Job:
    async def job() -> None:
        await run_consumer(
            consumer,
            node=ground.node,
            bus=ground.bus,
            dead=dead,
            clock=ground.clock,
            metrics=metrics,
        )

    return Job(f"consumer {consumer.name}", job)
