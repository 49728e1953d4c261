"""Routes of the public log (C2SP tlog-tiles), of the node's own identity, and of credentials."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from zhidao.core.access import CALLER, OPEN, READ
from zhidao.core.actor import Actor
from zhidao.core.canonical import jcs
from zhidao.core.encoding import base64url
from zhidao.core.errors import MalformedInput, NotFound
from zhidao.node.http.access import ACCESS
from zhidao.trust.service.credentials.credentials import CredentialService
from zhidao.trust.service.credentials.status_lists import LISTS_MAX, MAY_REVOKE
from zhidao.trust.service.log.reader import LogReader
from zhidao.trust.wire.log.tiles import accepts_gzip, gzipped, parse_tile_path

_Index = Annotated[int, Parameter(ge=0, le=2**53 - 1)]
_Size = Annotated[int, Parameter(ge=1, le=2**53 - 1)]
_Digest = Annotated[str, Parameter(pattern=r"^[0-9a-f]{64}\Z")]
_Party = Annotated[str, Parameter(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}\Z")]
_ListNumber = Annotated[int, Parameter(ge=2, le=LISTS_MAX)]
# Checkpoints change with every batch; tiles of a width never do.
_FRESH = {"cache-control": "no-cache"}
_FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
_BUNDLE = _FOREVER | {"vary": "accept-encoding"}


class LoggedLeaf(msgspec.Struct, kw_only=True):
    """A leaf and the way to a signed head. Bytes are base64url without padding."""

    index: int
    leaf: str
    size: int
    inclusion: list[str]
    checkpoint: str


class Consistency(msgspec.Struct, kw_only=True):
    """The proof that the log of `first` leaves begins that of `second`: base64url hashes."""

    first: int
    second: int
    proof: list[str]


class CredentialVerdict(msgspec.Struct, kw_only=True):
    """Whether a credential holds now; if not, a reason code and a sentence."""

    holds: bool
    reason: str
    sentence: str


class Revocation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why a credential is taken back; the word is public."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


def reading(reader: LogReader) -> Router:
    """Public routes of the log, for which what is committed is enough."""

    @get("/log/checkpoint", media_type="text/plain", opt={ACCESS: OPEN})
    async def log_checkpoint() -> Response[bytes]:
        """The newest signed head of the log."""
        return Response(await reader.checkpoint(), headers=_FRESH)

    @get("/log/tile/{path:path}", media_type="application/octet-stream", opt={ACCESS: OPEN})
    async def log_tile(
        path: str,
        accepts: Annotated[str, Parameter(header="Accept-Encoding", max_length=256)] = "",
    ) -> Response[bytes]:
        """A tile of hashes, `<level>/<index>[.p/<width>]`, or a bundle, `entries/<index>…`.

        Bundles come inside gzip to whoever accepts it; hashes would not get smaller.
        """
        try:
            name = parse_tile_path(path.removeprefix("/"))
        except MalformedInput as error:
            raise NotFound(str(error)) from error
        data = await reader.tile(name)
        if name.level is not None:
            return Response(data, headers=_FOREVER)
        if not accepts_gzip(accepts):
            return Response(data, headers=_BUNDLE)
        packed = await asyncio.to_thread(gzipped, data)
        return Response(packed, headers=_BUNDLE | {"Content-Encoding": "gzip"})

    @get("/v1/trust/log/consistency", opt={ACCESS: OPEN})
    async def log_consistency(first: _Size, second: _Size) -> Consistency:
        """Shows that the log only grew between two sizes."""
        proof = await reader.consistency(first, second)
        return Consistency(first=first, second=second, proof=[base64url(h) for h in proof])

    @get("/v1/trust/log/{index:int}", opt={ACCESS: OPEN})
    async def log_leaf(index: _Index) -> LoggedLeaf:
        """One leaf with its proof in the newest checkpoint."""
        found = await reader.proof(index)
        return LoggedLeaf(
            index=found.index,
            leaf=base64url(found.leaf),
            size=found.size,
            inclusion=[base64url(each) for each in found.inclusion],
            checkpoint=found.checkpoint.decode(),
        )

    return Router(
        "/",
        route_handlers=[log_checkpoint, log_tile, log_consistency, log_leaf],
        tags=["trust"],
    )


def routes(
    reader: LogReader, credentials: CredentialService, did_document: dict[str, Any]
) -> Router:
    """Public routes under /log and /.well-known, the rest under /v1/trust."""

    @get("/.well-known/did.json", media_type="application/did+json", opt={ACCESS: OPEN})
    async def web_identity() -> dict[str, Any]:
        """The keys with which this node asserts, as a did:web document."""
        return did_document

    @post("/v1/trust/credentials/verify", status_code=200, opt={ACCESS: CALLER})
    async def verify_credential(
        data: dict[str, Any], request: Request[Any, Any, Any], actor: Actor
    ) -> CredentialVerdict:
        """Checks a W3C credential: its form, its proof, its issuer's key and its period."""
        del data, actor
        # The bytes as they came: decoding first would forgive duplicate keys.
        reason, sentence = await credentials.explain(await request.body())
        return CredentialVerdict(holds=not reason, reason=reason, sentence=sentence)

    @get(
        "/v1/trust/credentials/{digest:str}",
        media_type="application/vc",
        responses={200: ResponseSpec(bytes, media_type="application/vc")},
        opt={ACCESS: READ},
    )
    async def one_credential(digest: _Digest, actor: Actor) -> bytes:
        """The bytes of a credential; 404 for whoever may not see it."""
        return await credentials.read(actor, digest)

    @get("/v1/trust/status/{party:str}", media_type="application/vc", opt={ACCESS: OPEN})
    async def status_list(party: _Party) -> Response[bytes]:
        """The first signed status list of a party that issues here, as a credential."""
        return Response(jcs(await credentials.status_list(party)), headers=_FRESH)

    @get(
        "/v1/trust/status/{party:str}/{number:int}",
        media_type="application/vc",
        opt={ACCESS: OPEN},
    )
    async def later_status_list(party: _Party, number: _ListNumber) -> Response[bytes]:
        """A later status list of the party: its second, third and so on."""
        return Response(jcs(await credentials.status_list(party, number)), headers=_FRESH)

    @post("/v1/trust/credentials/{digest:str}/revoke", status_code=204, opt={ACCESS: MAY_REVOKE})
    async def revoke_credential(digest: _Digest, data: Revocation, actor: Actor) -> None:
        """Takes back a credential of the caller's own party, for ever."""
        await credentials.revoke(actor, digest, reason=data.reason)

    return Router(
        "/",
        route_handlers=[
            reading(reader),
            web_identity,
            verify_credential,
            one_credential,
            status_list,
            later_status_list,
            revoke_credential,
        ],
        tags=["trust"],
    )
