"""RTCM 3: every field that is read here against pyrtcm, on every message of recorded streams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from conformance.rivals import rival
from conformance.verdicts import NO_DATA, judged

SUITE = "positioning-rtcm"
PYRTCM = """
import json, pyrtcm, sys
from pyrtcm.rtcmtypes_core import RTCM_DATA_FIELDS as D
out = []
for raw, m in pyrtcm.RTCMReader(open(sys.argv[1], "rb")):
    if m is None:
        continue
    names = [n for n in vars(m) if n[:2] in ("DF", "PR", "CE", "Ex", "NS", "NC")]
    steps = {n: D.get(n.split("_")[0], D.get(n, ("", 0, 0)))[2] for n in names}
    fields = [(n, getattr(m, n), steps[n]) for n in names]
    out.append({"number": int(m.identity), "fields": fields})
print(json.dumps({"messages": out}))
"""
_BIASES = {"DF423": "1C", "DF424": "1P", "DF425": "2C", "DF426": "2P"}


def run(shared: Path | None) -> dict[str, Any]:
    """The report; a case is one message."""
    folder = shared / "positioning" / "rtcm3" if shared else None
    if folder is None or not folder.is_dir():
        return {"suite": SUITE, "skipped": NO_DATA}
    cases: list[tuple[str, bool]] = []
    for file in sorted(folder.iterdir()):
        told = rival(PYRTCM, str(file))
        if told is None:
            return {"suite": SUITE, "skipped": "pyrtcm cannot be installed"}
        cases += _compared(file.name, file.read_bytes(), told["messages"])
    return judged(SUITE, cases)


def _compared(name: str, data: bytes, theirs: list[Any]) -> Iterator[tuple[str, bool]]:
    from zhidao.positioning.wire.rtcm.frame import message_number, payloads
    from zhidao.positioning.wire.rtcm.msm import is_msm

    ours = payloads(data)
    # pyrtcm stops at a frame that the recording cuts; ours finds no frame there either.
    yield f"{name}: as many messages", len(ours) == len(theirs)
    for index, (payload, other) in enumerate(zip(ours, theirs, strict=False)):
        number = message_number(payload)
        case = f"{name} #{index} {number}"
        if number != other["number"]:
            yield f"{case}: they read {other['number']}", False
        elif is_msm(number):
            yield case, _same_cells(payload, {n: v for n, v, _ in other["fields"]})
        elif (layout := _layout(number)) is not None:
            yield case, _same_fields(layout, payload, other["fields"])
        elif number == 1230:
            yield case, _same_biases(payload, {n: v for n, v, _ in other["fields"]})
        elif number == 1029:
            yield case, _same_text(payload, {n: v for n, v, _ in other["fields"]})


def _layout(number: int) -> Any:
    from zhidao.positioning.wire.rtcm import ephemeris, glonass_1020, station

    if number == glonass_1020.NUMBER:
        return glonass_1020.LAYOUT
    if number in ephemeris._MESSAGES:
        return ephemeris._MESSAGES[number].layout
    return station._LAYOUT.get(number)


def _same_fields(layout: Any, payload: bytes, theirs: list[Any]) -> bool:
    """Fields stand in the order of the message in both; theirs are scaled where they have steps."""
    if len(layout.fields) != len(theirs):
        return False
    found = layout.read(payload)
    pairs = zip([found[field.name] for field in layout.fields], theirs, strict=True)
    return all(_same(raw * step if step else raw, value) for raw, (_, value, step) in pairs)


def _same(one: float, other: Any) -> bool:
    return abs(one - float(other)) <= 1e-12 * max(1.0, abs(one))


def _same_biases(payload: bytes, theirs: dict[str, Any]) -> bool:
    from zhidao.positioning.wire.rtcm.station import GlonassBiases

    ours = GlonassBiases.decode(payload).bias_m
    return ours == {_BIASES[n]: float(v) for n, v in theirs.items() if n in _BIASES}


def _same_text(payload: bytes, theirs: dict[str, Any]) -> bool:
    from zhidao.positioning.wire.rtcm.text import TextMessage

    ours = TextMessage.decode(payload)
    numbers = (ours.station, ours.mjd, ours.second)
    return (*numbers, ours.text) == (
        *(theirs[f"DF{n}"] for n in ("003", "051", "052")),
        theirs["DF140"],
    )


def _same_cells(payload: bytes, theirs: dict[str, Any]) -> bool:
    """Rough and fine parts together, lock, half cycle and strength of every cell."""
    from zhidao.positioning.wire.rtcm.msm import METRES_A_MS, plain_msm

    table = plain_msm([payload])
    count = int(theirs["NCell"])
    if len(table.satellite) != count:
        return False
    satellites = [int(theirs[f"PRN_{n:02d}"]) for n in range(1, int(theirs["NSat"]) + 1)]
    # SBAS: pyrtcm names satellites from 120 on, QZSS from 193 on.
    names = {s: index + 1 for index, s in enumerate(satellites)}
    fine = "DF405_01" in theirs
    codes = ("DF405", "DF406", "DF407", "DF408") if fine else ("DF400", "DF401", "DF402", "DF403")
    for cell in range(count):
        place = f"_{cell + 1:02d}"
        at = f"_{names[int(theirs['CELLPRN' + place])]:02d}"
        rough = theirs["DF397" + at] + theirs["DF398" + at]
        bits = (20, 24, 29, 31) if fine else (15, 22, 24, 29)
        for column, code, width, step in (
            (table.range_m, codes[0], bits[0], bits[2]),
            (table.phase_m, codes[1], bits[1], bits[3]),
        ):
            value = theirs[code + place]
            absent = theirs["DF397" + at] == 255 or value == -(2.0 ** (width - 1 - step))
            if absent != bool(np.isnan(column[cell])):
                return False
            if not absent and abs((rough + value) * METRES_A_MS - column[cell]) > 1e-6:
                return False
        same = (
            table.lock[cell] == theirs[codes[2] + place]
            and table.half[cell] == bool(theirs["DF420" + place])
            and table.strength_dbhz[cell] == theirs[codes[3] + place]
        )
        if not same or not _same_rate(table.rate_mps[cell], theirs, at, place):
            return False
    return True


def _same_rate(ours: float, theirs: dict[str, Any], at: str, place: str) -> bool:
    if "DF404" + place not in theirs:
        return bool(np.isnan(ours))
    rough, small = theirs["DF399" + at], theirs["DF404" + place]
    if rough == -8192 or abs(small + 1.6384) < 1e-9:
        return bool(np.isnan(ours))
    return abs(rough + small - ours) < 1e-9
