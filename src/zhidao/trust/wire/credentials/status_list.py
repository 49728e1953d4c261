"""Bitstring Status List: one bit a credential, for all credentials of a list alike.

Source: Bitstring Status List 1.0 (W3C Recommendation of 15 May 2025) sections 2 and 3.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused

# Section 2.2: a shorter list would tell an observer whose status was asked.
BITS_MIN: Final = 131_072
_BITS_MAX: Final = 1 << 27
_TEXT_MAX: Final = 24 * 1024 * 1024
_INDEX_DIGITS_MAX: Final = 9
ENTRY: Final = "BitstringStatusListEntry"
LIST: Final = "BitstringStatusList"
LIST_CREDENTIAL: Final = "BitstringStatusListCredential"
REVOCATION: Final = "revocation"
SUSPENSION: Final = "suspension"
_REASONS: Final = {REVOCATION: "revoked", SUSPENSION: "suspended"}


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """Where a credential's status stands: a bit of a list, and what it means."""

    purpose: str
    index: int
    list_url: str

    @property
    def reason(self) -> str:
        """The reason code if the bit is set."""
        return _REASONS[self.purpose]


def status_entries(document: Mapping[str, Any]) -> tuple[StatusEntry, ...]:
    """The status entries of a credential; empty if it bears none.

    Raises Refused (`unsupported_status`) for another type or purpose: nobody could say what its
    status is. Raises MalformedInput (`malformed_credential`).
    """
    if "credentialStatus" not in document:
        return ()
    told = document["credentialStatus"]
    entries = told if isinstance(told, list) else [told]
    return tuple(_entry(entry) for entry in entries)


def is_set(document: Mapping[str, Any], entry: StatusEntry) -> bool:
    """The bit of an entry in the list credential (whose proof is checked elsewhere).

    Raises MalformedInput, Refused (`bad_status_list`) if the list is not for this entry.
    """
    subject = document.get("credentialSubject")
    if not isinstance(subject, Mapping) or subject.get("type") != LIST:
        raise _bad("it is no list")
    kinds = document.get("type")
    if not isinstance(kinds, list) or LIST_CREDENTIAL not in kinds:
        raise _bad("the credential is not of a list's type")
    purposes = subject.get("statusPurpose")
    if entry.purpose not in (purposes if isinstance(purposes, list) else [purposes]):
        raise _bad("it is for another purpose")
    bits = decode_list(subject.get("encodedList"))
    if entry.index >= len(bits) * 8:
        raise _bad("the entry's index lies beyond it")
    return bool(bits[entry.index // 8] >> (7 - entry.index % 8) & 1)


def encode_list(indexes: Iterable[int], *, bits: int = BITS_MIN) -> str:
    """The encodedList with these bits set, the first bit of a byte being its highest."""
    data = bytearray(bits // 8)
    for index in indexes:
        data[index // 8] |= 0x80 >> index % 8
    # No time of making inside, so that equal lists are equal texts.
    return "u" + base64url(gzip.compress(bytes(data), mtime=0))


def decode_list(text: object) -> bytes:
    """The bits of an encodedList. Raises MalformedInput; expands to 16 MiB at most."""
    if isinstance(text, str) and len(text) > _TEXT_MAX:
        raise _malformed(f"encodedList has more than {_TEXT_MAX} characters")
    if not isinstance(text, str) or not text.startswith("u"):
        raise _malformed("encodedList is no base64url multibase")
    reader = zlib.decompressobj(wbits=31)
    try:
        # One byte more than may be: only then has a list of the greatest size come to its end.
        data = reader.decompress(parse_base64url(text[1:]), _BITS_MAX // 8 + 1)
    except (zlib.error, MalformedInput) as error:
        raise _malformed(f"encodedList: {error}") from error
    if len(data) * 8 > _BITS_MAX:
        raise _malformed(f"encodedList has more than {_BITS_MAX} bits")
    if not reader.eof or reader.unused_data or len(data) * 8 < BITS_MIN:
        raise _malformed(f"encodedList ends early, or has less than {BITS_MIN} bits")
    return data


def _entry(entry: object) -> StatusEntry:
    if not isinstance(entry, Mapping):
        raise _malformed("a status is no object")
    kind, purpose = entry.get("type"), entry.get("statusPurpose")
    # Compared one by one: what another wrote may be a list, which no table can be asked for.
    if kind != ENTRY or purpose not in tuple(_REASONS) or entry.get("statusSize", 1) != 1:
        raise Refused(
            f"a status of type {str(kind)[:40]} for {str(purpose)[:24]} is not read here",
            code="unsupported_status",
        )
    index, url = entry.get("statusListIndex"), entry.get("statusListCredential")
    text = _digits(index)
    plain = text.isascii() and text.isdigit() and str(int(text)) == text
    if not plain or not isinstance(url, str):
        raise _malformed("a status names no index in a list")
    return StatusEntry(purpose, int(text), url)


def _digits(index: object) -> str:
    text = str(index) if not isinstance(index, bool) else ""
    if len(text) > _INDEX_DIGITS_MAX:
        raise _malformed(f"an index in a list has at most {_INDEX_DIGITS_MAX} digits")
    return text


def _malformed(what: str) -> MalformedInput:
    return MalformedInput(f"status: {what}", code="malformed_credential", where="credentialStatus")


def _bad(what: str) -> Refused:
    return Refused(f"the status list: {what}", code="bad_status_list")
