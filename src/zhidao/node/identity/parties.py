"""The parties of this node: their names, their roles in trade, and the keys it keeps for them."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from difflib import get_close_matches
from typing import Final, Protocol

import msgspec

from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Refused
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, PublicKey, Signer
from zhidao.core.text.plain_text import refuse_untidy
from zhidao.node.security.administration import Act, Administration, Record
from zhidao.node.security.known_keys import LACKING_REMEDY
from zhidao.node.security.party_keys import party_key_name

# How guides and examples call the node, whatever it is called.
_PLACEHOLDER: Final = "node"
# Roles in trade of who lets goods go.
CUSTOMS_ROLES: Final = ("customs", "authority", "corridor_authority")
MAY_ADD_PARTY: Final = access(Role.ADMIN, Role.NODE)


class RegisteredParty(msgspec.Struct, frozen=True, kw_only=True):
    """A party. `keys` are Multikeys of what it signs with; `custodial`: this node holds them."""

    party: str
    name: str
    trade_role: str
    country: str
    keys: list[str]
    custodial: bool


class PartyBook(Protocol):
    """Where the parties are written down."""

    async def add(
        self,
        *,
        party: str,
        name: str,
        trade_role: str,
        country: str,
        keys: Sequence[str],
        record: Record | None,
    ) -> bool:
        """Writes a party and its keys (Multikeys) down with the act.

        False, and nothing written, if the name is taken.
        """
        ...

    async def every(self) -> list[tuple[str, str, str, str]]:
        """All parties: party, name, trade role, country; in order of party."""
        ...

    async def is_named(self, party: str) -> bool:
        """Whether a consignment names a party of that id, wherever it is at home."""
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

    def __init__(self, book: PartyBook, keys: KeyMaker, administration: Administration) -> None:
        self._book = book
        self._administration = administration
        self._keys = keys
        # Told by wiring, once peers are known: those at home at other nodes.
        self.elsewhere: Callable[[], Sequence[RegisteredParty]] = tuple
        self.peers: Callable[[], Sequence[PartyId]] = tuple
        # Those whose keys were lost before this start.
        self.lacking: Container[PartyId] = ()
        # The peer that bears an id, or at which a party of that id is at home.
        self.home_of: Callable[[PartyId], PartyId | None] = lambda _: None
        # Hears of every party that was made.
        self.made: Callable[[], None] = lambda: None

    async def add(
        self, actor: Actor, *, party: PartyId, name: str, trade_role: str, country: str
    ) -> RegisteredParty:
        """Makes a party with a signing key and a chain account; again: the same party.

        Raises MalformedInput (`unprintable`) for a name with blanks too many, Conflict for the
        node's own id (`party_is_node`), for one at home at a peer (`party_elsewhere`), for one
        that consignments name (`party_named`) and for another description of a party that stands,
        Refused (`key_missing`) for one whose keys are lost: no other ones take their place.
        """
        MAY_ADD_PARTY.admit(actor)
        if party not in await self.names():
            await self._must_be_new(party, name)
            await self._make(actor, party, name=name, trade_role=trade_role, country=country)
        known = next(p for p in await self._all() if p.party == party)
        if (known.name, known.trade_role, known.country) != (name, trade_role, country):
            raise Conflict(f"the party {party} stands already with another description")
        if not known.custodial or party in self.lacking:
            raise Refused(
                f"the party {party} stands already, and its keys are lost; none was made",
                code="key_missing",
                where=f"keys/{party_key_name(party, 1)}.{Algorithm.ED25519.label}.key",
                remedy=LACKING_REMEDY,
            )
        return known

    async def _make(
        self, actor: Actor, party: PartyId, *, name: str, trade_role: str, country: str
    ) -> None:
        """The keys first: whoever dies in between makes the same party with them."""
        signing, account = (
            self._keys.make(party_key_name(party, 1), algorithm).public.multikey
            for algorithm in (Algorithm.ED25519, Algorithm.SECP256K1)
        )
        said = {"trade_role": trade_role, "name": name, "country": country}
        record = self._administration.record(
            actor,
            Act.PARTY_MADE,
            subject=party,
            party=party,
            values={**said, "signing": signing, "account": account},
        )
        await self._book.add(
            party=party,
            name=name,
            trade_role=trade_role,
            country=country,
            keys=(signing, account),
            record=record,
        )
        self.made()

    async def every(self, actor: Actor) -> list[RegisteredParty]:
        """All parties, those at peers too; names and public keys are no secret among callers."""
        del actor
        here = await self._all()
        names = {each.party for each in here}
        return [*here, *(each for each in self.elsewhere() if each.party not in names)]

    async def here(self) -> list[RegisteredParty]:
        """The parties at home at this node, in order."""
        return await self._all()

    async def names(self) -> list[PartyId]:
        """The parties' names, in order."""
        return [PartyId(name) for name, *_ in await self._book.every()]

    async def must_be_here(self, party: PartyId, role: Role) -> None:
        """Raises Refused (`party_unknown`) for who acts for a party that is not at home here.

        An auditor acts for none, and comes from an office outside: that may bear any name. All
        others act for a party of this node or for the node itself: one of somebody whom nobody at
        the node is would wait for an agreement that nobody can give.
        """
        if role is Role.AUDITOR:
            return
        # Who runs the node speaks as the node, mostly: its name is what is meant.
        runs = role in (Role.ADMIN, Role.OPERATOR)
        self._must_be_among(await self.names(), party, else_node=runs)

    async def must_be_known(self, *parties: PartyId) -> None:
        """The same for who is neither at home here nor at an admitted peer, nor that peer."""
        there = [*(each.party for each in self.elsewhere()), *self.peers()]
        known = [*await self.names(), *there]
        for party in parties:
            self._must_be_among(known, party, else_node=False)

    async def must_be_customs(self, party: PartyId) -> None:
        """Raises Refused (`not_customs`) for whoever is no customs by its own role in trade.

        Whoever is paid for goods that customs let go must not be the customs that lets them go. A
        node is none, whatever it is called: who runs one speaks as it. Of a party at a peer its
        home tells the role; where nobody tells one it is none.
        """
        nodes = (self._administration.node, *self.peers())
        there = (each.trade_role for each in self.elsewhere() if each.party == party)
        role = await self.trade_role(party) or next(there, "")
        if party not in nodes and role in CUSTOMS_ROLES:
            return
        named = f"{role.replace('_', ' ')} in trade" if role else "of no role in trade"
        what = "a node" if party in nodes else named
        raise Refused(
            f"{party} is {what}, and lets no goods go",
            code="not_customs",
            remedy="name a party whose role is customs; an admin adds it (zhidao party add)",
        )

    def keys_of(self, party: str) -> list[PublicKey]:
        """All keys that a party has had here, the present one of each kind last."""
        return [
            signer.public
            for algorithm in (Algorithm.ED25519, Algorithm.SECP256K1)
            for signer in self._keys.of_party(party, algorithm)
        ]

    async def trade_role(self, party: PartyId) -> str:
        """What the party does in trade, or empty if it is unknown."""
        return next((role for name, _, role, _ in await self._book.every() if name == party), "")

    async def _must_be_new(self, party: PartyId, name: str) -> None:
        """Refuses a name with blanks too many, the node's own id and one at home at a peer.

        Parties may be called alike: two firms of two countries often are, and their ids differ.
        """
        refuse_untidy(name, path="$.name")
        if party == self._administration.node:
            raise Conflict(
                f"{party} is this node itself: it is there from the start",
                code="party_is_node",
                remedy="give the party a name of its own",
            )
        if home := self.home_of(party):
            whose = "is that peer itself" if home == party else f"is at home at the peer {home}"
            raise Conflict(
                f"{party} {whose}: here nobody else can act or read as it",
                code="party_elsewhere",
                remedy="give the party an id of its own, or let its people sign in at its home",
            )
        if await self._book.is_named(party):
            raise Conflict(
                f"consignments here name a {party} of another node: a party made under that id"
                " would read them",
                code="party_named",
                remedy="give the party an id of its own",
            )

    def _must_be_among(self, parties: Sequence[str], party: PartyId, *, else_node: bool) -> None:
        """`else_node`: the node itself is proposed where nobody is named alike."""
        node = self._administration.node
        if party == node or party in parties:
            return
        like = get_close_matches(party, [*parties, node], n=1)
        if not like and (else_node or party == _PLACEHOLDER):
            like = [node]
        own = " (the node's own name)" if like == [node] else ""
        raise Refused(
            f"this node knows no party {party}"
            + (f"; did you mean {like[0]}{own}?" if like else ""),
            code="party_unknown",
        )

    async def _all(self) -> list[RegisteredParty]:
        found = []
        for party, name, trade_role, country in await self._book.every():
            keys = [key.multikey for key in self.keys_of(party)]
            found.append(
                RegisteredParty(
                    party=party,
                    name=name,
                    trade_role=trade_role,
                    country=country,
                    keys=keys,
                    custodial=bool(keys),
                )
            )
        return found
