"""Builds the devices room on the node's ground."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zhidao.core.journal import Records
from zhidao.devices.adapters.gateway import Gateway
from zhidao.devices.adapters.postgres import PostgresVault
from zhidao.devices.domain.custody import StoredFrame
from zhidao.devices.service.chronicle import Chronicle
from zhidao.devices.service.custody import KeptData
from zhidao.devices.service.ports import PositionSink
from zhidao.devices.service.seals import Seals
from zhidao.devices.service.session import Desk
from zhidao.devices.service.terminals import Terminals
from zhidao.devices.service.tracks import NoSink, Tracks
from zhidao.devices.service.windows import Windows
from zhidao.devices.service.writer import FrameWriter
from zhidao.node.api.devices import routes
from zhidao.node.ground import Ground, Room
from zhidao.store.journal import PostgresJournal


@dataclass(frozen=True, slots=True)
class DevicesServices:
    """The devices room, ready for use. `gateway.address` tells where terminals connect."""

    terminals: Terminals
    seals: Seals
    tracks: Tracks
    custody: KeptData
    gateway: Gateway
    room: Room


async def build(
    ground: Ground,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    sink: PositionSink | None = None,
    stored: Callable[[Sequence[StoredFrame]], None] | None = None,
) -> DevicesServices:
    """The room over PostgreSQL; takes the port for terminals, serves them in the background.

    `sink`: where positions of all bearers meet (`ConnectivityServices.sink`). `stored` hears of
    frames once they are durable.
    Raises OSError if the port is taken.
    """
    journal = PostgresJournal(ground.database, "devices", ground.wake_relay)
    vault = PostgresVault(ground.database, journal)
    secret = await vault.secret(ground.randomness.token(32))
    chronicle = Chronicle(journal, ground.scribe, ground.clock)
    terminals = Terminals(vault, ground.scribe, secret)
    windows = Windows(vault, ground.archive, chronicle, ground.clock, ground.randomness)
    tracks = Tracks(vault, terminals, chronicle, ground.ids, sink or NoSink())
    seals = Seals(vault, Records(journal, ground.scribe), ground.scribe)

    async def tend() -> None:
        await windows.tend()
        await tracks.record()

    desk = Desk(
        vault=vault,
        terminals=terminals,
        windows=windows,
        writer=FrameWriter(vault, stored) if stored else FrameWriter(vault),
        chronicle=chronicle,
        clock=ground.clock,
        ids=ground.ids,
    )
    gateway = Gateway(desk, host=host, port=port, tend=tend)
    await gateway.open()
    router = routes(
        terminals=terminals, tracks=tracks, seals=seals, chronicle=chronicle, gateway=gateway
    )
    return DevicesServices(
        terminals=terminals,
        seals=seals,
        tracks=tracks,
        custody=KeptData(vault, ground.archive, seals),
        gateway=gateway,
        room=Room(name="devices", routers=(router,), background=(gateway.run,)),
    )
