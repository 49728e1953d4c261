"""Routes of a person's own notifications, and of the queue of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from litestar import Router, delete, get, post, put
from litestar.params import Parameter

from zhidao.core.actor import Actor
from zhidao.node.http.access import ACCESS
from zhidao.node.notifications.choice import DIGEST, KINDS, Choice
from zhidao.node.notifications.message import Address, Channel, Message
from zhidao.node.notifications.subscriptions import (
    MAY_CHOOSE,
    MAY_HAVE,
    MAY_SEE_QUEUE,
    MAY_SEND_AGAIN,
    Notifications,
)

_Id = Annotated[str, Parameter(pattern=r"^[0-9a-f]{32}\Z")]
_After = Annotated[str, Parameter(pattern=r"^([0-9a-f]{32})?\Z")]
_Limit = Annotated[int, Parameter(ge=1, le=100)]
_Minute = Annotated[int, msgspec.Meta(ge=0, le=1439)]
_Key = Annotated[str, msgspec.Meta(max_length=120, pattern=r"^[A-Za-z0-9_-]*\Z")]


class NotificationWishes(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a person wants to be told of, and when. Minutes count from midnight in `zone`."""

    kinds: Annotated[list[Annotated[str, msgspec.Meta(max_length=20)]], msgspec.Meta(max_length=20)]
    pace: Literal["at_once", "digest"]
    digest_minute: _Minute
    quiet_from: _Minute
    quiet_to: _Minute
    zone: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    language: Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}\Z")]


class NewNotificationAddress(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where to reach the caller. `public_key`, `shared`: a browser's p256dh and auth."""

    channel: Literal["mail", "push", "webhook"]
    target: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    public_key: _Key = ""
    shared: _Key = ""


class AddressCode(msgspec.Struct, forbid_unknown_fields=True):
    """What a mail brought."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]


class NotificationAddress(msgspec.Struct, kw_only=True):
    """One address. `state`: unconfirmed, live or ended; `reason` says by what it ended."""

    address: str
    channel: str
    target: str
    state: str
    reason: str
    made_at: str


class NotificationMessage(msgspec.Struct, kw_only=True):
    """One message. `items`: how many things it tells of; what they are is for its reader alone."""

    message: str
    person: str
    address: str
    about: str
    state: str
    attempts: int
    items: int
    code: str
    reason: str
    made_at: str
    due_at: str
    done_at: str


class OwnNotifications(msgspec.Struct, kw_only=True):
    """A person's notifications. `push_key`: of the node, for browsers; `mail`: whether it mails."""

    wishes: NotificationWishes
    kinds: list[str]
    languages: list[str]
    addresses: list[NotificationAddress]
    push_key: str
    mail: bool


def routes(
    service: Notifications, *, push_key: str, mail: bool, languages: Sequence[str]
) -> Router:
    """Routes under /v1/notifications."""

    async def view(actor: Actor) -> OwnNotifications:
        return OwnNotifications(
            wishes=_wishes(await service.choice(actor)),
            kinds=list(KINDS),
            languages=list(languages),
            addresses=[address_view(each) for each in await service.addresses(actor)],
            push_key=push_key,
            mail=mail,
        )

    @get("/notifications", opt={ACCESS: MAY_HAVE})
    async def own(actor: Actor) -> OwnNotifications:
        """What the caller is told of, when, and where."""
        return await view(actor)

    @put("/notifications", status_code=200, opt={ACCESS: MAY_CHOOSE})
    async def choose(data: NotificationWishes, actor: Actor) -> OwnNotifications:
        """Keeps what the caller wants to be told of, and when."""
        said = msgspec.structs.asdict(data)
        await service.choose(actor, Choice(**said | {"kinds": frozenset(data.kinds)}))
        return await view(actor)

    @post("/notifications/addresses", opt={ACCESS: MAY_CHOOSE})
    async def add(data: NewNotificationAddress, actor: Actor) -> NotificationAddress:
        """Adds an address of the caller's own; a mail address is sent a code first."""
        added = await service.add(
            actor,
            channel=Channel(data.channel),
            target=data.target,
            public_key=data.public_key,
            shared=data.shared,
        )
        return address_view(added)

    @post("/notifications/addresses/{address:str}/code", status_code=200, opt={ACCESS: MAY_CHOOSE})
    async def confirm(address: _Id, data: AddressCode, actor: Actor) -> NotificationAddress:
        """Says the code that the mail brought; from then on the address is told."""
        return address_view(await service.confirm(actor, address, data.code))

    @post("/notifications/addresses/{address:str}/test", status_code=202, opt={ACCESS: MAY_CHOOSE})
    async def test(address: _Id, actor: Actor) -> NotificationMessage:
        """Sends a test; one in half a minute."""
        return message_view(await service.test(actor, address))

    @delete("/notifications/addresses/{address:str}", status_code=204, opt={ACCESS: MAY_CHOOSE})
    async def remove(address: _Id, actor: Actor) -> None:
        """Forgets an address, with what waits for it."""
        await service.remove(actor, address)

    @get("/notifications/messages", opt={ACCESS: MAY_HAVE})
    async def messages(
        actor: Actor, after: _After = "", limit: _Limit = 20
    ) -> list[NotificationMessage]:
        """What was sent to the caller, newest first."""
        found = await service.own_messages(actor, after=after, limit=limit)
        return [message_view(each) for each in found]

    @get("/notifications/queue", opt={ACCESS: MAY_SEE_QUEUE})
    async def queue(
        actor: Actor,
        only: Annotated[str, Parameter(pattern=r"^[a-z]{0,10}\Z")] = "",
        after: _After = "",
        limit: _Limit = 50,
    ) -> list[NotificationMessage]:
        """Everybody's messages, newest first; `only`: in this state."""
        found = await service.queue(actor, state=only, after=after, limit=limit)
        return [message_view(each) for each in found]

    @post("/notifications/queue/{message:str}/again", status_code=204, opt={ACCESS: MAY_SEND_AGAIN})
    async def again(message: _Id, actor: Actor) -> None:
        """Sends a message that was given up once more."""
        await service.again(actor, message)

    handlers: list[Any] = [own, choose, add, confirm, test, remove, messages, queue, again]
    return Router("/v1", route_handlers=handlers, tags=["notifications"])


def address_view(address: Address) -> NotificationAddress:
    """An address as its owner sees it."""
    return NotificationAddress(
        address=address.id,
        channel=address.channel.value,
        target=address.shown,
        state=address.state.value,
        reason=address.reason,
        made_at=str(address.made_at),
    )


def message_view(message: Message) -> NotificationMessage:
    """A message without what it tells of."""
    return NotificationMessage(
        message=message.id,
        person=message.person,
        address=message.address,
        about=message.about.value,
        state=message.state.value,
        attempts=message.attempts,
        items=message.items,
        code=message.code,
        reason=message.reason,
        made_at=str(message.made_at),
        due_at=str(message.due_at),
        done_at=str(message.done_at or ""),
    )


def _wishes(choice: Choice) -> NotificationWishes:
    return NotificationWishes(
        kinds=sorted(choice.kinds),
        pace="digest" if choice.pace == DIGEST else "at_once",
        digest_minute=choice.digest_minute,
        quiet_from=choice.quiet_from,
        quiet_to=choice.quiet_to,
        zone=choice.zone,
        language=choice.language,
    )
