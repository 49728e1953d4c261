"""`zhidao positioning info`: what files hold, before anything is computed from them."""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.progress import told
from zhidao.cli.positioning.observation_facts import observation_facts
from zhidao.cli.positioning.reading import recordings

if TYPE_CHECKING:
    from zhidao.positioning.domain.satellites.ephemeris import Navigation
    from zhidao.positioning.domain.satellites.precise import PreciseTable
    from zhidao.positioning.wire.precise.b2b_log import B2bFrame

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
    facts_of_all = []
    with told("reading") as say:
        for file in options.files:
            say(str(file))
            facts_of_all.append(_facts(file, options))
    if options.json:
        print(json.dumps(facts_of_all, ensure_ascii=False))
    else:
        for facts in facts_of_all:
            _show(facts, 0)
    return 0


def _facts(file: Path, options: argparse.Namespace) -> dict[str, Any]:
    from zhidao.positioning.library import recording_of
    from zhidao.positioning.wire.recognition import FileKind, kind_of

    _, data = recording_of(file)
    kind = kind_of(data) if isinstance(data, bytes) else FileKind.OBSERVATIONS
    facts: dict[str, Any] = {"file": str(file), "kind": kind.value}
    if isinstance(data, bytes) and kind is FileKind.RTCM and not options.near:
        return facts | _rtcm(data)
    if isinstance(data, bytes) and kind is FileKind.UBX:
        facts |= _ubx(data)
    found = recordings([file], options)
    if found.files or found.observations:
        facts["observations"] = observation_facts(found.parts())
    for navigation in found.navigation:
        facts["navigation"] = _navigation(navigation)
    if isinstance(data, bytes) and kind is FileKind.NAVIGATION:
        facts["navigation"]["messages"] = _messages(data)
    for table in (*found.orbits, *found.clocks):
        facts["precise"] = _precise(table)
    for antennas in found.antennas:
        facts["antennas"] = _antennas(antennas)
    if found.frames:
        facts["frames"] = _frames(found.frames)
    return facts


def _rtcm(data: bytes) -> dict[str, Any]:
    """What an RTCM stream holds, by message; its week is not needed for that."""
    from zhidao.positioning.wire.rtcm.frame import FrameReader, message_number

    reader = FrameReader()
    counts = Counter(message_number(p) for p in (*reader.feed(data), *reader.close()))
    return {
        "messages": {str(number): count for number, count in sorted(counts.items())},
        "bytes_of_no_frame": reader.skipped,
        "more": "give a time near it (--near) for epochs and satellites",
    }


def _ubx(data: bytes) -> dict[str, Any]:
    """What a log of a u-blox receiver holds, by message."""
    from zhidao.positioning.wire.receivers.ubx import RAWX, SFRBX, UbxReader
    from zhidao.positioning.wire.receivers.ubx_names import name_of

    reader = UbxReader()
    counts = Counter(message.kind for message in (*reader.feed(data), *reader.close()))
    facts: dict[str, Any] = {
        "messages": {name_of(kind): count for kind, count in sorted(counts.items())},
        "bytes_of_no_message": reader.skipped,
    }
    missing = [name_of(kind) for kind in (RAWX, SFRBX) if not counts[kind]]
    if missing:
        facts["more"] = f"no {' and no '.join(missing)}: switch them on in the receiver to solve it"
    return facts


def _antennas(data: bytes) -> dict[str, Any]:
    from zhidao.core.timescale import Gpst
    from zhidao.positioning.wire.precise.antex import read_antennas

    found = read_antennas(data, gpst_ns=Gpst(int(time.time() - _GPST_UNIX_S) * _NS).ns)
    return {"satellites_now": len(found)}


def _frames(frames: Sequence[B2bFrame]) -> dict[str, Any]:
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


def _navigation(navigation: Navigation) -> dict[str, Any]:
    import numpy as np

    from zhidao.core.timescale import Gpst
    from zhidao.positioning.domain.observables.signals import SYSTEMS

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
    from zhidao.positioning.wire.rinex.navigation_counts import message_counts

    return dict(sorted(message_counts(data).items()))


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
