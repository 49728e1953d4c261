"""The engine: py-evm with one long-lived state, without blocks or headers of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from zhidao.core.errors import Unavailable
from zhidao.core.programs.extras import REINSTALL
from zhidao.trust.adapters.chain.evm_runs import faster
from zhidao.trust.adapters.chain.flat_accounts import FlatAccounts
from zhidao.trust.domain.chain_rules import intrinsic_gas
from zhidao.trust.domain.evm import (
    BLOCK_GAS_MAX,
    Address,
    Block,
    FlatState,
    LogEntry,
    Outcome,
    StateChanges,
    Transaction,
)
from zhidao.trust.wire.evm.keccak import keccak256

# 1,024 nested calls of the EVM are some ten Python calls each.
_RECURSION_MAX: Final = 20_000


class PyEvmEngine:
    """Implements `service.title_ports.Engine` under the rules of Shanghai.

    Importing py-evm takes 0.7 s, so it happens in the constructor and not before. `written_runs`:
    straight runs of contract code become Python functions by `exec`, about three times as fast;
    otherwise every opcode is py-evm's own.
    """

    def __init__(self, chain_id: int, *, written_runs: bool = False) -> None:
        try:
            # Importing raises the interpreter's limit for good, and what then recurses in C on a
            # stranger's bytes ends the process instead of raising.
            with _recursion_limit(sys.getrecursionlimit()):
                from eth.db.atomic import AtomicDB
                from eth.exceptions import Revert
                from eth.vm.execution_context import ExecutionContext
                from eth.vm.forks.shanghai.state import ShanghaiState
        except ImportError as error:
            raise Unavailable(
                "the EVM engine is not installed", code="no_engine", remedy=REINSTALL
            ) from error
        self._chain_id = chain_id
        self._revert = Revert
        self._context: Any = ExecutionContext
        _hash_fast()

        class FlatShanghai(ShanghaiState):
            # It has the methods that a state calls, and not those of a trie.
            account_db_class: Any = FlatAccounts
            computation_class: Any = (
                faster(ShanghaiState.computation_class)
                if written_runs
                else ShanghaiState.computation_class
            )

        make: Any = FlatShanghai
        self._state: Any = make(AtomicDB(), self._at(Block(0, 0)), b"")
        self._accounts: FlatAccounts = self._state._account_db

    def execute(self, transaction: Transaction, block: Block) -> Outcome:
        """Executes a transaction for good."""
        outcome = self._apply(transaction, block)
        self._state.lock_changes()
        return outcome

    def try_out(self, transaction: Transaction, block: Block) -> Outcome:
        """What `execute` would answer, leaving no trace."""
        before = self._state.snapshot()
        try:
            return self._apply(transaction, block)
        finally:
            self._state.revert(before)
            self._state.lock_changes()

    def state_root(self) -> bytes:
        """The root of the state trie, built when it is asked for."""
        return self._accounts.root()

    def dump(self) -> FlatState:
        """The whole state, to go on from later."""
        return self._accounts.dump()

    def changes(self) -> StateChanges:
        """What was written since this was asked last."""
        return self._accounts.changes()

    def load(self, state: FlatState) -> None:
        """Goes on from a state."""
        self._accounts.load(state)

    def _at(self, block: Block) -> Any:
        return self._context(
            coinbase=bytes(20),
            timestamp=block.timestamp_s,
            block_number=block.number,
            difficulty=0,
            mix_hash=bytes(32),
            gas_limit=BLOCK_GAS_MAX,
            prev_hashes=(),
            chain_id=self._chain_id,
            base_fee_per_gas=0,
        )

    def _apply(self, transaction: Transaction, block: Block) -> Outcome:
        state = self._state
        state.execution_context = self._at(block)
        state.set_nonce(transaction.sender, transaction.nonce)
        form = _Form.of(transaction)
        executor = state.get_transaction_executor()
        message = executor.build_evm_message(form)
        with _recursion_limit(_RECURSION_MAX):
            computation = executor.build_computation(message, form)
            computation = executor.finalize_computation(form, computation)
        spent = transaction.gas - computation.get_gas_remaining()
        refund = executor.calculate_gas_refund(computation, spent)
        failure = self._failure(computation)
        created = message.storage_address if transaction.to is None and not failure else None
        return Outcome(
            gas_used=spent - refund,
            output=bytes(computation.output) if transaction.to or failure else b"",
            logs=tuple(_log(*entry) for entry in computation.get_log_entries()),
            created=Address(created) if created else None,
            failure=failure,
        )

    def _failure(self, computation: Any) -> str:
        if computation.is_success:
            return ""
        fault = computation.error
        return "revert" if isinstance(fault, self._revert) else type(fault).__name__


@dataclass(slots=True)
class _Form:
    """A transaction in the shape that py-evm's executor reads; its sender is already known."""

    sender: bytes
    nonce: int
    to: bytes
    data: bytes
    gas: int
    intrinsic_gas: int
    value: int = 0
    gas_price: int = 0
    max_fee_per_gas: int = 0
    max_priority_fee_per_gas: int = 0
    access_list: tuple[()] = field(default=())

    @classmethod
    def of(cls, transaction: Transaction) -> _Form:
        return cls(
            sender=transaction.sender,
            nonce=transaction.nonce,
            to=transaction.to or b"",
            data=transaction.data,
            gas=transaction.gas,
            intrinsic_gas=intrinsic_gas(transaction.data, creates=transaction.to is None),
        )


@contextmanager
def _recursion_limit(limit: int) -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _log(address: bytes, topics: tuple[int, ...], data: bytes) -> LogEntry:
    return LogEntry(Address(address), tuple(t.to_bytes(32, "big") for t in topics), bytes(data))


def _hash_fast() -> None:
    """Gives py-evm the house's Keccak-256, which is OpenSSL's where that has it."""
    from eth_hash.auto import keccak

    hashing: Any = keccak
    hashing.hasher = keccak256
