"""Machines over OPC UA: values read in batches from variables under Objects/Machine."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from zhidao.core.ambient import Clock
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.judging import Effort, Judges
from zhidao.core.programs.extras import command_for
from zhidao.core.timescale import Utc
from zhidao.industry.domain.quality import GOOD, Reading

NAMESPACE: Final = "urn:zhidao:machine"
MACHINE: Final = "Machine"
CONNECT_S: Final = 4.0
TOTAL_S: Final = 15.0
SETTING: Final = "industry.machine_networks"
NETWORKS_MAX: Final = 64
# Importing asyncua is most of it.
READING: Final = Effort(cpu_s=12.0)
_INTERVAL_S: Final = 0.04
# OPC UA Part 4, section 7.38: severity and sub-code; the rest tells of structure and limits.
_STATUS_BITS: Final = 0xFFFF_0000
# OPC UA did not exist before; a server without a clock counts from 1601.
_FIRST_YEAR: Final = 1990


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def machine_networks_of(text: str) -> tuple[Network, ...]:
    """Networks by commas, each an address or a CIDR block; empty text: none.

    Raises MalformedInput, which names the setting.
    """
    networks = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            networks.append(ipaddress.ip_network(part))
        except ValueError as error:
            raise MalformedInput(
                f"{part[:60]!r} is no network: {error}",
                where=SETTING,
                remedy="give networks such as 10.20.0.0/16, with commas between",
            ) from error
    if len(networks) > NETWORKS_MAX:
        raise MalformedInput(f"{len(networks)} networks; at most {NETWORKS_MAX}", where=SETTING)
    return tuple(networks)


class OpcUaMachines:
    """Reads machines with asyncua. Private addresses only in the networks that are allowed.

    Reading happens in a process of the `judges`: importing asyncua alone takes more than a second,
    a third of one in a single step that no other thread of the program can interrupt, and only a
    factory pays for it.
    """

    def __init__(self, clock: Clock, judges: Judges, allowed: Sequence[Network] = ()) -> None:
        self._clock = clock
        self._judges = judges
        self._allowed = tuple(allowed)

    async def readings(self, endpoint: str, names: Sequence[str], count: int) -> list[Reading]:
        """`count` answers for each name, 40 ms apart, with status and both times as they came."""
        self._check_address(endpoint)
        return await self._judges.run(READING, read_machine, endpoint, tuple(names), count)

    def _check_address(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme != "opc.tcp" or not parts.hostname or len(endpoint) > 200:
            raise MalformedInput(f"not an OPC UA endpoint: {endpoint[:80]!r}")
        try:
            address = ipaddress.ip_address(parts.hostname)
        except ValueError as error:
            raise Refused(
                f"the endpoint {parts.hostname} is a name", remedy="give the machine's address"
            ) from error
        # ::ffff:10.0.0.1 reaches 10.0.0.1, whatever the version of Python thinks of it.
        address = getattr(address, "ipv4_mapped", None) or address
        if address.is_multicast or address.is_unspecified:
            raise Refused(f"{address} is the address of no machine", code="address_not_allowed")
        inside = any(
            address.version == network.version and address in network for network in self._allowed
        )
        if not address.is_global and not inside:
            raise Refused(
                f"{address} is a private address outside the networks of {SETTING}",
                code="address_not_allowed",
                remedy=f"the operator adds its network to the setting {SETTING}",
            )


def read_machine(endpoint: str, names: tuple[str, ...], count: int) -> list[Reading]:
    """`count` times the answer for each name, with status and the machine's own times.

    For a process or thread without a running loop. Raises MalformedInput for what the machine
    does not have or is no variable of numbers, Unavailable if it does not answer.
    """
    return asyncio.run(_read(endpoint, names, count))


async def _read(endpoint: str, names: tuple[str, ...], count: int) -> list[Reading]:
    try:
        from asyncua import Client, ua
    except ModuleNotFoundError as error:
        raise Unavailable(
            "reading a machine needs the package asyncua, which is not installed",
            code="no_opcua",
            remedy=command_for("opcua"),
        ) from error
    try:
        async with asyncio.timeout(TOTAL_S):
            async with Client(endpoint, timeout=CONNECT_S) as client:
                return await _values(client, endpoint, names, count)
    except ua.UaStatusCodeError as error:
        raise MalformedInput(f"the machine refused: {error}", where=endpoint) from error
    except (OSError, TimeoutError, ConnectionError, ua.UaError) as error:
        raise Unavailable(
            f"the machine at {endpoint} does not answer: {error or type(error).__name__}",
            code="machine_unavailable",
            remedy="check that its OPC UA server runs",
        ) from error


async def _values(client: Any, endpoint: str, names: tuple[str, ...], count: int) -> list[Reading]:
    from asyncua import ua

    try:
        index = await client.get_namespace_index(NAMESPACE)
        machine = await client.nodes.objects.get_child([f"{index}:{MACHINE}"])
        nodes = [await machine.get_child([f"{index}:{name}"]) for name in names]
    except (ValueError, ua.UaStatusCodeError) as error:
        raise MalformedInput(
            f"the machine has no such value: {', '.join(names)}", where=endpoint
        ) from error
    ask = ua.ReadParameters()
    # The server's own time as well, so that the evidence shows both.
    ask.TimestampsToReturn = ua.TimestampsToReturn.Both
    ask.NodesToRead = [
        ua.ReadValueId(NodeId=node.nodeid, AttributeId=ua.AttributeIds.Value) for node in nodes
    ]
    found: list[Reading] = []
    for turn in range(count):
        if turn:
            await asyncio.sleep(_INTERVAL_S)
        values = await client.uaclient.read(ask)
        found += [
            reading_of(name, value, endpoint) for name, value in zip(names, values, strict=True)
        ]
    return found


def reading_of(name: str, value: Any, endpoint: str) -> Reading:
    """A DataValue of OPC UA as it came. Raises MalformedInput for a Good value that is no number.

    Good is the code 0 alone: GoodLocalOverride is what somebody set by hand, GoodClamped is no
    measurement. The low 16 bits say how the value came about and change nothing.
    """
    code = value.StatusCode.value if value.StatusCode is not None else 0
    status = GOOD if code & _STATUS_BITS == 0 else value.StatusCode.name or f"0x{code:08X}"
    variant = value.Value
    raw = variant.Value if variant is not None else None
    is_number = isinstance(raw, int | float) and not isinstance(raw, bool)
    if status == GOOD and not is_number:
        raise MalformedInput(f"{name} is no number: {str(raw)[:40]!r}", where=endpoint)
    return Reading(
        name=name,
        value=_finite(raw) if is_number else None,
        type=variant.VariantType.name if variant is not None else "",
        status=status,
        source_at=_instant(value.SourceTimestamp),
        server_at=_instant(value.ServerTimestamp),
    )


def _finite(raw: Any) -> Decimal | None:
    number = Decimal(repr(raw))
    return number if number.is_finite() else None


def _instant(stated: datetime | None) -> Utc | None:
    """A machine's time. It bears no zone and is UTC; a year such as 1601 says that none is set."""
    if stated is None or stated.year < _FIRST_YEAR:
        return None
    return Utc.from_datetime(stated.replace(tzinfo=UTC))
