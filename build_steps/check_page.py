# ruff: noqa: INP001 (a script of the build, not part of a package)
"""Checks the pages' sources: their types, and that no sentence stands outside the catalogues.

Usage: python build_steps/check_page.py
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hatch_build import BuildError, check_types  # noqa: E402 (found by the line above)

SOURCES: Final = ROOT / "web" / "src"
_ARGUMENT: Final = re.compile(r"\{(\w+)(?::\w+)?\}")
# Text between tags that holds a letter, on the line of its tags: words that no catalogue knows.
_HARD_WORDS: Final = re.compile(r"<[\w.]+[^<>{}=]*>\s*([^<>{}]*[A-Za-z\u4e00-\u9fff][^<>{}]*)</")
_HARD_ATTRIBUTE: Final = re.compile(r'\b(?:aria-label|title|placeholder|alt)="[^"]*[A-Za-z]')
_KEY: Final = re.compile(r"""\b(?:t|count|tryWords)\(\s*"([^"]+)\"""")


def problems() -> list[str]:
    """Everything that is wrong with the catalogues, as sentences."""
    books = {
        language: json.loads((SOURCES / "i18n" / f"{language}.json").read_text(encoding="utf-8"))
        for language in ("en", "zh")
    }
    return [*_catalogue_problems(books["en"], books["zh"]), *_source_problems(books["en"])]


def _catalogue_problems(english: dict[str, str], chinese: dict[str, str]) -> list[str]:
    found = [f"only one catalogue has {key}" for key in english.keys() ^ chinese.keys()]
    for key in english.keys() & chinese.keys():
        if not english[key].strip() or not chinese[key].strip():
            found.append(f"{key} is empty")
        elif set(_ARGUMENT.findall(english[key])) != set(_ARGUMENT.findall(chinese[key])):
            found.append(f"{key} has other arguments in Chinese than in English")
    return found


def _source_problems(words: dict[str, str]) -> list[str]:
    found = []
    for path in sorted(SOURCES.rglob("*.ts*")):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(SOURCES)
        found += [f"{name}: hard-coded {match!r}" for match in _HARD_ATTRIBUTE.findall(text)]
        if path.suffix == ".tsx":
            found += [f"{name}: hard-coded {match!r}" for match in _HARD_WORDS.findall(text)]
        for key in _KEY.findall(text):
            if key not in words and f"{key}.other" not in words:
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
