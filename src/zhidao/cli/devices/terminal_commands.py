"""`zhidao terminal send` and `commands`: what is asked of a device, and what it answered."""

from __future__ import annotations

import argparse
import time
from typing import Any, Final
from urllib.parse import quote

from zhidao.cli.console.callers import add_caller, node_of, say
from zhidao.cli.console.remote import RemoteNode

_KINDS: Final = {
    "position": "ask_position",
    "attributes": "ask_attributes",
    "parameters": "ask_parameters",
    "link": "check_link",
    "follow": "follow",
    "set": "set_parameters",
    "text": "text",
}
_OPEN: Final = ("queued", "sent")
_PAUSE_S: Final = 0.5


def add_actions(actions: Any) -> None:
    """Adds both to the actions of `zhidao terminal`."""
    sending = actions.add_parser("send", help="give a device a command; the operator")
    sending.add_argument("terminal", metavar="TERMINAL", help="plate, container or own name")
    sending.add_argument("what", choices=tuple(_KINDS), help="what to ask or to do")
    sending.add_argument(
        "--parameter",
        action="append",
        default=[],
        type=_parameter,
        metavar="NUMBER=VALUE",
        help="with set: such as 0x0029=30, again for more",
    )
    sending.add_argument(
        "--text", default="", help="with text: what it shows; of Teltonika: what it does"
    )
    sending.add_argument(
        "--codec",
        type=int,
        choices=(12, 14),
        default=0,
        help="of Teltonika: 14 is done by the device with its IMEI only (default: 12)",
    )
    sending.add_argument("--every", type=int, default=0, help="with follow: seconds; 0 stops")
    sending.add_argument("--lasting", type=int, default=0, help="with follow: for so many seconds")
    sending.add_argument(
        "--minutes", type=int, default=10, help="after these it is never sent (default: 10)"
    )
    sending.add_argument(
        "--wait", type=int, default=0, metavar="SECONDS", help="wait so long for the answer"
    )
    sending.set_defaults(run=_send)
    listing = actions.add_parser("commands", help="the last commands of a device, with answers")
    listing.add_argument("terminal", metavar="TERMINAL", help="plate, container or own name")
    listing.add_argument("--limit", type=int, default=20, help="how many, the newest first")
    listing.set_defaults(run=_list)
    for action in (sending, listing):
        add_caller(action)


def _send(options: argparse.Namespace) -> int:
    node = node_of(options)
    body = {
        "kind": _KINDS[options.what],
        "parameters": options.parameter,
        "text": options.text,
        "codec": options.codec,
        "interval_s": options.every,
        "valid_s": options.lasting,
        "minutes": options.minutes,
    }
    given = node.send(_path(options.terminal), body)
    until_s = time.monotonic() + options.wait
    while given["state"] in _OPEN and time.monotonic() < until_s:
        time.sleep(_PAUSE_S)
        given = _again(node, options.terminal, given)
    return say(options, given, _in_words(given))


def _again(node: RemoteNode, terminal: str, given: dict[str, Any]) -> dict[str, Any]:
    rows = node.get(f"{_path(terminal)}?limit=100")
    return next((each for each in rows if each["command"] == given["command"]), given)


def _list(options: argparse.Namespace) -> int:
    rows = node_of(options).get(f"{_path(options.terminal)}?limit={options.limit}")
    return say(options, rows, "\n".join(map(_in_words, rows)) or "none yet")


def _in_words(each: dict[str, Any]) -> str:
    lines = [f"{each['asked_at']} {each['kind']} by {each['by']}: {each['state']}"]
    lines += [f"  {field['name']}: {field['value']}" for field in each["answer"]]
    return "\n".join(lines)


def _parameter(text: str) -> dict[str, Any]:
    number, _, value = text.partition("=")
    return {"number": int(number, 0), "value": value}


def _path(terminal: str) -> str:
    return f"/v1/devices/terminals/{quote(terminal, safe='')}/commands"
