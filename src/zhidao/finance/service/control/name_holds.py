"""Whoever is on a list is not paid: names of a message or an act wait for two persons of the bank.

A hit holds, and opens an approval of the bank, in the one queue of what waits for two persons;
released, the act goes on, refused, it is refused, and whoever refuses says why. A list that is too
old holds everything, and so does one that cannot be read. Where no list is installed nothing is
screened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from zhidao.core.access import OWN, Access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.ids import party_id
from zhidao.core.money import Money
from zhidao.finance.domain.payments.approval import Approval
from zhidao.finance.domain.screening.screening import TEXT_CHARACTERS_MAX, Hit, Lists
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.carried_out import NOT_YET, Act, Became
from zhidao.finance.service.control.party_names import PartyNames
from zhidao.finance.service.control.screening import Screening
from zhidao.finance.service.control.standing_holds import RELEASE, WENT_ON, StandingHolds, Whom

NEEDS: Final = "needs_two_persons"
REFUSED: Final = "refused_by_person"
HITS_SHOWN_MAX: Final = 20
"""So many hits are shown to those who release; the number is of all."""
_LONG: Final = TEXT_CHARACTERS_MAX
"""A name that is longer is held unread."""
_TRIES: Final = 8
KNOWN_MAX: Final = 100_000
"""Names that were found clear by the lists of this moment; more are screened again."""


async def _never() -> bool:
    """Of what is not known to be over."""
    return False


_NO_MORE: Final = "no list of this node names who was found any more; two persons decide it yet"


@dataclass(slots=True)
class _Clear:
    """Names that no alert is for, by the lists of these digests and no others."""

    of: tuple[str, ...] = ()
    names: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Listed:
    """Each name of the lists of these digests, with its list and entry."""

    of: tuple[str, ...] = ()
    names: frozenset[tuple[str, str, str]] = frozenset()


class NameHolds:
    """Holds what names somebody on a list."""

    def __init__(self, screening: Screening, approvals: Approvals, party_names: PartyNames) -> None:
        self._screening = screening
        self._approvals = approvals
        self._party_names = party_names
        self._message: Act | None = None
        self._refused_message: Act | None = None
        self._became_message: Became | None = None
        self._lasts_message: Became | None = None
        approvals.carries_out(
            RELEASE,
            self._released,
            by=None,
            refused=self._refused,
            again=True,
            became=self._became,
            lasts=self._lasts,
        )
        approvals.asks_why(RELEASE)
        approvals.ends_by(RELEASE, self._over)
        approvals.shows(RELEASE, self._shown)
        self._standing = StandingHolds(approvals)
        self._clear = _Clear()
        self._listed = _Listed()

    def carries_out(
        self, act: str, how: Act, *, by: Access[Any] = OWN, whom: Whom | None = None
    ) -> None:
        """Names what is done once an act that is held for its names alone is released.

        `by`: whose roles may do it, and so release it. `whom`: by what it is held, as `held_by` of
        the standing holds; None: by all that is said.
        """
        self._approvals.carries_out(act, how, by=by)
        if whom is not None:
            self._standing.held_by(act, whom)

    def goes_on(self, how: Act, *, refused: Act, became: Became, lasts: Became) -> None:
        """Names what is done with a message that two persons released, or one refused.

        `became`: finds what came of it; `lasts`: what of that takes no new look at its names.
        """
        self._message, self._refused_message = how, refused
        self._became_message, self._lasts_message = became, lasts

    async def demand(
        self,
        bank: str,
        *,
        subject: str,
        amount: Money,
        said: Mapping[str, Any],
        names: Collection[str] = (),
        parties: Collection[str] = (),
        nodes: Collection[str] = (),
        is_over: Callable[[], Awaitable[bool]] = _never,
    ) -> None:
        """Returns if nobody named is on a list, or two persons of the bank released it.

        What was held for a hit before waits for them though no list names anybody of it any more.

        `names` as they are written, `parties` and `nodes` by those under which they are known.
        `said`: what is held; `again` makes it what is carried out once it is released. `is_over`:
        whether it was done before, or refused for good; asked only if it would be held now.

        Raises Refused: `needs_two_persons` while it waits, `refused_by_person`.
        """
        why, hits = await self._alerts(names, parties, nodes)

        async def is_clear() -> bool:
            return not why and not hits and await self._reads()

        released = await self._standing.require(
            bank, subject, amount, said, is_clear=is_clear, is_over=is_over
        )
        if not why and not hits:
            if not released:
                await self._standing.require_others(bank, subject, amount, said)
            return
        if await is_over():
            return
        shown = {
            **said,
            "why": why or "somebody named is like somebody on a list",
            "hits": len(hits),
            "first": [_shown(name, hit) for name, hit in hits[:HITS_SHOWN_MAX]],
        }
        await self._standing.ask(bank, subject, amount, said, shown)

    async def is_held(self, bank: str, **asked: Any) -> bool:
        """Whether it waits for two persons of the bank, or one refused it: nothing is raised."""
        try:
            await self.demand(bank, **asked)
        except Refused as error:
            if error.code not in (NEEDS, REFUSED):
                raise
            return True
        return False

    async def _released(self, actor: Actor, said: Mapping[str, Any]) -> object:
        """Goes on with what was held; what nobody can carry out is asked for again."""
        if "act" in said:
            return await self._approvals.carry_out(actor, str(said["act"]), said["asked"])
        if "digest" in said:
            assert self._message is not None, "whoever holds messages says what is done with them"
            return await self._message(actor, said)
        return NOT_YET

    async def _became(self, actor: Actor, said: Mapping[str, Any]) -> str | None:
        """Of a message; an act that was held leaves nothing that tells of its release."""
        if "act" in said or "digest" not in said:
            return None
        assert self._became_message is not None, "whoever holds messages says what became of one"
        return await self._became_message(actor, said)

    async def _lasts(self, actor: Actor, said: Mapping[str, Any]) -> str | None:
        """The same of what is not looked at again: a message that waits for its day is."""
        if "act" in said or "digest" not in said:
            return None
        assert self._lasts_message is not None, "whoever holds messages says what became of one"
        return await self._lasts_message(actor, said)

    async def _over(self, hold: Approval) -> str:
        """Why nobody need decide it: its message was booked meanwhile, as of an earlier version."""
        went_on = await self._lasts(Actor(party_id(hold.party), Role.PARTY), hold.asked.said)
        return WENT_ON if went_on == "approved" else ""

    async def _refused(self, actor: Actor, said: Mapping[str, Any]) -> object:
        """A message is refused for good; an act is by its approval."""
        if "act" in said or "digest" not in said:
            return None
        assert self._refused_message is not None, "whoever holds messages says how one is refused"
        return await self._refused_message(actor, said)

    async def _alerts(
        self,
        names: Collection[str],
        parties: Collection[str] = (),
        nodes: Collection[str] = (),
    ) -> tuple[str, list[tuple[str, Hit]]]:
        """Why nothing can be screened, if so; and each name with what it is like.

        By the lists as they stand when all was looked at: one that came meanwhile is asked too.
        """
        if parties or nodes:
            names = {*names} | await self._party_names.of(parties, nodes=nodes)
        asked = {*map(str.strip, names)} - {""}
        try:
            lists = await self._screening.fresh()
            for _ in range(_TRIES):
                found = await self._looked(lists, asked)
                now = await self._screening.fresh()
                if _of(now) == _of(lists):
                    return (
                        "name_too_long" if max(map(len, asked), default=0) > _LONG else ""
                    ), found
                lists = now
        except (Refused, Unavailable) as error:
            return ("", []) if error.code == "no_lists" else (error.code, [])
        return "lists_changing", found

    async def _reads(self) -> bool:
        """Whether there are lists, all fresh."""
        try:
            return bool((await self._screening.fresh()).versions)
        except (Refused, Unavailable):
            return False

    async def _shown(self, approval: Approval, *, whole: bool) -> Approval:
        del whole
        now = await self._listed_now(approval) if approval.state == "waits" else ""
        return replace(approval, reason="; ".join(filter(None, (approval.reason, now))))

    async def _listed_now(self, hold: Approval) -> str:
        """What the lists of this moment say of who was found when it was held."""
        first = hold.asked.said.get("first") or []
        try:
            lists = await self._screening.as_they_stand()
        except Unavailable:
            return ""
        if self._listed.of != _of(lists):
            names = await asyncio.to_thread(_all_names, lists)
            self._listed = _Listed(_of(lists), names)
        listed = self._listed.names
        if not first or any((one["source"], one["entry"], one["like"]) in listed for one in first):
            return ""
        return _NO_MORE

    async def _looked(self, lists: Lists, asked: set[str]) -> list[tuple[str, Hit]]:
        """Each of these names with what it is like on these lists."""
        clear = self._clear
        if clear.of != _of(lists) or len(clear.names) > KNOWN_MAX:
            # Whoever looks by other lists in this moment goes on with what is theirs.
            clear = self._clear = _Clear(_of(lists))
        new = sorted(name for name in asked - clear.names if len(name) <= _LONG)

        def look() -> list[tuple[str, Hit]]:
            return [(name, hit) for name in new for hit in _alerts_of(lists, name)]

        found = await asyncio.to_thread(look) if new else []
        clear.names |= {*new} - {name for name, _ in found}
        return found


def _of(lists: Lists) -> tuple[str, ...]:
    return tuple(version.digest for version in lists.versions)


def _all_names(lists: Lists) -> frozenset[tuple[str, str, str]]:
    return frozenset(
        (one.list, one.entry, name) for one in lists.index.entries for name in one.names
    )


def again(act: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of a held act that two persons' word carries out, as `Approvals` knows it."""
    return {"act": act, "asked": dict(asked)}


def _alerts_of(lists: Lists, name: str) -> list[Hit]:
    try:
        return [hit for hit in lists.index.screen(name) if hit.alert]
    except MalformedInput:
        return []  # What is no name in any script is on no list.


def _shown(name: str, hit: Hit) -> dict[str, Any]:
    return {
        "name": name,
        "like": hit.name,
        "source": hit.entry.list,
        "entry": hit.entry.entry,
        "score_permille": hit.score_permille,
    }
