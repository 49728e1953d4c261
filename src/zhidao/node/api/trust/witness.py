"""Routes of the witness and the mirrors (C2SP tlog-witness, tlog-mirror), and of the watch."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import Parameter

from zhidao.core.access import OPEN, access
from zhidao.core.actor import Actor, Role
from zhidao.core.encoding import base64url
from zhidao.core.errors import NotFound
from zhidao.core.judging import DOCUMENT, Judges
from zhidao.core.quota import LeafQuota
from zhidao.node.api.trust import mirror as trust_mirror
from zhidao.node.http.access import ACCESS
from zhidao.node.http.openapi import BODY_BYTES, PLAIN_BYTES
from zhidao.trust.domain.policy import Witnessed
from zhidao.trust.domain.witness_rule import OldSizeDiffers
from zhidao.trust.service.log.entries import Entries, commitment_leaves
from zhidao.trust.service.witness.checkpoint_witness import Witness
from zhidao.trust.service.witness.cosigning import Feeder
from zhidao.trust.service.witness.mirror import Mirrors
from zhidao.trust.service.witness.mirror_adding import MirrorAdding
from zhidao.trust.service.witness.mirror_pushing import MirrorPushing, PushState
from zhidao.trust.service.witness.peers import origin_hash
from zhidao.trust.service.witness.ports import FraudBook
from zhidao.trust.service.witness.watch import FRAUD_TYPE, Watch
from zhidao.trust.wire.log.add_checkpoint import SIZE_TYPE, decode_add_checkpoint
from zhidao.trust.wire.log.note import vkey

MAY_COMMIT: Final = access(Role.PARTY)
MAY_PUBLISH_LIST: Final = access(Role.ADMIN, Role.OPERATOR)

_Hash = Annotated[str, Parameter(pattern=r"^[0-9a-f]{64}\Z")]
_Name = Annotated[str, Parameter(pattern=r"^[0-9a-z_-]{1,100}\Z")]
_Index = Annotated[int, Parameter(ge=0, le=2**53 - 1)]
_FRESH = {"cache-control": "no-cache"}
_FOREVER = {"cache-control": "public, max-age=31536000, immutable"}


class WatchedLog(msgspec.Struct, kw_only=True):
    """A log that this node watches: the head it cosigned, and what speaks against the log."""

    origin: str
    hash: str
    size: int
    root: str
    cosigned_at_s: int
    mirrored: int
    convicted: bool
    unresolved: str


class Corridor(msgspec.Struct, kw_only=True):
    """How far this node's own log is witnessed under a corridor's policy."""

    name: str
    witnessed: bool
    reason: str
    by: list[str]
    witnessed_at_s: int


class Brought(msgspec.Struct, kw_only=True):
    """How far a mirror has this node's log.

    `leaves` were brought; `cosigned`: the last head of which it signed that it keeps all;
    `problem` is empty while all goes well.
    """

    url: str
    corridors: list[str]
    leaves: int
    cosigned: int
    cosigned_at_s: int
    problem: str
    failures: int


class WitnessState(msgspec.Struct, kw_only=True):
    """Keys of witness and mirror, what they watch, who watches or mirrors this node, frauds."""

    keys: list[str]
    mirror_keys: list[str]
    logs: list[WatchedLog]
    corridors: list[Corridor]
    problems: dict[str, str]
    frauds: list[str]
    brought: list[Brought]


class Integration(msgspec.Struct, kw_only=True):
    """Where commitments stand in the log, and the signed head that covers them."""

    first: int
    count: int
    checkpoint: str


class Parts(msgspec.Struct, kw_only=True, frozen=True):
    """What the routes serve."""

    witness: Witness
    mirrors: Mirrors
    adding: MirrorAdding
    watch: Watch
    feeder: Feeder
    frauds: FraudBook
    entries: Entries
    pushing: MirrorPushing
    judges: Judges
    quota: LeafQuota


def routes(parts: Parts) -> Router:
    """Public routes under /witness; state and commitments under /v1/trust."""

    @post(
        "/witness/add-checkpoint",
        status_code=200,
        media_type="text/plain",
        opt={ACCESS: OPEN, BODY_BYTES: "text/plain"},
    )
    async def witness_add_checkpoint(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Cosigns a checkpoint that is proven to continue the one cosigned before."""
        try:
            lines = await parts.witness.add_checkpoint(decode_add_checkpoint(await request.body()))
        except OldSizeDiffers as differs:
            body = b"%d\n" % differs.size
            return Response(body, status_code=409, media_type=SIZE_TYPE)
        return Response(lines, media_type="text/plain")

    @post(
        "/witness/gossip",
        status_code=200,
        media_type="text/plain",
        opt={ACCESS: OPEN, BODY_BYTES: "text/plain"},
    )
    async def witness_gossip(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Takes a log's signed head that somebody saw; answers with the one cosigned here."""
        return Response(await parts.watch.hear(await request.body()), media_type="text/plain")

    @post(
        "/witness/fraud",
        status_code=200,
        media_type="text/plain",
        opt={ACCESS: OPEN, BODY_BYTES: FRAUD_TYPE},
    )
    async def witness_fraud(request: Request[Any, Any, Any]) -> str:
        """Takes a fraud proof and keeps it if it holds; answers with its name."""
        return await parts.watch.accuse(await request.body())

    @get("/witness/{hashed:str}/checkpoint", media_type="text/plain", opt={ACCESS: OPEN})
    async def witness_checkpoint(hashed: _Hash) -> Response[bytes]:
        """The newest cosigned head of a log, by the SHA-256 of its origin."""
        for origin, held in parts.witness.heads().items():
            if origin_hash(origin) == hashed:
                return Response(held.note, media_type="text/plain", headers=_FRESH)
        raise NotFound("no head of such a log was cosigned here")

    @get("/v1/trust/witness", opt={ACCESS: OPEN})
    async def witness_state() -> WitnessState:
        """What this node witnesses, who witnesses it, and every proven fraud."""
        return await _state(parts)

    @get("/v1/trust/frauds/{name:str}", media_type=FRAUD_TYPE, opt={ACCESS: OPEN})
    async def one_fraud(name: _Name) -> Response[bytes]:
        """A fraud proof as a file: `zhidao fraud verify` checks it without this node."""
        data = await parts.frauds.read(name)
        if data is None:
            raise NotFound(f"no fraud proof {name}")
        return Response(data, media_type=FRAUD_TYPE)

    @post(
        "/v1/trust/log/commitments",
        media_type="application/json",
        opt={ACCESS: MAY_COMMIT, BODY_BYTES: PLAIN_BYTES},
    )
    async def log_commitments(request: Request[Any, Any, Any], actor: Actor) -> Integration:
        """Logs 1 to 256 salted commitments of 32 bytes each; answers when a head covers them."""
        MAY_COMMIT.admit(actor)
        leaves = commitment_leaves(await request.body())
        parts.quota.take(actor.party, len(leaves))
        done = await parts.entries.add(leaves)
        return Integration(first=done.first, count=done.count, checkpoint=done.checkpoint.decode())

    @post(
        "/v1/trust/lists",
        media_type="application/json",
        opt={ACCESS: MAY_PUBLISH_LIST, BODY_BYTES: PLAIN_BYTES},
    )
    async def publish_list(request: Request[Any, Any, Any], actor: Actor) -> Integration:
        """Logs a version of a governed trust list as an open leaf, if its signatures hold."""
        MAY_PUBLISH_LIST.admit(actor)
        leaf = await parts.judges.run(DOCUMENT, _leaf_of_list, await request.body())
        done = await parts.entries.add([leaf])
        return Integration(first=done.first, count=1, checkpoint=done.checkpoint.decode())

    @get("/v1/trust/log/{index:int}/proof", media_type="text/plain", opt={ACCESS: OPEN})
    async def tlog_proof(index: _Index) -> Response[bytes]:
        """One leaf's proof in the newest cosigned head, as a .tlog-proof file."""
        return Response(await parts.feeder.tlog_proof(index), media_type="text/plain")

    handlers: list[Any] = [
        *(witness_add_checkpoint, witness_gossip, witness_fraud, witness_checkpoint),
        *trust_mirror.handlers(parts),
        *(witness_state, one_fraud, log_commitments),
        *(publish_list, tlog_proof),
    ]
    return Router("/", route_handlers=handlers, tags=["trust"])


async def _state(parts: Parts) -> WitnessState:
    logs = []
    for origin, held in sorted(parts.witness.heads().items()):
        copy = parts.mirrors.of(origin)
        logs.append(
            WatchedLog(
                origin=origin,
                hash=origin_hash(origin),
                size=held.size,
                root=base64url(held.root),
                cosigned_at_s=held.at_s,
                mirrored=await copy.size() if copy else 0,
                convicted=origin in parts.watch.convicted,
                unresolved=parts.watch.unresolved.get(origin, ""),
            )
        )
    return WitnessState(
        keys=[vkey(key) for key in parts.witness.keys],
        mirror_keys=[vkey(key) for key in parts.mirrors.keys],
        logs=logs,
        corridors=[
            _corridor(name, found) for name, found in (await parts.feeder.witnessed()).items()
        ],
        problems=dict(parts.feeder.problems),
        frauds=list(await parts.frauds.names()),
        brought=[_brought(each) for each in await parts.pushing.states()],
    )


def _brought(state: PushState) -> Brought:
    return Brought(
        url=state.target.url,
        corridors=list(state.target.corridors),
        leaves=state.pushed.leaves,
        cosigned=state.pushed.cosigned,
        cosigned_at_s=state.pushed.at_s,
        problem=state.problem,
        failures=state.failures,
    )


def _corridor(name: str, found: Witnessed | str) -> Corridor:
    if isinstance(found, str):
        return Corridor(name=name, witnessed=False, reason=found, by=[], witnessed_at_s=0)
    return Corridor(
        name=name, witnessed=True, reason="", by=list(found.by), witnessed_at_s=found.at_s
    )


def _leaf_of_list(data: bytes) -> bytes:
    # The update framework is needed here only, and few nodes govern a list.
    from zhidao.trust.service.witness.governing import believe, leaf_of
    from zhidao.trust.wire.governance.governance import decode_governed

    return leaf_of(believe(decode_governed(data)))
