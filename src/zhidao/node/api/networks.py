"""Mobile networks that answer this node: their state for the operator, and where a SIM is."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from litestar import Router, get
from litestar.params import Parameter

from zhidao.connectivity.domain.subscriber_location import Subscriber
from zhidao.connectivity.service.location import MAY_LOCATE, Location
from zhidao.connectivity.service.networks import MAY_SEE_NETWORKS, Networks
from zhidao.connectivity.service.ports import BackendState
from zhidao.core.actor import Actor
from zhidao.node.http.access import ACCESS

_PhonePath = Annotated[str, Parameter(pattern=r"^\+[1-9][0-9]{4,14}\Z")]
_MM: Final = 1000


class NetworkState(msgspec.Struct, kw_only=True):
    """A network with what it answers now. `answered_at`: empty if it never did."""

    name: str
    kind: str
    plmn: str
    answers: bool
    answered_at: str
    why: str
    sims: int
    cells: int
    devices: int
    stations: int


class NetworkCircle(msgspec.Struct, kw_only=True):
    """Somewhere in this circle the SIM was at a time."""

    latitude_ndeg: int
    longitude_ndeg: int
    radius_mm: int
    at: str
    network: str
    simulated: bool


class SimLocation(msgspec.Struct, kw_only=True):
    """Where a SIM is. `circle`: null where its network tells none, and then `why` says why."""

    phone: str
    presence: str
    why: str
    circle: NetworkCircle | None


def routes(networks: Networks, location: Location) -> Router:
    """What is connected, and where a SIM is that the caller may ask about."""

    @get("/networks", opt={ACCESS: MAY_SEE_NETWORKS})
    async def states(actor: Actor) -> list[NetworkState]:
        """Lists the connected networks with what they answer now (operator)."""
        return [_state(each) for each in await networks.states(actor)]

    @get("/locations/{phone:str}", opt={ACCESS: MAY_LOCATE})
    async def locate(phone: _PhonePath, actor: Actor) -> SimLocation:
        """Asks the network of a SIM where it is; its holder agreed that the caller may."""
        return _location(await location.subscriber(actor, phone))

    return Router("/v1/connectivity", route_handlers=[states, locate], tags=["connectivity"])


def _state(state: BackendState) -> NetworkState:
    return NetworkState(
        name=state.name,
        kind=state.kind,
        plmn=state.plmn,
        answers=state.answers,
        answered_at=str(state.answered_at[0]) if state.answered_at else "",
        why=state.why,
        sims=state.sims,
        cells=state.cells,
        devices=state.devices,
        stations=state.stations,
    )


def _location(found: Subscriber) -> SimLocation:
    circles = [
        NetworkCircle(
            latitude_ndeg=each.centre.latitude_ndeg,
            longitude_ndeg=each.centre.longitude_ndeg,
            radius_mm=round(each.radius_m * _MM),
            at=str(each.at),
            network=each.network,
            simulated=each.simulated,
        )
        for each in found.newest
    ]
    silent = "" if circles else found.why or "its network has not located it"
    return SimLocation(
        phone=found.phone,
        presence=found.presence.value,
        why=silent,
        circle=circles[0] if circles else None,
    )
