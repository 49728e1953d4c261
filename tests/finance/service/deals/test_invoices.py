"""A deal over several invoices pays all that they ask for, in their currency, and no part."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from zhidao.core.errors import Refused
from zhidao.trade.events import NamedInvoice


@pytest.fixture
def billed(world: Any, facts: Any) -> Any:
    """The world where the entry names two invoices over the deal's amount."""
    known = world.durable.consignments
    told = known.consignment
    deal = facts.deal

    async def consignment(actor: Any, name: str) -> Any:
        seen = await told(actor, name)
        entered = msgspec.structs.replace(
            seen.entered,
            amount_minor=deal.amount_minor,
            currency=deal.currency,
            invoices=[
                NamedInvoice(number="INV-1", amount_minor=deal.amount_minor - 250),
                NamedInvoice(number="INV-2", amount_minor=250),
            ],
        )
        return msgspec.structs.replace(seen, entered=entered)

    known.consignment = consignment
    return world


async def test_a_deal_over_the_sum_of_the_invoices_is_opened(billed: Any) -> None:
    assert (await billed.opened()).state == "reserved"


@pytest.mark.parametrize(("gap", "told"), [(-250, r"2\.50 CNY under"), (1, r"0\.01 CNY over")])
async def test_the_refusal_says_by_how_much_it_differs(
    billed: Any, facts: Any, gap: int, told: str
) -> None:
    with pytest.raises(Refused, match=told) as refused:
        await billed.opened(amount_minor=facts.deal.amount_minor + gap)
    assert refused.value.code == "amount_differs"


async def test_another_currency_is_refused(billed: Any) -> None:
    known = billed.durable.consignments
    told = known.consignment

    async def in_dollars(actor: Any, name: str) -> Any:
        seen = await told(actor, name)
        entered = msgspec.structs.replace(seen.entered, currency="USD")
        return msgspec.structs.replace(seen, entered=entered)

    known.consignment = in_dollars
    with pytest.raises(Refused) as refused:
        await billed.opened()
    assert refused.value.code == "other_currency"


async def test_a_deal_over_a_single_invoice_may_pay_a_part(world: Any, facts: Any) -> None:
    deal = await world.opened(amount_minor=facts.deal.amount_minor - 1)
    assert deal.state == "reserved"
