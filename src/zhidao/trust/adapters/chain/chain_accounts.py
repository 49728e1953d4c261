"""Accounts on the chain from the keys that the node holds: parties', its own, and custody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import coincurve
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.journal import KeyRing
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.evm import Address
from zhidao.trust.wire.evm.keccak import address_of_point
from zhidao.trust.wire.proof_file.remark import REMARK_KEY_BYTES

# Order of the group of secp256k1: SEC 2 version 2, section 2.4.1.
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SECRET_BYTES_MIN: Final = 32


class SecretAccount:
    """An account whose key is in this process. Signs by RFC 6979: no randomness, same bytes."""

    def __init__(self, secret: bytes) -> None:
        self._key = coincurve.PrivateKey(secret)
        self.address: Address = address_of_point(self._key.public_key.format(compressed=False))

    def sign_digest(self, digest: bytes) -> bytes:
        """The signature r || s || parity over a 32-byte digest."""
        return self._key.sign_recoverable(digest, hasher=None)


class RemoteAccounts(Protocol):
    """Accounts of parties at other nodes, as trust lists name them."""

    def address_of(self, party: PartyId) -> Address | None:
        """A party's account, or None."""
        ...

    def party_at(self, address: Address) -> str:
        """Whose account this is, or ``."""
        ...


class Nobody:
    """Knows no party at another node."""

    def address_of(self, party: PartyId) -> Address | None:
        """None."""
        del party
        return None

    def party_at(self, address: Address) -> str:
        """Nobody."""
        del address
        return ""


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account whose key is elsewhere."""

    address: Address

    def sign_digest(self, digest: bytes) -> bytes:
        """Raises Unavailable: only its holder's node signs."""
        del digest
        raise Unavailable("the account's key is at another node", code="no_key")


class KeptAccounts:
    """Implements `service.title_ports.Accounts` over a key ring and one secret of the node.

    Each custody account is derived from the secret, the deal and the title (HKDF, RFC 5869), so
    nothing needs to be stored to find it again. Whoever has the secret has all of them.
    """

    def __init__(
        self, ring: KeyRing, custody_secret: bytes, elsewhere: RemoteAccounts | None = None
    ) -> None:
        if len(custody_secret) < SECRET_BYTES_MIN:
            raise Refused(f"the custody secret needs {SECRET_BYTES_MIN} bytes at least")
        self._ring = ring
        self._elsewhere = elsewhere or Nobody()
        self._secret = custody_secret

    def registrar(self) -> SecretAccount:
        """The node's own account."""
        return self._derived(b"registrar")

    def of_party(self, party: PartyId) -> SecretAccount | KnownAccount:
        """A party's account; see the port."""
        signer = self._ring.signer(party)
        if signer is None:
            address = self._elsewhere.address_of(party)
            if address is not None:
                return KnownAccount(address)
        if not isinstance(signer, SoftwareKey) or (
            signer.public.algorithm is not Algorithm.SECP256K1
        ):
            raise Unavailable(f"this node holds no chain key of {party}", code="no_key")
        return SecretAccount(signer.secret)

    def remote(self, address: Address) -> str:
        """Whose account at another node this is, or ``."""
        return self._elsewhere.party_at(address)

    def custody(self, *, deal: str, title: str) -> SecretAccount:
        """The account that holds one title for one deal."""
        return self._derived(b"custody", deal.encode(), title.encode())

    def remark_key(self, *, title: str) -> bytes:
        """The key that seals a title's remarks."""
        return self._wide(b"zhidao title remarks v1", (title.encode(),), REMARK_KEY_BYTES)

    def _derived(self, *parts: bytes) -> SecretAccount:
        # 48 bytes reduced by the order: the bias is below 2^-128 (FIPS 186-5, A.2.1).
        wide = self._wide(b"zhidao chain account v1", parts, 48)
        scalar = int.from_bytes(wide, "big") % (_ORDER - 1) + 1
        return SecretAccount(scalar.to_bytes(32, "big"))

    def _wide(self, context: bytes, parts: tuple[bytes, ...], size: int) -> bytes:
        # Lengths before the parts, so that no two lists of parts give one text.
        info = context + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return HKDF(hashes.SHA256(), length=size, salt=None, info=info).derive(self._secret)
