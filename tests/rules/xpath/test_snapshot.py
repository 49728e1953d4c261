"""A snapshot says what lxml says of the same tree: names, attributes, texts, order, strings."""

from __future__ import annotations

import random

import pytest
from lxml import etree

from zhidao.rules.safe_xml import parse_xml
from zhidao.rules.xpath.nodes import Element, Kinds
from zhidao.rules.xpath.snapshot import snapshot

SPACES = ("", "urn:a", "urn:b&c")
TEXTS = (
    "",
    "x",
    " \n ",
    "a & b < c > d",
    "]]>",
    "\"'",
    "\r\n\t",
    "é商",
    "&lt;",
    "&#65;",
    "/a>",
    "=",
)
DOCUMENTS = (
    b"<a/>",
    b"<a></a>",
    b"<a><![CDATA[<b>&amp;]]></a>",
    b"<a>1<b/>2<!-- gone -->3<c>4</c>5</a>",
    b"<?xml version='1.0'?><?p i?><a k=' &#10;&#13;&#9; &quot;&apos;&gt;&lt;&amp;lt; '>x&#13;y\r\nz</a>",
    b"<a xmlns='urn:a'><b xmlns=''><a/></b><q:a xmlns:q='urn:a' q:k='1' k='2'/><a/></a>",
    b"<p:a xmlns:p='urn:1'><p:a xmlns:p='urn:2' p:k='v'><p:b/></p:a><p:b/></p:a>",
    b"<a xml:lang='zh' xml:space='preserve'> <b/> </a>",
    b"<a k='/'/>",
    b"<a k='b/'>t</a>",
)


def same(root: etree._Element, kinds: Kinds | None = None) -> None:
    document = snapshot(root, kinds)
    theirs = list(root.iter())
    assert len(document.elements) == len(theirs)
    numbers = {id(source): order for order, source in enumerate(theirs)}
    for order, (node, source) in enumerate(zip(document.elements, theirs, strict=True)):
        assert (node.order, node.tag, node.prefix) == (order, source.tag, source.prefix)
        assert list(node.attributes.items()) == source.items()
        assert node.end == order + sum(1 for _ in source.iter()) - 1
        assert [child.order for child in node.children] == [numbers[id(c)] for c in source]
        for tag, children in node.kids.items():
            assert children == [child for child in node.children if child.tag == tag]
        assert [text.value for text in node.texts()] == source.xpath("text()")
        orders = [text.order for text in node.texts()]
        assert orders == sorted(orders)
        assert node.string() == source.xpath("string()")
    assert document.string() == root.xpath("string()")
    for tag, nodes in document.by_tag.items():
        assert nodes == [node for node in document.elements if node.tag == tag]
    for kind, nodes in document.by_kind.items():
        assert nodes == [node for node in document.elements if node.kind is kind]
    assert sorted(map(id, document.elements)) == sorted(
        id(node) for nodes in document.by_kind.values() for node in nodes
    )
    names = {name for node in document.elements for name in node.attributes}
    assert document.owners == {
        name: [node for node in document.elements if name in node.attributes] for name in names
    }


@pytest.mark.parametrize("data", DOCUMENTS)
def test_what_markup_can_hide_is_read_as_lxml_reads_it(data: bytes) -> None:
    same(parse_xml(data))


def grown(choose: random.Random) -> etree._Element:
    """A tree of random names, prefixes, attributes and texts, read from its own bytes."""
    spaces = {"p": "urn:a", "q": "urn:a", "r": "urn:b&c"}
    root = etree.Element("r", nsmap=spaces if choose.random() < 0.7 else {"x": "urn:a"})
    open_ones = [root]
    for _ in range(choose.randrange(30)):
        above = choose.choice(open_ones)
        space = choose.choice(SPACES)
        name = f"{{{space}}}a" if space else choose.choice("ab")
        inner = choose.choice(({}, {}, {"p": "urn:b&c"}, {None: "urn:a"} if space else {}))
        one = etree.SubElement(above, name, nsmap=inner)
        one.text, one.tail = choose.choice(TEXTS) or None, choose.choice(TEXTS) or None
        for key in choose.sample(("k", "l", "{urn:a}k", "{urn:z}k"), choose.randrange(3)):
            one.set(key, choose.choice(TEXTS))
        open_ones.append(one)
    for one in open_ones:
        one.text = one.text and one.text.replace("\r", "")
    return parse_xml(etree.tostring(root))


def test_random_trees_are_read_as_lxml_reads_them() -> None:
    choose, kinds = random.Random(20261125), Kinds()
    for _ in range(400):
        root = grown(choose)
        same(root, kinds)
        # The second time each start tag is known.
        same(root, kinds)


def test_start_tags_of_strangers_do_not_fill_the_memory() -> None:
    kinds = Kinds()
    many = "".join(f"<n k='{i}'/>" for i in range(20_001))
    document = snapshot(parse_xml(f"<r>{many}</r>".encode()), kinds)
    assert [len(nodes) for nodes in document.by_kind.values()] == [1, 20_001]
    assert (kinds.openings, kinds.written.below) == (0, {})
    long = parse_xml(f"<r><n k='{'x' * 3000}'/></r>".encode())
    (node,) = snapshot(long, kinds).elements[0].children
    assert isinstance(node, Element)
    assert (len(node.attributes["k"]), kinds.openings) == (3000, 1)
