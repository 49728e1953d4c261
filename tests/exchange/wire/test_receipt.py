"""A receipt has one form in bytes: its version, its fields, their order and its size."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.receipt import Outcome, Receipt, Stage
from zhidao.exchange.wire.receipt import (
    RECEIPT_BYTES_MAX,
    decode_receipt,
    encode_receipt,
    sign_receipt,
)

KEY = SoftwareKey(Algorithm.ED25519, b"\x07" * 32)
RECEIPT = Receipt(
    stage=Stage.DECIDED,
    sender=PartyId("exporter"),
    recipient=PartyId("importer"),
    document=UUID(int=7),
    digest="0f" * 32,
    outcome=Outcome.REFUSED,
    code="amount_differs",
    reason="数额不符",
    at=Utc.parse("2026-05-04T08:00:00Z"),
    key=KEY.public,
)
SIGNED = sign_receipt(RECEIPT, KEY)


def _with(**told: Any) -> bytes:
    """The receipt with other fields, in canonical form."""
    fields = {**json.loads(SIGNED), **told}
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_what_was_read_is_written_again_byte_for_byte() -> None:
    read = decode_receipt(SIGNED)
    assert read == replace(RECEIPT, signature=read.signature)
    assert encode_receipt(read) == SIGNED
    assert _with() == SIGNED


def test_the_same_fields_in_another_form_are_no_receipt() -> None:
    with pytest.raises(MalformedInput, match="canonical"):
        decode_receipt(SIGNED.replace(b'","', b'", "', 1))


def test_an_unknown_field_is_refused_by_its_name() -> None:
    with pytest.raises(MalformedInput, match="`amount`"):
        decode_receipt(_with(amount="1"))


@pytest.mark.parametrize("told", [{"v": 2}, {"v": 0}, {"format": "zhidao.envelope"}])
def test_another_version_or_format_is_refused_as_such(told: dict[str, Any]) -> None:
    with pytest.raises(MalformedInput, match="version 1"):
        decode_receipt(_with(**told))


def test_a_receipt_of_the_greatest_size_is_looked_at_and_no_greater_one() -> None:
    room = RECEIPT_BYTES_MAX - len(_with(reason=""))
    with pytest.raises(MalformedInput, match="500 characters"):
        decode_receipt(_with(reason="r" * room))
    with pytest.raises(MalformedInput, match="8192"):
        decode_receipt(_with(reason="r" * (room + 1)))


def test_the_signature_of_another_key_is_refused_by_its_code() -> None:
    other = SoftwareKey(Algorithm.ED25519, b"\x08" * 32).public
    with pytest.raises(Refused) as refusal:
        decode_receipt(_with(key=other.multikey))
    assert refusal.value.code == "bad_signature"
