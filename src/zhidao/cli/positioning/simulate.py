"""`zhidao positioning simulate`: signals that nobody sent, marked as such in every output."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.numbers import seed
from zhidao.cli.console.outputs import put, take
from zhidao.cli.positioning.reading import signals_of
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.positioning.domain.observables.observations import Observations
    from zhidao.positioning.domain.satellites.ephemeris import Navigation
    from zhidao.positioning.domain.synthesis.receiver import SatelliteBias
    from zhidao.positioning.domain.synthesis.routes import Route

_BYTES_MAX: Final = 64 * 1024 * 1024
_EPOCHS_MAX: Final = 100_000
_EXAMPLES: Final = (
    "Without --navigation a BeiDou constellation of our own making is used and can be kept.\n"
    "examples:\n"
    "  zhidao positioning simulate --at 44.2 80.4 700 --epochs 120 -o rest.rnx \\\n"
    "    --navigation-output rest.nav\n"
    "  zhidao positioning simulate --by road --at 44.2 80.4 700 --at 44.3 80.6 720 \\\n"
    "    --form rtcm -o road.rtcm3\n"
    "  zhidao positioning simulate --at 44.2 80.4 700 --bias C20:60:10:40 \\\n"
    "    --outage 50:55 -o bad.rnx\n"
    "  zhidao positioning simulate --at 44.2 80.4 700 --bands C=2I+6I --errors own -o base.rnx\n"
    "Everything written says SIMULATED in its header or in its messages.\n"
    "status: 0 written, 1 no ephemeris fits, 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "--at",
        type=float,
        nargs=3,
        action="append",
        required=True,
        metavar=("LAT", "LON", "H"),
        help="a place of the way (degrees, metres); one alone is a receiver at rest",
    )
    parser.add_argument("--by", choices=("road", "rail", "sea"), default="road", help="the manner")
    parser.add_argument(
        "--start", default="2026-11-21T06:00:00Z", metavar="TIME", help="first epoch"
    )
    parser.add_argument("--step", type=float, default=30.0, metavar="S", help="between epochs")
    parser.add_argument("--epochs", type=int, metavar="N", help="how many (at rest: 120)")
    parser.add_argument("--seed", type=seed, default=0, help="the same seed gives the same bytes")
    parser.add_argument("--systems", default="C", help="letters, as far as ephemerides are there")
    parser.add_argument(
        "--bands", default="", metavar="LIST", help="tracked signals, such as C=2I+6I,G=1C+2W"
    )
    parser.add_argument(
        "--errors",
        choices=("usual", "own"),
        default="usual",
        help="own: noise and reflections alone, as between receivers under one sky",
    )
    parser.add_argument("--mask", type=float, default=5.0, metavar="DEG", help="elevation mask")
    parser.add_argument("--navigation", type=Path, metavar="FILE", help="real ephemerides to go by")
    parser.add_argument("--navigation-output", type=Path, metavar="FILE", help="ephemerides used")
    parser.add_argument(
        "--bias",
        action="append",
        default=[],
        metavar="C20:M[:FROM[:TO]]",
        help="a faulty satellite",
    )
    parser.add_argument(
        "--outage", action="append", default=[], metavar="FROM:TO", help="epochs without signals"
    )
    parser.add_argument(
        "--clock-jump", action="append", default=[], metavar="EPOCH:M", help="of the receiver"
    )
    parser.add_argument(
        "--jam", action="append", default=[], metavar="FROM:TO:DB", help="strengths fall so much"
    )
    parser.add_argument("--spoof", metavar="EAST:NORTH[:FROM]", help="metres that a spoofer shifts")
    parser.add_argument("--form", choices=("rinex", "rtcm", "ubx"), default="rinex")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="replaced whole or not")


def run(options: argparse.Namespace) -> int:
    """Writes the observations."""
    from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations
    from zhidao.positioning.wire.streams import rtcm_stream, ubx_stream

    route = _route(options)
    navigation = _navigation(options, route)
    seen = _observed(options, route, navigation)
    if options.form == "rinex":
        data = write_observations(seen)
    else:
        data = (rtcm_stream if options.form == "rtcm" else ubx_stream)(seen, navigation)
    if options.navigation_output:
        put(write_navigation(navigation), options.navigation_output)
    put(data, options.output)
    print(f"{len(seen.gpst_ns)} simulated epochs", file=sys.stderr)
    return 0


def _route(options: argparse.Namespace) -> Route:
    from zhidao.core.timescale import Gpst, Utc
    from zhidao.positioning.domain.synthesis.routes import MANNERS, rest, route

    places = [tuple(place) for place in options.at]
    if not all(abs(p[0]) <= 90 and abs(p[1]) <= 360 and -1000 < p[2] < 50_000 for p in places):
        raise MalformedInput("--at: latitude, longitude in degrees, height in metres")
    if options.epochs is not None and not 0 < options.epochs <= _EPOCHS_MAX:
        raise MalformedInput(f"--epochs {options.epochs}: 1 to {_EPOCHS_MAX}")
    if not 0 <= options.mask < 90:
        raise MalformedInput(f"--mask {options.mask}: 0 to 90 degrees")
    if not options.systems or set(options.systems) - set("CEGJ"):
        raise MalformedInput(f"--systems {options.systems}: of CEGJ")
    if not 0.001 <= options.step <= 86_400:
        raise MalformedInput(f"--step {options.step}: 0.001 to 86400 seconds")
    first_ns = Gpst.from_utc(Utc.parse(options.start)).ns
    if len(places) == 1:
        return rest(
            places[0], first_gpst_ns=first_ns, step_s=options.step, epochs=options.epochs or 120
        )
    return route(
        places,
        MANNERS[options.by],
        first_gpst_ns=first_ns,
        step_s=options.step,
        epochs_max=options.epochs or _EPOCHS_MAX,
    )


def _navigation(options: argparse.Namespace, route: Route) -> Navigation:
    from zhidao.core.timescale import Gpst
    from zhidao.positioning.domain.synthesis.constellation import constellation
    from zhidao.positioning.wire.rinex.navigation import read_navigation

    if options.navigation:
        return read_navigation(take(options.navigation, bytes_max=_BYTES_MAX))
    first, last = (Gpst(int(route.gpst_ns[end])).to_utc() for end in (0, -1))
    return constellation(first, last, seed=options.seed)


def _observed(options: argparse.Namespace, route: Route, navigation: Navigation) -> Observations:
    from zhidao.positioning.domain.synthesis.receiver import (
        OWN_ERRORS,
        ErrorModel,
        Receiver,
        spoofed,
        synthesize,
    )

    told_m = route.ecef_m
    if options.spoof:
        east, north, *start = _numbers(options.spoof, "--spoof", (2, 3))
        told_m = spoofed(
            told_m, east_m=east, north_m=north, from_epoch=int(start[0] if start else 0)
        )
    receiver = Receiver(
        route.gpst_ns,
        told_m,
        systems="".join(sorted(set(options.systems))),
        mask_deg=options.mask,
        signals=_bands(options.bands),
        errors=OWN_ERRORS if options.errors == "own" else ErrorModel(),
        faults=tuple(map(_bias, options.bias)),
        outages=tuple(_outage(text) for text in options.outage),
        clock_jumps=tuple(_jump(text) for text in options.clock_jump),
        jamming=tuple(_jamming(text) for text in options.jam),
    )
    return synthesize(receiver, navigation, seed=options.seed)


def _bands(text: str) -> dict[str, tuple[str, ...]]:
    """Bands and attributes by system. Raises MalformedInput for a signal that there is not."""
    from zhidao.positioning.domain.observables.signals import carrier_hz

    found = {s: tuple(c.split("+")) for s, c in signals_of(text).items()} if text else {}
    for system, names in found.items():
        for name in names:
            if len(name) != 2 or not name[1].isalpha():
                raise MalformedInput(f"--bands: no signal {name[:8]!r}", remedy="write C=2I+6I")
            carrier_hz(system, "C" + name)
    return found


def _bias(text: str) -> SatelliteBias:
    from zhidao.positioning.domain.synthesis.receiver import SatelliteBias

    name, _, rest = text.partition(":")
    bias_m, *epochs = _numbers(rest, "--bias", (1, 3))
    first = int(epochs[0]) if epochs else 0
    return SatelliteBias(name, bias_m, first, int(epochs[1]) if len(epochs) > 1 else None)


def _outage(text: str) -> tuple[int, int]:
    first, last = _numbers(text, "--outage", (2, 2))
    return int(first), int(last)


def _jump(text: str) -> tuple[int, float]:
    epoch, jump_m = _numbers(text, "--clock-jump", (2, 2))
    return int(epoch), jump_m


def _jamming(text: str) -> tuple[int, int, float]:
    first, last, fall = _numbers(text, "--jam", (3, 3))
    return int(first), int(last), fall


def _numbers(text: str, option: str, count: tuple[int, int]) -> list[float]:
    try:
        found = [float(part) for part in text.split(":")]
    except ValueError:
        found = []
    if not count[0] <= len(found) <= count[1] or not all(abs(n) < 1e9 for n in found):
        raise MalformedInput(f"{option} {text[:40]!r} is not read", remedy="see --help")
    return found
