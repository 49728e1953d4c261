from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import numpy as np
import pytest

from zhidao.core.errors import MalformedInput
from zhidao.store.copying import HEADER, TRAILER, binary_rows
from zhidao.store.database import Database

service = pytest.mark.service
TABLE = """
create table sample (
    device uuid not null, at timestamptz not null, small smallint not null, n int not null,
    big bigint not null, lat double precision not null, h real not null, ok bool not null,
    digest bytea not null, primary key (device, at, n)
)
"""
COLUMNS = ("device", "at", "small", "n", "big", "lat", "h", "ok", "digest")
DTYPE = np.dtype(
    [
        ("device", "V16"),
        ("at", "datetime64[ns]"),
        ("small", "i2"),
        ("n", "u2"),
        ("big", "i8"),
        ("lat", "f8"),
        ("h", "f4"),
        ("ok", "?"),
        ("digest", "V32"),
    ]
)


def records(count: int) -> np.ndarray:
    out = np.zeros(count, dtype=DTYPE)
    out["device"] = np.void(UUID(int=7).bytes)
    out["at"] = np.datetime64("2020-06-25T00:00:00.123456", "ns")
    out["small"] = -3
    out["n"] = np.arange(count) % 65_536
    out["big"] = 2**62 + np.arange(count)
    out["lat"] = np.linspace(-90, 90, count)
    out["h"] = 1.5
    out["ok"] = np.arange(count) % 2 == 0
    out["digest"] = np.void(bytes(range(32)))
    return out


@service
async def test_a_record_array_and_tuples_give_the_same_rows(database: Database):
    array = records(3)
    tuples = [
        (uuid4(), datetime(2020, 6, 25, tzinfo=UTC), -3, 9, 2**62, 1.25, 1.5, True, b"x" * 32)
    ]
    async with database.session() as session:
        await session.script(TABLE)
        await session.copy("public.sample", COLUMNS, array)
        await session.copy("public.sample", COLUMNS, tuples)
        rows = await session.fetch_all("select * from sample order by device, n")
    found = [tuple(row[column] for column in COLUMNS) for row in rows]
    assert tuples[0] in found
    mine = [row for row in found if row[0] == UUID(int=7)]
    assert mine == [
        (
            UUID(int=7),
            datetime(2020, 6, 25, 0, 0, 0, 123456, tzinfo=UTC),
            -3,
            n,
            2**62 + n,
            float(array["lat"][n]),
            1.5,
            n % 2 == 0,
            bytes(range(32)),
        )
        for n in range(3)
    ]


@service
async def test_an_array_leaves_the_rows_that_its_tuples_leave(database: Database):
    array = records(2_000)
    async with database.session() as session:
        await session.script(TABLE.replace(", primary key (device, at, n)", ""))
        await session.copy("sample", COLUMNS, array)
        by_array = await _tuples(session)
        await session.script("truncate sample")
        await session.copy("sample", COLUMNS, by_array)
        by_tuples = await _tuples(session)
    assert len(by_array) == 2_000
    assert by_array == by_tuples


async def _tuples(session) -> list[tuple]:
    found = await session.fetch_all("select * from sample limit 2000")
    return [tuple(row[column] for column in COLUMNS) for row in found]


def test_no_rows_are_a_header_and_a_trailer():
    assert b"".join(binary_rows(records(0), [2950, 1184, 21, 23, 20, 701, 700, 16, 17])) == (
        HEADER + TRAILER
    )


@pytest.mark.parametrize(
    ("dtype", "oid", "value"),
    [
        ("i8", 21, 40_000),  # Out of smallint's range.
        ("u8", 20, 2**63),
        ("f8", 20, 1.0),  # A float for an integer column.
        ("S4", 25, b"text"),  # Text has no fixed width.
        ("V8", 2950, b"12345678"),  # Eight bytes are no uuid.
        ("datetime64[us]", 1184, np.datetime64("NaT", "us")),
    ],
)
def test_what_does_not_fit_the_column_is_malformed(dtype: str, oid: int, value: object):
    array = np.array([(value,)], dtype=[("it", dtype)])
    with pytest.raises(MalformedInput, match="'it'"):
        list(binary_rows(array, [oid]))


def test_a_field_too_few_is_malformed():
    with pytest.raises(MalformedInput, match="9 fields for 1 columns"):
        list(binary_rows(records(1), [23]))
