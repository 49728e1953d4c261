"""Repositories assessed by the questions of standards, and results held against them again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zhidao.core.canonical import Json, jcs
from zhidao.insight.adapters.git_repository import opened_repository
from zhidao.insight.domain.evidence_comparison import lost_evidence, lost_verdicts
from zhidao.insight.domain.standards import Pack, chosen
from zhidao.insight.domain.verdict_comparison import compared
from zhidao.insight.service.assess import Assessment, findings
from zhidao.insight.service.assess import assess as assess_repository
from zhidao.insight.service.assessment_facts import licence_facts, source_facts
from zhidao.insight.service.recheck import encode_rechecked
from zhidao.insight.service.recheck import recheck as recheck_lines
from zhidao.insight.wire.assessment import (
    ASSESSMENT_BYTES_MAX,
    claims_of,
    decode_assessment,
    encode_assessment,
    evidence_of,
    stated_in,
)
from zhidao.insight.wire.assessment_table import plain, table
from zhidao.insight.wire.declarations import DECLARATION_BYTES_MAX, decode_declarations
from zhidao.insight.wire.known_licences import known_texts
from zhidao.insight.wire.packs import installed_packs

__all__ = [
    "ASSESSMENT_BYTES_MAX",
    "DECLARATION_BYTES_MAX",
    "assess",
    "assessment_table",
    "check_assessment",
    "lost",
    "packs",
    "plain",
    "recheck",
]


def packs(wanted: Sequence[str] = ()) -> tuple[Pack, ...]:
    """The standards' questions that come with this version: those named as ID or ID@DIGEST, or all.

    Raises NotFound for one that is not there, Refused where its digest is another.
    """
    return chosen(installed_packs(), wanted)


def assess(
    source: Path, *, revision: str, standards: Sequence[str], declaration: bytes | None
) -> bytes:
    """What a repository shows of the standards named, or of all, as canonical JSON.

    Raises MalformedInput for no repository or a spoiled declaration, Refused for one that is not
    whole, Unavailable without git.
    """
    chosen_packs = packs(standards)
    claims = decode_declarations(declaration, chosen_packs) if declaration is not None else {}
    with opened_repository(source, revision) as repository:
        return _encoded(assess_repository(repository, chosen_packs, known_texts(), claims))


def _encoded(done: Assessment) -> bytes:
    return encode_assessment(
        source=source_facts(done.tree, done.reading),
        packs=done.packs,
        licences=licence_facts(done.reading),
        history=done.history,
        answers=done.answers,
    )


def assessment_table(data: bytes, language: str) -> str:
    """An assessment as lines for people, `en` or `zh`."""
    return table(decode_assessment(data), language)


def check_assessment(data: bytes) -> None:
    """Raises MalformedInput for what is no assessment, before anything long is done for it."""
    decode_assessment(data)


def lost(before: bytes, now: bytes) -> list[dict[str, Json]]:
    """What an assessment lost since an earlier one: evidence lines, verdicts, questions."""
    earlier, later = decode_assessment(before), decode_assessment(now)
    found = [
        *lost_verdicts(_verdicts(earlier), _verdicts(later)),
        *lost_evidence(evidence_of(earlier), evidence_of(later)),
    ]
    return [
        {
            "standard": each.standard,
            "item": each.item,
            "what": each.what,
            "was": each.was,
            "now": each.now,
        }
        for each in found
    ]


def _verdicts(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each.standard, each.item, each.verdict) for each in stated_in(document)]


def recheck(data: bytes, source: Path, *, revision: str) -> dict[str, Json]:
    """Each line of evidence and each verdict of an assessment, in a repository as it is now.

    Raises NotFound or Refused if the assessment used packs that this version has not.
    """
    document = decode_assessment(data)
    used = packs([f"{each.get('id')}@{each.get('pack')}" for each in document["standards"]])
    lines = list(evidence_of(document))
    with opened_repository(source, revision) as repository:
        done = assess_repository(repository, used, known_texts(), claims_of(document), again=True)
        figures = findings(done.reading, done.history, used)
        states = recheck_lines(repository, lines, figures)
    assessed = str(document["source"].get("commit", ""))
    return encode_rechecked(
        states,
        compared(list(stated_in(document)), done.answers),
        commit=done.tree.commit,
        assessed=assessed,
        as_made=_is_as_made(document, done) if assessed == done.tree.commit else None,
    )


def _is_as_made(document: dict[str, Any], done: Assessment) -> bool:
    """Whether a result of the same commit is this one; where it was read from may differ."""
    made = decode_assessment(_encoded(done))
    for each in (document, made):
        each["source"] = {
            name: told for name, told in each["source"].items() if name not in ("kind", "notes")
        }
    return jcs(document) == jcs(made)
