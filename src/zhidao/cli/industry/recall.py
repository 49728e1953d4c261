"""`zhidao industry recall`: call a lot back, see what was found and who holds it, end it."""

from __future__ import annotations

import argparse
from typing import Any, Final
from urllib.parse import quote, urlencode

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.listing import add_listing, rows_of

_PATH: Final = "/v1/industry/recalls"
_THINGS: Final = 1_000
_COLUMNS: Final = ("recall", "state", "level", "lot", "by", "flagged")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    opening = actions.add_parser("open", help="call a lot back and flag who holds it")
    opening.add_argument("--lot", required=True, metavar="LOT", help="GS1 Digital Link or EPC")
    opening.add_argument(
        "--class", dest="level", type=int, choices=(1, 2, 3), default=1,
        help="1: a danger to life, to 3 (default: 1)",
    )  # fmt: skip
    opening.add_argument("--reason", default="", help="why, for everybody who is told")
    opening.add_argument(
        "--drill", action="store_true", help="find all of it and change nothing but the log"
    )
    opening.set_defaults(run=_open)
    listing = actions.add_parser("list", help="the recalls that you may see")
    add_listing(listing, "recalls")
    listing.set_defaults(run=_list)
    showing = actions.add_parser("show", help="a recall as it stands")
    showing.add_argument("--things", action="store_true", help="with the frozen list, if yours")
    showing.set_defaults(run=_show)
    lifting = actions.add_parser("lift", help="ask to end it; a second person's word ends it")
    lifting.add_argument("--reason", default="", help="why it may end")
    lifting.set_defaults(run=_lift)
    for action in (showing, lifting):
        action.add_argument("recall", metavar="RECALL", help="name of the recall")
    flagging = actions.add_parser("flags", help="the recalls whose goods are in a consignment")
    flagging.add_argument("consignment", metavar="CONSIGNMENT", help="name of the consignment")
    flagging.set_defaults(run=_flags)
    for action in (opening, listing, showing, lifting, flagging):
        add_caller(action)
    parser.epilog = (
        "Only the lot's maker, or an authority that the node's trust list names, calls it back.\n"
        "The same recall again flags the consignments that came since, and changes nothing else.\n"
        "examples:\n"
        "  zhidao industry recall open --lot https://id.gs1.org/01/09506000134352/10/L-1 --drill\n"
        "  zhidao industry recall open --lot https://id.gs1.org/01/09506000134352/10/L-1 \\\n"
        "      --class 1 --reason 'valve leaks' --url https://localhost:8443 --as li\n"
        "  zhidao industry recall list --filter state=open\n"
        "  zhidao industry recall show 0a1b2c3d4e5f6071-0001 --things --json\n"
        "  zhidao industry recall flags UCR-2026-0042\n"
        "  zhidao industry recall lift 0a1b2c3d4e5f6071-0001 --reason repaired --as li\n"
        "status: 0 done, 1 refused, 2 bad input, 3 no answer"
    )


def _open(options: argparse.Namespace) -> int:
    node = node_of(options)
    if options.drill:
        told = node.send(f"{_PATH}/drill", {"lot": options.lot, "level": options.level})
        sentence = f"a drill, nothing was changed: {_found(told)}; consignments that hold it"
        return say(options, told, f"{sentence}: {told['consignments']}; took {told['took_ms']} ms")
    body = {"lot": options.lot, "level": options.level, "reason": options.reason}
    told = node.send(_PATH, body)
    return say(options, told, _sentence(told))


def _list(options: argparse.Namespace) -> int:
    rows = rows_of(options, node_of(options))
    return say(options, rows, table(rows, _COLUMNS))


def _show(options: argparse.Namespace) -> int:
    node, path = node_of(options), f"{_PATH}/{quote(options.recall, safe='')}"
    told = node.get(path)
    lines = [_sentence(told)]
    if options.things:
        told["things"] = _things(node, path)
        lines += [
            f"  {each['thing']} ({each['role']}{'' if each['told'] else ', NOBODY SAYS WHERE TO'})"
            for each in told["things"]
        ]
    return say(options, told, "\n".join(lines))


def _things(node: Any, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        asked = {"limit": _THINGS} | ({"after": found[-1]["thing"]} if found else {})
        page = node.get(f"{path}/things?{urlencode(asked)}")
        found += page
        if len(page) < _THINGS:
            return found


def _lift(options: argparse.Namespace) -> int:
    path = f"{_PATH}/{quote(options.recall, safe='')}/lift"
    told = node_of(options).send(path, {"reason": options.reason})
    return say(options, told, _sentence(told))


def _flags(options: argparse.Namespace) -> int:
    asked = urlencode({"consignment": options.consignment})
    told = node_of(options).get(f"/v1/industry/recalled?{asked}")
    rows = [each | {"state": "cleared" if each["cleared"] else "CALLED BACK"} for each in told]
    columns = ("recall", "state", "level", "lot")
    return say(options, told, table(rows, columns, nothing="no recall that you may see flags it"))


def _sentence(told: dict[str, Any]) -> str:
    waits = f" (asked by {told['asked_by']}, waits for another person)"
    state = told["state"] + (waits if told["state"] == "lifting" else "")
    head = f"recall {told['recall']} of {told['lot']}, class {told['level']}, is {state}"
    return f"{head}: {_found(told)}; consignments flagged: {told['flagged']}"


def _found(told: dict[str, Any]) -> str:
    unknown = f"; NOBODY SAYS how {told['not_told']} branches end" if told["not_told"] else ""
    more = "; THERE IS MORE than the list holds" if told["cut_short"] else ""
    return f"made of it: {told['made']}; carried it: {told['carried']}{unknown}{more}"
