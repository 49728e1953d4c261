"""The TitleGuard contract as bytes: an owner's account whose guardians can name another owner.

Source: contracts/TitleGuard.vy of this room.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trust.domain.evm import WORD_BYTES, Address, Transaction
from zhidao.trust.wire.evm import abi
from zhidao.trust.wire.evm.title_contract import Call, call_of

# SHA-256 and size of the creation code that vyper 0.4.3 makes for the Shanghai rules.
GUARD_SHA256: Final = "8f88a84dde18b2280703b99d54e27ac917f566ea3d43a1da61d070973f486e5a"
GUARD_BYTES: Final = 2_961
GUARDIANS_MAX: Final = 9
DELAY_S_MIN: Final = 86_400
ACT: Final = "act(address,bytes)"
SUPPORT: Final = "support(address)"
CANCEL: Final = "cancel()"
RECOVER: Final = "recover()"
_CALLS: Final = (ACT, SUPPORT, CANCEL, RECOVER)
_HEAD_WORDS: Final = 4


@dataclass(frozen=True, slots=True)
class GuardTerms:
    """What a guard was created with. `delay_s`: how long the lock runs, in seconds."""

    owner: Address
    guardians: tuple[Address, ...]
    threshold: int
    delay_s: int

    def __post_init__(self) -> None:
        named = {self.owner, *self.guardians}
        if len(named) != len(self.guardians) + 1 or Address(bytes(20)) in named:
            raise Refused("guardians are others than the owner, each once", code="bad_guardians")
        if not 0 < self.threshold <= len(self.guardians) <= GUARDIANS_MAX:
            raise Refused(
                f"{self.threshold} of {len(self.guardians)} guardians is no threshold; a guard has "
                f"1 to {GUARDIANS_MAX}",
                code="bad_guardians",
            )
        if self.delay_s < DELAY_S_MIN:
            raise Refused("a time lock runs for a day at least", code="lock_too_short")


def guard_code(code: bytes, terms: GuardTerms) -> bytes:
    """Creation code of a guard: the compiled code and its constructor's arguments."""
    head = (terms.owner, _HEAD_WORDS * WORD_BYTES, terms.threshold, terms.delay_s)
    kinds = ("address", "uint256", "uint256", "uint256")
    words = abi.encode(kinds, head) + abi.encode(("uint256",), (len(terms.guardians),))
    return code + words + b"".join(abi.encode(("address",), (one,)) for one in terms.guardians)


def guard_terms(data: bytes) -> GuardTerms | None:
    """The terms inside creation code, or None if it is not the published guard's."""
    code, words = data[:GUARD_BYTES], data[GUARD_BYTES:]
    if hashlib.sha256(code).hexdigest() != GUARD_SHA256:
        return None
    try:
        kinds = ("address", "uint256", "uint256", "uint256", "uint256")
        head = (_HEAD_WORDS + 1) * WORD_BYTES
        owner, _, threshold, delay_s, count = abi.decode(kinds, words[:head])
        assert isinstance(count, int), "a uint256 is an integer"
        guardians = abi.decode(("address",) * min(count, GUARDIANS_MAX + 1), words[head:])
        terms = GuardTerms(owner, guardians, threshold, delay_s)  # type: ignore[arg-type]
    except (MalformedInput, Refused):
        return None
    return terms if guard_code(code, terms) == data else None


def act_call(target: Address, data: bytes) -> bytes:
    """The owner calls a contract in the guard's name."""
    return abi.encode_call(ACT, (target, data))


def support_call(candidate: Address) -> bytes:
    """A guardian speaks for a new owner."""
    return abi.encode_call(SUPPORT, (candidate,))


def cancel_call() -> bytes:
    """The owner is still there."""
    return abi.encode_call(CANCEL, ())


def recover_call() -> bytes:
    """The chosen one takes over."""
    return abi.encode_call(RECOVER, ())


def is_guard_call(data: bytes) -> bool:
    """Whether call data is one of a guard's four calls in its canonical form."""
    return _decoded(data) is not None


def acted(data: bytes) -> tuple[Address, bytes] | None:
    """Whom a guard's `act` calls and with what; None for any other call data."""
    found = _decoded(data)
    if found is None or found[0] != ACT:
        return None
    target, inner = found[1]
    assert isinstance(target, bytes), "the type says address"
    assert isinstance(inner, bytes), "the type says bytes"
    return Address(target), inner


def title_call_of(transaction: Transaction) -> Call | None:
    """The title contracts' call of a transaction, made directly or through a guard."""
    if transaction.to is None:
        return None
    through = acted(transaction.data)
    return call_of(through[1] if through else transaction.data)


def target_of(transaction: Transaction) -> Address | None:
    """The contract that a transaction calls in the end, directly or through a guard."""
    through = acted(transaction.data) if transaction.to else None
    return through[0] if through else transaction.to


def _decoded(data: bytes) -> tuple[str, Sequence[abi.Value]] | None:
    for signature in _CALLS:
        if data[:4] != abi.selector(signature):
            continue
        try:
            return signature, abi.decode(abi.types_of(signature), data[4:])
        except MalformedInput:
            return None
    return None
