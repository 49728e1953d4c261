"""One node on one machine: children, rooms, relay and API under one supervisor.

Everything starts from the main thread (children die with the thread that launched them), then one
event loop runs it all. A child that dies is started again, and so is a part that raises, with an
alarm; only the end of the web server ends the node.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from zhidao.core.actor import Role
from zhidao.core.errors import Refused, Unavailable, ZhidaoError
from zhidao.core.ids import party_id
from zhidao.core.judging import DOCUMENT
from zhidao.core.programs.child import bound_log
from zhidao.core.programs.fork_server import prepare
from zhidao.node.config import Config
from zhidao.node.http.connections import Connections, Door
from zhidao.node.http.server import (
    connections_of,
    listening,
    own_url,
    page_url,
    web_server,
)
from zhidao.node.leases.lease import Grant
from zhidao.node.leases.roles import parse_roles
from zhidao.node.operations.alarms import Alarms
from zhidao.node.operations.database_clock import DatabaseClock
from zhidao.node.operations.lost_folders import refuse_lost
from zhidao.node.operations.odd_files import refuse_odd
from zhidao.node.runtime.api_process import api_processes, shares_port
from zhidao.node.runtime.duty import Duty
from zhidao.node.runtime.front import Front
from zhidao.node.runtime.holders import Holders
from zhidao.node.runtime.jobs import Job
from zhidao.node.runtime.reader import Reading
from zhidao.node.runtime.standby import Standby
from zhidao.node.runtime.workers import Workers
from zhidao.node.security.private_files import write_private

if TYPE_CHECKING:
    from zhidao.node.wiring.node import Node
    from zhidao.node.wiring.operations.own_process import OwnProcess
    from zhidao.node.wiring.settings import Settings

WATCH_S: Final = 0.25
# One of them is kept for callers of little work.
JUDGES: Final = 2
TOLD_EVERY_S: Final = 10.0
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
    refuse_odd(config.data)
    refuse_lost(config)
    parse_roles(config.text("node.roles"))
    prepare()
    with _importing():
        servers = start_servers(config)
    try:
        import uvloop

        # They are started by who watches them, once this process has a schema, keys and a port.
        servers.children.update(api_processes(config, servers.database_url, servers.bus_url))

        # What is made at the start stays; looking through it again and again, and at every burst
        # of requests, would cost more than the garbage that is found.
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        uvloop.run(_run(config, servers, passphrase, ready))
    finally:
        servers.stop()


@contextlib.contextmanager
def _importing() -> Iterator[None]:
    """Imports what a node is built of beside the start of its servers, which is mostly waiting."""
    from zhidao.node.wiring.operations.warming import import_needed

    # Of what is imported nothing is garbage, and looking for some takes a tenth of the time.
    gc.disable()
    beside = threading.Thread(target=import_needed, name="imports")
    beside.start()
    try:
        yield
    finally:
        beside.join()
        gc.enable()


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
    from zhidao.node.wiring.operations.own_process import own_process
    from zhidao.node.wiring.operations.warming import warm_up

    own = "database" in servers.children
    process = await own_process(config, servers.database_url, alone=own)
    try:
        with _workers(Workers()) as workers, _workers(Workers(JUDGES, effort=DOCUMENT)) as judges:

            async def build(grant: Grant) -> Node:
                return await _build(config, servers, passphrase, workers, judges, process, grant)

            async def opened() -> Any:
                name = "zhidao.node.wiring.operations.reading"
                wiring = await asyncio.to_thread(importlib.import_module, name)
                settings = _settings(config, servers, passphrase)
                url, holder = servers.database_url, process.holder
                return await wiring.open_reader(settings, url, holder, workers, judges)

            reading = Reading(opened)

            async def warm() -> None:
                await asyncio.to_thread(warm_up, config.data, passphrase)
                await reading.open()

            try:
                await _serve(config, servers, process, build, warm, reading, ready)
            finally:
                await reading.close()
    finally:
        process.state_file.unlink(missing_ok=True)
        await process.close()


async def _build(
    config: Config,
    servers: Servers,
    passphrase: bytes,
    workers: Workers,
    judges: Workers,
    process: OwnProcess,
    grant: Grant,
) -> Node:
    from zhidao.node.wiring.node import build_node

    settings = _settings(config, servers, passphrase)
    node = await build_node(settings, workers, judges, process.hold(grant))
    await _note_start(config, node)
    return node


def _settings(config: Config, servers: Servers, passphrase: bytes) -> Settings:
    from zhidao.node.wiring.process import settings_of

    return settings_of(
        config,
        database_url=servers.database_url,
        bus_url=servers.bus_url,
        own_database="database" in servers.children,
        passphrase=passphrase,
    )


async def _note_start(config: Config, node: Any) -> None:
    """A node that starts on a full disk serves; it cannot say with which settings."""
    said = {
        each.setting.name: f"{each.shown} ({each.source})"
        for each in config.every()
        if each.source != "default"
    }
    try:
        await node.entrance.note_start(said)
    except Unavailable as error:
        _LOG.warning("settings not written down: %s", error, extra={"code": error.code})


async def _serve(
    config: Config,
    servers: Servers,
    process: OwnProcess,
    build: Callable[[Grant], Awaitable[Node]],
    warm: Callable[[], Awaitable[None]],
    reading: Reading,
    ready: Callable[[dict[str, Any]], None],
) -> None:
    from zhidao.node.wiring.process import certificate_files, service_manager

    certificate = certificate_files(config)
    manager = service_manager()
    holders = Holders(process.leases, process.needed)
    alarms = Alarms()
    clock = DatabaseClock(process.leases.now_s, process.clock, alarms)
    standby = Standby(
        holders.holder, lambda: [*holders.alarms(), *alarms.standing()], reading.reader
    )
    front = Front(standby, process.password)
    told = asyncio.Event()
    state: dict[str, Any] = {}
    server: Any = None

    async def announce(node: Node | None) -> None:
        while not server.started:  # noqa: ASYNC110 (uvicorn tells by this flag only)
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        inner = server.servers[-1].sockets[0].getsockname()[1]
        codes = await _codes_if_written(config, node) if node else {}
        state.update(
            pid=os.getpid(),
            inner=inner,
            url=own_url(config, port),
            page=page_url(config, port),
            standby=node is None,
            devices=node.devices_address() if node else "",
        )
        write_private(process.state_file, json.dumps(state | codes).encode())
        told.set()
        manager.ready(f"{'serves' if node else 'stands by'} at {state['url']}")
        ready(state | codes)

    def own_jobs() -> list[Job]:
        return [
            Job("supervisor", lambda: _watch(servers)),
            Job("service manager", manager.keep_alive),
            Job("membership", lambda: _membership(config, process, told, state, certificate)),
        ]

    waiting = [
        Job("holders", holders.run),
        Job("reading", reading.run),
        Job("database clock", clock.run),
    ]
    duty = Duty(process.keeper, front, waiting, build, announce, own_jobs, process.clock, warm)
    await duty.begin()
    try:
        connections = connections_of(config)
        server = web_server(config, front, connections, certificate, duty.close_pages)
        # Taken here and not by the web server, which would end the program without a reason.
        doors = _doors(config, connections)
    except BaseException:
        await duty.end()
        raise

    async def web() -> None:
        await server.serve(sockets=doors)
        manager.stopping()
        raise _Stopped

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(web())
            group.create_task(duty.run())
    except* _Stopped:
        _LOG.info("the node stops")
    finally:
        await standby.close()


def _doors(config: Config, connections: Connections) -> list[Door]:
    """Where this process listens: a shared port leads to any, so it has one of its own then."""
    host, port, shared = config.text("http.host"), config.number("http.port"), shares_port(config)
    doors = [Door.of(listening(host, port, shared=shared), connections)]
    if shared:
        inner = "node.process_port"
        own = listening(host, config.number(inner), setting=inner)
        doors.append(Door.of(own, connections, inner=True))
    return doors


async def _membership(
    config: Config,
    process: OwnProcess,
    told: asyncio.Event,
    state: dict[str, Any],
    certificate: tuple[str, str] | None,
) -> None:
    """Says again and again that this process is alive, and where."""
    await told.wait()
    shown = await asyncio.to_thread(Path(certificate[0]).read_text) if certificate else ""
    member = process.member(config, state["inner"], shown)
    while True:
        with contextlib.suppress(Unavailable):
            await process.leases.tell(member)
        await asyncio.sleep(TOLD_EVERY_S)


async def _codes_if_written(config: Config, node: Any) -> dict[str, str]:
    """No codes from a node that starts on a full disk: it serves whoever can sign in already."""
    try:
        return await _codes(config, node)
    except Unavailable as error:
        _LOG.warning("no codes for the console: %s", error, extra={"code": error.code})
        return {}


async def _codes(config: Config, node: Any) -> dict[str, str]:
    """Codes for the console: the first admin's, and in a demonstration two guests'."""
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
            purpose="show", party=name, role=Role.AUDITOR
        )
    return codes


_STARTER: Final = ThreadPoolExecutor(1, thread_name_prefix="starts-children")


async def _watch(servers: Servers) -> None:
    """Starts a child again when it has died; whoever asks meanwhile hears that it is away.

    Always in one thread that lives as long as the process: children die with the thread that
    started them (PR_SET_PDEATHSIG). A start that is under way is waited for, also at the end.
    """
    loop = asyncio.get_running_loop()
    lived = set[str]()
    while True:
        await asyncio.sleep(WATCH_S)
        for name, child in servers.children.items():
            with contextlib.suppress(OSError):
                bound_log(child.log)
            if child.alive():
                lived.add(name)
                continue
            if name in lived:
                _LOG.warning("%s died; starting it again", name, extra={"service": name})
            started = loop.run_in_executor(_STARTER, child.start)
            try:
                await asyncio.shield(started)
            except asyncio.CancelledError:
                await asyncio.wait((started,))
                raise
            except ZhidaoError as error:
                _LOG.error("%s does not start: %s", name, error, extra={"service": name})


@contextlib.contextmanager
def _workers(pool: Workers) -> Iterator[Workers]:
    """Processes for heavy work; none exists before the first task."""
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class _Stopped(Exception):
    """The web server ended because somebody told it to."""
