"""RFC 8785: the published input and output pairs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data
from zhidao.core.canonical import jcs, parse_strict


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("jcs", shared, "trust/jcs", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    for source in sorted(folder.rglob("input/*.json")):
        wanted = folder.joinpath("output", source.name).read_bytes()
        yield source.name, jcs(parse_strict(source.read_bytes())) == wanted
