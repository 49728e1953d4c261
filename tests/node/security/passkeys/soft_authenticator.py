"""An authenticator in software (CTAP2 with P-256), which tests may make lie as they wish."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from zhidao.core.encoding import base64url, parse_base64url
from zhidao.node.security.passkeys.authenticators import Assertion, Attestation

PRESENT, VERIFIED, HAS_CREDENTIAL = 0x01, 0x04, 0x40


@dataclass
class SoftAuthenticator:
    """One credential; `count`: how often it was used, or None if it does not count."""

    origin: str = "https://node.example.org"
    host: str = "node.example.org"
    count: int | None = 0
    credential_id: bytes = b"credential of one authenticator"
    handle: bytes = b""
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def make(self, options: dict[str, Any], **lies: Any) -> Attestation:
        """The answer to a question for a new passkey."""
        self.handle = parse_base64url(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        key = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        )  # fmt: skip
        held = b"\0" * 16 + len(self.credential_id).to_bytes(2, "big") + self.credential_id + key
        data = self._data(PRESENT | VERIFIED | HAS_CREDENTIAL, lies) + held
        told = {"fmt": "none", "attStmt": {}, "authData": data}
        client = self._client("webauthn.create", options, lies)
        return Attestation(base64url(self.credential_id), base64url(client), base64url(cbor2.dumps(told)))  # fmt: skip

    def show(self, options: dict[str, Any], **lies: Any) -> Assertion:
        """The answer to a question for a known passkey."""
        if self.count is not None:
            self.count += 1
        data = self._data(lies.pop("flags", PRESENT | VERIFIED), lies)
        client = self._client("webauthn.get", options, lies)
        signed = data + hashlib.sha256(client).digest()
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return Assertion(
            *(base64url(self.credential_id), base64url(client), base64url(data)),
            *(base64url(signature), base64url(lies.get("handle", self.handle))),
        )

    def _data(self, flags: int, lies: dict[str, Any]) -> bytes:
        host = str(lies.get("host", self.host))
        count = int(lies.get("count", self.count or 0))
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any], lies: dict[str, Any]) -> bytes:
        told = {
            "type": lies.get("kind", kind),
            "challenge": lies.get("challenge", options["challenge"]),
            "origin": lies.get("origin", self.origin),
            "crossOrigin": False,
        }
        return json.dumps(told).encode()
