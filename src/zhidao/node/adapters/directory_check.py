"""Whether parties and peers in the database are those that the signed log has. Reads only.

A changed row of a party gives it another trade (who may mint a title), one of a peer other keys
(who may speak for another node).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from zhidao.core.errors import ZhidaoError
from zhidao.core.events import SignedEvent, leaf_bytes
from zhidao.exchange.events import PeerAdmitted, PeerDismissed, PeerKeysLearned
from zhidao.node.events import Administered
from zhidao.node.security.administration import Act
from zhidao.store.database import Session

# What an act may tell of a party; those of earlier releases tell its trade alone.
_OF_PARTY = ("trade_role", "name", "country")
_KEYS_OF_PARTY = ("signing", "account")
_PEERS = "peer/"


@dataclass(frozen=True, slots=True)
class Differing:
    """Names whose rows are not what was signed, and those whose rows are gone."""

    changed: list[str]
    gone: list[str]


async def parties_apart(session: Session, acts: Iterable[Administered]) -> Differing:
    """Parties beside the acts that made them."""
    made: dict[str, Mapping[str, str]] = {}
    for fact in acts:
        if fact.act == Act.PARTY_MADE:
            # Asked for again, the party stays what it was made.
            made.setdefault(fact.subject, fact.values)
    rows = await session.fetch_all("select * from node.party order by party")
    changed = [row["party"] for row in rows if not _is_as_made(row, made.get(row["party"]))]
    return Differing(changed, sorted(made.keys() - {row["party"] for row in rows}))


def _is_as_made(row: Mapping[str, Any], made: Mapping[str, str] | None) -> bool:
    """Whether a party has the description and the keys with which it was made.

    Acts of earlier releases do not tell them all.
    """
    if made is None or any(row[name] != made[name] for name in _OF_PARTY if name in made):
        return False
    told = {made[name] for name in _KEYS_OF_PARTY if name in made}
    return not told or told == set(row.get("keys") or ())


@dataclass(frozen=True, slots=True)
class _Peer:
    url: str
    keys: tuple[str, ...]
    trust: str
    card: str


async def peers_apart(session: Session) -> Differing:
    """Peers beside the facts that admitted, changed and dismissed them."""
    rows = await session.fetch_all(
        "select e.aggregate, e.event, e.salt, b.leaf from exchange.event as e"
        " join exchange.outbox as b on b.aggregate = e.aggregate and b.event_id = e.id"
        " where starts_with(e.aggregate, %s) order by e.aggregate, e.version",
        (_PEERS,),
    )
    said: dict[str, _Peer | None] = {}
    changed = set()
    for row in rows:
        node = str(row["aggregate"]).removeprefix(_PEERS)
        try:
            event = SignedEvent.decode(row["event"])
            if leaf_bytes(event, row["salt"]) != row["leaf"]:
                changed.add(node)
                continue
            said[node] = _after(said.get(node), event)
        except ZhidaoError:
            changed.add(node)
    present = set()
    for row in await session.fetch_all("select * from exchange.peer order by node"):
        present.add(row["node"])
        card = hashlib.sha256(row["card"]).hexdigest()
        if said.get(row["node"]) != _Peer(row["url"], tuple(row["keys"]), row["trust"], card):
            changed.add(row["node"])
    gone = {node for node, peer in said.items() if peer is not None} - present
    return Differing(sorted(changed), sorted(gone))


def _after(peer: _Peer | None, event: SignedEvent) -> _Peer | None:
    if event.type == PeerDismissed.TYPE:
        return None
    if event.type == PeerKeysLearned.TYPE:
        return replace(peer, keys=tuple(PeerKeysLearned.of(event).keys)) if peer else None
    fact = PeerAdmitted.of(event)
    return _Peer(fact.url, tuple(fact.keys), fact.trust, fact.card)
