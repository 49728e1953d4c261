"""What the service manager hears."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from zhidao.node.adapters.service_manager import ServiceManager


@pytest.fixture
def ear(tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(2)
        yield listening


def manager(ear: socket.socket, **more: str) -> ServiceManager:
    return ServiceManager.of({"NOTIFY_SOCKET": ear.getsockname(), **more}, 7)


def test_it_hears_that_the_node_is_ready_and_that_it_stops(ear):
    told = manager(ear)
    told.ready("serves")
    assert ear.recv(200) == b"READY=1\nSTATUS=serves"
    told.stopping()
    assert ear.recv(200) == b"STOPPING=1"


async def test_it_hears_twice_in_each_period_that_the_loop_turns(ear):
    told = manager(ear, WATCHDOG_USEC="100000", WATCHDOG_PID="7")
    assert told.watchdog_s == 0.1
    work = asyncio.create_task(told.keep_alive())
    await asyncio.sleep(0.18)
    work.cancel()
    assert [ear.recv(200) for _ in range(3)] == [b"WATCHDOG=1"] * 3


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_a_unix_socket_nothing_is_said(environment):
    told = ServiceManager.of({**environment, "WATCHDOG_USEC": "1000"}, 7)
    assert told == ServiceManager("", 0.0)
    told.ready("unheard")


@pytest.mark.parametrize(
    "more", [{"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "8"}, {}]
)
def test_a_watchdog_of_another_process_or_without_a_number_counts_as_none(ear, more):
    assert manager(ear, **more).watchdog_s == 0.0


def test_a_manager_that_went_away_does_not_take_the_node_down(tmp_path):
    ServiceManager(str(tmp_path / "gone"), 0.0).ready("unheard")
