"""What to do about a refusal that does not say so itself: by what was read, by place, or by code.

Each room tells it in a `remedies.toml` of its own, which is read when a refusal is shown and never
before: raising one costs nothing, and no command waits for the tables. Keys of places are modules
of the room, or the packages that hold them; `*` is the whole room.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from zhidao.core.errors import ZhidaoError

FILE: Final = "remedies.toml"
_PACKAGE: Final = __name__.partition(".")[0]
_ROOMS: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Remedies:
    """The tables of all rooms. Places are modules without the name of the package."""

    # By code: what means one thing wherever it is raised.
    codes: Mapping[str, str] = field(default_factory=dict)
    # By the beginning of a code, for codes that are made while running.
    families: Mapping[str, str] = field(default_factory=dict)
    # By reader, for `malformed_input`: where a whole one of that format comes from.
    readers: Mapping[str, str] = field(default_factory=dict)
    # By code and raising module, for codes that are as wide as their class.
    raised: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of_code(self, code: str) -> str:
        """The remedy of a code by itself, or of its family, or ""."""
        return self.codes.get(code) or _longest(self.families, code, _begins)


@cache
def remedies() -> Remedies:
    """The tables, read once."""
    codes: dict[str, str] = {}
    families: dict[str, str] = {}
    readers: dict[str, str] = {}
    raised: dict[str, dict[str, str]] = {}
    for file in sorted(_ROOMS.glob(f"*/{FILE}")):
        room = file.parent.name
        told = tomllib.loads(file.read_text(encoding="utf-8"))
        codes |= told.get("codes", {})
        families |= told.get("families", {})
        readers |= _placed(room, told.get("readers", {}))
        for code, places in told.get("raised", {}).items():
            raised.setdefault(code, {}).update(_placed(room, places))
    return Remedies(codes, families, readers, raised)


def remedy_of(error: ZhidaoError) -> str:
    """What somebody can do who is told this refusal.

    Its own remedy goes first. Of several readers that one was in, the outermost counts: somebody
    holds a proof file, and not the note inside of it.
    """
    if error.remedy:
        return error.remedy
    table = remedies()
    modules = list(_modules(error))
    if error.code == "malformed_input":
        for module in modules:
            if found := _longest(table.readers, module, _holds):
                return found
    if modules and (places := table.raised.get(error.code)):
        found = _longest(places, modules[-1], _holds)
        if found:
            return found
    return table.of_code(error.code) or table.of_code(error.default_code)


def remedy_of_code(code: str) -> str:
    """The remedy of a code that no exception bears."""
    return remedies().of_code(code)


def with_remedy(error: ZhidaoError) -> str:
    """The refusal as one line of text, with what to do about it."""
    text, remedy = str(error), remedy_of(error)
    return text if not remedy or remedy in text else f"{text}; {remedy}"


def _modules(error: ZhidaoError) -> Iterator[str]:
    """The modules that the error came through, the raising one last, without the package."""
    step = error.__traceback__
    while step is not None:
        name = str(step.tb_frame.f_globals.get("__name__", ""))
        if name.startswith(f"{_PACKAGE}."):
            yield name.removeprefix(f"{_PACKAGE}.")
        step = step.tb_next


def _placed(room: str, places: Mapping[str, str]) -> dict[str, str]:
    return {room if key == "*" else f"{room}.{key}": text for key, text in places.items()}


def _holds(place: str, module: str) -> bool:
    return module == place or module.startswith(f"{place}.")


def _begins(start: str, code: str) -> bool:
    return code.startswith(start)


def _longest(table: Mapping[str, str], name: str, fits: Callable[[str, str], bool]) -> str:
    found = [key for key in table if fits(key, name)]
    return table[max(found, key=len)] if found else ""
