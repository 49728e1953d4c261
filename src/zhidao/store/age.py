"""Files sealed to a key that only one person holds, in a format that the `age` program opens.

Only X25519 recipients, and a stream that is written and read chunk by chunk, so that nothing plain
ever lies on a disk. Sources: C2SP age (age-encryption.org/v1), BIP 173 (Bech32), RFC 8439.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from zhidao.core.ambient import Randomness
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.versions import check_tag
from zhidao.store.backup_format import Sink

MAGIC: Final = b"age-encryption.org/v1\n"
_X25519_INFO: Final = b"age-encryption.org/v1/X25519"
_CHUNK: Final = 64 * 1024
_TAG: Final = 16
_NONCE_BYTES: Final = 16
_KEY_BYTES: Final = 32
# A file of a hundred recipients has less; nothing longer is read into memory.
_HEADER_BYTES_MAX: Final = 64 * 1024
_LINE_BYTES_MAX: Final = 4096
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_RECIPIENT: Final = "age"
_IDENTITY: Final = "age-secret-key-"


def recipient_of(text: str) -> bytes:
    """The public key of an `age1…` line. Raises MalformedInput (`bad_recipient`)."""
    return _key(text.strip(), _RECIPIENT, "bad_recipient", "age-keygen prints one: age1…")


def identities_in(text: str) -> list[bytes]:
    """The secret keys of an identity file as `age-keygen` writes it. Raises MalformedInput."""
    lines = [line.strip() for line in text.splitlines()]
    found = [
        _key(line, _IDENTITY, "bad_identity", "name the file that age-keygen wrote")
        for line in lines
        if line and not line.startswith("#")
    ]
    if not found:
        raise MalformedInput(
            "the identity file holds no AGE-SECRET-KEY-1… line",
            code="bad_identity",
            remedy="name the file that age-keygen wrote",
        )
    return found


class AgeWriter:
    """Seals what is written to it into `out`; call `close` at the end, or the file is truncated."""

    def __init__(self, out: Sink, recipient: bytes, randomness: Randomness) -> None:
        file_key, nonce = randomness.token(16), randomness.token(_NONCE_BYTES)
        out.write(_header(file_key, recipient, randomness.token(_KEY_BYTES)) + nonce)
        self._out = out
        self._cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
        self._waiting = bytearray()
        self._counter = 0

    def write(self, data: bytes) -> int:
        """Takes bytes; the last chunk waits, because it is sealed as the last."""
        self._waiting += data
        while len(self._waiting) > _CHUNK:
            self._seal(bytes(self._waiting[:_CHUNK]), last=False)
            del self._waiting[:_CHUNK]
        return len(data)

    def close(self) -> None:
        """Seals the last chunk. The file below stays open."""
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._counter, last=last), chunk, None))
        self._counter += 1


class AgeReader:
    """Reads what is sealed in a file, from its beginning and again from its beginning."""

    def __init__(self, source: BinaryIO, identities: Iterable[bytes]) -> None:
        """Raises MalformedInput (`sealed_damaged`), Refused (`not_sealed_to_you`)."""
        self._source = source
        file_key = _opened_header(source, list(identities))
        nonce = source.read(_NONCE_BYTES)
        if len(nonce) < _NONCE_BYTES:
            raise _truncated()
        self._cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
        self._start = source.tell()
        self._begin()

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end. Raises MalformedInput for changed bytes."""
        while len(self._plain) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._plain += chunk
        piece = bytes(self._plain[:size])
        del self._plain[:size]
        self._at += len(piece)
        return piece

    def tell(self) -> int:
        """How many bytes of what is sealed were read."""
        return self._at

    def rewind(self) -> None:
        """Back to the beginning of what is sealed."""
        self._source.seek(self._start)
        self._begin()

    def _begin(self) -> None:
        self._plain = bytearray()
        self._at = 0
        self._chunks = self._opened()

    def _opened(self) -> Iterator[bytes]:
        sealed = self._source.read(_CHUNK + _TAG)
        counter = 0
        while True:
            # One more is read before this one is opened: the last is sealed as the last.
            after = self._source.read(_CHUNK + _TAG)
            chunk = self._open(sealed, counter, last=not after)
            if not chunk and counter:
                raise _damaged(f"chunk {counter} is empty")
            yield chunk
            if not after:
                return
            sealed, counter = after, counter + 1

    def _open(self, sealed: bytes, counter: int, *, last: bool) -> bytes:
        try:
            return self._cipher.decrypt(_nonce(counter, last=last), sealed, None)
        except InvalidTag as error:
            if last and self._is_middle(sealed, counter):
                raise _truncated() from error
            raise _damaged(f"chunk {counter} is not what was sealed") from error

    def _is_middle(self, sealed: bytes, counter: int) -> bool:
        if len(sealed) < _CHUNK + _TAG:
            return True
        try:
            self._cipher.decrypt(_nonce(counter, last=False), sealed, None)
        except InvalidTag:
            return False
        return True


def _header(file_key: bytes, recipient: bytes, ephemeral: bytes) -> bytes:
    secret = X25519PrivateKey.from_private_bytes(ephemeral)
    share = secret.public_key().public_bytes_raw()
    try:
        shared = secret.exchange(X25519PublicKey.from_public_bytes(recipient))
    except ValueError as error:  # A point of low order, which would give everybody the secret.
        raise MalformedInput("the recovery key is no usable point", code="bad_recipient") from error
    wrapping = ChaCha20Poly1305(_derived(shared, share + recipient, _X25519_INFO))
    body = wrapping.encrypt(bytes(12), file_key, None)
    text = MAGIC + b"-> X25519 " + _base64(share) + b"\n" + _base64(body) + b"\n---"
    return text + b" " + _base64(_mac(file_key, text)) + b"\n"


def _opened_header(source: BinaryIO, identities: list[bytes]) -> bytes:
    """The file key that one of the identities opens."""
    text, mac = _header_lines(source)
    for share, body in _stanzas(text):
        for identity in identities:
            file_key = _unwrapped(identity, share, body)
            if file_key is None:
                continue
            if not hmac.compare_digest(_mac(file_key, text), mac):
                raise _damaged("its header is not what was sealed")
            return file_key
    raise Refused(
        "this identity does not open the file, or its header was changed",
        code="not_sealed_to_you",
        remedy="name the identity file of the recovery key that it was sealed to",
    )


def _header_lines(source: BinaryIO) -> tuple[bytes, bytes]:
    text = source.readline(len(MAGIC))
    if text != MAGIC:
        begun, tag = text.decode("latin-1"), MAGIC.decode().strip()
        check_tag(begun, (tag,), form="a file of the age format", where="byte 0")
        raise MalformedInput("this is no file of the age format", code="not_sealed")
    while True:
        line = source.readline(_LINE_BYTES_MAX + 1)
        if len(line) > _LINE_BYTES_MAX:
            raise _damaged(f"a line of its header has more than {_LINE_BYTES_MAX} bytes")
        if len(text) + len(line) > _HEADER_BYTES_MAX:
            raise _damaged(f"its header does not end within {_HEADER_BYTES_MAX} bytes")
        if not line.endswith(b"\n"):
            raise _truncated()
        if line.startswith(b"---"):
            if line[3:4] != b" ":
                raise _damaged("its header has no authentication")
            return text + b"---", _from_base64(line[4:-1])
        text += line


def _stanzas(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Share and body of each X25519 stanza; those of other kinds are other people's."""
    lines = text.split(b"\n")[1:-1]
    for place, line in enumerate(lines[:-1]):
        words = line.split(b" ")
        if words[:2] == [b"->", b"X25519"] and len(words) == 3:
            share, body = _from_base64(words[2]), _from_base64(lines[place + 1])
            if len(share) != _KEY_BYTES or len(body) != 16 + _TAG:
                raise _damaged("a stanza of its header has the wrong length")
            yield share, body


def _unwrapped(identity: bytes, share: bytes, body: bytes) -> bytes | None:
    secret = X25519PrivateKey.from_private_bytes(identity)
    recipient = secret.public_key().public_bytes_raw()
    try:
        shared = secret.exchange(X25519PublicKey.from_public_bytes(share))
        cipher = ChaCha20Poly1305(_derived(shared, share + recipient, _X25519_INFO))
        return cipher.decrypt(bytes(12), body, None)
    except (InvalidTag, ValueError):
        return None


def _derived(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive(secret)


def _mac(file_key: bytes, text: bytes) -> bytes:
    return hmac.digest(_derived(file_key, b"", b"header"), text, "sha256")


def _nonce(counter: int, *, last: bool) -> bytes:
    return counter.to_bytes(11, "big") + bytes([last])


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _from_base64(text: bytes) -> bytes:
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _damaged("its header is not Base64") from error
    if _base64(data) != text:
        raise _damaged("its header is not canonical Base64")
    return data


def _key(text: str, kind: str, code: str, remedy: str) -> bytes:
    wrong = MalformedInput(f"not a key of the kind {kind}1…", code=code, remedy=remedy)
    if text not in (text.lower(), text.upper()):
        raise wrong
    name, _, data = text.lower().rpartition("1")
    if name != kind or any(letter not in _BECH32 for letter in data):
        raise wrong
    values = [_BECH32.index(letter) for letter in data]
    if _checksum([*(ord(c) >> 5 for c in name), 0, *(ord(c) & 31 for c in name), *values]) != 1:
        raise wrong
    bits = "".join(f"{value:05b}" for value in values[:-6])
    if len(bits) != 260 or "1" in bits[256:]:
        raise wrong
    return int(bits[:256], 2).to_bytes(_KEY_BYTES, "big")


def _checksum(values: Iterable[int]) -> int:
    """BIP 173's checksum; 1 for a right string."""
    state = 1
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for place, factor in enumerate(_GENERATOR):
            state ^= factor if top >> place & 1 else 0
    return state


def _truncated() -> MalformedInput:
    return MalformedInput(
        "the sealed file is truncated: its end is missing",
        code="backup_truncated",
        remedy="copy the file again from where it was written",
    )


def _damaged(what: str) -> MalformedInput:
    return MalformedInput(
        f"the sealed file is damaged: {what}",
        code="backup_damaged",
        remedy="use another copy; this one was changed after it was written",
    )
