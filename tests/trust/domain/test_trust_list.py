"""Whom a trust list knows, for what, and what such a list may not say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trust.domain.log_key import log_origin
from zhidao.trust.domain.note import Cosigner, NoteKey
from zhidao.trust.domain.policy import Policy, PolicyWitness
from zhidao.trust.domain.trust_list import TrustedNode, TrustedParty, TrustList, trust_list

AT = Utc.parse("2026-05-04T08:00:00Z")
A, B, C, D, E = (SoftwareKey(Algorithm.ED25519, bytes([n]) * 32).public for n in range(1, 6))
WITNESS = Cosigner("w.example", SoftwareKey(Algorithm.ED25519, b"w" * 32)).note_key


def node(name: str, *keys, log: NoteKey | None = None) -> TrustedNode:
    return TrustedNode(PartyId(name), log or NoteKey(log_origin(name, keys[0]), keys[0]), keys)


def party(name: str, *keys) -> TrustedParty:
    return TrustedParty(PartyId(name), name.title(), "carrier", keys)


LIST = trust_list(
    "corridor",
    AT,
    [node("zhu", C), node("node", A, B)],
    [party("rail", D, E), party("bank", A)],
    Policy((), (PolicyWitness("w", WITNESS),), (), "w"),
)


def test_entries_stand_in_the_order_of_their_parties() -> None:
    assert [each.party for each in LIST.nodes] == ["node", "zhu"]
    assert [each.party for each in LIST.parties] == ["bank", "rail"]
    assert (LIST.name, LIST.created) == ("corridor", AT)
    again = TrustList(LIST.name, LIST.created, LIST.nodes, LIST.parties, LIST.policy)
    assert again == LIST


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"nodes": LIST.nodes[::-1]}, "the nodes of a trust list stand in order, each once"),
        ({"nodes": LIST.nodes[:1] * 2}, "the nodes of a trust list stand in order, each once"),
        ({"parties": LIST.parties[::-1]}, "the parties of a trust list stand in order, each once"),
        ({"parties": LIST.parties[1:] * 2}, "the parties of a trust list stand in order"),
        (
            {"nodes": (node("a", A, log=LIST.nodes[0].log), LIST.nodes[0])},
            "two nodes of the trust list name the same log",
        ),
    ],
)
def test_each_stands_once_and_no_two_nodes_name_one_log(changes, told: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        replace(LIST, **changes)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("name", "key", "speaks", "records"),
    [
        *(("node", A, True, True), ("node", B, True, True), ("node", C, False, False)),
        *(("zhu", C, True, True), ("zhu", A, False, False)),
        *(("rail", D, True, False), ("rail", E, True, False), ("rail", A, False, False)),
        *(("bank", A, True, False), ("bank", D, False, False), ("other", A, False, False)),
    ],
)
def test_a_party_speaks_with_its_keys_and_only_a_node_records(name, key, speaks, records) -> None:
    assert LIST.speaks(name, key) is speaks
    assert LIST.records(name, key) is records


def test_a_name_that_is_a_party_and_a_node_speaks_with_the_keys_of_both() -> None:
    both = replace(LIST, parties=(party("node", E), *LIST.parties[1:]))
    assert [both.speaks("node", key) for key in (A, B, E, D)] == [True, True, True, False]
    assert [both.records("node", key) for key in (A, B, E)] == [True, True, False]


def test_logs_are_those_of_today_and_those_that_the_keys_signed_before() -> None:
    first, second = (NoteKey(log_origin("node", key), key) for key in (A, B))
    third = NoteKey(log_origin("zhu", C), C)
    assert LIST.logs == (first, second, third)
    assert LIST.nodes[0].logs == (first, second)
    newer = node("node", A, B, log=second)
    assert newer.logs == (second, first)
    own = node("node", A, log=NoteKey("another/name", D))
    assert own.logs == (NoteKey("another/name", D), first)
    assert LIST.node_of_log(second) == LIST.nodes[0]
    assert LIST.node_of_log(third) == LIST.nodes[1]
    assert LIST.node_of_log(NoteKey(first.name, B)) is None
    assert LIST.node_of_log(NoteKey("other", A)) is None


def test_a_list_believes_the_witnesses_of_its_policy_and_without_one_nobody() -> None:
    assert LIST.witnesses == (WITNESS,)
    without = trust_list("corridor", AT, LIST.nodes, LIST.parties)
    assert (without.policy, without.witnesses) == (None, ())
