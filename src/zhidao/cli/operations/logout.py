"""`zhidao logout`: ends the session of a profile at its node and forgets it."""

from __future__ import annotations

import argparse

from zhidao.cli.console.callers import say
from zhidao.cli.console.profiles import Profile, add_profile, chosen, forget
from zhidao.cli.console.remote import RemoteNode
from zhidao.core.errors import MalformedInput, Refused, Unavailable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    add_profile(parser)
    parser.add_argument(
        "--withdraw-token",
        action="store_true",
        help="withdraw its token at the node, too",
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=_run, url="", token_file=None, ca=None)
    parser.epilog = (
        "A session ends at the node. A token goes on for whoever has it besides, unless\n"
        "--withdraw-token says otherwise. The profile is removed even if the node is away.\n"
        "examples:\n"
        "  zhidao logout\n"
        "  zhidao logout --profile almaty --withdraw-token\n"
        "status: 0 done, 2 there is no such profile, 3 removed here, but the node did not answer"
    )


def _run(options: argparse.Namespace) -> int:
    profile = chosen(options)
    if profile is None:
        raise MalformedInput("you are signed in nowhere", code="no_profile")
    try:
        ended = _ended(RemoteNode(options), profile, withdraw=options.withdraw_token)
    except Unavailable as error:
        raise Unavailable(
            f"the profile {profile.name} is gone, but {profile.url} was not told: {error.args[0]}",
            remedy="end the session there: zhidao people sessions NAME --end",
        ) from error
    finally:
        forget(profile.name)
    told = {"profile": profile.name, "url": profile.url, "ended": ended}
    return say(options, told, f"signed out of {profile.url}; the profile {profile.name} is gone")


def _ended(node: RemoteNode, profile: Profile, *, withdraw: bool) -> bool:
    """Whether the node ended something. A session that is over already is no refusal."""
    try:
        if profile.session:
            node.send("/v1/session", None, method="DELETE")
            return True
        if withdraw and profile.token:
            node.send(f"/v1/tokens/{profile.token.split('_')[1]}", None, method="DELETE")
            return True
    except Refused as error:
        if error.code != "unauthenticated":
            raise
    return False
