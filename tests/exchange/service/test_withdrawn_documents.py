from __future__ import annotations

from uuid import UUID

import pytest
from tests.exchange.two_nodes import Node, carry, make_pair

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import MalformedInput, NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.exchange.wire.withdrawal import decode_withdrawal, encode_withdrawal

ONE = UUID(int=1)


async def ends(node: Node) -> dict[str, tuple[str, str, str]]:
    rows = await node.outbox.listed(node.party)
    return {row.kind: (row.state, row.code, row.reason) for row in rows}


async def test_what_nobody_has_decided_about_is_taken_back():
    one, two = await make_pair()
    await one.send(1, two)
    await carry(one, two)
    taken = await one.outbox.withdraw(one.party, ONE, "replaced by 18")
    assert await one.outbox.withdraw(one.party, ONE, "replaced by 18") == taken
    await carry(one, two)
    assert await ends(one) == {
        "trade.invoice": ("decided", "withdrawn", "replaced by 18"),
        "zhidao.withdrawal": ("decided", "", ""),
    }
    got = await two.inbox.one(two.party, one.name, ONE)
    assert (got.state, got.outcome, got.code) == ("decided", "refused", "withdrawn")
    with pytest.raises(Refused):
        await one.outbox.withdraw(one.party, ONE, "again")


async def test_a_withdrawal_follows_a_document_that_is_still_on_its_way():
    one, two = await make_pair()
    await one.send(1, two)
    await one.outbox.withdraw(one.party, ONE, "")
    await carry(one, two)
    assert (await ends(one))["trade.invoice"][1] == "withdrawn"


async def test_who_has_decided_keeps_to_it():
    one, two = await make_pair()
    await one.send(1, two)
    await carry(one, two)
    await two.exchange.decide(
        two.party, sender=one.name, document=ONE, outcome="accepted", code="", reason=""
    )
    await one.outbox.withdraw(one.party, ONE, "too late")
    await carry(one, two)
    found = await ends(one)
    assert found["trade.invoice"][:2] == ("decided", "")
    assert found["zhidao.withdrawal"][:2] == ("decided", "decided_already")


async def test_nobody_takes_back_another_partys_document():
    one, two = await make_pair()
    await one.send(1, two)
    await carry(one, two)
    stranger = Actor(PartyId("stranger"), Role.PARTY)
    with pytest.raises(NotFound):
        await one.outbox.withdraw(stranger, ONE, "")
    one.outbox._scribe._ring._keys[stranger.party] = one.key
    await one.exchange.send(
        stranger,
        document=UUID(int=9),
        recipient=two.name,
        to_party=two.name,
        consignment="C-1",
        kind="zhidao.withdrawal",
        media_type="application/json",
        content=encode_withdrawal(ONE, "mine now"),
    )
    await carry(one, two)
    assert (await two.inbox.one(two.party, one.name, ONE)).state == "accepted"
    (row,) = await one.outbox.listed(stranger)
    assert (row.outcome, row.code) == ("refused", "not_found")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"v":2,"document":"00000000-0000-0000-0000-000000000001","reason":""}',
        b'{"v":1,"document":"x","reason":""}',
        b'{"v":1,"document":"00000000-0000-0000-0000-000000000001","reason":"a\\nb"}',
        b'{"v":1,"document":"00000000-0000-0000-0000-000000000001"}',
    ],
)
def test_what_is_no_withdrawal_is_refused(data: bytes):
    with pytest.raises(MalformedInput):
        decode_withdrawal(data)


def test_a_withdrawal_reads_as_it_was_written():
    assert decode_withdrawal(encode_withdrawal(ONE, "why")) == (ONE, "why")
    with pytest.raises(MalformedInput):
        encode_withdrawal(ONE, "two\nlines")
