"""Content is looked at before it is sealed, and again where it arrives."""

from __future__ import annotations

import time

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.exchange.domain.content import check_content, type_of

BOMB = (
    b"<!DOCTYPE a [<!ENTITY b 'bbbbbbbbbb'>"
    + b"".join(b"<!ENTITY b%d '%s'>" % (n, b"&b%d;" % (n - 1) * 10) for n in range(1, 9))
    + b"]><a>&b8;</a>"
)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00"


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/xml", b"<a/>"),
        ("application/xml; charset=utf-8", b"\xef\xbb\xbf<?xml version='1.0'?>\n<a/>\n"),
        ("application/xml", b"\n\n<a/>"),
        ("application/xml", b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>"),
        ("application/xml", b"<!DOCTYPE a><a/>"),
        ("application/xhtml+xml", b"<html xmlns='http://www.w3.org/1999/xhtml'/>"),
        ("text/html", b"<html>"),
        ("text/xml", "<a/>".encode("utf-16")),
        ("image/svg+xml", b"<svg/>"),
        ("application/json", b' {"a":1}'),
        ("application/vc+json", b"[]"),
        ("application/json", b"null"),
        ("application/json", b'\xef\xbb\xbf{"big": 123456789012345678901234567890}\r\n'),
        ("application/pdf", b"%PDF-1.7\n"),
        ("image/png", PNG),
        ("text/plain", b"anything"),
        ("application/octet-stream", PNG),
    ],
)
def test_what_its_type_says_is_carried(media_type, content):
    check_content(media_type, content)


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/xml", PNG),
        ("application/xml", b"%PDF-1.7"),
        ("application/xml", b"   "),
        ("application/json", b"<a/>"),
        ("application/json", PNG),
        ("application/pdf", b"<html>"),
        ("image/png", b"\xff\xd8\xff\xe0"),
        ("APPLICATION/XML", PNG),
        ("application/xml", b"<a><b>1</b><c"),
        ("text/xml", b"<a><b></a>"),
        ("application/xml", b"\n\n<?xml version='1.0'?><a/>"),
        ("application/xml", b"<html><body>no route to host</body></html>"),
        ("application/xml", b"<!DOCTYPE html><HTML></HTML>"),
        ("image/svg+xml", b"<svg>"),
        ("application/xml", b"<a/>trailing"),
        ("application/xml", b"<?xml version='1.0' encoding='no-such'?><a/>"),
        ("application/xml", b"<a>\xff</a>"),
        ("application/xml", "<a>".encode("utf-16")),
        ("application/xml", BOMB),
        ("application/json", b"not json"),
        ("application/json", b'{"a":1'),
        ("application/json", b"{'a':1}"),
        ("application/json", b'{"a":NaN}'),
        ("application/vc+json", b"{} {}"),
        ("application/json", b"\xff\xfe{\x00}\x00"),
        ("application/json", b"[" * 100_000),
    ],
)
def test_what_is_plainly_of_another_type_is_refused(media_type, content):
    with pytest.raises(MalformedInput) as refused:
        check_content(media_type, content)
    assert refused.value.code == "content_differs"


@pytest.mark.parametrize("media_type", ["application/xml", "text/plain", "application/pdf"])
def test_nothing_is_no_document(media_type):
    with pytest.raises(MalformedInput) as refused:
        check_content(media_type, b"")
    assert refused.value.code == "empty"


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/octet-stream", b"<Invoice/>"),
        ("text/plain", b"\n<Invoice/>"),
        ("application/octet-stream", b'{"invoice": 1}'),
        ("text/plain", b"%PDF-1.7"),
        ("application/octet-stream", PNG),
        ("application/octet-stream", b"<!doctype html><p>hi"),
        ("text/plain", "<Invoice/>".encode("utf-16")),
    ],
)
def test_an_invoice_bears_the_type_that_it_is(media_type, content):
    check_content(media_type, content, kind="trade.note")
    with pytest.raises(MalformedInput) as refused:
        check_content(media_type, content, kind="trade.invoice")
    assert refused.value.code == "content_differs"
    assert type_of(content) in str(refused.value)
    check_content(type_of(content), content, kind="trade.invoice")


@pytest.mark.parametrize("content", [b"UNA:+.? '", b"invoice 17", b"1", b"<a", b"{", b"\x00\xff"])
def test_an_invoice_of_bytes_that_nobody_knows_may_be_of_any_type(content):
    assert type_of(content) == "application/octet-stream"
    check_content("application/edifact", content, kind="trade.invoice")


def test_a_large_document_is_read_in_the_time_that_its_bytes_take():
    deep = b"<a>" * 400_000 + b"</a>" * 400_000
    began = time.process_time()
    check_content("application/xml", deep)
    check_content("application/json", b"[" + b"1," * 1_500_000 + b"1]")
    assert time.process_time() - began < 5
