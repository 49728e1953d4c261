"""`zhidao profile`: the nodes at which somebody is signed in, and which of them counts."""

from __future__ import annotations

import argparse
from typing import Any, Final

from zhidao.cli.console.callers import say, table
from zhidao.cli.console.profiles import Profile, current_name, names, read, use
from zhidao.core.errors import MalformedInput

_COLUMNS: Final = ("profile", "url", "person", "kind", "current")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show all profiles of this machine's user")
    listing.set_defaults(run=_list)
    showing = actions.add_parser("show", help="one profile, by default the current one")
    showing.add_argument("name", metavar="PROFILE", nargs="?", default="")
    showing.set_defaults(run=_show)
    using = actions.add_parser("use", help="go by this one where none is named")
    using.add_argument("name", metavar="PROFILE")
    using.set_defaults(run=_use)
    for action in (listing, showing, using):
        action.add_argument("--json", action="store_true", help="answer in JSON")
    parser.epilog = (
        "Neither tokens nor sessions are shown. ZHIDAO_PROFILE names one for a whole shell.\n"
        "examples:\n"
        "  zhidao profile list\n"
        "  zhidao profile show almaty --json\n"
        "  zhidao profile use almaty\n"
        "status: 0 done, 2 there is no such profile"
    )


def _list(options: argparse.Namespace) -> int:
    rows = [_row(read(name)) for name in names()]
    return say(options, rows, table(rows, _COLUMNS, "signed in nowhere"))


def _show(options: argparse.Namespace) -> int:
    name = options.name or current_name()
    if not name:
        raise MalformedInput("you are signed in nowhere", code="no_profile")
    row = _row(read(name))
    return say(options, row, table([row], _COLUMNS))


def _use(options: argparse.Namespace) -> int:
    profile = read(options.name)
    use(profile.name)
    return say(options, _row(profile), f"commands go by {profile.url} from now on")


def _row(profile: Profile) -> dict[str, Any]:
    return {
        "profile": profile.name,
        "url": profile.url,
        "person": profile.person,
        "kind": "token" if profile.token else "session",
        "current": profile.name == current_name(),
    }
