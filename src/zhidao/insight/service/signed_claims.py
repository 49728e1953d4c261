"""Signed answers held against the tree, the history and the questions as they are now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from zhidao.core.canonical import jcs
from zhidao.insight.domain.assessment import Claim, Claims, Pointer, Signature
from zhidao.insight.domain.passage import passage_at
from zhidao.insight.domain.signed_claims import (
    Judged,
    SignedAnswer,
    SignedDeclaration,
    mark_of,
)
from zhidao.insight.domain.standards import Pack, Question
from zhidao.insight.service.pointers import line_of
from zhidao.insight.service.tree_reading import TreeReading


def paths_signed(judged: Judged) -> set[str]:
    """The files that signed answers point to."""
    return {
        pointer.path
        for declaration in judged.words.declarations
        for answer in declaration.answers
        for pointer in answer.claim.see
    }


def question_digest(standard: str, question: Question) -> str:
    """SHA-256, hexadecimal, of what is asked: the standard, its item, and both languages."""
    return hashlib.sha256(jcs([standard, question.id, question.en, question.zh])).hexdigest()


def passage_digest(reading: TreeReading, pointer: Pointer) -> str:
    """The digest of the passage that a place names; empty where no line says so."""
    line = line_of(reading, pointer)
    return "" if line is None else passage_at(reading.contents[pointer.path], line).sha256


def marked(
    judged: Judged, reading: TreeReading, roots: frozenset[str], packs: Sequence[Pack]
) -> dict[tuple[str, str], tuple[Claim, ...]]:
    """The signed claims by standard and item, each with its mark; of the standards asked alone."""
    asked = {
        (pack.id, question.id): question_digest(pack.id, question)
        for pack in packs
        for question in pack.questions
    }
    standards = {pack.id for pack in packs}
    found: dict[tuple[str, str], tuple[Claim, ...]] = {}
    for declaration, answer in _answers(judged):
        if answer.standard not in standards:
            continue
        name = (answer.standard, answer.item)
        mark = mark_of(
            declaration,
            answer,
            judged,
            roots=roots,
            question=asked.get(name, ""),
            passages=[passage_digest(reading, each) for each in answer.claim.see],
        )
        told = Signature(declaration.id, declaration.key, str(declaration.until), str(mark))
        found[name] = (*found.get(name, ()), replace(answer.claim, signature=told))
    return found


def with_signed(claims: Claims, signed: Claims) -> Claims:
    """Both; what was said unsigned and signed, in the same words, is said once."""
    both = {}
    for name in (*claims, *(name for name in signed if name not in claims)):
        mine = signed.get(name, ())
        said = {replace(each, signature=None) for each in mine}
        both[name] = (*(each for each in claims.get(name, ()) if each not in said), *mine)
    return both


def _answers(judged: Judged) -> Iterator[tuple[SignedDeclaration, SignedAnswer]]:
    return ((each, answer) for each in judged.words.declarations for answer in each.answers)
