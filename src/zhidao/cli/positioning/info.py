"""`zhidao positioning info`: what files hold, before anything is computed from them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.positioning.reading import recordings

if TYPE_CHECKING:
    from zhidao.positioning.domain.ephemeris import Navigation
    from zhidao.positioning.domain.observations import Observations
    from zhidao.positioning.domain.precise import PreciseTable

_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao positioning info day.crx.gz\n"
    "  zhidao positioning info *.rnx.gz --json\n"
    "status: 0 done, 2 a file is damaged or of no known kind"
)
_NS: Final = 1_000_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    from zhidao.cli.positioning import add_files

    parser.epilog = _EXAMPLES
    add_files(parser)


def run(options: argparse.Namespace) -> int:
    """Tells of each file alone."""
    told = []
    for file in options.files:
        found = recordings([file], options)
        facts: dict[str, Any] = {"file": str(file), "kind": found.kinds[0][1].value}
        for observations in found.observations:
            facts["observations"] = _observations(observations)
        for navigation in found.navigation:
            facts["navigation"] = _navigation(navigation)
        for table in (*found.orbits, *found.clocks):
            facts["precise"] = _precise(table)
        told.append(facts)
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        for facts in told:
            _show(facts, 0)
    return 0


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
