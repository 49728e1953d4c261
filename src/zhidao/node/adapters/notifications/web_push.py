"""Messages to browsers by their push services (RFC 8030), sealed for the browser alone.

The push service carries 4 kB that it cannot read (RFC 8291 over RFC 8188, aes128gcm), and knows
the node by its key (VAPID, RFC 8292).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from zhidao.core.ambient import Clock, Randomness
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.keys import SoftwareKey
from zhidao.core.timescale import NS
from zhidao.node.adapters.notifications.outward import Outward
from zhidao.node.notifications.letters import Letters
from zhidao.node.notifications.message import Address, Item, Message
from zhidao.node.notifications.ports import AddressEnded

_RECORD_BYTES: Final = 4096
# RFC 8291 section 4: what a push service must take, less header, padding delimiter and tag.
PLAIN_BYTES_MAX: Final = 3993
_SHARED_BYTES, _POINT_BYTES = 16, 65
_LIVES_S: Final = 24 * 3600
# RFC 8292 section 2: at most a day.
_WORD_LIVES_S: Final = 12 * 3600
_GONE: Final = (404, 410)
_LATER: Final = (429,)
_CURVE: Final = ec.SECP256R1()


def check_subscription(public_key: str, shared: str) -> None:
    """Raises MalformedInput unless these are a browser's key and secret (RFC 8291 section 3)."""
    _point(public_key)
    if len(parse_base64url(shared)) != _SHARED_BYTES:
        raise MalformedInput(f"auth has {_SHARED_BYTES} bytes", where="shared")


def sealed(plain: bytes, *, public_key: str, shared: str, salt: bytes, secret: int) -> bytes:
    """The body of a push message (RFC 8291 section 3.4). `secret`: of a key for this one message.

    Raises MalformedInput for keys that are none, Refused for more than fits.
    """
    if len(plain) > PLAIN_BYTES_MAX:
        raise Refused(f"a push message holds {PLAIN_BYTES_MAX} bytes", code="push_too_large")
    theirs, point = _point(public_key)
    ours = ec.derive_private_key(secret, _CURVE)
    own_point = _uncompressed(ours.public_key())
    agreed = ours.exchange(ec.ECDH(), theirs)
    info = b"WebPush: info\0" + point + own_point
    keyed = _hkdf(parse_base64url(shared), info, 32, agreed)
    content_key = _hkdf(salt, b"Content-Encoding: aes128gcm\0", 16, keyed)
    nonce = _hkdf(salt, b"Content-Encoding: nonce\0", 12, keyed)
    # One record, the last: its delimiter is 2 (RFC 8188 section 2).
    cipher = AESGCM(content_key).encrypt(nonce, plain + b"\x02", None)
    head = salt + _RECORD_BYTES.to_bytes(4, "big") + bytes([len(own_point)]) + own_point
    return head + cipher


def vapid_public(key: SoftwareKey) -> str:
    """The node's key as browsers want it: an uncompressed point, base64url."""
    point = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, key.public.raw)
    return base64url(_uncompressed(point))


def vapid(key: SoftwareKey, endpoint: str, *, contact: str, now_s: int) -> str:
    """The Authorization field (RFC 8292 section 3): a word about who sends, signed ES256."""
    parts = urlsplit(endpoint)
    said = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": now_s + _WORD_LIVES_S,
        "sub": contact,
    }
    head = base64url(json.dumps({"typ": "JWT", "alg": "ES256"}).encode())
    word = f"{head}.{base64url(json.dumps(said).encode())}"
    return f"vapid t={word}.{base64url(key.sign(word.encode()))}, k={vapid_public(key)}"


class WebPush:
    """Implements `Transport`."""

    def __init__(
        self,
        outward: Outward,
        key: SoftwareKey,
        letters: Letters,
        clock: Clock,
        randomness: Randomness,
        *,
        contact: str,
    ) -> None:
        """`contact`: where a push service asks if something is wrong, mailto: or https:."""
        self._outward = outward
        self._key = key
        self._letters = letters
        self._clock = clock
        self._randomness = randomness
        self._contact = contact

    async def send(self, address: Address, message: Message, items: Sequence[Item]) -> None:
        """Hands a sealed message to the browser's push service; see the port."""
        letter = await self._letters.of(address, message, items)
        body = sealed(
            letter.short(message.id, PLAIN_BYTES_MAX),
            public_key=address.public_key,
            shared=address.shared,
            salt=self._randomness.token(16),
            secret=self._secret(),
        )
        headers = {
            "authorization": vapid(
                self._key,
                address.target,
                contact=self._contact,
                now_s=self._clock.now().unix_ns // NS,
            ),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(_LIVES_S),
            "urgency": "normal",
            # The service keeps one message of a topic (RFC 8030 section 5.4).
            "topic": message.id,
        }
        status = await self._outward.post(address.target, body, headers)
        if status in _GONE:
            raise AddressEnded(f"the push service answers {status}", code="push_gone")
        if status in _LATER or status >= 500:
            raise Unavailable(f"the push service answers {status}", code="push_service")
        if not 200 <= status < 300:
            raise Refused(f"the push service answers {status}", code="push_refused")

    def _secret(self) -> int:
        """A scalar of the curve: more bytes than it has, so that none is likelier."""
        order = int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
        return int.from_bytes(self._randomness.token(48), "big") % (order - 1) + 1


def _point(public_key: str) -> tuple[ec.EllipticCurvePublicKey, bytes]:
    raw = parse_base64url(public_key)
    if len(raw) != _POINT_BYTES:
        raise MalformedInput(f"p256dh has {_POINT_BYTES} bytes", where="public_key")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, raw), raw
    except (ValueError, InvalidKey) as error:
        raise MalformedInput("p256dh is no point of its curve", where="public_key") from error


def _uncompressed(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def _hkdf(salt: bytes, info: bytes, length: int, secret: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)
