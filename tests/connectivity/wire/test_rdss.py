"""Sentences of BeiDou units: those seen in the field are read, and written back letter by letter."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.wire.compact import Track, pack
from zhidao.connectivity.wire.rdss import (
    Beam,
    BeamPowers,
    BeamStatus,
    CardInfo,
    CardInfo3,
    CardQuery,
    Feedback,
    Levels,
    Other,
    OutputSetting,
    PositionAnswer,
    PositionReport,
    PositionRequest,
    Received3,
    Received21,
    Send3,
    Send21,
    SentenceReader,
    SettingAnswer,
    as_received,
    build,
    checksum,
    parse,
)
from zhidao.connectivity.wire.rdss.explained import explain
from zhidao.connectivity.wire.rdss.payload import meaning_of, text_of
from zhidao.connectivity.wire.rdss.reading import BEAMS_MAX
from zhidao.core.errors import MalformedInput

card = st.text("0123456789", min_size=1, max_size=8)
data = st.binary(max_size=80)
small = st.integers(0, 99)
code = st.text("0123456789ABCDEFXYZ", max_size=8)
clock = st.sampled_from(["", "082920", "235960.00", "000000"])
number = st.decimals(-9999, 9999, places=2)
maybe = st.one_of(st.none(), number)
latitude = st.sampled_from(["2302.2434N", "0000.0S", "9000.00N"])
longitude = st.sampled_from(["11323.6667E", "00000.1W", "18000.0E"])
beams = st.lists(
    st.builds(Beam, small, st.decimals(0, 99, places=1), small.map(Decimal)), max_size=9
)
flagged = st.lists(
    st.builds(Beam, small, small.map(Decimal), small.map(Decimal), st.sampled_from(["0", ""])),
    max_size=9,
)
rest = st.lists(small.map(str), min_size=21, max_size=24)
sentences = st.one_of(
    st.builds(CardQuery, st.sampled_from(["CCICA", "CCICI", "CCICR"]), st.integers(0, 9), code),
    st.builds(CardInfo, card, code, code, small, small, small, st.booleans(), small),
    st.builds(CardInfo3, card, code, rest.map(tuple)),
    st.builds(Send21, card, st.integers(0, 1), st.integers(0, 2), data),
    st.builds(
        Received21, st.integers(0, 5), card, st.integers(0, 2), st.sampled_from(["", "2337"]), data
    ),
    st.builds(
        Send3,
        card,
        st.integers(0, 5),
        st.integers(0, 2),
        st.integers(0, 5),
        st.binary(min_size=1, max_size=80),
        small,
    ),
    st.builds(
        Send3,
        *(card, st.integers(0, 5), st.integers(0, 2), st.integers(0, 5)),
        *(st.binary(min_size=1, max_size=80), st.just(0), st.just(True)),
    ),
    st.builds(
        Received3, card, card, st.integers(0, 5), clock, st.integers(0, 5), st.just("0"), data
    ),
    st.builds(
        Feedback,
        st.sampled_from(["", "082920", "082920.00"]),
        st.just("TCQ"),
        st.booleans(),
        st.just("0"),
        st.sampled_from(["12", "0058", "0"]),
    ),
    st.builds(
        Feedback,
        *(st.just(""), st.just("TXA"), st.booleans(), st.just("4"), st.just("0058")),
        st.sampled_from("YN"),
    ),
    st.builds(
        BeamStatus, small, small, st.lists(st.integers(0, 5), min_size=1, max_size=10).map(tuple)
    ),
    st.builds(BeamPowers, clock, beams.map(tuple), beams.map(tuple)),
    st.builds(BeamPowers, clock, beams.map(tuple), flagged.map(tuple)),
    st.builds(Levels, st.lists(small, min_size=1, max_size=21).map(tuple)),
    st.builds(OutputSetting, code, st.integers(1, 4), st.one_of(st.none(), small)),
    st.builds(
        PositionRequest,
        *(card, st.booleans(), st.integers(0, 3), st.booleans(), maybe, maybe, maybe, maybe, small),
    ),
    st.builds(
        PositionAnswer,
        *(st.integers(0, 9), card, clock, latitude, longitude, maybe, maybe, st.integers(0, 9)),
        *(st.booleans(), st.booleans(), st.booleans()),
    ),
    st.builds(
        PositionReport,
        *(card, card, small, clock, longitude, latitude, maybe, code, code, maybe, code),
    ),
    st.builds(SettingAnswer, st.sampled_from(["BDDEF", "BDBTX"]), code),
    st.builds(Other, st.just("BDZZZ"), st.lists(code, max_size=4).map(tuple)),
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
    st.sampled_from(
        "BDTXR BDTCI CCTXA CCTCQ BDICI BDICP BDFKI BDBSI BDPWI BDSNR CCRMO BDEPI BDDWR".split()
    ),
    st.lists(st.text("0123456789AFYNEM.-", max_size=8), max_size=26),
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
    assert read == 13


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("$CCTXA,0179773,1,2,A468656C6C6F*7A", Send21("0179773", 1, 2, b"hello")),
        ("$CCTXA,0247718,1,1,3132333435*70", Send21("0247718", 1, 1, b"12345")),
        ("$BDTXR,1,0179773,2,,A468656C6C6F*43", Received21(1, "0179773", 2, "", b"hello")),
        ("$BDFKI,082920,TCQ,Y,0,0*70", Feedback("082920", "TCQ", True, "0", "0")),
        ("$BDICI,4207733,0,0,3,60,2,N,22*3A", CardInfo("4207733", "0", "0", 3, 60, 2, False, 22)),
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


# --- as units write them ------------------------------------------------------------------------
ICP = "BDICP,15240507,2032472,1,3,0,N,1,Y,1,0,0,3,1,1,5,1,1,2,2,500,100,10,10"
FIELD = (
    "BDICI,0242286,00242286,0000011,6,60,3,N,0",
    ICP,
    "BDICP,4216930,0,0,3,0,N,2,N,1,0,0,3,1,60,2,0,0,1,1,21,0,0,0",
    "BDBSI,01,03,3,2,2,0,3,0,0,3,0,0",
    "BDPWI,000000.00,00,01,51,40,33,0",
    "BDPWI,023628.00,00,04,2,51,44,0,4,50,43,0,11,43,36,0,16,51,44,0",
    "BDPWI,023628.00,01,3,50,41,02,2,51,44,0,4,50,43",
    "BDFKI,TXA,N,Y,0,0058",
    "BDFKI,080432,TCQ,N,1,30",
    "BDTCI,04207733,4207733,2,023242,2,0,90000000000065BEF749B2E2CAD4",
    "CCTCQ,4238473,2,1,2,,3132",
    "BDDWR,1,0242407,084936.50,2302.2434,N,11323.6667,E,14,M,-6,M,1,V,V,L",
    "BDEPI,4207733,4207734,1,082920.00,11323.66,E,2302.24,N,14.5,1,0,2,AB",
    "CCDWA,0000000,V,1,L,,0,,,0",
    "CCRMO,BSI,2,1",
    "BDSNR,0,0,48,0,41",
    "CCTXA,0179773,1,2,A468656C6C6F",
    "BDTXR,1,4207733,1,2337,90000000000065C1FAF4B2E2CAD4",
)


def whole(body: str) -> str:
    return f"${body}*{checksum(body)}"


@pytest.mark.parametrize("body", FIELD)
def test_what_units_write_is_read_and_each_field_has_a_name(body: str):
    sentence = parse(whole(body) + "\r\n")
    assert not isinstance(sentence, Other)
    assert parse(build(sentence)) == sentence
    told = explain(whole(body))
    assert told.wrong == ""
    assert [row.value for row in told.fields] == body.split(",")[1:]
    assert all(row.name and not row.name.startswith("field") for row in told.fields)


def test_interval_and_level_of_both_families():
    new = parse(whole(ICP))
    assert isinstance(new, CardInfo3)
    assert (new.card, new.interval_s, new.level) == ("15240507", 1, 5)
    old = parse(whole(FIELD[0]))
    assert isinstance(old, CardInfo)
    assert (old.card, old.serial, old.interval_s) == ("0242286", "00242286", 60)


@pytest.mark.parametrize(
    ("body", "wait_s", "setting"),
    [
        ("BDFKI,TXA,N,Y,0,0058", 58, "Y"),
        ("BDFKI,TXA,N,1,40", 40, ""),
        ("BDFKI,080432,TCQ,N,1,30", 30, ""),
        # Minutes and seconds in some units; the longer reading never sends too early.
        ("BDFKI,TXA,N,Y,0,0130", 130, "Y"),
    ],
)
def test_a_refusal_says_how_long_to_wait(body: str, wait_s: int, setting: str):
    told = parse(whole(body))
    assert isinstance(told, Feedback)
    assert (told.done, told.wait_s, told.setting) == (False, wait_s, setting)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("BDICI,0242286,00242286,0000011,6,60,3,N", "bad_field_count"),
        ("BDICI,024228600,0,0,6,60,3,N,0", "bad_card"),
        ("BDICP,4216930,0,0,3,0,N,2,N,1,0,0,3,1,often,2,0,0,1,1,21,0,0,0", "malformed_input"),
        ("BDBSI,1234([1,1,0])A4", "malformed_input"),
        ("BDPWI,023628.00,00,02,2,51,44", "bad_field_count"),
        ("BDPWI,023628.00,09,2,51,44", "bad_field_count"),
        ("BDPWI,253628.00,00,00", "malformed_input"),
        ("BDFKI,TXA,N,Z,0,0058", "malformed_input"),
        ("CCTCQ,4238473,2,1,2,,", "bad_payload"),
        ("BDEPI,1,2,1,082920,18123.66,E,2302.24,N,14.5,1,0,2,AB", "malformed_input"),
        ("BDDWR,1,0242407,084936.50,2360.0,N,11323.6667,E,14,M,-6,M,1,V,V,L", "malformed_input"),
    ],
)
def test_what_no_unit_writes_is_refused_by_what_is_wrong(body: str, code: str):
    with pytest.raises(MalformedInput) as caught:
        parse(whole(body))
    assert caught.value.code == code
    assert explain(whole(body)).code == code


@pytest.mark.bound("connectivity.wire.rdss.reading.BEAMS_MAX")
def test_so_many_beams_and_no_more():
    beam = ",1,40,30"
    assert len(parse(whole(f"BDPWI,,00,{BEAMS_MAX}" + beam * BEAMS_MAX)).bds3) == BEAMS_MAX
    for past in (
        f"BDPWI,,00,{BEAMS_MAX + 1}" + beam * (BEAMS_MAX + 1),
        "BDBSI,0,0" + ",1" * (BEAMS_MAX + 1),
        "BDSNR" + ",1" * (BEAMS_MAX + 1),
    ):
        with pytest.raises(MalformedInput):
            parse(whole(past))


@pytest.mark.bound("connectivity.wire.rdss.reading._NUMBER_MAX")
def test_so_large_a_number_and_no_larger():
    assert parse(whole("BDFKI,TXA,N,1,99999")).wait_s == 99_999
    with pytest.raises(MalformedInput, match="99999"):
        parse(whole("BDFKI,TXA,N,1,100000"))


@given(st.lists(st.sampled_from(FIELD), max_size=5), st.integers(1, 40), st.binary(max_size=30))
def test_a_stream_gives_the_sentences_in_any_pieces(bodies: list[str], size: int, noise: bytes):
    noise = noise.replace(b"$", b"")
    stream = noise + b"\r\n" + b"".join(whole(body).encode() + b"\r\n" for body in bodies)
    reader = SentenceReader()
    lines = [
        line for at in range(0, len(stream), size) for line in reader.feed(stream[at : at + size])
    ]
    assert lines == [whole(body) for body in bodies]
    assert reader.dropped == len(noise.replace(b"\r", b"").replace(b"\n", b""))


def test_a_stream_without_an_end_is_not_held():
    reader = SentenceReader()
    assert list(reader.feed(b"$" + b"x" * 1_000_000)) == []
    assert len(reader._held) <= 4096
    assert list(reader.feed(b"\n$BDDEF,OK*69\n")) == ["$BDDEF,OK*69"]


def test_payloads_are_told_where_they_mean_something():
    assert text_of("北斗 ok".encode("gb2312")) == "北斗 ok"
    assert text_of(b"\x90\0\0") == text_of(b"\xff") == text_of(b"") == ""
    track = Track((Point(1_800_000_000, 4_335_000, 7_704_000),), simulated=True)
    assert "compact positions, simulated: 1 positions: 2027-01-15T08:00:00Z at 43.35" in meaning_of(
        pack(track)
    )


# --- a long run of spoiled input ----------------------------------------------------------------
def spoiled(seed: int, count: int) -> Iterator[str]:
    """Sentences of units with letters changed, moved, doubled or cut; half with a right checksum."""
    chance = random.Random(seed)
    letters = "$*,.-0123456789ABCDEFYNEMHL\r\nxß\0 "
    for _ in range(count):
        body = list(chance.choice(FIELD))
        for _ in range(chance.randint(0, 4)):
            at = chance.randrange(len(body) + 1)
            match chance.randrange(4):
                case 0:
                    body[at : at + 1] = chance.choice(letters)
                case 1:
                    body[at:at] = body[: chance.randint(0, 9)]
                case 2:
                    del body[at : at + chance.randint(1, 9)]
                case _:
                    body[at:at] = chance.choice(letters) * chance.choice((1, 1, 1, 300))
        text = "".join(body)
        if chance.random() < 0.5 and text.isascii():
            yield whole(text)
        else:
            yield f"${text}*{chance.randrange(256):02X}"


def fuzz(seed: int, count: int) -> tuple[int, int]:
    read = refused = 0
    for text in spoiled(seed, count):
        told = explain(text)
        try:
            sentence = parse(text)
        except MalformedInput as error:
            refused += 1
            said = (str(error.args[0]), error.code)
        else:
            read += 1
            said = ("", "")
        assert (told.wrong, told.code) == said
        if told.wrong:
            continue
        assert parse(build(sentence)) == sentence
    return read, refused


@pytest.mark.parametrize("seed", range(4))
def test_a_hundred_thousand_spoiled_sentences_are_read_or_refused(seed: int):
    read, refused = fuzz(seed, 25_000)
    assert read > 1_000
    assert refused > 10_000


@pytest.mark.long
@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("seed", range(100, 110))
def test_a_million_spoiled_sentences_are_read_or_refused(seed: int):
    assert sum(fuzz(seed, 100_000)) == 100_000
