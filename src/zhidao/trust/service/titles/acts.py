"""A title's life after minting: what holder, beneficiary, nominee and issuer do with it.

A request names how many transactions of the title its sender has seen. So a repeated one is
recognised even after the title went on, and one that rests on an old view is refused: nothing is
done twice, whatever was lost on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Refused
from zhidao.core.events import SignedEvent, every
from zhidao.core.ids import party_id
from zhidao.core.journal import Records
from zhidao.core.timescale import NS, Utc
from zhidao.trust.domain.evm import ZERO_ADDRESS, Address, Transaction, address_text
from zhidao.trust.events import MediumChanged, Title
from zhidao.trust.service.chain.ports import Account, Accounts, Executor
from zhidao.trust.service.chain.receipt import Receipt
from zhidao.trust.service.chain.title_names import TitleNames
from zhidao.trust.service.chain.title_records import TitleRecords, aggregate_of_title
from zhidao.trust.service.titles.paper_originals import TO_PAPER
from zhidao.trust.service.titles.writing import TitleWriting
from zhidao.trust.wire.evm import title_contract as contract
from zhidao.trust.wire.proof_file.remark import open_remark, seal_remark

MAY_ACT_ON_TITLE: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the title; the registry holds each act to its holder or beneficiary",
)

ACTS: Final = {
    # act: (function of the contracts, whether it names a receiver)
    "transfer": (contract.TRANSFER_OWNERS, True),
    "transfer_holder": (contract.TRANSFER_HOLDER, True),
    "nominate": (contract.NOMINATE, True),
    "endorse": (contract.ENDORSE, True),
    "reject": (contract.REJECT_OWNERS, False),
    "reject_holder": (contract.REJECT_HOLDER, False),
    "reject_beneficiary": (contract.REJECT_BENEFICIARY, False),
    "return": (contract.RETURN, False),
    "restore": (contract.RESTORE, False),
    "burn": (contract.BURN, False),
}
# What only the issuer does, and the registry's role for it.
_ISSUER_ROLES: Final = {
    "restore": contract.RESTORER_ROLE,
    "burn": contract.ACCEPTER_ROLE,
}


class Endorsement(msgspec.Struct, frozen=True, kw_only=True):
    """One link of a title's chain: who signed what, and who had the title then.

    Addresses are `0x…`, `` for nobody; parties `` where unknown. `at`: UTC of the block.
    `remark` is opened text; `remark_code` is `foreign_remark` where the chain holds bytes
    (`remark_sealed`, hex) that this node did not seal.
    """

    number: int
    action: str
    at: str
    transaction: str
    signer: str
    signer_party: str
    holder: str
    holder_party: str
    beneficiary: str
    beneficiary_party: str
    nominee: str
    nominee_party: str
    remark: str
    remark_code: str
    remark_sealed: str


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody wants done with a title that has `seen` transactions.

    `action` is one of `ACTS`; `to` the receiving party, `` where there is none.
    """

    action: str
    seen: int
    to: str = ""
    remark: str = ""


class TitleLife:
    """The acts of a title's life and the chain of endorsements that they make."""

    def __init__(
        self,
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

    async def act(self, actor: Actor, title: str, act: Act) -> Title:
        """Does what the actor's party asks, signed with its account; again: nothing more.

        Raises NotFound for whoever may not see the title, Conflict (`title_moved`) if the title
        has gone on otherwise since `act.seen`, Unavailable (`no_key`) if the party's key or the
        receiver's account is not here, and Refused with the contract's reason, before anything
        is logged.
        """
        MAY_ACT_ON_TITLE.admit(actor)
        _check_form(act)
        history = await self._records.history(aggregate_of_title(title), actor)
        account = self._accounts.of_party(actor.party)
        async with self._told.alone(title):
            await self._told.settled(title)
            moves = await self._executor.moves(bytes.fromhex(title))
            if not moves:
                raise NotFound("no title of that name")
            to, data = await self._call(title, act, account)
            if not _is_repeated(moves, act, account, to, data):
                if act.action == "restore":
                    await self._refuse_dead(title)
                await self._take_role(actor, history, act)
                await self._names.account_of(actor.party)
                await self._try_out(title, account, to=to, data=data)
                await self._writing.submit(
                    actor, account, to=to, data=data, purpose=act.action, title=title
                )
            return await self._told.title(title)

    async def endorsements(self, actor: Actor, title: str) -> list[Endorsement]:
        """The title's chain from minting on, for whoever may see it. Raises NotFound."""
        await self._told.title_for(actor, title)
        history = await self._records.history(aggregate_of_title(title))
        moves = await self._executor.moves(bytes.fromhex(title))
        return [await self._link(title, at, move, history) for at, move in enumerate(moves)]

    async def _try_out(self, title: str, account: Account, *, to: Address, data: bytes) -> None:
        """Raises Refused with the contract's reason, and names the deal that holds the title."""
        try:
            await self._writing.try_out(account, to=to, data=data)
        except Refused as error:
            deal = (await self._told.title(title)).custody
            if not deal or error.code not in ("not_holder", "not_beneficiary"):
                raise
            raise Refused(
                f"the title is in custody of deal {deal}, which alone moves it until it is decided",
                code=error.code,
                remedy=f"see what the deal waits for: zhidao deal show {deal}",
            ) from error

    async def _call(self, title: str, act: Act, account: Account) -> tuple[Address, bytes]:
        signature, has_receiver = ACTS[act.action]
        token = bytes.fromhex(title)
        receiver = ZERO_ADDRESS
        if has_receiver:
            to_party = party_id(act.to)
            self._names.receiver(to_party)
            receiver = (await self._names.account_of(to_party)).address
        sealed = seal_remark(
            self._accounts.remark_key(title=title),
            act.remark,
            title=token,
            place=act.seen,
            signer=account.address,
        )
        issuers = act.action in _ISSUER_ROLES
        to = self._registry.token if issuers else self._registry.escrow(token)
        return to, contract.act_call(signature, token, receiver, sealed)

    async def _refuse_dead(self, title: str) -> None:
        """What paper has taken the place of comes to life no more."""
        history = await self._records.history(f"medium/{title}")
        facts = every(history, MediumChanged)
        if any((fact.change, fact.title) == (TO_PAPER, title) for fact in facts):
            raise Refused("paper took the place of this title", code="medium_changed")

    async def _take_role(self, actor: Actor, history: Sequence[SignedEvent], act: Act) -> None:
        role = _ISSUER_ROLES.get(act.action)
        if role is None:
            return
        if history[0].owner != actor.party:
            raise Refused(f"only {history[0].owner} issued this title", code="not_issuer")
        account = await self._names.account_of(actor.party)
        await self._told.executed(await self._writing.open_registry(account, role))

    async def _link(
        self, title: str, place: int, move: Receipt, history: tuple[SignedEvent, ...]
    ) -> Endorsement:
        transaction = move.transaction
        assert transaction is not None, "what moves a title is a transaction"
        state = move.state_of(bytes.fromhex(title))
        sealed = _remark_in(transaction)
        remark, code = "", ""
        try:
            remark = open_remark(
                self._accounts.remark_key(title=title),
                sealed,
                title=state.title,
                place=place,
                signer=transaction.sender,
            )
        except Refused as refusal:
            code = refusal.code
        who = {
            name: await self._named(address, history)
            for name, address in (
                ("signer", transaction.sender),
                ("holder", state.holder),
                ("beneficiary", state.beneficiary),
                ("nominee", state.nominee),
            )
        }
        return Endorsement(
            number=place + 1,
            action=move.action,
            at=str(Utc.from_unix_ns(move.block.timestamp_s * NS)),
            transaction="0x" + move.hash.hex(),
            signer=who["signer"][0],
            signer_party=who["signer"][1],
            holder=who["holder"][0],
            holder_party=who["holder"][1],
            beneficiary=who["beneficiary"][0],
            beneficiary_party=who["beneficiary"][1],
            nominee=who["nominee"][0],
            nominee_party=who["nominee"][1],
            remark=remark,
            remark_code=code,
            remark_sealed=sealed.hex(),
        )

    async def _named(self, address: Address, history: tuple[SignedEvent, ...]) -> tuple[str, str]:
        if address == ZERO_ADDRESS:
            return "", ""
        return address_text(address), await self._names.holder_name(address, history)


def _check_form(act: Act) -> None:
    if act.action not in ACTS:
        raise MalformedInput(f"no act of a title: {act.action[:32]!r}", where="action")
    if ACTS[act.action][1] != bool(act.to):
        rest = "needs a receiver" if not act.to else "has no receiver"
        raise MalformedInput(f"{act.action} {rest}", where="to")


def _is_repeated(
    moves: Sequence[Receipt], act: Act, account: Account, to: Address, data: bytes
) -> bool:
    """Whether the title's transaction after those seen is this very one."""
    if act.seen == len(moves):
        return False
    then = moves[act.seen].transaction if 0 <= act.seen < len(moves) else None
    if then and (then.sender, then.to, then.data) == (account.address, to, data):
        return True
    raise Conflict(
        f"the title has {len(moves)} transactions, the request rests on {act.seen}",
        code="title_moved",
        remedy="read the title again and decide anew",
    )


def _remark_in(transaction: Transaction) -> bytes:
    call = contract.call_of(transaction.data)
    return contract.remark_of(call) if call else b""
