"""Passages out of a log: what carriers and customs said of crossings, as far as it was opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.insight.domain.corridor.passages import Passage, Reason, Stay, first_seen_ns, joined
from zhidao.insight.domain.journeys import ENTERED
from zhidao.insight.domain.opened import OpenedLeaf
from zhidao.insight.domain.payload import flag, text

OBSERVED: Final = "trade.CrossingObserved.v1"
_Key = tuple[int, str, str]


def observed_passages(leaves: Sequence[OpenedLeaf]) -> list[Passage]:
    """One for each consignment and crossing of a log, in order of the log.

    Of a side the newest event counts: it says again when the goods came, and when they left. The
    party is the carrier that the entry names, or where no entry was opened whoever spoke.
    """
    carriers: dict[tuple[int, str], str] = {}
    sides: dict[_Key, dict[str, OpenedLeaf]] = defaultdict(dict)
    for leaf in leaves:
        log, name = leaf.at.log, text(leaf.event, "consignment")
        if leaf.event.type in ENTERED:
            carriers[log, name] = text(leaf.event, "carrier")
        elif leaf.event.type == OBSERVED:
            sides[log, name, text(leaf.event, "crossing")][text(leaf.event, "side")] = leaf
    made = (
        _passage(key, found, carriers.get(key[:2]) or _speaker(found))
        for key, found in sides.items()
    )
    return [each for each in made if each]


def _speaker(found: dict[str, OpenedLeaf]) -> str:
    return str(next(iter(found.values())).event.asserted_by.party)


def _passage(key: _Key, found: dict[str, OpenedLeaf], party: str) -> Passage | None:
    """None where an event says no instants, or none in an order that can be."""
    _, consignment, crossing = key
    told = []
    for side in sorted(found):
        stay = _stay(found[side])
        if stay is None:
            return None
        told.append((side, stay))
    came = min(_ns(leaf, "entered_to") for leaf in found.values())
    direction, sides, whole = joined(told)
    return Passage(
        crossing=crossing,
        consignment=consignment,
        party=party,
        mode="",
        direction=direction,
        sides=sides,
        whole=whole,
        seen_ns=first_seen_ns(sides, otherwise=came),
        simulated=any(flag(leaf.event, "simulated") for leaf in found.values()),
        leaves=tuple(sorted(leaf.at for leaf in found.values())),
    )


def _stay(leaf: OpenedLeaf) -> Stay | Reason | None:
    """A node of somebody else may have recorded anything: None for what cannot have been."""
    there = not text(leaf.event, "left_to")
    try:
        entered = (_ns(leaf, "entered_from"), _ns(leaf, "entered_to"))
        left = entered if there else (_ns(leaf, "left_from"), _ns(leaf, "left_to"))
    except MalformedInput:
        return None
    if not (entered[0] <= entered[1] <= left[1] and entered[0] <= left[0] <= left[1]):
        return None
    return Reason.ENDED_INSIDE if there else Stay(entered, left, 1)


def _ns(leaf: OpenedLeaf, name: str) -> int:
    return Utc.parse(text(leaf.event, name)).unix_ns
