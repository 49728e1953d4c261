from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.node.config import load
from zhidao.node.http.hosts import Hosts, Misdirected, node_hosts


def scope(*hosts: bytes, server: str = "192.0.2.7") -> dict[str, Any]:
    return {"headers": [(b"host", host) for host in hosts], "server": (server, 8443)}


HOSTS = Hosts(["Node.Example", "*.corridor.example", ""])


@pytest.mark.parametrize(
    "host",
    [
        b"node.example",
        b"NODE.example:8443",
        b"node.example.",
        b"a.corridor.example",
        b"localhost:1",
        b"127.0.0.1:9",
        b"127.8.8.8",
        b"[::1]:8443",
        b"192.0.2.7:8443",
    ],
)
def test_the_node_answers_to_its_names_to_loopback_and_to_where_it_was_reached(host: bytes) -> None:
    HOSTS.check(scope(host))


def test_an_address_of_this_machine_is_known_in_its_ipv6_forms() -> None:
    HOSTS.check(scope(b"192.0.2.7", server="::ffff:192.0.2.7"))
    HOSTS.check(scope(b"[fe80::1]", server="fe80::1%eth0"))


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example",
        b"node.example.evil.example",
        b"corridor.example",
        b"a.b.corridor.example",
        b"192.0.2.8",
        b"localhost.evil.example",
        b"127.0.0.1.evil.example",
    ],
)
def test_any_other_host_is_misdirected(host: bytes) -> None:
    with pytest.raises(Misdirected, match="does not answer as"):
        HOSTS.check(scope(host))


@pytest.mark.parametrize(
    "hosts", [(), (b"localhost", b"localhost"), (b"",), (b"a b",), (b"localhost@evil",), (b"\xff",)]
)
def test_a_request_names_one_host(hosts: tuple[bytes, ...]) -> None:
    with pytest.raises(MalformedInput, match="one host"):
        HOSTS.check(scope(*hosts))


def test_the_settings_and_the_machine_name_the_node(tmp_path: Path) -> None:
    settings = {
        "http.host": "0.0.0.0",
        "http.public_host": "node.example:8443",
        "http.names": "gate.example, *.inside.example",
    }
    hosts = node_hosts(load(None, {}, settings))
    for name in ("node.example", "gate.example", "x.inside.example", socket.gethostname()):
        hosts.check(scope(name.encode()))
    with pytest.raises(Misdirected):
        hosts.check(scope(b"other.example"))
