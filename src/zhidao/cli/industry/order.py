"""`zhidao order`: production orders, and the lots that a machine's values finish."""

from __future__ import annotations

import argparse
import re
from typing import Any, Final
from urllib.parse import quote

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.core.errors import MalformedInput

_PATH: Final = "/v1/industry/orders"
_COLUMNS: Final = ("order", "gtin", "made", "lots")
_SERIALS_MAX: Final = 10_000
_VERDICTS: Final = {
    "typed": "typed",
    "within": "within limits",
    "outside": "OUTSIDE limits",
    "not_shown": "limits NOT SHOWN",
}
_LIMIT: Final = re.compile(r"(.{1,64}):([^:]{1,32}):([^:]{1,32}):([^:]{1,8})", re.ASCII)
_COUNTED: Final = re.compile(r"(.*?)([0-9]{1,15})", re.ASCII)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the orders that you may see, with their lots")
    add_listing(listing, "orders")
    listing.set_defaults(run=_list)
    opening = actions.add_parser("open", help="say what the values of a product must keep")
    opening.add_argument("--gtin", required=True, help="article number of the product")
    opening.add_argument("--quantity", type=int, required=True, help="how many pieces")
    opening.add_argument(
        "--excess", type=int, default=0, help="how many its lots may hold beyond (default: 0)"
    )
    opening.add_argument(
        "--limit", action="append", required=True, metavar="NAME:LOW:HIGH:UNIT",
        help="a measured value and what it must keep; unit by UN/ECE Rec. 20",
    )  # fmt: skip
    opening.add_argument("--reader", action="append", default=[], metavar="PARTY", help="who sees")
    opening.set_defaults(run=_open)
    finishing = actions.add_parser("finish", help="write a lot down, read from a machine or typed")
    finishing.add_argument("lot", metavar="LOT", help="number of the lot")
    finishing.add_argument("--first", required=True, help="first serial number; others count up")
    finishing.add_argument("--pieces", type=int, default=1, help="how many (default: 1)")
    how = finishing.add_mutually_exclusive_group(required=True)
    how.add_argument("--machine", default="", metavar="URL", help="opc.tcp://host:port")
    how.add_argument("--typed", action="store_true", help="no machine: the lot is your word alone")
    finishing.set_defaults(run=_finish)
    for action in (opening, finishing):
        action.add_argument("order", metavar="ORDER", help="number of the order")
    for action in (listing, opening, finishing):
        add_caller(action)
    parser.epilog = (
        "An order cannot be changed once it is open. A machine is asked once for a lot.\n"
        "examples:\n"
        "  zhidao order open PO-417 --gtin 06901234567892 --quantity 4 --limit Flow:45:51:MQH \\\n"
        "      --url https://localhost:8443 --as li\n"
        "  zhidao order finish L-1 PO-417 --first SN-001 --pieces 4 \\\n"
        "      --machine opc.tcp://127.0.0.1:4840 --url https://localhost:8443 --as li\n"
        "  zhidao order finish L-2 PO-417 --first SN-005 --pieces 4 --typed \\\n"
        "      --url https://localhost:8443 --as li\n"
        "  zhidao order list\n"
        "  zhidao order list --filter mine=true --sort=-quantity\n"
        "status: 0 done, 1 refused, 2 bad input, 3 no answer"
    )


def _list(options: argparse.Namespace) -> int:
    rows = rows_of(options, node_of(options))
    shown = [
        each
        | {
            "made": f"{sum(lot['serials'] for lot in each['lots'])} of {each['quantity']}",
            "lots": ", ".join(_lot(lot) for lot in each["lots"]) or "none",
        }
        for each in rows
    ]
    return say(options, rows, table(shown, _COLUMNS))


def _open(options: argparse.Namespace) -> int:
    body = {
        "order": options.order,
        "gtin": options.gtin,
        "quantity": options.quantity,
        "limits": [_limit(text) for text in options.limit],
        "readers": options.reader,
        "excess": options.excess,
    }
    told = node_of(options).send(_PATH, body)
    return say(options, told, f"order {told['order']} is open over {told['quantity']} pieces")


def _finish(options: argparse.Namespace) -> int:
    serials = _serials(options.first, options.pieces)
    told = node_of(options).send(
        f"{_PATH}/{quote(options.order, safe='')}/lots",
        {
            "lot": options.lot,
            "serials": serials,
            "endpoint": options.machine,
            "typed": options.typed,
        },
    )
    sentence = f"lot {told['lot']} of {len(told['serials'])} pieces is"
    if not told["quality"]:
        return say(options, told, f"{sentence} typed: nothing was measured")
    read = f"{told['samples']} values were read"
    if told.get("not_shown"):
        names = ", ".join(told["not_shown"])
        return say(options, told, f"{sentence} NOT SHOWN to keep its limits of {names}; {read}")
    stands = "within its limits" if told["within_limits"] else "OUTSIDE its limits"
    return say(options, told, f"{sentence} {stands}; {read}")


def _lot(lot: dict[str, Any]) -> str:
    return f"{lot['lot']} ({_VERDICTS[lot['verdict']]})"


def _limit(text: str) -> dict[str, str]:
    found = _LIMIT.fullmatch(text)
    if found is None:
        raise MalformedInput(
            f"{text[:40]!r} is no limit",
            where="--limit",
            remedy="write NAME:LOW:HIGH:UNIT, such as Flow:45:51:MQH",
        )
    name, low, high, unit = found.groups()
    return {"name": name, "low": low, "high": high, "unit": unit}


def _serials(first: str, pieces: int) -> list[str]:
    if not 1 <= pieces <= _SERIALS_MAX:
        raise MalformedInput(
            f"{pieces} pieces; a lot has 1 to {_SERIALS_MAX}",
            where="--pieces",
            remedy="split the lot",
        )
    if pieces == 1:
        return [first]
    found = _COUNTED.fullmatch(first)
    if found is None:
        raise MalformedInput(
            f"{first[:40]!r} cannot be counted up",
            where="--first",
            remedy="give a serial number that ends in digits",
        )
    head, digits = found.groups()
    return [f"{head}{int(digits) + n:0{len(digits)}}" for n in range(pieces)]
