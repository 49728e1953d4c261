"""What a tree shows of licences: which stand where, whether statements agree, what REUSE asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from zhidao.insight.domain.assessment import Cited, Counted, Found
from zhidao.insight.domain.licences import agree, openness
from zhidao.insight.domain.spdx import parse_expression
from zhidao.insight.service.tree_reading import TreeReading, owner_line
from zhidao.insight.wire.licence_notes import Annotation

_FOLDER: Final = "LICENSES/"
_NOT_COVERED: Final = re.compile(
    r"LICENSES/.*|\.reuse/.*|(?:.*/)?(?:COPYING|LICENSE)(?:\..*)?|.*\.spdx(?:\..*)?|.*\.license",
    re.DOTALL,
)


def licence_findings(reading: TreeReading) -> dict[str, Found]:
    """Findings of each kind of licence evidence. Root: the top folder and LICENSES."""
    found = {
        "licence_text": Found(tuple(_cites(reading, "licence_text", settled=True))),
        "licence_place": Found(tuple(_places(reading))),
        "licence_open": _open(reading),
        "copyright_notice": Found(tuple(_owners(reading))),
        "licence_headers": Found(tuple(_headers(reading))),
    }
    return {kind: each for kind, each in (found | _reuse(reading)).items() if each != Found()}


def root_licences(reading: TreeReading) -> list[str]:
    """Paths of licence files that speak of the whole: those at the top."""
    return [path for path in reading.licences if "/" not in path]


def _cites(reading: TreeReading, kind: str, *, settled: bool) -> Iterator[Cited]:
    for path in root_licences(reading):
        if reading.licences[path].is_settled == settled:
            yield reading.cite(kind, path)


def _places(reading: TreeReading) -> Iterator[Cited]:
    for path, told in reading.licences.items():
        if told.is_settled and ("/" not in path or path.startswith(_FOLDER)):
            yield reading.cite("licence_place", path)


def _open(reading: TreeReading) -> Found:
    """Whether what holds for the whole is open; two statements that disagree are cited both."""
    texts = _deciding(reading)
    if len(texts) != 1:
        return Found()
    expression = reading.licences[texts[0]].expression
    cites = (reading.cite("licence_open", texts[0]),)
    beside = _stated_beside(reading)
    if not agree([expression, *(reading.manifests[path].expression for path in beside)]):
        lines = (
            reading.cite("licence_open", each, reading.manifests[each].line) for each in beside
        )
        return Found(against=(*cites, *lines))
    # A file that a person must read may say anything of the whole.
    if not all(reading.licences[path].is_settled for path in root_licences(reading)):
        return Found()
    return _JUDGED[openness(expression)](cites)


def outbound_licences(reading: TreeReading) -> list[str]:
    """The licences under which the whole is given, as far as a text settles them."""
    return [reading.licences[path].expression for path in _deciding(reading)]


def _deciding(reading: TreeReading) -> list[str]:
    """The files that say what holds: those that point to texts, else the texts."""
    settled = [path for path in root_licences(reading) if reading.licences[path].is_settled]
    return [path for path in settled if reading.licences[path].reading == "pointer"] or settled


_JUDGED: Final[dict[str, Callable[[tuple[Cited, ...]], Found]]] = {
    "open": Found,
    "closed": lambda cites: Found(against=cites),
    "": lambda _: Found(),
}


def _stated_beside(reading: TreeReading) -> list[str]:
    """Manifests that state an expression, and not a text or a name of a file."""
    return [
        path
        for path, told in reading.manifests.items()
        if parse_expression(told.expression) is not None
    ]


def _owners(reading: TreeReading) -> Iterator[Cited]:
    own = [path for path in root_licences(reading) if _names_owner(reading, path)]
    for path in (*own, *_tops(reading, "notice", "readme.md", "readme.rst")):
        if line := owner_line(reading.contents[path]):
            yield reading.cite("copyright_notice", path, line)


# Whoever uses one of these texts puts their own name above it. The longer texts name those who
# wrote the licence, and nobody else.
_OWNED_BY_NAME: Final = frozenset(("MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "0BSD"))


def _names_owner(reading: TreeReading, path: str) -> bool:
    told = reading.licences[path]
    return (told.expression or told.resembles) in _OWNED_BY_NAME


def _tops(reading: TreeReading, *names: str) -> list[str]:
    return [path for path in reading.contents if path.lower() in names]


def _headers(reading: TreeReading) -> Iterator[Cited | Counted]:
    for path, stated in reading.headers.items():
        if path in reading.contents:
            yield reading.cite("licence_headers", path, stated.line)
            break
    if reading.headers:
        value = f"{len(reading.headers)} of {len(reading.files)} files"
        yield Counted("licence_headers", "files_with_header", value)


def _reuse(reading: TreeReading) -> dict[str, Found]:
    """What REUSE asks of every file: licence, text of it in LICENSES, expressions that are some."""
    covered = [file.path for file in reading.files if is_covered(file.path, file.size)]
    stated = list(filter(None, (expressions_of(reading, path) for path in covered)))
    used = {expression for told in stated for expression in told}
    ids, unread = _ids_of(used)
    texts = _texts_by_id(reading)
    held = sum(has_holder(reading, path) for path in covered)
    shares = {
        "licences_per_file": ("licensed_files", len(stated), len(covered)),
        "holders_per_file": ("held_files", held, len(covered)),
        "licence_expressions": ("expressions", len(used) - unread, len(used)),
        "licences_folder": ("texts", len(ids & texts), len(ids)),
        "licences_all_used": ("used_texts", len(texts & ids), len(texts)),
    }
    return {
        kind: Found((Counted(kind, figure, f"{count} of {whole}"),))
        for kind, (figure, count, whole) in shares.items()
        if 0 < whole == count
    }


def _ids_of(expressions: Iterable[str]) -> tuple[set[str], int]:
    """Every licence that expressions name, and how many are no expressions."""
    parsed = [parse_expression(expression) for expression in expressions]
    return {name for each in parsed if each for name in each.ids}, parsed.count(None)


def _texts_by_id(reading: TreeReading) -> set[str]:
    paths = (path.removeprefix(_FOLDER) for path in reading.blob_of if path.startswith(_FOLDER))
    return {path.rpartition(".")[0] or path for path in paths}


def is_covered(path: str, size: int) -> bool:
    """Whether REUSE asks for the licence of such a file (specification 3.3, covered files)."""
    return size > 0 and not _NOT_COVERED.fullmatch(path)


def has_holder(reading: TreeReading, path: str) -> bool:
    """Whether a file, its .license file or a REUSE.toml says who holds the copyright."""
    if path in reading.holders or path + ".license" in reading.holders:
        return True
    return any(each.has_holder for each in _annotations(reading, path))


def _annotations(reading: TreeReading, path: str) -> Iterator[Annotation]:
    """Those of the tables that mean a path; the last one of a table goes first, since it holds."""
    for listed in reading.reuse.values():
        yield from (each for each in reversed(listed or ()) if each.path.matches(path))


def expressions_of(reading: TreeReading, path: str) -> tuple[str, ...]:
    """The expressions that a file is under: its .license file, its header, or REUSE.toml.

    An annotation that overrides goes before what the file itself states.
    """
    annotations = [each for each in _annotations(reading, path) if each.expressions]
    for annotation in annotations:
        if annotation.overrides:
            return annotation.expressions
    for each in (path + ".license", path):
        if each in reading.headers:
            return (reading.headers[each].expression,)
    return annotations[0].expressions if annotations else ()
