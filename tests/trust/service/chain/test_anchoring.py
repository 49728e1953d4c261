"""Heads go to a chain of others, and a log that falls behind its anchor is noticed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.trust.anvil import running
from tests.trust.proof_bench import ProofBench

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.node.wiring.trust.anchor import anchor_settings
from zhidao.trust.adapters.chain.chain_accounts import SecretAccount
from zhidao.trust.adapters.chain.json_rpc import JsonRpc
from zhidao.trust.adapters.chain.own_artefacts import load_anchor_code
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.domain.evm import Address, Block, Outcome
from zhidao.trust.service.chain.anchoring import Anchoring
from zhidao.trust.service.chain.json_rpc import RpcChain, RpcReceipt
from zhidao.trust.wire.evm.transaction import Draft, decode, sign

CHAIN = 5
ACCOUNT = SecretAccount(b"a" * 32)


@pytest.fixture(scope="module")
def code() -> bytes:
    try:
        return load_anchor_code()
    except Unavailable as absent:
        pytest.skip(f"{absent}: {absent.remedy}")


class EngineChain:
    """The machine in process, as a chain that confirms at once."""

    def __init__(self, code: bytes) -> None:
        self.engine = PyEvmEngine(CHAIN)
        self.nonce = 0
        self.sent = 0
        self.lies = False
        created = self._do(None, code, 2_000_000).created
        assert created is not None
        self.contract = created

    def _do(self, to: Address | None, data: bytes, gas: int) -> Outcome:
        draft = Draft(chain_id=CHAIN, nonce=self.nonce, to=to, data=data, gas=gas)
        self.nonce += 1
        raw = sign(draft, ACCOUNT.sign_digest)
        return self.engine.execute(decode(raw), Block(self.nonce, 0))

    async def call(self, to: Address, data: bytes) -> bytes:
        draft = Draft(chain_id=CHAIN, nonce=self.nonce, to=to, data=data, gas=200_000)
        return self.engine.try_out(
            decode(sign(draft, ACCOUNT.sign_digest)), Block(self.nonce + 1, 0)
        ).output

    async def send(self, account: Any, *, to: Address | None, data: bytes, gas: int) -> RpcReceipt:
        assert account is ACCOUNT
        self.sent += 1
        told = self._do(to, data, gas)
        logs = () if self.lies else told.logs
        return RpcReceipt(
            b"h" * 32, self.nonce, b"b" * 32, told.succeeded, told.gas_used, None, logs
        )


async def grown(bench: ProofBench, *leaves: bytes) -> None:
    async with bench.store.transaction() as transaction:
        await bench.log.append(transaction, list(leaves))
    await bench.log.sign_checkpoint()


async def test_heads_are_published_once_each_and_survive_a_restart(code: bytes):
    bench, chain = ProofBench(), EngineChain(code)
    await bench.proof()
    anchoring = Anchoring(chain, ACCOUNT, chain.contract, bench.log.reader.checkpoint)
    first = await anchoring.step()
    assert first is not None
    assert (first.size, chain.sent) == (4, 1)
    assert await anchoring.step() == first
    assert chain.sent == 1
    await grown(bench, b"five")
    again = Anchoring(chain, ACCOUNT, chain.contract, bench.log.reader.checkpoint)
    second = await again.step()
    assert second is not None
    assert (second.size, chain.sent) == (5, 2)
    # A fresh process finds what stands there.
    third = Anchoring(chain, ACCOUNT, chain.contract, bench.log.reader.checkpoint)
    found = await third.step()
    assert found is not None
    assert (found.size, found.block, chain.sent) == (5, 0, 2)


async def test_a_log_that_lost_leaves_or_tells_another_history_is_noticed(code: bytes):
    bench, chain = ProofBench(), EngineChain(code)
    await bench.proof()
    await grown(bench, b"five")
    await Anchoring(chain, ACCOUNT, chain.contract, bench.log.reader.checkpoint).step()
    other = ProofBench()
    await other.proof()
    behind = Anchoring(chain, ACCOUNT, chain.contract, other.log.reader.checkpoint)
    with pytest.raises(Refused) as caught:
        await behind.step()
    assert caught.value.code == "anchored_ahead"
    await grown(other, b"another five")
    with pytest.raises(Refused) as caught:
        await behind.step()
    assert caught.value.code == "anchored_otherwise"
    assert chain.sent == 1


async def test_a_chain_that_only_says_so_is_not_believed(code: bytes):
    bench, chain = ProofBench(), EngineChain(code)
    await bench.proof()
    chain.lies = True
    anchoring = Anchoring(chain, ACCOUNT, chain.contract, bench.log.reader.checkpoint)
    with pytest.raises(Refused) as caught:
        await anchoring.step()
    assert caught.value.code == "not_anchored"
    assert anchoring.last is None


def test_settings_are_whole_or_refused():
    good = {"confirmations": 1, "every_minutes": 1}
    address = "0x" + "ab" * 20
    assert anchor_settings("", 0, "", **good) is None
    chosen = anchor_settings("https://a.example, https://b.example", 5, address, **good)
    assert chosen is not None
    assert chosen.urls == ("https://a.example", "https://b.example")
    for bad in (
        (0, address, good),
        (5, "0x12", good),
        (5, address, good | {"every_minutes": 0}),
        (5, address, good | {"confirmations": -1}),
    ):
        with pytest.raises(MalformedInput):
            anchor_settings("https://a.example", bad[0], bad[1], **bad[2])


@pytest.mark.service
async def test_heads_are_published_through_json_rpc(code: bytes):
    bench = ProofBench()
    await bench.proof()

    async def soon() -> None:
        await asyncio.sleep(0.02)

    with running(CHAIN) as url:
        rpc = JsonRpc([url], seconds=5)
        try:
            await rpc.call("anvil_setBalance", "0x" + ACCOUNT.address.hex(), hex(10**20))
            chain = RpcChain(rpc, CHAIN, confirmations=0, sleep=soon)
            made = await chain.send(ACCOUNT, to=None, data=code, gas=2_000_000)
            assert made.created is not None
            reader = bench.log.reader
            anchoring = Anchoring(chain, ACCOUNT, made.created, reader.checkpoint)
            first = await anchoring.step()
            await grown(bench, b"five")
            second = await anchoring.step()
        finally:
            await rpc.close()
    assert first is not None
    assert second is not None
    assert (first.size, second.size) == (4, 5)
    assert second.block > first.block > 0
