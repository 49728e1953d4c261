"""Keys inside a PKCS#11 token: a hardware security module, or SoftHSM.

A private key is made in the token and never leaves it: this process asks for signatures only.
Ed25519 by CKM_EDDSA (PKCS#11 3.0, section 2.3.14), P-256 and secp256k1 by CKM_ECDSA over SHA-256.
Needs the package python-pkcs11 (the extra `pkcs11`), imported at first use.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from zhidao.core.errors import Conflict, MalformedInput, Refused, Unavailable
from zhidao.core.keys import Algorithm, PublicKey
from zhidao.core.programs.extras import command_for

_SECP256K1_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
# CKA_EC_PARAMS in DER: the curve's name as PrintableString, or its object identifier.
_CURVES: Final = {
    Algorithm.ED25519: bytes.fromhex("130c") + b"edwards25519",
    Algorithm.P256: bytes.fromhex("06082a8648ce3d030107"),
    Algorithm.SECP256K1: bytes.fromhex("06052b8104000a"),
}


class TokenKey:
    """A key pair in a token. Implements `Signer`."""

    def __init__(self, token: Token, public: PublicKey, private: Any) -> None:
        self._token = token
        self._private = private
        self.public = public

    def sign(self, message: bytes) -> bytes:
        """A raw signature, r || s with s in the lower half for secp256k1; asks the token."""
        from pkcs11 import Mechanism

        algorithm = self.public.algorithm
        with self._token.session():
            if algorithm is Algorithm.ED25519:
                return bytes(self._private.sign(message, mechanism=Mechanism.EDDSA))
            digest = hashlib.sha256(message).digest()
            raw = bytes(self._private.sign(digest, mechanism=Mechanism.ECDSA))
        if algorithm is Algorithm.SECP256K1:
            s = int.from_bytes(raw[32:], "big")
            raw = raw[:32] + min(s, _SECP256K1_ORDER - s).to_bytes(32, "big")
        return raw

    def __repr__(self) -> str:
        return f"TokenKey({self.public.algorithm.label}, {self.public.fingerprint})"


class Token:
    """A token by its label, opened with its user's PIN. One session, one caller at a time."""

    def __init__(self, module: Path, label: str, pin: bytes) -> None:
        """`module`: the maker's shared library.

        Raises Unavailable (`no_pkcs11`, `no_token`), Refused (`wrong_pin`).
        """
        self._lock = threading.Lock()
        try:
            import pkcs11
        except ImportError as error:
            raise Unavailable(
                "keys in a token need the package python-pkcs11",
                code="no_pkcs11",
                remedy=command_for("pkcs11"),
            ) from error
        try:
            token = pkcs11.lib(str(module)).get_token(token_label=label)
        except (pkcs11.PKCS11Error, RuntimeError) as error:
            raise Unavailable(
                f"no token {label} in {module}: {type(error).__name__}", code="no_token"
            ) from error
        try:
            self._session = token.open(rw=True, user_pin=pin.decode())
        except (pkcs11.exceptions.PinIncorrect, pkcs11.exceptions.PinLenRange) as error:
            raise Refused(f"the token {label} refuses the PIN", code="wrong_pin") from error
        except pkcs11.PKCS11Error as error:
            raise _failed(error) from error

    @contextmanager
    def session(self) -> Iterator[Any]:
        """The session; what fails in it raises Unavailable (`token_failed`)."""
        from pkcs11 import PKCS11Error

        with self._lock:
            try:
                yield self._session
            except PKCS11Error as error:
                raise _failed(error) from error

    def get(self, name: str, algorithm: Algorithm) -> TokenKey | None:
        """The key of that name, or None. Raises Conflict (`twin_keys`) if the token has two."""
        from pkcs11 import Attribute, ObjectClass

        wanted = {Attribute.LABEL: _label(name, algorithm)}
        with self.session() as session:
            halves = [
                list(session.get_objects({**wanted, Attribute.CLASS: half}))
                for half in (ObjectClass.PUBLIC_KEY, ObjectClass.PRIVATE_KEY)
            ]
            if not all(halves):
                return None
            if any(len(half) > 1 for half in halves):
                raise Conflict(f"the token has two keys named {name}", code="twin_keys")
            ((public,), (private,)) = halves
            point = bytes(public[Attribute.EC_POINT])
        return TokenKey(self, PublicKey(algorithm, _raw(algorithm, point)), private)

    def make(self, name: str, algorithm: Algorithm) -> TokenKey:
        """The key of that name, made inside the token if it is new."""
        found = self.get(name, algorithm)
        if found is None:
            self._generate(_label(name, algorithm), algorithm)
            found = self.get(name, algorithm)
        assert found is not None, "a key that was made is there"
        return found

    def close(self) -> None:
        """Ends the session."""
        with self.session() as session:
            session.close()

    def _generate(self, label: str, algorithm: Algorithm) -> None:
        from pkcs11 import Attribute, KeyType, Mechanism

        if algorithm not in _CURVES:
            raise Refused(
                f"keys in a token are Ed25519, P-256 or secp256k1, not {algorithm.label}",
                code="unknown_algorithm",
            )
        edwards = algorithm is Algorithm.ED25519
        with self.session() as session:
            parameters = session.create_domain_parameters(
                KeyType.EC_EDWARDS if edwards else KeyType.EC,
                {Attribute.EC_PARAMS: _CURVES[algorithm]},
                local=True,
            )
            parameters.generate_keypair(
                store=True,
                label=label,
                mechanism=(
                    Mechanism.EC_EDWARDS_KEY_PAIR_GEN if edwards else Mechanism.EC_KEY_PAIR_GEN
                ),
                private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
            )


def _label(name: str, algorithm: Algorithm) -> str:
    return f"{name}.{algorithm.label}"


def _raw(algorithm: Algorithm, point: bytes) -> bytes:
    """The raw key of CKA_EC_POINT, which is a DER OCTET STRING, in some tokens the bare point."""
    size = 32 if algorithm is Algorithm.ED25519 else 65
    if len(point) == size + 2 and point[:2] == bytes((4, size)):
        point = point[2:]
    if len(point) != size:
        raise MalformedInput(f"the token tells a public point of {len(point)} bytes")
    if algorithm is Algorithm.ED25519:
        return point
    # Compressed, SEC 1 section 2.3.3: the parity of y, then x.
    return bytes((2 + (point[64] & 1),)) + point[1:33]


def _failed(error: Exception) -> Unavailable:
    # A library's message may quote what it was given; its kind is enough.
    return Unavailable(f"the token failed: {type(error).__name__}", code="token_failed")
