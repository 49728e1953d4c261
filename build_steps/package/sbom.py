"""Lists of what an artefact holds, CycloneDX 1.6: packages of Python and npm, rule packs.

The wheel's list is written in SPDX 2.3 too, see `spdx`.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import Message
from email.parser import HeaderParser
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

from common import DEBIAN_PYTHON, REQUIREMENTS, ROOT, digest_of, epoch, version
from packaging.requirements import Requirement
from spdx import spdx_of

Component = dict[str, Any]
_LOCKED: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")
_PACK: Final = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)")
_LICENCE_LENGTH_MAX: Final = 120


def make(keep: Path) -> dict[str, object]:
    """Writes the list of the wheel: what it carries, and what pip brings beside it, as locked."""
    lines = (REQUIREMENTS / "base.in").read_text().splitlines()
    told = of_locked("wheel", closure_names(lines), _carried())
    file = keep / f"zhidao-{version()}-py3-none-any.cdx.json"
    file.write_bytes(told)
    other = keep / f"zhidao-{version()}-py3-none-any.spdx.json"
    other.write_bytes(spdx_of(told))
    return {
        "sbom": str(file),
        "components": told.count(b'"bom-ref"') - 1,
        "sha256": digest_of(file),
        "spdx": str(other),
        "spdx_sha256": digest_of(other),
    }


def of_locked(kind: str, names: set[str], further: Iterable[Component] = ()) -> bytes:
    """The list of packages as they are locked, with the digests of their files.

    Licences are those that the packages installed here state of themselves.
    """
    parts = [_licensed(part) for part in _locked("package.txt") if part["name"] in names]
    return _document(kind, [*parts, *further])


def of_site(site: Path, *, kind: str, further: Iterable[Component] = ()) -> bytes:
    """The list of a folder of installed Python packages."""
    parts = [_installed(folder) for folder in sorted(site.glob("*.dist-info"))]
    own = [part for part in parts if part["name"] != "zhidao"]
    return _document(kind, [*own, *_carried(), *further])


def with_further(kind: str, listed: bytes, further: Iterable[Component]) -> bytes:
    """Another list with more in it."""
    return _document(kind, [*json.loads(listed)["components"], *further])


def of_debian(status: str) -> list[Component]:
    """The packages of Debian that a root holds, from its dpkg/status."""
    found = []
    for block in status.split("\n\n"):
        told = HeaderParser().parsestr(block.strip())
        if told["Package"] and "installed" in (told["Status"] or ""):
            name, release = told["Package"], told["Version"]
            reference = f"pkg:deb/debian/{name}@{release}?arch={told['Architecture']}"
            found.append(_component(name, release, reference))
    return found


def _document(kind: str, parts: Iterable[Component]) -> bytes:
    chosen = {part["bom-ref"]: part for part in parts}
    components = [chosen[name] for name in sorted(chosen)]
    name = hashlib.sha256(json.dumps([kind, components]).encode()).hexdigest()
    own = _component("zhidao", version(), f"pkg:pypi/zhidao@{version()}")
    own |= {"type": "application", "licenses": [{"license": {"id": "Apache-2.0"}}]}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": own,
            "properties": [{"name": "zhidao:artefact", "value": kind}],
        },
        "components": components,
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def _component(name: str, release: str, reference: str) -> Component:
    return {
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": release,
        "purl": reference,
    }


def _licensed(part: Component) -> Component:
    try:
        told = distribution(part["name"])
    except PackageNotFoundError:
        return part
    text = told.read_text("METADATA")
    licence = (
        _stated(HeaderParser().parsestr(text)) if text and told.version == part["version"] else None
    )
    return part | ({"licenses": [licence]} if licence else {})


def _installed(folder: Path) -> Component:
    told = HeaderParser().parsestr((folder / "METADATA").read_text(encoding="utf-8"))
    name = re.sub(r"[-_.]+", "-", str(told["Name"])).lower()
    part = _component(name, str(told["Version"]), f"pkg:pypi/{name}@{told['Version']}")
    licence = _stated(told)
    return part | ({"licenses": [licence]} if licence else {})


def _stated(told: Message) -> Component | None:
    return _licence(told["License-Expression"], told["License"], told.get_all("Classifier", []))


def _licence(expression: str | None, text: str | None, classifiers: list[str]) -> Component | None:
    if expression:
        return {"expression": expression}
    named = [one.rpartition("::")[2].strip() for one in classifiers if one.startswith("License ::")]
    first = (text or "").strip().splitlines()
    told = named[-1] if named else (first[0] if first else "")
    return {"license": {"name": told[:_LICENCE_LENGTH_MAX]}} if told else None


def _carried() -> list[Component]:
    """What the wheel itself carries: bundled packages of npm, and the pinned rule packs."""
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text())
    found = []
    for place, told in lock["packages"].items():
        if not place or told.get("dev") or "version" not in told:
            continue
        name = place.rpartition("node_modules/")[2]
        reference = f"pkg:npm/{name.replace('@', '%40')}@{told['version']}"
        part = _component(name, told["version"], reference)
        licence = told.get("license")
        found.append(part | ({"licenses": [{"expression": licence}]} if licence else {}))
    for line in (REQUIREMENTS / "packs.txt").read_text().splitlines():
        if match := _PACK.match(line):
            reference = f"pkg:pypi/{match[1]}@{match[2]}"
            found.append(_component(match[1], match[2], reference))
    return found


def _locked(file: str) -> list[Component]:
    found: list[Component] = []
    for line in (REQUIREMENTS / file).read_text().splitlines():
        if match := _LOCKED.match(line):
            name, release = match[1].lower(), match[2]
            found.append(_component(name, release, f"pkg:pypi/{name}@{release}") | {"hashes": []})
        elif "--hash=sha256:" in line:
            digest = line.strip().removeprefix("--hash=sha256:").rstrip(" \\")
            found[-1]["hashes"].append({"alg": "SHA-256", "content": digest})
    return found


def closure_names(lines: Iterable[str]) -> set[str]:
    """The names of all that pip brings with these requirements, under Debian 13's Python."""
    where = {"python_version": DEBIAN_PYTHON, "python_full_version": f"{DEBIAN_PYTHON}.0"}
    waiting = [(Requirement(line), "") for line in lines if line.strip()]
    found: set[tuple[str, str]] = set()
    while waiting:
        need, asked = waiting.pop()
        if need.marker is not None and not need.marker.evaluate({**where, "extra": asked}):
            continue
        name = re.sub(r"[-_.]+", "-", need.name).lower()
        for extra in {"", *need.extras}:
            if (name, extra) in found:
                continue
            found.add((name, extra))
            try:
                further = distribution(name).requires or []
            except PackageNotFoundError:
                # The database's server for another release of Python, which brings nothing.
                further = []
            waiting += [(Requirement(text), extra) for text in further]
    return {name for name, _ in found}
