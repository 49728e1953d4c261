"""What a repository shows of a standard's questions: verdicts that are never a bare yes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from zhidao.insight.domain.evidence_kinds import FILE_PATTERNS, PUBLICCODE
from zhidao.insight.domain.standards import Answerer, Pack, Question

QUOTATION_LETTERS: Final = 200
# Of a claim, whether every word of it bears a signature that stands.
SIGNED_REASON: Final = "claimed_signed"
UNSIGNED_REASON: Final = "claimed_unsigned"
# So many places of one kind are cited; more say no more.
_CITED: Final = 3


class Verdict(StrEnum):
    """What may be said of a question. `shown` says by its evidence what is shown, and no more."""

    SHOWN = "shown"
    CLAIMED = "claimed"
    CONTRADICTED = "contradicted"
    NEEDS_PERSON = "needs_person"


@dataclass(frozen=True, slots=True)
class Cited:
    """Lines [first, last] of a blob, from 1, and the beginning of what they say."""

    kind: str
    path: str
    first: int
    last: int
    blob: str
    quotation: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A figure of the whole tree or history: its name, and what was counted."""

    kind: str
    figure: str
    value: str


Evidence = Cited | Counted


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a declaration says that something stands: a path, and words of one line of it."""

    path: str
    says: str


@dataclass(frozen=True, slots=True)
class Signature:
    """Whose key signed a claim, and what became of that: `mark`, a `signed_claims.Mark`.

    declaration: the digest of what was signed; key: a did:key; until: RFC 3339.
    """

    declaration: str
    key: str
    until: str
    mark: str

    @property
    def stands(self) -> bool:
        """Whether the claim may be taken for the signer's word."""
        return self.mark == "signed"


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody said. Without a signature nobody checked who it was.

    is_met: false where they said that it is not so. see: what they point to; evidence: those
    lines, as they were found.
    """

    text: str
    by: str
    on: date
    is_met: bool = True
    see: tuple[Pointer, ...] = ()
    evidence: tuple[Cited, ...] = ()
    signature: Signature | None = None

    @property
    def stands(self) -> bool:
        """Whether it counts as said: a signed one that lapsed does not."""
        return self.signature is None or self.signature.stands


@dataclass(frozen=True, slots=True)
class Answer:
    """A question's verdict with what it rests on. `reason`: a code with words in both languages."""

    standard: str
    question: Question
    verdict: Verdict
    reason: str
    evidence: tuple[Evidence, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of a kind. against: evidence that says the contrary, two places of it."""

    shows: tuple[Evidence, ...] = ()
    against: tuple[Evidence, ...] = ()


Findings = Mapping[str, Found]
Claims = Mapping[tuple[str, str], tuple[Claim, ...]]
_NONE: Final = Found()


def answers(packs: Sequence[Pack], found: Findings, claims: Claims) -> tuple[Answer, ...]:
    """An answer to every question of every pack, in their order."""
    return tuple(
        _answer(pack.id, question, found, claims.get((pack.id, question.id), ()))
        for pack in packs
        for question in pack.questions
    )


def _answer(
    standard: str, question: Question, found: Findings, claims: tuple[Claim, ...]
) -> Answer:
    against = [each for kind in question.settled_by for each in found.get(kind, _NONE).against]
    shows = _cited(question.settled_by, found)
    helps = _cited(question.supported_by, found)
    helps += [each for claim in claims if claim.stands for each in claim.evidence]
    if against:
        verdict, reason, evidence = Verdict.CONTRADICTED, "contradicted", against + shows
    elif shows:
        verdict, reason, evidence = Verdict.SHOWN, _shown_by(question), shows + helps
    elif claims and Answerer.DECLARATION in question.answered_by:
        verdict, reason = _claimed(claims)
        evidence = helps
    else:
        verdict, reason, evidence = Verdict.NEEDS_PERSON, _unknown(question), helps
    return Answer(standard, question, verdict, reason, tuple(evidence), claims)


def _claimed(claims: Sequence[Claim]) -> tuple[Verdict, str]:
    standing = [claim for claim in claims if claim.stands]
    if not standing:
        signature = claims[0].signature
        assert signature is not None, "what is not signed stands"
        return Verdict.NEEDS_PERSON, f"declaration_{signature.mark}"
    is_signed = all(claim.signature for claim in standing)
    if all(claim.is_met for claim in standing):
        return Verdict.CLAIMED, SIGNED_REASON if is_signed else UNSIGNED_REASON
    return Verdict.NEEDS_PERSON, "declared_not_met_signed" if is_signed else "declared_not_met"


def _unknown(question: Question) -> str:
    if question.setting:
        return "stands_elsewhere"
    return "not_found" if question.settled_by else "no_file_can_show"


def _cited(kinds: Sequence[str], found: Findings) -> list[Evidence]:
    return [each for kind in kinds for each in found.get(kind, _NONE).shows[:_CITED]]


def _shown_by(question: Question) -> str:
    """A file's presence shows the file, not that anybody lives by it: said with each verdict."""
    files = (kind in FILE_PATTERNS or kind.startswith(PUBLICCODE) for kind in question.settled_by)
    return "shown_file" if all(files) else "shown_content"
