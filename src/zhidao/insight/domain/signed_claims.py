"""What somebody signed of a repository, and whether it may still be taken for the signer's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from zhidao.core.timescale import Utc
from zhidao.insight.domain.assessment import Claim


class Mark(StrEnum):
    """What became of a signed answer. Only `signed` stands; every other one is as if not said.

    bad_signature: the bytes are not what was signed. unknown_key: whoever judges accepts no such
    key, or not for that name. other_repository: signed of a history with other beginnings.
    not_yet, expired: outside of its time. withdrawn: by the same key. question_changed: the
    standard asks in other words, or no more. text_changed: a passage that it points to is not as
    it was, or gone.
    """

    SIGNED = "signed"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_KEY = "unknown_key"
    OTHER_REPOSITORY = "other_repository"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    QUESTION_CHANGED = "question_changed"
    TEXT_CHANGED = "text_changed"


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """An answer as it was signed.

    question: SHA-256 of the question's words, hexadecimal. passages: of each place that the claim
    points to, in that order, the SHA-256 of its passage.
    """

    standard: str
    item: str
    question: str
    claim: Claim
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignedDeclaration:
    """Answers under one signature.

    id: `sha256:` and the digest of what was signed. key: the did:key of the signer, who calls
    himself `by`. roots: the first commits of the history that it is about.
    """

    id: str
    by: str
    key: str
    since: Utc
    until: Utc
    roots: frozenset[str]
    answers: tuple[SignedAnswer, ...]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A key takes back answers that it signed; `answers` empty: all of that declaration."""

    declaration: str
    key: str
    at: Utc
    reason: str
    answers: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class SignedClaims:
    """All that was handed in signed. bad: declarations (by id) whose signature does not hold."""

    declarations: tuple[SignedDeclaration, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    bad: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judged:
    """Signed words and by what they are judged.

    accepted: did:key -> the name for which it is accepted; empty: for any name. at: when.
    """

    words: SignedClaims = field(default_factory=SignedClaims)
    accepted: Mapping[str, str] = field(default_factory=dict)
    at: Utc | None = None


def mark_of(
    declaration: SignedDeclaration,
    answer: SignedAnswer,
    judged: Judged,
    *,
    roots: frozenset[str],
    question: str,
    passages: Sequence[str],
) -> Mark:
    """What became of an answer: the first thing that is wrong with it, else `signed`.

    roots: of the history now. question: the digest of the question now, empty where it is not
    asked. passages: the digests now, empty for a place that is not there.
    """
    name = judged.accepted.get(declaration.key)
    wrong = {
        Mark.BAD_SIGNATURE: declaration.id in judged.words.bad,
        Mark.UNKNOWN_KEY: name is None or name not in ("", declaration.by),
        Mark.OTHER_REPOSITORY: not declaration.roots <= roots,
        **_times(declaration, judged.at),
        Mark.WITHDRAWN: _is_withdrawn(declaration, answer, judged),
        Mark.QUESTION_CHANGED: question != answer.question,
        Mark.TEXT_CHANGED: tuple(passages) != answer.passages,
    }
    return next((mark for mark, is_so in wrong.items() if is_so), Mark.SIGNED)


def _times(declaration: SignedDeclaration, at: Utc | None) -> dict[Mark, bool]:
    # Without a moment nothing can be in its time.
    return {
        Mark.NOT_YET: at is None or at < declaration.since,
        Mark.EXPIRED: at is not None and at > declaration.until,
    }


def _is_withdrawn(declaration: SignedDeclaration, answer: SignedAnswer, judged: Judged) -> bool:
    return any(
        each.declaration == declaration.id
        and each.key == declaration.key
        and (not each.answers or (answer.standard, answer.item) in each.answers)
        and judged.at is not None
        and each.at <= judged.at
        for each in judged.words.withdrawals
    )
