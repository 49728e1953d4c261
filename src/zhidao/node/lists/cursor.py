"""Where a reader stands in a list, as a word that only this node writes and only that reader uses.

A cursor holds the name and the place of the last row that was shown, so that rows which come or
go meanwhile neither repeat nor hide others. It is bound to list, reader, order and filter by a
code (HMAC, RFC 2104): it cannot be made up, changed, or used for another list or by others.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.ambient import Randomness
from zhidao.core.canonical import decode_json
from zhidao.core.errors import MalformedInput
from zhidao.node.lists.listing import SortKey, Wanted

CURSOR_CHARACTERS_MAX: Final = 2_048
_CODE_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Place:
    """The last row that was shown: its name, where it stood by the order, how many came before."""

    name: str
    at: SortKey = (0, 0)
    number: int = 0


class Cursors:
    """Writes and reads cursors under a key of this process, drawn when one is first needed."""

    def __init__(self, randomness: Randomness) -> None:
        self._randomness = randomness

    @cached_property
    def _key(self) -> bytes:
        return self._randomness.token(32)

    def write(self, place: Place, *, name: str, actor: Actor, wanted: Wanted) -> str:
        """The cursor behind `place` in the list called `name`."""
        data = json.dumps([place.name, *place.at, place.number], separators=(",", ":")).encode()
        code = self._code(data, name, actor, wanted)
        return base64.urlsafe_b64encode(code + data).rstrip(b"=").decode()

    def read(self, text: str, *, name: str, actor: Actor, wanted: Wanted) -> Place:
        """The place of a cursor. Raises MalformedInput (`stale_cursor`) unless it is this one's."""
        try:
            packed = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise _stale() from error
        code, data = packed[:_CODE_BYTES], packed[_CODE_BYTES:]
        if not hmac.compare_digest(code, self._code(data, name, actor, wanted)):
            raise _stale()
        row, kind, value, number = decode_json(data, tuple[str, int, int | str, int])
        return Place(row, (kind, value), number)

    def _code(self, data: bytes, name: str, actor: Actor, wanted: Wanted) -> bytes:
        who = [actor.party, actor.role.value, actor.person]
        what = [wanted.column, wanted.descending, wanted.filters, wanted.exact, wanted.asked]
        bound = json.dumps([name, who, what], separators=(",", ":")).encode()
        whole = len(bound).to_bytes(4, "big") + bound + data
        return hmac.new(self._key, whole, hashlib.sha256).digest()[:_CODE_BYTES]


def _stale() -> MalformedInput:
    return MalformedInput(
        "this cursor is not of this list, order, filter and reader, or the node began anew since",
        code="stale_cursor",
        where="after",
        remedy="read the list from its first page, without after",
    )
