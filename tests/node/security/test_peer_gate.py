"""Only a peer's own key opens the path of peers, and only for the bytes that it signed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zhidao.core.ambient import HandClock
from zhidao.core.errors import Unauthenticated
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, PublicKey, SoftwareKey
from zhidao.core.timescale import NS, Utc
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.wire.bundle import BUNDLE_TYPE
from zhidao.exchange.wire.request import signed_headers
from zhidao.node.security.http_signatures import Message, Signed, parse_signature
from zhidao.node.security.peer_gate import PeerGate

KEY = SoftwareKey(Algorithm.ED25519, b"\x07" * 32)
CLOCK = HandClock(Utc.parse("2026-05-04T08:00:00Z"))
PEER = Peer(PartyId("importer"), "", "https://i.example", (KEY.public,), b"", "", "list", b"")
BODY = b"bundle"


def gate() -> PeerGate:
    def peer_of(key: PublicKey) -> Peer | None:
        return PEER if PEER.speaks(key) else None

    return PeerGate(peer_of, CLOCK)


def asked(key: SoftwareKey = KEY, ago_s: int = 0) -> tuple[Message, Signed]:
    headers = signed_headers(
        authority="here.example",
        path="/exchange/bundle",
        body=BODY,
        content_type=BUNDLE_TYPE,
        signer=key,
        created_s=CLOCK.now().unix_ns // NS - ago_s,
    )
    message = Message(
        method="POST",
        scheme="https",
        authority="here.example",
        path="/exchange/bundle",
        query="",
        headers={name: [value] for name, value in headers.items()},
    )
    return message, parse_signature(headers["signature-input"], headers["signature"])


def test_a_peer_is_met_by_its_signature_and_its_body() -> None:
    message, signed = asked()
    assert gate().meet(message, signed) == PEER
    gate().check_body(message, signed, BODY)


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ({"path": "/v1/exchange/outbox"}, "bad_signature"),
        ({"authority": "elsewhere.example"}, "bad_signature"),
        ({"method": "PUT"}, "bad_signature"),
    ],
)
def test_a_signature_for_another_request_is_refused(lie: dict[str, str], code: str) -> None:
    message, signed = asked()
    with pytest.raises(Unauthenticated) as refusal:
        gate().meet(replace(message, **lie), signed)  # type: ignore[arg-type]
    assert refusal.value.code == code


def test_strangers_old_requests_and_other_bodies_are_refused() -> None:
    stranger = SoftwareKey(Algorithm.ED25519, b"\x08" * 32)
    with pytest.raises(Unauthenticated) as refusal:
        gate().meet(*asked(stranger))
    assert refusal.value.code == "unknown_peer"
    message, signed = asked()
    with pytest.raises(Unauthenticated) as refusal:
        gate().meet(message, replace(signed, key_id="no key"))
    assert refusal.value.code == "unknown_peer"
    with pytest.raises(Unauthenticated) as refusal:
        gate().meet(*asked(ago_s=301))
    assert refusal.value.code == "signature_time"
    with pytest.raises(Unauthenticated) as refusal:
        gate().check_body(message, signed, b"other")
    assert refusal.value.code == "content_digest"
    bare = replace(signed, components=("@method", "@authority", "@path", "content-digest"))
    with pytest.raises(Unauthenticated) as refusal:
        gate().meet(message, bare)
    assert refusal.value.code == "signature_coverage"
