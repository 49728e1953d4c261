"""What the use cases of trade ask of the world."""

from __future__ import annotations

from typing import Protocol

from zhidao.trade.domain.clearance.screening import ScreeningList
from zhidao.trade.domain.verdict import Verdict


class InvoiceRules(Protocol):
    """Judges UBL invoices by schema and business rules, off the event loop."""

    async def judge(self, document: bytes) -> Verdict:
        """The verdict; its outcome is `not checked` where no rules are installed.

        Raises MalformedInput for what is no XML, Unavailable if the judge gave no answer.
        """
        ...


class Listings(Protocol):
    """The operator's list of sanctioned names and dual-use codes."""

    async def current(self) -> ScreeningList | None:
        """The list in force, None where the operator gave none. Raises MalformedInput."""
        ...
