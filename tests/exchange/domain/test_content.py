"""Content is looked at before it is sealed, and again where it arrives."""

from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.exchange.domain.content import check_content

PNG = b"\x89PNG\r\n\x1a\n\x00\x00"


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/xml", b"<a/>"),
        ("application/xml; charset=utf-8", b"\xef\xbb\xbf\r\n <?xml?>"),
        ("text/xml", "<a/>".encode("utf-16")),
        ("image/svg+xml", b"<svg/>"),
        ("application/json", b' {"a":1}'),
        ("application/vc+json", b"[]"),
        ("application/json", b"null"),
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
