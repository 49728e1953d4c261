"""Status lists of this node's issuers: an index for each credential, a bit once it is revoked.

A party begins another list when one has taken its share of credentials.

An index is drawn by chance among the free ones, so that it tells nothing of how many there are.
Revocation is a signed event and is never undone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
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
# A list takes so many and then another begins: what is read of it after a start stays short, and a
# free index is found at once.
CREDENTIALS_MAX: Final = BITS_MIN // 8
# With 16,384 credentials each: sixteen million of one party.
LISTS_MAX: Final = 1_000
_KEPT_MAX: Final = 64
TTL_MS: Final = 300_000
_LIFE_NS: Final = 24 * 3_600 * 1_000_000_000


@dataclass(slots=True)
class _Known:
    """What this process has read of a list: up to which version, and what stands there."""

    version: int = 0
    given: dict[str, int] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    revoked: dict[str, int] = field(default_factory=dict)

    def read(self, events: tuple[SignedEvent, ...]) -> None:
        self.version += len(events)
        for assigned in every(events, StatusAssigned):
            self.given[assigned.credential] = assigned.index
            self.taken.add(assigned.index)
        for revoked in every(events, CredentialRevoked):
            self.revoked[revoked.credential] = revoked.index


class StatusLists:
    """Revocation lists of each issuing party, one after the other, under `base` (an https URL)."""

    def __init__(
        self, records: Records, clock: Clock, randomness: Randomness, *, base: str
    ) -> None:
        self._records = records
        self._clock = clock
        self._randomness = randomness
        self._base = base
        # Those of this process take turns; only another process can be in the way then.
        self._turn = asyncio.Lock()
        self._newest: dict[PartyId, int] = {}
        self._known: dict[str, _Known] = {}

    def url(self, party: PartyId, number: int = 1) -> str:
        """Where a list of the party is served; the first has no number."""
        return f"{self._base}/{party}" if number == 1 else f"{self._base}/{party}/{number}"

    def named(self, url: str) -> tuple[PartyId, int] | None:
        """Party and number of a list that stands here, or None for an address of others."""
        if not url.startswith(f"{self._base}/"):
            return None
        name, _, rest = url.removeprefix(f"{self._base}/").partition("/")
        number = int(rest) if rest.isascii() and rest.isdigit() and len(rest) < 5 else 1
        party = PartyId(name)
        return (party, number) if self.url(party, number) == url else None

    async def entry(self, actor: Actor, credential: str) -> dict[str, Any]:
        """The `credentialStatus` of a credential (its id).

        Asked again while its list is the party's newest, the same. Raises Refused
        (`status_list_full`) after the thousandth list.
        """
        async with self._turn:
            return await self._assigned(actor, credential)

    async def _assigned(self, actor: Actor, credential: str) -> dict[str, Any]:
        party = actor.party
        for _ in range(_ATTEMPTS_MAX):
            number, known = await self._open_list(party)
            index = known.given.get(credential)
            if index is None:
                index = self._free(known.taken)
                fact = StatusAssigned(credential=credential, index=index)
                if not await self._wrote(actor, number, known, fact):
                    continue
            return {
                "id": f"{self.url(party, number)}#{index}",
                "type": ENTRY,
                "statusPurpose": REVOCATION,
                "statusListIndex": str(index),
                "statusListCredential": self.url(party, number),
            }
        raise Conflict("others keep taking indexes; repeat the request")

    async def revoke(self, actor: Actor, credential: str, *, of: str, reason: str) -> None:
        """Sets the bit of a credential of the actor's party, for ever; again: nothing happens.

        `of`: the list's address, as the credential names it. Raises NotFound if the party gave
        the credential no bit there.
        """
        MAY_REVOKE.admit(actor)
        async with self._turn:
            await self._revoked(actor, credential, of, reason)

    async def _revoked(self, actor: Actor, credential: str, of: str, reason: str) -> None:
        party, number = self.named(of) or (None, 0)
        for _ in range(_ATTEMPTS_MAX):
            known = await self._read(actor.party, number) if party == actor.party else _Known()
            if credential not in known.given:
                raise NotFound("this party issued no such credential with a status")
            if credential in known.revoked:
                return
            fact = CredentialRevoked(
                credential=credential, index=known.given[credential], reason=reason[:200]
            )
            if await self._wrote(actor, number, known, fact):
                return
        raise Conflict("others keep writing to this list; repeat the request")

    async def document(
        self, issuer: PartyId, signer_of: Callable[[PartyId], Signer], *, number: int = 1
    ) -> dict[str, Any]:
        """A list of the party as a credential signed now, good for a day. Raises NotFound."""
        known = await self._read(issuer, number) if 1 <= number <= LISTS_MAX else _Known()
        if not known.version:
            raise NotFound("no status list of that name")
        signer, now = signer_of(issuer), self._clock.now()
        url = self.url(issuer, number)
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
                "encodedList": encode_list(known.revoked.values()),
                "ttl": TTL_MS,
            },
        }
        return secure(unsecured, signer=signer, method=key_method(signer.public), created=now)

    async def _open_list(self, party: PartyId) -> tuple[int, _Known]:
        """The list that takes the party's next credential, as far as it is known here."""
        number = self._newest.get(party) or await self._last(party)
        while number <= LISTS_MAX:
            self._newest[party] = number
            known = await self._read(party, number)
            if len(known.given) < CREDENTIALS_MAX:
                return number, known
            number += 1
        raise Refused(
            f"the party's {LISTS_MAX} status lists are full: they hold"
            f" {LISTS_MAX * CREDENTIALS_MAX} credentials",
            code="status_list_full",
        )

    async def _last(self, party: PartyId) -> int:
        """The number of the party's newest list that somebody wrote to; 1 where there is none."""
        room = Actor(self._records.node, Role.NODE)
        names = await self._records.aggregates(f"status/{party}/", room, limit=LISTS_MAX)
        return max((int(name.rpartition("/")[2]) for name in names), default=1)

    async def _read(self, party: PartyId, number: int) -> _Known:
        """The list as it stands: what came since it was last read is read."""
        name = _aggregate(party, number)
        known = self._known.pop(name, None) or _Known()
        known.read(await self._records.history(name, after=known.version))
        if known.version:
            # The one used last stands last; the first ones go.
            self._known[name] = known
            while len(self._known) > _KEPT_MAX:
                del self._known[next(iter(self._known))]
        return known

    def _free(self, taken: set[int]) -> int:
        while True:
            index = int.from_bytes(self._randomness.token(4), "big") % BITS_MIN
            if index not in taken:
                return index

    async def _wrote(
        self, actor: Actor, number: int, known: _Known, fact: StatusAssigned | CredentialRevoked
    ) -> bool:
        """Whether the fact follows what was read; False if another process was first."""
        name = _aggregate(actor.party, number)
        try:
            await self._records.record(actor, name, [fact], after=known.version, owner=actor.party)
        except Conflict:
            return False
        return True


def _aggregate(party: PartyId, number: int) -> str:
    return f"status/{party}" if number == 1 else f"status/{party}/{number}"
