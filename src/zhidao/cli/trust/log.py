"""`zhidao trust log|witness|monitor`: reads a node's log and believes only what it checks."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.outputs import put, take, tell
from zhidao.cli.console.remote import RemoteNode, add_node
from zhidao.cli.console.trust_folder import installed_lists, read_any, shown, trust_folder
from zhidao.cli.trust.log_sources import LogSource, NodeLog, TileLog
from zhidao.core.errors import MalformedInput, Refused, Unavailable

if TYPE_CHECKING:
    from zhidao.trust.domain.note import Checkpoint, Note, NoteKey

    Known = list[tuple[str, str, tuple[NoteKey, ...]]]

_NOTE_BYTES_MAX: Final = 256 * 1024
_EVERY_S_MIN: Final = 1.0


def add_actions(actions: Any) -> None:
    """Adds the three actions."""
    log = _action(
        actions,
        "log",
        "a log's newest head, or one of its leaves, checked here",
        "examples:\n"
        "  zhidao trust log --url https://node.example --trust trust.json --keep head\n"
        "  zhidao trust log --url https://node.example --since head --leaf 17\n"
        "  zhidao trust log --tiles --url https://log.example/2026 --key VKEY --since head\n"
        "With --since the log must have grown from that head: a rewritten one is refused.\n",
    )
    log.add_argument("--since", type=Path, metavar="FILE", help="a head that was kept before")
    log.add_argument("--keep", type=Path, metavar="FILE", help="keep the new head here")
    log.add_argument("--leaf", type=int, metavar="INDEX", help="show this leaf and its place")
    _add_tiles(log)
    log.set_defaults(run=run_log)
    witness = _action(
        actions,
        "witness",
        "what a node witnesses, and who witnesses it",
        "example:\n  zhidao trust witness --url https://node.example --json\n",
    )
    witness.set_defaults(run=run_witness)
    monitor = _action(
        actions,
        "monitor",
        "watch a node's log: that it only grows, and that no fraud is proven",
        "examples:\n"
        "  zhidao trust monitor --url https://node.example --state head --once\n"
        "  zhidao trust monitor --url https://node.example --state head --every 60\n"
        "  zhidao trust monitor --tiles --url https://log.example/2026 --key VKEY --state head\n",
    )
    monitor.add_argument("--state", type=Path, required=True, metavar="FILE", help="the last head")
    monitor.add_argument("--every", type=float, default=60.0, metavar="SECONDS")
    monitor.add_argument("--once", action="store_true", help="one round only")
    _add_tiles(monitor)
    monitor.set_defaults(run=run_monitor)


def _action(actions: Any, name: str, line: str, epilog: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name,
        help=line,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"{epilog}status: 0 in order, 1 refused or fraud, 2 bad input, 3 no answer",
    )
    add_node(parser, public=True)
    parser.add_argument(
        "--trust",
        type=Path,
        action="append",
        metavar="TRUSTFILE",
        help="trust list to go by instead of the installed ones",
    )
    return parser


def _add_tiles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tiles",
        action="store_true",
        help="--url is that of a log (C2SP tlog-tiles), of whatever maker, not of a node",
    )
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="VKEY",
        help="verifier key of the log, instead of a trust list; may be given several times",
    )


def _source(options: argparse.Namespace) -> LogSource:
    remote = RemoteNode(options)
    return TileLog(remote) if options.tiles else NodeLog(remote)


def run_log(options: argparse.Namespace) -> int:
    """Prints the head, after its signature and its growth were checked."""
    log, known = _source(options), _known(options)
    head = _read_head(log.head(), known)
    answer = head.plain()
    if options.since:
        before = _kept(options.since, known)
        _check_growth(log, before, head.checkpoint)
        answer["grown_from"] = before.size
    if options.leaf is not None:
        answer["leaf"] = _leaf(log, options.leaf, known)
    if options.keep:
        put(head.raw, options.keep)
    if options.json:
        tell(json.dumps(answer, ensure_ascii=False))
    else:
        tell(shown("\n".join(_told(answer))))
    return 0


def run_witness(options: argparse.Namespace) -> int:
    """Prints the node's own word about what it watches; heads in it were not checked here."""
    state = RemoteNode(options).get("/v1/trust/witness")
    if options.json:
        tell(json.dumps(state, ensure_ascii=False))
        return 1 if state["frauds"] else 0
    lines = [f"witness key  {key}" for key in state["keys"]]
    for log in state["logs"]:
        bad = "  CONVICTED" if log["convicted"] else ""
        lines.append(f"watches      {log['origin']}: {log['size']} leaves{bad}")
    for each in state["corridors"]:
        how = f"by {', '.join(each['by'])}" if each["witnessed"] else f"not yet: {each['reason']}"
        lines.append(f"corridor     {each['name']}: witnessed {how}")
    lines += [_brought(each) for each in state.get("brought", [])]
    lines += [f"problem      {name}: {why}" for name, why in state["problems"].items()]
    lines += [f"FRAUD        {name}" for name in state["frauds"]]
    tell(shown("\n".join(lines) or "this node witnesses nothing yet"))
    return 1 if state["frauds"] else 0


def _brought(mirror: dict[str, Any]) -> str:
    """A line about a mirror that the node brings its log to."""
    line = f"mirror       {mirror['url']}: keeps {mirror['leaves']} leaves"
    signed = f"{line}, signed for {mirror['cosigned']}"
    return f"{signed}; {mirror['problem']}" if mirror["problem"] else signed


def run_monitor(options: argparse.Namespace) -> int:
    """Rounds until something is wrong; each keeps the head it found in order."""
    if options.every < _EVERY_S_MIN:
        raise MalformedInput("--every is one second at least")
    log, known = _source(options), _known(options)
    while True:
        try:
            found = _round(log, known, options.state)
        except Unavailable as error:
            if options.once:
                raise
            print(shown(f"zhidao: {error}"), file=sys.stderr)
        else:
            said = json.dumps(found) if options.json else _line(found)
            tell(said if options.json else shown(said))
            if found["frauds"]:
                return 1
        if options.once:
            return 0
        time.sleep(options.every)


def _round(log: LogSource, known: Known, state: Path) -> dict[str, Any]:
    head = _read_head(log.head(), known)
    if state.exists():
        _check_growth(log, _kept(state, known), head.checkpoint)
    frauds = [_fraud(name, data) for name, data in log.frauds().items()]
    put(head.raw, state)
    return head.plain() | {"frauds": [fraud for fraud in frauds if fraud["proven"]]}


def _fraud(name: str, data: bytes) -> dict[str, Any]:
    """A fraud that the node tells, checked here."""
    from zhidao.trust.wire.log.fraud import decode_fraud

    proof = decode_fraud(data)
    try:
        sentence, proven = proof.check(), True
    except Refused as error:
        sentence, proven = str(error), False
    return {"name": name, "proven": proven, "origin": proof.origin, "sentence": sentence}


class _Head:
    """A log's signed head, and by which list its key is known (`` where none is given)."""

    def __init__(
        self, raw: bytes, note: Note, checkpoint: Checkpoint, whose: str, root: str
    ) -> None:
        self.raw, self.note, self.checkpoint = raw, note, checkpoint
        self.whose, self.root = whose, root

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "root": self.checkpoint.root.hex(),
            "signed_by": [line.name for line in self.note.signatures],
            "trusted": self.whose,
            "trusted_root": self.root,
        }


def _read_head(raw: bytes, known: Known) -> _Head:
    """Raises Refused (`untrusted_root`) if lists or keys are given and none is the log's."""
    from zhidao.trust.wire.log.note import decode_note, parse_checkpoint

    note = decode_note(raw)
    checkpoint = parse_checkpoint(note.text)
    for whose, root, keys in known:
        for key in note.signed_by(keys):
            if key.name == checkpoint.origin:
                return _Head(raw, note, checkpoint, whose, root)
    if known:
        raise Refused(
            f"no trust list or key that is known here signed the head of {checkpoint.origin}",
            code="untrusted_root",
        )
    return _Head(raw, note, checkpoint, "", "")


def _kept(file: Path, known: Known) -> Checkpoint:
    return _read_head(take(file, bytes_max=_NOTE_BYTES_MAX), known).checkpoint


def _check_growth(log: LogSource, before: Checkpoint, now: Checkpoint) -> None:
    """Raises Refused: `wrong_origin`, `turned_back` or `rewritten`."""
    from zhidao.trust.domain.merkle import verify_consistency

    if before.origin != now.origin:
        raise Refused(f"the kept head is of {before.origin}", code="wrong_origin")
    if before.size > now.size:
        raise Refused(
            f"the log had {before.size} leaves and shows {now.size} now", code="turned_back"
        )
    proof: tuple[bytes, ...] = ()
    if 0 < before.size < now.size:
        proof = log.consistency(first=before.size, second=now.size)
    try:
        if before.size:
            verify_consistency(
                first=before.size,
                second=now.size,
                first_root=before.root,
                second_root=now.root,
                proof=proof,
            )
    except Refused as error:
        raise Refused(
            f"the log of {now.size} leaves does not begin with the one of {before.size}",
            code="rewritten",
            remedy="keep both heads: they are signed, and together they are evidence",
        ) from error


def _leaf(log: LogSource, index: int, known: Known) -> dict[str, Any]:
    """A leaf whose place in a signed head was checked here."""
    from zhidao.trust.domain.merkle import leaf_hash, verify_inclusion

    note, data, path = log.leaf(index)
    head = _read_head(note, known)
    verify_inclusion(
        leaf=leaf_hash(data),
        index=index,
        size=head.checkpoint.size,
        proof=path,
        root=head.checkpoint.root,
    )
    return {"index": index, "size": head.checkpoint.size, "entry": data.decode(errors="replace")}


def _known(options: argparse.Namespace) -> Known:
    """The log keys to go by, with name and root of the list that names them."""
    from zhidao.trust.wire.log.note import parse_vkey

    if options.key:
        return [("the key given", "", tuple(parse_vkey(text) for text in options.key))]
    if options.trust:
        lists = [read_any(path) for path in options.trust]
    else:
        lists = installed_lists(trust_folder(os.environ))
    return [(each.trust.name, each.fingerprint, each.trust.logs) for each in lists]


def _told(answer: dict[str, Any]) -> list[str]:
    by = answer["trusted"]
    root = f" (root {answer['trusted_root']})" if answer["trusted_root"] else ""
    whose = f"trusted by {by!r}{root}" if by else "NOT CHECKED: no trust list is installed or given"
    lines = [f"{answer['origin']}", f"  {answer['size']} leaves, root {answer['root']}"]
    lines += [f"  signed by {name}" for name in answer["signed_by"]]
    lines.append(f"  {whose}")
    if "grown_from" in answer:
        lines.append(f"  grown from {answer['grown_from']} leaves, none of them changed")
    if "leaf" in answer:
        lines.append(f"  leaf {answer['leaf']['index']}: {answer['leaf']['entry']}")
    return lines


def _line(found: dict[str, Any]) -> str:
    frauds = "".join(f"\nFRAUD in {one['origin']}: {one['sentence']}" for one in found["frauds"])
    return f"{found['origin']}: {found['size']} leaves, in order{frauds}"
