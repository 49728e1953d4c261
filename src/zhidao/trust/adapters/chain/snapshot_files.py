"""A chain's snapshots in a folder: the head, batches of receipts, and a journal behind the head.

A head holds the whole state, so it is written anew only after thousands of transactions. In
between, receipts and changes are added to a journal that bears the digest of its head: a journal
of another head counts nothing, and of a torn one what is whole.
"""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.trust.domain.evm import Address, StateChanges
from zhidao.trust.service.chain.receipt import Receipt
from zhidao.trust.service.chain.snapshot import Entry, Head
from zhidao.trust.wire.evm.chain_snapshot import (
    VERSION,
    WireHead,
    WireReceipt,
    WireStep,
    advance,
    counts_of,
    decode_head,
    decode_receipts,
    decode_step,
    encode_head,
    encode_receipts,
    encode_step,
    refusal_of,
    state_of,
    wire_refusal,
    wire_state,
)

_HEAD: Final = "head"
_JOURNAL: Final = "journal-"
_DIGEST_BYTES: Final = 32
_LENGTH_BYTES: Final = 4
# A head of a hundred thousand transactions has five megabytes: it is written once in so many.
WHOLE_EVERY: Final = 4_096


class SnapshotFiles:
    """Implements `Snapshots`. Batches are written once, then the head is replaced whole."""

    def __init__(self, folder: Path, *, whole_every: int = WHOLE_EVERY) -> None:
        """whole_every: so many transactions may stand in the journal."""
        self._folder = folder
        self._whole_every = whole_every
        self._segments: list[bytes] = []
        # Of the head whose journal may be continued; `` until there is one.
        self._head_digest = b""
        self._in_journal: list[Entry] = []

    def load(self, chain_id: int) -> tuple[Head, list[Entry]] | None:
        """What was kept, if head and batches have their digests; None otherwise."""
        self._head_digest = b""
        try:
            with _without_collector():
                wire, digest = self._read_head(chain_id)
                entries = [
                    _entry(receipt)
                    for segment in wire.segments
                    for receipt in decode_receipts(self._read_segment(segment))
                ]
                if len(entries) != wire.block.number:
                    return None
                behind = self._read_journal(wire, digest)
                entries.extend(behind)
                head = Head(chain_id, wire.block, state_of(wire), counts_of(wire), wire.titles)
        except (OSError, MalformedInput):
            return None
        self._segments = list(wire.segments)
        self._in_journal = behind
        self._head_digest = digest
        return head, entries

    def save(self, fresh: Sequence[Entry], changes: StateChanges, head: Callable[[], Head]) -> None:
        """Adds to the journal, or writes a batch and then the head that names it."""
        digest = self._head_digest
        # What fails below leaves a file of which nobody knows the end: then all is written anew.
        self._head_digest = b""
        if digest and len(self._in_journal) + len(fresh) < self._whole_every:
            self._append(digest, encode_step([_wire(entry) for entry in fresh], changes))
            self._in_journal.extend(fresh)
            self._head_digest = digest
        else:
            self._head_digest = self._write_whole([*self._in_journal, *fresh], head())
            self._in_journal = []

    def _write_whole(self, fresh: Sequence[Entry], head: Head) -> bytes:
        self._folder.mkdir(parents=True, exist_ok=True)
        segments = self._segments
        if fresh:
            data = encode_receipts([_wire(entry) for entry in fresh])
            digest = hashlib.sha256(data).digest()
            self._replace(digest.hex(), data)
            segments = [*segments, digest]
        state: dict[str, Any] = wire_state(head.state)
        wire = WireHead(
            version=VERSION,
            chain_id=head.chain_id,
            block=head.block,
            counts={bytes(address): count for address, count in head.counts.items()},
            titles=list(head.titles),
            segments=segments,
            **state,
        )
        data = encode_head(wire)
        digest = hashlib.sha256(data).digest()
        self._replace(_HEAD, digest + data)
        self._segments = segments
        for journal in self._folder.glob(f"{_JOURNAL}*"):
            journal.unlink()
        return digest

    def _append(self, head_digest: bytes, data: bytes) -> None:
        path = self._journal(head_digest)
        is_new = not path.exists()
        with path.open("ab") as out:
            out.write(len(data).to_bytes(_LENGTH_BYTES, "big"))
            out.write(hashlib.sha256(data).digest() + data)
            out.flush()
            os.fsync(out.fileno())
        if is_new:
            self._make_names_durable()

    def _read_journal(self, wire: WireHead, digest: bytes) -> list[Entry]:
        """Carries the head over its journal; a torn end is cut off, so that it can go on."""
        path = self._journal(digest)
        if not path.exists():
            return []
        data = path.read_bytes()
        steps, whole_bytes = _steps(data)
        if whole_bytes < len(data):
            os.truncate(path, whole_bytes)
        advance(wire, steps)
        return [_entry(receipt) for step in steps for receipt in step.receipts]

    def _journal(self, head_digest: bytes) -> Path:
        return self._folder / (_JOURNAL + head_digest.hex())

    def discard(self) -> None:
        """Takes the head away; what nothing names any more is harmless."""
        self._segments = []
        self._in_journal = []
        self._head_digest = b""
        (self._folder / _HEAD).unlink(missing_ok=True)

    def _read_head(self, chain_id: int) -> tuple[WireHead, bytes]:
        data = (self._folder / _HEAD).read_bytes()
        digest = data[:_DIGEST_BYTES]
        if hashlib.sha256(data[_DIGEST_BYTES:]).digest() != digest:
            raise MalformedInput("the head of the chain's snapshot is broken")
        wire = decode_head(data[_DIGEST_BYTES:])
        if wire.chain_id != chain_id:
            raise MalformedInput("the snapshot is another chain's")
        return wire, digest

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
        self._make_names_durable()

    def _make_names_durable(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _steps(data: bytes) -> tuple[list[WireStep], int]:
    """The steps of a journal up to the first that is not whole, and where that begins."""
    found: list[WireStep] = []
    at = 0
    while True:
        body = at + _LENGTH_BYTES + _DIGEST_BYTES
        end = body + int.from_bytes(data[at : at + _LENGTH_BYTES], "big")
        digest = data[at + _LENGTH_BYTES : body]
        if body >= len(data) or end > len(data):
            return found, at
        if hashlib.sha256(data[body:end]).digest() != digest:
            return found, at
        found.append(decode_step(data[body:end]))
        at = end


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
