"""Declarations of a repository: read, signed by a person's key, taken back, and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from zhidao.core.canonical import Json, jcs, parse_strict
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.timescale import Utc
from zhidao.insight.adapters.git_repository import opened_repository
from zhidao.insight.domain.assessment import Claims
from zhidao.insight.domain.signed_claims import (
    Judged,
    SignedAnswer,
    SignedClaims,
    SignedDeclaration,
    Withdrawal,
)
from zhidao.insight.domain.standards import Pack
from zhidao.insight.service.pointers import check_borne_out, paths_of
from zhidao.insight.service.ports import Sign, Verify
from zhidao.insight.service.signed_claims import passage_digest, question_digest
from zhidao.insight.service.tree_reading import TreeReading, read_tree
from zhidao.insight.wire.declarations import DECLARATION_BYTES_MAX, decode_declarations
from zhidao.insight.wire.known_licences import known_texts
from zhidao.insight.wire.packs import installed_packs
from zhidao.insight.wire.signed_declarations import (
    DECLARATIONS_MAX,
    REASON_LETTERS_MAX,
    declaration_document,
    decode_signed,
    is_signed,
    read_signed,
    withdrawal_document,
)

# No word about a repository is good for longer than some three years.
DAYS_MAX: Final = 1100
_DAY_NS: Final = 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Trusted:
    """By what signed declarations are judged.

    accepted: the did:key of each signer -> the name for which it is accepted, empty for any. at:
    as of when. verify: whether a credential's proof holds.
    """

    verify: Verify
    at: Utc
    accepted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadDeclarations:
    """What some files declare. claims: unsigned; judged: signed; documents: those as JSON."""

    claims: Claims
    judged: Judged
    documents: tuple[Json, ...]


def read_declarations(
    files: Mapping[str, bytes], packs: Sequence[Pack], trusted: Trusted | None
) -> ReadDeclarations:
    """Every file, TOML or signed. Raises MalformedInput that names the file at fault.

    A signature that does not hold, or of a key that is not accepted, is refused too.
    """
    if len(files) > DECLARATIONS_MAX:
        raise MalformedInput(f"at most {DECLARATIONS_MAX} files of declarations are taken at once")
    claims: dict[tuple[str, str], Any] = {}
    documents: dict[bytes, Json] = {}
    signed: list[SignedDeclaration | Withdrawal] = []
    for name, data in files.items():
        try:
            if not is_signed(data):
                for each, mine in decode_declarations(data, packs).items():
                    claims[each] = (*claims.get(each, ()), *mine)
                continue
            value = decode_signed(data)
            _check_accepted(value, data, trusted)
        except MalformedInput as error:
            error.where = f"{name} {error.where}".strip()
            raise
        document = parse_strict(data)
        if jcs(document) not in documents:
            documents[jcs(document)] = document
            signed.append(value)
    return ReadDeclarations(claims, _judged(signed, trusted), tuple(documents.values()))


def held_declarations(documents: Iterable[Any], trusted: Trusted | None) -> Judged:
    """Those that a result holds; a signature that does not hold is marked and not refused."""
    signed = [(read_signed(each), jcs(each)) for each in documents]
    bad = {
        value.id
        for value, data in signed
        if isinstance(value, SignedDeclaration) and trusted and trusted.verify(data, value.since)
    }
    kept = [
        value
        for value, data in signed
        if isinstance(value, SignedDeclaration) or (trusted and not trusted.verify(data, value.at))
    ]
    judged = _judged(kept, trusted)
    return replace(judged, words=replace(judged.words, bad=frozenset(bad)))


def merged(held: Judged, later: Judged) -> Judged:
    """What a result holds, and what was handed in beside it; each declaration once."""
    had = {each.id for each in held.words.declarations}
    more = tuple(each for each in later.words.declarations if each.id not in had)
    words = SignedClaims(
        (*held.words.declarations, *more),
        (*held.words.withdrawals, *later.words.withdrawals),
        held.words.bad,
    )
    return replace(held, words=words)


def _judged(signed: Iterable[SignedDeclaration | Withdrawal], trusted: Trusted | None) -> Judged:
    declared, withdrawn = [], []
    for each in signed:
        if isinstance(each, Withdrawal):
            withdrawn.append(each)
        else:
            declared.append(each)
    words = SignedClaims(tuple(declared), tuple(withdrawn))
    if trusted is None:
        return Judged(words)
    return Judged(words, trusted.accepted, trusted.at)


def _check_accepted(
    value: SignedDeclaration | Withdrawal, data: bytes, trusted: Trusted | None
) -> None:
    since = value.since if isinstance(value, SignedDeclaration) else value.at
    name = None if trusted is None else trusted.accepted.get(value.key)
    if trusted is None or name is None:
        raise MalformedInput(
            f"signed by {value.key}, which is no key that you accept", code="unknown_signatory"
        )
    if isinstance(value, SignedDeclaration) and name not in ("", value.by):
        raise MalformedInput(
            f"signed as {value.by!r} by a key that you accept for {name!r} alone",
            code="unknown_signatory",
        )
    if wrong := trusted.verify(data, since):
        raise MalformedInput(f"the signature does not hold: {wrong}", code="bad_signature")


def sign_declaration(
    data: bytes, source: Path, *, revision: str, sign: Sign, at: Utc, days: int
) -> bytes:
    """A declaration in TOML, signed for one history, for so many days, as canonical JSON.

    Raises MalformedInput for a spoiled one or other days, Refused where it points to lines that
    are not there.
    """
    if not 1 <= days <= DAYS_MAX:
        raise MalformedInput(f"a signature is good for 1 to {DAYS_MAX} days", where="--days")
    packs = installed_packs()
    claims = decode_declarations(data, packs)
    with opened_repository(source, revision) as repository:
        reading = read_tree(repository, known_texts(), paths_of(claims))
        roots = [commit.id for commit in repository.commits() if not commit.parents]
    check_borne_out(reading, claims)
    since = _whole_second(at)
    document = declaration_document(
        _answers(claims, packs, reading),
        key=sign.key,
        since=since,
        until=since.plus_ns(days * _DAY_NS),
        roots=roots,
    )
    signed = jcs(sign(document, since))
    if len(signed) > DECLARATION_BYTES_MAX:
        raise MalformedInput(f"a signed declaration has at most {DECLARATION_BYTES_MAX} bytes")
    return signed


def _answers(claims: Claims, packs: Sequence[Pack], reading: TreeReading) -> list[SignedAnswer]:
    asked = {
        (pack.id, question.id): question_digest(pack.id, question)
        for pack in packs
        for question in pack.questions
    }
    return [
        SignedAnswer(
            *name,
            question=asked[name],
            claim=claim,
            passages=tuple(passage_digest(reading, each) for each in claim.see),
        )
        for name, mine in claims.items()
        for claim in mine
    ]


def withdraw(
    data: bytes, *, answers: Sequence[str], reason: str, sign: Sign, at: Utc, verify: Verify
) -> bytes:
    """A withdrawal of answers (`STANDARD:ITEM`), or of all where none is named, signed.

    Raises Refused for another's declaration or an answer that is not in it, MalformedInput for
    what is no signed declaration.
    """
    declared = decode_signed(data)
    if not isinstance(declared, SignedDeclaration):
        raise MalformedInput("a withdrawal is not withdrawn; sign the declaration anew")
    if not 1 <= len(reason) <= REASON_LETTERS_MAX:
        raise MalformedInput(f"a reason has 1 to {REASON_LETTERS_MAX} letters", where="--reason")
    if wrong := verify(data, declared.since):
        raise MalformedInput(f"the signature does not hold: {wrong}", code="bad_signature")
    if declared.key != sign.key:
        raise Refused(f"only {declared.key} takes back what it signed", code="not_the_signer")
    known = {
        f"{each.standard}:{each.item}": (each.standard, each.item) for each in declared.answers
    }
    if unknown := [each for each in answers if each not in known]:
        raise Refused(f"that declaration has no answer {unknown[0]}", code="no_such_answer")
    taken = Withdrawal(
        declaration=declared.id,
        key=sign.key,
        at=max(_whole_second(at), declared.since),
        reason=reason,
        answers=frozenset(known[each] for each in answers),
    )
    return jcs(sign(withdrawal_document(taken, by=declared.by), taken.at))


def shown(data: bytes, verify: Verify, at: Utc) -> dict[str, Json]:
    """What a signed file says, and whether its signature holds; nobody's key is accepted by it."""
    value = decode_signed(data)
    since = value.since if isinstance(value, SignedDeclaration) else value.at
    told: dict[str, Json] = {"key": value.key, "since": str(since), "wrong": verify(data, since)}
    return told | (_shown_withdrawal(value) if isinstance(value, Withdrawal) else _shown(value, at))


def _shown_withdrawal(value: Withdrawal) -> dict[str, Json]:
    return {
        "kind": "withdrawal",
        "declaration": value.declaration,
        "reason": value.reason,
        "answers": [":".join(each) for each in sorted(value.answers)],
    }


def _shown(value: SignedDeclaration, at: Utc) -> dict[str, Json]:
    return {
        "kind": "declaration",
        "declaration": value.id,
        "by": value.by,
        "until": str(value.until),
        "expired": at > value.until,
        "roots": tuple(sorted(value.roots)),
        "answers": [
            {
                "standard": each.standard,
                "item": each.item,
                "met": each.claim.is_met,
                "text": each.claim.text,
                "see": tuple(f"{place.path}: {place.says}" for place in each.claim.see),
            }
            for each in value.answers
        ],
    }


def _whole_second(at: Utc) -> Utc:
    """A moment cut to its second: what W3C writes has no more than milliseconds everywhere."""
    return Utc.from_unix_ns(at.unix_ns // 1_000_000_000 * 1_000_000_000)
