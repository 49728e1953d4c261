"""One id, one party, one home: the first peer that came with it keeps it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.node.federation.sides_bench import (
    ABROAD,
    CARRIER,
    EXPORTER,
    HOME,
    IMPORTER,
    START,
    Side,
    sides,
)
from tests.node.federation.test_party_clashes import clashes_of

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.node.operations.alarms import Alarms
from zhidao.trust.domain.trust_list import trust_list
from zhidao.trust.wire.evm.keccak import address_of
from zhidao.trust.wire.governance.trust_list import encode_trust_list

# By name it stands before every other.
TWIN = PartyId("aktau")


def twins() -> tuple[Side, Side, Side]:
    """A node that knows its peer, and then admits another whose carrier bears the same id."""
    one, two = sides()
    three = Side(TWIN, (CARRIER, PartyId("broker")), b"three")
    for side, secret in ((two, b"\x07" * 32), (three, b"\x08" * 32)):
        side.keys[CARRIER] = SoftwareKey(Algorithm.SECP256K1, secret)
        one.meet(side)
    return one, two, three


@pytest.mark.parametrize("turned", [False, True])
def test_a_party_stays_with_the_peer_that_came_first(*, turned: bool) -> None:
    one, two, three = twins()
    if turned:
        # As after a start: peers come by name.
        one.peers = sorted(one.peers, key=lambda peer: peer.node)
    directory = one.directory
    assert directory.home_of(CARRIER) == HOME
    assert directory.speaks_through(CARRIER, HOME)
    assert not directory.speaks_through(CARRIER, TWIN)
    assert directory.parties_of(TWIN) == {TWIN, "broker"}
    assert CARRIER in directory.parties_of(HOME)
    account = address_of(two.keys[CARRIER].public)
    assert directory.address_of(CARRIER) == account
    assert directory.party_at(address_of(three.keys[CARRIER].public)) == ""
    (named,) = [p for p in directory.parties() if p.party == CARRIER]
    assert named.keys == (two.keys[CARRIER].public,)
    for trust in (directory.merged(one.list_now(), TWIN), directory.with_peers(one.list_now())):
        assert not trust.speaks(CARRIER, three.keys[CARRIER].public)


def test_the_later_peer_is_told_until_one_of_them_has_the_id_no_more() -> None:
    one, _, three = twins()
    alarms = Alarms()
    watch = clashes_of(one, alarms)
    watch.watch()
    by_name = {peer.node: peer for peer in one.peers}
    assert (watch.of(by_name[HOME]), watch.of(by_name[TWIN])) == ([], [CARRIER])
    (alarm,) = alarms.standing()
    assert (alarm.code, alarm.args) == ("party_clash:aktau", {"node": TWIN, "parties": CARRIER})
    # The first one goes: the id is the other's from then on.
    one.peers = [peer for peer in one.peers if peer.node == TWIN]
    watch.watch()
    assert alarms.standing() == []
    assert one.directory.home_of(CARRIER) == TWIN
    assert one.directory.speaks_through(CARRIER, TWIN)
    assert one.directory.address_of(CARRIER) == address_of(three.keys[CARRIER].public)


def test_what_a_renewed_list_adds_came_later_than_what_stood() -> None:
    one, two, _ = twins()
    two.keys[PartyId("broker")] = SoftwareKey(Algorithm.ED25519, b"\x09" * 32)
    one.meet(two)
    assert one.directory.home_of("broker") == TWIN
    assert one.directory.clashes_of(HOME) == {"broker"}
    assert one.directory.home_of(CARRIER) == HOME, "a renewed list keeps what came with the first"


def test_to_list_anothers_very_key_gives_no_word() -> None:
    one, two = sides()
    thief = Side(TWIN, (), b"thief")
    thief.keys[CARRIER] = two.keys[CARRIER]
    one.meet(thief)
    assert not one.directory.speaks_through(CARRIER, TWIN)
    assert one.directory.home_of(CARRIER) == HOME
    # With a key of its own beside it the id means somebody else.
    listed = encode_trust_list(
        replace(
            thief.list_now(),
            parties=tuple(
                replace(p, keys=(*p.keys, thief.key.public)) for p in thief.list_now().parties
            ),
        )
    )
    one.peers[-1] = replace(one.peers[-1], listed=listed)
    assert one.directory.clashes_of(TWIN) == {CARRIER}
    merged = one.directory.merged(one.list_now(), TWIN)
    assert not merged.speaks(CARRIER, thief.key.public)


def test_one_list_for_several_nodes_lets_each_of_them_speak_until_one_has_its_own() -> None:
    one, two = sides()
    three = Side(TWIN, (CARRIER,), b"three")
    del two.keys[CARRIER]
    lists = [two.list_now(), three.list_now()]
    whole = encode_trust_list(
        trust_list(
            "governed",
            START,
            [node for each in lists for node in each.nodes],
            [party for each in lists for party in each.parties],
        )
    )
    one.peers.clear()
    for number, side in enumerate((two, three), start=1):
        one.meet(side)
        came = tuple((party, number) for party in (side.name, IMPORTER, CARRIER))
        one.peers[-1] = replace(one.peers[-1], listed=whole, came=came)
    assert one.directory.clashes_of(HOME) == one.directory.clashes_of(TWIN) == frozenset()
    assert one.directory.speaks_through(CARRIER, TWIN)
    assert one.directory.speaks_through(CARRIER, HOME)
    one.meet(three)
    assert one.directory.home_of(CARRIER) == TWIN
    assert not one.directory.speaks_through(CARRIER, HOME)
    assert one.directory.home_of(IMPORTER) == HOME


def test_a_peer_of_an_earlier_partys_name_stands_for_it_in_nothing() -> None:
    one, _ = sides()
    named = Side(CARRIER, (PartyId("broker"),), b"named")
    one.meet(named)
    assert one.directory.clashes_of(CARRIER) == {CARRIER}
    assert one.directory.parties_of(CARRIER) == {"broker"}
    assert one.directory.home_of(CARRIER) == HOME
    assert not one.directory.speaks_through(CARRIER, CARRIER)


def test_an_own_party_is_never_a_peers() -> None:
    one, _two = sides()
    one.keys[HOME] = SoftwareKey(Algorithm.ED25519, b"\x05" * 32)
    assert HOME not in one.directory.parties_of(HOME)
    assert one.directory.clashes_of(HOME) == {HOME}


async def test_what_names_an_id_of_two_goes_to_neither_others_home() -> None:
    """The carrier and the customs of the goods are at the peer, and so is a twin of the importer"""
    one, two = Side(ABROAD, (EXPORTER, IMPORTER)), Side(HOME, (IMPORTER, CARRIER))
    one.meet(two)
    two.meet(one)
    await one.enter()
    await one.relay()
    with pytest.raises(Refused, match="importer") as refused:
        await one.sharing.hand_over(Actor(EXPORTER, Role.PARTY), "c-1", HOME)
    assert refused.value.code == "party_clash"
    assert one.post == []
    await one.sharing.share("c-1", HOME)
    assert one.post == []


async def test_what_comes_naming_an_id_of_two_is_refused_and_read_by_nobody() -> None:
    one, two = Side(ABROAD, (EXPORTER, IMPORTER)), Side(HOME, (CARRIER,))
    one.meet(two)
    two.keys[IMPORTER] = SoftwareKey(Algorithm.ED25519, b"\x06" * 32)
    two.meet(one)
    await one.enter()
    delivery = await one.hand_over(two)
    with pytest.raises(Refused) as refused:
        await two.adoption.take(delivery)
    assert refused.value.code == "party_clash"
    assert await two.history("consignment/c-1") == []


async def test_a_third_nodes_twin_gets_nothing_of_what_two_nodes_share() -> None:
    one, two, _three = twins()
    two.meet(one)
    await one.enter()
    delivery = await one.hand_over(two)
    await two.adoption.take(delivery)
    sent = len(one.post)
    await one.sharing.share("c-1", TWIN)
    assert len(one.post) == sent
