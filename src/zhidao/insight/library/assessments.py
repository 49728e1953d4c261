"""Repositories assessed by the questions of standards, and results held against them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zhidao.core.canonical import Json, jcs
from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.insight.adapters.git_repository import opened_repository
from zhidao.insight.domain.components import ComponentList
from zhidao.insight.domain.evidence_comparison import (
    lost_evidence,
    lost_signatures,
    lost_verdicts,
)
from zhidao.insight.domain.signed_claims import Judged
from zhidao.insight.domain.standards import Pack, chosen
from zhidao.insight.domain.verdict_comparison import compared
from zhidao.insight.library.declarations import (
    Trusted,
    held_declarations,
    merged,
    read_declarations,
)
from zhidao.insight.service.assess import Assessment, answered, findings
from zhidao.insight.service.assess import assess as assess_repository
from zhidao.insight.service.assessment_facts import licence_facts, source_facts
from zhidao.insight.service.component_facts import component_facts
from zhidao.insight.service.licence_findings import outbound_licences
from zhidao.insight.service.recheck import encode_rechecked, signed_claims
from zhidao.insight.service.recheck import recheck as recheck_lines
from zhidao.insight.wire.assessment import (
    ASSESSMENT_BYTES_MAX,
    claims_of,
    decode_assessment,
    encode_assessment,
    evidence_of,
    judged_at_of,
    stated_in,
)
from zhidao.insight.wire.assessment_table import plain, table
from zhidao.insight.wire.declarations import DECLARATION_BYTES_MAX
from zhidao.insight.wire.known_licences import known_texts
from zhidao.insight.wire.packs import installed_packs
from zhidao.insight.wire.sbom.reading import SBOM_BYTES_MAX, decode_sbom

__all__ = [
    "ASSESSMENT_BYTES_MAX",
    "DECLARATION_BYTES_MAX",
    "SBOM_BYTES_MAX",
    "Trusted",
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
    source: Path,
    *,
    revision: str,
    standards: Sequence[str],
    declarations: Mapping[str, bytes],
    trusted: Trusted | None = None,
    sboms: Mapping[str, bytes] | None = None,
) -> bytes:
    """What a repository shows of the standards named, or of all, as canonical JSON.

    declarations: by the name of their file, TOML or signed. trusted: by what signed ones are
    judged. sboms: bills of materials, CycloneDX or SPDX in JSON, by the name of their file. Raises
    MalformedInput for no repository, a spoiled declaration or list, or a signature of nobody who is
    accepted, Refused for a repository that is not whole, Unavailable without git.
    """
    chosen_packs = packs(standards)
    read = read_declarations(declarations, chosen_packs, trusted)
    with opened_repository(source, revision) as repository:
        done = assess_repository(
            repository,
            chosen_packs,
            known_texts(),
            read.claims,
            judged=read.judged,
            lists=_lists(sboms),
        )
        return _encoded(done, read.documents, read.judged.at)


def _lists(sboms: Mapping[str, bytes] | None) -> list[ComponentList]:
    found = []
    for name, data in (sboms or {}).items():
        try:
            # Where it lay says nothing of it: the same list gives the same bytes everywhere.
            found.append(decode_sbom(data, Path(name).name))
        except MalformedInput as error:
            error.where = f"{name} {error.where}".strip()
            raise
    return sorted(found, key=lambda each: (each.file, each.sha256))


def _encoded(done: Assessment, declarations: tuple[Json, ...], judged_at: Utc | None) -> bytes:
    return encode_assessment(
        source=source_facts(done.tree, done.reading),
        packs=done.packs,
        licences=licence_facts(done.reading),
        components=component_facts(done.lists, outbound_licences(done.reading)),
        history=done.history,
        answers=done.answers,
        declarations=declarations,
        judged_at=judged_at,
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
        *lost_signatures(_reasons(earlier), _reasons(later)),
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


def _reasons(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each.standard, each.item, each.reason) for each in stated_in(document)]


def recheck(
    data: bytes,
    source: Path,
    *,
    revision: str,
    declarations: Mapping[str, bytes],
    trusted: Trusted | None = None,
    sboms: Mapping[str, bytes] | None = None,
) -> dict[str, Json]:
    """Each evidence line, verdict and signed answer of a result, in a repository as it is now.

    declarations: signed files known by now, as withdrawals. sboms: the bills of materials that the
    result was made with, again. Raises NotFound or Refused if the
    assessment used packs that this version has not.
    """
    document = decode_assessment(data)
    used = packs([f"{each.get('id')}@{each.get('pack')}" for each in document["standards"]])
    lines = list(evidence_of(document))
    claims = claims_of(document)
    held = held_declarations(document.get("declarations", []), trusted)
    later = read_declarations(declarations, used, trusted)
    judged = merged(held, later.judged)
    with opened_repository(source, revision) as repository:
        done = assess_repository(
            repository,
            used,
            known_texts(),
            claims,
            judged=judged,
            lists=_lists(sboms),
            again=True,
        )
        figures = findings(done)
        states = recheck_lines(repository, lines, figures)
    assessed = str(document["source"].get("commit", ""))
    return encode_rechecked(
        states,
        compared(list(stated_in(document)), done.answers),
        signed_claims(done.signed),
        commit=done.tree.commit,
        assessed=assessed,
        as_made=_is_as_made(document, done, held) if assessed == done.tree.commit else None,
    )


def _is_as_made(document: dict[str, Any], done: Assessment, held: Judged) -> bool:
    """Whether a result of the same commit is this one; where it was read from may differ."""
    declarations: tuple[Json, ...] = tuple(document.get("declarations", ()))
    at = judged_at_of(document) if declarations else None
    # Whoever made it accepted the keys that it shows; whether anybody should is told beside.
    accepted = {each.key: "" for each in held.words.declarations}
    then = answered(done, claims_of(document), replace(held, accepted=accepted, at=at))
    made = decode_assessment(_encoded(then, declarations, at))
    for each in (document, made):
        each["source"] = {
            name: told for name, told in each["source"].items() if name not in ("kind", "notes")
        }
    return jcs(document) == jcs(made)
