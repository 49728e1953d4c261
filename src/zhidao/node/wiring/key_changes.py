"""Changes of keys while the node stands still: the operator's acts, with what they reach."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from zhidao.core.ambient import Clock, Randomness
from zhidao.core.ids import IdSource, PartyId, party_id
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, PublicKey, Signer
from zhidao.core.timescale import Utc
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.adapters.keys.known import in_folder, party_records
from zhidao.node.config import Config
from zhidao.node.identity.key_rotation import OwnRenewal, Renewal, refuse_stranger
from zhidao.node.identity.log_rotation import (
    LogRotation,
    check_reason,
    declare,
    refuse_running,
)
from zhidao.node.identity.own_keys import KeySource, recording_keys, refuse_lost_first
from zhidao.node.operations.backup import HEAD_COPY
from zhidao.node.operations.database_access import database_of
from zhidao.node.security.known_keys import lost_key, signing_keys
from zhidao.node.security.party_keys import party_keys
from zhidao.node.wiring.keys import key_source
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import migrate
from zhidao.trust.adapters.log.head_file import FileHeadCopy
from zhidao.trust.adapters.log.postgres import PostgresLogStore
from zhidao.trust.adapters.log.succession import PostgresSuccession
from zhidao.trust.events import KeyRevoked, KeyRotated, LogKeyDeclared

_SIGNING: Final = Algorithm.ED25519
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Standing:
    """A node that stands still: its settings, its keys, and what every signature takes."""

    config: Config
    node: PartyId
    keys: KeyFiles
    own: KeySource
    clock: Clock
    randomness: Randomness

    @classmethod
    def of(
        cls, config: Config, passphrase: bytes, clock: Clock, randomness: Randomness
    ) -> _Standing:
        """Opens the keys. Raises Refused (`node_runs`) while the node runs."""
        refuse_running(config.data)
        keys = KeyFiles(config.data / "keys", passphrase, randomness)
        node = party_id(config.text("node.name"))
        return cls(config, node, keys, key_source(config, keys), clock, randomness)

    def run(self, act: Callable[[Database], Awaitable[_T]]) -> _T:
        """Does something with the node's database; blocks, call it from the main thread."""

        async def opened(url: str) -> _T:
            database = await Database.open(url, connections_max=4)
            try:
                await migrate(database)
                return await act(database)
            finally:
                await database.close()

        with database_of(self.config) as url:
            return asyncio.run(opened(url))

    async def records(self, database: Database, speakers: Mapping[PartyId, Signer]) -> Records:
        """Records signed by the node's present key, and by these parties'."""
        key, _ = await recording_keys(database, self.own, self.node)
        scribe = Scribe(
            node=self.node,
            key=key,
            ring=FixedKeyRing(dict(speakers)),
            clock=self.clock,
            ids=IdSource(self.clock, self.randomness),
            randomness=self.randomness,
        )
        return Records(PostgresJournal(database, "trust", lambda: None), scribe)


def declare_log_key(
    config: Config,
    passphrase: bytes,
    *,
    reason: str,
    clock: Clock,
    randomness: Randomness,
    planned: bool = False,
) -> LogKeyDeclared:
    """Makes a new log key and goes on under it; blocks, call it from the main thread.

    planned: the log is in order and keeps all its leaves; only its key is renewed.

    Raises Refused (`node_runs`, `no_node`, `log_in_order`, `no_reason`), Unavailable.
    """
    said = check_reason(reason)
    standing = _Standing.of(config, passphrase, clock, randomness)

    async def act(database: Database) -> LogKeyDeclared:
        await refuse_lost_first(database, standing.own)
        head_file = config.data / HEAD_COPY
        rotation = LogRotation(
            node=standing.node,
            keys=standing.keys,
            own=standing.own,
            log_store=lambda origin: PostgresLogStore(database, origin),
            succession=PostgresSuccession(database),
            records=lambda: standing.records(database, {}),
            head_copy=FileHeadCopy(head_file),
            head_file=head_file,
            clock=clock,
        )
        return await declare(rotation, said, planned=planned)

    return standing.run(act)


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
    standing = _Standing.of(config, passphrase, clock, randomness)

    async def act(database: Database) -> KeyRotated:
        return await (await _renewal(standing, database, party)).rotate(party, reason)

    return standing.run(act)


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
    standing = _Standing.of(config, passphrase, clock, randomness)

    async def act(database: Database) -> KeyRevoked:
        renewal = await _renewal(standing, database, party, named=key)
        return await renewal.revoke(party, key=key, since=moment, reason=reason)

    return standing.run(act)


async def _renewal(
    standing: _Standing, database: Database, party: PartyId, *, named: PublicKey | None = None
) -> Renewal | OwnRenewal:
    """`named`: by the operator; a party's lost key that nothing else knows is told so."""
    await refuse_lost_first(database, standing.own)
    await refuse_stranger(PostgresSuccession(database), standing.own, standing.node)
    known = party_keys(standing.keys, party, _SIGNING)
    records = await standing.records(database, {party: known[-1]} if known else {})
    if party == standing.node:
        return OwnRenewal(standing.own, records, standing.clock, standing.node)
    lost = await _lost(standing, database, party, named)
    return Renewal(standing.keys, records, standing.clock, lost)


async def _lost(
    standing: _Standing, database: Database, party: PartyId, named: PublicKey | None
) -> PublicKey | None:
    """The party's present key if it is at home here and the key is not at hand."""
    held = in_folder(standing.config.data / "keys")
    known = [each for each in await party_records(database) if each.party == party]
    if not known:
        return None
    return lost_key(known[0], held) or (None if signing_keys(party, held) else named)
