"""The description of the API: what each route truly reads, answers and refuses.

Litestar finds routes and parameters; the schemas of bodies come from msgspec, whose decoder also
judges them, so that what is described and what is accepted cannot differ.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Response
from litestar._openapi.plugin import OpenAPIPlugin
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.response.base import ASGIResponse
from litestar.routes import HTTPRoute
from litestar.serialization import encode_json
from litestar.types import Receive, Scope, Send
from litestar.typing import FieldDefinition

from zhidao.core.limits import published
from zhidao.node.http.access import ACCESS
from zhidao.node.http.explained import explain, plain_tuples
from zhidao.node.http.idempotency_header import HEADER, PATTERN, takes_key
from zhidao.node.http.problems import MEDIA_TYPE

# Of each operation: `roles` (none: open to strangers), `relation`, and `of` what object.
ACCESS_TOLD: Final = "x-zhidao-access"
# In a route's `opt`: media types that it may answer with beside the declared one.
FURTHER_KINDS: Final = "further_media_types"
# Likewise: forms of a body that no type of ours says, and types that it may have beside them.
BODY_FORMS: Final = "body_forms"
BODY_KINDS: Final = "body_kinds"
# Likewise: the media type of a body that is read as bytes and not as JSON.
BODY_BYTES: Final = "body_bytes"
PLAIN_BYTES: Final = "application/octet-stream"
_READS_ONLY: Final = ("GET", "HEAD", "OPTIONS")
_JSON: Final = "application/json"
_EVERYWHERE: Final = {
    "400": "The request is not what its schema says.",
    "421": "The request names a host that is not this node.",
    "429": "More requests than this node takes from one address.",
    "503": "A part of the node does not answer; trying again may help.",
}
_CALLERS_ONLY: Final = {
    "401": "No valid token, signed request or session.",
    "403": "The caller's role does not allow this.",
}
_NAMED: Final = {
    "404": "There is no such thing, or the caller may not know of it.",
    "422": "Well-formed, but a rule forbids it.",
}
_WRITING: Final = {
    "408": "The body does not come in time.",
    "409": "The name stands for something else already, or somebody wrote meanwhile.",
    "413": "The body is larger than this node takes.",
    "415": "The body has a media type or an encoding that is not read.",
}
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "A refusal (RFC 9457): what was wrong, where, and what to do.",
    "required": ["type", "title", "status", "code", "detail", "trace"],
    "properties": {
        "type": {"type": "string", "description": "a stable URN of the code"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable and machine-readable"},
        "detail": {"type": "string", "description": "a sentence for a person"},
        "trace": {"type": "string", "description": "names the request in the node's log"},
        "where": {"type": "string", "description": "the place of the fault"},
        "remedy": {"type": "string", "description": "what to do about it"},
    },
    "additionalProperties": False,
}
_BYTES: Final = {"type": "string", "format": "binary"}
DESCRIPTION: Final = "/schema/openapi.json"
_SCHEMAS: Final = "#/components/schemas/"
_KEY: Final[dict[str, Any]] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "What one caller asks twice under one key is done once and answered alike, for"
    " a day; another request under the same key is refused (`idempotency_key_reused`). A refusal"
    " is not kept. An answer that was given before bears `Idempotency-Replayed: true`.",
    "schema": {"type": "string", "pattern": PATTERN},
}
_REFERENCE: Final = {"$ref": f"{_SCHEMAS}Problem"}


class Described(JsonRenderPlugin):
    """Renders the completed description of an application's routes, made once."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json")
        self._bytes = b""
        self.packed = b""

    def make(self, app: Litestar) -> None:
        """Makes the document, which takes a second: beside the event loop."""
        if not self._bytes:
            document = app.plugins.get(OpenAPIPlugin).provide_openapi_schema()
            self._bytes = encode_json(completed(document, list(operations(app.routes))))
            self.packed = gzip.compress(self._bytes, mtime=0)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        del openapi_schema
        self.make(request.app)
        return self._bytes


class DescribedAside:
    """An application whose description is made in a thread by whoever asks for it first."""

    def __init__(self, app: Litestar, described: Described) -> None:
        self._app = app
        self._described = described
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on, the first request for the description once it is made."""
        if scope.get("path") == DESCRIPTION:  # A lifespan has none.
            async with self._making:
                await asyncio.to_thread(self._described.make, self._app)
            if scope.get("method") == "GET" and _takes_gzip(scope):
                await ASGIResponse(
                    body=self._described.packed,
                    headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"},
                    media_type="application/vnd.oai.openapi+json",
                )(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _takes_gzip(scope: Scope) -> bool:
    told = dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1").lower()
    return any(part.split(";")[0].strip() == "gzip" for part in told.split(","))


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a path with its handler."""

    path: str
    method: str
    handler: HTTPRouteHandler

    @property
    def body(self) -> Any:
        """The type of the body, or None if the route reads none."""
        field = self.handler.parsed_data_field
        return field.raw if field else None

    @property
    def answer(self) -> Any:
        """The type of the answer's body, or None if it has none."""
        field = self.handler.parsed_return_field
        if field.is_subclass_of(Response):
            field = (
                field.inner_types[0] if field.inner_types else FieldDefinition.from_annotation(Any)
            )
        return None if field.is_none_type else field.raw


def operations(routes: list[Any]) -> Iterator[Operation]:
    """What is described of an application's routes."""
    for route in routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            for method in sorted(handler.http_methods):
                if handler.resolve_include_in_schema() and method != "OPTIONS":
                    yield Operation(route.path_format, method, handler)


def completed(document: dict[str, Any], described: list[Operation]) -> dict[str, Any]:
    """The document with true schemas, and with every refusal declared on every route."""
    kinds = [
        kind
        for op in described
        for kind in (op.body, op.answer, *op.handler.opt.get(BODY_KINDS, ()))
        if _is_plain(kind)
    ]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_SCHEMAS + "{name}")
    named = document["components"].setdefault("schemas", {})
    named |= components | {"Problem": _PROBLEM}
    schema_of = {repr(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    for op in described:
        found = document["paths"][op.path][op.method.lower()]
        _describe_bodies(op, found, schema_of)
        _describe_access(op, found)
        _describe_key(op, found)
        _describe_refusals(op, found)
        _describe_kinds(op, found)
    # Litestar names schemas of bodies too, which the true ones have replaced.
    reached = _reached(document["paths"], named)
    document["components"]["schemas"] = {name: named[name] for name in sorted(reached)}
    explain(document, {(op.path, op.method.lower()): op.handler.fn for op in described})
    whole: dict[str, Any] = plain_tuples(_with_published_patterns(document))
    return whole


def _with_published_patterns(part: Any) -> Any:
    """The same, with each pattern as JSON Schema says it."""
    if isinstance(part, list):
        return [_with_published_patterns(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    return {
        name: published(inner)
        if name == "pattern" and isinstance(inner, str)
        else _with_published_patterns(inner)
        for name, inner in part.items()
    }


def _describe_access(op: Operation, found: dict[str, Any]) -> None:
    """Says who may use a route, as it declares."""
    access = op.handler.opt.get(ACCESS)
    if access is None:
        return
    if access.is_open:
        found["security"] = [{}]
    found[ACCESS_TOLD] = {
        "roles": sorted(role.value for role in access.roles),
        "relation": access.relation.value,
        **({"of": access.of} if access.of else {}),
    }


def _describe_key(op: Operation, found: dict[str, Any]) -> None:
    if takes_key(op.handler.opt.get(ACCESS), op.method):
        found.setdefault("parameters", []).append(_KEY)


def _reached(paths: Any, named: dict[str, Any]) -> set[str]:
    """The names of all schemas to which a route leads."""
    reached: set[str] = set()
    waiting = [paths]
    while waiting:
        new = {text.removeprefix(_SCHEMAS) for text in _references(waiting.pop())} - reached
        reached |= new
        waiting += [named[name] for name in new]
    return reached


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str):
            yield reference
        mapping = part.get("mapping")
        if "propertyName" in part and isinstance(mapping, dict):
            yield from (text for text in mapping.values() if text.startswith(_SCHEMAS))
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _is_plain(kind: Any) -> bool:
    if kind in (None, bytes, Any):
        return False
    return not (isinstance(kind, type) and issubclass(kind, Response))


def _describe_bodies(
    op: Operation, found: dict[str, Any], schema_of: dict[str, dict[str, Any]]
) -> None:
    if repr(op.body) in schema_of:
        schema = schema_of[repr(op.body)]
        if BODY_FORMS in op.handler.opt:
            kinds = [schema_of[repr(kind)] for kind in op.handler.opt.get(BODY_KINDS, ())]
            schema = {"oneOf": [*(made() for made in op.handler.opt[BODY_FORMS]), *kinds]}
        found["requestBody"] = {"required": True, "content": {_JSON: {"schema": schema}}}
    elif BODY_BYTES in op.handler.opt:
        found["requestBody"] = {
            "required": True,
            "content": {op.handler.opt[BODY_BYTES]: {"schema": dict(_BYTES)}},
        }
    told = found["responses"].get(str(op.handler.status_code), {})
    for kind, content in told.get("content", {}).items():
        if repr(op.answer) in schema_of:
            content["schema"] = schema_of[repr(op.answer)]
        elif kind.endswith("json"):
            content["schema"] = {}


def _describe_kinds(op: Operation, found: dict[str, Any]) -> None:
    """Adds the further media types that a route may answer with, as its `opt` names them."""
    for kind in op.handler.opt.get(FURTHER_KINDS, ()):
        content = found["responses"]["200"]["content"]
        content.setdefault(kind, next(iter(content.values())))


def _describe_refusals(op: Operation, found: dict[str, Any]) -> None:
    refusals = dict(_EVERYWHERE)
    reads_only = op.method in _READS_ONLY
    if not reads_only or found.get("security") != [{}]:
        refusals |= _CALLERS_ONLY
    if not reads_only or found.get("parameters"):
        refusals |= _NAMED
    if not reads_only:
        refusals |= _WRITING
    told = found["responses"]
    own = {str(status) for status in op.handler.responses or {}}
    for status, description in refusals.items():
        if status not in own:
            told[status] = {"description": description, "content": {}}
        # Beside a form of its own a route may always give the form of all others.
        told[status].setdefault("content", {})[MEDIA_TYPE] = {"schema": _REFERENCE}
    found["responses"] = dict(sorted(told.items()))
