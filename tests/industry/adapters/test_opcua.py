"""Which machines may be asked: the refusal comes before any packet."""

from __future__ import annotations

import ipaddress
import subprocess
import sys

import pytest

from zhidao.core.ambient import HandClock
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.judging import IN_PLACE, Judges
from zhidao.core.timescale import Utc
from zhidao.industry.adapters.opcua import NETWORKS_MAX, OpcUaMachines, machine_networks_of
from zhidao.node.runtime.workers import Workers

CLOCK = HandClock(Utc.parse("2026-05-01T09:00:00Z"))


async def ask(endpoint: str, networks: str = "", judges: Judges = IN_PLACE) -> None:
    machines = OpcUaMachines(CLOCK, judges, machine_networks_of(networks))
    await machines.readings(endpoint, ["torque"], 1)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "192.168.1.9", "169.254.169.254", "[::1]", "[fd00::1]", "[fe80::1]"],
)
@pytest.mark.parametrize("networks", ["", "10.1.0.0/16, 192.168.2.0/24, fd01::/16"])
async def test_a_private_address_is_refused_with_the_name_of_the_setting(host, networks):
    with pytest.raises(Refused, match=r"industry\.machine_networks") as refused:
        await ask(f"opc.tcp://{host}:4840", networks)
    assert refused.value.code == "address_not_allowed"
    assert "industry.machine_networks" in refused.value.remedy


@pytest.mark.parametrize(
    ("host", "networks"),
    [
        ("10.0.0.1", "127.0.0.0/8"),
        ("[::ffff:10.0.0.1]", "127.0.0.0/8, ::/0"),
        ("[::ffff:7f00:1]", "10.0.0.0/8"),
        ("224.0.0.1", "224.0.0.0/4"),
        ("0.0.0.0", "0.0.0.0/0"),
        ("[::]", "::/0"),
        ("[ff02::1]", "ff00::/8"),
    ],
)
async def test_no_spelling_of_an_address_gets_around_the_networks(host, networks):
    with pytest.raises(Refused) as refused:
        await ask(f"opc.tcp://{host}:4840", networks)
    assert refused.value.code == "address_not_allowed"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]"])
async def test_an_address_inside_an_allowed_network_is_tried(host):
    # Port 1 of this machine: nobody listens, so the outside world fails, and no rule.
    workers = Workers()
    try:
        with pytest.raises(Unavailable, match="does not answer") as refused:
            await ask(f"opc.tcp://{host}:1", "127.0.0.0/8", workers)
    finally:
        workers.shutdown(wait=False)
    assert refused.value.code == "machine_unavailable"
    assert "OPC UA server" in refused.value.remedy


async def test_reading_a_machine_imports_nothing_into_the_node() -> None:
    # The import of asyncua holds the interpreter for a third of a second in one step.
    said = "import sys; import zhidao.node.wiring.node; print('asyncua' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1", "opc.tcp://", "opc.tcp://10.0.0.1" + "0" * 200]
)
async def test_what_is_no_endpoint_is_malformed(endpoint):
    with pytest.raises(MalformedInput, match="not an OPC UA endpoint"):
        await ask(endpoint, "0.0.0.0/0")


async def test_names_are_refused_since_somebody_else_says_what_they_mean():
    with pytest.raises(Refused, match="is a name"):
        await ask("opc.tcp://machine.example:4840", "0.0.0.0/0")


def test_networks_are_addresses_and_blocks_between_commas():
    assert machine_networks_of("") == ()
    assert machine_networks_of(" 10.20.0.0/16 ,127.0.0.1, fd00::/8,") == (
        ipaddress.ip_network("10.20.0.0/16"),
        ipaddress.ip_network("127.0.0.1/32"),
        ipaddress.ip_network("fd00::/8"),
    )


@pytest.mark.parametrize("text", ["10.20.0.1/16", "factory", "10.0.0.0/33", "10.0.0.0-10.0.0.9"])
def test_what_is_no_network_is_malformed_in_the_setting(text):
    with pytest.raises(MalformedInput) as refused:
        machine_networks_of(text)
    assert refused.value.where == "industry.machine_networks"
    with pytest.raises(MalformedInput, match="at most"):
        machine_networks_of(",".join(["10.0.0.1"] * (NETWORKS_MAX + 1)))
