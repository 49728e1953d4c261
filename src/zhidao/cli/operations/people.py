"""`zhidao people`: who may sign in at a node, and the way back in for a locked-out admin."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final
from urllib.parse import quote

from zhidao.cli.console.callers import (
    add_caller,
    fresh_password,
    new_password,
    node_of,
    password_of,
    say,
    signed_in,
    table,
)
from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.cli.console.node_options import add_settings, config_of
from zhidao.cli.console.remote import RemoteNode
from zhidao.core.errors import MalformedInput

_ROLES: Final = ("admin", "operator", "party", "auditor")
_OF_SESSIONS: Final = ("session", "began_at", "ends_at", "block", "here")
_OF_PASSKEYS: Final = ("passkey", "label", "host", "created_at", "used_at")
_OF_IDENTITIES: Final = ("identity", "issuer", "claim", "value", "linked_at")
_COLUMNS: Final = ("name", "party", "role", "state", "agreed", "passkeys")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show all people; a party sees its own")
    add_listing(listing, "people")
    listing.set_defaults(run=_list)
    making = actions.add_parser("make", help="make a person; the password is shown once")
    making.add_argument("name", metavar="NAME")
    making.add_argument("party", metavar="PARTY", help="of this node, or the node's own name")
    making.add_argument("role", choices=_ROLES)
    making.set_defaults(run=_make)
    named = []
    for word, run, line in (
        ("show", _show, "show one person"),
        ("agree", _agree, "agree, in the party's name, to a person or a new password"),
        ("withdraw", _withdraw, "take access away, at once and in all sessions"),
        ("passkeys", _passkeys, "show somebody's passkeys; --remove takes one away"),
        ("identities", _identities, "show by which identities of a provider NAME signs in"),
        ("sessions", _sessions, "show where somebody is signed in; --end signs out everywhere"),
    ):
        action = actions.add_parser(word, help=line)
        action.add_argument("name", metavar="NAME")
        action.set_defaults(run=run)
        named.append(action)
    named[1].add_argument(
        "--data", type=Path, help="for a party whose people are all locked out: at this machine"
    )
    named[1].add_argument("--config", type=Path, help="settings file (TOML) of this machine")
    named[2].add_argument("--tokens", action="store_true", help="and the tokens that NAME made")
    named[3].add_argument("--remove", default="", metavar="PASSKEY", help="take this one away")
    linking = named[4].add_mutually_exclusive_group()
    linking.add_argument("--link", default="", metavar="VALUE", help="what the claim says of NAME")
    linking.add_argument("--unlink", default="", metavar="IDENTITY", help="unlink this one")
    ending = named[-1].add_mutually_exclusive_group()
    ending.add_argument("--end", action="store_true", help="end all of them")
    ending.add_argument("--end-one", default="", metavar="SESSION", help="end this one")
    inviting = actions.add_parser(
        "invite", help="a one-time link by which a person sets the own password"
    )
    inviting.add_argument("name", metavar="NAME")
    inviting.add_argument("party", metavar="PARTY", nargs="?", help="for somebody new")
    inviting.add_argument("role", choices=_ROLES, nargs="?", help="for somebody new")
    inviting.set_defaults(run=_invite)
    changing = actions.add_parser("change", help="give another role, which ends all sessions")
    changing.add_argument("name", metavar="NAME")
    changing.add_argument("--role", required=True, choices=_ROLES)
    changing.set_defaults(run=_change)
    own = actions.add_parser("password", help="change the own password (of --as)")
    own.add_argument(
        "--new-password-file", type=Path, metavar="FILE", help="the new one, instead of a prompt"
    )
    own.set_defaults(run=_password)
    resetting = actions.add_parser(
        "reset", help="a new password, shown once: at a node, or at this machine with --data"
    )
    resetting.add_argument("name", metavar="NAME")
    resetting.set_defaults(run=_reset)
    for action in (listing, making, inviting, changing, own, *named):
        add_caller(action)
    add_settings(resetting)
    resetting.add_argument("--url", default="", help="the node's address; without: this machine's")
    resetting.add_argument(
        "--as", dest="person", default="", metavar="NAME", help="sign in as NAME"
    )
    resetting.add_argument("--token-file", type=Path, help="file of mode 0600, an admin's token")
    resetting.add_argument("--password-file", type=Path, metavar="FILE", help="password of --as")
    resetting.add_argument("--ca", type=Path, help="certificate of the node, if its own")
    parser.epilog = (
        "A person of another party than the maker's gets in once that party agrees: one of its\n"
        "people, or, while it never had one, the operator. A locked-out admin gets a new password\n"
        "at the node's own machine, and a party whose people are all locked out is agreed for\n"
        "there (--data), while the node runs or not; the log tells of it. A reset takes passkeys\n"
        "away as well. Who has a passkey adds it on the pages, and signs in there only.\n"
        "examples:\n"
        "  zhidao people list --url https://localhost:8443 --token-file ~/admin.token\n"
        "  zhidao people list --filter state=enters --sort party\n"
        "  zhidao people invite aigerim bank party --url https://localhost:8443 --as aida\n"
        "  zhidao people invite aigerim --url https://localhost:8443 --as aida\n"
        "  zhidao people sessions aigerim --url https://localhost:8443 --as aida\n"
        "  zhidao people passkeys aigerim --url https://localhost:8443 --token-file ~/admin.token\n"
        "  zhidao people identities ben --link b@example.org --url https://localhost:8443 --as al\n"
        "  zhidao people make aigerim bank party --url https://localhost:8443 --as aida\n"
        "  zhidao people change ben --role auditor --url https://localhost:8443 --as aida\n"
        "  zhidao people password --url https://localhost:8443 --as aida\n"
        "  zhidao people reset aida --data ~/zhidao\n"
        "  zhidao people show aigerim\n"
        "  zhidao people agree aigerim\n"
        "  zhidao people agree aigerim --data ~/zhidao\n"
        "  zhidao people withdraw aigerim --tokens\n"
        "status: 0 done, 1 refused (the last admin stays, the party must agree), 2 bad input,\n"
        "3 no answer"
    )


def _list(options: argparse.Namespace) -> int:
    people = rows_of(options, node_of(options))
    return say(options, people, table(people, _COLUMNS))


def _show(options: argparse.Namespace) -> int:
    person = node_of(options).get(_path(options))
    return say(options, person, table([person], _COLUMNS))


def _make(options: argparse.Namespace) -> int:
    password = new_password()
    body = {"name": options.name, "party": options.party, "role": options.role}
    person = node_of(options).send("/v1/people", body | {"password": password})
    waits = f"\n{person['waits']} must agree: zhidao people agree {person['name']}"
    sentence = f"{person['name']} gets in with the password {password}"
    told = person | {"password": password}
    return say(options, told, sentence + (waits if person["waits"] else ""))


def _change(options: argparse.Namespace) -> int:
    body = {"role": options.role}
    person = node_of(options).send(f"{_path(options)}/role", body, method="PUT")
    waits = f"; {person['waits']} must agree: zhidao people agree {person['name']}"
    sentence = f"{person['name']} is {person['role']}; all sessions ended"
    return say(options, person, sentence + (waits if person["waits"] else ""))


def _password(options: argparse.Namespace) -> int:
    if not options.person:
        raise MalformedInput("whose password? name --as NAME; a token has none")
    old = password_of(options)
    new = fresh_password(options.person, options.new_password_file)
    node = RemoteNode(options)
    signed_in(options, node, old)
    node.send("/v1/session/password", {"old": old, "new": new}, method="PUT")
    told = {"changed": options.person}
    return say(options, told, f"{options.person} has a new password; all other sessions ended.")


def _invite(options: argparse.Namespace) -> int:
    if options.party and not options.role:
        raise MalformedInput("what may the new person do? name PARTY and ROLE")
    node = node_of(options)
    if options.party:
        body = {"name": options.name, "party": options.party, "role": options.role}
        made = node.send("/v1/invitations", body)
    else:
        made = node.send(f"{_path(options)}/invitation", None)
    link = f"{options.url.rstrip('/')}{made['path']}"
    told = {"name": made["name"], "link": link, "expires_at": made["expires_at"]}
    sentence = (
        f"{link}\nGive it to {made['name']} alone: it opens once, until {made['expires_at']}."
    )
    return say(options, told, sentence)


def _agree(options: argparse.Namespace) -> int:
    if options.data is not None:
        from zhidao.node.library import agree_person

        party = agree_person(config_of(options), options.name)
        told = {"name": options.name, "party": party, "agreed": "operator"}
        return say(
            options, told, f"{options.name} gets in; {party}'s page says that nobody of it agreed"
        )
    person = node_of(options).send(f"{_path(options)}/agreement", None)
    return say(options, person, f"{person['name']} gets in; agreed by: {person['agreed']}")


def _withdraw(options: argparse.Namespace) -> int:
    node_of(options).send(
        _path(options) + ("?tokens=true" if options.tokens else ""), None, method="DELETE"
    )
    return say(options, {"withdrawn": options.name}, f"{options.name} is out.")


def _sessions(options: argparse.Namespace) -> int:
    node = node_of(options)
    path = f"{_path(options)}/sessions"
    if options.end or options.end_one:
        one = f"/{quote(options.end_one, safe='')}" if options.end_one else ""
        ended = node.send(path + one, None, method="DELETE")
        return say(options, ended, f"{ended['ended']} sessions of {options.name} ended.")
    sessions = node.get(path)
    return say(options, sessions, table(sessions, _OF_SESSIONS))


def _passkeys(options: argparse.Namespace) -> int:
    node = node_of(options)
    path = f"{_path(options)}/passkeys"
    if options.remove:
        node.send(f"{path}/{quote(options.remove, safe='')}", None, method="DELETE")
        told = {"removed": options.remove, "name": options.name}
        return say(options, told, f"{options.name} has this passkey no more.")
    passkeys = node.get(path)
    return say(options, passkeys, table(passkeys, _OF_PASSKEYS))


def _identities(options: argparse.Namespace) -> int:
    node = node_of(options)
    path = f"{_path(options)}/identities"
    if options.unlink:
        node.send(f"{path}/{quote(options.unlink, safe='')}", None, method="DELETE")
        told = {"unlinked": options.unlink, "name": options.name}
        return say(options, told, f"{options.name} signs in by this identity no more.")
    if options.link:
        made = node.send(path, {"value": options.link})
        said = f"{options.name} signs in as {made['value']} of {made['issuer']}."
        return say(options, made, said)
    identities = node.get(path)
    return say(options, identities, table(identities, _OF_IDENTITIES))


def _reset(options: argparse.Namespace) -> int:
    password = new_password()
    if not options.url:
        from zhidao.node.library import reset_person

        reset_person(config_of(options), options.name, password)
        told = {"name": options.name, "password": password, "waits": ""}
    else:
        answer = node_of(options).send(f"{_path(options)}/password", {"password": password})
        told = answer | {"password": password}
    waits = f"\n{told['waits']} must agree: zhidao people agree {options.name}"
    sentence = f"{options.name} gets in with the password {password}; all sessions ended"
    return say(options, told, sentence + (waits if told["waits"] else ""))


def _path(options: argparse.Namespace) -> str:
    return f"/v1/people/{quote(options.name, safe='')}"
