"""Three machines with a network between them: a namespace each, a bridge that one can be cut from.

Callers reach each machine by a wire of its own, so that they still do when it is cut off.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.node.availability.cluster_rig import Cluster, HaRig
from tests.node.leases.processes_bench import Process

from zhidao.node.availability.findings import Finding

_DOOR = 9000
# Passes connections on to the node, which listens at loopback of its machine.
_FORWARDER = """
import asyncio, sys
async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
async def serve(reader, writer):
    try:
        there = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    except OSError:
        writer.close()
        return
    await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))
async def main():
    server = await asyncio.start_server(serve, "0.0.0.0", int(sys.argv[1]))
    async with server:
        await server.serve_forever()
asyncio.run(main())
"""


def why_no_network() -> str:
    """Why no namespaces can be made here; empty if they can."""
    if os.getuid() != 0:
        return "namespaces are made by root alone"
    name = f"zdt{os.getpid()}"
    try:
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    except FileNotFoundError:
        return "no ip (Debian: apt-get install iproute2)"
    if made.returncode:
        return made.stderr.decode().strip()
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return ""


@dataclass
class NetworkCluster(Cluster):
    """As `Cluster`, each machine in a namespace at 10.77.N.1 to 3, for callers at 10.78.N.…"""

    @property
    def _net(self) -> int:
        return os.getpid() % 250

    def make(self, *more: str) -> Self:
        self.addresses = tuple(f"m{n}=10.77.{self._net}.{n}" for n in (1, 2, 3))
        bridge = f"zdb{self._net}"
        _ip("link", "add", bridge, "type", "bridge")
        _ip("link", "set", bridge, "up")
        for number in (1, 2, 3):
            inside, wire, own = (
                self._space(number),
                f"zdw{self._net}{number}",
                f"zdc{self._net}{number}",
            )
            _ip("netns", "add", inside)
            _ip("link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", inside)
            _ip("link", "set", wire, "master", bridge, "up")
            _ip("link", "add", own, "type", "veth", "peer", "name", "eth1", "netns", inside)
            _ip("addr", "add", f"10.78.{self._net}.{4 * number + 1}/30", "dev", own)
            _ip("link", "set", own, "up")
            for words in (
                ("addr", "add", f"10.77.{self._net}.{number}/24", "dev", "eth0"),
                ("addr", "add", f"10.78.{self._net}.{4 * number + 2}/30", "dev", "eth1"),
                *(("link", "set", each, "up") for each in ("lo", "eth0", "eth1")),
            ):
                _ip("-n", inside, *words)
        return super().make(*more)

    def _space(self, number: int) -> str:
        return f"zd{self._net}m{number}"

    def inside(self, name: str) -> list[str]:
        return ["ip", "netns", "exec", self._space(int(name[1:]))]

    def outside(self, name: str) -> str:
        """Where callers reach a machine."""
        return f"10.78.{self._net}.{4 * int(name[1:]) + 2}"

    def within(self, name: str) -> str:
        """Where the other machines reach it."""
        return f"10.77.{self._net}.{name[1:]}"

    def cut(self, name: str) -> None:
        """Nothing goes between this machine and the others any more, and nobody is told."""
        _ip("link", "set", f"zdw{self._net}{name[1:]}", "nomaster")

    def heal(self, name: str) -> None:
        _ip("link", "set", f"zdw{self._net}{name[1:]}", "master", f"zdb{self._net}")

    async def findings(self) -> list[Finding]:
        """What the command says on a machine; the node is not asked."""
        command = [*self.inside("m1"), str(Path(sys.executable).with_name("zhidao"))]
        child = await asyncio.create_subprocess_exec(
            *(*command, "ha", "check", "--plan", str(self.plan), "--json"),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await child.communicate()
        found = [Finding(**each) for each in json.loads(out)["findings"]]
        return [each for each in found if not each.code.startswith("node")]

    def forward(self, name: str) -> None:
        """Opens the door by which callers and other machines reach the node."""
        port = str(self.machine(name).ports.node)
        command = [*self.inside(name), sys.executable, "-c", _FORWARDER, str(_DOOR), port]
        self.processes[name, "door"] = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def close(self) -> None:
        doors = [process for (_, part), process in self.processes.items() if part == "door"]
        for door in doors:
            door.kill()
            door.wait()
        super().close()
        for number in (1, 2, 3):
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "del", self._space(number))
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("link", "del", f"zdb{self._net}")


@dataclass
class ThereProcess(Process):
    """A process of the node on a machine that callers reach by its door."""

    address: str = ""

    @property
    def url(self) -> str:
        return f"http://{self.address}:{_DOOR}"


@dataclass
class NetworkRig(HaRig):
    """Processes of the node in the namespaces of their machines."""

    async def start_on(self, name: str) -> Process:
        cluster = self.cluster
        assert isinstance(cluster, NetworkCluster)
        cluster.forward(name)
        self.settings = {
            "ZHIDAO_HTTP_HOST": "127.0.0.1",
            "ZHIDAO_HTTP_TLS": "off",
            "ZHIDAO_HTTP_NAMES": ",".join(
                way(each.name)
                for each in cluster.machines
                for way in (cluster.outside, cluster.within)
            ),
            "ZHIDAO_NODE_PROCESS_URL": f"http://{cluster.within(name)}:{_DOOR}",
            "ZHIDAO_DEVICES_HOST": "127.0.0.1",
        }
        made = await super().start_on(name)
        there = ThereProcess(made.port, made.child, made.out, cluster.outside(name))
        self.processes[-1] = there
        return there


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
