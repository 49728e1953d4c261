"""Whose move it is with a title: what a party may do with it now, before it signs anything.

The state says who could act; whether what came last can be given back, the contract is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from zhidao.core.actor import Actor
from zhidao.core.errors import NotFound, Refused, Unavailable
from zhidao.core.events import SignedEvent, every
from zhidao.core.journal import Records
from zhidao.trust.domain.evm import ZERO_ADDRESS, Address, address_text
from zhidao.trust.domain.title_state import TitleState
from zhidao.trust.events import MediumChanged
from zhidao.trust.service.chain.ports import Account, Accounts, Executor
from zhidao.trust.service.chain.title_names import TitleNames, deal_of
from zhidao.trust.service.chain.title_records import TitleRecords, aggregate_of_title
from zhidao.trust.service.titles.acts import ACTS
from zhidao.trust.service.titles.paper_originals import TO_PAPER
from zhidao.trust.service.titles.writing import TitleWriting
from zhidao.trust.wire.evm import title_contract as contract

HELD: Final = "held"
DIVIDED: Final = "divided"
IN_CUSTODY: Final = "in_custody"
RETURNED: Final = "returned"
ENDED: Final = "ended"


class PossibleActs(msgspec.Struct, frozen=True, kw_only=True):
    """What may be done with a title now.

    `state`: held (one party is both), divided, in_custody, returned (to its issuer) or ended.
    `seen`: its transactions so far, which the next act names. `acts`: those that the asking party
    may do. `key_here`: whether this node signs for that party; otherwise it signs itself and sends
    the transaction. `movers`: the parties whose move it is. Parties are `` where unknown.
    """

    title: str
    state: str
    seen: int
    acts: list[str]
    key_here: bool
    movers: list[str]
    holder: str
    beneficiary: str
    nominee: str
    issuer: str
    custody: str


class TitleActs:
    """Tells what may be done."""

    def __init__(
        self,
        *,
        records: Records,
        told: TitleRecords,
        writing: TitleWriting,
        names: TitleNames,
        accounts: Accounts,
        executor: Executor,
        registry: contract.Registry,
    ) -> None:
        self._records = records
        self._told = told
        self._writing = writing
        self._names = names
        self._accounts = accounts
        self._executor = executor
        self._registry = registry

    async def acts(self, actor: Actor, title: str) -> PossibleActs:
        """The acts of the actor's party and whose move it is. Raises NotFound for a stranger."""
        history = await self._records.history(aggregate_of_title(title), actor)
        moves = await self._executor.moves(bytes.fromhex(title))
        if not moves:
            raise NotFound("no title of that name", remedy="look at the titles that you may see")
        state = moves[-1].state_of(bytes.fromhex(title))
        whole = await self._records.history(aggregate_of_title(title))
        who = {
            name: await self._party(address, whole)
            for name, address in (
                ("holder", state.holder),
                ("beneficiary", state.beneficiary),
                ("nominee", state.nominee),
            )
        }
        custody = deal_of(address_text(state.holder), whole)
        standing = IN_CUSTODY if custody else _standing(state)
        issuer = str(history[0].owner)
        account, key_here = self._account(actor)
        acts: list[str] = []
        if standing == RETURNED:
            acts = await self._of_issuer(title, mine=actor.party == issuer)
        elif account is not None and standing in (HELD, DIVIDED):
            acts = list(_by_state(state, account.address))
            if key_here:
                acts += [
                    act
                    for act in _givings_back(state, account.address)
                    if await self._may(act, title, account)
                ]
        return PossibleActs(
            title=title,
            state=standing,
            seen=len(moves),
            acts=acts,
            key_here=key_here,
            movers=_movers(standing, who, issuer),
            issuer=issuer,
            custody=custody,
            **who,
        )

    async def _party(self, address: Address, history: tuple[SignedEvent, ...]) -> str:
        if address == ZERO_ADDRESS:
            return ""
        return await self._names.holder_name(address, history)

    def _account(self, actor: Actor) -> tuple[Account | None, bool]:
        """The party's account, if it is known, and whether its key is here."""
        try:
            account = self._accounts.of_party(actor.party)
        except Unavailable:
            return None, False
        return account, not self._accounts.remote(account.address)

    async def _of_issuer(self, title: str, *, mine: bool) -> list[str]:
        if not mine:
            return []
        facts = every(await self._records.history(f"medium/{title}"), MediumChanged)
        dead = any((fact.change, fact.title) == (TO_PAPER, title) for fact in facts)
        return ["burn"] if dead else ["restore", "burn"]

    async def _may(self, act: str, title: str, account: Account) -> bool:
        """Whether the contract would take it now."""
        token = bytes.fromhex(title)
        data = contract.act_call(ACTS[act][0], token, ZERO_ADDRESS, b"")
        try:
            await self._writing.try_out(account, to=self._registry.escrow(token), data=data)
        except Refused:
            return False
        return True


def _standing(state: TitleState) -> str:
    if not state.active:
        return ENDED
    if state.surrendered:
        return RETURNED
    return HELD if state.sole_owner is not None else DIVIDED


def _by_state(state: TitleState, own: Address) -> Iterator[str]:
    """What holder and beneficiary may do whatever came before."""
    if state.sole_owner == own:
        yield from ("transfer", "transfer_holder", "nominate", "endorse", "return")
    elif state.holder == own:
        yield "transfer_holder"
        if state.nominee != ZERO_ADDRESS:
            yield "endorse"
            if state.nominee != own:
                yield "transfer"
    elif state.beneficiary == own:
        yield "nominate"


def _givings_back(state: TitleState, own: Address) -> Iterator[str]:
    """What could give back what came last."""
    if state.sole_owner == own:
        yield "reject"
    elif state.holder == own:
        yield "reject_holder"
    elif state.beneficiary == own:
        yield "reject_beneficiary"


def _movers(standing: str, who: dict[str, str], issuer: str) -> list[str]:
    if standing == RETURNED:
        return [issuer]
    if standing in (HELD, DIVIDED):
        return sorted({party for party in (who["holder"], who["beneficiary"]) if party})
    return []
