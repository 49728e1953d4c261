from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.insight.domain.assessment import Claim, Pointer
from zhidao.insight.domain.signed_claims import SignedAnswer, SignedDeclaration, Withdrawal
from zhidao.insight.wire.signed_declarations import (
    declaration_document,
    decode_signed,
    read_signed,
    withdrawal_document,
)

SINCE = Utc.parse("2026-12-01T00:00:00Z")
UNTIL = Utc.parse("2027-12-01T00:00:00Z")
KEY = "did:key:z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw"
words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
places = st.lists(st.tuples(st.builds(Pointer, words, words), digests), max_size=3)


@st.composite
def answers(draw: st.DrawFn) -> SignedAnswer:
    found = draw(places)
    see = tuple(pointer for pointer, _ in found)
    claim = Claim(draw(words), "A. Person", date(2026, 11, 30), draw(st.booleans()), see)
    passages = tuple(digest for _, digest in found)
    return SignedAnswer(draw(words), draw(words), draw(digests), claim, passages)


@given(st.lists(answers(), min_size=1, max_size=3))
def test_a_declaration_written_and_read_is_the_same(signed: list[SignedAnswer]):
    document = declaration_document(signed, key=KEY, since=SINCE, until=UNTIL, roots=["b", "a"])
    read = read_signed(document)
    assert isinstance(read, SignedDeclaration)
    assert list(read.answers) == signed
    assert (read.by, read.key, read.since, read.until) == ("A. Person", KEY, SINCE, UNTIL)
    assert read.roots == {"a", "b"}
    # What is signed names it, whatever the proof beside it.
    assert read_signed(document | {"proof": {"x": 1}}) == read
    assert decode_signed(json.dumps(document).encode()) == read


@given(st.frozensets(st.tuples(words, words), max_size=3), words)
def test_a_withdrawal_written_and_read_is_the_same(of: frozenset[tuple[str, str]], reason: str):
    taken = Withdrawal("sha256:" + "0" * 64, KEY, SINCE, reason, of)
    assert read_signed(withdrawal_document(taken, by="A. Person")) == taken


@given(st.data())
def test_a_value_of_another_kind_is_refused_and_nothing_more(data: st.DataObject):
    claim = Claim("x", "A", date(2026, 11, 30))
    signed = [SignedAnswer("dpg", "7", "0" * 64, claim, ())]
    whole = declaration_document(signed, key=KEY, since=SINCE, until=UNTIL, roots=["a"])
    document: dict[str, Any] = json.loads(json.dumps(whole))
    inside = document
    for _ in range(data.draw(st.integers(0, 2))):
        inner = [value for value in inside.values() if isinstance(value, dict)]
        inside = data.draw(st.sampled_from(inner)) if inner else inside
    name = data.draw(st.sampled_from(sorted(inside)))
    inside[name] = data.draw(st.none() | st.integers() | st.lists(st.integers(), max_size=2))
    if name == "@context":
        return
    with pytest.raises(MalformedInput):
        read_signed(document)
