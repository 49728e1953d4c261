"""A node's titles on an EVM chain of others: logged first, then sent, and true once final.

Signed transactions become open leaves of the log before any endpoint sees them. So after a crash
the same bytes are sent again, and a sender's number makes sure that they count once. What stands
under enough blocks is recorded, foreign transactions on the contracts too; the titles are the fold
of these records. A block that goes away before takes nothing along: what it held is sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.encoding import parse_hex
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.events import SignedEvent, every
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.trust.domain.chain_rules import Admission
from zhidao.trust.domain.evm import Address, Transaction, address_text
from zhidao.trust.domain.paid_rules import Fees, PaidAdmission
from zhidao.trust.events import ChainSettled, CustodyOpened, SettledTitle
from zhidao.trust.service.chain.external_acts import REFUSALS, Act, Acts, Written
from zhidao.trust.service.chain.external_view import ChainView, Mined
from zhidao.trust.service.chain.json_rpc import Rpc, RpcRefusal, is_cheap, is_known
from zhidao.trust.service.chain.ports import Account, Accounts, LoggedTransactions
from zhidao.trust.service.chain.receipt import Receipt
from zhidao.trust.service.chain.settled import SettledBook, settled_title
from zhidao.trust.service.chain.settled_facts import lost_fact, settled_fact
from zhidao.trust.service.chain.snapshot import Entry
from zhidao.trust.service.chain.submissions import ChainLog, Submission, aggregate_of
from zhidao.trust.service.chain.title_records import aggregate_of_title
from zhidao.trust.wire.evm.title_contract import Registry, events_of
from zhidao.trust.wire.evm.transaction import Draft, sign

POLLS_PER_BUMP: Final = 6
_BUMPS_MAX: Final = 8
# An act's number is given up for lost after so many looks that agree.
_LOOKS: Final = 3
# An account is given gas for so many acts at today's price, so that it survives dearer days.
_GAS_ACTS: Final = 4
_TRANSFER_GAS: Final = 21_000
_REGISTRY_STEPS: Final = 2
_FACTS_MAX: Final = 64
GAS_PURPOSE: Final = "gas"


def settled_aggregate(chain_id: int) -> str:
    """The aggregate that holds what stands on a chain of others."""
    return f"settled/{chain_id}"


class ChainElsewhere:
    """Implements `service.title_ports.Executor` over JSON-RPC. `run` in the background: `step`."""

    def __init__(
        self,
        rpc: Rpc,
        records: Records,
        logged: LoggedTransactions,
        accounts: Accounts,
        *,
        chain_id: int,
        registry: Registry,
        confirmations: int,
        polls_per_bump: int = POLLS_PER_BUMP,
    ) -> None:
        """`confirmations`: blocks on top of one that counts; 0 where a block is final at once."""
        self._view = ChainView(rpc, chain_id)
        self._records = records
        self._logged = logged
        self._accounts = accounts
        self._chain_id = chain_id
        self._registry = registry
        self._confirmations = confirmations
        self._polls_per_bump = polls_per_bump
        self._node = Actor(PartyId(records.node), Role.NODE)
        self._aggregate = aggregate_of(chain_id)
        self._facts_in = settled_aggregate(chain_id)
        self._mined: dict[Address, int] = {}
        self._fees = Fees(0, 0)
        self._acts = Acts()
        self._book: SettledBook | None = None
        self._scanned: int | None = None
        self._untold: dict[str, None] = {}
        self._is_checked = False
        self._stepping = asyncio.Lock()
        self._loading = asyncio.Lock()
        self._news = asyncio.Condition()
        self.woken = asyncio.Event()
        self.problem = ""
        self.log: ChainLog = ChainLog(records, chain_id, executed=self._executed, logged=logged)

    # What the title service asks.

    async def logged(self, event: SignedEvent) -> tuple[str, ...]:
        """Notes that a transaction has its leaf; it is sent by the next step."""
        del event
        self.woken.set()
        return ()

    async def receipt(self, transaction_hash: bytes, *, timeout_s: float) -> Receipt:
        """The receipt of a written act, as soon as it is final on the chain.

        Raises Unavailable after `timeout_s` seconds; asking again is safe.
        """
        await self._loaded()
        try:
            async with asyncio.timeout(timeout_s), self._news:
                await self._news.wait_for(lambda: self._found(transaction_hash) is not None)
        except TimeoutError as error:
            because = f": {self.problem}" if self.problem else ""
            raise Unavailable(
                f"the transaction is logged but not final on chain {self._chain_id} yet{because}",
                code="not_executed_yet",
                remedy="repeat the request; nothing is done twice",
            ) from error
        receipt = self._found(transaction_hash)
        assert receipt is not None, "a receipt went away"
        return receipt

    async def moves(self, title: bytes) -> tuple[Receipt, ...]:
        """Receipts of all final transactions that touched a title, in the chain's order."""
        return (await self._loaded()).moves(title)

    async def is_guard(self, address: Address) -> bool:
        """Whether the published guard contract was created at an address through this node."""
        return (await self._loaded()).is_guard(address)

    async def try_out(self, transaction: Transaction, now_s: int = 0) -> None:
        """Raises the Refused that the transaction would meet in the newest block."""
        del now_s
        refusal = await self._view.reason(transaction)
        if refusal is not None:
            raise refusal

    async def try_next(self, make: Callable[[Admission], Transaction]) -> None:
        """The same for a transaction made to follow the newest block."""
        refusal = await self._view.reason(make(PaidAdmission(self._chain_id, self._mined)))
        if refusal is not None:
            raise refusal

    async def check_offer(self, transaction: Transaction, *, is_paid_here: bool) -> None:
        """Raises Refused (`fee_too_low`, `no_money_for_gas`) for bytes that nobody here can raise.

        is_paid_here: its sender gets what it lacks.
        """
        if transaction.fee_max_wei < await self._view.base_fee_wei():
            raise Refused(
                "the transaction offers less than the chain asks for a unit of gas",
                code="fee_too_low",
                remedy="sign it anew with a higher fee",
            )
        need = transaction.gas * transaction.fee_max_wei + transaction.value_wei
        if not is_paid_here and await self._view.balance_wei(transaction.sender) < need:
            raise Refused(
                f"{address_text(transaction.sender)} has less than the {need} wei that it offers",
                code="no_money_for_gas",
                remedy="send it coins first",
            )

    async def meet(self, sender: Address) -> None:
        """Learns how many transactions of a sender the chain has, and what it asks for gas."""
        await self._check_chain()
        self._mined[sender] = await self._view.count(sender)
        self._fees = await self._view.fees()

    async def prepare(self, sender: Address, gas: int) -> None:
        """Meets a sender, and has the registrar pay for the gas that it lacks.

        Raises Refused (`registrar_used`) where the node's own account has a history of others.
        """
        await self.meet(sender)
        registrar = self._accounts.registrar()
        if sender == registrar.address:
            if self._mined[sender] and not await self.log.of_sender(sender):
                raise Refused(
                    f"{address_text(sender)} has sent transactions on chain {self._chain_id} that"
                    " this node did not write, so its registry would stand elsewhere",
                    code="registrar_used",
                    remedy="restore the node's database, or set the node up with a new custody key",
                )
            return
        await self._pay_gas(registrar, sender, gas * self._fees.fee_max_wei)

    def fees(self) -> Fees:
        """What a transaction signed now should offer."""
        return self._fees

    async def state(self) -> tuple[int, int]:
        """The newest block of which something is recorded, and how many acts wait."""
        book = await self._loaded()
        return book.newest[0] if book.newest else 0, len(self._acts)

    # What the background does.

    async def step(self) -> tuple[str, ...]:
        """Looks once: takes what is final, sends what is due; the titles that moved.

        Raises Unavailable if no endpoint answers; Refused: `wrong_chain`, `chain_rewritten`.
        """
        async with self._stepping:
            book = await self._loaded()
            await self._check_chain()
            await self._take_logged(book)
            final = await self._view.height() - self._confirmations
            await self._check_branch(book)
            try:
                if final >= 0:
                    await self._scan(book, final)
                    await self._settle_own(book)
                await self._send(book, final)
            finally:
                async with self._news:
                    self._news.notify_all()
            untold, self._untold = self._untold, {}
            return tuple(untold)

    async def _loaded(self) -> SettledBook:
        async with self._loading:
            return self._book or await self._load()

    async def _load(self) -> SettledBook:
        book = SettledBook(self._registry)
        facts = [ChainSettled.of(e) for e in await self._records.history(self._facts_in)]
        async for event in self._logged.replay(self._aggregate, after=self._acts.watermark):
            self._acts.note(event)
        for fact in facts:
            own = self._acts.own(parse_hex(fact.hash[2:]))
            receipt = book.take(fact, own.transaction if own else None)
            # A crash may have come between recording and telling.
            if len(facts) - book.version < _FACTS_MAX:
                self._untold |= dict.fromkeys(one.title.hex() for one in receipt.titles)
        self._acts.settle_all(book)
        self._scanned = book.newest[0] - 1 if book.newest else None
        self._book = book
        return book

    async def _take_logged(self, book: SettledBook) -> None:
        async for event in self._logged.replay(self._aggregate, after=self._acts.watermark):
            self._acts.note(event)
        self._acts.settle_all(book)

    def _found(self, transaction_hash: bytes) -> Receipt | None:
        if self._book is None:
            return None
        own = self._acts.own(transaction_hash)
        if own is None:
            return self._book.receipt(transaction_hash)
        return self._book.of_number(own.number)

    async def _executed(self) -> tuple[Admission, Sequence[Entry]]:
        return PaidAdmission(self._chain_id, self._mined), ()

    async def _check_chain(self) -> None:
        if not self._is_checked:
            await self._view.check_chain()
            self._is_checked = True

    async def _check_branch(self, book: SettledBook) -> None:
        """Raises Refused if a block that was final is not the chain's any more."""
        if book.newest is None:
            return
        number, known = book.newest
        found, _ = await self._view.block(number)
        if found != known:
            raise Refused(
                f"block {number} was 0x{known.hex()} under {self._confirmations} blocks and is"
                f" 0x{found.hex()} now; no title is moved",
                code="chain_rewritten",
                remedy="find out which branch of the chain its operators stand by, and raise"
                " titles.confirmations",
            )

    # Taking what is final.

    async def _scan(self, book: SettledBook, final: int) -> None:
        """Records every final transaction that moved a title of ours, whoever sent it."""
        while self._scanned is not None and self._scanned < final:
            last, found = await self._view.title_events(self._scanned + 1, final)
            titles, facts = book.scratch() if found else None, []
            for transaction_hash, entries in found:
                if titles is None or book.receipt(transaction_hash) is not None:
                    continue
                touched = titles.apply(events_of(entries))
                if touched:
                    told = await self._view.mined(transaction_hash)
                    if told is None:
                        raise Unavailable("a receipt is not told", code="chain_behind")
                    moved = [settled_title(state) for state in touched]
                    facts.append(await self._fact(told, moved))
            await self._record(book, facts)
            self._scanned = last

    async def _settle_own(self, book: SettledBook) -> None:
        """Records final acts of this node that moved no title: set-ups, gas, and refused ones."""
        for act in self._front():
            told = await self._mined_of(act)
            if told is None or (self._scanned is not None and told.block > self._scanned):
                continue
            if await self._view.height() - self._confirmations < told.block:
                continue
            found, _ = await self._view.block(told.block)
            if found != told.block_hash:
                continue
            events = events_of(told.logs)
            if events and book.scratch().apply(events):
                # It stands in a block that was looked through: an endpoint left its events out.
                if book.newest is not None and book.newest[0] > told.block:
                    raise Unavailable(
                        f"an endpoint kept events of block {told.block} back",
                        code="logs_missing",
                        remedy="name an endpoint that gives all logs, and restart",
                    )
                self._scanned = told.block - 1
                return
            await self._record(book, [await self._fact(told, [])])
            if self._scanned is None:
                self._scanned = told.block - 1

    async def _record(self, book: SettledBook, facts: Sequence[ChainSettled]) -> None:
        for start in range(0, len(facts), _FACTS_MAX):
            batch = facts[start : start + _FACTS_MAX]
            try:
                await self._records.record(
                    self._node,
                    self._facts_in,
                    batch,
                    after=book.version,
                    owner=self._node.party,
                )
            except BaseException:
                # It may stand all the same: only the journal knows.
                self._book = None
                raise
            for fact in batch:
                own = self._acts.own(parse_hex(fact.hash[2:]))
                receipt = book.take(fact, own.transaction if own else None)
                self._untold |= dict.fromkeys(one.title.hex() for one in receipt.titles)
                if own is not None:
                    self._acts.settle(own)

    async def _fact(self, told: Mined, titles: Sequence[SettledTitle]) -> ChainSettled:
        own = self._acts.own(told.hash)
        return await settled_fact(self._view, told, titles, own.transaction if own else None)

    # Sending what is due.

    def _front(self) -> list[Act]:
        return self._acts.front(self._accounts.registrar().address)

    async def _send(self, book: SettledBook, final: int) -> None:
        # Until all were asked anew, who waits hears what the last look found.
        self.problem = await self._offered(book, final)

    async def _offered(self, book: SettledBook, final: int) -> str:
        """Offers what is due; why the chain takes some of it not, if so."""
        problem = ""
        for act in self._front():
            if await self._mined_of(act) is not None:
                act.polls = act.looks = 0
                continue
            if await self._is_taken(book, act, final):
                continue
            try:
                await self._view.offer(act.newest.transaction.raw)
            except RpcRefusal as refusal:
                if not is_known(refusal):
                    sender = address_text(act.newest.transaction.sender)
                    problem = f"{sender}: {refusal.args[0]}"
                    if not is_cheap(refusal):
                        # The others wait behind it for a while; what is written is not given up.
                        act.refusals += 1
                        return problem
            else:
                act.refusals = 0
            act.polls += 1
            if act.polls % self._polls_per_bump == 0:
                await self._raise(act)
        return problem

    async def _mined_of(self, act: Act) -> Mined | None:
        for written in reversed(act.written):
            told = await self._view.mined(written.transaction.hash)
            if told is not None:
                return told
        return None

    async def _is_taken(self, book: SettledBook, act: Act, final: int) -> bool:
        """Records that an act can never count, since its number went to other bytes for good."""
        sent = act.newest.transaction
        if final < 0 or await self._view.count(sent.sender) <= sent.nonce:
            act.looks = 0
            return False
        if await self._view.count(sent.sender, final) > sent.nonce:
            act.looks += 1
        if act.looks < _LOOKS or await self._mined_of(act) is not None:
            return True
        lost = lost_fact(sent, final)
        await self._record(book, [lost])
        return True

    async def _raise(self, act: Act) -> None:
        """Writes the same act for higher fees; it is sent once it has its leaf too."""
        before = act.newest
        sent = before.transaction
        account = await self._signer_of(before)
        if account is None:
            # Only its holder can offer more; the others need not wait for him.
            act.refusals = REFUSALS
            return
        if not sent.fee_max_wei or len(act.written) > _BUMPS_MAX:
            return
        today = await self._view.fees()
        raised = Fees(sent.fee_max_wei, sent.tip_max_wei).bumped()
        tip = max(raised.tip_max_wei, today.tip_max_wei)
        fee_max_wei = max(raised.fee_max_wei, today.fee_max_wei, tip)
        registrar = self._accounts.registrar()
        if account.address != registrar.address:
            # What it was given for cheaper days may not reach.
            self._fees = today
            await self._pay_gas(registrar, account.address, sent.gas * fee_max_wei)
        draft = Draft(
            chain_id=sent.chain_id,
            nonce=sent.nonce,
            to=sent.to,
            data=sent.data,
            gas=sent.gas,
            value_wei=sent.value_wei,
            fee_max_wei=fee_max_wei,
            tip_max_wei=tip,
        )
        raw = sign(draft, account.sign_digest)
        own = before.party == self._node.party
        actor = self._node if own else Actor(before.party, Role.PARTY)
        await self.log.submit(lambda _: [Submission(actor, raw, before.purpose, before.title)])

    async def _signer_of(self, written: Written) -> Account | None:
        """The account that signed, if its key is here."""
        sender = written.transaction.sender
        registrar = self._accounts.registrar()
        if sender == registrar.address:
            return registrar
        try:
            account = self._accounts.of_party(written.party)
            if account.address == sender and not self._accounts.remote(sender):
                return account
        except Unavailable:
            # The node itself has no account of a party, and a party's key may have gone.
            pass
        if not written.title:
            return None
        history = await self._records.history(aggregate_of_title(written.title))
        for opened in every(history, CustodyOpened):
            if opened.account == address_text(sender):
                return self._accounts.custody(deal=opened.deal, title=written.title)
        return None

    async def _pay_gas(self, registrar: Account, to: Address, need_wei: int) -> None:
        """Has the registrar send coins to an account that lacks them, unless some are on their way.

        Only the registrar's own transfer counts as such: anybody may write one that never arrives.
        """
        if await self._view.balance_wei(to) >= need_wei:
            return
        value_wei = _GAS_ACTS * need_wei
        waiting = (act.newest.transaction for act in self._acts)
        if any(t.sender == registrar.address and t.to == to and t.value_wei for t in waiting):
            return
        self._mined[registrar.address] = await self._view.count(registrar.address)
        fees = self._fees

        def make(admission: Admission) -> list[Submission]:
            nonce = admission.next_nonce(registrar.address)
            if nonce < _REGISTRY_STEPS:
                # Its first two numbers belong to the contracts.
                return []
            draft = Draft(
                chain_id=self._chain_id,
                nonce=nonce,
                to=to,
                data=b"",
                gas=_TRANSFER_GAS,
                value_wei=value_wei,
                fee_max_wei=fees.fee_max_wei,
                tip_max_wei=fees.tip_max_wei,
            )
            raw = sign(draft, registrar.sign_digest)
            return [Submission(self._node, raw, GAS_PURPOSE, "")]

        await self.log.submit(make)
