"""What the use cases of trade ask of the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
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


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry that somebody has begun: texts by the fields' paths, as they were typed."""

    name: str
    fields: Mapping[str, str]
    saved_at: Utc


class LodgedNumbers(Protocol):
    """The numbers of all declarations that were lodged here."""

    async def same_as(self, number: str) -> tuple[str, ...]:
        """Those that are the same number, however they are written (numbers.number_key)."""
        ...


class Drafts(Protocol):
    """A party's own drafts."""

    async def put(self, owner: PartyId, draft: Draft) -> None:
        """Keeps a draft in the place of the one that had its name."""
        ...

    async def get(self, owner: PartyId, name: str) -> Draft:
        """A draft. Raises NotFound."""
        ...

    async def remove(self, owner: PartyId, name: str) -> None:
        """Drops a draft; one that is not there is no error."""
        ...

    async def listed(self, owner: PartyId) -> list[Draft]:
        """The owner's drafts without their fields, at most 100, the newest first."""
        ...
