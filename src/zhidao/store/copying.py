"""A numpy record array as the bytes of PostgreSQL's binary COPY, without a Python loop over rows.

Source: PostgreSQL 18, COPY, "Binary Format". Every value has a fixed width, so the whole stream is
itself one record array: a field count, then length and value of each field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from zhidao.core.errors import MalformedInput

HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER: Final = b"\xff\xff"
_CHUNK_ROWS: Final = 20_000
_PG_EPOCH: Final = np.datetime64("2000-01-01T00:00:00", "us")

# OID of a type (catalog pg_type) -> its name, numpy kind accepted, and dtype on the wire.
_WIRE: Final = {
    16: ("bool", "b", "u1"),
    17: ("bytea", "V", ""),
    20: ("bigint", "iu", ">i8"),
    21: ("smallint", "iu", ">i2"),
    23: ("integer", "iu", ">i4"),
    25: ("text", "V", ""),
    700: ("real", "f", ">f4"),
    701: ("double precision", "f", ">f8"),
    1184: ("timestamptz", "M", ">i8"),
    2950: ("uuid", "V", "V16"),
}


def binary_rows(records: np.ndarray[Any, Any], oids: Sequence[int]) -> Iterator[bytes]:
    """The COPY stream of a record array, in chunks.

    records: shape (n,) with one field per column, in order: integers, floats, bool, datetime64
    (for timestamptz, read as UTC), `V16` for uuid, `Vn` for bytea of n bytes, and for text of n
    bytes (UTF-8). `oids`: the
    columns' types. Raises MalformedInput for a type that does not fit or a value out of range.
    """
    names = records.dtype.names or ()
    if len(names) != len(oids):
        raise MalformedInput(f"{len(names)} fields for {len(oids)} columns")
    wire = _wire_type(records.dtype, names, oids)
    yield HEADER
    for start in range(0, len(records), _CHUNK_ROWS):
        yield _encode(records[start : start + _CHUNK_ROWS], names, oids, wire)
    yield TRAILER


def _wire_type(dtype: np.dtype[Any], names: Sequence[str], oids: Sequence[int]) -> np.dtype[Any]:
    fields: list[tuple[str, str]] = [("count", ">i2")]
    for place, (name, oid) in enumerate(zip(names, oids, strict=True)):
        field = dtype[name]
        title, kinds, form = _WIRE.get(oid, (f"type {oid}", "", ""))
        if field.kind not in kinds or (form == "V16" and field.itemsize != 16):
            raise MalformedInput(f"field {name!r} of dtype {field} does not fit a {title} column")
        fields += [(f"l{place}", ">i4"), (f"v{place}", form or f"V{field.itemsize}")]
    return np.dtype(fields)


def _encode(
    rows: np.ndarray[Any, Any], names: Sequence[str], oids: Sequence[int], wire: np.dtype[Any]
) -> bytes:
    out = np.zeros(len(rows), dtype=wire)
    out["count"] = len(names)
    for place, (name, oid) in enumerate(zip(names, oids, strict=True)):
        out[f"l{place}"] = wire[f"v{place}"].itemsize
        out[f"v{place}"] = _values(rows[name], name, oid, wire[f"v{place}"])
    return out.tobytes()


def _values(
    column: np.ndarray[Any, Any], name: str, oid: int, wire: np.dtype[Any]
) -> np.ndarray[Any, Any]:
    if column.dtype.kind == "M":
        if np.isnat(column).any():
            raise MalformedInput(f"field {name!r}: no time stands in a row")
        return (column.astype("datetime64[us]") - _PG_EPOCH).astype(np.int64)
    if column.dtype.kind in "iu" and oid in (20, 21, 23) and len(column):
        bounds = np.iinfo(wire)
        if int(column.min()) < bounds.min or int(column.max()) > bounds.max:
            raise MalformedInput(f"field {name!r}: a number is out of the column's range")
    return column


def rows_in(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """How rows of fixed widths without a null stand in the stream of a COPY out.

    dtype: integers, one field for each column in order.
    """
    fields: list[tuple[str, str]] = [("count", ">i2")]
    for place, name in enumerate(dtype.names or ()):
        fields += [(f"l{place}", ">i4"), (f"v{place}", f">i{dtype[name].itemsize}")]
    return np.dtype(fields)


def records_of(stream: bytes, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Whole rows of a COPY out, without header and trailer, as a record array of `dtype`.

    Raises MalformedInput if a row has other widths, or a null.
    """
    found = np.frombuffer(stream, rows_in(dtype))
    records = np.empty(len(found), dtype)
    for place, name in enumerate(dtype.names or ()):
        if (found[f"l{place}"] != dtype[name].itemsize).any():
            raise MalformedInput(f"column {name!r} has another width in a row")
        records[name] = found[f"v{place}"]
    return records
