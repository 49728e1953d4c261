"""Two nodes with a party of one id: told, and each goes by its own."""

from __future__ import annotations

from dataclasses import replace

from tests.node.federation.sides_bench import ABROAD, CARRIER, EXPORTER, HOME, IMPORTER, Side

from zhidao.node.federation.party_clashes import PartyClashes
from zhidao.node.operations.alarms import Alarms


def clashes_of(side: Side, alarms: Alarms) -> PartyClashes:
    return PartyClashes(side.directory, lambda: side.peers, alarms)


def test_a_party_of_both_nodes_is_told_until_one_of_them_has_it_no_more() -> None:
    one, two = Side(ABROAD, (EXPORTER, CARRIER)), Side(HOME, (IMPORTER, CARRIER))
    one.meet(two)
    alarms = Alarms()
    watch = clashes_of(one, alarms)
    watch.watch()
    assert watch.of(one.peers[0]) == [CARRIER]
    (alarm,) = alarms.standing()
    assert alarm.code == "party_clash:home"
    assert alarm.args == {"node": HOME, "parties": CARRIER}
    assert one.directory.home_of(CARRIER) is None, "here it is this node's own"
    del two.keys[CARRIER]
    one.peers.clear()
    one.meet(two)
    watch.watch()
    assert alarms.standing() == []


def test_one_list_for_all_that_names_a_party_with_its_own_key_is_no_clash() -> None:
    one, two = Side(ABROAD, (EXPORTER,)), Side(HOME, (IMPORTER,))
    two.keys[EXPORTER] = one.keys[EXPORTER]
    one.meet(two)
    watch = clashes_of(one, Alarms())
    watch.watch()
    assert watch.of(one.peers[0]) == []


def test_a_peer_of_a_partys_name_and_a_party_of_the_nodes_name_clash() -> None:
    one, two = Side(ABROAD, (EXPORTER, HOME)), Side(HOME, (IMPORTER, ABROAD))
    one.meet(two)
    alarms = Alarms()
    watch = clashes_of(one, alarms)
    watch.watch()
    assert watch.of(one.peers[0]) == [ABROAD, HOME]
    one.peers[0] = replace(one.peers[0], listed=b"")
    watch.watch()
    assert watch.of(one.peers[0]) == [HOME]
