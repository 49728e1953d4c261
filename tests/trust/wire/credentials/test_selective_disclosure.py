from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.encoding import base64url, parse_base58btc, parse_base64url
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.keys import Algorithm, PublicKey, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trust.adapters.evidence.bundled_contexts import load_contexts
from zhidao.trust.wire.credentials.data_integrity import configure, verify_proof
from zhidao.trust.wire.credentials.selective_disclosure import (
    SUITE,
    _Grouped,
    _signed_data,
    derive,
    sign_base,
)
from zhidao.trust.wire.identifiers.did import did_key, key_method, parse_key_method
from zhidao.trust.wire.linked_data import cbor
from zhidao.trust.wire.linked_data.json_pointer import parse_pointer
from zhidao.trust.wire.linked_data.jsonld import to_quads
from zhidao.trust.wire.linked_data.jsonld_context import ContextReader
from zhidao.trust.wire.linked_data.rdf_canonical import canonical_statements

KEY = SoftwareKey(Algorithm.P256, b"k" * 32)
NOW = Utc.parse("2026-11-24T12:00:00Z")
READER = ContextReader(load_contexts())
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
DOCUMENT = {
    "@context": ["https://www.w3.org/ns/credentials/v2", EXAMPLES],
    "id": "urn:uuid:0193a5a0-0000-7000-8000-000000000001",
    "type": ["VerifiableCredential", "PackingList"],
    "issuer": did_key(KEY.public),
    "validFrom": "2026-01-01T00:00:00Z",
    "credentialSubject": {
        "consignee": {"name": "A", "street": "secret 1"},
        "packages": [
            {"mark": "a", "weight": 1},
            {"mark": "b", "weight": 2, "seals": [{"n": 1}, {"n": 2}]},
        ],
    },
}


def base() -> dict[str, Any]:
    configuration = configure(DOCUMENT, suite=SUITE, method=key_method(KEY.public), created=NOW)
    value = sign_base(
        DOCUMENT,
        configuration,
        pointers=["/issuer", "/validFrom"],
        signer=KEY,
        statement_key=SoftwareKey(Algorithm.P256, b"s" * 32),
        hmac_key=b"h" * 32,
        reader=READER,
    )
    del configuration["@context"]
    return {**DOCUMENT, "proof": {**configuration, "proofValue": value}}


BASE = base()


def shown(*pointers: str) -> dict[str, Any]:
    document, value = derive(
        DOCUMENT, BASE["proof"]["proofValue"], pointers=pointers, reader=READER
    )
    return {**document, "proof": {**BASE["proof"], "proofValue": value}}


def code_of(document: dict) -> str:
    try:
        verify_proof(document, key_of=lambda m: parse_key_method(m)[1], now=NOW, reader=READER)
    except ZhidaoError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    "pointers",
    [
        (),
        ("/credentialSubject/packages/1/mark",),
        ("/credentialSubject/packages/1/seals/0", "/credentialSubject/packages/1/seals"),
        ("/credentialSubject/packages/1/seals", "/credentialSubject/packages/0/weight"),
        ("/credentialSubject/consignee/name", "/credentialSubject/consignee"),
        ("/credentialSubject",),
        ("",),
    ],
)
def test_a_part_verifies_and_shows_nothing_else(pointers: tuple[str, ...]) -> None:
    part = shown(*pointers)
    assert code_of(part) == ""
    hidden = not any("consignee" in p or p in ("", "/credentialSubject") for p in pointers)
    assert ("secret 1" in json.dumps(part)) is not hidden


def test_a_base_proof_is_refused_since_it_is_the_holders() -> None:
    assert code_of(BASE) == "base_proof"


def test_a_pointer_that_chooses_nothing_is_refused() -> None:
    for pointer in ("/nothing", "/credentialSubject/packages/2", "/credentialSubject/packages/01",
                    "/issuer/id", "/credentialSubject/packages/x"):  # fmt: skip
        with pytest.raises(Refused) as refusal:
            shown(pointer)
        assert refusal.value.code == "no_such_part"
    with pytest.raises(MalformedInput):
        shown("no-slash")


def _parts(document: dict) -> list:
    return cbor.decode(parse_base64url(document["proof"]["proofValue"][1:])[3:])


def _rebuilt(document: dict, parts: list) -> dict:
    value = "u" + base64url(bytes.fromhex("d95d01") + cbor.encode(parts))
    return {**document, "proof": {**document["proof"], "proofValue": value}}


def _mutations() -> list[tuple[str, dict]]:
    good = shown("/credentialSubject/packages/1/mark")
    subject = good["credentialSubject"]
    parts = _parts(good)
    signature, key, signatures, labels, mandatory = parts
    first = min(labels)
    return [
        ("a value", {**good, "credentialSubject": json.loads(
            json.dumps(subject).replace('"b"', '"c"'))}),
        ("a date", {**good, "validFrom": "2027-01-01T00:00:00Z"}),
        ("an issuer", {**good, "issuer": did_key(SoftwareKey(Algorithm.P256, b"o" * 32).public)}),
        ("a type", {**good, "type": ["VerifiableCredential", "Invoice"]}),
        ("a field more", {**good, "name": "x"}),
        ("a field less", {k: v for k, v in good.items() if k != "validFrom"}),
        ("base signature", _rebuilt(good, [b"\1" * 64, *parts[1:]])),
        ("another key", _rebuilt(good, [signature, key[:2] + KEY.public.raw, *parts[2:]])),
        ("a signature twice", _rebuilt(good, [signature, key, signatures * 2, *parts[3:]])),
        ("a signature less", _rebuilt(good, [signature, key, signatures[1:], labels, mandatory])),
        ("swapped", _rebuilt(good, [signature, key, signatures[::-1], labels, mandatory])),
        ("a label", _rebuilt(good, [*parts[:3], {**labels, first: b"x" * 32}, mandatory])),
        ("no labels", _rebuilt(good, [*parts[:3], {}, mandatory])),
        ("an index less", _rebuilt(good, [*parts[:4], mandatory[1:]])),
        ("an index twice", _rebuilt(good, [*parts[:4], [*mandatory, mandatory[0]]])),
        ("an index beyond", _rebuilt(good, [*parts[:4], [*mandatory, 999]])),
        ("four parts", _rebuilt(good, parts[:4])),
        ("a text", _rebuilt(good, ["x", *parts[1:]])),
        ("created", {**good, "proof": {**good["proof"], "created": "2026-11-24T11:00:00Z"}}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "document"), _mutations(), ids=lambda v: v if isinstance(v, str) else ""
)
def test_any_change_to_a_part_or_its_proof_is_refused(what: str, document: dict) -> None:
    del what
    assert code_of(document) == "bad_proof"


@given(st.binary(max_size=40))
def test_any_proof_value_is_refused_by_name(data: bytes) -> None:
    value = "u" + base64url(bytes.fromhex("d95d01") + data)
    good = {**DOCUMENT, "proof": {**BASE["proof"], "proofValue": value}}
    assert code_of(good) == "bad_proof"


@given(st.text(max_size=12))
def test_any_text_is_a_pointer_or_malformed(text: str) -> None:
    with contextlib.suppress(MalformedInput):
        steps = parse_pointer(text)
        again = "".join("/" + s.replace("~", "~0").replace("/", "~1") for s in steps)
        assert again == text


# The terms of the citizenship vocabulary as the statements of the vectors use them: the signatures
# hold only if each of them is right.
_C = "https://w3id.org/citizenship#"
_S = "https://schema.org/"
_DATE = {"@type": "http://www.w3.org/2001/XMLSchema#dateTime"}
CITIZENSHIP = {
    "@protected": True,
    **{name: _C + name for name in (
        "EmploymentAuthorizationDocumentCredential", "EmployablePerson", "birthCountry",
        "EmploymentAuthorizationDocument", "lprCategory", "lprNumber",
        "employmentAuthorizationDocument")},
    **{name: _S + name for name in (
        "Person", "givenName", "additionalName", "familyName", "gender", "identifier")},
    "image": {"@id": _S + "image", "@type": "@id"},
    "birthDate": {"@id": _S + "birthDate", **_DATE},
    "residentSince": {"@id": _C + "residentSince", **_DATE},
}  # fmt: skip


def _secret(multikey: str) -> bytes:
    return parse_base58btc(multikey[1:])[2:]


# w3c/vc-di-ecdsa 00781de5, TestVectors/ecdsa-sd-2023/employ.
def test_the_vector_of_the_specification_step_by_step(shared: Path) -> None:
    folder = shared / "trust" / "vc-di-ecdsa"
    suite = folder / "ecdsa-sd-2023"
    steps = {file.stem: json.loads(file.read_text()) for file in (suite / "employ").glob("*.json")}
    keys = json.loads((suite / "SDKeyMaterial.json").read_text())
    document = json.loads((folder / "employmentAuth.json").read_text())
    contexts = {**load_contexts(), "https://w3id.org/citizenship/v4rc1": CITIZENSHIP}
    reader = ContextReader(contexts)
    hmac_key = bytes.fromhex(keys["hmacKeyString"])
    mandatory = json.loads((folder / "employMandatory.json").read_text())
    selective = json.loads((folder / "employSelective.json").read_text())

    assert canonical_statements(to_quads(document, reader)) == steps["addBaseDocCanon"]
    grouped = _Grouped(document, hmac_key, reader)
    assert grouped.lines == steps["addBaseDocHMACCanon"]
    chosen = [line for _, line in steps["addBaseTransform"]["mandatory"]["value"]]
    assert list(grouped.chosen(mandatory)) == chosen

    signed = steps["addSignedSDBase"]
    proof = signed.pop("proof")
    own = parse_base58btc(keys["proofKeyPair"]["publicKeyMultibase"][1:])
    configuration = {k: v for k, v in proof.items() if k != "proofValue"}
    configuration["@context"] = document["@context"]
    data = _signed_data(configuration, own, grouped.chosen(mandatory), reader)
    told = steps["addHashData"]
    assert data == bytes.fromhex(told["proofHash"]) + own + bytes.fromhex(told["mandatoryHash"])
    issuer = PublicKey.from_multikey(keys["baseKeyPair"]["publicKeyMultibase"])
    assert (
        SoftwareKey(Algorithm.P256, _secret(keys["baseKeyPair"]["secretKeyMultibase"])).public
        == issuer
    )

    part, value = derive(document, proof["proofValue"], pointers=selective, reader=reader)
    whole = {**part, "proof": {**proof, "proofValue": value}}
    assert part == steps["derivedUnsignedReveal"]
    assert whole == steps["derivedRevealDocument"]
    verify_proof(whole, key_of=lambda m: issuer, now=NOW, reader=reader)
    for name, text in (("validUntil", "2039-12-03T00:00:00Z"), ("name", "x")):
        with pytest.raises(Refused):
            verify_proof({**whole, name: text}, key_of=lambda m: issuer, now=NOW, reader=reader)
