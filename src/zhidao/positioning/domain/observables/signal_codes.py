"""Which signals a receiver tracked: one service comes under several codes of RINEX.

A receiver that tracks the data component, the pilot, or both together writes C5I, C5Q or C5X for
the same service. Solvers that take one code a band take the one that the receiver has most of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import Observations, SystemObservations

# Attributes of each band, best known first; RINEX 3.05 tables 4 to 10. P and W of GPS are the
# codes that broadcast clocks refer to.
_BANDS: Final[Mapping[str, Mapping[str, str]]] = {
    "C": {"2": "IXQ", "6": "IXQ", "7": "IXQ", "1": "PXD", "5": "PXD"},
    "E": {"1": "CXB", "5": "QXI", "7": "QXI", "6": "CXB"},
    "G": {"1": "CWPXLS", "2": "WPLXSCD", "5": "QXI"},
    "J": {"1": "CXLSZ", "2": "LXS", "5": "QXI"},
    "R": {"1": "CP", "2": "CP"},
}
# Bands that stand in for the first and the fifth where those were not tracked.
_INSTEAD: Final = {"C": ("2", "6"), "E": ("1", "7")}
# Of two codes the better known one is taken while it is there at least so often.
_ENOUGH: Final = 0.8
# One range of each satellite, for single points with legacy messages.
SINGLE_SIGNALS: Final[Mapping[str, str]] = {
    "C": "C2I/C2X/C2Q",
    "E": "C1C/C1X/C1B",
    "G": "C1C/C1W/C1P/C1X/C1L/C1S",
    "J": "C1C/C1X/C1L/C1S/C1Z",
    "R": "C1C/C1P",
}


def tracked(table: SystemObservations, band: str, *, kind: str = "C", first: str = "") -> str:
    """Band and attribute, such as `5Q`, of the band's code that a receiver has; empty for none.

    first: attributes to prefer, before the usual order.
    """
    order = dict.fromkeys(first + _BANDS.get(table.system, {}).get(band, ""))
    counts = {each: _count(table, kind + band + each) for each in order}
    most = max(counts.values(), default=0)
    good = (each for each, count in counts.items() if count and count >= _ENOUGH * most)
    return band + next(good) if most else ""


@dataclass(frozen=True, slots=True)
class Matched:
    """Codes that a pair of receivers is solved by, one a band, by system.

    base: the base's observations, where a band that it tracked otherwise bears the rover's name.
    """

    signals: dict[str, tuple[str, ...]]
    base: Observations


def matched(
    rover: Observations, base: Observations, wanted: Mapping[str, Sequence[str]]
) -> Matched:
    """What both receivers have of the bands of `wanted`, codes such as C5Q by system.

    The same code of both where they have one; else each one's own of that band. RINEX aligns the
    phases of one band, so that C5Q of one and C5X of the other differ by whole cycles (RINEX 3.05
    section 9.1, not at hand; the pair of Kamakura in cssrlib is fixed in this way).
    """
    signals, tables = {}, dict(base.systems)
    for system, codes in wanted.items():
        one, other = rover.systems.get(system), base.systems.get(system)
        if one is None or other is None:
            continue
        names, renamed = [], {}
        for code in codes:
            mine, theirs = _matching(one, other, code)
            if mine and theirs and mine not in names:
                names.append(mine)
                renamed[theirs[1:]] = mine[1:]
        if names:
            signals[system] = tuple(names)
            tables[system] = _renamed(other, renamed)
    return Matched(signals, replace(base, systems=tables))


def _matching(one: SystemObservations, other: SystemObservations, code: str) -> tuple[str, str]:
    """The codes of a band that two receivers are solved by; empty for one that has none."""
    order = dict.fromkeys(code[2] + _BANDS.get(one.system, {}).get(code[1], ""))
    both = {each: min(_count(t, code[:2] + each) for t in (one, other)) for each in order}
    own = [tracked(table, code[1], first=code[2]) for table in (one, other)]
    most = min(
        _count(t, "C" + name) if name else 0 for t, name in zip((one, other), own, strict=True)
    )
    good = (each for each, count in both.items() if count and count >= _ENOUGH * most)
    same = next(good, "")
    if same:
        return code[:2] + same, code[:2] + same
    return tuple("C" + name if name else "" for name in own)  # type: ignore[return-value]


def _renamed(table: SystemObservations, names: Mapping[str, str]) -> SystemObservations:
    """The table with other names of signals; what had such a name before is put out of the way."""
    if all(old == new for old, new in names.items()):
        return table
    taken = set(names.values())
    codes = []
    for code in table.codes:
        new = names.get(code[1:], "-" if code[1:] in taken else code[1:])
        codes.append(code[0] + new)
    return replace(table, codes=tuple(codes))


def pairs_of(
    seen: Observations, wanted: Mapping[str, tuple[str, str]]
) -> dict[str, tuple[str, str]]:
    """The wanted pair of bands of each system by the codes that the receiver has.

    wanted: such as {"E": ("1C", "5Q")}; E5b stands in for E5a, and B1I and B3I
    for B1C and B2a, where only those were tracked. A system
    without both bands keeps what was wanted, and gives no point.
    """
    out = {}
    for system, pair in wanted.items():
        table = seen.systems.get(system)
        bands = [(pair[0][0], pair[1][0])]
        if bands[0] == ("1", "5") and system in _INSTEAD:
            bands.append(_INSTEAD[system])
        found = [_pair(table, each, pair) for each in bands] if table is not None else []
        out[system] = next((each for each in found if all(each)), pair)
    return out


def there(seen: Observations, system: str) -> tuple[str, ...]:
    """The codes of ranges that a receiver has of a system, in the order of its file."""
    table = seen.systems.get(system)
    if table is None:
        return ()
    return tuple(code for code in table.codes if code[0] == "C" and _count(table, code))


def smoothable(seen: Observations, signals: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What carrier smoothing takes, by system: the code that counts and another band, if any.

    signals: as single points take them; combinations of two bands are left as they are.
    """
    out = {}
    for system, text in signals.items():
        table = seen.systems.get(system)
        codes = [code for code in text.split("/") if "+" not in code]
        code = max(codes, key=lambda c: _count(table, c) if table else 0, default="")
        if table is None or not code or not _count(table, code):
            continue
        bands = [band for band in _BANDS.get(system, {}) if band != code[1]]
        second = next((t for band in bands if (t := tracked(table, band, kind="L"))), "")
        out[system] = code, "C" + second if second else ""
    return out


def _pair(
    table: SystemObservations, bands: tuple[str, str], wanted: tuple[str, str]
) -> tuple[str, str]:
    one, other = (
        tracked(table, band, first=code[1] if code[0] == band else "")
        for band, code in zip(bands, wanted, strict=True)
    )
    return one, other


def _count(table: SystemObservations, code: str) -> int:
    column = table.column(code)
    return 0 if column is None else int(np.count_nonzero(np.nan_to_num(column)))
