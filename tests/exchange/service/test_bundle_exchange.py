"""Two nodes exchange documents: each once, in order, with receipts, whatever the line does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import msgspec
import pytest
from tests.exchange.two_nodes import (
    CONTENT,
    OPERATOR,
    START,
    Line,
    Node,
    carry,
    make_node,
    make_pair,
)

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.exchange.adapters.memory import MemoryExchange
from zhidao.exchange.domain.peer import Wanted
from zhidao.exchange.events import PeerAdmitted
from zhidao.exchange.service.dispatch import PeerRefused
from zhidao.exchange.service.ports import Sent
from zhidao.exchange.service.receipt_issuing import ReceiptIssuer
from zhidao.exchange.service.signing_identity import SigningIdentity
from zhidao.exchange.service.verification import verify_export
from zhidao.exchange.wire.bundle import (
    ENVELOPE,
    OPENED,
    RECEIPT,
    Item,
    decode_bundle,
    encode_bundle,
)
from zhidao.exchange.wire.card import decode_card, sign_card
from zhidao.exchange.wire.envelope import commitment, decode_envelope, seal_envelope
from zhidao.exchange.wire.receipt import decode_receipt


def stages(receipts: list[bytes]) -> list[str]:
    return [decode_receipt(data).stage.value for data in receipts]


async def test_a_document_arrives_once_and_three_receipts_come_back_with_the_reason() -> None:
    one, two = await make_pair()
    await one.send(1, two)
    await carry(one, two)
    (delivery,) = two.told
    content, media = await two.exchange.content(two.party, "exporter", UUID(int=1))
    assert (content, media, delivery.to_party) == (CONTENT, "text/plain", "importer-trader")
    await two.exchange.decide(
        two.party,
        sender="exporter",
        document=UUID(int=1),
        outcome="refused",
        code="amount_differs",
        reason="the credit says 40,000.00 EUR",
    )
    await carry(one, two)
    (sent,) = await one.outbox.listed(one.party)
    assert (sent.state, sent.outcome, sent.code) == ("decided", "refused", "amount_differs")
    assert sent.reason == "the credit says 40,000.00 EUR"
    receipts = list(await one.outbox.receipts(one.party, UUID(int=1)))
    assert stages(receipts) == ["received", "accepted", "decided"]
    assert all(decode_receipt(data).key == two.key.public for data in receipts)


async def test_the_same_document_again_gets_the_same_receipts_and_no_second_effect() -> None:
    line = Line()
    one, two = await make_pair(line)
    await one.send(1, two)
    await carry(one, two)
    (_, bundle), *_ = line.bundles
    peer = two.peers.of("exporter")
    answers = {await two.exchange.take_bundle(peer, bundle) for _ in range(3)}
    assert len(answers) == 1
    assert len(two.told) == 1
    assert [decode_receipt(i.data).stage for i in decode_bundle(answers.pop())] == [
        "received",
        "accepted",
    ]


async def test_other_content_under_a_sent_id_is_refused_at_the_sender() -> None:
    one, two = await make_pair()
    first = await one.send(1, two)
    assert await one.send(1, two) == first
    with pytest.raises(Conflict) as refusal:
        await one.send(1, two, b"another amount")
    assert refusal.value.code == "document_differs"


async def test_other_content_under_a_standing_id_is_refused_by_a_receipt_and_logged() -> None:
    one, two = await make_pair()
    await one.send(1, two)
    await carry(one, two)
    line2 = Line()
    liar = make_node("exporter", line2)
    await liar.peers.admit(OPERATOR, two.card, keys=[two.key.public], trust="corridor")
    await liar.send(1, two, b"another amount")
    line2.ends["importer"] = two
    await liar.dispatcher.step(two.name)
    await liar.dispatcher.step(two.name)
    (sent,) = await liar.outbox.listed(liar.party)
    assert (sent.state, sent.outcome, sent.code) == ("decided", "refused", "document_differs")
    content, _ = await two.exchange.content(two.party, "exporter", UUID(int=1))
    assert content == CONTENT
    conflicts = [name for name in two.store.histories if name.startswith("conflict/")]
    assert len(conflicts) == 1


async def test_a_document_waits_for_the_one_before_it() -> None:
    line = Line()
    one, two = await make_pair(line)
    for number in (1, 2, 3):
        await one.send(number, two, b"%d" % number)
    await one.send(9, two, consignment="C-2")
    rows = await one.store.waiting(two.name, limit=9, bytes_max=10**6)
    peer = two.peers.of("exporter")
    by_number = {(row.consignment, row.sequence): row.envelope for row in rows}
    for key in (("C-1", 3), ("C-1", 2), ("C-2", 1)):
        await two.exchange.take_bundle(peer, encode_bundle([Item(ENVELOPE, by_number[key])]))
    assert [told.consignment for told in two.told] == ["C-2"]
    held = await two.inbox.listed(two.party, state="held")
    assert sorted(each.sequence for each in held) == [2, 3]
    with pytest.raises(Refused) as refusal:
        await two.exchange.decide(
            *(two.party,),
            sender="exporter",
            document=UUID(int=2),
            outcome="accepted",
            code="",
            reason="",
        )
    assert refusal.value.code == "held"
    await carry(one, two)
    assert [told.sequence for told in two.told] == [1, 1, 2, 3]
    for number in (1, 2, 3, 9):
        receipts = list(await one.outbox.receipts(one.party, UUID(int=number)))
        assert stages(receipts) == ["received", "accepted"]


@pytest.mark.bound("exchange.domain.limits.AHEAD_MAX")
async def test_a_document_too_far_ahead_is_not_held_and_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("zhidao.exchange.service.inbox.AHEAD_MAX", 3)
    one, two = await make_pair()
    for number in range(1, 6):
        await one.send(number, two)
    rows = await one.store.waiting(two.name, limit=9, bytes_max=10**6)
    by_number = {row.sequence: row.envelope for row in rows}
    for sequence, receipts in ((3, 1), (4, 0), (5, 0)):
        item = Item(ENVELOPE, by_number[sequence])
        answer = await two.exchange.take_bundle(two.peers.of("exporter"), encode_bundle([item]))
        assert len(decode_bundle(answer)) == receipts, sequence
    assert [row.sequence for row in await two.inbox.listed(two.party, state="held")] == [3]
    await carry(one, two)
    assert [told.sequence for told in two.told] == [1, 2, 3, 4, 5]


async def test_a_lost_answer_takes_no_receipt_with_it() -> None:
    one, two = await make_pair()
    await one.send(1, two)
    await one.send(2, two)
    await one.send(3, two, consignment="C-2")
    rows = await one.store.waiting(two.name, limit=9, bytes_max=10**6)
    peer = two.peers.of("exporter")
    by_document = {row.document.int: row.envelope for row in rows}
    for number in (2, 1, 3):
        # Nobody hears the answer.
        await two.exchange.take_bundle(peer, encode_bundle([Item(ENVELOPE, by_document[number])]))
    word = {"outcome": "refused", "code": "late", "reason": "too late"}
    await two.exchange.decide(two.party, sender="exporter", document=UUID(int=3), **word)
    await two.dispatcher.step(one.name)
    for number, wanted in ((2, ["received", "accepted"]), (3, ["received", "accepted", "decided"])):
        receipts = list(await one.outbox.receipts(one.party, UUID(int=number)))
        assert stages(receipts) == wanted


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_lost_or_doubled_on_a_line_that_loses_repeats_and_reorders(
    seed: int,
) -> None:
    line = Line(seed, faults=0.6)
    one, two = await make_pair(line)
    for number in range(1, 25):
        await one.send(number, two, b"%d" % number, consignment=f"C-{number % 3}")
        await two.send(100 + number, one, b"%d" % number, consignment=f"D-{number % 3}")
        if number % 5 == 0:
            for node, peer in ((one, two), (two, one)):
                await node.dispatcher.step(peer.name)
    await carry(one, two)
    for node, first in ((two, 1), (one, 101)):
        assert sorted(int(UUID(told.document)) for told in node.told) == [*range(first, first + 24)]
        for name in {told.consignment for told in node.told}:
            order = [told.sequence for told in node.told if told.consignment == name]
            assert order == sorted(order)
    for node in (one, two):
        for sent in await node.outbox.listed(node.party, limit=100):
            receipts = list(await node.outbox.receipts(node.party, UUID(sent.document)))
            assert stages(receipts) == ["received", "accepted"]


async def test_a_document_that_cannot_be_opened_is_refused_and_lets_the_next_pass() -> None:
    one, two = await make_pair()
    other = make_node("importer", Line(), seed=77)
    stranger = replace(one.peers.of("importer"), sealing=other.inbox._sealing.hybrid)
    one.peers._peers[two.name] = stranger
    await one.send(1, two)
    await one.peers.load()
    await one.send(2, two)
    await carry(one, two)
    last, first = await one.outbox.listed(one.party)
    assert (first.state, first.outcome, first.code) == ("decided", "refused", "cannot_open")
    assert last.state == "accepted"


async def test_an_unknown_party_is_refused_with_its_name() -> None:
    one, two = await make_pair()
    await one.exchange.send(
        one.party,
        document=UUID(int=1),
        recipient="importer",
        to_party="nobody",
        consignment="C-1",
        kind="trade.invoice",
        media_type="text/plain",
        content=b"x",
    )
    await carry(one, two)
    (sent,) = await one.outbox.listed(one.party)
    assert (sent.outcome, sent.code) == ("refused", "unknown_party")
    assert "nobody" in sent.reason
    assert not two.told


async def test_a_peer_speaks_for_itself_only() -> None:
    line = Line()
    one, two = await make_pair(line)
    third = make_node("third", line)
    for here, there in ((third, two), (two, third)):
        await here.peers.admit(OPERATOR, there.card, keys=[there.key.public], trust="corridor")
    await one.send(1, two)
    (row,) = await one.store.waiting(two.name, limit=1, bytes_max=10**6)
    bundle = encode_bundle([Item(ENVELOPE, row.envelope)])
    with pytest.raises(Refused) as refusal:
        await two.exchange.take_bundle(two.peers.of("third"), bundle)
    assert refusal.value.code == "wrong_peer"
    with pytest.raises(Refused) as refusal:
        await third.exchange.take_bundle(replace(two.peers.of("exporter")), bundle)
    assert refusal.value.code == "wrong_recipient"
    answer = await two.exchange.take_bundle(two.peers.of("exporter"), bundle)
    receipts = [item.data for item in decode_bundle(answer)]
    with pytest.raises(Refused) as refusal:
        await one.outbox.take_receipts(
            replace(one.peers.of("importer"), keys=(third.key.public,)), receipts
        )
    assert refusal.value.code == "wrong_peer"
    assert (await one.outbox.listed(one.party))[0].state == "waiting"


async def test_a_dead_letter_is_seen_and_can_be_sent_again() -> None:
    line = Line(faults=1.0)
    one, two = await make_pair(line)
    await one.send(1, two)
    line.chance.random = lambda: 0.0  # type: ignore[method-assign]
    assert not await one.dispatcher.step(two.name)
    (sent,) = await one.outbox.listed(one.party)
    assert (sent.state, sent.attempts) == ("waiting", 1)
    assert sent.reason.startswith("lost on its way; ")
    one.clock.advance(5 * 24 * 3600)
    assert await one.store.give_up(two.name, before_ns=one.clock.now().tai_ns) == 1
    (sent,) = await one.outbox.listed(OPERATOR, state="dead")
    line.faults = 0.0
    await one.dispatcher.step(two.name)
    assert not two.told
    await one.outbox.resend(OPERATOR, UUID(sent.document))
    await carry(one, two)
    assert len(two.told) == 1
    with pytest.raises(Refused) as refusal:
        await one.outbox.resend(OPERATOR, UUID(sent.document))
    assert refusal.value.code == "not_waiting"


async def test_one_document_that_a_peer_cannot_read_does_not_stop_the_others() -> None:
    line = Line()
    one, two = await make_pair(line)
    for number in (1, 2, 3):
        await one.send(number, two, consignment=f"C-{number}")
    take = two.exchange.take_bundle

    async def picky(peer: object, data: bytes) -> bytes:
        for item in decode_bundle(data):
            if decode_envelope(item.data).heading.document == UUID(int=2):
                raise PeerRefused("this peer is older and cannot read it", code="malformed_input")
        return await take(peer, data)  # type: ignore[arg-type]

    two.exchange.take_bundle = picky  # type: ignore[method-assign]
    for _ in range(6):
        await one.dispatcher.step(two.name)
    states = {int(UUID(s.document)): s.state for s in await one.outbox.listed(one.party)}
    assert states == {1: "accepted", 2: "dead", 3: "accepted"}


async def test_a_bundle_carried_by_hand_does_what_the_wire_does() -> None:
    one, two = await make_pair()
    await one.send(1, two)
    await one.send(2, two)
    stick = await one.exchange.pack(OPERATOR, "importer")
    back = await two.exchange.unpack(OPERATOR, stick)
    assert await two.exchange.unpack(OPERATOR, stick) == back
    await one.exchange.unpack(OPERATOR, back)
    assert [s.state for s in await one.outbox.listed(one.party)] == ["accepted", "accepted"]
    assert len(two.told) == 2


async def test_a_subscription_filters_what_is_published() -> None:
    one, two = await make_pair()

    async def publish(number: int, kind: str) -> int:
        found = await one.exchange.publish(
            Actor(PartyId("exporter"), Role.NODE),
            document=UUID(int=number),
            audience=["importer"],
            consignment="C-1",
            kind=kind,
            media_type="application/json",
            content=b"{}",
        )
        return len(found)

    assert await publish(1, "trade.delivered") == 0
    await two.exchange.subscribe(OPERATOR, "exporter", Wanted(kinds=("trade.",)))
    await carry(one, two)
    (asked,) = await two.outbox.listed(OPERATOR)
    assert (asked.state, asked.outcome) == ("decided", "accepted")
    assert await publish(2, "trade.delivered") == 1
    assert await publish(3, "finance.settled") == 0


async def test_what_waits_for_a_dismissed_peer_is_a_dead_letter() -> None:
    one, two = await make_pair()
    await one.send(1, two)
    await one.peers.dismiss(OPERATOR, "importer")
    (sent,) = await one.outbox.listed(one.party)
    assert sent.state == "dead"


async def test_a_peers_words_cannot_stop_the_node() -> None:
    line = Line()
    one, two = await make_pair(line)
    await one.send(1, two)

    async def rude(peer: object, data: bytes) -> bytes:
        raise PeerRefused("no\x00\nnever", code="\x00")

    two.exchange.take_bundle = rude  # type: ignore[method-assign]
    assert not await one.dispatcher.step(two.name)
    (sent,) = await one.outbox.listed(one.party)
    assert (sent.state, sent.code) == ("dead", "peer_refused")
    assert sent.reason.startswith("no  never; ask the peer's operator")
    assert sent.reason.isprintable()
    with pytest.raises(MalformedInput):
        await one.exchange.decide(
            *(one.party,),
            sender="importer",
            document=UUID(int=1),
            outcome="refused",
            code="why",
            reason="two\nlines",
        )


async def test_an_export_can_be_of_one_consignment() -> None:
    one, two = await make_pair()
    await one.send(1, two)
    await one.send(2, two, consignment="C-2")
    items = decode_bundle(await one.exchange.export(one.party, "C-2"))
    assert [item.kind for item in items] == [ENVELOPE, OPENED]


async def test_a_key_that_a_card_takes_back_counts_no_more() -> None:
    line = Line()
    one, two = make_node("exporter", line), make_node("importer", line)
    fresh = SoftwareKey(Algorithm.ED25519, b"\x07" * 32)
    listed = [two.key.public, fresh.public]
    await one.peers.admit(OPERATOR, two.card, keys=listed, trust="corridor")
    assert one.peers.by_key(two.key.public) is not None
    said = replace(decode_card(two.card), key=fresh.public, revoked=(two.key.public,))
    card = sign_card(said, fresh)
    assert decode_card(card).revoked == (two.key.public,)
    await one.peers.admit(OPERATOR, card, keys=listed, trust="corridor")
    assert one.peers.by_key(two.key.public) is None
    assert one.peers.by_key(fresh.public) is not None
    # Neither the thief's card nor an older one of the new key brings it back.
    older = sign_card(replace(said, revoked=()), fresh)
    for bad in (two.card, older, sign_card(replace(said, key=two.key.public), two.key)):
        with pytest.raises(Refused) as refusal:
            await one.peers.admit(OPERATOR, bad, keys=listed, trust="corridor")
        assert refusal.value.code == "untrusted_card"
    assert one.peers.by_key(two.key.public) is None


async def test_only_a_listed_key_makes_a_peer() -> None:
    line = Line()
    one, two = make_node("exporter", line), make_node("importer", line)
    with pytest.raises(Refused) as refusal:
        await one.peers.admit(OPERATOR, two.card, keys=[one.key.public], trust="corridor")
    assert refusal.value.code == "untrusted_card"
    with pytest.raises(Refused) as refusal:
        await one.peers.admit(OPERATOR, one.card, keys=[one.key.public], trust="corridor")
    assert refusal.value.code == "own_card"
    with pytest.raises(Forbidden):
        await one.peers.admit(one.party, two.card, keys=[two.key.public], trust="corridor")
    with pytest.raises(NotFound) as missing:
        await one.send(1, two)
    assert missing.value.code == "unknown_peer"
    await one.peers.admit(OPERATOR, two.card, keys=[two.key.public], trust="corridor")
    await one.peers.dismiss(OPERATOR, "importer")
    with pytest.raises(NotFound):
        one.peers.of("importer")
    assert len(one.store.histories["peer/importer"]) == 2


async def test_others_documents_are_not_found_and_an_admin_sees_none() -> None:
    one, two = await make_pair()
    await one.send(1, two)
    await carry(one, two)
    stranger = Actor(PartyId("stranger"), Role.PARTY)
    assert await one.outbox.listed(stranger) == []
    with pytest.raises(NotFound):
        await one.outbox.receipts(stranger, UUID(int=1))
    with pytest.raises(NotFound):
        await two.exchange.content(stranger, "exporter", UUID(int=1))
    with pytest.raises(Forbidden):
        await two.exchange.content(OPERATOR, "exporter", UUID(int=1))
    with pytest.raises(Forbidden):
        await two.inbox.listed(Actor(PartyId("importer"), Role.ADMIN))


async def test_a_stranger_verifies_an_export_and_every_tampering_is_found() -> None:
    one, two = await make_pair()
    await one.send(1, two)
    await two.send(2, one, b"purchase order")
    await carry(one, two)
    keys = {"exporter": one.key.public, "importer": two.key.public}

    def records(node: str, key: object) -> bool:
        return keys.get(node) == key

    export = await one.exchange.export(one.party)
    checked = verify_export(export, records)
    assert {each.content for each in checked} == {CONTENT, b"purchase order"}
    assert all(len(each.receipts) == 2 for each in checked)
    items = list(decode_bundle(export))
    assert [item.kind for item in items] == [ENVELOPE, OPENED, RECEIPT, RECEIPT] * 2
    swapped = [items[0], *items[5:8]]
    with pytest.raises(Refused) as refusal:
        verify_export(encode_bundle(swapped), records)
    assert refusal.value.code == "content_differs"
    with pytest.raises(Refused) as refusal:
        verify_export(encode_bundle([items[0], items[6]]), records)
    assert refusal.value.code == "wrong_receipt"
    keys["importer"] = one.key.public
    with pytest.raises(Refused) as refusal:
        verify_export(export, records)
    assert refusal.value.code == "untrusted_key"
    with pytest.raises(MalformedInput):
        await two.exchange.take_bundle(two.peers.of("exporter"), export)


async def test_a_signed_lie_about_the_content_is_refused() -> None:
    one, two = await make_pair()
    heading = decode_envelope(
        (await _only_row(one, two)).envelope,
    ).heading
    lie = replace(heading, document=UUID(int=50), size=heading.size + 1)
    row = await _only_row(one, two)
    envelope = seal_envelope(
        lie, salt=row.salt, content=CONTENT, to=two.inbox._sealing.public, signer=one.key
    )
    answer = await two.exchange.take_bundle(
        two.peers.of("exporter"), encode_bundle([Item(ENVELOPE, envelope.encoded)])
    )
    said = [decode_receipt(item.data) for item in decode_bundle(answer)]
    assert [(each.outcome, each.code) for each in said] == [
        ("accepted", ""),
        ("refused", "content_differs"),
    ]
    assert heading.sent_at == START


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/xml", b"<Invoice><ID>1</ID>"),
        ("application/xml", b"<html><body/></html>"),
        ("application/xml", b"\n\n<?xml version='1.0'?><Invoice/>"),
        ("application/json", b"not json"),
        ("application/octet-stream", b"<Invoice/>"),
    ],
)
async def test_what_is_not_what_its_sender_calls_it_is_turned_away(media_type, content) -> None:
    """The sender's node let it leave; the receiver looks itself."""
    one, two = await make_pair()
    row = await _only_row(one, two)
    heading = replace(
        decode_envelope(row.envelope).heading,
        media_type=media_type,
        digest=commitment(row.salt, content),
        size=len(content),
    )
    envelope = seal_envelope(
        heading, salt=row.salt, content=content, to=two.inbox._sealing.public, signer=one.key
    )
    answer = await two.exchange.take_bundle(
        two.peers.of("exporter"), encode_bundle([Item(ENVELOPE, envelope.encoded)])
    )
    said = [decode_receipt(item.data) for item in decode_bundle(answer)]
    assert ("refused", "content_differs") in [(each.outcome, each.code) for each in said]
    assert two.told == []


async def _only_row(one: object, two: object) -> object:
    rows = await one.store.waiting(two.name, limit=1, bytes_max=10**6)  # type: ignore[attr-defined]
    if not rows:
        await one.send(1, two)  # type: ignore[attr-defined]
        rows = await one.store.waiting(two.name, limit=1, bytes_max=10**6)  # type: ignore[attr-defined]
    return rows[0]


async def test_a_party_that_floods_its_outbox_is_stopped_and_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("zhidao.exchange.service.outbox.WAITING_MAX", 3)
    one, two = await make_pair()
    for number in (1, 2, 3):
        await one.send(number, two)
    with pytest.raises(Refused) as refused:
        await one.send(4, two)
    assert refused.value.code == "outbox_full"
    assert (await one.send(3, two)).sequence == 3, "what stands is answered all the same"
    other = Actor(PartyId("other"), Role.PARTY)
    one.outbox._scribe._ring._keys[other.party] = one.key
    party, one.party = one.party, other
    await one.send(5, two)
    one.party = party
    await carry(one, two)
    await one.send(4, two)


async def test_a_peer_takes_the_keys_that_it_is_shown_but_none_that_its_card_took_back() -> None:
    one, two = await make_pair()
    new = SoftwareKey(Algorithm.ED25519, b"\x05" * 32).public
    old = one.key.public
    learned = await two.peers.learn("exporter", [old, new], proof="ab" * 32)
    assert learned.keys == two.peers.of("exporter").keys == (old, new)
    assert two.peers.by_key(new) == learned
    await two.peers.learn("exporter", [old, new], proof="cd" * 32)
    stored = [peer for peer in await two.store.peers() if peer.node == "exporter"]
    assert stored == [learned]
    card = sign_card(replace(decode_card(one.card), revoked=(new,)), one.key)
    await two.peers.admit(OPERATOR, card, keys=[old, new], trust="corridor")
    assert (await two.peers.learn("exporter", [old, new], proof="ef" * 32)).keys == (old,)
    with pytest.raises(Refused) as refused:
        await two.peers.learn("exporter", [new], proof="ef" * 32)
    assert refused.value.code == "key_spent"


async def test_each_peer_is_spoken_to_with_the_key_that_it_knows() -> None:
    one, two = await make_pair()
    new = SoftwareKey(Algorithm.ED25519, b"\x05" * 32)
    identity = SigningIdentity(new, one.key)
    one.outbox._identity = identity
    one.inbox._receipts = ReceiptIssuer(one.name, identity, one.clock)
    await one.send(1, two)
    await carry(one, two)
    identity.known_to(two.name)
    await one.send(2, two)
    with pytest.raises(Refused) as refused:
        await two.exchange.take_bundle(
            two.peers.of("exporter"), await one.exchange.pack(OPERATOR, "importer")
        )
    assert refused.value.code == "wrong_peer"
    await two.peers.learn("exporter", [one.key.public, new.public], proof="ab" * 32)
    await two.send(3, one)
    await carry(one, two)
    signed = [decode_envelope(row.envelope).key for row in await all_sent(one)]
    assert signed == [new.public, one.key.public]
    said = [decode_receipt(r).key for row in await all_sent(two) for r in row.receipts if r]
    assert set(said) == {new.public}


async def all_sent(node: Node) -> Sequence[Sent]:
    return await node.store.list_sent(
        party=node.party.party, state="", consignment="", limit=9, after=None
    )


async def test_another_node_of_a_peers_name_takes_its_place_on_purpose_only() -> None:
    line = Line()
    one, two = await make_pair(line)
    before = one.peers.of("importer")
    impostor = SoftwareKey(Algorithm.ED25519, b"\x09" * 32)
    said = replace(decode_card(two.card), key=impostor.public, url="https://elsewhere.example")
    # Neither its own list, nor one that names the true key beside it, nor taking that back helps.
    taking_back = replace(said, revoked=(two.key.public,))
    true = two.key.public
    for card, listed in (
        (sign_card(said, impostor), [impostor.public]),
        (sign_card(said, impostor), [true, impostor.public]),
        (sign_card(taking_back, impostor), [true, impostor.public]),
        (two.card, [true, impostor.public]),
    ):
        with pytest.raises(Refused) as refused:
            await one.peers.admit(OPERATOR, card, keys=listed, trust="theirs")
        assert refused.value.code == "name_taken"
        assert true.fingerprint in str(refused.value)
        assert impostor.public.fingerprint in str(refused.value)
        assert f"--replace {true.fingerprint}" in refused.value.remedy
    assert one.peers.of("importer") == before
    assert await one.store.peers() == [before]
    card, listed = sign_card(said, impostor), [impostor.public]
    with pytest.raises(Refused) as refused:
        await one.peers.admit(
            OPERATOR, card, keys=listed, trust="t", replaces=impostor.public.fingerprint
        )
    assert refused.value.code == "fingerprint_differs"
    for _ in range(2):
        await one.peers.admit(OPERATOR, card, keys=listed, trust="t", replaces=true.fingerprint)
    assert one.peers.of("importer").keys == (impostor.public,)
    assert isinstance(one.store, MemoryExchange)
    told = [entry.event.payload for entry in one.store.histories["peer/importer"]]
    assert [each["replaced"] for each in told] == [[], [true.multikey]]
    old = {name: value for name, value in told[0].items() if name != "replaced"}
    assert msgspec.convert(old, PeerAdmitted).replaced == [], "events of before stay readable"


async def test_a_peer_that_went_over_to_a_key_by_its_own_log_is_admitted_by_that() -> None:
    one, two = await make_pair()
    new = SoftwareKey(Algorithm.ED25519, b"\x05" * 32)
    card = sign_card(replace(decode_card(two.card), key=new.public), new)
    keys = [two.key.public, new.public]
    await one.peers.learn("importer", keys, proof="ab" * 32)
    assert (await one.peers.admit(OPERATOR, card, keys=keys, trust="t")).card == card
