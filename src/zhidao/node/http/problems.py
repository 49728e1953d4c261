"""Every refusal as an RFC 9457 problem: what was wrong, where, what to do, and the trace id."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from zhidao.core.errors import Unauthenticated, WrittenMeanwhile, ZhidaoError
from zhidao.core.remedies import remedy_of, remedy_of_code
from zhidao.node.http.field_forms import plainly
from zhidao.node.operations.tracing import current_trace

MEDIA_TYPE: Final = "application/problem+json"
# In the scope of a request that is refused because somebody else wrote meanwhile.
LOST_RACE: Final = "zhidao.lost_race"
# After which a caller of what is away may ask again: what comes back by itself, and what a person
# has to see to (RFC 9110 section 10.2.3).
SOON_S: Final = 1
LATER_S: Final = 30
_SOON: Final = frozenset(
    (
        *("database_unavailable", "database_read_only", "contended", "bus_unavailable"),
        *("lease_lost", "lease_unsure", "no_holder"),
    )
)
_LOG: Final = logging.getLogger("zhidao.api")
_AnyRequest = Request[Any, Any, Any]


def problem(
    status: int, *, code: str, detail: str, where: str = "", remedy: str = ""
) -> Response[dict[str, Any]]:
    """A problem document. `type` is a stable URN of the code; empty members are left out."""
    body: dict[str, Any] = {
        "type": f"urn:zhidao:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "trace": current_trace(),
    }
    remedy = remedy or remedy_of_code(code)
    body |= {name: text for name, text in (("where", where), ("remedy", remedy)) if text}
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers = {"Retry-After": str(SOON_S if code in _SOON else LATER_S)}
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def on_refusal(_: _AnyRequest, error: ZhidaoError) -> Response[dict[str, Any]]:
    """A refusal of ours."""
    return problem(
        error.http_status,
        code=error.code,
        detail=str(error.args[0]),
        where=error.where,
        remedy=remedy_of(error),
    )


def on_http(_: _AnyRequest, error: HTTPException) -> Response[dict[str, Any]]:
    """A refusal of the framework: no such route, wrong method, body too large."""
    status = HTTPStatus(error.status_code)
    code = status.name.lower()
    response = problem(status, code=code, detail=str(error.detail) or status.phrase)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


def on_invalid(_: _AnyRequest, error: ValidationException) -> Response[dict[str, Any]]:
    """Input that does not fit its schema, with the place of the first misfit."""
    first: dict[str, Any] = {}
    if isinstance(error.extra, list) and error.extra and isinstance(error.extra[0], dict):
        first = error.extra[0]
    message, key = str(first.get("message", error.detail)), str(first.get("key", ""))
    source = first.get("source", "")
    source = str(getattr(source, "value", source))
    if source == "body" and message == "'data'":
        # What the framework says when there is no body at all.
        message, key = "this route reads a JSON body, and there is none", ""
    return problem(
        HTTPStatus.BAD_REQUEST,
        code="invalid",
        detail=plainly(message),
        where=".".join(part for part in (source, key) if part),
    )


def on_bug(request: _AnyRequest, error: Exception) -> Response[dict[str, Any]]:
    """Something that must not happen: said plainly, told in full only in the node's own log."""
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        code="internal",
        detail="the node made a mistake; its log tells more under this trace id",
    )


HANDLERS: Final[dict[Any, Any]] = {
    ZhidaoError: on_refusal,
    ValidationException: on_invalid,
    HTTPException: on_http,
    Exception: on_bug,
}
Forms = Mapping[str, Callable[[_AnyRequest, Exception], Response[Any]]]


def handlers_with(forms: Forms) -> dict[Any, Any]:
    """The handlers of all refusals, with other forms below some paths.

    `forms`: by the beginning of a path, how refusals look there. They hold too for what no route
    of such an API sees: a wrong method, too many requests.
    """

    def formed(usual: Callable[[_AnyRequest, Any], Response[Any]]) -> Any:
        def handle(request: _AnyRequest, error: Exception) -> Response[Any]:
            if isinstance(error, WrittenMeanwhile):
                request.scope[LOST_RACE] = True  # type: ignore[typeddict-unknown-key]
            path = request.scope["path"]
            own = next((form for start, form in forms.items() if path.startswith(start)), usual)
            return own(request, error)

        return handle

    return {kind: formed(usual) for kind, usual in HANDLERS.items()}


def needs_credential() -> Unauthenticated:
    """The refusal for a request that bears neither token nor session."""
    return Unauthenticated(
        "this needs a token (Authorization: Bearer zd_…), a signature (RFC 9421) or a session"
    )
