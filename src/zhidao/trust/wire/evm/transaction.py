"""EIP-1559 transactions: signed bytes to values and back, one spelling each.

Source: EIP-1559 (the `0x02` envelope), EIP-2718, EIP-2 (the lower half of s). Only what this
house sends is read: type 2 with an empty access list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import coincurve

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trust.domain.evm import Address, Transaction
from zhidao.trust.wire.evm import rlp
from zhidao.trust.wire.evm.keccak import address_of_point, keccak256

TRANSACTION_BYTES_MAX: Final = 128 * 1024
_TYPE: Final = b"\x02"
# Order of the group of secp256k1: SEC 2 version 2, section 2.4.1.
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_FIELDS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a sender signs. Fees are zero by default: this house's chain asks none."""

    chain_id: int
    nonce: int
    to: Address | None
    data: bytes
    gas: int
    value_wei: int = 0
    fee_max_wei: int = 0
    tip_max_wei: int = 0

    def _fields(self) -> list[rlp.Item]:
        numbers = (self.chain_id, self.nonce, self.tip_max_wei, self.fee_max_wei, self.gas)
        return [
            *(rlp.encode_integer(number) for number in numbers),
            bytes(self.to or b""),
            rlp.encode_integer(self.value_wei),
            self.data,
            [],
        ]


def sign(draft: Draft, sign_digest: Callable[[bytes], bytes]) -> bytes:
    """The signed bytes. `sign_digest` gives r || s || parity (65 bytes) over a 32-byte digest."""
    signature = sign_digest(keccak256(_TYPE + rlp.encode(draft._fields())))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    tail: list[rlp.Item] = [rlp.encode_integer(part) for part in (signature[64], r, s)]
    return _TYPE + rlp.encode(draft._fields() + tail)


def decode(raw: bytes) -> Transaction:
    """Reads signed bytes and recovers who signed them.

    Raises MalformedInput for anything but the one canonical form, and Refused with code
    `malleated_signature` if s lies in the upper half: such a twin has another hash but would do
    the same.
    """
    if len(raw) > TRANSACTION_BYTES_MAX:
        raise MalformedInput(
            f"a transaction of {len(raw)} bytes; at most {TRANSACTION_BYTES_MAX} are read"
        )
    if raw[:1] != _TYPE:
        raise MalformedInput("not an EIP-1559 transaction: its first byte is not 0x02")
    fields = rlp.decode(raw[1:])
    if not isinstance(fields, list) or len(fields) != _FIELDS:
        raise MalformedInput(f"an EIP-1559 transaction is a list of {_FIELDS} fields")
    draft = _draft(fields)
    parity, r, s = (
        rlp.decode_integer(item, name=name)
        for item, name in zip(fields[9:], ("y_parity", "r", "s"), strict=True)
    )
    digest = keccak256(_TYPE + rlp.encode(fields[:9]))
    return Transaction(
        chain_id=draft.chain_id,
        nonce=draft.nonce,
        fee_max_wei=draft.fee_max_wei,
        tip_max_wei=draft.tip_max_wei,
        gas=draft.gas,
        to=draft.to,
        value_wei=draft.value_wei,
        data=draft.data,
        sender=_recover(digest, parity=parity, r=r, s=s),
        hash=keccak256(raw),
        raw=raw,
    )


def _draft(fields: list[rlp.Item]) -> Draft:
    def number(index: int, name: str, bytes_max: int = 8) -> int:
        return rlp.decode_integer(fields[index], name=name, bytes_max=bytes_max)

    to, data = fields[5], fields[7]
    if not isinstance(to, bytes) or len(to) not in (0, 20):
        raise MalformedInput("the receiver is neither empty nor an address")
    if not isinstance(data, bytes):
        raise MalformedInput("the call data is a list")
    if fields[8] != []:
        raise MalformedInput("this chain takes no access lists; leave it empty")
    return Draft(
        chain_id=number(0, "chain id"),
        nonce=number(1, "nonce"),
        tip_max_wei=number(2, "tip", 32),
        fee_max_wei=number(3, "fee", 32),
        gas=number(4, "gas"),
        to=Address(to) if to else None,
        value_wei=number(6, "value", 32),
        data=data,
    )


def _recover(digest: bytes, *, parity: int, r: int, s: int) -> Address:
    if parity > 1 or not 0 < r < _ORDER or not 0 < s < _ORDER:
        raise MalformedInput("the signature's numbers are out of range")
    if s > _ORDER // 2:
        raise Refused(
            "s lies in the upper half: this is a twin of another signature (EIP-2)",
            code="malleated_signature",
            remedy="send the transaction as its holder signed it",
        )
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    try:
        key = coincurve.PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception as error:
        # coincurve raises plain Exception where no point has this r.
        raise MalformedInput("no key can have made this signature") from error
    return address_of_point(key.format(compressed=False))
