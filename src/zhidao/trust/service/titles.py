"""Bills of lading as singular titles: asked for, logged, executed, told.

A transaction is first a fact in the journal, then a leaf of the log, then executed; the caller
waits for that. Everything can be repeated after a crash at any line: what is written is found
again, and only what is missing is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import check_digest
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused
from zhidao.core.events import SignedEvent, every, latest
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Handled, Records
from zhidao.trust.domain.chain_rules import Admission
from zhidao.trust.domain.evm import Address, address_text
from zhidao.trust.domain.title_state import TitleState
from zhidao.trust.events import CustodyOpened, Title, TitleAsked, TitleMoved
from zhidao.trust.service.chain_executor import ChainExecutor
from zhidao.trust.service.chain_log import ChainLog, Submission
from zhidao.trust.service.title_names import TitleNames, deal_of
from zhidao.trust.service.title_ports import Account, Accounts, TitleContracts
from zhidao.trust.service.title_receipt import Receipt
from zhidao.trust.wire.title_contract import (
    GRANT_ROLE,
    Registry,
    call_of,
    grant_minting_call,
    mint_call,
    registry_code,
    transfer_call,
)
from zhidao.trust.wire.transaction import Draft, decode, sign

CONSUMER: Final = "trust-titles"
_T = TypeVar("_T")
# Twice what the dearest call (mint, 292,000 gas) and deployment (factory, 4.3 million) take.
_CALL_GAS: Final = 600_000
_DEPLOY_GAS: Final = 9_000_000
_ATTEMPTS_MAX: Final = 5


async def everybody(party: PartyId) -> bool:
    """Lets every party mint."""
    del party
    return True


class TitleService:
    """Implements `commands.Titles`, and handles the chain's logged transactions."""

    def __init__(
        self,
        *,
        records: Records,
        accounts: Accounts,
        contracts: Callable[[], TitleContracts],
        chain_log: ChainLog,
        executor: ChainExecutor,
        chain_id: int,
        may_mint: Callable[[PartyId], Awaitable[bool]] = everybody,
        patience_s: float = 15.0,
    ) -> None:
        """`contracts` is called once a minter is new; `patience_s` bounds each wait."""
        self._records = records
        self._accounts = accounts
        self._contracts = contracts
        self._log = chain_log
        self._executor = executor
        self._chain_id = chain_id
        self._may_mint = may_mint
        self._patience_s = patience_s
        self._node = Actor(PartyId(records.node), Role.NODE)
        self._names = TitleNames(records, accounts, chain_id)
        self._registry = Registry.of(accounts.registrar().address)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def mint(
        self, actor: Actor, *, document: str, consignment: str, holder: str, readers: Sequence[str]
    ) -> Title:
        """Mints the title of a document (its SHA-256) to a party; again: the same title.

        Raises Conflict if the document has a title with other particulars.
        """
        actor.require(Role.PARTY)
        if not await self._may_mint(actor.party):
            raise Forbidden(f"{actor.party} is no carrier; only carriers mint titles here")
        receiver = party_id(holder)
        asked = TitleAsked(
            title=check_digest(document),
            consignment=consignment,
            holder=receiver,
            readers=sorted({party_id(reader) for reader in readers}),
        )
        # Both keys must be here before anything is written.
        self._accounts.of_party(receiver)
        self._accounts.of_party(actor.party)
        async with self._alone(document):
            await self._ask(actor, asked)
            await self._settled(document)
            if not await self._executor.moves(bytes.fromhex(document)):
                owner = await self._names.account_of(receiver)
                minter = await self._names.account_of(actor.party)
                # Whoever may read the title may come to hold it.
                await self._names.name_all(PartyId(reader) for reader in asked.readers)
                await self._open_registry(minter)
                await self._submit(
                    actor,
                    minter,
                    to=self._registry.token,
                    data=mint_call(bytes.fromhex(document), owner.address),
                    purpose="mint",
                    title=document,
                )
            return await self.title(document)

    async def title(self, title: str) -> Title:
        """The title as it stands. Raises NotFound if there is none."""
        history = await self._records.history(_aggregate(title))
        asked, moved = latest(history, TitleAsked), latest(history, TitleMoved)
        if asked is None or moved is None:
            raise NotFound("no title of that name")
        moves = every(history, TitleMoved)
        return Title(
            title=title,
            registry=moved.registry,
            chain_id=moved.chain_id,
            consignment=asked.consignment,
            holder=moved.holder,
            beneficiary=moved.beneficiary,
            holder_party=moved.holder_party,
            beneficiary_party=moved.beneficiary_party,
            custody=deal_of(moved.holder, history),
            active=moved.action != "burn",
            transactions=[move.transaction for move in moves],
        )

    async def title_for(self, actor: Actor, title: str) -> Title:
        """The same for somebody who may see it. Raises NotFound for everyone else."""
        await self._records.history(_aggregate(title), actor)
        return await self.title(title)

    async def titles_for(
        self, actor: Actor, *, limit: int, after: str = ""
    ) -> tuple[list[Title], str]:
        """The titles that the actor may see, by token id, and where the next page starts."""
        start = _aggregate(after) if after else ""
        names = await self._records.aggregates("title/", actor, limit=limit, after=start)
        found = []
        for name in names:
            try:
                found.append(await self.title(name.removeprefix("title/")))
            except NotFound:
                # Asked for and not minted yet.
                continue
        more = names[-1].removeprefix("title/") if len(names) == limit else ""
        return found, more

    async def into_custody(self, actor: Actor, *, title: str, deal: str) -> Title:
        """Moves a title from the actor's party to the deal's custody account; idempotent.

        Raises NotFound if the actor may not see the title, Refused (`not_holder`) if the actor's
        party is not its holder and beneficiary.
        """
        await self._records.history(_aggregate(title), actor)
        custody = self._accounts.custody(deal=deal, title=title)
        async with self._alone(title):
            state = await self._settled(title)
            if state.sole_owner != custody.address:
                party = self._accounts.of_party(actor.party)
                if state.sole_owner != party.address:
                    raise _not_owner(f"{actor.party} is not the title's holder and beneficiary")
                await self._open_custody(actor, title, deal, custody)
                await self._submit(
                    actor,
                    party,
                    to=state.escrow,
                    data=transfer_call(custody.address),
                    purpose="custody",
                    title=title,
                )
            return await self.title(title)

    async def sign_from_custody(self, *, title: str, deal: str, to_party: str) -> bytes:
        """Signs, without sending, the transfer out of custody: the bytes that a decision holds.

        The account serves one deal and one title, so nothing else can use up its nonce: of two
        such transfers to different parties the first one logged is the only one ever executed.
        Raises Refused (`not_in_custody`) if the deal does not hold the title.
        """
        custody = self._accounts.custody(deal=deal, title=title)
        async with self._alone(title):
            state = await self._settled(title)
            if state.sole_owner != custody.address:
                raise Refused("the deal does not hold this title", code="not_in_custody")
            receiver = await self._names.account_of(party_id(to_party))
            nonce = (await self._log.admission()).next_nonce(custody.address)
        call = transfer_call(receiver.address)
        return self._signed(custody, nonce, state.escrow, call, _CALL_GAS)

    async def send(self, actor: Actor, *, raw: bytes, title: str, purpose: str) -> Title:
        """Logs signed bytes, executes them and returns the title after them; idempotent.

        The signature inside is the authority. Bytes that the chain would refuse today are
        refused here with the reason, and nothing is logged.
        """
        await self._records.history(_aggregate(title), actor)
        transaction = decode(raw)
        if transaction.to != self._registry.escrow(bytes.fromhex(title)):
            raise Refused("the transaction is not for this title", code="wrong_registry")
        async with self._alone(title):
            if await self._log.find(transaction.hash) is None:
                (await self._log.admission()).check(transaction)
                await self._settled(title)
                # A call to an address without code would succeed and do nothing.
                if not await self._executor.moves(bytes.fromhex(title)):
                    raise Refused("this title is not minted yet", code="no_title")
                await self._executor.try_out(transaction)
                await self._log.submit(lambda _: [Submission(actor, raw, purpose, title)])
            await self._executed(transaction.hash)
            await self._tell(title)
            return await self.title(title)

    async def handle(self, event: SignedEvent) -> None:
        """Executes a logged transaction and tells what became of its titles (bus consumer)."""
        handled = Handled(CONSUMER, event.id)
        receipt = await self._executor.take(event)
        touched = [state.title.hex() for state in receipt.titles]
        for title in touched[1:]:
            await self._tell(title)
        if touched:
            await self._tell(touched[0], handled)
        else:
            await self._records.record(
                self._node,
                self._log.aggregate,
                [],
                after=0,
                owner=self._node.party,
                handled=handled,
            )

    async def _ask(self, actor: Actor, asked: TitleAsked) -> None:
        aggregate = _aggregate(asked.title)
        history = await self._records.history(aggregate)
        before = latest(history, TitleAsked)
        if before is None:
            readers = [PartyId(party) for party in (asked.holder, *asked.readers)]
            await self._records.record(
                actor, aggregate, [asked], after=len(history), owner=actor.party, visible=readers
            )
        elif before != asked or history[0].owner != actor.party:
            raise Conflict(
                "this document has a title already, with other particulars", code="title_exists"
            )

    async def _open_registry(self, minter: Account) -> None:
        """Sets up the registry before the first title, and lets this account mint."""
        registrar = self._accounts.registrar()
        granted = {
            call.values[1]
            for sent in await self._log.of_sender(registrar.address)
            if (call := call_of(sent.data)) and call.signature == GRANT_ROLE
        }
        if minter.address in granted:
            return
        contracts = await asyncio.to_thread(self._contracts)
        code = registry_code(contracts.token_code, self._registry.factory)

        def make(admission: Admission) -> list[Submission]:
            nonce = admission.next_nonce(registrar.address)
            setup: list[tuple[Address | None, bytes, int, str]] = [
                (None, contracts.factory_code, _DEPLOY_GAS, "deploy factory"),
                (None, code, _DEPLOY_GAS, "deploy registry"),
            ]
            grant = grant_minting_call(minter.address)
            steps = [*setup[nonce:], (self._registry.token, grant, _CALL_GAS, "let mint")]
            return [
                Submission(
                    self._node, self._signed(registrar, nonce + i, to, data, gas), purpose, ""
                )
                for i, (to, data, gas, purpose) in enumerate(steps)
            ]

        # Not waited for: the mint stands behind these in the log, so it runs after them.
        await self._log.submit(make)

    async def _open_custody(self, actor: Actor, title: str, deal: str, custody: Account) -> None:
        aggregate = _aggregate(title)
        fact = CustodyOpened(
            title=title,
            deal=deal,
            account=address_text(custody.address),
            from_party=actor.party,
        )

        async def write() -> None:
            history = await self._records.history(aggregate)
            if fact not in every(history, CustodyOpened):
                await self._records.record(
                    actor,
                    aggregate,
                    [fact],
                    after=len(history),
                    owner=history[0].owner,
                    visible=_audience(history, actor.party),
                )

        await _persist(write)

    async def _submit(
        self,
        actor: Actor,
        account: Account,
        *,
        to: Address,
        data: bytes,
        purpose: str,
        title: str,
    ) -> None:
        """Signs, logs and waits. Raises the Refused with which the contract answered."""

        def make(admission: Admission) -> list[Submission]:
            nonce = admission.next_nonce(account.address)
            raw = self._signed(account, nonce, to, data, _CALL_GAS)
            return [Submission(actor, raw, purpose, title)]

        (transaction,) = await self._log.submit(make)
        await self._executed(transaction.hash)
        await self._tell(title)

    def _signed(
        self, account: Account, nonce: int, to: Address | None, data: bytes, gas: int
    ) -> bytes:
        draft = Draft(chain_id=self._chain_id, nonce=nonce, to=to, data=data, gas=gas)
        return sign(draft, account.sign_digest)

    async def _settled(self, title: str) -> TitleState:
        """The title's state once everything written for it is executed and told.

        A title that was never minted has the zero address for its owner.
        """
        token = bytes.fromhex(check_digest(title))
        for transaction_hash in await self._log.of_title(title):
            await self._executor.receipt(transaction_hash, patience_s=self._patience_s)
        await self._tell(title)
        moves = await self._executor.moves(token)
        return moves[-1].state_of(token) if moves else TitleState(token, Address(bytes(20)))

    async def _executed(self, transaction_hash: bytes) -> Receipt:
        receipt = await self._executor.receipt(transaction_hash, patience_s=self._patience_s)
        if receipt.refusal is not None:
            raise receipt.refusal
        return receipt

    async def _tell(self, title: str, handled: Handled | None = None) -> None:
        """Records the moves of a title that its history does not have yet, in chain order."""
        receipts = await self._executor.moves(bytes.fromhex(title))

        async def write() -> None:
            history = await self._records.history(_aggregate(title))
            told = len(every(history, TitleMoved))
            facts = [await self._moved(title, receipt, history) for receipt in receipts[told:]]
            if facts or handled:
                parties = {party for fact in facts for party in _parties(fact)}
                await self._records.record(
                    self._node,
                    _aggregate(title),
                    facts,
                    after=len(history),
                    owner=history[0].owner if history else self._node.party,
                    visible=_audience(history, *parties),
                    handled=handled,
                )

        await _persist(write)

    async def _moved(
        self, title: str, receipt: Receipt, history: tuple[SignedEvent, ...]
    ) -> TitleMoved:
        state = receipt.state_of(bytes.fromhex(title))
        return TitleMoved(
            title=title,
            registry=address_text(self._registry.token),
            chain_id=self._chain_id,
            action=receipt.action,
            transaction="0x" + receipt.hash.hex(),
            holder=address_text(state.holder),
            beneficiary=address_text(state.beneficiary),
            holder_party=await self._names.holder_name(state.holder, history),
            beneficiary_party=await self._names.holder_name(state.beneficiary, history),
        )

    def _alone(self, title: str) -> asyncio.Lock:
        """One use case at a time for one title; others are not held up."""
        return self._locks.setdefault(title, asyncio.Lock())


def _aggregate(title: str) -> str:
    return f"title/{check_digest(title)}"


def _not_owner(message: str) -> Refused:
    return Refused(message, code="not_holder", remedy="the holder must act")


def _audience(history: tuple[SignedEvent, ...], *more: str) -> list[PartyId]:
    """Who may read the next fact: all who could read the first one, and those that it concerns."""
    before = history[0].visible if history else ()
    return [*before, *(PartyId(party) for party in more if party)]


def _parties(fact: TitleMoved) -> tuple[str, str]:
    return fact.holder_party, fact.beneficiary_party


async def _persist(write: Callable[[], Awaitable[_T]]) -> _T:
    """Runs a read-then-write again while somebody else writes to the same history."""
    for _ in range(_ATTEMPTS_MAX):
        try:
            return await write()
        except Conflict:
            continue
    return await write()
