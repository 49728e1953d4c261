"""`zhidao positioning info`: what files hold, before anything is computed from them."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.outputs import take
from zhidao.cli.positioning.reading import FILE_BYTES_MAX, recordings
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.positioning.domain.ephemeris import Navigation
    from zhidao.positioning.domain.observations import Observations
    from zhidao.positioning.domain.precise import PreciseTable
    from zhidao.positioning.wire.b2b_log import B2bFrame

_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao positioning info day.crx.gz\n"
    "  zhidao positioning info *.rnx.gz --json\n"
    "status: 0 done, 2 a file is damaged or of no known kind"
)
_NS: Final = 1_000_000_000
_GPST_UNIX_S: Final = 315_964_800


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    from zhidao.cli.positioning import add_files

    parser.epilog = _EXAMPLES
    add_files(parser)


def run(options: argparse.Namespace) -> int:
    """Tells of each file alone."""
    from zhidao.positioning.wire.recognition import FileKind

    told = []
    for file in options.files:
        stream = _stream(file, options)
        if stream:
            told.append(stream)
            continue
        found = recordings([file], options)
        facts: dict[str, Any] = {"file": str(file), "kind": found.kinds[0][1].value}
        for observations in found.observations:
            facts["observations"] = _observations(observations)
        for navigation in found.navigation:
            facts["navigation"] = _navigation(navigation)
        if facts["kind"] == FileKind.NAVIGATION.value:
            facts["navigation"]["messages"] = _messages(take(file, bytes_max=FILE_BYTES_MAX))
        for table in (*found.orbits, *found.clocks):
            facts["precise"] = _precise(table)
        for data in found.antennas:
            facts["antennas"] = _antennas(data)
        if found.frames:
            facts["frames"] = _frames(found.frames)
        told.append(facts)
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        for facts in told:
            _show(facts, 0)
    return 0


def _stream(file: Path, options: argparse.Namespace) -> dict[str, Any]:
    """What an RTCM stream holds, by message; its week is not needed for that. Empty for others."""
    from collections import Counter

    from zhidao.positioning.wire.recognition import FileKind, kind_of
    from zhidao.positioning.wire.rtcm.frame import FrameReader, message_number

    data = take(file, bytes_max=FILE_BYTES_MAX)
    try:
        kind = kind_of(data)
    except MalformedInput as error:
        raise MalformedInput(
            str(error.args[0]), code=error.code, where=str(file), remedy=error.remedy
        ) from error
    if kind is not FileKind.RTCM or options.near:
        return {}
    reader = FrameReader()
    counts = Counter(message_number(p) for p in (*reader.feed(data), *reader.close()))
    return {
        "file": str(file),
        "kind": kind.value,
        "messages": {str(number): count for number, count in sorted(counts.items())},
        "bytes_of_no_frame": reader.skipped,
        "more": "give a time near it (--near) for epochs and satellites",
    }


def _antennas(data: bytes) -> dict[str, Any]:
    from zhidao.core.timescale import Gpst
    from zhidao.positioning.wire.antex import read_antennas

    found = read_antennas(data, gpst_ns=Gpst(int(time.time() - _GPST_UNIX_S) * _NS).ns)
    return {"satellites_now": len(found)}


def _frames(frames: Sequence[B2bFrame]) -> dict[str, Any]:
    from collections import Counter

    from zhidao.core.timescale import Gpst

    counts = Counter(f"C{frame.prn}" for frame in frames)
    at = [frame.gpst_ns for frame in frames]
    times = {"first": str(Gpst(min(at)).to_utc()), "last": str(Gpst(max(at)).to_utc())}
    return dict(sorted(counts.items())) | times


def _show(facts: Mapping[str, Any], depth: int) -> None:
    for name, value in facts.items():
        label = f"{'  ' * depth}{name}"
        if isinstance(value, Mapping):
            print(label)
            _show(value, depth + 1)
        else:
            print(f"{label:24} {value}")


def _observations(seen: Observations) -> dict[str, Any]:
    import numpy as np

    facts: dict[str, Any] = {
        "version": seen.header.version,
        "marker": seen.header.marker,
        "receiver": " ".join(seen.header.receiver.split()),
        "antenna": " ".join(seen.header.antenna.split()),
        "simulated": seen.simulated,
        "epochs": len(seen.gpst_ns),
    }
    if len(seen.gpst_ns) > 1:
        steps = np.diff(seen.gpst_ns)
        usual = int(np.median(steps))
        facts |= {"interval_s": usual / _NS, "gaps": int((steps > 1.5 * usual).sum())}
    if len(seen.gpst_ns):
        facts |= {"first": str(seen.utc(0)), "last": str(seen.utc(-1))}
    for system, table in sorted(seen.systems.items()):
        filled = np.isfinite(table.values).sum(0)
        facts[f"system {system}"] = {
            "satellites": len(np.unique(table.prn)),
            "rows": len(table.prn),
            "signals": " ".join(
                f"{code}:{count}" for code, count in zip(table.codes, filled.tolist(), strict=True)
            ),
        }
    return facts


def _navigation(navigation: Navigation) -> dict[str, Any]:
    import numpy as np

    from zhidao.core.timescale import Gpst
    from zhidao.positioning.domain.signals import SYSTEMS

    facts: dict[str, Any] = {
        "systems": navigation.systems,
        "simulated": navigation.simulated,
        "ionosphere": _ionosphere(navigation),
    }
    for table in (navigation.ephemerides, navigation.glonass):
        if table is None or not len(table):
            continue
        for index in np.unique(table.satellite // 100).tolist():
            part = table.take(table.satellite // 100 == index)
            facts[f"system {SYSTEMS[index]}"] = {
                "satellites": len(np.unique(part.satellite)),
                "messages": len(part),
                "unhealthy": int((~part.healthy).sum()),
                "first": str(Gpst(int(part.toe_ns.min())).to_utc()),
                "last": str(Gpst(int(part.toe_ns.max())).to_utc()),
            }
    return facts


def _messages(data: bytes) -> dict[str, int]:
    """How many of each kind of message a navigation file has, modern ones too."""
    from collections import Counter

    from zhidao.positioning.domain.ephemeris import MESSAGES
    from zhidao.positioning.wire.rinex_nav import WITH_GLONASS, read_navigation

    civil = {"C": ("CNV1",), "E": ("FNAV",), "G": ("CNAV",), "J": ("CNAV",)}
    rows = set()
    # A table holds one message a satellite and time, so that each kind is read by itself.
    for family in (WITH_GLONASS, civil, {"C": ("CNV2",)}, {"C": ("CNV3",)}):
        found = read_navigation(data, messages=family)
        table = found.ephemerides
        columns = (table.message.tolist(), table.satellite.tolist(), table.toe_ns.tolist())
        rows |= {(MESSAGES[kind] or "legacy", *rest) for kind, *rest in zip(*columns, strict=True)}
        if found.glonass is not None:
            both = (found.glonass.satellite.tolist(), found.glonass.toe_ns.tolist())
            rows |= {("FDMA", *each) for each in zip(*both, strict=True)}
    return dict(sorted(Counter(row[0] for row in rows).items()))


def _ionosphere(navigation: Navigation) -> str:
    found = []
    if navigation.klobuchar:
        found.append("Klobuchar of BDS" if navigation.klobuchar.bds else "Klobuchar of GPS")
    if navigation.bdgim:
        found.append("BDGIM")
    return ", ".join(found) or "none"


def _precise(table: PreciseTable) -> dict[str, Any]:
    import numpy as np

    from zhidao.core.timescale import Gpst

    return {
        "epochs": len(table.gpst_ns),
        "satellites": len(table.satellite),
        "places": bool(np.isfinite(table.place_m).any()),
        "clocks": bool(np.isfinite(table.clock_s).any()),
        "first": str(Gpst(int(table.gpst_ns[0])).to_utc()),
        "last": str(Gpst(int(table.gpst_ns[-1])).to_utc()),
    }
