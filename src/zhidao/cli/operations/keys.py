"""`zhidao keys`: list, export, import, rotate and revoke them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from zhidao.cli.console.node_options import add_settings, config_of, passphrase_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    shown = actions.add_parser("list", help="names and public fingerprints; needs no passphrase")
    add_settings(shown)
    shown.set_defaults(run=run_list)
    out = actions.add_parser("export", help="all keys into one sealed file of mode 0600")
    add_settings(out)
    out.add_argument("-o", "--output", type=Path, required=True, help="a new file")
    out.set_defaults(run=run_export)
    back = actions.add_parser("import", help="exported keys into a data folder without keys")
    add_settings(back)
    back.add_argument("file", type=Path, help="a file that zhidao keys export wrote")
    back.set_defaults(run=run_import)
    turn = actions.add_parser("rotate", help="a party, or the node, goes over to a new signing key")
    add_settings(turn)
    turn.add_argument("party")
    turn.add_argument("--reason", required=True, help="everybody reads it")
    turn.set_defaults(run=run_rotate)
    drop = actions.add_parser("revoke", help="nothing of a party's key counts any more")
    add_settings(drop)
    drop.add_argument("party")
    drop.add_argument("--reason", required=True, help="everybody reads it")
    drop.add_argument("--since", metavar="UTC", help="when it fell into other hands; else now")
    drop.add_argument("--key", metavar="MULTIKEY", help="an earlier key; else the present one")
    drop.set_defaults(run=run_revoke)
    parser.epilog = (
        "Rotation and revocation are written into the log while the node stands still. Peers of\n"
        "the exchange learn of the node's own keys by themselves; to everybody else, and for keys\n"
        "of parties, give the node's new trust list. A party's key that is lost for good is\n"
        "revoked, too: a new one takes its place.\n"
        "Backups hold no keys. An export opens with the node's passphrase and with nothing else.\n"
        "examples:\n"
        "  zhidao keys list --data ~/zhidao\n"
        "  zhidao keys export --data ~/zhidao -o /safe/node.zdkeys\n"
        "  zhidao keys import /safe/node.zdkeys --data ~/zhidao-new\n"
        "  zhidao keys rotate carrier --reason 'yearly' --data ~/zhidao\n"
        "  zhidao keys rotate corridor --reason yearly   # the node by its own name\n"
        "  zhidao keys revoke carrier --since 2026-05-03T00:00:00Z --reason 'stolen'\n"
        "status: 0 done, 1 refused (file exists, wrong passphrase, keys exist), or imported while\n"
        "the database knows keys that the export lacks, 2 bad file"
    )


def run_list(options: argparse.Namespace) -> int:
    """Prints the keys."""
    from zhidao.node.library import list_keys

    keys = list_keys(config_of(options).data)
    if options.json:
        rows = [
            {
                "name": k.name,
                "algorithm": k.algorithm,
                "fingerprint": k.fingerprint,
                "key": k.public,
            }
            for k in keys
        ]
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    width = max((len(key.name) for key in keys), default=0)
    for key in keys:
        print(f"{key.name:<{width}}  {key.algorithm:<10}  {key.fingerprint}")
    return 0


def run_export(options: argparse.Namespace) -> int:
    """Writes the sealed file."""
    from zhidao.node.library import export_keys

    config = config_of(options)
    out = options.output.absolute()
    count = export_keys(config.data, passphrase_of(config), out)
    if options.json:
        print(json.dumps({"file": str(out), "keys": count}, ensure_ascii=False))
    else:
        print(f"{out}: {count} keys, sealed under the node's passphrase; keep both, and apart")
    return 0


def run_rotate(options: argparse.Namespace) -> int:
    """Writes the rotation and goes over."""
    from zhidao.core.ids import party_id
    from zhidao.node.library import system_clock, system_randomness
    from zhidao.node.wiring.key_changes import rotate_key

    config = config_of(options)
    fact = rotate_key(
        config,
        passphrase_of(config),
        party_id(options.party),
        reason=options.reason,
        clock=system_clock(),
        randomness=system_randomness(),
    )
    return _told(options, fact.payload(), f"{fact.party} signs with {fact.key} from now on")


def run_revoke(options: argparse.Namespace) -> int:
    """Writes the revocation; a revoked present key is replaced by a fresh one."""
    from zhidao.core.ids import party_id
    from zhidao.core.keys import PublicKey
    from zhidao.core.timescale import Utc
    from zhidao.node.library import system_clock, system_randomness
    from zhidao.node.wiring.key_changes import revoke_key

    config = config_of(options)
    fact = revoke_key(
        config,
        passphrase_of(config),
        party_id(options.party),
        key=PublicKey.from_multikey(options.key) if options.key else None,
        since=Utc.parse(options.since) if options.since else None,
        reason=options.reason,
        clock=system_clock(),
        randomness=system_randomness(),
    )
    sentence = f"nothing of {fact.party}'s key {fact.key} counts since {fact.since}"
    return _told(options, fact.payload(), sentence)


def _told(options: argparse.Namespace, plain: dict[str, Any], sentence: str) -> int:
    if options.json:
        print(json.dumps(plain, ensure_ascii=False))
        return 0
    print(sentence)
    print("start the node, export its keys again, and give everybody the new trust list")
    return 0


def run_import(options: argparse.Namespace) -> int:
    """Unseals into the data folder, and tells which keys an older export lacks."""
    from zhidao.core.errors import ZhidaoError
    from zhidao.node.library import import_keys, keys_unlike

    config = config_of(options)
    folder = config.data / "keys"
    count = import_keys(options.file, passphrase_of(config), config.data)
    lacking, said = [], ""
    try:
        lacking = keys_unlike(config)
    except ZhidaoError as error:
        # The keys are in place; without a database nobody knows of others.
        said = "" if error.code == "no_node" else f"not compared with the database: {error}"
    if options.json:
        rows = [{"file": str(each.file), "seen": each.seen} for each in lacking]
        plain = {"folder": str(folder), "keys": count, "lacking": rows}
        print(json.dumps(plain, ensure_ascii=False))
    else:
        print(f"{folder}: {count} keys")
    for each in lacking:
        print(f"{each.file}: {each.seen}", file=sys.stderr)
    if lacking:
        said = f"the database knows more keys than this export: {lacking[0].remedy}"
    if said:
        print(said, file=sys.stderr)
    return 1 if lacking else 0
