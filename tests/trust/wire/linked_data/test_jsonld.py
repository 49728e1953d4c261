from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trust.adapters.evidence.bundled_contexts import load_contexts
from zhidao.trust.wire.linked_data.jsonld import to_quads
from zhidao.trust.wire.linked_data.jsonld_context import ContextReader
from zhidao.trust.wire.linked_data.rdf_canonical import canonical_statements

V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
READER = ContextReader(load_contexts())


def lines(document: dict) -> list[str]:
    return canonical_statements(to_quads(document, READER))


def code_of(document: dict) -> str:
    try:
        to_quads(document, READER)
    except (MalformedInput, Refused) as error:
        return error.code
    return ""


def oracle(document: dict) -> list[str]:
    """The same by pyld and pyoxigraph."""
    from pyld import jsonld

    def load(url: str, options: Any = None) -> dict:
        del options
        content = {"@context": load_contexts()[url]}
        return {
            "document": content,
            "documentUrl": url,
            "contextUrl": None,
            "contentType": "application/ld+json",
        }

    text = jsonld.to_rdf(document, {"format": "application/n-quads", "documentLoader": load})
    dataset = ox.Dataset(ox.parse(text.encode(), format=ox.RdfFormat.N_QUADS))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(f"{quad} .\n" for quad in dataset)


def bearing(**fields: Any) -> dict:
    return {
        "@context": [V2, EXAMPLES],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:i",
        "credentialSubject": {"id": "did:example:s"},
    } | fields


@pytest.mark.parametrize(
    "fields",
    [
        {"number": 7, "real": 1.5, "large": 1e21, "small": 5e-7, "whole": 4.0, "no": False},
        {"list": {"@list": [1, "a", {"id": "urn:x"}, {"b": 2}]}},
        {"nothing": None, "empty": {}, "many": ["b", "a", "b"]},
        {"name": [{"@value": "n", "@language": "EN"}, "plain"]},
        {"evidence": {"type": "Kind", "verifier": {"id": "urn:v", "deep": [{"x": [{"y": 1}]}]}}},
        {"x": {"@value": {"b": [1.0, "é"]}, "@type": "@json"}},
        {"x": {"@value": 3, "@type": "http://www.w3.org/2001/XMLSchema#double"}},
        {"credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}},
        {"verifiableCredential": bearing(issuer="did:example:j")},
        {"x": 'quo"te\\ \n\t\r\b\f\x7f\x01 𝄞'},
        {"@context": [V2, EXAMPLES, {"ex": "https://ex.example/#", "own": {"@id": "ex:own"}}],
         "own": "v", "ex:other": {"@id": "ex:thing"}},
        {"@context": [V2, {"t": {"@id": "urn:t", "@container": "@language"}}],
         "t": {"en": ["a", "b"], "zh": "c"}},
        {"@context": [V2, {"l": {"@id": "urn:l", "@container": "@list"}}], "l": [{"l": []}, 1]},
    ],
)  # fmt: skip
def test_documents_mean_what_pyld_reads_in_them(fields: dict) -> None:
    document = bearing(**fields)
    assert lines(document) == oracle(document)


def test_a_texts_direction_is_its_type() -> None:
    # As jsonld.js 8 writes it with `rdfDirection: i18n-datatype`; pyld leaves it out.
    local = {
        "@direction": "rtl",
        "@language": "he",
        "plain": {"@id": "urn:p", "@direction": None, "@language": None},
        "left": {"@id": "urn:f", "@direction": "ltr"},
        "map": {"@id": "urn:m", "@container": "@language"},
    }
    said = {
        "own": ["v", 1],
        "plain": "p",
        "left": "l",
        "map": {"en": "a"},
        "value": {"@value": "q"},
        "up": {"@value": "r", "@language": "AR-eg", "@direction": "ltr"},
        "nothing": {"@value": "s", "@direction": None},
    }
    told = lines(bearing(**{"@context": [V2, EXAMPLES, local], "credentialSubject": said}))
    for text, written in (
        ("v", "^^<https://www.w3.org/ns/i18n#he_rtl>"),
        ("1", "^^<http://www.w3.org/2001/XMLSchema#integer>"),
        ("p", ""),
        ("l", "^^<https://www.w3.org/ns/i18n#he_ltr>"),
        ("a", "^^<https://www.w3.org/ns/i18n#en_rtl>"),
        ("q", ""),
        ("r", "^^<https://www.w3.org/ns/i18n#ar-eg_ltr>"),
        ("s", ""),
    ):
        assert [line for line in told if line.endswith(f' "{text}"{written} .\n')], text


def test_partners_documents_mean_what_pyld_reads_in_them(shared: Path) -> None:
    seen = 0
    for file in sorted((shared / "trust" / "trustvc").glob("*W3C*.json")):
        document = json.loads(file.read_text())
        document.pop("proof", None)
        assert lines(document) == oracle(document), file.name
        seen += 1
    assert seen == 7


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (bearing(**{"@context": [V2, "https://evil.example/c"]}), "unknown_context"),
        (bearing(**{"@context": [V2], "surprise": 1}), "unmapped_term"),
        (bearing(**{"@context": [V2], "type": ["VerifiableCredential", "Strange"]}), "unmapped_term"),
        (bearing(**{"@context": [V2, {"name": "urn:other"}]}), "protected_term"),
        (bearing(**{"@context": [V2, None]}), "protected_term"),
        (bearing(id="relative"), "relative_iri"),
        (bearing(issuer="relative"), "relative_iri"),
        (bearing(**{"@context": [V2, {"@import": V2}]}), "unsupported_context"),
        (bearing(**{"@context": [V2, {"@base": "urn:x"}]}), "unsupported_context"),
        (bearing(**{"@context": [V2, {"r": {"@reverse": "urn:r"}}]}), "unsupported_context"),
        (bearing(**{"@context": [V2, {"a": "b:c", "b": "a:d"}]}), "bad_context"),
        (bearing(**{"@context": [V2, {"@id": "urn:x"}]}), "bad_context"),
        (bearing(**{"@context": [V2, 7]}), "bad_context"),
        (bearing(**{"@included": []}), "unsupported_jsonld"),
        (bearing(name={"@value": "x", "@direction": "up"}), "bad_context"),
        (bearing(name={"@value": 1, "@direction": "rtl"}), "unmapped_term"),
        (bearing(name={"@value": "x", "@type": "urn:t", "@direction": "rtl"}), "unmapped_term"),
        (bearing(name={"@value": "x", "@language": "not a tag"}), "unmapped_term"),
        (bearing(x=[["nested"]]), "unsupported_jsonld"),
    ],
)  # fmt: skip
def test_what_would_be_dropped_in_silence_is_refused(document: dict, code: str) -> None:
    assert code_of(document) == code


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-1e9, 1e9) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "type", "name", "@value", "@list", "@id", "x", "proof", "@type"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(json_values, st.sampled_from(["@context", "evidence", "x", "@graph", "issuer"]))
def test_any_value_has_statements_or_is_refused_by_name(value: object, field: str) -> None:
    document = bearing(**{field: value})
    code_of(document)


def test_contexts_of_many_orders_do_not_fill_the_memory() -> None:
    from itertools import islice, permutations

    reader = ContextReader(load_contexts())
    for order in islice(permutations(sorted(load_contexts()), 3), 700):
        try:
            to_quads({"@context": [V2, *order]}, reader)
        except Refused as refusal:
            assert refusal.code == "protected_term"  # noqa: PT017
    assert reader._cached < 1200
