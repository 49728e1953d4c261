"""Records, movements and transfers are one thing in three forms."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.ledger.id_filter import IdFilter
from zhidao.finance.domain.ledger.ledger import Transfer, TransferFlag
from zhidao.finance.domain.ledger.records import (
    MAX_NAME,
    NO_NAME,
    RECORD,
    RECORD_BYTES,
    TRANSFER,
    big_endian,
    from_bytes,
    from_transfers,
    movement_of,
    movements_of,
    name_of,
    record_bytes,
    records_of,
    transfers_of,
    uuid_of,
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


def distinct(number: int) -> Transfer:
    """A transfer in which no field is like another's, each as wide as it may be."""
    return Transfer(
        id=UUID(int=2**127 + number),
        debit_account_id=UUID(int=2**126 + number),
        credit_account_id=UUID(int=2**125 + number),
        amount=2**124 + number if number % 3 else number,
        pending_id=UUID(int=2**123 + number),
        user_data_128=2**122 + number,
        user_data_64=2**63 + number,
        user_data_32=2**31 + number,
        timeout=2**30 + number,
        ledger=2**29 + number,
        code=2**15 + number,
        flags=TransferFlag(number % 512),
        timestamp=2**62 + number,
    )


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 70])
def test_records_are_read_alike_one_by_one_and_in_columns(count: int) -> None:
    transfers = [distinct(number) for number in range(count)]
    records = from_transfers(transfers)
    assert len(records) == count
    assert transfers_of(records) == tuple(transfers)
    assert movements_of(records) == list(map(movement_of, transfers))


def test_a_record_bears_each_field_at_its_place() -> None:
    """TigerBeetle's Transfer, field by field in its documented order."""
    one = distinct(7)
    assert record_bytes(movement_of(one)) == b"".join(
        value.to_bytes(size, "little")
        for value, size in (
            *((one.id.int, 16), (one.debit_account_id.int, 16), (one.credit_account_id.int, 16)),
            *((one.amount, 16), (one.pending_id.int, 16), (one.user_data_128, 16)),
            *((one.user_data_64, 8), (one.user_data_32, 4), (one.timeout, 4), (one.ledger, 4)),
            *((one.code, 2), (int(one.flags), 2), (one.timestamp, 8)),
        )
    )
    [record] = from_transfers([one])
    assert record["amount"] == 7 + 2**124 % 2**64
    assert record["amount_high"] == 2**60
    assert (record["code"], record["timeout"]) == (one.code, one.timeout)


@pytest.mark.parametrize("amount", [0, 2**64 - 1, 2**64, 2**64 + 1, 2**128 - 1])
@pytest.mark.parametrize("count", [1, 40])
def test_an_amount_has_128_bits_in_two_halves(amount: int, count: int) -> None:
    transfers = [replace(distinct(n), amount=amount) for n in range(count)]
    assert [one.amount for one in movements_of(from_transfers(transfers))] == [amount] * count


def test_names_are_identifiers_turned_round() -> None:
    identifier = UUID(int=0x0102030405060708090A0B0C0D0E0F10)
    assert name_of(identifier) == bytes(range(16, 0, -1))
    assert uuid_of(name_of(identifier)) == identifier
    assert (name_of(UUID(int=0)), name_of(UUID(int=2**128 - 1))) == (NO_NAME, MAX_NAME)


def test_bytes_between_two_records_are_told_with_a_remedy() -> None:
    assert len(from_bytes(bytes(256))) == 2
    for size in (1, 127, 129):
        with pytest.raises(MalformedInput) as caught:
            from_bytes(bytes(size))
        assert f"{size} bytes are no whole number of transfers of 128 bytes" in str(caught.value)
        assert "one after the other" in caught.value.remedy


def test_a_column_of_many_names_turns_each_round_by_itself() -> None:
    names = from_transfers([distinct(number) for number in range(5)])["debit_account_id"]
    turned = big_endian(names)
    assert [UUID(bytes=one.tobytes()).int for one in turned] == [2**126 + n for n in range(5)]
    assert turned.shape == (5,)


def test_the_columns_of_a_record_are_tigerbeetles_fields_at_their_offsets() -> None:
    """TigerBeetle 0.17.9, `Transfer` in src/tigerbeetle.zig; its amount of 128 bits in halves."""
    fields = TRANSFER.fields
    assert fields is not None
    assert {name: (kind.str, offset) for name, (kind, offset, *_) in fields.items()} == {
        "id": ("|V16", 0),
        "debit_account_id": ("|V16", 16),
        "credit_account_id": ("|V16", 32),
        "amount": ("<u8", 48),
        "amount_high": ("<u8", 56),
        "pending_id": ("|V16", 64),
        "user_data_128": ("|V16", 80),
        "user_data_64": ("<u8", 96),
        "user_data_32": ("<u4", 104),
        "timeout": ("<u4", 108),
        "ledger": ("<u4", 112),
        "code": ("<u2", 116),
        "flags": ("<u2", 118),
        "timestamp": ("<u8", 120),
    }
    assert (RECORD_BYTES, TRANSFER.itemsize, RECORD.itemsize) == (128, 128, 128)
