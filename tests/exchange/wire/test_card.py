"""A node's card: its three versions written out, each part changed, and one past each bound."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from zhidao.core.encoding import base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.peer import Card
from zhidao.exchange.wire.card import CARD_BYTES_MAX, REVOKED_MAX, decode_card, sign_card
from zhidao.exchange.wire.sealing import SealingKey

KEY, FORMER = (SoftwareKey(Algorithm.ED25519, bytes([n]) * 32) for n in (7, 8))
SEALING = SealingKey(b"\x09" * 32)
CARD = Card(
    node=PartyId("exporter"),
    organisation="Exporter Ltd",
    url="https://exporter.example:8443",
    key=KEY.public,
    sealing=SEALING.public,
    certificate="-----BEGIN",
    at=Utc.parse("2026-05-04T08:00:00Z"),
)
PLAIN: dict[str, Any] = {
    "v": 1,
    "format": "zhidao.card",
    "node": "exporter",
    "organisation": "Exporter Ltd",
    "url": "https://exporter.example:8443",
    "key": KEY.public.multikey,
    "sealing": base64url(SEALING.public),
    "certificate": "-----BEGIN",
    "at": "2026-05-04T08:00:00Z",
}
REVOKED = {"revoked": [FORMER.public.multikey]}
HYBRID = {"sealing_hybrid": base64url(SEALING.hybrid)}


def text_of(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def written(signature: str | None = None, **changes: Any) -> bytes:
    """A card that its key signed as it stands, whatever stands in it."""
    fields = {k: v for k, v in {**PLAIN, **changes}.items() if v is not ...}
    if signature is None:
        signature = base64url(KEY.sign(text_of(fields)))
    return text_of({**fields, "signature": signature})


@pytest.mark.parametrize(
    ("card", "changes"),
    [
        (CARD, {}),
        (replace(CARD, certificate=""), {"certificate": ""}),
        (replace(CARD, revoked=(FORMER.public,)), {"v": 2, **REVOKED}),
        (replace(CARD, sealing_hybrid=SEALING.hybrid), {"v": 3, **HYBRID}),
        (
            replace(CARD, sealing_hybrid=SEALING.hybrid, revoked=(FORMER.public,)),
            {"v": 3, **HYBRID, **REVOKED},
        ),
    ],
    ids=["1", "1 without a certificate", "2", "3", "3 with keys taken back"],
)
def test_a_card_is_canonical_json_with_a_signature_over_the_rest(card, changes) -> None:
    data = written(**changes)
    assert sign_card(card, KEY) == data
    read = decode_card(data)
    assert replace(read, signature=b"") == card
    assert base64url(read.signature) == json.loads(data)["signature"]


def malformed(data: bytes) -> str:
    with pytest.raises(MalformedInput) as caught:
        decode_card(data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        *(
            ({"v": 0}, "a card of version 0; this program understands 1, 2, 3"),
            ({"v": 2}, "'zhidao.card' 2"),
        ),
        *(({"v": 3}, "'zhidao.card' 3"), ({"v": 4}, "a card of version 4; this program")),
        ({"v": 1, **REVOKED}, "version 1 to 3: 'zhidao.card' 1"),
        ({"v": 3, **REVOKED}, "version 1 to 3: 'zhidao.card' 3"),
        ({"v": 1, **HYBRID}, "version 1 to 3: 'zhidao.card' 1"),
        ({"v": 2, **HYBRID, **REVOKED}, "version 1 to 3: 'zhidao.card' 2"),
        ({"format": "x" * 33}, f"version 1 to 3: {'x' * 32!r} 1"),
        *(({"more": 1}, "card: "), ({"node": ...}, "card: "), ({"v": "1"}, "card: ")),
        *(({"revoked": [], "v": 2}, "card: "), ({"organisation": "x" * 201}, "card: ")),
        ({"certificate": "x" * 16_385}, "card: "),
        ({"v": 2, "revoked": REVOKED["revoked"] * 65}, "card: "),
        ({"sealing": "AAAA"}, "an X25519 key has 32 bytes"),
        ({"sealing": base64url(SEALING.public) + "="}, ""),
        ({"v": 3, "sealing_hybrid": "AAAA"}, "a hybrid key has 1,216 bytes"),
        ({"v": 3, "sealing_hybrid": ""}, "canonical form"),
        ({"sealing_hybrid": None}, "canonical form"),
        ({"revoked": None}, "canonical form"),
        *(({"key": "z"}, ""), ({"node": "Ex porter"}, ""), ({"at": "2026-05-04"}, "")),
        ({"at": "2026-05-04T08:00:00.0Z"}, ""),
        ({"v": 2, "revoked": ["z"]}, ""),
    ],
)
def test_another_form_is_malformed_though_its_key_signed_it(changes, told: str) -> None:
    assert told in malformed(written(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        *({"organisation": "x" * 200}, {"organisation": ""}, {"certificate": "x" * 16_384}),
        {"v": 2, "revoked": [FORMER.public.multikey] * 64},
        {"organisation": "Экспортёр 出口商"},
    ],
)
def test_what_is_at_a_bound_is_read(changes: dict[str, Any]) -> None:
    data = written(**changes)
    assert sign_card(decode_card(data), KEY) == data


def test_a_card_has_32_kib_and_64_keys_taken_back_at_most() -> None:
    assert (CARD_BYTES_MAX, REVOKED_MAX) == (32_768, 64)
    data = written()
    padded = data + b" " * (CARD_BYTES_MAX - len(data))
    assert "canonical form" in malformed(padded)
    assert "32768" in malformed(padded + b" ")


def test_blanks_around_a_card_are_another_form() -> None:
    data = written()
    for other in (data + b"\n", b" " + data, data.replace(b":", b": ", 1)):
        assert "canonical form" in malformed(other)


def test_a_card_that_its_key_did_not_sign_is_refused_by_its_node() -> None:
    unsigned = text_of(PLAIN)
    for signature in (
        *(base64url(bytes(64)), base64url(FORMER.sign(unsigned)), ""),
        base64url(KEY.sign(unsigned + b" ")),
    ):
        with pytest.raises(Refused) as caught:
            decode_card(written(signature=signature))
        assert caught.value.code == "bad_signature"
        assert "the card of exporter: wrong signature" in str(caught.value)


def test_an_address_that_is_none_is_refused_as_such() -> None:
    with pytest.raises(Refused) as caught:
        decode_card(written(url="http://exporter.example"))
    assert caught.value.code == "bad_url"


def test_only_the_key_that_a_card_names_signs_it() -> None:
    with pytest.raises(AssertionError):
        sign_card(CARD, FORMER)
