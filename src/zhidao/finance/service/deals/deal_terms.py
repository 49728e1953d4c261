"""What a deal may promise: nothing that could not be kept, asked before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypedDict

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc
from zhidao.finance.domain.deals.deal import Deal, check_conditions
from zhidao.finance.domain.ledger.ledger import Result
from zhidao.finance.domain.payments.payment import MESSAGE_AMOUNT_MAX
from zhidao.finance.events import DealOpened
from zhidao.finance.service.deals.settlement import Settlement
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.positioning.commands import Arrivals
from zhidao.positioning.events import Carried, Site
from zhidao.trade.commands import Consignments
from zhidao.trade.events import ConsignmentEntered
from zhidao.trust.commands import Titles

# Marks that a terminal without a key can never bring.
_SIGNED: Final = frozenset(("signed_by_terminal", "bound_to_goods"))


class DealTerms:
    """Holds a deal's terms against accounts, consignment, title, arrival and messages."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        settlement: Settlement,
        titles: Titles,
        arrivals: Arrivals,
        consignments: Consignments,
        node: PartyId,
    ) -> None:
        self._accounts = accounts
        self._settlement = settlement
        self._titles = titles
        self._arrivals = arrivals
        self._consignments = consignments
        self._node = Actor(node, Role.NODE)

    async def check(self, actor: Actor, opened: DealOpened) -> None:
        """Refuses a deal that could not be kept, before anything is written."""
        Currency(opened.currency)
        check_conditions(opened.conditions, title=opened.title)
        if not 0 < opened.amount_minor <= MESSAGE_AMOUNT_MAX:
            raise Refused(
                f"the amount is not 1 to {MESSAGE_AMOUNT_MAX} minor units",
                code="amount_not_positive",
            )
        if opened.payer == opened.payee:
            raise Refused("payer and payee are the same party", code="same_party")
        await self._accounts.bank(opened.payee_bank)
        payer = await self._accounts.customer(opened.payer_bank, opened.payer, opened.currency)
        await self._accounts.customer(opened.payee_bank, opened.payee, opened.currency)
        seen = await self._consignments.consignment(self._node, opened.consignment)
        parties = (seen.entered.importer, seen.entered.exporter)
        if parties != (opened.payer, opened.payee):
            raise Refused(
                f"consignment {opened.consignment} is between {parties[1]} and {parties[0]}",
                code="other_parties",
            )
        if opened.title:
            title = await self._titles.title(opened.title)
            if title.consignment != opened.consignment:
                raise Refused("the title is of another consignment", code="other_consignment")
        check_invoiced(seen.entered, opened)
        check_carried(seen.entered, terminal=opened.terminal, carried=opened.carried)
        await self._check_terminals(actor, opened)
        await self._arrivals.rehearse(**arrival_asked(opened))
        await self._settlement.rehearse(opened)
        available = await self._accounts.available(payer)
        if available < opened.amount_minor:
            raise Refused(
                f"{opened.payer} has {available} minor units of {opened.currency} free, "
                f"{opened.amount_minor} are needed",
                code=Result.EXCEEDS_CREDITS.value,
                remedy="deposit the rest first",
            )
        await self._settlement.check_line(opened)

    async def _check_terminals(self, actor: Actor, opened: DealOpened) -> None:
        """Else money and title were kept to the last day for what can prove nothing."""
        named = [each.terminal for each in opened.carried] or [opened.terminal]
        signed = not _SIGNED.isdisjoint(opened.conditions.marks)
        await self._arrivals.check_terminals(
            actor, consignment=opened.consignment, terminals=named, signed=signed
        )

    async def arrival_readers(self, deal: Deal) -> tuple[PartyId, ...]:
        """Who may see the arrival that a deal waits for.

        Those of the deal, and customs where it waits for their release: who is to let goods go must
        see whether they came. Nothing in it is about money.
        """
        customs: set[PartyId] = set()
        if "customs_released" in deal.needs:
            seen = await self._consignments.consignment(self._node, deal.opened.consignment)
            customs = {PartyId(seen.entered.customs)}
        return tuple(sorted({*deal.readers, *customs} - {deal.owner}))


class ArrivalAsked(TypedDict):
    """What positioning is asked for, by its own names."""

    consignment: str
    terminal: str
    site: Site
    not_before: Utc
    not_after: Utc
    risk_ppb: int
    carried: tuple[Carried, ...]


def check_invoiced(entered: ConsignmentEntered, opened: DealOpened) -> None:
    """Refuses to pay for a part of several invoices: no proof could say which of them are paid.

    Raises Refused (`other_currency`, `amount_differs`, which says by how much).
    """
    if not entered.invoices:
        return
    count, currency = len(entered.invoices), Currency(entered.currency)
    if opened.currency != currency.code:
        raise Refused(
            f"the {count} invoices of {entered.consignment} are in {currency}, the deal is in "
            f"{opened.currency}",
            code="other_currency",
            where="$.currency",
            remedy="open the deal in the currency of the invoices",
        )
    gap = opened.amount_minor - entered.amount_minor
    if gap:
        asked, differs = Money(entered.amount_minor, currency), Money(abs(gap), currency)
        raise Refused(
            f"the {count} invoices of {entered.consignment} add up to {asked}: the deal is "
            f"{differs} {'over' if gap > 0 else 'under'} it",
            code="amount_differs",
            where="$.amount_minor",
            remedy="open the deal over the sum of the invoices",
        )


def check_carried(
    entered: ConsignmentEntered, *, terminal: str, carried: Sequence[Carried]
) -> None:
    """Refuses to wait for a consignment but for every container of it, each once.

    Raises Refused (`containers_missing`, `other_container`, `terminal_twice`).
    """
    theirs, named = entered.containers, [each.container for each in carried]
    missing = ", ".join(each for each in theirs if each not in named)
    if missing or (theirs and terminal):
        raise Refused(
            f"consignment {entered.consignment} has {len(theirs)} containers; no terminal is named"
            f" for {missing or 'each of them'}",
            code="containers_missing",
            where="$.carried",
            remedy="name each container with the terminal that the carrier sealed into it",
        )
    _check_known(entered, named)
    _check_once(named, [each.terminal for each in carried])


def _check_known(entered: ConsignmentEntered, named: Sequence[str]) -> None:
    foreign = ", ".join(each for each in named if each not in entered.containers)
    if foreign:
        raise Refused(
            f"{foreign} is none of several containers of {entered.consignment}",
            code="other_container",
            where="$.carried",
            remedy="name the containers of the entry; for a single one give its terminal alone",
        )


def _check_once(containers: Sequence[str], terminals: Sequence[str]) -> None:
    if len({*containers}) < len(containers) or len({*terminals}) < len(terminals):
        raise Refused(
            "each container stands once, with a terminal of its own",
            code="terminal_twice",
            where="$.carried",
            remedy="name each container once, with the terminal that is sealed into it",
        )


def arrival_asked(opened: DealOpened) -> ArrivalAsked:
    """What the deal asks of positioning."""
    return ArrivalAsked(
        consignment=opened.consignment,
        terminal=opened.terminal,
        site=opened.conditions.site,
        not_before=Utc.parse(opened.conditions.not_before),
        not_after=Utc.parse(opened.conditions.not_after),
        risk_ppb=opened.conditions.risk_ppb,
        carried=tuple(opened.carried),
    )
