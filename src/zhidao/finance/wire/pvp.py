"""The messages of payment versus payment: quotes, terms and votes as signed canonical JSON.

A message is `{body, key, signature}`; the signature is over the RFC 8785 form of the body, which
names its type, so that a vote is never taken for a quote. Decisions travel as signed events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from zhidao.core.canonical import Json, jcs, parse_strict
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import parse_id
from zhidao.core.keys import PublicKey, Signer
from zhidao.core.money import Currency
from zhidao.core.timescale import Utc
from zhidao.core.versions import check_type
from zhidao.finance.domain.pvp.fx import Quote, Rate
from zhidao.finance.domain.pvp.pvp import BATCH_MAX, Leg, Side, Terms
from zhidao.finance.events.banks import FxQuoted

MESSAGE_BYTES_MAX: Final = 1024 * 1024
_Digits = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,18}\Z", max_length=19)]
_Short = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Key = Annotated[str, msgspec.Meta(min_length=2, max_length=4096)]
_StructT = TypeVar("_StructT", bound=msgspec.Struct)


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class _Leg(_Strict, frozen=True, kw_only=True):
    ledger: _Short
    debit: _Short
    credit: _Short
    amount_minor: _Digits

    def value(self) -> Leg:
        debit, credit = parse_id(self.debit), parse_id(self.credit)
        return Leg(self.ledger, debit, credit, int(self.amount_minor))


class _Terms(_Strict, frozen=True, kw_only=True):
    nonce: _Short
    first: _Leg
    second: _Leg
    rate: tuple[_Digits, _Digits]
    first_key: _Key
    second_key: _Key
    decider_key: _Key
    deadline_ns: _Digits


class _Vote(_Strict, frozen=True, kw_only=True):
    terms: _Terms
    side: Side
    yes: bool


class _Votes(_Strict, frozen=True, kw_only=True):
    type: Literal["finance.pvp-votes.v1"]
    votes: Annotated[list[_Vote], msgspec.Meta(min_length=1, max_length=BATCH_MAX)]


class _Quote(_Strict, frozen=True, kw_only=True):
    type: Literal["finance.fx-quote.v1"]
    id: _Short
    dealer: _Short
    sold: _Short
    bought: _Short
    rate: tuple[_Digits, _Digits]
    sold_minor_max: _Digits
    valid_until: _Short


class _Signed(_Strict, frozen=True, kw_only=True):
    body: dict[str, Any]
    key: _Key
    signature: Annotated[str, msgspec.Meta(max_length=4096)]


@dataclass(frozen=True, slots=True)
class Vote:
    """A participant's word on one deal: its leg is reserved, or it will not be."""

    terms: Terms
    side: Side
    yes: bool


def encode_votes(votes: Sequence[Vote], signer: Signer) -> bytes:
    """Votes under one signature, at most 512."""
    assert 0 < len(votes) <= BATCH_MAX, "the caller shares votes out"
    listed: list[Json] = [
        {"terms": vote.terms.plain, "side": vote.side.value, "yes": vote.yes} for vote in votes
    ]
    return _sign({"type": "finance.pvp-votes.v1", "votes": listed}, signer)


def decode_votes(data: bytes) -> tuple[str, list[Vote]]:
    """The voter's key and votes. Raises MalformedInput, or Refused for a wrong signature."""
    body, key = _open(data)
    wire = _convert(body, _Votes)
    return key, [Vote(_terms(vote.terms), vote.side, vote.yes) for vote in wire.votes]


def encode_quote(quote: Quote, signer: Signer) -> bytes:
    """A quote with its dealer's signature."""
    return _sign(
        {
            "type": "finance.fx-quote.v1",
            "id": quote.id,
            "dealer": quote.dealer,
            "sold": quote.sold.code,
            "bought": quote.bought.code,
            "rate": [str(quote.rate.numerator), str(quote.rate.denominator)],
            "sold_minor_max": str(quote.sold_minor_max),
            "valid_until": str(quote.valid_until),
        },
        signer,
    )


def decode_quote(data: bytes, *, dealer_key: PublicKey) -> Quote:
    """A quote of a known dealer. Raises MalformedInput, or Refused if another signed it."""
    body, key = _open(data)
    wire = _convert(body, _Quote)
    if key != dealer_key.multikey:
        raise Refused(f"quote {wire.id}: not signed by its dealer's key", code="bad_signature")
    return Quote(
        id=wire.id,
        dealer=wire.dealer,
        sold=Currency(wire.sold),
        bought=Currency(wire.bought),
        rate=_rate(wire.rate),
        sold_minor_max=int(wire.sold_minor_max),
        valid_until=Utc.parse(wire.valid_until),
    )


def read_quote(message: dict[str, Any]) -> Quote:
    """A quote from the parsed message that holds it, with its signature checked.

    Raises MalformedInput, or Refused (`bad_signature`). Whose key it is, the caller must know.
    """
    data = jcs(message)
    return decode_quote(data, dealer_key=PublicKey.from_multikey(str(message.get("key", ""))))


def read_quoted(data: bytes) -> FxQuoted:
    """A quote as a dealer sends it. Raises MalformedInput."""
    return _convert(parse_strict(data, bytes_max=MESSAGE_BYTES_MAX), FxQuoted)


def read_terms(plain: object) -> Terms:
    """Terms from parsed JSON. Raises MalformedInput."""
    return _terms(_convert(plain, _Terms))


def _terms(wire: _Terms) -> Terms:
    return Terms(
        nonce=wire.nonce,
        first=wire.first.value(),
        second=wire.second.value(),
        rate=_rate(wire.rate),
        first_key=wire.first_key,
        second_key=wire.second_key,
        decider_key=wire.decider_key,
        deadline_ns=int(wire.deadline_ns),
    )


def _rate(words: tuple[str, str]) -> Rate:
    return Rate(int(words[0]), int(words[1]))


def _sign(body: dict[str, Json], signer: Signer) -> bytes:
    signature = base64url(signer.sign(jcs(body)))
    return jcs({"body": body, "key": signer.public.multikey, "signature": signature})


def _open(data: bytes) -> tuple[dict[str, Any], str]:
    signed = _convert(parse_strict(data, bytes_max=MESSAGE_BYTES_MAX), _Signed)
    key = PublicKey.from_multikey(signed.key)
    if not key.verifies(parse_base64url(signed.signature), jcs(signed.body)):
        raise Refused("the message's signature does not hold", code="bad_signature")
    return signed.body, signed.key


def _convert(plain: object, kind: type[_StructT]) -> _StructT:
    check_type(plain, kind, form="a message of payment versus payment")
    try:
        return msgspec.convert(plain, kind, strict=True)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"payment versus payment: {error}") from error
