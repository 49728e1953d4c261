"""`./run package rpm`: packages for systems that use RPM, with the program's own Python packages.

Built on Debian from the same locked wheels as the Debian package, for the Python and the C library
of each system. Nobody ran them there: their contents, their needs and rpmlint's word are checked.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

import sbom
import tree as trees
from common import ROOT, BuildFailed, digest_of, epoch, needs, run, say, settle, version
from tree import System

RECIPE: Final = ROOT / "deploy" / "rpm"
_ZSH: Final = "usr/share/zsh/site-functions/_zhidao"
# The tag of a release, what it stands for, and its Python and C library (2.41 and 2.38).
SYSTEMS: Final = {
    "fc42": ("Fedora 42", System("3.13", "x86_64-manylinux_2_40", _ZSH)),
    "oe2403": ("openEuler 24.03 LTS", System("3.11", "x86_64-manylinux_2_38", _ZSH)),
}
_ELF: Final = b"\x7fELF"
# What the database's archive links, which is unpacked when a node starts (Python 3.13).
_OF_THE_DATABASE: Final = ("libgssapi_krb5.so.2", "liblz4.so.1", "libxml2.so.2", "libz.so.1")
# Tools of the database that build extensions for it; no node runs them, nothing else needs Perl.
_NOT_RUN: Final = ("*/pginstall/lib/pgxs", "*/pginstall/include")
_SHARED: Final = (
    *("/usr", "/usr/bin", "/usr/lib", "/usr/lib/systemd", "/usr/lib/systemd/system", "/etc"),
    *("/usr/lib/sysusers.d", "/usr/share", "/usr/share/bash-completion", "/usr/share/licenses"),
    *("/usr/share/bash-completion/completions", "/usr/share/doc", "/usr/share/fish"),
    *("/usr/share/fish/vendor_completions.d", "/usr/share/man", "/usr/share/man/man1"),
    *("/usr/share/zsh", "/usr/share/zsh/site-functions"),
)


def make(keep: Path) -> dict[str, object]:
    """Builds zhidao-VERSION-1.TAG.x86_64.rpm for each system, with its list of contents."""
    needs("rpmbuild", "readelf", "gzip")
    if os.uname().machine != "x86_64":
        raise BuildFailed("only x86-64 is built so far")
    made = {}
    for tag in SYSTEMS:
        with tempfile.TemporaryDirectory(prefix="zhidao-rpm.", dir="/var/tmp") as scratch:
            file = _build(keep, Path(scratch), tag)
        made[tag] = {"rpm": str(file), "bytes": file.stat().st_size, "sha256": digest_of(file)}
    return {"rpms": made}


def _build(keep: Path, work: Path, tag: str) -> Path:
    name, system = SYSTEMS[tag]
    tree = work / "tree"
    site = trees.grow(tree, work, kind="rpm", system=system)
    for pattern in _NOT_RUN:
        for folder in site.glob(pattern):
            shutil.rmtree(folder)
    trees.units(tree)
    _link(tree)
    listed = sbom.of_site(site, kind="rpm")
    _papers(tree, listed)
    settle(tree)
    spec = work / "zhidao.spec"
    spec.write_text(_spec(tree, tag, name, system))
    say(f"packing for {name}")
    words = ["rpmbuild", "-bb", "--quiet", f"--define=_topdir {work / 'top'}"]
    # The system that builds has names of its own for what a system's package is called.
    words += [f"--define=_rpmdir {work / 'out'}", "--define=dist %{nil}", "--target=x86_64"]
    run([*words, "--define=_dbpath /var/tmp/none", str(spec)])
    [built] = (work / "out").rglob("*.rpm")
    file = keep / f"zhidao-{version()}-1.{tag}.x86_64.rpm"
    shutil.move(built, file)
    (keep / f"{file.stem}.cdx.json").write_bytes(listed)
    return file


def _link(tree: Path) -> None:
    program = tree / "usr/bin/zhidao"
    program.parent.mkdir(parents=True)
    program.symlink_to("../lib/zhidao/bin/zhidao")
    settings = tree / "etc/zhidao/zhidao.toml"
    settings.parent.mkdir(parents=True)
    shutil.copyfile(ROOT / "deploy" / "debian" / "zhidao.toml", settings)


def _papers(tree: Path, listed: bytes) -> None:
    doc, licences = tree / "usr/share/doc/zhidao", tree / "usr/share/licenses/zhidao"
    for folder in (doc, licences):
        folder.mkdir(parents=True)
    for file in (ROOT / "NOTICE", ROOT / "docs/how-to/run-a-node.md"):
        shutil.copyfile(file, doc / file.name)
    shutil.copyfile(RECIPE / "README.rpm", doc / "README.rpm")
    (doc / "sbom.cdx.json").write_bytes(listed)
    shutil.copyfile(ROOT / "LICENSE", licences / "LICENSE")


def _spec(tree: Path, tag: str, name: str, system: System) -> str:
    values = {
        "VERSION": version(),
        "TAG": tag,
        "SYSTEM": name,
        "PYTHON": system.python,
        # That of the program; what lies under it has licences of its own, listed in sbom.cdx.json.
        "LICENCES": "Apache-2.0",
        "REQUIRES": "\n".join(f"Requires: {library}()(64bit)" for library in _links(tree)),
        "TREE": str(tree),
        "FILES": "\n".join(_files(tree)),
        "DAY": time.strftime("%a %b %d %Y", time.gmtime(epoch())),
    }
    text = (RECIPE / "zhidao.spec").read_text()
    return re.sub(r"@([A-Z]+)@", lambda match: values[match[1]], text)


def _links(tree: Path) -> list[str]:
    """Shared libraries that programs in here link and that are not in here as well."""
    found = set(_OF_THE_DATABASE)
    files = [path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]
    for file in files:
        with file.open("rb") as source:
            if source.read(4) != _ELF:
                continue
        found |= set(re.findall(r"\(NEEDED\).*\[(.+)\]", run(["readelf", "-d", str(file)])))
    return sorted(found - {file.name for file in files} - {"ld-linux-x86-64.so.2"})


def _files(tree: Path) -> list[str]:
    """Each file and folder of the package by its name; folders of others are left to them."""
    told = []
    for path in sorted(tree.rglob("*")):
        place = f"/{path.relative_to(tree)}"
        if place in _SHARED:
            continue
        quoted = '"' + place.replace("%", "%%") + '"'
        if path.is_dir() and not path.is_symlink():
            told.append(f"%dir {quoted}")
        elif place.startswith("/etc/"):
            told.append(f"%config(noreplace) {quoted}")
        elif place.startswith("/usr/share/doc/"):
            told.append(f"%doc {quoted}")
        elif place.startswith("/usr/share/licenses/"):
            told.append(f"%license {quoted}")
        else:
            told.append(quoted)
    return ["%defattr(-,root,root,-)", *told]
