"""Names and versions out of lock files; their licences stand elsewhere, and are unknown here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.insight.domain.components import Component

_GO: Final = re.compile(r"^(\S+) (v[^\s/]+)(/go\.mod)? h1:\S", re.MULTILINE)
_GEM: Final = re.compile(r"^    ([A-Za-z0-9_.-]+) \(([^)\s]+)\)(?=\n|\Z)", re.MULTILINE)
_YARN: Final = re.compile(
    r'^"?(@?[^@\s"]+)@[^\n]*:\n(?:  [^\n]*\n)*?  version:? "?([^"\s]+)', re.MULTILINE
)
Named = Iterator[tuple[str, str]]


def lock_file_parts(path: str, text: str) -> tuple[Component, ...] | None:
    """What a lock file names, each once; None for one of a form that is not read, or spoiled.

    path: by its last name the form is known.
    """
    form = _FORMS.get(path.rpartition("/")[2].lower())
    if form is None:
        return None
    read, kind = form
    try:
        named = dict.fromkeys(read(text))
    except (MalformedInput, ValueError, RecursionError, LookupError, AttributeError, TypeError):
        # It belongs to whoever made the repository, and is no input of ours to refuse.
        return None
    return tuple(
        Component(name, version, f"pkg:{kind}/{name.replace('@', '%40')}@{version}", (), path)
        for name, version in named
        if name and version
    )


def _npm(text: str) -> Named:
    document = parse_strict(text.encode())
    for place, told in document.get("packages", {}).items():
        if place and "version" in told:
            yield place.rpartition("node_modules/")[2], str(told["version"])
    if "packages" not in document:
        yield from _npm_before_7(document.get("dependencies", {}))


def _npm_before_7(dependencies: Mapping[str, Any]) -> Named:
    waiting = [dependencies]
    while waiting:
        for name, told in waiting.pop().items():
            yield name, str(told["version"])
            waiting.append(told.get("dependencies", {}))


def _toml(text: str) -> Named:
    for told in tomllib.loads(text).get("package", []):
        yield str(told["name"]), str(told.get("version", ""))


def _composer(text: str) -> Named:
    document = parse_strict(text.encode())
    for told in (*document.get("packages", []), *document.get("packages-dev", [])):
        yield str(told["name"]), str(told["version"])


def _found(pattern: re.Pattern[str]) -> Callable[[str], Named]:
    return lambda text: ((each[1], each[2]) for each in pattern.finditer(text))


_FORMS: Final[dict[str, tuple[Callable[[str], Named], str]]] = {
    "package-lock.json": (_npm, "npm"),
    "yarn.lock": (_found(_YARN), "npm"),
    "cargo.lock": (_toml, "cargo"),
    "poetry.lock": (_toml, "pypi"),
    "uv.lock": (_toml, "pypi"),
    "pdm.lock": (_toml, "pypi"),
    "composer.lock": (_composer, "composer"),
    "go.sum": (_found(_GO), "golang"),
    "gemfile.lock": (_found(_GEM), "gem"),
}
