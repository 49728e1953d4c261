"""Relations between whole numbers: columns of rows, found by the value in one of them.

Rows are added at the end and never changed in what they are found by. The many lie in order of
their first key; the few that came since lie in a run of their own, which is merged when it grows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final, Self

import numpy as np

from zhidao.industry.domain.names import Array

# The run of what came since is sorted anew before a walk: so many rows take milliseconds.
RUN_ROWS: Final = 32_768


_WIDER: Final = ((np.uint8, np.uint16), (np.uint16, np.uint32))
_NARROW: Final = tuple(np.dtype(narrow) for narrow, _ in _WIDER)
NOTHING: Final[Array] = np.zeros(0, np.int64)


class Growing:
    """A column that grows at its end. A view of it stays as it was when it was taken."""

    @classmethod
    def of(cls, values: Array) -> Self:
        """A column that holds these already."""
        column = cls(values.dtype.type)
        column._room, column._length = values, len(values)
        return column

    def __init__(self, dtype: type, width: int = 0) -> None:
        self._room: Array = np.zeros((0, width) if width else 0, dtype)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def nbytes(self) -> int:
        """Bytes, the room to grow with them."""
        return self._room.nbytes

    @property
    def view(self) -> Array:
        """All of it."""
        return self._room[: self._length]

    def reorder(self, order: Array) -> None:
        """Puts all of it in another order, and leaves no room to grow with."""
        self._room = self.view[order]

    def put(self, place: int, value: int) -> None:
        """Changes one value."""
        self._widen(value)
        self._room[place] = value

    def _widen(self, most: int) -> None:
        for narrow, wide in _WIDER:
            if self._room.dtype == narrow and most > np.iinfo(narrow).max:
                self._room = self._room.astype(wide)

    def extend(self, values: Array) -> None:
        """Adds values at the end; whole numbers of 8 or 16 bits become wider when one needs it."""
        length = self._length + len(values)
        if len(values) and self._room.dtype in _NARROW:
            self._widen(int(values.max()))
        if length > len(self._room):
            room = np.zeros((length + length // 16, *self._room.shape[1:]), self._room.dtype)
            room[: self._length] = self.view
            self._room = room
        self._room[self._length : length] = values
        self._length = length


class _Order:
    """Where the rows of each key stand, all keys in order."""

    def __init__(self, keys: Array) -> None:
        """keys: int32, in order."""
        last = int(keys[-1]) + 1 if len(keys) else 0
        self._dense = last <= 4 * len(keys)
        if self._dense:
            counts = np.bincount(keys, minlength=last) if len(keys) else np.zeros(0, np.int64)
            self._keys: Array = np.zeros(0, np.int32)
        else:
            self._keys, counts = np.unique(keys, return_counts=True)
        self._starts: Array = np.zeros(len(counts) + 1, np.int32)
        np.cumsum(counts, out=self._starts[1:])
        self._cells = self._starts.data

    @property
    def nbytes(self) -> int:
        return self._keys.nbytes + self._starts.nbytes

    def find(self, keys: Array) -> tuple[Array, Array]:
        """The first place and the number of rows of each key."""
        most = len(self._starts) - 1
        if not most:
            return np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
        if self._dense:
            known = keys < most
            places = keys * known
        else:
            places = self._keys.searchsorted(keys.astype(self._keys.dtype))
            places *= places < most
            known = self._keys[places] == keys
        first = self._starts[places].astype(np.int64)
        return first, (self._starts[places + 1] - first) * known

    def of(self, key: int) -> tuple[int, int]:
        """The first place of one key, and the place behind its last."""
        most = len(self._starts) - 1
        if self._dense:
            place = key
            if key >= most:
                return 0, 0
        else:
            place = int(self._keys.searchsorted(self._keys.dtype.type(key)))
            if place >= most or self._keys[place] != key:
                return 0, 0
        return self._cells[place], self._cells[place + 1]


class _Sorted:
    """The same without a byte of its own, for a column that lies in order and repeats little."""

    def __init__(self, keys: Array) -> None:
        self._keys = keys
        self.nbytes = 0

    def find(self, keys: Array) -> tuple[Array, Array]:
        """The first place and the number of rows of each key."""
        # In the column's own width: else all of it is made wider for each question.
        keys = keys.astype(self._keys.dtype)
        first = self._keys.searchsorted(keys)
        if not len(self._keys):
            return first, first
        last = len(self._keys) - 1
        counts = (self._keys[np.minimum(first, last)] == keys).astype(np.int64)
        several = np.flatnonzero(counts & (self._keys[np.minimum(first + 1, last)] == keys))
        if len(several):
            ends = self._keys.searchsorted(keys[several], side="right")
            counts[several] = ends - first[several]
        return first, counts

    def of(self, key: int) -> tuple[int, int]:
        """The first place of one key, and the place behind its last."""
        cells = self._keys.data
        first = bisect_left(cells, key)
        return first, bisect_right(cells, key, lo=first)


class _Run:
    """Rows in the order of their first key."""

    def __init__(self, columns: Sequence[Array], keys: Sequence[int], *, searched: bool) -> None:
        order = np.argsort(columns[keys[0]], kind="stable")
        self.columns = [column[order] for column in columns]
        first = self.columns[keys[0]]
        self.cells = [column.data for column in self.columns]
        self._orders: dict[int, _Order | _Sorted] = {}
        self._orders[keys[0]] = _Sorted(first) if searched else _Order(first)
        self._places: dict[int, Array] = {}
        for key in keys[1:]:
            places = np.argsort(self.columns[key], kind="stable").astype(np.int32)
            self._places[key] = places
            self._orders[key] = _Order(self.columns[key][places])

    def __len__(self) -> int:
        return len(self.columns[0])

    @property
    def nbytes(self) -> int:
        orders = sum(each.nbytes for each in self._orders.values())
        return orders + sum(each.nbytes for each in (*self.columns, *self._places.values()))

    def rows(self, key: int, values: Array, most: int) -> tuple[Array, Array]:
        first, counts = self._orders[key].find(values)
        if not counts.any():
            return NOTHING, NOTHING
        which, rows = spread(first, counts, most)
        places = self._places.get(key)
        return which, rows if places is None else places[rows].astype(np.int64)

    def count_of(self, key: int, value: int) -> int:
        first, end = self._orders[key].of(value)
        return end - first

    def rows_of(self, key: int, value: int) -> Array:
        first, end = self._orders[key].of(value)
        places = self._places.get(key)
        return np.arange(first, end) if places is None else places[first:end].astype(np.int64)


class Relation:
    """Rows of whole numbers, int32. Rows keep their numbers until the next `settle`."""

    def __init__(self, width: int, *, keys: Sequence[int], searched: bool = False) -> None:
        """keys: the columns by which rows are found; they lie in the order of the first.

        searched: its values repeat little, so that looking for one costs less than a list of where.
        """
        self._keys, self._searched = tuple(keys), searched
        self._none = [np.zeros(0, np.int32)] * width
        self._many = self._run(self._none)
        self._since = self._run(self._none)
        self._added: list[Sequence[Array]] = []

    def _run(self, columns: Sequence[Array]) -> _Run:
        return _Run(columns, self._keys, searched=self._searched)

    def __len__(self) -> int:
        return len(self._many) + len(self._since)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self._many.nbytes + self._since.nbytes

    def add(self, *columns: Array) -> None:
        """Adds rows; they are found after the next `settle`."""
        if len(columns[0]):
            self._added.append(columns)

    def settle(self) -> None:
        """Puts in order what was added."""
        if not self._added:
            return
        parts = [self._since.columns, *self._added]
        self._added = []
        columns = [np.concatenate(each).astype(np.int32) for each in zip(*parts, strict=True)]
        if len(columns[0]) <= RUN_ROWS:
            self._since = self._run(columns)
            return
        both = [np.concatenate(each) for each in zip(self._many.columns, columns, strict=True)]
        self._many = self._run(both)
        self._since = self._run(self._none)

    def rows(self, key: int, values: Array, *, most: int) -> tuple[Array, Array]:
        """Which value each found row belongs to, by its place, and the rows; the first `most`."""
        which, rows = self._many.rows(key, values, most)
        if not len(self._since):
            return which, rows
        more, late = self._since.rows(key, values, most - len(rows))
        if not len(late):
            return which, rows
        which = np.concatenate((which, more))
        order = np.argsort(which, kind="stable")
        return which[order], np.concatenate((rows, late + len(self._many)))[order]

    def rows_of(self, key: int, value: int) -> Array:
        """The rows of one value."""
        rows = self._many.rows_of(key, value)
        if not len(self._since):
            return rows
        return np.concatenate((rows, self._since.rows_of(key, value) + len(self._many)))

    def count_of(self, key: int, value: int) -> int:
        """How many rows one value has."""
        since = self._since.count_of(key, value) if len(self._since) else 0
        return self._many.count_of(key, value) + since

    def cell(self, column: int, row: int) -> int:
        """What one row holds in a column."""
        many = len(self._many)
        told: int
        if row < many:
            told = self._many.cells[column][row]
        else:
            told = self._since.cells[column][row - many]
        return told

    def take(self, column: int, rows: Array) -> Array:
        """What rows hold in a column."""
        many = self._many.columns[column]
        if not len(self._since):
            return many[rows]
        told = np.empty(len(rows), np.int32)
        late = rows >= len(many)
        told[~late] = many[rows[~late]]
        told[late] = self._since.columns[column][rows[late] - len(many)]
        return told

    def put(self, column: int, rows: Array, values: Array) -> None:
        """Changes what rows hold in a column by which they are not found."""
        assert column not in self._keys
        late = rows >= len(self._many)
        self._many.columns[column][rows[~late]] = values[~late]
        self._since.columns[column][rows[late] - len(self._many)] = values[late]


def spread(first: Array, counts: Array, most: int) -> tuple[Array, Array]:
    """Runs of whole numbers one after the other, as (number of the run, value); `most` at most."""
    if len(counts) == 1:
        # A thing by itself, as most small walks ask: no need to weigh many.
        count, start = min(int(counts[0]), most), int(first[0])
        return np.zeros(count, np.int64), np.arange(start, start + count)
    ends = counts.cumsum()
    if len(ends) and ends[-1] > most:
        counts = np.maximum(np.minimum(counts, most - (ends - counts)), 0)
        ends = counts.cumsum()
    which = np.arange(len(counts)).repeat(counts)
    return which, np.arange(len(which)) + (first - (ends - counts))[which]
