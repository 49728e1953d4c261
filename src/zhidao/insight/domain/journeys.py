"""Consignments out of leaves: which events belong to one, and which milestones they reach.

Most facts name their consignment. The rest hang on what does: a lot on the order of the entry, a
title and a deal on their own aggregate, a seal check on its seal, signals and network answers on
the terminal that an arrival was expected of, from then until settlement.

Time goes by what happened. Only where a played consignment tells some events by the play's time
and others by the node's clock does it go by the writing down, since no two clocks are subtracted.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.events import SignedEvent
from zhidao.core.timescale import Utc
from zhidao.insight.domain.figures import milliseconds
from zhidao.insight.domain.opened import Clock, LeafRef, OpenedLeaf
from zhidao.insight.domain.payload import flag, is_typed, text

Reaches = Callable[[SignedEvent], bool]


def _always(_: SignedEvent) -> bool:
    return True


_AGREES: Final = ("match", "partial")
# Milestones in the order in which the road is planned: key, event type, what else must hold.
# Entries of before and since they state a promise, of several containers or lots, of invoices.
ENTERED: Final = tuple(f"trade.ConsignmentEntered.v{n}" for n in (1, 2, 3, 4))
MILESTONES: Final[tuple[tuple[str, tuple[str, ...], Reaches], ...]] = (
    (
        "finished",
        ("industry.LotFinished.v1", "industry.LotFinished.v2"),
        lambda e: flag(e, "within_limits") is True or is_typed(e),
    ),
    ("entered", ENTERED, _always),
    ("papers", ("trade.PapersChecked.v1",), lambda e: flag(e, "agree") is True),
    ("title", ("trust.TitleMoved.v1",), lambda e: text(e, "action") == "mint"),
    ("reserved", ("finance.MoneyReserved.v1",), _always),
    ("custody", ("finance.TitleReserved.v1",), _always),
    ("sealed", ("devices.SealChecked.v1",), lambda e: flag(e, "intact") is True),
    ("signals", ("devices.WindowReceived.v1",), _always),
    ("network", ("connectivity.NetworkChecked.v1",), lambda e: text(e, "verdict") in _AGREES),
    ("arrived", tuple(f"positioning.ArrivalProven.v{n}" for n in (1, 2, 3)), _always),
    ("delivered", ("trade.Delivered.v1",), _always),
    ("customs", ("trade.CustomsReleased.v1",), _always),
    ("decided", ("finance.Decided.v1",), _always),
    ("settled", ("finance.Settled.v1", "finance.Settled.v2"), _always),
)
_TIMED: Final = frozenset(kind for _, kinds, _ in MILESTONES for kind in kinds)
# What is reached when each of several containers did.
_OF_EACH: Final = ("sealed", "arrived")
_SETTLED: Final = ("finance.Settled.v1", "finance.Settled.v2")
_DECIDED: Final = "finance.Decided.v1"
_REGISTERED: Final = ("devices.TerminalRegistered.v1", "devices.TerminalRegistered.v2")
_OF_TERMINAL: Final = ("devices.WindowReceived.v1", "devices.SubmissionRefused.v1")
_NETWORK: Final = "connectivity.NetworkChecked.v1"
# Facts whose aggregate belongs to the consignment that they name.
_DEALS: Final = ("finance.DealOpened.v1", "finance.DealOpened.v2")
_ANCHORS: Final = ("trust.TitleAsked.v1", *_DEALS, "devices.Sealed.v1")
_EXPECTS: Final = (
    *("positioning.ArrivalExpected.v1", "positioning.ArrivalExpected.v2"),
    *(*_DEALS, "devices.Sealed.v1"),
)


@dataclass(frozen=True, slots=True)
class Reached:
    """A milestone that was reached. `took_ms`: since the one before it in time, None if first."""

    key: str
    leaf: OpenedLeaf
    before: OpenedLeaf | None
    clock: Clock

    @property
    def took_ms(self) -> int | None:
        """Milliseconds since the milestone before, None for the first."""
        return milliseconds(self.before, self.leaf, self.clock) if self.before else None


@dataclass(frozen=True, slots=True)
class Journey:
    """One consignment. `outcome`: paid, refused, decided or open; `missing`: milestone keys.

    entry: the leaf that entered it. clock: by which its milestones are ordered and measured.
    """

    consignment: str
    log: int
    entry: OpenedLeaf
    clock: Clock
    leaves: tuple[OpenedLeaf, ...]
    reached: tuple[Reached, ...]
    missing: tuple[str, ...]
    outcome: str
    reason: str
    simulated: tuple[LeafRef, ...]


_Index = dict[tuple[int, str], list[OpenedLeaf]]


class _Found:
    """Leaves in log order, by what they are about: each index by log and name."""

    def __init__(self, leaves: Sequence[OpenedLeaf]) -> None:
        self.by_aggregate: _Index = defaultdict(list)
        self.by_consignment: _Index = defaultdict(list)
        # Of terminals: by aggregate; answers of networks: by telephone number.
        self.registered: _Index = defaultdict(list)
        self.heard: _Index = defaultdict(list)
        self.answered: _Index = defaultdict(list)
        for leaf in leaves:
            self._add(leaf, leaf.at.log, leaf.event.aggregate)

    def _add(self, leaf: OpenedLeaf, log: int, aggregate: str) -> None:
        self.by_aggregate[log, aggregate].append(leaf)
        if name := text(leaf.event, "consignment"):
            self.by_consignment[log, name].append(leaf)
        if leaf.event.type in _REGISTERED:
            self.registered[log, aggregate].append(leaf)
        elif leaf.event.type in _OF_TERMINAL:
            self.heard[log, aggregate].append(leaf)
        elif leaf.event.type == _NETWORK:
            self.answered[log, text(leaf.event, "phone")].append(leaf)


def journeys(leaves: Sequence[OpenedLeaf]) -> tuple[Journey, ...]:
    """All consignments whose entry was opened, in the order of their entries."""
    found = _Found(leaves)
    entries = [leaf for leaf in leaves if leaf.event.type in ENTERED]
    return tuple(_journey(entry, _gather(entry, found)) for entry in entries)


def _gather(entry: OpenedLeaf, known: _Found) -> tuple[OpenedLeaf, ...]:
    log, name = entry.at.log, text(entry.event, "consignment")
    found = {leaf.at: leaf for leaf in known.by_consignment[log, name]}

    def take(more: Iterable[OpenedLeaf]) -> None:
        found.update((leaf.at, leaf) for leaf in more)

    for order, lot in _lots(entry.event):
        made = known.by_aggregate.get((log, f"order/{order}"), [])
        take(leaf for leaf in made if text(leaf.event, "lot") in ("", lot))
    for leaf in list(found.values()):
        if leaf.event.type in _ANCHORS:
            take(known.by_aggregate[log, leaf.event.aggregate])
    take(_signals(log, list(found.values()), known))
    return tuple(found[at] for at in sorted(found))


def _lots(entry: SignedEvent) -> list[tuple[str, str]]:
    """Order and number of each lot; the first stands by itself too."""
    told = entry.payload.get("lots")
    several = [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    lots = [(str(each.get("order")), str(each.get("lot"))) for each in several]
    return lots or [(text(entry, "order"), text(entry, "lot"))]


def _signals(log: int, found: Sequence[OpenedLeaf], known: _Found) -> Iterator[OpenedLeaf]:
    """What terminals sent and networks answered while this consignment waited for them."""
    ends = [leaf.at.index for leaf in found if leaf.event.type in _SETTLED]
    end = min(ends, default=math.inf)
    for name, start in sorted(_expected(found).items()):
        own = (log, f"terminal/{name}")
        registered = known.registered.get(own, [])
        yield from registered
        yield from _between(known.heard.get(own, []), start, end)
        for phone in sorted({text(leaf.event, "phone") for leaf in registered}):
            yield from _between(known.answered.get((log, phone), []), start, end)


def _between(leaves: Sequence[OpenedLeaf], start: int, end: float) -> Sequence[OpenedLeaf]:
    """Of leaves in log order those from `start` on and before `end`.

    A terminal serves many consignments one after another: none looks through all that it sent.
    """

    def index(leaf: OpenedLeaf) -> int:
        return leaf.at.index

    return leaves[bisect_left(leaves, start, key=index) : bisect_left(leaves, end, key=index)]


def _expected(found: Sequence[OpenedLeaf]) -> dict[str, int]:
    """The terminals that something waits for, each with the leaf since which it does."""
    terminals: dict[str, int] = {}
    for leaf in found:
        name = text(leaf.event, "terminal")
        if leaf.event.type in _EXPECTS and name:
            terminals[name] = min(leaf.at.index, terminals.get(name, leaf.at.index))
    return terminals


def _journey(entry: OpenedLeaf, leaves: tuple[OpenedLeaf, ...]) -> Journey:
    clock = _clock(entry, leaves)

    def in_time(leaf: OpenedLeaf) -> tuple[Utc, LeafRef]:
        return leaf.time(clock), leaf.at

    # What happened first may be logged last, as what a terminal sends once it is heard again.
    first = _reached(entry.event, sorted(leaves, key=in_time))
    reached: list[Reached] = []
    for key, leaf in sorted(first.items(), key=lambda item: in_time(item[1])):
        reached.append(Reached(key, leaf, reached[-1].leaf if reached else None, clock))
    outcome, reason = _outcome(leaves)
    return Journey(
        consignment=text(entry.event, "consignment"),
        log=entry.at.log,
        entry=entry,
        clock=clock,
        leaves=leaves,
        reached=tuple(reached),
        missing=tuple(key for key, _, _ in MILESTONES if key not in first),
        outcome=outcome,
        reason=reason,
        simulated=tuple(leaf.at for leaf in leaves if flag(leaf.event, "simulated")),
    )


def _clock(entry: OpenedLeaf, leaves: Sequence[OpenedLeaf]) -> Clock:
    """By which clock a consignment is measured: what happened, unless a play mixes two."""
    told = {leaf.is_apart for leaf in leaves if leaf.event.type in _TIMED}
    mixed = flag(entry.event, "simulated") is True and len(told) > 1
    return Clock.RECORDED if mixed else Clock.OCCURRED


def _reached(entry: SignedEvent, leaves: Sequence[OpenedLeaf]) -> dict[str, OpenedLeaf]:
    """The leaf that reached each milestone: the first that says so, of containers the last."""
    first: dict[str, OpenedLeaf] = {}
    told = entry.payload.get("containers")
    containers = {str(each) for each in told} if isinstance(told, list) else set()
    lacking = {key: set(containers) for key in _OF_EACH}
    for leaf in leaves:
        for key, kinds, holds in MILESTONES:
            if leaf.event.type in kinds and key not in first and holds(leaf.event):
                left = lacking.get(key, set())
                left.discard(text(leaf.event, "container"))
                if not left:
                    first[key] = leaf
    return first


def _outcome(leaves: Sequence[OpenedLeaf]) -> tuple[str, str]:
    for leaf in reversed(leaves):
        if leaf.event.type in _SETTLED:
            paid = flag(leaf.event, "paid") is True
            return "paid" if paid else "refused", text(leaf.event, "reason")
    for leaf in reversed(leaves):
        if leaf.event.type == _DECIDED:
            return "decided", text(leaf.event, "reason")
    return "open", ""
