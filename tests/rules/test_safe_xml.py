"""Attacks by XML are refused with a place and a remedy; how fast, `./run bench trade_rules` tells."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.rules.safe_xml import parse_xml, xml_text

BOMB = b'<!DOCTYPE a [<!ENTITY x "aaaaaaaaaa"><!ENTITY y "&x;&x;&x;&x;&x;">]><a b="&y;">&y;</a>'
FILE_ENTITY = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
ATTACKS = {
    "doctype": (b'<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><a/>', "xml_doctype"),
    "doctype after a comment": (b"<!-- c --><?p q?><!DOCTYPE a><a/>", "xml_doctype"),
    "entity bomb": (BOMB, "xml_doctype"),
    "file entity": (FILE_ENTITY, "xml_doctype"),
    "doctype behind a long comment": (
        b"<!--" + b" " * 15_000_000 + b"--><!DOCTYPE a><a/>",
        "xml_prolog",
    ),
    "200 levels": (b"<a>" * 200 + b"</a>" * 200, "xml_too_deep"),
    "65 levels": (b"<a>" * 65 + b"</a>" * 65, "xml_too_deep"),
    "100,000 levels": (b"<aaaaaaaaaaaaa>" * 100_000 + b"</aaaaaaaaaaaaa>" * 100_000, "xml_broken"),
    "20 MB of text": (b"<a>" + b"x" * 20_000_000 + b"</a>", "xml_too_large"),
    "3 million tiny elements": (b"<a>" + b"<a/>" * 3_000_000 + b"</a>", "xml_too_dense"),
    "a million attributes": (
        b"<a " + b" ".join(b"a%d=''" % i for i in range(1_000_000)) + b"/>",
        "xml_too_dense",
    ),
    "UTF-16": ("<a/>".encode("utf-16"), "xml_encoding"),
    "UTF-7": (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "xml_encoding"),
    "wrong UTF-8": (b"<a>\xff</a>", "xml_broken"),
    "undeclared entity": (b"<a>&x;</a>", "xml_broken"),
    "truncated": (b"<a><b>", "xml_broken"),
    "empty": (b" \n", "xml_empty"),
    "a zip": (b"PK\x03\x04" + bytes(100), "xml_broken"),
    "JSON": (b'{"a":1}', "xml_broken"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_with_its_name_and_a_remedy(name):
    data, code = ATTACKS[name]
    with pytest.raises(MalformedInput) as refused:
        parse_xml(data)
    assert refused.value.code == code
    assert refused.value.remedy or refused.value.where


@pytest.mark.parametrize("sign", ["=", '="', "<b/>="])
def test_text_full_of_equals_signs_is_text(sign):
    text = f"{sign}{'x' * 20}" * 4_000
    assert parse_xml(f"<a>{text}</a>".encode()).tag == "a"
    ruled = "=" * 50_000
    assert parse_xml(f"<a>{ruled}</a>".encode()).text == ruled


def test_64_levels_are_read_and_comments_and_instructions_fall_away():
    assert parse_xml(b"<a>" * 64 + b"</a>" * 64).tag == "a"
    root = parse_xml(b"<?x y?><a><!-- c --><?p q?><b>1</b></a>")
    assert xml_text(root) == "<a><b>1</b></a>"


def test_a_large_honest_document_passes():
    line = b'<l xmlns="urn:x"><i s="abc">123456789</i></l>'
    root = parse_xml(b"<a>" + line * 20_000 + b"</a>")
    assert len(root) == 20_000


@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused_and_nothing_else(data):
    with contextlib.suppress(MalformedInput):
        parse_xml(data)


@given(st.text(max_size=60))
def test_texts_are_read_or_refused_and_nothing_else(text):
    try:
        root = parse_xml(f"<a b='1'>{text}</a>".encode(errors="surrogatepass"))
    except MalformedInput:
        return
    assert root.tag == "a"
