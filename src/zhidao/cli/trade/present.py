"""`zhidao trade present make|open`: a signed, sealed set for the bank, and what the bank reads."""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.node_options import add_settings, config_of, passphrase_of
from zhidao.cli.console.outputs import put, take
from zhidao.core.errors import MalformedInput

_ENTRY_BYTES_MAX: Final = 8 * 1024 * 1024
_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao trade present make entry.json --party exporter --to bank.card -o set.zdpresent\n"
    "  zhidao trade present open set.zdpresent --data ~/bank --out drawing-1/ \\\n"
    "    --presented-on 2026-09-15 --place Shanghai --signed transport_document\n"
    "  zhidao finance credit examine drawing-1/\n"
    "`zhidao peer card` of the bank's node writes its card; without --to nothing is sealed.\n"
    "status: 0 done, no finding; 1 conflicts, a wrong signature or not for this node; 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="WHAT", required=True)
    raw = argparse.RawDescriptionHelpFormatter
    make = actions.add_parser(
        "make", help="sign and seal a set", epilog=_EXAMPLES, formatter_class=raw
    )
    make.add_argument("entry", type=Path, metavar="ENTRY", help="entry file (JSON)")
    make.add_argument("--party", required=True, help="who presents; its key is in this node's data")
    make.add_argument("--to", type=Path, metavar="CARD", help="card of the bank's node, to seal")
    make.add_argument("--kind", action="append", default=[], help="a document; default: the usual")
    make.add_argument("--pdf", action="store_true", help="with a PDF/A of each document")
    make.add_argument("--despite-conflicts", action="store_true", help="present them, named")
    make.add_argument("-o", "--output", type=Path, required=True)
    add_settings(make)
    make.set_defaults(run=run_make)
    look = actions.add_parser(
        "open", help="check and read one", epilog=_EXAMPLES, formatter_class=raw
    )
    look.add_argument("file", type=Path, metavar="FILE")
    look.add_argument("--out", type=Path, metavar="FOLDER", help="write documents and the question")
    look.add_argument(
        "--presented-on", default="", metavar="DAY", help="day it came; default: made"
    )
    look.add_argument("--place", default="", help="counter where it came")
    look.add_argument(
        "--signed",
        action="append",
        default=[],
        metavar="KIND",
        help="its issuer's signature is seen",
    )
    look.add_argument(
        "--trust", type=Path, metavar="TRUSTFILE", help="list that says whose key it is"
    )
    add_settings(look)
    look.set_defaults(run=run_open)


def run_make(options: argparse.Namespace) -> int:
    """Writes the file."""
    from zhidao.core.errors import NotFound
    from zhidao.core.keys import Algorithm
    from zhidao.exchange.wire.card import CARD_BYTES_MAX
    from zhidao.exchange.wire.sealed_file import sealed
    from zhidao.node.library import key_files, system_clock
    from zhidao.trade.library import presentation

    entry = take(options.entry, bytes_max=_ENTRY_BYTES_MAX)
    card = take(options.to, bytes_max=CARD_BYTES_MAX) if options.to else b""
    config = config_of(options)
    keys = key_files(config.data, passphrase_of(config))
    own = keys.of_party(options.party, Algorithm.ED25519)
    if not own:
        raise NotFound(f"this node holds no key of {options.party[:64]}", remedy="zhidao keys list")
    data = presentation.make(
        entry,
        party=options.party,
        signer=own[-1],
        at=system_clock().now(),
        kinds=options.kind,
        despite=options.despite_conflicts,
        languages=("en", "zh") if options.pdf else (),
    )
    told = presentation.told(presentation.read(data))
    if card:
        data = sealed(data, card)
    put(data, options.output)
    _print(told | {"sealed": bool(options.to)}, options)
    return 1 if told["findings"] else 0


def run_open(options: argparse.Namespace) -> int:
    """Checks, reads, and writes what the examination needs."""
    from zhidao.core.keys import Algorithm
    from zhidao.exchange.wire.sealed_file import SEAL_BYTES_MAX, is_sealed, opened
    from zhidao.exchange.wire.sealing import SealingKey
    from zhidao.node.library import key_files
    from zhidao.trade.library import presentation
    from zhidao.trade.wire.presentation_file import BYTES_MAX

    data = take(options.file, bytes_max=BYTES_MAX + SEAL_BYTES_MAX)
    key = None
    if is_sealed(data):
        config = config_of(options)
        files = key_files(config.data, passphrase_of(config))
        secret = files.get("sealing", Algorithm.ED25519)
        key = SealingKey(secret.secret) if secret else None
    plain = opened(data, key)
    found = presentation.read(plain)
    told = presentation.told(found)
    if options.trust:
        _require_speaker(options.trust, found)
        told["key_known"] = True
    if options.out:
        _write(options, plain, found)
    _print(told, options)
    return 1 if told["findings"] or told["missing"] else 0


def _require_speaker(trust: Path, found: Any) -> None:
    from zhidao.cli.console.trust_folder import read_any
    from zhidao.core.errors import Refused
    from zhidao.core.keys import PublicKey

    presenter = found.manifest.presenter
    if not read_any(trust).trust.speaks(presenter, PublicKey.from_multikey(found.key)):
        raise Refused(
            f"the trust list does not know this key as {presenter}'s",
            code="unknown_key",
            remedy="ask the presenter for its node's trust list",
        )


def _write(options: argparse.Namespace, data: bytes, found: Any) -> None:
    from zhidao.cli.trade.examination import for_examination
    from zhidao.trade.library.presentation import files_of

    options.out.mkdir(parents=True, exist_ok=True)
    for name, content in files_of(data).items():
        put(content, options.out / name)
    if not options.place:
        return
    question = for_examination(
        found,
        presented_on=_day(options.presented_on or found.manifest.made_at[:10]),
        place=options.place,
        signed=options.signed,
    )
    text = json.dumps(question, ensure_ascii=False, indent=1)
    put(text.encode(), options.out / "presentation.json")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise MalformedInput(f"no day: {text[:20]!r}", remedy="write it as 2026-09-15") from error


def _print(told: dict[str, Any], options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
        return
    print(f"{told['presentation']} under credit {told['credit'] or 'none'}: {told['drawn']}")
    known = "" if told.get("key_known") else " (whose it is, only a trust list says: --trust)"
    print(f"by {told['presenter']} with key {told['key']}{known}")
    for document in told["documents"]:
        print(f"  {document['number']:20} {document['kind']}")
    for kind in told["missing"]:
        print(f"  named in the letter and not there: {kind}")
    for one in told["findings"]:
        print(f"{one['verdict']} {one['rule']}: {one['sentence']}")
        print(f"    {one['left']}\n    {one['right']}")
    print(f"{told['checks']} checks, {len(told['findings'])} findings")
