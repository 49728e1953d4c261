"""Signed notes and checkpoints as values: who signed which text, and whether that holds.

A note key is a key under a name with a *kind*: a plain Ed25519 note signature, or one of the two
timestamped cosignatures. A log signs its checkpoint with a plain line and, if it has an ML-DSA-44
key, with a cosignature under its own origin: no plain ML-DSA-44 type is assigned.
Source: C2SP signed-note, tlog-checkpoint and tlog-cosignature (c2sp.org, revisions 1f701bb5,
e5b2a171 and 01194db1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, PublicKey, Signer
from zhidao.trust.domain.cosignature import TIME_BYTES, cosigned_message, timestamp_of
from zhidao.trust.domain.merkle import HASH_BYTES, SIZE_MAX

KEY_ID_BYTES: Final = 4
NAME_CHARACTERS_MAX: Final = 255


def check_key_name(name: str) -> str:
    """Returns the name if a note may bear it: not empty, no spaces, controls or plus."""
    bad = any(letter.isspace() or letter == "+" or not letter.isprintable() for letter in name)
    if len(name) > NAME_CHARACTERS_MAX:
        raise MalformedInput(
            f"a key name of {len(name)} characters; at most {NAME_CHARACTERS_MAX} are read"
        )
    if not name or bad:
        raise MalformedInput(f"not a key name of a signed note: {name[:48]!r}")
    return name


class NoteKind(Enum):
    """A signature type of signed notes: its identifier byte and its algorithm."""

    PLAIN = (b"\x01", Algorithm.ED25519)
    COSIGNATURE = (b"\x04", Algorithm.ED25519)
    COSIGNATURE_ML_DSA_44 = (b"\x06", Algorithm.ML_DSA_44)

    def __init__(self, byte: bytes, algorithm: Algorithm) -> None:
        self.byte = byte
        self.algorithm = algorithm

    @classmethod
    def of(cls, byte: bytes) -> NoteKind:
        """By its identifier byte. Raises MalformedInput for one that is not known here."""
        for kind in cls:
            if kind.byte == byte:
                return kind
        raise MalformedInput(
            f"a signature of type {byte.hex() or '(none)'}; types 01, 04 and 06 are known",
            code="unknown_algorithm",
        )

    @property
    def timed(self) -> bool:
        """Whether signatures of this kind say when they were made."""
        return self is not NoteKind.PLAIN


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A key under a name and for one kind of signature, as signed notes know it."""

    name: str
    key: PublicKey
    kind: NoteKind = NoteKind.PLAIN

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if self.key.algorithm is not self.kind.algorithm:
            raise MalformedInput(
                f"a note key is Ed25519 or, for cosignatures, ML-DSA-44, as its type says; not "
                f"{self.key.algorithm.label}",
                code="unknown_algorithm",
            )

    @property
    def id(self) -> bytes:
        """First four bytes of SHA-256(name, newline, type, key)."""
        named = self.name.encode() + b"\n" + self.kind.byte + self.key.raw
        return hashlib.sha256(named).digest()[:KEY_ID_BYTES]

    def verifies(self, signature: bytes, text: str) -> bool:
        """Whether the line's bytes are this key's over the text of a note; never raises."""
        if not self.kind.timed:
            return self.key.verifies(signature, text.encode())
        if len(signature) != TIME_BYTES + self.key.algorithm.signature_bytes:
            return False
        try:
            message = cosigned_message(self.key.algorithm, self.name, timestamp_of(signature), text)
        except MalformedInput:
            return False
        return self.key.verifies(signature[TIME_BYTES:], message)


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the key's name and id, and the signature's bytes."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A cosignature that held: whose, and when it says it was made (POSIX seconds)."""

    key: NoteKey
    at_s: int


@dataclass(frozen=True, slots=True)
class Note:
    """A text, ending in a newline, with its signature lines."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def signed_by(self, keys: Iterable[NoteKey]) -> tuple[NoteKey, ...]:
        """Which of the known keys signed. Lines of unknown keys are passed over.

        Raises Refused (`bad_signature`) if a line of a known key is wrong: the whole note is then
        worth nothing.
        """
        known = {(key.name, key.id): key for key in keys}
        good = []
        for line in self.signatures:
            key = known.get((line.name, line.key_id))
            if key is None:
                continue
            if not key.verifies(line.signature, self.text):
                raise Refused(f"the signature of {line.name} is wrong", code="bad_signature")
            if key not in good:
                good.append(key)
        return tuple(good)

    def cosigned_by(self, keys: Iterable[NoteKey]) -> tuple[Cosigned, ...]:
        """Timestamped lines of the known keys, each key once with its earliest time.

        Raises Refused (`bad_signature`) as `signed_by` does.
        """
        good = {key for key in self.signed_by(keys) if key.kind.timed}
        times: dict[NoteKey, int] = {}
        for line in self.signatures:
            for key in good:
                if (key.name, key.id) == (line.name, line.key_id):
                    at_s = timestamp_of(line.signature)
                    times[key] = min(at_s, times.get(key, at_s))
        return tuple(Cosigned(key, at_s) for key, at_s in times.items())

    def with_lines(self, lines: Iterable[NoteSignature]) -> Note:
        """The note with further lines; a line that stands already is not repeated."""
        return Note(self.text, tuple(dict.fromkeys((*self.signatures, *lines))))

    def unknown_to(self, keys: Iterable[NoteKey]) -> tuple[NoteSignature, ...]:
        """The lines that none of the known keys made."""
        known = {(key.name, key.id) for key in keys}
        return tuple(s for s in self.signatures if (s.name, s.key_id) not in known)


def sign_note(text: str, signers: Sequence[tuple[str, Signer]]) -> Note:
    """The text signed under each name by its key."""
    lines = []
    for name, signer in signers:
        key = NoteKey(name, signer.public)
        lines.append(NoteSignature(name, key.id, signer.sign(text.encode())))
    return Note(text, tuple(lines))


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A private key under a name that cosigns checkpoints: Ed25519 or ML-DSA-44."""

    name: str
    signer: Signer

    @property
    def note_key(self) -> NoteKey:
        """The public half, as verifiers are configured with it."""
        public = self.signer.public
        kind = (
            NoteKind.COSIGNATURE_ML_DSA_44
            if public.algorithm is Algorithm.ML_DSA_44
            else NoteKind.COSIGNATURE
        )
        return NoteKey(self.name, public, kind)

    def cosign(self, text: str, at_s: int) -> NoteSignature:
        """A line over a checkpoint's text. Raises MalformedInput if the text is no checkpoint."""
        key = self.note_key
        message = cosigned_message(key.key.algorithm, self.name, at_s, text)
        signature = at_s.to_bytes(TIME_BYTES, "big") + self.signer.sign(message)
        return NoteSignature(self.name, key.id, signature)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: whose, how many leaves, and their root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin:
            raise MalformedInput("a checkpoint's origin is one line that is not empty")
        if not 0 <= self.size <= SIZE_MAX:
            raise MalformedInput(f"a log of {self.size} leaves")
        if len(self.root) != HASH_BYTES:
            raise MalformedInput(f"a checkpoint's root has {HASH_BYTES} bytes")
        if any(not line or "\n" in line for line in self.extensions):
            raise MalformedInput("a checkpoint's extension is one line that is not empty")
