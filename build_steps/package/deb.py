"""`./run package deb`: one Debian package, with the program's own Python packages inside."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import tempfile
from email.parser import HeaderParser
from email.utils import formatdate
from pathlib import Path
from typing import Final

import sbom
import tree as trees
from common import ROOT, BuildFailed, digest_of, epoch, needs, run, say, settle, version

RECIPE: Final = ROOT / "deploy" / "debian"
# Shared libraries that Debian has, and its packages with them. Anything else that a program in
# here links and that is not in here as well stops the build.
OF_DEBIAN: Final = {
    "ld-linux-x86-64.so.2": "libc6",
    "libc.so.6": "libc6",
    "libdl.so.2": "libc6",
    "libgcc_s.so.1": "libgcc-s1",
    "libm.so.6": "libc6",
    "libpthread.so.0": "libc6",
    "libresolv.so.2": "libc6",
    "librt.so.1": "libc6",
    "libstdc++.so.6": "libstdc++6",
    "libutil.so.1": "libc6",
    "libz.so.1": "zlib1g",
}
_FORMAT: Final = "https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
# What the database's own archive links, which is unpacked when a node starts.
OF_THE_DATABASE: Final = ("libgssapi-krb5-2", "liblz4-1", "libxml2")


def make(keep: Path) -> dict[str, object]:
    """Builds zhidao_VERSION_amd64.deb and its list of contents."""
    needs("dpkg-deb", "readelf", "gzip")
    if os.uname().machine != "x86_64":
        raise BuildFailed("only x86-64 is built so far")
    file = keep / f"zhidao_{version()}_amd64.deb"
    with tempfile.TemporaryDirectory(prefix="zhidao-deb.", dir="/var/tmp") as scratch:
        listed = build(file, Path(scratch), compression="xz")
    (keep / f"{file.stem}.cdx.json").write_bytes(listed)
    return {"deb": str(file), "bytes": file.stat().st_size, "sha256": digest_of(file)}


def build(file: Path, work: Path, *, compression: str) -> bytes:
    """Builds the package as one file; gives the list of its contents."""
    tree = work / "tree"
    site = trees.grow(tree, work, kind="deb")
    trees.units(tree)
    depends = _depends(site)
    _link(tree)
    listed = sbom.of_site(site, kind="deb")
    _papers(tree, listed)
    settle(tree)
    _control(tree, depends)
    say("packing")
    words = ["dpkg-deb", "--root-owner-group", f"-Z{compression}", "-z1", "--threads-max=2"]
    run([*words, "--build", str(tree), str(file)])
    shutil.rmtree(tree)
    return listed


def control_of(file: Path) -> dict[str, str]:
    """The fields of a package's control file, each in one line."""
    told = HeaderParser().parsestr(run(["dpkg-deb", "--field", str(file)]))
    return {name: " ".join(value.split()) for name, value in told.items()}


def _link(tree: Path) -> None:
    program = tree / "usr/bin/zhidao"
    program.parent.mkdir(parents=True)
    program.symlink_to("../lib/zhidao/bin/zhidao")
    settings = tree / "etc/zhidao/zhidao.toml"
    settings.parent.mkdir(parents=True)
    shutil.copyfile(RECIPE / "zhidao.toml", settings)


def _depends(site: Path) -> list[str]:
    """Packages of Debian that the libraries in here link. Raises BuildFailed for one unknown."""
    files = [file for file in site.rglob("*.so*") if file.is_file()]
    own = {file.name for file in files}
    found: set[str] = set()
    for file in [*files, site.parents[2] / "bin" / "nats-server"]:
        for name in re.findall(r"\(NEEDED\).*\[(.+)\]", run(["readelf", "-d", str(file)])):
            if name not in own and name not in OF_DEBIAN:
                raise BuildFailed(f"{file.name} links {name}: name its package in OF_DEBIAN")
            found |= {OF_DEBIAN[name]} if name not in own else set()
    return sorted(found | set(OF_THE_DATABASE))


def _papers(tree: Path, listed: bytes) -> None:
    doc = tree / "usr/share/doc/zhidao"
    doc.mkdir(parents=True)
    shutil.copyfile(RECIPE / "README.Debian", doc / "README.Debian")
    (doc / "copyright").write_text(f"Format: {_FORMAT}\n{(RECIPE / 'copyright').read_text()}")
    for file in (ROOT / "NOTICE", ROOT / "docs/how-to/run-a-node.md"):
        shutil.copyfile(file, doc / file.name)
    (doc / "sbom.cdx.json").write_bytes(listed)
    told = (
        f"zhidao ({version()}) trixie; urgency=medium\n\n  * Changes: see CHANGELOG.md of the "
        f"sources.\n\n -- {_maintainer()}  {formatdate(epoch())}\n"
    )
    (doc / "changelog.gz").write_bytes(gzip.compress(told.encode(), 9, mtime=0))
    overrides = tree / "usr/share/lintian/overrides/zhidao"
    overrides.parent.mkdir(parents=True)
    shutil.copyfile(RECIPE / "lintian-overrides", overrides)


def _sum(path: Path, tree: Path) -> str:
    told = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    return f"{told}  {path.relative_to(tree)}\n"


def _maintainer() -> str:
    [found] = re.findall(r"^Maintainer: (.+)$", (RECIPE / "control").read_text(), re.MULTILINE)
    return str(found)


def _control(tree: Path, depends: list[str]) -> None:
    folder = tree / "DEBIAN"
    folder.mkdir()
    files = sorted(path for path in tree.rglob("*") if folder not in path.parents)
    size_kb = sum(path.lstat().st_blocks * 512 // 1024 for path in files)
    text = (RECIPE / "control").read_text()
    text = text.replace("@VERSION@", version()).replace("@DEPENDS@", ", ".join(depends))
    (folder / "control").write_text(text.replace("@SIZE@", str(size_kb)))
    (folder / "conffiles").write_text("/etc/zhidao/zhidao.toml\n")
    whole = [path for path in files if path.is_file() and not path.is_symlink()]
    # Files of settings are not among them: dpkg keeps their sums by itself.
    sums = [_sum(path, tree) for path in whole if tree / "etc" not in path.parents]
    (folder / "md5sums").write_text("".join(sums))
    for script in ("postinst", "prerm", "postrm"):
        shutil.copyfile(RECIPE / script, folder / script)
        (folder / script).chmod(0o755)
    for path in [folder, *folder.iterdir()]:
        if path.name not in ("postinst", "prerm", "postrm", "DEBIAN"):
            path.chmod(0o644)
        os.utime(path, (epoch(), epoch()))
    os.utime(tree, (epoch(), epoch()))
