"""Files of the command line as recordings, with a bar while they are read."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.outputs import take
from zhidao.cli.progress import bar
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.positioning.domain.settings import Settings
    from zhidao.positioning.service.recordings import Recordings

FILE_BYTES_MAX: Final = 512 * 1024 * 1024


def recordings(
    files: Sequence[Path], options: argparse.Namespace, signals: Mapping[str, str] | None = None
) -> Recordings:
    """All that the files hold together. Raises MalformedInput naming the file."""
    from zhidao.core.timescale import Utc
    from zhidao.positioning.domain.tracked import SINGLE_SIGNALS
    from zhidao.positioning.service.recordings import read_recordings

    near = Utc.parse(options.near) if getattr(options, "near", None) else None
    with bar("reading", len(files)) as step:
        loaded = [(str(file), take(file, bytes_max=FILE_BYTES_MAX)) for file in files]
        return read_recordings(loaded, signals=signals or SINGLE_SIGNALS, near=near, said=step)


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
    from zhidao.positioning.domain.settings import Settings
    from zhidao.positioning.domain.tracked import SINGLE_SIGNALS

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
