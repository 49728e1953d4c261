"""Galileo I/NAV pages, as receivers give them word by word, to ephemerides and back.

A nominal page is an even and an odd part of 120 bits, each in four words of 32 bits: 1 bit even or
odd, 1 bit page type (alert pages are passed over), then 112 and 16 bits of data; CRC-24Q over both
parts without their tails. Five word types make an ephemeris; 1 to 4 bear its issue.

Source: Galileo OS SIS ICD 2.1 sections 4.3.2 and 4.3.5 (not at hand; field widths add up to 128
bits, scales are those of RTCM 1046, and RTKLIB reads the same of what is written here:
`conformance/positioning/positioning_ubx.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.satellites.ephemeris import Ephemerides
from zhidao.positioning.wire.bits import Layout
from zhidao.positioning.wire.rtcm.ephemeris import encode_ephemeris, raw_of, row_of
from zhidao.positioning.wire.rtcm.frame import crc24q

PAGE_WORDS: Final = 8
# u-blox signals of F/NAV (E5a), whose pages are others.
FNAV_SIGNALS: Final = (3, 4)
_WEEK_S: Final = 604_800
_HEAD: Final = "type:6 issue:10 "
_TYPES: Final = {
    1: Layout.of(_HEAD + "toe:14 mean_anomaly:i32 eccentricity:32 root_a:32 reserved:2"),
    2: Layout.of(_HEAD + "node:i32 inclination:i32 perigee:i32 inclination_rate:i14 reserved:2"),
    3: Layout.of(
        _HEAD + "node_rate:i24 mean_motion_difference:i16 cuc:i16 cus:i16 crc:i16 crs:i16 "
        "accuracy:8"
    ),
    4: Layout.of(
        _HEAD + "prn:6 cic:i16 cis:i16 toc:14 clock_bias_s:i31 clock_drift:i21 "
        "clock_drift_rate:i6 spare:2"
    ),
    5: Layout.of(
        "type:6 ai0:11 ai1:i11 ai2:i14 regions:5 delay1_s:i10 delay2_s:i10 e5b_health:2 health:2 "
        "e5b_invalid:1 invalid:1 week:12 tow:20 spare:23"
    ),
}
_TYPE: Final = Layout.of("type:6")
# The spare word tells the time; other decoders wait for it.
_TIME: Final = Layout.of("type:6 time:2 spare:88 week:12 tow:20")
_HAS_TIME: Final = 2


def page_data(words: Sequence[int]) -> bytes:
    """The 128 bits of data of a nominal page; empty for an alert page.

    Raises MalformedInput for fewer than eight words, parts in the wrong order, or a wrong CRC.
    """
    if len(words) < PAGE_WORDS:
        raise MalformedInput(f"an I/NAV page of {len(words)} words")
    even, odd = (_bits(words[start : start + 4]) for start in (0, 4))
    if even >> 127 != 0 or odd >> 127 != 1:
        raise MalformedInput("an I/NAV page whose parts are not even and odd")
    if even >> 126 & 1 or odd >> 126 & 1:
        return b""
    # Without tails: 114 bits of the even part, 82 of the odd one before its CRC.
    checked = (even >> 14) << 82 | odd >> 46
    if crc24q(checked.to_bytes(25, "big")) != odd >> 22 & 0xFFFFFF:
        raise MalformedInput("an I/NAV page whose CRC is wrong")
    data = (even >> 14 & ((1 << 112) - 1)) << 16 | odd >> 110 & 0xFFFF
    return data.to_bytes(16, "big")


def _bits(words: Sequence[int]) -> int:
    out = 0
    for word in words:
        out = out << 32 | (word & 0xFFFFFFFF)
    return out


def page_words(data: bytes) -> list[int]:
    """Eight words of a nominal page with its CRC; reserved bits and tails are zero."""
    whole = int.from_bytes(data, "big")
    even = whole >> 16 << 14
    head = (0b10 << 126) | (whole & 0xFFFF) << 110
    checked = (even >> 14) << 82 | head >> 46
    odd = head | crc24q(checked.to_bytes(25, "big")) << 22
    return [part >> shift & 0xFFFFFFFF for part in (even, odd) for shift in (96, 64, 32, 0)]


@dataclass(slots=True)
class InavCollector:
    """Gathers the word types of each satellite until an ephemeris is whole and of one issue."""

    _parts: dict[int, dict[int, dict[str, int]]] = field(default_factory=dict)

    def add(self, prn: int, words: Sequence[int], *, near_gpst_ns: int) -> dict[str, Any] | None:
        """Takes a page; an ephemeris row once the last part of one has come.

        Raises MalformedInput for what is no page.
        """
        data = page_data(words)
        kind = _TYPE.read(data)["type"] if data else 0
        if kind not in _TYPES:
            return None
        parts = self._parts.setdefault(prn, {})
        parts[kind] = _TYPES[kind].read(data)
        if len(parts) < len(_TYPES) or len({parts[n]["issue"] for n in (1, 2, 3, 4)}) > 1:
            return None
        whole = _merged(parts)
        # The clock and the orbit are taken once; word type 5 stays, since it bears no issue.
        self._parts[prn] = {5: parts[5]}
        if whole["prn"] != prn:
            raise MalformedInput(f"E{prn:02d}: the pages say that they are of E{whole['prn']:02d}")
        return row_of("E", whole, near_gpst_ns=near_gpst_ns)


def _merged(parts: Mapping[int, Mapping[str, int]]) -> dict[str, int]:
    whole: dict[str, int] = {}
    for number in sorted(parts):
        whole |= parts[number]
    # The page tells the week of its sending; a row wants that of the reference time.
    return whole | {"week": whole["week"] + round((whole["tow"] - 60 * whole["toe"]) / _WEEK_S)}


def encode_pages(store: Ephemerides, row: int, *, second_of_week: int) -> list[list[int]]:
    """The pages of the time and of an ephemeris, eight words each. second_of_week: of all, GST.

    Raises MalformedInput where a value does not fit its field.
    """
    values = raw_of(encode_ephemeris(store, row))
    toe_s = 60 * values["toe"]
    week = (values["week"] - round((second_of_week - toe_s) / _WEEK_S)) % 4096
    values |= {"tow": second_of_week % _WEEK_S, "week": week, "e5b_health": values["health"]}
    pages = [form.write(values | {"type": kind}) for kind, form in _TYPES.items()]
    return [page_words(page) for page in (_TIME.write(values | {"time": _HAS_TIME}), *pages)]
