"""Three machines on loopback from the files of a plan: started, killed and stopped as machines.

Nothing here is configured: what runs is each unit's ExecStart, as its User if this is root.
"""

from __future__ import annotations

import asyncio
import configparser
import contextlib
import json
import os
import pwd
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
from tests.node.leases.processes_bench import Process, Rig, until

from zhidao.cli.main import main
from zhidao.node.adapters.availability.asking import ask_machines
from zhidao.node.adapters.availability.folder import Opened, open_plan
from zhidao.node.availability.findings import Finding, findings_of
from zhidao.node.availability.machines import Machine

ETCD = "/usr/bin/etcd"
PATRONI = os.environ.get("ZHIDAO_TEST_PATRONI", "/opt/patroni/venv/bin/patroni")
POSTGRES = os.environ.get("ZHIDAO_TEST_PATRONI_POSTGRES", "/usr/lib/postgresql/17/bin")
PARTS = ("etcd", "bus", "patroni")
START_S = 120.0


def what_is_missing() -> str:
    """Why no cluster can be started here; empty if one can."""
    if os.environ.get("ZHIDAO_TEST_NO_CLUSTER"):
        return "ZHIDAO_TEST_NO_CLUSTER is set"
    if not os.access(ETCD, os.X_OK):
        return f"no {ETCD} (Debian: apt-get install etcd-server)"
    if not os.access(PATRONI, os.X_OK):
        return f"no {PATRONI} (docs/how-to/high-availability.md; or ZHIDAO_TEST_PATRONI)"
    if not os.access(f"{POSTGRES}/postgres", os.X_OK):
        return f"no PostgreSQL 17 in {POSTGRES} (or ZHIDAO_TEST_PATRONI_POSTGRES)"
    return ""


def first_ports(many: int, apart: int = 10) -> list[int]:
    """First ports of rows that are free now, below those that the system gives away."""
    for _ in range(200):
        first = random.SystemRandom().randrange(15_000, 30_000)
        if all(_is_free(port) for port in range(first, first + many * apart)):
            return [first + number * apart for number in range(many)]
    raise AssertionError("no free row of ports")


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass
class Cluster:
    """Three machines. `processes`: what runs, by machine and part."""

    folder: Path
    processes: dict[tuple[str, str], subprocess.Popen[bytes]] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()

    def inside(self, name: str) -> list[str]:
        """What a command is begun with to run on a machine: nothing where all share a network."""
        return []

    @property
    def plan(self) -> Path:
        return self.folder / "plan"

    def make(self, *more: str) -> Self:
        """Writes the plan by the command itself, and prepares each machine by its script."""
        me = pwd.getpwuid(os.getuid()).pw_name
        root = os.getuid() == 0
        users = ["etcd", "postgres", me] if root else [me, me, me]
        alone = [f"127.0.0.1:{port}" for port in first_ports(3)]
        machines = ",".join(self.addresses or alone)
        words = ["ha", "plan", "--machines", machines, "--output", str(self.plan)]
        words += ["--root", str(self.plan), "--state", str(self.folder / "state")]
        words += ["--etcd", ETCD, "--patroni", PATRONI, "--postgres", POSTGRES]
        words += ["--zhidao", str(Path(sys.executable).with_name("zhidao"))]
        for option, user in zip(("etcd", "postgres", "node"), users, strict=True):
            words += [f"--{option}-user", user]
        assert main([*words, *more]) == 0
        for machine in self.machines:
            subprocess.run(["sh", str(self.plan / machine.name / "prepare")], check=True)
        return self

    @property
    def opened(self) -> Opened:
        return open_plan(self.plan)

    @property
    def machines(self) -> tuple[Machine, ...]:
        return self.opened.planned.machines

    def machine(self, name: str) -> Machine:
        return next(each for each in self.machines if each.name == name)

    def start(self, name: str, *parts: str) -> None:
        """Starts parts of a machine as their units say."""
        for part in parts or PARTS:
            self.processes[name, part] = self._run(name, part)

    def _run(self, name: str, part: str) -> subprocess.Popen[bytes]:
        command, user = self.unit(name, part)
        if os.getuid() == 0 and user != "root":
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *command]
        command = [*self.inside(name), *command]
        log = self.folder / f"{name}-{part}.log"
        with log.open("ab") as told:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                start_new_session=True,
            )

    def unit(self, name: str, part: str) -> tuple[list[str], str]:
        """What a unit runs, and as whom."""
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read(self.plan / name / "units" / f"zhidao-ha-{part}.service")
        return shlex.split(unit["Service"]["ExecStart"]), unit["Service"]["User"]

    def kill(self, name: str, *parts: str) -> None:
        """Kills parts of a machine, or all of it: -9, in one go, PostgreSQL too."""
        pids = [
            self.processes[name, part].pid
            for part in parts or PARTS
            if (name, part) in self.processes and self.processes[name, part].poll() is None
        ]
        if not parts or "patroni" in parts:
            pids += self.postgres_pids(name)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for part in parts or PARTS:
            if process := self.processes.pop((name, part), None):
                process.wait()

    def kill_postmaster(self, name: str) -> None:
        """Kills PostgreSQL alone, as a crash does; Patroni is left."""
        for pid in self.postgres_pids(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def postgres_pids(self, name: str) -> list[int]:
        """The postmaster of a machine and its children."""
        file = self.folder / "state" / name / "postgres" / "data" / "postmaster.pid"
        if not file.exists():
            return []
        postmaster = int(file.read_text().split("\n", 1)[0])
        parents = dict(_parents())
        if postmaster not in parents:
            return []
        return [postmaster, *(pid for pid, parent in parents.items() if parent == postmaster)]

    def close(self) -> None:
        """Ends everything that was started here."""
        for name in {name for name, _ in self.processes}:
            self.kill(name)
        # What Patroni was starting when it was killed comes up by itself.
        time.sleep(0.2)
        for machine in self.machines if (self.plan / "plan.json").exists() else ():
            self.kill_postmaster(machine.name)

    async def findings(self) -> list[Finding]:
        """What `zhidao ha check` says of the machines; the node is not asked."""
        told = findings_of(await ask_machines(self.opened))
        return [each for each in told if not each.code.startswith("node")]

    async def well(self, seconds: float = START_S) -> float:
        """Waits until nothing is wrong; how many seconds that took."""
        begun_s, found = time.monotonic(), list[Finding]()
        while time.monotonic() < begun_s + seconds:
            found = await self.findings()
            # The stream is the node's, and not there before it.
            if {each.code for each in found} <= {"stream_absent"}:
                return time.monotonic() - begun_s
            await asyncio.sleep(0.5)
        raise AssertionError(f"after {seconds} s: {found}\n{self.logs()}")

    def leader(self) -> str:
        """The machine whose PostgreSQL writes."""
        return next(each.name for each in self.machines if self.recovering(each) is False)

    def synchronous(self) -> str:
        """The standby whose copy a commit waits for."""
        rows = self.ask(
            self.leader(),
            "select application_name from pg_stat_replication where sync_state in ('sync','quorum')",
        )
        return str(rows[0][0])

    def recovering(self, machine: Machine) -> bool | None:
        """Whether its PostgreSQL is a standby; None if it does not answer."""
        try:
            return bool(self.ask(machine.name, "select pg_is_in_recovery()")[0][0])
        except psycopg.OperationalError:
            return None

    def ask(self, name: str, sql: str) -> list[tuple[Any, ...]]:
        """Rows of one machine's own PostgreSQL, as its superuser by its socket."""
        machine, secrets = self.machine(name), self.opened.secrets
        with psycopg.connect(
            host=str(self.folder / "state" / name / "postgres" / "run"),
            port=machine.ports.database,
            user="postgres",
            password=secrets.superuser,
            dbname="postgres",
            connect_timeout=2,
        ) as link:
            return link.execute(sql.encode()).fetchall()

    def url(self) -> str:
        """The node's own database, wherever it writes now: for who counts afterwards."""
        name = self.leader()
        machine, secrets = self.machine(name), self.opened.secrets
        folder = self.folder / "state" / name / "postgres" / "run"
        return (
            f"postgresql://postgres:{secrets.superuser}@/zhidao?host={folder}"
            f"&port={machine.ports.database}"
        )

    def patronictl(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Patroni's own command, by a machine's own file."""
        program = str(Path(PATRONI).with_name("patronictl"))
        config = str(self.plan / name / "patroni" / "patroni.yaml")
        return subprocess.run(
            [*self.inside(name), program, "-c", config, *words],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def logs(self) -> str:
        """The end of each log, for a test that failed."""
        return "\n".join(
            f"== {log.name}\n{log.read_text(errors='replace')[-600:]}"
            for log in sorted(self.folder.glob("*.log"))
        )


def _parents() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError, ValueError, IndexError):
                stat = (entry / "stat").read_text()
                yield int(entry.name), int(stat.rpartition(")")[2].split()[1])


@dataclass
class HaRig(Rig):
    """Processes of the node on a cluster, each by the settings file that its machine was given."""

    cluster: Cluster | None = None

    async def __aenter__(self) -> Self:
        """The cluster is there; keys are made by the first process and shared by the others."""
        return self

    async def start_on(self, name: str) -> Process:
        """Starts the node of a machine as its unit does, but as a demonstration that says more."""
        assert self.cluster is not None
        command, _ = self.cluster.unit(name, "node")
        data = self.cluster.folder / "state" / name / "node"
        keys = next((each.parent for each in self._homes() if each.parent != data), None)
        if keys and not (data / "keys").exists():
            (data / "keys").symlink_to(keys / "keys")
        out = self.folder / f"node-{name}-{len(self.processes)}.out"
        with out.open("wb") as told, out.with_suffix(".log").open("wb") as log:
            child = await asyncio.create_subprocess_exec(
                *self.cluster.inside(name),
                *command,
                "--json",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=told,
                stderr=log,
                env=os.environ
                | {
                    "ZHIDAO_NODE_DEMO": "true",
                    "ZHIDAO_HTTP_REQUESTS_PER_SECOND": "0",
                    "ZHIDAO_HTTP_REFUSALS_PER_SECOND": "0",
                    **self.settings,
                },
            )
        process = Process(self.cluster.machine(name).ports.node, child, out)
        self.processes.append(process)
        await until(lambda: bool(process.told()) or child.returncode is not None, START_S)
        assert child.returncode is None, self.log_of(process)
        return process

    def _homes(self) -> list[Path]:
        assert self.cluster is not None
        found = (self.cluster.folder / "state").glob("*/node/keys")
        return [each for each in found if not each.is_symlink()]

    def state(self) -> dict[str, Any]:
        assert self.cluster is not None
        files = (self.cluster.folder / "state").glob("*/node/node*.json")
        found = [json.loads(file.read_bytes()) for file in files]
        return next(each for each in found if not each["standby"])


@contextlib.contextmanager
def cluster_in(
    folder: Path, *more: str, kind: Callable[[Path], Cluster] = Cluster
) -> Iterator[Cluster]:
    """A cluster of three that is ended in the end; its folder is one that servers can enter."""
    cluster = kind(folder)
    folder.chmod(0o711)
    try:
        yield cluster.make(*more)
    finally:
        cluster.close()


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for the name of a socket."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="zd-ha-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
