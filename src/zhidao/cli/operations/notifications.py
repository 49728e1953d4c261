"""`zhidao notifications`: what a person is told of, when and where; the queue of all messages."""

from __future__ import annotations

import argparse
from typing import Any, Final

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.core.errors import MalformedInput

_ADDRESSES: Final = ("address", "channel", "target", "state", "reason")
_MESSAGES: Final = ("message", "person", "about", "state", "attempts", "items", "code", "due_at")
_BASE: Final = "/v1/notifications"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="your wishes, your addresses and their state")
    listing.set_defaults(run=_list)
    setting = actions.add_parser("set", help="what you are told of, and when")
    setting.add_argument(
        "--kinds", metavar="KIND,…", help="the kinds to be told of; list shows all"
    )
    setting.add_argument("--pace", choices=("at_once", "digest"))
    setting.add_argument("--digest-at", metavar="HH:MM", help="when a digest comes")
    setting.add_argument("--quiet", metavar="HH:MM-HH:MM", help="quiet hours; none: no quiet hours")
    setting.add_argument("--zone", help="time zone, such as Asia/Almaty")
    setting.add_argument("--language", help="such as en or zh")
    setting.set_defaults(run=_set)
    adding = actions.add_parser("add", help="one more address: mail (a code is sent) or webhook")
    adding.add_argument("channel", choices=("mail", "webhook"))
    adding.add_argument("target", help="the mail address, or the https URL")
    adding.set_defaults(run=_add)
    confirming = actions.add_parser("confirm", help="say the code that the mail brought")
    confirming.add_argument("address")
    confirming.add_argument("code")
    confirming.set_defaults(run=_confirm)
    removing = actions.add_parser("remove", help="forget an address")
    removing.add_argument("address")
    removing.set_defaults(run=_remove)
    testing = actions.add_parser("test", help="send a test to an address of yours")
    testing.add_argument("address")
    testing.set_defaults(run=_test)
    queueing = actions.add_parser("queue", help="everybody's messages, for who runs the node")
    queueing.add_argument("--only", default="", choices=("waiting", "sent", "dropped", "dead"))
    queueing.set_defaults(run=_queue)
    again = actions.add_parser("again", help="send a message that was given up once more")
    again.add_argument("message")
    again.set_defaults(run=_again)
    for action in (listing, setting, adding, confirming, removing, testing, queueing, again):
        add_caller(action)
    parser.epilog = (
        "Browsers are added on the page Notifications, in the browser itself. A node mails once\n"
        "its operator set mail.host and mail.from.\n"
        "examples:\n"
        "  zhidao notifications list --url https://localhost:8443 --as mia\n"
        "  zhidao notifications add mail mia@example.org --url https://localhost:8443 --as mia\n"
        "  zhidao notifications set --pace digest --digest-at 08:30 --zone Asia/Almaty \\\n"
        "      --quiet 22:00-07:00 --url https://localhost:8443 --as mia\n"
        "  zhidao notifications queue --only dead --url https://localhost:8443 --as aida\n"
        "  zhidao notifications confirm 8b0c417e8b0c417e8b0c417e8b0c417e 482913\n"
        "  zhidao notifications remove 8b0c417e8b0c417e8b0c417e8b0c417e\n"
        "  zhidao notifications test 8b0c417e8b0c417e8b0c417e8b0c417e\n"
        "  zhidao notifications again 8b0c417e8b0c417e8b0c417e8b0c417e\n"
        "status: 0 done, 1 refused, 2 bad input, 3 no answer"
    )


def _list(options: argparse.Namespace) -> int:
    own = node_of(options).get(_BASE)
    addresses = own["addresses"]
    lines = [
        _wishes_line(own),
        table(addresses, _ADDRESSES, "nobody is told: add an address"),
    ]
    return say(options, own, "\n".join(lines))


def _set(options: argparse.Namespace) -> int:
    node = node_of(options)
    wishes: dict[str, Any] = dict(node.get(_BASE)["wishes"])
    for name in ("pace", "zone", "language"):
        if getattr(options, name):
            wishes[name] = getattr(options, name)
    if options.kinds is not None:
        wishes["kinds"] = [each for each in options.kinds.split(",") if each]
    if options.digest_at:
        wishes["digest_minute"] = _minute(options.digest_at)
    if options.quiet == "none":
        wishes["quiet_from"] = wishes["quiet_to"] = 0
    elif options.quiet:
        begin, dash, end = options.quiet.partition("-")
        if not dash:
            raise MalformedInput("quiet hours are HH:MM-HH:MM, or none", where="--quiet")
        wishes["quiet_from"], wishes["quiet_to"] = _minute(begin), _minute(end)
    own = node.send(_BASE, wishes, method="PUT")
    return say(options, own, _wishes_line(own))


def _add(options: argparse.Namespace) -> int:
    body = {"channel": options.channel, "target": options.target}
    added = node_of(options).send(f"{_BASE}/addresses", body)
    more = "; say the code that comes there: zhidao notifications confirm ADDRESS CODE"
    waits = more if added["state"] == "unconfirmed" else ""
    return say(options, added, f"{added['address']} {added['target']}{waits}")


def _confirm(options: argparse.Namespace) -> int:
    body = {"code": options.code}
    address = node_of(options).send(f"{_BASE}/addresses/{_id(options.address)}/code", body)
    return say(options, address, table([address], _ADDRESSES))


def _remove(options: argparse.Namespace) -> int:
    node_of(options).send(f"{_BASE}/addresses/{_id(options.address)}", None, method="DELETE")
    return say(options, {"removed": options.address}, "Nothing goes there any more.")


def _test(options: argparse.Namespace) -> int:
    message = node_of(options).send(f"{_BASE}/addresses/{_id(options.address)}/test", None)
    return say(
        options, message, "A test is on its channel; zhidao notifications list tells if it ends."
    )


def _queue(options: argparse.Namespace) -> int:
    rows = node_of(options).get(f"{_BASE}/queue?only={options.only}&limit=100")
    return say(options, rows, table(rows, _MESSAGES, "no messages"))


def _again(options: argparse.Namespace) -> int:
    node_of(options).send(f"{_BASE}/queue/{_id(options.message)}/again", None)
    return say(options, {"again": options.message}, "It is on its channel again.")


def _wishes_line(own: dict[str, Any]) -> str:
    wishes = own["wishes"]
    kinds = ", ".join(wishes["kinds"]) or "nothing"
    when = (
        "at once" if wishes["pace"] == "at_once" else f"daily at {_clock(wishes['digest_minute'])}"
    )
    quiet = ""
    if wishes["quiet_from"] != wishes["quiet_to"]:
        quiet = f", quiet {_clock(wishes['quiet_from'])}-{_clock(wishes['quiet_to'])}"
    return f"told of {kinds}; {when}{quiet}; {wishes['zone']}, {wishes['language']}"


def _minute(text: str) -> int:
    hours, colon, minutes = text.partition(":")
    plain = text.isascii() and hours.isdigit() and minutes.isdigit() and len(text) <= 5
    if not (colon and plain and int(hours) < 24 and int(minutes) < 60):
        raise MalformedInput(f"a time of day is HH:MM, not {text[:20]!r}")
    return int(hours) * 60 + int(minutes)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _id(text: str) -> str:
    if not (len(text) == 32 and set(text) <= set("0123456789abcdef")):
        raise MalformedInput(f"{text[:40]!r} is no id; zhidao notifications list shows them")
    return text
