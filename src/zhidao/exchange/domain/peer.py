"""Peers: other nodes with their addresses and keys, and what they want to hear of."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import PartyId
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc

URL_CHARACTERS_MAX = 300
X25519_KEY_BYTES: Final = 32
# FIPS 203 table 3 for ML-KEM-768, and X25519 behind it.
HYBRID_KEY_BYTES: Final = 1184 + X25519_KEY_BYTES


@dataclass(frozen=True, slots=True)
class Card:
    """What a node says of itself, signed with the key that it records with.

    `sealing`: its X25519 public key (RFC 7748); `sealing_hybrid`: its key of ML-KEM-768 and X25519,
    or empty. `certificate`: PEM of a TLS certificate that no authority vouches for, or empty.
    `revoked`: former keys of its own that it took back.
    """

    node: PartyId
    organisation: str
    url: str
    key: PublicKey
    sealing: bytes
    certificate: str
    at: Utc
    revoked: tuple[PublicKey, ...] = ()
    signature: bytes = b""
    sealing_hybrid: bytes = b""

    def __post_init__(self) -> None:
        check_url(self.url)
        if len(self.sealing) != X25519_KEY_BYTES:
            raise MalformedInput("an X25519 key has 32 bytes", where="sealing")
        if len(self.sealing_hybrid) not in (0, HYBRID_KEY_BYTES):
            raise MalformedInput("a hybrid key has 1,216 bytes", where="sealing_hybrid")

    @property
    def seals(self) -> bytes:
        """The key to seal with: the hybrid one where there is one."""
        return self.sealing_hybrid or self.sealing


@dataclass(frozen=True, slots=True)
class Wanted:
    """A subscription: kinds and consignments by how they begin; nothing named means all."""

    kinds: tuple[str, ...] = ()
    consignments: tuple[str, ...] = ()

    def matches(self, *, kind: str, consignment: str) -> bool:
        """Whether a document is wanted."""
        return _begins(kind, self.kinds) and _begins(consignment, self.consignments)


@dataclass(frozen=True, slots=True)
class Peer:
    """An admitted node. `keys`: what the trust list of that name gives it.

    `sealing` is the best key of its card. `wanted` is None until the peer subscribes. `card` is
    kept as it was signed, and so is `listed`, the trust list itself: it names the peer's log and
    the parties that are at home there. `came`: the node and each party of its list, with the
    number of the admission that brought it; numbers rise over all peers.
    `said`: the peer's own list as it last told it, which tells of ids alone.
    """

    node: PartyId
    organisation: str
    url: str
    keys: tuple[PublicKey, ...]
    sealing: bytes
    certificate: str
    trust: str
    card: bytes
    wanted: Wanted | None = None
    listed: bytes = b""
    came: tuple[tuple[PartyId, int], ...] = ()
    said: bytes = b""

    def since(self, party: str) -> int:
        """The number of the admission that brought an id; of one not noted the node's own."""
        numbers = dict(self.came)
        return numbers.get(PartyId(party), numbers.get(self.node, 0))

    def speaks(self, key: PublicKey) -> bool:
        """Whether this peer signs with that key."""
        return key in self.keys


def check_url(url: str) -> None:
    """Raises unless this is the address of a node: https, or plain to this machine.

    Raises MalformedInput; Refused (`bad_url`) for plain HTTP to elsewhere.
    """
    _check_length(url)
    try:
        parts = urlsplit(url)
        # Asking for the port is what raises where it is no number.
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError as error:
        raise MalformedInput(f"no URL: {url[:80]!r}") from error
    if not (port_is_fine and _is_plainly_spelled(url) and _names_a_host_alone(parts)):
        raise MalformedInput(f"no address of a node: {url[:80]!r}; wanted https://host[:port]")
    if parts.scheme != "https" and not (
        parts.scheme == "http" and _is_loopback(parts.hostname or "")
    ):
        raise Refused(f"{url[:80]!r} is neither https nor on this machine", code="bad_url")


def _check_length(url: str) -> None:
    if len(url) > URL_CHARACTERS_MAX:
        raise MalformedInput(f"an address of a node has at most {URL_CHARACTERS_MAX} characters")


def _is_plainly_spelled(url: str) -> bool:
    """No letter that looks like another, and none that a log would not show."""
    return url.isascii() and url.isprintable() and " " not in url


def _names_a_host_alone(parts: SplitResult) -> bool:
    """What follows the host would be lost, or sent along with every request."""
    has_more = parts.username or parts.path or parts.query or parts.fragment
    return bool(parts.hostname) and not has_more


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _begins(text: str, beginnings: Sequence[str]) -> bool:
    return not beginnings or any(text.startswith(each) for each in beginnings)
