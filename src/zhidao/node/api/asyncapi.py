"""What a node tells by itself, as AsyncAPI 3.0: its streams, its bus, and its webhooks.

Nothing in it is copied by hand: subjects and payloads are the facts of all rooms, what pages are
told are the notices of `Live`, and a webhook's body is the struct that is sent.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final

import msgspec
from litestar import Router, get

from zhidao import __version__
from zhidao.core.access import OPEN
from zhidao.core.events import Fact, WireEvent
from zhidao.node.http.access import ACCESS
from zhidao.node.http.explained import meaning, plain_tuples
from zhidao.node.notifications.message import WebhookBody
from zhidao.node.runtime.live import (
    Beat,
    DocumentArrived,
    Notice,
    PositionReported,
    TimelineChanged,
)
from zhidao.node.runtime.relay import subject

# Rooms that have facts; `tests/node/api/test_asyncapi.py` finds a room that is missing.
ROOMS: Final = (
    *("connectivity", "devices", "exchange", "finance", "industry", "node", "positioning"),
    *("trade", "trust"),
)
# What each stream of server-sent events tells.
STREAMS: Final[dict[str, tuple[type[Notice], ...]]] = {
    "/v1/stream": (TimelineChanged, PositionReported, Beat),
    "/v1/exchange/stream": (DocumentArrived, Beat),
}
_SCHEMAS: Final = "#/components/schemas/"
_STREAM: Final = "text/event-stream"
_WEBHOOK: Final = "webhook"
# A reader that knows no AsyncAPI still finds the event's name in a stream by this.
_SIGNED: Final = ("content-digest", "signature-input", "signature", "webhook-id")
_INFO: Final = {
    "title": "Zhidao node: events",
    "version": __version__,
    "description": "What a node tells without being asked: server-sent events to whoever may see"
    " a consignment, every recorded event on the node's own bus in the order of its log, and"
    " webhooks to addresses that a person gave. What is asked and answered stands in the"
    " OpenAPI description at /schema/openapi.json.",
    "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
}
_SECURITY: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token: zd_…"},
    "session": {"type": "httpApiKey", "name": "zhidao_session", "in": "cookie"},
    "bus": {
        "type": "userPassword",
        "description": "Made by the node at its start for its own processes; nobody else has it.",
    },
}


def facts() -> list[type[Fact]]:
    """Every kind of fact of every room, by its type."""
    for room in ROOMS:
        import_module(f"zhidao.{room}.events")
    found = [fact for fact in _below(Fact) if fact.TYPE and fact.__module__.startswith("zhidao.")]
    return sorted(found, key=lambda fact: fact.TYPE)


def _below(kind: type[Fact]) -> Iterator[type[Fact]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


@cache
def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document of a node of this version."""
    known = facts()
    notices = sorted({each for told in STREAMS.values() for each in told}, key=_name)
    kinds: list[type[msgspec.Struct]] = [*known, *notices, WireEvent, WebhookBody]
    found, schemas = msgspec.json.schema_components(kinds, ref_template=_SCHEMAS + "{name}")
    refs = dict(zip(kinds, found, strict=True))
    messages = {
        **{_key(fact.TYPE): _event_message(fact, refs) for fact in known},
        **{each.EVENT: _notice_message(each, refs) for each in notices},
        _WEBHOOK: _webhook_message(refs),
    }
    channels, operations = _told_by_streams(), {}
    channels |= _told_by_bus(known) | {_WEBHOOK: _webhook_channel()}
    for name, channel in channels.items():
        operations[f"tell_{name}"] = _operation(name, channel)
    document = {
        "asyncapi": "3.0.0",
        "info": _INFO,
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": channels,
        "operations": operations,
        "components": {
            "schemas": _explained(schemas),
            "messages": messages,
            "securitySchemes": _SECURITY,
        },
    }
    whole: dict[str, Any] = plain_tuples(document)
    return whole


def _name(kind: type[Notice]) -> str:
    return kind.EVENT


def _key(text: str) -> str:
    """A name that AsyncAPI takes as a key."""
    return text.strip("/").replace(".", "_").replace("/", "_")


def _ref(part: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/{part}/{name}"}


def _text(kind: type[Any]) -> tuple[str, str]:
    """First line of a docstring, and all of it."""
    whole = inspect.getdoc(kind) or ""
    first = whole.partition("\n\n")[0]
    return " ".join(first.split()).rstrip("."), " ".join(whole.split())


def _event_message(fact: type[Fact], refs: dict[Any, Any]) -> dict[str, Any]:
    summary, description = _text(fact)
    payload = {
        "allOf": [
            refs[WireEvent],
            {
                "type": "object",
                "properties": {"type": {"const": fact.TYPE}, "payload": refs[fact]},
            },
        ]
    }
    leaf = "published whole" if fact.OPEN else "a salted commitment"
    return {
        "name": fact.TYPE,
        "title": fact.TYPE,
        "summary": summary,
        "description": f"{description} Its leaf in the log: {leaf}.",
        "contentType": "application/json",
        "payload": payload,
    }


def _notice_message(notice: type[Notice], refs: dict[Any, Any]) -> dict[str, Any]:
    summary, description = _text(notice)
    return {
        "name": notice.EVENT,
        "title": f"event: {notice.EVENT}",
        "summary": summary,
        "description": description,
        "contentType": "application/json",
        "payload": refs[notice],
    }


def _webhook_message(refs: dict[Any, Any]) -> dict[str, Any]:
    summary, _ = _text(WebhookBody)
    return {
        "name": "zhidao.notification",
        "title": "Webhook",
        "summary": summary,
        "description": "Posted as JSON in its RFC 8785 form and signed with the node's key"
        " (RFC 9421 over RFC 9530, tag zhidao-webhook). Any 2xx takes it; 410 ends the address;"
        " all else is tried again, with the same webhook-id.",
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "required": list(_SIGNED),
            "properties": {name: {"type": "string"} for name in _SIGNED},
        },
        "payload": refs[WebhookBody],
    }


def _servers() -> dict[str, Any]:
    return {
        "node": {
            "host": "localhost:8443",
            "protocol": "https",
            "description": "A node's address, where its pages and its API are.",
            "security": [_ref("components/securitySchemes", each) for each in ("token", "session")],
        },
        "bus": {
            "host": "127.0.0.1:4222",
            "protocol": "nats",
            "description": "The node's own NATS server (JetStream, stream zhidao), on the machine"
            " itself; its port is chosen at each start.",
            "security": [_ref("components/securitySchemes", "bus")],
        },
    }


def _told_by_streams() -> dict[str, Any]:
    return {
        _key(address): {
            "address": address,
            "title": f"Server-sent events of {address}",
            "description": f"{_STREAM}: each message has its name as `event` and JSON as `data`."
            " Only what the caller may see is told; whoever does not keep up loses notices and"
            " reads what they name again.",
            "servers": [_ref("servers", "node")],
            "messages": {
                each.EVENT: _ref("components/messages", each.EVENT) for each in STREAMS[address]
            },
        }
        for address in STREAMS
    }


def _told_by_bus(known: Sequence[type[Fact]]) -> dict[str, Any]:
    return {
        _key(fact.TYPE): {
            "address": subject(fact.TYPE),
            "title": fact.TYPE,
            "servers": [_ref("servers", "bus")],
            "messages": {"event": _ref("components/messages", _key(fact.TYPE))},
        }
        for fact in known
    }


def _webhook_channel() -> dict[str, Any]:
    return {
        "address": None,
        "title": "An address that a person gave for notifications",
        "description": "https, reached by the node; private addresses are refused unless the"
        " operator allows them.",
        "messages": {_WEBHOOK: _ref("components/messages", _WEBHOOK)},
    }


def _operation(name: str, channel: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "action": "send",
        "channel": _ref("channels", name),
        "title": channel["title"],
        "messages": [_ref(f"channels/{name}/messages", each) for each in channel["messages"]],
    }
    if channel["address"] in STREAMS:
        made["bindings"] = {"http": {"method": "GET"}}
    elif name == _WEBHOOK:
        made["bindings"] = {"http": {"method": "POST"}}
    return made


def _explained(schemas: dict[str, Any]) -> dict[str, Any]:
    """The schemas with the meaning of each property, as the API's own description has them."""
    for name, schema in schemas.items():
        for field, inner in schema.get("properties", {}).items():
            text = meaning(name, field)
            if text and "description" not in inner and "$ref" not in inner:
                inner["description"] = text
    return schemas


def routes() -> Router:
    """GET /schema/asyncapi.json, for anybody."""

    @get("/asyncapi.json", media_type="application/json", opt={ACCESS: OPEN})
    async def described() -> bytes:
        return msgspec.json.encode(asyncapi())

    return Router("/schema", route_handlers=[described], include_in_schema=False)
