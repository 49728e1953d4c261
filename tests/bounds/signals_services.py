"""Bounds of positioning's services, adapters and messages."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import Any

import numpy as np
from tests.bounds.case import Case, file_of_spaces, spaces
from tests.positioning.adapters.test_ntrip import CasterServer

from zhidao.core.ambient import SeededRandomness
from zhidao.positioning.adapters import recording_files
from zhidao.positioning.adapters.ntrip import Caster, NtripClient
from zhidao.positioning.events import ArrivalExpected, Site
from zhidao.positioning.service import awaited, bases, evaluation
from zhidao.positioning.wire.rinex import parts
from zhidao.positioning.wire.rtcm.msm import MsmTable, encode_msm

VERSION = b"     3.04           OBSERVATION DATA    M".ljust(60) + b"RINEX VERSION / TYPE\n"
END = b" " * 60 + b"END OF HEADER\n"
HEAD = b"SOURCETABLE 200 OK\r\nContent-Type: gnss/sourcetable\r\n\r\n"


async def asked_caster(size: int) -> None:
    """A caster whose table has so many bytes."""
    end = b"ENDSOURCETABLE\r\n"
    async with CasterServer(HEAD + b"x" * (size - len(end)) + end) as server:
        client = NtripClient(Caster("127.0.0.1", server.port, tls=False), SeededRandomness(1))
        async with asyncio.timeout(20):
            await client.sources()


def recorded(size: int) -> object:
    return file_of_spaces(
        "", lambda file: recording_files.recording_of(_of_orbits(file, size))
    ).tried(size)


def _of_orbits(file: Any, size: int) -> Any:
    file.write_bytes(b"#dP2026".ljust(size))
    return file


def wished(*, radius_mm: int = 1, risk_ppb: int = 1) -> None:
    awaited._refuse_wish(
        ArrivalExpected(
            consignment="C-1",
            terminal="T-1",
            site=Site(name="a", latitude_ndeg=0, longitude_ndeg=0, radius_mm=radius_mm),
            not_before="2026-01-01T00:00:00Z",
            not_after="2026-01-02T00:00:00Z",
            risk_ppb=risk_ppb,
        )
    )


def headed(size: int) -> object:
    """A header of so many bytes, its last line's label among them."""
    comment = b" ".ljust(60) + b"COMMENT\n"
    room = size - len(VERSION) - len(END.rstrip(b"\n"))
    lines, rest = divmod(room, len(comment))
    told = VERSION + comment * (lines - 1) + b" " * (len(comment) + rest - 1) + b"\n" + END
    return parts._head(iter([told[:100], told[100:] + b" " * 1_000]))


def cells(count: int) -> object:
    """A message of so many cells: 64 satellites by one signal, or 13 by 5."""
    satellites, signals = {64: (64, 1), 65: (13, 5)}[count]
    satellite, signal = (part.ravel() + 1 for part in np.indices((satellites, signals)))
    columns: dict[str, Any] = {field.name: np.zeros(count, np.int64) for field in fields(MsmTable)}
    columns |= {"satellite": satellite, "signal": signal}
    columns |= {"range_m": np.full(count, 2e7), "phase_m": np.full(count, 2e7)}
    columns |= {"rate_mps": np.zeros(count), "strength_dbhz": np.full(count, 40.0)}
    columns |= {"half": np.zeros(count, bool), "extended": np.full(count, -1)}
    one = {"number": 1077, "station": 1, "time": 0}
    columns |= {name: np.array([value]) for name, value in one.items()}
    return encode_msm(MsmTable(**columns | {"more": np.array([False])}), 0)


S = "positioning.service"
CASES = (
    Case("positioning.adapters.ntrip.TABLE_BYTES_MAX", asked_caster, 5_000),
    Case("positioning.adapters.recording_files.FILE_BYTES_MAX", recorded, 100_000),
    Case(f"{S}.awaited._RADIUS_MM_MAX", lambda n: wished(radius_mm=n), told="up to 100 km"),
    Case(
        f"{S}.awaited._PPB_MAX",
        # Half of it is the most that may be risked.
        lambda n: wished(risk_ppb=n - 500_000_000),
        told="up to 500,000,000 parts",
    ),
    spaces(f"{S}.bases._PLAIN_BYTES_MAX", bases.facts_of),
    spaces(f"{S}.evaluation.WINDOW_BYTES_MAX", evaluation.span_of),
    Case("positioning.wire.rinex.parts._HEADER_BYTES_MAX", headed, 5_000),
    Case("positioning.wire.rtcm.msm._CELLS_MAX", cells),
)
