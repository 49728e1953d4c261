"""Signing for the chain, logging what is signed, and waiting until it stands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.trust.domain.chain_rules import Admission
from zhidao.trust.domain.evm import Address, Transaction
from zhidao.trust.service.chain.ports import Account, Accounts, Executor, TitleContracts
from zhidao.trust.service.chain.submissions import ChainLog, Submission
from zhidao.trust.service.chain.title_records import TitleRecords
from zhidao.trust.wire.evm.title_contract import (
    GRANT_ROLE,
    MINTER_ROLE,
    ROLE_PURPOSES,
    Registry,
    call_of,
    grant_call,
    registry_code,
)
from zhidao.trust.wire.evm.transaction import Draft, decode, sign

# Twice what the dearest call (mint, 292,000 gas) and deployment (factory, 4.3 million) take.
CALL_GAS: Final = 600_000
_DEPLOY_GAS: Final = 9_000_000


class TitleWriting:
    """Writes transactions of the accounts that this node signs for."""

    def __init__(
        self,
        records: Records,
        told: TitleRecords,
        accounts: Accounts,
        contracts: Callable[[], TitleContracts],
        chain_log: ChainLog,
        executor: Executor,
        registry: Registry,
        *,
        chain_id: int,
    ) -> None:
        """`contracts` is called once a minter is new."""
        self._told = told
        self._accounts = accounts
        self._contracts = contracts
        self._log = chain_log
        self._executor = executor
        self._registry = registry
        self._chain_id = chain_id
        self._node = Actor(PartyId(records.node), Role.NODE)

    async def open_registry(self, account: Account, role: bytes = MINTER_ROLE) -> bytes:
        """Sets up the registry before the first title, and gives this account a role in it.

        Returns the hash of the transaction that gives the role. It is not waited for: what needs
        the role stands behind it in the log, so it runs after.
        """
        registrar = self._accounts.registrar()
        await self._executor.prepare(registrar.address, _DEPLOY_GAS)
        granted = {
            call.values: sent.hash
            for sent in await self._log.of_sender(registrar.address)
            if (call := call_of(sent.data)) and call.signature == GRANT_ROLE
        }
        if (role, account.address) in granted:
            return granted[role, account.address]
        contracts = await asyncio.to_thread(self._contracts)
        code = registry_code(contracts.token_code, self._registry.factory)

        def make(admission: Admission) -> list[Submission]:
            nonce = admission.next_nonce(registrar.address)
            setup: list[tuple[Address | None, bytes, int, str]] = [
                (None, contracts.factory_code, _DEPLOY_GAS, "deploy factory"),
                (None, code, _DEPLOY_GAS, "deploy registry"),
            ]
            grant = grant_call(role, account.address)
            steps = [*setup[nonce:], (self._registry.token, grant, CALL_GAS, ROLE_PURPOSES[role])]
            return [
                Submission(
                    self._node, self.signed(registrar, nonce + i, to, data, gas), purpose, ""
                )
                for i, (to, data, gas, purpose) in enumerate(steps)
            ]

        return (await self._log.submit(make))[-1].hash

    async def submit(
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
        await self._executor.prepare(account.address, CALL_GAS)

        def make(admission: Admission) -> list[Submission]:
            nonce = admission.next_nonce(account.address)
            return [Submission(actor, self.signed(account, nonce, to, data), purpose, title)]

        (transaction,) = await self._log.submit(make)
        await self._told.executed(transaction.hash)
        await self._told.tell(title)

    async def try_out(self, account: Account, *, to: Address, data: bytes) -> None:
        """Raises the Refused that a call would meet now; nothing is logged."""

        def make(admission: Admission) -> Transaction:
            # The chain's own count: others of the account's transactions may wait in the log.
            return decode(self.signed(account, admission.next_nonce(account.address), to, data))

        await self._executor.try_next(make)

    def signed(
        self,
        account: Account,
        nonce: int,
        to: Address | None,
        data: bytes,
        gas: int = CALL_GAS,
    ) -> bytes:
        """The signed bytes of a transaction: the same for the same count, content and fees."""
        fees = self._executor.fees()
        draft = Draft(
            chain_id=self._chain_id,
            nonce=nonce,
            to=to,
            data=data,
            gas=gas,
            fee_max_wei=fees.fee_max_wei,
            tip_max_wei=fees.tip_max_wei,
        )
        return sign(draft, account.sign_digest)
