"""`zhidao login`: signs in at a node once; what follows goes by it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from zhidao.cli.console.callers import password_of, say
from zhidao.cli.console.profiles import DEFAULT, Profile, keep
from zhidao.cli.console.prompts import ask
from zhidao.cli.console.remote import RemoteNode, check_address, token_in


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.add_argument("url", metavar="URL", help="the node's address, https://host:port")
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--as", dest="person", default="", metavar="NAME", help="sign in as NAME")
    who.add_argument("--token-file", type=Path, help="file of mode 0600 with an API token")
    parser.add_argument(
        "--password-file", type=Path, metavar="FILE", help="NAME's password, instead of a prompt"
    )
    parser.add_argument("--ca", type=Path, help="certificate of the node, if its own")
    parser.add_argument(
        "--profile", dest="kept_as", default=DEFAULT, metavar="PROFILE", help="keep it under this"
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=_run)
    parser.epilog = (
        "The address and the session or token are kept in a file that only you may read, under\n"
        "$XDG_CONFIG_HOME/zhidao/profiles. A password is never kept. A session ends as in a\n"
        "browser; then sign in again. Without --as and --token-file you are asked for your name.\n"
        "examples:\n"
        "  zhidao login https://localhost:8443 --as li --ca ~/zhidao/tls/certificate.pem\n"
        "  zhidao login https://almaty.example --profile almaty --token-file ~/operator.token\n"
        "  zhidao waiting                     # at the node of the last login\n"
        "  zhidao deal list --profile almaty\n"
        "status: 0 signed in, 1 refused, 2 bad input, 3 no answer"
    )


def _run(options: argparse.Namespace) -> int:
    check_address(options.url)
    if not (options.person or options.token_file):
        options.person = ask("name", instead="--as NAME or --token-file FILE")
    profile = Profile(
        name=options.kept_as,
        url=options.url.rstrip("/"),
        ca=str(options.ca.absolute()) if options.ca else "",
        **_signed_in(options),
    )
    place = keep(profile)
    told = {"profile": profile.name, "url": profile.url, "person": profile.person}
    whom = profile.person or "the token's party"
    sentence = f"signed in at {profile.url} as {whom}; kept in {place}"
    return say(options, told | {"file": str(place)}, sentence)


def _signed_in(options: argparse.Namespace) -> dict[str, Any]:
    """What is kept of who signed in; the node was asked whether it counts."""
    from zhidao.core.hosts.answers import bad_answer

    node = RemoteNode(options)
    if options.token_file:
        # Any list that every caller may read tells whether the token opens the node.
        if not isinstance(node.get("/v1/parties"), list):
            raise bad_answer(f"{options.url}/v1/parties", "what is no list of parties")
        return {"token": token_in(options.token_file)}
    node.sign_in(options.person, password_of(options))
    return {"person": options.person, "session": node.session}
