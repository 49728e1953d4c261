"""Waiting for a consignment: who waits for what and where; changed or withdrawn until decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, NotFound, Refused
from zhidao.core.events import SignedEvent, every
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Records
from zhidao.core.timescale import Utc
from zhidao.devices.commands import Custody
from zhidao.positioning.events import (
    ArrivalExpected,
    ArrivalWithdrawn,
    Carried,
    Site,
    TerminalWatched,
)
from zhidao.positioning.service.awaited import (
    arrival_named,
    check_awaited,
    check_changeable,
    in_words,
    standing_of,
    wish_of,
    wish_of_fact,
    wishes_of,
)


class Awaiting:
    """What is awaited of consignments, as far as nothing is judged of it."""

    def __init__(self, *, records: Records, custody: Custody) -> None:
        self._records = records
        self._custody = custody

    async def expect(
        self,
        actor: Actor,
        *,
        consignment: str,
        terminal: str,
        site: Site,
        not_before: Utc,
        not_after: Utc,
        risk_ppb: int,
        readers: tuple[str, ...],
        carried: tuple[Carried, ...] = (),
    ) -> None:
        """Waits for the consignment; the same call again changes nothing.

        `carried`: its containers with their terminals where there are several; `terminal` is ``
        then. Each is waited for with its share of the risk. Beside the readers whose terminal it
        is sees it, who must know where to drive.
        Raises Conflict if the consignment is awaited otherwise, Refused for an impossible wish.
        """
        one = wish_of(consignment, terminal, site, (not_before, not_after), risk_ppb)
        facts = wishes_of(one, carried)
        history = await self._records.history(arrival_named(consignment))
        if _stands(history, facts):
            return
        await self._await(actor, facts, history, readers)

    async def change(
        self,
        actor: Actor,
        wanted: ArrivalExpected,
        *,
        carried: tuple[Carried, ...],
        since: int,
        reason: str,
    ) -> None:
        """Waits in another way for what nothing was proven of yet; the same again changes nothing.

        `since`: the version that the actor saw. Raises NotFound, Forbidden, Conflict
        (`changed_since`) and Refused (`arrival_decided`) as `withdraw` does, and Refused
        (`nobody_waits`) after that.
        """
        facts = wishes_of(wish_of_fact(wanted), carried)
        history = await self._records.history(arrival_named(wanted.consignment), actor)
        if every(standing_of(history), ArrivalExpected) == facts:
            return
        check_changeable(actor, history, since=since)
        check_awaited(wanted.consignment, history)
        ends = [ArrivalWithdrawn(consignment=wanted.consignment, reason=reason)]
        await self._await(actor, facts, history, history[0].visible, ends=ends)

    async def withdraw(self, actor: Actor, consignment: str, *, since: int, reason: str) -> None:
        """Nobody waits any more; once more changes nothing.

        Raises NotFound to strangers, Forbidden to all but who awaits it, Conflict
        (`changed_since`) where it was changed since the version that the actor saw, Refused
        (`arrival_decided`) once an arrival of it is proven.
        """
        history = await self._records.history(arrival_named(consignment), actor)
        if not every(standing_of(history), ArrivalExpected):
            return
        check_changeable(actor, history, since=since)
        first = history[0]
        await self._records.record(
            actor,
            first.aggregate,
            [ArrivalWithdrawn(consignment=consignment, reason=reason)],
            after=len(history),
            owner=first.owner,
            visible=first.visible,
        )

    async def _await(
        self,
        actor: Actor,
        facts: Sequence[ArrivalExpected],
        history: Sequence[SignedEvent],
        readers: Iterable[str],
        *,
        ends: Sequence[ArrivalWithdrawn] = (),
    ) -> None:
        consignment = facts[0].consignment
        terminals = [each.terminal for each in facts]
        await self.check_terminals(
            actor, consignment=consignment, terminals=terminals, signed=False
        )
        carriers = {party for each in facts for party in await self._carrier(each.terminal)}
        owner = history[0].owner if history else actor.party
        visible = sorted({*map(party_id, readers), actor.party, *carriers} - {owner})
        # The watch comes first: a crash in between leaves a watch without a wish, which the
        # repeated call completes; the other way round a wish would never see a window.
        for each in facts:
            await self._watch(actor, each.terminal, consignment)
        # All containers at once: nobody ever waits for some of them only.
        await self._records.record(
            actor,
            arrival_named(consignment),
            [*ends, *facts],
            after=len(history),
            owner=owner,
            visible=visible,
        )

    async def _watch(self, actor: Actor, terminal: str, consignment: str) -> None:
        watch = f"watch/{terminal}/{consignment}"
        if not await self._records.history(watch):
            await self._records.record(
                actor,
                watch,
                [TerminalWatched(terminal=terminal, consignment=consignment)],
                after=0,
                owner=actor.party,
            )

    async def rehearse(
        self,
        *,
        consignment: str,
        terminal: str,
        site: Site,
        not_before: Utc,
        not_after: Utc,
        risk_ppb: int,
        carried: tuple[Carried, ...] = (),
    ) -> None:
        """Refuses what `expect` would refuse, and writes nothing.

        Raises Conflict (`awaited_otherwise`) if the consignment is awaited in another way.
        """
        one = wish_of(consignment, terminal, site, (not_before, not_after), risk_ppb)
        _stands(await self._records.history(arrival_named(consignment)), wishes_of(one, carried))

    async def check_terminals(
        self, actor: Actor, *, consignment: str, terminals: Sequence[str], signed: bool
    ) -> None:
        """Refuses terminals that the actor may not follow, or that could never prove an arrival.

        A terminal is followed by whom it is shown to, and by the parties of a consignment to whose
        goods a seal that stands joins it now, looked at or not. Of any other nothing is told, not
        even whether it is registered here. `signed`: what they send must bear the signature of
        their key. Raises Refused (`terminal_unknown`, `terminal_without_key`).
        """
        for terminal in terminals:
            keyed = await self._keyed(actor, terminal)
            if keyed is None:
                if await self._is_sealed(terminal, consignment):
                    keyed = await self._keyed_here(terminal)
                else:
                    raise Refused(
                        f"terminal {terminal} is none that you may see, and no seal that stands"
                        f" joins it to {consignment}",
                        code="terminal_unknown",
                        where="$.terminal",
                        remedy="name the terminal that is sealed to the goods; its owner seals it"
                        " to the consignment, or lets you see it on Devices",
                    )
            if signed and keyed is False:
                raise Refused(
                    f"terminal {terminal} has no key and signs nothing, as the deal asks",
                    code="terminal_without_key",
                    where="$.terminal",
                    remedy="name one with a key, or ask for no mark that needs its signature",
                )

    async def _keyed(self, actor: Actor, terminal: str) -> bool | None:
        """Whether a terminal has a key; None of one that the actor may not see, or of none."""
        try:
            shown = await self._custody.audience(terminal)
        except NotFound:
            return None
        # For a deal the node asks, once the bank that opened it was asked the same.
        if actor.role is not Role.NODE and actor.party not in shown:
            return None
        return await self._custody.keyed(terminal)

    async def _keyed_here(self, terminal: str) -> bool | None:
        """Whether a terminal has a key; None of one that is registered at another node."""
        try:
            return await self._custody.keyed(terminal)
        except NotFound:
            return None

    async def _is_sealed(self, terminal: str, consignment: str) -> bool:
        """Whether the terminal rides with the goods now, by a seal that stands."""
        rides = await self._custody.rides(terminal)
        return any(ride.end is None and ride.consignment == consignment for ride in rides)

    async def _carrier(self, terminal: str) -> set[PartyId]:
        """Whose terminal it is; nobody that is known here for one of another node."""
        try:
            return {await self._custody.owner(terminal)}
        except NotFound:
            return set()


def _stands(history: Sequence[SignedEvent], wishes: list[ArrivalExpected]) -> bool:
    """Whether exactly this is awaited already. Raises Conflict for anything else."""
    known = every(standing_of(history), ArrivalExpected)
    if known and known != wishes:
        raise Conflict(
            f"the arrival of {known[0].consignment} is awaited already, in another way: "
            f"{in_words(known)}",
            code="awaited_otherwise",
            remedy="ask for the same terminal, site, time and risk",
        )
    return bool(known)
