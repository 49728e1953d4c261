"""Whoever is on a list is not paid: names of a message or an act wait for two persons of the bank.

A hit holds, and opens an approval of the bank, in the one queue of what waits for two persons;
released, the act goes on, refused, it is refused. A list that is too old holds everything, and so
does one that cannot be read. Where no list is installed nothing is screened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.ids import party_id
from zhidao.core.money import Money
from zhidao.finance.domain.screening.screening import Hit
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.screening import Screening

RELEASE: Final = "release"
HITS_SHOWN_MAX: Final = 20
"""So many hits are shown to those who release; the number is of all."""
KNOWN_MAX: Final = 100_000
"""Names that were found clear by the lists of this moment; more are screened again."""


class NameHolds:
    """Holds what names somebody on a list."""

    def __init__(self, screening: Screening, approvals: Approvals) -> None:
        self._screening = screening
        self._approvals = approvals
        self._clear: set[str] = set()
        self._of: tuple[str, ...] = ()

    async def demand(
        self,
        bank: str,
        *,
        subject: str,
        amount: Money,
        names: Collection[str],
        said: Mapping[str, Any],
    ) -> None:
        """Returns if nobody named is on a list, or two persons of the bank released it.

        Raises Refused: `needs_two_persons` while it waits, `refused_by_person`.
        """
        why, hits = await self._alerts(names)
        if not why and not hits:
            return
        await self._approvals.demand(
            Actor(party_id(bank), Role.PARTY),
            act=RELEASE,
            subject=subject,
            amount=amount,
            said={
                **said,
                "why": why or "somebody named is like somebody on a list",
                "hits": len(hits),
                "first": [_shown(name, hit) for name, hit in hits[:HITS_SHOWN_MAX]],
            },
            always=True,
        )

    async def _alerts(self, names: Collection[str]) -> tuple[str, list[tuple[str, Hit]]]:
        """Why nothing can be screened, if so; and each name with what it is like."""
        try:
            lists = await self._screening.fresh()
        except (Refused, Unavailable) as error:
            return ("", []) if error.code == "no_lists" else (error.code, [])
        current = tuple(version.digest for version in lists.versions)
        if current != self._of or len(self._clear) > KNOWN_MAX:
            self._clear, self._of = set(), current
        asked = sorted({one.strip() for one in names if one.strip()} - self._clear)

        def look() -> list[tuple[str, Hit]]:
            found: list[tuple[str, Hit]] = []
            for name in asked:
                try:
                    hits = [hit for hit in lists.index.screen(name) if hit.alert]
                except MalformedInput:
                    continue  # What is no name in any script is on no list.
                found += [(name, hit) for hit in hits]
            return found

        found = await asyncio.to_thread(look) if asked else []
        self._clear |= {*asked} - {name for name, _ in found}
        return "", found


def _shown(name: str, hit: Hit) -> dict[str, Any]:
    return {
        "name": name,
        "like": hit.name,
        "source": hit.entry.list,
        "entry": hit.entry.entry,
        "score_permille": hit.score_permille,
    }
