"""Which version a form says it is, asked before anything else of it is read.

A later version may have fields that this program does not know, and lack some that it asks for. So
whoever holds one is told of the version first, and not that some field is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final, get_args, get_type_hints

from zhidao.core.errors import MalformedInput

# The number behind a form's name, `zhidao.bundle.v2`: of no more digits than anybody would count.
_NUMBER: Final = re.compile(r"([0-9]{1,9})(?![0-9])")

_VERSIONED: Final = re.compile(r"\.v[0-9]+\Z")


def check_version(told: object, *, form: str, known: tuple[int, ...], where: str = "") -> None:
    """Raises MalformedInput (`unknown_version`) for a number that is none of those known.

    What is no number is left to whoever reads the rest. `known`: in order, the newest last.
    """
    if type(told) is not int or told in known:
        return
    understood = ", ".join(map(str, known))
    asked = f"ask whoever made it for version {known[-1]}"
    raise MalformedInput(
        f"{form} of version {told}; this program understands {understood}",
        code="unknown_version",
        where=where,
        remedy=f"read it with a newer release of this program, or {asked}"
        if told > known[-1]
        else asked,
    )


def check_version_in(plain: object, *, form: str, known: tuple[int, ...]) -> None:
    """The same for what a JSON object says under `v`; what is no object is left to its reader."""
    if isinstance(plain, Mapping):
        check_version(plain.get("v"), form=form, known=known, where="v")


def check_tag(told: str, tags: tuple[str, ...], *, form: str, where: str = "") -> None:
    """The same for a name with its version, such as `zhidao.bundle.v2`, or what begins with it.

    `tags`: the names that are known, which differ in the number at their end alone. A text that
    begins otherwise is left to whoever reads the rest.
    """
    stem = tags[0].rstrip("0123456789")
    assert all(tag.startswith(stem) and tag[len(stem) :].isdigit() for tag in tags), tags
    found = _NUMBER.match(told, len(stem)) if told.startswith(stem) else None
    if found:
        known = tuple(sorted(int(tag[len(stem) :]) for tag in tags))
        check_version(int(found[1]), form=form, known=known, where=where)


def check_type(plain: object, kind: type, *, form: str) -> None:
    """The same for a JSON object whose `type` is one of the names that a struct's own may be."""
    tags = _types_of(kind)
    if tags and isinstance(plain, Mapping):
        check_tag(str(plain.get("type")), tags, form=form, where="type")


@cache
def _types_of(kind: type) -> tuple[str, ...]:
    names = map(str, get_args(get_type_hints(kind).get("type")))
    return tuple(name for name in names if _VERSIONED.search(name))
