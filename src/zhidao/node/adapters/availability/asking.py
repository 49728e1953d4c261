"""Asks the machines of a plan, all parts of all of them at once, each within its time."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

import httpx
import nats.errors
import nats.js.errors
import psycopg
from nats.aio.client import Client
from nats.js.api import StreamInfo

from zhidao.core.errors import Unavailable
from zhidao.core.hosts.answers import ask, bad_answer
from zhidao.node.adapters.availability.folder import Opened
from zhidao.node.availability.machines import Machine
from zhidao.node.availability.plan import bus_urls, database_url
from zhidao.node.availability.seen import (
    Bus,
    Etcd,
    MachineSeen,
    Node,
    Patroni,
    Postgres,
    Seen,
    Standby,
    Stream,
)

ANSWER_S: Final = 5.0
_STREAM_S: Final = 2.0
_STREAM: Final = "ZHIDAO"
_WHY_CHARS: Final = 160
_ALARMS_SHOWN: Final = 50
_T = TypeVar("_T")
# Of a certificate's file each machine has its own, and what is read of its node is public.
_FAILURES: Final = (
    *(OSError, TimeoutError, ValueError, KeyError, TypeError, AttributeError),
    *(httpx.HTTPError, psycopg.Error, nats.errors.Error, Unavailable),
    # The bus's client reads what a server says of itself without a bound on its depth.
    RecursionError,
)
_COPIES: Final = (
    "select application_name::text as name, coalesce(state, '') as state,"
    " coalesce(sync_state, '') as sync,"
    " coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn), 0)::int8 as lag"
    " from pg_stat_replication order by 1"
)


async def ask_machines(opened: Opened) -> Seen:
    """Everything that the machines tell within some seconds."""
    async with (
        httpx.AsyncClient(verify=opened.trust, timeout=ANSWER_S, trust_env=False) as known,
        httpx.AsyncClient(verify=_anybody(), timeout=ANSWER_S, trust_env=False) as any_node,
    ):
        asked = [_machine(opened, each, known, any_node) for each in opened.planned.machines]
        return Seen(tuple(await asyncio.gather(*asked)))


async def _machine(
    opened: Opened, machine: Machine, known: httpx.AsyncClient, any_node: httpx.AsyncClient
) -> MachineSeen:
    etcd, patroni, database, bus, node = await asyncio.gather(
        _answer(_etcd(machine, known)),
        _answer(_patroni(machine, known)),
        _answer(_postgres(opened, machine)),
        _answer(_bus(opened, machine)),
        _answer(_node(machine, any_node)),
    )
    member, away_s = etcd if isinstance(etcd, tuple) else (etcd, None)
    return MachineSeen(machine.name, member, patroni, database, bus, node, away_s)


async def _answer(asked: Awaitable[_T]) -> _T | str:
    """The answer, or why there is none."""
    try:
        async with asyncio.timeout(ANSWER_S):
            return await asked
    except TimeoutError:
        return f"no answer within {ANSWER_S:.0f} s"
    except _FAILURES as error:
        first = (str(error).splitlines() or [""])[0].strip()
        return (first or type(error).__name__)[:_WHY_CHARS]


async def _etcd(machine: Machine, known: httpx.AsyncClient) -> tuple[Etcd, float | None]:
    url = f"https://{machine.host}:{machine.ports.etcd_client}/v3/maintenance/status"
    begun_s = time.time()
    answer = await ask(known, "POST", url, seconds=ANSWER_S, json={})
    middle_s = (begun_s + time.time()) / 2
    if answer.status != httpx.codes.OK:
        raise bad_answer(url, str(answer.status))
    leader = str(answer.json().get("leader", "0"))
    away_s = None
    if "date" in answer.headers:
        # It tells whole seconds, cut and not rounded.
        told_s = parsedate_to_datetime(answer.headers["date"]).timestamp() + 0.5
        away_s = round(told_s - middle_s, 1)
    return Etcd("" if leader == "0" else leader), away_s


async def _patroni(machine: Machine, known: httpx.AsyncClient) -> Patroni:
    # Of one without a running PostgreSQL the status is 503, and the answer the same.
    url = f"https://{machine.host}:{machine.ports.patroni}/patroni"
    told = (await ask(known, "GET", url, seconds=ANSWER_S)).json()
    seen = told.get("dcs_last_seen")
    away_s = max(0.0, time.time() - seen) if isinstance(seen, int | float) else 0.0
    return Patroni(
        role=str(told.get("role", ""))[:40],
        state=str(told.get("state", ""))[:40],
        paused=told.get("pause") is True,
        dcs_away_s=round(away_s, 1),
        may_lead=told.get("sync_standby") is True or told.get("quorum_standby") is True,
    )


async def _postgres(opened: Opened, machine: Machine) -> Postgres:
    url = database_url((machine,), opened.secrets.node, opened.authority, wanted="any")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as link:
        rows = await link.execute(
            "select pg_is_in_recovery(), current_setting('synchronous_standby_names')"
        )
        standby, names = await rows.fetchone() or (True, "")
        if standby:
            return Postgres(writes=False)
        copies = await (await link.execute(_COPIES)).fetchall()
    return Postgres(writes=True, names=names, standbys=tuple(Standby(*each) for each in copies))


async def _bus(opened: Opened, machine: Machine) -> Bus:
    client = Client()
    try:
        await client.connect(
            bus_urls((machine,), opened.secrets.bus),
            tls=opened.trust,
            allow_reconnect=False,
            connect_timeout=int(ANSWER_S) - 1,
            max_reconnect_attempts=0,
            error_cb=_silent,
        )
        return await _stream(client)
    finally:
        await client.close()


async def _stream(client: Client) -> Bus:
    try:
        info = await client.jetstream(timeout=_STREAM_S).stream_info(_STREAM)
    except nats.js.errors.NotFoundError:
        return Bus()
    except (TimeoutError, nats.errors.Error) as error:
        return Bus(why=(str(error) or type(error).__name__)[:_WHY_CHARS])
    return Bus(_told(info))


def _told(info: StreamInfo) -> Stream:
    """A stream of a server that is in no cluster has one copy."""
    replicas = int(info.config.num_replicas or 1)
    if info.cluster is None:
        return Stream(replicas, "", 1)
    others = sum(bool(each.current) and not each.offline for each in info.cluster.replicas or [])
    return Stream(replicas, info.cluster.leader or "", others + bool(info.cluster.leader))


async def _node(machine: Machine, any_node: httpx.AsyncClient) -> Node:
    scheme = "http" if machine.is_loopback else "https"
    url = f"{scheme}://{machine.host}:{machine.ports.node}/readyz"
    told: dict[str, Any] = (await ask(any_node, "GET", url, seconds=ANSWER_S)).json()
    alarms = [str(each["code"])[:60] for each in told.get("alarms", [])]
    down = tuple(str(each)[:60] for each in told.get("down", []))[:_ALARMS_SHOWN]
    return Node(told.get("ready") is True, down, tuple(alarms[:_ALARMS_SHOWN]))


def _anybody() -> ssl.SSLContext:
    """Takes a node's own certificate as it is: nothing is told to it, and its answer is public."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _silent(_: Exception) -> None:
    """What a client says of a server that is away is told by who asked."""
