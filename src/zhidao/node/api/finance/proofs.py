"""Routes of ledger proofs: that a transfer stands, and what a balance was when it was stated."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import READ, Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import NotFound
from zhidao.core.money import Currency
from zhidao.finance.domain.ledger.proof import LedgerProof
from zhidao.finance.domain.ledger.records import from_bytes, transfers_of
from zhidao.finance.events import BalancesStated
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.ledger.proofs import Proofs
from zhidao.finance.wire.ledger_proof import encode
from zhidao.node.http.access import ACCESS

# An operator states them for all banks; a bank does for its own.
MAY_STATE_BALANCES: Final = access(
    Role.OPERATOR, Role.PARTY, relation=Relation.BANK_OF, of="an account in the ledger"
)

_Ledger = Annotated[str, Parameter(pattern=r"^[A-Z]{3}\Z", max_length=3)]


class ProofView(msgspec.Struct, kw_only=True):
    """A proof of at most 2 kB and what the log must state for it to hold, hex.

    Save `proof` as a file: `docs/checks/ledger_proof_check.py FILE ANCHOR` checks it with nothing
    of ours. `stated_in`: the aggregate whose event states the anchor; `batch`: which one.
    """

    proof: msgspec.Raw
    anchor: str
    stated_in: str
    batch: int


def routes(accounts: Accounts, ledger: Ledger, proofs: Proofs) -> Router:
    """Routes under /v1/finance/ledgers."""

    async def may_see(actor: Actor, account: UUID) -> bool:
        with contextlib.suppress(NotFound):
            await accounts.statement(actor, str(account))
            return True
        return False

    @get("/{ledger_name:str}/transfers/{transfer:uuid}/proof", opt={ACCESS: READ})
    async def of_transfer(ledger_name: _Ledger, transfer: UUID, actor: Actor) -> ProofView:
        """Proves a transfer to or from an account that the caller keeps or holds."""
        proof = await proofs.transfer(Currency(ledger_name).code, transfer)
        (stands,) = transfers_of(from_bytes(proof.record))
        if stands.pending_id.int and not stands.debit_account_id.int:
            held = await proofs.transfer(ledger_name, stands.pending_id)
            (stands,) = transfers_of(from_bytes(held.record))
        for account in (stands.debit_account_id, stands.credit_account_id):
            if await may_see(actor, account):
                return _view(proof, f"ledger/{ledger_name}")
        raise NotFound("no transfer of that name stands in this ledger")

    @get("/{ledger_name:str}/accounts/{account:uuid}/proof", opt={ACCESS: READ})
    async def of_balance(ledger_name: _Ledger, account: UUID, actor: Actor) -> ProofView:
        """Proves what an account held when the balances were stated last."""
        if not await may_see(actor, account):
            raise NotFound("no account of that name in the newest stated balances")
        proof = await proofs.balance(Currency(ledger_name).code, account)
        return _view(proof, f"balances/{ledger_name}")

    @post("/{ledger_name:str}/balances", opt={ACCESS: MAY_STATE_BALANCES})
    async def state(ledger_name: _Ledger, actor: Actor) -> BalancesStated:
        """States all balances of a ledger in the log, as one root; banks and operators only."""
        MAY_STATE_BALANCES.admit(actor)
        if actor.role is not Role.OPERATOR:
            await accounts.require_bank(actor)
        return await ledger.state_balances(Currency(ledger_name).code)

    handlers: list[Any] = [of_transfer, of_balance, state]
    return Router("/v1/finance/ledgers", route_handlers=handlers, tags=["finance"])


def _view(proof: LedgerProof, stated_in: str) -> ProofView:
    anchor = proof.anchor
    assert anchor is not None, "a proof of our own leads somewhere"
    return ProofView(
        proof=msgspec.Raw(encode(proof)),
        anchor=anchor.hex(),
        stated_in=stated_in,
        batch=proof.batch,
    )
