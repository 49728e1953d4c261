"""The certificate of somebody outside that a person gives on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.outputs import take
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    import ssl

_CERTIFICATE_BYTES_MAX: Final = 1024 * 1024
_BEGIN: Final = "-----BEGIN CERTIFICATE-----"


def trusting(file: Path | None) -> ssl.SSLContext:
    """The machine's authorities, or the one certificate of a file. Raises MalformedInput."""
    import ssl

    if file is None:
        return ssl.create_default_context()
    text = take(file, bytes_max=_CERTIFICATE_BYTES_MAX).decode("ascii", "ignore")
    try:
        # The empty text would be no authority named, and so the machine's.
        return ssl.create_default_context(cadata=text if _BEGIN in text else _BEGIN)
    except (ssl.SSLError, ValueError) as error:
        raise MalformedInput(
            f"{file} is no certificate in PEM: {getattr(error, 'reason', None) or error}",
            code="bad_certificate",
            remedy="give its own certificate; a node's is tls/certificate.pem of its data folder",
        ) from error
