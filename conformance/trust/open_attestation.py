"""OpenAttestation 2 and 3 and TrustVC: documents that others made, by their verdicts offline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data

# What each file must get without a network: see SOURCE.md of the set.
VERDICTS = {
    "BBS2023_DIDKEY_W3C_DERIVED_DOCUMENT_V2_0": "unknown_suite",
    "BBS2023_W3C_VERIFIABLE_DOCUMENT_V2_0": "unknown_suite",
    "ECDSA_DIDKEY_W3C_DERIVED_DOCUMENT_V2_0": "ok",
    "ECDSA_DIDKEY_W3C_VERIFIABLE_DOCUMENT_V2_0": "base_proof",
    "ECDSA_W3C_DERIVED_DOCUMENT_V1_1": "did_unavailable",
    "ECDSA_W3C_VERIFIABLE_DOCUMENT_V1_1": "did_unavailable",
    "SIGNED_WRAPPED_DOCUMENT_DID_V2": "did_unavailable",
    "W3C_RAW_CREDENTIAL_V2_0": "bad_proof",
    "WRAPPED_DOCUMENT_DID_TOKEN_REGISTRY_V2": "registry_unavailable",
    "WRAPPED_DOCUMENT_DID_TOKEN_REGISTRY_V3": "registry_unavailable",
    "WRAPPED_DOCUMENT_DNS_TXT_V2": "registry_unavailable",
    "amoy-oa-token-registry-minted": "registry_unavailable",
    "amoy-w3c-transferable-record-minted": "did_unavailable",
    "pol-w3c-verifiable-document": "did_unavailable",
}


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("trustvc-documents", shared, "trust/trustvc", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    from zhidao.core.errors import ZhidaoError
    from zhidao.core.timescale import Utc
    from zhidao.trust.adapters.evidence.bundled_contexts import load_contexts
    from zhidao.trust.service.credentials.verification import CredentialVerifier
    from zhidao.trust.wire.credentials.open_attestation import check, is_open_attestation

    verifier = CredentialVerifier(load_contexts())
    now = Utc.parse("2026-11-24T00:00:00Z")
    for file in sorted(folder.glob("*.json")):
        found = json.loads(file.read_text())
        if file.stem in VERDICTS:
            yield file.stem, verifier.verify(file.read_bytes(), now).code == VERDICTS[file.stem]
        for place, each in enumerate(found if isinstance(found, list) else [found]):
            if not is_open_attestation(each):
                continue
            try:
                check(each)
            except ZhidaoError as error:
                yield f"{file.stem}#{place} {error.code}", False
            else:
                yield f"{file.stem}#{place} as wrapped", True
