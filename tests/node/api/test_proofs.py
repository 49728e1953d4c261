"""A node's own trust list, for one corridor or for any."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide
from tests.trust.domain.test_proof import W1, W2
from tests.trust.proof_bench import ProofBench

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.node.api.proofs import routes
from zhidao.node.http.problems import HANDLERS
from zhidao.node.identity.parties import RegisteredParty
from zhidao.node.identity.trust_list import OwnList
from zhidao.trust.adapters.log.cosigned_notes import MemoryCosignedNotes
from zhidao.trust.domain.policy import Policy, PolicyWitness
from zhidao.trust.domain.proof import verify_log_part
from zhidao.trust.wire.governance.trust_list import decode_trust_list
from zhidao.trust.wire.log.note import decode_note, encode_note
from zhidao.trust.wire.proof_file.zdproof import decode_proof

# Two corridors with other witnesses each; the first in order is `east`.
EAST = Policy((), (PolicyWitness("customs", W1.note_key),), (), "customs")
WEST = Policy((), (PolicyWitness("bank", W2.note_key),), (), "bank")


class Parties:
    """The parties of the bench's list."""

    def __init__(self, bench: ProofBench) -> None:
        self._bench = bench

    async def here(self) -> list[RegisteredParty]:
        return [
            RegisteredParty(
                party=each.party,
                name=each.name,
                trade_role=each.role,
                country="CN",
                keys=[key.multikey for key in each.keys],
                custodial=True,
            )
            for each in self._bench.trust().parties
        ]


class Corridors:
    """A node in two corridors, and its route."""

    def __init__(self) -> None:
        self.bench = ProofBench()
        [node] = self.bench.trust().nodes
        self.own = OwnList(
            parties=cast(Any, Parties(self.bench)),
            organisation=cast(Any, SimpleNamespace(name="Customs of X")),
            clock=HandClock(Utc.parse("2026-11-24T12:00:00Z")),
            log_key=node.log,
            keys=node.keys,
            node=node.party,
            policies={"east": EAST, "west": WEST},
        )

    async def get(self, query: str = "") -> httpx.Response:
        async def actor() -> Actor:
            return Actor(PartyId("exporter"), Role.PARTY)

        app = Litestar(
            [routes(cast(Any, None), self.own, lambda own: replace(own, name="all of them"))],
            dependencies={"actor": Provide(actor)},
            exception_handlers=HANDLERS,
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            return await client.get(f"/v1/trust-list{query}")


@pytest.fixture
def node() -> Corridors:
    return Corridors()


async def test_each_corridor_has_a_list_with_its_own_quorum(node: Corridors) -> None:
    lists = {}
    for corridor in ("east", "west"):
        answer = await node.get(f"?corridor={corridor}")
        assert answer.status_code == 200
        lists[corridor] = decode_trust_list(answer.content)
        assert lists[corridor].name == f"Customs of X, corridor {corridor}"
    assert (lists["east"].policy, lists["west"].policy) == (EAST, WEST)
    plain = decode_trust_list((await node.get()).content)
    assert (plain.name, plain.policy) == ("Customs of X", EAST)
    assert plain.nodes == lists["west"].nodes


async def test_a_list_that_says_the_same_is_the_same_list_however_often_it_is_taken(
    node: Corridors,
) -> None:
    told: dict[bytes, Utc] = {}

    async def since(digest: bytes, now: Utc) -> Utc:
        return told.setdefault(digest, now)

    clock = HandClock(Utc.parse("2026-11-24T12:00:00Z"))
    node.own = replace(node.own, since=since, clock=clock)
    first = (await node.get()).content
    clock.advance(3_600)
    assert (await node.get()).content == first
    assert (await node.get("?corridor=west")).content != first
    node.own = replace(node.own, organisation=cast(Any, SimpleNamespace(name="Customs of Y")))
    assert decode_trust_list((await node.get()).content).created == clock.now()


async def test_the_lists_of_peers_come_only_when_they_are_asked_for(node: Corridors) -> None:
    named = {query: decode_trust_list((await node.get(query)).content).name for query in _QUERIES}
    assert list(named.values()) == ["Customs of X", "Customs of X", "all of them"]


_QUERIES = ("", "?peers=false", "?peers=true")


async def test_a_proof_of_one_corridor_does_not_hold_under_the_list_of_another(
    node: Corridors,
) -> None:
    bench = node.bench
    await bench.proof()
    note = decode_note(await bench.log.reader.checkpoint())
    notes = MemoryCosignedNotes()
    await notes.keep(4, encode_note(note.with_lines([W2.cosign(note.text, 1_800_000_000)])))
    bench.writer.witnessed_by(notes, {"east": EAST, "west": WEST})
    logged = list(enumerate(bench.journal.written))
    proof = decode_proof(await bench.writer.write("c-1", logged, [], corridor="west"))
    found = {c: verify_log_part(proof, await node.own.now(c)) for c in ("east", "west")}
    assert found["west"].holds
    assert found["east"].reason == "quorum_not_met"


async def test_a_corridor_that_the_node_does_not_know_is_refused(node: Corridors) -> None:
    answer = await node.get("?corridor=north")
    assert answer.json()["code"] == "unknown_corridor"
    assert answer.status_code == 422
