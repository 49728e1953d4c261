"""Whom a verifier trusts: logs of nodes and keys of parties. It never comes from a proof."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from zhidao.core.errors import MalformedInput
from zhidao.core.ids import PartyId
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc
from zhidao.trust.domain.log_key import former_logs
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class TrustedNode:
    """A node: the party name under which it records, its log's key, the keys it records with."""

    party: PartyId
    log: NoteKey
    keys: tuple[PublicKey, ...]

    @property
    def logs(self) -> tuple[NoteKey, ...]:
        """Its log, and the former logs that its recording keys signed."""
        others = former_logs(self.party, self.keys)
        return (self.log, *(each for each in others if each != self.log))


@dataclass(frozen=True, slots=True)
class TrustedParty:
    """A party: what it is called, its part in trade, and its keys (signing and chain accounts)."""

    party: PartyId
    name: str
    role: str
    keys: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True)
class TrustList:
    """A list under a name. Nodes and parties stand in order of party, each once.

    `policy` says which witnesses must have cosigned a log's head before it counts; None asks for
    none, and nothing is then witnessed.
    """

    name: str
    created: Utc
    nodes: tuple[TrustedNode, ...]
    parties: tuple[TrustedParty, ...]
    policy: Policy | None = None

    def __post_init__(self) -> None:
        _check_order("nodes", [node.party for node in self.nodes])
        _check_order("parties", [party.party for party in self.parties])
        logs = [node.log.name for node in self.nodes]
        if len(set(logs)) != len(logs):
            raise MalformedInput("two nodes of the trust list name the same log")

    @property
    def witnesses(self) -> tuple[NoteKey, ...]:
        """The witnesses whose cosignatures this list believes."""
        return self.policy.keys if self.policy else ()

    @property
    def logs(self) -> tuple[NoteKey, ...]:
        """The log keys of all nodes, present and former."""
        return tuple(log for node in self.nodes for log in node.logs)

    def node_of_log(self, key: NoteKey) -> TrustedNode | None:
        """The node whose log, present or former, signs with this key, or None."""
        return next((node for node in self.nodes if key in node.logs), None)

    def speaks(self, party: str, key: PublicKey) -> bool:
        """Whether the list gives this key to this party, be it a party or a node."""
        return self.records(party, key) or any(
            entry.party == party and key in entry.keys for entry in self.parties
        )

    def records(self, party: str, key: PublicKey) -> bool:
        """Whether the list gives this key to a node of this name, to record with."""
        return any(node.party == party and key in node.keys for node in self.nodes)


def trust_list(
    name: str,
    created: Utc,
    nodes: Iterable[TrustedNode],
    parties: Iterable[TrustedParty],
    policy: Policy | None = None,
) -> TrustList:
    """A list from entries in any order."""
    return TrustList(
        name,
        created,
        tuple(sorted(nodes, key=lambda node: node.party)),
        tuple(sorted(parties, key=lambda party: party.party)),
        policy,
    )


def _check_order(what: str, names: list[PartyId]) -> None:
    if names != sorted(set(names)):
        raise MalformedInput(f"the {what} of a trust list stand in order, each once")
