from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.insight.git_sample import APACHE, BSD, MIT

from zhidao.insight.domain.licences import Reading, agree, openness, read_licence
from zhidao.insight.domain.spdx import TERMS_MAX, parse_expression
from zhidao.insight.wire.known_licences import known_texts

KNOWN = known_texts()
DEBIAN = Path("/usr/share/common-licenses")
CLAUSES = ("non commercial", "except for military use", "not", "provided that you pay a fee")


@pytest.mark.parametrize(
    ("text", "expression"), [(MIT, "MIT"), (BSD, "BSD-3-Clause"), (APACHE, "Apache-2.0")]
)
def test_a_text_that_is_whole_is_read_word_for_word(text: str, expression: str):
    told = read_licence(text, KNOWN, {})
    assert (told.reading, told.expression, told.extra) == (Reading.EXACT, expression, None)
    # Wrapped otherwise, quoted otherwise, commented: the words are the same.
    rewrapped = "\n".join("# " + line for line in text.replace('"', "``").splitlines())
    assert read_licence(rewrapped, KNOWN, {}).expression == expression


@pytest.mark.parametrize("text", [MIT, BSD])
@pytest.mark.parametrize("clause", CLAUSES)
def test_a_clause_put_anywhere_is_never_taken_for_the_licence(text: str, clause: str):
    words = text.split(" ")
    for place in range(len(words) + 1):
        changed = " ".join((*words[:place], clause, *words[place:]))
        told = read_licence(changed, KNOWN, {})
        assert not told.is_settled, changed[:200]


@given(st.integers(0, 2**32))
def test_a_word_taken_out_is_never_taken_for_the_licence(seed: int):
    words = MIT.split()
    place = random.Random(seed).randrange(words.index("Permission"), len(words))
    told = read_licence(" ".join(words[:place] + words[place + 1 :]), KNOWN, {})
    assert not told.is_settled or words[place] in {'"AS', "(the"}


def test_words_beside_a_known_text_are_quoted_and_left_to_a_person():
    added = BSD + "\n4. Nobody may use this software for war.\n"
    told = read_licence(added, KNOWN, {})
    assert (told.reading, told.expression, told.resembles) == (Reading.MORE, "", "BSD-3-Clause")
    assert told.extra
    assert "Nobody may use this software for war" in added[slice(*told.extra)]


def test_a_word_changed_inside_is_quoted():
    changed = MIT.replace("without restriction", "with one restriction")
    told = read_licence(changed, KNOWN, {})
    assert (told.reading, told.resembles) == (Reading.NEAR, "MIT")
    assert told.extra
    assert "with one restriction" in changed[slice(*told.extra)]


def gpl() -> str:
    if not (DEBIAN / "GPL-2").is_file():
        pytest.skip("this machine has no copy of the GPL")
    return (DEBIAN / "GPL-2").read_text()


def test_the_appendix_of_the_gpl_states_nothing_of_later_versions():
    told = read_licence(gpl(), KNOWN, {})
    assert (told.expression, told.versions, told.extra) == ("GPL-2.0", "not stated", None)


@pytest.mark.parametrize(
    ("note", "expression"),
    [
        ("This is version 2 only.", "GPL-2.0-only"),
        ("This is version 3 only.", ""),
        ("This is version 2 only, and commercial use needs a fee.", ""),
        ("Take version 2 only or any later version.", ""),
        ("Ask us.", ""),
    ],
)
def test_a_note_beside_the_gpl_says_only_or_is_left_to_a_person(note: str, expression: str):
    assert read_licence(gpl() + "\n\n" + note, KNOWN, {}).expression == expression


@pytest.mark.parametrize(
    ("text", "reading", "expression"),
    [
        ("Creative Commons CC-By-ND", Reading.NAMED, "CC-BY-ND"),
        ("CC BY-SA 4.0", Reading.NAMED, "CC-BY-SA-4.0"),
        ("Take *either* of LICENSE.A or LICENSE.M.", Reading.POINTER, "Apache-2.0 OR MIT"),
        ("Take LICENSE.A and LICENSE.M.", Reading.UNKNOWN, ""),
        ("See LICENSE.M", Reading.POINTER, "MIT"),
        ("All is forbidden.", Reading.UNKNOWN, ""),
        ("", Reading.UNKNOWN, ""),
    ],
)
def test_short_files_name_or_point(text: str, reading: Reading, expression: str):
    told = read_licence(text, KNOWN, {"LICENSE.A": "Apache-2.0", "LICENSE.M": "MIT"})
    assert (told.reading, told.expression) == (reading, expression)


def test_two_texts_in_one_file_are_left_to_a_person():
    assert read_licence(MIT + "\n" + APACHE, KNOWN, {}).reading is Reading.SEVERAL


@given(st.text(max_size=400))
def test_any_text_is_read(text: str):
    told = read_licence(text, KNOWN, {})
    assert not told.is_settled or told.reading is Reading.NAMED


@pytest.mark.parametrize(
    ("expression", "judged"),
    [
        ("MIT", "open"),
        ("GPL-2.0-or-later WITH Classpath-exception-2.0", "open"),
        ("MIT OR BUSL-1.1", "open"),
        ("MIT AND BUSL-1.1", "closed"),
        ("CC-BY-NC-4.0", "closed"),
        ("CC-BY-4.0", ""),
        ("LicenseRef-own", ""),
        ("see LICENSE", ""),
    ],
)
def test_open_closed_or_for_a_person(expression: str, judged: str):
    assert openness(expression) == judged


def test_statements_agree_by_their_licences():
    assert agree(["GPL-2.0", "GPL-2.0-or-later"])
    assert agree(["MIT OR Apache-2.0", "Apache-2.0 OR MIT"])
    assert not agree(["MIT", "Apache-2.0"])


@pytest.mark.bound("insight.domain.spdx.TERMS_MAX")
def test_an_expression_of_too_many_terms_is_none():
    # n names and n - 1 words between them.
    most = (TERMS_MAX + 1) // 2
    assert parse_expression(" OR ".join(["MIT"] * most)) is not None
    assert parse_expression(" OR ".join(["MIT"] * (most + 1))) is None
    choices = [f"(A{number} OR B{number})" for number in range(9)]
    assert parse_expression(" AND ".join(choices[:7])) is not None
    assert parse_expression(" AND ".join(choices)) is None


@given(st.text(alphabet="MIT()ANDOR WITH+-.", max_size=60))
def test_any_expression_is_read_or_none(text: str):
    told = parse_expression(text)
    assert told is None or told.ids
