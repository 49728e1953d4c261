"""What the builders share: the checkout, its date, running programs, files that tell no time."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
REQUIREMENTS: Final = ROOT / "requirements"
DEBIAN_PYTHON: Final = "3.13"
"""The Python of Debian 13, which runs what is packaged."""
_FIXED_DAY: Final = 1735689600


class BuildFailed(Exception):
    """Nothing was built; the message says what to do."""


def say(words: str) -> None:
    """A line of progress on standard error."""
    print(f"package: {words}", file=sys.stderr, flush=True)


@cache
def epoch() -> int:
    """The date of everything built: that of the commit, a fixed day outside a checkout."""
    told = os.environ.get("SOURCE_DATE_EPOCH", "")
    if told.isdigit():
        return int(told)
    words = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else _FIXED_DAY


@cache
def version() -> str:
    """The version of the program."""
    return run([sys.executable, "-c", "import zhidao; print(zhidao.__version__)"]).strip()


def needs(*programs: str) -> None:
    """Refuses to begin without these programs, and names the packages that have them."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        packages = {"dpkg-deb": "dpkg", "readelf": "binutils", "rpmbuild": "rpm"}
        wanted = " ".join(sorted({packages.get(name, name) for name in missing}))
        raise BuildFailed(f"needs {', '.join(missing)}; on Debian: apt-get install {wanted}")


def run(
    words: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    where: Path | None = None,
    seconds: float = 900,
) -> str:
    """What a program prints. Raises BuildFailed with its last words."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch()), **(env or {})}
    done = subprocess.run(
        words,
        env=environment,
        cwd=where,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    if done.returncode:
        told = (done.stdout + done.stderr).strip()[-3000:]
        raise BuildFailed(f"{' '.join(words[:4])} ended with {done.returncode}:\n{told}")
    return done.stdout


def wheel(folder: Path, *, root: Path = ROOT, env: Mapping[str, str] | None = None) -> Path:
    """The wheel of the program, built from this checkout, or a copy of it, into a folder."""
    say("building the wheel")
    uv = str(Path(sys.executable).parent / "uv")
    words = [uv, "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
    run([*words, "-o", str(folder), str(root)], env=env)
    [found] = folder.glob("zhidao-*.whl")
    return found


def settle(tree: Path) -> None:
    """Modes and times that are the same whoever's umask and clock built it."""
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            # Wheels mark libraries as programs, which they are not.
            runs = path.is_dir() or (path.stat().st_mode & 0o100 and ".so" not in path.suffixes)
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (epoch(), epoch()), follow_symlinks=False)


def digest_of(file: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
