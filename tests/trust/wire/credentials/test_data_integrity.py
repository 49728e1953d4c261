from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.encoding import parse_base58btc
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.keys import Algorithm, PublicKey, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trust.wire.credentials.data_integrity import hash_data, secure, verify_proof
from zhidao.trust.wire.identifiers.did import did_key, key_method, parse_key_method

KEY = SoftwareKey(Algorithm.ED25519, b"k" * 32)
NOW = Utc.parse("2026-11-24T12:00:00Z")
DOCUMENT = {"@context": ["https://www.w3.org/ns/credentials/v2"], "name": "x"}


def key_of(method: str) -> PublicKey:
    return parse_key_method(method)[1]


def secured() -> dict:
    return secure(DOCUMENT, signer=KEY, method=key_method(KEY.public), created=NOW)


def code_of(document: dict, now: Utc = NOW) -> str:
    try:
        verify_proof(document, key_of=key_of, now=now)
    except ZhidaoError as error:
        return error.code
    return ""


def test_a_secured_document_names_its_key() -> None:
    assert verify_proof(secured(), key_of=key_of, now=NOW) == key_method(KEY.public)


def test_the_document_inside_stays_as_it_was() -> None:
    assert {k: v for k, v in secured().items() if k != "proof"} == DOCUMENT


def _with_proof(**changes: object) -> dict:
    document = secured()
    return {**document, "proof": {**document["proof"], **changes}}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({**secured(), "name": "y"}, "bad_proof"),
        ({**secured(), "more": 1}, "bad_proof"),
        ({**secured(), "@context": ["https://other.example"]}, "bad_proof"),
        (_with_proof(surprise=1), "unknown_proof_field"),
        (_with_proof(previousProof="urn:x"), "unknown_proof_field"),
        (_with_proof(cryptosuite="eddsa-rdfc-2022"), "unknown_suite"),
        (_with_proof(proofPurpose="authentication"), "bad_proof"),
        (_with_proof(created="2026-11-24T11:00:00Z"), "bad_proof"),
        (_with_proof(proofValue="z1"), "bad_proof"),
        (_with_proof(proofValue="m" + "1" * 64), "bad_proof"),
        (_with_proof(proofValue=7), "bad_proof"),
        (
            _with_proof(
                verificationMethod=key_method(SoftwareKey(Algorithm.ED25519, b"o" * 32).public)
            ),
            "bad_proof",
        ),
        (DOCUMENT, "bad_proof"),
        ({**DOCUMENT, "proof": [secured()["proof"]]}, "bad_proof"),
    ],
)
def test_a_changed_document_or_proof_is_refused_with_its_reason(document: dict, code: str) -> None:
    assert code_of(document) == code


def test_a_context_added_behind_the_signed_one_is_left_to_the_reader_of_contexts() -> None:
    longer = {**secured(), "@context": [*DOCUMENT["@context"], "https://more.example"]}
    assert code_of(longer) == ""


def test_a_proof_of_tomorrow_does_not_count_today() -> None:
    assert code_of(secured(), now=NOW.plus_ns(-1)) == "not_yet_valid"


def test_an_expired_proof_is_refused() -> None:
    configuration = {k: v for k, v in secured()["proof"].items() if k != "proofValue"}
    configuration["expires"] = "2026-11-25T00:00:00Z"
    from zhidao.core.encoding import base58btc

    value = "z" + base58btc(KEY.sign(hash_data(DOCUMENT, configuration)))
    document = {**DOCUMENT, "proof": {**configuration, "proofValue": value}}
    assert code_of(document) == ""
    assert code_of(document, now=Utc.parse("2026-11-25T00:00:00.1Z")) == "expired"


def test_only_ed25519_keys_sign_with_this_suite() -> None:
    other = SoftwareKey(Algorithm.P256, b"k" * 32)
    with pytest.raises(Refused) as refusal:
        secure(DOCUMENT, signer=other, method=key_method(other.public), created=NOW)
    assert refusal.value.code == "unknown_algorithm"


@given(
    st.dictionaries(
        st.sampled_from(
            ["type", "cryptosuite", "created", "proofValue", "@context", "verificationMethod"]
        ),
        st.none() | st.integers() | st.text(max_size=9) | st.lists(st.text(max_size=3)),
    )
)
def test_any_proof_fields_are_refused_by_name(changes: dict) -> None:
    document = _with_proof(**changes)
    if document != secured():
        with contextlib.suppress(MalformedInput, Refused):
            verify_proof(document, key_of=key_of, now=NOW)
            assert set(changes) <= {"@context"}


def _hex(path: Path) -> bytes:
    return bytes.fromhex(path.read_text().strip())


# w3c/vc-di-eddsa abb673eb, TestVectors/eddsa-jcs-2022.
def test_the_vector_of_the_specification_is_reproduced_byte_for_byte(shared: Path) -> None:
    folder = shared / "trust" / "vc-di-eddsa"
    suite = folder / "eddsa-jcs-2022"
    pair = json.loads((folder / "keyPair.json").read_text())
    # Multicodec 0x1300 marks an Ed25519 private key.
    secret = parse_base58btc(pair["privateKeyMultibase"][1:])[2:]
    signer = SoftwareKey(Algorithm.ED25519, secret)
    expected = json.loads((suite / "signedJCS.json").read_text())
    unsigned = json.loads((folder / "unsigned.json").read_text())
    configuration = json.loads((suite / "proofConfigJCS.json").read_text())

    assert signer.public.multikey == pair["publicKeyMultibase"]
    assert hash_data(unsigned, configuration) == _hex(suite / "combinedHashJCS.txt")
    made = secure(
        unsigned,
        signer=signer,
        method=configuration["verificationMethod"],
        created=Utc.parse(configuration["created"]),
    )
    assert made == expected
    assert verify_proof(expected, key_of=key_of, now=NOW) == key_method(signer.public)
    assert code_of({**expected, "name": "Another"}) == "bad_proof"


def test_a_did_key_is_its_key() -> None:
    assert parse_key_method(key_method(KEY.public)) == (did_key(KEY.public), KEY.public)


@given(st.text() | st.text().map(lambda t: f"did:key:{t}#{t}"))
def test_any_text_is_a_method_or_malformed(text: str) -> None:
    with contextlib.suppress(MalformedInput):
        did, key = parse_key_method(text)
        assert key_method(key) == text
        assert did == did_key(key)
