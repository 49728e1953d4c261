"""One text for one value: published vectors, and every other spelling refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.encoding import (
    base58btc,
    base64url,
    parse_base58btc,
    parse_base64,
    parse_base64url,
    parse_hex,
    utf8,
)
from zhidao.core.errors import MalformedInput


# RFC 4648 section 10.
@pytest.mark.parametrize(
    ("data", "text"),
    [
        *((b"", ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v")),
        *((b"foob", "Zm9vYg=="), (b"fooba", "Zm9vYmE="), (b"foobar", "Zm9vYmFy")),
    ],
)
def test_base64_is_that_of_the_rfc_with_padding_and_in_urls_without(data: bytes, text: str) -> None:
    assert parse_base64(text) == data
    assert base64url(data) == text.rstrip("=")
    assert parse_base64url(text.rstrip("=")) == data


@pytest.mark.parametrize("text", ["Zg==", "Zh", "Z", "+w", "Zm9v\n", "Zm 9v", "\uff21A"])
def test_another_spelling_of_base64url_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput, match="base64url"):
        parse_base64url(text)


@pytest.mark.parametrize("text", ["Zg", "Zh==", "Zg==\n", "Z g==", "_w==", "Zg==Zg==", "\u00e9"])
def test_another_spelling_of_base64_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput, match="base64"):
        parse_base64(text)


@pytest.mark.parametrize("text", ["A0", "a", "0 a0", "0x", " a0"])
def test_another_spelling_of_hexadecimal_is_refused(text: str) -> None:
    assert parse_hex("00a0ff") == b"\0\xa0\xff"
    with pytest.raises(MalformedInput, match="hexadecimal"):
        parse_hex(text)


# The test vectors of draft-msporny-base58-03, and zeros.
@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"Hello World!", "2NEpo7TZRRrLZSi2U"),
        (bytes.fromhex("0000287fb4cd"), "11233QC4"),
        *((b"", ""), (b"\0", "1"), (b"\0\0", "11"), (b"\xff", "5Q"), (b"\x01\0", "5R")),
    ],
)
def test_base58_is_that_of_the_draft(data: bytes, text: str) -> None:
    assert base58btc(data) == text
    assert parse_base58btc(text) == data


@pytest.mark.parametrize("letter", ["0", "O", "I", "l", "\u00e9", " ", "X1X "])
def test_a_letter_outside_of_the_alphabet_is_no_base58(letter: str) -> None:
    with pytest.raises(MalformedInput, match="not base58"):
        parse_base58btc(f"2{letter}")


@pytest.mark.bound("core.encoding._BASE58_CHARACTERS_MAX")
def test_base58_is_read_up_to_8192_characters() -> None:
    assert parse_base58btc("1" * 8_192) == bytes(8_192)
    with pytest.raises(MalformedInput, match="8193 characters"):
        parse_base58btc("1" * 8_193)


def test_text_is_bytes_unless_it_holds_half_a_character() -> None:
    assert utf8("\u00e9") == b"\xc3\xa9"
    with pytest.raises(MalformedInput) as refused:
        utf8("a\ud800")
    assert refused.value.code == "lone_surrogate"


@given(st.binary(max_size=60))
def test_whatever_was_written_is_read(data: bytes) -> None:
    assert parse_base64url(base64url(data)) == data
    assert parse_base58btc(base58btc(data)) == data


@pytest.mark.parametrize("read", [parse_base64, parse_base64url, parse_base58btc, parse_hex])
@given(text=st.text(max_size=20))
def test_any_text_is_read_or_malformed(read: Callable[[str], bytes], text: str) -> None:
    try:
        read(text)
    except MalformedInput:
        return


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"\0\0\x17", "AAAX"), (b"\0\0\xd7", "AADX"), (b"\x17", "Fw"), (b"\x5d", "XQ")],
)
def test_base64url_loses_no_letter_but_its_padding(data: bytes, text: str) -> None:
    assert base64url(data) == text
    assert parse_base64url(text) == data


@pytest.mark.parametrize("letter", "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
def test_base58_counts_its_letters_from_1(letter: str) -> None:
    """draft-msporny-base58-03 section 2; a leading 1 is a byte of nought."""
    value = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".index(letter)
    assert parse_base58btc(letter) == bytes([value])
    assert base58btc(bytes([value])) == letter
    assert parse_base58btc("11" + letter) == bytes(2) + bytes([value])
