"""Push messages: the example of RFC 8291, an independent reader, and a word that VAPID checks."""

from __future__ import annotations

import json

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from zhidao.core.ambient import SeededRandomness
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, PublicKey, SoftwareKey
from zhidao.node.adapters.notifications.web_push import (
    PLAIN_BYTES_MAX,
    check_subscription,
    sealed,
    vapid,
    vapid_public,
)

KEY = SoftwareKey(Algorithm.P256, bytes(range(1, 33)))


def number(text: str) -> int:
    return int.from_bytes(parse_base64url(text), "big")


def test_the_example_of_rfc_8291_appendix_a() -> None:
    body = sealed(
        b"When I grow up, I want to be a watermelon",
        public_key="BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        shared="BTBZMqHH6r4Tts7J_aSIgg",
        salt=parse_base64url("DGv6ra1nlYgDCS1FRnbzlw"),
        secret=number("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
    )
    assert base64url(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.bound("node.adapters.notifications.web_push.PLAIN_BYTES_MAX")
@pytest.mark.parametrize("size", [0, 1, PLAIN_BYTES_MAX])
def test_an_independent_reader_opens_what_was_sealed(size: int) -> None:
    browser = ec.generate_private_key(ec.SECP256R1())
    point = vapid_public(
        SoftwareKey(Algorithm.P256, browser.private_numbers().private_value.to_bytes(32, "big"))
    )
    shared = base64url(b"s" * 16)
    check_subscription(point, shared)
    plain = SeededRandomness(size).token(size)
    body = sealed(plain, public_key=point, shared=shared, salt=b"t" * 16, secret=417)
    assert len(body) <= 4096
    opened = http_ece.decrypt(body, private_key=browser, auth_secret=b"s" * 16, version="aes128gcm")
    assert opened == plain


def test_one_byte_too_many_is_refused() -> None:
    point = vapid_public(KEY)
    with pytest.raises(Refused) as refused:
        sealed(
            bytes(PLAIN_BYTES_MAX + 1),
            public_key=point,
            shared=base64url(b"s" * 16),
            salt=b"t" * 16,
            secret=1,
        )
    assert refused.value.code == "push_too_large"


@pytest.mark.parametrize(
    ("public_key", "shared"),
    [
        ("", base64url(b"s" * 16)),
        (vapid_public(KEY), base64url(b"s" * 15)),
        (vapid_public(KEY), ""),
        (base64url(b"\x04" + b"\x01" * 64), base64url(b"s" * 16)),
        (base64url(KEY.public.raw), base64url(b"s" * 16)),
        (vapid_public(KEY) + "A", base64url(b"s" * 16)),
    ],
)
def test_keys_that_are_none_are_refused(public_key: str, shared: str) -> None:
    with pytest.raises(MalformedInput):
        check_subscription(public_key, shared)


def test_the_word_about_who_sends_is_signed_for_that_push_service_alone() -> None:
    said = vapid(KEY, "https://push.example:8443/abc?d=1", contact="mailto:a@b.c", now_s=1_000)
    scheme, rest = said.split(" ", 1)
    fields = dict(each.split("=", 1) for each in rest.split(", "))
    head, claims, signature = fields["t"].split(".")
    assert scheme == "vapid"
    assert json.loads(parse_base64url(head)) == {"typ": "JWT", "alg": "ES256"}
    assert json.loads(parse_base64url(claims)) == {
        "aud": "https://push.example:8443",
        "exp": 1_000 + 12 * 3600,
        "sub": "mailto:a@b.c",
    }
    point = parse_base64url(fields["k"])
    compressed = bytes([2 + point[64] % 2]) + point[1:33]
    key = PublicKey(Algorithm.P256, compressed)
    assert key.verifies(parse_base64url(signature), f"{head}.{claims}".encode())
