"""This node's own trust list: its log, the keys it records with, and the parties at home here."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId, party_id
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc
from zhidao.node.identity.organisation import Organisation
from zhidao.node.identity.parties import Parties
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.domain.policy import Policy
from zhidao.trust.domain.trust_list import TrustedNode, TrustedParty, TrustList, trust_list
from zhidao.trust.wire.governance.trust_list import NAME_CHARACTERS_MAX, encode_trust_list

# Any time will do while words are compared.
_EPOCH: Final = Utc.parse("2000-01-01T00:00:00Z")


# Since when a list says what it says: from the digest of its words to their first time.
Since = Callable[[bytes, Utc], Awaitable[Utc]]


async def _from_now_on(digest: bytes, now: Utc) -> Utc:
    del digest
    return now


@dataclass(frozen=True, slots=True)
class OwnList:
    """Writes the list as it stands now.

    `keys`: those that the node records with, and those of former logs. `policies`: which witnesses
    must have cosigned a head, by corridor. `since`: keeps the time of a list for as long as it says
    the same, so that whoever takes it twice has one list with one root.
    """

    parties: Parties
    organisation: Organisation
    clock: Clock
    log_key: NoteKey
    keys: Sequence[PublicKey]
    node: PartyId
    policies: Mapping[str, Policy] = field(default_factory=dict)
    since: Since = _from_now_on

    async def now(self, corridor: str = "") -> TrustList:
        """The list, for one corridor: its witnesses' quorum counts there, and it bears its name.

        Without a corridor the first one's policy holds. Raises Refused (`unknown_corridor`).
        """
        if corridor and corridor not in self.policies:
            raise Refused(f"no policy of a corridor {corridor[:64]!r}", code="unknown_corridor")
        policy = self.policies.get(corridor) or next(iter(self.policies.values()), None)
        name = self.organisation.name or self.node
        now = self.clock.now()
        told = trust_list(
            f"{name}, corridor {corridor}"[:NAME_CHARACTERS_MAX] if corridor else name,
            _EPOCH,
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
            policy,
        )
        words = hashlib.sha256(encode_trust_list(told)).digest()
        return replace(told, created=await self.since(words, now))
