"""An assessment as JSON of one byte form (RFC 8785), and what is read of it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Final

import msgspec

from zhidao.core.canonical import Json, jcs, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.core.versions import check_version_in
from zhidao.insight.domain.assessment import (
    QUOTATION_LETTERS,
    Answer,
    Cited,
    Claim,
    Counted,
    Evidence,
    Pointer,
)
from zhidao.insight.domain.standards import Pack
from zhidao.insight.domain.verdict_comparison import Stated
from zhidao.insight.wire.git_objects import is_object_id
from zhidao.insight.wire.signed_declarations import DECLARATIONS_MAX

FORMAT: Final = "zhidao.assessment"
KNOWN_VERSIONS: Final = (1,)
ASSESSMENT_BYTES_MAX: Final = 64 * 1024 * 1024


def encode_assessment(
    *,
    source: dict[str, Json],
    packs: Iterable[Pack],
    licences: dict[str, Json],
    history: dict[str, Json],
    answers: Iterable[Answer],
    components: Json = None,
    declarations: tuple[Json, ...] = (),
    judged_at: Utc | None = None,
) -> bytes:
    """The document; the same commit, packs and declarations give the same bytes.

    declarations: what was signed and its withdrawals, whole; then judged_at says as of when.
    """
    standards: list[Json] = [
        {
            "id": pack.id,
            "version": pack.version,
            "source": pack.source,
            "pack": pack.digest,
            "looked_at": pack.looked_at.isoformat(),
            "texts": [{"file": text.file, "sha256": text.sha256} for text in pack.texts],
        }
        for pack in packs
    ]
    parts: dict[str, Json] = {"components": components} if components else {}
    signed: dict[str, Json] = (
        {"declarations": declarations, "judged_at": str(judged_at)} if declarations else {}
    )
    return jcs(
        signed
        | parts
        | {
            "v": 1,
            "format": FORMAT,
            "source": source,
            "standards": standards,
            "licences": licences,
            "history": history,
            "answers": [_answer(answer) for answer in answers],
        }
    )


def _answer(answer: Answer) -> Json:
    question = answer.question
    setting: dict[str, Json] = (
        {"setting": {"en": question.setting[0], "zh": question.setting[1]}}
        if question.setting
        else {}
    )
    return setting | {
        "standard": answer.standard,
        "item": answer.question.id,
        "question": {"en": answer.question.en, "zh": answer.question.zh},
        "verdict": str(answer.verdict),
        "reason": answer.reason,
        "evidence": [_evidence(each) for each in answer.evidence],
        "claims": [_claim(each) for each in answer.claims],
    }


def _evidence(evidence: Evidence) -> Json:
    if isinstance(evidence, Counted):
        return {"kind": evidence.kind, "figure": evidence.figure, "value": evidence.value}
    return {
        "kind": evidence.kind,
        "path": evidence.path,
        "lines": [evidence.first, evidence.last],
        "blob": evidence.blob,
        "quotation": evidence.quotation,
    }


def _claim(claim: Claim) -> Json:
    plain: dict[str, Json] = {
        "text": claim.text,
        "by": claim.by,
        "on": claim.on.isoformat(),
        "signed": claim.signature is not None and claim.signature.stands,
    }
    if claim.signature is not None:
        plain["mark"] = claim.signature.mark
        plain["key"] = claim.signature.key
        plain["until"] = claim.signature.until
        plain["declaration"] = claim.signature.declaration
    if not claim.is_met:
        plain["met"] = False
    if claim.see:
        plain["see"] = [{"path": each.path, "says": each.says} for each in claim.see]
    return plain


def decode_assessment(data: bytes) -> dict[str, Any]:
    """The document. Raises MalformedInput for what is none, or of a version not known."""
    plain = parse_strict(data, bytes_max=ASSESSMENT_BYTES_MAX)
    check_version_in(plain, form="an assessment", known=KNOWN_VERSIONS)
    if not isinstance(plain, dict) or plain.get("format") != FORMAT or plain.get("v") != 1:
        raise MalformedInput("no assessment of a repository")
    for key, kind in _SHAPES.items():
        if not isinstance(plain.get(key), kind):
            raise MalformedInput(f"an assessment without {key}")
    if not is_object_id(str(plain["source"].get("commit"))):
        raise MalformedInput("an assessment of no commit", where="source")
    for number, standard in enumerate(plain["standards"]):
        _check_standard(standard, f"standards[{number}]")
    _check_answers(plain["answers"])
    _check_signed(plain)
    return plain


_SHAPES: Final = {
    "source": dict,
    "standards": list,
    "licences": dict,
    "history": dict,
    "answers": list,
}
_ANSWER_SHAPES: Final = {
    "standard": str,
    "item": str,
    "question": dict,
    "verdict": str,
    "reason": str,
    "evidence": list,
    "claims": list,
}


def _check_signed(plain: dict[str, Any]) -> None:
    declarations = plain.get("declarations", [])
    if not isinstance(declarations, list) or len(declarations) > DECLARATIONS_MAX:
        raise MalformedInput(f"an assessment has at most {DECLARATIONS_MAX} declarations")
    if declarations:
        judged_at_of(plain)


def judged_at_of(document: dict[str, Any]) -> Utc:
    """As of when the signed declarations of a result were judged. Raises MalformedInput."""
    at = document.get("judged_at")
    if not isinstance(at, str):
        raise MalformedInput("signed declarations, and not when they were judged")
    return Utc.parse(at)


def _check_standard(standard: Any, where: str) -> None:
    told = [standard.get("id"), standard.get("pack")] if isinstance(standard, dict) else [None]
    if not all(isinstance(word, str) for word in told):
        raise MalformedInput("a standard without id and pack", where=where)


def _check_answers(answers: list[Any]) -> None:
    seen: set[tuple[str, str]] = set()
    for number, answer in enumerate(answers):
        where = f"answers[{number}]"
        _check_answer(answer, where)
        standard, item = answer["standard"], answer["item"]
        if (standard, item) in seen:
            raise MalformedInput(f"{standard} {item} is answered twice", where=where)
        seen.add((standard, item))


def _check_answer(answer: Any, where: str) -> None:
    whole = isinstance(answer, dict) and all(
        isinstance(answer.get(key), kind) for key, kind in _ANSWER_SHAPES.items()
    )
    if not whole or not isinstance(answer.get("setting", {}), dict):
        raise MalformedInput("an answer is not whole", where=where)
    for evidence in answer["evidence"]:
        if read_evidence(evidence) is None:
            raise MalformedInput("evidence that names no place and no figure", where=where)


def evidence_of(document: dict[str, Any]) -> Iterator[tuple[str, str, Evidence]]:
    """Each evidence line with its standard and item, in order."""
    for answer in document["answers"]:
        for plain in answer["evidence"]:
            evidence = read_evidence(plain)
            assert evidence is not None
            yield answer["standard"], answer["item"], evidence


def stated_in(document: dict[str, Any]) -> Iterator[Stated]:
    """Each verdict with its question, in order."""
    for answer in document["answers"]:
        words = answer["question"]
        yield Stated(
            answer["standard"],
            answer["item"],
            (str(words.get("en")), str(words.get("zh"))),
            answer["verdict"],
            answer["reason"],
        )


def claims_of(document: dict[str, Any]) -> dict[tuple[str, str], tuple[Claim, ...]]:
    """What somebody declared unsigned, by standard and item, as the result quotes it.

    What it quotes of signed declarations is not taken from there: those stand in it whole.
    """
    found = {}
    for answer in document["answers"]:
        unsigned = (each for each in answer["claims"] if not _is_of_signed(each))
        if claims := tuple(_read_claim(plain) for plain in unsigned):
            found[answer["standard"], answer["item"]] = claims
    return found


def _is_of_signed(plain: Any) -> bool:
    return isinstance(plain, dict) and "declaration" in plain


def _read_claim(plain: Any) -> Claim:
    values = plain if isinstance(plain, dict) else {}
    try:
        return Claim(
            text=msgspec.convert(values.get("text"), str),
            by=msgspec.convert(values.get("by"), str),
            on=msgspec.convert(values.get("on"), date),
            is_met=msgspec.convert(values.get("met", True), bool),
            see=msgspec.convert(values.get("see", ()), tuple[Pointer, ...]),
        )
    except msgspec.ValidationError as error:
        raise MalformedInput("a claim that says not what, by whom and when") from error


def read_evidence(plain: Any) -> Evidence | None:
    """A line of evidence, or None for what is none."""
    if not isinstance(plain, dict):
        return None
    try:
        if "figure" in plain:
            return msgspec.convert(plain, Counted)
        lines: Any = plain.get("lines")
        if not _is_span(lines):
            return None
        rest = {name: value for name, value in plain.items() if name != "lines"}
        cited = msgspec.convert(rest | {"first": lines[0], "last": lines[1]}, Cited)
    except msgspec.ValidationError:
        return None
    whole = is_object_id(cited.blob) and len(cited.quotation) <= QUOTATION_LETTERS
    return cited if whole else None


def _is_span(lines: Any) -> bool:
    return (
        isinstance(lines, list)
        and len(lines) == 2
        and all(type(line) is int for line in lines)
        and 1 <= lines[0] <= lines[1]
    )
