"""Whoever is made, invited or equipped for a party: the party stands at this node."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Refused
from zhidao.core.ids import PartyId
from zhidao.node.identity.parties import Parties, RegisteredParty


class Book:
    """Three parties, as a table holds them."""

    async def every(self) -> list[tuple[str, str, str, str]]:
        return [
            ("khorgos", "Khorgos post", "customs", "KZ"),
            ("carrier", "Hexi Transport", "carrier", "CN"),
            ("importer", "Alatau Water", "importer", "KZ"),
        ]

    async def is_named(self, party: str) -> bool:
        return party == "forwarder"


@pytest.fixture
def parties() -> Parties:
    known = Parties(cast(Any, Book()), cast(Any, None), cast(Any, SimpleNamespace(node="gate")))
    known.elsewhere = lambda: [elsewhere("exporter", "exporter")]
    return known


def elsewhere(party: str, role: str) -> RegisteredParty:
    """A party at a peer."""
    return RegisteredParty(
        party=party, name="E", trade_role=role, country="CN", keys=[], custodial=False
    )


@pytest.mark.parametrize("party", ["carrier", "importer", "gate"])
async def test_a_party_of_this_node_and_the_node_itself_are_here(parties, party) -> None:
    await parties.must_be_here(PartyId(party), Role.PARTY)
    await parties.must_be_known(PartyId(party))


async def test_a_party_of_a_peer_may_own_a_terminal_but_has_no_people_here(parties) -> None:
    await parties.must_be_known(PartyId("exporter"))
    with pytest.raises(Refused) as refused:
        await parties.must_be_here(PartyId("exporter"), Role.PARTY)
    assert refused.value.code == "party_unknown"


@pytest.mark.parametrize(
    ("party", "sentence"),
    [
        ("importr", "this node knows no party importr; did you mean importer?"),
        ("nobody", "this node knows no party nobody"),
    ],
)
async def test_a_name_that_nobody_bears_is_refused_with_the_nearest(parties, party, sentence):
    for asked in (parties.must_be_here(party, Role.PARTY), parties.must_be_known(party)):
        with pytest.raises(Refused) as refused:
            await asked
        assert (str(refused.value), refused.value.code) == (sentence, "party_unknown")


@pytest.mark.parametrize("role", [Role.PARTY, Role.OPERATOR, Role.ADMIN])
async def test_whoever_needs_an_agreement_is_of_a_party_that_can_give_it(parties, role) -> None:
    await parties.must_be_here(PartyId("gate"), role)
    with pytest.raises(Refused) as refused:
        await parties.must_be_here(PartyId("node"), role)
    assert refused.value.code == "party_unknown"
    assert str(refused.value).endswith("did you mean gate (the node's own name)?")


async def test_who_runs_the_node_is_told_its_name_and_a_party_is_not(parties) -> None:
    for role, told in ((Role.OPERATOR, True), (Role.ADMIN, True), (Role.PARTY, False)):
        with pytest.raises(Refused) as refused:
            await parties.must_be_here(PartyId("nobody"), role)
        assert ("did you mean gate (the node's own name)?" in str(refused.value)) == told


async def test_an_auditor_comes_from_outside_and_may_bear_any_name(parties) -> None:
    await parties.must_be_here(PartyId("court"), Role.AUDITOR)


@pytest.mark.parametrize("party", ["carrier", "importer", "exporter"])
async def test_who_is_paid_for_goods_is_not_the_customs_that_lets_them_go(parties, party) -> None:
    with pytest.raises(Refused, match=f"{party} is {party} in trade") as refused:
        await parties.must_be_customs(PartyId(party))
    assert refused.value.code == "not_customs"


@pytest.mark.parametrize("role", ["customs", "authority", "corridor_authority"])
async def test_customs_of_this_node_and_of_a_peer_let_goods_go(parties, role) -> None:
    await parties.must_be_customs(PartyId("khorgos"))
    parties.elsewhere = lambda: [elsewhere("post", role)]
    await parties.must_be_customs(PartyId("post"))


@pytest.mark.parametrize(
    ("party", "said"),
    [
        ("gate", "gate is a node, and"),
        ("almaty", "almaty is a node, and"),
        ("post", "post is of no role in trade, and"),
        ("nobody", "nobody is of no role in trade, and"),
    ],
)
async def test_neither_a_node_nor_a_party_without_a_role_is_customs(parties, party, said) -> None:
    parties.peers = lambda: [PartyId("almaty")]
    # A peer may name a party like itself, or like this node, and give it any role.
    parties.elsewhere = lambda: [
        elsewhere("post", ""),
        *(elsewhere(name, "customs") for name in ("gate", "almaty")),
    ]
    with pytest.raises(Refused, match=said) as refused:
        await parties.must_be_customs(PartyId(party))
    assert refused.value.code == "not_customs"


@pytest.mark.parametrize(
    ("party", "said"),
    [
        ("exporter", "exporter is at home at the peer almaty"),
        ("almaty", "almaty is that peer itself"),
    ],
)
async def test_no_party_is_made_under_the_id_of_a_peer_or_of_its_party(parties, party, said):
    home = {PartyId("exporter"): PartyId("almaty"), PartyId("almaty"): PartyId("almaty")}
    parties.home_of = home.get
    with pytest.raises(Conflict) as refused:
        await parties.add(
            Actor(PartyId("gate"), Role.ADMIN),
            party=PartyId(party),
            name="Twin",
            trade_role="exporter",
            country="CN",
        )
    assert refused.value.code == "party_elsewhere"
    assert str(refused.value).startswith(said)


async def test_no_party_is_made_that_would_read_what_names_another_of_its_id(parties) -> None:
    with pytest.raises(Conflict, match="forwarder") as refused:
        await parties.add(
            Actor(PartyId("gate"), Role.ADMIN),
            party=PartyId("forwarder"),
            name="Twin",
            trade_role="carrier",
            country="CN",
        )
    assert refused.value.code == "party_named"
