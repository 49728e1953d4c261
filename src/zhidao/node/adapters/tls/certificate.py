"""The node's own TLS certificate, made at the first start and kept."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.files.bounded import read_kept
from zhidao.core.timescale import Utc
from zhidao.node.adapters.tls.authority import Authority, begun, general_name, read_authority
from zhidao.node.config import is_everywhere
from zhidao.node.security.private_files import write_private

_DAYS_VALID: Final = 397  # What browsers accept at most.
_DAYS_BEFORE_RENEWAL: Final = 30


def own_certificate(folder: Path, host: str) -> tuple[str, str]:
    """Paths of certificate and key (PEM) for `host`; made anew 30 days before they run out.

    Where the folder has an authority (`zhidao tls make`), it vouches for the certificate and stands
    behind it in the file. Raises Refused if the authority may not vouch for `host`.
    """
    authority = read_authority(folder)
    if authority is not None:
        _check_names(authority, host)
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    if not _still_good(certificate_file, host, authority):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        if authority is None:
            chain = _certificate(key, host).public_bytes(serialization.Encoding.PEM)
        else:
            own = authority.issue(key.public_key())
            chain = own.public_bytes(serialization.Encoding.PEM) + authority.pem
        write_private(
            key_file,
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
        write_private(certificate_file, chain)
    return str(certificate_file), str(key_file)


@dataclass(frozen=True, slots=True)
class Described:
    """What a certificate says of itself."""

    names: list[str]
    issuer: str
    fingerprint: str
    begins_at: str
    ends_at: str
    days_left: int


def described(file: Path, now: datetime) -> Described:
    """The certificate of a PEM file. Raises Unavailable (`no_certificate`) if it cannot be read."""
    try:
        certificate = x509.load_pem_x509_certificate(read_kept(file))
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = [str(each.value) for each in found.value]
    except (OSError, ValueError, x509.ExtensionNotFound) as error:
        raise Unavailable(f"{file}: {error}", code="no_certificate") from error
    ends = certificate.not_valid_after_utc
    return Described(
        names=names,
        issuer=certificate.issuer.rfc4514_string(),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        begins_at=str(Utc.from_datetime(certificate.not_valid_before_utc)),
        ends_at=str(Utc.from_datetime(ends)),
        days_left=(ends - now).days,
    )


def names_of(host: str) -> list[str]:
    """What an authority must be able to vouch for, for a node that listens at `host`."""
    named = [str(each.value) for each in sorted(_names(host), key=repr)]
    # Everywhere is no address that anybody types.
    kept = [each for each in named if not is_everywhere(each)]
    return list(dict.fromkeys([*kept, "localhost", "127.0.0.1", "::1"]))


def _check_names(authority: Authority, host: str) -> None:
    # A node that listens everywhere starts under whatever name its machine has today.
    if is_everywhere(host) or host in authority.names:
        return
    raise Refused(
        f"the node's authority may not vouch for {host}",
        code="authority_names",
        remedy="make it anew with zhidao tls make --again; devices must trust the new one",
    )


def _still_good(file: Path, host: str, authority: Authority | None) -> bool:
    if not file.exists():
        return False
    certificate = x509.load_pem_x509_certificate(read_kept(file))
    soon = datetime.now(UTC) + timedelta(days=_DAYS_BEFORE_RENEWAL)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if authority is not None:
        return certificate.not_valid_after_utc > soon and authority.issued(certificate)
    return certificate.not_valid_after_utc > soon and _names(host) <= set(names)


def _certificate(key: ec.EllipticCurvePrivateKey, host: str) -> x509.Certificate:
    names = {
        *_names(host),
        x509.DNSName("localhost"),
        general_name("127.0.0.1"),
        general_name("::1"),
    }
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Zhidao node")])
    ends = datetime.now(UTC) + timedelta(days=_DAYS_VALID)
    return (
        begun(subject, subject, key.public_key(), ends)
        .add_extension(x509.SubjectAlternativeName(sorted(names, key=repr)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _names(host: str) -> set[x509.GeneralName]:
    """What the certificate must name: also this machine, if the node listens everywhere."""
    names = {general_name(host)}
    if is_everywhere(host):
        names.add(general_name(socket.gethostname()))
    return names
