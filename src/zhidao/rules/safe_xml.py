"""XML from strangers: no DTD, no entity, no network, bounded in size, depth and density.

The checks stand in order of cost, so an attack is refused before the tree is built. What comes
out is a tree without comments and processing instructions that other engines may be given as
text. lxml 6.1 on libxml2; expat reads only as far as the root's start tag.
"""

from __future__ import annotations

import re
from threading import local
from typing import Final
from xml.parsers import expat

from lxml import etree

from zhidao.core.errors import MalformedInput

XML_BYTES_MAX: Final = 16 * 1024 * 1024
# Saxon refuses more than 100 levels; a UBL invoice has about 10.
XML_DEPTH_MAX: Final = 64
# A tree takes some 100 bytes a node: these two keep it under about 20 times the text.
XML_NODES_MAX: Final = 1_500_000
XML_DENSE_FROM_NODES: Final = 4096
# What is shorter is small however dense, and has no room for too many attributes (` a=""`).
XML_DENSE_FROM_BYTES: Final = 20 * 1024
XML_BYTES_PER_NODE_MIN: Final = 6
XML_PROLOG_BYTES_MAX: Final = 64 * 1024
XML_TAG_EQUALS_MAX: Final = 4096
_ENCODINGS: Final = frozenset({"utf-8", "us-ascii", "ascii", "iso-8859-1"})
_DECLARED: Final = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']"""
)
# Nothing but a declaration in front of the root element: no DOCTYPE can stand anywhere.
_PLAIN_PROLOG: Final = re.compile(
    rb"""(?:\xef\xbb\xbf)?(?:<\?xml [A-Za-z0-9="'. _-]{1,200}\?>)?[ \t\r\n]*<[A-Za-z_]"""
)
# Linear: between two `<` no character can match in two ways.
_TAG_TOO_WIDE: Final = re.compile(rb"<(?:[^<=]*=){%d}" % (XML_TAG_EQUALS_MAX + 1))
_SAVE_AS_UTF8: Final = "save the document as UTF-8"


def parse_xml(
    data: bytes,
    *,
    bytes_max: int = XML_BYTES_MAX,
    nodes_max: int = XML_NODES_MAX,
    keeps_remarks: bool = False,
) -> etree._Element:
    """The root element of a document.

    `keeps_remarks`: comments and processing instructions stay in the tree, for a reader that
    refuses them.
    Raises MalformedInput, with place and remedy, for a DOCTYPE, more than 16 MiB, 64 levels or
    1.5 million nodes, markup denser than 6 bytes a node, 4,096 attributes of one
    element, another character set, or broken XML.
    """
    _check_size(data, bytes_max, nodes_max)
    _check_encoding(data)
    _check_prolog(data)
    try:
        root = etree.fromstring(data, _parser(keeps_remarks=keeps_remarks))
    except etree.XMLSyntaxError as error:
        raise _broken(error) from error
    if _TOO_DEEP(root):
        raise MalformedInput(
            f"XML nests deeper than {XML_DEPTH_MAX} levels",
            code="xml_too_deep",
            remedy="send the business document itself, not a wrapper around it",
        )
    return root


def xml_text(root: etree._Element) -> str:
    """The tree as text without an XML declaration: what a rule engine may be given."""
    return etree.tostring(root, encoding="unicode")


class _Parsers(local):
    """A thread's own parsers: making one costs as much as reading a small message."""

    def __init__(self) -> None:
        self.by_remarks: dict[bool, etree.XMLParser] = {}


_PARSERS: Final = _Parsers()


def _parser(*, keeps_remarks: bool) -> etree.XMLParser:
    found = _PARSERS.by_remarks.get(keeps_remarks)
    if found is None:
        found = _PARSERS.by_remarks[keeps_remarks] = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=not keeps_remarks,
            remove_pis=not keeps_remarks,
            recover=False,
        )
    return found


def _check_size(data: bytes, bytes_max: int, nodes_max: int) -> None:
    if len(data) > bytes_max:
        raise MalformedInput(
            f"XML of {len(data)} bytes; at most {bytes_max} are read",
            code="xml_too_large",
            remedy="send attachments beside the document instead of inside it",
        )
    if not data or data.isspace():
        raise MalformedInput("the document is empty", code="xml_empty", where="byte 0")
    if len(data) < XML_DENSE_FROM_BYTES:
        return
    tags, equals = data.count(b"<"), data.count(b"=")
    # Single bytes are counted in a tenth of the time, and no attribute is without its `=`.
    if equals <= XML_TAG_EQUALS_MAX and not _are_too_many(tags + equals, len(data), nodes_max):
        return
    # Text may be full of `=`; only those before a quotation mark are attributes.
    quoted = data.count(b'="') + data.count(b"='") if equals else 0
    nodes = tags + quoted
    many = _are_too_many(nodes, len(data), nodes_max)
    is_narrow = nodes < XML_TAG_EQUALS_MAX or equals <= XML_TAG_EQUALS_MAX
    wide = None if many or is_narrow else _TAG_TOO_WIDE.search(data)
    if many or wide:
        raise MalformedInput(
            f"XML with about {nodes} nodes in {len(data)} bytes is no business document",
            code="xml_too_dense",
            where=f"byte {wide.start()}" if wide else "",
            remedy=f"at most {nodes_max} nodes of {XML_BYTES_PER_NODE_MIN} bytes and "
            f"{XML_TAG_EQUALS_MAX} attributes of an element are read",
        )


def _are_too_many(nodes: int, size: int, nodes_max: int) -> bool:
    dense = nodes > XML_DENSE_FROM_NODES and size < nodes * XML_BYTES_PER_NODE_MIN
    return dense or nodes > nodes_max


def _check_encoding(data: bytes) -> None:
    # UTF-16, UTF-32 and EBCDIC show in the first four bytes (XML 1.0 appendix F).
    head = data[:4]
    if head[:2] in (b"\xfe\xff", b"\xff\xfe") or b"\0" in head or head == b"\x4c\x6f\xa7\x94":
        raise MalformedInput(
            "the document is in UTF-16, UTF-32 or EBCDIC",
            code="xml_encoding",
            where="byte 0",
            remedy=_SAVE_AS_UTF8,
        )
    declared = _DECLARED.match(data.removeprefix(b"\xef\xbb\xbf"))
    if declared and declared[1].decode().lower() not in _ENCODINGS:
        raise MalformedInput(
            f"the document declares the character set {declared[1].decode()}",
            code="xml_encoding",
            where="XML declaration",
            remedy=_SAVE_AS_UTF8,
        )


class _RootReachedError(Exception):
    """Ends the reading of the prolog: no DOCTYPE can follow."""


def _check_prolog(data: bytes) -> None:
    head = data[:XML_PROLOG_BYTES_MAX]
    plain = _PLAIN_PROLOG.match(head)
    if plain and head.find(b">", plain.end()) > 0:
        return
    reader = expat.ParserCreate()

    def doctype(name: str, *_: object) -> None:
        raise MalformedInput(
            f"the document has a DOCTYPE ({name[:40]})",
            code="xml_doctype",
            where=f"line {reader.CurrentLineNumber}",
            remedy="remove the DOCTYPE; entities and DTDs are never read",
        )

    def root(*_: object) -> None:
        raise _RootReachedError

    reader.StartDoctypeDeclHandler = doctype
    reader.StartElementHandler = root
    try:
        reader.Parse(head, len(head) == len(data))
    except _RootReachedError:
        return
    except expat.ExpatError as error:
        raise MalformedInput(
            f"not XML: {expat.ErrorString(error.code)}",
            code="xml_broken",
            where=f"line {error.lineno} column {error.offset}",
            remedy="send one complete XML document",
        ) from error
    raise MalformedInput(
        f"no whole tag stands in the first {XML_PROLOG_BYTES_MAX} bytes",
        code="xml_prolog",
        where=f"byte {XML_PROLOG_BYTES_MAX}",
        remedy="shorten the comments in front of the document",
    )


def _broken(error: etree.XMLSyntaxError) -> MalformedInput:
    line, column = error.position
    reason = (error.msg or "unreadable").partition(", line ")[0]
    return MalformedInput(
        f"not XML: {reason[:200]}",
        code="xml_broken",
        where=f"line {line} column {column}",
        remedy="send one complete XML document",
    )


# One XPath in C instead of a walk in Python: is there any element below the allowed depth?
_TOO_DEEP: Final = etree.XPath("boolean(/*" + "/*" * XML_DEPTH_MAX + ")")
