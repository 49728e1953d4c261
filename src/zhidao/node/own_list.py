"""This node's own trust list: its log, the keys it records with, and the parties at home here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zhidao.core.ambient import Clock
from zhidao.core.ids import PartyId, party_id
from zhidao.core.keys import PublicKey
from zhidao.node.organisation import Organisation
from zhidao.node.parties import Parties
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.domain.policy import Policy
from zhidao.trust.domain.trust_list import TrustedNode, TrustedParty, TrustList, trust_list


@dataclass(frozen=True, slots=True)
class OwnList:
    """Writes the list as it stands now.

    `keys`: those that the node records with, and those of former logs.
    """

    parties: Parties
    organisation: Organisation
    clock: Clock
    log_key: NoteKey
    keys: Sequence[PublicKey]
    node: PartyId
    policy: Policy | None = None

    async def now(self) -> TrustList:
        """The list."""
        return trust_list(
            self.organisation.name or self.node,
            self.clock.now(),
            [TrustedNode(party=self.node, log=self.log_key, keys=tuple(self.keys))],
            [
                TrustedParty(
                    party=party_id(each.party),
                    name=each.name,
                    role=each.trade_role,
                    keys=tuple(PublicKey.from_multikey(key) for key in each.keys),
                )
                for each in await self.parties.here()
            ],
            self.policy,
        )
