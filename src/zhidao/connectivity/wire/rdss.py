"""Sentences of BeiDou short-message units: protocol 2.1 (BDS-2) and the BDS-3 family.

Field meanings are those of public implementations and differ between vendors; no copy of a
standard was at hand (not checked).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from zhidao.core.errors import MalformedInput

# Longer than any regional message (14,000 bits) in hexadecimal with its fields.
SENTENCE_CHARACTERS_MAX: Final = 4096
_FRAME: Final = re.compile(
    r"\$([A-Z]{5})((?:,[^*,$\r\n]*)*)\*([0-9A-Fa-f]{2})(?:\r\n)?\Z", re.ASCII
)
_CARD: Final = re.compile(r"[0-9]{1,7}\Z", re.ASCII)
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})*\Z", re.ASCII)
_MIXED_MARK: Final = 0xA4
_MIXED_21: Final = 2
_MIXED_3: Final = 3


@dataclass(frozen=True, slots=True)
class CardInfo:
    """BDICI of protocol 2.1: what the card may do. `interval_s` between two messages."""

    card: str
    serial: int
    broadcast: int
    user_kind: int
    interval_s: int
    level: int
    encrypted: bool
    subordinates: int


@dataclass(frozen=True, slots=True)
class Send21:
    """CCTXA: send by protocol 2.1. `coding` 0 characters, 1 code, 2 mixed (data after A4)."""

    destination: str
    kind: int
    coding: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Received21:
    """BDTXR: came by protocol 2.1. `hhmm` only for looked-up messages."""

    kind: int
    sender: str
    coding: int
    hhmm: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Send3:
    """CCTCQ: send by a BDS-3 unit. `coding` 1 characters, 2 code, 3 mixed (data after A4)."""

    destination: str
    frequency: int
    confirmation: int
    coding: int
    data: bytes
    repeat_s: int


@dataclass(frozen=True, slots=True)
class Received3:
    """BDTCI: came by a BDS-3 unit."""

    sender: str
    receiver: str
    frequency: int
    hhmmss: str
    coding: int
    reserved: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Feedback:
    """BDFKI: whether a request was carried out. `hhmmss` empty: protocol 2.1."""

    hhmmss: str
    request: str
    done: bool
    reason: str
    wait: str


@dataclass(frozen=True, slots=True)
class Other:
    """A sound sentence that this reader does not take apart."""

    name: str
    fields: tuple[str, ...]


Sentence: TypeAlias = CardInfo | Send21 | Received21 | Send3 | Received3 | Feedback | Other


def checksum(body: str) -> str:
    """Exclusive or of the characters between $ and *, two hexadecimal digits.

    >>> checksum("CCICI,0,00")
    '73'
    """
    value = 0
    for letter in body.encode("ascii"):
        value ^= letter
    return f"{value:02X}"


def parse(text: str) -> Sentence:
    """A sentence from its line. Raises MalformedInput: `bad_checksum`, `bad_payload`, or other."""
    if len(text) > SENTENCE_CHARACTERS_MAX:
        raise MalformedInput(
            f"a sentence of {len(text)} characters; at most {SENTENCE_CHARACTERS_MAX} are read"
        )
    if not text.isascii():
        raise MalformedInput("not a short-message sentence: not ASCII")
    match = _FRAME.match(text)
    if not match:
        raise MalformedInput(f"not a short-message sentence: {text[:40]!r}")
    name, rest, given = match.groups()
    computed = checksum(name + rest)
    if given.upper() != computed:
        raise MalformedInput(
            f"{name}: checksum is {given}, computed {computed}",
            code="bad_checksum",
            remedy="discard the sentence",
        )
    fields = tuple(rest[1:].split(",")) if rest else ()
    read = _READ.get(name)
    return read(name, fields) if read else Other(name, fields)


def build(sentence: Sentence) -> str:
    """The line of a sentence, with its end. Raises MalformedInput for values it cannot hold."""
    body = _body(sentence)
    text = f"${body}*{checksum(body)}\r\n"
    if len(text) > SENTENCE_CHARACTERS_MAX:
        raise MalformedInput(
            f"a sentence of {len(text)} characters; it takes {SENTENCE_CHARACTERS_MAX}"
        )
    if not _FRAME.match(text):
        raise MalformedInput(f"{body[:24]}: a field holds a character that no sentence may bear")
    return text


def as_received(sent: Send21 | Send3, *, sender: str, at_hhmmss: str) -> Received21 | Received3:
    """What the other end reads when `sender` sends this."""
    if isinstance(sent, Send21):
        return Received21(1, sender, sent.coding, "", sent.data)
    return Received3(
        sender, sent.destination, sent.frequency, at_hhmmss, sent.coding, "0", sent.data
    )


def _body(sentence: Sentence) -> str:
    match sentence:
        case CardInfo() as c:
            letter = "E" if c.encrypted else "N"
            numbers = (c.card, c.serial, c.broadcast, c.user_kind, c.interval_s, c.level)
            fields: Sequence[object] = ("BDICI", *numbers, letter, c.subordinates)
        case Send21() as s:
            payload = _hex(s.data, mixed=s.coding == _MIXED_21)
            fields = ("CCTXA", s.destination, s.kind, s.coding, payload)
        case Received21() as r:
            payload = _hex(r.data, mixed=r.coding == _MIXED_21)
            fields = ("BDTXR", r.kind, r.sender, r.coding, r.hhmm, payload)
        case Send3() as s:
            payload = _hex(s.data, mixed=s.coding == _MIXED_3)
            head = ("CCTCQ", s.destination, s.frequency, s.confirmation, s.coding)
            fields = (*head, payload, s.repeat_s)
        case Received3() as r:
            payload = _hex(r.data, mixed=r.coding == _MIXED_3)
            head3 = ("BDTCI", r.sender, r.receiver, r.frequency, r.hhmmss, r.coding)
            fields = (*head3, r.reserved, payload)
        case Feedback() as f:
            time = (f.hhmmss,) if f.hhmmss else ()
            fields = ("BDFKI", *time, f.request, "Y" if f.done else "N", f.reason, f.wait)
        case Other(name, rest):
            fields = (name, *rest)
    return ",".join(str(field) for field in fields)


def _hex(data: bytes, *, mixed: bool) -> str:
    return (bytes((_MIXED_MARK,)) * mixed + data).hex().upper()


def _data(name: str, text: str, *, mixed: bool) -> bytes:
    if not _HEX.match(text):
        raise MalformedInput(
            f"{name}: the payload is not whole bytes in hexadecimal: {text[:24]!r}",
            code="bad_payload",
        )
    data = bytes.fromhex(text)
    if not mixed:
        return data
    if data[:1] != bytes((_MIXED_MARK,)):
        raise MalformedInput(f"{name}: a mixed payload starts with A4", code="bad_payload")
    return data[1:]


def _number(name: str, text: str, most: int = 99_999) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 6 or int(text) > most:
        raise MalformedInput(f"{name}: not a number up to {most}: {text[:12]!r}")
    if str(int(text)) != text:
        raise MalformedInput(f"{name}: a number with leading zeros: {text!r}")
    return int(text)


def _card(name: str, text: str) -> str:
    if not _CARD.match(text):
        raise MalformedInput(f"{name}: not a card's number: {text[:12]!r}")
    return text


def _count(name: str, fields: Sequence[str], wanted: int) -> None:
    if len(fields) != wanted:
        raise MalformedInput(f"{name} has {len(fields)} fields, not {wanted}")


def _read_ici(name: str, fields: tuple[str, ...]) -> Sentence:
    _count(name, fields, 8)
    if fields[6] not in ("E", "N"):
        raise MalformedInput(f"{name}: encrypted is E or N, not {fields[6][:8]!r}")
    serial, broadcast, kind, interval_s, level = (_number(name, f) for f in fields[1:6])
    return CardInfo(
        card=_card(name, fields[0]),
        serial=serial,
        broadcast=broadcast,
        user_kind=kind,
        interval_s=interval_s,
        level=level,
        encrypted=fields[6] == "E",
        subordinates=_number(name, fields[7]),
    )


def _read_txa(name: str, fields: tuple[str, ...]) -> Sentence:
    _count(name, fields, 4)
    coding = _number(name, fields[2], 2)
    data = _data(name, fields[3], mixed=coding == _MIXED_21)
    return Send21(_card(name, fields[0]), _number(name, fields[1], 1), coding, data)


def _read_txr(name: str, fields: tuple[str, ...]) -> Sentence:
    _count(name, fields, 5)
    coding = _number(name, fields[2], 2)
    data = _data(name, fields[4], mixed=coding == _MIXED_21)
    hhmm = _time(name, fields[3], 4)
    return Received21(_number(name, fields[0], 5), _card(name, fields[1]), coding, hhmm, data)


def _read_tcq(name: str, fields: tuple[str, ...]) -> Sentence:
    _count(name, fields, 6)
    coding = _number(name, fields[3], 5)
    return Send3(
        destination=_card(name, fields[0]),
        frequency=_number(name, fields[1], 5),
        confirmation=_number(name, fields[2], 2),
        coding=coding,
        data=_data(name, fields[4], mixed=coding == _MIXED_3),
        repeat_s=_number(name, fields[5]),
    )


def _read_tci(name: str, fields: tuple[str, ...]) -> Sentence:
    _count(name, fields, 7)
    coding = _number(name, fields[4], 5)
    return Received3(
        sender=_card(name, fields[0]),
        receiver=_card(name, fields[1]),
        frequency=_number(name, fields[2], 5),
        hhmmss=_time(name, fields[3], 6),
        coding=coding,
        reserved=fields[5],
        data=_data(name, fields[6], mixed=coding == _MIXED_3),
    )


def _read_fki(name: str, fields: tuple[str, ...]) -> Sentence:
    # The two families order the fields differently: only BDS-3 units begin with a time.
    timed = bool(fields) and len(fields[0]) == 6 and fields[0].isdigit()
    _count(name, fields, 5 if timed else 4)
    rest = fields[1:] if timed else fields
    if rest[1] not in ("Y", "N"):
        raise MalformedInput(f"{name}: done is Y or N, not {rest[1][:8]!r}")
    hhmmss = fields[0] if timed else ""
    return Feedback(hhmmss, rest[0], rest[1] == "Y", rest[2], rest[3])


def _time(name: str, text: str, digits: int) -> str:
    if text and not (len(text) == digits and text.isascii() and text.isdigit()):
        raise MalformedInput(f"{name}: not a time of {digits} digits: {text[:12]!r}")
    return text


_READ: Final[dict[str, Callable[[str, tuple[str, ...]], Sentence]]] = {
    "BDICI": _read_ici,
    "CCTXA": _read_txa,
    "BDTXR": _read_txr,
    "CCTCQ": _read_tcq,
    "BDTCI": _read_tci,
    "BDFKI": _read_fki,
}
