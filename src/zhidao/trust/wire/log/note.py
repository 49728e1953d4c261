"""Signed notes, checkpoints and verifier keys as bytes, one spelling each.

Source: C2SP signed-note and tlog-checkpoint; the verifier key text is that of
golang.org/x/mod/sumdb/note, whose printed example is among the tests.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Final

from zhidao.core.encoding import parse_base64
from zhidao.core.errors import MalformedInput
from zhidao.core.keys import PublicKey
from zhidao.trust.domain.merkle import EMPTY_ROOT
from zhidao.trust.domain.note import (
    KEY_ID_BYTES,
    Checkpoint,
    Note,
    NoteKey,
    NoteKind,
    NoteSignature,
    check_key_name,
)

NOTE_BYTES_MAX: Final = 256 * 1024
SIGNATURES_MAX: Final = 64
_DASH: Final = "\u2014 "
_CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f]")
_NUMBER: Final = re.compile(r"(0|[1-9][0-9]{0,18})\Z", re.ASCII)
_VKEY: Final = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)\Z", re.ASCII)


def encode_note(note: Note) -> bytes:
    """The note's bytes."""
    return note.text.encode() + b"\n" + encode_lines(note.signatures)


def encode_lines(signatures: Iterable[NoteSignature]) -> bytes:
    """Signature lines alone, as a witness answers."""
    lines = [
        f"{_DASH}{s.name} {base64.b64encode(s.key_id + s.signature).decode()}\n" for s in signatures
    ]
    return "".join(lines).encode()


def decode_lines(data: bytes) -> tuple[NoteSignature, ...]:
    """Reads what a witness answered. Raises MalformedInput for anything but signature lines."""
    # Any text makes the lines a note; the note's own rules then hold for them.
    return decode_note(b"lines\n\n" + data).signatures


def decode_note(data: bytes) -> Note:
    """Reads a note. Raises MalformedInput for any other bytes.

    Refused: other encodings than UTF-8, control characters, no blank line, no signature, more
    than 64 signatures, base64 in another spelling, anything after the last line.
    """
    if len(data) > NOTE_BYTES_MAX:
        raise MalformedInput(f"a note of {len(data)} bytes; at most {NOTE_BYTES_MAX} are read")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput("a note is UTF-8", where=f"byte {error.start}") from error
    if _CONTROL.search(whole):
        raise MalformedInput("a note bears no control characters but newlines")
    text, blank, tail = whole.rpartition("\n\n")
    if not blank or not text or not tail.endswith("\n"):
        raise MalformedInput("a note is text, an empty line and signature lines")
    lines = tail[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise MalformedInput(f"a note of {len(lines)} signatures; at most {SIGNATURES_MAX}")
    return Note(text + "\n", tuple(_signature(line) for line in lines))


def _signature(line: str) -> NoteSignature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise MalformedInput(f"not a signature line: {line[:48]!r}")
    data = parse_base64(encoded)
    if len(data) <= KEY_ID_BYTES:
        raise MalformedInput("a signature line holds a key id and a signature")
    return NoteSignature(check_key_name(name), data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """The text that a log signs."""
    root = base64.b64encode(checkpoint.root).decode()
    lines = (checkpoint.origin, str(checkpoint.size), root, *checkpoint.extensions)
    return "\n".join(lines) + "\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Reads a checkpoint's text. Raises MalformedInput for another spelling of the numbers."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop():
        raise MalformedInput("a checkpoint has at least three lines and ends in a newline")
    origin, size, root, *extensions = lines
    if not _NUMBER.match(size):
        raise MalformedInput(f"not a tree size: {size[:24]!r}")
    checkpoint = Checkpoint(origin, int(size), parse_base64(root), tuple(extensions))
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise MalformedInput("a tree without leaves has one root only, and this is another")
    return checkpoint


def vkey(key: NoteKey) -> str:
    """The key as one line of text: name, id, type and key."""
    encoded = base64.b64encode(key.kind.byte + key.key.raw).decode()
    return f"{key.name}+{key.id.hex()}+{encoded}"


def parse_vkey(text: str) -> NoteKey:
    """Reads a verifier key. Raises MalformedInput, also if the id is not the key's."""
    match = _VKEY.match(text)
    if not match:
        raise MalformedInput(f"not a verifier key: {text[:48]!r}")
    data = parse_base64(match[3])
    kind = NoteKind.of(data[:1])
    key = NoteKey(match[1], PublicKey(kind.algorithm, data[1:]), kind)
    if key.id.hex() != match[2]:
        raise MalformedInput(f"the key id of {match[1][:48]!r} is not its key's")
    return key
