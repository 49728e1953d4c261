"""The byte form of a chain's head and of its receipts: MessagePack of fixed structures.

It is this program's own cache, of one version: another version is replayed from the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from zhidao.core.errors import MalformedInput, Refused, Unavailable, ZhidaoError
from zhidao.core.versions import check_version
from zhidao.trust.domain.evm import Address, Block, FlatState, Held, StateChanges, Transaction
from zhidao.trust.domain.title_state import TitleState

_V = TypeVar("_V")
VERSION: Final = 1
_KINDS: Final = {kind.__name__: kind for kind in (MalformedInput, Refused, Unavailable)}


class _Refusal(msgspec.Struct, array_like=True):
    kind: str
    message: str
    code: str
    where: str
    remedy: str


class WireReceipt(msgspec.Struct, array_like=True):
    """A receipt and its title, with the refusal as texts."""

    hash: bytes
    block: Block
    transaction: Transaction | None
    action: str
    gas_used: int
    created: bytes | None
    titles: list[TitleState]
    refusal: _Refusal | None
    title: str


class WireHead(msgspec.Struct):
    """A head; `segments` are the digests of the files with its receipts, in order."""

    version: int
    chain_id: int
    block: Block
    accounts: dict[bytes, tuple[int, int, bytes]]
    codes: dict[bytes, bytes]
    # Words as bytes, since MessagePack's integers end at 64 bits.
    storage: dict[bytes, dict[bytes, bytes]]
    counts: dict[bytes, int]
    titles: list[TitleState]
    segments: list[bytes]


class WireStep(msgspec.Struct, array_like=True):
    """Receipts that follow a head, and what changed in the state with them; nil for what went."""

    receipts: list[WireReceipt]
    accounts: dict[bytes, tuple[int, int, bytes] | None]
    codes: dict[bytes, bytes]
    storage: dict[bytes, dict[bytes, bytes]]


def encode_step(receipts: list[WireReceipt], changes: StateChanges) -> bytes:
    """The bytes of a step."""
    step = WireStep(
        receipts,
        {
            address: held and (held.nonce, held.balance, held.code_hash)
            for address, held in changes.accounts.items()
        },
        dict(changes.codes),
        {address: _words(slots) for address, slots in changes.storage.items()},
    )
    return msgspec.msgpack.encode(step)


def decode_step(data: bytes) -> WireStep:
    """Raises MalformedInput."""
    try:
        return msgspec.msgpack.decode(data, type=WireStep)
    except (msgspec.DecodeError, ValueError) as error:
        raise MalformedInput(f"not a step of a chain: {error}") from error


def advance(head: WireHead, steps: Iterable[WireStep]) -> None:
    """Carries a head over the steps that follow it, in place.

    Counts and titles follow from the receipts. Raises MalformedInput for a step that does not
    follow the one before.
    """
    titles = {state.title: state for state in head.titles}
    for step in steps:
        if not step.receipts or step.receipts[0].block.number != head.block.number + 1:
            raise MalformedInput("a step does not follow what was before it")
        for receipt in step.receipts:
            made = receipt.transaction
            # What the chain did not take counts nothing, and costs no gas.
            if made is not None and receipt.gas_used:
                head.counts[made.sender] = made.nonce + 1
            titles.update((state.title, state) for state in receipt.titles)
        _advance(head.accounts, step.accounts)
        head.codes.update(step.codes)
        for address, words in step.storage.items():
            slots = head.storage.setdefault(address, {})
            _advance(slots, {slot: value or None for slot, value in words.items()})
        head.block = step.receipts[-1].block
    head.titles = list(titles.values())


def _advance(table: dict[bytes, _V], changed: Mapping[bytes, _V | None]) -> None:
    for key, value in changed.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value


def encode_head(head: WireHead) -> bytes:
    """The bytes of a head."""
    return msgspec.msgpack.encode(head)


def decode_head(data: bytes) -> WireHead:
    """Raises MalformedInput for anything else, another version among it."""
    try:
        head = msgspec.msgpack.decode(data, type=WireHead)
    except (msgspec.DecodeError, ValueError) as error:
        raise MalformedInput(f"not a chain's head: {error}") from error
    check_version(head.version, form="a chain's head", known=(VERSION,))
    return head


def encode_receipts(receipts: Sequence[WireReceipt]) -> bytes:
    """The bytes of some receipts."""
    return msgspec.msgpack.encode(receipts)


def decode_receipts(data: bytes) -> list[WireReceipt]:
    """Raises MalformedInput."""
    try:
        return msgspec.msgpack.decode(data, type=list[WireReceipt])
    except (msgspec.DecodeError, ValueError) as error:
        raise MalformedInput(f"not a chain's receipts: {error}") from error


def wire_refusal(refusal: ZhidaoError | None) -> _Refusal | None:
    """A refusal as texts."""
    if refusal is None:
        return None
    kind = next((k for k, v in _KINDS.items() if isinstance(refusal, v)), Refused.__name__)
    return _Refusal(kind, str(refusal.args[0]), refusal.code, refusal.where, refusal.remedy)


def refusal_of(texts: _Refusal | None) -> ZhidaoError | None:
    """The refusal again."""
    if texts is None:
        return None
    kind = _KINDS.get(texts.kind, Refused)
    return kind(texts.message, code=texts.code, where=texts.where, remedy=texts.remedy)


def wire_state(state: FlatState) -> dict[str, dict[bytes, object]]:
    """The three tables of a state in their byte forms."""
    return {
        "accounts": {address: tuple(held) for address, held in state.accounts.items()},
        "codes": dict(state.codes),
        "storage": {address: _words(slots) for address, slots in state.storage.items()},
    }


def state_of(head: WireHead) -> FlatState:
    """The state of a head."""
    return FlatState(
        {address: Held(*held) for address, held in head.accounts.items()},
        head.codes,
        {
            address: {
                int.from_bytes(slot, "big"): int.from_bytes(value, "big")
                for slot, value in slots.items()
            }
            for address, slots in head.storage.items()
        },
    )


def counts_of(head: WireHead) -> dict[Address, int]:
    """The senders' counts of a head."""
    return {Address(address): count for address, count in head.counts.items()}


def _words(slots: Mapping[int, int]) -> dict[bytes, bytes]:
    return {_word(slot): _word(value) for slot, value in slots.items()}


def _word(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
