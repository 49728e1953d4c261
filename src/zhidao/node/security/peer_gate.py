"""Which peer a request comes from: an RFC 9421 signature by a key that a trust list gives it."""

from __future__ import annotations

from collections.abc import Callable

from zhidao.core.ambient import Clock
from zhidao.core.errors import MalformedInput, Unauthenticated
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import NS
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.wire.request import REQUEST_TAG
from zhidao.node.security.http_signatures import (
    Message,
    Signed,
    check_body_covered,
    check_coverage,
    check_digest,
    check_times,
)


class PeerGate:
    """Finds the peer of a signed request. A request that comes twice is harmless: no memory."""

    def __init__(self, peer_of: Callable[[PublicKey], Peer | None], clock: Clock) -> None:
        self._peer_of = peer_of
        self._clock = clock

    def meet(self, message: Message, signed: Signed) -> Peer:
        """The peer, by the headers alone; `check_body` has to follow. Raises Unauthenticated."""
        check_times(signed, self._clock.now().unix_ns // NS)
        check_coverage(signed, message, has_body=True)
        if "content-type" not in signed.components or REQUEST_TAG not in signed.parameters:
            raise Unauthenticated(
                "the signature is not one of an exchange",
                code="signature_coverage",
                where="Signature-Input",
                remedy=f"cover content-type too, with the tag {REQUEST_TAG}",
            )
        try:
            key = PublicKey.from_multikey(signed.key_id)
        except MalformedInput as error:
            raise _stranger() from error
        peer = self._peer_of(key)
        if peer is None:
            raise _stranger()
        if not key.verifies(signed.signature, signed.base(message)):
            raise Unauthenticated("the signature does not hold", code="bad_signature")
        return peer

    def check_body(self, message: Message, signed: Signed, body: bytes) -> None:
        """Holds the body against the signed digest. Raises Unauthenticated, MalformedInput."""
        check_body_covered(signed)
        check_digest(message.component("content-digest"), body)


def _stranger() -> Unauthenticated:
    return Unauthenticated(
        "the signing key is no peer's",
        code="unknown_peer",
        remedy="ask this node's operator to admit yours: zhidao peer add CARD --trust TRUSTFILE",
    )
