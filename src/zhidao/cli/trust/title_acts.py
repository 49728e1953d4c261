"""`zhidao title`: issue a title, lead it through its life, and see whose move it is."""

from __future__ import annotations

import argparse
import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from zhidao.cli.console.callers import add_caller, node_of, say
from zhidao.cli.console.outputs import put, take
from zhidao.cli.console.trust_folder import shown
from zhidao.core.errors import MalformedInput, NotFound

_PATH: Final = "/v1/trust/titles"
# What a word of the command is called among the acts of a title.
_TO_SOMEBODY: Final = (
    ("transfer", "transfer", "holder and beneficiary in one: both pass to PARTY"),
    ("hand-over", "transfer_holder", "the holder: possession alone passes to PARTY"),
    ("nominate", "nominate", "the beneficiary: propose PARTY as the next one"),
    ("endorse", "endorse", "the holder: make the nominated PARTY the beneficiary"),
)
_ALONE: Final = (
    ("surrender", "return", "give the title up to the carrier that issued it"),
    ("return", "restore", "the carrier: refuse a surrender, the title lives again"),
    ("burn", "burn", "the carrier: accept a surrender, the title ends for good"),
)
_HELD: Final = "{held} holds the title now"
# What stands after an act where that is more than who holds the title.
_DONE: Final = {
    "transfer_holder": "{held} holds the title now; {owner} stays its beneficiary",
    "nominate": "{to} is nominated; {held} holds the title and may endorse",
    "endorse": "{owner} is the beneficiary now; {held} holds the title",
    "return": "the title is given up; whoever issued it accepts that (burn) or refuses it (return)",
    "burn": "the title has ended",
    "reject_beneficiary": "{owner} is the beneficiary again; {held} holds the title",
}
_REJECTS: Final = ("reject", "reject_holder", "reject_beneficiary")
_EXAMPLES: Final = (
    "TITLE is a token id (64 hexadecimal digits) or the name of a consignment. An act rests on\n"
    "what the title was when you asked: two of the same at once are one, and if the title went\n"
    "on meanwhile, nothing is signed. `send` takes what a key of your own signed elsewhere.\n"
    "examples:\n"
    "  zhidao title bill C-0417 --number HMTXA0417 --code HMTX --on-board 2026-09-18 \\\n"
    "      --url https://localhost:8443 --as karim\n"
    "  zhidao title mint C-0417 --url https://localhost:8443 --as karim\n"
    "  zhidao title show C-0417 --url https://localhost:8443 --as li\n"
    "  zhidao title transfer C-0417 importer --url https://localhost:8443 --as li\n"
    "after `zhidao login` neither address nor name is typed:\n"
    "  zhidao title hand-over C-0417 bank\n"
    "  zhidao title nominate C-0417 importer\n"
    "  zhidao title endorse C-0417 importer\n"
    "  zhidao title surrender C-0417 --remark 'goods taken over'\n"
    "  zhidao title return C-0417\n"
    "  zhidao title burn C-0417\n"
    "  zhidao title reject C-0417\n"
    "  zhidao title send C-0417 signed.hex\n"
    "status: 0 done, 1 refused or no such title, 2 bad input, 3 no answer"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    parser.epilog = _EXAMPLES
    showing = actions.add_parser("show", help="who holds it, what you may do, whose move it is")
    showing.set_defaults(run=_show)
    made: list[argparse.ArgumentParser] = [showing]
    for word, act, line in (*_TO_SOMEBODY, *_ALONE):
        action = actions.add_parser(word, help=line)
        action.set_defaults(run=_act, act=act)
        made.append(action)
    rejecting = actions.add_parser("reject", help="give back what you received last")
    rejecting.set_defaults(run=_act, act="")
    sending = actions.add_parser("send", help="a transaction that a key of your own signed")
    sending.set_defaults(run=_send)
    for action in (*made, rejecting, sending):
        action.add_argument("title", metavar="TITLE")
    for action in made[1 : 1 + len(_TO_SOMEBODY)]:
        action.add_argument("to", metavar="PARTY")
    for action in (*made[1:], rejecting):
        action.add_argument("--remark", default="", help="sealed before it reaches the chain")
    sending.add_argument("raw", type=Path, metavar="FILE", help="hexadecimal")
    billing = _bill_action(actions)
    minting = actions.add_parser("mint", help="the carrier: the one title of its bill")
    minting.add_argument("consignment", metavar="CONSIGNMENT")
    minting.add_argument("--holder", default="", help="first holder; default: the exporter")
    minting.add_argument("--reader", action="append", help="default: every party")
    minting.set_defaults(run=_mint)
    for action in (*made, rejecting, sending, billing, minting):
        add_caller(action)


def _bill_action(actions: Any) -> argparse.ArgumentParser:
    billing: argparse.ArgumentParser = actions.add_parser(
        "bill", help="the carrier: add the bill of lading, your own file or as the node proposes"
    )
    billing.add_argument("consignment", metavar="CONSIGNMENT")
    billing.add_argument("--file", type=Path, help="a DCSA transport document (JSON)")
    billing.add_argument("--number", default="", help="number of the bill")
    billing.add_argument("--code", default="", help="your carrier code (SCAC or SMDG)")
    billing.add_argument("--on-board", default="", metavar="DAY", help="such as 2026-09-18")
    billing.add_argument("-o", "--output", type=Path, help="only write what would be added")
    billing.set_defaults(run=_bill)
    return billing


def _show(options: argparse.Namespace) -> int:
    node = node_of(options)
    turn = node.get(f"{_at(node, options.title)}/acts")
    return say(options, turn, shown("\n".join(_words(turn))))


def _act(options: argparse.Namespace) -> int:
    node = node_of(options)
    at = _at(node, options.title)
    turn = node.get(f"{at}/acts")
    act = options.act or next((each for each in _REJECTS if each in turn["acts"]), _REJECTS[0])
    body = {"action": act, "seen": turn["seen"], "to": getattr(options, "to", "")}
    title = node.send(f"{at}/acts", body | {"remark": options.remark})
    told = {
        "held": title["holder_party"] or title["holder"],
        "owner": title["beneficiary_party"] or title["beneficiary"],
        "to": body["to"],
    }
    return say(options, title, shown(_DONE.get(act, _HELD).format_map(told)))


def _send(options: argparse.Namespace) -> int:
    from zhidao.core.encoding import parse_hex
    from zhidao.trust.wire.evm.transaction import TRANSACTION_BYTES_MAX

    text = (
        take(options.raw, bytes_max=3 * TRANSACTION_BYTES_MAX)
        .decode("ascii", errors="replace")
        .strip()
    )
    raw = text.removeprefix("0x")
    try:
        found = parse_hex(raw)
    except MalformedInput:
        found = b""
    if not found:
        raise MalformedInput(
            "the file has no transaction in lower-case hexadecimal",
            remedy="give the signed transaction as one line of hexadecimal",
        )
    node = node_of(options)
    at = _at(node, options.title)
    title = node.send(f"{at}/transactions", {"raw": raw})
    return say(options, title, shown(f"{title['holder_party'] or title['holder']} holds it now"))


def _bill(options: argparse.Namespace) -> int:
    from zhidao.trade.wire.fields import PAPER_BYTES_MAX

    node = node_of(options)
    at = f"/v1/trade/consignments/{quote(options.consignment, safe='')}"
    if options.file:
        bill = take(options.file, bytes_max=PAPER_BYTES_MAX)
        number = _number_in(bill)
    else:
        number = options.number
        day = options.on_board or datetime.now(UTC).date().isoformat()
        wanted = {"number": number, "carrier_code": options.code, "on_board": day}
        bill = json.dumps(node.send(f"{at}/proposed-bill", wanted), ensure_ascii=False).encode()
    if options.output:
        put(bill, options.output)
        return say(options, {"number": number}, f"written to {options.output}; nothing was sent")
    body = {
        "kind": "bill_of_lading",
        "number": number,
        "media_type": "application/json",
        "content": base64.b64encode(bill).decode(),
    }
    added = node.send(f"{at}/documents", body)
    return say(options, added, f"bill {added['number']} is on {options.consignment}; now: mint")


def _number_in(bill: bytes) -> str:
    from zhidao.core.canonical import parse_strict

    document = parse_strict(bill, bytes_max=len(bill))
    number = document.get("transportDocumentReference") if isinstance(document, dict) else None
    if not isinstance(number, str):
        raise MalformedInput(
            "the file is no transport document with a transportDocumentReference",
            remedy="give a DCSA transport document in JSON",
        )
    return number


def _mint(options: argparse.Namespace) -> int:
    node = node_of(options)
    seen = node.get(f"/v1/trade/consignments/{quote(options.consignment, safe='')}")
    bills = [each for each in seen["documents"] if each["kind"] == "bill_of_lading"]
    if not bills:
        raise MalformedInput(
            f"{options.consignment[:64]} has no bill of lading yet", remedy="zhidao title bill"
        )
    entered = seen["entered"]
    roles = ("exporter", "importer", "carrier", "importer_bank", "exporter_bank", "customs")
    body = {
        "consignment": options.consignment,
        "document": bills[-1]["digest"],
        "holder": options.holder or entered["exporter"],
        "readers": options.reader or sorted({entered[role] for role in roles}),
    }
    title = node.send(_PATH, body)
    sentence = f"title {title['title']} is issued; {title['holder_party']} holds it"
    return say(options, title, shown(sentence))


def _at(node: Any, named: str) -> str:
    """The address of a title by its id, or by the consignment that it is of."""
    if len(named) == 64 and set(named) <= set("0123456789abcdef"):
        return f"{_PATH}/{named}"
    after = ""
    while True:
        page = node.get(f"{_PATH}?limit=100{f'&after={after}' if after else ''}")
        for each in page["titles"]:
            if each["consignment"] == named:
                return f"{_PATH}/{each['title']}"
        after = page["after"]
        if not after:
            raise NotFound(
                f"no title of {named[:64]!r} that you may see", remedy="zhidao trust title"
            )


def _words(turn: dict[str, Any]) -> list[str]:
    who = turn["holder"] or "somebody whom this node does not know"
    states = {
        "held": f"held by {who}, who is beneficiary too",
        "divided": f"held by {who} for {turn['beneficiary']}",
        "in_custody": f"in the custody of deal {turn['custody']}",
        "returned": f"surrendered to {turn['issuer']}",
        "ended": "ended",
    }
    lines = [f"{turn['title']}: {states[turn['state']]}"]
    if turn["nominee"]:
        lines.append(f"  nominated: {turn['nominee']}")
    if turn["acts"] and turn["key_here"]:
        lines.append(f"  you may: {', '.join(_words_of_acts(turn['acts']))}")
    elif turn["acts"]:
        lines.append("  you may act with a key of your own: sign it there, then `send`")
    elif turn["movers"]:
        lines.append(f"  it is the move of {', '.join(turn['movers'])}")
    return lines


def _words_of_acts(acts: list[str]) -> list[str]:
    words = {act: word for word, act, _ in (*_TO_SOMEBODY, *_ALONE)}
    return [words.get(act, "reject") for act in acts]
