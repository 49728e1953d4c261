"""Routes of terminals. Raw data does not come in here: terminals speak to the gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import LIST, READ, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.core.timescale import Utc
from zhidao.devices.domain.custody import Refusal, Terminal
from zhidao.devices.domain.enrolment import (
    WINDOW_MINUTES,
    WINDOW_MINUTES_MAX,
    Enrolment,
)
from zhidao.devices.domain.track import (
    LATITUDE_UDEG_MAX,
    LONGITUDE_UDEG_MAX,
    LastSeen,
    TrackPoint,
)
from zhidao.devices.service.enrolments import Enrolments
from zhidao.devices.service.terminal_journal import TerminalJournal
from zhidao.devices.service.terminals import MAY_REGISTER_TERMINAL, Terminals
from zhidao.devices.service.tracks import Tracks
from zhidao.node.http.access import ACCESS
from zhidao.node.http.known_parties import KNOWN
from zhidao.node.lists.listing import LISTED, Listing

MAY_SEE_GATEWAY: Final = access(Role.OPERATOR, Role.AUDITOR)

PartyName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
TerminalName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,29}\Z")]
Readers = Annotated[list[Annotated[PartyName, KNOWN]], msgspec.Meta(max_length=32)]
_Limit = Annotated[int, Parameter(ge=1, le=500)]
_Day = Annotated[str, Parameter(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?\Z")]
_Latitude = Annotated[int, Parameter(ge=-LATITUDE_UDEG_MAX, le=LATITUDE_UDEG_MAX)]
_Longitude = Annotated[int, Parameter(ge=-LONGITUDE_UDEG_MAX, le=LONGITUDE_UDEG_MAX)]
_After = Annotated[str, Parameter(max_length=64)]
_TerminalPath = Annotated[str, Parameter(min_length=1, max_length=30)]


_TERMINALS = Listing(
    "terminals",
    ("terminal",),
    (
        *("terminal", "phone", "owner", "connected", "state", "keyed", "heard_at"),
        "refused.reason",
    ),
)


class NewTerminal(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A terminal that may connect.

    `phone`: E.164 number as the network knows it; `key`: Multikey that signs its raw windows, empty
    for a terminal that has none: it is heard, and what it says is claimed, never proven; `number`:
    digits in its JT/T 808 headers where they are not those of the phone. `protocol`: what it
    speaks; by teltonika `number` is its IMEI, by egts that or the number (TID) set in it, by
    egts-dispatcher that (DID) of a platform which passes on what units of the same owner say;
    none of these has a key. `surroundings`: what stands around its antenna. Of a vehicle nobody
    measured the errors, so that its windows can prove an arrival by the model of an open sky only.
    `window_minutes`: how long its registration is answered, once; 0: not yet.
    """

    terminal: TerminalName
    phone: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    key: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    owner: Annotated[PartyName, KNOWN]
    readers: Readers = []
    number: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,20}\Z")] = ""
    surroundings: Literal["open_sky", "vehicle", "phone"] = "vehicle"
    window_minutes: Annotated[int, msgspec.Meta(ge=0, le=WINDOW_MINUTES_MAX)] = WINDOW_MINUTES
    protocol: Literal["jt808", "teltonika", "egts", "egts-dispatcher"] = "jt808"


class NewWindow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A window in which a terminal is given a token, once.

    `void`: the token that it has is none from now on, and its line ends; else that stays good until
    another is given.
    """

    minutes: Annotated[int, msgspec.Meta(ge=1, le=WINDOW_MINUTES_MAX)] = WINDOW_MINUTES
    void: bool = False


class EnrolmentView(msgspec.Struct, kw_only=True):
    """How a terminal stands. `until`: in state invited, when its window closes; `imei`: its modem.

    `state`: new (no window was opened yet), invited, enrolled (it has shown its token; no
    registration is answered), suspended, retired.
    """

    terminal: str
    state: str
    until: str
    imei: str


class TerminalView(msgspec.Struct, kw_only=True):
    """A terminal as its parties see it."""

    terminal: str
    phone: str
    number: str
    key: str
    owner: str
    readers: list[str]
    surroundings: str
    protocol: str
    enrolment: EnrolmentView


class RefusalView(msgspec.Struct, kw_only=True):
    """Why something that a terminal sent was not accepted, and when."""

    reason: str
    sentence: str
    at: str


class TerminalRow(msgspec.Struct, kw_only=True):
    """A terminal in a list. Without a key (`keyed` false) what it says is claimed only.

    `connected`: now, by this node. `heard_at`: when its last position came, empty if none did.
    `state`: new, invited (until `invited_until`), enrolled, suspended or retired.
    """

    terminal: str
    phone: str
    owner: str
    keyed: bool
    connected: bool
    state: str
    invited_until: str
    heard_at: str
    point: PointView | None
    refused: RefusalView | None


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


class NearView(msgspec.Struct, kw_only=True):
    """A terminal, and where it claims to have been."""

    terminal: str
    point: PointView


class StrangerView(msgspec.Struct, kw_only=True):
    """Who knocked and is no terminal here: the number in its headers, and when."""

    number: str
    at: str


class ListenerView(msgspec.Struct, kw_only=True):
    """A port of the server for terminals, what is spoken there, and whether it is encrypted."""

    protocol: str
    port: int
    tls: bool


class GatewayView(msgspec.Struct, kw_only=True):
    """The server for terminals: where it listens and what it counted since it started.

    `port`: of JT/T 808; `listeners`: every port that is on. `strangers`: who knocked
    lately and is no terminal here, the latest first.
    """

    host: str
    port: int
    listeners: list[ListenerView]
    sessions: int
    terminals: list[str]
    counts: dict[str, int]
    refusals: dict[str, int]
    strangers: list[StrangerView]


class ListeningGateway(Protocol):
    """The server for terminals, as far as it tells of itself."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        ...

    @property
    def ports(self) -> Sequence[tuple[str, int, bool]]:
        """All its ports: protocol, number, whether it is encrypted."""
        ...

    @property
    def sessions(self) -> int:
        """Connections now."""
        ...

    @property
    def connected(self) -> tuple[str, ...]:
        """Terminals that are connected and showed their token."""
        ...

    @property
    def counts(self) -> Mapping[str, int]:
        """What it counted since it started."""
        ...


def routes(
    *,
    terminals: Terminals,
    enrolments: Enrolments,
    tracks: Tracks,
    terminal_journal: TerminalJournal,
    gateway: ListeningGateway,
) -> Router:
    """The router of the devices room."""

    async def shown(terminal: Terminal) -> TerminalView:
        (standing,) = await enrolments.of([terminal])
        return _terminal(terminal, standing)

    @post("/terminals", opt={ACCESS: MAY_REGISTER_TERMINAL})
    async def register(data: NewTerminal, actor: Actor) -> TerminalView:
        """Adds a terminal, with a window in which it enrols (operator)."""
        terminal = await terminals.register(
            actor,
            terminal=data.terminal,
            phone=data.phone,
            key=data.key,
            owner=party_id(data.owner),
            readers=[party_id(reader) for reader in data.readers],
            number=data.number,
            surroundings=data.surroundings,
            window_minutes=data.window_minutes,
            protocol=data.protocol,
        )
        return await shown(terminal)

    @post("/terminals/{terminal:str}/invitation", opt={ACCESS: MAY_REGISTER_TERMINAL})
    async def invite(terminal: _TerminalPath, data: NewWindow, actor: Actor) -> EnrolmentView:
        """Opens a window in which a terminal is given a token, once (operator)."""
        return _enrolment(
            await enrolments.invite(actor, terminal, minutes=data.minutes, void=data.void)
        )

    @post("/terminals/{terminal:str}/suspension", opt={ACCESS: MAY_REGISTER_TERMINAL})
    async def suspend(terminal: _TerminalPath, actor: Actor) -> EnrolmentView:
        """Lets a terminal in no more until it is invited again (operator)."""
        return _enrolment(await enrolments.suspend(actor, terminal))

    @post("/terminals/{terminal:str}/retirement", opt={ACCESS: MAY_REGISTER_TERMINAL})
    async def retire(terminal: _TerminalPath, actor: Actor) -> EnrolmentView:
        """A terminal is gone for good; its number is free for another (operator)."""
        return _enrolment(await enrolments.retire(actor, terminal))

    @get("/terminals", opt={LISTED: _TERMINALS, ACCESS: LIST})
    async def listed(actor: Actor, after: _After = "", limit: _Limit = 50) -> list[TerminalRow]:
        """The terminals that the caller may see, by id, with what each last said."""
        known = await terminals.listed(actor, limit=limit, after=after)
        connected = set(gateway.connected)
        heard, standing = await terminals.heard(known), await enrolments.of(known)
        return [
            _row(each, stands, said, connected=each.terminal in connected)
            for each, stands, said in zip(known, standing, heard, strict=True)
        ]

    @get("/terminals/{terminal:str}", opt={ACCESS: READ})
    async def show(terminal: _TerminalPath, actor: Actor) -> TerminalView:
        """A terminal."""
        return await shown(await terminals.view(actor, terminal))

    @get("/terminals/{terminal:str}/positions", opt={ACCESS: READ})
    async def positions(
        terminal: _TerminalPath, actor: Actor, limit: _Limit = 100, day: _Day = ""
    ) -> list[PointView]:
        """The newest points that the terminal claims by its own time, newest first."""
        begins = Utc.parse(f"{day}T00:00:00Z") if day else None
        return [_point(point) for point in await tracks.points(actor, terminal, limit, begins)]

    @get("/positions", opt={ACCESS: LIST})
    async def near(
        actor: Actor,
        latitude_udeg: _Latitude,
        longitude_udeg: _Longitude,
        day: _Day,
        limit: _Limit = 100,
    ) -> list[NearView]:
        """Which terminals of the caller claim to have been near a place on a day, newest first."""
        found = await tracks.near(
            actor,
            latitude_udeg=latitude_udeg,
            longitude_udeg=longitude_udeg,
            day=Utc.parse(f"{day}T00:00:00Z"),
            limit=limit,
        )
        return [NearView(terminal=terminal, point=_point(point)) for terminal, point in found]

    @get("/gateway", opt={ACCESS: MAY_SEE_GATEWAY})
    async def show_gateway(actor: Actor) -> GatewayView:
        """Where terminals connect (operator, auditor)."""
        MAY_SEE_GATEWAY.admit(actor)
        host, port = gateway.address
        return GatewayView(
            host=host,
            port=port,
            listeners=[
                ListenerView(protocol=protocol, port=number, tls=tls)
                for protocol, number, tls in gateway.ports
            ],
            sessions=gateway.sessions,
            terminals=list(gateway.connected),
            counts=dict(gateway.counts),
            refusals=dict(terminal_journal.refusals),
            strangers=[
                StrangerView(number=each.number, at=str(each.at))
                for each in terminal_journal.strangers
            ],
        )

    handlers: list[Any] = [
        *(register, invite, suspend, retire, listed, show, positions, near),
        show_gateway,
    ]
    return Router("/v1/devices", route_handlers=handlers, tags=["devices"])


def _terminal(terminal: Terminal, standing: Enrolment) -> TerminalView:
    return TerminalView(
        terminal=terminal.terminal,
        phone=terminal.phone,
        number=terminal.number,
        key=terminal.multikey,
        owner=terminal.owner,
        readers=list(terminal.visible),
        surroundings=terminal.surroundings,
        protocol=standing.protocol,
        enrolment=_enrolment(standing),
    )


def _enrolment(standing: Enrolment) -> EnrolmentView:
    return EnrolmentView(
        terminal=standing.terminal,
        state=standing.state,
        until=str(standing.until) if standing.until else "",
        imei=standing.imei,
    )


def _row(
    terminal: Terminal,
    standing: Enrolment,
    said: tuple[LastSeen | None, Refusal | None],
    *,
    connected: bool,
) -> TerminalRow:
    seen, refusal = said
    return TerminalRow(
        terminal=terminal.terminal,
        phone=terminal.phone,
        owner=terminal.owner,
        keyed=terminal.key is not None,
        connected=connected,
        state=standing.state,
        invited_until=str(standing.until) if standing.until else "",
        heard_at=str(seen.heard_at) if seen else "",
        point=_point(seen.point) if seen else None,
        refused=RefusalView(reason=refusal.reason, sentence=refusal.sentence, at=str(refusal.at))
        if refusal
        else None,
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
