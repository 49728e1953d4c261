"""`zhidao trust verifier`: the check of proofs as one file for any browser, without a network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import put
from zhidao.core.errors import Unavailable

PAGE: Final = "zhidao-verify.html"
_BUILT: Final = "zhidao-verify-*.html"


def add_action(actions: Any) -> None:
    """Adds the action."""
    verifier = actions.add_parser(
        "verifier",
        help="write the check of proofs as one file for any browser, offline",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=(
            "examples:\n"
            f"  zhidao trust verifier -o {PAGE}\n"
            "Whoever opens the file drops a proof and a trust list on it and reads the verdict;\n"
            "no node, no network, no Python. It is a second program, which says of each proof\n"
            "what it leaves to `zhidao verify`: above all the position itself.\n"
            "status: 0 written, 2 it cannot be written there, 3 the pages were not built here"
        ),
    )
    verifier.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="where it goes (else standard output)"
    )
    verifier.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Writes the file."""
    from zhidao.node.web.pages import ASSETS

    page = next(iter(ASSETS.glob(_BUILT)), None)
    if page is None:
        raise Unavailable(
            "the pages were not built here",
            code="not_built",
            remedy="install the wheel, or run `python hatch_build.py` in the checkout",
        )
    put(page.read_bytes(), options.output)
    return 0
