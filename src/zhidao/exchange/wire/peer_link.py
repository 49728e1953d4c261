"""A link by which one node's operator takes another node's invitation.

`https://host/meet#CODE.KEY`: the code counts once, the key is the inviting node's own, so that
whoever follows the link talks to that node and to no other. A fragment reaches no server's log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.keys import PublicKey
from zhidao.exchange.domain.peer import check_url

MEET_PATH: Final = "/meet"
LINK_CHARACTERS_MAX: Final = 600
_LINK: Final = re.compile(
    r"(.+)/meet#([A-Za-z0-9_-]{32})\.(z[1-9A-HJ-NP-Za-km-z]{40,200})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class PeerLink:
    """`url`: of the node that invites. `code`: what counts once. `key`: of that node."""

    url: str
    code: str
    key: PublicKey

    def __str__(self) -> str:
        return f"{self.url}{MEET_PATH}#{self.code}.{self.key.multikey}"


def decode_link(text: str) -> PeerLink:
    """Reads a link. Raises MalformedInput, and Refused (`bad_url`) as `check_url`."""
    if len(text) > LINK_CHARACTERS_MAX:
        raise MalformedInput(f"a link has at most {LINK_CHARACTERS_MAX} characters")
    found = _LINK.fullmatch(text.strip())
    if found is None:
        raise MalformedInput("this is no link of a node that invites", where="link")
    url, code, key = found.groups()
    check_url(url)
    return PeerLink(url, code, PublicKey.from_multikey(key))
