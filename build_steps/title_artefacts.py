# ruff: noqa: INP001 (a script of the build, not part of a package)
"""Takes the compiled title contracts out of the TradeTrust npm package, unchanged.

Run by the wheel's build hook (and by `./run setup`) after npm has checked the package against the
lock's integrity hash. Writes `token_registry.json` with only the two creation codes that the node
deploys and the interfaces that it calls, and the package's licence beside it. Neither is ever
committed.

Usage: python build_steps/title_artefacts.py PACKAGE_FOLDER TARGET_FOLDER
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any, Final

PACKAGE: Final = "@tradetrust-tt/token-registry"
VERSION: Final = "5.5.1"
# SHA-256 of each creation code as published in that version; anything else is refused.
_DEPLOYED: Final = {
    "TitleEscrowFactory": (
        "TitleEscrowFactory.sol",
        "13c6d3522d627873e542914f4363ad93ebd255cf622f2a4eaff2686e6a24857d",
    ),
    "TradeTrustToken": (
        "TradeTrustToken.sol",
        "2de53831c6c4da831f76e087512514e0189567f4ca0a7ec3a8c811be584e3e6d",
    ),
}
# The factory carries the escrow's code inside its own; the node needs only the interface.
_CALLED: Final = {"TitleEscrow": "TitleEscrow.sol"}


class ArtefactError(Exception):
    """The package is not the one that this step knows."""


def write_artefacts(package: Path, target: Path) -> Path:
    """Writes `target/token_registry.json` and `target/LICENSE`; returns the JSON file's path.

    package: the unpacked npm package (`web/node_modules/@tradetrust-tt/token-registry`).
    Raises ArtefactError if it is absent, another version, or its code is not the published one.
    """
    described = _json(package / "package.json")
    found = (described.get("name"), described.get("version"))
    if found != (PACKAGE, VERSION):
        raise ArtefactError(f"{package} holds {found[0]} {found[1]}, not {PACKAGE} {VERSION}")
    contracts: dict[str, Any] = {}
    for name, (folder, sha256) in _DEPLOYED.items():
        compiled = _compiled(package, folder, name)
        if compiled["linkReferences"]:
            raise ArtefactError(f"{name} needs linking, which the published one does not")
        code = bytes.fromhex(compiled["bytecode"].removeprefix("0x"))
        actual = hashlib.sha256(code).hexdigest()
        if actual != sha256:
            raise ArtefactError(f"{name}: SHA-256 of its creation code is {actual}, not {sha256}")
        contracts[name] = {"abi": compiled["abi"], "bytecode": code.hex(), "sha256": actual}
    for name, folder in _CALLED.items():
        contracts[name] = {"abi": _compiled(package, folder, name)["abi"]}
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(package / "LICENSE", target / "LICENSE")
    return _write(
        target / "token_registry.json",
        {
            "package": PACKAGE,
            "version": VERSION,
            "licence": described.get("license", ""),
            "notice": f"{PACKAGE} {VERSION} by {described.get('author', '')}, unmodified; "
            "its licence stands in LICENSE beside this file.",
            "contracts": contracts,
        },
    )


def _compiled(package: Path, folder: str, name: str) -> dict[str, Any]:
    return _json(package / "dist" / "artifacts" / folder / f"{name}.json")


def _json(path: Path) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ArtefactError(f"{path} is missing; run `npm ci --ignore-scripts` first") from error
    return value


def _write(path: Path, value: dict[str, Any]) -> Path:
    # Written aside and renamed, so that a broken build never leaves half a file.
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    aside.replace(path)
    return path


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: title_artefacts.py PACKAGE_FOLDER TARGET_FOLDER")
    try:
        print(write_artefacts(Path(sys.argv[1]), Path(sys.argv[2])))  # noqa: T201 (its output)
    except ArtefactError as problem:
        sys.exit(f"title_artefacts: {problem}")
