"""`zhidao network status`, `locate` and `questions`: what networks answer, and who asked."""

from __future__ import annotations

import argparse
from typing import Any, Final
from urllib.parse import quote, urlencode

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.core.hosts.shown import escaped

_NDEG: Final = 1e-9
# As `zhidao` says of what was asked and is not so, and of what does not answer.
_NOWHERE: Final = 1
_SILENT: Final = 3
_LISTED: Final = range(1, 501)


def add_actions(actions: Any) -> None:
    """Adds `status`, `locate` and `questions` to the actions of `zhidao network`."""
    status = actions.add_parser("status", help="the networks of a node, and what each answers now")
    status.set_defaults(run=_status)
    locate = actions.add_parser("locate", help="ask the network of a SIM where it is")
    locate.add_argument("phone", metavar="PHONE", help="its number, such as +8613800138000")
    locate.set_defaults(run=_locate)
    questions = actions.add_parser("questions", help="who asked where your SIMs are")
    questions.add_argument("--phone", default="", help="about this SIM only")
    questions.add_argument("--after", default="", metavar="QUESTION", help="go on behind this one")
    questions.add_argument(
        "--limit", type=_count, default=50, metavar="N", help="how many (50; at most 500)"
    )
    questions.set_defaults(run=_questions)
    for action in (status, locate, questions):
        add_caller(action)


def _status(options: argparse.Namespace) -> int:
    states = node_of(options).get("/v1/connectivity/networks")
    rows = [each | {"state": "answers" if each["answers"] else "silent"} for each in states]
    columns = ("name", "kind", "plmn", "state", "answered_at", "sims", "devices", "why")
    text = table(rows, columns, "no network is connected: set connectivity.networks")
    say(options, states, text)
    return 0 if all(each["answers"] for each in states) else _SILENT


def _locate(options: argparse.Namespace) -> int:
    from zhidao.connectivity.domain.subscriber_location import check_phone

    node = node_of(options)
    phone = quote(check_phone(options.phone))
    found = node.get(f"/v1/connectivity/locations/{phone}")
    say(options, found, escaped(_in_words(found), one_line=True))
    return 0 if found["circle"] else _NOWHERE


def _questions(options: argparse.Namespace) -> int:
    from zhidao.connectivity.domain.subscriber_location import check_phone
    from zhidao.core.ids import parse_id

    asked = {"limit": str(options.limit)}
    if options.phone:
        asked["phone"] = check_phone(options.phone)
    if options.after:
        asked["after"] = str(parse_id(options.after))
    found = node_of(options).get(f"/v1/connectivity/questions?{urlencode(asked)}")
    columns = ("asked_at", "phone", "asker", "role", "api", "answer", "question")
    text = table(found, columns, "nobody asked about a SIM of yours")
    return say(options, found, text)


def _in_words(found: dict[str, Any]) -> str:
    reached = {
        "reachable": "; it can be reached",
        "idle": "; it is registered and idle",
        "unreachable": "; it cannot be reached",
    }.get(found["presence"], "")
    circle = found["circle"]
    if circle is None:
        return f"{found['phone']}: not located: {found['why']}{reached}"
    latitude, longitude = (circle[each] * _NDEG for each in ("latitude_ndeg", "longitude_ndeg"))
    simulated = " (simulated)" if circle["simulated"] else ""
    return (
        f"{found['phone']}: within {circle['radius_mm'] / 1000:.0f} m of {latitude:.5f}, "
        f"{longitude:.5f} at {circle['at']}, says {circle['network']}{simulated}{reached}"
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:9]) in _LISTED):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no number of questions from 1 to 500")
    return int(text)
