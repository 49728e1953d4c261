"""`zhidao backup`: everything but the keys into one signed archive."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from zhidao.cli.console.node_options import add_settings, config_of, passphrase_of
from zhidao.cli.console.progress import told


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    add_settings(parser)
    parser.add_argument("-o", "--output", type=Path, help="the archive; a new file")
    parser.add_argument(
        "--seal-to",
        metavar="AGE1…",
        help="recovery key: only its holder opens the archive; else backup.recovery_key",
    )
    parser.epilog = (
        "The node may go on serving. Its key signs the archive, so the passphrase is needed; each\n"
        "archive has a number, written into the log, by which an older one is known as older.\n"
        "Not in the archive: keys (zhidao keys export), sign-ins, and the copies of the log's\n"
        "newest head and number, which must never be put back with an older database.\n"
        "A sealed archive opens with zhidao restore --identity FILE, and with age -d -i FILE.\n"
        "examples:\n"
        "  zhidao backup --data ~/zhidao -o /backups/monday.zdbackup\n"
        "  zhidao backup --config /etc/zhidao.toml --seal-to age1… --json\n"
        "status: 0 written, 1 refused (the file exists, no node or no keys there), 2 bad recovery\n"
        "key, 3 database or disk failed"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Writes the archive and says what is in it."""
    from zhidao.node.library import system_clock, system_randomness
    from zhidao.node.wiring.backups import Ambient, backup_node
    from zhidao.store.age import recipient_of

    config = config_of(options)
    ambient = Ambient(system_clock(), system_randomness())
    wanted = options.seal_to or config.text("backup.recovery_key")
    recipient = recipient_of(wanted) if wanted else None
    stamp = f"{ambient.clock.now().to_datetime():%Y%m%dT%H%M%SZ}"
    sealed = ".age" if recipient else ""
    out = options.output or Path(f"zhidao-{config.text('node.name')}-{stamp}.zdbackup{sealed}")
    with told("backing up") as progress:
        summary = backup_node(
            config,
            lambda: passphrase_of(config),
            out.absolute(),
            recipient=recipient,
            ambient=ambient,
            warn=lambda sentence: print(sentence, file=sys.stderr),
            progress=progress,
        )
    rows = sum(summary.rows.values())
    signer = summary.signer.fingerprint if summary.signer else ""
    if options.json:
        print(
            json.dumps(
                {
                    "file": str(out),
                    "bytes": summary.bytes,
                    "sha256": summary.sha256,
                    "signed_by": signer,
                    "sealed": summary.sealed,
                    "rows": rows,
                    "tables": len(summary.rows),
                    "meta": dict(summary.meta),
                },
                ensure_ascii=False,
            )
        )
    else:
        log = summary.meta.get("log")
        head = f"log of {log['size']} leaves" if log else "no log yet"
        print(f"{out}: {rows} rows of {len(summary.rows)} tables, {summary.bytes} bytes, {head}")
        how = ", sealed to the recovery key" if summary.sealed else ""
        print(f"backup {summary.meta['number']}, signed by {signer}{how}")
        print(f"sha256 {summary.sha256}")
    return 0
