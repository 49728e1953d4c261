"""The vectors of the W3C cryptosuites, step by step where they give the steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from zhidao.core.encoding import parse_base58btc
from zhidao.core.errors import ZhidaoError
from zhidao.core.keys import Algorithm, PublicKey, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trust.adapters.evidence.bundled_contexts import load_contexts
from zhidao.trust.wire.credentials.data_integrity import (
    check_proof,
    hash_data,
    secure,
    verify_proof,
)
from zhidao.trust.wire.identifiers.did import parse_key_method
from zhidao.trust.wire.linked_data.jsonld_context import ContextReader

NOW = Utc.parse("2026-11-24T12:00:00Z")
READER = ContextReader(load_contexts())
# Folder, how its files end, and the secret key that made the proof.
SUITES = (
    ("vc-di-eddsa/eddsa-jcs-2022", "JCS", "vc-di-eddsa/keyPair.json", "privateKeyMultibase"),
    ("vc-di-eddsa/eddsa-rdfc-2022", "DataInt", "vc-di-eddsa/keyPair.json", "privateKeyMultibase"),
    ("vc-di-ecdsa/ecdsa-jcs-2019-p256", "JCSECDSAP256", "vc-di-ecdsa/p256KeyPair.json", "secretKeyMultibase"),
    ("vc-di-ecdsa/ecdsa-rdfc-2019-p256", "ECDSAP256", "vc-di-ecdsa/p256KeyPair.json", "secretKeyMultibase"),
)  # fmt: skip


def key_of(method: str) -> PublicKey:
    return parse_key_method(method)[1]


def cases(folder: Path) -> Iterator[tuple[str, bool]]:
    """Each step of each vector: hashes, canonical texts, our signature, the verdicts."""
    for suite, ending, pair, secret in SUITES:
        for step, passed in _steps(folder, suite, ending, folder / pair, secret):
            yield f"{suite} {step}", passed
    yield from _proof_sets(folder / "vc-di-eddsa" / "proof-set-chain")


def _steps(
    folder: Path, suite: str, ending: str, pair: Path, secret: str
) -> Iterator[tuple[str, bool]]:
    here = folder / suite
    document = json.loads((here.parent / "unsigned.json").read_text())
    signed = json.loads((here / f"signed{ending}.json").read_text())
    configuration = json.loads((here / f"proofConfig{ending}.json").read_text())
    name = signed["proof"]["cryptosuite"]
    reader = READER if "rdfc" in name else None
    hashed = hash_data(document, configuration, reader=reader)
    for step, part in (
        ("proofHash", hashed[:32]),
        ("docHash", hashed[32:]),
        ("combinedHash", hashed),
    ):
        told = (here / f"{step}{ending}.txt").read_text().strip()
        yield step, part.hex() == told
    yield "verifies", _verdict(signed) == ""
    yield "refuses a change", _verdict({**signed, "name": "Another"}) == "bad_proof"
    scalar = parse_base58btc(json.loads(pair.read_text())[secret][1:])[2:]
    algorithm = Algorithm.ED25519 if "eddsa" in name else Algorithm.P256
    key = SoftwareKey(algorithm, scalar)
    ours = secure(
        document,
        signer=key,
        method=configuration["verificationMethod"],
        created=Utc.parse(configuration["created"]),
        suite=name,
        reader=READER,
    )
    # An ECDSA signature bears a random number, so only the rest of the proof is equal.
    value = ours["proof"].pop("proofValue")
    same_value = value == signed["proof"].pop("proofValue") or algorithm is Algorithm.P256
    yield "signs alike", ours == signed and same_value
    yield (
        "its own verifies",
        _verdict({**ours, "proof": {**ours["proof"], "proofValue": value}}) == "",
    )


def _proof_sets(folder: Path) -> Iterator[tuple[str, bool]]:
    for number in (1, 2):
        document = json.loads((folder / f"signedProofSet{number}.json").read_text())
        proofs = document.pop("proof")
        for place, proof in enumerate(proofs if isinstance(proofs, list) else [proofs]):
            method = check_proof(document, proof, key_of=key_of, now=NOW, reader=READER)
            yield f"proof set {number}, proof {place}", method == proof["verificationMethod"]


def _verdict(document: dict) -> str:
    try:
        verify_proof(document, key_of=key_of, now=NOW, reader=READER)
    except ZhidaoError as error:
        return error.code
    return ""


def test_every_step_of_every_vector(shared: Path) -> None:
    outcomes = dict(cases(shared / "trust"))
    assert len(outcomes) == 31
    assert [name for name, passed in outcomes.items() if not passed] == []


@pytest.mark.parametrize("suite", ["ecdsa-jcs-2019", "ecdsa-rdfc-2019"])
def test_p384_signs_with_its_own_digest(suite: str, shared: Path) -> None:
    pair = json.loads((shared / "trust" / "vc-di-ecdsa" / "p384KeyPair.json").read_text())
    key = SoftwareKey(Algorithm.P384, parse_base58btc(pair["secretKeyMultibase"][1:])[2:])
    assert key.public.multikey == pair["publicKeyMultibase"]
    document = json.loads((shared / "trust" / "vc-di-ecdsa" / "unsigned.json").read_text())
    made = secure(
        document,
        signer=key,
        method=f"did:key:{key.public.multikey}#{key.public.multikey}",
        created=NOW,
        suite=suite,
        reader=READER,
    )
    assert _verdict(made) == ""
    assert _verdict({**made, "name": "Another"}) == "bad_proof"
    reader = READER if "rdfc" in suite else None
    hashed = hash_data(document, {"type": "DataIntegrityProof", "@context": document["@context"]},
                       reader=reader, algorithm=Algorithm.P384)  # fmt: skip
    assert len(hashed) == 96
