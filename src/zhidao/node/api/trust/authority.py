"""Routes of the node's own certificate authority, for devices that are to trust it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Response, Router, get

from zhidao.core.access import OPEN
from zhidao.core.errors import NotFound
from zhidao.node.http.access import ACCESS

# Phones and Windows know a certificate by this type.
CERTIFICATE_TYPE = "application/x-x509-ca-cert"


class AuthorityView(msgspec.Struct, kw_only=True):
    """The node's own authority. `made`: whether there is one; all else is empty without.

    `names`: what it may vouch for. `fingerprint`: SHA-256, to be compared by another way.
    """

    made: bool
    names: list[str] = []
    fingerprint: str = ""
    ends_at: str = ""


# What is told of the authority, and its certificate as DER.
ReadAuthority = Callable[[], Awaitable[tuple[AuthorityView, bytes]]]


def routes(read: ReadAuthority) -> Router:
    """GET /v1/node/authority and the file that a device takes, for anybody."""

    @get("/v1/node/authority", opt={ACCESS: OPEN}, tags=["node"])
    async def authority() -> AuthorityView:
        """The certificate authority that this node made for its own names, if it made one."""
        view, _ = await read()
        return view

    @get("/authority.crt", opt={ACCESS: OPEN}, include_in_schema=False)
    async def certificate() -> Response[bytes]:
        view, der = await read()
        if not view.made:
            raise NotFound("this node has no authority of its own", code="no_authority")
        headers = {"Content-Disposition": 'attachment; filename="zhidao-authority.crt"'}
        return Response(der, media_type=CERTIFICATE_TYPE, headers=headers)

    handlers: list[Any] = [authority, certificate]
    return Router("/", route_handlers=handlers)
