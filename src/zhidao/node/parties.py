"""The parties of this node: their names, their roles in trade, and the keys it keeps for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, Signer


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """A party. `keys` are Multikeys of what it signs with; `custodial`: this node holds them."""

    party: str
    name: str
    trade_role: str
    country: str
    keys: list[str]
    custodial: bool


class PartyBook(Protocol):
    """Where the parties are written down."""

    async def add(self, *, party: str, name: str, trade_role: str, country: str) -> bool:
        """Writes a party down; False if the name is taken."""
        ...

    async def every(self) -> list[tuple[str, str, str, str]]:
        """All parties: party, name, trade role, country; in order of party."""
        ...


class KeyMaker(Protocol):
    """Makes and finds keys by name."""

    def make(self, name: str, algorithm: Algorithm) -> Signer:
        """The key of that name, made if it is new."""
        ...

    def of_party(self, party: str, algorithm: Algorithm) -> Sequence[Signer]:
        """All keys that a party has had here in order, the present one last."""
        ...


class Parties:
    """Makes parties and tells of them."""

    def __init__(self, book: PartyBook, keys: KeyMaker) -> None:
        self._book = book
        self._keys = keys
        # Told by wiring, once peers are known: those at home at other nodes.
        self.elsewhere: Callable[[], Sequence[Party]] = tuple

    async def add(
        self, actor: Actor, *, party: PartyId, name: str, trade_role: str, country: str
    ) -> Party:
        """Makes a party with a signing key and a chain account; again: the same party."""
        actor.require(Role.ADMIN, Role.NODE)
        for algorithm in (Algorithm.ED25519, Algorithm.SECP256K1):
            self._keys.make(f"party.{party}", algorithm)
        added = await self._book.add(party=party, name=name, trade_role=trade_role, country=country)
        known = next(p for p in await self._all() if p.party == party)
        if not added and (known.name, known.trade_role, known.country) != (
            name,
            trade_role,
            country,
        ):
            raise Conflict(f"the party {party} stands already with another description")
        return known

    async def every(self, actor: Actor) -> list[Party]:
        """All parties, those at peers too; names and public keys are no secret among callers."""
        del actor
        here = await self._all()
        names = {each.party for each in here}
        return [*here, *(each for each in self.elsewhere() if each.party not in names)]

    async def here(self) -> list[Party]:
        """The parties at home at this node, in order."""
        return await self._all()

    async def names(self) -> list[PartyId]:
        """The parties' names, in order."""
        return [PartyId(name) for name, *_ in await self._book.every()]

    async def trade_role(self, party: PartyId) -> str:
        """What the party does in trade, or empty if it is unknown."""
        return next((role for name, _, role, _ in await self._book.every() if name == party), "")

    async def _all(self) -> list[Party]:
        found = []
        for party, name, trade_role, country in await self._book.every():
            keys = [
                signer.public.multikey
                for algorithm in (Algorithm.ED25519, Algorithm.SECP256K1)
                for signer in self._keys.of_party(party, algorithm)
            ]
            found.append(
                Party(
                    party=party,
                    name=name,
                    trade_role=trade_role,
                    country=country,
                    keys=keys,
                    custodial=bool(keys),
                )
            )
        return found
