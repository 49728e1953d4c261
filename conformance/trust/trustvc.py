"""TrustVC both ways, offline: their library on our credentials, our verifier on theirs.

Needs node and npm; the package comes by `conformance/trust/trustvc_node/package-lock.json` into
`build/trustvc` at the first run.
"""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from conformance.verdicts import judged

HERE = Path(__file__).resolve().parent / "trustvc_node"
MODULES = Path(__file__).resolve().parents[2] / "build" / "trustvc"
SECONDS = 240
# Multicodec of a P-256 private key, 0x1306.
P256_SECRET = bytes.fromhex("8626")
CLAIM = "/credentialSubject/blNumber"


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    del shared
    trouble = _install()
    if trouble:
        return {"suite": "trustvc-interop", "skipped": trouble}
    return judged("trustvc-interop", _cases())


def speeds(document: dict[str, Any], *, runs: int) -> list[float]:
    """Verifications a second by their library; empty where it is not installed."""
    if _install():
        return []
    command = {"op": "bench", "document": document, "runs": runs + 1, "count": 60}
    # The first run warms the compiler up and does not count.
    found: list[float] = _ask(command)["speeds"][1:]
    return found


def shown_with_one_claim() -> dict[str, Any]:
    """A bill of lading of ours under ecdsa-sd-2023, with one claim shown beside the mandatory."""
    document, proof = _base()
    return _shown(document, proof, [CLAIM])


def _install() -> str:
    """What hinders, or `` once the package is there."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        return "node and npm are not here"
    if not (MODULES / "node_modules" / "@trustvc" / "w3c-vc").exists():
        MODULES.mkdir(parents=True, exist_ok=True)
        for name in (".npmrc", "package.json", "package-lock.json"):
            shutil.copy(HERE / name, MODULES / name)
        done = subprocess.run(  # noqa: S603 (our own words)
            [npm, "ci", "--ignore-scripts", "--loglevel=error"],
            cwd=MODULES, check=False, capture_output=True, text=True, timeout=SECONDS,
        )  # fmt: skip
        if done.returncode:
            return f"npm cannot fetch the package: {done.stderr.strip()[-200:]}"
    shutil.copy(HERE / "interop.mjs", MODULES / "interop.mjs")
    return ""


@cache
def _node() -> subprocess.Popen[str]:
    """One node for all questions: it takes a second to load the package."""
    child = subprocess.Popen(
        ["node", "interop.mjs"],  # noqa: S607 (the machine's node, looked for before)
        cwd=MODULES,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(child.kill)
    return child


def _ask(command: dict[str, Any]) -> dict[str, Any]:
    child = _node()
    assert child.stdin, "it is a pipe"
    assert child.stdout, "it is a pipe"
    child.stdin.write(json.dumps(command) + "\n")
    child.stdin.flush()
    told: dict[str, Any] = json.loads(child.stdout.readline())
    return told


def _unsigned(issuer: str, **fields: Any) -> dict[str, Any]:
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://w3id.org/security/data-integrity/v2",
            "https://trustvc.io/context/bill-of-lading.json",
        ],
        "id": "urn:uuid:0193a5a0-0000-7000-8000-000000000001",
        "type": ["VerifiableCredential"],
        "issuer": issuer,
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "type": ["BillOfLading"],
            "blNumber": "ZD-1",
            "carrierName": "Steppe Line",
            "packages": [
                {"packagesDescription": "tea", "packagesWeight": "10"},
                {"packagesDescription": "silk", "packagesWeight": "20"},
            ],
        },
    } | fields


def _key() -> Any:
    from zhidao.core.keys import Algorithm, SoftwareKey

    return SoftwareKey(Algorithm.P256, b"i" * 32)


def _base(**fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A document of ours and its base proof."""
    from zhidao.core.keys import Algorithm, SoftwareKey
    from zhidao.core.timescale import Utc
    from zhidao.trust.adapters.evidence.bundled_contexts import load_contexts
    from zhidao.trust.library import selective_base_proof
    from zhidao.trust.wire.credentials.data_integrity import configure
    from zhidao.trust.wire.credentials.selective_disclosure import SUITE
    from zhidao.trust.wire.identifiers.did import did_key, key_method

    key = _key()
    document = _unsigned(did_key(key.public), **fields)
    configuration = configure(
        document,
        suite=SUITE,
        method=key_method(key.public),
        created=Utc.parse("2026-02-01T00:00:00Z"),
    )
    value = selective_base_proof(
        document,
        configuration,
        pointers=["/issuer", "/validFrom"],
        signer=key,
        statement_key=SoftwareKey(Algorithm.P256, b"e" * 32),
        hmac_key=b"h" * 32,
        contexts=load_contexts(),
    )
    del configuration["@context"]
    return document, {**configuration, "proofValue": value}


def _shown(document: dict[str, Any], proof: dict[str, Any], pointers: list[str]) -> dict[str, Any]:
    from zhidao.trust.adapters.evidence.bundled_contexts import load_contexts
    from zhidao.trust.wire.credentials.selective_disclosure import derive
    from zhidao.trust.wire.linked_data.jsonld_context import ContextReader

    reader = ContextReader(load_contexts())
    part, value = derive(document, proof["proofValue"], pointers=pointers, reader=reader)
    return {**part, "proof": {**proof, "proofValue": value}}


def _verdict(document: dict[str, Any]) -> str:
    from zhidao.core.timescale import Utc
    from zhidao.trust.adapters.evidence.bundled_contexts import load_contexts
    from zhidao.trust.service.credentials.verification import CredentialVerifier

    # Their proofs bear the time of the machine, so judge a day well after it.
    now = Utc.parse("2029-06-01T00:00:00Z")
    return CredentialVerifier(load_contexts()).verify(json.dumps(document).encode(), now).code


def _cases() -> Iterator[tuple[str, bool]]:
    yield from _ours_by_them()
    yield from _theirs_by_us()


def _ours_by_them() -> Iterator[tuple[str, bool]]:
    document, proof = _base()
    choices = {
        "one claim": [CLAIM],
        "two claims": [CLAIM, "/credentialSubject/carrierName"],
        "part of a list": ["/credentialSubject/packages/1"],
        "a field of a part": ["/credentialSubject/packages/0/packagesWeight"],
        "everything": ["/credentialSubject"],
    }
    for what, pointers in choices.items():
        shown = _shown(document, proof, pointers)
        told = _ask({"op": "verify", "document": shown})
        yield f"ours, {what}: they accept", told.get("verified") is True
        yield f"ours, {what}: we accept", _verdict(shown) == "ok"
        changed = json.loads(json.dumps(shown).replace("2026-01-01", "2025-01-01"))
        told = _ask({"op": "verify", "document": changed})
        yield f"ours, {what}, changed: they refuse", told.get("verified") is not True
        yield f"ours, {what}, changed: we refuse", _verdict(changed) == "bad_proof"
    whole = {**document, "proof": proof}
    # Their derivation from our base proof, verified by us.
    told = _ask({"op": "derive", "document": whole, "pointers": [CLAIM]})
    yield "our base, derived by them: we accept", _verdict(told.get("derived", {})) == "ok"
    told = _ask({"op": "verify", "document": whole})
    yield "our base as it is: they refuse", told.get("verified") is not True
    yield "our base as it is: we refuse", _verdict(whole) == "base_proof"
    expired = _shown(*_base(validUntil="2026-03-01T00:00:00Z"), [CLAIM, "/validUntil"])
    # They verify the signature of an expired one (2.0.2); we must not.
    yield "ours, expired: we refuse", _verdict(expired) == "expired"


def _theirs_by_us() -> Iterator[tuple[str, bool]]:
    from zhidao.core.encoding import base58btc
    from zhidao.trust.wire.identifiers.did import did_key, key_method

    key = _key()
    did = did_key(key.public)
    pair = {
        "@context": "https://w3id.org/security/multikey/v1",
        "id": key_method(key.public),
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": key.public.multikey,
        "secretKeyMultibase": "z" + base58btc(P256_SECRET + key.secret),
    }
    kinds: dict[str, dict[str, Any]] = {
        "plain": {},
        "with an end": {"validUntil": "2030-01-01T00:00:00Z"},
        "expired": {"validUntil": "2026-03-01T00:00:00Z"},
        "with an issuer object": {"issuer": {"id": did}},
    }
    for what, fields in kinds.items():
        document = _unsigned(did) | fields
        document.pop("id")
        mandatory = ["/issuer", "/validFrom", *(["/validUntil"] if "validUntil" in fields else [])]
        told = _ask({"op": "sign", "document": document, "key": pair, "mandatory": mandatory})
        signed = told.get("signed")
        yield f"theirs, {what}: they sign", isinstance(signed, dict)
        if not isinstance(signed, dict):
            continue
        yield f"theirs, {what}, base: we refuse", _verdict(signed) == "base_proof"
        wanted = "expired" if what == "expired" else "ok"
        told = _ask({"op": "derive", "document": signed, "pointers": [CLAIM]})
        yield f"theirs, {what}: we judge", _verdict(told.get("derived", {})) == wanted
        proof = signed.pop("proof")
        ours = _shown(signed, proof, ["/credentialSubject/packages"])
        yield f"theirs, {what}, derived by us: we judge", _verdict(ours) == wanted
        told = _ask({"op": "verify", "document": ours})
        yield f"theirs, {what}, derived by us: they accept", told.get("verified") is True
        other = json.loads(json.dumps(ours).replace("silk", "gold"))
        yield f"theirs, {what}, changed: we refuse", _verdict(other) == "bad_proof"
