"""Epoch and event records of a RINEX 3/4 observation file: where they stand and when they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.observables.observations import Bools, Ints
from zhidao.positioning.wire.fixed import Lines, decimals, integers

_NS: Final = 1_000_000_000
_GPST_EPOCH_DAY: Final = np.datetime64("1980-01-06", "D")
_BDT_BEHIND_GPST_S: Final = 14
_GPST_EPOCH_UNIX_NS: Final = 315_964_800 * _NS
_EPOCH_WIDTH: Final = 35
_GREATER: Final = ord(">")


@dataclass(frozen=True, slots=True)
class Blocks:
    """Epoch records and event records: line of the `>`, flag and number of lines that follow.

    All of shape (b,). is_epoch: flags 0 and 1, whose lines are observations.
    """

    line: Ints
    flag: Ints
    follow: Ints

    @property
    def is_epoch(self) -> Bools:
        """Which records carry observations."""
        return self.flag <= 1


def epoch_blocks(lines: Lines, first: int) -> Blocks:
    """All records after the header of `first` lines. Raises where a count of lines is wrong."""
    lead = lines.lead(slice(first, len(lines)))
    mark = np.flatnonzero(lead == _GREATER) + first
    filled = np.flatnonzero(lead != 0)
    # Empty lines at the very end are no record.
    stop = first + (filled[-1] + 1 if len(filled) else 0)
    if len(mark) == 0:
        if stop > first:
            raise MalformedInput("no epoch line (>) after the header", where=f"line {first + 1}")
        return Blocks(*(np.zeros(0, np.int64) for _ in range(3)))
    if mark[0] != first:
        raise MalformedInput(
            "the first line after the header is no epoch", where=f"line {first + 1}"
        )
    head = lines.block(mark, _EPOCH_WIDTH)
    flag, _, bad_flag = integers(head[:, 31:32])
    follow, no_count, bad_count = integers(head[:, 32:35])
    refuse(lines, mark, bad_flag | bad_count | no_count | (flag > 6) | (follow < 0), "epoch line")
    found = np.diff(np.append(mark, stop)) - 1
    _refuse_counts(mark, follow, found)
    return Blocks(mark, flag, follow)


def _refuse_counts(mark: Ints, follow: Ints, found: Ints) -> None:
    wrong = np.flatnonzero(follow != found)
    if len(wrong):
        at = int(wrong[0])
        cut = at == len(mark) - 1 and found[at] < follow[at]
        raise MalformedInput(
            f"the epoch announces {follow[at]} lines, {found[at]} follow"
            + ("; the file seems to be cut" if cut else ""),
            where=f"line {mark[at] + 1}",
        )


def refuse(lines: Lines, numbers: Ints, bad: Bools, what: str) -> None:
    """Raises MalformedInput naming the first of the lines that is bad."""
    if bad.any():
        number = int(numbers[np.flatnonzero(bad)[0]])
        raise MalformedInput(f"bad {what}: {lines.text(number)[:60]!r}", where=f"line {number + 1}")


def epoch_times_ns(lines: Lines, blocks: Blocks, time_system: str) -> Ints:
    """Nanoseconds of GPST of each epoch, shape (e,). Raises unless they rise."""
    mark = blocks.line[blocks.is_epoch]
    head = lines.block(mark, _EPOCH_WIDTH)
    bad = (head[:, (1, 6, 9, 12, 15, 18, 29, 30)] != ord(" ")).any(1)
    parts = []
    for start, stop in ((2, 6), (7, 9), (10, 12), (13, 15), (16, 18)):
        value, blank, wrong = integers(head[:, start:stop])
        bad |= blank | wrong
        parts.append(value)
    second, blank, wrong = decimals(head[:, 19:29], 7)
    year, month, day, hour, minute = parts
    bad |= blank | wrong | (year < 1980) | (year > 2200) | (month < 1) | (month > 12)
    bad |= (day < 1) | (day > 31) | (hour < 0) | (hour > 23) | (minute < 0) | (minute > 59)
    bad |= (second < 0) | (second >= 60)
    refuse(lines, mark, bad, "epoch line")
    months = (year - 1970) * 12 + month - 1
    date = months.astype("datetime64[M]").astype("datetime64[D]") + (day - 1).astype("m8[D]")
    refuse(lines, mark, date.astype("datetime64[M]").astype(np.int64) != months, "date")
    days = (date - _GPST_EPOCH_DAY).astype(np.int64)
    whole_s = ((days * 24 + hour) * 60 + minute) * 60
    # Seven decimals: round to the 100 ns that the format can say.
    gpst_ns: Ints = whole_s * _NS + np.rint(second * 1e7).astype(np.int64) * 100
    gpst_ns = gpst_ns_of(gpst_ns, time_system)
    back = np.zeros(len(mark), bool)
    back[1:] = np.diff(gpst_ns) <= 0
    refuse(lines, mark, back, "epoch, not later than the one before")
    return gpst_ns


def gpst_ns_of(told_ns: Ints, time_system: str) -> Ints:
    """GPST of times that a file tells in its own scale, counted from 1980-01-06, both (n,).

    Galileo, QZSS and NavIC time are taken as GPST. A file of GLONASS counts UTC (RINEX 3.05 section
    8.1), whose leap seconds are put in; within one the file's times would repeat or not rise.
    """
    if time_system == "BDT":
        return told_ns + _BDT_BEHIND_GPST_S * _NS
    if time_system not in ("GLO", "UTC") or not len(told_ns):
        return told_ns
    steps = [
        Gpst.from_utc(Utc.from_unix_ns(int(at) + _GPST_EPOCH_UNIX_NS)).ns - int(at)
        for at in (told_ns.min(), told_ns.max())
    ]
    if steps[0] == steps[1]:
        return told_ns + steps[0]
    return np.array(
        [Gpst.from_utc(Utc.from_unix_ns(at + _GPST_EPOCH_UNIX_NS)).ns for at in told_ns.tolist()],
        np.int64,
    )
