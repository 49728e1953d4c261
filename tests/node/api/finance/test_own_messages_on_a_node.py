"""What a bank of a running node writes by its own hand moves nobody's money there.

The node is a program of its own over PostgreSQL; every request goes over its socket.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from tests.node.api.finance.test_lists_on_a_node import house, open_minor, pays  # noqa: F401
from tests.node.api.finance.test_two_persons_on_a_node import _BANKS, House

from zhidao.finance.domain.payments.message import Status, StatusReport
from zhidao.finance.wire.iso20022.messages.messages import decode, encode
from zhidao.finance.wire.iso20022.messages.statuses import TO_BANK
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.simulation.client import NodeRefused

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(600)]


async def sums(house: House) -> dict[str, int]:  # noqa: F811
    """What stands and is free on each account of both banks."""
    found = {}
    for who in ("bank", "bank2"):
        for one in await house.callers[who].get("/v1/finance/accounts?limit=100"):
            key = f"{who} {one['purpose']} {one['holder']}"
            found[key] = one["balance_minor"], one["available_minor"]
    return found


async def test_a_return_by_hand_is_refused_and_the_proper_one_is_whole(
    house: House,  # noqa: F811
) -> None:
    before = await sums(house)
    data = pays(house, 700, "Buyer")
    assert await house.pays(data, "bank") == "ACSP"
    paid = await sums(house)
    [one] = decode(read_envelope(data)).transfers  # type: ignore[union-attr]

    async def brings(xml: bytes) -> Any:
        return await house.callers["bank2"].ask(
            "POST", "/v1/finance/banks/bank/messages", content=xml
        )

    told = await house.post("bank2", "/v1/finance/returns", {"uetrs": [one.uetr], "reason": "CUST"})
    proper = decode(read_envelope(told[0]["xml"].encode()))
    after = await sums(house)
    assert {name: sum_ for name, sum_ in after.items() if any(sum_)} == {
        name: sum_ for name, sum_ in before.items() if any(sum_)
    }
    assert paid != after
    # Another payment, and a return of it by hand: an id of its own and the right UETR.
    other = pays(house, 800, "Buyer")
    assert await house.pays(other, "bank") == "ACSP"
    stands = await sums(house)
    [paid_later] = decode(read_envelope(other)).transfers  # type: ignore[union-attr]
    [back] = proper.returns  # type: ignore[union-attr]
    forged = encode(
        proper._replace(  # type: ignore[union-attr, call-arg]
            message="BY-HAND",
            returns=(back._replace(uetr=paid_later.uetr, returned_minor=800, original_minor=800),),
        )
    )
    with pytest.raises(NodeRefused) as refused:
        await brings(forged)
    assert (refused.value.status, refused.value.code) == (422, "past_own_books")
    assert await sums(house) == stands
    assert await open_minor(house) == 0


async def test_two_words_on_one_payment_are_refused_and_book_neither(
    house: House,  # noqa: F811
) -> None:
    data = pays(house, 900, "Buyer")
    assert await house.pays(data, "bank") == "ACSP"
    stands = await sums(house)
    [one] = decode(read_envelope(data)).transfers  # type: ignore[union-attr]
    for words in (("RJCT", "ACSP"), ("ACSC", "ACSP"), ("ACSC", "RJCT")):
        told = tuple(Status("", "", "E-1", one.uetr, word, "", "") for word in words)
        made = (TO_BANK, f"F{uuid4().hex[:20]}", "2026-05-01T08:00:00+00:00")
        about = (_BANKS["bank2"], _BANKS["bank"], "X", "pacs.008.001.08", "", "", "")
        with pytest.raises(NodeRefused) as refused:
            await house.callers["bank2"].ask(
                "POST",
                "/v1/finance/banks/bank/messages",
                content=encode(StatusReport(*made, *about, told)),
            )
        assert (refused.value.status, refused.value.code) == (422, "named_twice")
    assert await sums(house) == stands
