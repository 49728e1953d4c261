"""What a signed and a sealed message of the exchange take a core, without nodes around them.

A signed message is what the recipient of a request sees: RFC 9421 signature and RFC 9530 digest
over a body of 20 kB, signed once and verified once, in processor time. A sealed document goes the
whole way: salted, sealed, signed, verified, opened, receipted, and the receipt verified.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from benchmarks.measuring import claim
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, PublicKey, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.envelope import Heading
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.domain.receipt import Outcome, Receipt, Stage
from zhidao.exchange.wire.bundle import BUNDLE_TYPE
from zhidao.exchange.wire.envelope import commitment, decode_envelope, open_envelope, seal_envelope
from zhidao.exchange.wire.receipt import decode_receipt, sign_receipt
from zhidao.exchange.wire.request import signed_headers
from zhidao.exchange.wire.sealing import SealingKey
from zhidao.node.adapters.ambient import SystemClock
from zhidao.node.security.http_signatures import Message, parse_signature
from zhidao.node.security.peer_gate import PeerGate

_BODY: Final = os.urandom(20_000)
_DOCUMENT: Final = os.urandom(8_192)
_ROUNDS: Final = 5
_MESSAGES: Final = 600
_KEY: Final = SoftwareKey(Algorithm.ED25519, bytes(range(32)))
_SEALING: Final = SealingKey(b"\x09" * 32)


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: ARG001, FBT001 (as all benchmarks)
    """Both rates, of a core."""
    yield claim(
        "exchange_signed_messages_per_s_a_core",
        [_rate(_signed_message) for _ in range(_ROUNDS)],
        "1/s",
        target=1_200,
    )
    yield claim(
        "exchange_sealed_documents_per_s_a_core",
        [_rate(_sealed_document) for _ in range(_ROUNDS)],
        "1/s",
    )


def _rate(work: Any) -> float:
    """Repetitions a second of processor time."""
    work(0)
    started_s = time.process_time()
    for number in range(_MESSAGES):
        work(number)
    return _MESSAGES / (time.process_time() - started_s)


_PEER: Final = Peer(PartyId("exporter"), "", "https://e.example", (_KEY.public,), b"", "", "l", b"")


def _peer_of(key: PublicKey) -> Peer | None:
    return _PEER if _PEER.speaks(key) else None


_GATE: Final = PeerGate(_peer_of, SystemClock())


def _signed_message(_: int) -> None:
    headers = signed_headers(
        authority="importer.example",
        path="/exchange/bundle",
        body=_BODY,
        content_type=BUNDLE_TYPE,
        signer=_KEY,
        created_s=int(time.time()),
    )
    message = Message(
        method="POST",
        scheme="https",
        authority="importer.example",
        path="/exchange/bundle",
        query="",
        headers={name: [value] for name, value in headers.items()},
    )
    signed = parse_signature(headers["signature-input"], headers["signature"])
    _GATE.meet(message, signed)
    _GATE.check_body(message, signed, _BODY)


def _sealed_document(number: int) -> None:
    salt, now = os.urandom(32), Utc.from_unix_ns(time.time_ns())
    heading = Heading(
        document=UUID(int=number + 1),
        sender=PartyId("exporter"),
        recipient=PartyId("importer"),
        from_party=PartyId("maker"),
        to_party=PartyId("buyer"),
        consignment="C-1",
        sequence=number + 1,
        kind="trade.invoice",
        media_type="application/octet-stream",
        sent_at=now,
        digest=commitment(salt, _DOCUMENT),
        size=len(_DOCUMENT),
    )
    sealed = seal_envelope(heading, salt=salt, content=_DOCUMENT, to=_SEALING.hybrid, signer=_KEY)
    read = decode_envelope(sealed.encoded)
    open_envelope(read, _SEALING)
    receipt = Receipt(
        stage=Stage.ACCEPTED,
        sender=heading.sender,
        recipient=heading.recipient,
        document=heading.document,
        digest=heading.digest,
        outcome=Outcome.ACCEPTED,
        code="",
        reason="",
        at=now,
        key=_KEY.public,
    )
    decode_receipt(sign_receipt(receipt, _KEY))
