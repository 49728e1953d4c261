"""GLONASS strings, as receivers give them word by word, to ephemerides and back.

A string has 85 bits: an idle bit, its number, its data, and eight bits of an extended Hamming code.
Strings 1 to 4 of one frame make an ephemeris; string 5 tells the year. Source: GLONASS ICD 5.1
sections 4.3 and 4.7 (not at hand; field widths add up to 85 bits, scales are those of RTCM 1020;
RTKLIB reads the same of what is written here: `conformance/positioning/positioning_ubx.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.satellites.glonass import GlonassEphemerides
from zhidao.positioning.wire.bits import Layout
from zhidao.positioning.wire.rtcm.glonass_1020 import LAYOUT, encode_glonass, glonass_row

_WORDS: Final = 4
_BITS: Final = 85
_HEAD: Final = "idle:1 number:4 "
_CODE: Final = "code:8"
_STRINGS: Final = {
    1: Layout.of(_HEAD + "spare:2 p1:2 tk:12 xv:s24 xa:s5 x:s27 " + _CODE),
    2: Layout.of(_HEAD + "health:3 p2:1 tb:7 spare:5 yv:s24 ya:s5 y:s27 " + _CODE),
    3: Layout.of(_HEAD + "p3:1 gamma:s11 spare:1 p:2 ln3:1 zv:s24 za:s5 z:s27 " + _CODE),
    4: Layout.of(
        _HEAD + "tau:s22 delta_tau:s5 en:5 spare:14 p4:1 ft:4 spare2:3 nt:11 slot:5 m:2 " + _CODE
    ),
    5: Layout.of(_HEAD + "na:11 tau_c:s32 spare:1 n4:5 tau_gps:s22 ln5:1 " + _CODE),
}
_NUMBER: Final = Layout.of(_HEAD)
_EPHEMERIS: Final = (1, 2, 3, 4)
_CODE_BITS: Final = 8


def check_bits(data: int) -> int:
    """The code of 77 bits of data: seven parities of the Hamming positions, then that of all.

    Data bits take, the last one first, the positions that are no powers of two: 3, 5, 6, 7, 9 …
    """
    positions = 0
    place, rest = 3, data
    while rest:
        if rest & 1:
            positions ^= place
        rest >>= 1
        place += 1
        if place & (place - 1) == 0:
            place += 1
    parity = (data.bit_count() + positions.bit_count()) & 1
    return parity << 7 | positions


@dataclass(slots=True)
class StringCollector:
    """Gathers the strings of each satellite until an ephemeris of one frame is whole."""

    _frames: dict[int, tuple[int, dict[int, dict[str, int]]]] = field(default_factory=dict)

    def add(
        self, slot: int, words: Sequence[int], *, channel: int, near_gpst_ns: int
    ) -> dict[str, Any] | None:
        """Takes a string; a row for `glonass_table` once string 4 of a whole frame is there.

        slot: 1 to 32. channel: -7 to 13. words: four, of which the last bears the number of the
        frame. near_gpst_ns: within half a day, where no string tells the year. Raises
        MalformedInput for what is no string.
        """
        if len(words) < _WORDS or not 1 <= slot <= 32 or not -7 <= channel <= 13:
            raise MalformedInput(f"no GLONASS string: R{slot:02d}, {len(words)} words")
        data = b"".join((word & 0xFFFFFFFF).to_bytes(4, "big") for word in words[:3])
        bits = int.from_bytes(data, "big") >> 96 - _BITS
        if check_bits(bits >> _CODE_BITS) != bits & (1 << _CODE_BITS) - 1:
            raise MalformedInput(f"R{slot:02d}: a string whose check bits are wrong")
        number = _NUMBER.read(data)["number"]
        if number not in _STRINGS:
            return None
        known, strings = self._frames.get(slot, (-1, {}))
        if known != words[3]:
            strings = {}
        self._frames[slot] = (words[3], strings)
        strings[number] = _STRINGS[number].read(data)
        whole = all(each in strings for each in _EPHEMERIS)
        if not whole or number not in (4, 5):
            return None
        merged: dict[str, int] = {"n4": 0}
        for each in sorted(strings):
            merged |= strings[each]
        merged |= {"slot": slot, "channel": channel + 7, "bn": merged["health"] >> 2}
        return glonass_row(merged, near_gpst_ns=near_gpst_ns)


def encode_strings(store: GlonassEphemerides, row: int, *, frame: int = 1) -> list[list[int]]:
    """Strings 1 to 5 of an ephemeris, four words each.

    Raises MalformedInput where a value does not fit its field.
    """
    values = LAYOUT.read(encode_glonass(store, row))
    values |= {"health": values["bn"] << 2, "slot": values["slot"] & 31}
    out = []
    for number, form in _STRINGS.items():
        written = form.write(values | {"number": number, "code": 0})
        bits = int.from_bytes(written, "big") << 96 - 8 * len(written)
        bits |= check_bits(bits >> 96 - _BITS + _CODE_BITS) << 96 - _BITS
        out.append([bits >> shift & 0xFFFFFFFF for shift in (64, 32, 0)] + [frame])
    return out
