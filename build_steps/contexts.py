# ruff: noqa: INP001 (a script of the build, not part of a package)
"""Takes the JSON-LD contexts that credentials are signed with out of an npm package, unchanged.

Run by the wheel's build hook after npm has checked the package against the lock's integrity hash.
Writes one `contexts.json` of {url: value of @context}; none of it is ever committed. The node
checks each context's digest again when it reads the file
(`trust/wire/linked_data/context_pins.py`).

Usage: python build_steps/contexts.py PACKAGE_FOLDER TARGET_FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

PACKAGE: Final = "@trustvc/w3c-context"
VERSION: Final = "2.0.2"
_OURS: Final = "https://trustvc.io/context/"
_PLACES: Final = {
    "credentials-v1": "https://www.w3.org/2018/credentials/v1",
    "credentials-v2": "https://www.w3.org/ns/credentials/v2",
    "data-integrity-v2": "https://w3id.org/security/data-integrity/v2",
    "did-v1": "https://www.w3.org/ns/did/v1",
    "multikey-v1": "https://w3id.org/security/multikey/v1",
    "jws-2020-v1": "https://w3id.org/security/suites/jws-2020/v1",
    "bbs-v1": "https://w3id.org/security/bbs/v1",
    "status-list-2021-v1": "https://w3id.org/vc/status-list/2021/v1",
}


class ContextError(Exception):
    """The package is not the one that this step knows."""


def write_contexts(package: Path, target: Path) -> Path:
    """Writes `target/contexts.json` and returns its path. Raises ContextError."""
    described = _json(package / "package.json")
    found = (described.get("name"), described.get("version"))
    if found != (PACKAGE, VERSION):
        raise ContextError(f"{package} holds {found[0]} {found[1]}, not {PACKAGE} {VERSION}")
    contexts = {
        _PLACES.get(file.stem, _OURS + file.name): _json(file)["@context"]
        for file in sorted((package / "dist" / "context").glob("*.json"))
    }
    written = {
        "package": PACKAGE,
        "version": VERSION,
        "notice": f"{PACKAGE} {VERSION} by {described.get('author', '')}, licence "
        f"{described.get('license', '')}; the contexts under www.w3.org and w3id.org are by W3C "
        "and its community groups (W3C Software and Document licence). Unmodified.",
        "contexts": contexts,
    }
    target.mkdir(parents=True, exist_ok=True)
    # Written aside and renamed, so that a broken build never leaves half a file.
    aside = target / "contexts.new"
    aside.write_text(json.dumps(written, sort_keys=True, ensure_ascii=False), encoding="utf-8")
    return aside.replace(target / "contexts.json")


def _json(path: Path) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ContextError(f"{path} is missing; run `npm ci --ignore-scripts` first") from error
    return value


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: contexts.py PACKAGE_FOLDER TARGET_FOLDER")
    try:
        print(write_contexts(Path(sys.argv[1]), Path(sys.argv[2])))  # noqa: T201 (its output)
    except ContextError as problem:
        sys.exit(f"contexts: {problem}")
