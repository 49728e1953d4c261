"""Routes of the mirrors (C2SP tlog-mirror): copies of others' logs, read and written to."""

from __future__ import annotations

from typing import Annotated, Any, Final, Protocol

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from zhidao.core.access import OPEN
from zhidao.core.errors import MalformedInput, NotFound
from zhidao.node.http.access import ACCESS
from zhidao.node.http.bodies import ENCODINGS, STRANGERS_BYTES
from zhidao.node.http.openapi import BODY_BYTES, PLAIN_BYTES
from zhidao.trust.service.witness.mirror import Mirrors
from zhidao.trust.service.witness.mirror_adding import MirrorAdding
from zhidao.trust.wire.log.mirror import INFO_TYPE, mirror_info
from zhidao.trust.wire.log.tiles import parse_tile_path

# A stranger's entries are proven before they are kept; whoever has more sends the rest after it.
ADD_ENTRIES_BYTES_MAX: Final = 2 * 1024 * 1024
_Hash = Annotated[str, Parameter(pattern=r"^[0-9a-f]{64}\Z")]
_FRESH = {"cache-control": "no-cache"}
_FOREVER = {"cache-control": "public, max-age=31536000, immutable"}


class MirrorParts(Protocol):
    """What the routes serve."""

    @property
    def mirrors(self) -> Mirrors:
        """The copies."""
        ...

    @property
    def adding(self) -> MirrorAdding:
        """Takes what is brought to them."""
        ...


def handlers(parts: MirrorParts) -> list[HTTPRouteHandler]:
    """Public routes under /witness."""

    @get("/witness/mirror/{hashed:str}/checkpoint", media_type="text/plain", opt={ACCESS: OPEN})
    async def mirror_checkpoint(hashed: _Hash) -> Response[bytes]:
        """The newest head whose entries this node holds all."""
        note = await parts.mirrors.reader(hashed).checkpoint()
        return Response(note, media_type="text/plain", headers=_FRESH)

    @get(
        "/witness/mirror/{hashed:str}/tile/{path:path}",
        media_type="application/octet-stream",
        opt={ACCESS: OPEN},
    )
    async def mirror_tile(hashed: _Hash, path: str) -> Response[bytes]:
        """A tile or bundle of a mirrored log, as the log itself serves it."""
        try:
            name = parse_tile_path(path.removeprefix("/"))
        except MalformedInput as error:
            raise NotFound(str(error)) from error
        tile = await parts.mirrors.reader(hashed).tile(name)
        return Response(tile, media_type="application/octet-stream", headers=_FOREVER)

    @post(
        "/witness/add-entries",
        status_code=200,
        media_type="text/plain",
        opt={
            ACCESS: OPEN,
            BODY_BYTES: PLAIN_BYTES,
            STRANGERS_BYTES: ADD_ENTRIES_BYTES_MAX,
            ENCODINGS: (b"gzip",),
        },
    )
    async def mirror_add_entries(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Takes entries of a mirrored log (C2SP tlog-mirror); cosigns a head once it has them all.

        202 and 409 tell, as `text/x.tlog.mirror-info`, where to go on.
        """
        is_gzip = request.headers.get("content-encoding") == "gzip"
        added = await parts.adding.add(await request.body(), is_gzip=is_gzip)
        accepts = {"accept-encoding": "gzip"}
        if added.lines:
            return Response(added.lines, media_type="text/plain", headers=accepts)
        return Response(
            mirror_info(added.size, next_entry=added.next_entry),
            status_code=202 if added.is_saved else 409,
            media_type=INFO_TYPE,
            headers=accepts,
        )

    return [mirror_checkpoint, mirror_tile, mirror_add_entries]
