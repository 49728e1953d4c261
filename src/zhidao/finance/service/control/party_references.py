"""Names that a party gives to what it opens: each party has names of its own.

A history stands under its key: `<owner>/<name>`, so that nobody takes a name before another. The
first histories of a node stand under the name alone; they stay where they are and are found there.
"""

from __future__ import annotations

from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import MalformedInput, NotFound, Refused
from zhidao.core.journal import Records
from zhidao.finance.service.ports import NameIndex

CREDIT: Final = "credit"
ESCROW: Final = "escrow"
NETTING: Final = "netting"
KINDS: Final = (CREDIT, ESCROW, NETTING)
OWNERS_MAX: Final = 100
"""Of one name, among which an asker who does not say whose is found the right one."""


def plain_name(key: str) -> str:
    """The name in a key.

    >>> plain_name("importer-bank/E-1"), plain_name("E-1")
    ('E-1', 'E-1')
    """
    return key.rpartition("/")[2]


class PartyReferences:
    """The keys of one kind of history."""

    def __init__(self, kind: str, *, records: Records, index: NameIndex) -> None:
        """`kind`: what histories of it begin with, one of `KINDS`."""
        assert kind in KINDS, "readings look at each kind"
        self._kind = kind
        self._records = records
        self._index = index

    async def key(self, owner: str, name: str) -> str:
        """Under which key the owner opens something of this name, or did.

        Raises MalformedInput for a name that would be read as another's.
        """
        if "/" in name or not name:
            raise MalformedInput(f"a name has no slash: {name[:40]!r}", where=self._kind)
        old = await self._records.history(f"{self._kind}/{name}")
        return name if old and old[0].owner == owner else f"{owner}/{name}"

    async def take(self, key: str) -> None:
        """Makes a key to be found by its name; before its history begins. Again: no change."""
        owner, _, name = key.rpartition("/")
        if owner:
            await self._index.add(self._kind, name, owner)

    async def find(self, actor: Actor, name: str, *, of: str = "") -> str:
        """The key of what the actor may see under a name; its own before any other.

        `of`: the party that named it, if the asker says so. Raises NotFound, Refused
        (`ambiguous_name`) if several parties named something so and the actor may see it.
        """
        if of:
            key = await self.key(of, name)
            await self._records.history(f"{self._kind}/{key}", actor)
            return key
        if actor.role is Role.PARTY:
            own = await self.key(actor.party, name)
            if await self._sees(actor, own):
                return own
        owners = await self._index.owners(self._kind, name, limit=OWNERS_MAX)
        keys = [name, *(f"{owner}/{name}" for owner in owners)]
        seen = [key for key in keys if await self._sees(actor, key)]
        if not seen:
            # The same for who may see none, however many there are.
            raise NotFound(
                f"no {self._kind} of that name",
                remedy=f"say whose it is, ?of=PARTY: {OWNERS_MAX} of one name are looked through",
            )
        if len(seen) > 1:
            raise Refused(
                f"several parties named a {self._kind} {name}",
                code="ambiguous_name",
                remedy="say whose it is: ?of=PARTY",
            )
        return seen[0]

    async def _sees(self, actor: Actor, key: str) -> bool:
        try:
            await self._records.history(f"{self._kind}/{key}", actor)
        except NotFound:
            return False
        return True
