"""How a credit was opened: who is who under it, and when the banks of each place work."""

from __future__ import annotations

from datetime import date

import msgspec

from zhidao.core.errors import MalformedInput
from zhidao.core.ids import PartyId
from zhidao.finance.domain.credit.calendar import BankingCalendar
from zhidao.finance.domain.credit.credit_terms import Credit
from zhidao.finance.events import CreditOpened
from zhidao.finance.service.credits.lifecycle import CreditRoles
from zhidao.finance.service.ports import Calendars


def read_credit_said(said: object) -> Credit:
    """The terms inside what was put before two persons."""
    assert isinstance(said, dict)
    return msgspec.convert(said["terms"], Credit, strict=True)


def opening_said(said: object) -> CreditOpened:
    """Who is who, inside what was put before two persons."""
    return msgspec.convert(said, CreditOpened, strict=True)


def drawing_said(said: object) -> tuple[str, str]:
    """The credit's key and the drawing, inside what was put before two persons."""
    assert isinstance(said, dict)
    return str(said["credit"]), str(said["drawing"])


def roles_of(opened: CreditOpened) -> CreditRoles:
    """The parties of a credit."""
    return CreditRoles(
        issuer=PartyId(opened.issuer),
        beneficiary=PartyId(opened.beneficiary),
        applicant=PartyId(opened.applicant),
        adviser=PartyId(opened.adviser),
        confirmer=PartyId(opened.confirmer) if opened.confirmer else None,
    )


def parties_of(opened: CreditOpened) -> set[str]:
    """All parties of a credit by their ids."""
    roles = roles_of(opened)
    return {str(party) for party in roles.all}


def named_in(terms: Credit) -> set[str]:
    """Whom a credit's terms name, as it is written there."""
    written = (terms.issuing_bank, terms.confirming_bank, terms.drawee)
    goods = (terms.shipment.consignee, terms.shipment.notify)
    return {terms.applicant.name, terms.beneficiary.name, *written, *goods} - {""}


class BankingDays:
    """The banking days of a credit's places as of a day.

    Asked late: a year that the operator adds counts for credits that were opened before.
    """

    def __init__(self, opened: CreditOpened, calendars: Calendars, today: date) -> None:
        self._opened = opened
        self._calendars = calendars
        self._today = today

    def of(self, bank: str) -> BankingCalendar:
        """Those of a bank's place; of `` and of a bank without its own those of the counter.

        Raises Refused (`calendar_not_known`), MalformedInput for a day that is none.
        """
        opened = self._opened
        name = opened.calendars.get(bank, opened.calendar)
        return self._calendars.calendar(name).around(self._today) if name else _listed(opened)

    def check(self) -> None:
        """Raises unless each calendar is known, and given for a bank of the credit."""
        opened = self._opened
        banks = {opened.issuer, opened.adviser, opened.confirmer} - {""}
        for bank in ("", *opened.calendars):
            if bank and bank not in banks:
                raise MalformedInput(f"{bank[:40]!r} is no bank of the credit", where="calendars")
            self.of(bank)
        if opened.calendar and (opened.rest or opened.holidays or opened.worked):
            raise MalformedInput("name a calendar or list its days, not both", where="calendar")


def _listed(opened: CreditOpened) -> BankingCalendar:
    try:
        days = [
            frozenset(date.fromisoformat(day) for day in listed)
            for listed in (opened.holidays, opened.worked)
        ]
    except ValueError as error:
        raise MalformedInput(f"no such day: {error}", where="calendar") from error
    return BankingCalendar(opened.place, frozenset(opened.rest), days[0], days[1])
