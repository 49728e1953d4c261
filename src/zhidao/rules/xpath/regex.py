"""Regular expressions of XPath in Python's, where both surely mean the same.

XPath's dialect is XML Schema's (part 2, appendix F) with anchors, lazy quantifiers and groups
(Functions and Operators section 7.6.1). Classes by category, subtraction, `\\w`, `\\i`, `\\c` and
back-references are left to another engine.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from zhidao.rules.xpath.values import OutsideSubset

_SAME_ESCAPES: Final = frozenset(".\\?*+{}()[]|-^$")
_CONTROL: Final = {"n": "\\n", "r": "\\r", "t": "\\t"}
_SPACES: Final = " \\t\\n\\r"
_QUANTIFIER: Final = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}")


@lru_cache(maxsize=512)
def translated(pattern: str, flags: str) -> re.Pattern[str]:
    """The pattern compiled for Python. Raises OutsideSubset where the dialects part."""
    if flags:
        raise OutsideSubset("flags of a regular expression")
    out: list[str] = []
    at = 0
    while at < len(pattern):
        piece, at = _piece(pattern, at)
        out.append(piece)
    try:
        return re.compile("".join(out))
    except (re.error, RecursionError, OverflowError) as error:
        raise OutsideSubset("a regular expression that is refused") from error


def _piece(pattern: str, at: int) -> tuple[str, int]:
    char = pattern[at]
    if char == "\\":
        return _escape(pattern, at, inside=False)
    if char == "[":
        return _class(pattern, at)
    if char == ".":
        return r"[^\n\r]", at + 1
    if char == "$":
        return r"\Z", at + 1
    if char == "(":
        if pattern.startswith("(?", at) and not pattern.startswith("(?:", at):
            raise OutsideSubset("a group of another kind")
        return "(", at + 1
    if char == "{":
        match = _QUANTIFIER.match(pattern, at)
        if not match:
            raise OutsideSubset("a brace that is no quantifier")
        return match.group(), match.end()
    if char in "]}":
        raise OutsideSubset("a bracket that was not opened")
    if char in "?*+" and pattern[at + 1 : at + 2] == "+":
        raise OutsideSubset("a possessive quantifier")
    if char in "^|)?*+":
        return char, at + 1
    return re.escape(char), at + 1


def _escape(pattern: str, at: int, *, inside: bool) -> tuple[str, int]:
    char = pattern[at + 1 : at + 2]
    after = at + 2
    if char in _SAME_ESCAPES and char:
        return "\\" + char, after
    if char in _CONTROL:
        return _CONTROL[char], after
    if char == "d":
        return r"\d", after
    if char == "s":
        return (_SPACES if inside else f"[{_SPACES}]"), after
    if char == "S" and not inside:
        return f"[^{_SPACES}]", after
    if char == "D":
        return r"\D", after
    raise OutsideSubset(f"the escape \\{char}")


def _class(pattern: str, at: int) -> tuple[str, int]:
    out = ["["]
    at += 1
    if pattern[at : at + 1] == "^":
        out.append("^")
        at += 1
    first = True
    while at < len(pattern):
        char = pattern[at]
        if char == "]":
            if first:
                break
            return "".join(out) + "]", at + 1
        if char == "[" or (char == "-" and pattern[at + 1 : at + 2] == "["):
            raise OutsideSubset("a class inside a class")
        if char == "\\":
            piece, at = _escape(pattern, at, inside=True)
        elif char == "-" and (first or pattern[at + 1 : at + 2] == "]"):
            piece, at = "\\-", at + 1
        elif char == "-":
            piece, at = "-", at + 1
        else:
            piece, at = ("\\" + char if char in "^&~|" else char), at + 1
        out.append(piece)
        first = False
    raise OutsideSubset("a class that does not end")
