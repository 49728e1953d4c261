"""UBX: every broadcast message of a day as a u-blox receiver would log it, read again by RTKLIB.

Galileo pages and GLONASS strings are also checked there by their CRC and Hamming code.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from conformance.rivals import rival
from conformance.verdicts import NO_DATA, judged

SUITE = "positioning-ubx"
_DAY = "esbc_2020177/ESBC00DNK_R_20201770000_01D_MN.rnx.gz"
# The decoder of Galileo wants a word of type 6, which is put behind the others.
RTKLIB = """
import json, pyrtklib5 as r, sys
raw = r.raw_t()
r.init_raw(raw, r.STRFMT_UBX)
out = []
prn = r.Arr1Dint(1)
for byte in open(sys.argv[1], "rb").read():
    if r.input_ubx(raw, byte) == 2:
        system = r.satsys(raw.ephsat, prn)
        if system == r.SYS_GLO:
            e = raw.nav.geph[prn[0] - 1]
            values = [*[e.pos[i] for i in range(3)], *[e.vel[i] for i in range(3)]]
            values += [*[e.acc[i] for i in range(3)], e.taun, e.gamn, e.frq]
            out.append(["R", prn[0], e.toe.time, values])
        else:
            e = raw.nav.eph[raw.ephsat - 1]
            letter = {r.SYS_GPS: "G", r.SYS_CMP: "C", r.SYS_GAL: "E", r.SYS_QZS: "J"}[system]
            number = prn[0] - (192 if letter == "J" else 0)
            values = [e.M0, e.e, e.A**0.5, e.deln, e.OMG0, e.OMGd, e.i0, e.idot, e.omg, e.crs]
            values += [e.crc, e.cus, e.cuc, e.cis, e.cic, e.f0, e.f1, e.f2, e.tgd[0]]
            out.append([letter, number, e.toe.time, values])
print(json.dumps({"rows": out}))
"""
_ORBIT = (
    "mean_anomaly eccentricity root_a mean_motion_difference node node_rate inclination "
    "inclination_rate perigee crs crc cus cuc cis cic clock_bias_s clock_drift clock_drift_rate "
    "delay1_s"
).split()


def run(shared: Path | None) -> dict[str, Any]:
    """The report; a case is one ephemeris."""
    file = shared / "positioning" / _DAY if shared else None
    if file is None or not file.is_file():
        return {"suite": SUITE, "skipped": NO_DATA}
    from zhidao.positioning.wire.rinex.navigation import WITH_GLONASS, read_navigation

    navigation = read_navigation(file.read_bytes(), messages=WITH_GLONASS)
    with TemporaryDirectory() as folder:
        stream = Path(folder) / "day.ubx"
        stream.write_bytes(_stream(navigation))
        told = rival(RTKLIB, str(stream))
    if told is None:
        return {"suite": SUITE, "skipped": "pyrtklib5 cannot be installed"}
    found = {(letter, prn, toe): values for letter, prn, toe, values in told["rows"]}
    return judged(SUITE, _cases(navigation, found))


def _stream(navigation: Any) -> bytes:
    """All messages, each after the head of an epoch half an hour before its reference time."""
    from zhidao.positioning.wire.broadcast.inav import page_words
    from zhidao.positioning.wire.receivers.ubx import RAWX, Subframe, UbxMessage
    from zhidao.positioning.wire.streams import broadcast_messages

    out = []
    for toe_ns, messages in broadcast_messages(navigation):
        week, second = divmod(toe_ns // 10**9 - 1800, 604_800)
        head = struct.pack("<dHbBB3s", float(second), week, 18, 0, 1, b"\0\0\0")
        out.append(UbxMessage(RAWX, head).encode())
        first = Subframe.decode(messages[0])
        if first.system == "E":
            utc = tuple(page_words(bytes([6 << 2]) + bytes(15)))
            out.append(Subframe("E", first.prn, first.signal, utc).encode().encode())
        out += [message.encode() for message in messages]
    return b"".join(out)


def _cases(navigation: Any, found: dict[Any, list[float]]) -> Iterator[tuple[str, bool]]:
    from zhidao.core.timescale import Gpst
    from zhidao.positioning.domain.observables.signals import SYSTEMS

    unix_zero = 315_964_800  # GPST's zero; RTKLIB counts GPST as if it were UTC.
    orbits = navigation.ephemerides
    for row in range(len(orbits)):
        letter, prn = SYSTEMS[orbits.satellite[row] // 100], int(orbits.satellite[row]) % 100
        toe = int(orbits.toe_ns[row]) // 10**9 + unix_zero
        ours = [float(getattr(orbits, name)[row]) for name in _ORBIT]
        yield (
            f"{letter}{prn:02d} {Gpst(int(orbits.toe_ns[row])).to_utc()}",
            _same(ours, found.get((letter, prn, toe))),
        )
    glonass = navigation.glonass
    for row in range(len(glonass)):
        prn = int(glonass.satellite[row]) % 100
        toe = int(glonass.toe_ns[row]) // 10**9 + unix_zero
        ours = [
            *glonass.place_m[row].tolist(),
            *glonass.velocity_mps[row].tolist(),
            *glonass.acceleration_mps2[row].tolist(),
            *(float(-glonass.clock_s[row]), float(glonass.clock_rate[row])),
            float(glonass.channel[row]),
        ]
        name = f"R{prn:02d} {Gpst(int(glonass.toe_ns[row])).to_utc()}"
        yield name, _same(ours, found.get(("R", prn, toe)))


def _same(ours: list[float], theirs: list[float] | None) -> bool:
    return theirs is not None and bool(np.allclose(ours, theirs, rtol=1e-9, atol=1e-20))
