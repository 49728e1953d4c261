from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.ambient import SeededRandomness
from zhidao.core.encoding import (
    base58btc,
    base64url,
    parse_base58btc,
    parse_base64,
    parse_base64url,
    parse_hex,
)
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keyfile import create_vault, open_vault
from zhidao.core.keys import Algorithm, PublicKey, SoftwareKey

every_algorithm = pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda a: a.label)


def key_of(algorithm: Algorithm, seed: int = 1) -> SoftwareKey:
    return SoftwareKey(algorithm, SeededRandomness(seed).token(algorithm.secret_bytes))


@every_algorithm
def test_a_signature_holds_for_its_message_and_key_only(algorithm: Algorithm) -> None:
    key, other = key_of(algorithm), key_of(algorithm, 2)
    signature = key.sign(b"message")
    assert key.public.verifies(signature, b"message")
    assert not key.public.verifies(signature, b"massage")
    assert not other.public.verifies(signature, b"message")
    assert not key.public.verifies(signature[:-1], b"message")
    assert not key.public.verifies(b"", b"message")


@every_algorithm
def test_a_changed_bit_breaks_a_signature(algorithm: Algorithm) -> None:
    key = key_of(algorithm)
    signature = bytearray(key.sign(b"message"))
    signature[3] ^= 1
    assert not key.public.verifies(bytes(signature), b"message")


@every_algorithm
def test_a_multikey_names_algorithm_and_key(algorithm: Algorithm) -> None:
    public = key_of(algorithm).public
    assert PublicKey.from_multikey(public.multikey) == public


def test_a_second_signature_with_a_high_s_is_refused() -> None:
    key = key_of(Algorithm.SECP256K1)
    signature = key.sign(b"message")
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = order - int.from_bytes(signature[32:], "big")
    assert not key.public.verifies(signature[:32] + high.to_bytes(32, "big"), b"message")


@given(st.text(max_size=60))
@settings(max_examples=50)
def test_any_text_is_a_multikey_or_refused(text: str) -> None:
    try:
        PublicKey.from_multikey(text)
    except MalformedInput:
        return


@given(st.binary(max_size=80))
def test_texts_of_bytes_come_back(data: bytes) -> None:
    assert parse_base64url(base64url(data)) == data
    assert parse_base58btc(base58btc(data)) == data
    assert parse_hex(data.hex()) == data


@pytest.mark.parametrize("text", ["AQ==", "AR", "A", "a b", "_-/", "AQ\n"])
def test_other_spellings_of_base64url_are_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        parse_base64url(text)


def test_other_spellings_of_base64_and_hex_are_refused() -> None:
    for text in ("AQ", "AR==", "AQ==\n"):
        with pytest.raises(MalformedInput):
            parse_base64(text)
    for text in ("AB", "a", "0 1", "0x"):
        with pytest.raises(MalformedInput):
            parse_hex(text)


def test_a_vault_opens_with_its_passphrase_only() -> None:
    randomness = SeededRandomness(7)
    data, vault = create_vault(b"correct horse", randomness)
    key = key_of(Algorithm.ED25519)
    file = vault.seal(key, randomness)
    assert open_vault(data, b"correct horse").open(file).public == key.public
    with pytest.raises(Refused) as caught:
        open_vault(data, b"wrong horse")
    assert caught.value.code == "wrong_passphrase"
    with pytest.raises(Refused):
        create_vault(b"correct horse", randomness)[1].open(file)


def test_a_changed_key_file_is_refused() -> None:
    randomness = SeededRandomness(8)
    _, vault = create_vault(b"p", randomness)
    file = vault.seal(key_of(Algorithm.ED25519), randomness)
    other = key_of(Algorithm.ED25519, 5).public.multikey.encode()
    swapped = file.replace(key_of(Algorithm.ED25519).public.multikey.encode(), other)
    for data in (swapped, file[:-2], file.replace(b'"v":1', b'"v":2'), b"{}"):
        with pytest.raises((MalformedInput, Refused)):
            vault.open(data)
