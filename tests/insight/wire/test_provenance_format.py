from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.insight.wire.provenance import decode_envelope, encode_statement, sign_statement

KEY = SoftwareKey(Algorithm.ED25519, bytes(range(32)))
names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)


def encoded(subjects: dict[str, str], builder: str) -> bytes:
    return encode_statement(
        subjects=subjects,
        build_type="urn:x",
        external={},
        internal={},
        dependencies=[{"name": "a", "digest": {"gitCommit": "b" * 40}}],
        builder=builder,
        byproducts=[],
    )


@given(st.dictionaries(names, digests, min_size=1, max_size=5), names)
def test_what_is_signed_is_what_is_read(subjects: dict[str, str], builder: str):
    signed = decode_envelope(sign_statement(encoded(subjects, builder), KEY))
    told = signed.statement
    assert {each.name: each.digest["sha256"] for each in told.subject} == subjects
    assert told.predicate.run_details.builder.id == builder
    assert KEY.public.verifies(signed.signatures[0], signed.message)
    assert not KEY.public.verifies(signed.signatures[0], signed.message + b" ")


@given(st.binary(max_size=60) | st.sampled_from([b"{}", b'{"payload":"","payloadType":"x"}']))
def test_any_other_bytes_are_no_envelope(data: bytes):
    with pytest.raises(MalformedInput):
        decode_envelope(data)


@given(st.data())
def test_a_value_of_another_kind_is_refused_and_nothing_more(data: st.DataObject):
    document = json.loads(encoded({"a": "0" * 64}, "urn:b"))
    inside = document
    path = data.draw(st.sampled_from(["subject", "predicate", "_type", "predicateType"]))
    inside[path] = data.draw(st.none() | st.integers() | st.lists(st.integers(), max_size=2))
    with pytest.raises(MalformedInput):
        sign_statement(json.dumps(document).encode(), KEY)
