"""Observation files of any size, part after part: no more of one is in memory than a part takes.

A part ends where an epoch does. What a part leaves for the next (codes that an event changed, the
running sums of Compact RINEX) is carried over, so that the parts together are the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Final, NamedTuple, Protocol

import numpy as np

from zhidao.core.compiling import ready
from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.satellites.joining import join_observations
from zhidao.positioning.wire.compression import (
    PLAIN_BYTES_MAX,
    is_compact,
    plain_text,
    unpacked_chunks,
)
from zhidao.positioning.wire.fixed import Lines
from zhidao.positioning.wire.rinex.compact import CompactDecoder, compact_start
from zhidao.positioning.wire.rinex.header import observation_header, version_and_type
from zhidao.positioning.wire.rinex.observation_files import Blocks3, read_blocks, unscaled
from zhidao.positioning.wire.rinex.rinex2_observations import read_records2, version2_header

Warned = Callable[[str], None]
# A part ends after so many satellite rows or so many epochs: a day at 30 s is one part, and so is
# most of an hour at 1 Hz. Solving takes about 1 kB a row.
ROWS: Final = 150_000
EPOCHS: Final = 3_000
# Text parsed at once. Its tables take about as much again.
TEXT_BYTES: Final = 4 * 1024 * 1024
_HEADER_BYTES_MAX: Final = 1024 * 1024
_LABEL: Final = b"END OF HEADER"
_COMPILED_FROM: Final = 3_000_000
_LINE: Final = re.compile(r"line (\d+)\Z")


def observation_parts(
    opened: Callable[[], Iterable[bytes]],
    *,
    systems: str = "",
    rows: int = ROWS,
    epochs: int = EPOCHS,
    bytes_hint: int = 0,
    text_bytes: int = TEXT_BYTES,
    warned: Warned | None = None,
) -> Iterator[Observations]:
    """The observations of a RINEX file of any version, plain, gzipped or Compact, in parts.

    opened: gives the file's bytes from its beginning; asked again only for a Compact file with
    events far inside, which is then expanded whole. rows, epochs: a part ends after so many of
    either. bytes_hint: size of the file, by which compiled kernels are loaded at once or not at
    all; text_bytes: how much text is parsed at once.
    warned: told that the file is cut at its end, whose whole epochs are then given; without it
    such a file is refused. Raises MalformedInput with the line for anything else.
    """
    kept: list[Observations] = []
    count = length = 0
    last_ns = None
    for part in _parts(opened, _Choice(systems, bytes_hint, text_bytes, warned)):
        if not len(part.gpst_ns):
            continue
        if last_ns is not None and int(part.gpst_ns[0]) <= last_ns:
            raise MalformedInput(f"the epoch {part.utc(0)} is not later than the one before")
        last_ns = int(part.gpst_ns[-1])
        kept.append(unscaled(part))
        count += part.rows
        length += len(part.gpst_ns)
        if count >= rows or length >= epochs:
            yield join_observations(kept)
            kept, count, length = [], 0, 0
    if kept:
        yield join_observations(kept)
    elif last_ns is None:
        raise MalformedInput("the file has no whole epoch", code="no_epochs")


class _Choice(NamedTuple):
    """What a caller asked for."""

    systems: str
    bytes_hint: int
    text_bytes: int
    warned: Warned | None


def _parts(opened: Callable[[], Iterable[bytes]], choice: _Choice) -> Iterator[Observations]:
    chunks = unpacked_chunks(opened(), cut=choice.warned)
    head = _head(chunks)
    text = _Text(head, chunks, choice.text_bytes)
    if not is_compact(head):
        yield from _plain(text, choice)
        return
    if compact_start(head) < 0 or not ready(pays=choice.bytes_hint >= _COMPILED_FROM):
        yield from _expanded(text.whole(), choice)
        return
    given_ns = -1
    decoder = _Compact(head, choice.systems)
    for part in _cut_up(text, decoder, choice.warned):
        if part is None:
            break
        given_ns = int(part.gpst_ns[-1]) if len(part.gpst_ns) else given_ns
        yield part
    else:
        return
    # An event, or damage, which the plain way names with its line.
    again = b"".join(unpacked_chunks(opened(), cut=choice.warned))
    for part in _expanded(again, choice):
        first = int((part.gpst_ns <= given_ns).sum())
        yield part.part(first, len(part.gpst_ns))


def _plain(text: _Text, choice: _Choice) -> Iterator[Observations]:
    lines = Lines(text.head)
    version, kind = version_and_type(lines)
    two = version.startswith("2") and kind == "O"
    reader: _Reader = (_Version2 if two else _Blocks)(lines, choice)
    for part in _cut_up(text, reader, choice.warned):
        assert part is not None
        yield part


def _expanded(data: bytes, choice: _Choice) -> Iterator[Observations]:
    """Compact RINEX by way of its plain text, which is bounded."""
    plain = plain_text(data, bytes_max=PLAIN_BYTES_MAX)
    size = choice.text_bytes
    chunks = (plain[at : at + size] for at in range(0, len(plain), size))
    head = _head(chunks)
    hint = max(choice.bytes_hint, len(plain))
    yield from _plain(_Text(head, chunks, size), choice._replace(bytes_hint=hint))


class _Text:
    """A file's text behind its header, taken from chunks as it is needed."""

    def __init__(self, begun: bytes, chunks: Iterator[bytes], size: int) -> None:
        self.size = size
        end = begun.index(b"\n", begun.index(_LABEL)) + 1 if b"\n" in begun else len(begun)
        self.head, self._rest, self._chunks = begun[:end], begun[end:], chunks

    def more(self, rest: bytes) -> tuple[bytes, bool]:
        """What was left over and the next bytes, and whether these are the last ones."""
        found = [rest, self._rest]
        count, self._rest = len(rest) + len(self._rest), b""
        for chunk in self._chunks:
            found.append(chunk)
            count += len(chunk)
            if count >= self.size + len(rest):
                return b"".join(found), False
        return b"".join(found), True

    def whole(self) -> bytes:
        """All of the file, which must be no larger than what is expanded at once."""
        found = bytearray(self.head + self._rest)
        for chunk in self._chunks:
            found += chunk
            if len(found) > PLAIN_BYTES_MAX:
                raise MalformedInput(f"more than {PLAIN_BYTES_MAX} bytes of such Compact RINEX")
        return bytes(found)


def _head(chunks: Iterator[bytes]) -> bytes:
    """The first chunks, as far as the header goes."""
    begun = b""
    for chunk in chunks:
        begun += chunk
        at = begun.find(_LABEL, 0, _HEADER_BYTES_MAX)
        if at >= 0 and begun.find(b"\n", at) >= 0:
            return begun
        if len(begun) > _HEADER_BYTES_MAX:
            break
    # Whatever is wrong is said by those who read headers.
    version_and_type(Lines(begun[:_HEADER_BYTES_MAX]))
    if _LABEL not in begun[:_HEADER_BYTES_MAX]:
        raise MalformedInput(
            "the RINEX header does not end with END OF HEADER"
            f" within the first {_HEADER_BYTES_MAX} bytes"
        )
    return begun


class _Reader(Protocol):
    """Reads whole epochs of one family of files."""

    def take(self, text: bytes, end: End) -> Taken | None:
        """The whole epochs at the beginning of the text; None: not to be read in this way."""


class End(Enum):
    """What a text's end is: where the next part begins, the file's own, or perhaps a cut."""

    PART = 1
    FILE = 2
    PERHAPS_CUT = 3


class Taken(NamedTuple):
    """Observations of whole epochs, and how many bytes of the text they took."""

    seen: Observations
    bytes: int


def _cut_up(text: _Text, reader: _Reader, warned: Warned | None) -> Iterator[Observations | None]:
    """What a reader makes of the text, part after part; None where it gives up."""
    rest, end = b"", End.PART
    line = text.head.count(b"\n")
    while end is End.PART:
        data, last = text.more(rest)
        if last:
            end = End.PERHAPS_CUT if warned else End.FILE
        try:
            taken = reader.take(data, end)
        except MalformedInput as error:
            found = _LINE.match(error.where)
            if found:
                error.where = f"line {int(found[1]) + line}"
            raise
        if taken is None:
            yield None
            return
        yield taken.seen
        line += data.count(b"\n", 0, taken.bytes)
        rest = data[taken.bytes :]
        if end is End.PART and len(rest) > TEXT_BYTES:
            raise MalformedInput(f"no whole epoch in {TEXT_BYTES} bytes", where=f"line {line + 1}")
    if warned and rest.strip():
        warned("the file is cut at its end: its last epoch is left out")


class _Blocks:
    """RINEX 3 and 4."""

    def __init__(self, lines: Lines, choice: _Choice) -> None:
        self._header, self._codes, _ = observation_header(lines)
        self._systems, self._hint = choice.systems, choice.bytes_hint

    def take(self, text: bytes, end: End) -> Taken:
        """Blocks up to the last `>`, which may go on in the next part."""
        taken = len(text)
        if end is End.PART:
            taken = text.rfind(b"\n>") + 1
        elif end is End.PERHAPS_CUT:
            taken = self._whole(text)
        found = self._read(text[:taken])
        self._codes = found.codes
        return Taken(found.seen, taken)

    def _read(self, text: bytes) -> Blocks3:
        lines = Lines(text, of_bytes=self._hint)
        return read_blocks(lines, 0, self._header, self._codes, systems=self._systems)

    def _whole(self, text: bytes) -> int:
        """Where a last block with too few lines, or with a last line that may be cut, begins."""
        start = text.rfind(b"\n>") + 1
        told, *follow = text[start:].rstrip().split(b"\n") if text[start:].strip() else (b"",)
        count = told[32:35].strip()
        if not count.isdigit() or len(follow) < int(count):
            return start
        codes = self._codes.get(follow[-1][:1].decode("latin-1"), ()) if follow else ()
        return len(text) if _ended(text, 3 + 16 * len(codes)) else start


def _ended(text: bytes, width: int) -> bool:
    """Whether the last line is whole: it has its line feed, or its last value (of F14.3)."""
    return text.endswith(b"\n") or len(text) - text.rfind(b"\n") - 1 >= width - 2


class _Version2:
    """RINEX 2."""

    def __init__(self, lines: Lines, choice: _Choice) -> None:
        self._start = version2_header(lines)
        self._systems, self._hint = choice.systems, choice.bytes_hint

    def take(self, text: bytes, end: End) -> Taken:
        """Records as far as their lines are there."""
        stop = len(text)
        if end is End.PART or (end is End.PERHAPS_CUT and not self._ended(text)):
            stop = text.rfind(b"\n") + 1
        found = self._read(text, stop)
        if end is End.FILE and found.bytes < len(text):
            line = text.count(b"\n", 0, found.bytes) + 1
            raise MalformedInput(
                "the file ends inside a record",
                where=f"line {line}",
                remedy="send the whole file",
            )
        return found

    def _ended(self, text: bytes) -> bool:
        return _ended(text, 16 * ((len(self._start.types) - 1) % 5 + 1))

    def _read(self, text: bytes, stop: int) -> Taken:
        lines = Lines(text[:stop], of_bytes=self._hint)
        found = read_records2(lines, self._start, 0, systems=self._systems)
        self._start = self._start._replace(types=found.types)
        whole = found.line >= len(lines)
        return Taken(found.seen, stop if whole else int(lines.starts[found.line]))


class _Compact:
    """Compact RINEX 3, by compiled kernels."""

    def __init__(self, head: bytes, systems: str) -> None:
        lines = Lines(head[compact_start(head) :])
        self._header, codes, _ = observation_header(lines)
        self._decoder = CompactDecoder(self._header, codes, systems)

    def take(self, text: bytes, end: End) -> Taken | None:
        """Whole epochs; events and damage are not read here.

        A last line without its end counts as cut: a difference that is cut would be another one.
        """
        stop = text.rfind(b"\n") + 1
        lines = Lines(text[:stop], of_bytes=_COMPILED_FROM)
        if not len(lines):
            none = np.zeros(0, np.int64)
            return Taken(Observations(self._header, none, none.astype(bool)), 0)
        found = self._decoder.take(lines, 0)
        whole = stop == len(text) and found is not None and found.line == len(lines)
        if found is None or (end is End.FILE and not whole):
            return None
        return Taken(
            found.seen, stop if found.line >= len(lines) else int(lines.starts[found.line])
        )
