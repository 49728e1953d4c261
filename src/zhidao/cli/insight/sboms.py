"""Bills of materials that a command of insight takes."""

from __future__ import annotations

import argparse
from pathlib import Path

from zhidao.cli.console.outputs import take


def add_sboms(parser: argparse.ArgumentParser) -> None:
    """Adds --sbom."""
    parser.add_argument(
        "--sbom",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a bill of materials, CycloneDX or SPDX in JSON; as often as wanted",
    )


def sboms_of(options: argparse.Namespace) -> dict[str, bytes]:
    """The bytes of those files, by their names. Raises MalformedInput for one that is too large."""
    from zhidao.insight.library.assessments import SBOM_BYTES_MAX

    return {str(file): take(file, bytes_max=SBOM_BYTES_MAX) for file in options.sbom}
