"""Records, movements and transfers are one thing in three forms."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.ledger.id_filter import IdFilter
from zhidao.finance.domain.ledger.ledger import Transfer, TransferFlag
from zhidao.finance.domain.ledger.records import (
    TRANSFER,
    big_endian,
    from_bytes,
    from_transfers,
    movements_of,
    records_of,
    transfers_of,
)

U128 = st.integers(0, 2**128 - 1)
TRANSFERS = st.builds(
    Transfer,
    id=st.uuids(),
    debit_account_id=st.uuids(),
    credit_account_id=st.uuids(),
    amount=U128,
    pending_id=st.uuids(),
    user_data_128=U128,
    user_data_64=st.integers(0, 2**64 - 1),
    user_data_32=st.integers(0, 2**32 - 1),
    timeout=st.integers(0, 2**32 - 1),
    ledger=st.integers(0, 2**32 - 1),
    code=st.integers(0, 2**16 - 1),
    flags=st.integers(0, 511).map(TransferFlag),
    timestamp=st.integers(0, 2**64 - 1),
)


@given(st.lists(TRANSFERS, max_size=5))
def test_transfers_come_back_from_their_records(transfers: list[Transfer]) -> None:
    records = from_transfers(transfers)
    assert transfers_of(records) == tuple(transfers)
    assert records_of(movements_of(records)).tobytes() == records.tobytes()
    assert from_bytes(records.tobytes()).tobytes() == records.tobytes()


@pytest.mark.slow
@given(st.lists(TRANSFERS, min_size=40, max_size=50))
def test_few_records_are_read_as_many_are(transfers: list[Transfer]) -> None:
    records = from_transfers(transfers)
    assert movements_of(records) == [
        movement for place in range(len(records)) for movement in movements_of(records[place:][:1])
    ]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_batch_or_malformed(data: bytes) -> None:
    try:
        assert from_bytes(data).tobytes() == data
    except MalformedInput:
        assert len(data) % 128


def test_a_column_of_names_turns_round_and_back() -> None:
    names = np.frombuffer(bytes(range(32)), "V16")
    assert UUID(bytes=big_endian(names)[0].tobytes()).int == int.from_bytes(
        bytes(range(16)), "little"
    )
    assert (big_endian(big_endian(names)) == names).all()
    assert len(big_endian(np.zeros(0, TRANSFER)["id"])) == 0


def test_a_used_id_is_never_taken_for_new() -> None:
    random = np.random.default_rng(1)
    filter_, used = IdFilter(), random.bytes(16 * 60_000)
    names = np.frombuffer(used, "V16")
    for start in range(0, len(names), 7_000):
        filter_.add(names[start : start + 7_000])
    again = IdFilter.load(filter_.dump())
    assert filter_.perhaps(names).all()
    assert again.perhaps(names).all()
    others = np.frombuffer(random.bytes(16 * 200_000), "V16")
    assert again.perhaps(others).sum() < 10


@pytest.mark.parametrize("dumped", [[(b"", 0)], [(b"123", 1)], [(bytes(24), 1)]])
def test_a_filter_of_another_size_is_malformed(dumped: list[tuple[bytes, int]]) -> None:
    with pytest.raises(MalformedInput):
        IdFilter.load(dumped)
