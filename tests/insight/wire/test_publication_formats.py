from __future__ import annotations

import json
from datetime import date
from html.parser import HTMLParser
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.insight.domain.publication import LAYERS, CorridorEntry, GoodEntry, Publication
from zhidao.insight.wire.publication.corridor_result import decode_corridor_result
from zhidao.insight.wire.publication.document import (
    credential_document,
    decode_manifest,
    decode_publication,
    encode_publication,
)
from zhidao.insight.wire.publication.order import as_plain, decode_order, read_plain
from zhidao.insight.wire.publication.page import encode_publication_page
from zhidao.insight.wire.publication.texts import texts

names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
FIGURES: dict[str, Any] = {
    "commit": "a" * 40,
    "licences": ["MIT"],
    "licence_is": "open",
    "absence_factor": 1,
    "authors_last_year": 2,
    "releases": 0,
    "release_gap_days_median": None,
    "components": 0,
    "licences_to_look_at": 0,
    "verdicts": {
        "dpg": dict.fromkeys(("shown", "claimed", "contradicted", "needs_person", "signed"), 1)
    },
}
CROSSING: dict[str, Any] = {
    "crossing": "X",
    "simulated": True,
    "told": True,
    "mean_h": 2.0,
    "p90_h": 3.0,
    "bound_h": [1.0, 3.0],
    "interval_90_h": [1.5, 2.5],
    "consignments": 9,
    "parties": 3,
    "missing": 0,
}


@st.composite
def orders(draw: st.DrawFn) -> Publication:
    goods = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    corridors = draw(st.lists(names, max_size=2, unique=True))
    return Publication(
        title=(draw(names), draw(names)),
        publisher=draw(names),
        paid_by=draw(names),
        day=date(2026, 11, 30).isoformat(),
        goods=tuple(GoodEntry(each, draw(st.sampled_from(LAYERS)), draw(names)) for each in goods),
        corridors=tuple(CorridorEntry(each, draw(names), "m", "r") for each in corridors),
    )


@given(orders())
def test_an_order_stands_in_a_report_and_is_read_of_it_again(order: Publication):
    assert read_plain(json.loads(json.dumps(as_plain(order)))) == order


def document(name: str) -> dict[str, Any]:
    """A document that says this name everywhere."""
    order = as_plain(
        Publication((name, name), name, name, "2026-11-30", (GoodEntry(name, "other", name),), ())
    )
    crossings = [CROSSING | {"crossing": name}, CROSSING | {"crossing": name, "told": False}]
    found = {"key": "finding_people", "numbers": {"count": 1, "total": 2, "people": 2}}
    return {
        "order": order,
        "goods": [
            {
                "name": name,
                "layer": "other",
                "evidence": name,
                "figures": FIGURES | {"licences": [name], "commit": name},
            }
        ],
        "corridors": [
            {"name": name, "evidence": name, "is_enclosed": False, "crossings": crossings}
        ],
        "findings": [found | {"rests_on": [name]}],
    }


class Tags(HTMLParser):
    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


NAME = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20) | st.sampled_from(
    ("<script>alert(1)</script>", "' onload='x", '"><b>', "&amp;", "{0}", "{names}")
)
SHAPE = Tags(encode_publication_page(document("plain"))).found


@given(NAME)
def test_no_name_adds_a_tag_to_the_page(name: str):
    read = decode_publication(encode_publication(document(name)))
    assert Tags(encode_publication_page(read)).found == SHAPE


@given(st.dictionaries(names, digests, max_size=4), names)
def test_what_a_credential_lists_is_read_again(files: dict[str, str], by: str):
    since = Utc.parse("2026-12-01T00:00:00Z")
    made = credential_document(files, key="did:key:z", by=by, since=since, title=("a", "b"))
    read = decode_manifest(json.dumps(made).encode())
    assert (read.files, read.by, read.key, read.since) == (files, by, "did:key:z", str(since))


@pytest.mark.parametrize(
    "read", [decode_order, decode_publication, decode_manifest, decode_corridor_result]
)
@given(st.binary(max_size=60) | st.sampled_from([b"{}", b"[]", b'{"v":1}', b"a = 1"]))
def test_any_other_bytes_are_refused_and_nothing_more(read: Any, data: bytes):
    with pytest.raises(MalformedInput):
        read(data)


def test_each_sentence_has_the_same_placeholders_in_both_languages():
    for key, (english, chinese) in texts().items():
        fields = [
            {name for _, name, _, _ in Formatter().parse(each)} for each in (english, chinese)
        ]
        assert fields[0] == fields[1], key
    assert {f"layer_{layer}" for layer in LAYERS} <= texts().keys()
