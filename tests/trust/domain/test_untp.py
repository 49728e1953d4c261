"""What UNTP asks of passports and lifecycle events, refused with the place that is wrong."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trust.adapters.evidence.bundled_contexts import load_contexts
from zhidao.trust.domain.credential import CONTEXT_UNDEFINED_TERMS, CONTEXT_V2
from zhidao.trust.domain.untp import CONTEXT, check_untp, is_untp
from zhidao.trust.service.credentials.verification import CredentialVerifier
from zhidao.trust.wire.credentials.data_integrity import secure
from zhidao.trust.wire.identifiers.did import did_key, key_method

KEY = SoftwareKey(Algorithm.ED25519, b"k" * 32)
NOW = Utc.parse("2026-11-26T08:00:00Z")
STEP = {
    "code": "shipping",
    "name": "Shipping",
    "schemeId": "https://ref.gs1.org/cbv/BizStep",
    "schemeName": "GS1 CBV Business Step",
}
YARD = {"id": "https://example.com/yard", "name": "Yard"}
PUMP = {"product": {"id": "https://example.com/pump", "name": "Pump"}}
MOVE = {
    "type": ["MoveEvent", "LifecycleEvent"],
    "id": "https://example.com/moves/1",
    "name": "A shipment",
    "eventDate": "2026-11-20T08:00:00Z",
    "activityType": STEP,
    "movedProduct": [PUMP],
    "fromFacility": YARD,
    "toFacility": YARD,
}


def event(subject: Any, **changes: Any) -> dict[str, Any]:
    return {
        "@context": [CONTEXT_V2, CONTEXT],
        "type": ["DigitalTraceabilityEvent", "VerifiableCredential"],
        "id": "https://example.com/credentials/1",
        "name": "A shipment",
        "issuer": {"type": ["CredentialIssuer"], "id": did_key(KEY.public), "name": "Shipper"},
        "validFrom": "2026-11-20T08:00:00Z",
        "credentialSubject": subject,
        **changes,
    }


def signed(document: dict[str, Any]) -> bytes:
    return jcs(secure(document, signer=KEY, method=key_method(KEY.public), created=NOW))


def test_a_good_event_passes_alone_and_among_others() -> None:
    check_untp(event(MOVE))
    check_untp(event([MOVE, MOVE]))


@pytest.mark.parametrize("field", [name for name in MOVE if name != "type"])
def test_an_event_without_a_needed_field_is_refused_by_its_place(field: str) -> None:
    wrong = {name: value for name, value in MOVE.items() if name != field}
    with pytest.raises(MalformedInput) as refused:
        check_untp(event([MOVE, wrong]))
    assert refused.value.code == "malformed_credential"
    assert refused.value.where.startswith("credentialSubject[1]")
    assert field in refused.value.where


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        ("MakeEvent", ("inputProduct", "outputProduct", "madeAtFacility")),
        ("ModifyEvent", ("modifiedProduct", "modifiedAtFacility")),
    ],
)
def test_each_kind_of_event_asks_for_its_own_products_and_places(
    kind: str, needed: tuple[str, ...]
) -> None:
    common = {name: MOVE[name] for name in ("id", "name", "eventDate", "activityType")}
    good = {
        **common,
        "type": [kind, "LifecycleEvent"],
        **{name: YARD if "Facility" in name else [PUMP] for name in needed},
    }
    check_untp(event(good))
    for name in needed:
        with pytest.raises(MalformedInput, match=name):
            check_untp(event({key: value for key, value in good.items() if key != name}))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"type": ["VerifiableCredential"]}, "type"),
        ({"type": ["DigitalTraceabilityEvent", "DigitalProductPassport"]}, "type"),
        ({"type": ["DigitalTraceabilityEvent", "VerifiableCredential", "Bargain"]}, "type"),
        ({"issuer": did_key(KEY.public)}, "issuer"),
        ({"issuer": {"id": "https://example.com", "name": "Shipper"}}, "issuer.id"),
        ({"issuer": {"id": did_key(KEY.public)}}, "issuer.name"),
        ({"name": ""}, "name"),
        ({"id": "no uri"}, "id"),
        ({"credentialSubject": [MOVE] * 1001}, "credentialSubject"),
        ({"credentialSubject": ["a move"]}, "credentialSubject[0]"),
    ],
)
def test_an_envelope_that_is_not_of_untp_is_refused(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        check_untp(event(MOVE, **changes))
    assert refused.value.where == where


@pytest.mark.parametrize("contexts", [None, load_contexts()])
def test_a_signed_event_of_any_maker_is_verified_without_its_context(contexts: Any) -> None:
    verifier = CredentialVerifier(contexts)
    assert verifier.verify(signed(event(MOVE)), NOW).code == "ok"
    short = copy.deepcopy(MOVE)
    del short["toFacility"]
    assert verifier.verify(signed(event(short)), NOW).code == "malformed_credential"


def test_words_of_untp_beside_those_of_another_context_are_not_guessed() -> None:
    mixed = event(MOVE)
    mixed["@context"] = [CONTEXT_V2, CONTEXT, CONTEXT_UNDEFINED_TERMS]
    assert not is_untp(mixed)
    assert CredentialVerifier(load_contexts()).verify(signed(mixed), NOW).code == "unknown_context"
