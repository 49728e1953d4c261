"""Sealed files and withdrawals: what was written is read again, spoiled bytes are refused."""

from __future__ import annotations

import contextlib
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from tests.exchange.wire.test_sealed_file import AT, BANK_KEY, BANK_SEALING
from tests.spoiling import BOUNDED, spoiled

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import party_id
from zhidao.exchange.domain.limits import REASON_CHARACTERS_MAX
from zhidao.exchange.domain.peer import Card
from zhidao.exchange.wire.card import sign_card
from zhidao.exchange.wire.sealed_file import is_sealed, opened, sealed
from zhidao.exchange.wire.withdrawal import decode_withdrawal, encode_withdrawal

CARD = sign_card(
    Card(
        node=party_id("bank-node"),
        organisation="Red River Commercial Bank",
        url="https://bank.example",
        key=BANK_KEY.public,
        sealing=BANK_SEALING.public,
        sealing_hybrid=BANK_SEALING.hybrid,
        certificate="",
        at=AT,
        signature=b"",
    ),
    BANK_KEY,
)
FILE = sealed(b"what only the bank reads", CARD)


@BOUNDED
@given(st.binary(max_size=200), spoiled(FILE))
def test_what_is_sealed_opens_to_the_same_bytes_and_spoiled_files_do_not(
    data: bytes, changed: bytes
) -> None:
    made = sealed(data, CARD)
    assert is_sealed(made)
    assert opened(made, BANK_SEALING) == data
    with contextlib.suppress(MalformedInput, Refused):
        found = opened(changed, BANK_SEALING)
        assert found == changed if not is_sealed(changed) else changed == FILE


reasons = st.text(st.characters(categories=("L", "N", "P")), max_size=REASON_CHARACTERS_MAX)
WITHDRAWAL = encode_withdrawal(UUID(int=7), "wrong draft")


@BOUNDED
@given(st.uuids(), reasons, spoiled(WITHDRAWAL), st.binary(max_size=60))
def test_a_withdrawal_is_the_same_after_its_bytes_and_other_bytes_are_none(
    document: UUID, reason: str, changed: bytes, data: bytes
) -> None:
    assert decode_withdrawal(encode_withdrawal(document, reason)) == (document, reason)
    for told in (changed, data):
        with contextlib.suppress(MalformedInput):
            assert encode_withdrawal(*decode_withdrawal(told))
