"""Takes parts out of a proof at random, so that what is left is still well formed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from zhidao.core.events import SignedEvent
from zhidao.trust.domain.proof import Proof, reachable


def without_events(proof: Proof, is_left_out: Callable[[SignedEvent], bool]) -> Proof:
    """The proof without some events, and without the files that nothing names any more."""
    events = tuple(opened for opened in proof.events if not is_left_out(opened.event))
    return _without_leftovers(replace(proof, events=events))


def without(proof: Proof, *, count: int, seed: int) -> Iterator[tuple[int, Proof]]:
    """`count` proofs, each lacking a random share of events and files; each by its own number."""
    for number in range(count):
        draw = random.Random(f"{seed}/{number}")
        share = draw.choice((0.02, 0.1, 0.3, 0.7))
        types = sorted({opened.event.type for opened in proof.events})
        # Whole kinds go as well as single events: a random cut alone mostly hits the entry.
        kinds = set(draw.sample(types, k=draw.randrange(4)))
        keep_own = draw.random() < 0.8
        own = f"consignment/{proof.consignment}"
        gone = {
            opened.index
            for opened in proof.events
            if not (keep_own and opened.event.aggregate == own)
            and (opened.event.type in kinds or draw.random() < share)
        }
        events = tuple(opened for opened in proof.events if opened.index not in gone)
        blobs = {
            digest: data
            for digest, data in proof.blobs.items()
            if draw.random() >= share * draw.choice((0, 0.3))
        }
        if events:
            yield number, _without_leftovers(replace(proof, events=events, blobs=blobs))
        else:
            yield number, proof


def _without_leftovers(proof: Proof) -> Proof:
    named = reachable(proof)
    blobs = {digest: data for digest, data in proof.blobs.items() if digest in named}
    return replace(proof, blobs=blobs)
