"""`zhidao man`: writes the manual's pages, made from the parsers of the commands."""

from __future__ import annotations

import argparse
from pathlib import Path

from zhidao import __version__
from zhidao.cli.console.callers import say
from zhidao.core.files.output import write_whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.add_argument(
        "--to",
        dest="folder",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of section 1, such as ~/.local/share/man/man1; made if it is not there",
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=_run)
    parser.epilog = (
        "examples:\n"
        "  zhidao man --to ~/.local/share/man/man1 && man zhidao-deal-open\n"
        "  zhidao man --to man1 --json\n"
        "status: 0 done, 2 the folder cannot be written"
    )


def _run(options: argparse.Namespace) -> int:
    from zhidao.cli.console.manual import pages, roff

    written = []
    for page in pages():
        file = options.folder / f"{page.prog.replace(' ', '-')}.1"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, roff(page, version=__version__).encode())
        written.append(file.name)
    told = {"folder": str(options.folder), "pages": written}
    return say(options, told, f"{len(written)} pages in {options.folder}")
