"""A result held against a repository again: each line of evidence, and each verdict anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from zhidao.core.canonical import Json
from zhidao.insight.domain.assessment import Cited, Claims, Counted, Evidence, Found
from zhidao.insight.domain.verdict_comparison import Compared, Standing
from zhidao.insight.service.repository import Repository
from zhidao.insight.service.tree_reading import FILE_BYTES_MAX, as_text, lines_say


class State(StrEnum):
    """What became of a line of evidence.

    holds: the same blob stands under the same path and says the quotation in those lines; or the
    figure comes out the same. moved: the same blob stands elsewhere. stale: the path has other
    bytes, or the figure is another. gone: neither, or the blob never said so.
    """

    HOLDS = "holds"
    MOVED = "moved"
    STALE = "stale"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Rechecked:
    """A line of evidence and its state. `at`: where the blob stands now, if it moved."""

    standard: str
    item: str
    evidence: Evidence
    state: State
    at: str = ""


def recheck(
    repository: Repository,
    lines: Sequence[tuple[str, str, Evidence]],
    figures: dict[str, Found],
) -> list[Rechecked]:
    """The state of each line. figures: what the repository shows now, by kind of evidence."""
    now = {file.path: file.blob for file in repository.tree.files}
    sizes = {file.blob: file.size for file in repository.tree.files}
    places: dict[str, str] = {}
    for path, blob in now.items():
        places.setdefault(blob, path)
    asked = {each.blob for _, _, each in lines if isinstance(each, Cited)}
    read = [blob for blob in asked if sizes.get(blob, FILE_BYTES_MAX + 1) <= FILE_BYTES_MAX]
    texts = {blob: as_text(data) for blob, data in repository.blobs(sorted(read))}
    counted = set(_counted(figures.values()))
    return [
        Rechecked(standard, item, each, *_state(each, now, places, texts, counted))
        for standard, item, each in lines
    ]


def _counted(found: Iterable[Found]) -> Iterable[Counted]:
    return (each for one in found for each in one.shows if isinstance(each, Counted))


def _state(
    evidence: Evidence,
    now: dict[str, str],
    places: dict[str, str],
    texts: dict[str, str | None],
    counted: set[Counted],
) -> tuple[State, str]:
    if isinstance(evidence, Counted):
        return (State.HOLDS if evidence in counted else State.STALE), ""
    text = texts.get(evidence.blob)
    if text is None:
        return (State.STALE if evidence.path in now else State.GONE), ""
    if not lines_say(text, evidence.first, evidence.last, evidence.quotation):
        # The blob is there and never said so: the result is wrong, not the repository.
        return State.GONE, ""
    if now.get(evidence.path) == evidence.blob:
        return State.HOLDS, evidence.path
    return State.MOVED, places[evidence.blob]


def signed_claims(signed: Claims) -> list[dict[str, Json]]:
    """Each signed answer with what became of it, in order."""
    return [
        {
            "standard": standard,
            "item": item,
            "by": claim.by,
            "key": claim.signature.key,
            "declaration": claim.signature.declaration,
            "until": claim.signature.until,
            "mark": claim.signature.mark,
        }
        for (standard, item), claims in signed.items()
        for claim in claims
        if claim.signature is not None
    ]


def encode_rechecked(
    lines: Sequence[Rechecked],
    verdicts: Sequence[Compared],
    signed: Sequence[dict[str, Json]],
    *,
    commit: str,
    assessed: str,
    as_made: bool | None,
) -> dict[str, Json]:
    """Lines, verdicts and signed answers with their states, counted.

    assessed: the commit that the result is of. as_made: whether the result is what an assessment
    of that very commit gives; None where the repository was looked at elsewhere.
    """
    counts: dict[str, Json] = {
        str(state): sum(each.state is state for each in lines) for state in State
    }
    standings: dict[str, Json] = {
        str(standing): sum(each.standing is standing for each in verdicts) for standing in Standing
    }
    return {
        "commit": commit,
        "assessed": assessed,
        "as_made": as_made,
        "counts": counts,
        "verdict_counts": standings,
        "signed": list(signed),
        "lines": [
            {
                "standard": each.standard,
                "item": each.item,
                "kind": each.evidence.kind,
                "place": place_of(each.evidence),
                "state": str(each.state),
                "at": each.at,
            }
            for each in lines
        ],
        "verdicts": [
            {
                "standard": each.standard,
                "item": each.item,
                "standing": str(each.standing),
                "stated": each.stated,
                "now": each.now,
                "reason_now": each.reason_now,
            }
            for each in verdicts
        ],
    }


def place_of(evidence: Evidence) -> str:
    """Where a line of evidence stands, in words."""
    if isinstance(evidence, Counted):
        return f"{evidence.figure}: {evidence.value}"
    return f"{evidence.path}:{evidence.first}"
