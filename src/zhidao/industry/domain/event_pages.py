"""Where a page of events ends and the next begins: a place in the order, as an opaque token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in the order of events: instant, name and party; no two events share one."""

    ns: int
    name: str
    owner: str

    def token(self) -> str:
        """The place as text for an address."""
        return base64url(jcs([str(self.ns), self.name, self.owner]))

    @classmethod
    def of(cls, token: str) -> Self:
        """From a token. Raises MalformedInput for any other text."""
        try:
            ns, name, owner = parse_strict(parse_base64url(token))
            place = cls(int(ns), name, owner)
        except (ValueError, TypeError, MalformedInput) as error:
            raise _no_token() from error
        is_place = isinstance(name, str) and isinstance(owner, str) and abs(place.ns) < 2**63
        if not is_place:
            raise _no_token()
        return place


def _no_token() -> MalformedInput:
    return MalformedInput(
        "nextPageToken is none of this node's",
        where="nextPageToken",
        remedy="take it from the page before, or leave it out",
    )
