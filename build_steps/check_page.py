# ruff: noqa: INP001 (a script of the build, not part of a package)
"""Checks the pages' sources: their types, and that no sentence stands outside the catalogues.

Usage: python build_steps/check_page.py
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hatch_build import BuildError, check_types, find_node, install  # noqa: E402 (found by the line above)

SOURCES: Final = ROOT / "web" / "src"
# Text between tags that holds a letter, on the line of its tags: words that no catalogue knows.
_HARD_WORDS: Final = re.compile(r"<[\w.]+[^<>{}=]*>\s*([^<>{}]*[A-Za-z\u4e00-\u9fff][^<>{}]*)</")
_HARD_ATTRIBUTE: Final = re.compile(r'\b(?:aria-label|title|placeholder|alt)="[^"]*[A-Za-z]')
_KEY: Final = re.compile(r"""\b(?:t|tryWords)\(\s*"([^"]+)\"""")


def problems() -> list[str]:
    """Everything that is wrong with the catalogues, as sentences."""
    english = json.loads((SOURCES / "i18n" / "en.json").read_text(encoding="utf-8"))
    return [*_catalogue_problems(), *_source_problems(english)]


def _catalogue_problems() -> list[str]:
    """What the compiler of the catalogues says: keys, arguments, plurals, order."""
    try:
        node = find_node()
        install(ROOT, node, develop=True)
    except BuildError as error:
        return [str(error)]
    told = subprocess.run(  # noqa: S603 (our own script)
        [*node.node, str(ROOT / "web" / "messages.mjs")],
        check=False,
        text=True,
        capture_output=True,
        timeout=60,
    )
    return [line for line in (told.stdout + told.stderr).splitlines() if line]


def _source_problems(words: dict[str, str]) -> list[str]:
    found = []
    for path in sorted(SOURCES.rglob("*.ts*")):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(SOURCES)
        found += [f"{name}: hard-coded {match!r}" for match in _HARD_ATTRIBUTE.findall(text)]
        if path.suffix == ".tsx":
            found += [f"{name}: hard-coded {match!r}" for match in _HARD_WORDS.findall(text)]
        for key in _KEY.findall(text):
            if key not in words:
                found.append(f"{name}: no words for {key}")
    return found


def main() -> int:
    """Prints what is wrong; 0 when nothing is."""
    found = problems()
    try:
        check_types(ROOT)
    except BuildError as error:
        found.append(str(error))
    for problem in found:
        print(problem)  # noqa: T201 (its output)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
