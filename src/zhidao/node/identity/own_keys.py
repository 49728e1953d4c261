"""The node's own keys: where they lie, and with which of them it records now.

The first, `node`, names the node for good: its first log, its chain, its witness. It also records,
until the node goes over to `node-2`, `node-3` and so on, each rotation an open event signed by the
key that is given up. Which one counts is read from those events and not from the files, so that an
act that died halfway is finished by repeating.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.events import SignedEvent, every
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, PublicKey, Signer
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal
from zhidao.trust.events import KeyRevoked, KeyRotated
from zhidao.trust.service.log.key_register import aggregate_of_keys

FIRST: Final = "node"
FIRST_REMEDY: Final = (
    "put the file back, or import the newest export: zhidao keys import FILE; no new key was made"
)
_ALGORITHM: Final = Algorithm.ED25519


class KeySource(Protocol):
    """Keeps private keys under names: sealed files, or a token."""

    def get(self, name: str, algorithm: Algorithm) -> Signer | None:
        """The key of that name, or None."""
        ...

    def make(self, name: str, algorithm: Algorithm) -> Signer:
        """The key of that name, made if it is new."""
        ...


def own_key_name(number: int) -> str:
    """The name of a recording key by its number."""
    return FIRST if number == 1 else f"{FIRST}-{number}"


def own_keys_of(source: KeySource) -> list[Signer]:
    """All keys with which this node recorded or was about to, in order."""
    found = [source.make(FIRST, _ALGORITHM)]
    while key := source.get(own_key_name(len(found) + 1), _ALGORITHM):
        found.append(key)
    return found


def present_of(known: Sequence[Signer], history: Sequence[SignedEvent]) -> int:
    """The place among the known keys of the one that records now, by the node's key events.

    Raises Unavailable (`no_key`) if the events name a key that is not there.
    """
    places = {key.public.multikey: place for place, key in enumerate(known)}
    present = known[0].public.multikey
    for fact in every(tuple(history), KeyRotated):
        if fact.former == present:
            present = fact.key
    if present not in places:
        raise Unavailable(
            "this node recorded with a key that is not here any more",
            code="no_key",
            remedy="import the newest export of its keys",
        )
    return places[present]


def revoked_of(node: PartyId, history: Sequence[SignedEvent]) -> tuple[PublicKey, ...]:
    """The node's own keys that it took back, by its key events."""
    facts = every(tuple(history), KeyRevoked)
    named = dict.fromkeys(fact.key for fact in facts if fact.party == node)
    return tuple(PublicKey.from_multikey(key) for key in named)


def meeting_key(known: Sequence[Signer], revoked: Sequence[PublicKey]) -> Signer:
    """The key for peers that do not know the present one yet: of those not taken back the oldest.

    That one they know longest: a rotation alone does not make them refuse it.
    """
    return next(key for key in known if key.public not in revoked)


async def revoked_keys(database: Database, node: PartyId) -> tuple[PublicKey, ...]:
    """The node's own keys that were taken back, as its journal says."""
    journal = PostgresJournal(database, "trust", lambda: None)
    entries = await journal.load(aggregate_of_keys(node), viewer=None)
    return revoked_of(node, [entry.event for entry in entries])


async def first_key(database: Database, source: KeySource) -> Signer:
    """The key that names the node, made at its first start and never again.

    Raises Refused (`key_missing`) where the node has a log already: under another key it would be
    another node, and the new file would stand where the lost one belongs.
    """
    await refuse_lost_first(database, source)
    return source.make(FIRST, _ALGORITHM)


async def refuse_lost_first(database: Database, source: KeySource) -> None:
    """Raises Refused (`key_missing`) if the node has a log and not the key that names it.

    For acts that need this key and make none: asked before anything that would.
    """
    if source.get(FIRST, _ALGORITHM) is not None:
        return
    if leaves := await leaves_of_log(database):
        raise Refused(
            f"the key that names this node is missing, and its log has {leaves} leaves",
            code="key_missing",
            where=f"keys/{FIRST}.{_ALGORITHM.label}.key",
            remedy=FIRST_REMEDY,
        )


async def refuse_no_files(database: Database, labels: Sequence[str], folder: Path) -> None:
    """The same for a folder without any key, which is lost too where a token holds the node's own.

    labels: names of the keys in it.
    """
    if not labels and (leaves := await leaves_of_log(database)):
        raise Refused(
            f"{folder} is missing or without a key, and the node's log has {leaves} leaves",
            code="key_missing",
            where=str(folder),
            remedy=FIRST_REMEDY,
        )


async def leaves_of_log(database: Database) -> int:
    """How many leaves the node's log has; 0 before its first start is over."""
    async with database.session() as session:
        row = await session.fetch_one("select max(size) as size from trust.log_head")
    return 0 if row is None else row["size"] or 0


async def recording_keys(
    database: Database, source: KeySource, node: PartyId
) -> tuple[Signer, list[Signer]]:
    """The key that records now, and all up to it.

    Raises Unavailable as `present_of` does, Refused as `first_key`.
    """
    await first_key(database, source)
    journal = PostgresJournal(database, "trust", lambda: None)
    entries = await journal.load(aggregate_of_keys(node), viewer=None)
    known = own_keys_of(source)
    place = present_of(known, [entry.event for entry in entries])
    return known[place], known[: place + 1]
