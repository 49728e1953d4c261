from __future__ import annotations

import hashlib
import time

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import Refused
from zhidao.trust.wire.linked_data.jsonld import literal
from zhidao.trust.wire.linked_data.rdf_canonical import (
    canonical_labels,
    canonical_statements,
    statement,
)

P, Q = "<urn:p>", "<urn:q>"
nodes = st.sampled_from([f"_:{letter}" for letter in "abcdef"])
quads = st.tuples(
    nodes | st.just("<urn:s>"),
    st.sampled_from([P, Q]),
    nodes | st.sampled_from(["<urn:o>", '"1"']),
    st.just("") | nodes | st.just("<urn:g>"),
)


def oracle(statements: list, algorithm=ox.CanonicalizationAlgorithm.RDFC_1_0) -> list[str]:
    parsed = ox.parse("".join(map(statement, statements)).encode(), format=ox.RdfFormat.N_QUADS)
    dataset = ox.Dataset(parsed)
    dataset.canonicalize(algorithm)
    return sorted(f"{quad} .\n" for quad in dataset)


@settings(max_examples=60, deadline=None)
@given(st.lists(quads, max_size=9))
def test_any_small_graph_gets_the_form_that_pyoxigraph_gives_it(statements: list) -> None:
    assert canonical_statements(statements) == oracle(statements)


@settings(max_examples=60, deadline=None)
@given(st.lists(quads, max_size=9))
def test_by_sha_384_too(statements: list) -> None:
    longer = oracle(statements, ox.CanonicalizationAlgorithm.RDFC_1_0_SHA_384)
    assert canonical_statements(statements, hasher=hashlib.sha384) == longer


@given(st.lists(quads, max_size=7), st.permutations("abcdef"), st.randoms())
def test_names_and_order_of_the_input_do_not_matter(statements: list, names, random) -> None:
    renamed = [
        tuple(f"_:{names['abcdef'.index(t[2])]}" if t[:2] == "_:" else t for t in quad)
        for quad in statements
    ]
    random.shuffle(renamed)
    assert canonical_statements(renamed) == canonical_statements(statements)


def test_a_ring_of_alike_nodes_is_put_in_order() -> None:
    ring = [(f"_:{i}", P, f"_:{(i + 1) % 7}", "") for i in range(7)]
    assert canonical_statements(ring) == oracle(ring)


def test_a_graph_made_to_take_forever_is_refused_soon() -> None:
    clique = [(f"_:{i}", P, f"_:{j}", "") for i in range(12) for j in range(12) if i != j]
    started = time.process_time()
    with pytest.raises(Refused) as refusal:
        canonical_labels(clique)
    assert refusal.value.code == "too_complex"
    assert time.process_time() - started < 2


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_escaped_as_pyoxigraph_writes_it(text: str) -> None:
    assert literal(text) == str(ox.Literal(text))
