"""`zhidao tls`: the node's own certificate authority, so that browsers trust the node."""

from __future__ import annotations

import argparse
import ipaddress
import json
import re
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.node_options import add_settings, config_of
from zhidao.core.errors import MalformedInput, NotFound, Refused

if TYPE_CHECKING:
    from zhidao.node.config import Config

_HOST: Final = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63}")
_STEPS: Final = """\
The node's page /certificate gives the authority's certificate (/authority.crt) and says the
steps in the reader's language. By command, with {file}:
  Debian, Ubuntu      sudo cp {file} /usr/local/share/ca-certificates/zhidao.crt
                      sudo update-ca-certificates
  Fedora              sudo cp {file} /etc/pki/ca-trust/source/anchors/ && sudo update-ca-trust
  Chromium on Linux   mkdir -p $HOME/.pki/nssdb
                      [ -e $HOME/.pki/nssdb/cert9.db ] ||
                        certutil -d sql:$HOME/.pki/nssdb -N --empty-password
                      certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n zhidao -i {file}
  macOS               sudo security add-trusted-cert -d -r trustRoot \\
                        -k /Library/Keychains/System.keychain {file}
  Windows             certutil -addstore -f Root {file}
  Android, iPhone     open /authority.crt on the phone; see the page"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    made = actions.add_parser("make", help="make the authority and a certificate by it")
    made.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="HOST",
        help="a further name or address of this node; may be given several times",
    )
    made.add_argument("--again", action="store_true", help="make another: devices must trust it")
    add_settings(made)
    made.set_defaults(run=_make)
    shown = actions.add_parser("show", help="fingerprint, names and end of the authority")
    add_settings(shown)
    shown.set_defaults(run=_show)
    trusted = actions.add_parser("trust", help="what to type so that a machine trusts it")
    add_settings(trusted)
    trusted.set_defaults(run=_trust)
    renewed = actions.add_parser("renew", help="make the node's certificate anew now")
    add_settings(renewed)
    renewed.set_defaults(run=_renew)
    parser.epilog = (
        "The authority may vouch for the names of this node and for nothing else: its certificate\n"
        "says so. With http.tls = auto the node shows a certificate by it from its next start on,\n"
        "and makes a new one a month before the old one ends, which no device has to be told.\n"
        "examples:\n"
        "  zhidao tls make --name node.example --name 192.0.2.7 --data ~/zhidao\n"
        "  zhidao tls show --data ~/zhidao\n"
        "  zhidao tls trust --data ~/zhidao\n"
        "  zhidao tls renew --data ~/zhidao\n"
        "status: 0 done, 1 refused (it is there already, or there is none), 2 bad input"
    )


def _make(options: argparse.Namespace) -> int:
    from zhidao.node.library import make_authority

    config = _own(options)
    names = [_host(name) for name in options.name]
    return _say(options, config, make_authority(config, names, again=options.again))


def _show(options: argparse.Namespace) -> int:
    config = _own(options)
    return _say(options, config, _there(config))


def _trust(options: argparse.Namespace) -> int:
    config = _own(options)
    found = _there(config)
    file = config.data / "tls" / "authority.pem"
    steps = _STEPS.format(file=file)
    if options.json:
        print(json.dumps(_told(config, found) | {"steps": steps}, ensure_ascii=False))
        return 0
    print(f"SHA-256 {found.fingerprint}\n{steps}")
    return 0


def _renew(options: argparse.Namespace) -> int:
    from zhidao.node.library import renew_certificate

    file = renew_certificate(_own(options))
    print(json.dumps({"file": file}) if options.json else f"{file}: shown from the next start on")
    return 0


def _own(options: argparse.Namespace) -> Config:
    config = config_of(options)
    if config.text("http.tls") != "auto":
        raise Refused(
            f"http.tls is {config.text('http.tls')}, so the node makes no certificate",
            code="not_own_tls",
            remedy="set http.tls = auto, or renew where your certificate comes from",
        )
    return config


def _there(config: Config) -> Any:
    from zhidao.node.library import read_authority

    found = read_authority(config)
    if found is None:
        raise NotFound(
            f"{config.data} has no authority",
            code="no_authority",
            remedy="make it with zhidao tls make",
        )
    return found


def _host(text: str) -> str:
    name = text.strip().lower()
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        if _HOST.fullmatch(name):
            return name
    raise MalformedInput(
        f"{text[:80]!r} is no name of a host",
        where="--name",
        remedy="give a name like node.example or an address, without port",
    )


def _told(config: Config, found: Any) -> dict[str, Any]:
    return {
        "names": list(found.names),
        "fingerprint": found.fingerprint,
        "ends_at": found.certificate.not_valid_after_utc.isoformat(),
        "file": str(config.data / "tls" / "authority.pem"),
    }


def _say(options: argparse.Namespace, config: Config, found: Any) -> int:
    told = _told(config, found)
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
        return 0
    print(f"vouches for  {', '.join(found.names)}")
    print(f"SHA-256      {found.fingerprint}")
    print(f"ends         {told['ends_at']}")
    print(f"file         {told['file']}")
    print("next: start the node again; zhidao tls trust says how devices come to trust it")
    return 0
