"""A local certificate authority of one node: it vouches for the node's own names and nothing else.

Who trusts it trusts no other address, because its certificate names the only ones that it may
vouch for (RFC 5280 section 4.2.1.10). Its key lies beside the node's, mode 0600: whoever reads the
data folder has the node's own key anyway.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from zhidao.core.errors import Refused
from zhidao.core.files.bounded import read_kept
from zhidao.node.security.private_files import write_private

CERTIFICATE: Final = "authority.pem"
KEY: Final = "authority-key.pem"
# A device that trusts it is asked again after this; its own certificates live for a year.
_DAYS_VALID: Final = 3652
_LEAF_DAYS: Final = 397  # What browsers accept at most.
_DIGEST: Final = hashes.SHA256()
_REMEDY: Final = "make it anew with zhidao tls make --again; devices must trust the new one"


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority's certificate and key, and the names that it may vouch for."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    names: tuple[str, ...]

    @property
    def pem(self) -> bytes:
        """The certificate as PEM: what a device is given."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        """The same as DER, which phones and Windows open by a tap."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as devices show it."""
        return self.certificate.fingerprint(_DIGEST).hex(":").upper()

    def issued(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate is of this authority."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def issue(self, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
        """A certificate of a server for all of its names."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Zhidao node")])
        last = datetime.now(UTC) + timedelta(days=_LEAF_DAYS)
        ends = min(last, self.certificate.not_valid_after_utc)
        names = [general_name(each) for each in self.names]
        issuer_key = self.key.public_key()
        return (
            begun(subject, self.certificate.subject, key, ends)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
            )
            .sign(self.key, _DIGEST)
        )


def make_authority(folder: Path, names: Sequence[str], *, node: str, again: bool) -> Authority:
    """Makes the authority of a node for these names. Raises Refused where there is one already."""
    if (folder / CERTIFICATE).exists() and not again:
        raise Refused(
            f"{folder / CERTIFICATE} is there already",
            code="authority_exists",
            remedy="devices trust it already; make another with --again only if its key is lost",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = tuple(dict.fromkeys(names))
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key, kept, node)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(folder / KEY, secret)
    write_private(folder / CERTIFICATE, certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(certificate, key, kept)


def read_authority(folder: Path) -> Authority | None:
    """The authority of a folder, None if there is none. Raises Refused if its files are spoiled."""
    file = folder / CERTIFICATE
    if not file.exists():
        return None
    try:
        certificate = x509.load_pem_x509_certificate(read_kept(file))
        key = serialization.load_pem_private_key(read_kept(folder / KEY), password=None)
        found = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound) as error:
        raise Refused(f"{file}: {error}", code="bad_authority", remedy=_REMEDY) from error
    whole = isinstance(key, ec.EllipticCurvePrivateKey) and found.permitted_subtrees
    if not whole or key.public_key() != certificate.public_key():
        raise Refused(
            f"{file}: its key is another's, or it names nothing that it may vouch for",
            code="bad_authority",
            remedy=_REMEDY,
        )
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    names = tuple(_text(each) for each in found.permitted_subtrees or ())
    return Authority(certificate, key, names)


def begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, ends: datetime
) -> x509.CertificateBuilder:
    """A certificate of a name for a key, from an hour ago: clocks of devices differ."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(hours=1))
        .not_valid_after(ends)
    )


def general_name(host: str) -> x509.GeneralName:
    """A host as a certificate names it: an address or a name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _certificate(
    key: ec.EllipticCurvePrivateKey, names: Sequence[str], node: str
) -> x509.Certificate:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Zhidao node"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Authority of {node}"[:64]),
        ]
    )
    ends = datetime.now(UTC) + timedelta(days=_DAYS_VALID)
    return (
        begun(subject, subject, key.public_key(), ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(
            x509.NameConstraints([_subtree(each) for each in names], None), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, _DIGEST)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _subtree(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_network(host))
    except ValueError:
        return x509.DNSName(host)


def _text(subtree: x509.GeneralName) -> str:
    if isinstance(subtree.value, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return str(subtree.value.network_address)
    return str(subtree.value)
