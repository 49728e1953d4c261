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
_INTERVAL_S: Final = 0.04


class OpcUaMachines:
    """Reads machines with asyncua. Private addresses only where the operator allows them."""

    def __init__(self, clock: Clock, *, allow_private: bool) -> None:
        self._clock = clock
        self._allow_private = allow_private

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
        if not address.is_global and not self._allow_private:
            raise Refused(
                f"{address} is a private address",
                code="address_not_allowed",
                remedy="the operator must allow machines on private addresses",
            )
