"""Signed declarations and their withdrawals: W3C credentials that one key issues, as JSON.

Source: Verifiable Credentials Data Model 2.0 (W3C Recommendation, 15 May 2025), section 4. Here
stands what such a credential says; whether its proof holds is asked of a port.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from zhidao.core.canonical import Json, jcs, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.insight.domain.assessment import QUOTATION_LETTERS, Claim, Pointer
from zhidao.insight.domain.signed_claims import SignedAnswer, SignedDeclaration, Withdrawal
from zhidao.insight.wire.declarations import (
    ANSWER_LETTERS_MAX,
    DECLARATION_BYTES_MAX,
    NAME_LETTERS,
    POINTERS_MAX,
)

REASON_LETTERS_MAX: Final = 400
# So many files of declarations and withdrawals are taken at once.
DECLARATIONS_MAX: Final = 50
_CONTEXTS: Final = (
    "https://www.w3.org/ns/credentials/v2",
    # Gives the words of the subject a meaning of nobody's vocabulary (section 4.3).
    "https://www.w3.org/ns/credentials/undefined-terms/v2",
)
_DECLARATION: Final = "RepositoryDeclarationCredential"
_WITHDRAWAL: Final = "DeclarationWithdrawalCredential"
_Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Words = Annotated[str, msgspec.Meta(min_length=1, max_length=ANSWER_LETTERS_MAX)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_LETTERS)]
T = TypeVar("T")


class _Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    path: _Words
    says: Annotated[str, msgspec.Meta(min_length=1, max_length=QUOTATION_LETTERS)]
    passage: _Digest


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    standard: _Name
    item: _Name
    question: _Digest
    text: _Words
    met: bool
    see: Annotated[tuple[_Place, ...], msgspec.Meta(max_length=POINTERS_MAX)]


class _Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: Literal["RepositoryDeclaration"]
    on: date
    roots: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    answers: Annotated[tuple[_Answer, ...], msgspec.Meta(min_length=1)]


class _Withdrawn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: Literal["DeclarationWithdrawal"]
    declaration: Annotated[str, msgspec.Meta(pattern=r"^sha256:[0-9a-f]{64}\Z")]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_LETTERS_MAX)]
    answers: tuple[tuple[_Name, _Name], ...]


def is_signed(data: bytes) -> bool:
    """Whether bytes are meant as such a credential, and not as TOML."""
    return data.lstrip()[:1] == b"{"


def declaration_document(
    answers: Sequence[SignedAnswer], *, key: str, since: Utc, until: Utc, roots: Iterable[str]
) -> dict[str, Json]:
    """A credential without its proof. All answers are of one person and one day."""
    claim = answers[0].claim
    subject: dict[str, Json] = {
        "type": "RepositoryDeclaration",
        "on": claim.on.isoformat(),
        "roots": tuple(sorted(roots)),
        "answers": [_plain_answer(each) for each in answers],
    }
    issuer: dict[str, Json] = {"id": key, "name": claim.by}
    times: dict[str, Json] = {"validFrom": str(since), "validUntil": str(until)}
    return _document(_DECLARATION, issuer, times, subject)


def withdrawal_document(withdrawal: Withdrawal, *, by: str) -> dict[str, Json]:
    """A credential without its proof."""
    subject: dict[str, Json] = {
        "type": "DeclarationWithdrawal",
        "declaration": withdrawal.declaration,
        "reason": withdrawal.reason,
        "answers": [list(each) for each in sorted(withdrawal.answers)],
    }
    issuer: dict[str, Json] = {"id": withdrawal.key, "name": by}
    return _document(_WITHDRAWAL, issuer, {"validFrom": str(withdrawal.at)}, subject)


def decode_signed(data: bytes) -> SignedDeclaration | Withdrawal:
    """What such a credential says; its proof is not looked at. Raises MalformedInput."""
    return read_signed(parse_strict(data, bytes_max=DECLARATION_BYTES_MAX))


def read_signed(document: Any) -> SignedDeclaration | Withdrawal:
    """The same of JSON that was read."""
    if not isinstance(document, dict) or not isinstance(document.get("type"), list):
        raise MalformedInput("no signed declaration: a JSON object without a type")
    unproven = {name: value for name, value in document.items() if name != "proof"}
    name = "sha256:" + hashlib.sha256(jcs(unproven)).hexdigest()
    issuer = _converted(document.get("issuer"), _Issuer, "issuer")
    since = _instant(document, "validFrom")
    subject = document.get("credentialSubject")
    if _DECLARATION in document["type"]:
        declared = _converted(subject, _Declared, "credentialSubject")
        return SignedDeclaration(
            id=name,
            by=issuer.name,
            key=issuer.id,
            since=since,
            until=_instant(document, "validUntil"),
            roots=frozenset(declared.roots),
            answers=tuple(_answer(each, issuer.name, declared.on) for each in declared.answers),
        )
    if _WITHDRAWAL not in document["type"]:
        raise MalformedInput("a credential of another kind, no declaration of a repository")
    withdrawn = _converted(subject, _Withdrawn, "credentialSubject")
    of = frozenset(withdrawn.answers)
    return Withdrawal(withdrawn.declaration, issuer.id, since, withdrawn.reason, of)


class _Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: _Words
    name: _Name


def _document(
    kind: str, issuer: Mapping[str, Json], times: dict[str, Json], subject: Mapping[str, Json]
) -> dict[str, Json]:
    return {
        "@context": list(_CONTEXTS),
        "type": ["VerifiableCredential", kind],
        "issuer": issuer,
        **times,
        "credentialSubject": subject,
    }


def _plain_answer(answer: SignedAnswer) -> Json:
    claim = answer.claim
    return {
        "standard": answer.standard,
        "item": answer.item,
        "question": answer.question,
        "text": claim.text,
        "met": claim.is_met,
        "see": [
            {"path": place.path, "says": place.says, "passage": passage}
            for place, passage in zip(claim.see, answer.passages, strict=True)
        ],
    }


def _answer(plain: _Answer, by: str, on: date) -> SignedAnswer:
    see = tuple(Pointer(each.path, each.says) for each in plain.see)
    return SignedAnswer(
        standard=plain.standard,
        item=plain.item,
        question=plain.question,
        claim=Claim(plain.text, by, on, plain.met, see),
        passages=tuple(each.passage for each in plain.see),
    )


def _converted(value: object, kind: type[T], where: str) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"no signed declaration: {error}", where=where) from error


def _instant(document: Mapping[str, Any], name: str) -> Utc:
    value = document.get(name)
    if not isinstance(value, str):
        raise MalformedInput(f"no signed declaration: {name} is no instant", where=name)
    return Utc.parse(value)
