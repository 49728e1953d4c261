"""What makes a process one of several: its name, its roles, its hold on their leases."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.ids import party_id
from zhidao.node.adapters.ambient import SystemClock, SystemRandomness
from zhidao.node.adapters.leases.postgres import PostgresLeases, connection_name, fence_of
from zhidao.node.config import Config, is_everywhere
from zhidao.node.http.server import own_url
from zhidao.node.leases.keeper import LeaseKeeper
from zhidao.node.leases.lease import Grant, Watch
from zhidao.node.leases.ports import Leases, Member
from zhidao.node.leases.roles import SINGLE, parse_roles, single
from zhidao.store.database import Database
from zhidao.store.fence import Fence
from zhidao.store.migrate import migrate

STATE_FILE: Final = "node.json"
_PROCESSES_MAX: Final = 16
_NAME_CHARS: Final = 24
_PASSWORD_BYTES: Final = 24
_CONNECTIONS: Final = 3
# A neighbour that asks whether a process lives has its lock for a moment.
_ASKED_S: Final = 0.02
_MACHINE_ID: Final = Path("/etc/machine-id")


@dataclass(frozen=True, slots=True)
class Hold:
    """What a node is built under: its process's name, the fence of its writes, its leases.

    `unsure` tells why nothing may be written now, `give_up` is told that nothing may any more.
    """

    holder: str
    fence: Fence
    leases: Leases
    roles: frozenset[str]
    unsure: Callable[[], str]
    give_up: Callable[[str], None]


@dataclass(slots=True)
class OwnProcess:
    """This process beside the others of its node. `keeper` is None if it waits for no lease."""

    holder: str
    roles: frozenset[str]
    leases: PostgresLeases
    keeper: LeaseKeeper | None
    password: str
    state_file: Path
    clock: Clock
    _node: str
    _database: Database
    _lock: int

    @property
    def needed(self) -> tuple[str, ...]:
        """The roles without which a node does not work."""
        return SINGLE

    def hold(self, grant: Grant) -> Hold:
        """What a node is built under once the leases are held."""
        assert self.keeper is not None, "only a keeper is granted anything"
        return Hold(
            holder=connection_name(self.holder),
            fence=fence_of(self._node, grant),
            leases=self.leases,
            roles=self.roles,
            unsure=self.keeper.unsure,
            give_up=self.keeper.give_up,
        )

    def member(self, config: Config, port: int, certificate: str) -> Member:
        """What the others hear of this process once it listens."""
        url = config.text("node.process_url") or own_url(config, port)
        if is_everywhere(config.text("http.host")) and not config.text("node.process_url"):
            url = re.sub(r"//[^/]*", f"//{socket.gethostname()}:{port}", own_url(config, port))
        words = ",".join(sorted(self.roles))
        return Member(self.holder, words, url, certificate, self.password)

    async def close(self) -> None:
        """Takes this process off the list; its leases were let go of before."""
        try:
            await self.leases.leave(self.holder)
        except Unavailable:
            # The row grows old by itself.
            pass
        finally:
            await self._database.close()
            os.close(self._lock)


async def own_process(config: Config, database_url: str, *, alone: bool) -> OwnProcess:
    """Opens the leases; the schema is brought up to date for it.

    alone: the database belongs to this process, so no other can hold anything.
    """
    roles = parse_roles(config.text("node.roles"))
    node = party_id(config.text("node.name"))
    place, lock = _place(config.data)
    holder = _holder(config.data, place)
    try:
        database = await Database.open(
            database_url,
            connections_max=_CONNECTIONS,
            randomness=SystemRandomness(),
            # Another name than that of the node's own connections, which a takeover ends.
            holder=connection_name(f"leases {holder}"),
        )
    except BaseException:
        os.close(lock)
        raise
    try:
        await migrate(database)
    except BaseException:
        await database.close()
        os.close(lock)
        raise
    leases = PostgresLeases(database, node)
    singles = single(roles)
    watch = Watch(holder, alone=alone, ended=_Neighbours(config.data, place).ended)
    return OwnProcess(
        holder=holder,
        roles=roles,
        leases=leases,
        keeper=LeaseKeeper(leases, singles, watch) if singles else None,
        password=SystemRandomness().token(_PASSWORD_BYTES).hex(),
        state_file=config.data / (f"node.{place}.json" if place else STATE_FILE),
        clock=SystemClock(),
        _node=node,
        _database=database,
        _lock=lock,
    )


def _place(data: Path) -> tuple[int, int]:
    """Which of the processes on this data folder this one is, and the lock that says so.

    The system lets go of the lock when the process dies, so that whoever has it knows that no
    other process lives under its name. Raises Refused if there are too many.
    """
    for place in range(_PROCESSES_MAX):
        lock = os.open(_lock_file(data, place), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        for wait_s in (0.0, _ASKED_S):
            time.sleep(wait_s)
            if _locked(lock):
                return place, lock
        os.close(lock)
    raise Refused(
        f"{_PROCESSES_MAX} processes run on {data} already",
        code="too_many_processes",
        remedy="end some of them, or give further ones a data folder of their own",
    )


def _lock_file(data: Path, place: int) -> Path:
    return data / (f"process.{place}.lock" if place else "process.lock")


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class _Neighbours:
    """The other processes on this data folder of this machine: whose lock is free has ended.

    The system frees the lock of a process that was killed before anybody could notice otherwise.
    It only says when a lease may be asked for; what may be written, the epoch says.
    """

    def __init__(self, data: Path, place: int) -> None:
        others = (other for other in range(_PROCESSES_MAX) if other != place)
        self._files = {_holder(data, other): _lock_file(data, other) for other in others}

    def ended(self, holder: str) -> bool:
        """Whether the process of that name has ended; false of one that is not known here."""
        file = self._files.get(holder)
        if file is None:
            return False
        try:
            lock = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return _locked(lock)
        finally:
            os.close(lock)


def _holder(data: Path, place: int) -> str:
    """A name that no other process bears: machine, folder and place, the machine's name in front.

    The same after a restart, so that who comes back takes at once what he held.
    """
    host = socket.gethostname()
    machine = _MACHINE_ID.read_bytes().strip() if _MACHINE_ID.is_file() else b""
    told = b"\0".join((machine, host.encode(), os.fsencode(data.resolve()), b"%d" % place))
    plain = re.sub(r"[^A-Za-z0-9-]", "-", host)[:_NAME_CHARS]
    return f"{plain}-{hashlib.sha256(told).hexdigest()[:10]}"
