"""A machine with an OPC UA server: its values drift within what a real one would show."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
from collections.abc import AsyncIterator, Mapping
from typing import Final

from zhidao.core.ambient import Randomness
from zhidao.core.programs.child import free_port

NAMESPACE: Final = "urn:zhidao:machine"
# Name -> (middle, how far it drifts). Flow in m3/h, pressure in bar, vibration in mm/s.
PUMP_BENCH: Final[Mapping[str, tuple[float, float]]] = {
    "Flow": (48.0, 1.2),
    "Pressure": (6.2, 0.15),
    "Vibration": (1.4, 0.3),
}
_STEP_S: Final = 0.02
_TOLD_APART: Final = 1000


def can_play_machines() -> bool:
    """Whether the library of OPC UA, of the extra `opcua`, is installed."""
    return importlib.util.find_spec("asyncua") is not None


@contextlib.asynccontextmanager
async def machine(
    randomness: Randomness, values: Mapping[str, tuple[float, float]] = PUMP_BENCH
) -> AsyncIterator[str]:
    """Runs a machine on loopback while the block lasts; gives its endpoint.

    Anonymous and unencrypted, as most test benches are; it plays a machine and is none.
    """
    # asyncua takes more than a second to import, and only the demonstration needs its server.
    library = await asyncio.to_thread(importlib.import_module, "asyncua")
    server = library.Server()
    await server.init()
    port = free_port()
    endpoint = f"opc.tcp://127.0.0.1:{port}"
    server.set_endpoint(endpoint)
    server.set_server_name("Zhidao simulated machine")
    index = await server.register_namespace(NAMESPACE)
    device = await server.nodes.objects.add_object(index, "Machine")
    nodes = {
        name: await device.add_variable(index, name, middle) for name, (middle, _) in values.items()
    }

    async def drift() -> None:
        while True:
            for name, (middle, width) in values.items():
                share = int.from_bytes(randomness.token(2), "big") / 65535
                value = middle + (share - 0.5) * 2 * width
                await nodes[name].write_value(round(value * _TOLD_APART) / _TOLD_APART)
            await asyncio.sleep(_STEP_S)

    async with server:
        drifting = asyncio.create_task(drift())
        try:
            yield endpoint
        finally:
            drifting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await drifting
