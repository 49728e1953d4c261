"""Attacks on credentials: each is refused with exactly its reason, and none is accepted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from zhidao.core.canonical import jcs
from zhidao.core.encoding import base58btc, base64url
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trust.adapters.evidence.bundled_contexts import load_contexts
from zhidao.trust.service.credentials.external_evidence import Fetched, Gathered
from zhidao.trust.service.credentials.verification import CredentialVerifier, Expectation
from zhidao.trust.wire.credentials import sd_jwt
from zhidao.trust.wire.credentials.data_integrity import secure
from zhidao.trust.wire.credentials.selective_disclosure import derive, sign_base
from zhidao.trust.wire.credentials.status_list import encode_list
from zhidao.trust.wire.identifiers.did import did_key, did_web, key_method, web_document
from zhidao.trust.wire.linked_data.jsonld_context import ContextReader

V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
NOW = Utc.parse("2026-11-24T12:00:00Z")
KEY = SoftwareKey(Algorithm.ED25519, b"k" * 32)
P256 = SoftwareKey(Algorithm.P256, b"k" * 32)
OTHER = SoftwareKey(Algorithm.ED25519, b"o" * 32)
READER = ContextReader(load_contexts())
VERIFIER = CredentialVerifier(load_contexts())
LIST = "https://issuer.example/status/1"


def credential(key: SoftwareKey = KEY, **fields: Any) -> dict[str, Any]:
    return {
        "@context": [V2, EXAMPLES],
        "id": "urn:uuid:0193a5a0-0000-7000-8000-000000000001",
        "type": ["VerifiableCredential", "OriginCredential"],
        "issuer": did_key(key.public),
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:s", "goods": "tea"},
    } | fields


def signed(suite: str = "eddsa-jcs-2022", key: SoftwareKey | None = None, **fields: Any) -> dict:
    key = key or (P256 if suite.startswith("ecdsa") else KEY)
    return secure(
        credential(key, **fields),
        signer=key,
        method=key_method(key.public),
        created=Utc.parse("2026-02-01T00:00:00Z"),
        suite=suite,
        reader=READER,
    )


def status(index: object = 7, **fields: Any) -> dict[str, Any]:
    return {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": str(index),
        "statusListCredential": LIST,
    } | fields


def listed(*bits: int, key: SoftwareKey = KEY, subject: dict | None = None, **fields: Any) -> dict:
    told = {
        "id": LIST + "#list",
        "type": "BitstringStatusList",
        "statusPurpose": "revocation",
        "encodedList": encode_list(bits),
    } | (subject or {})
    document = credential(
        key,
        **{
            "@context": [V2],
            "id": LIST,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "credentialSubject": told,
        }
        | fields,
    )
    return secure(document, signer=key, method=key_method(key.public), created=NOW)


def with_list(document: dict, at: str = "2026-11-24T11:30:00Z") -> Gathered:
    return Gathered(lists={LIST: Fetched(jcs(document), Utc.parse(at))})


def changed(document: dict, **fields: Any) -> dict:
    return {**document, **fields}


def proof_changed(document: dict, **fields: Any) -> dict:
    return {**document, "proof": {**document["proof"], **fields}}


def without(document: dict, name: str) -> dict:
    return {key: value for key, value in document.items() if key != name}


def code(data: dict | bytes, evidence: Gathered | None = None, expected: Any = None) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return VERIFIER.verify(raw, NOW, evidence=evidence, expected=expected).code


GOOD = signed()
RDF = signed("eddsa-rdfc-2022")
EC = signed("ecdsa-rdfc-2019")
REVOCABLE = signed(credentialStatus=status())
WEB = did_web("issuer.example")
BY_WEB = secure(
    credential(KEY, issuer=WEB),
    signer=KEY,
    method=f"{WEB}#{KEY.public.multikey}",
    created=Utc.parse("2026-02-01T00:00:00Z"),
)
WEB_DOCUMENT = web_document("issuer.example", [KEY.public])


def text(document: dict) -> bytes:
    return json.dumps(document).encode()


def twice() -> bytes:
    return text(GOOD)[:-1] + b',"issuer":"did:example:other"}'


def swapped_context() -> dict:
    return changed(
        RDF, **{"@context": [V2, "https://www.w3.org/ns/credentials/undefined-terms/v2"]}
    )


def short_list() -> dict:
    import gzip

    return listed(subject={"encodedList": "u" + base64url(gzip.compress(bytes(100), mtime=0))})


def bomb() -> dict:
    import gzip

    packed = gzip.compress(bytes(1 << 25), mtime=0)
    return listed(subject={"encodedList": "u" + base64url(packed)})


# What is tried, the file, the reason code; then the evidence that is at hand, if any.
CASES: list[tuple[str, Callable[[], dict | bytes], str, Gathered | None]] = [
    ("a good one, to show that the table can fail", lambda: GOOD, "ok", None),
    ("a good one over RDF", lambda: RDF, "ok", None),
    ("a good one by ECDSA", lambda: EC, "ok", None),
    ("a good one with a status", lambda: REVOCABLE, "ok", with_list(listed(6, 8))),
    ("a good one by did:web", lambda: BY_WEB, "ok", Gathered(documents={WEB: WEB_DOCUMENT})),
    ("a key twice in an object", twice, "duplicate_key", None),
    ("not a number", lambda: text(GOOD).replace(b'"tea"', b"NaN"), "non_finite", None),
    ("an infinite number", lambda: text(GOOD).replace(b'"tea"', b"1e999"), "non_finite", None),
    ("a number that readers round", lambda: text(GOOD).replace(b'"tea"', b"9007199254740993"),
     "unsafe_integer", None),
    ("a lone surrogate", lambda: text(GOOD).replace(b'"tea"', b'"\\ud800"'), "lone_surrogate", None),
    ("a byte-order mark", lambda: b"\xef\xbb\xbf" + text(GOOD), "malformed_input", None),
    ("bytes behind the document", lambda: text(GOOD) + b"{}", "malformed_input", None),
    ("nesting without end", lambda: b"[" * 100_000, "malformed_input", None),
    ("a list instead of a document", lambda: b"[]", "malformed_credential", None),
    ("another value", lambda: changed(GOOD, credentialSubject={"goods": "gold"}), "bad_proof", None),
    ("another value over RDF", lambda: changed(RDF, credentialSubject={"goods": "gold"}),
     "bad_proof", None),
    ("a text in another normal form", lambda: changed(signed(name="\u00e9"), name="e\u0301"),
     "bad_proof", None),
    ("a number spelt as text", lambda: changed(signed(credentialSubject={"n": 1}),
     credentialSubject={"n": "1"}), "bad_proof", None),
    ("a later end", lambda: changed(signed(validUntil="2026-03-01T00:00:00Z"),
     validUntil="2027-03-01T00:00:00Z"), "bad_proof", None),
    ("an end taken away", lambda: without(signed(validUntil="2026-03-01T00:00:00Z"), "validUntil"),
     "bad_proof", None),
    ("a status taken away", lambda: without(REVOCABLE, "credentialStatus"), "bad_proof", None),
    ("a status at another index", lambda: changed(REVOCABLE, credentialStatus=status(9)),
     "bad_proof", with_list(listed(7))),
    ("another type", lambda: changed(GOOD, type=["VerifiableCredential", "Invoice"]), "bad_proof",
     None),
    ("another issuer", lambda: changed(GOOD, issuer=did_key(OTHER.public)), "bad_proof", None),
    ("an issuer whose key did not sign", lambda: secure(
        credential(KEY), signer=OTHER, method=key_method(OTHER.public), created=NOW),
     "issuer_mismatch", None),
    ("a key that is named but did not sign", lambda: secure(
        credential(KEY), signer=OTHER, method=key_method(KEY.public), created=NOW),
     "bad_proof", None),
    ("no proof", lambda: without(GOOD, "proof"), "bad_proof", None),
    ("an empty list of proofs", lambda: changed(GOOD, proof=[]), "malformed_credential", None),
    ("a good proof and a bad one", lambda: changed(GOOD, proof=[GOOD["proof"],
     {**GOOD["proof"], "proofValue": "z" + base58btc(b"\1" * 64)}]), "bad_proof", None),
    ("a proof moved inside a claim", lambda: changed(without(GOOD, "proof"),
     credentialSubject={"proof": GOOD["proof"]}), "bad_proof", None),
    ("a signature of another length", lambda: proof_changed(GOOD, proofValue="z11"), "bad_proof",
     None),
    ("a signature in another alphabet", lambda: proof_changed(
        GOOD, proofValue="u" + base64url(b"\1" * 64)), "bad_proof", None),
    ("another proof purpose", lambda: proof_changed(GOOD, proofPurpose="authentication"),
     "bad_proof", None),
    ("an unknown field of a proof", lambda: proof_changed(GOOD, domain="x"),
     "unknown_proof_field", None),
    ("a chain of proofs", lambda: proof_changed(GOOD, previousProof="urn:x"),
     "unknown_proof_field", None),
    ("the suite of another form", lambda: proof_changed(GOOD, cryptosuite="eddsa-rdfc-2022"),
     "bad_proof", None),
    ("the suite of another key", lambda: proof_changed(GOOD, cryptosuite="ecdsa-jcs-2019"),
     "bad_proof", None),
    ("a suite that nobody here knows", lambda: proof_changed(GOOD, cryptosuite="bbs-2023"),
     "unknown_suite", None),
    ("a proof of an old kind", lambda: proof_changed(GOOD, type="Ed25519Signature2018"),
     "unknown_suite", None),
    ("a proof of tomorrow", lambda: secure(credential(), signer=KEY, method=key_method(KEY.public),
     created=Utc.parse("2027-01-01T00:00:00Z")), "not_yet_valid", None),
    ("a proof context longer than the document's", lambda: proof_changed(
        GOOD, **{"@context": [V2, EXAMPLES, "https://more.example"]}), "bad_proof", None),
    ("a context that nobody pinned", lambda: changed(RDF, **{"@context": [V2, "https://evil.example"]}),
     "unknown_context", None),
    ("contexts swapped behind the signature", swapped_context, "bad_proof", None),
    ("a protected term given another meaning", lambda: changed(
        RDF, **{"@context": [V2, EXAMPLES, {"name": "urn:other"}]}), "protected_term", None),
    ("a context within a document signed as JSON", lambda: signed(
        **{"@context": [V2, EXAMPLES, {"goods": "urn:goods"}]}), "unknown_context", None),
    ("contexts in another order", lambda: changed(RDF, **{"@context": [EXAMPLES, V2]}),
     "malformed_credential", None),
    ("a type without meaning", lambda: changed(RDF, **{"@context": [V2]}), "unmapped_term", None),
    ("a claim without meaning", lambda: changed(RDF, **{"@context": [V2],
     "type": ["VerifiableCredential"]}), "unmapped_term", None),
    ("a relative identifier", lambda: changed(RDF, credentialSubject={"id": "s"}),
     "malformed_credential", None),
    ("expired", lambda: signed(validUntil="2026-11-24T11:59:59Z"), "expired", None),
    ("not valid yet", lambda: signed(validFrom="2026-11-24T12:00:01Z"), "not_yet_valid", None),
    ("an end before its start", lambda: changed(GOOD, validUntil="2020-01-01T00:00:00Z"),
     "malformed_credential", None),
    ("revoked", lambda: REVOCABLE, "revoked", with_list(listed(7))),
    ("suspended", lambda: signed(credentialStatus=status(statusPurpose="suspension")), "suspended",
     with_list(listed(7, subject={"statusPurpose": "suspension"}))),
    ("one of two statuses is set", lambda: signed(credentialStatus=[status(1), status(7)]),
     "revoked", with_list(listed(7))),
    ("a status list that cannot be reached", lambda: REVOCABLE, "status_unavailable", None),
    ("a status list of another purpose", lambda: REVOCABLE, "bad_status_list",
     with_list(listed(subject={"statusPurpose": "suspension"}))),
    ("a status list by somebody else", lambda: REVOCABLE, "bad_status_list",
     with_list(listed(key=OTHER))),
    ("a status list of another name", lambda: REVOCABLE, "bad_status_list",
     with_list(listed(id="https://issuer.example/status/2"))),
    ("a status list that was changed", lambda: REVOCABLE, "bad_status_list",
     with_list(changed(listed(), name="x"))),
    ("a status list that is no list", lambda: REVOCABLE, "bad_status_list", with_list(GOOD)),
    ("a status list past its end", lambda: REVOCABLE, "status_stale",
     with_list(listed(validUntil="2026-11-24T11:00:00Z"))),
    ("a status list read too long ago", lambda: REVOCABLE, "status_stale",
     with_list(listed(), at="2026-11-24T10:59:00Z")),
    ("an index beyond the list", lambda: signed(credentialStatus=status(131_072)),
     "bad_status_list", with_list(listed())),
    ("a list too short to hide in", lambda: REVOCABLE, "malformed_credential",
     with_list(short_list())),
    ("a list that expands without end", lambda: REVOCABLE, "malformed_credential",
     with_list(bomb())),
    ("a status of an unknown type", lambda: signed(credentialStatus={"id": "urn:s", "type": "X"}),
     "unsupported_status", None),
    ("a status of two bits", lambda: signed(credentialStatus=status(statusSize=2)),
     "unsupported_status", None),
    ("an index that two readers read differently", lambda: signed(credentialStatus=status("07")),
     "malformed_credential", None),
    ("a did:web that cannot be reached", lambda: BY_WEB, "did_unavailable", None),
    ("a did:web document of another", lambda: BY_WEB, "unknown_key",
     Gathered(documents={WEB: web_document("evil.example", [KEY.public])})),
    ("a did:web key that was rotated away", lambda: BY_WEB, "unknown_key",
     Gathered(documents={WEB: web_document("issuer.example", [OTHER.public])})),
    ("a did:web key not for assertions", lambda: BY_WEB, "unknown_key",
     Gathered(documents={WEB: {**WEB_DOCUMENT, "assertionMethod": []}})),
    ("a did:web key of another controller", lambda: BY_WEB, "unknown_key",
     Gathered(documents={WEB: {**WEB_DOCUMENT, "verificationMethod": [
         {**WEB_DOCUMENT["verificationMethod"][0], "controller": "did:web:evil.example"}]}})),
    ("a did:web key with an end", lambda: BY_WEB, "key_revoked",
     Gathered(documents={WEB: {**WEB_DOCUMENT, "verificationMethod": [
         {**WEB_DOCUMENT["verificationMethod"][0], "revoked": "2026-01-01T00:00:00Z"}]}})),
    ("a DID that was given up", lambda: BY_WEB, "did_deactivated",
     Gathered(documents={WEB: WEB_DOCUMENT}, deactivated=frozenset({WEB}))),
    ("a deactivated DID", lambda: BY_WEB, "did_deactivated",
     Gathered(documents={WEB: {**WEB_DOCUMENT, "deactivated": True}})),
    ("a did:key whose fragment is another key", lambda: proof_changed(
        GOOD, verificationMethod=f"{did_key(KEY.public)}#{OTHER.public.multikey}"),
     "unknown_key", None),
    ("a DID method that nobody here knows", lambda: proof_changed(
        GOOD, verificationMethod="did:example:1#k"), "unknown_key", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "make", "reason", "evidence"), CASES, ids=[case[0] for case in CASES]
)
def test_each_attack_meets_its_reason(
    what: str, make: Callable, reason: str, evidence: Gathered | None
) -> None:
    del what
    assert code(make(), evidence) == reason


def test_an_issuer_other_than_the_expected_one_is_refused() -> None:
    assert code(GOOD, expected=Expectation(frozenset({did_key(KEY.public)}))) == "ok"
    assert code(GOOD, expected=Expectation(frozenset({did_key(OTHER.public)}))) == "wrong_issuer"


def test_a_base_proof_is_no_credential_to_show() -> None:
    configuration = {
        "type": "DataIntegrityProof",
        "cryptosuite": "ecdsa-sd-2023",
        "created": "2026-02-01T00:00:00Z",
        "verificationMethod": key_method(P256.public),
        "proofPurpose": "assertionMethod",
    }
    document = credential(P256)
    value = sign_base(
        document,
        {**configuration, "@context": document["@context"]},
        pointers=["/issuer", "/validFrom"],
        signer=P256,
        statement_key=SoftwareKey(Algorithm.P256, b"s" * 32),
        hmac_key=b"h" * 32,
        reader=READER,
    )
    base = {**document, "proof": {**configuration, "proofValue": value}}
    assert code(base) == "base_proof"
    part, shown = derive(document, value, pointers=["/credentialSubject/goods"], reader=READER)
    assert code({**part, "proof": {**configuration, "proofValue": shown}}) == "ok"
    assert "h" * 32 not in shown


CLAIMS = {"iss": did_key(KEY.public), "vct": "urn:origin", "goods": "tea", "exp": 1_800_000_000}
SALT = base64url(b"s" * 16)
TOKEN = sd_jwt.issue(CLAIMS, hidden={"goods": SALT}, signer=KEY, key_id=key_method(KEY.public))


def token(header: dict, claims: dict, key: SoftwareKey = KEY) -> str:
    return sd_jwt._signed(header, claims, key) + "~"


HEADER = {"alg": "EdDSA", "typ": "dc+sd-jwt", "kid": key_method(KEY.public)}
HOLDER = SoftwareKey(Algorithm.ED25519, b"h" * 32)
BOUND = {
    **CLAIMS,
    "cnf": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": base64url(HOLDER.public.raw)}},
}


def presented(key: SoftwareKey = HOLDER, **fields: Any) -> str:
    bound = sd_jwt.issue(BOUND, hidden={"goods": SALT}, signer=KEY, key_id=key_method(KEY.public))
    told = {"names": ["goods"], "audience": "bank", "nonce": "n", "issued_at_s": 1_790_000_000}
    return sd_jwt.present(bound, holder=key, **{**told, **fields})


TOKENS: list[tuple[str, Callable[[], str], str]] = [
    ("a good one", lambda: TOKEN, "ok"),
    ("a good one that hides", lambda: TOKEN.split("~")[0] + "~", "ok"),
    ("a good one by its holder", presented, "ok"),
    ("no algorithm", lambda: token({**HEADER, "alg": "none"}, CLAIMS), "unknown_algorithm"),
    ("a shared secret", lambda: token({**HEADER, "alg": "HS256"}, CLAIMS), "unknown_algorithm"),
    ("an algorithm of another key", lambda: token({**HEADER, "alg": "ES256"}, CLAIMS), "bad_proof"),
    ("a key of its own", lambda: token({**HEADER, "jwk": {}}, CLAIMS), "bad_token"),
    ("an extension that must be known", lambda: token({**HEADER, "crit": ["x"]}, CLAIMS),
     "bad_token"),
    ("another type", lambda: token({**HEADER, "typ": "JWT"}, CLAIMS), "bad_token"),
    ("signed by another", lambda: token(HEADER, CLAIMS, OTHER), "bad_proof"),
    ("the key of another issuer", lambda: token({**HEADER, "kid": key_method(OTHER.public)}, CLAIMS,
     OTHER), "issuer_mismatch"),
    ("expired", lambda: token(HEADER, {**CLAIMS, "exp": 1_700_000_000}), "expired"),
    ("not valid yet", lambda: token(HEADER, {**CLAIMS, "nbf": 1_900_000_000}), "not_yet_valid"),
    ("a claim that was never there", lambda: TOKEN + base64url(jcs([SALT, "price", 1])) + "~",
     "bad_proof"),
    ("a claim shown twice", lambda: TOKEN + TOKEN.split("~")[1] + "~", "bad_token"),
    ("an expiry hidden away", lambda: token(HEADER, {
        **{k: v for k, v in CLAIMS.items() if k != "exp"},
        "_sd": [sd_jwt._digest(base64url(jcs([SALT, "exp", 1_900_000_000])))]})
     + base64url(jcs([SALT, "exp", 1_900_000_000])) + "~", "bad_token"),
    ("a claim that hides another", lambda: token(HEADER, {
        **CLAIMS, "_sd": [sd_jwt._digest(base64url(jcs([SALT, "goods", "gold"])))]})
     + base64url(jcs([SALT, "goods", "gold"])) + "~", "bad_token"),
    ("a status that cannot be read here", lambda: token(HEADER, {**CLAIMS, "status": {}}),
     "unsupported_status"),
    ("no type of credential", lambda: token(HEADER, {k: v for k, v in CLAIMS.items() if k != "vct"}),
     "bad_token"),
    ("the holder's word by a thief", lambda: presented(OTHER), "bad_key_binding"),
    ("the holder's word of tomorrow", lambda: presented(issued_at_s=1_900_000_000),
     "bad_key_binding"),
    ("a claim taken away behind the holder", lambda: "~".join(
        [presented().split("~")[0], presented().split("~")[2]]), "bad_key_binding"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "make", "reason"), TOKENS, ids=[case[0] for case in TOKENS])
def test_each_attack_on_a_token_meets_its_reason(
    what: str, make: Callable[[], str], reason: str
) -> None:
    del what
    assert code(make().encode()) == reason


def test_a_presentation_to_somebody_else_or_of_another_day_is_refused() -> None:
    for audience, nonce, reason in (
        ("bank", "n", "ok"),
        ("other", "n", "bad_key_binding"),
        ("bank", "old", "bad_key_binding"),
    ):
        expected = Expectation(audience=audience, nonce=nonce)
        assert code(presented().encode(), expected=expected) == reason
    expected = Expectation(audience="bank", nonce="n")
    assert code(TOKEN.encode(), expected=expected) == "bad_key_binding"


def test_the_tables_are_as_long_as_promised() -> None:
    assert sum(1 for case in CASES if case[2] != "ok") + len(TOKENS) >= 60


def test_no_verdict_shows_a_secret() -> None:
    verdict = VERIFIER.verify(text(proof_changed(GOOD, proofValue="z11")), NOW)
    assert KEY.secret.hex() not in verdict.sentence
    assert base58btc(KEY.secret) not in verdict.sentence
