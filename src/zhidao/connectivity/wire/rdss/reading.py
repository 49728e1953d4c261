"""Sentences to values. Numbers may have leading zeros, as some units write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from zhidao.connectivity.domain.card_number import is_card
from zhidao.connectivity.wire.rdss.frame import take_apart
from zhidao.connectivity.wire.rdss.sentence import (
    Beam,
    BeamPowers,
    BeamStatus,
    CardInfo,
    CardInfo3,
    CardQuery,
    Feedback,
    Levels,
    Other,
    OutputSetting,
    PositionAnswer,
    PositionReport,
    PositionRequest,
    Received3,
    Received21,
    Send3,
    Send21,
    Sentence,
    SettingAnswer,
)
from zhidao.connectivity.wire.rdss.writing import MIXED_3, MIXED_21, MIXED_MARK
from zhidao.core.errors import MalformedInput

_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})*\Z", re.ASCII)
_CODE: Final = re.compile(r"[A-Z0-9]{0,8}\Z", re.ASCII)
_DECIMAL: Final = re.compile(r"-?[0-9]{1,6}(?:\.[0-9]{1,6})?\Z", re.ASCII)
_CLOCK: Final = re.compile(r"([0-9]{2})([0-9]{2})(?:([0-9]{2})(?:\.[0-9]{1,3})?)?\Z", re.ASCII)
_DEGREES: Final = re.compile(r"([0-9]{2,3})([0-9]{2}(?:\.[0-9]{1,6})?)\Z", re.ASCII)
_NUMBER_MAX: Final = 99_999
# What one sentence tells of: both systems have fewer beams.
BEAMS_MAX: Final = 64
_REST_OF_ICP: Final = 21
# Fields of ICP that are numbers, counted from the third: interval, level, global service, groups.
_NUMBERS_OF_ICP: Final = (11, 12, 13, 14, 15, 16, 17)


def parse(text: str) -> Sentence:
    """A sentence from its line. Raises MalformedInput: `bad_checksum`, `bad_payload`, or other."""
    return interpret(*take_apart(text))


def interpret(name: str, fields: tuple[str, ...]) -> Sentence:
    """A sentence from its name and fields, whose checksum was right. Raises as `parse` does."""
    read = _READ.get(name)
    if read is None:
        return Other(name, fields)
    taken = _Fields(name, fields)
    sentence = read(taken)
    taken.end()
    return sentence


class _Fields:
    """The fields of one sentence, taken in their order; a refusal names field and sentence."""

    def __init__(self, name: str, fields: tuple[str, ...]) -> None:
        self.name = name
        self._fields = fields
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._fields) - self._at

    def need(self, least: int, most: int | None = None) -> None:
        most = most or least
        if not least <= len(self._fields) <= most:
            wanted = str(least) if most == least else f"{least} to {most}"
            raise MalformedInput(
                f"{self.name} has {len(self._fields)} fields, not {wanted}", code="bad_field_count"
            )

    def end(self) -> None:
        if self.left:
            raise MalformedInput(
                f"{self.name}: {self.left} fields too many", code="bad_field_count"
            )

    def text(self) -> str:
        self._at += 1
        return self._fields[self._at - 1]

    def peek(self, ahead: int = 0) -> str:
        return self._fields[self._at + ahead]

    def number(self, what: str, most: int = _NUMBER_MAX, least: int = 0) -> int:
        text = self.text()
        if not (text.isascii() and text.isdigit()) or len(text) > 6 or int(text) > most:
            raise self._no(f"{what} is not a number up to {most}: {text[:12]!r}")
        if int(text) < least:
            raise self._no(f"{what} is not a number from {least}: {text[:12]!r}")
        return int(text)

    def decimal(self, what: str) -> Decimal:
        text = self.text()
        if not _DECIMAL.match(text):
            raise self._no(f"{what} is not a number: {text[:12]!r}")
        return Decimal(text)

    def maybe(self, what: str) -> Decimal | None:
        if self.peek():
            return self.decimal(what)
        self.text()
        return None

    def card(self, what: str) -> str:
        text = self.text()
        if not is_card(text):
            raise MalformedInput(
                f"{self._place}: {what} is not a card's number: {text[:12]!r}", code="bad_card"
            )
        return text

    def code(self, what: str) -> str:
        text = self.text()
        if not _CODE.match(text):
            raise self._no(f"{what} is not a code of letters and digits: {text[:12]!r}")
        return text

    def letter(self, what: str, letters: str) -> str:
        text = self.text()
        if len(text) != 1 or text not in letters:
            raise self._no(f"{what} is {' or '.join(letters)}, not {text[:8]!r}")
        return text

    def clock(self, what: str, digits: int) -> str:
        text = self.text()
        match = _CLOCK.match(text)
        good = match and (match[3] is not None) == (digits == 6)
        if text and not (match and good and _is_time(match)):
            raise self._no(f"{what} is not a time of {digits} digits: {text[:12]!r}")
        return text

    def degrees(self, what: str, most: int, letters: str) -> str:
        """Degrees and minutes with their letter behind; both may be empty."""
        text, letter = self.text(), self.text()
        if not text and not letter:
            return ""
        match = _DEGREES.match(text)
        minutes = Decimal(match[2]) + 60 * int(match[1]) if match else Decimal(-1)
        if not match or Decimal(match[2]) >= 60 or minutes > 60 * most or letter not in [*letters]:
            raise self._no(f"{what} is not a place: {text[:12]!r}, {letter[:2]!r}")
        return text + letter

    def payload(self, *, mixed: bool) -> bytes:
        text = self.text()
        if not _HEX.match(text):
            raise MalformedInput(
                f"{self._place}: the payload is not whole bytes in hexadecimal:"
                f" {text[:24]!r}{_odd(text)}",
                code="bad_payload",
            )
        data = bytes.fromhex(text)
        if not mixed:
            return data
        if data[:1] != bytes((MIXED_MARK,)):
            raise MalformedInput(
                f"{self._place}: a mixed payload starts with A4", code="bad_payload"
            )
        return data[1:]

    @property
    def _place(self) -> str:
        return f"{self.name}, field {self._at}"

    def _no(self, why: str) -> MalformedInput:
        return MalformedInput(f"{self._place}: {why}")


def _odd(text: str) -> str:
    return f" ({len(text)} digits, an odd number)" if len(text) % 2 else ""


def _is_time(match: re.Match[str]) -> bool:
    # A unit without a fix counts on as it likes; a leap second is 60.
    return int(match[1]) < 24 and int(match[2]) < 60 and int(match[3] or 0) <= 60


def _query(f: _Fields) -> CardQuery:
    f.need(2)
    return CardQuery(f.name, f.number("kind", 9), f.code("frame"))


def _ici(f: _Fields) -> CardInfo:
    f.need(8)
    return CardInfo(
        card=f.card("card"),
        serial=f.code("serial number"),
        broadcast=f.code("broadcast number"),
        user_kind=f.number("kind of user"),
        interval_s=f.number("interval"),
        level=f.number("level"),
        encrypted=f.letter("encrypted", "EN") == "E",
        subordinates=f.number("subordinates"),
    )


def _icp(f: _Fields) -> CardInfo3:
    f.need(2 + _REST_OF_ICP, 2 + _REST_OF_ICP + 16)
    card, broadcast = f.card("card"), f.code("broadcast number")
    rest = []
    for place in range(f.left):
        text = f.peek()
        if place in _NUMBERS_OF_ICP:
            f.number("interval" if place == _NUMBERS_OF_ICP[0] else "level or right")
        else:
            f.code("right or limit")
        rest.append(text)
    return CardInfo3(card, broadcast, tuple(rest))


def _txa(f: _Fields) -> Send21:
    f.need(4)
    card, kind, coding = f.card("receiver"), f.number("kind", 1), f.number("coding", 2)
    return Send21(card, kind, coding, f.payload(mixed=coding == MIXED_21))


def _txr(f: _Fields) -> Received21:
    f.need(5)
    kind, sender, coding = f.number("kind", 5), f.card("sender"), f.number("coding", 2)
    hhmm = f.clock("time", 4)
    return Received21(kind, sender, coding, hhmm, f.payload(mixed=coding == MIXED_21))


def _tcq(f: _Fields) -> Send3:
    f.need(6)
    head = (
        f.card("receiver"),
        f.number("frequency point", 5),
        f.number("confirmation", 2),
        f.number("coding", 5),
    )
    mixed = head[3] == MIXED_3
    if f.peek():
        return Send3(*head, f.payload(mixed=mixed), f.number("repeat interval"))
    f.text()
    if not f.peek():
        raise MalformedInput("CCTCQ: a message without any content", code="bad_payload")
    return Send3(*head, f.payload(mixed=mixed), 0, spaced=True)


def _tci(f: _Fields) -> Received3:
    f.need(7)
    sender, receiver = f.card("sender"), f.card("receiver")
    frequency, hhmmss = f.number("frequency point", 5), f.clock("time", 6)
    coding, reserved = f.number("coding", 5), f.code("reserved")
    data = f.payload(mixed=coding == MIXED_3)
    return Received3(sender, receiver, frequency, hhmmss, coding, reserved, data)


def _fki(f: _Fields) -> Feedback:
    f.need(4, 5)
    # The two families order the fields differently: only BDS-3 units begin with a time.
    timed = f.left == 5 and f.peek()[:6].isdigit() and f.peek() != ""
    hhmmss = f.clock("time", 6) if timed else ""
    request = f.code("request")
    done = f.letter("done", "YN") == "Y"
    setting = f.letter("setting", "YN") if f.left == 3 else ""
    reason, wait = f.peek(), f.peek(1)
    f.number("reason", 99)
    f.number("wait")
    return Feedback(hhmmss, request, done, reason, wait, setting)


def _bsi(f: _Fields) -> BeamStatus:
    f.need(3, 2 + BEAMS_MAX)
    response, difference = f.number("response beam", 99), f.number("time-difference beam", 99)
    return BeamStatus(
        response, difference, tuple(f.number(f"power of beam {n + 1}", 5) for n in range(f.left))
    )


def _pwi(f: _Fields) -> BeamPowers:
    f.need(3, 3 + 4 * BEAMS_MAX)
    hhmmss = f.clock("time", 6)
    old = f.number("beams of BDS-2", BEAMS_MAX)
    _room(f, 3 * old + 1)
    bds2 = tuple(_beam(f, flagged=False) for _ in range(old))
    new = f.number("beams of BDS-3", BEAMS_MAX)
    # The flag of the last beam, or of all of them, may be missing.
    if f.left not in (3 * new, 4 * new - 1, 4 * new) or (not new and f.left):
        raise MalformedInput(
            f"{f.name}: {f.left} fields for {new} beams of BDS-3, not {3 * new} or {4 * new}",
            code="bad_field_count",
        )
    flags = f.left - 3 * new
    return BeamPowers(hhmmss, bds2, tuple(_beam(f, flagged=n < flags) for n in range(new)))


def _room(f: _Fields, wanted: int) -> None:
    if f.left < wanted:
        raise MalformedInput(
            f"{f.name}: {f.left} fields left, not {wanted}", code="bad_field_count"
        )


def _beam(f: _Fields, *, flagged: bool) -> Beam:
    number = f.number("beam", 999)
    return Beam(number, f.decimal("C/N0"), f.decimal("C/N0"), f.code("flag") if flagged else None)


def _snr(f: _Fields) -> Levels:
    f.need(1, BEAMS_MAX)
    return Levels(tuple(f.number(f"C/N0 of beam {n + 1}", 99) for n in range(f.left)))


def _rmo(f: _Fields) -> OutputSetting:
    f.need(3)
    sentence, mode = f.code("sentence"), f.number("mode", 4, 1)
    if f.peek():
        return OutputSetting(sentence, mode, f.number("interval"))
    f.text()
    return OutputSetting(sentence, mode, None)


def _dwa(f: _Fields) -> PositionRequest:
    f.need(9)
    return PositionRequest(
        card=f.card("card"),
        urgent=f.letter("urgent", "AV") == "A",
        altimetry=f.number("altimetry", 3),
        high=f.letter("height", "HL") == "H",
        height_m=f.maybe("height"),
        antenna_m=f.maybe("antenna height"),
        pressure_pa=f.maybe("pressure"),
        temperature_c=f.maybe("temperature"),
        repeat_s=f.number("repeat interval"),
    )


def _dwr(f: _Fields) -> PositionAnswer:
    f.need(15)
    kind, card, hhmmss = f.number("kind", 9), f.card("card"), f.clock("time", 6)
    latitude, longitude = f.degrees("latitude", 90, "NS"), f.degrees("longitude", 180, "EW")
    if not latitude or not longitude:
        raise MalformedInput(f"{f.name}: a position without a place")
    height = f.maybe("height")
    f.letter("unit", "M")
    anomaly = f.maybe("height anomaly")
    f.letter("unit", "M")
    return PositionAnswer(
        *(kind, card, hhmmss, latitude, longitude, height, anomaly),
        accuracy=f.number("accuracy", 9),
        urgent=f.letter("urgent", "AV") == "A",
        ambiguous=f.letter("ambiguous", "YV") == "Y",
        high=f.letter("height", "HL") == "H",
    )


def _epi(f: _Fields) -> PositionReport:
    f.need(13)
    return PositionReport(
        sender=f.card("sender"),
        receiver=f.card("receiver"),
        service=f.number("kind of service", 99),
        hhmmss=f.clock("time", 6),
        longitude=f.degrees("longitude", 180, "EW"),
        latitude=f.degrees("latitude", 90, "NS"),
        height_m=f.maybe("height"),
        safety=f.code("kind of safety"),
        command=f.code("command"),
        length=f.maybe("length"),
        state=f.text(),
    )


def _setting(f: _Fields) -> SettingAnswer:
    f.need(1)
    return SettingAnswer(f.name, f.code("result"))


_READ: Final[dict[str, Callable[[_Fields], Sentence]]] = {
    "CCICA": _query,
    "CCICI": _query,
    "CCICR": _query,
    "BDICI": _ici,
    "BDICP": _icp,
    "CCTXA": _txa,
    "BDTXR": _txr,
    "CCTCQ": _tcq,
    "BDTCI": _tci,
    "BDFKI": _fki,
    "BDBSI": _bsi,
    "BDPWI": _pwi,
    "BDSNR": _snr,
    "CCRMO": _rmo,
    "CCDWA": _dwa,
    "BDDWR": _dwr,
    "BDEPI": _epi,
    "BDDEF": _setting,
    "BDBTX": _setting,
}
