"""The banks of the demonstration: their accounts, lines and the importer's funds."""

from __future__ import annotations

from collections.abc import Mapping

from zhidao.core.errors import Unavailable
from zhidao.simulation import participants
from zhidao.simulation.awaiting import decided_of
from zhidao.simulation.client import Caller
from zhidao.simulation.sides import Sides


class Books:
    """Opens what a deal is paid from and to."""

    def __init__(self, callers: Mapping[str, Caller], sides: Sides, consignment: str) -> None:
        self._callers = callers
        self._sides = sides
        self._consignment = consignment

    async def open(self) -> None:
        """Both banks' accounts, all on the ledger of the importer's side."""
        for bank, name, bic, town, country in participants.BANKS:
            await self._callers[participants.OPERATOR].post(
                "/v1/finance/banks",
                {"bank": bank, "name": name, "bic": bic, "town": town, "country": country},
            )
        for bank, holder, town, country in participants.CUSTOMERS:
            name = next(n for p, n, *_ in participants.PARTIES if p == holder)
            account = {
                "holder": holder,
                "currency": participants.CURRENCY,
                "name": name,
                "town": town,
                "country": country,
            }
            if self._sides.are_two and bank in participants.ON_EXPORTER_SIDE:
                await self._account_by_exchange(bank, account)
            else:
                await self._callers[bank].post("/v1/finance/accounts", account)
        await self._let_owe("exporter-bank", "importer-bank")
        await self._callers["importer-bank"].post(
            "/v1/finance/deposits",
            {
                "deposit": f"funds-{self._consignment}",
                "holder": "importer",
                "amount_minor": participants.FUNDS_MINOR,
                "currency": participants.CURRENCY,
            },
        )

    async def _let_owe(self, bank: str, peer: str) -> None:
        """Deals are paid over what one bank owes the other, as much as that one lets it."""
        line = {
            "peer": peer,
            "currency": participants.CURRENCY,
            "limit_minor": participants.LINE_MINOR,
        }
        if not (self._sides.are_two and bank in participants.ON_EXPORTER_SIDE):
            await self._callers[bank].post("/v1/finance/credit-lines", line)
            return
        asked = await self._callers[bank].post(
            "/v1/federation/credit-lines",
            {"node": self._sides.importer.name, "request": f"line-{self._consignment}", **line},
        )
        decided = await decided_of(self._callers[bank], "accounts", asked["document"])
        if decided["outcome"] != "accepted":
            raise Unavailable(f"no credit line of {bank}: {decided['reason']}")

    async def _account_by_exchange(self, bank: str, account: dict[str, str]) -> None:
        """A bank asks from its own node, and waits for the ledger's decision."""
        asked = await self._callers[bank].post(
            "/v1/federation/accounts", {"node": self._sides.importer.name, **account}
        )
        decided = await decided_of(self._callers[bank], "accounts", asked["document"])
        if decided["outcome"] != "accepted":
            raise Unavailable(f"no account for {bank}: {decided['reason']}")
