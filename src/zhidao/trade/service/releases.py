"""One act of customs, from either side: goods let go on their road, and their declaration decided.

Whoever lets goods go decides their declaration with it; whoever releases a declaration lets its
goods go with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.errors import Refused
from zhidao.trade.domain.clearance.declaration import Declaration, Status
from zhidao.trade.domain.model.numbers import number_key, number_keys, same_number
from zhidao.trade.events import Consignment, CustomsReleased
from zhidao.trade.service.clearance import Clearance
from zhidao.trade.service.consignments import MAY_RELEASE, ConsignmentService
from zhidao.trade.service.customs_rule import others_of

_AGAINST = (Status.REFUSED, Status.CANCELLED)


_PAGE: Final = 100


class Releases:
    """Releases of goods that hold to what was decided about their declaration."""

    def __init__(self, consignments: ConsignmentService, clearance: Clearance) -> None:
        self._consignments = consignments
        self._clearance = clearance

    async def release(
        self, actor: Actor, consignment: str, *, declaration: str, decision: str, reason: str = ""
    ) -> CustomsReleased:
        """Lets the goods go under a declaration; the same again changes nothing.

        A declaration that was lodged with this customs here and waits, its number written in
        whatever case, is released first, by the rules of clearance; then the road. Dying in
        between loses nothing: repeat the call.

        Raises what `ConsignmentService.release` and `Clearance.decide` raise, Refused for a
        declaration that was refused or taken back (`declaration_ended`), or that was lodged here
        by another party or about another invoice or bill than the consignment's (`other_goods`).
        """
        MAY_RELEASE.admit(actor)
        state = await self._consignments.consignment(actor, consignment)
        MAY_RELEASE.check(actor, state.entered)
        # Before the declaration is decided: nothing is half done.
        await self._consignments.check_customs(state)
        lodged = await self._clearance.numbered(actor, declaration)
        if lodged is not None:
            declaration = lodged.submitted.declaration
        if lodged is not None and lodged.status in _AGAINST:
            raise Refused(
                f"declaration {declaration} was {lodged.status.value}; its goods are not let go",
                code="declaration_ended",
                where="$.declaration",
                remedy="release under a declaration that was lodged anew",
            )
        if lodged is not None:
            await self._refuse_other_goods(state, lodged)
        if lodged is not None and lodged.status is not Status.RELEASED and decision == "released":
            await self._clearance.decide(
                actor,
                declaration,
                version=lodged.submitted.version,
                decision="released",
                reason=reason,
            )
        return await self._consignments.release(
            actor, consignment, declaration=declaration, decision=decision
        )

    async def _refuse_other_goods(self, seen: Consignment, lodged: Declaration) -> None:
        """Refuses a declaration that speaks of other goods than a consignment's."""
        named, submitted = await self._clearance.named(lodged), lodged.submitted
        told = _told(seen, named)
        wrong = [
            f"its {kind.replace('_', ' ')} is {number[:40]}, not {' or '.join(sorted(told[kind]))}"
            for kind, number in named.items()
            if kind in told and number_key(number) not in number_keys(told[kind])
        ]
        if "invoice" not in told:
            wrong.append("they have no invoice in common")
        if submitted.declarant not in _declarants(seen):
            wrong.append(f"{submitted.declarant}, who lodged it, is none of the consignment's")
        if wrong:
            raise Refused(
                f"declaration {submitted.declaration} is about other goods: {'; '.join(wrong)}",
                code="other_goods",
                where="$.declaration",
                remedy="name the declaration of this consignment's invoice and bill",
            )

    async def decide(
        self, actor: Actor, declaration: str, *, version: int, decision: str, reason: str = ""
    ) -> tuple[Declaration, list[str]]:
        """Decides a declaration; a release lets its goods go on their roads, which are named.

        Dying in between loses nothing: repeat the call. Raises what `Clearance.decide` raises.
        """
        decided = await self._clearance.decide(
            actor, declaration, version=version, decision=decision, reason=reason
        )
        roads = await self._roads(actor, decided) if decided.status is Status.RELEASED else []
        for road in roads:
            await self._consignments.release(
                actor, road, declaration=declaration, decision="released"
            )
        return decided, roads

    async def _roads(self, actor: Actor, decided: Declaration) -> list[str]:
        """Consignments of this customs post whose goods were declared so."""
        named = await self._clearance.named(decided)
        found: list[str] = []
        after = ""
        while True:
            page = await self._consignments.consignments(actor, limit=_PAGE, after=after)
            found += [
                each.entered.consignment
                for each in page
                if _waits(each, decided, named, actor.party)
            ]
            if len(page) < _PAGE:
                return found
            after = page[-1].entered.consignment


def _waits(seen: Consignment, decided: Declaration, named: Mapping[str, str], customs: str) -> bool:
    """Whether this customs post lets these goods go by that declaration.

    A declaration names the invoice of its goods, and the bill of lading: both must be the
    consignment's, and whoever lodged it a party of it.
    """
    submitted, entered = decided.submitted, seen.entered
    # A declaration names one invoice: goods on several are not let go by that of one of them.
    numbers = _told(seen, named)
    same = named.get("invoice") and all(
        number_keys(told) == {number_key(named[kind])} for kind, told in numbers.items()
    )
    under = seen.customs.declaration if seen.customs else submitted.declaration
    return bool(
        same
        and "invoice" in numbers
        and entered.customs == customs
        and customs not in others_of(entered).values()
        and submitted.declarant in _declarants(seen)
        and same_number(under, submitted.declaration)
    )


def _told(seen: Consignment, named: Mapping[str, str]) -> dict[str, set[str]]:
    """The numbers of a consignment's documents of the kinds that a declaration names."""
    numbers: dict[str, set[str]] = {}
    for each in seen.documents:
        if each.kind in named:
            numbers.setdefault(each.kind, set()).add(each.number)
    return numbers


def _declarants(seen: Consignment) -> tuple[str, ...]:
    return seen.entered.exporter, seen.entered.importer, seen.entered.carrier
