"""An endpoint that lags, bounds its answers or talks nonsense is no source of titles."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.trust.service.chain.test_json_rpc import CHAIN, Scripted

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.trust.adapters.chain.chain_accounts import SecretAccount
from zhidao.trust.domain.evm import Address, Transaction
from zhidao.trust.domain.paid_rules import FEE_MAX_WEI, Fees, PaidAdmission, is_raised
from zhidao.trust.service.chain.external_view import ChainView
from zhidao.trust.service.chain.json_rpc import RpcRefusal
from zhidao.trust.wire.evm.title_contract import EVENT_TOPICS
from zhidao.trust.wire.evm.transaction import Draft, decode, sign

ACCOUNT = SecretAccount(b"a" * 32)
BLOCK = {"hash": "0x" + "11" * 32, "timestamp": "0x5", "baseFeePerGas": "0x64"}


def view(**answers: Any) -> tuple[ChainView, Scripted]:
    rpc = Scripted(**{"eth_getBlockByNumber": BLOCK, "eth_getLogs": []} | answers)
    return ChainView(rpc, CHAIN), rpc


def log(block: int, index: int, transaction: int = 1) -> dict[str, Any]:
    return {
        "blockNumber": hex(block),
        "logIndex": hex(index),
        "transactionHash": "0x" + bytes([transaction] * 32).hex(),
        "address": "0x" + "aa" * 20,
        "topics": [EVENT_TOPICS[0]],
        "data": hex(block),
    }


def transaction(**more: Any) -> Transaction:
    told = {"chain_id": CHAIN, "nonce": 3, "to": Address(b"t" * 20), "data": b"d", "gas": 50_000}
    return decode(sign(Draft(**told | more), ACCOUNT.sign_digest))


async def test_events_come_by_transaction_in_the_chains_order():
    told = [
        log(7, 2, 3),
        log(5, 9, 1),
        log(7, 1, 2),
        log(5, 8, 1),
        log(7, 0, 9) | {"removed": True},
    ]
    for one in told:
        one["data"] = "0x" + bytes([int(one["blockNumber"], 16), int(one["logIndex"], 16)]).hex()
    chain, _ = view(eth_getLogs=told)
    last, found = await chain.title_events(5, 7)
    assert last == 7
    assert [(hashed[0], [e.data for e in entries]) for hashed, entries in found] == [
        (1, [b"\x05\x08", b"\x05\x09"]),
        (2, [b"\x07\x01"]),
        (3, [b"\x07\x02"]),
    ]


async def test_an_endpoint_that_has_not_the_last_block_yet_tells_of_none():
    chain, _ = view(eth_getBlockByNumber=None)
    with pytest.raises(Unavailable) as refusal:
        await chain.title_events(1, 9)
    assert refusal.value.code == "chain_behind"


async def test_an_endpoint_that_bounds_its_answers_is_asked_for_less():
    def bounded(asked: dict[str, str]) -> Any:
        span = int(asked["toBlock"], 16) - int(asked["fromBlock"], 16) + 1
        return [] if span <= 300 else RpcRefusal("query returned more than 10000 results")

    chain, rpc = view(eth_getLogs=bounded)
    first = 1
    while first <= 5_000:
        last, _ = await chain.title_events(first, 5_000)
        assert last >= first
        first = last + 1
    assert first == 5_001
    assert len(rpc.asked) < 120
    never, _ = view(eth_getLogs=RpcRefusal("no"))
    with pytest.raises(RpcRefusal):
        await never.title_events(1, 64)


async def test_a_call_that_would_fail_tells_the_contracts_reason_and_no_other():
    sent = transaction()
    chain, _ = view(eth_call="0x")
    assert await chain.reason(sent) is None
    chain, _ = view(eth_call=RpcRefusal("execution reverted", data="0x12345678"))
    refusal = await chain.reason(sent, 4)
    assert isinstance(refusal, Refused)
    assert refusal.code == "contract_refused"
    chain, _ = view(eth_call=RpcRefusal("rate limit", data=None))
    with pytest.raises(RpcRefusal):
        await chain.reason(sent)


@pytest.mark.parametrize(
    "answer",
    [None, 7, {}, [7], [{}], [log(1, 1) | {"address": "0x00"}], [log(1, 1) | {"topics": 1}],
     [log(1, 1) | {"transactionHash": "0xz"}]],
)  # fmt: skip
async def test_logs_of_another_form_are_malformed(answer: Any):
    chain, _ = view(eth_getLogs=answer)
    with pytest.raises(MalformedInput):
        await chain.title_events(1, 2)


def test_a_sender_goes_on_from_the_larger_count():
    mined: dict[Address, int] = {}
    rules = PaidAdmission(CHAIN, mined)
    sender = ACCOUNT.address
    assert rules.next_nonce(sender) == 0
    mined[sender] = 3
    rules.admit(transaction())
    assert rules.next_nonce(sender) == 4
    mined[sender] = 6
    assert rules.next_nonce(sender) == 6
    with pytest.raises(Refused) as refusal:
        rules.copy().check(transaction(nonce=5))
    assert refusal.value.code == "replayed_nonce"


def test_the_same_act_for_more_takes_the_place_of_a_waiting_one_and_nothing_else_does():
    rules = PaidAdmission(CHAIN, {ACCOUNT.address: 3})
    cheap = transaction(fee_max_wei=100, tip_max_wei=10)
    rules.admit(cheap)
    dearer = Fees(100, 10).bumped()
    raised = transaction(fee_max_wei=dearer.fee_max_wei, tip_max_wei=dearer.tip_max_wei)
    assert is_raised(cheap, raised)
    rules.admit(raised)
    assert rules.next_nonce(ACCOUNT.address) == 4
    for other in (
        transaction(fee_max_wei=1_000, tip_max_wei=100, data=b"e"),
        transaction(fee_max_wei=1_000, tip_max_wei=100, to=Address(b"u" * 20)),
        transaction(fee_max_wei=115, tip_max_wei=11),
    ):
        with pytest.raises(Refused) as refusal:
            rules.check(other)
        assert refusal.value.code == "replayed_nonce"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"fee_max_wei": FEE_MAX_WEI + 1}, "fee_too_high"),
        ({"fee_max_wei": 1, "tip_max_wei": 2}, "fee_too_high"),
        ({"value_wei": 1}, "value_not_zero"),
        ({"chain_id": CHAIN + 1}, "wrong_chain"),
        ({"nonce": 4}, "nonce_gap"),
        ({"gas": 21_000}, "gas_too_low"),
    ],
)
def test_what_the_chain_would_not_take_is_not_written(more: dict[str, Any], code: str):
    rules = PaidAdmission(CHAIN, {ACCOUNT.address: 3})
    with pytest.raises(Refused) as refusal:
        rules.check(transaction(**more))
    assert refusal.value.code == code
    rules.check(transaction(value_wei=1, data=b""))


def test_what_was_written_before_counts_whatever_the_chain_has_by_now():
    rules = PaidAdmission(CHAIN, {ACCOUNT.address: 9})
    rules.readmit(transaction())
    with pytest.raises(Refused):
        rules.readmit(replace(transaction(), chain_id=CHAIN + 1))
    assert rules.next_nonce(ACCOUNT.address) == 9


def test_an_error_of_an_endpoint_does_not_give_its_address_away():
    from zhidao.trust.adapters.chain.json_rpc import JsonRpc

    async def asked() -> str:
        rpc = JsonRpc(["http://127.0.0.1:9/v3/secret-key"], seconds=2)
        try:
            with pytest.raises(Unavailable) as refusal:
                await rpc.call("eth_chainId")
        finally:
            await rpc.close()
        return str(refusal.value)

    assert "secret-key" not in asyncio.run(asked())
    with pytest.raises(Refused) as refused:
        JsonRpc(["http://far.example/v3/secret-key"])
    assert "secret-key" not in str(refused.value)
