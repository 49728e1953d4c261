"""The parsers of positioning that get damaged input, the good input of each, and the damage."""

from __future__ import annotations

import random
from collections.abc import Callable

NEAR_NS = 1_444_000_000 * 10**9
Parser = Callable[[bytes], object]


def _observations(version: str) -> bytes:
    from zhidao.core.timescale import Gpst, Utc
    from zhidao.positioning.domain.synthesis.constellation import constellation
    from zhidao.positioning.domain.synthesis.receiver import Receiver, synthesize
    from zhidao.positioning.domain.synthesis.routes import rest
    from zhidao.positioning.wire.rinex.writing import write_observations

    start = Utc.parse("2026-11-21T06:00:00Z")
    way = rest((44.2, 80.4, 700.0), first_gpst_ns=Gpst.from_utc(start).ns, step_s=30, epochs=3)
    navigation = constellation(start, start.plus_ns(10**9), seed=1)
    seen = synthesize(Receiver(way.gpst_ns, way.ecef_m), navigation, seed=1)
    return write_observations(seen, version=version)


def _navigation(version: str) -> bytes:
    from zhidao.core.timescale import Utc
    from zhidao.positioning.domain.satellites.ephemeris import Navigation
    from zhidao.positioning.domain.synthesis.constellation import KLOBUCHAR, constellation
    from zhidao.positioning.wire.rinex.writing import write_navigation

    start = Utc.parse("2026-11-21T06:00:00Z")
    table = constellation(start, start.plus_ns(10**9), seed=1).ephemerides
    few = table.take(list(range(0, len(table), 40)))  # type: ignore[arg-type]
    return write_navigation(Navigation(few, KLOBUCHAR, simulated=True), version=version)


def _rinex2() -> tuple[bytes, ...]:
    from tests.positioning.wire.test_rinex_versions import EVENT, HEAD, LATER, NAV2, SLIP, TWO

    return (HEAD + TWO + SLIP + EVENT + LATER).encode(), NAV2.encode()


def _compact() -> bytes:
    import hatanaka

    return bytes(hatanaka.rnx2crx(_observations("3.05")))


def _rtcm() -> bytes:
    from zhidao.positioning.wire.rinex.navigation import read_navigation
    from zhidao.positioning.wire.rinex.observation_files import read_observations
    from zhidao.positioning.wire.streams import rtcm_stream

    seen = read_observations(_observations("3.05"))
    return rtcm_stream(seen, read_navigation(_navigation("3.05")))


def _ubx() -> bytes:
    from zhidao.positioning.wire.rinex.navigation import read_navigation
    from zhidao.positioning.wire.rinex.observation_files import read_observations
    from zhidao.positioning.wire.streams import ubx_stream

    seen = read_observations(_observations("3.05"))
    return ubx_stream(seen, read_navigation(_navigation("3.05")))


SP3 = b"""#cP2020  6 25  0  0  0.00000000       2 ORBIT IGS14 FIT  GRG
## 2111 345600.00000000   900.00000000 59025 0.0000000000000
+    2   G01E02
%c M  cc GPS ccc cccc cccc cccc cccc ccccc ccccc ccccc ccccc
*  2020  6 25  0  0  0.00000000
PG01  13112.353914 -12345.654321  19000.111111    -12.345678
PE02  23112.353914   2345.654321  18000.111111 999999.999999
*  2020  6 25  0 15  0.00000000
PG01  13113.353914 -12345.654321  19000.111111    -12.345678
PE02      0.000000      0.000000      0.000000    -12.345678
EOF
"""
CLOCKS = b"""     3.00           CLOCK DATA          G                   RINEX VERSION / TYPE
                                                            END OF HEADER
AS G01  2020 06 25 00 00  0.000000  1    1.234567890123e-05
AS E02  2020 06 25 00 00 30.000000  2    1.234567890123e-05  1.0e-11
"""
SENTENCES = (
    b"$GNGGA,064230.00,4417.9907689,N,08035.9786885,E,1,12,,729.810,M,0.0,M,,*64\r\n"
    b"$GNRMC,225446,A,4916.45,N,12311.12,W,000.5,054.7,191194,020.3,E*76\r\n"
    b"$BDGLL,4916.45,N,12311.12,W,225444,A*32\r\n"
)


def _each_rtcm(data: bytes) -> None:
    """The payload itself, as if its checksum had held."""
    from zhidao.core.errors import MalformedInput
    from zhidao.positioning.service.decoding import rtcm_rows
    from zhidao.positioning.wire.rtcm.ephemeris import decode_ephemeris
    from zhidao.positioning.wire.rtcm.frame import frame
    from zhidao.positioning.wire.rtcm.glonass_1020 import decode_glonass

    payload = data[:1023]
    list(rtcm_rows(frame(payload)))
    for read in (decode_ephemeris, decode_glonass):
        try:
            read(payload, near_gpst_ns=NEAR_NS)
        except MalformedInput:
            continue


B2B_LOG = b"".join(
    b"2380 %d 59 %d 61 %s\n"
    % (345_600 + n, kind, (bytes([kind << 2]) + bytes(range(60))).hex().encode())
    for n, kind in enumerate((1, 2, 3, 4, 6, 7, 63))
)
SITE = b"""{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name":
"yard"}, "geometry": {"type": "Polygon", "coordinates": [[[80.40, 44.20], [80.41, 44.20],
[80.41, 44.21, 700.0], [80.40, 44.21], [80.40, 44.20]]]}}]}"""


def _antennas() -> list[bytes]:
    from tests.positioning.wire.precise.test_antex import TEXT

    return [TEXT.encode()]


def _evidence() -> list[bytes]:
    from zhidao.core.timescale import Utc
    from zhidao.positioning.domain.solver_settings import Settings
    from zhidao.positioning.events import Site
    from zhidao.positioning.service.evaluation import evaluate
    from zhidao.positioning.wire.position_evidence import Question

    at = Utc.parse("2026-11-21T06:00:00Z")
    site = Site(
        name="yard", latitude_ndeg=44_200_000_000, longitude_ndeg=80_400_000_000, radius_mm=100_000
    )
    question = Question(
        consignment="c",
        terminal="t",
        site=site,
        not_before=str(at),
        not_after=str(at.plus_ns(10**12)),
        risk_ppb=10_000,
    )
    return [evaluate(question, _observations("3.05"), _navigation("3.05"), Settings())]


NTRIP = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n8\r\n01234567\r\n0\r\n",
    b"SOURCETABLE 200 OK\r\n\r\nSTR;N;K;RTCM 3;1;2;G;N;KAZ;44;80;0;0;g;n;B;N;96;\r\nENDSOURCETABLE",
    b"ICY 200 OK\r\n\r\n\xd3\x00\x04abcd",
)


def _ntrip(data: bytes) -> None:
    """In two pieces, as a caster's answer and then as a table."""
    from zhidao.core.errors import ZhidaoError
    from zhidao.positioning.wire.receivers.ntrip import AnswerReader, sources_of

    reader = AnswerReader(wants_table=True)
    try:
        for part in (data[: len(data) // 2], data[len(data) // 2 :]):
            list(reader.feed(part))
    except ZhidaoError:
        pass
    sources_of(data)


def _pages(data: bytes) -> None:
    """Words of broadcast messages as if their UBX frames had held: of one satellite a system."""
    import struct
    from contextlib import suppress

    from zhidao.core.errors import MalformedInput
    from zhidao.positioning.wire.broadcast.glonass_strings import StringCollector
    from zhidao.positioning.wire.broadcast.inav import InavCollector
    from zhidao.positioning.wire.broadcast.subframes import SubframeCollector

    galileo, strings, legacy = InavCollector(), StringCollector(), SubframeCollector()
    words = struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
    for start in range(0, len(words), 8):
        with suppress(MalformedInput):
            galileo.add(11, words[start : start + 8], near_gpst_ns=NEAR_NS)
    for start in range(0, len(words), 4):
        with suppress(MalformedInput):
            strings.add(7, words[start : start + 4], channel=0, near_gpst_ns=NEAR_NS)
    for start in range(0, len(words), 10):
        for system, prn in (("C", 3), ("C", 20), ("G", 5)):
            with suppress(MalformedInput):
                legacy.add(system, prn, words[start : start + 10], near_gpst_ns=NEAR_NS)


def _page_inputs() -> list[bytes]:
    """Pages, strings and subframes of an ephemeris each; without check bits that would refuse."""
    import struct

    from zhidao.positioning.wire.broadcast.inav import page_words
    from zhidao.positioning.wire.broadcast.subframes import encode_subframes
    from zhidao.positioning.wire.rinex.navigation import read_navigation

    store = read_navigation(_navigation("3.05")).ephemerides
    pages = [word for kind in range(6) for word in page_words(bytes([kind << 2]) + bytes(15))]
    subframes = [
        word
        for row in range(min(len(store), 6))
        for part in encode_subframes(store, row, second_of_week=518_400)
        for word in part
    ]
    strings = [
        number << 27 if place == 0 else 0 for number in (1, 2, 3, 4, 5) for place in range(4)
    ]
    return [struct.pack(f"<{len(each)}I", *each) for each in (pages, subframes, strings)]


def _msm(data: bytes) -> None:
    from zhidao.core.timescale import Gpst
    from zhidao.positioning.wire.rtcm.msm import decode_msm
    from zhidao.positioning.wire.rtcm.msm_observations import observations_of

    table = decode_msm([data[:1023]])
    if len(table.number):
        observations_of(table, near=Gpst(NEAR_NS).to_utc())


def parser(name: str) -> Parser:
    """The parser of a name; heavy imports happen here, before anything is measured."""
    import numpy as np

    from zhidao.core.timescale import Gpst
    from zhidao.positioning.service.recordings import read_recordings
    from zhidao.positioning.wire.geojson import read_site
    from zhidao.positioning.wire.position_evidence import PositionEvidence
    from zhidao.positioning.wire.precise import ppp_b2b
    from zhidao.positioning.wire.precise.antex import read_antennas
    from zhidao.positioning.wire.precise.b2b_log import corrections_at, read_b2b_log
    from zhidao.positioning.wire.precise.sp3 import read_clocks, read_sp3
    from zhidao.positioning.wire.receivers import nmea
    from zhidao.positioning.wire.recognition import kind_of
    from zhidao.positioning.wire.rinex.compact import read_compact
    from zhidao.positioning.wire.rinex.concatenation import parts_of
    from zhidao.positioning.wire.rinex.navigation import WITH_GLONASS, read_navigation
    from zhidao.positioning.wire.rinex.observation_files import read_observations

    civil = {**WITH_GLONASS, "C": ("D1", "D2", "CNV1", "CNV2"), "G": ("LNAV", "CNAV")}
    near = Gpst(NEAR_NS).to_utc()
    return {
        "observations": lambda d: read_observations(d, bytes_max=1 << 20),
        "observations_compiled": lambda d: read_observations(d, bytes_max=1 << 20),
        "observations_2": lambda d: read_observations(d, bytes_max=1 << 20),
        "observations_compact": lambda d: read_observations(d, bytes_max=1 << 20),
        # What the kernel cannot read goes the way of "observations_compact".
        "compact_compiled": lambda d: read_compact(d, ""),
        "navigation": lambda d: read_navigation(d, messages=civil),
        "navigation_2": lambda d: read_navigation(d, messages=WITH_GLONASS),
        "navigation_4": lambda d: read_navigation(d, messages=civil),
        "orbits": read_sp3,
        "clocks": read_clocks,
        "rtcm_stream": lambda d: read_recordings([("f", d)], near=near),
        "rtcm_messages": _each_rtcm,
        "msm": _msm,
        "msm_compiled": _msm,
        "ubx": lambda d: read_recordings([("f", d)]),
        "pages": _pages,
        "several": lambda d: parts_of(d, bytes_max=1 << 20),
        "nmea": lambda d: [nmea.fix_of(sentence) for sentence in nmea.sentences(d)],
        "b2b": ppp_b2b.decode_b2b,
        "ntrip": _ntrip,
        "recognition": kind_of,
        "antennas": lambda d: read_antennas(d, gpst_ns=NEAR_NS),
        "b2b_log": lambda d: corrections_at(read_b2b_log(d), np.array([NEAR_NS])),
        "site": lambda d: read_site(d, name="yard"),
        "evidence": PositionEvidence.decode,
    }[name]


def good_inputs(name: str) -> list[bytes]:
    """Undamaged input of a parser, from our own writers or as its format is written."""
    from zhidao.positioning.wire.rinex.concatenation import concatenated
    from zhidao.positioning.wire.rtcm.frame import message_number, payloads
    from zhidao.positioning.wire.rtcm.msm import is_msm

    if name in ("observations", "observations_compiled"):
        return [_observations("3.05"), _observations("4.00")]
    if name in ("rtcm_messages", "msm", "msm_compiled"):
        all_of_them = payloads(_rtcm())
        msm = [p for p in all_of_them if is_msm(message_number(p))]
        return msm if name != "rtcm_messages" else all_of_them[:6] + msm[:2]
    return {
        "observations_2": lambda: [_rinex2()[0]],
        "observations_compact": lambda: [_compact()],
        "compact_compiled": lambda: [_compact()],
        "navigation": lambda: [_navigation("3.05")],
        "navigation_2": lambda: [_rinex2()[1]],
        "navigation_4": lambda: [_navigation("4.00")],
        "orbits": lambda: [SP3],
        "clocks": lambda: [CLOCKS],
        "rtcm_stream": lambda: [_rtcm()[-2_000:]],
        "ubx": lambda: [_ubx()[-3_000:]],
        "pages": _page_inputs,
        "several": lambda: [concatenated([_rinex2()[1]] * 3, bytes_max=1 << 20), _rinex2()[1] * 2],
        "nmea": lambda: [SENTENCES],
        "b2b": lambda: [bytes(range(61)), bytes(61)],
        "ntrip": lambda: list(NTRIP),
        "recognition": lambda: [SP3, CLOCKS, SENTENCES, _rinex2()[0]],
        "antennas": _antennas,
        "b2b_log": lambda: [B2B_LOG],
        "site": lambda: [SITE],
        "evidence": _evidence,
    }[name]()


# The quickest first; last what starts a program of the hatanaka package for each input.
PARSERS = (
    *("b2b", "recognition", "ntrip", "nmea", "site", "antennas", "orbits", "b2b_log", "evidence"),
    *("several", "pages"),
    *("navigation_2", "navigation", "navigation_4", "rtcm_messages", "compact_compiled"),
    *("observations_2", "msm_compiled", "msm", "clocks", "observations_compiled", "observations"),
    *("ubx", "rtcm_stream", "observations_compact"),
)


def changed(seeds: list[bytes], chance: random.Random) -> bytes:
    """A good input after one to three changes of a kind that damage or malice makes."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 3)):
        if not data:
            break
        at = chance.randrange(len(data))
        kind = chance.randrange(8)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at] = chance.choice(b" 0919.-+:>\n\r\x00\xffDE")
        elif kind == 2:
            del data[at : at + chance.choice((1, 2, 16, 80))]
        elif kind == 3:
            data[at:at] = data[chance.randrange(len(data)) :][: chance.choice((1, 3, 16, 81))]
        elif kind == 4:
            data[at:at] = chance.choice((b"\n", b"-", b"9" * 14, b"\r\n", b"nan", b"1e999"))
        elif kind == 5 and chance.random() < 0.3:
            del data[at:]
        elif kind == 6:
            other = chance.choice(seeds)
            start = chance.randrange(len(other)) if other else 0
            data[at : at + 40] = other[start : start + chance.choice((4, 40, 200))]
        else:
            data[at : at + 4] = chance.randbytes(4)
    return bytes(data[:20_000])
