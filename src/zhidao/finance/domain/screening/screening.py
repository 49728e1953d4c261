"""Screening a name against lists of sanctioned persons: an index of readings, scores, reasons.

Candidates share a key with the query (a word, its skeleton, or the whole name's); the rarer the
key, the more it says. The best are compared word by word. A score counts thousandths.

Customs screens too, in `trade/domain/clearance/screening`: names by whole words only, and goods by
their codes, against one list of the operator. It is another duty with another list, so neither uses
the other: a bank that missed a likeness would be at fault, a declaration is only looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.programs.extras import command_for
from zhidao.finance.domain.screening.names import Reading, found_by, readings

ALERT_PERMILLE: Final = 920
"""From here on a hit is an alert that a person decides."""
HITS_MAX: Final = 10
ENTRIES_MAX: Final = 2_000_000
_CANDIDATES: Final = 64
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
        self._postings: dict[str, NDArray[np.int32]] = {
            key: np.array(rows, np.int32) for key, rows in found.items()
        }
        self._lengths: NDArray[np.int32] = np.array(
            [len(reading.whole) for _, _, reading in self._rows], np.int32
        )
        self._votes: NDArray[np.int32] = np.zeros(len(self._rows), np.int32)

    def __len__(self) -> int:
        return len(self._entries)

    def screen(self, name: str, *, limit: int = HITS_MAX) -> list[Hit]:
        """The entries most like a name, best first.

        Raises MalformedInput for what is no name, Unavailable (`no_screening`).
        """
        compare = _comparison()
        best: dict[int, tuple[int, Reading, int]] = {}
        for asked in readings(name):
            for row in self._candidates(asked):
                place, _, reading = self._rows[row]
                score = compare(asked, reading)
                known = best.get(place)
                if known is None or score > known[0]:
                    best[place] = score, asked, row
        ranked = sorted(
            best.items(), key=lambda found: (-found[1][0], self._entries[found[0]].entry)
        )
        # Only what is told needs its words.
        return [self._hit(*found) for _, found in ranked[:limit]]

    def _hit(self, score_permille: int, asked: Reading, row: int) -> Hit:
        place, listed, reading = self._rows[row]
        return Hit(self._entries[place], listed, score_permille, _reason(asked, reading, listed))

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
