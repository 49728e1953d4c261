"""did:webvh: a DID whose document has a history that proves itself.

Each entry of the log hashes the one before, is signed by keys that the one before allowed, and,
where the log says so, is witnessed by others. Nothing is fetched here, and the implicit services
(#files, #whois) are not added to the document.

Source: The did:webvh DID Method 1.0 (Decentralized Identity Foundation), sections on the log file,
SCID and entry hash, pre-rotation, witnesses and portability; checked against the method's own test
suite.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.encoding import base58btc
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.timescale import Utc
from zhidao.trust.wire.credentials.data_integrity import SUITE, check_proof
from zhidao.trust.wire.identifiers.did import parse_key_method, parse_web_place

_PREFIX: Final = "did:webvh:"
_METHOD: Final = "did:webvh:1.0"
_PLACEHOLDER: Final = "{SCID}"
_ENTRIES_MAX: Final = 1_000
_LOG_BYTES_MAX: Final = 8 * 1024 * 1024
_WITNESSES_MAX: Final = 100
_SHA2_256: Final = bytes([0x12, 0x20])
_SCID: Final = re.compile(r"[1-9A-HJ-NP-Za-km-z]{46}\Z", re.ASCII)
_ENTRY_FIELDS: Final = {"versionId", "versionTime", "parameters", "state", "proof"}
_PARAMETERS: Final = frozenset(
    "method scid updateKeys nextKeyHashes portable witness watchers deactivated ttl".split()
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The newest version of a DID's document; all else is its metadata (DID Core section 7.1.3)."""

    document: dict[str, Any]
    version: str
    created: Utc
    updated: Utc
    deactivated: bool

    def active(self) -> dict[str, Any]:
        """The document. Raises Refused (`did_deactivated`) if the DID was given up."""
        if self.deactivated:
            did = str(self.document.get("id"))[:80]
            raise Refused(f"{did} was deactivated at {self.updated}", code="did_deactivated")
        return self.document


@dataclass(frozen=True, slots=True)
class _Witnesses:
    threshold: int
    ids: tuple[str, ...]


@dataclass(slots=True)
class _Rules:
    """What the entries so far allow for the next one."""

    keys: tuple[str, ...] = ()
    next_hashes: tuple[str, ...] = ()
    portable: bool = False
    witnesses: _Witnesses | None = None
    deactivated: bool = False


def parse_webvh(did: str) -> tuple[str, str]:
    """The SCID and the URL of the log (without its file name). Raises MalformedInput.

    >>> parse_webvh("did:webvh:" + "Q" * 46 + ":example.com:a")[1]
    'https://example.com/a'
    """
    scid, _, place = did.removeprefix(_PREFIX).partition(":")
    if not did.startswith(_PREFIX) or not _SCID.match(scid):
        raise MalformedInput(f"not a did:webvh: {did[:80]!r}")
    return scid, parse_web_place(place)


def resolve(did: str, log: bytes, witness_file: bytes, *, now: Utc) -> Resolved:
    """The document as the log proves it.

    log: the bytes of did.jsonl; witness_file: of did-witness.json, empty if there is none.
    Raises MalformedInput or Refused (`bad_did_log`) naming the entry.
    """
    scid, _ = parse_webvh(did)
    if len(log) > _LOG_BYTES_MAX:
        raise MalformedInput(
            f"a DID's log of {len(log)} bytes; at most {_LOG_BYTES_MAX} are read",
            code="bad_did_log",
        )
    lines = [line for line in log.split(b"\n") if line.strip()]
    if not lines or len(lines) > _ENTRIES_MAX:
        raise _bad(f"it has {len(lines)} entries; 1 to {_ENTRIES_MAX} are read")
    chain = _Chain(scid, now)
    for number, line in enumerate(lines, 1):
        try:
            chain.take(parse_strict(line))
        except ZhidaoError as error:
            raise _bad(f"entry {number}: {error}") from error
    chain.check_witnesses(_witness_proofs(witness_file))
    if chain.state.get("id") != did:
        raise _bad("its newest document is another DID's")
    return Resolved(
        dict(chain.state),
        chain.versions[-1],
        chain.created,
        chain.updated,
        chain.rules.deactivated,
    )


class _Chain:
    def __init__(self, scid: str, now: Utc) -> None:
        self._scid = scid
        self._now = now
        self.rules = _Rules()
        self.versions: list[str] = []
        self.state: dict[str, Any] = {}
        self.created = self.updated = now
        self._needed: list[tuple[int, _Witnesses]] = []

    def take(self, entry: object) -> None:
        """Checks the next entry."""
        entry = _checked_fields(entry)
        number = len(self.versions) + 1
        version, at, parameters, state = (
            entry[name] for name in ("versionId", "versionTime", "parameters", "state")
        )
        if self.rules.deactivated:
            raise _bad("the DID was deactivated")
        before = self.versions[-1] if self.versions else self._scid
        # The hash covers the entry with the former versionId in the place of its own, which holds
        # it.
        unproven = {name: value for name, value in entry.items() if name != "proof"}
        if version != f"{number}-{_entry_hash({**unproven, 'versionId': before})}":
            raise _bad("its hash is not the one in versionId")
        self._check_time(at)
        if number == 1:
            self._check_genesis(unproven, parameters)
        former = self.rules
        self.rules = _after(former, parameters, first=number == 1)
        self._check_place(state, number)
        # By the keys of before: else whoever rewrites the entry could name keys of his own in it.
        allowed = self._allowed(former, parameters, first=number == 1)
        _check_signed(unproven, entry["proof"], allowed, self._now)
        # A change of witnesses is witnessed by those that stood before it.
        watching = self.rules.witnesses if number == 1 else former.witnesses
        if watching is not None:
            self._needed.append((number, watching))
        self.versions.append(version)
        self.state = state

    def check_witnesses(self, proofs: Mapping[str, list[Any]]) -> None:
        """Each entry needs a quorum's proof of itself or of a later one."""
        seen: dict[str, int] = {}
        for number, version in enumerate(self.versions, 1):
            for proof in proofs.get(version, []):
                witness = _witness_of({"versionId": version}, proof, self._now)
                seen[witness] = max(seen.get(witness, 0), number)
        for number, witnesses in self._needed:
            count = sum(1 for each in witnesses.ids if seen.get(each, 0) >= number)
            if count < witnesses.threshold:
                raise _bad(f"entry {number} has {count} of {witnesses.threshold} witnesses")

    def _check_time(self, at: object) -> None:
        if not isinstance(at, str):
            raise _bad("versionTime is no text")
        when = Utc.parse(at)
        if when > self._now or (self.versions and when <= self.updated):
            raise _bad("versionTime does not follow the entry before, or lies ahead")
        if not self.versions:
            self.created = when
        self.updated = when

    def _check_genesis(self, entry: dict[str, Any], parameters: dict[str, Any]) -> None:
        if parameters.get("method") != _METHOD:
            raise _bad(f"its method is another one than {_METHOD}, which alone is understood")
        if parameters.get("scid") != self._scid:
            raise _bad("its SCID is not the DID's")
        blank = jcs({**entry, "versionId": _PLACEHOLDER}).decode()
        whole = blank.replace(self._scid, _PLACEHOLDER).encode()
        if base58btc(_SHA2_256 + hashlib.sha256(whole).digest()) != self._scid:
            raise _bad("the SCID is not the hash of this entry")

    def _check_place(self, state: dict[str, Any], number: int) -> None:
        did = state.get("id")
        if not isinstance(did, str) or parse_webvh(did)[0] != self._scid:
            raise _bad("the document's id bears another SCID")
        if number > 1 and did != self.state["id"]:
            if not self.rules.portable:
                raise _bad("the DID moved and is not portable")
            known = state.get("alsoKnownAs")
            if not isinstance(known, list) or self.state["id"] not in known:
                raise _bad("the DID moved and does not name where from")

    def _allowed(
        self, former: _Rules, parameters: Mapping[str, Any], *, first: bool
    ) -> tuple[str, ...]:
        if former.next_hashes:
            if "updateKeys" not in parameters:
                raise _bad("updateKeys are missing after a pre-rotation")
            if not all(_entry_hash_of(key) in former.next_hashes for key in self.rules.keys):
                raise _bad("an update key was not announced before")
            return self.rules.keys
        return self.rules.keys if first else former.keys


def _checked_fields(entry: object) -> dict[str, Any]:
    if not isinstance(entry, dict) or set(entry) != _ENTRY_FIELDS:
        raise _bad("it has other fields")
    if not isinstance(entry["versionId"], str) or not isinstance(entry["parameters"], dict):
        raise _bad("versionId or parameters are of another type")
    if not isinstance(entry["state"], dict):
        raise _bad("the document is no object")
    return entry


def _after(former: _Rules, parameters: Mapping[str, Any], *, first: bool) -> _Rules:
    unknown = sorted(set(parameters) - _PARAMETERS)
    if unknown:
        raise _bad(f"unknown parameter {unknown[0][:32]!r}")
    if not first and parameters.get("portable") is True and not former.portable:
        raise _bad("a DID becomes portable in its first entry only")
    if not first and "scid" in parameters:
        raise _bad("the SCID stands in the first entry only")
    if parameters.get("method", _METHOD) != _METHOD:
        raise _bad(f"its method is another one than {_METHOD}, which alone is understood")
    keys = _texts(parameters, "updateKeys", former.keys)
    if first and not keys:
        raise _bad("it has no update key")
    return _Rules(
        keys=keys,
        next_hashes=_texts(parameters, "nextKeyHashes", former.next_hashes),
        portable=_flag(parameters, "portable", former.portable),
        witnesses=_witnesses(parameters, former.witnesses),
        deactivated=_flag(parameters, "deactivated", former.deactivated),
    )


def _witnesses(parameters: Mapping[str, Any], former: _Witnesses | None) -> _Witnesses | None:
    if "witness" not in parameters:
        return former
    told = parameters["witness"]
    if told is None or told == {}:
        return None
    if not isinstance(told, dict) or set(told) != {"threshold", "witnesses"}:
        raise _bad("witness has other fields")
    threshold, listed = told["threshold"], told["witnesses"]
    if not isinstance(listed, list) or len(listed) > _WITNESSES_MAX:
        raise _bad(f"witnesses are no list of at most {_WITNESSES_MAX}")
    # Some writers leave the scheme of the did:key away.
    ids = tuple(
        "did:key:" + str(each.get("id")).removeprefix("did:key:") if isinstance(each, dict) else ""
        for each in listed
    )
    whole = isinstance(threshold, int) and not isinstance(threshold, bool)
    if len(set(ids)) != len(ids) or not whole or not 1 <= threshold <= len(ids):
        raise _bad("the threshold is not between one and the number of witnesses")
    return _Witnesses(threshold, ids)


def _check_signed(entry: dict[str, Any], proofs: object, allowed: Sequence[str], now: Utc) -> None:
    items = proofs if isinstance(proofs, list) else [proofs]
    if not items:
        raise _bad("it bears no proof")
    if len(items) > _WITNESSES_MAX:
        raise _bad(f"it bears {len(items)} proofs; at most {_WITNESSES_MAX} are read")
    signers = [_witness_of(entry, proof, now) for proof in items]
    if not any(signer.removeprefix("did:key:") in allowed for signer in signers):
        raise _bad("none of its proofs is by an allowed key")


def _witness_of(entry: dict[str, Any], proof: object, now: Utc) -> str:
    """The did:key whose proof this is."""
    if not isinstance(proof, dict) or proof.get("cryptosuite") != SUITE:
        raise _bad(f"a proof is not {SUITE}")
    method = check_proof(
        entry, proof, key_of=lambda name: parse_key_method(name)[1], now=now, reader=None
    )
    return method.partition("#")[0]


def _witness_proofs(data: bytes) -> dict[str, list[Any]]:
    if not data:
        return {}
    listed = parse_strict(data, bytes_max=_LOG_BYTES_MAX)
    if not isinstance(listed, list) or len(listed) > _ENTRIES_MAX:
        raise _bad(f"did-witness.json is no list of at most {_ENTRIES_MAX}")
    found: dict[str, list[Any]] = {}
    for item in listed:
        good = isinstance(item, dict) and isinstance(item.get("versionId"), str)
        if not good or not isinstance(item.get("proof"), list):
            raise _bad("did-witness.json has another form")
        if len(item["proof"]) > _WITNESSES_MAX:
            raise _bad(f"did-witness.json has over {_WITNESSES_MAX} proofs of a version")
        found.setdefault(item["versionId"], []).extend(item["proof"])
    return found


def _texts(parameters: Mapping[str, Any], name: str, former: tuple[str, ...]) -> tuple[str, ...]:
    if name not in parameters:
        return former
    value = parameters[name]
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _bad(f"{name} is no list of texts")
    if len(value) > _WITNESSES_MAX:
        raise _bad(f"{name} is too long")
    return tuple(value)


def _flag(parameters: Mapping[str, Any], name: str, former: bool) -> bool:  # noqa: FBT001 (a fold)
    value = parameters.get(name, former)
    if not isinstance(value, bool):
        raise _bad(f"{name} is neither true nor false")
    return value


def _entry_hash(value: dict[str, Any]) -> str:
    return base58btc(_SHA2_256 + hashlib.sha256(jcs(value)).digest())


def _entry_hash_of(key: str) -> str:
    return base58btc(_SHA2_256 + hashlib.sha256(key.encode()).digest())


def _bad(what: str) -> Refused:
    return Refused(f"the DID's log: {what}", code="bad_did_log")
