"""The file of networks: TOML, one section each, that says what is asked and how.

It holds no secret: a network's secret stands in a file of its own that it names.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from zhidao.connectivity.domain.served_cell import check_plmn
from zhidao.core.errors import MalformedInput

NETWORK_FILE_BYTES_MAX: Final = 256 * 1024
NETWORKS_MAX: Final = 16
_TEXT_CHARACTERS: Final = 500
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,29}\Z", re.ASCII)
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Open5gsPlan:
    """A core of Open5GS. amf, smf: addresses of its InfoAPI; sites: the name of a file."""

    name: str
    plmn: str
    amf: str
    sites: str
    smf: str = ""


@dataclass(frozen=True, slots=True)
class CamaraPlan:
    """An operator's CAMARA APIs; secret_file, authority: names of files."""

    name: str
    plmn: str
    api: str
    token: str
    client_id: str
    secret_file: str
    scope: str = ""
    authority: str = ""
    reachability: bool = False


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """The cells that terminals of this node tell of themselves; sites: the name of a file."""

    name: str
    plmn: str
    sites: str


Plan = Open5gsPlan | CamaraPlan | FleetPlan
_TEXTS: Final = {
    "open5gs": (("plmn", "amf", "sites"), ("smf",)),
    "camara": (
        ("plmn", "api", "token", "client_id", "secret_file"),
        ("scope", "authority"),
    ),
    "fleet": (("plmn", "sites"), ()),
}
_FLAGS: Final = {"open5gs": (), "camara": ("reachability",), "fleet": ()}
# Whether each may be asked over http.
_ADDRESSES: Final = {
    "open5gs": {"amf": True, "smf": True},
    "camara": {"api": False, "token": False},
    "fleet": {},
}


def read_networks(data: bytes) -> tuple[Plan, ...]:
    """The networks of a file, in its order. Raises MalformedInput that names the section."""
    if len(data) > NETWORK_FILE_BYTES_MAX:
        raise MalformedInput(
            f"{len(data)} bytes of networks; at most {NETWORK_FILE_BYTES_MAX} are read"
        )
    try:
        document = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedInput(f"not TOML: {error}") from error
    if not document:
        raise MalformedInput("no network", remedy='write [corridor] and kind = "open5gs"')
    if len(document) > NETWORKS_MAX:
        raise MalformedInput(f"{len(document)} networks; at most {NETWORKS_MAX}")
    return tuple(_plan(name, entries) for name, entries in document.items())


def _plan(name: str, entries: object) -> Plan:
    where = f"[{name[:40]}]"
    if not isinstance(entries, dict):
        raise MalformedInput("this stands outside of a [section]", where=name[:40])
    if not _NAME.match(name):
        raise MalformedInput(
            "a network's name has 1 to 30 small letters, digits and hyphens", where=where
        )
    try:
        return _of_kind(name, entries)
    except MalformedInput as error:
        error.where = where
        raise


def _of_kind(name: str, entries: Mapping[str, Any]) -> Plan:
    kind = entries.get("kind")
    if not isinstance(kind, str) or kind not in _TEXTS:
        raise MalformedInput(f"no kind {str(kind)[:40]!r}", remedy=f"there are {', '.join(_TEXTS)}")
    texts = _texts(kind, entries)
    check_plmn(texts["plmn"])
    for each, plain in _ADDRESSES[kind].items():
        _check_address(texts.get(each, ""), each, plain=plain)
    if kind == "open5gs":
        return Open5gsPlan(name, **texts)
    if kind == "fleet":
        return FleetPlan(name, **texts)
    reachability = entries.get("reachability", False)
    if not isinstance(reachability, bool):
        raise MalformedInput("reachability is true or false")
    return CamaraPlan(name, **texts, reachability=reachability)


def _texts(kind: str, entries: Mapping[str, Any]) -> dict[str, str]:
    """The entries of a kind that are texts; raises for one that is missing or that there is not."""
    required, optional = _TEXTS[kind]
    known = ("kind", *required, *optional, *_FLAGS[kind])
    if unknown := next((each for each in entries if each not in known), ""):
        raise MalformedInput(
            f"no entry {unknown[:40]!r} of {kind}", remedy=f"there are {', '.join(known)}"
        )
    texts = {each: _text(entries, each) for each in (*required, *optional) if each in entries}
    if missing := [each for each in required if not texts.get(each)]:
        raise MalformedInput(f"no {', '.join(missing)}", remedy=f'write {missing[0]} = "…"')
    return texts


def _text(entries: Mapping[str, Any], name: str) -> str:
    value = entries[name]
    if not isinstance(value, str) or len(value) > _TEXT_CHARACTERS or not value.isprintable():
        raise MalformedInput(f"{name} is no text of up to {_TEXT_CHARACTERS} characters")
    return value


def _check_address(url: str, name: str, *, plain: bool) -> None:
    """Raises MalformedInput unless this is an address that may be asked.

    plain: over http as well. The InfoAPI speaks nothing else; a token goes over https alone, but
    at this machine itself.
    """
    if url and not _may_be_asked(url, plain=plain):
        such = "http://10.0.0.5:9090" if plain else "https://api.example.org"
        raise MalformedInput(f"{name} is no address that can be asked", remedy=f"such as {such}")


def _may_be_asked(url: str, *, plain: bool) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    schemes = ("https", "http") if plain or parts.hostname in _LOOPBACK else ("https",)
    more = any((parts.username, parts.password, parts.query, parts.fragment))
    named = bool(parts.hostname) and port != 0 and url.isascii() and " " not in url
    return parts.scheme in schemes and named and not more
