"""The accounts of a chain as plain dictionaries with an undo log: what py-evm executes upon.

A state trie costs more than the execution of a title's transaction, and grows with every title.
Nobody needs its root for each transaction, since the transactions stand in the log; it is built
when somebody asks for it, and is the root that Ethereum's rules give.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from zhidao.trust.domain.evm import EMPTY_CODE, FlatState, Held, StateChanges
from zhidao.trust.wire.evm.keccak import keccak256
from zhidao.trust.wire.evm.rlp import encode, encode_integer


class FlatAccounts:
    """The part of py-evm's account database that its state asks for (`AccountDatabaseAPI`)."""

    def __init__(self, db: object = None, state_root: bytes = b"") -> None:
        """py-evm gives a database and a root; neither is needed here."""
        del db, state_root
        self._accounts: dict[bytes, Held] = {}
        self._codes: dict[bytes, bytes] = {}
        self._storage: dict[bytes, dict[int, int]] = {}
        self._before: dict[tuple[bytes, int], int] = {}
        self._warm: set[object] = set()
        self._undo: list[Callable[[], object]] = []
        # Whatever was written since `changes` was asked last, also what was undone again.
        self._touched: set[bytes] = set()
        self._touched_codes: set[bytes] = set()
        self._touched_words: set[tuple[bytes, int]] = set()

    def load(self, state: FlatState) -> None:
        """Takes over a state."""
        self._accounts = dict(state.accounts)
        self._codes = dict(state.codes)
        self._storage = {address: dict(slots) for address, slots in state.storage.items()}

    def dump(self) -> FlatState:
        """The state as it stands, sharing nothing with later changes but codes."""
        storage = {address: dict(slots) for address, slots in self._storage.items() if slots}
        return FlatState(dict(self._accounts), dict(self._codes), storage)

    def changes(self) -> StateChanges:
        """What was written since this was asked last, as it stands now."""
        storage: dict[bytes, dict[int, int]] = {}
        for address, slot in self._touched_words:
            word = self._storage.get(address, {}).get(slot, 0)
            storage.setdefault(address, {})[slot] = word
        found = StateChanges(
            {address: self._accounts.get(address) for address in self._touched},
            {digest: self._codes[digest] for digest in self._touched_codes},
            storage,
        )
        for touched in (self._touched, self._touched_codes, self._touched_words):
            touched.clear()
        return found

    # py-evm stores and compares the root around each call; here it says nothing.
    @property
    def state_root(self) -> bytes:
        """Always the same; see `root`."""
        return b""

    @state_root.setter
    def state_root(self, value: bytes) -> None:
        """Takes back what it gave."""
        del value

    def root(self) -> bytes:
        """The root of the state trie, built now: it takes milliseconds for each account."""
        from trie.hexary import HexaryTrie

        whole: Any = HexaryTrie({}, prune=True)
        for address, held in self._accounts.items():
            storage: Any = HexaryTrie({}, prune=True)
            for slot, value in self._storage.get(address, {}).items():
                storage[keccak256(slot.to_bytes(32, "big"))] = encode(encode_integer(value))
            whole[keccak256(address)] = encode(
                [
                    encode_integer(held.nonce),
                    encode_integer(held.balance),
                    storage.root_hash,
                    held.code_hash,
                ]
            )
        return bytes(whole.root_hash)

    def record(self) -> int:
        """A place in the undo log."""
        return len(self._undo)

    def discard(self, checkpoint: int) -> None:
        """Undoes everything since that place."""
        while len(self._undo) > checkpoint:
            self._undo.pop()()

    def commit(self, checkpoint: int) -> None:
        """Keeps it; an outer place may still undo it."""

    def lock_changes(self) -> None:
        """Ends a transaction: nothing before is undone, and all is cold again."""
        self._undo.clear()
        self._before.clear()
        self._warm.clear()

    def get_storage(self, address: bytes, slot: int, from_journal: bool = True) -> int:  # noqa: FBT001, FBT002 (py-evm's call)
        """A word; with `from_journal` false as it was when the transaction began."""
        if not from_journal:
            before = self._before.get((address, slot))
            if before is not None:
                return before
        return self._storage.get(address, {}).get(slot, 0)

    def set_storage(self, address: bytes, slot: int, value: int) -> None:
        """Writes a word."""
        slots = self._storage.setdefault(address, {})
        old = slots.get(slot, 0)
        key = (address, slot)
        self._touched_words.add(key)
        if key not in self._before:
            self._before[key] = old
            self._undo.append(lambda: self._before.pop(key))
        self._undo.append(lambda: _put(slots, slot, old))
        _put(slots, slot, value)

    def delete_storage(self, address: bytes) -> None:
        """Forgets all words of an address."""
        old = self._storage.pop(address, None)
        if old is not None:
            self._touched_words.update((address, slot) for slot in old)
            self._undo.append(lambda: self._storage.__setitem__(address, old))

    def is_storage_warm(self, address: bytes, slot: int) -> bool:
        """Whether this transaction has touched the word."""
        return (address, slot) in self._warm

    def mark_storage_warm(self, address: bytes, slot: int) -> None:
        """Notes that it has."""
        self._heat((address, slot))

    def is_address_warm(self, address: bytes) -> bool:
        """Whether this transaction has touched the address."""
        return address in self._warm

    def mark_address_warm(self, address: bytes) -> None:
        """Notes that it has."""
        self._heat(address)

    def get_balance(self, address: bytes) -> int:
        """In wei."""
        return self._held(address).balance

    def set_balance(self, address: bytes, balance: int) -> None:
        """In wei."""
        self._set(address, self._held(address)._replace(balance=balance))

    def get_nonce(self, address: bytes) -> int:
        """The count of the account."""
        return self._held(address).nonce

    def set_nonce(self, address: bytes, nonce: int) -> None:
        """The count of the account."""
        self._set(address, self._held(address)._replace(nonce=nonce))

    def increment_nonce(self, address: bytes) -> None:
        """One more."""
        self.set_nonce(address, self.get_nonce(address) + 1)

    def get_code(self, address: bytes) -> bytes:
        """The code of a contract; empty for others."""
        return self._codes.get(self._held(address).code_hash, b"")

    def set_code(self, address: bytes, code: bytes) -> None:
        """Codes are kept by digest, so all escrows share one."""
        digest = keccak256(code)
        if code:
            self._codes[digest] = code
            self._touched_codes.add(digest)
        self._set(address, self._held(address)._replace(code_hash=digest))

    def get_code_hash(self, address: bytes) -> bytes:
        """Keccak-256 of the code."""
        return self._held(address).code_hash

    def delete_code(self, address: bytes) -> None:
        """Takes the code away."""
        self._set(address, self._held(address)._replace(code_hash=EMPTY_CODE))

    def account_has_code_or_nonce(self, address: bytes) -> bool:
        """Whether a contract may not be created here."""
        held = self._held(address)
        return held.nonce != 0 or held.code_hash != EMPTY_CODE

    def account_exists(self, address: bytes) -> bool:
        """Whether the address stands in the state at all."""
        return address in self._accounts

    def account_is_empty(self, address: bytes) -> bool:
        """EIP-161: no code, no count, no balance."""
        return self._held(address) == _NOTHING

    def touch_account(self, address: bytes) -> None:
        """Makes the address stand in the state."""
        self._set(address, self._held(address))

    def delete_account(self, address: bytes) -> None:
        """Takes an address out of the state."""
        self.delete_storage(address)
        old = self._accounts.pop(address, None)
        if old is not None:
            self._touched.add(address)
            self._undo.append(lambda: self._accounts.__setitem__(address, old))

    def has_root(self, state_root: bytes) -> bool:
        """There is only the state that stands."""
        del state_root
        return True

    def _held(self, address: bytes) -> Held:
        return self._accounts.get(address, _NOTHING)

    def _set(self, address: bytes, held: Held) -> None:
        old = self._accounts.get(address)
        self._touched.add(address)
        if old is None:
            self._undo.append(lambda: self._accounts.pop(address))
        else:
            self._undo.append(lambda: self._accounts.__setitem__(address, old))
        self._accounts[address] = held

    def _heat(self, key: object) -> None:
        if key not in self._warm:
            self._warm.add(key)
            self._undo.append(lambda: self._warm.discard(key))


_NOTHING: Final = Held()


def _put(slots: dict[int, int], slot: int, value: int) -> None:
    # A word of zero is no word.
    if value:
        slots[slot] = value
    else:
        slots.pop(slot, None)
