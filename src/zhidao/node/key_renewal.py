"""A new key for a party or the node, or one revoked: the operator's act, while the node rests.

A new key waits under a name that nobody signs by until the fact is written, and takes its place
after that. Whoever dies in between is finished by repeating, or by the node's next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from zhidao.core.ambient import Clock, Randomness
from zhidao.core.errors import NotFound, Refused
from zhidao.core.ids import IdSource, PartyId, party_id
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, PublicKey, Signer, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.adapters.key_files import KeyFiles, party_key_name, party_keys
from zhidao.node.config import Config
from zhidao.node.database_access import database_of
from zhidao.node.log_keys import log_keys_of
from zhidao.node.log_renewal import refuse_running
from zhidao.node.own_keys import (
    KeySource,
    key_source,
    own_key_name,
    own_keys_of,
    present_of,
    recording_keys,
)
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import migrate
from zhidao.trust.adapters.log_succession import PostgresSuccession
from zhidao.trust.domain.log_key import log_origin
from zhidao.trust.events import KeyRevoked, KeyRotated
from zhidao.trust.service.key_register import KeyRegister, aggregate_of_keys

_SIGNING: Final = Algorithm.ED25519
_WAITING: Final = "_next"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Renewal:
    """What the acts on parties' keys work on. `records` sign by the parties' present keys."""

    keys: KeyFiles
    records: Records
    clock: Clock

    async def rotate(self, party: PartyId, reason: str) -> KeyRotated:
        """Goes over to a new key; after a crash, to the one that waits. Raises NotFound."""
        await self.finish(party)
        former = self._present(party)
        new = self.keys.make(_waiting(party), _SIGNING)
        register = KeyRegister(self.records)
        fact = await register.rotate(party, former=former.public, new=new, reason=reason)
        await self.finish(party)
        return fact

    async def revoke(
        self, party: PartyId, *, key: PublicKey | None, since: Utc, reason: str
    ) -> KeyRevoked:
        """Takes a key back, by default the present one, which a fresh one then replaces.

        The fresh key is known by the node's trust list only: a revoked key vouches for nothing.
        Raises NotFound for a key that the party never had here.
        """
        await self.finish(party)
        present = self._present(party).public
        every = {each.public for each in party_keys(self.keys, party, _SIGNING)}
        chosen = key or present
        if chosen not in every:
            raise NotFound(f"{party} never had the key {chosen.fingerprint} here")
        if chosen == present:
            self.keys.make(_waiting(party), _SIGNING)
        register = KeyRegister(self.records)
        fact = await register.revoke(
            party, chosen, since=since, now=self.clock.now(), reason=reason
        )
        await self.finish(party)
        return fact

    async def finish(self, party: PartyId) -> None:
        """Puts a waiting key into its place if the log has given up the present one."""
        if self.keys.get(_waiting(party), _SIGNING) is None:
            return
        known = party_keys(self.keys, party, _SIGNING)
        register = KeyRegister(self.records)
        if known and await register.is_spent(party, known[-1].public):
            name = party_key_name(party, len(known) + 1)
            self.keys.rename(_waiting(party), name, _SIGNING)

    async def finish_all(self) -> None:
        """The same for every party with a waiting key: before the node signs anything."""
        end = f"{_WAITING}.{_SIGNING.label}"
        for name in self.keys.names():
            if name.startswith("party.") and name.endswith(end):
                await self.finish(party_id(name.removeprefix("party.").removesuffix(end)))

    def _present(self, party: PartyId) -> SoftwareKey:
        known = party_keys(self.keys, party, _SIGNING)
        if not known:
            raise NotFound(f"this node keeps no key of {party}")
        return known[-1]


def rotate_key(
    config: Config,
    passphrase: bytes,
    party: PartyId,
    *,
    reason: str,
    clock: Clock,
    randomness: Randomness,
) -> KeyRotated:
    """Rotates a party's signing key; blocks, call it from the main thread.

    Raises Refused (`node_runs`), NotFound, Unavailable.
    """
    return _run(
        config, passphrase, party, clock, randomness, lambda work: work.rotate(party, reason)
    )


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


def revoke_key(
    config: Config,
    passphrase: bytes,
    party: PartyId,
    *,
    key: PublicKey | None,
    since: Utc | None,
    reason: str,
    clock: Clock,
    randomness: Randomness,
) -> KeyRevoked:
    """Revokes a party's signing key, from now on by default; blocks, as `rotate_key`."""
    moment = since or clock.now()
    return _run(
        config,
        passphrase,
        party,
        clock,
        randomness,
        lambda work: work.revoke(party, key=key, since=moment, reason=reason),
    )


def _run(
    config: Config,
    passphrase: bytes,
    party: PartyId,
    clock: Clock,
    randomness: Randomness,
    act: Callable[[Renewal | OwnRenewal], Awaitable[_T]],
) -> _T:
    refuse_running(config)
    node = party_id(config.text("node.name"))
    keys = KeyFiles(config.data / "keys", passphrase, randomness)
    source = key_source(config, keys)
    with database_of(config) as url:
        return asyncio.run(_with_database(url, keys, source, node, party, clock, randomness, act))


async def _with_database(
    url: str,
    keys: KeyFiles,
    source: KeySource,
    node: PartyId,
    party: PartyId,
    clock: Clock,
    randomness: Randomness,
    act: Callable[[Renewal | OwnRenewal], Awaitable[_T]],
) -> _T:
    database = await Database.open(url, connections_max=4)
    try:
        await migrate(database)
        await _refuse_stranger(database, source, node)
        known = party_keys(keys, party, _SIGNING)
        recording, _ = await recording_keys(database, source, node)
        scribe = Scribe(
            node=node,
            key=recording,
            ring=FixedKeyRing({party: known[-1]} if known else {}),
            clock=clock,
            ids=IdSource(clock, randomness),
            randomness=randomness,
        )
        records = Records(PostgresJournal(database, "trust", lambda: None), scribe)
        if party == node:
            return await act(OwnRenewal(source, records, clock, node))
        return await act(Renewal(keys, records, clock))
    finally:
        await database.close()


async def _refuse_stranger(database: Database, keys: KeySource, node: PartyId) -> None:
    """Under another name the facts would be a stranger's, and nobody would believe them."""
    succession = PostgresSuccession(database)
    for key in log_keys_of(keys):
        if (await succession.edge(log_origin(node, key.public))).size:
            return
    raise Refused(
        f"there is no log of a node named {node}",
        code="other_node",
        remedy="give the node's own settings with --config",
    )


def _waiting(party: PartyId) -> str:
    return f"party.{party}{_WAITING}"
