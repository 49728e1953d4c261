"""Builds what a process without leases reads: its own connections, no keys, and a few routes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from typing import Any, Final

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Unavailable
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import Records, Scribe
from zhidao.core.judging import Judges
from zhidao.core.keys import Algorithm, Signer, SoftwareKey
from zhidao.industry.adapters.opcua import OpcUaMachines
from zhidao.industry.service.lots import LotService
from zhidao.node.adapters.acts import PostgresActs
from zhidao.node.adapters.ambient import SystemClock, SystemRandomness
from zhidao.node.adapters.caller_store import PostgresCallers
from zhidao.node.adapters.leases.postgres import connection_name
from zhidao.node.adapters.seen_requests import PostgresSeen
from zhidao.node.api.application import application
from zhidao.node.api.industry import orders as industry_api
from zhidao.node.api.trust import log as log_api
from zhidao.node.http.authentication import Authenticator
from zhidao.node.operations.metrics import Metrics
from zhidao.node.operations.signing_permit import SigningPermit
from zhidao.node.operations.write_gate import WriteGate
from zhidao.node.runtime.reader import Reader
from zhidao.node.security.administration import Administration
from zhidao.node.security.gate import Gate
from zhidao.node.security.password_hashing import Passwords
from zhidao.node.web import help as help_pages
from zhidao.node.web import pages
from zhidao.node.wiring.settings import Settings
from zhidao.store.archive import PostgresArchive
from zhidao.store.database import Database
from zhidao.store.fence import Fence
from zhidao.store.journal import PostgresJournal
from zhidao.trust.adapters.log.postgres import PostgresLogStore
from zhidao.trust.service.log.reader import LogReader

_CONNECTIONS: Final = 8
# What is answered from the database alone, beside the pages, which hold no data.
READS: Final = ("/v1/industry/orders/{order:str}/lots/{lot:str}",)
LOG_READS: Final = (
    *("/log/checkpoint", "/log/tile/{path:path}"),
    *("/v1/trust/log/consistency", "/v1/trust/log/{index:int}"),
)
_PAGES: Final = (*pages.PAGES, "/assets/{name:str}", "/help-files/{name:path}")
_ORIGINS: Final = "select origin from trust.log_head limit 2"


async def open_reader(
    settings: Settings, database_url: str, holder: str, workers: Executor, judges: Judges
) -> tuple[Reader, Callable[[], Awaitable[None]]]:
    """What reads, and how to let go of its connections. Raises Unavailable."""
    database = await Database.open(
        database_url,
        connections_max=_CONNECTIONS,
        randomness=SystemRandomness(),
        # Every transaction is begun as one that reads only, and no fact passes the fence.
        low_space=lambda: True,
        fence=Fence("false", {}),
        # Another name than that of a node's connections, which a takeover ends.
        holder=connection_name(f"reads {holder}"),
    )
    try:
        rows = await database.read(_ORIGINS, {})
    except BaseException:
        await database.close()
        raise
    # With two logs, after a change of key, the holder knows which is the one; before the first
    # start there is none.
    origin = str(rows[0]["origin"]) if len(rows) == 1 else ""
    return _reader(settings, database, origin, workers, judges), database.close


class _NoKeys:
    """No party's key: this process signs nothing."""

    def signer(self, party: PartyId) -> Signer | None:
        """None of anybody."""
        del party
        return None


class _AskHolder:
    """An auditor's look leaves a trace, which the holder writes: it is asked."""

    async def look(self, actor: Actor, named: Mapping[str, Any], route: str) -> None:
        """Raises Unavailable for an auditor."""
        del named, route
        if actor.role is Role.AUDITOR:
            noted = "an auditor's look is noted by who holds the leases"
            raise Unavailable(noted, code="no_holder")


def _no_signature() -> None:
    raise Unavailable("this process signs nothing", code="lease_lost")


def _reader(
    settings: Settings, database: Database, origin: str, workers: Executor, judges: Judges
) -> Reader:
    clock, randomness = SystemClock(), SystemRandomness()
    ids = IdSource(clock, randomness)
    scribe = Scribe(
        node=settings.name,
        key=SoftwareKey(Algorithm.ED25519, randomness.token(Algorithm.ED25519.secret_bytes)),
        ring=_NoKeys(),
        clock=clock,
        ids=ids,
        randomness=randomness,
        permit=_no_signature,
    )

    def journal(room: str) -> PostgresJournal:
        return PostgresJournal(database, room, lambda: None)

    acts = PostgresActs(database, journal("node"))
    gate = Gate(
        PostgresCallers(database, acts),
        PostgresSeen(database),
        clock,
        randomness,
        Administration(scribe, ids, clock, acts),
        Passwords(randomness.token(16)),
        # A token is withdrawn by another process: it is looked up each time.
        tokens_kept=0,
    )
    lots = LotService(
        Records(journal("industry"), scribe),
        PostgresArchive(database),
        OpcUaMachines(clock, judges, ()),
        clock,
    )
    paths, routers = [*_PAGES, *READS], [industry_api.routes(lots)]
    if origin:
        paths += LOG_READS
        routers.append(log_api.reading(LogReader(PostgresLogStore(database, origin))))
    app = application(
        [*pages.routes(), *help_pages.routes(), *routers],
        authenticator=Authenticator(gate, _AskHolder()),
        metrics=Metrics(),
        randomness=randomness,
        body_bytes_max=settings.body_bytes_max,
        requests_per_second=settings.requests_per_second,
        refusals_per_second=settings.refusals_per_second,
        workers=workers,
        writes=WriteGate(lambda: True, SigningPermit(), time.monotonic),
        proxies=settings.proxies,
        hosts=settings.hosts,
    )
    return Reader(app, paths)
