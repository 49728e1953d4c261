"""Whose account an address is: parties' accounts once named, custody accounts once opened."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, NotFound, Unavailable
from zhidao.core.events import SignedEvent, every, latest
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.trust.domain.evm import Address, address_text
from zhidao.trust.events import AccountNamed, CustodyOpened
from zhidao.trust.service.chain.ports import Account, Accounts


class TitleNames:
    """Names accounts durably, so that a title's history can be told in parties."""

    def __init__(self, records: Records, accounts: Accounts, chain_id: int) -> None:
        self._records = records
        self._accounts = accounts
        self._chain_id = chain_id
        self._known: dict[str, str] = {}

    def receiver(self, party: PartyId) -> Account:
        """The account of whoever is to get a title; see `Accounts.of_party`.

        Raises NotFound (`no_key`): there is none of that name, which no waiting mends.
        """
        try:
            return self._accounts.of_party(party)
        except Unavailable as error:
            raise NotFound(
                f"no party {party} that can hold a title: no node known here has its account",
                code=error.code,
                remedy="name a party as zhidao party list shows it",
            ) from error

    async def account_of(self, party: PartyId) -> Account:
        """The party's account, named for later. Raises Unavailable without its key."""
        account = self._accounts.of_party(party)
        address = address_text(account.address)
        if self._accounts.remote(account.address):
            # Its own node names it; here a trust list does.
            return account
        if not await self.party_of(account.address):
            fact = AccountNamed(account=address, party=party, chain_id=self._chain_id)
            # The party itself says so (by its custodian), since it answers for the account.
            actor = Actor(party, Role.PARTY)
            # If somebody names it in the same moment, there is only one name to give.
            with contextlib.suppress(Conflict):
                await self._records.record(
                    actor, f"account/{address}", [fact], after=0, owner=party
                )
            self._known[address] = party
        return account

    async def name_all(self, parties: Iterable[PartyId]) -> None:
        """Names the accounts of all parties whose keys are here; the others stay unnamed."""
        for party in parties:
            try:
                await self.account_of(party)
            except Unavailable as error:
                if error.code != "no_key":
                    raise

    async def party_of(self, address: Address) -> str:
        """The party behind an address, or `` if nobody named it."""
        text = address_text(address)
        if text not in self._known:
            named = latest(await self._records.history(f"account/{text}"), AccountNamed)
            if named is None:
                return self._accounts.remote(address)
            self._known[text] = named.party
        return self._known[text]

    async def holder_name(self, address: Address, history: tuple[SignedEvent, ...]) -> str:
        """The party behind an address in a title's history; custody is kept by the node."""
        if deal_of(address_text(address), history):
            return self._records.node
        return await self.party_of(address)


def deal_of(account: str, history: tuple[SignedEvent, ...]) -> str:
    """The deal for which an account holds the title of this history, or ``."""
    for opened in every(history, CustodyOpened):
        if opened.account == account:
            return opened.deal
    return ""
