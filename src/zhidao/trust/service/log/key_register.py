"""Writes rotations and revocations of parties' keys into the log."""

from __future__ import annotations

from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.encoding import base64url
from zhidao.core.errors import Conflict, Refused
from zhidao.core.events import SignedEvent, every
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.core.keys import PublicKey, Signer
from zhidao.core.timescale import Utc
from zhidao.trust.domain.key_history import rotation_message
from zhidao.trust.events import KeyRevoked, KeyRotated

REASON_CHARACTERS_MAX: Final = 200


def aggregate_of_keys(party: PartyId) -> str:
    """The aggregate that tells of a party's keys."""
    return f"keys/{party}"


class KeyRegister:
    """The open histories `keys/<party>`."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def rotate(
        self, party: PartyId, *, former: PublicKey, new: Signer, reason: str
    ) -> KeyRotated:
        """Writes that a party goes over to a new key; the records' key ring signs by the former.

        Again: the same fact. Raises Conflict (`key_spent`) if the party gave up the former key
        for another one, or it was revoked.
        """
        _check_reason(reason)
        history = await self._records.history(aggregate_of_keys(party))
        for fact in every(history, KeyRotated):
            if fact.key == new.public.multikey and fact.former == former.multikey:
                return fact
        if is_spent(history, former):
            raise Conflict(f"{party} uses the key {former.fingerprint} no more", code="key_spent")
        message = rotation_message(party, former, new.public)
        fact = KeyRotated(
            party=party,
            former=former.multikey,
            key=new.public.multikey,
            possession=base64url(new.sign(message)),
            reason=reason,
        )
        await self._records.record(
            Actor(party, Role.PARTY),
            aggregate_of_keys(party),
            [fact],
            after=len(history),
            owner=party,
        )
        return fact

    async def revoke(
        self, party: PartyId, key: PublicKey, *, since: Utc, now: Utc, reason: str
    ) -> KeyRevoked:
        """Writes, as the node, that nothing of a key counts from `since` on.

        Again with an equal or later `since`: the fact that stands. Raises Refused (`future_time`).
        """
        _check_reason(reason)
        if since > now:
            raise Refused(f"{since} has not come yet", code="future_time")
        history = await self._records.history(aggregate_of_keys(party))
        for fact in every(history, KeyRevoked):
            if fact.key == key.multikey and Utc.parse(fact.since) <= since:
                return fact
        fact = KeyRevoked(party=party, key=key.multikey, since=str(since), reason=reason)
        node = Actor(PartyId(self._records.node), Role.NODE)
        await self._records.record(
            node, aggregate_of_keys(party), [fact], after=len(history), owner=party
        )
        return fact

    async def is_spent(self, party: PartyId, key: PublicKey) -> bool:
        """Whether a party must sign with this key no more."""
        return is_spent(await self._records.history(aggregate_of_keys(party)), key)

    async def has_revoked(self, party: PartyId) -> bool:
        """Whether any key of a party was taken back."""
        return any(every(await self._records.history(aggregate_of_keys(party)), KeyRevoked))


def is_spent(history: tuple[SignedEvent, ...], key: PublicKey) -> bool:
    """Whether a history of keys gives up a key or revokes it."""
    given_up = {fact.former for fact in every(history, KeyRotated)}
    return key.multikey in given_up | {fact.key for fact in every(history, KeyRevoked)}


def _check_reason(reason: str) -> None:
    if not 0 < len(reason.strip()) <= REASON_CHARACTERS_MAX or not reason.isprintable():
        raise Refused(
            f"a reason has 1 to {REASON_CHARACTERS_MAX} characters; everybody will read it",
            code="no_reason",
        )
