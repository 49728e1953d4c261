"""Bills of materials that the publishers' own libraries wrote, and what nobody may write.

`sboms/` was written by spdx-tools 0.8.5, spdx-python-model 0.0.6 and cyclonedx-python-lib 11.12.0,
the same four parts in each; alpha and beta depend on each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.insight.domain.components import ComponentList
from zhidao.insight.wire.sbom import reading
from zhidao.insight.wire.sbom.lock_files import lock_file_parts
from zhidao.insight.wire.sbom.reading import decode_sbom

SBOMS = Path(__file__).parent / "sboms"
ROOT = Path(__file__).resolve().parents[3]
PARTS = {
    ("alpha", "1.2.3", "pkg:pypi/alpha@1.2.3", ("MIT OR Apache-2.0",)),
    ("beta", "2.0", "pkg:npm/beta@2.0", ("GPL-2.0-only",)),
    ("gamma", "0.1", "pkg:cargo/gamma@0.1", ("BSD-3-Clause",)),
}
CYCLONE: dict[str, Any] = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}
SPDX2: dict[str, Any] = {"spdxVersion": "SPDX-2.3", "packages": []}
SPDX3: dict[str, Any] = {"@graph": [{"type": "CreationInfo", "specVersion": "3.0.1"}]}


def read(name: str) -> ComponentList:
    return decode_sbom((SBOMS / name).read_bytes(), name)


def told(listed: ComponentList) -> set[tuple[str, str, str, tuple[str, ...]]]:
    return {(each.name, each.version, each.purl, each.licences) for each in listed.components}


def of(document: dict[str, Any], **more: Any) -> ComponentList:
    return decode_sbom(json.dumps(document | more).encode(), "a.json")


def test_what_spdx_tools_wrote_is_read():
    listed = read("spdx-2.3.json")
    assert listed.form == "SPDX 2.3"
    assert told(listed) == PARTS | {("delta", "4", "", ())}


def test_what_the_model_of_spdx_3_wrote_is_read():
    listed = read("spdx-3.0.1.json")
    assert listed.form == "SPDX 3.0.1"
    assert told(listed) == PARTS | {("delta", "4", "pkg:pypi/delta@4", ())}


def test_what_cyclonedx_wrote_is_read_also_within_other_parts():
    listed = read("cyclonedx-1.6.json")
    assert listed.form == "CycloneDX 1.6"
    alpha = ("org.example/alpha", "1.2.3", "pkg:pypi/alpha@1.2.3", ("MIT OR Apache-2.0",))
    rest = {part for part in PARTS if part[0] != "alpha"}
    named = ("epsilon", "5", "pkg:pypi/epsilon@5", ("Some Licence of ours",))
    assert told(listed) == rest | {alpha, named, ("delta", "4", "", ())}
    (inner,) = (each for each in listed.components if each.name == "gamma")
    assert inner.where.endswith("].components[0]")


def test_licences_are_counted_and_what_states_none_is_unknown_here():
    counts = read("spdx-2.3.json").licence_counts()
    assert dict(counts) == {
        "MIT OR Apache-2.0": 1,
        "GPL-2.0-only": 1,
        "BSD-3-Clause": 1,
        "unknown here": 1,
    }


def test_two_licences_of_one_part_hold_together():
    licences = [{"license": {"id": "MIT"}}, {"license": {"id": "ISC"}}]
    (part,) = of(CYCLONE, components=[{"name": "a", "licenses": licences}]).components
    assert part.licences == ("MIT", "ISC")


def test_an_element_of_the_list_of_licences_is_read_by_its_name():
    licence = {"type": "expandedlicensing_ListedLicense", "spdxId": "https://spdx.org/licenses/MIT"}
    package = {"type": "software_Package", "spdxId": "urn:a", "name": "a"}
    states = {"type": "Relationship", "relationshipType": "hasDeclaredLicense", "from": "urn:a"}
    graph = SPDX3["@graph"] + [licence, package, states | {"to": [licence["spdxId"]]}]
    (part,) = of({"@graph": graph}).components
    assert part.licences == ("MIT",)
    graph[-1]["to"] = ["https://spdx.org/rdf/3.0.1/terms/Licensing/NoAssertion"]
    (part,) = of({"@graph": graph}).components
    assert part.licences == ()


def test_one_part_twice_is_once_and_twice_otherwise_is_refused():
    part = {"name": "a", "purl": "pkg:npm/a@1", "licenses": [{"license": {"id": "MIT"}}]}
    assert len(of(CYCLONE, components=[part, part]).components) == 1
    other = part | {"licenses": [{"license": {"id": "ISC"}}]}
    with pytest.raises(MalformedInput) as refused:
        of(CYCLONE, components=[part, other])
    assert "components[0]" in str(refused.value)
    assert refused.value.where == "components[1]"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"bomFormat": "CycloneDX", "specVersion": "2.0"},
        {"bomFormat": "CycloneDX"},
        {"spdxVersion": "SPDX-2.1"},
        {"spdxVersion": "SPDX-3.0"},
        {"@graph": []},
        {"@graph": [{"type": "CreationInfo", "specVersion": "4.0"}]},
        CYCLONE | {"components": {}},
        CYCLONE | {"components": ["a"]},
        CYCLONE | {"components": [{"version": "1"}]},
        CYCLONE | {"components": [{"name": 1}]},
        CYCLONE | {"components": [{"name": "a", "licenses": "MIT"}]},
        CYCLONE | {"components": [{"name": "a", "licenses": [{"license": "MIT"}]}]},
        SPDX2 | {"packages": [{"name": "a", "licenseDeclared": []}]},
        SPDX2 | {"documentDescribes": "a"},
        SPDX2 | {"packages": [{"name": "a", "externalRefs": [1]}]},
        {"@graph": [*SPDX3["@graph"], {"type": "software_Package", "spdxId": "a"}]},
        {"@graph": [*SPDX3["@graph"], {"type": "software_Sbom", "rootElement": [1]}]},
    ],
)
def test_what_is_none_is_refused(document: dict[str, Any]):
    with pytest.raises(MalformedInput):
        of(document)


values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "name version purl licenses license id expression components type spdxId from to "
                "relationshipType rootElement packages externalRefs licenseDeclared".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from([CYCLONE, SPDX2, SPDX3]), values)
def test_whatever_stands_in_one_it_is_read_or_refused(document: dict[str, Any], value: Any):
    key = {"bomFormat": "components", "spdxVersion": "packages"}.get(next(iter(document)), "@graph")
    inside = [*SPDX3["@graph"], value] if key == "@graph" else [value]
    try:
        listed = of(document | {key: inside})
    except MalformedInput:
        return
    assert all(each.name for each in listed.components)


@pytest.mark.bound("insight.wire.sbom.reading.COMPONENTS_MAX")
def test_how_many_parts_are_read_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "COMPONENTS_MAX", 3)
    parts = [{"name": f"a{number}"} for number in range(4)]
    assert len(of(CYCLONE, components=parts[:3]).components) == 3
    with pytest.raises(MalformedInput, match="at most 3"):
        of(CYCLONE, components=parts)


@pytest.mark.bound("insight.wire.sbom.reading.TEXT_LETTERS_MAX")
def test_how_long_a_text_may_be_is_bounded():
    most = reading.TEXT_LETTERS_MAX
    assert of(CYCLONE, components=[{"name": "a" * most}]).components
    for long in ({"name": "a" * (most + 1)}, {"name": "a", "purl": "p" * (most + 1)}):
        with pytest.raises(MalformedInput):
            of(CYCLONE, components=[long])


LOCKS: list[tuple[str, str, list[tuple[str, str, str]]]] = [
    (
        "Cargo.lock",
        (
            'version = 3\n[[package]]\nname = "serde"\nversion = "1.0.1"\n[[package]]\nname = "x"\n'
            'version = "2"\n'
        ),
        [("serde", "1.0.1", "pkg:cargo/serde@1.0.1"), ("x", "2", "pkg:cargo/x@2")],
    ),
    ("a/uv.lock", '[[package]]\nname = "b"\nversion = "1"\n', [("b", "1", "pkg:pypi/b@1")]),
    (
        "go.sum",
        "golang.org/x/text v0.3.0 h1:abc=\ngolang.org/x/text v0.3.0/go.mod h1:def=\n",
        [("golang.org/x/text", "v0.3.0", "pkg:golang/golang.org/x/text@v0.3.0")],
    ),
    (
        "Gemfile.lock",
        "GEM\n  remote: https://rubygems.org/\n  specs:\n    rake (13.0.6)\n      other (>= 1)\n",
        [("rake", "13.0.6", "pkg:gem/rake@13.0.6")],
    ),
    (
        "yarn.lock",
        (
            '# yarn lockfile v1\n\n"@a/b@^1.0.0", "@a/b@^1.1.0":\n  version "1.1.2"\n  resolved "x"\n\n'
            "c@~2:\n  resolved y\n  version: 2.0.1\n"
        ),
        [("@a/b", "1.1.2", "pkg:npm/%40a/b@1.1.2"), ("c", "2.0.1", "pkg:npm/c@2.0.1")],
    ),
    (
        "composer.lock",
        '{"packages":[{"name":"a/b","version":"v1"}],"packages-dev":[{"name":"c/d","version":"2"}]}',
        [("a/b", "v1", "pkg:composer/a/b@v1"), ("c/d", "2", "pkg:composer/c/d@2")],
    ),
    (
        "package-lock.json",
        (
            '{"lockfileVersion":1,"dependencies":{"a":{"version":"1","dependencies":{"b":{"version":"2"'
            "}}}}}"
        ),
        [("a", "1", "pkg:npm/a@1"), ("b", "2", "pkg:npm/b@2")],
    ),
]


@pytest.mark.parametrize(("path", "text", "expected"), LOCKS, ids=[name for name, _, _ in LOCKS])
def test_names_of_lock_files_are_read_and_no_licences(
    path: str, text: str, expected: list[tuple[str, str, str]]
):
    parts = lock_file_parts(path, text)
    assert parts is not None
    assert [(each.name, each.version, each.purl) for each in parts] == expected
    assert {each.licences for each in parts} == {()}


def test_the_lock_that_npm_wrote_for_our_pages_is_read():
    text = (ROOT / "web" / "package-lock.json").read_text()
    parts = lock_file_parts("web/package-lock.json", text)
    assert parts is not None
    packages = json.loads(text)["packages"]
    named = {
        (place.rpartition("node_modules/")[2], each["version"])
        for place, each in packages.items()
        if place
    }
    assert {(each.name, each.version) for each in parts} == named


@pytest.mark.parametrize("path", [name for name, _, _ in LOCKS])
@given(text=st.text(max_size=60) | st.sampled_from(["[]", "{}", '{"packages": 1}', "package = 1"]))
def test_a_spoiled_lock_file_is_none_and_no_defect(path: str, text: str):
    parts = lock_file_parts(path, text)
    assert parts is None or all(each.name and each.version for each in parts)


def test_a_lock_file_of_no_known_form_is_not_read():
    assert lock_file_parts("pnpm-lock.yaml", "a: 1") is None


def mutated(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    document = json.loads((SBOMS / "spdx-2.3.json").read_text())
    change(document)
    return document


def test_a_package_that_the_document_describes_is_no_part_of_itself():
    document = mutated(lambda each: each.update(relationships=[]))
    assert len(of(document).components) == 5
    document["documentDescribes"] = ["SPDXRef-project"]
    assert len(of(document).components) == 4
