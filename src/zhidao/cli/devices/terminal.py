"""`zhidao terminal`: the devices that may report to a node, and what each last said."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.cli.console.outputs import take
from zhidao.cli.devices.terminal_commands import add_actions

_PATH: Final = "/v1/devices/terminals"
_COLUMNS: Final = ("terminal", "phone", "owner", "stands", "says", "last position", "refused")
_UDEG: Final = 1_000_000
_MINUTES: Final = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the terminals that you may see")
    add_listing(listing, "terminals")
    listing.set_defaults(run=_list)
    showing = actions.add_parser("show", help="one terminal and the points that it claims")
    showing.add_argument("--points", type=int, default=10, help="how many points, newest first")
    showing.add_argument(
        "--day", default="", help="only what it says of this day (UTC), 2026-11-29"
    )
    showing.set_defaults(run=_show)
    near = actions.add_parser("near", help="which of yours claim to have been near a place")
    near.add_argument(
        "--place",
        type=_place,
        required=True,
        metavar="LATITUDE,LONGITUDE",
        help="in degrees, as 43.35,77.04",
    )
    near.add_argument("--day", required=True, help="the day (UTC), as 2026-11-29")
    near.add_argument("--points", type=int, default=100, help="how many points, newest first")
    near.set_defaults(run=_near)
    adding = actions.add_parser("add", help="let a device report; the operator of the node")
    adding.add_argument("--phone", required=True, help="its card's number, as +8613800138000")
    adding.add_argument("--owner", required=True, metavar="PARTY", help="whose device it is")
    adding.add_argument("--number", default="", help="digits set in the device, if others")
    adding.add_argument(
        "--protocol",
        choices=("jt808", "teltonika", "egts", "egts-dispatcher"),
        default="jt808",
        help="what it speaks; of teltonika the number is its IMEI, of egts that or its TID, of a"
        " platform (egts-dispatcher) its DID (default: %(default)s)",
    )
    adding.add_argument("--key", default="", help="Multikey; without one: claimed only")
    adding.add_argument("--reader", action="append", default=[], metavar="PARTY", help="who sees")
    adding.add_argument(
        "--surroundings",
        choices=("open_sky", "vehicle", "phone"),
        default="vehicle",
        help="what stands around the antenna (default: %(default)s)",
    )
    adding.add_argument(
        "--window-minutes",
        type=int,
        default=_MINUTES,
        help="how long it may register, once; 0: not yet (default: %(default)s)",
    )
    adding.set_defaults(run=_add)
    inviting = actions.add_parser("invite", help="open a window in which it registers, once")
    inviting.add_argument(
        "--minutes", type=int, default=_MINUTES, help="how long (default: %(default)s)"
    )
    inviting.add_argument(
        "--void", action="store_true", help="its token is none from now on, and its line ends"
    )
    inviting.set_defaults(run=_invite)
    suspending = actions.add_parser("suspend", help="let it in no more until it is invited again")
    suspending.set_defaults(run=_suspend)
    retiring = actions.add_parser("retire", help="it is gone for good; its number is free")
    retiring.set_defaults(run=_retire)
    orbits = actions.add_parser("orbits", help="bring the satellites' orbits; the operator")
    orbits.add_argument("file", type=Path, metavar="FILE", help="RINEX navigation, plain or gzip")
    orbits.set_defaults(run=_orbits)
    changing = (inviting, suspending, retiring)
    for action in (showing, adding, *changing):
        action.add_argument("terminal", metavar="TERMINAL", help="plate, container or own name")
    for action in (listing, showing, near, adding, *changing, orbits):
        add_caller(action)
    add_actions(actions)
    parser.epilog = (
        "A device without a key is any JT/T 808 tracker that is sold: it is heard, and what it\n"
        "says stays a claim. Only a key that the device keeps can carry a proof.\n"
        "Its registration is answered once, within a window; then it is locked. One that lost its\n"
        "token needs another window; with --void whoever holds the token is put out.\n"
        "A Teltonika tracker shows nothing but its IMEI: it comes in unless it is suspended.\n"
        "A unit of EGTS shows its number (TID) or IMEI; a platform of its owner may speak for it.\n"
        "examples:\n"
        "  zhidao terminal add LORRY-7 --phone '+86 138 0013 8000' --owner carrier \\\n"
        "      --url https://localhost:8443 --as aida\n"
        "  zhidao terminal add LORRY-8 --phone '+7 701 555 0123' --owner carrier \\\n"
        "      --protocol teltonika --number 352094081673958\n"
        "  zhidao terminal add UNIT-9 --phone '+7 701 555 0124' --owner carrier \\\n"
        "      --protocol egts --number 865905\n"
        "  zhidao terminal add PLATFORM-1 --phone '+7 701 555 0125' --owner carrier \\\n"
        "      --protocol egts-dispatcher --number 2219\n"
        "  zhidao terminal invite LORRY-7 --minutes 30 --url https://localhost:8443 --as aida\n"
        "  zhidao terminal invite LORRY-7 --void\n"
        "  zhidao terminal suspend LORRY-7\n"
        "  zhidao terminal retire LORRY-7\n"
        "  zhidao terminal send LORRY-7 position --wait 20\n"
        "  zhidao terminal send LORRY-7 set --parameter 0x0029=30\n"
        "  zhidao terminal send LORRY-8 text --text getinfo --wait 20\n"
        "  zhidao terminal commands LORRY-7\n"
        "  zhidao terminal list --url https://localhost:8443 --as aida\n"
        "  zhidao terminal list --filter connected=true --sort=-heard_at\n"
        "  zhidao terminal show BDT-0417 --points 10\n"
        "  zhidao terminal show BDT-0417 --day 2026-11-29 --points 500\n"
        "  zhidao terminal near --place 43.35,77.04 --day 2026-11-29\n"
        "  zhidao terminal orbits brdc2870.rnx.gz\n"
        "status: 0 done, 1 refused, 2 bad input, 3 no answer"
    )


def _list(options: argparse.Namespace) -> int:
    rows = rows_of(options, node_of(options))
    return say(options, rows, table([_row(each) for each in rows], _COLUMNS))


def _show(options: argparse.Namespace) -> int:
    node = node_of(options)
    path = f"{_PATH}/{quote(options.terminal, safe='')}"
    known = node.get(path)
    points = node.get(f"{path}/positions?limit={options.points}&day={quote(options.day)}")
    lines = [
        (
            f"{known['terminal']} ({known['phone']}) of {known['owner']}: "
            f"{_says(keyed=bool(known['key']))}; {_stands(known['enrolment'], known['protocol'])}"
        ),
        *(f"  {_point(each)}" for each in points),
    ]
    if not points:
        lines.append("  nothing heard yet")
    return say(options, known | {"points": points}, "\n".join(lines))


def _near(options: argparse.Namespace) -> int:
    latitude, longitude = (round(degrees * _UDEG) for degrees in options.place)
    asked = f"latitude_udeg={latitude}&longitude_udeg={longitude}&day={quote(options.day)}"
    found = node_of(options).get(f"/v1/devices/positions?{asked}&limit={options.points}")
    lines = [f"{each['terminal']}: {_point(each['point'])}" for each in found]
    return say(options, found, "\n".join(lines) or "nobody that you may see")


def _place(text: str) -> tuple[float, float]:
    latitude, longitude = (float(number) for number in text.split(","))
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        raise ValueError(text)  # Told by argparse, with the option.
    return latitude, longitude


def _add(options: argparse.Namespace) -> int:
    node = node_of(options)
    body = {
        "terminal": options.terminal,
        "phone": options.phone,
        "owner": options.owner,
        "number": options.number,
        "key": options.key,
        "readers": options.reader,
        "surroundings": options.surroundings,
        "window_minutes": options.window_minutes,
        "protocol": options.protocol,
    }
    known = node.send(_PATH, body)
    sentence = (
        f"{known['terminal']} is added; its number is {known['number']}: "
        f"{_says(keyed=bool(known['key']))}; {_stands(known['enrolment'], known['protocol'])}"
    )
    return say(options, known, sentence)


def _invite(options: argparse.Namespace) -> int:
    return _changed(options, "invitation", {"minutes": options.minutes, "void": options.void})


def _suspend(options: argparse.Namespace) -> int:
    return _changed(options, "suspension", {})


def _retire(options: argparse.Namespace) -> int:
    return _changed(options, "retirement", {})


def _changed(options: argparse.Namespace, act: str, body: dict[str, Any]) -> int:
    path = f"{_PATH}/{quote(options.terminal, safe='')}/{act}"
    stands = node_of(options).send(path, body)
    return say(options, stands, f"{stands['terminal']}: {_stands(stands)}")


def _stands(enrolment: dict[str, Any], protocol: str = "jt808") -> str:
    if protocol != "jt808" and enrolment["state"] in ("new", "invited", "enrolled"):
        shown = "IMEI" if protocol == "teltonika" else "number"
        heard = "it has greeted" if enrolment["state"] == "enrolled" else "it has not greeted yet"
        return f"let in by its {shown}; {heard}"
    words = {
        "new": "no window is open for it, so its registration is refused",
        "invited": f"it may register once, until {enrolment['until']}",
        "enrolled": "enrolled; no registration of it is answered any more",
        "suspended": "suspended; nothing of it is taken",
        "retired": "retired for good",
    }
    return words[enrolment["state"]]


def _orbits(options: argparse.Namespace) -> int:
    """Without orbits of its hours no window of raw signals proves a place."""
    from zhidao.core.canonical import parse_strict
    from zhidao.positioning.wire.rinex.navigation import NAVIGATION_BYTES_MAX, read_navigation

    data = take(options.file, bytes_max=NAVIGATION_BYTES_MAX)
    read_navigation(data)
    told = node_of(options).upload("/v1/positioning/navigation", data, "application/octet-stream")
    added = parse_strict(told)
    sentence = (
        f"{added['ephemerides']} messages of {added['systems']} serve from {added['first_at']} "
        f"to {added['last_at']}"
    )
    return say(options, added, sentence)


def _says(*, keyed: bool) -> str:
    return "signs with a key of its own" if keyed else "no key, so what it says is claimed only"


def _row(each: dict[str, Any]) -> dict[str, Any]:
    refused = each["refused"]
    return each | {
        "stands": each["state"],
        "says": "signed" if each["keyed"] else "claimed",
        "last position": _point(each["point"]) if each["point"] else each["heard_at"] or "none",
        "refused": f"{refused['at']}: {refused['sentence']}" if refused else "",
    }


def _point(point: dict[str, Any]) -> str:
    place = f"{point['latitude_udeg'] / _UDEG:.6f} {point['longitude_udeg'] / _UDEG:.6f}"
    doubt = "" if point["valid"] else f" (not valid: {point['reason']})"
    return f"{point['observed_at']} {place}{doubt}"
