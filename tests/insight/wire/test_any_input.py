"""Pages, charts and documents of the report: whatever names are, they are text and add nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from tests.insight.sample_log import corridor
from tests.spoiling import BOUNDED

from zhidao.core.errors import MalformedInput
from zhidao.insight.domain.opened import LeafRef
from zhidao.insight.domain.report import make_report
from zhidao.insight.wire.asked import decode_selection, decode_weights
from zhidao.insight.wire.document import encode_report
from zhidao.insight.wire.formatting import STRETCHES_MAX, duration, leaves_of, query_of, value_of
from zhidao.insight.wire.page import encode_page
from zhidao.insight.wire.svg import Bar, bars
from zhidao.insight.wire.texts import LANGUAGES, TEXTS, say

REPORT = make_report(corridor())
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30) | st.sampled_from(
    ("<script>alert(1)</script>", "' onload='x", '"><b>', "&amp;", "{0}", "{value}")
)


class Tags(HTMLParser):
    """The tags of a page with the names of their attributes."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.words = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


WHOLE = Tags(encode_page(REPORT)).found


@BOUNDED
@given(texts, texts)
def test_no_name_adds_a_tag_to_the_page_or_a_field_to_the_document(origin: str, place: str) -> None:
    heads = tuple(replace(head, origin=origin) for head in REPORT.heads)
    journeys = tuple(replace(each, consignment=place) for each in REPORT.journeys)
    changed = replace(REPORT, heads=heads, journeys=journeys)
    assert Tags(encode_page(changed)).found == WHOLE
    document = json.loads(encode_report(changed))
    assert document.keys() == json.loads(encode_report(REPORT)).keys()
    assert {head["origin"] for head in document["logs"]} == {origin}
    assert {each["consignment"] for each in document["consignments"]} == {place}


@BOUNDED
@given(st.lists(st.tuples(texts, st.integers(0, 10**6)), max_size=5), st.integers(0, 10**6))
def test_charts_are_well_formed_and_hold_the_names_as_text(
    rows: list[tuple[str, int]], scale: int
) -> None:
    told = [Bar((name, name), ("1", "一"), length) for name, length in rows]
    root = ET.fromstring(bars("x", ("t", "题"), told, scale=scale))
    named = [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert named[:: len(LANGUAGES) * 2] == [name for name, _ in rows]


@BOUNDED
@given(st.integers(0, 10**11), st.integers(1, 10**9))
def test_a_length_of_time_never_reads_longer_than_a_longer_one(ms: int, more: int) -> None:
    def read(text: str) -> float:
        units = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
        words = text.split()
        return sum(float(n) * units[u] for n, u in zip(words[::2], words[1::2], strict=True))

    assert read(duration(ms)) <= read(duration(ms + more))
    assert abs(read(duration(ms)) - ms / 1000) <= max(0.1, ms / 1000 * 0.05)
    assert duration(-ms - 1) == "-" + duration(ms + 1)


@BOUNDED
@given(st.sampled_from(sorted(TEXTS)), st.sets(st.integers(0, 60), max_size=9))
def test_every_text_is_there_in_each_language_and_leaves_are_told_whole(
    key: str, leaves: set[int]
) -> None:
    assert len(TEXTS[key]) == len(LANGUAGES)
    for language in range(len(LANGUAGES)):
        for figure in REPORT.overview:
            assert query_of(figure, language)
            assert value_of(figure, language)
    told = leaves_of([LeafRef(0, leaf) for leaf in leaves], logs=1, language=0)
    told, _, more = told.partition(" and ")
    rest = int(more.removesuffix(" more leaves") or 0)
    found: set[int] = set()
    for part in filter(None, told.split(", ")):
        first, _, last = part.partition("–")
        found |= set(range(int(first), int(last or first) + 1))
    assert found <= leaves
    assert len(found) + rest == len(leaves)
    assert not rest or told.count(",") == STRETCHES_MAX - 1
    assert say("median", 0, time="1 s", value="1", total="2", least="3")


@BOUNDED
@given(texts | st.from_regex(r"\d{4}-\d\d-\d\d", fullmatch=True), texts)
def test_a_time_is_a_time_or_is_refused(first: str, last: str) -> None:
    try:
        made = decode_selection(consignments=(), first=first, last=last)
    except MalformedInput:
        return
    assert (made.first is None) == (first == "")
    assert (made.end is None) == (last == "")
    if made.first and len(first) == 10:
        assert str(made.first).startswith(first)


@BOUNDED
@given(texts | st.from_regex(r"(mean|p90|variation|missing)=\d{1,7}(\.\d)?", fullmatch=True))
def test_weights_are_weights_or_are_refused(text: str) -> None:
    try:
        made = decode_weights(text)
    except MalformedInput:
        return
    assert all(0 < weight < 10**6 for weight in made.values())
