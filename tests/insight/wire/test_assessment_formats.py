from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.spoiling import BOUNDED

from zhidao.core.errors import MalformedInput, ZhidaoError
from zhidao.insight.domain.assessment import Answer, Cited, Claim, Counted, Pointer, Verdict
from zhidao.insight.wire import assessment, git_objects
from zhidao.insight.wire.assessment import (
    claims_of,
    decode_assessment,
    encode_assessment,
    evidence_of,
)
from zhidao.insight.wire.assessment_table import table
from zhidao.insight.wire.declarations import (
    ANSWER_LETTERS_MAX,
    POINTERS_MAX,
    decode_declarations,
)
from zhidao.insight.wire.known_licences import decode_known
from zhidao.insight.wire.licence_notes import (
    PATTERNS_MAX,
    decode_reuse,
    header_of,
    manifest_licence,
    names_holder,
)
from zhidao.insight.wire.packs import installed_packs

PACKS = installed_packs()
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
CITED = st.builds(
    Cited,
    kind=TEXTS,
    path=TEXTS,
    first=st.just(3),
    last=st.integers(3, 9),
    blob=st.sampled_from(("a" * 40, "b" * 64)),
    quotation=TEXTS,
)
EVIDENCE = CITED | st.builds(Counted, kind=TEXTS, figure=TEXTS, value=TEXTS)
POINTERS = st.builds(Pointer, path=TEXTS, says=TEXTS)
CLAIMS = st.builds(
    Claim,
    text=TEXTS,
    by=TEXTS,
    on=st.just(date(2026, 11, 30)),
    is_met=st.booleans(),
    see=st.lists(POINTERS, max_size=2).map(tuple),
)
ANSWERS = st.builds(
    Answer,
    standard=st.just("dpg"),
    question=st.sampled_from(PACKS[0].questions),
    verdict=st.sampled_from(Verdict),
    reason=st.just("not_found"),
    evidence=st.lists(EVIDENCE, max_size=3).map(tuple),
    claims=st.lists(CLAIMS, max_size=2).map(tuple),
)


def encoded(answers: list[Answer]) -> bytes:
    return encode_assessment(
        source={"kind": "bundle", "commit": "a" * 40, "files": 1},
        packs=PACKS[:1],
        licences={},
        history={},
        answers=answers,
    )


@given(st.lists(ANSWERS, max_size=3, unique_by=lambda answer: answer.question.id))
def test_what_was_written_is_read_again(answers: list[Answer]):
    document = decode_assessment(encoded(answers))
    written = [each for answer in answers for each in answer.evidence]
    assert [each for _, _, each in evidence_of(document)] == written
    said = {(each.standard, each.question.id): each.claims for each in answers if each.claims}
    assert claims_of(document) == said
    for language in ("en", "zh"):
        told = table(document, language)
        # A line of the table is a line of ours: no name or quotation makes another.
        assert all(line.isprintable() for line in told.split("\n"))


@given(st.binary(max_size=300) | st.deferred(lambda: st.integers(0, 10**6).map(spoiled)))
def test_any_bytes_are_an_assessment_or_refused(data: bytes):
    try:
        document = decode_assessment(data)
    except MalformedInput:
        return
    assert document["format"] == "zhidao.assessment"


WHOLE = encoded(
    [
        Answer(
            "dpg",
            PACKS[0].questions[0],
            Verdict.SHOWN,
            "shown_file",
            (Cited("readme", "README", 1, 1, "a" * 40, "x"), Counted("tags", "releases", "3")),
            (Claim("text", "me", date(2026, 11, 30)),),
        )
    ]
)


def spoiled(number: int) -> bytes:
    place, letter = number % len(WHOLE), number // len(WHOLE) % 128
    return WHOLE[:place] + bytes([letter]) + WHOLE[place + 1 :]


@BOUNDED
@given(st.binary(max_size=400))
def test_any_bytes_are_git_objects_or_refused(data: bytes):
    for read in (
        lambda: git_objects.decode_commit("a" * 40, data),
        lambda: list(git_objects.decode_tree("a" * 40, data)),
        lambda: git_objects.decode_bundle_head(git_objects.BUNDLE_SIGNATURES[0] + data),
        lambda: git_objects.tree_of("a" * 40, data),
    ):
        try:
            read()
        except ZhidaoError:
            continue
    assert all(git_objects.is_reference(name) for name in git_objects.decode_packed_refs(data))


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=9), st.binary(min_size=20, max_size=20))))
def test_a_tree_reads_as_it_was_written(entries: list[tuple[bytes, bytes]]):
    entries = [(name.replace(b"\0", b"x"), told) for name, told in entries]
    data = b"".join(b"100644 %s\0%s" % each for each in entries)
    read = list(git_objects.decode_tree("a" * 40, data))
    assert [(each.name, bytes.fromhex(each.id)) for each in read] == entries
    if entries:
        with pytest.raises(MalformedInput):
            list(git_objects.decode_tree("a" * 40, data[:-1]))


@given(st.binary(max_size=300))
def test_any_bytes_are_notes_of_a_licence_or_none(data: bytes):
    for name in ("pyproject.toml", "package.json", "cargo.toml"):
        told = manifest_licence(name, data)
        assert told is None or told.line >= 1
    decode_reuse(data, "")
    header = header_of(b"SPDX-License-Identifier: " + data)
    assert header is None or header.line >= 1
    try:
        decode_known(data)
    except MalformedInput:
        return


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"# SPDX-License-Identifier: MIT\n", ("MIT", 1)),
        (b"\n/* SPDX-License-Identifier: GPL-2.0-only OR MIT */", ("GPL-2.0-only OR MIT", 2)),
        (b"<!-- SPDX-License-Identifier: CC0-1.0 -->", ("CC0-1.0", 1)),
        (b"REUSE-IgnoreStart\nSPDX-License-Identifier: MIT\nREUSE-IgnoreEnd", None),
        (b" " * 4096 + b"SPDX-License-Identifier: MIT", None),
        (b'"""A module. SPDX-License-Identifier: MIT', ("MIT", 1)),
        (b'head = "# SPDX-License-Identifier: MIT"\n', None),
        (
            b"re.compile(rb'SPDX-License-Identifier:(.*)')\n# SPDX-License-Identifier: MIT",
            ("MIT", 2),
        ),
    ],
)
def test_headers(head: bytes, told: tuple[str, int] | None):
    found = header_of(head)
    assert (found and (found.expression, found.line)) == told


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"# SPDX-FileCopyrightText: 2026 Somebody\n", True),
        (b"# SPDX-FileCopyrightText:\n", False),
        ("// © 2026 Somebody".encode(), True),
        (b"/* Copyright (c) 2026 Somebody */", True),
        (b"# All about copyright 2026\n", False),
        (b"notice = 'Copyright 2026 Somebody'\n", False),
        (b"REUSE-IgnoreStart\nCopyright 2026 X\nREUSE-IgnoreEnd", False),
        (b" " * 4096 + b"Copyright 2026 Somebody", False),
    ],
)
def test_notices_of_copyright(head: bytes, *, told: bool):
    assert names_holder(head) is told


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("pyproject.toml", '[project]\nlicense = "MIT"\n', ("MIT", 2)),
        ("pyproject.toml", '[project]\nlicense = { text = "MIT" }\n', ("MIT", 2)),
        ("pyproject.toml", '[project]\nlicense = { file = "LICENSE" }\n', None),
        ("cargo.toml", '[package]\nname = "MIT"\nlicense = "MIT"\n', ("MIT", 3)),
        ("package.json", '{"license":"ISC"}', ("ISC", 1)),
        ("package.json", '{"license":{"type":"ISC"}}', None),
        ("package.json", "[" * 100_000, None),
    ],
)
def test_manifests(name: str, text: str, told: tuple[str, int] | None):
    found = manifest_licence(name, text.encode())
    assert (found and (found.expression, found.line)) == told


def test_a_table_of_reuse_matches_as_its_specification_says():
    text = 'version = 1\n[[annotations]]\npath = "a/*.py"\nSPDX-License-Identifier = "MIT"\n'
    (one,) = decode_reuse(text.encode(), "x/") or ()
    assert one.path.matches("x/a/b.py")
    assert not one.path.matches("x/a/b/c.py")
    (deep,) = decode_reuse(text.replace("a/*.py", "**").encode(), "") or ()
    assert deep.path.matches("a/b\nc")
    (literal,) = decode_reuse(text.replace("a/*.py", r"a\\*").encode(), "") or ()
    assert literal.path.matches("a*")
    assert not literal.path.matches("ab")
    assert decode_reuse(text.replace("version = 1", "version = 2").encode(), "") is None


def test_a_folder_named_like_a_pattern_is_that_folder_alone():
    text = 'version = 1\n[[annotations]]\npath = "a"\nSPDX-License-Identifier = "MIT"\n'
    (one,) = decode_reuse(text.encode(), "x*\\/") or ()
    assert one.path.matches("x*\\/a")
    assert not one.path.matches("xyz\\/a")


@pytest.mark.bound("insight.wire.licence_notes.PATTERNS_MAX")
def test_a_table_of_reuse_is_bounded():
    for more, read in ((0, True), (1, False)):
        paths = ",".join(f'"a{number}"' for number in range(PATTERNS_MAX + more))
        text = f'version = 1\n[[annotations]]\npath = [{paths}]\nSPDX-License-Identifier = "MIT"\n'
        assert (decode_reuse(text.encode(), "") is not None) is read


DECLARED = (
    'by = "A. Person"\non = 2026-11-30\n[[answer]]\nstandard = "dpg"\nitem = "7"\ntext = "GDPR"\n'
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("on = 2026-11-30", 'on = "soon"'),
        ("by =", "from ="),
        ('"7"', '"77"'),
        ('"7"', '"2"'),
        ("text =", "words ="),
        ("[[answer]]", "[answer]"),
        ('"GDPR"', '""'),
        ('by = "A. Person"', f'by = "{"A" * 201}"'),
        ('"GDPR"\n', '"GDPR"\nmet = "no"\n'),
        ('"GDPR"\n', '"GDPR"\nsee = "README"\n'),
        ('"GDPR"\n', '"GDPR"\nsee = ["README"]\n'),
        ('"GDPR"\n', '"GDPR"\nsee = [{ path = "README" }]\n'),
        ('"GDPR"\n', '"GDPR"\nsee = [{ path = "README", says = " " }]\n'),
        ('"GDPR"\n', f'"GDPR"\nsee = [{{ path = "README", says = "{"x" * 201}" }}]\n'),
        ('"GDPR"\n', '"GDPR"\nseen = true\n'),
    ],
)
def test_a_declaration_that_no_question_asks_is_refused(old: str, new: str):
    (claim,) = decode_declarations(DECLARED.encode(), PACKS)["dpg", "7"]
    assert (claim.text, claim.by) == ("GDPR", "A. Person")
    with pytest.raises(MalformedInput):
        decode_declarations(DECLARED.replace(old, new).encode(), PACKS)


@pytest.mark.bound("insight.wire.declarations.ANSWER_LETTERS_MAX")
def test_an_answer_has_so_many_letters_at_most():
    for more, refused in ((0, False), (1, True)):
        text = DECLARED.replace("GDPR", "x" * (ANSWER_LETTERS_MAX + more)).encode()
        if refused:
            with pytest.raises(MalformedInput):
                decode_declarations(text, PACKS)
        else:
            assert decode_declarations(text, PACKS)


@pytest.mark.bound("insight.wire.declarations.POINTERS_MAX")
def test_an_answer_points_to_so_many_lines_at_most():
    for more, refused in ((0, False), (1, True)):
        places = '{ path = "README", says = "x" }, ' * (POINTERS_MAX + more)
        text = f"{DECLARED}see = [{places}]\n".encode()
        if refused:
            with pytest.raises(MalformedInput):
                decode_declarations(text, PACKS)
        else:
            (claim,) = decode_declarations(text, PACKS)["dpg", "7"]
            assert len(claim.see) == POINTERS_MAX


@given(st.binary(max_size=200) | st.text(max_size=60).map(lambda t: (DECLARED + t).encode()))
def test_any_bytes_are_a_declaration_or_refused(data: bytes):
    try:
        assert decode_declarations(data, PACKS)
    except MalformedInput:
        return


@pytest.mark.bound("insight.wire.assessment.ASSESSMENT_BYTES_MAX")
def test_an_assessment_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(assessment, "ASSESSMENT_BYTES_MAX", len(WHOLE))
    assert decode_assessment(WHOLE)
    with pytest.raises(MalformedInput):
        decode_assessment(WHOLE + b" ")


def test_an_answer_without_a_part_is_refused():
    plain = json.loads(WHOLE)
    for key in plain["answers"][0]:
        changed = json.loads(WHOLE)
        del changed["answers"][0][key]
        with pytest.raises(MalformedInput):
            decode_assessment(json.dumps(changed).encode())
    for key in ("blob", "path", "lines", "quotation", "kind"):
        changed = json.loads(WHOLE)
        changed["answers"][0]["evidence"][0][key] = [0, 0]
        with pytest.raises(MalformedInput):
            decode_assessment(json.dumps(changed).encode())
