"""Which provider of identities people may sign in by, as the settings name it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from zhidao.core.errors import MalformedInput, Refused

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """A provider. `claim`: which of its claims names a person; `name`: what people call it."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    claim: str = "sub"
    name: str = ""


def provider_settings(
    issuer: str, client_id: str, secret_file: str, *, claim: str, name: str
) -> ProviderSettings | None:
    """From the node's settings; None where no issuer is named.

    Raises MalformedInput, Refused if others may read the secret.
    """
    if not issuer:
        return None
    if not is_address(issuer) or urlsplit(issuer).query or urlsplit(issuer).fragment:
        raise MalformedInput("oidc.issuer is no https address", where="oidc.issuer")
    if not client_id or not claim:
        raise MalformedInput(
            "a provider of identities needs oidc.client_id and oidc.claim", where="oidc.client_id"
        )
    return ProviderSettings(issuer, client_id, _secret(secret_file), claim, name)


def is_address(url: str) -> bool:
    """Whether a provider may be there: over https, or at this machine itself."""
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return secure and bool(parts.hostname) and not parts.username


def _secret(file: str) -> str:
    if not file:
        return ""
    path = Path(file).expanduser().absolute()
    try:
        if path.stat().st_mode & 0o077:
            raise Refused(f"others may read {path}", remedy=f"chmod 600 {path}")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedInput(
            f"{path} cannot be read: {error}", where="oidc.client_secret_file"
        ) from error
