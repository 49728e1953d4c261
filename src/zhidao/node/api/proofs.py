"""Routes that let a party leave with everything: the proof file and the trust list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from litestar import Response, Router, get
from litestar.params import Parameter

from zhidao.core.actor import Actor
from zhidao.core.ambient import Clock
from zhidao.core.ids import PartyId, party_id
from zhidao.core.keys import PublicKey
from zhidao.node.organisation import Organisation
from zhidao.node.parties import Parties
from zhidao.node.road.export import ProofExport
from zhidao.node.verification.compact import compacted
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.domain.policy import Policy
from zhidao.trust.domain.trust_list import TrustedNode, TrustedParty
from zhidao.trust.domain.trust_list import trust_list as make_trust_list
from zhidao.trust.wire.trust_list import encode_trust_list
from zhidao.trust.wire.zdproof import decode_proof, encode_proof

# JSON inside gzip, as a file and not as a coding of the answer.
_PROOF: Final = "application/octet-stream"
_Name = Annotated[str, Parameter(min_length=1, max_length=64)]


def routes(
    export: ProofExport,
    parties: Parties,
    *,
    clock: Clock,
    log_key: NoteKey,
    keys: Sequence[PublicKey],
    node: PartyId,
    policy: Policy | None = None,
    organisation: Organisation,
) -> Router:
    """Routes under /v1. `keys`: those that the node records with, and those of former logs."""

    @get("/consignments/{consignment:str}/proof", media_type=_PROOF)
    async def proof(
        consignment: _Name, actor: Actor, form: Literal["full", "compact"] = "full"
    ) -> Response[bytes]:
        """The file `consignment.zdproof`: checked offline by `zhidao verify`.

        `form=compact` leaves raw observations and the creation of the title contracts out.
        """
        data = await export.proof(actor, consignment)
        if form == "compact":
            data = encode_proof(compacted(decode_proof(data)))
        headers = {"Content-Disposition": 'attachment; filename="consignment.zdproof"'}
        return Response(data, media_type=_PROOF, headers=headers)

    @get("/trust-list", media_type="application/json")
    async def trust_list(actor: Actor) -> Response[bytes]:
        """This node's keys and its parties', for `zhidao trust add`.

        Compare the fingerprints over another channel before you trust them: a node can name any
        keys it likes.
        """
        known = await parties.every(actor)
        document = make_trust_list(
            organisation.name or node,
            clock.now(),
            [TrustedNode(party=node, log=log_key, keys=tuple(keys))],
            [
                TrustedParty(
                    party=party_id(each.party),
                    name=each.name,
                    role=each.trade_role,
                    keys=tuple(PublicKey.from_multikey(key) for key in each.keys),
                )
                for each in known
            ],
            policy,
        )
        return Response(encode_trust_list(document), media_type="application/json")

    return Router("/v1", route_handlers=[proof, trust_list], tags=["proofs"])
