"""`zhidao exchange`: send to other nodes, see what came, carry by hand, verify what was said."""

from __future__ import annotations

import argparse
import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.callers import add_caller, node_of
from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.cli.console.outputs import put_told, take, tell
from zhidao.cli.console.remote import RemoteNode
from zhidao.cli.console.trust_folder import installed_lists, read_any, shown, trust_folder
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.core.keys import PublicKey
    from zhidao.exchange.service.verification import Checked
    from zhidao.exchange.wire.bundle import Item

_ITEMS_AT_ONCE: Final = 24
_OUT_STATES: Final = ("waiting", "received", "accepted", "decided", "dead")
_IN_STATES: Final = ("held", "accepted", "decided")
_EPILOG: Final = (
    "examples (each with --url and --token-file):\n"
    "  zhidao exchange send invoice.xml --to importer/buyer --consignment zd-17 \\\n"
    "      --kind trade.invoice --media-type application/xml\n"
    "  zhidao exchange outbox --state dead && zhidao exchange resend DOCUMENT\n"
    "  zhidao exchange withdraw DOCUMENT --reason 'replaced by invoice 18'\n"
    "  zhidao exchange decide importer DOCUMENT --refuse amount_differs --reason 'see clause 4'\n"
    "  zhidao exchange pack importer -o stick.zdbundle     # here, then carry the stick\n"
    "  zhidao exchange unpack stick.zdbundle -o back.zdbundle    # there, then carry it back\n"
    "  zhidao exchange export -o all.zdbundle\n"
    "  zhidao exchange verify all.zdbundle --trust trust.json    # anywhere, without a node\n"
    "status: 0 done, 1 refused or not valid, 2 bad input, 3 the node does not answer"
)


_EXAMPLES: Final = {
    "send": (
        "zhidao exchange send invoice.xml --to importer/buyer --consignment zd-17 \\\n"
        "      --kind trade.invoice --media-type application/xml"
    ),
    "outbox": "zhidao exchange outbox --state dead --json",
    "inbox": "zhidao exchange inbox --consignment zd-17 --sort=-received_at --limit 20 --look",
    "resend": "zhidao exchange resend 01900000-0000-7000-8000-000000000001",
    "withdraw": "zhidao exchange withdraw 01900000-0000-7000-8000-000000000001 --reason 'replaced'",
    "content": "zhidao exchange content importer 01900000-0000-7000-8000-000000000001 -o order.xml",
    "decide": "zhidao exchange decide importer 01900000-0000-7000-8000-000000000001 --accept",
    "subscribe": "zhidao exchange subscribe exporter --kind trade. --consignment zd-",
    "pack": "zhidao exchange pack importer -o stick.zdbundle",
    "unpack": "zhidao exchange unpack stick.zdbundle -o back.zdbundle",
    "export": "zhidao exchange export --consignment zd-17 -o one.zdbundle",
    "verify": "zhidao exchange verify all.zdbundle --trust exporter.json --trust importer.json",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add_sending(actions)
    _add_carrying(actions)
    verify = _action(actions, "verify", "check an export without any node")
    verify.add_argument("file", type=Path, metavar="FILE")
    verify.add_argument(
        "--trust",
        type=Path,
        action="append",
        metavar="TRUSTFILE",
        help="trust list to go by instead of the installed ones; may be given several times",
    )
    verify.add_argument("--json", action="store_true", help="answer in JSON")
    verify.set_defaults(run=_verify)
    parser.epilog = _EPILOG


def _action(actions: Any, name: str, line: str) -> Any:
    """An action with what it does and an example below its options."""
    node = "" if name == "verify" else " (with --url and --token-file)"
    return actions.add_parser(
        name,
        help=line,
        description=f"{line[0].upper()}{line[1:]}.",
        epilog=f"example{node}:\n  {_EXAMPLES[name]}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_sending(actions: Any) -> None:
    send = _action(actions, "send", "seal a file for a party at another node")
    send.add_argument("file", type=Path, metavar="FILE", help="what to send, at most 4 MiB")
    send.add_argument(
        "--to", required=True, metavar="NODE/PARTY", help="an admitted peer, and a party there"
    )
    send.add_argument(
        "--consignment", required=True, help="what it belongs to; its documents keep their order"
    )
    send.add_argument("--kind", required=True, help="such as trade.invoice")
    send.add_argument(
        "--media-type", default="", help="such as application/xml; default: by what the file is"
    )
    send.add_argument("--document", default="", help="its UUID, if you name documents yourself")
    send.set_defaults(act=_send)
    outbox = _action(actions, "outbox", "what was sent, and what its recipients said")
    inbox = _action(actions, "inbox", "what came from other nodes")
    for listing, act in ((outbox, _outbox), (inbox, _inbox)):
        states = _OUT_STATES if listing is outbox else _IN_STATES
        listing.add_argument(
            "--state", default="", choices=("", *states), metavar="STATE", help=_one_of(states)
        )
        listing.add_argument("--consignment", default="", help="only those of this one")
        listing.add_argument(
            "--look", action="store_true", help="with the name, type and verdict of each document"
        )
        listing.set_defaults(act=act)
        add_listing(listing, "outbox" if listing is outbox else "inbox")
    resend = _action(actions, "resend", "take a dead letter up again")
    resend.add_argument("document", metavar="DOCUMENT")
    resend.set_defaults(act=_resend)
    withdraw = _action(actions, "withdraw", "take back what nobody has decided about")
    withdraw.add_argument("document", metavar="DOCUMENT")
    withdraw.add_argument("--reason", default="", help="why, for people")
    withdraw.set_defaults(act=_withdraw)
    content = _action(actions, "content", "write the content of a received document")
    decide = _action(actions, "decide", "accept or refuse a received document")
    for action in (content, decide):
        action.add_argument("sender", metavar="NODE")
        action.add_argument("document", metavar="DOCUMENT")
    content.add_argument("-o", "--output", type=Path)
    content.set_defaults(act=_content)
    word = decide.add_mutually_exclusive_group(required=True)
    word.add_argument("--accept", action="store_true")
    word.add_argument("--refuse", metavar="CODE", help="why, as a stable code")
    decide.add_argument("--reason", default="", help="why, for people")
    decide.set_defaults(act=_decide)
    subscribe = _action(actions, "subscribe", "tell a peer what to publish to this node")
    subscribe.add_argument("node", metavar="NODE")
    subscribe.add_argument("--kind", action="append", default=[], metavar="BEGINNING")
    subscribe.add_argument("--consignment", action="append", default=[], metavar="BEGINNING")
    subscribe.set_defaults(act=_subscribe)
    for action in (send, outbox, inbox, resend, withdraw, content, decide, subscribe):
        add_caller(action)
        action.set_defaults(run=_run)


def _add_carrying(actions: Any) -> None:
    pack = _action(actions, "pack", "all that waits for a peer, as a file for a stick")
    pack.add_argument("node", metavar="NODE")
    pack.set_defaults(act=_pack)
    unpack = _action(actions, "unpack", "take a carried file; its receipts go back")
    unpack.add_argument("file", type=Path, metavar="FILE")
    unpack.set_defaults(act=_unpack)
    export = _action(actions, "export", "leave with every document and receipt")
    export.add_argument("--consignment", default="", help="only this one")
    export.set_defaults(act=_export)
    for action in (pack, unpack, export):
        action.add_argument("-o", "--output", type=Path, required=True)
        add_caller(action)
        action.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    return int(options.act(options, node_of(options)))


def _send(options: argparse.Namespace, node: RemoteNode) -> int:
    from zhidao.exchange.domain.content import type_of
    from zhidao.exchange.domain.limits import CONTENT_BYTES_MAX

    recipient, slash, party = options.to.partition("/")
    if not slash:
        raise MalformedInput("--to wants NODE/PARTY", where=options.to)
    content = take(options.file, bytes_max=CONTENT_BYTES_MAX)
    body = {
        "recipient": recipient,
        "to_party": party,
        "consignment": options.consignment,
        "kind": options.kind,
        "media_type": options.media_type or type_of(content),
        "content": base64.b64encode(content).decode(),
        "document": options.document,
    }
    _show(options, [node.send("/v1/exchange/outbox", body)])
    return 0


def _outbox(options: argparse.Namespace, node: RemoteNode) -> int:
    _show(options, _looked(options, node, rows_of(options, node, *_narrowed(options))))
    return 0


def _inbox(options: argparse.Namespace, node: RemoteNode) -> int:
    _show(options, _looked(options, node, rows_of(options, node, *_narrowed(options))))
    return 0


def _looked(
    options: argparse.Namespace, node: RemoteNode, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The rows, with what each document is by its bytes where that is asked."""
    if not options.look:
        return rows
    found = []
    for row in rows:
        of = f"inbox/{row['sender']}" if "sender" in row else "outbox"
        path = f"/v1/exchange/{of}/{row['document']}/look"
        found.append(row | ({"look": node.get(path)} if row["content"] else {}))
    return found


def _resend(options: argparse.Namespace, node: RemoteNode) -> int:
    _show(options, [node.send(f"/v1/exchange/outbox/{options.document}/resend", None)])
    return 0


def _withdraw(options: argparse.Namespace, node: RemoteNode) -> int:
    path = f"/v1/exchange/outbox/{options.document}/withdrawal"
    _show(options, [node.send(path, {"reason": options.reason})])
    return 0


def _content(options: argparse.Namespace, node: RemoteNode) -> int:
    path = f"/v1/exchange/inbox/{options.sender}/{options.document}/content"
    put_told(node.data(path), options)
    return 0


def _decide(options: argparse.Namespace, node: RemoteNode) -> int:
    body = {
        "outcome": "accepted" if options.accept else "refused",
        "code": options.refuse or "",
        "reason": options.reason,
    }
    path = f"/v1/exchange/inbox/{options.sender}/{options.document}/decision"
    _show(options, [node.send(path, body)])
    return 0


def _subscribe(options: argparse.Namespace, node: RemoteNode) -> int:
    body = {"kinds": options.kind, "consignments": options.consignment}
    path = f"/v1/exchange/peers/{options.node}/subscription"
    _show(options, [node.send(path, body, method="PUT")])
    return 0


def _pack(options: argparse.Namespace, node: RemoteNode) -> int:
    put_told(node.data(f"/v1/exchange/pack/{options.node}"), options)
    return 0


def _unpack(options: argparse.Namespace, node: RemoteNode) -> int:
    from zhidao.exchange.domain.limits import FILE_BYTES_MAX
    from zhidao.exchange.wire.bundle import BUNDLE_TYPE, encode_bundle

    """In pieces, so that a large file fits the node's bound for one request."""
    items = _items(take(options.file, bytes_max=FILE_BYTES_MAX))
    receipts: list[Item] = []
    for part in _parts(items):
        answer = node.upload("/v1/exchange/unpack", encode_bundle(part), BUNDLE_TYPE)
        receipts += _items(answer)
    put_told(encode_bundle(receipts), options)
    return 0


def _export(options: argparse.Namespace, node: RemoteNode) -> int:
    put_told(node.data(f"/v1/exchange/export?consignment={options.consignment}"), options)
    return 0


def _verify(options: argparse.Namespace) -> int:
    from zhidao.exchange.domain.limits import FILE_BYTES_MAX
    from zhidao.exchange.service.verification import proofs_of, verify_export
    from zhidao.verification.exchanged import check_logged

    files = options.trust
    chosen = [read_any(each) for each in files] if files else installed_lists(_folder())

    used: dict[str, str] = {}

    def records(name: str, key: PublicKey) -> bool:
        knowing = [each for each in chosen if each.trust.records(name, key)]
        used.update((each.fingerprint, each.trust.name) for each in knowing)
        return bool(knowing)

    data = take(options.file, bytes_max=FILE_BYTES_MAX)
    checked = verify_export(data, records)
    logged = check_logged(proofs_of(data), checked, [each.trust for each in chosen])
    if options.json:
        rows = [
            _plain(each) | {"logged": str(each.envelope.heading.document) in logged.documents}
            for each in checked
        ]
        tell(json.dumps(rows, ensure_ascii=False))
        return 0
    for each in checked:
        heading, said = each.envelope.heading, _plain(each)
        stages = ", ".join(f"{r['stage']} {r['code'] or r['outcome']}" for r in said["receipts"])
        tell(
            shown(
                f"{heading.document}  {heading.sender} -> {heading.recipient}"
                f"  {heading.consignment} #{heading.sequence} {heading.kind}:"
                f" {stages or 'no receipt'}"
            )
        )
    lists = ", ".join(f"{name!r} (root {root})" for root, name in used.items())
    by = f"every signature by a key of the trust list {lists}"
    tell(shown(f"HOLDS  {len(checked)} documents, {by}"))
    tell(
        f"LOGGED {len(logged.documents)} of {len(checked)} documents: {logged.events} events "
        "stand in the node's log"
        if logged.events
        else "       nothing in the file says that a log has them"
    )
    for statement in logged.statements:
        tell(f"       {shown(statement.text)}")
    return 0


def _plain(each: Checked) -> dict[str, Any]:
    heading = each.envelope.heading
    return {
        "document": str(heading.document),
        "sender": heading.sender,
        "recipient": heading.recipient,
        "consignment": heading.consignment,
        "sequence": heading.sequence,
        "kind": heading.kind,
        "digest": heading.digest,
        "content_bytes": None if each.content is None else len(each.content),
        "receipts": [
            {
                "stage": receipt.stage.value,
                "outcome": receipt.outcome.value,
                "code": receipt.code,
                "reason": receipt.reason,
                "at": str(receipt.at),
            }
            for receipt in each.receipts
        ],
    }


def _folder() -> Path:
    return trust_folder(os.environ)


def _items(data: bytes) -> list[Item]:
    from zhidao.exchange.domain.limits import FILE_BYTES_MAX, FILE_ITEMS_MAX
    from zhidao.exchange.wire.bundle import decode_bundle

    return list(decode_bundle(data, bytes_max=FILE_BYTES_MAX, items_max=FILE_ITEMS_MAX))


def _parts(items: Sequence[Item]) -> list[list[Item]]:
    from zhidao.exchange.domain.limits import BUNDLE_BYTES_MAX
    from zhidao.exchange.wire.bundle import ITEM_OVERHEAD_BYTES

    parts: list[list[Item]] = [[]]
    size = 0
    for item in items:
        size += len(item.data) + ITEM_OVERHEAD_BYTES
        if len(parts[-1]) == _ITEMS_AT_ONCE or (size > BUNDLE_BYTES_MAX - 64 and parts[-1]):
            parts.append([])
            size = len(item.data) + ITEM_OVERHEAD_BYTES
        parts[-1].append(item)
    return [part for part in parts if part]


def _one_of(states: Sequence[str]) -> str:
    return f"only those that are {', '.join(states[:-1])} or {states[-1]}"


def _narrowed(options: argparse.Namespace) -> list[str]:
    asked = {"state": options.state, "consignment": options.consignment}
    return [f"{name}={value}" for name, value in asked.items() if value]


def _show(options: argparse.Namespace, rows: list[dict[str, Any]]) -> None:
    if options.json:
        tell(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        other = row.get("recipient") or row.get("sender")
        state = " ".join(filter(None, (row["state"], row["outcome"], row["code"])))
        reason = f" ({row['reason']})" if row["reason"] else ""
        line = f"{row['document']}  {other}  {row['consignment']} #{row['sequence']} {row['kind']}"
        tell(shown(f"{line}: {state}{reason}"))
        if look := row.get("look"):
            name = " ".join(filter(None, (look["en"], look["number"]))) or "no known document"
            verdict = look["summary"] or look["verdict"]
            tell(shown(f"    {name}, {look['media_type']}, {look['size']} bytes: {verdict}"))
