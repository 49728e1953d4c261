from __future__ import annotations

import contextlib

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.journal import FixedKeyRing
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.adapters.chain.chain_accounts import KeptAccounts
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.adapters.chain.title_artefacts import load_title_contracts
from zhidao.trust.domain.evm import address_text
from zhidao.trust.service.titles.replayed_history import title_history
from zhidao.trust.wire.evm.title_contract import (
    MINTER_ROLE,
    Registry,
    grant_call,
    mint_call,
    registry_code,
    transfer_call,
)
from zhidao.trust.wire.evm.transaction import Draft, sign

CHAIN = 99
TITLE = bytes([7]) * 32
RING = FixedKeyRing(
    {
        p: SoftwareKey(Algorithm.SECP256K1, p.encode().ljust(32, b"!"))
        for p in ("carrier", "seller", "buyer")
    }
)
ACCOUNTS = KeptAccounts(RING, b"s" * 32)
REGISTRAR = ACCOUNTS.registrar()
CARRIER, SELLER, BUYER = (ACCOUNTS.of_party(p) for p in ("carrier", "seller", "buyer"))
CUSTODY = ACCOUNTS.custody(deal="d", title=TITLE.hex())
REGISTRY = Registry.of(REGISTRAR.address)


def signed(account, nonce, to, data, *, chain_id=CHAIN, gas=9_000_000):
    draft = Draft(chain_id=chain_id, nonce=nonce, to=to, data=data, gas=gas)
    return sign(draft, account.sign_digest)


def history() -> list[bytes]:
    contracts = load_title_contracts()
    escrow = REGISTRY.escrow(TITLE)
    code = registry_code(contracts.token_code, REGISTRY.factory)
    return [
        signed(REGISTRAR, 0, None, contracts.factory_code),
        signed(REGISTRAR, 1, None, code),
        # Numbers 2 to 8 let other carriers mint; they are no part of this title's story.
        signed(REGISTRAR, 9, REGISTRY.token, grant_call(MINTER_ROLE, CARRIER.address)),
        signed(CARRIER, 41, REGISTRY.token, mint_call(TITLE, SELLER.address)),
        signed(SELLER, 5, escrow, transfer_call(CUSTODY.address)),
        signed(CUSTODY, 0, escrow, transfer_call(BUYER.address)),
    ]


def test_a_history_is_told_from_signed_bytes_alone():
    told = title_history(history(), PyEvmEngine)
    assert told.registry == address_text(REGISTRY.token)
    assert [(m.action, m.signer, m.holder, m.beneficiary) for m in told.moves] == [
        (action, address_text(signer.address), address_text(to.address), address_text(to.address))
        for action, signer, to in (
            ("mint", CARRIER, SELLER),
            ("transfer", SELLER, CUSTODY),
            ("transfer", CUSTODY, BUYER),
        )
    ]
    assert {m.title for m in told.moves} == {TITLE.hex()}


def test_a_history_with_another_contract_in_it_is_refused():
    raws = history()
    contracts = load_title_contracts()
    changed = contracts.token_code[:-1] + bytes([contracts.token_code[-1] ^ 1])
    raws[1] = signed(REGISTRAR, 1, None, registry_code(changed, REGISTRY.factory))
    with pytest.raises(Refused) as caught:
        title_history(raws, PyEvmEngine)
    assert caught.value.code == "foreign_contracts"


@pytest.mark.parametrize("left_out", range(5))
def test_a_history_with_a_gap_in_its_story_is_refused(left_out: int):
    raws = history()
    del raws[left_out]
    with pytest.raises(Refused) as caught:
        title_history(raws, PyEvmEngine)
    assert caught.value.code in {
        "foreign_contracts",
        "not_allowed",
        "not_holder",
        "no_effect",
    }


def test_a_history_out_of_order_or_of_two_chains_is_refused():
    raws = history()
    with pytest.raises(Refused):
        title_history([*raws[:4], raws[5], raws[4]], PyEvmEngine)
    with pytest.raises(Refused) as caught:
        title_history([*raws, raws[5]], PyEvmEngine)
    assert caught.value.code == "replayed_nonce"
    elsewhere = signed(BUYER, 0, REGISTRY.escrow(TITLE), transfer_call(SELLER.address), chain_id=1)
    with pytest.raises(Refused) as caught:
        title_history([*raws, elsewhere], PyEvmEngine)
    assert caught.value.code == "wrong_chain"


@pytest.mark.parametrize("place", [1, 30, 60, 100, -1])
def test_a_changed_byte_never_gives_the_same_history(place: int):
    raws = history()
    told = title_history(raws, PyEvmEngine)
    transfer = bytearray(raws[4])
    transfer[place] ^= 1
    raws[4] = bytes(transfer)
    with contextlib.suppress(MalformedInput, Refused):
        assert title_history(raws, PyEvmEngine) != told
