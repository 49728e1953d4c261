"""`./run package verify`: the wheel of the verifier alone, of the modules that the check needs."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
import time
import zipfile
from pathlib import Path
from typing import Final

import sbom
from closure import SOURCE, closure
from common import REQUIREMENTS, ROOT, BuildFailed, digest_of, epoch, say, version

START: Final = Path(__file__).parent / "verifier_start"
# The check itself, and the face of the command line that it is asked by.
ENTRANCES: Final = ("zhidao.cli.main", "zhidao.cli.trust.verify")
# What the check imports of others, by the name of its package.
PACKAGES: Final = {
    "Crypto": "pycryptodome",
    "coincurve": "coincurve",
    "cryptography": "cryptography",
    "lxml": "lxml",
    "msgspec": "msgspec",
    "nacl": "pynacl",
    "numpy": "numpy",
    "orjson": "orjson",
    "rfc8785": "rfc8785",
}
# Without these titles are not executed again, and the verdict says so.
TITLES: Final = {"eth": "py-evm", "eth_hash": "eth-hash", "trie": "trie"}
# Imported by what the check never calls: other acts of modules that it shares with a node.
NEVER_CALLED: Final = {
    *("argon2", "hatanaka", "httpx", "nats", "psycopg", "securesystemslib", "tuf", "typst"),
}


def make(keep: Path) -> dict[str, object]:
    """Builds zhidao_verify-VERSION-py3-none-any.whl, its list of contents beside it."""
    files, found = closure(*ENTRANCES)
    known = PACKAGES.keys() | TITLES.keys() | NEVER_CALLED
    unknown = found - sys.stdlib_module_names - known
    if unknown:
        raise BuildFailed(f"the check imports {', '.join(sorted(unknown))}: name it in verifier.py")
    say(f"{len(files)} modules")
    content = {f"zhidao_verify/{file.name}": _own(file) for file in START.glob("*.py")}
    for file in [*files, *_data(files)]:
        content[f"zhidao_verify/inside/{file.relative_to(SOURCE)}"] = file.read_bytes()
    wheel = keep / f"zhidao_verify-{version()}-py3-none-any.whl"
    write_wheel(wheel, content | _metadata())
    listed = keep / f"{wheel.stem}.cdx.json"
    listed.write_bytes(sbom.of_locked("verify", _locked_names()))
    return {
        "wheel": str(wheel),
        "modules": len(files),
        "bytes": wheel.stat().st_size,
        "sha256": digest_of(wheel),
        "sbom": str(listed),
    }


def requirements() -> dict[str, list[str]]:
    """What the wheel says that it needs, by extra; bounds are those of the program."""
    bounds: dict[str, str] = {}
    for line in (REQUIREMENTS / "base.in").read_text().splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)(?:\[\w+\])?\s*(>=[0-9.]+)?", line):
            bounds[match[1]] = match[2] or ""
    return {
        "": [name + bounds[name] for name in sorted(PACKAGES.values())],
        "titles": [name + bounds[name] for name in sorted(TITLES.values())],
    }


def write_wheel(file: Path, content: dict[str, bytes]) -> None:
    """A wheel of these files, in order of their names, dated by the commit (PEP 427)."""
    record = f"zhidao_verify-{version()}.dist-info/RECORD"
    rows = [
        f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in sorted(content.items())
    ]
    whole = {**dict(sorted(content.items())), record: ("".join(rows) + f"{record},,\n").encode()}
    # ZIP knows no time before 1980.
    date = time.gmtime(max(epoch(), 315532800))[:6]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in whole.items():
            entry = zipfile.ZipInfo(name, date)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3
            archive.writestr(entry, data)


def _own(file: Path) -> bytes:
    return file.read_text().replace("@VERSION@", version()).encode()


def _data(files: set[Path]) -> list[Path]:
    """Tables of the rooms whose modules are here: remedies, and the contracts of titles."""
    rooms = {file.relative_to(SOURCE / "zhidao").parts[0] for file in files}
    found = [SOURCE / "zhidao" / room / "remedies.toml" for room in sorted(rooms)]
    artefacts = sorted((SOURCE / "zhidao" / "trust" / "artefacts").glob("*.json"))
    if not artefacts:
        raise BuildFailed("the title contracts were not built here; run ./run setup")
    return [*(file for file in found if file.is_file()), *artefacts]


def _metadata() -> dict[str, bytes]:
    folder = f"zhidao_verify-{version()}.dist-info"
    needs = requirements()
    lines = [
        "Metadata-Version: 2.4",
        "Name: zhidao-verify",
        f"Version: {version()}",
        "Summary: Checks proofs of trade corridor nodes offline: who said what, what is proven.",
        "License-Expression: Apache-2.0",
        "License-File: LICENSE",
        "License-File: NOTICE",
        "Requires-Python: >=3.11",
        *(f"Requires-Dist: {need}" for need in needs[""]),
        "Provides-Extra: titles",
        *(f'Requires-Dist: {need} ; extra == "titles"' for need in needs["titles"]),
        "Description-Content-Type: text/markdown",
    ]
    readme = (START / "README.md").read_text()
    wheel = "Wheel-Version: 1.0\nGenerator: zhidao\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    entrance = "[console_scripts]\nzhidao-verify = zhidao_verify:program\n"
    return {
        f"{folder}/METADATA": ("\n".join(lines) + "\n\n" + readme).encode(),
        f"{folder}/WHEEL": wheel.encode(),
        f"{folder}/entry_points.txt": entrance.encode(),
        f"{folder}/licenses/LICENSE": (ROOT / "LICENSE").read_bytes(),
        f"{folder}/licenses/NOTICE": (ROOT / "NOTICE").read_bytes(),
    }


def _locked_names() -> set[str]:
    return sbom.closure_names(requirements()[""])


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
