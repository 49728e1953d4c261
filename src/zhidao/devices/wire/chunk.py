"""Raw observations inside 0x0900: chunks of a window, each signed by the terminal.

Content of a transparent message of kind 0xF0, big-endian:
version 1 (1) | window id (16) | sequence from 1 (4) | total (4) | nonce of the node (16) |
flags (1, bit 0: simulated) | payload length (4) | payload | algorithm (1) | key id (8) | signature.
The signature covers a label and everything before it. The window's bytes are the payloads in
order; the terminal may have compressed them (gzip), and its digest is over the bytes as sent.
A node gives nonces by 0x8900 of kind 0xF1: version 1 (1) | nonce (16) | lifetime in seconds (4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, PublicKey, Signer
from zhidao.core.versions import check_version
from zhidao.devices.wire.jt808.cursor import Cursor

KIND_CHUNK: Final = 0xF0
KIND_NONCE: Final = 0xF1
NONCE_BYTES: Final = 16
WINDOW_ID_BYTES: Final = 16
KEY_ID_BYTES: Final = 8
CHUNKS_MAX: Final = 2048
PAYLOAD_BYTES_MAX: Final = 32 * 1024
WINDOW_BYTES_MAX: Final = 8 * 1024 * 1024
_VERSION: Final = 1
# Separates these signatures from everything else that a terminal's key may sign.
_LABEL: Final = b"zhidao devices chunk v1\n"
_SIMULATED: Final = 1
_NUMBER_OF: Final = {
    Algorithm.ED25519: 1,
    Algorithm.P256: 2,
    Algorithm.SECP256K1: 3,
    Algorithm.ML_DSA_44: 4,
    Algorithm.P384: 5,
}
_ALGORITHM_OF: Final = {number: algorithm for algorithm, number in _NUMBER_OF.items()}


@dataclass(frozen=True, slots=True)
class Chunk:
    """One signed part of a window. `key_id` names the signing key, see `key_id_of`."""

    window: bytes
    sequence: int
    total: int
    nonce: bytes
    simulated: bool
    payload: bytes
    algorithm: Algorithm
    key_id: bytes
    signature: bytes = b""

    def signed_bytes(self) -> bytes:
        """What the signature covers: the label and all fields before the signature."""
        return _LABEL + self._head()

    def encode(self) -> bytes:
        """The content of the transparent message."""
        return self._head() + self.signature

    @property
    def digest(self) -> str:
        """SHA-256 of the content with its signature, lower-case hexadecimal."""
        return hashlib.sha256(self.encode()).hexdigest()

    def _head(self) -> bytes:
        return (
            bytes((_VERSION,))
            + self.window
            + self.sequence.to_bytes(4, "big")
            + self.total.to_bytes(4, "big")
            + self.nonce
            + bytes((_SIMULATED if self.simulated else 0,))
            + len(self.payload).to_bytes(4, "big")
            + self.payload
            + bytes((_NUMBER_OF[self.algorithm],))
            + self.key_id
        )


@dataclass(frozen=True, slots=True)
class NonceGrant:
    """A nonce for the terminal's next window; it dies when used or after `lifetime_s`."""

    nonce: bytes
    lifetime_s: int

    def encode(self) -> bytes:
        """The content of the transparent message down."""
        return bytes((_VERSION,)) + self.nonce + self.lifetime_s.to_bytes(4, "big")

    @classmethod
    def decode(cls, content: bytes) -> NonceGrant:
        """From the content. Raises MalformedInput."""
        read = Cursor(content, "nonce grant")
        _version(read)
        grant = cls(read.take(NONCE_BYTES), read.number(4))
        read.end()
        return grant


def key_id_of(key: PublicKey) -> bytes:
    """First 8 bytes of SHA-256 over multicodec prefix and raw key: the start of its fingerprint."""
    return hashlib.sha256(key.algorithm.prefix + key.raw).digest()[:KEY_ID_BYTES]


def decode_chunk(content: bytes) -> Chunk:
    """A chunk from the content of a transparent message; its signature is not yet checked.

    Raises MalformedInput for another version, unknown flags or algorithm, and wrong sizes.
    """
    read = Cursor(content, "window chunk")
    _version(read)
    window, sequence, total = read.take(WINDOW_ID_BYTES), read.number(4), read.number(4)
    if not 1 <= sequence <= total <= CHUNKS_MAX:
        raise MalformedInput(f"window chunk {sequence} of {total}; at most {CHUNKS_MAX} are read")
    nonce, flags, size = read.take(NONCE_BYTES), read.number(1), read.number(4)
    if flags & ~_SIMULATED:
        raise MalformedInput(f"window chunk: unknown flags 0x{flags:02X}")
    if size > PAYLOAD_BYTES_MAX:
        raise MalformedInput(
            f"window chunk: a payload of {size} bytes; {PAYLOAD_BYTES_MAX} at most"
        )
    payload = read.take(size)
    number = read.number(1)
    if number not in _ALGORITHM_OF:
        raise MalformedInput(f"window chunk: unknown signature algorithm {number}")
    algorithm = _ALGORITHM_OF[number]
    key_id, signature = read.take(KEY_ID_BYTES), read.take(algorithm.signature_bytes)
    read.end()
    return Chunk(
        window=window,
        sequence=sequence,
        total=total,
        nonce=nonce,
        simulated=bool(flags & _SIMULATED),
        payload=payload,
        algorithm=algorithm,
        key_id=key_id,
        signature=signature,
    )


def sign_chunks(
    data: bytes,
    *,
    window: bytes,
    nonce: bytes,
    simulated: bool,
    key: Signer,
    payload_bytes: int = 8192,
) -> list[Chunk]:
    """A window's bytes as signed chunks in order.

    Raises Refused for no bytes and for more than a node takes.
    """
    pieces = [data[i : i + payload_bytes] for i in range(0, len(data), payload_bytes)]
    if not pieces or len(data) > WINDOW_BYTES_MAX or len(pieces) > CHUNKS_MAX:
        raise Refused(f"a window has 1 to {WINDOW_BYTES_MAX} bytes in at most {CHUNKS_MAX} chunks")
    out = []
    for index, piece in enumerate(pieces):
        draft = Chunk(
            window=window,
            sequence=index + 1,
            total=len(pieces),
            nonce=nonce,
            simulated=simulated,
            payload=piece,
            algorithm=key.public.algorithm,
            key_id=key_id_of(key.public),
        )
        out.append(_signed(draft, key))
    return out


def verify_chunk(chunk: Chunk, key: PublicKey) -> None:
    """Raises Refused: `unknown_key` if another key signed, `bad_signature` if the check fails."""
    if chunk.algorithm is not key.algorithm or chunk.key_id != key_id_of(key):
        raise Refused(
            f"chunk {chunk.sequence} is signed by a key that is not this terminal's",
            code="unknown_key",
            remedy="register the terminal's key, or look for an impostor",
        )
    if not key.verifies(chunk.signature, chunk.signed_bytes()):
        raise Refused(f"chunk {chunk.sequence}: the signature is wrong", code="bad_signature")


def window_of(chunks: Sequence[bytes], *, key: PublicKey, nonce: bytes) -> bytes:
    """The window's bytes from the contents of all its chunks, each checked again.

    For whoever does not trust the node: needs no more than the chunks, the key and the nonce.
    Raises MalformedInput and Refused (`unknown_key`, `bad_signature`, `incomplete`).
    """
    out: list[bytes] = []
    first: Chunk | None = None
    for number, content in enumerate(chunks, start=1):
        chunk = decode_chunk(content)
        first = first or chunk
        verify_chunk(chunk, key)
        alike = (chunk.window, chunk.total, chunk.simulated) == (
            first.window,
            first.total,
            first.simulated,
        )
        if not alike or chunk.sequence != number or chunk.nonce != nonce:
            raise Refused(f"chunk {number} does not belong to this window", code="incomplete")
        out.append(chunk.payload)
    if first is None or len(out) != first.total:
        raise Refused(f"{len(out)} chunks are not the whole window", code="incomplete")
    return b"".join(out)


def _signed(draft: Chunk, key: Signer) -> Chunk:
    return Chunk(
        window=draft.window,
        sequence=draft.sequence,
        total=draft.total,
        nonce=draft.nonce,
        simulated=draft.simulated,
        payload=draft.payload,
        algorithm=draft.algorithm,
        key_id=draft.key_id,
        signature=key.sign(draft.signed_bytes()),
    )


def _version(read: Cursor) -> None:
    check_version(read.number(1), form="a window chunk", known=(_VERSION,), where="byte 0")
