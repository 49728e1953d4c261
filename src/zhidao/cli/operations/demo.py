"""`zhidao demo`: carries one consignment from satellite signal to settled payment."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.numbers import seed
from zhidao.cli.console.outputs import take
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    import asyncio

    from zhidao.positioning.events import Site
    from zhidao.simulation.scenario import Scenario
    from zhidao.simulation.sides import Sides
    from zhidao.simulation.step_report import Outcome

FAILS: Final = ("spoof", "late", "short-document", "wrong-token", "replay", "forged", "unbound")
SIMULATED_PARTS: Final = ("parties", "machine", "network", "trajectory")
FILE_BYTES_MAX: Final = 64 * 1024 * 1024
CONSIGNMENT: Final = "zd-2026-0417"
_SITE_RADIUS_M_MAX: Final = 100_000.0
_PACE_S_MAX: Final = 60.0
_PORT_MAX: Final = 65_535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line, summary last")
    parser.add_argument("--stay", action="store_true", help="keep the page open until interrupted")
    parser.add_argument("--leave", action="store_true", help="end at once, even on a terminal")
    parser.add_argument("--fail", choices=FAILS, help="show a refusal instead of a payment")
    parser.add_argument("--observations", type=Path, help="RINEX 3 file (.crx, .gz) of a receiver")
    parser.add_argument("--navigation", type=Path, help="RINEX 3 broadcast ephemerides (.gz)")
    parser.add_argument("--site", help="place of arrival: LAT,LON,RADIUS_M, or FILE.geojson")
    parser.add_argument("--data", type=Path, help="keep both nodes here, and go on from there")
    parser.add_argument("--output", type=Path, help="folder of proof and trust list")
    parser.add_argument(
        "--port", type=int, default=0, help="HTTP port of the importer's side; 0 takes a free one"
    )
    parser.add_argument("--seed", type=seed, default=417, help="seed of the simulated signals")
    parser.add_argument("--pace", type=float, default=0.1, help="seconds between positions")
    parser.epilog = (
        "examples:\n"
        "  zhidao demo\n"
        "  zhidao demo --fail spoof --json\n"
        "  zhidao demo --observations ESBC.crx.gz --navigation ESBC.rnx.gz "
        "--site 55.4936,8.4568,40\n"
        "status: 0 paid, 1 refused with the reason, 2 bad input, 3 the outside world failed"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Runs the road; the page stays open on a terminal or with --stay."""
    import asyncio

    # The simulated machine speaks without encryption and its library says so at each start.
    logging.getLogger("asyncua").setLevel(logging.ERROR)
    _check(options)
    scenario = _scenario(options)
    _bring_rules()
    started_s = time.monotonic()
    folder = options.data or temporary_folder()
    try:
        outcome = asyncio.run(_carry(options, scenario, folder, started_s))
    finally:
        if options.data is None:
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if outcome.paid else 1


def temporary_folder() -> Path:
    """A folder of this run alone, with those of both nodes.

    Root's may be passed through (not looked into) by others: where user namespaces are switched
    off, as in many containers, the servers run as another user, who must reach their own files.
    """
    from zhidao.simulation.node_process import DATA
    from zhidao.simulation.sides import EXPORTER_SIDE, IMPORTER_SIDE

    folder = Path(tempfile.mkdtemp(prefix="zd-"))
    if os.geteuid() == 0:
        sides = (folder / EXPORTER_SIDE, folder / IMPORTER_SIDE)
        for place in (folder, *sides, *(side / DATA for side in sides)):
            place.mkdir(exist_ok=True)
            place.chmod(0o711)
    return folder


def _bring_rules() -> None:
    """Fetches the rule packs where there is none: without them no invoice is called valid.

    Raises Unavailable if the index of packages does not answer.
    """
    from zhidao.trade.library.rule_packs import fetch, is_bare

    if is_bare():
        print("fetching the rules of EN 16931 and XRechnung, once", file=sys.stderr)
        fetch(None)


async def _carry(
    options: argparse.Namespace, scenario: Scenario, folder: Path, started_s: float
) -> Outcome:
    import asyncio

    from zhidao.node.library import system_randomness
    from zhidao.simulation.demonstration import Demonstration
    from zhidao.simulation.sides import Sides

    sides = Sides.in_folder(folder, port=options.port)
    output = (options.output or Path("zhidao-demo")).absolute()
    output.mkdir(parents=True, exist_ok=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        states = await sides.start()
        _say_start(options, scenario, states, time.monotonic() - started_s)
        demonstration = Demonstration(
            sides,
            scenario,
            folder=folder,
            output=output,
            fail=options.fail or "",
            randomness=system_randomness(),
            say=_speaker(options, started_s),
            pace_s=options.pace,
        )
        outcome = await _until(demonstration.run(), stop)
        _say_end(options, scenario, outcome, time.monotonic() - started_s)
        if options.stay or (sys.stdout.isatty() and not options.leave):
            filling = asyncio.ensure_future(_fill(options, sides, scenario, folder))
            try:
                await _stay(sides, stop)
            finally:
                filling.cancel()
                await asyncio.gather(filling, return_exceptions=True)
    finally:
        await sides.stop()
    return outcome


async def _fill(
    options: argparse.Namespace, sides: Sides, scenario: Scenario, folder: Path
) -> None:
    """Brings in the corridor's simulated consignments, while the pages can be looked at."""
    from zhidao.core.errors import ZhidaoError
    from zhidao.node.library import system_clock, system_randomness
    from zhidao.simulation.corridor_filling import fill_corridor

    began_s = time.monotonic()
    try:
        count = await fill_corridor(
            sides,
            scenario,
            folder=folder,
            randomness=system_randomness(),
            seed=options.seed,
            clock=system_clock(),
        )
    except ZhidaoError as error:
        print(f"the simulated consignments were not brought in: {error}", file=sys.stderr)
        return
    seconds = round(time.monotonic() - began_s, 1)
    if options.json:
        print(json.dumps({"simulated_consignments": count, "seconds": seconds}), flush=True)
    elif count:
        print(f"{count} SIMULATED consignments stand beside it on Roads ({seconds} s).", flush=True)


async def _until(work: Coroutine[Any, Any, Outcome], stop: asyncio.Event) -> Outcome:
    """The work's result; interrupting ends it."""
    import asyncio

    task = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not task.done():
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        raise KeyboardInterrupt
    return task.result()


async def _stay(sides: Sides, stop: asyncio.Event) -> None:
    print(
        f"\nThe pages stay open at {sides.importer.url} (importer's side) and"
        f" {sides.exporter.url} (exporter's side) until you press Ctrl-C.",
        file=sys.stderr,
    )
    await stop.wait()


def _scenario(options: argparse.Namespace) -> Scenario:
    from zhidao.simulation.scenario import recorded_scenario, simulated_scenario

    if options.observations is None and options.navigation is None:
        if options.site:
            raise MalformedInput("--site belongs to --observations")
        return simulated_scenario(CONSIGNMENT, fail=options.fail or "", seed=options.seed)
    if options.observations is None or options.navigation is None:
        raise MalformedInput("--observations and --navigation go together")
    if not options.site:
        raise MalformedInput(
            "--observations needs --site LAT,LON,RADIUS_M or --site FILE.geojson",
            remedy="the place of arrival is never taken from the recording",
        )
    if options.fail in ("spoof", "late"):
        raise MalformedInput(f"--fail {options.fail} needs simulated signals")
    return recorded_scenario(
        CONSIGNMENT,
        observations=take(options.observations, bytes_max=FILE_BYTES_MAX),
        navigation=take(options.navigation, bytes_max=FILE_BYTES_MAX),
        site=_site(options.site),
    )


def _check(options: argparse.Namespace) -> None:
    """Refuses what would fail only after the node has started. Raises MalformedInput."""
    if not 0 <= options.pace <= _PACE_S_MAX:
        raise MalformedInput(f"--pace wants 0 to {_PACE_S_MAX:.0f} seconds, not {options.pace}")
    if not 0 <= options.port <= _PORT_MAX:
        raise MalformedInput(f"--port wants 0 to {_PORT_MAX}, not {options.port}")
    for name in ("data", "output"):
        folder = getattr(options, name)
        if folder is None:
            continue
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise MalformedInput(
                f"--{name} {folder} cannot be a folder: {error.strerror}"
            ) from error


def _site(text: str) -> Site:
    from zhidao.simulation.scenario import circle_site, file_site

    if text.lower().endswith((".geojson", ".json")):
        file = Path(text)
        try:
            return file_site(take(file, bytes_max=FILE_BYTES_MAX))
        except MalformedInput as error:
            raise MalformedInput(f"--site {file}: {error}") from error
    try:
        latitude, longitude, radius_m = (float(part) for part in text.split(","))
    except ValueError as error:
        raise MalformedInput(
            f"--site wants LAT,LON,RADIUS_M or FILE.geojson, not {text!r}"
        ) from error
    good = abs(latitude) <= 90 and abs(longitude) <= 180 and radius_m > 0
    if not good:
        raise MalformedInput(f"--site {text!r} is no place on earth, or has no radius")
    if radius_m > _SITE_RADIUS_M_MAX:
        raise MalformedInput(f"--site {text!r}: a radius is at most {_SITE_RADIUS_M_MAX:.0f} m")
    return circle_site(latitude_deg=latitude, longitude_deg=longitude, radius_m=radius_m)


def _say_start(
    options: argparse.Namespace, scenario: Scenario, states: list[dict[str, Any]], seconds: float
) -> None:
    link, other = (f"{state['url']}/enter#{state['viewer_code']}" for state in states)
    if options.json:
        line = {"page": link, "exporter_page": other, "ready_s": round(seconds, 2)}
        print(json.dumps(line), flush=True)
        return
    kind = "SIMULATED signals" if scenario.simulated else "real signals of a recording"
    print(f"The road of {scenario.consignment}, with {kind}; both nodes ready in {seconds:.1f} s.")
    print("Parties, machine and mobile network are simulated. Keys are throw-away.")
    print(f"Watch it: {link}")
    print(f"The exporter's side: {other}\n", flush=True)


def _speaker(options: argparse.Namespace, started_s: float) -> Callable[[int, str], None]:
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() and _colours() else ("", "")

    def say(number: int, sentence: str) -> None:
        seconds = time.monotonic() - started_s
        if options.json:
            line = {"step": number, "sentence": sentence, "at_s": round(seconds, 2)}
            print(json.dumps(line, ensure_ascii=False), flush=True)
        else:
            print(f"{bold}{number:2d}{plain}  {sentence}  ({seconds:.1f} s)", flush=True)

    return say


def _colours() -> bool:
    return not os.environ.get("NO_COLOR")


def _say_end(
    options: argparse.Namespace, scenario: Scenario, outcome: Outcome, seconds: float
) -> None:
    if options.json:
        print(
            json.dumps(
                {
                    "paid": outcome.paid,
                    "reason": outcome.reason,
                    "steps": len(outcome.steps),
                    "proof": str(outcome.proof) if outcome.proof else "",
                    "trust": str(outcome.trust) if outcome.trust else "",
                    "exporter_proof": str(outcome.exporter_proof or ""),
                    "observations": "simulated" if scenario.simulated else "real",
                    "simulated": [
                        *SIMULATED_PARTS,
                        *(["observations"] if scenario.simulated else []),
                    ],
                    "seconds": round(seconds, 2),
                },
                ensure_ascii=False,
            ),
            flush=True,
        )
        return
    verdict = "PAID" if outcome.paid else f"REFUSED: {outcome.reason}"
    print(f"\n{verdict} after {seconds:.1f} s. {outcome.sentence}")
    if outcome.proof and outcome.trust:
        print(f"Check it: zhidao verify {outcome.proof} --trust {outcome.trust}", flush=True)
