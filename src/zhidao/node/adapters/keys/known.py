"""What the node's database knows of keys: of each party, and whether the node has a log at all."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from zhidao.core.errors import ZhidaoError
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, PublicKey
from zhidao.node.adapters.keys.export import public_key
from zhidao.node.security.known_keys import Held, PartyRecord
from zhidao.node.security.party_keys import party_key_name
from zhidao.store.database import Database, Session
from zhidao.trust.events import KeyRevoked, KeyRotated

_KEYS = "keys/"
_Keys = defaultdict[str, list[str]]


def in_folder(folder: Path) -> Held:
    """The public keys of a folder; those of damaged files are not there, and are told elsewhere."""

    def held(label: str) -> PublicKey | None:
        try:
            return public_key(folder, label)
        except (ZhidaoError, OSError):
            return None

    return held


async def party_records(database: Database) -> list[PartyRecord]:
    """What is known of each party at home here, in order of party."""
    async with database.session(snapshot=True) as session:
        rows = await session.fetch_all("select * from node.party order by party")
        later, given_up, revoked = await _changes(session)
    # A database of an earlier release, looked into before its next start, has no such column.
    return [
        PartyRecord(
            PartyId(row["party"]),
            tuple(row.get("keys") or ()),
            tuple(later[row["party"]]),
            frozenset(given_up[row["party"]]),
            frozenset(revoked[row["party"]]),
        )
        for row in rows
    ]


async def _changes(session: Session) -> tuple[_Keys, _Keys, _Keys]:
    """By party: keys gone over to, given up, and taken back."""
    later: _Keys = defaultdict(list)
    given_up: _Keys = defaultdict(list)
    revoked: _Keys = defaultdict(list)
    rows = await session.fetch_all(
        "select event from trust.event where starts_with(aggregate, %s)"
        " order by aggregate, version",
        (_KEYS,),
    )
    for row in rows:
        event = SignedEvent.decode(row["event"])
        if KeyRotated.is_told_by(event.type):
            rotated = KeyRotated.of(event)
            later[rotated.party].append(rotated.key)
            given_up[rotated.party].append(rotated.former)
        elif KeyRevoked.is_told_by(event.type):
            fact = KeyRevoked.of(event)
            revoked[fact.party].append(fact.key)
    return later, given_up, revoked


async def adopt(database: Database, records: list[PartyRecord], held: Held) -> None:
    """Writes down which keys parties of an earlier release have here, once."""
    for record in records:
        if record.made:
            continue
        name = party_key_name(record.party, 1)
        found = [held(f"{name}.{each.label}") for each in (Algorithm.ED25519, Algorithm.SECP256K1)]
        keys = [key.multikey for key in found if key is not None]
        if len(keys) == len(found):
            async with database.session() as session:
                await session.execute(
                    "update node.party set keys = %s where party = %s and keys = '{}'",
                    (keys, record.party),
                )
