from __future__ import annotations

import pytest
from tests.trust.service.titles.test_replayed_history import (
    ACCOUNTS,
    BUYER,
    CARRIER,
    CHAIN,
    REGISTRAR,
    REGISTRY,
    SELLER,
    history,
    signed,
)
from tests.trust.title_programs import random_life

from zhidao.core.errors import Refused
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.adapters.chain.title_artefacts import load_title_contracts
from zhidao.trust.domain.evm import Block
from zhidao.trust.domain.title_rules import GAS_ACT_MIN, GAS_MINT_MIN
from zhidao.trust.domain.title_state import TitleBook
from zhidao.trust.service.titles.light_history import Follower, followed_transactions
from zhidao.trust.service.titles.replayed_history import title_history
from zhidao.trust.wire.evm import title_contract as contract
from zhidao.trust.wire.evm.title_contract import (
    events_of,
    grant_call,
    mint_call,
    refusal_of,
    registry_code,
    transfer_call,
)
from zhidao.trust.wire.evm.transaction import decode
from zhidao.trust.wire.evm.transaction import decode as decode_transaction


def _followed(raws):
    return followed_transactions([decode_transaction(raw) for raw in raws])


ROLES = (contract.MINTER_ROLE, contract.RESTORER_ROLE, contract.ACCEPTER_ROLE)


def lives(programs: int):
    """Each call with what the machine made of it and what the rules did."""
    people = [CARRIER, SELLER, BUYER, ACCOUNTS.custody(deal="d", title="00" * 32)]
    contracts = load_title_contracts()
    code = registry_code(contracts.token_code, REGISTRY.factory)
    grants = [
        (REGISTRAR, REGISTRY.token, grant_call(role, one.address))
        for role in ROLES
        for one in people[:2]
    ]
    steps = [(REGISTRAR, None, contracts.factory_code), (REGISTRAR, None, code), *grants]
    for seed in range(programs):
        steps += random_life(seed, people, REGISTRY)
    engine, follower = PyEvmEngine(CHAIN), Follower(REGISTRAR.address)
    book = TitleBook(registry=REGISTRY.token, factory=REGISTRY.factory)
    nonces: dict[bytes, int] = {}
    for number, (who, to, data) in enumerate(steps, 1):
        nonce = nonces.get(who.address, 0)
        nonces[who.address] = nonce + 1
        transaction = decode(signed(who, nonce, to, data))
        outcome = engine.execute(transaction, Block(number, 0))
        if to is None:
            continue
        touched = book.apply(events_of(outcome.logs)) if outcome.succeeded else ()
        code_of = "" if outcome.succeeded else refusal_of(outcome).code
        try:
            state, refused = follower.follow(transaction), ""
        except Refused as error:
            state, refused = None, error.code
        yield touched, code_of, state, refused, outcome.gas_used, contract.call_of(data)


@pytest.mark.slow
def test_the_rules_do_what_the_machine_does_in_random_lives():
    seen = {"held": 0, "refused": 0}
    for touched, code, state, refused, gas, call in lives(24):
        if code == "" and not touched and state is None:
            # An escrow that was never created answers nothing, and a role moves nothing.
            assert refused == ("" if call.signature in contract.ROLE_CALLS else "no_effect")
            continue
        assert touched == (state,) if code == "" else state is None, (call, code, refused)
        assert bool(code) == bool(refused), (call, code, refused)
        # A call with two faults may name either: the contract's checks stand in another order.
        seen["refused" if code else "held"] += 1
        least = GAS_MINT_MIN if call.signature == contract.MINT else GAS_ACT_MIN
        assert gas * 3 / 2 < least
    assert min(seen.values()) > 50, seen


def test_a_history_is_the_same_with_and_without_the_machine():
    raws = history()
    told = title_history(raws, PyEvmEngine)
    assert _followed(raws) == told
    # What a compact proof leaves out.
    assert _followed(raws[2:]) == told


@pytest.mark.parametrize(
    ("left_out", "codes"),
    [(2, {"no_effect"}), (3, {"no_effect"}), (4, {"not_holder"})],
)
def test_a_history_with_a_gap_is_refused(left_out: int, codes: set[str]):
    raws = history()
    del raws[left_out]
    with pytest.raises(Refused) as caught:
        _followed(raws[2:])
    assert caught.value.code in codes


def test_gas_that_might_not_suffice_and_foreign_calls_are_refused():
    grant = history()[2]
    poor = signed(CARRIER, 0, REGISTRY.token, mint_call(b"t" * 32, SELLER.address), gas=499_999)
    foreign = signed(SELLER, 0, CARRIER.address, transfer_call(BUYER.address))
    unknown = signed(SELLER, 0, REGISTRY.token, b"\x8a\xbc\xde\x01")
    long = signed(CARRIER, 0, REGISTRY.token, contract.act_call(
        contract.BURN, b"t" * 32, SELLER.address, bytes(121)))  # fmt: skip
    for raw, code in (
        *((poor, "gas_too_low"), (foreign, "no_effect"), (unknown, "no_effect")),
        (long, "remark_too_long"),
    ):
        with pytest.raises(Refused) as caught:
            _followed([grant, raw])
        assert caught.value.code == code
    with pytest.raises(Refused):
        _followed([])
