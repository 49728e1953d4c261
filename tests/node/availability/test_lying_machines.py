"""Machines of a plan that answer, and lie: the check ends within its time and says what they told."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from zhidao.cli.main import main
from zhidao.node.availability.seen import MachineSeen
from zhidao.node.library import see_machines

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_DEEP = b"[" * 50_000 + b"]" * 50_000
Lie = Callable[[socket.socket], None]


def _deep(line: socket.socket) -> None:
    line.sendall(_HEAD + b"Content-Length: %d\r\n\r\n" % len(_DEEP) + _DEEP)


def _flood(line: socket.socket) -> None:
    line.sendall(_HEAD + b"\r\n")
    while True:
        line.sendall(b"[" * 65536)


def _drip(line: socket.socket) -> None:
    line.sendall(_HEAD)
    while True:
        line.sendall(b"X")
        time.sleep(0.3)


def _bus(lie: Lie) -> Lie:
    """What the same liar says where a bus would greet: short enough to be read as a line."""
    deep = b"INFO " + b'{"a":' * 3_000 + b"1" + b"}" * 3_000 + b"\r\n"
    return (lambda line: line.sendall(deep)) if lie is _deep else lie


def _free_ports() -> int:
    """The first of thirty ports that are free, below those that callers are given."""
    for first in range(20_000 + os.getpid() % 100 * 100, 32_000, 100):
        with ExitStack() as held:
            try:
                for port in range(first, first + 30):
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
        return first
    raise AssertionError("no thirty ports are free")


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Callable[[Lie], Path]]:
    """Gives a plan of three machines here, all parts of which tell one lie."""
    first = _free_ports()
    words = ",".join(f"m{number}=127.0.0.1:{first + 10 * number}" for number in range(3))
    folder = tmp_path / "plan"
    assert main(["ha", "plan", "--machines", words, "--output", str(folder)]) == 0
    listening: list[socket.socket] = []

    def answer(line: socket.socket, lie: Lie, context: ssl.SSLContext | None) -> None:
        try:
            told = context.wrap_socket(line, server_side=True) if context else line
            with told:
                if context:
                    told.recv(65536)
                lie(told)
                told.settimeout(5)
                while told.recv(65536):
                    pass  # Who closes with something unread takes its answer back.
        except OSError:
            pass  # It is heard no more.

    def serve(host: socket.socket, lie: Lie, context: ssl.SSLContext | None) -> None:
        while True:
            try:
                line, _ = host.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(line, lie, context), daemon=True).start()

    def begin(lie: Lie) -> Path:
        for number in range(3):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            own = folder / f"m{number}" / "etcd"
            context.load_cert_chain(own / "certificate.pem", own / "key.pem")
            # The order of `Ports`: the API of etcd, Patroni's, the bus, the node.
            for place, trust in ((0, context), (3, context), (4, None), (6, None)):
                host = socket.create_server(("127.0.0.1", first + 10 * number + place))
                listening.append(host)
                told = _bus(lie) if place == 4 else lie
                threading.Thread(target=serve, args=(host, told, trust), daemon=True).start()
        return folder

    yield begin
    for host in listening:
        # Closing alone wakes nobody who waits for a caller.
        host.shutdown(socket.SHUT_RDWR)
        host.close()


def _said(machine: MachineSeen) -> dict[str, object]:
    return {name: getattr(machine, name) for name in ("etcd", "patroni", "node", "bus", "database")}


@pytest.mark.parametrize(
    ("lie", "wanted"),
    [(_deep, "64 levels"), (_flood, "more than 16777216 bytes"), (_drip, "no ")],
    ids=["deep", "flood", "drip"],
)
def test_what_is_wrong_is_said_of_each_part(
    plan: Callable[[Lie], Path], lie: Lie, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = plan(lie)
    begun_s = time.monotonic()
    seen = see_machines(folder)
    assert time.monotonic() - begun_s < 25
    for machine in seen.machines:
        told = _said(machine)
        assert all(isinstance(each, str) and each for each in told.values()), told
        for part in ("etcd", "patroni", "node"):
            assert wanted in str(told[part]) or "no answer within" in str(told[part]), told
    assert main(["ha", "check", "--plan", str(folder)]) in (1, 3)
    assert "m0" in capsys.readouterr().out
