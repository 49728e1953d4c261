"""A new key for a party or the node, or one revoked: the operator's act, while the node rests.

A new key waits under a name that nobody signs by until the fact is written, and takes its place
after that. Whoever dies in between is finished by repeating, or by the node's next start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from zhidao.core.ambient import Clock
from zhidao.core.errors import NotFound, Refused
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Records
from zhidao.core.keys import Algorithm, PublicKey, Signer, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.identity.log_keys import log_keys_of
from zhidao.node.identity.own_keys import (
    KeySource,
    own_key_name,
    own_keys_of,
    present_of,
)
from zhidao.node.security.known_keys import LACKING_REMEDY
from zhidao.node.security.party_keys import (
    WAITING,
    HeldKeys,
    party_key_name,
    party_keys,
    waiting_key_name,
)
from zhidao.trust.domain.log_key import log_origin
from zhidao.trust.events import KeyRevoked, KeyRotated
from zhidao.trust.service.log.key_register import KeyRegister, aggregate_of_keys
from zhidao.trust.service.log.ports import Succession

_SIGNING: Final = Algorithm.ED25519


class PartyKeyFiles(HeldKeys, Protocol):
    """Parties' keys by name, which may be made and renamed."""

    def make(self, name: str, algorithm: Algorithm) -> SoftwareKey:
        """The key of that name, made if it is new."""
        ...

    def rename(self, name: str, to: str, algorithm: Algorithm) -> None:
        """Gives a key another name, in one step."""
        ...

    def names(self) -> list[str]:
        """Names of all keys with their algorithm, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Renewal:
    """What the acts on parties' keys work on. `records` sign by the parties' present keys.

    `lost`: the present key of the party that an act is about, where it is not at hand.
    """

    keys: PartyKeyFiles
    records: Records
    clock: Clock
    lost: PublicKey | None = None

    async def rotate(self, party: PartyId, reason: str) -> KeyRotated:
        """Goes over to a new key; after a crash, to the one that waits.

        Raises NotFound, Refused (`key_missing`) where the present key is lost: it cannot say so.
        """
        if self.lost is not None:
            raise Refused(
                f"the key {self.lost.fingerprint} of {party} is lost, and signs no change",
                code="key_missing",
                remedy=LACKING_REMEDY,
            )
        await self.finish(party)
        former = self._present(party)
        new = self.keys.make(waiting_key_name(party), _SIGNING)
        register = KeyRegister(self.records)
        fact = await register.rotate(party, former=former.public, new=new, reason=reason)
        await self.finish(party)
        return fact

    async def revoke(
        self, party: PartyId, *, key: PublicKey | None, since: Utc, reason: str
    ) -> KeyRevoked:
        """Takes a key back, by default the present one, which a fresh one then replaces.

        The fresh key is known by the node's trust list only: a revoked key vouches for nothing.
        Where the present key is lost, so is the party's account if that key is not at hand either,
        and gets a new one. Raises NotFound for a key that the party never had here.
        """
        await self.finish(party)
        if self.lost is not None and key in (None, self.lost):
            return await self._replace_lost(party, self.lost, since=since, reason=reason)
        present = self._present(party).public
        every = {each.public for each in party_keys(self.keys, party, _SIGNING)}
        chosen = key or present
        if chosen not in every:
            raise NotFound(f"{party} never had the key {chosen.fingerprint} here")
        if chosen == present:
            self.keys.make(waiting_key_name(party), _SIGNING)
        register = KeyRegister(self.records)
        fact = await register.revoke(
            party, chosen, since=since, now=self.clock.now(), reason=reason
        )
        await self.finish(party)
        return fact

    async def _replace_lost(
        self, party: PartyId, lost: PublicKey, *, since: Utc, reason: str
    ) -> KeyRevoked:
        """The fact first: whoever dies after it has no key in the lost one's place, and repeats."""
        register = KeyRegister(self.records)
        fact = await register.revoke(party, lost, since=since, now=self.clock.now(), reason=reason)
        self.keys.make(party_key_name(party, 1), Algorithm.SECP256K1)
        self.keys.make(waiting_key_name(party), _SIGNING)
        await self.finish(party)
        return fact

    async def finish(self, party: PartyId) -> None:
        """Puts a waiting key into its place if the log has given up the present one."""
        if self.keys.get(waiting_key_name(party), _SIGNING) is None:
            return
        known = party_keys(self.keys, party, _SIGNING)
        register = KeyRegister(self.records)
        if known:
            is_over = await register.is_spent(party, known[-1].public)
        else:
            is_over = await register.has_revoked(party)
        if is_over:
            name = party_key_name(party, len(known) + 1)
            self.keys.rename(waiting_key_name(party), name, _SIGNING)

    async def finish_all(self) -> None:
        """The same for every party with a waiting key: before the node signs anything."""
        end = f"{WAITING}.{_SIGNING.label}"
        for name in self.keys.names():
            if name.startswith("party.") and name.endswith(end):
                await self.finish(party_id(name.removeprefix("party.").removesuffix(end)))

    def _present(self, party: PartyId) -> SoftwareKey:
        known = party_keys(self.keys, party, _SIGNING)
        if not known:
            raise NotFound(
                f"this node keeps no key of {party}",
                remedy="if it is lost, name it: zhidao keys revoke PARTY --key MULTIKEY",
            )
        return known[-1]


@dataclass(frozen=True, slots=True)
class OwnRenewal:
    """The same acts on the node's own recording key. `records` sign by its present one."""

    source: KeySource
    records: Records
    clock: Clock
    node: PartyId

    async def rotate(self, party: PartyId, reason: str) -> KeyRotated:
        """Goes over to a new recording key; the node uses it from its next start on."""
        known, place = await self._known()
        # One that was made and not gone over to is left from an act that died.
        new = self.source.make(own_key_name(place + 2), _SIGNING)
        return await KeyRegister(self.records).rotate(
            party, former=known[place].public, new=new, reason=reason
        )

    async def revoke(
        self, party: PartyId, *, key: PublicKey | None, since: Utc, reason: str
    ) -> KeyRevoked:
        """Takes a former recording key back. Raises Refused (`present_key`), NotFound."""
        known, place = await self._known()
        present = known[place].public
        if key is None or key == present:
            raise Refused(
                "the node records with this key now",
                code="present_key",
                remedy=f"first: zhidao keys rotate {party}; then revoke the former with --key",
            )
        if key not in {each.public for each in known[:place]}:
            raise NotFound(f"{party} never recorded with the key {key.fingerprint}")
        return await KeyRegister(self.records).revoke(
            party, key, since=since, now=self.clock.now(), reason=reason
        )

    async def _known(self) -> tuple[list[Signer], int]:
        history = await self.records.history(aggregate_of_keys(self.node))
        known = own_keys_of(self.source)
        return known, present_of(known, history)


async def refuse_stranger(succession: Succession, keys: KeySource, node: PartyId) -> None:
    """Under another name the facts would be a stranger's, and nobody would believe them."""
    for key in log_keys_of(keys):
        if (await succession.edge(log_origin(node, key.public))).size:
            return
    raise Refused(
        f"there is no log of a node named {node}",
        code="other_node",
        remedy="give the node's own settings with --config",
    )
