"""Screening a name against lists of sanctioned persons: an index of readings, scores, reasons.

Candidates share a key with the query (a word, its skeleton, or the whole name's); the rarer the
key, the more it says. The best are compared word by word. A score counts thousandths.

Customs screens too, in `trade/domain/clearance/screening`: names by whole words only, and goods by
their codes, against one list of the operator. It is another duty with another list, so neither uses
the other: a bank that missed a likeness would be at fault, a declaration is only looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.programs.extras import command_for
from zhidao.finance.domain.screening.longer_names import (
    HAN_MAX,
    HAN_MIN,
    LONE_ENTRIES_MAX,
    is_inside,
    pieces,
    runs,
)
from zhidao.finance.domain.screening.names import (
    NAME_CHARACTERS_MAX,
    Reading,
    found_by,
    han_of,
    readings,
    whole_keys,
)

ALERT_PERMILLE: Final = 920
"""From here on a hit is an alert that a person decides."""
INSIDE_PERMILLE: Final = 940
"""What a listed name inside a longer one counts: an alert, below any that is like the whole."""
TEXT_CHARACTERS_MAX: Final = 10_000
"""Of a text that is looked at in pieces; a name that is longer is held by whoever asks."""
HITS_MAX: Final = 10
ENTRIES_MAX: Final = 2_000_000
_CANDIDATES: Final = 64
NO_ROWS: Final[NDArray[np.int32]] = np.array([], np.int32)
# A key that half of all names bear says nothing and costs much.
_POSTING_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class ListedName:
    """One entry of a list: all its names, and what else the list tells to know the person by."""

    list: str
    entry: str
    names: tuple[str, ...]
    kind: str = ""
    countries: tuple[str, ...] = ()
    born: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListVersion:
    """Which list, of which day, with which bytes."""

    list: str
    dated: date
    digest: str
    entries: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A listed name like the one asked for. `reason` tells a person why."""

    entry: ListedName
    name: str
    score_permille: int
    reason: str

    @property
    def alert(self) -> bool:
        """Whether a person must decide."""
        return self.score_permille >= ALERT_PERMILLE


def require_fresh(versions: Sequence[ListVersion], *, today: date, age_days_max: int) -> None:
    """Refuses to screen with no list, or with one that is too old or of a day to come."""
    if not versions:
        raise Refused(
            "there is no list to screen against", code="no_lists", remedy="name a list's file"
        )
    for version in versions:
        age = (today - version.dated).days
        if not 0 <= age <= age_days_max:
            raise Refused(
                f"list {version.list} of {version.dated} is {age} days old; "
                f"at most {age_days_max} are allowed",
                code="list_too_old",
                remedy="fetch the list anew from its publisher",
            )


class _Found(NamedTuple):
    """A row that is like what was asked for. `inside`: like a part of it."""

    score_permille: int
    asked: Reading
    row: int
    inside: bool = False


class Index:
    """All readings of all names of the lists."""

    def __init__(self, entries: Iterable[ListedName]) -> None:
        self._entries: list[ListedName] = []
        self._rows: list[tuple[int, str, Reading]] = []
        found: dict[str, list[int]] = {}
        for entry in entries:
            if not self._entries:
                _comparison()  # Loads the tables of readings before the first question.
            if len(self._entries) >= ENTRIES_MAX:
                raise MalformedInput(f"more than {ENTRIES_MAX} entries")
            place = len(self._entries)
            self._entries.append(entry)
            for name in entry.names:
                for reading in readings(name):
                    row = len(self._rows)
                    self._rows.append((place, name, reading))
                    for key in set(found_by(reading)):
                        found.setdefault(key, []).append(row)
                han = han_of(name)
                if HAN_MIN <= len(han) <= HAN_MAX:
                    found.setdefault(f"@{han}", []).append(len(self._rows) - 1)
        self._postings: dict[str, NDArray[np.int32]] = {
            key: np.array(rows, np.int32) for key, rows in found.items()
        }
        self._lengths: NDArray[np.int32] = np.array(
            [len(reading.whole) for _, _, reading in self._rows], np.int32
        )
        self._votes: NDArray[np.int32] = np.zeros(len(self._rows), np.int32)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> Sequence[ListedName]:
        """All that is listed, in order of the lists."""
        return self._entries

    def screen(self, name: str, *, limit: int = HITS_MAX) -> list[Hit]:
        """The entries most like a name, best first; and those whose names stand inside it.

        A text longer than a name is looked at in pieces that overlap. Raises MalformedInput for
        what is no name (`name_too_long` past `TEXT_CHARACTERS_MAX`), Unavailable (`no_screening`).
        """
        if len(name) > TEXT_CHARACTERS_MAX:
            raise MalformedInput(
                f"a name of more than {TEXT_CHARACTERS_MAX} characters",
                code="name_too_long",
                remedy="ask for one name at a time",
            )
        best: dict[int, _Found] = {}
        named = False
        for piece in pieces(name):
            if len(name) > len(piece) and not any(map(str.isalpha, piece)):
                continue  # Of a long text a part may have no letters.
            named = True
            for found in (*self._like(piece), *self._inside(piece)):
                known = best.get(self._rows[found.row][0])
                if known is None or found.score_permille > known.score_permille:
                    best[self._rows[found.row][0]] = found
        if not named:
            raise MalformedInput("a name needs at least one letter")
        ranked = sorted(
            best.items(),
            key=lambda found: (-found[1].score_permille, self._entries[found[0]].entry),
        )
        # Only what is told needs its words.
        return [self._hit(found) for _, found in ranked[:limit]]

    def _like(self, name: str) -> Iterator[_Found]:
        """What is like a name as a whole."""
        compare = _comparison()
        for asked in readings(name):
            for row in self._candidates(asked):
                yield _Found(compare(asked, self._rows[row][2]), asked, row)

    def _inside(self, name: str) -> Iterator[_Found]:
        """What stands inside a name."""
        compare = _comparison()
        for asked in readings(name, words_max=NAME_CHARACTERS_MAX):
            for run in runs(asked):
                for row in self._rows_of(whole_keys(run)):
                    listed = self._rows[row][2]
                    score = compare(run, listed)
                    if is_inside(run, listed, score_permille=score, is_rare=self._is_rare):
                        yield _Found(INSIDE_PERMILLE, run, row, inside=True)
        han = han_of(name)
        for length in range(HAN_MIN, min(HAN_MAX, len(han) - 1) + 1):
            for start in range(len(han) - length + 1):
                for row in self._rows_of((f"@{han[start : start + length]}",)):
                    yield _Found(INSIDE_PERMILLE, self._rows[row][2], row, inside=True)

    def _rows_of(self, keys: Iterable[str]) -> list[int]:
        """The rows under keys that are not shared by too many."""
        found = (self._postings.get(key) for key in keys)
        kept = (rows.tolist() for rows in found if rows is not None and len(rows) <= _CANDIDATES)
        return list(dict.fromkeys(row for rows in kept for row in rows))

    def _is_rare(self, word: str) -> bool:
        """Whether few entries bear a word, alone or among others."""
        rows = self._postings.get(f".{word}", NO_ROWS).tolist()
        return len({self._rows[row][0] for row in rows}) <= LONE_ENTRIES_MAX

    def _hit(self, found: _Found) -> Hit:
        place, listed, reading = self._rows[found.row]
        reason = _reason(found.asked, reading, listed)
        if found.inside:
            reason += ", inside a longer name"
        return Hit(self._entries[place], listed, found.score_permille, reason)

    def _candidates(self, asked: Reading) -> list[int]:
        """The rows that share most with a reading, weighed by how rare each key is."""
        votes, touched = self._votes, []
        for key in dict.fromkeys(found_by(asked)):
            rows = self._postings.get(key)
            if rows is None or len(rows) > _POSTING_MAX:
                continue
            weight = 40 - 2 * len(rows).bit_length()
            votes[rows] += weight * (3 if key[0] in "=." else 2)
            touched.append(rows)
        if not touched:
            return []
        rows = np.concatenate(touched)
        # Each row once: the last place that wrote its number is the one that stays.
        given = votes[rows]
        votes[rows] = places = np.arange(len(rows), dtype=np.int32)
        once = votes[rows] == places
        votes[rows] = 0
        rows, given = rows[once], given[once]
        if len(rows) > _CANDIDATES:
            # Of equals the nearest in length, then the first listed: the same question has the
            # same answer in every process.
            longer = np.abs(self._lengths[rows] - len(asked.whole))
            ranks = (given.astype(np.int64) << 40) - (longer.astype(np.int64) << 32) - rows
            rows = rows[np.argpartition(ranks, len(ranks) - _CANDIDATES)[-_CANDIDATES:]]
        found: list[int] = rows.tolist()
        return found


@cache
def _comparison() -> Callable[[Reading, Reading], int]:
    """What compares two readings. Raises Unavailable where the extra is not installed."""
    try:
        from zhidao.finance.domain.screening.likeness import compare

        readings("王 Б")
    except ModuleNotFoundError as error:
        raise Unavailable(
            f"screening needs the package {error.name}, which is not installed",
            code="no_screening",
            remedy=command_for("screening"),
        ) from error
    return compare


def _reason(asked: Reading, listed: Reading, name: str) -> str:
    ways = asked.how if asked.how == listed.how else f"{asked.how} against {listed.how}"
    same = sorted(set(asked.words) & set(listed.words))
    shared = f", the same words: {len(same)} of {len(asked.words)}" if same else ""
    return f"like {name!r}, read as {ways}{shared}"


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Lists of names as they stand at a moment: which they are, and the index of all together."""

    versions: tuple[ListVersion, ...]
    index: Index

    @classmethod
    def of(cls, lists: Iterable[tuple[ListVersion, Sequence[ListedName]]]) -> Lists:
        """From the versions and entries of each list."""
        read = list(lists)
        return cls(
            tuple(version for version, _ in read),
            Index(entry for _, entries in read for entry in entries),
        )
