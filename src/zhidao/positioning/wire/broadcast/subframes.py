"""Subframes from the sky: BDS D1 and D2, GPS and QZSS LNAV, gathered to ephemerides.

Sources: BDS-SIS-ICD-B1I 3.0 sections 5.2 and 5.3, IS-GPS-200 section 20.3.3 (not at hand; field
widths add up to whole subframes, and encoded ephemerides come back). Check bits are not verified:
receivers deliver only words that passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.domain.satellites.ephemeris import Ephemerides
from zhidao.positioning.wire.bits import Layout
from zhidao.positioning.wire.rtcm.ephemeris import encode_ephemeris, raw_of, row_of

_WORDS: Final = 10
_D1_HEAD: Final = "preamble:11 reserved:4 subframe:3 sow:20 "
_D2_HEAD: Final = _D1_HEAD + "page:4 "
_IONOSPHERE: Final = "alpha0:i8 alpha1:i8 alpha2:i8 alpha3:i8 beta0:i8 beta1:i8 beta2:i8 beta3:i8 "
_D1: Final = {
    1: Layout.of(
        _D1_HEAD
        + "health:1 aodc:5 accuracy:4 week:13 toc:17 delay1_s:i10 delay2_s:i10 "
        + _IONOSPHERE
        + "clock_drift_rate:i11 clock_bias_s:i24 clock_drift:i22 issue:5"
    ),
    2: Layout.of(
        _D1_HEAD + "mean_motion_difference:i16 cuc:i18 mean_anomaly:i32 eccentricity:32 cus:i18 "
        "crc:i18 crs:i18 root_a:32 toe_high:2"
    ),
    3: Layout.of(
        _D1_HEAD + "toe_low:15 inclination:i32 cic:i18 node_rate:i24 cis:i18 inclination_rate:i14 "
        "node:i32 perigee:i32 spare:1"
    ),
}
_D2: Final = {
    1: Layout.of(_D2_HEAD + "health:1 aodc:5 accuracy:4 week:13 toc:17 delay1_s:i10 delay2_s:i10"),
    2: Layout.of(_D2_HEAD + _IONOSPHERE),
    3: Layout.of(_D2_HEAD + "spare:38 clock_bias_s:i24 clock_drift_high:i4"),
    4: Layout.of(
        _D2_HEAD + "clock_drift_low:18 clock_drift_rate:i11 issue:5 mean_motion_difference:i16 "
        "cuc_high:i14"
    ),
    5: Layout.of(_D2_HEAD + "cuc_low:4 mean_anomaly:i32 cus:i18 eccentricity_high:10"),
    6: Layout.of(_D2_HEAD + "eccentricity_low:22 root_a:32 cic_high:i10"),
    7: Layout.of(_D2_HEAD + "cic_low:8 cis:i18 toe:17 inclination_high:i21"),
    8: Layout.of(_D2_HEAD + "inclination_low:11 crc:i18 crs:i18 node_rate_high:i19"),
    9: Layout.of(_D2_HEAD + "node_rate_low:5 node:i32 perigee_high:i27"),
    10: Layout.of(_D2_HEAD + "perigee_low:5 inclination_rate:i14"),
}
_LNAV_HEAD: Final = "preamble:8 tlm:14 spare1:2 tow:17 alert:1 spoof:1 subframe:3 spare2:2 "
_LNAV: Final = {
    1: Layout.of(
        _LNAV_HEAD + "week:10 l2_code:2 accuracy:4 health:6 iodc_high:2 l2p:1 spare3:23 spare4:24 "
        "spare5:24 spare6:16 delay1_s:i8 iodc_low:8 toc:16 clock_drift_rate:i8 clock_drift:i16 "
        "clock_bias_s:i22 spare7:2"
    ),
    2: Layout.of(
        _LNAV_HEAD + "issue:8 crs:i16 mean_motion_difference:i16 mean_anomaly:i32 cuc:i16 "
        "eccentricity:32 cus:i16 root_a:32 toe:16 fit:1 spare3:7"
    ),
    3: Layout.of(
        _LNAV_HEAD + "cic:i16 node:i32 cis:i16 inclination:i32 crc:i16 perigee:i32 node_rate:i24 "
        "issue3:8 inclination_rate:i14 spare3:2"
    ),
}
# Values that stand in two parts, and how many of their bits stand in the second.
_LOW_BITS: Final = {
    "clock_drift": 18, "cuc": 4, "eccentricity": 22, "cic": 8, "inclination": 11, "node_rate": 5,
    "perigee": 5, "toe": 15, "iodc": 8,
}  # fmt: skip
_GEO_PRN: Final = (5, 59)
# u-blox signals that bear these messages; others bear CNAV or B-CNAV, whose words look alike.
LEGACY_SIGNALS: Final = {"C": (0, 1, 2, 3, 4, 10), "G": (0,), "J": (0,)}


def _joined(words: Sequence[int], first: int, rest: int) -> bytes:
    """Data bits of ten words of 30 bits, without their check bits, from the left."""
    bits, width = 0, 0
    for index, word in enumerate(words):
        keep = rest if index else first
        bits = bits << keep | (word & 0x3FFFFFFF) >> (30 - keep)
        width += keep
    return (bits << (-width % 8)).to_bytes(-(-width // 8), "big")


def _is_geo(prn: int) -> bool:
    return prn <= _GEO_PRN[0] or prn >= _GEO_PRN[1]


@dataclass(slots=True)
class SubframeCollector:
    """Gathers the subframes of many satellites until an ephemeris is whole and of one issue."""

    _parts: dict[tuple[str, int], dict[int, dict[str, int]]] = field(default_factory=dict)

    def add(
        self, system: str, prn: int, words: Sequence[int], *, near_gpst_ns: int
    ) -> dict[str, Any] | None:
        """Takes ten words of 30 bits; an ephemeris row once the last part of one has come.

        near_gpst_ns: some instant near, which settles the week. Raises MalformedInput for words
        that are no such subframe; systems other than C, G and J give None.
        """
        if system not in "CGJ":
            return None
        if len(words) < _WORDS:
            raise MalformedInput(f"{system}{prn:02d}: a subframe of {len(words)} words")
        number, values = _part(system, prn, words[:_WORDS])
        wanted = _wanted(system, prn)
        if number not in wanted:
            return None
        parts = self._parts.setdefault((system, prn), {})
        parts[number] = values
        if not wanted <= parts.keys():
            return None
        whole = _whole(system, prn, parts)
        if whole is None:
            return None
        self._parts[system, prn] = {}
        return row_of(system, whole | {"prn": prn}, near_gpst_ns=near_gpst_ns)


def _part(system: str, prn: int, words: Sequence[int]) -> tuple[int, dict[str, int]]:
    """Number of a subframe, or of a D2 page (0 for other subframes), and its values."""
    if system in "GJ":
        data = _joined(words, 24, 24)
        head = Layout.of(_LNAV_HEAD).read(data)
        number = head["subframe"]
        return number, _LNAV[number].read(data) if number in _LNAV else head
    data = _joined(words, 26, 22)
    head = Layout.of(_D2_HEAD).read(data)
    if not _is_geo(prn):
        number = head["subframe"]
        return number, _D1[number].read(data) if number in _D1 else head
    number = head["page"] if head["subframe"] == 1 else 0
    return number, _D2[number].read(data) if number in _D2 else head


def _wanted(system: str, prn: int) -> set[int]:
    if system == "C" and _is_geo(prn):
        return set(_D2) - {2}
    return {1, 2, 3}


def _whole(system: str, prn: int, parts: dict[int, dict[str, int]]) -> dict[str, int] | None:
    """All values together, or None where the parts belong to different issues."""
    if system in "GJ":
        one = parts[1]["iodc_low"]
        return _merged(parts) if parts[2]["issue"] == parts[3]["issue3"] == one else None
    seconds = [parts[n]["sow"] for n in sorted(_wanted(system, prn))]
    # Parts of one message follow each other: D1 every 6 s, D2 pages every 3 s.
    step = 3 if _is_geo(prn) else 6
    first, pages = min(_wanted(system, prn)), sorted(_wanted(system, prn))
    due = [(seconds[0] + step * (page - first)) % 604_800 for page in pages]
    return _merged(parts) if seconds == due else None


def _merged(parts: dict[int, dict[str, int]]) -> dict[str, int]:
    values: dict[str, int] = {}
    for part in parts.values():
        values |= part
    for name, low in _LOW_BITS.items():
        if name + "_low" in values:
            values[name] = (values[name + "_high"] << low) | values[name + "_low"]
    return values


def encode_subframes(store: Ephemerides, row: int, *, second_of_week: int) -> list[list[int]]:
    """The subframes (LNAV, D1) or pages (D2) of an ephemeris as ten words each, check bits zero.

    second_of_week: of the first of them, a whole number; BDT for BDS.
    """
    if SYSTEMS[int(store.satellite[row]) // 100] in "GJ":
        return _encode_lnav(store, row, second_of_week)
    prn = int(store.satellite[row]) % 100
    values = raw_of(encode_ephemeris(store, row))
    for name, low in _LOW_BITS.items():
        if name in values:
            values[name + "_high"] = values[name] >> low
            values[name + "_low"] = values[name] & ((1 << low) - 1)
    layouts = _D2 if _is_geo(prn) else _D1
    step = 3 if _is_geo(prn) else 6
    out = []
    for number, layout in layouts.items():
        head = {
            "preamble": 0b11100010010,
            "subframe": 1 if _is_geo(prn) else number,
            "page": number,
            "sow": (second_of_week + step * (number - 1)) % 604_800,
        }
        out.append(_words(layout.write({k: v for k, v in values.items() if k not in head} | head)))
    return out


def _encode_lnav(store: Ephemerides, row: int, second_of_week: int) -> list[list[int]]:
    values = raw_of(encode_ephemeris(store, row))
    values |= {"preamble": 0b10001011, "iodc_high": values["iodc"] >> 8, "issue3": values["issue"]}
    values["iodc_low"] = values["iodc"] & 0xFF
    out = []
    for number, layout in _LNAV.items():
        # The count in the second word is of the start of the next subframe, in units of 6 s.
        turn = (second_of_week // 6 + number) % 100_800
        bits = int.from_bytes(layout.write(values | {"subframe": number, "tow": turn}), "big")
        out.append([(bits >> 24 * (9 - word) & 0xFFFFFF) << 6 for word in range(_WORDS)])
    return out


def _words(data: bytes) -> list[int]:
    """Ten words of a BDS subframe with zeros for check bits."""
    total = 26 + 9 * 22
    bits = int.from_bytes(data.ljust(-(-total // 8), b"\0"), "big")
    bits >>= 8 * max(len(data), -(-total // 8)) - total
    words = []
    for _ in range(_WORDS - 1):
        words.append((bits & ((1 << 22) - 1)) << 8)
        bits >>= 22
    words.append(bits << 4)
    return words[::-1]
