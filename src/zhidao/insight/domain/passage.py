"""The passage that somebody points to by a line: what has to stay as it was signed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

_HEADING: Final = re.compile(r"(#{1,6})\s+\S")
_FENCE: Final = re.compile(r"\s*(?:```|~~~)")


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines [first, last] of a text, from 1, and the SHA-256 (hexadecimal) of their words.

    Words are what blanks and line ends divide, so a passage that is only broken into other lines
    is the same.
    """

    first: int
    last: int
    sha256: str


def passage_at(text: str, line: int) -> Passage:
    """The passage of a line, from 1: a heading's whole section, else the paragraph around it.

    A heading is a line that begins with one to six `#` and a blank, outside of fences of code, as
    in Markdown; its section ends before the next heading of its rank or above. A paragraph ends at
    a line of blanks and before a heading.

    >>> passage_at("# A\\n\\none\\ntwo\\n\\n## B\\n\\n# C", 1).last
    7
    >>> passage_at("# A\\n\\none\\ntwo\\n\\n## B", 4).first
    3
    """
    lines = text.split("\n")
    ranks = _ranks(lines)
    rank = ranks[line - 1]
    if rank:
        first = line
        ends = (at for at, other in enumerate(ranks[line:], line + 1) if 0 < other <= rank)
        last = next(ends, len(lines) + 1) - 1
    else:
        first = last = line
        while first > 1 and _goes_on(lines, ranks, first - 1):
            first -= 1
        while last < len(lines) and _goes_on(lines, ranks, last + 1):
            last += 1
    words = " ".join(" ".join(lines[first - 1 : last]).split())
    return Passage(first, last, hashlib.sha256(words.encode("utf-8", "replace")).hexdigest())


def _goes_on(lines: list[str], ranks: list[int], line: int) -> bool:
    return bool(lines[line - 1].strip()) and not ranks[line - 1]


def _ranks(lines: list[str]) -> list[int]:
    """Of each line how many `#` make it a heading; 0 for what is none."""
    ranks, fenced = [], False
    for line in lines:
        if _FENCE.match(line):
            fenced = not fenced
        found = None if fenced else _HEADING.match(line)
        ranks.append(len(found[1]) if found else 0)
    return ranks
