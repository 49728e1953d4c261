"""Archived days: a table's rows of one day as Parquet, beside a manifest that anybody can check.

Rows are sorted by key and time. The manifest bears the file's SHA-256 and the root of the hash tree
over all rows (RFC 9162 section 2.1.1), each as its numbers in little-endian order: the rows can be
checked whatever wrote the file, and by whoever has a copy of it and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.hashing.hashtree import leaf_hash, tree_root
from zhidao.core.programs.extras import command_for
from zhidao.core.versions import check_version_in

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT: Final = "zhidao-day"
_VERSION: Final = 1
_COMPRESSION: Final = "zstd"
_ROW_GROUP: Final = 100_000
_MANIFEST_BYTES_MAX: Final = 65_536
_BLOCK_BYTES: Final = 1 << 20
_NAME: Final = re.compile(r"[a-z_]+\.[a-z_]+\Z")


class DayManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an archived day is: its columns as (name, dtype), and what its file holds."""

    format: str
    v: int
    table: str
    day: str
    columns: list[tuple[str, str]]
    rows: int
    bytes: int
    sha256: str
    root: str

    @property
    def dtype(self) -> np.dtype[Any]:
        """One row."""
        return np.dtype([(name, form) for name, form in self.columns])


@dataclass(frozen=True, slots=True)
class DayFile:
    """A day's two files in a folder."""

    folder: Path
    table: str
    day: date

    @property
    def rows(self) -> Path:
        """The Parquet."""
        return self.folder / self.table / f"{self.day:%Y-%m-%d}.parquet"

    @property
    def manifest(self) -> Path:
        """What is said of it."""
        return self.folder / self.table / f"{self.day:%Y-%m-%d}.json"


def write_day(file: DayFile, rows: np.ndarray[Any, Any], order: Sequence[str]) -> DayManifest:
    """Writes a day, sorted by `order`; both files are on the disk when it returns.

    A day that was begun and not ended is written anew: the manifest comes last. Raises Refused
    (`no_pyarrow`), OSError.
    """
    parquet = _parquet()
    import pyarrow as pa

    rows = rows.astype(_little(rows.dtype))
    rows = rows[np.lexsort([rows[name] for name in reversed(order)])]
    table = pa.table({name: rows[name] for name in rows.dtype.names or ()})
    file.rows.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = file.rows.with_suffix(".new")
    parquet.write_table(
        table,
        beside,
        compression=_COMPRESSION,
        compression_level=9,
        use_dictionary=False,
        column_encoding=dict.fromkeys(table.column_names, "DELTA_BINARY_PACKED"),
        row_group_size=_ROW_GROUP,
    )
    manifest = DayManifest(
        FORMAT,
        _VERSION,
        file.table,
        str(file.day),
        [(name, rows.dtype[name].str) for name in rows.dtype.names or ()],
        len(rows),
        beside.stat().st_size,
        _sha256(beside),
        root_of(rows).hex(),
    )
    _put(beside, file.rows)
    noted = file.manifest.with_suffix(".json.new")
    noted.write_bytes(jcs(msgspec.to_builtins(manifest)))
    _put(noted, file.manifest)
    return manifest


def root_of(rows: np.ndarray[Any, Any]) -> bytes:
    """The root of the hash tree over the rows."""
    size, data = rows.dtype.itemsize, rows.tobytes()
    return tree_root(leaf_hash(data[at : at + size]) for at in range(0, len(data), size))


def read_manifest(path: Path) -> DayManifest:
    """A manifest. Raises MalformedInput (`archive_damaged`, `unknown_version`) for what is none."""
    try:
        with path.open("rb") as opened:
            said = opened.read(_MANIFEST_BYTES_MAX + 1)
        plain = parse_strict(said[:_MANIFEST_BYTES_MAX])
    except (OSError, MalformedInput) as error:
        raise _damaged(path, str(error)) from error
    if len(said) > _MANIFEST_BYTES_MAX:
        raise _damaged(path, f"it has more than {_MANIFEST_BYTES_MAX} bytes")
    check_version_in(plain, form="an archived day", known=(_VERSION,))
    try:
        manifest = msgspec.convert(plain, DayManifest, strict=True)
    except msgspec.ValidationError as error:
        raise _damaged(path, str(error)) from error
    if manifest.format != FORMAT or not _NAME.match(manifest.table):
        raise _damaged(path, "it is no archived day")
    return manifest


def check_day(path: Path) -> DayManifest:
    """Reads a day whole by its manifest. Raises MalformedInput (`archive_damaged`)."""
    manifest = read_manifest(path)
    rows_file = path.with_suffix(".parquet")
    if not rows_file.is_file():
        raise _damaged(rows_file, "it is absent")
    if rows_file.stat().st_size != manifest.bytes or _sha256(rows_file) != manifest.sha256:
        raise _damaged(rows_file, "its bytes are not those that were archived")
    rows = read_day(path, manifest)
    if len(rows) != manifest.rows or root_of(rows).hex() != manifest.root:
        raise _damaged(rows_file, "its rows are not those under the root")
    return manifest


def read_day(
    path: Path, manifest: DayManifest, filters: Sequence[tuple[str, str, int]] | None = None
) -> np.ndarray[Any, Any]:
    """The rows of a day, all or those that pass every filter (column, operator, value)."""
    parquet = _parquet()
    import pyarrow as pa

    try:
        table = parquet.read_table(
            path.with_suffix(".parquet"), filters=list(filters) if filters else None
        )
        return _array(table, manifest.dtype)
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise _damaged(path.with_suffix(".parquet"), str(error)) from error


def days_of(folder: Path, table: str) -> Iterator[Path]:
    """The manifests of a table's archived days, oldest first."""
    return iter(sorted((folder / table).glob("????-??-??.json")))


def _array(table: pa.Table, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    rows = np.zeros(table.num_rows, dtype=dtype)
    for name in dtype.names or ():
        rows[name] = table.column(name).to_numpy()
    return rows


def _little(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype.newbyteorder("<")


def _sha256(path: Path) -> str:
    running = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            running.update(block)
    return running.hexdigest()


def _put(beside: Path, place: Path) -> None:
    """Durable under its name, or not there."""
    _sync(beside, os.O_RDONLY)
    beside.replace(place)
    _sync(place.parent, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise Refused(
            "archived days are Parquet, which pyarrow reads and writes; it is not installed",
            code="no_pyarrow",
            remedy=command_for("archive"),
        ) from error
    return pyarrow.parquet


def _damaged(path: Path, why: str) -> MalformedInput:
    return MalformedInput(f"{path.name}: {why}", code="archive_damaged", where=str(path))
