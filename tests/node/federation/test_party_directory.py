from __future__ import annotations

from dataclasses import replace

from tests.node.federation.sides_bench import ABROAD, CARRIER, EXPORTER, HOME, IMPORTER, Side, sides

from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.wire.evm.keccak import address_of


def test_a_party_is_at_home_where_the_list_of_its_peer_names_it():
    one, two = sides()
    assert one.directory.home_of(IMPORTER) == HOME
    assert two.directory.home_of(EXPORTER) == ABROAD
    assert two.directory.home_of("nobody") is None
    assert one.directory.parties_of(HOME) == {HOME, IMPORTER, CARRIER}
    assert one.directory.speaks_through(IMPORTER, HOME)
    assert not one.directory.speaks_through(IMPORTER, ABROAD)


def test_no_peer_speaks_for_a_party_of_this_node():
    one, liar = Side(ABROAD, (EXPORTER,)), Side(HOME, (EXPORTER, IMPORTER))
    one.meet(liar)
    assert one.directory.home_of(EXPORTER) is None
    assert not one.directory.speaks_through(EXPORTER, HOME)
    merged = one.directory.merged(one.list_now(), HOME)
    assert merged.speaks(EXPORTER, one.keys[EXPORTER].public)
    assert not merged.speaks(EXPORTER, liar.keys[EXPORTER].public)


def test_a_peer_cannot_name_itself_as_this_node_or_its_log():
    one, _ = sides()
    liar = Side(ABROAD, (IMPORTER,), b"liar")
    one.meet(liar)
    merged = one.directory.merged(one.list_now(), liar.name)
    assert merged.records(ABROAD, one.key.public)
    assert not merged.records(ABROAD, liar.key.public)


def test_one_list_names_this_node_and_all_its_peers():
    one, two = sides()
    whole = one.directory.with_peers(one.list_now())
    for side in (one, two):
        assert whole.records(side.name, side.key.public)
        for party, key in side.keys.items():
            assert whole.speaks(party, key.public)
    assert whole.name == one.list_now().name


def test_a_peer_without_a_kept_list_brings_nobody():
    one, _ = sides()
    one.peers[0] = replace(one.peers[0], listed=b"")
    assert one.directory.nodes() == []
    assert one.directory.parties() == []
    assert one.directory.list_of(HOME) is None


def test_a_party_elsewhere_has_the_account_of_its_chain_key():
    chain = SoftwareKey(Algorithm.SECP256K1, b"\x07" * 32)
    one, two = Side(ABROAD, (EXPORTER,)), Side(HOME, (IMPORTER,))
    two.keys[IMPORTER] = chain
    one.meet(two)
    assert one.directory.address_of(IMPORTER) == address_of(chain.public)
    assert one.directory.party_at(address_of(chain.public)) == IMPORTER
    assert one.directory.address_of(PartyId("nobody")) is None
