"""One pass over the files of a tree: what each says of its licence, and what may be quoted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from zhidao.insight.domain.assessment import QUOTATION_LETTERS, Cited
from zhidao.insight.domain.evidence_kinds import FILE_PATTERNS, OF_ANY_KIND
from zhidao.insight.domain.licence_comparison import KnownTexts
from zhidao.insight.domain.licences import LicenceText, read_licence
from zhidao.insight.service.repository import FileAt, Repository
from zhidao.insight.wire.licence_notes import (
    MANIFESTS,
    PATTERNS_MAX,
    Annotation,
    Stated,
    decode_reuse,
    header_of,
    manifest_licence,
    names_holder,
)

FILE_BYTES_MAX: Final = 1024 * 1024
# A larger file is no licence text, and of more files than this nobody reads the rest.
LICENCE_BYTES: Final = 256 * 1024
LICENCES: Final = 1000
_CANDIDATES_A_KIND: Final = 3
_BINARY_BYTES: Final = 8192
_LICENCE_NAME: Final = re.compile(
    r"(?:un)?licen[cs]es?(?:[._-].*)?|.+[._-]licen[cs]e(?:\.(?:txt|md|rst))?|copying(?:[._-].*)?"
    r"|licen[cs]e-.*",
    re.IGNORECASE,
)
_SOURCE: Final = re.compile(r"\.(?:py|js|ts|tsx|json|toml|ya?ml|c|h|go|rs|java|rb|php|html|svg)$")
# How compiled programs begin: ELF, PE, Mach-O of both orders and widths, Java and fat Mach-O,
# WebAssembly. An archive of such, a zip or a Unix archive, is not looked into.
_PROGRAMS: Final = (
    *(b"\x7fELF", b"MZ", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe"),
    *(b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\0asm"),
)
_OWNER_LINE: Final = re.compile(
    r"^\W*(?:copyright|©|\(c\)).*\b(?:\d{4}|contributors|authors)\b", re.IGNORECASE | re.MULTILINE
)


@dataclass
class TreeReading:
    """What was read. Paths stand in the tree's order.

    unread: paths of files that were too large. texts: licence files by path, with their words.
    holders: paths that name who owns them. programs: paths of compiled programs.
    """

    files: tuple[FileAt, ...]
    contents: dict[str, str] = field(default_factory=dict)
    headers: dict[str, Stated] = field(default_factory=dict)
    manifests: dict[str, Stated] = field(default_factory=dict)
    reuse: dict[str, tuple[Annotation, ...] | None] = field(default_factory=dict)
    licences: dict[str, LicenceText] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    holders: set[str] = field(default_factory=set)
    programs: list[str] = field(default_factory=list)
    kinds: dict[str, list[FileAt]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.blob_of = {file.path: file.blob for file in self.files}

    @property
    def header_counts(self) -> Counter[str]:
        """How many files state each expression in a header."""
        return Counter(stated.expression for stated in self.headers.values())

    def cite(
        self, kind: str, path: str, line: int = 0, letters: tuple[int, int] | None = None
    ) -> Cited:
        """Lines of a file as evidence: `line`, or those of `letters`, or the first that says."""
        return cited(kind, path, self.blob_of[path], self.contents[path], line, letters)


def cited(
    kind: str,
    path: str,
    blob: str,
    text: str,
    line: int = 0,
    letters: tuple[int, int] | None = None,
) -> Cited:
    """Evidence out of a text. Lines are what a line feed ends, from 1."""
    lines = text.split("\n")
    if letters is not None:
        first, last = (text.count("\n", 0, place) + 1 for place in letters)
        quotation = text[letters[0] : letters[1]]
    else:
        said = (number for number, each in enumerate(lines, 1) if each.strip())
        first = last = line or next(said, 1)
        quotation = lines[first - 1].strip()
    return Cited(kind, path, first, last, blob, quoted(quotation))


def quoted(text: str) -> str:
    """At most 200 letters on one line."""
    return " ".join(text.split())[:QUOTATION_LETTERS]


def lines_say(text: str, first: int, last: int, quotation: str) -> bool:
    """Whether the lines [first, last] hold the quotation, spaces aside."""
    lines = text.split("\n")
    if not 1 <= first <= last <= len(lines):
        return False
    return quotation in " ".join(" ".join(lines[first - 1 : last]).split())


def says_something(text: str) -> bool:
    """Whether a letter or a digit stands in it: blanks under a name are no evidence of anything."""
    return any(map(str.isalnum, text))


def as_text(data: bytes) -> str | None:
    """The text of a file, or None for what is none. What is no UTF-8 is replaced by a mark."""
    if b"\0" in data[:_BINARY_BYTES]:
        return None
    return data.decode("utf-8", "replace")


def read_tree(repository: Repository, known: KnownTexts, named: Iterable[str] = ()) -> TreeReading:
    """Reads every file of at most 1 MiB once, and keeps of it what may be evidence.

    named: paths whose text is kept besides.
    """
    tree = repository.tree
    reading = TreeReading(tree.files)
    reading.kinds = _kinds(tree.files)
    wanted = _wanted(reading) | set(named)
    by_blob: dict[str, list[str]] = {}
    for file in tree.files:
        if 0 < file.size <= FILE_BYTES_MAX:
            by_blob.setdefault(file.blob, []).append(file.path)
        elif file.size:
            reading.unread.append(file.path)
    for blob, data in repository.blobs(list(by_blob)):
        for path in by_blob[blob]:
            _look_at(reading, path, data, wanted)
    _read_licences(reading, known)
    return reading


def _look_at(reading: TreeReading, path: str, data: bytes, wanted: set[str]) -> None:
    if path in wanted and (text := as_text(data)) is not None and says_something(text):
        reading.contents[path] = text
    _look_at_head(reading, path, data)
    if path.lower() in MANIFESTS and (stated := manifest_licence(path, data)):
        reading.manifests[path] = stated
    if path.rpartition("/")[2] == "REUSE.toml":
        _take_table(reading, path, data)


def _take_table(reading: TreeReading, path: str, data: bytes) -> None:
    """A tree of many such tables has as many patterns as one of them may."""
    table = decode_reuse(data, path.removesuffix("REUSE.toml"))
    had = sum(len(each or ()) for each in reading.reuse.values())
    reading.reuse[path] = table if had + len(table or ()) <= PATTERNS_MAX else None


def _look_at_head(reading: TreeReading, path: str, data: bytes) -> None:
    if names_holder(data):
        reading.holders.add(path)
    if data.startswith(_PROGRAMS) and b"\0" in data[:_BINARY_BYTES]:
        reading.programs.append(path)
    header = header_of(data)
    if header is None:
        return
    text = as_text(data)
    if text is None:
        return
    # The first file with a header is cited for all of them.
    if not reading.headers:
        reading.contents[path] = text
    reading.headers[path] = header


def _wanted(reading: TreeReading) -> set[str]:
    """Paths whose text is kept: evidence by name, licence files, manifests."""
    wanted = {file.path for found in reading.kinds.values() for file in found}
    licences = [file for file in reading.files if _is_small_licence(file)]
    wanted |= {file.path for file in sorted(licences, key=_near_the_top)[:LICENCES]}
    return wanted | {
        file.path
        for file in reading.files
        if file.path.lower() == "notice" or file.path.lower() in MANIFESTS
    }


def _is_small_licence(file: FileAt) -> bool:
    return file.size <= LICENCE_BYTES and is_licence_name(file.path)


def is_licence_name(path: str) -> bool:
    """Whether a file is named as those that hold a licence, or stands in LICENSES."""
    folder, _, name = path.rpartition("/")
    if folder == "LICENSES":
        return True
    # Told by two words before the pattern looks for where they stand.
    if "licen" not in (lower := name.lower()) and "copying" not in lower:
        return False
    return bool(_LICENCE_NAME.fullmatch(name)) and not _SOURCE.search(name.lower())


def _kinds(files: Iterable[FileAt]) -> dict[str, list[FileAt]]:
    found: dict[str, list[FileAt]] = {}
    lower = ((file.path.lower(), file) for file in files if 0 < file.size <= FILE_BYTES_MAX)
    # Most files are of no kind, and one look tells that of all kinds.
    small = [each for each in lower if OF_ANY_KIND.fullmatch(each[0])]
    for kind, pattern in FILE_PATTERNS.items():
        hits = [file for path, file in small if pattern.fullmatch(path)]
        if hits:
            found[kind] = sorted(hits, key=_near_the_top)[:_CANDIDATES_A_KIND]
    return found


def _near_the_top(file: FileAt) -> tuple[int, int, str]:
    return file.path.count("/"), len(file.path), file.path


def _read_licences(reading: TreeReading, known: KnownTexts) -> None:
    """Texts first, then the short files that point to them."""
    paths = [path for path in reading.contents if is_licence_name(path)]
    for path in paths:
        reading.licences[path] = read_licence(reading.contents[path], known, {})
    for path in paths:
        if not reading.licences[path].is_settled:
            folder = path.rpartition("/")[0]
            beside = {
                other.rpartition("/")[2]: told.expression
                for other, told in reading.licences.items()
                if other != path and other.rpartition("/")[0] == folder and told.is_settled
            }
            reading.licences[path] = read_licence(reading.contents[path], known, beside)


def owner_line(text: str) -> int:
    """The first line that says who holds the copyright, or 0."""
    found = _OWNER_LINE.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else 0
