"""Bytes kept under their own digest: documents, raw windows, evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from zhidao.core.errors import MalformedInput


class Archive(Protocol):
    """Content-addressed bytes. Adapters in `store`: memory and PostgreSQL."""

    async def put(self, data: bytes) -> str:
        """Keeps the bytes and returns their digest; durable when it returns."""
        ...

    async def put_many(self, many: Sequence[bytes]) -> Sequence[str]:
        """The same for several at once: all or none."""
        ...

    async def get(self, digest: str) -> bytes:
        """The bytes of a digest. Raises NotFound."""
        ...


def digest_of(data: bytes) -> str:
    """SHA-256 in lower-case hexadecimal, the name of bytes everywhere in this house."""
    return hashlib.sha256(data).hexdigest()


def check_digest(text: str) -> str:
    """Returns the text if it is a SHA-256 in lower-case hexadecimal, else raises."""
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise MalformedInput(f"not a SHA-256 in lower-case hexadecimal: {text[:72]!r}")
    return text
