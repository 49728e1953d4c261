from __future__ import annotations

from xml.etree import ElementTree as ET

from zhidao.insight.wire.svg import Bar, bars

SVG = "{http://www.w3.org/2000/svg}"


def test_bars_are_as_long_as_their_values():
    rows = [
        Bar(("a", "甲"), ("4", "四"), 4),
        Bar(("b", "乙"), ("2", "二"), 2, parts=(1,), stop=True),
    ]
    root = ET.fromstring(bars("x", ("title", "题"), rows, scale=4))
    lengths = [int(r.attrib["width"]) for r in root.iter(f"{SVG}rect")]
    assert lengths[0] == 2 * lengths[1]
    assert [r.attrib["class"] for r in root.iter(f"{SVG}rect")] == ["bar", "bar stop"]
    ticks = [line for line in root.iter(f"{SVG}line") if line.attrib["class"] == "tick"]
    assert len(ticks) == 1
    assert root.attrib["aria-labelledby"] == root.find(f"{SVG}title").attrib["id"]  # type: ignore[union-attr]


def test_names_are_text_and_an_empty_chart_is_a_chart():
    root = ET.fromstring(bars("x", ("<t>", "&"), [Bar(("<a>", "&"), ("", ""), 0)], scale=0))
    assert [t.text for t in root.iter(f"{SVG}text")][:2] == ["<a>", "&"]
    ET.fromstring(bars("x", ("t", "t"), [], scale=0))
