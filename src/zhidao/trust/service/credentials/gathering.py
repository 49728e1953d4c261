"""Gathers what a verdict needs: reads a file for the names in it, and asks for each once.

Nothing here judges. A name that cannot be had is left out, and the verdict then says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from zhidao.core.ambient import Clock
from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.trust.service.credentials.external_evidence import DEACTIVATED, Fetched, Gathered
from zhidao.trust.wire.credentials import open_attestation, sd_jwt
from zhidao.trust.wire.credentials.status_list import status_entries
from zhidao.trust.wire.identifiers.did import web_url
from zhidao.trust.wire.identifiers.did_webvh import parse_webvh, resolve

_NAMES_MAX: Final = 16
_WELL_KNOWN: Final = 2


class Fetcher(Protocol):
    """Reads https URLs and DNS names, within the bounds of the house's one way out."""

    async def read(self, url: str) -> bytes:
        """The body. Raises Unavailable or Refused."""
        ...

    async def texts(self, domain: str) -> tuple[str, ...]:
        """The TXT records of a name. Raises Unavailable."""
        ...


@dataclass(slots=True)
class Needs:
    """The outside names in a file."""

    dids: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)


def needs_of(data: bytes) -> Needs:
    """What a file names; nothing for one that cannot be read (its verdict will say so)."""
    needs = Needs()
    try:
        if b"~" in data and data.lstrip()[:1] != b"{":
            _add_did(needs, sd_jwt.parse(data.decode("ascii").strip()).issuer)
            return needs
        document = parse_strict(data)
        if isinstance(document, dict):
            _read(document, needs)
    except (ZhidaoError, UnicodeDecodeError):
        return needs
    return needs


async def gather(data: bytes, fetcher: Fetcher, clock: Clock) -> Gathered:
    """Asks for everything that a file names, and for what its status lists name in turn."""
    needs = needs_of(data)
    lists: dict[str, Fetched] = {}
    for url in sorted(needs.lists)[:_NAMES_MAX]:
        try:
            lists[url] = Fetched(await fetcher.read(url), clock.now())
        except ZhidaoError:
            continue
        needs.dids |= needs_of(lists[url].data).dids
    documents: dict[str, Mapping[str, Any]] = {}
    deactivated: set[str] = set()
    for did in sorted(needs.dids)[:_NAMES_MAX]:
        try:
            documents[did] = await did_document(did, fetcher, clock)
        except ZhidaoError as error:
            if error.code == DEACTIVATED:
                deactivated.add(did)
    texts: dict[str, tuple[str, ...]] = {}
    for domain in sorted(needs.domains)[:_NAMES_MAX]:
        try:
            texts[domain] = await fetcher.texts(domain)
        except ZhidaoError:
            continue
    return Gathered(documents, lists, texts, frozenset(deactivated))


async def did_document(did: str, fetcher: Fetcher, clock: Clock) -> Mapping[str, Any]:
    """The newest document of a did:web or did:webvh. Raises as the fetcher does, and Refused."""
    if did.startswith("did:webvh:"):
        _, place = parse_webvh(did)
        base = f"{place}/.well-known" if place.count("/") == _WELL_KNOWN else place
        log = await fetcher.read(f"{base}/did.jsonl")
        try:
            witnesses = await fetcher.read(f"{base}/did-witness.json")
        except ZhidaoError:
            # Only a log that asks for witnesses needs the file, and then its absence refuses.
            witnesses = b""
        return resolve(did, log, witnesses, now=clock.now()).active()
    document = parse_strict(await fetcher.read(web_url(did)))
    if not isinstance(document, dict):
        raise MalformedInput("a DID document is an object")
    return document


def _read(document: dict[str, Any], needs: Needs) -> None:
    if open_attestation.is_open_attestation(document):
        checked = open_attestation.check(document)
        needs.domains |= {issuer.domain for issuer in checked.issuers if issuer.domain}
        return
    proofs = document.get("proof")
    for proof in proofs if isinstance(proofs, list) else [proofs]:
        if isinstance(proof, dict):
            _add_did(needs, str(proof.get("verificationMethod", "")).partition("#")[0])
    try:
        needs.lists |= {entry.list_url for entry in status_entries(document)}
    except (MalformedInput, Refused):
        return


def _add_did(needs: Needs, did: str) -> None:
    if did.startswith(("did:web:", "did:webvh:")):
        needs.dids.add(did)
