"""One node on one machine: children, rooms, relay and API under one supervisor.

Everything starts from the main thread (children die with the thread that launched them), then one
event loop runs it all. A child that dies is started again, and so is a part that raises, with an
alarm; only the end of the web server ends the node.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from zhidao.bus.port import ROOT
from zhidao.core.actor import Role
from zhidao.core.child import bound_log
from zhidao.core.errors import MalformedInput, Refused, Unavailable, ZhidaoError
from zhidao.core.ids import party_id
from zhidao.node.adapters.key_files import write_private
from zhidao.node.adapters.scenario_clock import KeptClock
from zhidao.node.adapters.service_manager import own_service_manager
from zhidao.node.config import Config
from zhidao.node.jobs import Job, JobKeeper
from zhidao.node.web_server import listening, own_url, page_url, peers_url, web_server
from zhidao.node.workers import Workers

WATCH_S: Final = 0.25
STATE_FILE: Final = "node.json"
SCENARIO_FILE: Final = "scenario-time"
_LOG: Final = logging.getLogger("zhidao.node")


class Child(Protocol):
    """A server program under our care."""

    @property
    def log(self) -> Path:
        """The file that it appends its log to."""
        ...

    def start(self) -> str:
        """Starts it, or starts it again; returns its URL."""
        ...

    def alive(self) -> bool:
        """Whether its process runs."""
        ...

    def stop(self) -> None:
        """Ends it cleanly."""
        ...


@dataclass(slots=True)
class Servers:
    """Where database and bus are, and the children that we run for it (none if external)."""

    database_url: str
    bus_url: str
    children: dict[str, Child]

    def stop(self) -> None:
        """Ends the children, last started first."""
        for child in reversed(self.children.values()):
            child.stop()


def bus_prefix(config: Config) -> str:
    """The first word of the bus's subjects. Raises MalformedInput if it is no such word."""
    prefix = config.text("bus.prefix")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", prefix):
        raise MalformedInput(
            f"bus.prefix is {prefix!r}; wanted: small letters, digits and hyphens, at most 32"
        )
    # The node's own server has no other node, and lets nothing else be said.
    return prefix if config.text("bus.url") else ROOT


def start_servers(config: Config) -> Servers:
    """Starts what the settings do not name elsewhere. Blocks; call it from the main thread."""
    data = config.data
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    children: dict[str, Child] = {}
    database_url, bus_url = config.text("database.url"), config.text("bus.url")
    if not database_url:
        from zhidao.store.embedded import EmbeddedPostgres

        postgres = EmbeddedPostgres(data / "postgres")
        database_url = postgres.start()
        children["database"] = postgres
    if not bus_url:
        from zhidao.bus.embedded import EmbeddedNats

        nats = EmbeddedNats(data / "nats")
        try:
            bus_url = nats.start()
        except ZhidaoError:
            for child in children.values():
                child.stop()
            raise
        children["bus"] = nats
    return Servers(database_url, bus_url, children)


def serve(config: Config, *, passphrase: bytes, ready: Callable[[dict[str, Any]], None]) -> None:
    """Runs a node until it is told to stop. `ready` gets its state once it serves."""
    check_http(config)
    servers = start_servers(config)
    try:
        import uvloop

        # What is made at the start stays; looking through it again and again, and at every burst
        # of requests, would cost more than the garbage that is found.
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        uvloop.run(_run(config, servers, passphrase, ready))
    finally:
        (config.data / STATE_FILE).unlink(missing_ok=True)
        servers.stop()


def check_http(config: Config) -> None:
    """Plain HTTP is for loopback only. Raises Refused."""
    if config.text("http.tls") == "off" and config.text("http.host") not in (
        "127.0.0.1",
        "::1",
        "localhost",
    ):
        raise Refused(
            f"plain HTTP on {config.text('http.host')} would show tokens to the network",
            remedy="set http.tls to auto or files, or listen on 127.0.0.1",
        )


async def _run(
    config: Config,
    servers: Servers,
    passphrase: bytes,
    ready: Callable[[dict[str, Any]], None],
) -> None:
    from zhidao.node.own_keys import key_source
    from zhidao.node.wiring import Settings, build_node
    from zhidao.node.wiring.trust_anchor import anchor_settings
    from zhidao.node.wiring.trust_chain import chain_settings

    with _workers() as workers:
        node = await build_node(
            Settings(
                name=party_id(config.text("node.name")),
                organisation=config.setting("node.organisation"),
                data=config.data,
                database_url=servers.database_url,
                bus_url=servers.bus_url,
                bus_prefix=bus_prefix(config),
                passphrase=passphrase,
                demo=config.flag("node.demo"),
                scenario=KeptClock(config.data / SCENARIO_FILE)
                if config.flag("node.demo")
                else None,
                body_bytes_max=config.number("http.body_bytes_max"),
                requests_per_second=config.number("http.requests_per_second"),
                devices_host=config.text("devices.host"),
                devices_port=config.number("devices.port"),
                public_host=config.text("http.public_host"),
                machine_networks=config.text("industry.machine_networks"),
                positioning_method=config.text("positioning.method"),
                two_persons_above=config.text("finance.two_persons_above"),
                receivable_nodes=config.text("finance.receivable_nodes"),
                list_age_days_max=config.number("finance.list_age_days_max"),
                network_profile=config.text("finance.network_profile"),
                packs=Path(config.text("packs.folder")) if config.text("packs.folder") else None,
                risk_rules=_file(config, "trade.risk_rules"),
                screening_list=_file(config, "trade.screening_list"),
                url=peers_url(config),
                certificate=str(config.data / "tls" / "certificate.pem")
                if config.text("http.tls") == "auto"
                else "",
                own_database="database" in servers.children,
                disk_reserve_bytes=config.number("node.disk_reserve_bytes"),
                anchor=anchor_settings(
                    config.text("anchor.rpc_urls"),
                    config.number("anchor.chain_id"),
                    config.text("anchor.contract"),
                    confirmations=config.number("anchor.confirmations"),
                    every_minutes=config.number("anchor.every_minutes"),
                ),
                titles_chain=chain_settings(
                    config.text("titles.rpc_urls"),
                    config.number("titles.chain_id"),
                    confirmations=config.number("titles.confirmations"),
                ),
                own_keys=lambda files: key_source(config, files),
            ),
            workers,
        )
        try:
            await _serve(config, servers, node, ready)
        finally:
            await node.close()


def _file(config: Config, name: str) -> Path | None:
    return Path(config.text(name)) if config.text(name) else None


async def _serve(
    config: Config, servers: Servers, node: Any, ready: Callable[[dict[str, Any]], None]
) -> None:
    server = web_server(config, node.app)
    manager = own_service_manager()
    # Taken here and not by the web server, which would end the program without a reason.
    door = listening(config.text("http.host"), config.number("http.port"))

    async def web() -> None:
        await server.serve(sockets=[door])
        manager.stopping()
        raise _Stopped

    async def announce() -> None:
        while not server.started:  # noqa: ASYNC110 (uvicorn tells by this flag only)
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        state = {
            "pid": os.getpid(),
            "url": own_url(config, port),
            "page": page_url(config, port),
            "devices": node.devices_address(),
            **await _codes_if_written(config, node),
        }
        write_private(config.data / STATE_FILE, json.dumps(state).encode())
        manager.ready(f"serves at {state['url']}")
        ready(state)

    keeper = JobKeeper(node.alarms)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(web())
            group.create_task(announce())
            own = (
                Job("supervisor", lambda: _watch(servers)),
                Job("service manager", manager.keep_alive),
            )
            for job in (*own, *node.jobs()):
                group.create_task(keeper.keep(job), name=job.name)
    except* _Stopped:
        _LOG.info("the node stops")


async def _codes_if_written(config: Config, node: Any) -> dict[str, str]:
    """No codes from a node that starts on a full disk: it serves whoever can sign in already."""
    try:
        return await _codes(config, node)
    except Unavailable as error:
        _LOG.warning("no codes for the console: %s", error, extra={"code": error.code})
        return {}


async def _codes(config: Config, node: Any) -> dict[str, str]:
    """One-time codes for the console: the first admin's, and in a demonstration two guests'."""
    codes: dict[str, str] = {}
    name = party_id(config.text("node.name"))
    if await node.gate.first_start():
        codes["first_admin_code"] = await node.gate.make_code(
            purpose="first-admin", party=name, role=Role.ADMIN
        )
    if config.flag("node.demo"):
        codes["admin_code"] = await node.gate.make_code(
            purpose="enter", party=name, role=Role.ADMIN
        )
        codes["viewer_code"] = await node.gate.make_code(
            purpose="enter", party=name, role=Role.AUDITOR
        )
    return codes


async def _watch(servers: Servers) -> None:
    """Starts a child again when it has died. Blocking on purpose: nothing works without it."""
    while True:
        await asyncio.sleep(WATCH_S)
        for name, child in servers.children.items():
            with contextlib.suppress(OSError):
                bound_log(child.log)
            if child.alive():
                continue
            _LOG.warning("%s died; starting it again", name, extra={"service": name})
            try:
                child.start()
            except ZhidaoError as error:
                _LOG.error("%s does not start: %s", name, error, extra={"service": name})


@contextlib.contextmanager
def _workers() -> Any:
    """Processes for heavy work; none exists before the first task."""
    pool = Workers()
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class _Stopped(Exception):
    """The web server ended because somebody told it to."""
