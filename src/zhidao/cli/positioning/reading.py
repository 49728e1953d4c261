"""Files of the command line as recordings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.positioning.domain.solver_settings import Settings
    from zhidao.positioning.service.recordings import Recordings


def recordings(
    files: Sequence[Path], options: argparse.Namespace, signals: Mapping[str, str] | None = None
) -> Recordings:
    """All that the files hold together. Raises MalformedInput naming the file."""
    from zhidao.core.timescale import Utc
    from zhidao.positioning.library import read

    near = Utc.parse(options.near) if getattr(options, "near", None) else None
    return read(*files, signals=signals, near=near, strict=options.strict, warned=warn)


def warn(text: str) -> None:
    """Says on standard error what was left out."""
    print(f"zhidao: warning: {text}", file=sys.stderr)


def add_solver(parser: argparse.ArgumentParser) -> None:
    """Adds the choices of single points."""
    parser.add_argument(
        "--signals",
        default="",
        metavar="LIST",
        help="such as C=C2I,G=C1C or C=C2I+C6I/C2I; every system of the file if left out",
    )
    parser.add_argument("--mask", type=float, default=10.0, metavar="DEG", help="elevation mask")
    parser.add_argument(
        "--strength",
        type=float,
        metavar="DBHZ",
        help="C/N0 below which ranges count less (0: never); that of the class if left out",
    )
    parser.add_argument(
        "--environment",
        default="open_sky",
        metavar="CLASS",
        help="open_sky, vehicle or phone; a bound is offered only where there is evidence for one",
    )
    parser.add_argument(
        "--risk", type=float, default=1e-4, metavar="P", help="of the protection levels, an epoch"
    )


def signals_of(text: str) -> dict[str, str]:
    """Signals by system. Raises MalformedInput for anything but LETTER=SIGNALS."""
    found = {}
    for part in text.split(","):
        system, sign, codes = part.strip().partition("=")
        if not sign or not codes or system in found:
            raise MalformedInput(f"no choice of signals: {part[:40]!r}", remedy="write C=C2I,G=C1C")
        found[system] = codes
    return found


def settings_of(options: argparse.Namespace, systems: str) -> Settings:
    """The solver's settings; without --signals all of `systems` take part.

    Raises MalformedInput for unknown signals or an impossible mask or risk.
    """
    from zhidao.positioning.domain.observables.signal_codes import SINGLE_SIGNALS
    from zhidao.positioning.domain.solver_settings import Settings

    if not 0 < options.mask < 90:
        raise MalformedInput(f"--mask {options.mask}: between 0 and 90 degrees")
    if not 0 < options.risk < 1:
        raise MalformedInput(f"--risk {options.risk}: a probability, such as 1e-4")
    chosen = (
        signals_of(options.signals)
        if options.signals
        else {system: code for system, code in SINGLE_SIGNALS.items() if system in systems}
    )
    more = {}
    if options.strength is not None:
        if not 0 <= options.strength <= 60:
            raise MalformedInput(f"--strength {options.strength}: 0 to 60 dB-Hz")
        more["strength_mdbhz"] = round(options.strength * 1000)
    return Settings.for_environment(
        options.environment, signals=chosen, mask_mdeg=round(options.mask * 1000), **more
    )
