"""`zhidao positioning decode`: messages as lines of JSON, or one format into another."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import put
from zhidao.cli.positioning.reading import recordings
from zhidao.core.errors import MalformedInput

FORMS: Final = ("rows", "rinex", "rinex-nav", "rtcm", "ubx")
_EXAMPLES: Final = (
    "Without --to each message (streams), satellite and epoch (observations) or ephemeris\n"
    "(navigation) is one line of JSON.\n"
    "examples:\n"
    "  zhidao positioning decode stream.rtcm3 | head\n"
    "  zhidao positioning decode stream.rtcm3 --near 2012-10-14T00:00:00Z --to rinex -o day.rnx\n"
    "  zhidao positioning decode day.crx.gz --to rtcm -o day.rtcm3\n"
    "status: 0 done, 2 a file is damaged or of no known kind"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    from zhidao.cli.positioning import add_files

    parser.epilog = _EXAMPLES
    add_files(parser)
    parser.add_argument("--to", choices=FORMS, default="rows", help="what comes out")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="replaced whole or not")


def run(options: argparse.Namespace) -> int:
    """Decodes the files one after the other, or converts them together."""
    if options.to == "rows":
        lines = (
            json.dumps(row, ensure_ascii=False, separators=(",", ":"))
            for file in options.files
            for row in _rows(file, options)
        )
        if options.output is None:
            for line in lines:
                print(line)
        else:
            put("".join(line + "\n" for line in lines).encode(), options.output)
        return 0
    put(_converted(options), options.output)
    return 0


def _rows(file: Path, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from zhidao.positioning.library import recording_of
    from zhidao.positioning.service import decoding
    from zhidao.positioning.wire.recognition import FileKind, kind_of

    _, data = recording_of(file)
    kind = kind_of(data) if isinstance(data, bytes) else FileKind.OBSERVATIONS
    streams = {
        FileKind.RTCM: decoding.rtcm_rows,
        FileKind.UBX: decoding.ubx_rows,
        FileKind.NMEA: decoding.nmea_rows,
    }
    if kind in streams and isinstance(data, bytes):
        yield from streams[kind](data)
        return
    found = recordings([file], options)
    for observations in found.parts() if found.files else ():
        yield from decoding.observation_rows(observations)
    for navigation in found.navigation:
        yield from decoding.navigation_rows(navigation)
    if found.orbits or found.clocks:
        raise MalformedInput(f"{file}: {kind.value} are told by `info` only")


def _converted(options: argparse.Namespace) -> bytes:
    from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations
    from zhidao.positioning.wire.streams import rtcm_stream, ubx_stream

    found = recordings(options.files, options)
    if options.to == "rinex-nav":
        return write_navigation(found.broadcast())
    seen = found.receiver()
    if options.to == "rinex":
        return write_observations(seen)
    navigation = found.broadcast() if found.navigation else None
    return (rtcm_stream if options.to == "rtcm" else ubx_stream)(seen, navigation)
