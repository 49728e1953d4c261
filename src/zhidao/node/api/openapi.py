"""The description of the API: what each route truly reads, answers and refuses.

Litestar finds routes and parameters; the schemas of bodies come from msgspec, whose decoder also
judges them, so that what is described and what is accepted cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.routes import HTTPRoute
from litestar.typing import FieldDefinition

from zhidao.node.api.problems import MEDIA_TYPE

# In a route's `opt`: media types that it may answer with beside the declared one.
FURTHER_KINDS: Final = "further_media_types"
# Likewise: forms of a body that no type of ours says, and types that it may have beside them.
BODY_FORMS: Final = "body_forms"
BODY_KINDS: Final = "body_kinds"
_READS_ONLY: Final = ("GET", "HEAD", "OPTIONS")
_JSON: Final = "application/json"
_EVERYWHERE: Final = {
    "400": "The request is not what its schema says.",
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
_REFERENCE: Final = {"$ref": "#/components/schemas/Problem"}


class Described(JsonRenderPlugin):
    """Renders the completed description, made at the first request for it."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json")
        self._bytes = b""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        if not self._bytes:
            described = list(operations(request.app.routes))
            self._bytes = self.render_json(request, completed(openapi_schema, described))
        return self._bytes


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
    schemas, components = msgspec.json.schema_components(
        kinds, ref_template="#/components/schemas/{name}"
    )
    kept = document["components"].setdefault("schemas", {})
    kept |= components | {"Problem": _PROBLEM}
    schema_of = {repr(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    for op in described:
        found = document["paths"][op.path][op.method.lower()]
        _describe_bodies(op, found, schema_of)
        _describe_refusals(op, found)
        _describe_kinds(op, found)
    return document


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
