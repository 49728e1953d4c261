from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.timescale import Utc
from zhidao.trust.domain.credential import (
    CONTEXT_V2,
    CONTEXTS_MAX,
    NODES_MAX,
    TYPES_MAX,
    check_contexts_known,
    check_credential,
    check_period,
    type_of,
)

GOOD = {
    "@context": [CONTEXT_V2],
    "type": ["VerifiableCredential"],
    "issuer": "did:example:issuer",
    "validFrom": "2026-01-01T00:00:00Z",
    "validUntil": "2027-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:subject"},
}
# They differ from good ones by what a context says, and contexts are not processed here.
_BY_CONTEXT_ONLY = {
    "credential-redef-type2-fail.json",
    "credential-type-mapped-nonurl-fail.json",
    "credential-type-unmapped-fail.json",
}


def test_a_good_credential_is_accepted() -> None:
    check_credential(GOOD)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from([*GOOD, "id", "evidence", "credentialStatus", "name"]), json_values)
def test_any_value_in_any_field_is_accepted_or_malformed(field: str, value: object) -> None:
    with contextlib.suppress(MalformedInput):
        check_credential({**GOOD, field: value})


@pytest.mark.parametrize("field", ["@context", "type", "issuer", "credentialSubject"])
def test_a_credential_without_a_needed_field_is_malformed(field: str) -> None:
    document = copy.deepcopy(GOOD)
    del document[field]
    with pytest.raises(MalformedInput) as refusal:
        check_credential(document)
    assert refusal.value.where == field


@pytest.mark.parametrize(
    ("now", "code"),
    [
        ("2025-12-31T23:59:59Z", "not_yet_valid"),
        ("2026-01-01T00:00:00Z", ""),
        ("2027-01-01T00:00:00Z", ""),
        ("2027-01-01T00:00:00.000000001Z", "expired"),
    ],
)
def test_a_credential_counts_within_its_period_only(now: str, code: str) -> None:
    try:
        check_period(GOOD, Utc.parse(now))
        found = ""
    except Refused as error:
        found = error.code
    assert found == code


@pytest.mark.parametrize(
    "context", ["https://evil.example/v2", {"issuer": "https://evil.example/x"}]
)
def test_a_context_of_unknown_meaning_is_refused(context: object) -> None:
    with pytest.raises(Refused) as refusal:
        check_contexts_known({**GOOD, "@context": [CONTEXT_V2, context]})
    assert refusal.value.code == "unknown_context"


def test_kinds_in_plain_words_become_types() -> None:
    assert type_of("invoice") == "InvoiceCredential"
    assert type_of("OriginCredential") == "OriginCredential"
    for kind in ("", "a b", "_x", "x_", "é", "a" * 65):
        with pytest.raises(MalformedInput):
            type_of(kind)


def _issued(document: dict) -> None:
    """The suite's inputs get their issuer's id from whoever issues them."""
    issuer = document.setdefault("issuer", "did:example:issuer")
    if isinstance(issuer, dict):
        issuer.setdefault("id", "did:example:issuer")


def cases(folder: Path) -> Iterator[tuple[str, bool]]:
    """Credentials of the data model's own suite, each with whether it gets its verdict.

    Presentations are not judged by their form here, and three cases need a context's terms.
    """
    for name, document in json.loads((folder / "inputs.json").read_text()).items():
        if name.startswith("presentation-") or name in _BY_CONTEXT_ONLY:
            continue
        if "no-issuer" not in name:
            _issued(document)
        try:
            check_credential(document)
            accepted = True
        except MalformedInput:
            accepted = False
        yield name, accepted == ("-ok" in name)


def test_the_inputs_of_the_data_model_suite_get_their_verdicts(shared: Path) -> None:
    found = dict(cases(shared / "trust" / "vcdm2"))
    assert (len(found), [name for name, right in found.items() if not right]) == (61, [])


def _with_contexts(count: int) -> dict[str, object]:
    spread = [{"@context": "https://example.org/inner"} for _ in range(count // 2)]
    outer = [CONTEXT_V2, *(f"https://example.org/{k}" for k in range(count - len(spread) - 1))]
    return {**GOOD, "@context": outer, "credentialSubject": {"id": "did:example:s", "of": spread}}


def _with_types(count: int) -> dict[str, object]:
    return {**GOOD, "type": ["VerifiableCredential", *(f"T{k}" for k in range(count - 1))]}


def _with_one_type(count: int) -> dict[str, object]:
    return {**GOOD, "type": ["VerifiableCredential"] * count}


def _with_nodes(count: int) -> dict[str, object]:
    # The document and its subject are two.
    return {**GOOD, "credentialSubject": {"id": "did:example:s", "of": [{}] * (count - 2)}}


@pytest.mark.parametrize(
    ("made", "bound"),
    [
        (_with_contexts, CONTEXTS_MAX),
        (_with_types, TYPES_MAX),
        (_with_one_type, TYPES_MAX),
        (_with_nodes, NODES_MAX),
    ],
)
def test_a_credential_is_read_at_its_bound_and_refused_one_past_it(made, bound) -> None:  # type: ignore[no-untyped-def]
    check_credential(made(bound))
    for beyond in (bound + 1, 10 * bound + 1):
        with pytest.raises(MalformedInput) as told:
            check_credential(made(beyond))
        assert told.value.code == "credential_too_large"
        assert str(bound) in str(told.value).replace(",", "")
