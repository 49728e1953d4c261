"""Makes a proof small: without the raw observations and the creation of the title contracts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from zhidao.core.encoding import parse_hex
from zhidao.core.errors import MalformedInput
from zhidao.core.events import SignedEvent
from zhidao.devices.events import WindowReceived
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven
from zhidao.positioning.wire.position_evidence import PositionEvidence
from zhidao.trust.domain.proof import Proof
from zhidao.trust.events import ChainTransaction
from zhidao.trust.wire.evm.transaction import decode

_TITLE_CONTRACTS: Final = 2


def compacted(proof: Proof) -> Proof:
    """The compact form of a proof; an equal one if it is compact already.

    What it leaves out is named by digest all the same, and can be asked for later.
    """
    # A guard is followed by the machine only, which needs all of the creation.
    guarded = sum(_creates(each.event) for each in proof.events) > _TITLE_CONTRACTS
    raw = {digest for opened in proof.events for digest in _observations(proof, opened.event)}
    return replace(
        proof,
        events=tuple(e for e in proof.events if guarded or not _creates(e.event)),
        blobs={digest: data for digest, data in proof.blobs.items() if digest not in raw},
        packed=True,
    )


def _observations(proof: Proof, event: SignedEvent) -> Iterator[str]:
    if event.type == WindowReceived.TYPE:
        received = WindowReceived.of(event)
        yield from (received.digest, *received.chunk_digests)
    elif event.type in ArrivalProven.types():
        arrived = ArrivalProven.of(event)
        yield from (arrived.window, arrived.navigation, arrived.before)
    elif event.type in ArrivalNotProven.types():
        failed = ArrivalNotProven.of(event)
        yield from (failed.window, failed.before)
        yield from _navigation(proof.blobs.get(failed.evidence))


def _navigation(evidence: bytes | None) -> Iterator[str]:
    try:
        if evidence is not None:
            yield PositionEvidence.decode(evidence).navigation
    except MalformedInput:
        return


def _creates(event: SignedEvent) -> bool:
    """Whether it is a transaction that creates a contract: twenty thousand bytes of code."""
    if event.type != ChainTransaction.TYPE:
        return False
    return decode(parse_hex(ChainTransaction.of(event).raw)).to is None
