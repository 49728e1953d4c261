"""JSON-LD contexts from what the build put beside this package, and from a folder of the user's."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.files.bounded import read_bounded
from zhidao.core.limits import JSON_BYTES_MAX
from zhidao.core.programs.extras import REINSTALL
from zhidao.trust.wire.linked_data.context_pins import SHORT_CONTEXTS, pinned

_FOLDER: Final = "artefacts"
_FILE: Final = "contexts.json"
_FILES_MAX: Final = 200
_INDEX: Final = "contexts.json"


@cache
def load_contexts() -> dict[str, Any]:
    """The pinned contexts by URL. Raises Unavailable (`no_contexts`) if the build left them out."""
    place = resources.files("zhidao.trust") / _FOLDER / _FILE
    try:
        document = parse_strict(place.read_bytes())
    except FileNotFoundError as error:
        raise Unavailable(
            "the credential contexts are not installed",
            code="no_contexts",
            where=f"trust/{_FOLDER}/{_FILE}",
            remedy=REINSTALL,
        ) from error
    return pinned(document["contexts"])


def read_context_folder(folder: Path) -> dict[str, Any]:
    """Contexts that a person trusts beside the pinned ones; a pinned URL cannot be replaced.

    `contexts.json` in the folder names the file of each URL: {url: file name}.
    Raises MalformedInput.
    """
    try:
        index = parse_strict(read_bounded(folder / _INDEX, bytes_max=JSON_BYTES_MAX))
    except FileNotFoundError as error:
        raise MalformedInput(
            f"{folder} has no {_INDEX}", remedy='write {"https://…": "file.json"} there'
        ) from error
    if not isinstance(index, dict) or len(index) > _FILES_MAX:
        raise MalformedInput(f"{_INDEX} is no object of at most {_FILES_MAX} entries")
    found: dict[str, Any] = {}
    for url, name in index.items():
        if url in load_contexts() or url in SHORT_CONTEXTS:
            raise MalformedInput(f"{url[:80]} is pinned and cannot be replaced")
        if not isinstance(name, str) or Path(name).name != name:
            raise MalformedInput("a context's file is no name in this folder", where=url[:80])
        value = parse_strict(read_bounded(folder / name, bytes_max=JSON_BYTES_MAX))
        if not isinstance(value, dict) or "@context" not in value:
            raise MalformedInput("no @context in it", where=name)
        found[url] = value["@context"]
    return found
