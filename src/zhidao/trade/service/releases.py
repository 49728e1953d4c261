"""One act of customs, from either side: goods let go on their road, and their declaration decided.

Whoever lets goods go decides their declaration with it; whoever releases a declaration lets its
goods go with it. Either way one question is asked of a declaration that was lodged here: is it
this consignment's? It lets go one consignment.
"""

from __future__ import annotations

from typing import Final, NoReturn

from zhidao.core.actor import Actor
from zhidao.core.errors import Refused
from zhidao.trade.domain.clearance.about import differences
from zhidao.trade.domain.clearance.declaration import Declaration, Status
from zhidao.trade.domain.model.consignment import CanonicalConsignment
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

        A declaration that was lodged with this customs here and waits is released first, by the
        rules of clearance; then the road. Dying in between loses nothing: repeat the call.

        Raises what `ConsignmentService.release` and `Clearance.decide` raise, Refused for a
        declaration that was refused or taken back (`declaration_ended`), or that was lodged here
        with another customs, by no party of the consignment, or about other parties, invoices,
        another bill or other goods, or that let other goods go (`other_goods`).
        """
        MAY_RELEASE.admit(actor)
        state = await self._consignments.consignment(actor, consignment)
        MAY_RELEASE.check(actor, state.entered)
        # Before the declaration is decided: nothing is half done.
        await self._consignments.check_customs(state)
        # Where the goods went under it, the declaration was decided before.
        went = _went(state, declaration)
        lodged = None if went else await self._clearance.lodged(declaration)
        if lodged is not None:
            declaration = lodged.submitted.declaration
            await self._refuse_other_goods(actor, state, lodged)
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

    async def _refuse_other_goods(
        self, actor: Actor, seen: Consignment, lodged: Declaration
    ) -> None:
        """Refuses a declaration that is not this consignment's, or that ended."""
        submitted = lodged.submitted
        if submitted.customs != actor.party:
            # What another customs knows of it is not told.
            _refuse(submitted.declaration, ["it was lodged with another customs than yours"])
        if lodged.status in _AGAINST:
            raise Refused(
                f"declaration {submitted.declaration} was {lodged.status.value};"
                " its goods are not let go",
                code="declaration_ended",
                where="$.declaration",
                remedy="release under a declaration that was lodged anew",
            )
        wrong = await self._differences(seen, lodged, await self._clearance.said(lodged))
        if not wrong:
            others = await self._under(actor, lodged)
            wrong = [
                f"it let {each.entered.consignment} go already"
                for each in others
                if _went(each, submitted.declaration)
            ]
        if wrong:
            _refuse(submitted.declaration, wrong)

    async def _differences(
        self, seen: Consignment, lodged: Declaration, said: CanonicalConsignment
    ) -> list[str]:
        """Why a declaration is not this consignment's; none if it is."""
        submitted, entered = lodged.submitted, seen.entered
        wrong = differences(
            said,
            await self._consignments.opened_with(seen),
            invoices=_numbers(seen, "invoice"),
            bills=_numbers(seen, "bill_of_lading"),
        )
        if entered.customs != submitted.customs:
            wrong.append("it was lodged with another customs")
        if submitted.customs in others_of(entered).values():
            wrong.append(f"{submitted.customs} has a part in these goods")
        if submitted.declarant not in (entered.exporter, entered.importer, entered.carrier):
            wrong.append(f"{submitted.declarant}, who lodged it, is none of the consignment's")
        return wrong

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
        """The consignment of this customs post whose goods were declared so.

        None where several could be meant: which of them it is, a person says by releasing it.
        """
        said = await self._clearance.said(decided)
        under = await self._under(actor, decided)
        own = [each for each in under if not await self._differences(each, decided, said)]
        went = [each for each in under if _went(each, decided.submitted.declaration)]
        let_go = [each for each in own if each in went] if went else own
        return [each.entered.consignment for each in let_go] if len(let_go) == 1 else []

    async def _under(self, actor: Actor, lodged: Declaration) -> list[Consignment]:
        """What this customs let go under a declaration, and what waits with its invoice."""
        number = lodged.submitted.declaration
        invoice = (await self._clearance.said(lodged)).get("invoiceDocument.id")
        found: list[Consignment] = []
        after = ""
        while True:
            page = await self._consignments.consignments(actor, limit=_PAGE, after=after)
            found += [
                each
                for each in page
                if each.entered.customs == actor.party
                and (
                    _went(each, number)
                    or (
                        each.customs is None
                        and number_key(invoice) in number_keys(_numbers(each, "invoice"))
                    )
                )
            ]
            if len(page) < _PAGE:
                return found
            after = page[-1].entered.consignment


def _went(seen: Consignment, declaration: str) -> bool:
    """Whether a consignment's goods were let go under a declaration."""
    return seen.customs is not None and same_number(seen.customs.declaration, declaration)


def _numbers(seen: Consignment, kind: str) -> list[str]:
    """The numbers of a consignment's papers of a kind."""
    return [each.number for each in seen.documents if each.kind == kind]


def _refuse(declaration: str, wrong: list[str]) -> NoReturn:
    raise Refused(
        f"declaration {declaration} is about other goods: {'; '.join(wrong)}",
        code="other_goods",
        where="$.declaration",
        remedy="name the declaration of this consignment: its parties, invoice, bill and goods",
    )
