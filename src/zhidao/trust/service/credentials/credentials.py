"""Issuing and verifying W3C credentials with the parties' own keys."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from zhidao.core.actor import Actor
from zhidao.core.ambient import Clock
from zhidao.core.archive import Archive, check_digest, digest_of
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.encoding import base64url
from zhidao.core.errors import (
    Conflict,
    MalformedInput,
    NotFound,
    Unavailable,
    ZhidaoError,
)
from zhidao.core.events import latest
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import KeyRing, Records
from zhidao.core.judging import CREDENTIAL, IN_PLACE, Judges, TooMuchWork
from zhidao.core.keys import PublicKey, Signer
from zhidao.core.timescale import Utc
from zhidao.trust.domain.credential import (
    CONTEXT_UNDEFINED_TERMS,
    CONTEXT_V2,
    check_credential,
    type_of,
)
from zhidao.trust.domain.untp import check_untp, enveloped
from zhidao.trust.events import CredentialIssued, UntpEnvelope
from zhidao.trust.service.credentials.external_evidence import Fetched, Gathered
from zhidao.trust.service.credentials.gathering import needs_of
from zhidao.trust.service.credentials.status_lists import StatusLists
from zhidao.trust.service.credentials.verification import judge
from zhidao.trust.wire.credentials.data_integrity import SUITE, secure
from zhidao.trust.wire.credentials.status_list import status_entries
from zhidao.trust.wire.identifiers.did import did_key, key_method
from zhidao.trust.wire.linked_data.jsonld_context import Contexts

CREDENTIAL_BYTES_MAX: Final = 1024 * 1024


class CredentialService:
    """Implements `trust.commands.Credentials`.

    `known` are verification methods that did:key cannot tell (this node's did:web keys).
    """

    def __init__(
        self,
        *,
        records: Records,
        archive: Archive,
        ring: KeyRing,
        node_key: Signer,
        clock: Clock,
        known: Mapping[str, PublicKey],
        contexts: Callable[[], Contexts] | None = None,
        statuses: StatusLists | None = None,
        judges: Judges = IN_PLACE,
    ) -> None:
        """`contexts`: loads the pinned ones, without which only suites that sign JSON are verified.

        `statuses`: where revocable credentials get their status; None: there are none.
        """
        self._records = records
        self._archive = archive
        self._ring = ring
        self._node_key = node_key
        self._clock = clock
        self._known = dict(known)
        self._contexts = contexts
        self._judges = judges
        self._statuses = statuses

    async def issue(
        self,
        actor: Actor,
        *,
        kind: str,
        subject: dict[str, Any],
        document: str,
        readers: Sequence[str],
        revocable: bool | None = None,
        envelope: UntpEnvelope | None = None,
    ) -> dict[str, Any]:
        """A credential by the actor's party about a document, archived and recorded.

        It gets a status in the party's list wherever the node keeps such lists, so that everybody
        can see whether it was taken back; `revocable` insists on one, or on none. `envelope` makes
        it one of UNTP.
        One party issues one credential of a kind over one document: asking again returns it,
        asking with another subject raises Conflict.
        """
        check_digest(document)
        signer = self._signer(actor.party)
        name = _name(issuer=did_key(signer.public), kind=kind, document=document)
        standing = await self._standing(name)
        if standing is None:
            wanted = self._statuses is not None if revocable is None else revocable
            status = await self._status(actor, name) if wanted else {}
            secured = self._make(
                name,
                signer,
                kind=kind,
                subject=subject,
                document=document,
                status=status,
                envelope=envelope,
            )
            data = jcs(secured)
            digest = await self._archive.put(data)
            fact = CredentialIssued(
                digest=digest,
                issuer=did_key(signer.public),
                subject=str(subject.get("id", "")),
                kind=kind,
                document=document,
                cryptosuite=SUITE,
            )
            visible = [party_id(reader) for reader in readers]
            try:
                await self._records.record(
                    actor, _aggregate(name), [fact], after=0, owner=actor.party, visible=visible
                )
            except Conflict:
                # Another call of the same content was first; its credential is the answer.
                standing = await self._standing(name)
                if standing is None:
                    raise
            else:
                standing = data
        credential: dict[str, Any] = parse_strict(standing)
        if credential["credentialSubject"] != parse_strict(jcs(subject)):
            raise Conflict(f"this party issued a credential of that document already: {kind}")
        return credential

    async def verify(self, credential: bytes) -> tuple[bool, str]:
        """Whether it holds now, and if not the reason code; see `explain` for a sentence."""
        reason, _ = await self.explain(credential)
        return not reason, reason

    async def explain(self, credential: bytes) -> tuple[str, str]:
        """("", "") if the credential holds, else the reason code and a sentence.

        Looks at this node's own status lists and at nobody else's.
        """
        if len(credential) > CREDENTIAL_BYTES_MAX:
            return "malformed_input", f"a credential has {CREDENTIAL_BYTES_MAX} bytes at most"
        now = self._clock.now()
        try:
            lists = await self._own_lists(credential, now)
            verdict = await self._judges.run(
                CREDENTIAL,
                judge,
                credential,
                now,
                Gathered(lists=lists),
                self._known,
                self._contexts,
            )
        except TooMuchWork as error:
            return error.code, str(error)
        return ("", "") if verdict.holds else (verdict.code, verdict.sentence)

    async def revoke(self, actor: Actor, digest: str, *, reason: str) -> None:
        """Takes back a revocable credential that the actor's party issued. Raises NotFound."""
        document = parse_strict(await self.read(actor, digest))
        if self._statuses is None:
            raise NotFound("this node keeps no status lists")
        entries = status_entries(document)
        if not entries:
            raise NotFound("this party issued no such credential with a status")
        await self._statuses.revoke(
            actor, str(document["id"]), of=entries[0].list_url, reason=reason
        )

    async def status_list(self, party: str, number: int = 1) -> dict[str, Any]:
        """A signed status list of a party, for whoever asks. Raises NotFound."""
        if self._statuses is None:
            raise NotFound("this node keeps no status lists")
        return await self._statuses.document(party_id(party), self._signer, number=number)

    async def _status(self, actor: Actor, name: str) -> dict[str, Any]:
        if self._statuses is None:
            raise Unavailable("this node keeps no status lists", code="no_status_lists")
        return {"credentialStatus": await self._statuses.entry(actor, name)}

    async def _own_lists(self, credential: bytes, now: Utc) -> dict[str, Fetched]:
        found: dict[str, Fetched] = {}
        needs = await self._judges.run(CREDENTIAL, needs_of, credential)
        for url in needs.lists:
            ours = None if self._statuses is None else self._statuses.named(url)
            if ours is None:
                continue
            try:
                found[url] = Fetched(jcs(await self.status_list(*ours)), now)
            except (NotFound, MalformedInput, Unavailable):
                continue
        return found

    async def read(self, actor: Actor, digest: str) -> bytes:
        """The bytes of a credential that the actor may see. Raises NotFound."""
        absent = NotFound("no credential of that digest")
        try:
            data = await self._archive.get(check_digest(digest))
            name = str(parse_strict(data, bytes_max=CREDENTIAL_BYTES_MAX)["id"])
        except (ZhidaoError, KeyError, TypeError) as error:
            if isinstance(error, Unavailable):
                raise
            raise absent from error
        history = await self._records.history(_aggregate(name), actor)
        fact = latest(history, CredentialIssued)
        if fact is None or fact.digest != digest:
            raise absent
        return data

    def _make(
        self,
        name: str,
        signer: Signer,
        *,
        kind: str,
        subject: dict[str, Any],
        document: str,
        status: dict[str, Any],
        envelope: UntpEnvelope | None,
    ) -> dict[str, Any]:
        now = self._clock.now()
        related = bytes.fromhex(document)
        unsecured = {
            "@context": [CONTEXT_V2, CONTEXT_UNDEFINED_TERMS],
            "id": name,
            "type": ["VerifiableCredential", type_of(kind)],
            "issuer": did_key(signer.public),
            "validFrom": str(now),
            "credentialSubject": subject,
            # RFC 6920 names the document by its hash alone, wherever it is kept.
            "relatedResource": [
                {
                    "id": f"ni:///sha-256;{base64url(related)}",
                    "digestSRI": f"sha256-{base64.b64encode(related).decode()}",
                }
            ],
            **status,
        }
        if envelope is not None:
            unsecured = enveloped(unsecured, envelope)
        check_credential(unsecured)
        if envelope is not None:
            check_untp(unsecured)
        return secure(unsecured, signer=signer, method=key_method(signer.public), created=now)

    def _signer(self, party: PartyId) -> Signer:
        if party == self._records.node:
            return self._node_key
        signer = self._ring.signer(party)
        if signer is None:
            raise Unavailable(f"this node holds no key of {party}", code="no_key")
        return signer

    async def _standing(self, name: str) -> bytes | None:
        fact = latest(await self._records.history(_aggregate(name)), CredentialIssued)
        return None if fact is None else await self._archive.get(fact.digest)


def _name(*, issuer: str, kind: str, document: str) -> str:
    """The credential's id: a UUID of version 8 (RFC 9562 section 5.8) over what makes it one."""
    digest = bytes.fromhex(digest_of(jcs([issuer, kind, document])))
    number = int.from_bytes(digest[:16], "big")
    number = number & ~(0xF << 76) & ~(0x3 << 62) | 8 << 76 | 2 << 62
    return f"urn:uuid:{UUID(int=number)}"


def aggregate_of_credential(*, issuer: str, kind: str, document: str) -> str:
    """The history of a credential, by what makes it one."""
    return _aggregate(_name(issuer=issuer, kind=kind, document=document))


def _aggregate(name: str) -> str:
    return "credential/" + name.removeprefix("urn:uuid:")
