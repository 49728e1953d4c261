"""Routes of terminals and seals. Raw data does not come in here: terminals speak JT/T 808."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.actor import Actor, Role
from zhidao.core.events import SignedEvent
from zhidao.core.ids import party_id
from zhidao.devices.adapters.gateway import Gateway
from zhidao.devices.domain.custody import Terminal
from zhidao.devices.domain.track import TrackPoint
from zhidao.devices.events import Binding
from zhidao.devices.service.chronicle import Chronicle
from zhidao.devices.service.seals import Seals
from zhidao.devices.service.terminals import Terminals
from zhidao.devices.service.tracks import Tracks

PartyName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
TerminalName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,29}$")]
SealName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,34}$")]
ContainerName = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{4}[0-9]{7}$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Readers = Annotated[list[PartyName], msgspec.Meta(max_length=32)]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
_Limit = Annotated[int, Parameter(ge=1, le=500)]
_TerminalPath = Annotated[str, Parameter(min_length=1, max_length=30)]
_SealPath = Annotated[str, Parameter(min_length=1, max_length=35)]


class NewTerminal(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A terminal that may connect.

    `phone`: E.164 number as the network knows it; `key`: Multikey that signs its raw windows;
    `number`: digits in its JT/T 808 headers where they are not those of the phone.
    """

    terminal: TerminalName
    phone: Annotated[str, msgspec.Meta(pattern=r"^\+[1-9][0-9]{4,14}$")]
    key: Annotated[str, msgspec.Meta(min_length=8, max_length=4096)]
    owner: PartyName
    readers: Readers = []
    number: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,20}$")] = ""


class TerminalView(msgspec.Struct, kw_only=True):
    """A terminal as its parties see it."""

    terminal: str
    phone: str
    number: str
    key: str
    owner: str
    readers: list[str]


class PointView(msgspec.Struct, kw_only=True):
    """A point that a terminal claims; coordinates in microdegrees in `frame`."""

    observed_at: str
    received_at: str
    latitude_udeg: int
    longitude_udeg: int
    frame: str
    altitude_m: int
    speed_kmh: float
    course_deg: int
    beidou: bool
    satellites: int
    valid: bool
    reason: str


class NewSeal(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A seal that the calling carrier closes on a container, with a terminal in it."""

    seal: SealName
    container: ContainerName
    consignment: Name
    terminal: TerminalName
    readers: Readers = []


class NewCheck(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the calling party found when it looked at the seal."""

    container: ContainerName
    terminal: TerminalName
    intact: bool
    place: Words


class SealView(msgspec.Struct, kw_only=True):
    """A seal, and whether it binds its terminal to the goods."""

    seal: str
    container: str
    consignment: str
    terminal: str
    terminal_key: str
    sealed_by: str
    checked_by: str
    bound: bool
    reason: str


class Recorded(msgspec.Struct, kw_only=True):
    """The event that records what was said."""

    event: str
    type: str
    recorded_at: str


class GatewayView(msgspec.Struct, kw_only=True):
    """The server for terminals: where it listens and what it counted since it started."""

    host: str
    port: int
    sessions: int
    terminals: list[str]
    counts: dict[str, int]
    refusals: dict[str, int]


def routes(
    *, terminals: Terminals, tracks: Tracks, seals: Seals, chronicle: Chronicle, gateway: Gateway
) -> Router:
    """The router of the devices room."""

    @post("/terminals")
    async def register(data: NewTerminal, actor: Actor) -> TerminalView:
        """Lets a terminal connect (operator)."""
        terminal = await terminals.register(
            actor,
            terminal=data.terminal,
            phone=data.phone,
            key=data.key,
            owner=party_id(data.owner),
            readers=[party_id(reader) for reader in data.readers],
            number=data.number,
        )
        return _terminal(terminal)

    @get("/terminals/{terminal:str}")
    async def show(terminal: _TerminalPath, actor: Actor) -> TerminalView:
        """A terminal."""
        return _terminal(await terminals.view(actor, terminal))

    @get("/terminals/{terminal:str}/positions")
    async def positions(
        terminal: _TerminalPath, actor: Actor, limit: _Limit = 100
    ) -> list[PointView]:
        """The newest points that the terminal claims, newest first."""
        return [_point(point) for point in await tracks.points(actor, terminal, limit)]

    @post("/seals")
    async def close(data: NewSeal, actor: Actor) -> Recorded:
        """Closes a seal (the carrier)."""
        event = await seals.close(
            actor,
            seal=data.seal,
            container=data.container,
            consignment=data.consignment,
            terminal=data.terminal,
            readers=[party_id(reader) for reader in data.readers],
        )
        return _recorded(event)

    @post("/seals/{seal:str}/checks")
    async def check(seal: _SealPath, data: NewCheck, actor: Actor) -> Recorded:
        """Says what the caller found."""
        event = await seals.check(
            actor,
            seal=seal,
            container=data.container,
            terminal=data.terminal,
            intact=data.intact,
            place=data.place,
        )
        return _recorded(event)

    @get("/seals/{seal:str}")
    async def show_seal(seal: _SealPath, actor: Actor) -> SealView:
        """A seal and what it binds."""
        sealed, binding = await seals.view(actor, seal)
        return _seal(sealed.consignment, binding)

    @get("/gateway")
    async def show_gateway(actor: Actor) -> GatewayView:
        """Where terminals connect (operator, auditor)."""
        actor.require(Role.OPERATOR, Role.AUDITOR)
        host, port = gateway.address
        return GatewayView(
            host=host,
            port=port,
            sessions=gateway.sessions,
            terminals=list(gateway.connected),
            counts=dict(gateway.counts),
            refusals=dict(chronicle.refusals),
        )

    handlers: list[Any] = [register, show, positions, close, check, show_seal, show_gateway]
    return Router("/v1/devices", route_handlers=handlers, tags=["devices"])


def _terminal(terminal: Terminal) -> TerminalView:
    return TerminalView(
        terminal=terminal.terminal,
        phone=terminal.phone,
        number=terminal.number,
        key=terminal.key.multikey,
        owner=terminal.owner,
        readers=list(terminal.visible),
    )


def _point(point: TrackPoint) -> PointView:
    return PointView(
        observed_at=str(point.observed_at),
        received_at=str(point.received_at),
        latitude_udeg=point.latitude_udeg,
        longitude_udeg=point.longitude_udeg,
        frame=point.frame.value,
        altitude_m=point.altitude_m,
        speed_kmh=point.speed_kmh,
        course_deg=point.course_deg,
        beidou=point.beidou,
        satellites=point.satellites,
        valid=point.valid,
        reason=point.reason,
    )


def _seal(consignment: str, binding: Binding) -> SealView:
    return SealView(
        seal=binding.seal,
        container=binding.container,
        consignment=consignment,
        terminal=binding.terminal,
        terminal_key=binding.terminal_key,
        sealed_by=binding.sealed_by,
        checked_by=binding.checked_by,
        bound=binding.bound,
        reason=binding.reason,
    )


def _recorded(event: SignedEvent) -> Recorded:
    return Recorded(event=str(event.id), type=event.type, recorded_at=str(event.recorded_at))
