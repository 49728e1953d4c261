from __future__ import annotations

import asyncio
import contextlib
from itertools import pairwise
from typing import Any

import pytest
from tests.trust.anvil import running
from tests.trust.title_bench import TitleBench
from tests.trust.title_programs import random_life

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.ids import PartyId
from zhidao.trust.adapters.chain.chain_accounts import SecretAccount
from zhidao.trust.adapters.chain.json_rpc import JsonRpc
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.adapters.chain.title_artefacts import load_title_contracts
from zhidao.trust.domain.evm import ZERO_ADDRESS, Block
from zhidao.trust.service.chain.json_rpc import RpcChain, RpcRefusal
from zhidao.trust.wire.evm import abi
from zhidao.trust.wire.evm.keccak import keccak256
from zhidao.trust.wire.evm.title_contract import MINTER_ROLE, grant_call, registry_code
from zhidao.trust.wire.evm.transaction import Draft, decode, sign

CHAIN = 31_337
NAMES = ("carrier", "exporter", "importer", "importer-bank")


async def soon() -> None:
    await asyncio.sleep(0.02)


class Scripted:
    """Answers by a table of functions, and remembers what was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {
            "eth_chainId": hex(CHAIN),
            "eth_getTransactionCount": "0x0",
            "eth_maxPriorityFeePerGas": "0x10",
            "eth_sendRawTransaction": "0x",
            "eth_blockNumber": "0x1",
            "eth_getTransactionReceipt": None,
            "eth_getBlockByNumber": {"baseFeePerGas": "0x64", "hash": "0x" + "11" * 32},
        } | answers
        self.asked: list[tuple] = []

    async def call(self, method: str, *parameters: Any) -> Any:
        self.asked.append((method, *parameters))
        answer = self.answers[method]
        if callable(answer):
            answer = answer(*parameters)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sent(self) -> list[bytes]:
        raws = [bytes.fromhex(p[1][2:]) for p in self.asked if p[0] == "eth_sendRawTransaction"]
        return list(dict.fromkeys(raws))


async def now() -> None:
    await asyncio.sleep(0)


def account() -> Any:
    return SecretAccount(b"a" * 32)


async def sent(rpc: Scripted, **more: Any) -> Any:
    chain = RpcChain(rpc, CHAIN, confirmations=2, sleep=now, polls_per_bump=2)
    told = {"to": ZERO_ADDRESS, "data": b"", "gas": 21_000, "polls_max": 9} | more
    return await chain.send(account(), **told)


async def test_a_transaction_that_waits_is_offered_again_for_more() -> None:
    rpc = Scripted()
    with pytest.raises(Unavailable) as refusal:
        await sent(rpc)
    assert refusal.value.code == "not_final_yet"
    drafts = [decode(raw) for raw in rpc.sent()]
    assert len(drafts) == 5
    assert {draft.nonce for draft in drafts} == {0}
    for before, after in pairwise(drafts):
        assert after.fee_max_wei * 10 >= before.fee_max_wei * 11
        assert after.tip_max_wei * 10 >= before.tip_max_wei * 11


def receipt(block: int, block_hash: str = "11" * 32) -> dict:
    return {
        "blockNumber": hex(block),
        "blockHash": "0x" + block_hash,
        "status": "0x1",
        "gasUsed": "0x5208",
        "contractAddress": None,
        "logs": [],
    }


async def test_a_receipt_counts_under_enough_blocks_only() -> None:
    heights = iter(["0x5", "0x6", "0x7", "0x7"])
    rpc = Scripted(
        eth_getTransactionReceipt=lambda _: receipt(5), eth_blockNumber=lambda: next(heights)
    )
    assert (await sent(rpc)).block_number == 5
    assert len([one for one in rpc.asked if one[0] == "eth_blockNumber"]) == 3


async def test_a_receipt_of_a_branch_that_died_does_not_count() -> None:
    rpc = Scripted(eth_getTransactionReceipt=receipt(5, "22" * 32), eth_blockNumber="0x9")
    with pytest.raises(Unavailable):
        await sent(rpc)


async def test_another_chain_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        await sent(Scripted(eth_chainId="0x1"))
    assert refusal.value.code == "wrong_chain"


async def test_what_the_chain_has_already_is_as_good_and_any_other_no_is_told() -> None:
    known = Scripted(
        eth_sendRawTransaction=RpcRefusal("already known"),
        eth_getTransactionReceipt=receipt(1),
        eth_blockNumber="0x9",
    )
    assert (await sent(known)).succeeded
    with pytest.raises(RpcRefusal):
        await sent(Scripted(eth_sendRawTransaction=RpcRefusal("insufficient funds")))


@pytest.mark.parametrize("answer", [None, 7, "1", "0x", "0xzz", [], {}, "0x" + "1" * 70])
async def test_an_answer_of_another_form_is_malformed(answer: Any) -> None:
    with pytest.raises(MalformedInput) as refusal:
        await sent(Scripted(eth_getTransactionCount=answer))
    assert refusal.value.code == "bad_rpc_answer"


@pytest.mark.parametrize("url", ["http://example.com", "ftp://x", "", "https://"])
def test_a_chain_is_asked_over_https_or_on_loopback(url: str) -> None:
    with pytest.raises(Refused):
        JsonRpc([url])


@pytest.mark.service
async def test_anvil_takes_our_transactions_and_a_dead_endpoint_does_no_harm() -> None:
    with running(CHAIN) as url:
        rpc = JsonRpc(["http://127.0.0.1:9", url], seconds=5)
        chain = RpcChain(rpc, CHAIN, confirmations=2, sleep=soon)
        try:
            await _funded(rpc)
            code = load_title_contracts().factory_code
            sending = asyncio.create_task(chain.send(account(), to=None, data=code, gas=9_000_000))
            done = await _mined_meanwhile(rpc, sending)
            assert done.succeeded
            assert done.created is not None
            # What stands already is found again, not done twice.
            again = await rpc.call("eth_getTransactionByHash", "0x" + done.hash.hex())
            assert again["nonce"] == "0x0"
        finally:
            await rpc.close()


@pytest.mark.service
async def test_a_transaction_that_a_reorganisation_loses_is_sent_again() -> None:
    with running(CHAIN, "--no-mining") as url:
        rpc = JsonRpc([url], seconds=5)
        chain = RpcChain(rpc, CHAIN, confirmations=3, sleep=soon, polls_per_bump=3)
        try:
            await _funded(rpc)
            await rpc.call("anvil_mine", "0x2", "0x1")
            sending = asyncio.create_task(
                chain.send(account(), to=ZERO_ADDRESS, data=b"x", gas=50_000)
            )
            await asyncio.sleep(0.1)
            await rpc.call("anvil_mine", "0x2", "0x1")
            # Two blocks are replaced by empty ones: the receipt is gone.
            await rpc.call("anvil_reorg", 2, [])
            with contextlib.suppress(RpcRefusal):
                await rpc.call("anvil_dropAllTransactions")
            done = await _mined_meanwhile(rpc, sending)
            assert done.succeeded
            count = await rpc.call(
                "eth_getTransactionCount", "0x" + account().address.hex(), "latest"
            )
            assert count == "0x1"
        finally:
            await rpc.close()


async def _funded(rpc: JsonRpc) -> None:
    await rpc.call("anvil_setBalance", "0x" + account().address.hex(), hex(10**20))


async def _mined_meanwhile(rpc: JsonRpc, sending: asyncio.Task) -> Any:
    for _ in range(200):
        if sending.done():
            break
        await rpc.call("anvil_mine", "0x1", "0x1")
        await asyncio.sleep(0.03)
    return await asyncio.wait_for(sending, 5)


@pytest.mark.service
async def test_random_lives_of_titles_are_the_same_here_and_on_anvil() -> None:
    outcomes = await compared(8)
    # Lives that never succeed, or never fail, would compare little.
    assert min(outcomes.values()) > 20, outcomes


async def compared(programs: int) -> dict[str, int]:
    """Runs random programs on both engines; raises AssertionError at the first difference."""
    contracts = load_title_contracts()
    bench = TitleBench()
    await bench.stop()
    registry = bench.registry
    registrar = bench.accounts.registrar()
    accounts = [bench.accounts.of_party(PartyId(name)) for name in NAMES]
    setup = [
        (registrar, None, contracts.factory_code),
        (registrar, None, registry_code(contracts.token_code, registry.factory)),
        *((registrar, registry.token, grant_call(MINTER_ROLE, one.address)) for one in accounts),
        *((registrar, registry.token, abi.encode_call("grantRole(bytes32,address)",
           (keccak256(role), one.address))) for role in (b"RESTORER_ROLE", b"ACCEPTER_ROLE")
          for one in accounts),
    ]  # fmt: skip
    steps = setup + [
        step for seed in range(programs) for step in random_life(seed, accounts, registry)
    ]
    engine = PyEvmEngine(CHAIN)
    nonces: dict[bytes, int] = {}
    outcomes = {"": 0, "revert": 0}
    with running(CHAIN) as url:
        rpc = JsonRpc([url], seconds=5)
        try:
            for number, (signer, to, data) in enumerate(steps, 1):
                nonce = nonces.get(signer.address, 0)
                nonces[signer.address] = nonce + 1
                draft = Draft(chain_id=CHAIN, nonce=nonce, to=to, data=data, gas=9_000_000)
                raw = sign(draft, signer.sign_digest)
                theirs_revert = await _revert_data(rpc, signer, to, data) if to else None
                ours = engine.execute(decode(raw), Block(number, 1_790_000_000 + number))
                tx = await rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
                theirs = await _receipt(rpc, tx)
                assert ours.succeeded == (theirs["status"] == "0x1"), number
                assert ours.gas_used == int(theirs["gasUsed"], 16), number
                assert [(log.address, log.topics, log.data) for log in ours.logs] == [
                    (bytes.fromhex(log["address"][2:]),
                     tuple(bytes.fromhex(topic[2:]) for topic in log["topics"]),
                     bytes.fromhex(log["data"][2:]))
                    for log in theirs["logs"]
                ]  # fmt: skip
                if theirs_revert is not None:
                    assert ours.output == theirs_revert, number
                outcomes[ours.failure] += 1
            state = engine.dump()
            words = [(a, slot, v) for a, s in state.storage.items() for slot, v in s.items()]
            for address, slot, value in words:
                told = await rpc.call("eth_getStorageAt", "0x" + address.hex(), hex(slot), "latest")
                assert int(told, 16) == value
            assert len(words) > 30
        finally:
            await rpc.close()
    return outcomes


async def _receipt(rpc: JsonRpc, tx: str) -> dict:
    for _ in range(100):
        told = await rpc.call("eth_getTransactionReceipt", tx)
        if told is not None:
            return told
        await soon()
    raise AssertionError("anvil does not mine it")


async def _revert_data(rpc: JsonRpc, signer: Any, to: bytes, data: bytes) -> bytes | None:
    asked = {"from": "0x" + signer.address.hex(), "to": "0x" + to.hex(), "data": "0x" + data.hex()}
    try:
        await rpc.call("eth_call", asked, "latest")
    except RpcRefusal as refusal:
        return bytes.fromhex(str(refusal.data)[2:]) if refusal.data else b""
    return None
