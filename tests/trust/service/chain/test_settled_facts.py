from __future__ import annotations

import pytest
from tests.trust.service.chain.test_external_view import transaction, view

from zhidao.trust.domain.evm import Transaction
from zhidao.trust.service.chain.external_view import ChainView, Mined
from zhidao.trust.service.chain.settled_facts import settled_fact


class Showing(ChainView):
    """A view of a chain on which one transaction stands."""

    def __init__(self, sent: Transaction) -> None:
        seen, _ = view()
        super().__init__(seen._rpc, seen.chain_id)
        self._sent = sent

    async def transaction(self, name: bytes) -> Transaction:
        assert name == self._sent.hash
        return self._sent


@pytest.mark.bound("trust.service.chain.settled_facts._DATA_BYTES_MAX")
@pytest.mark.parametrize(("size", "told"), [(16_384, 16_384), (16_385, 0)])
async def test_what_a_stranger_sent_is_told_whole_or_not_at_all(size: int, told: int) -> None:
    sent = transaction(data=bytes(size))
    mined = Mined(sent.hash, 7, b"\x11" * 32, True, 50_000, 1, None, ())
    fact = await settled_fact(Showing(sent), mined, [], None)
    assert len(bytes.fromhex(fact.data)) == told
    # Our own bytes are kept elsewhere.
    assert (await settled_fact(Showing(sent), mined, [], sent)).data == ""
