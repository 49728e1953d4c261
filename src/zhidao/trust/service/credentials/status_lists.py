"""Status lists of this node's issuers: an index for each credential, a bit once it is revoked.

An index is drawn by chance among the free ones, so that it tells nothing of how many there are.
Revocation is a signed event and is never undone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.errors import Conflict, NotFound, Refused
from zhidao.core.events import SignedEvent, every
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.core.keys import Signer
from zhidao.trust.domain.credential import CONTEXT_V2
from zhidao.trust.events import CredentialRevoked, StatusAssigned
from zhidao.trust.wire.credentials.data_integrity import secure
from zhidao.trust.wire.credentials.status_list import (
    BITS_MIN,
    ENTRY,
    LIST,
    LIST_CREDENTIAL,
    REVOCATION,
    encode_list,
)
from zhidao.trust.wire.identifiers.did import did_key, key_method

MAY_REVOKE: Final = access(Role.PARTY, relation=Relation.OWNER, of="the credential, its issuer")

_ATTEMPTS_MAX: Final = 5
# A list is half full at most: a free index is then found at the second try on average.
_CREDENTIALS_MAX: Final = BITS_MIN // 2
TTL_MS: Final = 300_000
_LIFE_NS: Final = 24 * 3_600 * 1_000_000_000


class StatusLists:
    """One revocation list for each issuing party, under `base` (an https URL)."""

    def __init__(
        self, records: Records, clock: Clock, randomness: Randomness, *, base: str
    ) -> None:
        self._records = records
        self._clock = clock
        self._randomness = randomness
        self._base = base
        # Those of this process take turns; only another process can be in the way then.
        self._turn = asyncio.Lock()

    def url(self, party: PartyId) -> str:
        """Where the party's list is served."""
        return f"{self._base}/{party}"

    async def entry(self, actor: Actor, credential: str) -> dict[str, Any]:
        """The `credentialStatus` of a credential (its id); asked again, the same.

        Raises Refused (`status_list_full`).
        """
        async with self._turn:
            return await self._assigned(actor, credential)

    async def _assigned(self, actor: Actor, credential: str) -> dict[str, Any]:
        for _ in range(_ATTEMPTS_MAX):
            history = await self._records.history(_aggregate(actor.party))
            given = {fact.credential: fact.index for fact in every(history, StatusAssigned)}
            index = given.get(credential)
            if index is None:
                index = self._free(set(given.values()))
                fact = StatusAssigned(credential=credential, index=index)
                try:
                    await self._write(actor, history, fact)
                except Conflict:
                    continue
            return {
                "id": f"{self.url(actor.party)}#{index}",
                "type": ENTRY,
                "statusPurpose": REVOCATION,
                "statusListIndex": str(index),
                "statusListCredential": self.url(actor.party),
            }
        raise Conflict("others keep taking indexes; repeat the request")

    async def revoke(self, actor: Actor, credential: str, *, reason: str) -> None:
        """Sets the bit of a credential of the actor's party, for ever; again: nothing happens.

        Raises NotFound if the party issued no such credential with a status.
        """
        MAY_REVOKE.admit(actor)
        async with self._turn:
            await self._revoked(actor, credential, reason)

    async def _revoked(self, actor: Actor, credential: str, reason: str) -> None:
        for _ in range(_ATTEMPTS_MAX):
            history = await self._records.history(_aggregate(actor.party))
            given = {fact.credential: fact.index for fact in every(history, StatusAssigned)}
            if credential not in given:
                raise NotFound("this party issued no such credential with a status")
            if any(fact.credential == credential for fact in every(history, CredentialRevoked)):
                return
            fact = CredentialRevoked(
                credential=credential, index=given[credential], reason=reason[:200]
            )
            try:
                await self._write(actor, history, fact)
            except Conflict:
                continue
            return
        raise Conflict("others keep writing to this list; repeat the request")

    async def document(
        self, issuer: PartyId, signer_of: Callable[[PartyId], Signer]
    ) -> dict[str, Any]:
        """The party's list as a credential signed now, good for a day. Raises NotFound."""
        history = await self._records.history(_aggregate(issuer))
        if not history:
            raise NotFound("no status list of that name")
        signer, now = signer_of(issuer), self._clock.now()
        url = self.url(issuer)
        unsecured = {
            "@context": [CONTEXT_V2],
            "id": url,
            "type": ["VerifiableCredential", LIST_CREDENTIAL],
            "issuer": did_key(signer.public),
            "validFrom": str(now),
            "validUntil": str(now.plus_ns(_LIFE_NS)),
            "credentialSubject": {
                "id": f"{url}#list",
                "type": LIST,
                "statusPurpose": REVOCATION,
                "encodedList": encode_list(
                    fact.index for fact in every(history, CredentialRevoked)
                ),
                "ttl": TTL_MS,
            },
        }
        return secure(unsecured, signer=signer, method=key_method(signer.public), created=now)

    def _free(self, taken: set[int]) -> int:
        if len(taken) >= _CREDENTIALS_MAX:
            raise Refused(
                f"the party's status list is full: it holds {_CREDENTIALS_MAX} credentials",
                code="status_list_full",
            )
        while True:
            index = int.from_bytes(self._randomness.token(4), "big") % BITS_MIN
            if index not in taken:
                return index

    async def _write(
        self,
        actor: Actor,
        history: tuple[SignedEvent, ...],
        fact: StatusAssigned | CredentialRevoked,
    ) -> None:
        await self._records.record(
            actor, _aggregate(actor.party), [fact], after=len(history), owner=actor.party
        )


def _aggregate(party: PartyId) -> str:
    return f"status/{party}"
