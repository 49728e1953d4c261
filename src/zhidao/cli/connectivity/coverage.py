"""`zhidao network coverage`: where a terminal on a route will be silent, by its cells."""

from __future__ import annotations

import argparse
import json
import math
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.outputs import put, taken_as, tell
from zhidao.cli.console.progress import told

if TYPE_CHECKING:
    from zhidao.connectivity.domain.radio.corridor import CorridorCoverage
    from zhidao.connectivity.domain.radio.reception import Radio
    from zhidao.connectivity.domain.radio.stretches import Stretch

_ROWS_SHOWN: Final = 200
_PARTLY: Final = 4
# Name, what it is, its default; the domain says what it may be.
_TERMINAL: Final = (
    ("--terminal-height", "M", 1.5, "height of the terminal's antenna above the ground"),
    ("--terminal-gain", "DBI", 0.0, "gain of its antenna"),
    ("--terminal-power", "DBM", 23.0, "what it sends"),
    ("--noise-figure", "DB", 9.0, "of its receiver"),
    ("--site-noise-figure", "DB", 5.0, "of the sites' receivers"),
    ("--snr", "DB", 0.0, "signal to noise that both ends need"),
    ("--uplink", "KHZ", 180.0, "bandwidth in which it sends"),
    ("--loss", "DB", 0.0, "further loss: interference, rain, a hand"),
)
_SURROUNDINGS: Final = (
    ("--building-height", "M", 5.0, "mean height of buildings, for rma"),
    ("--street-width", "M", 20.0, "mean width of streets, for rma"),
)
_TERMS: Final = (
    ("--step", "M", 100.0, "a place is judged each so many metres"),
    ("--served", "CHANCE", 0.9, "from this chance on a place is served"),
    ("--silent", "CHANCE", 0.1, "below this chance it is silent"),
    ("--speed", "KMH", 60.0, "of the vehicle, for durations"),
    ("--report", "S", 60.0, "between two reports; service that lasts less ends no silence"),
    ("--short-after", "S", 600.0, "without an answer, and short message helps"),
    ("--short-early", "S", 30.0, "the same where a stretch is silent"),
)


def add_actions(actions: Any) -> None:
    """Adds `coverage` to the actions of `zhidao network`."""
    parser = actions.add_parser(
        "coverage", help="where a terminal on a route is served or silent, without a node"
    )
    parser.add_argument(
        "route", type=Path, metavar="ROUTE", help="a GeoJSON line, or CSV with columns of places"
    )
    parser.add_argument(
        "--sites",
        type=Path,
        required=True,
        metavar="FILE",
        help="cells as CSV or JSON: latitude_deg, longitude_deg, frequency_mhz, height_m, "
        "eirp_dbm; perhaps name, model, bandwidth_mhz, gain_dbi, azimuth_deg, beamwidth_deg",
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.add_argument(
        "--geojson", type=Path, metavar="FILE", help="write stretches and cells for a map as well"
    )
    _add_choices(parser)
    for title, rows in (
        ("link budget", _TERMINAL),
        ("surroundings", _SURROUNDINGS),
        ("judgement", _TERMS),
    ):
        group = parser.add_argument_group(title)
        for name, unit, default, help_text in rows:
            group.add_argument(
                name,
                type=_number,
                default=default,
                metavar=unit,
                help=f"{help_text} (default {default:g})",
            )
    parser.set_defaults(run=_coverage)


def _add_choices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        choices=("rma", "uma", "umi"),
        default="rma",
        help="of cells that name none: rural, urban above roofs, street canyon (default rma)",
    )
    parser.add_argument(
        "--sight",
        choices=("expected", "worst"),
        default="expected",
        help="a line of sight counts by its chance, or never (default expected)",
    )
    parser.add_argument(
        "--inside",
        choices=("nothing", "car", "metallized"),
        default="nothing",
        help="what the terminal is in: 9 dB of a car, 20 dB behind metallized panes, +-5 dB",
    )
    parser.add_argument(
        "--any-height",
        action="store_true",
        help="compute uma and umi for antennas at other heights than 25 and 10 m, "
        "which TR 38.901 does not give",
    )
    parser.add_argument(
        "--extrapolate",
        action="store_true",
        help="go on with the formulas where their range ends, and say where that decided",
    )


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"no number: {text[:20]!r}") from error
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"no number: {text[:20]!r}")
    return value


def _coverage(options: argparse.Namespace) -> int:
    from zhidao.connectivity.domain.bearer_policy import BearerPolicy
    from zhidao.connectivity.domain.radio.path_loss import Model
    from zhidao.connectivity.domain.radio.reception import check_cell
    from zhidao.connectivity.domain.radio.stretches import Service, Terms
    from zhidao.connectivity.service.corridor_coverage import coverage_along
    from zhidao.connectivity.wire import cell_files, coverage_files, route_files

    radio = _radio(options)
    terms = Terms(options.served, options.silent, options.speed, options.report)
    policy = BearerPolicy(options.short_after, options.short_early)
    route = taken_as(route_files.read_route, options.route, bytes_max=route_files.ROUTE_BYTES_MAX)
    reader = partial(
        cell_files.read_cells,
        model=Model(options.model),
        check=partial(check_cell, radio=radio),
    )
    cells = taken_as(reader, options.sites, bytes_max=cell_files.CELL_FILE_BYTES_MAX)
    with told("judging") as say:
        found = coverage_along(
            route, cells, radio=radio, terms=terms, policy=policy, step_m=options.step, say=say
        )
    if options.geojson:
        put(coverage_files.as_geojson(found), options.geojson)
    if options.json:
        tell(json.dumps(coverage_files.as_json(found), ensure_ascii=False, indent=1))
    else:
        tell(_in_words(found))
    _tell_limits(found)
    return _PARTLY if found.length_m(Service.UNJUDGED) else 0


def _radio(options: argparse.Namespace) -> Radio:
    from zhidao.connectivity.domain.radio.link_budget import Inside, Terminal
    from zhidao.connectivity.domain.radio.path_loss import Surroundings
    from zhidao.connectivity.domain.radio.reception import Radio, Sight

    return Radio(
        Terminal(
            gain_dbi=options.terminal_gain,
            power_dbm=options.terminal_power,
            noise_figure_db=options.noise_figure,
            snr_db=options.snr,
            uplink_khz=options.uplink,
            site_noise_figure_db=options.site_noise_figure,
            loss_db=options.loss,
            inside=Inside(options.inside),
        ),
        Surroundings(
            terminal_height_m=options.terminal_height,
            building_height_m=options.building_height,
            street_width_m=options.street_width,
            any_height=options.any_height,
        ),
        Sight(options.sight),
        options.extrapolate,
    )


def _in_words(found: CorridorCoverage) -> str:
    from zhidao.connectivity.domain.radio.stretches import Service

    shown = found.stretches[:_ROWS_SHOWN]
    rows = [
        f"{each.from_m / 1000:9.1f} {each.to_m / 1000:9.1f}  {_service(each):<11}"
        f"  {_chance(each.low, each.high):>11}  {_duration(each.expected_silence_s):>11}"
        f"  {each.short_message.value:<5}  {', '.join(found.cells[n].name for n in each.cells[:1])}"
        for each in shown
    ]
    head = "  from km     to km  service           chance      silence  short message, best cell"
    more = len(found.stretches) - len(shown)
    rest = [f"and {more} more stretches: --json has all"] if more else []
    lengths = ", ".join(
        f"{found.length_m(each) / 1000:.1f} {each.value}"
        for each in Service
        if found.length_m(each)
    )
    longest = max((each.expected_silence_s for each in found.gaps), default=0)
    total = f"{found.route.length_m / 1000:.1f} km: {lengths}"
    carried = sum(each.short_messages for each in found.gaps)
    silence = f"longest silence to be expected {_duration(longest)}" if longest else "no gap"
    silence += f"; reports by short message: {carried}" if carried else ""
    return "\n".join([head, *rows, *rest, "", f"{total}; {silence}"])


def _service(each: Stretch) -> str:
    return f"{each.service.value}{'+' if each.extrapolated else ''}"


def _chance(low: float, high: float) -> str:
    least, most = math.floor(low * 100), math.ceil(high * 100)
    return f"{least}-{most} %"


def _duration(seconds: int) -> str:
    if not seconds:
        return "-"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _tell_limits(found: CorridorCoverage) -> None:
    """What the answer rests on, on standard error."""
    from zhidao.connectivity.domain.radio.stretches import Service

    about = [
        "no line of sight" if found.radio.sight == "worst" else "a line of sight by its chance",
        "no hills",
    ]
    if missing := sum(math.isnan(each.gain_dbi) for each in found.cells):
        about.append(f"{missing} cells without gain_dbi: only what the terminal hears counts there")
    if found.radio.around.any_height:
        about.append("antennas at heights that TR 38.901 does not give")
    if unjudged_m := found.length_m(Service.UNJUDGED):
        about.append(f"{unjudged_m / 1000:.1f} km lie beyond the models, neither served nor silent")
    if found.extrapolated_m:
        about.append(f"{found.extrapolated_m / 1000:.1f} km (marked +) are extrapolated")
    print(f"assumed: {'; '.join(about)}", file=sys.stderr)
