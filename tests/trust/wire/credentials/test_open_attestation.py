from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.timescale import Utc
from zhidao.trust.service.credentials.external_evidence import Gathered
from zhidao.trust.service.credentials.verification import CredentialVerifier
from zhidao.trust.wire.credentials.open_attestation import check, is_open_attestation

NOW = Utc.parse("2024-12-01T00:00:00Z")
DID = "did:ethr:0xB26B4941941C51a4885E5B7D3A1B861E54405f90"
DID_DOCUMENT = {
    "id": DID,
    "verificationMethod": [
        {"id": f"{DID}#controller", "controller": DID,
         "blockchainAccountId": "eip155:1:0xB26B4941941C51a4885E5B7D3A1B861E54405f90"}
    ],
}  # fmt: skip
KNOWN = {DID: DID_DOCUMENT}
TEXTS = {"example.tradetrust.io": (f"openatts a=dns-did; p={DID}#controller; v=1.0;", "other")}


def document(shared: Path, name: str, place: int = 0) -> dict[str, Any]:
    found = json.loads((shared / "trust" / "trustvc" / f"{name}.json").read_text())
    return found[place] if isinstance(found, list) else found


def code(document: dict, **evidence: Any) -> str:
    return CredentialVerifier().verify(jcs(document), NOW, evidence=Gathered(**evidence)).code


# TrustVC/trustvc 015eef35, src/__tests__/fixtures.
def test_documents_that_others_wrapped_hold(shared: Path) -> None:
    held = 0
    for file in sorted((shared / "trust" / "trustvc").glob("*.json")):
        found = json.loads(file.read_text())
        for each in found if isinstance(found, list) else [found]:
            if is_open_attestation(each):
                check(each)
                held += 1
    assert held == 7


def test_a_signed_document_holds_if_its_did_stands(shared: Path) -> None:
    signed = document(shared, "SIGNED_WRAPPED_DOCUMENT_DID_V2")
    assert code(signed) == "did_unavailable"
    assert code(signed, documents=KNOWN) == "ok"
    moved = json.loads(json.dumps(DID_DOCUMENT).replace("1:0xB26B", "1:0xA26B"))
    assert code(signed, documents={DID: moved}) == "unknown_key"


def test_a_domain_vouches_for_the_key_or_the_document_is_refused(shared: Path) -> None:
    for place in (0, 1):
        batched = document(shared, "BATCHED_SIGNED_WRAPPED_DOCUMENTS_DID", place)
        assert code(batched, documents=KNOWN) == "issuer_domain_unavailable"
        assert code(batched, documents=KNOWN, texts=TEXTS) == "ok"
        none = {"example.tradetrust.io": ("openatts a=dns-did; p=did:ethr:0x1#controller; v=1.0;",)}
        assert code(batched, documents=KNOWN, texts=none) == "issuer_domain_mismatch"


def test_what_a_registry_must_say_is_not_guessed(shared: Path) -> None:
    for name in ("WRAPPED_DOCUMENT_DNS_TXT_V2", "WRAPPED_DOCUMENT_DID_TOKEN_REGISTRY_V3",
                 "amoy-oa-token-registry-minted"):  # fmt: skip
        assert code(document(shared, name)) == "registry_unavailable"


def _set(path: str, value: Any):
    def change(document: dict) -> None:
        *steps, last = path.split("/")
        for step in steps:
            document = document[int(step) if step.isdigit() else step]
        document[int(last) if last.isdigit() else last] = value

    return change


def _del(path: str):
    def change(document: dict) -> None:
        *steps, last = path.split("/")
        for step in steps:
            document = document[int(step) if step.isdigit() else step]
        del document[last]

    return change


SALTED = "137eb8b9-2da0-4608-8bd3-17e495b332cd:string:Somebody else"


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("data/consignee/name", SALTED), "bad_proof"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("data/more", SALTED), "bad_proof"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _del("data/consignee"), "bad_proof"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("data/x", "no salt"), "bad_open_attestation"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("data/x", 7), "bad_open_attestation"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("signature/merkleRoot", "0" * 64), "bad_proof"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("signature/targetHash", "0" * 64), "bad_proof"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("signature/proof", ["0" * 64]), "bad_proof"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("signature/proof", ["zz"]), "bad_open_attestation"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("signature/proof", 7), "bad_open_attestation"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("proof", []), "issuer_mismatch"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("proof/0/signature", "0x" + "11" * 64 + "1b"), "bad_proof"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("proof/0/signature", "0x11"), "bad_open_attestation"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2",
         _set("proof/0/verificationMethod", "did:ethr:0x" + "1" * 40 + "#controller"), "bad_proof"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("proof/0/verificationMethod", "did:key:z1#z1"),
         "unknown_key"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("privacy", {"obfuscatedData": ["0" * 64]}), "bad_proof"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("privacy", {"obfuscatedData": [7]}),
         "bad_open_attestation"),
        ("SIGNED_WRAPPED_DOCUMENT_DID_V2", _set("version", "https://x.example"), "bad_open_attestation"),
        ("BATCHED_SIGNED_WRAPPED_DOCUMENTS_DID", _set("credentialSubject/scac", "x"), "bad_proof"),
        ("BATCHED_SIGNED_WRAPPED_DOCUMENTS_DID", _set("credentialSubject/more", "x"), "bad_proof"),
        ("BATCHED_SIGNED_WRAPPED_DOCUMENTS_DID", _del("credentialSubject/scac"), "bad_proof"),
        ("BATCHED_SIGNED_WRAPPED_DOCUMENTS_DID", _set("issuer/name", "x"), "bad_proof"),
        ("BATCHED_SIGNED_WRAPPED_DOCUMENTS_DID", _set("proof/proofs", []), "bad_proof"),
        ("BATCHED_SIGNED_WRAPPED_DOCUMENTS_DID", _set("proof/salts", "W10="), "bad_proof"),
        ("BATCHED_SIGNED_WRAPPED_DOCUMENTS_DID", _set("proof/salts", "!"), "malformed_input"),
    ],
)  # fmt: skip
def test_any_change_meets_its_reason(shared: Path, name: str, change, reason: str) -> None:
    changed = copy.deepcopy(document(shared, name))
    change(changed)
    assert code(changed, documents=KNOWN, texts=TEXTS) == reason


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5),
                    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v)))  # fmt: skip
def test_any_value_is_checked_or_refused_by_name(value: Any) -> None:
    signature = {"type": "SHA3MerkleProof", "targetHash": value, "merkleRoot": value}
    for candidate in (
        {"version": value, "data": value, "signature": signature},
        {"data": {"a": value}, "signature": signature, "privacy": value, "proof": value},
        {"version": "https://schema.openattestation.com/3.0/schema.json", "proof": value},
    ):
        with contextlib.suppress(ZhidaoError):
            check(candidate)


def test_the_errors_are_of_the_house() -> None:
    with pytest.raises((MalformedInput, Refused)):
        check({"signature": {"type": "SHA3MerkleProof"}})
