"""Bills of lading as singular titles: asked for, logged, executed, told.

A transaction is first a fact in the journal, then a leaf of the log, then executed; the caller
waits for that. Everything can be repeated after a crash at any line: what is written is found
again, and only what is missing is done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.archive import check_digest
from zhidao.core.errors import Conflict, Forbidden, Refused
from zhidao.core.events import SignedEvent, every, latest
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Handled, Records
from zhidao.trust.domain.evm import Address, address_text, parse_address
from zhidao.trust.domain.title_tag import Bill, Brought
from zhidao.trust.events import CustodyAsked, CustodyOpened, Title, TitleAsked
from zhidao.trust.service.chain.ports import Account, Accounts, Bills, Executor, TitleContracts
from zhidao.trust.service.chain.submissions import ChainLog, Submission
from zhidao.trust.service.chain.title_names import TitleNames, deal_of
from zhidao.trust.service.chain.title_records import (
    TitleRecords,
    aggregate_of_title,
    audience,
    persist,
)
from zhidao.trust.service.titles.acts import TitleLife
from zhidao.trust.service.titles.bill_tags import TitleTags
from zhidao.trust.service.titles.change_of_medium import TitleMedium
from zhidao.trust.service.titles.mletr import TitleAssessment
from zhidao.trust.service.titles.paper_originals import PaperClaims
from zhidao.trust.service.titles.possible_acts import TitleActs
from zhidao.trust.service.titles.recovery_accounts import TitleGuards
from zhidao.trust.service.titles.untitled import UntitledBills
from zhidao.trust.service.titles.writing import CALL_GAS, TitleWriting
from zhidao.trust.wire.evm.title_contract import Registry, mint_call, transfer_call
from zhidao.trust.wire.evm.title_guard import target_of
from zhidao.trust.wire.evm.transaction import Draft, decode, sign

MAY_SEND_TRANSACTION: Final = access(
    *(Role.PARTY, Role.NODE),
    relation=Relation.PEER,
    of="the title; the chain holds each act to its signer",
)

MAY_MINT: Final = access(Role.PARTY, relation=Relation.OWNER, of="the title; carriers")

CONSUMER: Final = "trust-titles"


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
        executor: Executor,
        chain_id: int,
        tags: TitleTags,
        bills: Bills,
        clock: Clock,
        may_mint: Callable[[PartyId], Awaitable[bool]] = everybody,
        timeout_s: float = 15.0,
    ) -> None:
        """`contracts` is called once a minter is new; `timeout_s` bounds each wait."""
        self._records = records
        self._accounts = accounts
        self._log = chain_log
        self._executor = executor
        self._chain_id = chain_id
        self._may_mint = may_mint
        self._node = Actor(PartyId(records.node), Role.NODE)
        self._names = TitleNames(records, accounts, chain_id)
        self._registry = Registry.of(accounts.registrar().address)
        self._told = TitleRecords(
            records,
            self._names,
            chain_log,
            executor,
            self._registry,
            chain_id=chain_id,
            timeout_s=timeout_s,
        )
        self._writing = TitleWriting(
            records,
            self._told,
            accounts,
            contracts,
            chain_log,
            executor,
            self._registry,
            chain_id=chain_id,
        )
        self.life = TitleLife(
            records, self._told, self._writing, self._names, accounts, executor, self._registry
        )
        self.possible = TitleActs(
            records=records,
            told=self._told,
            writing=self._writing,
            names=self._names,
            accounts=accounts,
            executor=executor,
            registry=self._registry,
        )
        self.tags = tags
        self.untitled = UntitledBills(records, tags)
        self._bills = bills
        papers = PaperClaims(
            records, registry=address_text(self._registry.token), chain_id=chain_id
        )
        self.medium = TitleMedium(records, self._told, self.life, executor, self, papers)
        self.guards = TitleGuards(executor, chain_log, self._told, clock)
        self.assessment = TitleAssessment(
            records, self._told, tags, self._names, accounts, executor
        )

    async def mint(
        self,
        actor: Actor,
        *,
        document: str,
        consignment: str,
        holder: str,
        readers: Sequence[str],
        bill: Bill | None = None,
        brought: Brought | None = None,
    ) -> Title:
        """Mints the title of a document (its SHA-256) to a party; again: the same title.

        The document is the consignment's bill of lading at this node. It is registered in the log
        first, under the tag of that bill; `bill` names the carrier code where the paper bears
        none, `brought` is the tag and claim of a carrier that keeps its key itself. Raises Refused
        (`unknown_bill`) for a document that is no such bill, `unregistered_title` without a code,
        `bill_mismatch` if the paper says otherwise; Conflict if the document has a title with other
        particulars, the bill another title (`double_title`) or the title is burnt (`title_burnt`).
        """
        await self._check_minter(actor)
        asked = _asked(document, consignment, holder, readers)
        receiver = PartyId(asked.holder)
        # Both keys must be here before anything is written.
        self._names.receiver(receiver)
        self._accounts.of_party(actor.party)
        async with self._told.alone(document):
            await self._check_asked(actor, asked)
            await self._told.settled(document)
            if not await self._executor.moves(bytes.fromhex(document)):
                named = await self._bill(actor, asked, bill)
                await self.tags.register(
                    actor,
                    named,
                    title=document,
                    readers=[receiver, *asked.readers],
                    brought=brought,
                )
                await self._ask(actor, asked)
                owner = await self._names.account_of(receiver)
                minter = await self._names.account_of(actor.party)
                # Whoever may read the title may come to hold it.
                await self._names.name_all(PartyId(reader) for reader in asked.readers)
                await self._writing.open_registry(minter)
                await self._writing.submit(
                    actor,
                    minter,
                    to=self._registry.token,
                    data=mint_call(bytes.fromhex(document), owner.address),
                    purpose="mint",
                    title=document,
                )
            title = await self._told.title(document)
            if not title.active:
                raise Conflict(
                    "this bill's title was given up and burnt: it is not minted again",
                    code="title_burnt",
                    remedy="a new bill of lading gets a new title",
                )
            return title

    async def check_mintable(
        self,
        actor: Actor,
        *,
        document: str,
        consignment: str,
        holder: str,
        readers: Sequence[str],
        bill: Bill | None,
        brought: Brought | None = None,
    ) -> None:
        """Raises what `mint` would refuse, before anything is written."""
        await self._check_minter(actor)
        asked = _asked(document, consignment, holder, readers)
        self._names.receiver(PartyId(asked.holder))
        self._accounts.of_party(actor.party)
        await self._check_asked(actor, asked)
        named = await self._bill(actor, asked, bill)
        await self.tags.check(actor, named, title=document, brought=brought)

    async def _check_minter(self, actor: Actor) -> None:
        MAY_MINT.admit(actor)
        if not await self._may_mint(actor.party):
            raise Forbidden(f"{actor.party} is no carrier; only carriers mint titles here")

    async def title(self, title: str) -> Title:
        """The title as it stands. Raises NotFound if there is none."""
        return await self._told.title(title)

    async def title_for(self, actor: Actor, title: str) -> Title:
        """The same for somebody who may see it. Raises NotFound for everyone else."""
        return await self._told.title_for(actor, title)

    async def titles_for(
        self, actor: Actor, *, limit: int, after: str = ""
    ) -> tuple[list[Title], str]:
        """The titles that the actor may see, by token id, and where the next page starts."""
        return await self._told.titles_for(actor, limit=limit, after=after)

    async def into_custody(
        self, actor: Actor, *, title: str, deal: str, signed: bytes = b""
    ) -> Title:
        """Moves a title from the actor's party to the deal's custody account; idempotent.

        `signed`: the transaction that the holder signed where its key is, as `custody_asked` told.
        Raises NotFound if the actor may not see the title, Refused (`not_holder`) if the actor's
        party is not its holder and beneficiary.
        """
        await self._records.history(aggregate_of_title(title), actor)
        custody = self._accounts.custody(deal=deal, title=title)
        async with self._told.alone(title):
            state = await self._told.settled(title)
            if state.sole_owner != custody.address:
                party = self._accounts.of_party(actor.party)
                if state.sole_owner != party.address:
                    raise _not_owner(f"{actor.party} is not the title's holder and beneficiary")
                call = transfer_call(custody.address)
                if signed:
                    await self._open_custody(self._node, title, deal, custody, actor.party)
                    await self._foreign(signed, party.address, state.escrow, call, title)
                    return await self._told.title(title)
                await self._open_custody(actor, title, deal, custody, actor.party)
                await self._writing.submit(
                    actor, party, to=state.escrow, data=call, purpose="custody", title=title
                )
            return await self._told.title(title)

    async def custody_asked(self, *, title: str, deal: str, party: str) -> CustodyAsked:
        """What a holder at another node has to sign, so that the deal gets its title into custody.

        Opens the custody account. Raises Refused (`not_holder`).
        """
        custody = self._accounts.custody(deal=deal, title=title)
        async with self._told.alone(title):
            state = await self._told.settled(title)
            holder = self._accounts.of_party(party_id(party))
            if state.sole_owner != holder.address:
                raise _not_owner(f"{party} is not the title's holder and beneficiary")
            await self._open_custody(self._node, title, deal, custody, party_id(party))
            await self._executor.meet(holder.address)
            nonce = (await self._log.admission()).next_nonce(holder.address)
        return CustodyAsked(
            title=title,
            deal=deal,
            registrar=address_text(self._accounts.registrar().address),
            custody=address_text(custody.address),
            chain_id=self._chain_id,
            nonce=nonce,
        )

    async def history(self, title: str) -> tuple[SignedEvent, ...]:
        """What is known here of a title, of another node's registry too; may be empty."""
        return await self._records.history(aggregate_of_title(check_digest(title)))

    def sign_custody(self, party: PartyId, asked: CustodyAsked) -> bytes:
        """A party's signature under what another node's registry asked of it; sends nothing."""
        registry = Registry.of(parse_address(asked.registrar))
        draft = Draft(
            chain_id=asked.chain_id,
            nonce=asked.nonce,
            to=registry.escrow(bytes.fromhex(check_digest(asked.title))),
            data=transfer_call(parse_address(asked.custody)),
            gas=CALL_GAS,
        )
        return sign(draft, self._accounts.of_party(party).sign_digest)

    async def _foreign(
        self, raw: bytes, sender: Address, escrow: Address, call: bytes, title: str
    ) -> None:
        """Logs and executes what a holder signed elsewhere, if it is that call and no other."""
        transaction = decode(raw)
        if (transaction.sender, transaction.to, transaction.data) != (sender, escrow, call):
            raise Refused(
                "the transaction does not move this title from its holder into this custody",
                code="wrong_transaction",
            )
        if await self._log.find(transaction.hash) is None:
            await self._executor.meet(sender)
            (await self._log.admission()).check(transaction)
            await self._executor.check_offer(transaction, is_paid_here=True)
            await self._executor.try_out(transaction)
            await self._executor.prepare(sender, transaction.gas)
            await self._log.submit(lambda _: [Submission(self._node, raw, "custody", title)])
        await self._told.executed(transaction.hash)
        await self._told.tell(title)

    async def sign_from_custody(self, *, title: str, deal: str, to_party: str) -> bytes:
        """Signs, without sending, the transfer out of custody: the bytes that a decision holds.

        The account serves one deal and one title, so nothing else can use up its nonce: of two
        such transfers to different parties the first one logged is the only one ever executed.
        Raises Refused (`not_in_custody`) if the deal does not hold the title.
        """
        custody = self._accounts.custody(deal=deal, title=title)
        async with self._told.alone(title):
            state = await self._told.settled(title)
            if state.sole_owner != custody.address:
                raise Refused("the deal does not hold this title", code="not_in_custody")
            receiver = await self._names.account_of(party_id(to_party))
            await self._executor.meet(custody.address)
            nonce = (await self._log.admission()).next_nonce(custody.address)
        call = transfer_call(receiver.address)
        return self._writing.signed(custody, nonce, state.escrow, call)

    async def send(self, actor: Actor, *, raw: bytes, title: str, purpose: str) -> Title:
        """Logs signed bytes, executes them and returns the title after them; idempotent.

        The signature inside is the authority. Bytes that the chain would refuse today are
        refused here with the reason, and nothing is logged.
        """
        MAY_SEND_TRANSACTION.admit(actor)
        await self._records.history(aggregate_of_title(title), actor)
        history = await self._records.history(aggregate_of_title(title))
        transaction = decode(raw)
        direct = transaction.to is not None and not await self._executor.is_guard(transaction.to)
        target = transaction.to if direct else target_of(transaction)
        if target != self._registry.escrow(bytes.fromhex(title)):
            raise Refused("the transaction is not for this title", code="wrong_registry")
        async with self._told.alone(title):
            if await self._log.find(transaction.hash) is None:
                await self._executor.meet(transaction.sender)
                (await self._log.admission()).check(transaction)
                await self._told.settled(title)
                # A call to an address without code would succeed and do nothing.
                if not await self._executor.moves(bytes.fromhex(title)):
                    raise Refused("this title is not minted yet", code="no_title")
                if not deal_of(address_text(transaction.sender), history):
                    # What custody signed is raised here; others must offer enough.
                    await self._executor.check_offer(transaction, is_paid_here=True)
                await self._executor.try_out(transaction)
                await self._executor.prepare(transaction.sender, transaction.gas)
                await self._log.submit(lambda _: [Submission(actor, raw, purpose, title)])
            await self._told.executed(transaction.hash)
            await self._told.tell(title)
            return await self._told.title(title)

    async def tell(self, titles: Sequence[str]) -> None:
        """Tells what became of titles that moved without this node's asking."""
        for title in titles:
            await self._told.tell(title)

    async def handle(self, event: SignedEvent) -> None:
        """Executes a logged transaction and tells what became of its titles (bus consumer)."""
        handled = Handled(CONSUMER, event.id)
        touched = await self._executor.logged(event)
        for title in touched[1:]:
            await self._told.tell(title)
        if touched:
            await self._told.tell(touched[0], handled)
        else:
            await self._records.record(
                self._node,
                self._log.aggregate,
                [],
                after=0,
                owner=self._node.party,
                handled=handled,
            )

    async def _bill(self, actor: Actor, asked: TitleAsked, given: Bill | None) -> Bill:
        face = await self._bills.face(actor, consignment=asked.consignment, document=asked.title)
        if face is None:
            raise Refused(
                f"the document {asked.title[:16]}… is not the bill of lading of consignment "
                f"{asked.consignment} at this node",
                code="unknown_bill",
                remedy="add the bill of lading to the consignment first",
            )
        code, number = face
        if given and (given.number != number or (code and given.carrier_code != code)):
            raise Refused(f"the document is bill {number} of {code}", code="bill_mismatch")
        if not code and given is None:
            raise Refused(
                "no title without a leaf of the log under its bill's tag, and the bill bears no"
                " carrier code",
                code="unregistered_title",
                remedy="name the carrier's code and the bill's number",
            )
        bill = Bill(code or (given.carrier_code if given else ""), number)
        bill.check_plain()
        return bill

    async def _check_asked(self, actor: Actor, asked: TitleAsked) -> bool:
        """Whether it was asked for already. Raises Conflict if with other particulars."""
        history = await self._records.history(aggregate_of_title(asked.title))
        before = latest(history, TitleAsked)
        if before is None:
            return False
        if before != asked or history[0].owner != actor.party:
            raise Conflict(
                "this document has a title already, with other particulars", code="title_exists"
            )
        return True

    async def _ask(self, actor: Actor, asked: TitleAsked) -> None:
        aggregate = aggregate_of_title(asked.title)
        if not await self._check_asked(actor, asked):
            history = await self._records.history(aggregate)
            readers = [PartyId(party) for party in (asked.holder, *asked.readers)]
            await self._records.record(
                actor, aggregate, [asked], after=len(history), owner=actor.party, visible=readers
            )

    async def _open_custody(
        self, actor: Actor, title: str, deal: str, custody: Account, holder: PartyId
    ) -> None:
        aggregate = aggregate_of_title(title)
        fact = CustodyOpened(
            title=title,
            deal=deal,
            account=address_text(custody.address),
            from_party=holder,
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
                    visible=audience(history, holder),
                )

        await persist(write)


def _asked(document: str, consignment: str, holder: str, readers: Sequence[str]) -> TitleAsked:
    return TitleAsked(
        title=check_digest(document),
        consignment=consignment,
        holder=party_id(holder),
        readers=sorted({party_id(reader) for reader in readers}),
    )


def _not_owner(message: str) -> Refused:
    return Refused(message, code="not_holder", remedy="the holder must act")
