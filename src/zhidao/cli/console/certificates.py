"""The certificate of somebody outside that a person gives on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.outputs import take
from zhidao.core.errors import MalformedInput, Unavailable

if TYPE_CHECKING:
    import ssl

_CERTIFICATE_BYTES_MAX: Final = 1024 * 1024
_BEGIN: Final = "-----BEGIN CERTIFICATE-----"


def trusting(file: Path | None) -> ssl.SSLContext:
    """The machine's authorities, or the one certificate of a file. Raises MalformedInput."""
    import ssl

    if file is None:
        return ssl.create_default_context()
    text = take(file, bytes_max=_CERTIFICATE_BYTES_MAX, beside=True).decode("ascii", "ignore")
    try:
        # The empty text would be no authority named, and so the machine's.
        return ssl.create_default_context(cadata=text if _BEGIN in text else _BEGIN)
    except (ssl.SSLError, ValueError) as error:
        raise MalformedInput(
            f"{file} is no certificate in PEM: {getattr(error, 'reason', None) or error}",
            code="bad_certificate",
            remedy="give its own certificate; a node's is tls/certificate.pem of its data folder",
        ) from error


def distrusted(error: BaseException) -> str:
    """Why a certificate was not trusted, if that made a call fail; else empty."""
    import ssl

    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            return str(found.verify_message)
        found = found.__cause__ or found.__context__
    return ""


def untrusted(url: str, why: str, file: Path | None) -> Unavailable:
    """What is said where somebody answers, and by a certificate that is not trusted."""
    by = f"{file} does not vouch for" if file else "this machine does not trust"
    return Unavailable(
        f"{url} answers, by a certificate that {by}: {why}",
        code="untrusted_certificate",
        remedy="name the certificate that you trust with --ca FILE, which zhidao login keeps for"
        " later; a node's own is tls/certificate.pem of its data folder",
    )
