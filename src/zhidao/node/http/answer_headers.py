"""Headers that every answer bears: nothing is guessed, kept by others, or asked again in clear."""

from __future__ import annotations

from typing import Any, Final

_NOSNIFF: Final = (b"x-content-type-options", b"nosniff")
# What a route says nothing else of is for its caller alone: tokens, sessions, a party's records.
_NO_STORE: Final = (b"cache-control", b"no-store")
_STATED_UNDER: Final = ("/v1/", "/schema/", "/metrics")
# RFC 6797. Not for subdomains: they are not this node's to speak for.
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000")


def secured(message: Any, scope: Any) -> Any:
    """The beginning of an answer with what it lacks of these headers."""
    headers = list(message.get("headers", ()))
    said = {name.lower() for name, _ in headers}
    if _NOSNIFF[0] not in said:
        headers.append(_NOSNIFF)
    if _NO_STORE[0] not in said and scope["path"].startswith(_STATED_UNDER):
        headers.append(_NO_STORE)
    if scope["scheme"] == "https":
        headers.append(_HSTS)
    return message | {"headers": headers}
