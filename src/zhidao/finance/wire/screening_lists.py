"""Sanctions lists in their publishers' layouts, and as plain CSV.

OFAC: sdn.csv and alt.csv, checked on files of 2021. UN (XML), EU (XML, version 1.1) and UK (CSV)
follow the published layouts as remembered and were not checked on a file of their publishers.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.screening.names import NAME_CHARACTERS_MAX
from zhidao.finance.domain.screening.screening import ListedName, ListVersion

if TYPE_CHECKING:
    from lxml.etree import _Element

BYTES_MAX: Final = 256 * 1024 * 1024
# The fullest published list has some three million.
NODES_MAX: Final = 12_000_000
KINDS: Final = ("ofac", "un", "eu", "uk", "csv")


@dataclass(frozen=True, slots=True)
class NameList:
    """A list as it was read."""

    version: ListVersion
    entries: tuple[ListedName, ...]


def read_list(kind: str, *files: bytes, dated: date | None = None) -> NameList:
    """A list from its file (OFAC: names, then aliases). `dated`: where the file tells no date.

    Raises MalformedInput for a file that is not of its kind, has no name, or tells no date.
    """
    if kind not in KINDS or not files or (len(files) > 1 and kind != "ofac"):
        raise MalformedInput(f"a list is one of {', '.join(KINDS)} with its file")
    if sum(map(len, files)) > BYTES_MAX:
        raise MalformedInput(f"a list of more than {BYTES_MAX} bytes")
    read: Callable[[], tuple[date | None, list[ListedName]]] = {
        "ofac": lambda: (None, _ofac(*files)),
        "un": lambda: _un(files[0]),
        "eu": lambda: _eu(files[0]),
        "uk": lambda: _uk(files[0]),
        "csv": lambda: (None, _plain(files[0])),
    }[kind]
    told, entries = read()
    day = told or dated
    if day is None:
        raise MalformedInput(f"the {kind} list tells no date", remedy="say of which day it is")
    kept = tuple(one for one in map(_named, entries) if one.names)
    if not kept:
        raise MalformedInput(f"no name stands in the {kind} list")
    digest = hashlib.sha256(b"".join(files)).hexdigest()
    return NameList(ListVersion(kind, day, digest, len(kept)), kept)


def _named(entry: ListedName) -> ListedName:
    """Only what can be read as a name; too long ones are cut, so that they are still found."""
    cut = (name.strip()[:NAME_CHARACTERS_MAX] for name in entry.names)
    return replace(
        entry,
        names=tuple(dict.fromkeys(name for name in cut if any(map(str.isalpha, name)))),
    )


def _ofac(names: bytes, aliases: bytes = b"") -> list[ListedName]:
    entries: dict[str, ListedName] = {}
    for line, row in _rows(names):
        if len(row) < 12:
            if row and row[0].strip() in ("", "\x1a"):
                continue
            raise MalformedInput("a row of sdn.csv has 12 cells", where=f"line {line}")
        number, name, kind, program, *_, remarks = (_told(cell) for cell in row[:12])
        born = tuple(
            part.strip()[4:] for part in remarks.split(";") if part.strip().startswith("DOB ")
        )
        entries[number] = ListedName("ofac", number, (name,), kind, (program,), born)
    for line, row in _rows(aliases):
        if len(row) < 4:
            if row and row[0].strip() in ("", "\x1a"):
                continue
            raise MalformedInput("a row of alt.csv has at least 4 cells", where=f"line {line}")
        entry = entries.get(_told(row[0]))
        if entry is not None:
            entries[entry.entry] = replace(entry, names=(*entry.names, _told(row[3])))
    return list(entries.values())


def _told(cell: str) -> str:
    return "" if cell.strip() == "-0-" else cell.strip()


def _un(data: bytes) -> tuple[date | None, list[ListedName]]:
    root = _root(data)
    entries = []
    for kind, tag in (("individual", "INDIVIDUAL"), ("entity", "ENTITY")):
        for one in root.iter(tag):
            parts = [
                _text(one, f"{place}_NAME") for place in ("FIRST", "SECOND", "THIRD", "FOURTH")
            ]
            names = [" ".join(part for part in parts if part), _text(one, "NAME_ORIGINAL_SCRIPT")]
            names += [_text(alias, "ALIAS_NAME") for alias in one.iter(f"{tag}_ALIAS")]
            born = tuple(
                found
                for found in (
                    _text(b, "DATE") or _text(b, "YEAR")
                    for b in one.iter("INDIVIDUAL_DATE_OF_BIRTH")
                )
                if found
            )
            countries = tuple(str(v.text) for v in one.iterfind("NATIONALITY/VALUE") if v.text)
            entries.append(
                ListedName("un", _text(one, "DATAID"), tuple(names), kind, countries, born)
            )
    return _day(root.get("dateGenerated", "")), entries


def _eu(data: bytes) -> tuple[date | None, list[ListedName]]:
    root = _root(data)
    entries = []
    for one in root.iter("{*}sanctionEntity"):
        names = tuple(str(alias.get("wholeName", "")) for alias in one.iter("{*}nameAlias"))
        kinds = [str(kind.get("code", "")) for kind in one.iter("{*}subjectType")]
        born = tuple(str(b.get("birthdate", "")) for b in one.iter("{*}birthdate"))
        countries = tuple(str(c.get("countryIso2Code", "")) for c in one.iter("{*}citizenship"))
        number = str(one.get("euReferenceNumber") or one.get("logicalId", ""))
        entries.append(ListedName("eu", number, names, "".join(kinds[:1]), countries, born))
    return _day(root.get("generationDate", "")), entries


def _uk(data: bytes) -> tuple[date | None, list[ListedName]]:
    rows = _rows(data)
    _, first = next(rows, (0, []))
    day = None
    if len(first) >= 2 and first[0].strip().lower() == "last updated":
        parts = first[1].strip().split("/")
        day = _day("-".join(reversed(parts)))
        _, first = next(rows, (0, []))
    columns = {name.strip(): place for place, name in enumerate(first)}
    if not {"Name 6", "Name 1", "Group ID"} <= set(columns):
        raise MalformedInput("the UK list has columns Name 6, Name 1 and Group ID")
    entries: dict[str, ListedName] = {}
    for _, row in rows:
        cell = {name: row[place].strip() for name, place in columns.items() if place < len(row)}
        number = cell.get("Group ID", "")
        words = [cell.get(f"Name {place}", "") for place in (1, 2, 3, 4, 5, 6)]
        names = (" ".join(filter(None, words)), cell.get("Name Non-Latin Script", ""))
        known = entries.get(number)
        entries[number] = ListedName(
            "uk",
            number,
            (*(known.names if known else ()), *names),
            cell.get("Group Type", ""),
            tuple(filter(None, [cell.get("Nationality", "")])),
            tuple(filter(None, [cell.get("DOB", "")])),
        )
    return day, list(entries.values())


def _plain(data: bytes) -> list[ListedName]:
    rows = _rows(data)
    _, header = next(rows, (0, []))
    columns = [cell.strip().lower() for cell in header]
    if columns[:2] != ["id", "name"] or set(columns) - {"id", "name", "kind", "country", "born"}:
        raise MalformedInput("the first line is id,name and, if wanted, kind, country, born")
    entries: dict[str, ListedName] = {}
    for line, row in rows:
        if not row:
            continue
        if len(row) != len(columns):
            raise MalformedInput(f"{len(columns)} cells are needed", where=f"line {line}")
        cell = dict(zip(columns, (c.strip() for c in row), strict=True))
        known = entries.get(cell["id"])
        names = (*(known.names if known else ()), cell["name"])
        entries[cell["id"]] = ListedName(
            "csv",
            cell["id"],
            names,
            cell.get("kind", ""),
            tuple(filter(None, [cell.get("country", "")])),
            tuple(filter(None, [cell.get("born", "")])),
        )
    return list(entries.values())


def _rows(data: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # OFAC's older files are in Latin-1.
        text = data.decode("latin-1")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            # A quote that is not closed would take the names of the lines below into one cell.
            if any("\n" in cell or "\r" in cell for cell in row):
                raise MalformedInput(
                    "a cell goes over more than one line",
                    where=f"line {reader.line_num}",
                    remedy="close each quote on its line, or double it within a cell",
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise MalformedInput(f"not CSV: {error}", where=f"line {reader.line_num}") from error


def _root(data: bytes) -> _Element:
    # lxml costs some megabytes and 0.1 s: whoever screens by a file of names never loads it.
    from zhidao.rules import parse_xml

    return parse_xml(data, bytes_max=BYTES_MAX, nodes_max=NODES_MAX)


def _text(element: _Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
