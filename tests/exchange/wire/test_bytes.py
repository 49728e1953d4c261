"""What an exchange puts on the wire has one form, and nothing else is read."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.envelope import Heading
from zhidao.exchange.domain.peer import Card, Wanted, check_url
from zhidao.exchange.domain.receipt import Outcome, Receipt, Stage
from zhidao.exchange.domain.retry_policy import PAUSES
from zhidao.exchange.wire.bundle import TAG, TAG_PROVEN, Item, decode_bundle, encode_bundle
from zhidao.exchange.wire.card import decode_card, sign_card
from zhidao.exchange.wire.envelope import (
    commitment,
    decode_envelope,
    open_envelope,
    seal_envelope,
)
from zhidao.exchange.wire.receipt import decode_receipt, sign_receipt
from zhidao.exchange.wire.request import signed_headers
from zhidao.exchange.wire.sealing import SealingKey
from zhidao.exchange.wire.subscription import decode_subscription, encode_subscription
from zhidao.node.security.http_signatures import (
    Message,
    check_coverage,
    check_digest,
    parse_signature,
)

KEY = SoftwareKey(Algorithm.ED25519, b"\x07" * 32)
SEALING = SealingKey(b"\x09" * 32)
SALT = b"\x05" * 32
CONTENT = b"packing list"
AT = Utc.parse("2026-05-04T08:00:00Z")
HEADING = Heading(
    document=UUID(int=7),
    sender=PartyId("exporter"),
    recipient=PartyId("importer"),
    from_party=PartyId("maker"),
    to_party=PartyId("buyer"),
    consignment="C-1",
    sequence=1,
    kind="trade.packing-list",
    media_type="application/json",
    sent_at=AT,
    digest=commitment(SALT, CONTENT),
    size=len(CONTENT),
)
ENVELOPE = seal_envelope(HEADING, salt=SALT, content=CONTENT, to=SEALING.public, signer=KEY)
RECEIPT = sign_receipt(
    Receipt(
        stage=Stage.DECIDED,
        sender=HEADING.sender,
        recipient=HEADING.recipient,
        document=HEADING.document,
        digest=HEADING.digest,
        outcome=Outcome.REFUSED,
        code="amount_differs",
        reason="数额不符",
        at=AT,
        key=KEY.public,
    ),
    KEY,
)
CARD = sign_card(
    Card(
        node=PartyId("exporter"),
        organisation="Exporter Ltd",
        url="https://exporter.example:8443",
        key=KEY.public,
        sealing=SEALING.public,
        certificate="",
        at=AT,
    ),
    KEY,
)


def test_what_was_sealed_is_opened_by_its_recipient_only() -> None:
    read = decode_envelope(ENVELOPE.encoded)
    assert read == ENVELOPE
    assert open_envelope(read, SEALING) == SALT + CONTENT
    assert CONTENT not in ENVELOPE.encoded
    with pytest.raises(Refused) as refusal:
        open_envelope(read, SealingKey(b"\x0a" * 32))
    assert refusal.value.code == "cannot_open"


def test_sealed_content_opens_under_its_own_heading_only() -> None:
    moved = replace(ENVELOPE, heading=replace(HEADING, to_party=PartyId("thief")))
    with pytest.raises(Refused) as refusal:
        open_envelope(moved, SEALING)
    assert refusal.value.code == "cannot_open"


@pytest.mark.parametrize(
    "data", [ENVELOPE.encoded, RECEIPT, CARD], ids=["envelope", "receipt", "card"]
)
def test_no_byte_of_a_signed_thing_can_be_changed(data: bytes) -> None:
    decode = {ENVELOPE.encoded: decode_envelope, RECEIPT: decode_receipt, CARD: decode_card}[data]
    decode(data)
    for at in range(0, len(data), 3):
        with pytest.raises(ZhidaoError):
            decode(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    for cut in range(0, len(data), 7):
        with pytest.raises(MalformedInput):
            decode(data[:cut])


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=60).map(lambda b: TAG + b),
        st.binary(max_size=60).map(lambda b: TAG_PROVEN + b),
    )
)
def test_readers_refuse_any_bytes_as_malformed(data: bytes) -> None:
    for read in (decode_envelope, decode_receipt, decode_card, decode_subscription):
        with pytest.raises(MalformedInput):
            read(data)  # type: ignore[operator]
    try:
        decode_bundle(data)
    except MalformedInput:
        return
    assert data.startswith((TAG, TAG_PROVEN))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("EROP"), st.binary(max_size=40)), max_size=8))
def test_a_bundle_gives_back_its_items(pairs: list[tuple[str, bytes]]) -> None:
    items = [Item(kind, data) for kind, data in pairs]
    assert list(decode_bundle(encode_bundle(items))) == items


def test_a_bundle_is_bounded() -> None:
    with pytest.raises(MalformedInput):
        decode_bundle(encode_bundle([Item("E", b"")] * 65))
    with pytest.raises(MalformedInput):
        decode_bundle(TAG + b"E\xff\xff\xff\xff")
    with pytest.raises(MalformedInput):
        decode_bundle(encode_bundle([Item("E", b"12345")]), bytes_max=10)


def test_a_signed_request_passes_the_checks_of_a_node() -> None:
    body = encode_bundle([Item("E", ENVELOPE.encoded)])
    headers = signed_headers(
        authority="importer.example",
        path="/exchange/bundle",
        body=body,
        content_type="application/vnd.zhidao.bundle",
        signer=KEY,
        created_s=1_800_000_000,
    )
    signed = parse_signature(headers["signature-input"], headers["signature"])
    message = Message(
        method="POST",
        scheme="https",
        authority="importer.example:443",
        path="/exchange/bundle",
        query="",
        headers={name: [value] for name, value in headers.items()},
    )
    check_coverage(signed, message, has_body=True)
    check_digest(headers["content-digest"], body)
    assert signed.key_id == KEY.public.multikey
    assert KEY.public.verifies(signed.signature, signed.base(message))
    elsewhere = replace(message, authority="other.example")
    assert not KEY.public.verifies(signed.signature, signed.base(elsewhere))


def test_a_subscription_matches_by_beginnings() -> None:
    wanted = decode_subscription(encode_subscription(Wanted(("trade.",), ("DE-",))))
    assert wanted.matches(kind="trade.invoice", consignment="DE-7")
    assert not wanted.matches(kind="finance.paid", consignment="DE-7")
    assert not wanted.matches(kind="trade.invoice", consignment="FR-7")
    assert Wanted().matches(kind="any", consignment="any")


@pytest.mark.parametrize(
    "url",
    [
        *("http://importer.example", "ftp://x", "https://", "https://a@b", "https://b/path"),
        *("https://b?q=1", "https://b:99999", "https://ü.example", "https://b c", "", "x"),
    ],
)
def test_an_address_that_is_no_node_is_refused(url: str) -> None:
    with pytest.raises(ZhidaoError):
        check_url(url)


def test_an_address_of_this_machine_may_be_plain() -> None:
    for url in ("http://127.0.0.1:8080", "http://localhost", "http://[::1]:1", "https://b:8443"):
        check_url(url)


def test_pauses_grow_to_a_bound_and_are_spread() -> None:
    longest = [PAUSES.ceiling_s(n) for n in range(1, 12)]
    assert longest == sorted(longest)
    assert longest[-1] == 10.0
    randomness = SeededRandomness(1)
    spread = [PAUSES.pause_s(5, randomness) for _ in range(100)]
    assert 0 < min(spread) < longest[4] / 4 < longest[4] * 3 / 4 < max(spread) <= longest[4]
