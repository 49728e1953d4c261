# ruff: noqa: INP001 (a script of the build, not part of a package)
"""What the package says it needs: the lists in requirements/, from which the locks are made too.

`base.in` is what every installation needs. Of the others each is an extra of its name: heavy, and
named with the command that brings it where it is missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from hatchling.metadata.plugin.interface import MetadataHookInterface

REQUIREMENTS: Final = Path(__file__).resolve().parents[1] / "requirements"
EXTRAS: Final = {
    "analysis": "analysis.in",
    "archive": "archive.in",
    "opcua": "opcua.in",
    "pkcs11": "pkcs11.in",
    "planning": "planning.in",
    "positioning": "positioning.in",
    "print": "print.in",
    "saxon": "saxon.in",
    "screening": "screening.in",
}


class DependencyHook(MetadataHookInterface):
    """Hatchling's hook: fills what pyproject.toml calls dynamic."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Adds dependencies and extras."""
        metadata["dependencies"] = listed("base.in")
        metadata["optional-dependencies"] = {
            name: listed(file) for name, file in sorted(EXTRAS.items())
        }


def listed(file: str) -> list[str]:
    """The requirements of one list, without its comments."""
    lines = (REQUIREMENTS / file).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and line[0] not in "#-"]
