"""Seals: the carrier joins a terminal to goods, and others look whether the seal is whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import msgspec

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, NotFound, Refused
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records, Scribe
from zhidao.devices.domain.binding import binding_of, bound_to, left_since, unbound
from zhidao.devices.domain.riding import rides_of
from zhidao.devices.domain.seal_number import container_number, seal_number
from zhidao.devices.events import Binding, Ride, SealChecked, Sealed
from zhidao.devices.service.ports import Vault

MAY_SEAL: Final = access(Role.PARTY, relation=Relation.PEER, of="the terminal in the body")
# The containers of a consignment, as far as the actor may know them.
ContainersOf = Callable[[Actor, str], Awaitable[Sequence[str]]]
MAY_CHECK_SEAL: Final = access(Role.PARTY, relation=Relation.PEER, of="the seal")
# Of seals, by number, so that a list reads each once.
_Histories: TypeAlias = dict[str, Sequence[SignedEvent]]


async def _unknown(_actor: Actor, _consignment: str) -> Sequence[str]:
    return ()


class Seals:
    """Sealing, looking, and what follows from both."""

    def __init__(self, vault: Vault, records: Records, scribe: Scribe) -> None:
        self._vault = vault
        self._records = records
        self._scribe = scribe
        # Told by wiring, once consignments are there.
        self.containers_of: ContainersOf = _unknown

    async def close(
        self,
        actor: Actor,
        *,
        seal: str,
        container: str,
        consignment: str,
        terminal: str,
        readers: Sequence[PartyId],
    ) -> SignedEvent:
        """The carrier closes a container with a seal that holds this terminal.

        The same call again returns the same event. Raises NotFound for a terminal that the actor
        does not see, Conflict if the seal was used before, MalformedInput for a number that could
        be read as another's, Refused (`terminal_elsewhere`) while it is sealed into another, and
        (`other_container`) for one that is not of the consignment, as far as the actor knows it.
        """
        MAY_SEAL.admit(actor)
        seal, container = seal_number(seal), container_number(container)
        known = (await self._vault.terminal(terminal)).seen_by(actor)
        fact = Sealed(
            seal=seal,
            container=container,
            consignment=consignment,
            terminal=terminal,
            terminal_key=known.multikey,
        )
        before = await self._sealing(seal)
        if before is not None:
            return _same(before, fact, actor)
        await self._refuse_other_container(actor, fact)
        await self._refuse_second_place(fact, actor.party, known.owner)
        entry = self._scribe.write(
            fact,
            by=actor.party,
            aggregate=_aggregate(seal),
            version=1,
            owner=actor.party,
            visible=readers,
            occurred_at=None,
        )
        try:
            await self._vault.add_seal(
                consignment=consignment, terminal=terminal, seal=seal, entries=[entry]
            )
        except Conflict:
            before = await self._sealing(seal)
            if before is None:
                raise
            return _same(before, fact, actor)
        return entry.event

    async def _refuse_other_container(self, actor: Actor, fact: Sealed) -> None:
        theirs = await self.containers_of(actor, fact.consignment)
        if theirs and fact.container not in theirs:
            raise Refused(
                f"{fact.container} is no container of {fact.consignment}",
                code="other_container",
                where="$.container",
                remedy=f"seal the terminal into one of its own: {', '.join(theirs)}",
            )

    async def _refuse_second_place(self, fact: Sealed, by: PartyId, owner: PartyId) -> None:
        """Refuses to seal a terminal into a container while a seal holds it in another.

        To whoever owns the terminal nobody else's seal is in the way.
        """
        seals = await self._vault.seals(consignment=fact.consignment, terminal=fact.terminal)
        for seal in seals:
            history = await self._records.history(_aggregate(seal))
            sealed = Sealed.of(history[0])
            looks = [SealChecked.of(e) for e in history if e.type == SealChecked.TYPE]
            if by == owner != history[0].asserted_by.party:
                continue
            if sealed.container != fact.container and all(look.intact for look in looks):
                raise Refused(
                    f"terminal {fact.terminal} is sealed into {sealed.container} by {seal}; it"
                    " stands for one container",
                    code="terminal_elsewhere",
                    where="$.terminal",
                    remedy=f"seal another terminal in, or say that {seal} was found broken",
                )

    async def check(
        self,
        actor: Actor,
        *,
        seal: str,
        container: str,
        terminal: str,
        intact: bool,
        place: str,
    ) -> SignedEvent:
        """A party that may see the seal says what it found. The same look again writes nothing.

        One look that found it broken or elsewhere is never healed, so that a slip of the hand must
        not be one: Refused (`seal_elsewhere`) if it is called whole, and on another container or
        with another terminal than it was closed over.
        """
        MAY_CHECK_SEAL.admit(actor)
        container = container_number(container)
        history = await self._records.history(_aggregate(seal), actor)
        closed = Sealed.of(history[0])
        if intact and (container, terminal) != (closed.container, closed.terminal):
            raise Refused(
                f"seal {seal} was closed on {closed.container} with terminal {closed.terminal},"
                f" not on {container} with {terminal}",
                code="seal_elsewhere",
                where="$.container" if container != closed.container else "$.terminal",
                remedy="look at the number again; if it is right, say that the seal is broken or"
                " another",
            )
        fact = SealChecked(
            seal=seal, container=container, terminal=terminal, intact=intact, place=place
        )
        for event in history:
            if event.payload == fact.payload() and event.asserted_by.party == actor.party:
                return event
        (event,) = await self._records.record(
            actor,
            _aggregate(seal),
            [fact],
            after=history[-1].version,
            owner=history[0].owner,
            visible=history[0].visible,
        )
        return event

    async def view(self, actor: Actor, seal: str) -> tuple[Sealed, Binding]:
        """A seal and what it binds. Raises NotFound.

        The terminal of a seal that came from another node is registered there: whether its key is
        the one that was sealed in, that node judged.
        """
        return await self._viewed(actor, seal, {})

    async def _viewed(self, actor: Actor, seal: str, read: _Histories) -> tuple[Sealed, Binding]:
        history = await self._records.history(_aggregate(seal), actor)
        sealed = Sealed.of(history[0])
        try:
            return sealed, await self._bound_by(history, sealed.terminal, read)
        except NotFound:
            key = sealed.terminal_key
            return sealed, binding_of(history, terminal=sealed.terminal, terminal_key=key)

    async def listed(
        self, actor: Actor, *, limit: int, after: str = ""
    ) -> list[tuple[Sealed, Binding]]:
        """The seals that the actor may see, by number, after the number `after`."""
        names = await self._records.aggregates(
            _aggregate(""), actor, limit=limit, after=_aggregate(after) if after else ""
        )
        read: _Histories = {}
        return [
            await self._viewed(actor, name.removeprefix(_aggregate("")), read) for name in names
        ]

    async def binding(self, *, terminal: str, consignment: str, container: str = "") -> Binding:
        """What joins a terminal to a consignment: a seal that stands, else the best reason.

        `container`: the one that it is to ride with. Of seals into two containers the later one
        counts (see left_since); sealed into both at one instant, it rides with none.
        """
        read: _Histories = {}
        found = [
            await self._bound_by(await self._records.history(_aggregate(seal)), terminal, read)
            for seal in await self._vault.seals(consignment=consignment, terminal=terminal)
        ]
        none = unbound(
            terminal,
            f"terminal not bound: no seal joins terminal {terminal} to consignment {consignment}",
        )
        if container:
            return bound_to(found, container, otherwise=none)
        return next((each for each in found if each.bound), found[-1] if found else none)

    async def rides(self, terminal: str) -> list[Ride]:
        """When a terminal rode with whose goods, the oldest first (see rides_of).

        One that is registered at another node rides by the seals that are known here.
        """
        try:
            owner = (await self._vault.terminal(terminal)).owner
        except NotFound:
            owner = None
        names = [_aggregate(seal) for seal in await self._vault.seals_of(terminal)]
        node = Actor(self._records.node, Role.NODE)
        histories = await self._records.histories(names, node)
        return rides_of(histories, owner=owner)

    async def _bound_by(
        self, history: Sequence[SignedEvent], terminal: str, read: _Histories
    ) -> Binding:
        known = await self._vault.terminal(terminal)
        found = binding_of(history, terminal=terminal, terminal_key=known.multikey)
        if not found.bound:
            return found
        every = await self._vault.seals_of(terminal)
        for seal in every:
            if seal not in read:
                read[seal] = await self._records.history(_aggregate(seal))
        others = [read[seal] for seal in every if seal != found.seal]
        reason = left_since(history[0], others, owner=known.owner)
        return msgspec.structs.replace(found, bound=not reason, reason=reason)

    async def _sealing(self, seal: str) -> SignedEvent | None:
        history = await self._records.history(_aggregate(seal))
        return history[0] if history else None


def _aggregate(seal: str) -> str:
    return f"seal/{seal}"


def _same(before: SignedEvent, fact: Sealed, actor: Actor) -> SignedEvent:
    if before.payload != fact.payload() or before.asserted_by.party != actor.party:
        raise Conflict(f"seal {fact.seal} was used before; a seal closes once")
    return before
