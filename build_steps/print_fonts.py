# ruff: noqa: INP001 (a script of the build, not part of a package)
"""Takes the two fonts of printed documents out of an npm package, unchanged, with their licence.

Run by `python hatch_build.py print` after npm has checked the package against the lock's integrity
hash. The fonts (Noto Sans SC, SIL Open Font License 1.1) are never committed.

Usage: python build_steps/print_fonts.py PACKAGE_FOLDER TARGET_FOLDER
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any, Final

PACKAGE: Final = "@expo-google-fonts/noto-sans-sc"
VERSION: Final = "0.4.3"
FONTS: Final = ("400Regular/NotoSansSC_400Regular.ttf", "700Bold/NotoSansSC_700Bold.ttf")
LICENCE: Final = "LICENSE_FONT"
_SFNT: Final = (b"\x00\x01\x00\x00", b"OTTO")


class FontError(Exception):
    """The package is not the one that this step knows."""


def write_fonts(package: Path, target: Path) -> Path:
    """Writes the fonts and their licence into `target` and returns it. Raises FontError."""
    try:
        described: dict[str, Any] = json.loads((package / "package.json").read_bytes())
    except FileNotFoundError as error:
        raise FontError(f"{package} is missing; run `npm ci --ignore-scripts` first") from error
    found = (described.get("name"), described.get("version"))
    if found != (PACKAGE, VERSION):
        raise FontError(f"{package} holds {found[0]} {found[1]}, not {PACKAGE} {VERSION}")
    if b"SIL Open Font License, Version 1.1" not in (package / LICENCE).read_bytes():
        raise FontError(f"{LICENCE} is not the SIL Open Font License 1.1")
    # Made aside, so that a broken build never leaves half a set.
    aside = target.with_name("fonts.new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name in FONTS:
        if (package / name).read_bytes()[:4] not in _SFNT:
            raise FontError(f"{name} is no TrueType or OpenType font")
        shutil.copyfile(package / name, aside / Path(name).name)
    shutil.copyfile(package / LICENCE, aside / LICENCE)
    shutil.rmtree(target, ignore_errors=True)
    return aside.rename(target)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: print_fonts.py PACKAGE_FOLDER TARGET_FOLDER")
    try:
        print(write_fonts(Path(sys.argv[1]), Path(sys.argv[2])))  # noqa: T201 (its output)
    except FontError as problem:
        sys.exit(f"print_fonts: {problem}")
