"""`zhidao restore`: an empty database from an archive that the right key signed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.node_options import add_settings, config_of
from zhidao.cli.console.outputs import noted, taken_as
from zhidao.cli.console.progress import told

if TYPE_CHECKING:
    from zhidao.node.config import Config
    from zhidao.node.wiring.backups import Restored
    from zhidao.store.backup import Archive, Summary

_PARTLY: Final = 4
_IDENTITY_BYTES_MAX: Final = 65_536


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    add_settings(parser)
    parser.add_argument("archive", type=Path, help="a file that zhidao backup wrote")
    parser.add_argument("--inspect", action="store_true", help="only check it and say what it is")
    parser.add_argument(
        "--signed-by",
        metavar="KEY",
        help="whose signature it must bear: fingerprint, Multikey or a file of one; else that of"
        " a key in the data folder",
    )
    parser.add_argument("--identity", type=Path, help="age identity file, for a sealed archive")
    parser.add_argument(
        "--older", type=int, metavar="NUMBER", help="restore this one although a newer is known"
    )
    parser.add_argument(
        "--unsigned",
        action="store_true",
        help="also read an archive of a release before signatures: anybody can have changed it",
    )
    parser.add_argument(
        "--live",
        metavar="FOLDER|URL",
        help="the node as it is now: tells what is newer, and what was withdrawn since",
    )
    parser.add_argument(
        "--keep-token",
        action="append",
        default=[],
        metavar="ID",
        help="a token that lives on; all others are withdrawn (may be repeated)",
    )
    parser.epilog = (
        "Import the keys first (zhidao keys import): they say who must have signed. Keep the\n"
        "newest log/checkpoint and log/backups of the lost node beside the database: an older\n"
        "state is noticed then, and never signed. No sign-in and no token lives again by itself.\n"
        "examples:\n"
        "  zhidao restore /backups/monday.zdbackup --data ~/zhidao-new\n"
        "  zhidao restore /backups/monday.zdbackup --data ~/zhidao-new --live ~/zhidao\n"
        "  zhidao restore /backups/monday.zdbackup --inspect --json --signed-by 3f2a-…\n"
        "status: 0 restored, 1 refused (target not empty, newer archive, older one, another's\n"
        "signature, unsigned), 2 truncated, damaged or forged archive, 3 database or disk failed,\n"
        "4 whole, but nothing here says whose signature it is (--inspect)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Checks the archive, then fills the database."""
    from zhidao.node.operations.backup import fingerprint_in

    config = config_of(options)
    archive = archive_of(options)
    signers = (fingerprint_in(options.signed_by),) if options.signed_by else ()
    if options.inspect:
        return _inspect(config, archive, signers, as_json=options.json)
    from zhidao.node.library import system_clock, system_randomness
    from zhidao.node.wiring.backups import Ambient, Wishes, restore_node

    wishes = Wishes(
        signers=signers,
        older=options.older,
        live=_live(options),
        tokens=tuple(options.keep_token),
    )
    with told("restoring") as progress:
        restored = restore_node(
            config,
            archive,
            wishes,
            ambient=Ambient(system_clock(), system_randomness()),
            progress=progress,
        )
    _say(restored, as_json=options.json)
    _warn(restored, wishes.tokens, live=wishes.live is not None)
    return 0


def archive_of(options: argparse.Namespace) -> Archive:
    """The archive that the options name, with the identities that may open it."""
    from zhidao.store.age import identities_in
    from zhidao.store.backup import Archive

    def read(data: bytes) -> list[bytes]:
        return identities_in(data.decode("utf-8", "replace"))

    identities = (
        taken_as(read, options.identity, bytes_max=_IDENTITY_BYTES_MAX) if options.identity else ()
    )
    return Archive(noted(options.archive), identities, unsigned=options.unsigned)


def _live(options: argparse.Namespace) -> Config | None:
    if not options.live:
        return None
    if options.live.startswith(("postgres://", "postgresql://")):
        return config_of(options, **{"database.url": options.live})
    apart = argparse.Namespace(config=None, data=Path(options.live))
    return config_of(apart, **{"database.url": ""})


def _inspect(config: Config, archive: Archive, signers: tuple[str, ...], *, as_json: bool) -> int:
    from zhidao.node.operations.backup import Conditions
    from zhidao.node.wiring.backups import own_signers
    from zhidao.store.backup import inspect

    with told("checking"):
        summary = inspect(archive)
    accepted = signers or own_signers(config)
    if summary.signer is not None and accepted:
        Conditions(accepted).judge_signer(summary.signer)
    is_known = summary.signer is not None and bool(accepted)
    _say_archive(summary, is_known=is_known, as_json=as_json)
    return 0 if is_known else _PARTLY


def _say_archive(summary: Summary, *, is_known: bool, as_json: bool) -> None:
    signer = summary.signer.fingerprint if summary.signer else ""
    if as_json:
        plain = {
            "bytes": summary.bytes,
            "rows": dict(summary.rows),
            "meta": dict(summary.meta),
            "signed_by": signer,
            "signer_known": is_known,
            "sealed": summary.sealed,
        }
        print(json.dumps(plain, ensure_ascii=False))
        return
    meta = summary.meta
    print(f"a whole backup of {meta.get('node', '?')} at {meta.get('at', '?')}")
    if not signer:
        print("not signed: whoever had it since can have changed it")
    elif is_known:
        print(f"backup {meta.get('number', '?')}, signed by {signer}")
    else:
        print(f"backup {meta.get('number', '?')}, signed by {signer}; say whose: --signed-by KEY")
    for table, rows in summary.rows.items():
        print(f"{rows:>12}  {table}")


def _say(restored: Restored, *, as_json: bool) -> None:
    rows = sum(restored.summary.rows.values())
    if as_json:
        print(
            json.dumps(
                {
                    "rows": rows,
                    "meta": dict(restored.summary.meta),
                    "signed_by": restored.summary.signer.fingerprint
                    if restored.summary.signer
                    else "",
                    "migrations": list(restored.migrations),
                    "log_size": restored.log_size,
                    "newest_size": restored.newest_size,
                    "keys": restored.keys,
                    "recovering": restored.recovering,
                    "newest_known": restored.newest,
                    "tokens_withdrawn": list(restored.tokens),
                    "people_withdrawn": list(restored.people),
                },
                ensure_ascii=False,
            )
        )
        return
    print(f"restored {rows} rows of {len(restored.summary.rows)} tables")
    print(f"withdrawn: {len(restored.tokens)} tokens, {len(restored.people)} people")


def _warn(restored: Restored, tokens: Sequence[str], *, live: bool) -> None:
    """What the person must know, on standard error."""
    if not restored.keys:
        print("the data folder has no keys: zhidao keys import FILE", file=sys.stderr)
    if not live:
        kept = f", nor whether {', '.join(tokens)} was withdrawn" if tokens else ""
        print(
            "nothing here knows who was withdrawn since this backup (people keep their"
            f" passwords){kept}: look at zhidao people list, or restore with --live",
            file=sys.stderr,
        )
    if not restored.newest:
        print(
            "nothing here knows whether a newer backup was made: no log/backups, no --live",
            file=sys.stderr,
        )
    if restored.recovering:
        print(
            f"the log had {restored.newest_size} leaves, this database has {restored.log_size}: "
            "the node will be recovering and sign nothing; restore a newer backup",
            file=sys.stderr,
        )
    elif restored.newest_size is None:
        print(
            "no copy of the newest head (log/checkpoint) stands in the data folder: if one was "
            "saved, put it there before the node starts",
            file=sys.stderr,
        )
