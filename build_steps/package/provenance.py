"""`./run package provenance`: the wheel built twice, compared bit by bit, and a statement of it.

The second build is of a copy of the same files at another place, in another time zone, with
another mask of permissions, another order of hashes and pages bundled anew, so that what a machine
adds by itself shows. The statement is one of in-toto with provenance of SLSA 1.0; it tells no hour
and comes out the same for whoever builds that commit again with the same interpreter.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

import sbom
from common import ROOT, BuildFailed, digest_of, epoch, run, say, version, wheel

from zhidao.cli.console.private_keys import signing_key
from zhidao.insight.library.provenance import encode_statement, sign_statement

# Told in docs/how-to/install.md: this checkout's wheel by `uv build`, with the locks beside it.
BUILD_TYPE: Final = "urn:zhidao:build:wheel:1"
BUILDER: Final = "urn:zhidao:builder:unnamed"
# What decides what is built, beside the commit that holds it.
_LOCKS: Final = (
    *("requirements/runtime.txt", "requirements/docs.txt", "requirements/package.txt"),
    *("requirements/packs.txt", "web/package-lock.json"),
)
_ELSEWHERE: Final = {"TZ": "Asia/Shanghai", "LC_ALL": "C", "PYTHONHASHSEED": "4711"}
_MODULES: Final = Path("web") / "node_modules"


def make(
    keep: Path, *, key: Path | None = None, passphrase: Path | None = None, builder: str = ""
) -> dict[str, object]:
    """Writes wheel, lists and statement; signed too, where a key is given. Raises BuildFailed."""
    commit = _commit()
    # A key that cannot sign is told before minutes are spent.
    why = "a statement is signed by an Ed25519 key"
    signer = signing_key(key, passphrase, why=why) if key else None
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        first, second = _built(Path(folder))
        if digest_of(first) != digest_of(second):
            raise BuildFailed(f"two builds of {commit} differ: {_difference(first, second)}")
        kept = keep / first.name
        shutil.copyfile(first, kept)
        again = digest_of(second)
    lists = [Path(str(told)) for name, told in sbom.make(keep).items() if name in ("sbom", "spdx")]
    statement = encode_statement(
        subjects={file.name: digest_of(file) for file in (kept, *lists)},
        build_type=BUILD_TYPE,
        external={"commit": commit},
        internal={"SOURCE_DATE_EPOCH": str(epoch()), "python": sys.version.split()[0]},
        dependencies=[
            {"name": "source", "digest": {"gitCommit": commit}},
            *({"name": name, "digest": {"sha256": digest_of(ROOT / name)}} for name in _LOCKS),
        ],
        builder=builder or BUILDER,
        byproducts=[{"name": "the wheel, built again elsewhere", "digest": {"sha256": again}}],
    )
    unsigned = keep / f"zhidao-{version()}.statement.json"
    unsigned.write_bytes(statement)
    told: dict[str, object] = {
        "wheel": str(kept),
        "sha256": again,
        "equal_builds": 2,
        "sboms": [str(file) for file in lists],
        "statement": str(unsigned),
    }
    if signer is None:
        return told
    envelope = keep / f"zhidao-{version()}.provenance.json"
    envelope.write_bytes(sign_statement(statement, signer))
    return told | {"provenance": str(envelope), "key": signer.public.multikey}


def _commit() -> str:
    """The commit that is checked out whole. Raises BuildFailed where files are not of it."""
    if not (ROOT / ".git").exists():
        raise BuildFailed("a statement names a commit, and this folder is no checkout of git")
    git = ["git", "-C", str(ROOT)]
    if changed := run([*git, "status", "--porcelain"]).splitlines():
        first = changed[0].strip()
        raise BuildFailed(
            f"{len(changed)} files are not of the commit, {first} first; commit or remove them"
        )
    return run([*git, "rev-parse", "HEAD"]).strip()


def _built(folder: Path) -> tuple[Path, Path]:
    first = wheel(folder / "first")
    copy = folder / "elsewhere" / "checkout"
    _copied(copy)
    say("building the wheel again, of a copy elsewhere")
    before = os.umask(0o077)
    try:
        second = wheel(folder / "second", root=copy, env=_ELSEWHERE)
    finally:
        os.umask(before)
    return first, second


def _copied(copy: Path) -> None:
    """The files of the commit, and what npm brought by the lock, which nobody alters."""
    listed = ["git", "-C", str(ROOT), "ls-files", "-z"]
    names = subprocess.run(listed, capture_output=True, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target, follow_symlinks=False)
    # By other names of the same files where that can be; esbuild takes a link for elsewhere.
    shutil.copytree(ROOT / _MODULES, copy / _MODULES, symlinks=True, copy_function=_linked)


def _linked(source: str, target: str) -> str:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
    return target


def _difference(first: Path, second: Path) -> str:
    """The first entry that is another one."""
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as other:
        for name in sorted({*one.namelist(), *other.namelist()}):
            if name not in one.namelist() or name not in other.namelist():
                return f"{name} is in one of them"
            if one.read(name) != other.read(name):
                return f"{name} has other bytes"
    return "the same files, packed otherwise"
