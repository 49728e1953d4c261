"""What is sealed opens with the right key only, and by the book as well as by the library."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from tests.exchange.wire.test_bytes import CARD, CONTENT, HEADING, KEY, SALT, SEALING

from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.keys import PublicKey
from zhidao.exchange.wire.card import decode_card, sign_card
from zhidao.exchange.wire.envelope import (
    TAG,
    TAG_HYBRID,
    decode_envelope,
    open_envelope,
    seal_envelope,
)
from zhidao.exchange.wire.sealing import OVERHEAD_BYTES_MAX, SealingKey, seal

SECRET = b"\x09" * 32
HYBRID = seal_envelope(HEADING, salt=SALT, content=CONTENT, to=SEALING.hybrid, signer=KEY)
# RFC 9180 section 7, with KEM 0x647A of draft-ietf-hpke-pq.
SUITE = b"HPKE" + bytes.fromhex("647a00010003")
# draft-connolly-cfrg-xwing-kem section 5.3.
LABEL = b"\\.//^\\"


def test_a_hybrid_text_opens_by_the_book() -> None:
    """Steps of RFC 9180 section 5.1.1 and of the combiner, written out once more."""
    sealed = seal(CONTENT, SEALING.hybrid, info=b"why")
    seed = HKDF(SHA256(), 32, salt=None, info=b"zhidao.exchange.sealing.v2").derive(SECRET)
    expanded = hashlib.shake_256(seed).digest(96)
    post_quantum = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    classical = X25519PrivateKey.from_private_bytes(expanded[64:])
    first, second, rest = sealed[:1088], sealed[1088:1120], sealed[1120:]
    shared = hashlib.sha3_256(
        post_quantum.decapsulate(first)
        + classical.exchange(X25519PublicKey.from_public_bytes(second))
        + second
        + classical.public_key().public_bytes_raw()
        + LABEL
    ).digest()
    context = b"\0" + _extract(b"", b"psk_id_hash", b"") + _extract(b"", b"info_hash", b"why")
    secret = _extract(shared, b"secret", b"")
    key, nonce = _expand(secret, b"key", context, 32), _expand(secret, b"base_nonce", context, 12)
    assert ChaCha20Poly1305(key).decrypt(nonce, rest, b"") == CONTENT


def test_a_sealed_text_opens_under_its_own_suite_key_and_purpose_only() -> None:
    for public, hybrid in ((SEALING.public, False), (SEALING.hybrid, True)):
        sealed = seal(CONTENT, public, info=b"a")
        assert SEALING.open(sealed, info=b"a", hybrid=hybrid) == CONTENT
        other = SealingKey(b"\x0a" * 32)
        for key, info, suite in ((other, b"a", hybrid), (SEALING, b"b", hybrid)):
            with pytest.raises(Refused) as refusal:
                key.open(sealed, info=info, hybrid=suite)
            assert refusal.value.code == "cannot_open"
        with pytest.raises((Refused, MalformedInput)):
            SEALING.open(sealed, info=b"a", hybrid=not hybrid)


def test_no_part_of_a_hybrid_text_can_be_changed() -> None:
    sealed = seal(CONTENT, SEALING.hybrid, info=b"")
    assert len(sealed) == len(CONTENT) + OVERHEAD_BYTES_MAX
    for at in (0, 1087, 1088, 1119, 1120, len(sealed) - 1):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(Refused):
            SEALING.open(changed, info=b"", hybrid=True)
    with pytest.raises(MalformedInput):
        SEALING.open(sealed[: OVERHEAD_BYTES_MAX - 1], info=b"", hybrid=True)


@pytest.mark.parametrize(
    "public",
    [b"", bytes(32), bytes(31), SEALING.hybrid[:-1], b"\xff" * 1184 + SEALING.hybrid[1184:],
     SEALING.hybrid[:1184] + bytes(32)],
    ids=["none", "small order", "short", "cut", "not below the modulus", "half of small order"],
)  # fmt: skip
def test_nothing_is_sealed_to_what_is_no_key(public: bytes) -> None:
    with pytest.raises(MalformedInput):
        seal(b"", public, info=b"")


def test_a_hybrid_envelope_says_so_and_cannot_be_taken_for_the_other() -> None:
    assert HYBRID.encoded.startswith(TAG_HYBRID)
    read = decode_envelope(HYBRID.encoded)
    assert read == HYBRID
    assert open_envelope(read, SEALING) == SALT + CONTENT
    with pytest.raises(Refused) as refusal:
        decode_envelope(TAG + HYBRID.encoded[len(TAG) :])
    assert refusal.value.code == "bad_signature"
    for at in range(0, len(HYBRID.encoded), 5):
        with pytest.raises(ZhidaoError):
            decode_envelope(
                HYBRID.encoded[:at] + bytes([HYBRID.encoded[at] ^ 1]) + HYBRID.encoded[at + 1 :]
            )


@pytest.mark.parametrize("revoked", [(), (PublicKey(KEY.public.algorithm, b"\x01" * 32),)])
def test_a_card_names_a_hybrid_key_in_version_3(revoked: tuple[PublicKey, ...]) -> None:
    plain = decode_card(CARD)
    assert plain.seals == SEALING.public
    data = sign_card(replace(plain, sealing_hybrid=SEALING.hybrid, revoked=revoked), KEY)
    assert b'"v":3' in data
    card = decode_card(data)
    assert card.seals == SEALING.hybrid
    assert card.revoked == revoked
    with pytest.raises(MalformedInput):
        decode_card(data.replace(b'"v":3', b'"v":1'))
    with pytest.raises(MalformedInput):
        replace(plain, sealing_hybrid=SEALING.hybrid[:-1])


def _extract(salt: bytes, label: bytes, material: bytes) -> bytes:
    labelled = b"HPKE-v1" + SUITE + label + material
    return hmac.digest(salt or bytes(32), labelled, "sha256")


def _expand(secret: bytes, label: bytes, info: bytes, size: int) -> bytes:
    labelled = size.to_bytes(2, "big") + b"HPKE-v1" + SUITE + label + info
    return hmac.digest(secret, labelled + b"\x01", "sha256")[:size]
