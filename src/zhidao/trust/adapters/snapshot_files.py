"""A chain's snapshots in a folder: one file for the head, one for each batch of receipts."""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.trust.domain.evm import Address
from zhidao.trust.service.chain_snapshot import Entry, Head
from zhidao.trust.service.title_receipt import Receipt
from zhidao.trust.wire.chain_snapshot import (
    VERSION,
    WireHead,
    WireReceipt,
    counts_of,
    decode_head,
    decode_receipts,
    encode_head,
    encode_receipts,
    refusal_of,
    state_of,
    wire_refusal,
    wire_state,
)

_HEAD: Final = "head"
_DIGEST_BYTES: Final = 32


class SnapshotFiles:
    """Implements `Snapshots`. Batches are written once, then the head is replaced whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._segments: list[bytes] = []

    def load(self, chain_id: int) -> tuple[Head, list[Entry]] | None:
        """What was kept, if every file has the digest that names it; None otherwise."""
        try:
            wire = self._read_head(chain_id)
            with _without_collector():
                entries = [
                    _entry(receipt)
                    for digest in wire.segments
                    for receipt in decode_receipts(self._read_segment(digest))
                ]
        except (OSError, MalformedInput):
            return None
        if len(entries) != wire.block.number:
            return None
        self._segments = list(wire.segments)
        head = Head(chain_id, wire.block, state_of(wire), counts_of(wire), wire.titles)
        return head, entries

    def save(self, head: Head, fresh: Sequence[Entry]) -> None:
        """Writes a batch and then the head that names it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if fresh:
            data = encode_receipts([_wire(entry) for entry in fresh])
            digest = hashlib.sha256(data).digest()
            self._replace(digest.hex(), data)
            self._segments.append(digest)
        state: dict[str, Any] = wire_state(head.state)
        wire = WireHead(
            version=VERSION,
            chain_id=head.chain_id,
            block=head.block,
            counts={bytes(address): count for address, count in head.counts.items()},
            titles=list(head.titles),
            segments=self._segments,
            **state,
        )
        data = encode_head(wire)
        self._replace(_HEAD, hashlib.sha256(data).digest() + data)

    def discard(self) -> None:
        """Takes the head away; batches that nothing names are harmless."""
        self._segments = []
        (self._folder / _HEAD).unlink(missing_ok=True)

    def _read_head(self, chain_id: int) -> WireHead:
        data = (self._folder / _HEAD).read_bytes()
        if hashlib.sha256(data[_DIGEST_BYTES:]).digest() != data[:_DIGEST_BYTES]:
            raise MalformedInput("the head of the chain's snapshot is broken")
        wire = decode_head(data[_DIGEST_BYTES:])
        if wire.chain_id != chain_id:
            raise MalformedInput("the snapshot is another chain's")
        return wire

    def _read_segment(self, digest: bytes) -> bytes:
        data = (self._folder / digest.hex()).read_bytes()
        if hashlib.sha256(data).digest() != digest:
            raise MalformedInput("a batch of the chain's snapshot is broken")
        return data

    def _replace(self, name: str, data: bytes) -> None:
        beside = self._folder / f"{name}.new"
        with beside.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(self._folder / name)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _wire(entry: Entry) -> WireReceipt:
    receipt = entry.receipt
    return WireReceipt(
        hash=receipt.hash,
        block=receipt.block,
        transaction=receipt.transaction,
        action=receipt.action,
        gas_used=receipt.gas_used,
        created=receipt.created,
        titles=list(receipt.titles),
        refusal=wire_refusal(receipt.refusal),
        title=entry.title,
    )


def _entry(wire: WireReceipt) -> Entry:
    receipt = Receipt(
        hash=wire.hash,
        block=wire.block,
        transaction=wire.transaction,
        action=wire.action,
        gas_used=wire.gas_used,
        created=None if wire.created is None else Address(wire.created),
        titles=tuple(wire.titles),
        refusal=refusal_of(wire.refusal),
    )
    return Entry(receipt, wire.title)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Hundreds of thousands of new values make the collector look again and again for nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
