"""`zhidao drill`: the newest backup comes back in a scratch place, and is looked through."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.node_options import add_settings, config_of
from zhidao.cli.console.progress import told
from zhidao.cli.operations.backups.restore import archive_of
from zhidao.core.errors import Refused

if TYPE_CHECKING:
    from zhidao.node.config import Config
    from zhidao.node.events import DrillDone

_NAMES: Final = ("*.zdbackup", "*.zdbackup.age")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    add_settings(parser)
    parser.add_argument(
        "archive",
        type=Path,
        nargs="?",
        help="a backup, or a folder of which the newest counts; else the setting backup.folder",
    )
    parser.add_argument("--identity", type=Path, help="age identity file, for a sealed archive")
    parser.add_argument(
        "--signed-by",
        metavar="KEY",
        help="whose signature it must bear: fingerprint, Multikey or a file of one; else that of"
        " a key in the data folder",
    )
    parser.add_argument(
        "--older", type=int, metavar="NUMBER", help="drill this one although a newer is known"
    )
    parser.add_argument(
        "--scratch", type=Path, metavar="FOLDER", help="where it comes back; else data folder/drill"
    )
    parser.add_argument(
        "--no-record", action="store_true", help="only say it; nothing is left for the log"
    )
    parser.epilog = (
        "The node may go on serving; its keys are not needed. A PostgreSQL of its own comes up\n"
        "in the scratch folder, takes the rows, and is read only from then on: acts are compared\n"
        "with the log, the log with its head and with the node's own, and each ledger is replayed\n"
        "from its first transfer. Then the folder is emptied; after a kill, by the next drill.\n"
        "The node signs what was found as node.DrillDone.v1, an open leaf of its log; the page\n"
        "Node and zhidao node drills show it. An alarm asks for one each 14 days\n"
        "(backup.drill_days); zhidao-drill.timer does it each week.\n"
        "examples:\n"
        "  zhidao drill /backups --data ~/zhidao\n"
        "  zhidao drill monday.zdbackup.age --identity recovery.txt --json\n"
        "  zhidao drill monday.zdbackup --signed-by 3f2a-… --data /tmp/empty --no-record\n"
        "status: 0 all came back and fits, 1 it does not, or refused (older, another's),\n"
        "2 truncated, damaged or forged archive, 3 database or disk failed"
    )
    parser.set_defaults(run=run, unsigned=False)


def run(options: argparse.Namespace) -> int:
    """Drills, leaves what was found for the node, and says it."""
    from zhidao.node.library import system_clock, system_randomness
    from zhidao.node.operations.backup import fingerprint_in
    from zhidao.node.wiring.backups import Ambient
    from zhidao.node.wiring.drills import SCRATCH, Held, drill_node, record

    config = config_of(options)
    options.archive = _newest(config, options.archive)
    ambient = Ambient(system_clock(), system_randomness())
    held = Held((fingerprint_in(options.signed_by),) if options.signed_by else (), options.older)
    logged: tuple[str, bool] = ("", False)
    with _live(config, wanted=not options.no_record) as live:
        with told("drilling") as progress:
            done = drill_node(
                config,
                archive_of(options),
                held,
                scratch=(options.scratch or config.data / SCRATCH).absolute(),
                live=live,
                ambient=ambient,
                monotonic=time.monotonic_ns,
                progress=progress,
            )
        if live and not options.no_record:
            logged = record(config, live, done, ambient)
    _say(options, done, logged)
    return 1 if done.wrong else 0


@contextmanager
def _live(config: Config, *, wanted: bool) -> Iterator[str]:
    """The node's own database; empty where none is, if nothing is to be written there."""
    from zhidao.node.operations.database_access import database_of

    if not wanted and not config.text("database.url") and not (config.data / "postgres").is_dir():
        yield ""
        return
    with database_of(config) as url:
        yield url


def _newest(config: Config, given: Path | None) -> Path:
    """The file that is meant. Raises Refused (`no_backup`)."""
    place = given or (Path(config.text("backup.folder")) if config.text("backup.folder") else None)
    if place is None:
        raise Refused(
            "no backup is named",
            code="no_backup",
            remedy="name a file or a folder, or set backup.folder",
        )
    if not place.is_dir():
        return place
    files = [file for name in _NAMES for file in place.glob(name) if file.is_file()]
    if not files:
        raise Refused(
            f"{place} holds no backup ({', '.join(_NAMES)})",
            code="no_backup",
            remedy=f"zhidao backup -o {place}/NAME.zdbackup",
        )
    return max(files, key=lambda file: file.stat().st_mtime_ns)


def _say(options: argparse.Namespace, done: DrillDone, logged: tuple[str, bool]) -> None:
    drill, is_logged = logged
    if options.json:
        plain = {"file": str(options.archive), "drill": drill, "logged": is_logged}
        print(json.dumps(plain | done.payload(), ensure_ascii=False))
    else:
        print(f"{options.archive}: backup {done.backup}, made at {done.made_at}")
        print(f"{done.rows} rows back after {done.restored_ms / 1000:.1f} s, all examined after")
        print(
            f"  {done.ready_ms / 1000:.1f} s: a log of {done.log_size} leaves, {done.ledgers}"
            f" ledgers with {done.transfers} transfers"
        )
        print(f"a loss now would cost {_span(done.lost_s)} and {done.lost_leaves} leaves")
        for sentence in done.wrong:
            print(f"wrong: {sentence}")
        print("does not come back whole" if done.wrong else "comes back whole, and fits")
    if drill and not is_logged:
        print("the node signs and logs this drill when it runs next", file=sys.stderr)
    elif not drill and not options.no_record:
        print(
            "not left for the log: no node of this release has served this database yet",
            file=sys.stderr,
        )


def _span(seconds: int) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
