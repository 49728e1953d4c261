"""One authority for one plan, and the certificates by which its machines know each other.

They are for the machines' own talk alone; pages keep the node's own certificate. They live as long
as the authority: a cluster that stands still because a certificate ran out helps nobody.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAYS_VALID: Final = 3652
_DIGEST: Final = hashes.SHA256()
_USAGES: Final = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


class MachineAuthority:
    """Made for one plan. Its key is written into the plan's folder and on no machine."""

    def __init__(self, node: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(f"Machines of {node}")
        self._ends = datetime.now(UTC) + timedelta(days=_DAYS_VALID)
        self._certificate = (
            self._begun(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
            .sign(self._key, _DIGEST)
        )

    @property
    def pem(self) -> bytes:
        """The certificate that every part trusts."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """Its key: whoever has it can be any machine."""
        return _key_pem(self._key)

    def issue(self, name: str, addresses: Sequence[str]) -> tuple[bytes, bytes]:
        """Certificate and key (PEM) of one part of a machine, as server and as client."""
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = (
            self._begun(_named(name), key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(issuer, critical=False)
        )
        if addresses:
            names = x509.SubjectAlternativeName([_general(each) for each in addresses])
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self._key, _DIGEST)
        return certificate.public_bytes(serialization.Encoding.PEM), _key_pem(key)

    def _begun(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        # From an hour ago: clocks of machines differ.
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(hours=1))
            .not_valid_after(self._ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _general(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _usage(*chosen: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in chosen for name in _USAGES})


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
