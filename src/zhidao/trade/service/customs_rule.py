"""Who may be customs: one rule, asked wherever customs is named and whenever it acts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId, party_id
from zhidao.trade.events import ConsignmentEntered

MustBeCustoms = Callable[[PartyId], Awaitable[None]]


async def anybody(*parties: PartyId) -> None:
    """Lets any party be named."""
    del parties


class CustomsRule:
    """Whoever lets goods go has customs' role in trade, and no other part in these goods."""

    def __init__(self, must_be_customs: MustBeCustoms = anybody) -> None:
        """`must_be_customs` raises Refused (`not_customs`) for a party of any other role."""
        self._must_be_customs = must_be_customs

    async def check(self, customs: str, others: Mapping[str, str], *, where: str = "") -> None:
        """Raises Refused (`not_customs`).

        `others`: who else has a part in the goods, by what it is: whoever is paid for them, pays
        for them or carries them does not let them go. `where`: of the party in what was sent.
        """
        part = next((part for part, party in others.items() if party == customs), "")
        if part:
            raise Refused(
                f"{customs} is the {part.replace('_', ' ')} of these goods, and lets none of them"
                " go",
                code="not_customs",
                where=where,
                remedy="name a customs party that has no other part in them",
            )
        await self._must_be_customs(party_id(customs))


def others_of(entered: ConsignmentEntered) -> dict[str, str]:
    """Who has a part in a consignment besides customs, by what it is."""
    return {
        "exporter": entered.exporter,
        "importer": entered.importer,
        "carrier": entered.carrier,
        "importer_bank": entered.importer_bank,
        "exporter_bank": entered.exporter_bank,
    }
