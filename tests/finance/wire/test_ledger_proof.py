"""A ledger's proof as bytes: its one object field by field, and one past each of its bounds."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.ledger.proof import LedgerProof
from zhidao.finance.wire.ledger_proof import BYTES_MAX, decode, encode

TRANSFER = LedgerProof(
    "transfer", "CNY", 5, 2, 7, bytes(range(128)), (b"\xaa" * 32, b"\xbb" * 32), b"\xcc" * 32
)
BALANCE = replace(TRANSFER, kind="balance", head_before=b"")
WIDEST = 2**63 - 1


def plain(proof: LedgerProof = TRANSFER) -> dict[str, Any]:
    return {
        "format": "zhidao.ledger.proof.v1",
        "kind": proof.kind,
        "ledger": proof.ledger,
        "batch": proof.batch,
        "index": proof.index,
        "count": proof.count,
        "record": proof.record.hex(),
        "path": [each.hex() for each in proof.path],
        "head_before": proof.head_before.hex(),
    }


def data(proof: LedgerProof = TRANSFER, **changes: Any) -> bytes:
    return json.dumps({**plain(proof), **changes}).encode()


@pytest.mark.parametrize("proof", [TRANSFER, BALANCE], ids=["transfer", "balance"])
def test_a_proof_is_one_object_with_its_bytes_in_hexadecimal(proof: LedgerProof) -> None:
    assert json.loads(encode(proof)) == plain(proof)
    assert decode(encode(proof)) == proof
    assert decode(data(proof)) == proof


def test_a_balance_may_leave_out_the_head_that_it_has_not() -> None:
    without = plain(BALANCE)
    del without["head_before"]
    assert decode(json.dumps(without).encode()) == BALANCE


@pytest.mark.parametrize(
    "changes",
    [
        *({"batch": 0}, {"batch": WIDEST}, {"index": 0}, {"index": 6}, {"path": []}),
        *({"index": 0, "count": 1}, {"count": WIDEST}, {"index": WIDEST - 1, "count": WIDEST}),
        {"ledger": ""},
    ],
)
def test_what_is_at_a_bound_is_read(changes: dict[str, Any]) -> None:
    assert json.loads(encode(decode(data(**changes)))) == {**plain(), **changes}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        *(({"more": 1}, "not a ledger's proof"), ({"batch": "5"}, "not a ledger's proof")),
        *(({"path": None}, "not a ledger's proof"), ({"index": 2.5}, "not a ledger's proof")),
        ({"format": "zhidao.ledger.proof.v2"}, "of version 2; this program understands 1"),
        ({"kind": "other", "head_before": ""}, "do not fit each other"),
        ({"kind": "balance"}, "do not fit each other"),
        ({"head_before": ""}, "do not fit each other"),
        ({"head_before": "cc" * 31}, "do not fit each other"),
        ({"head_before": "cc" * 33}, "do not fit each other"),
        ({"record": "00" * 127}, "do not fit each other"),
        ({"record": "00" * 129}, "do not fit each other"),
        ({"path": ["aa" * 32, "bb" * 31]}, "do not fit each other"),
        ({"path": ["aa" * 33, "bb" * 32]}, "do not fit each other"),
        ({"index": -1}, "do not fit each other"),
        ({"index": 7}, "do not fit each other"),
        ({"count": 0, "index": 0}, "do not fit each other"),
        ({"count": WIDEST + 1}, "do not fit each other"),
        ({"batch": -1}, "do not fit each other"),
        ({"batch": WIDEST + 1}, "do not fit each other"),
        *(({"record": "0"}, ""), ({"record": "zz" * 128}, ""), ({"path": ["AA" * 32]}, "")),
    ],
)
def test_parts_that_do_not_fit_are_malformed(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        decode(data(**changes))
    assert told in str(caught.value)


def test_a_balance_has_no_head_before_it() -> None:
    with pytest.raises(MalformedInput, match="do not fit each other"):
        decode(data(BALANCE, head_before="cc" * 32))


def test_a_proof_has_2048_bytes_at_most() -> None:
    assert BYTES_MAX == 2_048
    padded = data() + b" " * (BYTES_MAX - len(data()))
    assert decode(padded) == TRANSFER
    with pytest.raises(MalformedInput, match="a proof of 2049 bytes; at most 2048"):
        decode(padded + b" ")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_proof_or_malformed(noise: bytes) -> None:
    with pytest.raises(MalformedInput):
        decode(noise)
