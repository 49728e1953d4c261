"""Sentences of BeiDou units: those seen in the field are read, and written back letter by letter."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.connectivity.wire.rdss import (
    CardInfo,
    Feedback,
    Other,
    Received3,
    Received21,
    Send3,
    Send21,
    as_received,
    build,
    checksum,
    parse,
)
from zhidao.core.errors import MalformedInput

card = st.text("0123456789", min_size=1, max_size=7)
data = st.binary(max_size=80)
small = st.integers(0, 99)
sentences = st.one_of(
    st.builds(CardInfo, card, small, small, small, small, small, st.booleans(), small),
    st.builds(Send21, card, st.integers(0, 1), st.integers(0, 2), data),
    st.builds(
        Received21, st.integers(0, 5), card, st.integers(0, 2), st.sampled_from(["", "2337"]), data
    ),
    st.builds(Send3, card, st.integers(0, 5), st.integers(0, 2), st.integers(0, 5), data, small),
    st.builds(
        Received3,
        card,
        card,
        st.integers(0, 5),
        st.sampled_from(["", "082920"]),
        st.integers(0, 5),
        st.just("0"),
        data,
    ),
    st.builds(
        Feedback,
        st.sampled_from(["", "082920"]),
        st.just("TCQ"),
        st.booleans(),
        st.just("0"),
        st.just("12"),
    ),
)


@given(sentences)
def test_a_sentence_comes_back_as_it_was_sent(sentence):
    assert parse(build(sentence)) == sentence


@given(st.text("$*,0123456789ABCDEFBDCTXRI\r\n", max_size=60))
def test_any_text_is_a_sentence_or_malformed(text: str):
    try:
        sentence = parse(text)
    except MalformedInput:
        return
    assert parse(build(sentence)) == sentence


@given(
    st.sampled_from(["BDTXR", "BDTCI", "CCTXA", "CCTCQ", "BDICI", "BDFKI"]),
    st.lists(st.text("0123456789AFY", max_size=8), max_size=9),
)
def test_any_fields_under_a_sound_checksum_are_a_sentence_or_malformed(
    name: str, fields: list[str]
):
    body = ",".join([name, *fields])
    try:
        sentence = parse(f"${body}*{checksum(body)}")
    except MalformedInput:
        return
    assert parse(build(sentence)) == sentence


def test_sentences_of_the_field(shared: Path):
    cases = json.loads((shared / "connectivity/rdss/sentences.json").read_bytes())
    read = 0
    for case in cases:
        if "non-hex" in case["note"]:
            with pytest.raises(MalformedInput) as caught:
                parse(case["sentence"])
            assert caught.value.code == "bad_payload"
        else:
            sentence = parse(case["sentence"] + "\r\n")
            assert build(sentence) == case["sentence"] + "\r\n"
            read += not isinstance(sentence, Other)
    sys.stdout.write(
        json.dumps(
            {
                "suite": "rdss-sentences",
                "passed": len(cases),
                "total": len(cases),
                "taken_apart": read,
                "failed": [],
            }
        )
    )
    assert read == 7


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("$CCTXA,0179773,1,2,A468656C6C6F*7A", Send21("0179773", 1, 2, b"hello")),
        ("$CCTXA,0247718,1,1,3132333435*70", Send21("0247718", 1, 1, b"12345")),
        ("$BDTXR,1,0179773,2,,A468656C6C6F*43", Received21(1, "0179773", 2, "", b"hello")),
        ("$BDFKI,082920,TCQ,Y,0,0*70", Feedback("082920", "TCQ", True, "0", "0")),
        ("$BDICI,4207733,0,0,3,60,2,N,22*3A", CardInfo("4207733", 0, 0, 3, 60, 2, False, 22)),
    ],
)
def test_fields_of_known_sentences(sentence, expected):
    assert parse(sentence) == expected


def test_one_changed_letter_is_noticed():
    with pytest.raises(MalformedInput) as caught:
        parse("$CCTXA,0179774,1,2,A468656C6C6F*7A")
    assert caught.value.code == "bad_checksum"


@pytest.mark.parametrize("payload", ["A4F", "ZZ", "B9E3"])
def test_half_bytes_letters_and_a_missing_mark_are_refused(payload: str):
    body = f"BDTXR,1,0179773,2,,{payload}"
    with pytest.raises(MalformedInput) as caught:
        parse(f"${body}*{checksum(body)}")
    assert caught.value.code == "bad_payload"


def test_what_one_end_sends_the_other_reads():
    assert as_received(Send21("1", 1, 2, b"x"), sender="2", at_hhmmss="") == Received21(
        1, "2", 2, "", b"x"
    )
    got = as_received(Send3("1", 1, 1, 2, b"x", 0), sender="2", at_hhmmss="010203")
    assert parse(build(got)) == got
