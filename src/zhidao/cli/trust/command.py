"""`zhidao trust`: lists of keys, logs and witnesses, titles, credentials, identities, proofs."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zhidao.cli.console.trust_folder import (
    Installed,
    check_name,
    install,
    install_governed,
    installed_lists,
    is_governed,
    read_any,
    read_list,
    remove,
    replace_lists,
    shown,
    trust_folder,
)
from zhidao.cli.trust import contract as trust_contract
from zhidao.cli.trust import credential as trust_credential
from zhidao.cli.trust import did as trust_did
from zhidao.cli.trust import log as trust_log
from zhidao.cli.trust import prove as trust_prove
from zhidao.cli.trust import title as trust_title
from zhidao.cli.trust import title_tag as trust_title_tag
from zhidao.cli.trust import verifier as trust_verifier
from zhidao.cli.trust.govern import add_actions, plain, told
from zhidao.core.errors import MalformedInput, Refused

if TYPE_CHECKING:
    from zhidao.trust.domain.trust_list import TrustList


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    adding = actions.add_parser("add", help="trust the keys of a list, after comparing them")
    adding.add_argument("file", type=Path, metavar="FILE", help="trust list (trust.json)")
    adding.add_argument("--yes", action="store_true", help="they were compared; do not ask")
    adding.add_argument(
        "--replace",
        action="append",
        default=[],
        metavar="FINGERPRINT",
        help="root of the installed list of the same name whose place this one takes",
    )
    adding.set_defaults(run=run, act=_add)
    listing = actions.add_parser("list", help="show what is trusted")
    listing.set_defaults(run=run, act=_list)
    removing = actions.add_parser("remove", help="trust a list no longer")
    removing.add_argument("list", metavar="LIST", help="its name, or how its fingerprint begins")
    removing.set_defaults(run=run, act=_remove)
    credential = actions.add_parser("credential", help="verify a credential of any maker")
    trust_credential.add_arguments(credential)
    trust_contract.add_action(actions)
    trust_prove.add_action(actions)
    trust_did.add_action(actions)
    trust_log.add_actions(actions)
    trust_title.add_action(actions)
    trust_title_tag.add_action(actions)
    trust_verifier.add_action(actions)
    for action in (adding, listing, removing):
        action.add_argument("--json", action="store_true", help="answer in JSON")
    add_actions(actions)
    parser.epilog = (
        "examples (each action has its own: zhidao trust ACTION --help):\n"
        "  zhidao trust add trust.json\n"
        "  zhidao trust list\n"
        "  zhidao trust remove 'Corridor authority'\n"
        "  zhidao trust propose trust.json --governor KEY1 --governor KEY2 --governor KEY3 \\\n"
        "      --threshold 2 -o corridor.zdtrust\n"
        "  zhidao trust governor --json\n"
        "  zhidao trust seen corridor.zdtrust version-2.tlog-proof\n"
        "  zhidao trust sign corridor.zdtrust && zhidao trust show corridor.zdtrust\n"
        "Whoever gives you a list could have made it up: compare the fingerprints with what the\n"
        "node's operator tells you over another channel (in person, by phone, in print)."
    )


def run(options: argparse.Namespace) -> int:
    """Does what was asked."""
    return int(options.act(options, trust_folder(os.environ)))


def _add(options: argparse.Namespace, folder: Path) -> int:
    if is_governed(options.file):
        return _add_governed(options, folder)
    from zhidao.trust.wire.governance.trust_list import trust_list_fingerprint

    data, trust = read_list(options.file)
    known = installed_lists(folder)
    new = Installed(trust_list_fingerprint(data), trust)
    if not options.json:
        print(shown("\n".join(_described(new))))
    check_name(known, new, replacing=options.replace)
    for warning in _contradictions(trust, known):
        print(shown(f"WARNING: {warning}"), file=sys.stderr)
    if not options.yes and not _confirmed():
        raise Refused("nothing was installed", code="not_confirmed")
    path = install(folder, data)
    replace_lists(folder, options.replace)
    if options.json:
        print(json.dumps(_plain(Installed(path.stem, trust)), ensure_ascii=False))
    else:
        print(shown(f"Installed {trust.name!r} (root {new.fingerprint}) as {path};"))
        print("zhidao verify goes by it from now on.")
    return 0


def _add_governed(options: argparse.Namespace, folder: Path) -> int:
    from zhidao.node.library import system_clock

    at = system_clock().now()
    new = read_any(options.file)
    assert new.governed is not None, "the name says so"
    lists = installed_lists(folder)
    known = [each for each in lists if each.fingerprint == new.fingerprint]
    if not options.json:
        print(shown(told(plain(new.governed, at))))
    check_name(lists, new, replacing=options.replace)
    # Whoever compared the first root goes by whatever its governors sign.
    if not known and not options.yes and not _confirmed():
        raise Refused("nothing was installed", code="not_confirmed")
    install_governed(folder, options.file, at=at)
    replace_lists(folder, options.replace)
    if options.json:
        print(json.dumps(plain(new.governed, at), ensure_ascii=False))
    else:
        print(shown(f"Installed {new.trust.name!r} (root {new.fingerprint});"))
        print("zhidao verify goes by it from now on.")
    return 0


def _list(options: argparse.Namespace, folder: Path) -> int:
    lists = installed_lists(folder)
    if options.json:
        print(json.dumps([_plain(each) for each in lists], ensure_ascii=False, indent=1))
    elif not lists:
        print("No trust list is installed; add one with: zhidao trust add FILE", file=sys.stderr)
    else:
        print(shown("\n\n".join("\n".join(_described(each)) for each in lists)))
    return 0


def _remove(options: argparse.Namespace, folder: Path) -> int:
    removed = remove(folder, options.list)
    if options.json:
        print(json.dumps([_plain(each) for each in removed], ensure_ascii=False))
    else:
        for each in removed:
            print(shown(f"Removed {each.trust.name} ({each.fingerprint})."))
    return 0


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise MalformedInput(
            "nobody is there to compare the fingerprints",
            code="not_confirmed",
            remedy="compare them and give --yes",
        )
    print(
        "\nCompare these fingerprints with what the node's operator told you over another channel.",
        file=sys.stderr,
    )
    print("Are they the same? Type yes: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() == "yes"


def _contradictions(trust: TrustList, known: list[Installed]) -> list[str]:
    """Where an installed list gives the same name other keys: a new key, or an impostor."""
    return [
        f"the installed list {other.trust.name!r} (root {other.fingerprint}) gives the node "
        f"{node.party} another log key: {before.log.key.fingerprint}"
        for other in known
        for node in trust.nodes
        for before in other.trust.nodes
        if node.party == before.party and node.log != before.log
    ]


def _described(each: Installed) -> list[str]:
    trust = each.trust
    lines = [
        f"{trust.name}, made {trust.created}",
        f"  {'root ' if each.governed else 'list '} {each.fingerprint}",
    ]
    if each.governed:
        lines.append(f"  version {each.governed.version}, ends {each.governed.expires}")
    for node in trust.nodes:
        lines.append(f"  log   {node.log.key.fingerprint}  {node.party} ({node.log.name})")
        lines += [
            f"  node  {key.fingerprint}  {node.party}" for key in node.keys if key != node.log.key
        ]
    if trust.policy:
        lines += [
            f"  witness {each.key.key.fingerprint}  {each.name} ({each.key.key.algorithm.label})"
            for each in trust.policy.witnesses
        ]
        lines.append(f"  quorum {trust.policy.quorum}")
    for party in trust.parties:
        lines += [
            f"  party {key.fingerprint}  {party.party} ({party.name}), {key.algorithm.label}"
            for key in party.keys
        ]
    return lines


def _plain(each: Installed) -> dict[str, Any]:
    trust = each.trust
    return {
        "name": trust.name,
        "created": str(trust.created),
        "fingerprint": each.fingerprint,
        "nodes": [
            {
                "party": node.party,
                "log": node.log.name,
                "log_key": node.log.key.fingerprint,
                "keys": [key.fingerprint for key in node.keys],
            }
            for node in trust.nodes
        ],
        "witnesses": [
            {"name": each.name, "key": each.key.key.fingerprint}
            for each in (trust.policy.witnesses if trust.policy else ())
        ],
        "parties": [
            {"party": party.party, "keys": [key.fingerprint for key in party.keys]}
            for party in trust.parties
        ],
    }
