"""Builds notifications: where they are kept, the channels out, who is told what."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from litestar import Router

from zhidao.core.actor import Actor, Role
from zhidao.core.canonical import decode_json
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.adapters.notifications.mail import SmtpMail, check_mail_address
from zhidao.node.adapters.notifications.outward import Outward, networks
from zhidao.node.adapters.notifications.postgres import PostgresNotifications
from zhidao.node.adapters.notifications.web_push import (
    WebPush,
    check_subscription,
    vapid_public,
)
from zhidao.node.adapters.notifications.webhook import Webhook
from zhidao.node.adapters.preference_store import PostgresPreferences
from zhidao.node.api import notifications as api
from zhidao.node.api.preferences import look as preferences_api
from zhidao.node.notifications.delivery import Delivery
from zhidao.node.notifications.letters import Catalogue, Letters
from zhidao.node.notifications.message import Channel, Item
from zhidao.node.notifications.ports import Transport
from zhidao.node.notifications.subscriptions import Notifications
from zhidao.node.notifications.watch import LOOK_NS, Found, Watch
from zhidao.node.operations.alarms import Alarm
from zhidao.node.preferences.choices import OwnPreferences
from zhidao.node.runtime.jobs import Job
from zhidao.node.runtime.runtime_context import RuntimeContext
from zhidao.node.security.callers import Person
from zhidao.node.web.pages import ASSETS
from zhidao.node.wiring.notifications.settings import NotificationSettings
from zhidao.node.worklist.service import Source, WorkItem, Worklists

KEY: Final = "notifications"
_RUNS_THE_NODE: Final = (Role.ADMIN, Role.OPERATOR)


@dataclass(frozen=True, slots=True)
class BuiltNotifications:
    """Routes and work of notifications, and of the choices whose language they speak."""

    routers: Sequence[Router]
    jobs: Sequence[Job]


def build(
    context: RuntimeContext,
    settings: NotificationSettings,
    keys: KeyFiles,
    *,
    page: str,
    organisation: Callable[[], str],
    work: Sequence[Source],
    persons: Callable[[], Awaitable[Sequence[Person]]],
    alarms: Callable[[], Awaitable[Sequence[Alarm]]],
) -> BuiltNotifications:
    """`page`: where people find the node; `work`: what the worklist shows; `alarms`: that stand."""
    store = PostgresNotifications(context.database)
    clock, randomness = context.clock, context.randomness
    key = keys.make(KEY, Algorithm.P256)
    certificates = _certificates(settings.authorities)
    outward = Outward(
        networks(settings.private_networks, name="notifications.private_networks"), certificates
    )
    channels: dict[Channel, Transport] = {}
    delivery = Delivery(store, channels, clock, randomness)
    service = Notifications(
        store,
        _Checks(outward, mails=settings.mail is not None),
        clock,
        randomness,
        secret=key.secret,
        wake=delivery.wake,
        languages=languages(),
    )
    letters = Letters(catalogue, store.choice, service.code, organisation=organisation, page=page)
    if settings.mail:
        channels[Channel.MAIL] = SmtpMail(settings.mail, letters, certificates)
    contact = settings.contact or page
    channels[Channel.PUSH] = WebPush(outward, key, letters, clock, randomness, contact=contact)
    channels[Channel.WEBHOOK] = Webhook(
        outward, lambda: context.signer, clock, node=context.node, page=page
    )
    worklists = Worklists([*work, _alarms_of(alarms)])
    watch = Watch(
        store,
        _actors(persons),
        _worklist(worklists),
        clock,
        changed=_changed(context),
        wake=delivery.wake,
    )
    return BuiltNotifications(
        [
            api.routes(
                service,
                push_key=vapid_public(key),
                mail=settings.mail is not None,
                languages=languages(),
            ),
            preferences_api.routes(
                OwnPreferences(PostgresPreferences(context.database), service.speak)
            ),
        ],
        [
            Job("notifications", watch.run),
            Job("notification delivery", _closing(delivery.run, outward)),
        ],
    )


class _Checks:
    """Whether a target may be written to, by its channel."""

    def __init__(self, outward: Outward, *, mails: bool) -> None:
        self._outward = outward
        self._mails = mails

    async def check(self, channel: Channel, target: str, *, public_key: str, shared: str) -> None:
        """See the port."""
        if channel is Channel.MAIL:
            if not self._mails:
                raise Refused("this node sends no mail", code="no_mail_server")
            check_mail_address(target, where="target")
            return
        if channel is Channel.PUSH:
            check_subscription(public_key, shared)
        await self._outward.check(target)


@cache
def catalogue(language: str) -> Catalogue:
    """The pages' words of a language, English where it has none; nothing if never built.

    What depends on a number is no plain text and is not used here.
    """
    found: dict[str, str] = {}
    for each in ("en", language):
        for file in ASSETS.glob(f"words-{each}-*.json"):
            words = decode_json(file.read_bytes(), dict[str, Any])
            found |= {key: said for key, said in words.items() if isinstance(said, str)}
    return found


def languages() -> list[str]:
    """Languages in which the pages have words."""
    return sorted({file.name.split("-")[1] for file in ASSETS.glob("words-*-*.json")})


def _certificates(file: Path | None) -> ssl.SSLContext | None:
    if file is None:
        return None
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=file)
    except (OSError, ssl.SSLError) as error:
        raise MalformedInput(f"no certificates: {error}", where="notifications.authorities") from (
            error
        )
    return context


def _closing(run: Callable[[], Awaitable[None]], outward: Outward) -> Callable[[], Awaitable[None]]:
    async def closing() -> None:
        try:
            await run()
        finally:
            await outward.close()

    return closing


def _changed(context: RuntimeContext) -> Callable[[int], Awaitable[int]]:
    async def changed(seen: int) -> int:
        await context.logged.after(seen, fallback_ns=LOOK_NS)
        return context.logged.count

    return changed


def _actors(
    persons: Callable[[], Awaitable[Sequence[Person]]],
) -> Callable[[], Awaitable[list[Actor]]]:
    async def actors() -> list[Actor]:
        return [
            Actor(each.party, each.role, each.name, "notification")
            for each in await persons()
            if each.may_enter
        ]

    return actors


def _worklist(worklists: Worklists) -> Callable[[Actor], Awaitable[Found]]:
    async def found(actor: Actor) -> Found:
        listed = await worklists.of(actor)
        items = [
            Item(kind=each.kind, act=each.act, subject=each.subject, label=each.label)
            for each in listed.items
        ]
        return Found(items, more=listed.more)

    return found


def _alarms_of(alarms: Callable[[], Awaitable[Sequence[Alarm]]]) -> Source:
    async def source(actor: Actor) -> list[WorkItem]:
        if actor.role not in _RUNS_THE_NODE:
            return []
        return [
            WorkItem(kind="alarm", act=each.code, subject=each.code, label=each.sentence)
            for each in await alarms()
        ]

    return source
