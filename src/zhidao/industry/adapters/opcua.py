"""Machines over OPC UA: values read in batches from variables under Objects/Machine."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from zhidao.core.ambient import Clock
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.timescale import Utc
from zhidao.industry.domain.quality import Sample

NAMESPACE: Final = "urn:zhidao:machine"
MACHINE: Final = "Machine"
CONNECT_S: Final = 4.0
TOTAL_S: Final = 15.0
SETTING: Final = "industry.machine_networks"
NETWORKS_MAX: Final = 64
_INTERVAL_S: Final = 0.04


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
    """Reads machines with asyncua. Private addresses only in the networks that are allowed."""

    def __init__(self, clock: Clock, allowed: Sequence[Network] = ()) -> None:
        self._clock = clock
        self._allowed = tuple(allowed)

    async def samples(self, endpoint: str, names: Sequence[str], count: int) -> list[Sample]:
        """`count` values of each name, 40 ms apart. Source time where the machine gives one."""
        self._check_address(endpoint)
        # asyncua takes more than a second to import; only a factory pays for it.
        from asyncua import Client, ua

        try:
            async with asyncio.timeout(TOTAL_S):
                async with Client(endpoint, timeout=CONNECT_S) as client:
                    return await self._read(client, endpoint, names, count)
        except ua.UaStatusCodeError as error:
            raise MalformedInput(f"the machine refused: {error}", where=endpoint) from error
        except (OSError, TimeoutError, ConnectionError, ua.UaError) as error:
            raise Unavailable(
                f"the machine at {endpoint} does not answer: {error or type(error).__name__}",
                code="machine_unavailable",
                remedy="check that its OPC UA server runs",
            ) from error

    async def _read(
        self, client: Any, endpoint: str, names: Sequence[str], count: int
    ) -> list[Sample]:
        from asyncua import ua

        try:
            index = await client.get_namespace_index(NAMESPACE)
            machine = await client.nodes.objects.get_child([f"{index}:{MACHINE}"])
            nodes = [await machine.get_child([f"{index}:{name}"]) for name in names]
        except (ValueError, ua.UaStatusCodeError) as error:
            raise MalformedInput(
                f"the machine has no such value: {', '.join(names)}", where=endpoint
            ) from error
        found: list[Sample] = []
        for turn in range(count):
            if turn:
                await asyncio.sleep(_INTERVAL_S)
            values = await client.uaclient.read_attributes(
                [node.nodeid for node in nodes], ua.AttributeIds.Value
            )
            found += [
                self._sample(name, value, endpoint)
                for name, value in zip(names, values, strict=True)
            ]
        return found

    def _sample(self, name: str, value: Any, endpoint: str) -> Sample:
        raw = value.Value.Value if value.Value is not None else None
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            raise MalformedInput(f"{name} is no number: {raw!r}", where=endpoint)
        number = Decimal(repr(raw))
        if not number.is_finite():
            raise MalformedInput(f"{name} is {raw!r}", where=endpoint)
        observed_at = self._clock.now()
        if value.SourceTimestamp is not None:
            from datetime import UTC

            observed_at = Utc.from_datetime(value.SourceTimestamp.replace(tzinfo=UTC))
        return Sample(name, number, observed_at)

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
