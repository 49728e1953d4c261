from __future__ import annotations

from dataclasses import replace

import pytest

from zhidao.core.errors import Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.limits import JSON_INTEGER_MAX
from zhidao.trust.domain.chain_rules import Admission, chain_id_of, intrinsic_gas
from zhidao.trust.domain.evm import Address, Transaction

ALICE, BOB = Address(b"a" * 20), Address(b"b" * 20)
GOOD = Transaction(
    chain_id=5,
    nonce=0,
    fee_max_wei=0,
    tip_max_wei=0,
    gas=100_000,
    to=BOB,
    value_wei=0,
    data=b"",
    sender=ALICE,
    hash=bytes(32),
    raw=b"",
)


def test_each_sender_counts_for_himself():
    admission = Admission(5)
    admission.admit(GOOD)
    admission.admit(replace(GOOD, nonce=1))
    admission.admit(replace(GOOD, sender=BOB))
    assert (admission.next_nonce(ALICE), admission.next_nonce(BOB)) == (2, 1)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"chain_id": 6}, "wrong_chain"),
        ({"nonce": 1}, "replayed_nonce"),
        ({"nonce": 3}, "nonce_gap"),
        ({"fee_max_wei": 1}, "fee_not_zero"),
        ({"tip_max_wei": 1}, "fee_not_zero"),
        ({"value_wei": 1}, "value_not_zero"),
        ({"gas": 20_999}, "gas_too_low"),
        ({"gas": 30_000_001}, "gas_too_high"),
        ({"to": None, "data": bytes(49_153)}, "code_too_large"),
    ],
)
def test_what_breaks_a_rule_is_refused_and_not_counted(change, code: str):
    admission = Admission(5, {ALICE: 2})
    with pytest.raises(Refused) as caught:
        admission.admit(replace(GOOD, **({"nonce": 2} | change)))
    assert caught.value.code == code
    assert admission.next_nonce(ALICE) == 2


def test_a_copy_counts_apart():
    admission = Admission(5)
    admission.copy().admit(GOOD)
    assert admission.next_nonce(ALICE) == 0


def test_gas_before_the_first_instruction_follows_the_price_list():
    assert intrinsic_gas(b"", creates=False) == 21_000
    assert intrinsic_gas(b"\0\1\0", creates=True) == 21_000 + 32_000 + 4 + 16 + 4


def test_chain_ids_of_two_logs_differ_and_fit_json():
    ids = {
        chain_id_of(SoftwareKey(Algorithm.ED25519, bytes([n]) * 32).public) for n in range(1, 20)
    }
    assert len(ids) == 19
    assert all(2**40 <= one <= JSON_INTEGER_MAX for one in ids)
