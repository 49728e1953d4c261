"""What files say of their licence beside the text itself: SPDX headers, REUSE.toml, manifests."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.insight.wire.path_pattern import PathPattern

HEADER_BYTES: Final = 4096
# Each file of a tree is held against each.
PATTERNS_MAX: Final = 1000
# A header stands in a comment. Behind one quotation mark it is a text of a program that writes or
# reads headers; three of them begin a comment of Python.
_PLACE: Final = rb"(?m:^)(?:\"\"\"|'''|[^\"'`\r\n])*?"
_HEADER: Final = re.compile(_PLACE + rb"SPDX-License-Identifier:[ \t]*([^\r\n]{1,400})")
_HOLDER: Final = re.compile(
    _PLACE + rb"(?:SPDX-(?:File|Snippet)CopyrightText:[ \t]*[^\s]"
    rb"|(?:Copyright(?:[ \t]*(?:\([Cc]\)|\xc2\xa9))?|\xc2\xa9)[ \t]*\d{4})"
)
_IGNORED: Final = re.compile(rb"REUSE-IgnoreStart.*?(?:REUSE-IgnoreEnd|\Z)", re.DOTALL)
# What ends a comment that a header stands in.
_COMMENT_END: Final = re.compile(r"\s*(?:\*/|-->|--\}|#\}|\"\"\"|'''|\*\))?\s*$")
_STATED_LETTERS: Final = 2000


@dataclass(frozen=True, slots=True)
class Stated:
    """An expression as a file states it. line: where, from 1."""

    expression: str
    line: int


@dataclass(frozen=True, slots=True)
class Annotation:
    """What REUSE.toml says of paths below its folder.

    has_holder: whether it names an owner. overrides: whether it goes before what files state.
    """

    path: PathPattern
    expressions: tuple[str, ...]
    has_holder: bool = False
    overrides: bool = False


def header_of(data: bytes) -> Stated | None:
    """The first SPDX licence header in the first 4 KiB, outside of what REUSE ignores."""
    # Most files have none: that is told at once.
    if b"SPDX-License-Identifier" not in data[:HEADER_BYTES]:
        return None
    head = _regarded(data)
    found = _HEADER.search(head)
    if found is None:
        return None
    text = _COMMENT_END.sub("", found[1].decode("utf-8", "replace")).strip()
    return Stated(text, head.count(b"\n", 0, found.start(1)) + 1)


def names_holder(data: bytes) -> bool:
    """Whether a notice of copyright stands in the first 4 KiB, in a form that REUSE 3.3 knows."""
    head = data[:HEADER_BYTES]
    if b"opyright" not in head and b"\xc2\xa9" not in head:
        return False
    return _HOLDER.search(_regarded(head)) is not None


def _regarded(data: bytes) -> bytes:
    """The first 4 KiB, without what REUSE ignores, and as many lines."""
    return _IGNORED.sub(lambda found: b"\n" * found[0].count(b"\n"), data[:HEADER_BYTES])


def manifest_licence(name: str, data: bytes) -> Stated | None:
    """The licence that a manifest of a package states, or None where it states none."""
    try:
        text = data.decode("utf-8")
        stated = _of_manifest(name.lower(), text)
    except (ValueError, RecursionError, MalformedInput):
        return None
    if not isinstance(stated, str) or not stated or len(stated) > _STATED_LETTERS:
        return None
    return Stated(stated, _line_of(text, stated))


MANIFESTS: Final = ("pyproject.toml", "package.json", "cargo.toml", "composer.json")


def _of_manifest(name: str, text: str) -> Any:
    if name == "pyproject.toml":
        licence = _get(tomllib.loads(text), "project", "license")
        return licence.get("text") if isinstance(licence, dict) else licence
    if name == "cargo.toml":
        return _get(tomllib.loads(text), "package", "license")
    return _get(parse_strict(text.encode()), "license")


def _get(table: Any, *names: str) -> Any:
    for name in names:
        table = table.get(name) if isinstance(table, dict) else None
    return table


def _line_of(text: str, stated: str) -> int:
    """The line that names the key and the value; else the first that has the value."""
    first = stated.splitlines()[0]
    lines = text.splitlines()
    both = [n for n, line in enumerate(lines, 1) if first in line and "license" in line.lower()]
    return next(iter(both), next((n for n, line in enumerate(lines, 1) if first in line), 1))


def decode_reuse(data: bytes, folder: str) -> tuple[Annotation, ...] | None:
    """The annotations of a REUSE.toml in `folder`.

    None if it is not of version 1, or of more than PATTERNS_MAX paths: nobody wrote those by hand.
    """
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    listed = table.get("annotations", [])
    if table.get("version") != 1 or not isinstance(listed, list):
        return None
    found = tuple(islice(_all_annotations(listed, folder), PATTERNS_MAX + 1))
    return found if len(found) <= PATTERNS_MAX else None


def _all_annotations(listed: list[Any], folder: str) -> Iterator[Annotation]:
    return (found for entry in listed for found in _annotations(entry, folder))


def _annotations(entry: Any, folder: str) -> Iterator[Annotation]:
    if not isinstance(entry, dict):
        return
    expressions = tuple(_strings(entry.get("SPDX-License-Identifier")))
    has_holder = any(each.strip() for each in _strings(entry.get("SPDX-FileCopyrightText")))
    overrides = entry.get("precedence") == "override"
    for path in _strings(entry.get("path")):
        yield Annotation(PathPattern(_literal(folder) + path), expressions, has_holder, overrides)


def _literal(folder: str) -> str:
    """A folder's name may hold what is a sign in a pattern."""
    return folder.replace("\\", "\\\\").replace("*", "\\*")


def _strings(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]
