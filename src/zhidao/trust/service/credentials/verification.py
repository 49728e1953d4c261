"""One verdict on a credential of any maker: `ok`, or the reason why it is refused.

Pure: what it needs from outside was gathered before. There is no verdict "valid with a warning":
what cannot be looked up is a reason too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput, Refused, Unavailable, ZhidaoError
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc
from zhidao.trust.domain.credential import (
    check_contexts_known,
    check_credential,
    check_period,
    issuer_of,
)
from zhidao.trust.domain.untp import check_untp, is_untp
from zhidao.trust.service.credentials.external_evidence import Evidence, Gathered
from zhidao.trust.wire.credentials import open_attestation, sd_jwt
from zhidao.trust.wire.credentials.data_integrity import SUITES, check_proof
from zhidao.trust.wire.credentials.jwk import key_of_did_jwk
from zhidao.trust.wire.credentials.status_list import StatusEntry, is_set, status_entries
from zhidao.trust.wire.identifiers.did import parse_key_method, web_url
from zhidao.trust.wire.identifiers.did_document import asserting_key
from zhidao.trust.wire.linked_data.jsonld_context import (
    ContextReader,
    Contexts,
    expand_iri,
    is_absolute,
)

OK: Final = "ok"
CREDENTIAL_BYTES_MAX: Final = 4 * 1024 * 1024
_PROOFS_MAX: Final = 16
_STATUSES_MAX: Final = 8
_NS: Final = 1_000_000_000
_HOUR_NS: Final = 3_600 * _NS
# A list that says nothing of its own life is believed for an hour.
_LIST_AGE_NS_MAX: Final = _HOUR_NS
_LIST_AGE_NS_LIMIT: Final = 24 * _HOUR_NS


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a credential. `code` is `ok` or a reason code; `form` says what it was."""

    code: str
    sentence: str
    form: str
    issuer: str

    @property
    def holds(self) -> bool:
        """Whether it may be relied on at the time of asking."""
        return self.code == OK


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the asker knows beside the document: who should have issued it, who shows it now."""

    issuers: frozenset[str] = frozenset()
    audience: str | None = None
    nonce: str | None = None


class CredentialVerifier:
    """Judges W3C credentials with Data Integrity proofs, SD-JWT VC and OpenAttestation."""

    def __init__(
        self,
        contexts: Contexts | ContextReader | None = None,
        *,
        known_keys: Mapping[str, PublicKey] | None = None,
    ) -> None:
        """`contexts`: the pinned ones; without them only suites that sign JSON are known.

        `known_keys` by verification method: this node's own, which need no looking up.
        """
        if contexts is None or isinstance(contexts, ContextReader):
            self._reader = contexts
        else:
            self._reader = ContextReader(contexts)
        self._known_keys = dict(known_keys or {})

    def verify(
        self,
        data: bytes,
        now: Utc,
        *,
        evidence: Evidence | None = None,
        expected: Expectation | None = None,
    ) -> Verdict:
        """The verdict on a file at a time. Never raises for what the file says."""
        judged = _Judgement(
            self._reader, self._known_keys, now, evidence or Gathered(), expected or Expectation()
        )
        try:
            judged.judge(data)
        except ZhidaoError as error:
            return Verdict(error.code, str(error), judged.form, judged.issuer)
        return Verdict(OK, "", judged.form, judged.issuer)


def judge(
    data: bytes,
    now: Utc,
    evidence: Gathered,
    known_keys: Mapping[str, PublicKey],
    contexts: Callable[[], Contexts] | None,
) -> Verdict:
    """The verdict of a verifier of these keys and contexts, for a process that judges."""
    reader = None if contexts is None else _reader_of(contexts)
    return CredentialVerifier(reader, known_keys=known_keys).verify(data, now, evidence=evidence)


@lru_cache(maxsize=2)
def _reader_of(contexts: Callable[[], Contexts]) -> ContextReader:
    # It remembers what it made of the pinned contexts.
    return ContextReader(contexts())


class _Judgement:
    def __init__(
        self,
        reader: ContextReader | None,
        known_keys: Mapping[str, PublicKey],
        now: Utc,
        evidence: Evidence,
        expected: Expectation,
    ) -> None:
        self._reader = reader
        self._known_keys = known_keys
        self._now = now
        self._evidence = evidence
        self._expected = expected
        self.form = "unknown"
        self.issuer = ""

    def judge(self, data: bytes) -> None:
        """Raises the ZhidaoError that is the reason."""
        if len(data) > CREDENTIAL_BYTES_MAX:
            raise MalformedInput(f"a credential has {CREDENTIAL_BYTES_MAX} bytes at most")
        start = data.lstrip()[:1]
        if start not in (b"{", b"[", b'"') and b"~" in data:
            self._sd_jwt(data.strip())
            return
        document = parse_strict(data)
        if not isinstance(document, dict):
            raise MalformedInput("a credential is a JSON object", code="malformed_credential")
        if open_attestation.is_open_attestation(document):
            self._open_attestation(document)
        else:
            self.form = "w3c"
            self._w3c(document)
            self._statuses(document)

    def key_of(self, method: str) -> PublicKey:
        """The key of a verification method, by its DID."""
        known = self._known_keys.get(method)
        if known is not None:
            return known
        did = method.partition("#")[0]
        try:
            if did.startswith("did:key:"):
                return parse_key_method(method)[1]
            if did.startswith("did:jwk:") and method in (did, f"{did}#0"):
                return key_of_did_jwk(did)
            if did.startswith("did:web:"):
                # A place that cannot be one is nobody's, whoever is asked.
                web_url(did)
        except MalformedInput as error:
            raise Refused(str(error), code="unknown_key") from error
        if did.startswith(("did:web:", "did:webvh:")):
            return asserting_key(self._evidence.did_document(did), did, method)
        raise Refused(f"nobody here knows the key {method[:80]!r}", code="unknown_key")

    def _proven(self, data: bytes) -> dict[str, Any]:
        document = parse_strict(data)
        if not isinstance(document, dict):
            raise MalformedInput("a credential is a JSON object", code="malformed_credential")
        self._w3c(document)
        return document

    def _w3c(self, document: dict[str, Any]) -> None:
        check_credential(document)
        issuer = issuer_of(document)
        self.issuer = self.issuer or issuer
        proofs = document.get("proof")
        items: list[Any] = proofs if isinstance(proofs, list) else [proofs]
        if len(items) > _PROOFS_MAX:
            raise MalformedInput(
                f"the document bears {len(items)} proofs; at most {_PROOFS_MAX} are checked",
                code="bad_proof",
                where="proof",
            )
        if not items or not all(isinstance(p, dict) for p in items):
            raise MalformedInput("the document bears no proof", code="bad_proof")
        self._meaning(document, items)
        unproven = dict(document)
        del unproven["proof"]
        # All hold, and one at least is the issuer's: a proof of a stranger proves nothing.
        methods = [
            check_proof(unproven, proof, key_of=self.key_of, now=self._now, reader=self._reader)
            for proof in items
        ]
        if not any(method.partition("#")[0] == issuer for method in methods):
            raise Refused("the proof is not of the issuer's key", code="issuer_mismatch")
        self._check_expected(issuer)
        check_period(document, self._now)

    def _meaning(self, document: dict[str, Any], proofs: list[dict[str, Any]]) -> None:
        """Contexts are known, and every type has a meaning in them.

        A suite that signs JSON says nothing of contexts, so those of the document itself, which
        could give a known name another meaning, are refused there.
        """
        suites = [SUITES.get(str(proof.get("cryptosuite"))) for proof in proofs]
        needing = [suite is not None and suite.needs_contexts for suite in suites]
        if is_untp(document):
            check_untp(document)
            if not any(needing):
                return  # Its words are those of one release of UNTP, whose shape it has.
        if self._reader is None:
            check_contexts_known(document)
            return
        if not all(needing) and not all(isinstance(url, str) for url in document["@context"]):
            raise Refused("a context within the document", code="unknown_context")
        active = self._reader.applied(self._reader.initial(), document["@context"])
        kinds = document["type"]
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            iri = expand_iri(active, kind)
            if iri is None or not is_absolute(iri):
                raise Refused(
                    f"the type {kind[:64]!r} means nothing in its contexts", code="unmapped_term"
                )

    def _statuses(self, document: dict[str, Any]) -> None:
        entries = status_entries(document)
        if len(entries) > _STATUSES_MAX:
            raise MalformedInput(
                f"{len(entries)} statuses; at most {_STATUSES_MAX} are asked for",
                code="malformed_credential",
                where="credentialStatus",
            )
        for entry in entries:
            if is_set(self._list_of(entry, issuer_of(document)), entry):
                raise Refused(f"its issuer has set its status to {entry.reason}", code=entry.reason)

    def _list_of(self, entry: StatusEntry, issuer: str) -> dict[str, Any]:
        fetched = self._evidence.status_list(entry.list_url)
        inner = _Judgement(self._reader, self._known_keys, self._now, self._evidence, Expectation())
        try:
            listed = inner._proven(fetched.data)
        except Unavailable:
            raise
        except ZhidaoError as error:
            code = "status_stale" if error.code == "expired" else "bad_status_list"
            raise Refused(f"the status list: {error}", code=code) from error
        if listed.get("id") != entry.list_url or issuer_of(listed) != issuer:
            raise Refused("the status list is another one, or another's", code="bad_status_list")
        if self._now.unix_ns - fetched.at.unix_ns > _life_ns(listed):
            raise Refused(
                f"the status list was read at {fetched.at}; read it again", code="status_stale"
            )
        return listed

    def _sd_jwt(self, data: bytes) -> None:
        self.form = "sd-jwt"
        try:
            token = sd_jwt.parse(data.decode("ascii"))
        except UnicodeDecodeError as error:
            raise MalformedInput("the token is no ASCII", code="bad_token") from error
        self.issuer = token.issuer
        if token.key_id and token.key_id.partition("#")[0] != token.issuer:
            raise Refused("the token's key is not its issuer's", code="issuer_mismatch")
        claims = sd_jwt.verify(
            token,
            key_of=self._token_key,
            now_s=self._now.unix_ns // _NS,
            audience=self._expected.audience,
            nonce=self._expected.nonce,
        )
        if not isinstance(claims.get("vct"), str):
            raise MalformedInput("the token has no vct", code="bad_token")
        self._check_expected(token.issuer)
        if "status" in claims:
            raise Refused(
                "the token has a status list of a kind that is not read here",
                code="unsupported_status",
            )

    def _token_key(self, method: str) -> PublicKey:
        # A did:key names one key, so a token may leave the fragment away.
        if method.startswith("did:key:") and "#" not in method:
            method = f"{method}#{method.removeprefix('did:key:')}"
        return self.key_of(method)

    def _open_attestation(self, document: dict[str, Any]) -> None:
        self.form = "open-attestation"
        checked = open_attestation.check(document)
        self.form = f"open-attestation-{checked.version}"
        self.issuer = checked.issuers[0].value
        if checked.expires and self._now > Utc.parse(checked.expires):
            raise Refused(f"valid until {checked.expires[:32]}", code="expired")
        for issuer in checked.issuers:
            self._check_expected(issuer.value)
            if issuer.method != "DID":
                raise Unavailable(
                    f"whether {issuer.value[:48]} holds it stands on a chain",
                    code="registry_unavailable",
                )
            if issuer.value not in checked.signed_by:
                raise Refused("the issuer's DID did not sign it", code="issuer_mismatch")
            if issuer.revocation not in ("", "NONE"):
                raise Unavailable(
                    f"its revocation by {issuer.revocation[:24]} cannot be looked up here",
                    code="status_unavailable",
                )
            self._ethr_stands(issuer.value)
            if issuer.domain:
                self._domain_vouches(issuer.domain, issuer.value)

    def _ethr_stands(self, did: str) -> None:
        """A did:ethr may have been given to another key on its chain: its document says."""
        document = self._evidence.did_document(did)
        account = did.removeprefix("did:ethr:").lower()
        methods = document.get("verificationMethod", [])
        accounts = [
            str(method.get("blockchainAccountId", "")).lower().rpartition(":")[2]
            for method in (methods if isinstance(methods, list) else [])
            if isinstance(method, Mapping) and method.get("controller") == did
        ]
        if account not in accounts:
            raise Refused(f"{did[:64]} has another key now", code="unknown_key")

    def _domain_vouches(self, domain: str, did: str) -> None:
        wanted = f"{did}{open_attestation.CONTROLLER}".lower()
        for text in self._evidence.domain_texts(domain):
            fields = dict(
                part.strip().partition("=")[::2]
                for part in text.removeprefix("openatts ").split(";")
            )
            named = text.startswith("openatts ") and fields.get("a") == "dns-did"
            if named and fields.get("p", "").lower() == wanted:
                return
        raise Refused(
            f"{domain[:64]} does not name the issuer's key", code="issuer_domain_mismatch"
        )

    def _check_expected(self, issuer: str) -> None:
        if self._expected.issuers and issuer not in self._expected.issuers:
            raise Refused(f"issued by {issuer[:80]}, not by who was expected", code="wrong_issuer")


def _life_ns(listed: Mapping[str, Any]) -> int:
    """How long a read list is believed, in nanoseconds: its ttl (milliseconds) within bounds."""
    ttl_ms = listed["credentialSubject"].get("ttl")
    if isinstance(ttl_ms, bool) or not isinstance(ttl_ms, int) or ttl_ms < 0:
        return _LIST_AGE_NS_MAX
    return min(ttl_ms * 1_000_000, _LIST_AGE_NS_LIMIT)
