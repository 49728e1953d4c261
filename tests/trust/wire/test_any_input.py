"""Readers of the trust room on spoiled and on any input, and what was written read again."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from tests.spoiling import BOUNDED, json_values, spoiled, with_another_value

from zhidao.core.canonical import jcs
from zhidao.core.encoding import base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, PublicKey, SoftwareKey
from zhidao.trust.domain.evm import Address, Block, LogEntry, Transaction
from zhidao.trust.domain.fraud import FraudKind, FraudProof, SignedHead
from zhidao.trust.domain.note import Checkpoint, Cosigner, NoteKey, sign_note
from zhidao.trust.domain.title_state import TitleState
from zhidao.trust.wire.credentials import jwk, sd_jwt, status_list
from zhidao.trust.wire.evm import abi, chain_snapshot, eth_answers, log_anchor, title_guard
from zhidao.trust.wire.identifiers.did_document import asserting_key
from zhidao.trust.wire.linked_data.context_pins import PINS, SHORT_CONTEXTS, pinned
from zhidao.trust.wire.log import fraud, mirror, mirror_list
from zhidao.trust.wire.log.note import checkpoint_text, encode_note, vkey

refused = contextlib.suppress(MalformedInput, Refused)
malformed = contextlib.suppress(MalformedInput)
SIGNER = SoftwareKey(Algorithm.ED25519, b"\x05" * 32)
KEY = SIGNER.public
addresses = st.binary(min_size=20, max_size=20).map(Address)
words = st.binary(min_size=32, max_size=32)
uints = st.integers(0, 2**256 - 1)


# --- keys and documents -------------------------------------------------------------------------


@BOUNDED
@given(st.binary(min_size=32, max_size=32))
def test_an_ed25519_key_is_the_same_after_its_jwk_and_its_did(seed: bytes) -> None:
    key = SoftwareKey(Algorithm.ED25519, seed).public
    written = jwk.jwk_of(key)
    assert jwk.key_of_jwk(written) == key
    assert jwk.key_of_did_jwk("did:jwk:" + base64url(jcs(written))) == key


@BOUNDED
@given(st.integers(1, 2**200), st.sampled_from([("P-256", ec.SECP256R1), ("P-384", ec.SECP384R1)]))
def test_a_point_of_a_jwk_is_the_one_that_another_library_compresses(
    secret: int, curve: tuple[str, type[ec.EllipticCurve]]
) -> None:
    name, kind = curve
    public = ec.derive_private_key(secret, kind()).public_key()
    size, numbers = (kind().key_size + 7) // 8, public.public_numbers()
    x, y = (base64url(n.to_bytes(size, "big")) for n in (numbers.x, numbers.y))
    compressed = public.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    assert jwk.key_of_jwk({"kty": "EC", "crv": name, "x": x, "y": y}).raw == compressed
    other = base64url(((numbers.y + 1) % 2**200).to_bytes(size, "big"))
    with pytest.raises(MalformedInput):
        jwk.key_of_jwk({"kty": "EC", "crv": name, "x": x, "y": other})


@BOUNDED
@given(json_values, st.text(max_size=80), with_another_value(jwk.jwk_of(KEY)))
def test_any_jwk_is_a_key_or_refused(value: Any, text: str, changed: Any) -> None:
    for told in (value, changed):
        with malformed:
            assert isinstance(jwk.key_of_jwk(told), PublicKey)
    for did in (text, f"did:jwk:{text}", "did:jwk:" + base64url(jcs(value))):
        with malformed:
            jwk.key_of_did_jwk(did)


DID = "did:example:1"
METHOD = f"{DID}#key"
DOCUMENT = {
    "id": DID,
    "verificationMethod": [
        {"id": "#key", "type": "Multikey", "controller": DID, "publicKeyMultibase": KEY.multikey}
    ],
    "assertionMethod": ["#key"],
}


@BOUNDED
@given(with_another_value(DOCUMENT), json_values)
def test_any_did_document_gives_its_key_or_is_refused(changed: Any, value: Any) -> None:
    assert asserting_key(DOCUMENT, DID, METHOD) == KEY
    for told in (changed, value):
        if isinstance(told, dict):
            with refused:
                assert asserting_key(told, DID, METHOD) == KEY, "there is no other key"


@BOUNDED
@given(st.dictionaries(st.sampled_from(sorted(PINS)) | st.text(max_size=20), json_values))
def test_no_context_but_the_pinned_bytes_is_taken(contexts: dict[str, Any]) -> None:
    if not contexts:
        assert pinned(contexts) == SHORT_CONTEXTS
        return
    with pytest.raises(MalformedInput, match="not the pinned one"):
        pinned(contexts)


# --- credentials --------------------------------------------------------------------------------


@BOUNDED
@given(st.sets(st.integers(0, status_list.BITS_MIN - 1), max_size=40))
def test_the_bits_of_a_status_list_are_those_that_were_set(indexes: set[int]) -> None:
    data = status_list.decode_list(status_list.encode_list(indexes))
    found = {
        n * 8 + k for n, byte in enumerate(data) if byte for k in range(8) if byte >> 7 - k & 1
    }
    assert found == indexes


ENTRY = {
    "type": status_list.ENTRY,
    "statusPurpose": "revocation",
    "statusListIndex": "7",
    "statusListCredential": "https://example.org/list",
}
LISTED = {
    "type": ["VerifiableCredential", status_list.LIST_CREDENTIAL],
    "credentialSubject": {
        "type": status_list.LIST,
        "statusPurpose": "revocation",
        "encodedList": status_list.encode_list([7]),
    },
}


@BOUNDED
@given(
    with_another_value({"credentialStatus": [ENTRY]}),
    with_another_value(LISTED),
    json_values,
    spoiled(status_list.encode_list([7]).encode()),
)
def test_any_status_is_read_or_refused(entry: Any, listed: Any, value: Any, text: bytes) -> None:
    for told in (entry, {"credentialStatus": value}):
        if isinstance(told, dict):
            with refused:
                status_list.status_entries(told)
    [whole] = status_list.status_entries({"credentialStatus": ENTRY})
    assert status_list.is_set(LISTED, whole)
    for told in (listed, {"credentialSubject": value}):
        if isinstance(told, dict):
            with refused:
                status_list.is_set(told, whole)
    for told in (value, text.decode("latin-1")):
        with malformed:
            status_list.decode_list(told)


CLAIMS = {"iss": "https://issuer.example", "vct": "urn:goods", "name": "A", "weight": 12}
TOKEN = sd_jwt.issue(
    CLAIMS,
    hidden={"name": base64url(b"\x01" * 16), "weight": base64url(b"\x02" * 16)},
    signer=SIGNER,
    key_id="#key",
)


@BOUNDED
@given(st.sets(st.sampled_from(("name", "weight"))))
def test_a_holder_shows_what_it_chooses_and_nothing_else(names: set[str]) -> None:
    shown = sd_jwt.present(TOKEN, names=sorted(names))
    claims = sd_jwt.verify(sd_jwt.parse(shown), key_of=lambda _: KEY, now_s=0)
    wanted = {"iss", "vct", *names}
    assert {name: claims[name] for name in claims if name in CLAIMS} == {
        name: CLAIMS[name] for name in CLAIMS if name in wanted
    }


@BOUNDED
@given(spoiled(TOKEN.encode()), st.text(max_size=80))
def test_any_token_is_what_was_signed_or_refused(changed: bytes, text: str) -> None:
    for told in (changed.decode("latin-1"), text, text + "~", text.replace("x", ".") + "..~"):
        with refused:
            claims = sd_jwt.verify(sd_jwt.parse(told), key_of=lambda _: KEY, now_s=0)
            assert {name for name in claims if name in CLAIMS} <= CLAIMS.keys()
            assert all(claims[name] == CLAIMS[name] for name in claims if name in CLAIMS)


# --- the chain ----------------------------------------------------------------------------------

tables = st.dictionaries(addresses, st.integers(0, 9), max_size=3)
heads = st.builds(
    chain_snapshot.WireHead,
    version=st.just(chain_snapshot.VERSION),
    chain_id=st.integers(1, 2**40),
    block=st.builds(Block, st.integers(0, 2**40), st.integers(0, 2**40)),
    accounts=st.dictionaries(addresses, st.tuples(st.integers(0, 9), st.integers(0, 9), words)),
    codes=st.dictionaries(words, st.binary(max_size=20), max_size=2),
    storage=st.dictionaries(addresses, st.dictionaries(words, words, max_size=2), max_size=2),
    counts=tables,
    titles=st.lists(st.builds(TitleState, words, addresses, addresses, addresses), max_size=2),
    segments=st.lists(words, max_size=2),
)
HEAD = chain_snapshot.WireHead(
    chain_snapshot.VERSION, 7, Block(1, 2), {}, {}, {b"\x01" * 20: {b"\x02": b"\x03"}}, {}, [], []
)


@BOUNDED
@given(heads)
def test_a_head_is_the_same_after_its_bytes(head: chain_snapshot.WireHead) -> None:
    assert chain_snapshot.decode_head(chain_snapshot.encode_head(head)) == head
    state = chain_snapshot.state_of(head)
    assert chain_snapshot.counts_of(head) == head.counts
    assert chain_snapshot.wire_state(state)["codes"] == head.codes


@BOUNDED
@given(st.binary(max_size=60), spoiled(chain_snapshot.encode_head(HEAD)))
def test_any_bytes_are_a_snapshot_or_malformed(data: bytes, changed: bytes) -> None:
    for told in (data, changed):
        for reader in (
            chain_snapshot.decode_head,
            chain_snapshot.decode_step,
            chain_snapshot.decode_receipts,
        ):
            with malformed:
                reader(told)


@BOUNDED
@given(uints, st.binary(max_size=40), st.text(max_size=12))
def test_quantities_and_bytes_of_an_answer_are_read_as_written(
    value: int, data: bytes, text: str
) -> None:
    assert eth_answers.number(hex(value)) == value
    assert eth_answers.octets("0x" + data.hex()) == data
    digits = set("0123456789abcdefABCDEF")
    for told in (text, f"0x{text}", "0x1_0", "0x 1", "0x+1"):
        with malformed:
            eth_answers.number(told)
            assert told[:2] == "0x"
            assert told[2:]
            assert set(told[2:]) <= digits, told


ANSWER = {
    "chainId": "0x7", "nonce": "0x1", "gasPrice": "0x1", "gas": "0x5208", "to": "0x" + "11" * 20,
    "value": "0x0", "input": "0x", "from": "0x" + "22" * 20, "hash": "0x" + "33" * 32,
}  # fmt: skip
ENTRY_OF_LOG = {"address": "0x" + "11" * 20, "topics": ["0x" + "22" * 32], "data": "0x01"}


@BOUNDED
@given(json_values, with_another_value(ANSWER), with_another_value(ENTRY_OF_LOG))
def test_any_answer_of_an_endpoint_is_read_or_malformed(value: Any, made: Any, logged: Any) -> None:
    assert eth_answers.transaction(ANSWER).gas == 21_000
    assert eth_answers.log_entry(ENTRY_OF_LOG).data == b"\x01"
    readers = (
        *(eth_answers.fields, eth_answers.items, eth_answers.number, eth_answers.octets),
        *(eth_answers.address, eth_answers.log_entry, eth_answers.transaction),
    )
    for reader in readers:
        for told in (value, made, logged):
            with malformed:
                reader(told)


@BOUNDED
@given(st.integers(0, 2**62), words, st.binary(max_size=100), addresses)
def test_an_anchored_head_is_found_and_no_other_bytes_are_one(
    size: int, root: bytes, data: bytes, publisher: Address
) -> None:
    head = Checkpoint("log.example", size, root)
    assert log_anchor.head_of(abi.encode(("uint256", "bytes32"), (size, root))) == (
        log_anchor.AnchoredHead(size, root)
    )
    with malformed:
        log_anchor.head_of(data)
    topics = (
        abi.topic("Anchored(address,bytes32,uint256,bytes32)"),
        abi.encode(("address",), (publisher,)),
        log_anchor.log_id(head.origin),
    )
    contract = Address(b"\x01" * 20)
    told = LogEntry(contract, topics, abi.encode(("uint256", "bytes32"), (size, root)))
    noise = LogEntry(contract, topics, data)
    log_anchor.check_anchored(head, [noise, told], contract=contract, publisher=publisher)
    other = Checkpoint(head.origin, size + 1, root)
    with pytest.raises(Refused):
        log_anchor.check_anchored(other, [told], contract=contract, publisher=publisher)


@BOUNDED
@given(addresses, st.binary(max_size=80), st.binary(max_size=200))
def test_a_guards_call_is_read_as_made_and_nothing_else_is_one(
    target: Address, inner: bytes, data: bytes
) -> None:
    call = title_guard.act_call(target, inner)
    assert title_guard.acted(call) == (target, inner)
    assert title_guard.is_guard_call(call)
    assert title_guard.acted(title_guard.support_call(target)) is None
    for told in (data, call[:4] + data, call + data[:1], call[:-1]):
        if title_guard.is_guard_call(told) and title_guard.acted(told):
            assert title_guard.act_call(*title_guard.acted(told)) == told  # type: ignore[misc]
    assert title_guard.guard_terms(data) is None
    made = Transaction(7, 0, 1, 1, 1, target, 0, call, target, b"", b"")
    assert title_guard.target_of(made) == target
    title_guard.title_call_of(made)


# --- the log ------------------------------------------------------------------------------------


def head(size: int, root: bytes) -> SignedHead:
    text = checkpoint_text(Checkpoint("l.example", size, root))
    return fraud.signed_head(encode_note(sign_note(text, [("l.example", SIGNER)])))


@st.composite
def uploads(draw: st.DrawFn) -> tuple[mirror.Upload, list[mirror.Package]]:
    start = draw(st.integers(0, 600))
    upload = mirror.Upload(
        draw(st.text(max_size=20)), start, start + draw(st.integers(0, 20)), draw(st.binary())
    )
    packages = [
        mirror.Package(
            leaves,
            tuple(draw(st.binary(max_size=9)) for _ in range(*leaves)),
            tuple(draw(st.lists(words, max_size=2))),
        )
        for leaves in upload.packages()
    ]
    return upload, packages


@BOUNDED
@given(uploads(), st.binary(max_size=80))
def test_an_upload_is_the_same_after_its_bytes(
    made: tuple[mirror.Upload, list[mirror.Package]], tail: bytes
) -> None:
    upload, packages = made
    data = mirror.encode_upload(upload, packages)
    found, read = mirror.decode_upload(data + tail)
    assert (found, list(read)) == (upload, packages)
    for told in (tail, data[: len(data) // 2] + tail):
        with malformed:
            for _ in mirror.decode_upload(told)[1]:
                pass
    with malformed:
        mirror.inflate(tail)


@BOUNDED
@given(st.integers(0, 2**60), st.integers(0, 2**60), st.binary(max_size=40), st.binary(max_size=60))
def test_what_a_mirror_tells_is_read_as_told(
    size: int, entry: int, ticket: bytes, data: bytes
) -> None:
    told = mirror.mirror_info(size, next_entry=entry, ticket=ticket)
    assert mirror.decode_mirror_info(told) == mirror.MirrorInfo(size, entry, ticket)
    with malformed:
        mirror.decode_mirror_info(data)


MIRROR = Cosigner("m.example", SIGNER).note_key
LINE = f"mirror {vkey(MIRROR)} https://m.example/log\n".encode()


@BOUNDED
@given(st.binary(max_size=80), spoiled(b"# ours\n" + LINE))
def test_any_list_of_mirrors_is_read_or_malformed(data: bytes, changed: bytes) -> None:
    assert list(mirror_list.parse_mirror_list(LINE)) == ["https://m.example/log"]
    for told in (data, changed, LINE + data):
        with malformed:
            found = mirror_list.parse_mirror_list(told)
            assert {t.url for t in mirror_list.mirror_targets({"c": found})} == set(found)


@BOUNDED
@given(words, words, st.lists(words, max_size=3), st.binary(max_size=60), st.data())
def test_a_fraud_proof_is_the_same_after_its_bytes_and_spoiled_bytes_are_none(
    one: bytes, two: bytes, hashes: list[bytes], data: bytes, more: st.DataObject
) -> None:
    key = NoteKey("l.example", KEY)
    proof = FraudProof(FraudKind.REWRITTEN, key, head(3, one), head(5, two), tuple(hashes))
    written = fraud.encode_fraud(proof)
    assert fraud.decode_fraud(written) == proof
    for told in (data, more.draw(spoiled(written)), json.dumps(json.loads(written)).encode()):
        with malformed:
            assert fraud.encode_fraud(fraud.decode_fraud(told)) == told, "one form only"
