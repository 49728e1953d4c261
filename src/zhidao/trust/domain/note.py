"""Signed notes and checkpoints as values: who signed which text, and whether that holds.

Source: C2SP signed-note and tlog-checkpoint (c2sp.org, revisions 05528762 and 27938939).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, PublicKey, Signer
from zhidao.trust.domain.merkle import HASH_BYTES, SIZE_MAX

# signed-note, "Signature types": Ed25519 over the note text.
ED25519_TYPE: Final = b"\x01"
KEY_ID_BYTES: Final = 4
NAME_CHARACTERS_MAX: Final = 255


def check_key_name(name: str) -> str:
    """Returns the name if a note may bear it: not empty, no spaces, controls or plus."""
    bad = any(letter.isspace() or letter == "+" or not letter.isprintable() for letter in name)
    if not name or bad or len(name) > NAME_CHARACTERS_MAX:
        raise MalformedInput(f"not a key name of a signed note: {name[:48]!r}")
    return name


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A key under a name, as signed notes know it. Ed25519 only."""

    name: str
    key: PublicKey

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if self.key.algorithm is not Algorithm.ED25519:
            raise MalformedInput(
                f"a note key is Ed25519, not {self.key.algorithm.label}", code="unknown_algorithm"
            )

    @property
    def id(self) -> bytes:
        """First four bytes of SHA-256(name, newline, type, key)."""
        named = self.name.encode() + b"\n" + ED25519_TYPE + self.key.raw
        return hashlib.sha256(named).digest()[:KEY_ID_BYTES]


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the key's name and id, and the signature's bytes."""

    name: str
    key_id: bytes
    signature: bytes


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
            if not key.key.verifies(line.signature, self.text.encode()):
                raise Refused(f"the signature of {line.name} is wrong", code="bad_signature")
            if key not in good:
                good.append(key)
        return tuple(good)

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
