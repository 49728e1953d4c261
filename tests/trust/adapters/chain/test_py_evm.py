from __future__ import annotations

import subprocess
import sys

import coincurve
import pytest
from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.vm.forks.shanghai.state import ShanghaiState
from eth.vm.forks.shanghai.transactions import ShanghaiTransactionBuilder

from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.adapters.chain.title_artefacts import load_title_contracts
from zhidao.trust.domain.evm import Block
from zhidao.trust.wire.evm.keccak import address_of_point
from zhidao.trust.wire.evm.title_contract import (
    Registry,
    mint_call,
    registry_code,
    transfer_call,
)
from zhidao.trust.wire.evm.transaction import Draft, decode, sign

CHAIN = 5
KEY = coincurve.PrivateKey(b"k" * 32)
SENDER = address_of_point(KEY.public_key.format(compressed=False))
REGISTRY = Registry.of(SENDER)
TITLE = b"t" * 32


def signed(nonce, to, data, *, gas=9_000_000) -> bytes:
    draft = Draft(chain_id=CHAIN, nonce=nonce, to=to, data=data, gas=gas)
    return sign(draft, lambda digest: KEY.sign_recoverable(digest, hasher=None))


def life() -> list[bytes]:
    contracts = load_title_contracts()
    code = registry_code(contracts.token_code, REGISTRY.factory)
    other = mint_call(b"u" * 32, SENDER)
    return [
        signed(0, None, contracts.factory_code),
        signed(1, None, code),
        signed(2, REGISTRY.token, mint_call(TITLE, SENDER)),
        signed(3, REGISTRY.token, mint_call(TITLE, SENDER)),
        signed(4, REGISTRY.escrow(TITLE), transfer_call(REGISTRY.factory)),
        signed(5, REGISTRY.token, other, gas=25_000),
        signed(6, REGISTRY.token, other),
    ]


def test_addresses_are_where_the_contracts_were_predicted():
    engine = PyEvmEngine(CHAIN)
    outcomes = [engine.execute(decode(raw), Block(n, 0)) for n, raw in enumerate(life())]
    assert [outcome.created for outcome in outcomes[:2]] == [REGISTRY.factory, REGISTRY.token]
    assert REGISTRY.escrow(TITLE) in {log.address for log in outcomes[2].logs}
    assert [outcome.failure for outcome in outcomes] == ["", "", "", "revert", "", "OutOfGas", ""]
    assert outcomes[5].gas_used == 25_000


def test_gas_outcome_and_state_are_those_of_the_library_s_own_transactions():
    """Our thin layer against py-evm reading, recovering and executing the same signed bytes."""
    engine = PyEvmEngine(CHAIN)
    theirs = ShanghaiState(AtomicDB(), engine._at(Block(1, 0)), BLANK_ROOT_HASH)
    for raw in life():
        transaction = ShanghaiTransactionBuilder.decode(raw)
        computation = theirs.apply_transaction(transaction)
        spent = transaction.gas - computation.get_gas_remaining()
        refund = theirs.get_transaction_executor().calculate_gas_refund(computation, spent)
        theirs.lock_changes()
        outcome = engine.execute(decode(raw), Block(1, 0))
        assert outcome.gas_used == spent - refund
        assert outcome.succeeded == computation.is_success
    theirs.persist()
    assert engine.state_root() == theirs.state_root


@pytest.mark.parametrize("executed", range(7))
def test_trying_out_leaves_no_trace(executed: int):
    raws = life()
    tried, plain = PyEvmEngine(CHAIN), PyEvmEngine(CHAIN)
    for number, raw in enumerate(raws):
        if number <= executed:
            trial = tried.try_out(decode(raws[executed]), Block(number, 0))
        left, right = (e.execute(decode(raw), Block(number, 0)) for e in (tried, plain))
        assert left == right
        if number == executed:
            assert trial == left
    assert tried.state_root() == plain.state_root()


def test_replaying_gives_the_same_root_whenever_it_is_asked_for():
    raws = life()
    asked, plain = PyEvmEngine(CHAIN), PyEvmEngine(CHAIN)
    for number, raw in enumerate(raws):
        asked.execute(decode(raw), Block(number, 0))
        asked.state_root()
        plain.execute(decode(raw), Block(number, 0))
    assert asked.state_root() == plain.state_root()


@pytest.mark.slow
def test_loading_the_engine_does_not_raise_the_interpreters_recursion_limit():
    program = (
        "import sys; before = sys.getrecursionlimit()\n"
        "from zhidao.trust.adapters.chain.py_evm import PyEvmEngine\n"
        "PyEvmEngine(1); assert sys.getrecursionlimit() == before, sys.getrecursionlimit()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
