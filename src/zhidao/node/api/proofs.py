"""Routes that let a party leave with everything: the proof file and the trust list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, Literal, Protocol

from litestar import Response, Router, get
from litestar.params import Parameter

from zhidao.core.access import CALLER, READ
from zhidao.core.actor import Actor
from zhidao.node.http.access import ACCESS
from zhidao.node.identity.trust_list import OwnList
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.wire.governance.trust_list import encode_trust_list
from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof
from zhidao.verification.compact import compacted

# JSON inside gzip, as a file and not as a coding of the answer.
_PROOF: Final = "application/octet-stream"
_Corridor = Annotated[str, Parameter(max_length=64)]
_Name = Annotated[str, Parameter(min_length=1, max_length=64)]


class Proofs(Protocol):
    """Writes proof files of consignments."""

    async def proof(self, actor: Actor, consignment: str, *, corridor: str = "") -> bytes:
        """The file, for whoever may see the consignment. Raises NotFound for a stranger."""


def routes(export: Proofs, own: OwnList, with_peers: Callable[[TrustList], TrustList]) -> Router:
    """Routes under /v1. `with_peers` adds what this node's peers say of themselves to a list."""

    @get("/consignments/{consignment:str}/proof", media_type=_PROOF, opt={ACCESS: READ})
    async def proof(
        consignment: _Name,
        actor: Actor,
        form: Literal["full", "compact"] = "full",
        corridor: _Corridor = "",
    ) -> Response[bytes]:
        """The file `consignment.zdproof`: checked offline by `zhidao verify`.

        Where another node writes the consignment's history, the proof that came from there.
        `form=compact` leaves raw observations and the creation of the title contracts out;
        `corridor` asks for a head that this corridor's witnesses have cosigned.
        """
        data = await export.proof(actor, consignment, corridor=corridor)
        if form == "compact":
            data = encode_proof(compacted(decode_proof(data)))
        headers = {"Content-Disposition": 'attachment; filename="consignment.zdproof"'}
        return Response(data, media_type=_PROOF, headers=headers)

    @get("/trust-list", media_type="application/json", opt={ACCESS: CALLER})
    async def trust_list(
        actor: Actor, corridor: _Corridor = "", *, peers: bool = False
    ) -> Response[bytes]:
        """This node's keys and its parties', for `zhidao trust add`.

        `corridor`: a head then counts only with the quorum of that corridor's witnesses. `peers`:
        with the keys of the nodes that it exchanges with, as they were when it admitted them and
        as they changed them since.

        Compare the fingerprints over another channel before you trust them: a node can name any
        keys it likes.
        """
        del actor  # Public keys are no secret among the node's callers.
        found = await own.now(corridor)
        listed = encode_trust_list(with_peers(found) if peers else found)
        return Response(listed, media_type="application/json")

    return Router("/v1", route_handlers=[proof, trust_list], tags=["proofs"])
