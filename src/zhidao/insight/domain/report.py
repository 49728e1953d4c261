"""The whole report as values: figures, voices, journeys, refusals and what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.events import SignedEvent
from zhidao.insight.domain.figures import Figure, count, median_duration, share
from zhidao.insight.domain.gaps import Gap, gaps
from zhidao.insight.domain.journeys import ENTERED, MILESTONES, Journey, journeys
from zhidao.insight.domain.opened import Clock, LogHead, OpenedLeaf, OpenedLog
from zhidao.insight.domain.payload import flag, is_typed, mark, text
from zhidao.insight.domain.selection import ALL, Selection

MARKS: Final = (
    *("signed_by_terminal", "bound_to_goods", "recomputed", "corroborated_by"),
    *("inside_risk_ppb", "inside_open_sky_model_ppb", "disagreed_by"),
)
_PROVEN: Final = tuple(f"positioning.ArrivalProven.v{n}" for n in (1, 2, 3))
_NOT_PROVEN: Final = tuple(f"positioning.ArrivalNotProven.v{n}" for n in (1, 2, 3))


@dataclass(frozen=True, slots=True)
class Speaker:
    """A party that signed. `custody`: how many of its words the node signed with kept keys."""

    party: str
    said: Figure
    custody: Figure
    kinds: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason that something was refused for. `sentence`: the first, in the node's words."""

    kind: str
    reason: str
    sentence: str
    said: Figure


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is printed. `as_of`: recording of the newest opened leaf, `` if none.

    consignments: how many entries were opened, chosen or not. aside: opened leaves that belong to
    no chosen consignment; 0 where all are chosen.
    """

    as_of: str
    heads: tuple[LogHead, ...]
    opened: Figure
    selection: Selection
    consignments: int
    aside: int
    overview: tuple[Figure, ...]
    voices: tuple[Speaker, ...]
    journeys: tuple[Journey, ...]
    steps: tuple[Figure, ...]
    refusals: tuple[Refusal, ...]
    marks: tuple[Figure, ...]
    simulated: tuple[Figure, ...]
    gaps: tuple[Gap, ...]


def make_report(log: OpenedLog, selection: Selection = ALL) -> Report:
    """The report of a log; the same log and selection always give the same report.

    Raises NotFound if a consignment that the selection names was not opened.
    """
    every = journeys(log.leaves)
    found = selection.of(every)
    leaves = log.leaves if selection.is_all else _belonging(log.leaves, found)
    return Report(
        as_of=str(log.newest) if log.newest else "",
        heads=log.heads,
        opened=Figure(
            "opened",
            "share",
            len(log.leaves),
            log.total,
            tuple(leaf.at for leaf in log.leaves),
            "opened",
        ),
        selection=selection,
        consignments=len(every),
        aside=len(log.leaves) - len(leaves),
        overview=tuple(_overview(leaves)),
        voices=tuple(_speakers(leaves)),
        journeys=found,
        steps=tuple(_steps(found)),
        refusals=tuple(_refusals(leaves)),
        marks=tuple(_marks(leaves)),
        simulated=tuple(_simulated(leaves, found)),
        gaps=tuple(gaps(log, leaves, found)),
    )


def _belonging(leaves: Sequence[OpenedLeaf], found: Sequence[Journey]) -> Sequence[OpenedLeaf]:
    taken = {leaf.at for journey in found for leaf in journey.leaves}
    return [leaf for leaf in leaves if leaf.at in taken]


_Test = Callable[[SignedEvent], bool]
_LOTS: Final = ("industry.LotFinished.v1", "industry.LotFinished.v2")
# Key, the types looked at, what is counted among them.
_SHARES: Final[tuple[tuple[str, tuple[str, ...], _Test], ...]] = (
    # A typed lot counts as one of which nothing shows that it kept them.
    ("lots_within_limits", _LOTS, lambda e: bool(flag(e, "within_limits"))),
    ("documents_valid", ("trade.DocumentAdded.v1",), lambda e: bool(flag(e, "valid"))),
    (
        "documents_with_credential",
        ("trade.DocumentAdded.v1",),
        lambda e: bool(text(e, "credential")),
    ),
    ("papers_agree", ("trade.PapersChecked.v1",), lambda e: bool(flag(e, "agree"))),
    ("seals_intact", ("devices.SealChecked.v1",), lambda e: bool(flag(e, "intact"))),
    ("arrivals_proven", (*_PROVEN, *_NOT_PROVEN), lambda e: e.type in _PROVEN),
    (
        "network_agrees",
        ("connectivity.NetworkChecked.v1",),
        lambda e: text(e, "verdict") in ("match", "partial"),
    ),
    ("decided_release", ("finance.Decided.v1",), lambda e: text(e, "outcome") == "release"),
    ("settled_paid", ("finance.Settled.v1", "finance.Settled.v2"), lambda e: bool(flag(e, "paid"))),
)


def _overview(leaves: Sequence[OpenedLeaf]) -> Iterator[Figure]:
    yield count("consignments", _of(leaves, *ENTERED))
    for key, kinds, holds in _SHARES:
        among = _of(leaves, *kinds)
        yield share(key, among, [leaf for leaf in among if holds(leaf.event)])
    yield count("public_leaves", [leaf for leaf in leaves if leaf.event.open])


def _speakers(leaves: Sequence[OpenedLeaf]) -> Iterator[Speaker]:
    said: dict[str, list[OpenedLeaf]] = defaultdict(list)
    for leaf in leaves:
        said[leaf.event.asserted_by.party].append(leaf)
    for party, words in sorted(said.items()):
        kinds: dict[str, int] = defaultdict(int)
        for leaf in words:
            kinds[leaf.event.type] += 1
        kept = [leaf for leaf in words if leaf.event.custodian]
        yield Speaker(
            party,
            count("said_by", words, party=party),
            share("kept_key", words, kept, party=party),
            dict(sorted(kinds.items())),
        )


def _steps(found: Sequence[Journey]) -> Iterator[Figure]:
    """Medians by each clock by itself: two clocks have no common middle."""
    for clock in Clock:
        by_clock = [journey for journey in found if journey.clock is clock]
        for key, _, _ in MILESTONES:
            cases = [
                (step.before, step.leaf)
                for journey in by_clock
                for step in journey.reached
                if step.key == key and step.before
            ]
            if cases:
                yield median_duration(f"step_{clock}", cases, clock, milestone=key)
        if by_clock:
            yield median_duration(f"whole_road_{clock}", _whole_roads(by_clock), clock)


def _whole_roads(found: Sequence[Journey]) -> list[tuple[OpenedLeaf, OpenedLeaf]]:
    at = [{step.key: step.leaf for step in journey.reached} for journey in found]
    return [
        (each["entered"], each["settled"]) for each in at if "entered" in each and "settled" in each
    ]


def _refusals(leaves: Sequence[OpenedLeaf]) -> Iterator[Refusal]:
    grouped: dict[tuple[str, str], list[tuple[OpenedLeaf, str]]] = defaultdict(list)
    for leaf in leaves:
        for kind, reason, sentence in _refused(leaf.event):
            grouped[kind, reason].append((leaf, sentence))
    for (kind, reason), cases in sorted(grouped.items()):
        unique = {leaf.at: leaf for leaf, _ in cases}
        yield Refusal(
            kind,
            reason,
            cases[0][1],
            count("refused", unique.values(), kind=kind, reason=reason),
        )


def _refused(event: SignedEvent) -> Iterator[tuple[str, str, str]]:
    """Kind, reason and sentence of every refusal inside an event."""
    sentence = text(event, "sentence")
    match event.type:
        case "devices.SubmissionRefused.v1":
            yield "submission", text(event, "reason"), sentence
        case kind if kind in _NOT_PROVEN:
            yield "arrival", text(event, "reason"), sentence
        case "finance.ObstacleNoted.v1":
            yield "obstacle", text(event, "reason"), sentence
        case "finance.Decided.v1" if text(event, "outcome") == "abort":
            yield "abort", text(event, "reason"), sentence
        case "trade.DocumentAdded.v1" if flag(event, "valid") is False:
            yield "document", text(event, "kind"), text(event, "number")
        case "connectivity.NetworkChecked.v1" if text(event, "verdict") == "mismatch":
            yield "network", "mismatch", text(event, "reason")
        case "industry.LotFinished.v1" | "industry.LotFinished.v2":
            yield from _lot(event)
        case "trade.PapersChecked.v1" if flag(event, "agree") is False:
            yield from _conflicts(event)


def _lot(event: SignedEvent) -> Iterator[tuple[str, str, str]]:
    if flag(event, "within_limits") is False and not is_typed(event):
        why = "not_shown" if event.payload.get("not_shown") else "outside_limits"
        yield "lot", why, text(event, "lot")


def _conflicts(event: SignedEvent) -> Iterator[tuple[str, str, str]]:
    findings = event.payload.get("findings")
    for finding in findings if isinstance(findings, list) else []:
        if isinstance(finding, dict):
            rule, said = finding.get("rule"), finding.get("sentence")
            if isinstance(rule, str) and isinstance(said, str):
                yield "papers", rule, said


def _marks(leaves: Sequence[OpenedLeaf]) -> Iterator[Figure]:
    arrivals = _of(leaves, *_PROVEN, *_NOT_PROVEN)
    for name in MARKS:
        bearing = [leaf for leaf in arrivals if mark(leaf.event, name)]
        yield share("mark", arrivals, bearing, mark=name)


def _simulated(leaves: Sequence[OpenedLeaf], found: Sequence[Journey]) -> Iterator[Figure]:
    telling = [leaf for leaf in leaves if flag(leaf.event, "simulated") is not None]
    said = [leaf for leaf in telling if flag(leaf.event, "simulated")]
    yield share("simulated_events", telling, said)
    entries = _of(leaves, *ENTERED)
    touched = {(journey.log, journey.consignment) for journey in found if journey.simulated}
    yield share(
        "simulated_consignments",
        entries,
        [e for e in entries if (e.at.log, text(e.event, "consignment")) in touched],
    )


def _of(leaves: Sequence[OpenedLeaf], *kinds: str) -> list[OpenedLeaf]:
    return [leaf for leaf in leaves if leaf.event.type in kinds]
