"""Routes of seals: what a carrier closes on a container, and what others found."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import LIST, READ
from zhidao.core.actor import Actor
from zhidao.core.events import SignedEvent
from zhidao.core.ids import party_id
from zhidao.devices.events import Binding
from zhidao.devices.service.seals import MAY_CHECK_SEAL, MAY_SEAL, Seals
from zhidao.node.api.devices.terminals import Readers, TerminalName
from zhidao.node.http.access import ACCESS
from zhidao.node.lists.listing import LISTED, Listing

SealName = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9][A-Z0-9-]{0,34}\Z", max_length=35)]
ContainerName = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{4}[0-9]{7}\Z", max_length=11)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
_Limit = Annotated[int, Parameter(ge=1, le=500)]
_After = Annotated[str, Parameter(max_length=64)]
_SealPath = Annotated[str, Parameter(min_length=1, max_length=35)]

_SEALS = Listing(
    "seals",
    ("seal",),
    (
        *("seal", "container", "consignment", "terminal", "sealed_by", "checked_by"),
        *("bound", "reason"),
    ),
)


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


def routes(seals: Seals) -> Router:
    """The router of seals."""

    @post("/seals", opt={ACCESS: MAY_SEAL})
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

    @post("/seals/{seal:str}/checks", opt={ACCESS: MAY_CHECK_SEAL})
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

    @get("/seals", opt={LISTED: _SEALS, ACCESS: LIST})
    async def listed_seals(actor: Actor, after: _After = "", limit: _Limit = 50) -> list[SealView]:
        """The seals that the caller may see, by number."""
        found = await seals.listed(actor, limit=limit, after=after)
        return [_seal(sealed.consignment, binding) for sealed, binding in found]

    @get("/seals/{seal:str}", opt={ACCESS: READ})
    async def show_seal(seal: _SealPath, actor: Actor) -> SealView:
        """A seal and what it binds."""
        sealed, binding = await seals.view(actor, seal)
        return _seal(sealed.consignment, binding)

    handlers: list[Any] = [close, check, listed_seals, show_seal]
    return Router("/v1/devices", route_handlers=handlers, tags=["devices"])


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
