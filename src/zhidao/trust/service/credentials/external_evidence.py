"""What a verdict on a credential may need from outside: DID documents, status lists, DNS names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.timescale import Utc

DEACTIVATED: Final = "did_deactivated"


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bytes from elsewhere, and when they were read there."""

    data: bytes
    at: Utc


class Evidence(Protocol):
    """Answers from what was gathered before; it never asks anybody."""

    def did_document(self, did: str) -> Mapping[str, Any]:
        """The document of a did:web, did:webvh or did:ethr, proven as far as its method can.

        Raises Unavailable (`did_unavailable`), Refused (`did_deactivated`).
        """
        ...

    def status_list(self, url: str) -> Fetched:
        """A status list credential. Raises Unavailable (`status_unavailable`)."""
        ...

    def domain_texts(self, domain: str) -> tuple[str, ...]:
        """The TXT records of a name. Raises Unavailable (`issuer_domain_unavailable`)."""
        ...


@dataclass(frozen=True, slots=True)
class Gathered:
    """Implements `Evidence` over what is in memory; what is not there is unavailable."""

    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lists: Mapping[str, Fetched] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deactivated: frozenset[str] = frozenset()

    def did_document(self, did: str) -> Mapping[str, Any]:
        """The document, if it was gathered. Raises Refused for a DID that was given up."""
        if did in self.deactivated:
            raise Refused(f"{did[:80]} was deactivated", code=DEACTIVATED)
        found = self.documents.get(did)
        if found is None:
            raise Unavailable(
                f"the document of {did[:80]} is not at hand",
                code="did_unavailable",
                remedy="verify with a network, or give the document",
            )
        return found

    def status_list(self, url: str) -> Fetched:
        """The list, if it was gathered."""
        found = self.lists.get(url)
        if found is None:
            raise Unavailable(
                f"the status list {url[:80]} is not at hand",
                code="status_unavailable",
                remedy="verify with a network, or give the list",
            )
        return found

    def domain_texts(self, domain: str) -> tuple[str, ...]:
        """The records, if they were gathered."""
        found = self.texts.get(domain)
        if found is None:
            raise Unavailable(
                f"the DNS records of {domain[:80]} are not at hand",
                code="issuer_domain_unavailable",
                remedy="verify with a network",
            )
        return found
