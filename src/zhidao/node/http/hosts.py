"""Under which names a node answers: its own, loopback, and the addresses of its machine.

A page of strangers that gave a name of theirs this machine's address (DNS rebinding), and a signed
request that was meant for another node, stop here.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.node.config import Config
from zhidao.node.security.second_factor import Site

# uri-host with an optional port (RFC 9110 section 7.2); a name's characters as DNS has them.
_HOST: Final = re.compile(
    r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{0,5}))?", re.ASCII
)
_LOOPBACK: Final = "localhost"


class Misdirected(Refused):
    """A request for another host (RFC 9110 section 15.5.20)."""

    http_status = 421
    default_code = "wrong_host"


class Hosts:
    """The names of a node. A name that begins with `*.` stands for one label before the rest."""

    def __init__(self, names: Iterable[str]) -> None:
        cleaned = {name.strip().lower().rstrip(".") for name in names} - {""}
        self._wild = frozenset(name[1:] for name in cleaned if name.startswith("*."))
        self._names = cleaned | {_LOOPBACK}

    def check(self, scope: Any) -> None:
        """Raises MalformedInput unless one Host stands there, Misdirected if it is another's."""
        said = [value for name, value in scope["headers"] if name == b"host"]
        match = _HOST.fullmatch(said[0].decode("latin-1")) if len(said) == 1 else None
        if match is None:
            raise MalformedInput(
                "a request names one host", code="bad_host", where="Host", remedy="send one Host"
            )
        host = match[1].lower().strip("[]").rstrip(".")
        if not self._is_ours(host, scope.get("server")):
            raise Misdirected(
                f"this node does not answer as {host}",
                where="Host",
                remedy="use the node's own name, or add this one to its setting http.names",
            )

    def _is_ours(self, host: str, reached: Any) -> bool:
        if host in self._names or (
            host.partition(".")[2] and f".{host.partition('.')[2]}" in self._wild
        ):
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        # What the caller connected to is an address of this machine.
        return address.is_loopback or (bool(reached) and host == _plain(reached[0]))


def site_of(scope: Any) -> Site:
    """Under which name a request that was let through asks, and as what a browser shows it.

    Browsers show pages without TLS a passkey only where the machine talks to itself.
    """
    said = [value for name, value in scope["headers"] if name == b"host"]
    match = _HOST.fullmatch(said[0].decode("latin-1")) if len(said) == 1 else None
    if match is None or match[1].startswith("[") or _is_address(match[1]):
        return Site()
    host = match[1].lower()
    schemes = ("https", "http") if host == _LOOPBACK else ("https",)
    return Site(host, tuple(_origin(scheme, host, match[2] or "") for scheme in schemes))


def base_of(scope: Any) -> str:
    """The address of this node as the browser that asks has it.

    Behind a proxy it is https, unless the browser is at this machine itself.
    """
    said = next(value for name, value in scope["headers"] if name == b"host").decode("latin-1")
    match = _HOST.fullmatch(said)
    host = match[1].strip("[]").lower() if match else ""
    is_here = host == _LOOPBACK or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
    return f"{scope['scheme'] if is_here else 'https'}://{said.lower()}"


def _origin(scheme: str, host: str, port: str) -> str:
    """As a browser writes it: without the port that goes without saying."""
    usual = {"https": "443", "http": "80"}[scheme]
    return f"{scheme}://{host}" + (f":{port}" if port not in ("", usual) else "")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def node_hosts(config: Config) -> Hosts:
    """The names under which this node was set up to answer."""
    public = _HOST.fullmatch(config.text("http.public_host"))
    names = [
        config.text("http.host"),
        socket.gethostname(),
        *config.text("http.names").split(","),
        *([public[1]] if public else []),
    ]
    if config.text("http.tls") == "files":
        names += _names_in(Path(config.text("http.certificate")))
    return Hosts(names)


def _names_in(certificate: Path) -> list[str]:
    """What the operator's certificate vouches for. Nothing if it cannot be read: serving will."""
    from cryptography import x509

    try:
        parsed = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return []
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *addresses]


def _plain(address: str) -> str:
    """An address without what IPv6 adds to it: a zone, or the mapping of an IPv4 address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)
