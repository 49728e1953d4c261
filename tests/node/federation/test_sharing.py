from __future__ import annotations

from dataclasses import replace

import pytest
from tests.node.federation.sides_bench import (
    ABROAD,
    CARRIER,
    ENTRY,
    EXPORTER,
    HOME,
    IMPORTER,
    PAPER,
    Side,
    added,
    entered,
    sides,
)

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.actor import Actor, Role
from zhidao.core.archive import digest_of
from zhidao.core.errors import Forbidden, MalformedInput, Refused, Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.devices.events import TerminalRegistered
from zhidao.exchange.events import FactsAdopted
from zhidao.industry.events import LotFinished, OrderOpened
from zhidao.positioning.events import ArrivalNotProven, Marks
from zhidao.trust.events import CredentialIssued
from zhidao.trust.service.credentials.credentials import aggregate_of_credential
from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof

C1 = "consignment/c-1"
ENTERED, ADDED = "trade.ConsignmentEntered.v2", "trade.DocumentAdded.v1"


async def test_what_one_node_hands_over_the_other_adopts_as_it_was_said():
    one, two = sides()
    await one.enter()
    delivery = await one.hand_over(two)
    await two.adoption.take(delivery)
    assert await two.history(C1) == [(1, ENTERED, ABROAD), (2, ADDED, ABROAD)]
    assert [e.event.digest for e in two.journals["trade"].written] == [
        e.event.digest for e in one.journals["trade"].written
    ]
    assert await two.archive.get(digest_of(PAPER)) == PAPER
    assert await two.archive.get(digest_of(ENTRY)) == ENTRY
    (noted,) = [FactsAdopted.of(e.event) for e in two.journals["exchange"].written]
    slim = decode_proof(await two.archive.get(noted.proof))
    assert (noted.events, noted.sender, slim.origin) == (2, ABROAD, one.origin)
    assert not slim.blobs


async def test_both_nodes_are_told_once_it_is_handed_over():
    one, two = sides()
    await one.enter()
    assert await one.sharing.nodes("c-1") == [ABROAD]
    await two.adoption.take(await one.hand_over(two))
    assert await one.sharing.nodes("c-1") == await two.sharing.nodes("c-1") == [ABROAD, HOME]


async def test_the_same_document_again_changes_nothing():
    one, two = sides()
    await one.enter()
    delivery = await one.hand_over(two)
    await two.adoption.take(delivery)
    await two.adoption.take(delivery)
    assert len(two.journals["trade"].written) == 2
    assert len(two.journals["exchange"].written) == 1


async def test_the_new_home_goes_on_and_only_what_is_new_comes_back():
    one, two = sides()
    await one.enter()
    await two.adoption.take(await one.hand_over(two))
    paper = await two.archive.put(b"the bill")
    await two.say(CARRIER, C1, added("bill_of_lading", paper))
    await two.relay()
    newest = two.journals["trade"].written[-1].event
    await two.sharing.tell(newest, "c-1")
    await two.sharing.tell(newest, "c-1")
    assert len(two.post) == 1, "each fact goes once"
    sent = decode_proof(two.post[0]["content"])
    assert set(sent.blobs) == {paper}, "files that the peer has do not travel again"
    await one.adoption.take(await one.got(two, two.post[0]["content"]))
    assert await one.history(C1) == [(1, ENTERED, ABROAD), (2, ADDED, ABROAD), (3, ADDED, HOME)]


async def test_after_handing_over_the_old_home_writes_the_history_no_more():
    one, two = sides()
    await one.enter()
    await one.sharing.check_home("c-1")
    await one.hand_over(two)
    with pytest.raises(Refused, match="written at home"):
        await one.sharing.check_home("c-1")
    await two.sharing.check_home("c-1")
    assert await one.sharing.home("c-1") == HOME


async def test_a_peer_that_has_everything_already_becomes_the_home_all_the_same():
    one, two = sides()
    await one.enter()
    await one.relay()
    await one.sharing.share("c-1", HOME)
    await two.adoption.take(await two.got(one, one.post[-1]["content"]))
    assert await one.sharing.home("c-1") == ABROAD
    await two.adoption.take(await one.hand_over(two))
    assert await one.sharing.home("c-1") == HOME
    with pytest.raises(Refused, match="written at home"):
        await one.sharing.check_home("c-1")
    await one.sharing.hand_over(Actor(EXPORTER, Role.PARTY), "c-1", HOME)
    assert len(one.post) == 2, "again: nothing new"
    assert await two.history(C1) == [(1, ENTERED, ABROAD), (2, ADDED, ABROAD)]


async def test_only_its_exporter_hands_a_consignment_over_and_only_where_it_has_a_party():
    one, two = sides()
    await one.enter()
    await one.relay()
    with pytest.raises(Forbidden):
        await one.sharing.hand_over(Actor(IMPORTER, Role.PARTY), "c-1", HOME)
    one.peers.clear()
    with pytest.raises(Refused) as refused:
        await one.sharing.hand_over(Actor(EXPORTER, Role.PARTY), "c-1", two.name)
    assert refused.value.code == "no_party_there"


async def test_what_is_not_in_the_log_yet_is_not_handed_over(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("zhidao.node.federation.sharing._LOG_WAIT_S", 0.0)
    one, two = sides()
    await one.enter()
    with pytest.raises(Unavailable, match="on its way into the log"):
        await one.sharing.hand_over(Actor(EXPORTER, Role.PARTY), "c-1", two.name)
    assert not one.post


async def test_a_fact_that_the_peers_parties_may_not_see_stays_here():
    one, two = sides()
    await one.enter()
    await two.adoption.take(await one.hand_over(two))
    await two.say(HOME, "account/secret", entered("00" * 32), room="finance")
    await two.relay()
    await two.sharing.tell(two.journals["finance"].written[-1].event, "c-1")
    assert not two.post


def opened(order: str) -> OrderOpened:
    return OrderOpened(order=order, gtin="06901234567892", quantity=1, limits=[])


def credited(document: str) -> CredentialIssued:
    return CredentialIssued(
        digest="dd" * 32,
        issuer="did:key:z6Mk",
        subject="",
        kind="invoice",
        document=document,
        cryptosuite="eddsa-jcs-2022",
    )


def credential_of(fact: CredentialIssued) -> str:
    return aggregate_of_credential(issuer=fact.issuer, kind=fact.kind, document=fact.document)


async def test_what_hangs_on_a_fact_that_is_not_logged_yet_waits_for_it():
    one, two = sides()
    await one.enter()
    await one.say(EXPORTER, "order/o", opened("o"), room="industry")
    await two.adoption.take(await one.hand_over(two))
    assert await two.history("order/o", "industry") == []


async def spoiled(change: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The code with which a document is refused that was changed so."""
    monkeypatch.setattr("zhidao.node.federation.sharing.hung", lambda chosen, _: chosen)
    one, two = sides()
    await one.enter()
    if change == "our party's word":
        one.keys[IMPORTER] = two.keys[IMPORTER]
        one.scribe._ring._keys[IMPORTER] = two.keys[IMPORTER]
        await one.say(IMPORTER, C1, added("packing_list", digest_of(PAPER)))
    if change in ("a third node's party", "a third node's own word"):
        third = Side(PartyId("third"), (CARRIER,), b"third")
        del two.keys[CARRIER]
        one.meet(two)
        two.meet(third)
        liar = CARRIER if change == "a third node's party" else third.name
        one.keys[liar] = SoftwareKey(Algorithm.ED25519, b"\x05" * 32)
        one.scribe._ring._keys[liar] = one.keys[liar]
        await one.say(liar, C1, added("packing_list", digest_of(PAPER)))
        two.meet(one)
    if change == "an order of nobody":
        await one.say(EXPORTER, "order/o", opened("o"), room="industry")
    if change == "an order by another name":
        await one.say(EXPORTER, "order/o", opened("p"), room="industry")
    if change == "a terminal of nobody":
        fact = TerminalRegistered(terminal="T-1", phone="", key="")
        await one.say(EXPORTER, "terminal/T-1", fact, room="devices")
    if change == "a credential of nobody":
        fact = credited("ee" * 32)
        await one.say(EXPORTER, credential_of(fact), fact, room="trust")
    if change == "a credential of the paper":
        fact = credited(digest_of(PAPER))
        await one.say(EXPORTER, credential_of(fact), fact, room="trust")
    if change == "a credential by another name":
        fact = credited(digest_of(PAPER))
        await one.say(EXPORTER, "credential/00", fact, room="trust")
    if change == "a squatted consignment":
        await one.say(EXPORTER, "consignment/c-2", entered(digest_of(ENTRY), "c-1"))
    if change == "another consignment":
        await one.say(EXPORTER, "consignment/c-2", entered(digest_of(ENTRY), "c-2"))
    delivery = await one.hand_over(two)
    content = await two.archive.get(delivery.content)
    proof = decode_proof(content)
    if change == "a byte":
        content = content.replace(b'"index":1', b'"index":3')
    if change == "a file":
        content = encode_proof(replace(proof, blobs={digest_of(ENTRY): ENTRY}))
    if change == "no list":
        two.peers[0] = replace(two.peers[0], listed=b"")
    if change == "another name":
        delivery = replace_delivery(delivery, "c-9")
    if change == "a history of our own":
        await two.say(IMPORTER, C1, entered("11" * 32))
    if content != await two.archive.get(delivery.content):
        delivery = await two.got(one, content)
    before = [len(j.written) for j in two.journals.values()]
    try:
        await two.adoption.take(delivery)
    except (Refused, MalformedInput) as error:
        assert [len(j.written) for j in two.journals.values()] == before
        return error.code
    return "taken"


def replace_delivery(delivery, consignment: str):
    fields = {name: getattr(delivery, name) for name in delivery.__struct_fields__}
    return type(delivery)(**fields | {"consignment": consignment})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("nothing", "taken"),
        ("a byte", "not_in_log"),
        ("a file", "missing_file"),
        ("no list", "unlisted_peer"),
        ("another name", "other_consignment"),
        ("another consignment", "other_consignment"),
        ("our party's word", "wrong_speaker"),
        ("a third node's party", "party_clash"),
        ("a third node's own word", "party_clash"),
        ("an order of nobody", "other_consignment"),
        ("an order by another name", "not_shareable"),
        ("a terminal of nobody", "other_consignment"),
        ("a credential of nobody", "other_consignment"),
        ("a credential of the paper", "taken"),
        ("a credential by another name", "not_shareable"),
        ("a squatted consignment", "not_shareable"),
        ("a history of our own", "history_differs"),
    ],
)
async def test_what_does_not_fit_is_refused_and_nothing_of_it_stays(
    change: str, code: str, monkeypatch: pytest.MonkeyPatch
):
    assert await spoiled(change, monkeypatch) == code


async def test_a_consignment_waits_for_its_lot_and_its_credentials():
    from zhidao.node.federation.sharing import _is_whole

    one, _ = sides()
    with_lot = entered("00" * 32)
    fields = {name: getattr(with_lot, name) for name in with_lot.__struct_fields__}
    await one.say(EXPORTER, C1, type(with_lot)(**fields | {"lot": "L-1"}))
    events = [e.event for e in one.journals["trade"].written]
    assert not _is_whole(events)
    lot = LotFinished(
        order="o",
        lot="L-1",
        gtin="06901234567892",
        serials=[],
        within_limits=True,
        samples=0,
        quality="",
        epcis="",
        epcis_hashes=[],
        simulated=True,
    )
    await one.say(EXPORTER, "order/o", lot, room="industry")
    assert _is_whole([*events, one.journals["industry"].written[0].event])


def _checked(check: str, latitude_ndeg: int = 1) -> NetworkChecked:
    return NetworkChecked(
        check=check,
        phone="+77010000001",
        verdict="match",
        reason="",
        observed_at="2026-09-12T08:00:00Z",
        fix_latitude_ndeg=latitude_ndeg,
        fix_longitude_ndeg=2,
        fix_bound_mm=3,
        network_latitude_ndeg=4,
        network_longitude_ndeg=5,
        network_radius_mm=6,
        network="n",
        simulated=True,
    )


def _refused_arrival(consignment: str) -> ArrivalNotProven:
    return ArrivalNotProven(
        consignment=consignment,
        terminal="T-1",
        window="",
        reason="outside",
        sentence="outside",
        latitude_ndeg=1,
        longitude_ndeg=2,
        protection_mm=3,
        observed_at="2026-09-12T08:00:00Z",
        marks=Marks(
            signed_by_terminal=True,
            bound_to_goods=True,
            recomputed=True,
            corroborated_by=["n"],
            disagreed_by=[],
            inside_risk_ppb=0,
        ),
        evidence="",
        simulated=True,
    )


@pytest.mark.parametrize("at_once", [True, False])
async def test_what_the_network_was_asked_of_this_arrival_crosses_and_nothing_else(
    *, at_once: bool
):
    one, two = sides()
    await one.enter()
    await two.adoption.take(await one.hand_over(two))
    await two.say(CARRIER, "arrival/c-1", _refused_arrival("c-1"), room="positioning")
    if not at_once:
        await two.relay()
        await two.sharing.share("c-1", ABROAD)
        await one.adoption.take(await one.got(two, two.post[-1]["content"]))
    for check, latitude_ndeg in (("ours", 1), ("another", 9)):
        fact = _checked(check, latitude_ndeg)
        await two.say(CARRIER, f"network-check/{check}", fact, room="connectivity")
    await two.relay()
    await two.sharing.share("c-1", ABROAD)
    await one.adoption.take(await one.got(two, two.post[-1]["content"]))
    assert [e.event.aggregate for e in one.journals["connectivity"].written] == [
        "network-check/ours"
    ]
