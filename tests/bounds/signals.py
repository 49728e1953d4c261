"""Bounds of positioning."""

from __future__ import annotations

import struct

from tests.bounds.case import Case

from zhidao.positioning.domain import solver_settings, support
from zhidao.positioning.domain.synthesis import routes
from zhidao.positioning.wire import compression, geojson
from zhidao.positioning.wire.fixed import Lines
from zhidao.positioning.wire.precise import b2b_log
from zhidao.positioning.wire.receivers import ubx
from zhidao.positioning.wire.receivers.ntrip import AnswerReader
from zhidao.positioning.wire.rinex import header, rinex2_observations
from zhidao.positioning.wire.rtcm import text

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: gnss/data\r\n\r\n"
W = "positioning.wire"


def rinex_codes(count: int) -> object:
    kept = header.CodeTable()
    return kept.add(f"C  {count:3d} C2I".ljust(60), "line 1")


CASES = (
    Case(
        "positioning.domain.solver_settings._NUMBER_MAX",
        lambda n: solver_settings.Settings(range_zenith_mm=n),
    ),
    Case("positioning.domain.support._NUMBER_MAX", lambda n: support.Support(n, 1, 0, 0, 0)),
    Case(
        "positioning.domain.synthesis.routes._EPOCHS_MAX",
        lambda n: routes.rest((1.0, 2.0, 3.0), first_gpst_ns=0, step_s=1.0, epochs=n),
        6,
    ),
    Case(f"{W}.geojson._NAME_CHARACTERS_MAX", lambda n: geojson._name({"name": "a" * n}, "")),
    Case(
        f"{W}.compression.PLAIN_BYTES_MAX",
        lambda n: compression.plain_text(b" " * n, bytes_max=compression.PLAIN_BYTES_MAX),
        60,
    ),
    Case(
        f"{W}.precise.b2b_log._HEX_MAX",
        lambda n: b2b_log.read_b2b_log(b"1 2 3 4 5 " + b"0" * (n - n % 2 + 2 * (n % 2))),
    ),
    Case(
        f"{W}.receivers.ntrip._SIZE_LINE_BYTES_MAX",
        lambda n: list(AnswerReader().feed(CHUNKED + b"1" * n)),
    ),
    Case(
        f"{W}.receivers.ubx._WEEKS_MAX",
        lambda n: ubx.raw_time_ns(struct.pack("<dH", 0.0, n) + bytes(6)),
    ),
    Case(f"{W}.rinex.header._CODES_MAX", rinex_codes),
    Case(
        f"{W}.rinex.header._HEADER_LINES_MAX",
        lambda n: list(header.header_lines(Lines(b"a\n" * n))),
    ),
    Case(
        f"{W}.rinex.rinex2_observations._TYPES_MAX",
        lambda n: rinex2_observations._Types().add(f"{n:6d}".ljust(60), 1),
    ),
    Case(f"{W}.rtcm.text._CHARACTERS_MAX", lambda n: text.TextMessage(1, 1, 1, "a" * n).encode()),
    Case(
        f"{W}.rtcm.text._BYTES_MAX",
        lambda n: text.TextMessage(1, 1, 1, ("界" * (n // 3)) + "a" * (n % 3)).encode(),
    ),
)
