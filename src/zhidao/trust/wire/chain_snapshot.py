"""The byte form of a chain's head and of its receipts: MessagePack of fixed structures.

It is this program's own cache, of one version: another version is replayed from the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from zhidao.core.errors import MalformedInput, Refused, Unavailable, ZhidaoError
from zhidao.trust.domain.evm import Address, Block, FlatState, Held, Transaction
from zhidao.trust.domain.title_state import TitleState

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


def encode_head(head: WireHead) -> bytes:
    """The bytes of a head."""
    return msgspec.msgpack.encode(head)


def decode_head(data: bytes) -> WireHead:
    """Raises MalformedInput for anything else, another version among it."""
    try:
        head = msgspec.msgpack.decode(data, type=WireHead)
    except (msgspec.DecodeError, ValueError) as error:
        raise MalformedInput(f"not a chain's head: {error}") from error
    if head.version != VERSION:
        raise MalformedInput(f"a head of version {head.version}; this program writes {VERSION}")
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
        "storage": {
            address: {_word(slot): _word(value) for slot, value in slots.items()}
            for address, slots in state.storage.items()
        },
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


def _word(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
