"""The whole report as values: figures, voices, journeys, refusals and what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.events import SignedEvent
from zhidao.insight.domain.figures import Figure, count, median_duration, share
from zhidao.insight.domain.journeys import ENTERED, MILESTONES, Journey, journeys
from zhidao.insight.domain.opened import LeafRef, LogHead, OpenedLeaf, OpenedLog
from zhidao.insight.domain.payload import flag, is_typed, mark, text

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
class Gap:
    """Something that the opened leaves do not show. `key` and `args` name it in the catalogue."""

    key: str
    args: Mapping[str, str]
    leaves: tuple[LeafRef, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is printed. `as_of`: recording of the newest opened leaf, `` if none."""

    as_of: str
    heads: tuple[LogHead, ...]
    opened: Figure
    overview: tuple[Figure, ...]
    voices: tuple[Speaker, ...]
    journeys: tuple[Journey, ...]
    steps: tuple[Figure, ...]
    refusals: tuple[Refusal, ...]
    marks: tuple[Figure, ...]
    simulated: tuple[Figure, ...]
    gaps: tuple[Gap, ...]


def make_report(log: OpenedLog) -> Report:
    """The report of a log; the same log always gives the same report."""
    found = journeys(log.leaves)
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
        overview=tuple(_overview(log.leaves)),
        voices=tuple(_speakers(log.leaves)),
        journeys=found,
        steps=tuple(_steps(found)),
        refusals=tuple(_refusals(log.leaves)),
        marks=tuple(_marks(log.leaves)),
        simulated=tuple(_simulated(log.leaves, found)),
        gaps=tuple(_gaps(log, found)),
    )


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
    for key, _, _ in MILESTONES:
        cases = [
            (step.before, step.leaf)
            for journey in found
            for step in journey.reached
            if step.key == key and step.before
        ]
        if cases:
            yield median_duration("step", cases, milestone=key)
    whole = []
    for journey in found:
        at = {step.key: step.leaf for step in journey.reached}
        if "entered" in at and "settled" in at:
            whole.append((at["entered"], at["settled"]))
    yield median_duration("whole_road", whole)


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


def _gaps(log: OpenedLog, found: Sequence[Journey]) -> Iterator[Gap]:
    for number, head in enumerate(log.heads):
        mine = [leaf for leaf in log.leaves if leaf.at.log == number]
        if len(mine) < head.size:
            closed = str(head.size - len(mine))
            yield Gap("unopened", {"count": closed, "origin": head.origin}, ())
        if head.checked == "unchecked":
            yield Gap("unchecked_head", {"origin": head.origin, "key": head.signed_by}, ())
        if head.others:
            sizes = ", ".join(map(str, head.others))
            words = {"origin": head.origin, "size": str(head.size), "sizes": sizes}
            yield Gap("other_heads", words, ())
    yield Gap("no_witness", {}, ())
    yield from _partly_opened(log)
    for journey in found:
        if journey.missing:
            yield Gap(
                "milestones",
                {"consignment": journey.consignment, "milestones": " ".join(journey.missing)},
                tuple(step.leaf.at for step in journey.reached),
            )
        if journey.outcome == "decided":
            yield Gap(
                "unsettled",
                {"consignment": journey.consignment},
                tuple(s.leaf.at for s in journey.reached if s.key == "decided"),
            )


def _partly_opened(log: OpenedLog) -> Iterator[Gap]:
    seen: dict[tuple[int, str], list[OpenedLeaf]] = defaultdict(list)
    for leaf in log.leaves:
        seen[leaf.at.log, leaf.event.aggregate].append(leaf)
    for (_, aggregate), leaves in sorted(seen.items()):
        newest = max(leaf.event.version for leaf in leaves)
        if newest != len(leaves):
            yield Gap(
                "history",
                {"aggregate": aggregate, "opened": str(len(leaves)), "newest": str(newest)},
                tuple(leaf.at for leaf in leaves),
            )


def _of(leaves: Sequence[OpenedLeaf], *kinds: str) -> list[OpenedLeaf]:
    return [leaf for leaf in leaves if leaf.event.type in kinds]
