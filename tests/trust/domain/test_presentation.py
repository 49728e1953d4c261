from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trust.adapters.bundled_contexts import load_contexts
from zhidao.trust.domain.credential import check_credential
from zhidao.trust.domain.presentation import check_presentation
from zhidao.trust.wire.jsonld import to_quads
from zhidao.trust.wire.jsonld_context import ContextReader

# The names of these two say no verdict: who holds what is not the data model's to judge.
NO_VERDICT = "presentation-self-asserted"


def cases(folder: Path) -> Iterator[tuple[str, bool]]:
    """Every input of the suite with a verdict in its name, and whether it got that verdict."""
    reader = ContextReader(load_contexts())
    for name, document in json.loads((folder / "inputs.json").read_text()).items():
        if name.startswith(NO_VERDICT):
            continue
        yield name, _accepted(name, document, reader) == ("-ok" in name)


def _accepted(name: str, document: dict, reader: ContextReader) -> bool:
    try:
        if name.startswith("presentation-"):
            check_presentation(document)
            return True
        if "no-issuer" not in name:
            # The suite's inputs get their issuer's id from whoever issues them.
            issuer = document.setdefault("issuer", "did:example:issuer")
            if isinstance(issuer, dict):
                issuer.setdefault("id", "did:example:issuer")
        check_credential(document)
        to_quads({k: v for k, v in document.items() if k != "proof"}, reader)
    except (MalformedInput, Refused):
        return False
    return True


def test_every_input_of_the_data_model_suite_gets_its_verdict(shared: Path) -> None:
    outcomes = dict(cases(shared / "trust" / "vcdm2"))
    assert len(outcomes) == 78
    assert [name for name, passed in outcomes.items() if not passed] == []


GOOD = {"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiablePresentation"]}


@given(
    st.sampled_from(["@context", "type", "id", "holder", "verifiableCredential"]),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=6),
        lambda v: st.lists(v, max_size=2) | st.dictionaries(st.sampled_from(["id", "type"]), v),
    ),
)
def test_any_value_in_any_field_is_accepted_or_malformed(field: str, value: object) -> None:
    with contextlib.suppress(MalformedInput):
        check_presentation({**GOOD, field: value})


def test_an_enveloped_credential_is_a_data_url() -> None:
    shown = {"type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt,e.y.J"}
    check_presentation({**GOOD, "verifiableCredential": [shown]})
    with pytest.raises(MalformedInput):
        check_presentation({**GOOD, "verifiableCredential": [{**shown, "id": "urn:x"}]})
