"""Whose request it is when a trusted proxy brings it: the nearest address that is no proxy's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from zhidao.node.http.connections import Networks, is_in

_HOPS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Proxies:
    """The operator's own proxies, and the header in which they name who asked them.

    `header`: its name in lower case. A header is believed from these networks alone.
    """

    networks: Networks = ()
    header: bytes = b"x-forwarded-for"

    def client(self, peer: str, headers: Sequence[tuple[bytes, bytes]]) -> str:
        """The address of whoever asks; `peer`: whose connection it is.

        The last entry is what the nearest proxy saw; what stands before the first entry that is
        no proxy's is anybody's claim.
        """
        if not self.networks or not is_in(peer, self.networks):
            return peer
        told = b",".join(value for name, value in headers if name == self.header)
        client = peer
        for hop in reversed(told.decode("latin-1").split(",")[-_HOPS_MAX:]):
            address = _address(hop.strip())
            if not address:
                break
            client = address
            if not is_in(address, self.networks):
                break
        return client


NO_PROXIES: Final = Proxies()


def _address(text: str) -> str:
    """An address without brackets and port; empty for anything else."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
