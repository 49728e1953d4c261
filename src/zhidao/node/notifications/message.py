"""Addresses of persons, messages to them, and what a message tells of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

import msgspec

from zhidao.core.timescale import Utc

_ID_CHARACTERS: Final = 32


class Channel(StrEnum):
    """How a message leaves the node."""

    MAIL = "mail"
    PUSH = "push"
    WEBHOOK = "webhook"


class AddressState(StrEnum):
    """What an address is good for."""

    UNCONFIRMED = "unconfirmed"  # a mail address whose owner has not said the code yet
    LIVE = "live"
    ENDED = "ended"  # it told us that nobody is there any more; `reason` says how


class State(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"  # nothing of it waited any more when its time came
    DEAD = "dead"  # given up; a person may have it sent again


class About(StrEnum):
    """What a message is for."""

    WAITS = "waits"
    CODE = "code"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One way to reach a person. `target`: mail address, or URL of a push service or webhook.

    `public_key`, `shared`: of a browser's subscription (RFC 8291), base64url.
    """

    id: str
    person: str
    channel: Channel
    target: str
    public_key: str = ""
    shared: str = ""
    state: AddressState
    reason: str = ""
    tries: int = 0
    made_at: Utc

    @property
    def shown(self) -> str:
        """The target as its owner may see it: who knows a push address could write to it."""
        if self.channel is Channel.PUSH:
            return "/".join(self.target.split("/", 3)[:3])
        return self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that waits, as the worklist names it."""

    kind: str
    act: str
    subject: str
    label: str

    @property
    def key(self) -> str:
        """By what the same thing is known again."""
        return digest(self.kind, self.act, self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one address. Its id stays the same however often it is sent."""

    id: str
    person: str
    address: str
    about: About
    due_at: Utc
    made_at: Utc
    attempts: int = 0
    state: State = State.WAITING
    code: str = ""
    reason: str = ""
    done_at: Utc | None = None
    items: int = 0


class WebhookItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that waits, as a program is told of it."""

    kind: str
    act: str
    subject: str
    label: str


class WebhookBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a program is told by a webhook. `id` stays the same each time it is sent."""

    type: Literal["zhidao.notification"] = "zhidao.notification"
    version: Literal[1] = 1
    id: str
    node: str
    person: str
    about: About
    made_at: str
    page: str
    items: list[WebhookItem]


def digest(*parts: str) -> str:
    """A name of 32 hex digits that follows from the parts."""
    said = "\n".join(f"{len(part)} {part}" for part in parts)
    return hashlib.sha256(said.encode()).hexdigest()[:_ID_CHARACTERS]
