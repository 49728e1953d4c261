"""A governed trust list as a file (`.zdtrust`): roots, targets, the list, and a log's proof.

The file is all that a verifier needs without a network. Metadata are those of python-tuf
(The Update Framework specification 1.0, sections 4.3 and 4.5), kept as the bytes that were signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Key, Signature, SSlibKey  # type: ignore[attr-defined]
from securesystemslib.signer import Signer as TufSigner  # type: ignore[attr-defined]
from tuf.api.exceptions import LengthOrHashMismatchError, UnsignedMetadataError
from tuf.api.metadata import (  # type: ignore[attr-defined]
    Metadata,
    Role,
    Root,
    TargetFile,
    Targets,
)
from tuf.api.serialization import DeserializationError
from tuf.api.serialization.json import CanonicalJSONSerializer, JSONSerializer

from zhidao.core.canonical import decode_json, jcs, parse_strict
from zhidao.core.encoding import utf8
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, PublicKey, Signer
from zhidao.core.timescale import NS, Utc
from zhidao.core.versions import check_version
from zhidao.trust.domain.governance import GovernedList, check_lifetime
from zhidao.trust.wire.governance.trust_list import (
    TRUST_BYTES_MAX,
    check_form,
    decode_trust_list,
)

GOVERNED_FORMAT: Final = "zhidao.governed-trust"
GOVERNED_BYTES_MAX: Final = 2 * TRUST_BYTES_MAX
TARGET: Final = "trust.json"
ROOTS_MAX: Final = 64
GOVERNORS_MAX: Final = 64
_METADATA_BYTES_MAX: Final = 1024 * 1024
# The framework asks for four roles; the last two are never used (see domain.governance).
_ROLES: Final = ("root", "targets", "timestamp", "snapshot")
_Metadata = Annotated[str, msgspec.Meta(max_length=_METADATA_BYTES_MAX)]


class _Version(msgspec.Struct):
    v: int | msgspec.UnsetType = msgspec.UNSET


class _File(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    format: str
    roots: Annotated[list[_Metadata], msgspec.Meta(min_length=1, max_length=ROOTS_MAX)]
    targets: _Metadata
    trust: Annotated[str, msgspec.Meta(max_length=TRUST_BYTES_MAX)]
    seen: Annotated[str, msgspec.Meta(max_length=_METADATA_BYTES_MAX)]


@dataclass(frozen=True, slots=True)
class GovernedFile:
    """The parts of a file; `seen` is a tlog-proof of the version's leaf, or nothing."""

    roots: tuple[bytes, ...]
    targets: bytes
    trust: bytes
    seen: bytes = b""

    @property
    def root_fingerprint(self) -> str:
        """What people compare: SHA-256 over what the first root says, not over its signatures."""
        said = _said(_root(self.roots[0]))
        digest = hashlib.sha256(said).hexdigest()[:32]
        return "-".join(digest[at : at + 4] for at in range(0, 32, 4))

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, over what this version says."""
        return hashlib.sha256(_said(_targets(self.targets))).hexdigest()


def encode_governed(file: GovernedFile) -> bytes:
    """The file's bytes."""
    plain: dict[str, Any] = {
        "v": 1,
        "format": GOVERNED_FORMAT,
        "roots": [root.decode() for root in file.roots],
        "targets": file.targets.decode(),
        "trust": file.trust.decode(),
        "seen": file.seen.decode(),
    }
    return jcs(plain)


def decode_governed(data: bytes) -> GovernedFile:
    """Reads a file; it is then well formed, not yet believed (`verify_governed`).

    Raises MalformedInput for any bytes but the one form of a governed list.
    """
    if len(data) > GOVERNED_BYTES_MAX:
        raise MalformedInput(f"a governed list of {len(data)} bytes; at most {GOVERNED_BYTES_MAX}")
    try:
        told = decode_json(data, _Version).v
        check_version(told, form="a governed trust list", known=(1,), where="v")
        read = decode_json(data, _File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedInput(f"not a governed trust list: {error}") from error
    if (read.v, read.format) != (1, GOVERNED_FORMAT):
        raise MalformedInput(f"not a governed list of version 1: {read.format[:32]!r} {read.v}")
    file = GovernedFile(
        tuple(utf8(root) for root in read.roots),
        utf8(read.targets),
        utf8(read.trust),
        utf8(read.seen),
    )
    for root in file.roots:
        _root(root)
    _targets(file.targets)
    check_form(data, encode_governed(file), what="the governed list")
    return file


def propose(
    trust: bytes,
    *,
    governors: Sequence[PublicKey],
    threshold: int,
    expires: Utc,
    after: GovernedFile | None = None,
) -> GovernedFile:
    """The next version, unsigned; a new root too if governors or threshold change.

    Raises MalformedInput, Refused: `short_lifetime`, or `bad_threshold` unless two or more
    governors must sign (and no more than there are).
    """
    check_lifetime(decode_trust_list(trust).created, expires)
    if len(set(governors)) > GOVERNORS_MAX:
        raise Refused(
            f"{len(set(governors))} governors; at most {GOVERNORS_MAX} govern a list",
            code="bad_threshold",
        )
    if not 2 <= threshold <= len(set(governors)):
        raise Refused(
            f"{threshold} of {len(set(governors))} governors: two or more must sign, so that no "
            "single one can change the list",
            code="bad_threshold",
        )
    before = _root(after.roots[-1]).signed if after else None
    version = _targets(after.targets).signed.version + 1 if after else 1
    targets = Targets(
        version=version,
        expires=_datetime(expires),
        targets={TARGET: TargetFile.from_data(TARGET, trust, ["sha256"])},
    )
    root = _new_root(governors, threshold, expires, before)
    roots = after.roots if after else ()
    keep = (
        before is not None
        and _governing(before) == _governing(root)
        and (before.expires >= root.expires)
    )
    return GovernedFile(
        roots if keep else (*roots, _bytes(Metadata(root))), _bytes(Metadata(targets)), trust
    )


def sign_governed(file: GovernedFile, signer: Signer) -> GovernedFile:
    """The file with this governor's signature where it counts.

    Raises Refused (`not_a_governor`) if neither the newest root nor the one before names the key.
    """
    key = _tuf_key(signer.public)
    roots = [_root(root) for root in file.roots]
    named = [key.keyid in root.signed.roles["root"].keyids for root in roots[-2:]]
    if not any(named):
        raise Refused("this key is no governor of the list", code="not_a_governor")
    newest, targets = roots[-1], _targets(file.targets)
    newest.sign(_Adapter(signer, key), append=True)
    if named[-1]:
        targets.sign(_Adapter(signer, key), append=True)
    return replace(file, roots=(*file.roots[:-1], _bytes(newest)), targets=_bytes(targets))


def verify_governed(file: GovernedFile, *, pinned: str | None = None) -> GovernedList:
    """Checks roots, signatures, versions and the list's bytes; not the time.

    `pinned`: fingerprint of the first root, as a person compared it. Raises Refused:
    `untrusted_root`, `threshold_not_met`, `wrong_version`, `wrong_digest`, `short_lifetime`.
    """
    if pinned is not None and file.root_fingerprint != pinned:
        raise Refused(
            f"the list begins with the root {file.root_fingerprint}, not {pinned}",
            code="untrusted_root",
        )
    roots = [_root(root) for root in file.roots]
    before = roots[0]
    for number, root in enumerate(roots):
        if root.signed.version != number + 1:
            raise Refused(f"root {number + 1} says {root.signed.version}", code="wrong_version")
        for judge in {before.signed.version: before, root.signed.version: root}.values():
            _verified("root", judge.signed, root)
        before = root
    targets = _targets(file.targets)
    _verified("targets", before.signed, targets)
    try:
        targets.signed.targets[TARGET].verify_length_and_hashes(file.trust)
    except (LengthOrHashMismatchError, KeyError) as error:
        raise Refused("the list's bytes are not the signed ones", code="wrong_digest") from error
    trust = decode_trust_list(file.trust)
    expires = _utc(min(before.signed.expires, targets.signed.expires))
    check_lifetime(trust.created, expires)
    role = before.signed.roles["targets"]
    names = {keyid: _name(before.signed.keys[keyid]) for keyid in role.keyids}
    return GovernedList(
        trust=trust,
        version=targets.signed.version,
        root=file.root_fingerprint,
        root_version=before.signed.version,
        governors=tuple(sorted(names.values())),
        threshold=role.threshold,
        signers=tuple(sorted(names[k] for k in _signers("targets", before.signed, targets))),
        expires=expires,
        digest=file.digest,
        fresh=None,
    )


def governors_of(file: GovernedFile) -> tuple[tuple[PublicKey, ...], int]:
    """Who governs by the newest root, and how many of them must sign; nothing is checked."""
    root = _root(file.roots[-1]).signed
    role = root.roles["root"]
    keys = [bytes.fromhex(root.keys[keyid].keyval["public"]) for keyid in role.keyids]
    return tuple(PublicKey(Algorithm.ED25519, key) for key in keys), role.threshold


def missing_signatures(file: GovernedFile) -> int:
    """How many more governors must sign before the newest root and this version hold."""
    roots = [_root(root).signed for root in file.roots]
    newest, targets = _root(file.roots[-1]), _targets(file.targets)
    lacking = [
        judge.roles[role].threshold - len(_signers(role, judge, metadata))
        for role, judge, metadata in (
            ("root", roots[max(len(roots) - 2, 0)], newest),
            ("root", roots[-1], newest),
            ("targets", roots[-1], targets),
        )
    ]
    return max(0, *lacking)


class _Adapter(TufSigner):
    """Our signer under the framework's name."""

    def __init__(self, signer: Signer, key: SSlibKey) -> None:
        self._signer = signer
        self._key = key

    @property
    def public_key(self) -> Key:
        return self._key

    @classmethod
    def from_priv_key_uri(
        cls,
        priv_key_uri: str,  # noqa: ARG003 (the framework's signature, here and below)
        public_key: Key,  # noqa: ARG003
        secrets_handler: Callable[[str], str] | None = None,  # noqa: ARG003
    ) -> TufSigner:
        # The framework's way to load keys from anywhere: ours come from the node's own key files.
        raise Refused("a governor's key comes from a key file, not from a URI")

    def sign(self, payload: bytes) -> Signature:
        return Signature(self._key.keyid, self._signer.sign(payload).hex())


def _tuf_key(key: PublicKey) -> SSlibKey:
    if key.algorithm is not Algorithm.ED25519:
        raise MalformedInput("a governor's key is Ed25519", code="unknown_algorithm")
    plain = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": key.raw.hex()}}
    return SSlibKey(hashlib.sha256(jcs(plain)).hexdigest(), **plain)  # type: ignore[arg-type]


def _name(key: Key) -> str:
    return PublicKey(Algorithm.ED25519, bytes.fromhex(key.keyval["public"])).fingerprint


def _new_root(
    governors: Sequence[PublicKey], threshold: int, expires: Utc, before: Root | None
) -> Root:
    keys = {key.keyid: key for key in map(_tuf_key, governors)}
    return Root(
        version=before.version + 1 if before else 1,
        expires=_datetime(expires),
        keys=dict(keys),
        roles={role: Role(sorted(keys), threshold) for role in _ROLES},
        consistent_snapshot=False,
    )


def _governing(root: Root) -> tuple[frozenset[str], int]:
    return frozenset(root.roles["root"].keyids), root.roles["root"].threshold


def _verified(role: str, judge: Root, metadata: Metadata[Any]) -> None:
    """Raises Refused unless a threshold of the judge's keys signed."""
    try:
        judge.verify_delegate(role, _said(metadata), metadata.signatures)
    except (UnsignedMetadataError, UnverifiedSignatureError, ValueError) as error:
        raise Refused(
            f"version {metadata.signed.version} of {role} has too few signatures of root "
            f"{judge.version}",
            code="threshold_not_met",
        ) from error


def _signers(role: str, judge: Root, metadata: Metadata[Any]) -> set[str]:
    result = judge.get_verification_result(role, _said(metadata), metadata.signatures)
    return set(result.signed)


def _said(metadata: Metadata[Any]) -> bytes:
    return CanonicalJSONSerializer().serialize(metadata.signed)


def _bytes(metadata: Metadata[Any]) -> bytes:
    return metadata.to_bytes(JSONSerializer(compact=True))


def _root(data: bytes) -> Metadata[Root]:
    root: Metadata[Root] = _metadata(data, Root)
    for role in ("root", "targets"):
        found = root.signed.roles[role]
        known = {key.keyid: key for key in root.signed.keys.values()}
        raw = {known[keyid].keyval.get("public") for keyid in found.keyids if keyid in known}
        # One key under two ids would count twice: python-tuf does not compare the keys themselves.
        if len(raw) != len(found.keyids) or found.threshold < 2:
            raise MalformedInput(f"the role {role} names a key twice, or one governor is enough")
    return root


def _targets(data: bytes) -> Metadata[Targets]:
    return _metadata(data, Targets)


def _metadata(data: bytes, kind: type[Any]) -> Metadata[Any]:
    try:
        parse_strict(data, bytes_max=_METADATA_BYTES_MAX)
        metadata: Metadata[Any] = Metadata.from_bytes(data)
    except (DeserializationError, ValueError, TypeError, AttributeError) as error:
        raise MalformedInput(f"not metadata of the update framework: {error}") from error
    if not isinstance(metadata.signed, kind) or _bytes(metadata) != data:
        raise MalformedInput(f"not {kind.__name__} metadata in its one form")
    return metadata


def _datetime(at: Utc) -> datetime:
    return datetime.fromtimestamp(at.unix_ns // NS, UTC)


def _utc(at: datetime) -> Utc:
    return Utc.from_unix_ns(int(at.timestamp()) * NS)
