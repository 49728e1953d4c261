"""A bundle: envelopes and receipts one after the other, for a request or for a stick.

`zhidao.bundle.v1` and a newline, then items: one letter, four bytes of length (big-endian), the
bytes. E: an envelope. R: a receipt. O: salt and content of the envelope before it (exports only).
Version 2 is an export that also has P: a proof that a node's log has events about the documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.versions import check_tag
from zhidao.exchange.domain.limits import BUNDLE_BYTES_MAX, BUNDLE_ITEMS_MAX

BUNDLE_TYPE: Final = "application/vnd.zhidao.bundle"
TAG: Final = b"zhidao.bundle.v1\n"
TAG_PROVEN: Final = b"zhidao.bundle.v2\n"
ENVELOPE: Final = "E"
RECEIPT: Final = "R"
OPENED: Final = "O"
PROOF: Final = "P"
_KINDS: Final = {kind.encode()[0]: kind for kind in (ENVELOPE, RECEIPT, OPENED)}
_PROVEN_KINDS: Final = _KINDS | {PROOF.encode()[0]: PROOF}
ITEM_OVERHEAD_BYTES: Final = 5


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of a bundle."""

    kind: str
    data: bytes


def encode_bundle(items: Iterable[Item]) -> bytes:
    """The bundle's bytes; of version 2 only if there is a proof among the items."""
    listed = list(items)
    out = bytearray(TAG_PROVEN if any(item.kind == PROOF for item in listed) else TAG)
    for item in listed:
        out += item.kind.encode() + len(item.data).to_bytes(4, "big") + item.data
    return bytes(out)


def decode_bundle(
    data: bytes, *, bytes_max: int = BUNDLE_BYTES_MAX, items_max: int = BUNDLE_ITEMS_MAX
) -> Sequence[Item]:
    """The items; what is in them is not read yet. Raises MalformedInput."""
    if len(data) > bytes_max:
        raise MalformedInput(f"a bundle of {len(data)} bytes; at most {bytes_max}")
    if not data.startswith((TAG, TAG_PROVEN)):
        begun = data[: len(TAG) + 9].decode("latin-1")
        tags = ("zhidao.bundle.v1", "zhidao.bundle.v2")
        check_tag(begun, tags, form="a bundle", where="byte 0")
        raise MalformedInput("not a bundle of version 1 or 2")
    kinds = _KINDS if data.startswith(TAG) else _PROVEN_KINDS
    items: list[Item] = []
    at = len(TAG)
    while at < len(data):
        kind = kinds.get(data[at])
        head = data[at + 1 : at + ITEM_OVERHEAD_BYTES]
        end = at + ITEM_OVERHEAD_BYTES + int.from_bytes(head, "big")
        if kind is None or len(head) < 4 or end > len(data):
            raise MalformedInput("the bundle is cut off or damaged", where=f"byte {at}")
        if len(items) == items_max:
            raise MalformedInput(f"a bundle of more than {items_max} items")
        items.append(Item(kind, data[at + ITEM_OVERHEAD_BYTES : end]))
        at = end
    return items
