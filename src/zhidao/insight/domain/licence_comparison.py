"""Licence texts compared word for word, without the texts: by digests of their words.

A text is a known one if its words are, all and in order, those of the known one. Left out of the
comparison are what the licences themselves leave open (the owner's name, in three phrases of the
BSD family), lines of copyright, marks of lists, letters' size and punctuation. Whatever else stands
beside or between is quoted and decides nothing: a person reads it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Of this many words is each digest by which a part of a known text is found again.
BLOCK_WORDS: Final = 8
SHINGLE_WORDS: Final = 5
_DIGITS: Final = 8
# At least this share of a known text's blocks, before a text is called nearly that one.
_NEAR_SHARE: Final = 0.5
_TEXTS_IN_ONE_FILE: Final = 20

_COPYRIGHT: Final = re.compile(
    r"\W*(?:portions\s+)?(?:copyright\b\W*(?:\(c\)|©)?|\(c\)|©)\W*"
    r"(?:\d{4}|[<\[{(]|\(c\)|©|contributors|by\b|the regents|free software|apache software)",
)
_ADDRESS: Final = re.compile(
    r"51 franklin|59 temple|675 mass|0211[01]-?\d*|\b02139\b|www\.fsf\.org"
)
_RESERVED: Final = re.compile(r"\W*all rights (?:are )?reserved\W*")
_MARK: Final = re.compile(
    r"^\s*(?:#|//|\*|;|>)*\s*(?:\(?(?:\d{1,2}|[a-z]|i{1,3})[.)]\s+|[-*•]\s+)?"
)
_WORD: Final = re.compile(r"[a-z0-9]+")
# A line about the owner that also says one of these says more than who the owner is.
_MORE: Final = re.compile(
    r"\b(?:may|must|shall|not|non|no|only|use[ds]?|commercial\w*|permission|permitted|except|"
    r"prohibited|forbid\w*|unless|provided|condition\w*|licen[cs]e\w*|fee|require\w*)\b"
)
_OWNER: Final = (
    (("neither", "the", "name", "of"), ("nor", "the", "names", "of")),
    (("software", "is", "provided", "by"), ("as", "is")),
    (("in", "no", "event", "shall"), ("be", "liable")),
)
_OWNER_WORDS: Final = 14
_SAME: Final = {"licence": "license", "licences": "licenses", "licenced": "licensed"}
_TITLE: Final = frozenset(
    (
        *("the", "mit", "expat", "license", "licenses", "bsd", "clause", "new", "revised"),
        *("simplified", "modified", "2", "3", "isc", "zlib", "apache", "version", "0", "gnu"),
        *("general", "public", "lesser", "affero", "mozilla", "boost", "software", "v2", "v3"),
        *("creative", "commons", "cc0", "1", "4", "universal", "international", "attribution"),
        *("sharealike", "unlicense", "copyright", "notice", "or", "file", "txt", "md", "of"),
        *("two", "three", "legal", "code", "terms", "foundation", "python", "psf", "zero", "same"),
    )
)
_TITLE_WORDS: Final = 16


@dataclass(frozen=True, slots=True)
class Token:
    """A word as it is compared, and where it stands: characters [start, end) of the text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class KnownText:
    """A licence by its digests. `id` is SPDX's; of the GNU family without only or or-later.

    words: how many. digest: SHA-256 of them all. blocks: of each eighth word's block, in order.
    """

    id: str
    words: int
    digest: str
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownTexts:
    """All known texts, and digests of what usually stands around them: headings, appendices."""

    texts: tuple[KnownText, ...]
    around: frozenset[str]


@dataclass(frozen=True, slots=True)
class Compared:
    """What a text is. exact: ids whose words stand there, all and in order.

    near: the id that it resembles without being it, or empty. extra: characters [start, end) of
    what stands beside or between, in order.
    """

    exact: tuple[str, ...]
    near: str
    extra: tuple[tuple[int, int], ...]


def words_of(text: str) -> list[Token]:
    """The words that are compared, each with its place in the text."""
    found: list[Token] = []
    start = 0
    for line in text.splitlines(keepends=True):
        # Lower case may change a letter's length in a few scripts; those stay as they are.
        small = line.lower() if len(line.lower()) == len(line) else line
        if not _is_about_owner(small):
            mark = _MARK.match(small)
            begin = mark.end() if mark else 0
            found += [
                Token(_alike(word[0]), start + word.start(), start + word.end())
                for word in _WORD.finditer(small, begin)
            ]
        start += len(line)
    return _without_owner(found)


def digest_of(words: Sequence[Token]) -> str:
    """SHA-256 of words, hexadecimal."""
    return hashlib.sha256(" ".join(word.text for word in words).encode()).hexdigest()


def short_digest(words: Sequence[Token]) -> str:
    """The first 32 bits of the digest: finds a place, decides nothing."""
    return digest_of(words)[:_DIGITS]


def compare(text: str, known: KnownTexts) -> Compared:
    """Says which known texts stand in `text`, which one it resembles, and what else it says."""
    words = words_of(text)
    hits = _hits(words, known)
    exact, parts = _exact(words, hits)
    near = ""
    extra = [run for part in parts for run in _strange(words, part, known.around)]
    if extra and not exact:
        near, gaps = _nearest(words, hits)
        extra = [run for gap in gaps for run in _strange(words, gap, known.around)]
    return Compared(
        tuple(exact),
        near,
        tuple((words[first].start, words[last - 1].end) for first, last in extra if first < last),
    )


def _hits(words: Sequence[Token], known: KnownTexts) -> list[Sequence[tuple[KnownText, int]]]:
    """For each place, the known texts that have the block which begins there, and where in them."""
    index: dict[str, list[tuple[KnownText, int]]] = {}
    for each in known.texts:
        for number, block in enumerate(each.blocks):
            index.setdefault(block, []).append((each, number * BLOCK_WORDS))
    return [
        index.get(short_digest(words[place : place + BLOCK_WORDS]), ())
        for place in range(len(words) - BLOCK_WORDS + 1)
    ]


def _exact(
    words: Sequence[Token], hits: Sequence[Sequence[tuple[KnownText, int]]]
) -> tuple[list[str], list[tuple[int, int]]]:
    """The known texts that stand there, and the parts that are in none of them."""
    exact: list[str] = []
    parts = [(0, len(words))]
    for _ in range(_TEXTS_IN_ONE_FILE):
        hit = _first_exact(words, parts, hits)
        if hit is None:
            break
        each, (start, end), part = hit
        exact.append(each.id)
        parts.remove(part)
        parts += [span for span in ((part[0], start), (end, part[1])) if span[0] < span[1]]
    return exact, sorted(parts)


def _first_exact(
    words: Sequence[Token],
    parts: Sequence[tuple[int, int]],
    hits: Sequence[Sequence[tuple[KnownText, int]]],
) -> tuple[KnownText, tuple[int, int], tuple[int, int]] | None:
    """The longest known text whose words stand in a part, all and in order."""
    best: tuple[KnownText, tuple[int, int], tuple[int, int]] | None = None
    for part in parts:
        tried: set[tuple[str, int]] = set()
        for place in range(part[0], part[1] - BLOCK_WORDS + 1):
            for each, offset in hits[place]:
                start = place - offset
                end = start + each.words
                if (each.id, start) in tried or start < part[0] or end > part[1]:
                    continue
                tried.add((each.id, start))
                longer = best is None or each.words > best[0].words
                if longer and digest_of(words[start:end]) == each.digest:
                    best = (each, (start, end), part)
    return best


def _nearest(
    words: Sequence[Token], hits: Sequence[Sequence[tuple[KnownText, int]]]
) -> tuple[str, list[tuple[int, int]]]:
    """The text that most blocks are of, and the words that are in none of its blocks."""
    places: dict[str, dict[int, int]] = {}
    blocks: dict[str, int] = {}
    for place, found in enumerate(hits):
        for each, offset in found:
            blocks[each.id] = len(each.blocks)
            places.setdefault(each.id, {}).setdefault(offset, place)
    share = {name: len(places[name]) / blocks[name] for name in blocks}
    if not share or max(share.values()) < _NEAR_SHARE:
        return "", [(0, len(words))]
    near = max(share, key=lambda name: (share[name], blocks[name]))
    return near, _gaps(places[near], len(words))


def _gaps(places: dict[int, int], length: int) -> list[tuple[int, int]]:
    """Stretches of words that no block covers, other than the known text has there itself."""
    gaps = []
    before_place = before_offset = 0
    for offset, place in sorted(places.items()):
        if place - before_place != offset - before_offset and place > before_place:
            gaps.append((before_place, place))
        before_place, before_offset = place + BLOCK_WORDS, offset + BLOCK_WORDS
    if before_place < length:
        gaps.append((before_place, length))
    return gaps


def _strange(
    words: Sequence[Token], part: tuple[int, int], around: frozenset[str]
) -> list[tuple[int, int]]:
    """Runs of words in no heading or known appendix, neither of which states anything."""
    known = [False] * (part[1] - part[0])
    for place in range(part[0], part[1] - SHINGLE_WORDS + 1):
        if short_digest(words[place : place + SHINGLE_WORDS]) in around:
            at = place - part[0]
            known[at : at + SHINGLE_WORDS] = [True] * SHINGLE_WORDS
    runs: list[tuple[int, int]] = []
    for place, is_known in enumerate(known, start=part[0]):
        if is_known:
            continue
        if runs and runs[-1][1] == place:
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
    return [run for run in runs if not _is_title(words[run[0] : run[1]])]


def _is_title(words: Sequence[Token]) -> bool:
    return len(words) <= _TITLE_WORDS and all(word.text in _TITLE for word in words)


def _is_about_owner(line: str) -> bool:
    if _RESERVED.fullmatch(line) or (_ADDRESS.search(line) and len(line) < 90):
        return not _MORE.search(line)
    return bool(_COPYRIGHT.match(line)) and not _MORE.search(line)


def _alike(word: str) -> str:
    return _SAME.get(word, "http" if word == "https" else word)


def _without_owner(words: list[Token]) -> list[Token]:
    """The words with the owner's name left out of the phrases that have a place for it."""
    for before, after in _OWNER:
        place = 0
        while (place := _phrase(words, before, place)) >= 0:
            begin = place + len(before)
            end = _phrase(words[: begin + _OWNER_WORDS + len(after)], after, begin)
            name = words[begin:end] if end > begin else []
            if name and not any(_MORE.fullmatch(word.text) for word in name):
                words = words[:begin] + words[end:]
            place = begin
    return words


def _phrase(words: Sequence[Token], phrase: tuple[str, ...], start: int) -> int:
    """Where a phrase begins at or after `start`, or -1."""
    for place in range(start, len(words) - len(phrase) + 1):
        if all(words[place + each].text == text for each, text in enumerate(phrase)):
            return place
    return -1
