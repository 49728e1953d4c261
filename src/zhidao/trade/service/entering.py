"""Entering a consignment: what is wrong with what was typed so far, and what it makes already."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput, NotFound, Refused, ZhidaoError
from zhidao.core.remedies import remedies, remedy_of
from zhidao.rules import parse_xml
from zhidao.trade.domain.clearance.facts import unnamed
from zhidao.trade.domain.conflicts.compared_set import INVOICES, Evidence
from zhidao.trade.domain.conflicts.table import Comparison, compare
from zhidao.trade.domain.documents.asked import asked, require
from zhidao.trade.domain.documents.formalities import DOCUMENTARY_CREDIT, FORMS
from zhidao.trade.domain.documents.mapping import Absorbed, DocumentForm, Syntax
from zhidao.trade.domain.documents.needed import NeededSet, check_papers, needed_set
from zhidao.trade.domain.model.catalogue import (
    EQUIPMENT,
    FIELDS,
    ITEM,
    canonical,
    sizes_of,
    unsaid,
)
from zhidao.trade.domain.model.consignment import (
    CanonicalConsignment,
    Origin,
    completed,
    enter,
)
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes
from zhidao.trade.domain.sanity import absurdities, check_sane
from zhidao.trade.service.document_set import (
    OF_OTHERS,
    MadeDocument,
    check_one_invoice,
    make_set,
    read_document,
    read_of_others,
)
from zhidao.trade.wire import consignment_entry
from zhidao.trade.wire import entry as entry_file
from zhidao.trade.wire.canonical_entry import TYPES
from zhidao.trade.wire.fields import parse_paper

FIELDS_MAX: Final = 12_000
FILES_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Trouble:
    """A typed value that its field refuses, or a fault of the entry as a whole."""

    path: str
    sentence: str
    code: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an entry is. With neither trouble nor a missing field it makes its documents.

    `road`: fields that a road over nodes still asks for. `asked`: those that its papers need typed.
    """

    troubles: tuple[Trouble, ...]
    missing: tuple[str, ...]
    asked: tuple[str, ...]
    papers: NeededSet
    made: tuple[MadeDocument, ...] = ()
    comparison: Comparison | None = None
    road: tuple[str, ...] = ()

    @property
    def needed(self) -> int:
        """How many fields are asked for."""
        return len(self.asked)


def progress(typed: Mapping[str, str], codes: KnownCodes = SHORT_CODES) -> Progress:
    """Checks every field on its own, then the entry, then the documents that it makes.

    Raises MalformedInput only for more fields than an entry can have.
    """
    if len(typed) > FIELDS_MAX:
        raise MalformedInput(f"more than {FIELDS_MAX} fields")
    values = {path: text for path, text in typed.items() if text}
    troubles = [trouble for path, text in values.items() for trouble in _troubles(path, text)]
    papers = needed_set(values)
    wanted = tuple(asked(values, papers, codes))
    missing = tuple(path for path in wanted if path not in values)
    whole = values | {path: text for path, (text, _) in unsaid(values, codes).items()}
    sizes = sizes_of(values)
    road = tuple(consignment_entry.lacking(whole, items=sizes[ITEM], containers=sizes[EQUIPMENT]))
    troubles += [_implied("no_preference", one.path, one.sentence) for one in papers.obstacles]
    if not troubles and not missing:
        troubles = [
            _implied("implausible", one.path, one.sentence)
            for one in absurdities(_completed(values, codes), codes)
        ]
    if troubles or missing:
        return Progress(tuple(troubles), missing, wanted, papers, road=road)
    try:
        consignment = entered(values, codes)
        made = tuple(make_set(consignment, _forms(consignment)))
        compared = compare(Evidence({d.form.kind: d.absorbed.consignment for d in made}))
    except (MalformedInput, Refused) as error:
        return Progress((_told(error, error.where),), (), wanted, papers, road=road)
    return Progress((), (), wanted, papers, made, compared, road)


def _implied(code: str, path: str, sentence: str) -> Trouble:
    return Trouble(path, sentence, code, remedies().codes[code])


def _completed(values: Mapping[str, str], codes: KnownCodes) -> CanonicalConsignment:
    digest = hashlib.sha256("\n".join(f"{p}={t}" for p, t in values.items()).encode()).hexdigest()
    return completed(enter(values, digest=digest, origin=Origin.ENTRY), codes)


def entered(values: Mapping[str, str], codes: KnownCodes = SHORT_CODES) -> CanonicalConsignment:
    """The consignment of typed fields.

    Raises MalformedInput for one that is not whole, Refused for one that cannot be (`implausible`)
    or claims a preference that no agreement gives (`no_preference`).
    """
    consignment = _completed(values, codes)
    require(consignment)
    check_papers(consignment)
    check_sane(consignment, codes)
    return consignment


def imported(data: bytes) -> tuple[dict[str, str], tuple[str, ...]]:
    """Fields out of a document, an entry or a CSV, and the places that no field stands for.

    A CSV has the columns `path` and `value`, or one row an item with item fields as columns.
    Raises MalformedInput for anything else.
    """
    if seems := _other_file(data):
        raise MalformedInput(f"this is {seems}", code="not_taken", remedy=_TAKEN)
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:1] == b"<":
        found = read_of_others(data, kind=kind_of(data))
        return dict(found.consignment.values), found.unmapped
    if head[:1] != b"{":
        return _from_csv(data), ()
    plain = parse_strict(data)
    if isinstance(plain, dict) and plain.get("type") in TYPES:
        return dict(_flat_entry(data)), ()
    if isinstance(plain, dict) and "type" not in plain and "parties" in plain:
        return dict(_flat_entry(consignment_entry.migrated(entry_file.read(data)))), ()
    found = read_document(data, kind=kind_of(data))
    return dict(found.consignment.values), found.unmapped


def imported_file(name: str, data: bytes) -> tuple[dict[str, str], tuple[str, ...]]:
    """The same of a file, whose name a refusal tells."""
    try:
        return imported(data)
    except MalformedInput as error:
        raise MalformedInput(
            f"{name}: {error.args[0]}", code=error.code, where=error.where, remedy=remedy_of(error)
        ) from error


def _other_file(data: bytes) -> str:
    """What a file of none of the kinds taken seems to be, by how it begins; empty for others."""
    if not data.strip(b"\xef\xbb\xbf \t\r\n"):
        return "an empty file"
    for begins, name in _OTHER_FILES:
        if data.startswith(begins):
            return name
    if data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[":
        return "a JSON list"
    return "a binary file" if b"\0" in data else ""


def _flat_entry(data: bytes) -> Iterable[tuple[str, str]]:
    plain = parse_strict(data)
    assert isinstance(plain, dict)
    return _flat({k: v for k, v in plain.items() if k != "type"})


_TAKEN: Final = (
    "take the XML of a document, a JSON object with an entry or a document, or a CSV in UTF-8 with"
    " the columns path and value"
)
_OTHER_FILES: Final = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive, as XLSX and DOCX are"),
    (b"\xd0\xcf\x11\xe0", "a file of an older Office"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
)


@dataclass(frozen=True, slots=True)
class Looked:
    """A file of a folder: what it was read as, or why it was not."""

    name: str
    kind: str
    found: Absorbed | None
    trouble: Trouble | None


def looked_at(files: Iterable[tuple[str, bytes]]) -> tuple[list[Looked], Comparison]:
    """Reads the documents of a folder by what they are, and holds them against each other.

    A second document of a kind is told and left out. Raises MalformedInput for too many files.
    """
    looked: list[Looked] = []
    papers: dict[str, CanonicalConsignment] = {}
    for count, (name, data) in enumerate(files, 1):
        if count > FILES_MAX:
            raise MalformedInput(f"more than {FILES_MAX} files")
        try:
            found = read_of_others(data, kind=kind_of(data))
            kind = found.kind
        except MalformedInput as error:
            looked.append(Looked(name, "", None, _told(error, error.where)))
            continue
        if kind in papers:
            twice = Trouble(name, f"a second {kind} is left out", "second_document", "")
            looked.append(Looked(name, kind, found, twice))
            continue
        papers[kind] = found.consignment
        looked.append(Looked(name, kind, found, None))
    return looked, compare(Evidence(papers))


def kind_of(data: bytes) -> str:
    """The kind of a document by its root or its type. Raises MalformedInput for another."""
    if data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        root = str(parse_xml(data).tag)
        known = (*FORMS.values(), *OF_OTHERS.values())
        kind = next((f.kind for f in known if f.root == root), "")
    else:
        plain = parse_paper(data)
        if not isinstance(plain, dict):
            raise MalformedInput("not a document: JSON of another kind than an object")
        kind = _OWN_TYPES.get(str(plain.get("type", "")), "")
        if "transportDocumentTypeCode" in plain:
            kind = "transport_document"
    if not kind:
        raise MalformedInput(
            "a document of no kind that is known",
            code="unknown_kind",
            remedy="known: " + " ".join(FORMS),
        )
    return kind


def declared(
    data: bytes, kind: str, codes: KnownCodes = SHORT_CODES, today: date | None = None
) -> CanonicalConsignment:
    """What a declaration of that kind says.

    Raises MalformedInput for a document of another kind (`other_kind`), one with a place that no
    field stands for, a value that its own rows contradict, or without its number, a party, its
    country, its invoice or what its goods are (`not_whole`); Refused for one that cannot be
    (`implausible`), by these codes and by this day of the clock.
    """
    seen = kind_of(data)
    if seen != kind:
        titles = [(FORMS | OF_OTHERS)[each].titles[0] for each in (seen, kind)]
        raise MalformedInput(f"this is no {titles[1]}: {titles[0]}", code="other_kind")
    found = read_document(data, kind=kind)
    for place in found.unmapped:
        raise MalformedInput("no field stands for this place", code="not_whole", where=place)
    for misfit in found.misfits:
        raise MalformedInput(
            f"{misfit.seen} stands here, but the document's own rows make it {misfit.wanted}",
            code="not_whole",
            where=misfit.place,
            remedy="correct the one or the other",
        )
    said = found.consignment
    numbers = (FORMS[kind].number_path, "invoiceDocument.id")
    lacking = [place for place in numbers if not said.get(place).strip()]
    for place in (*lacking, *unnamed(said)):
        seen = f", and not {said.get(place)[:20]!r}" if said.get(place) else ""
        raise MalformedInput(f"a declaration says this{seen}", code="not_whole", where=place)
    check_sane(said, codes, today=today)
    return said


def document(values: Mapping[str, str], kind: str, codes: KnownCodes = SHORT_CODES) -> MadeDocument:
    """One document of an entry. Raises NotFound for a kind that is none of the set's."""
    form = FORMS.get(kind)
    if form is None:
        raise NotFound(f"no document kind {kind[:40]!r}")
    consignment = entered(values, codes)
    if form not in needed_set(consignment.values).forms:
        raise NotFound(f"this consignment needs no {form.titles[0]}")
    if form.kind in INVOICES:
        check_one_invoice(consignment)
    return make_set(consignment, [form])[0]


def _own_type(form: DocumentForm) -> str:
    name = "".join(word.capitalize() for word in form.kind.split("_"))
    return f"zhidao.{name}.v1" if form.syntax is Syntax.JSON else ""


_OWN_TYPES: Final = {_own_type(form): form.kind for form in FORMS.values() if _own_type(form)}


def _forms(consignment: CanonicalConsignment) -> list[DocumentForm]:
    forms = list(needed_set(consignment.values).forms)
    if consignment.get(DOCUMENTARY_CREDIT.number_path):
        forms.append(DOCUMENTARY_CREDIT)
    # A set has one invoice of a kind: several are written when the consignment is opened.
    return [f for f in forms if f.kind not in INVOICES or not consignment.has_more_invoices]


def _troubles(path: str, text: str) -> Iterable[Trouble]:
    try:
        canonical(path, text)
    except MalformedInput as error:
        yield _told(error, path)


def _told(error: ZhidaoError, where: str) -> Trouble:
    return Trouble(where, str(error.args[0]), error.code, remedy_of(error))


def _flat(value: object, place: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for k, item in enumerate(value):
            yield from _flat(item, f"{place}[{k}]")
    elif isinstance(value, str):
        yield place, value
    else:
        raise MalformedInput("every value of an entry is a text", where=place)


def _from_csv(data: bytes) -> dict[str, str]:
    rows = _rows_of_csv(data)
    columns = [name.strip() for name in rows[0] if name]
    if columns == ["path", "value"]:
        return {(r["path"] or "").strip(): (r["value"] or "").strip() for r in rows}
    return _items_of(rows)


def _rows_of_csv(data: bytes) -> list[dict[str, str]]:
    try:
        # Spreadsheets put a mark in front of UTF-8, which would become part of the first column's
        # name.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedInput(
            "neither XML, JSON nor CSV in UTF-8", code="not_taken", remedy=_TAKEN
        ) from error
    try:
        rows = list(csv.DictReader(io.StringIO(text)))
    except csv.Error as error:
        raise MalformedInput(f"not a CSV: {error}") from error
    if not rows:
        raise MalformedInput(
            "this seems to be text, and as a CSV it has no row below its first line",
            code="not_taken",
            remedy=_TAKEN,
        )
    if len(rows) > FIELDS_MAX:
        raise MalformedInput(f"a CSV of {len(rows)} rows; at most {FIELDS_MAX} are read")
    return rows


def _items_of(rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """One item of goods a row, whose columns are named for the fields of an item."""
    found: dict[str, str] = {}
    for k, row in enumerate(rows):
        for name in row:
            path = f"{ITEM}[].{(name or '').strip()}"
            if path not in FIELDS:
                raise MalformedInput(
                    f"no item field {str(name)[:40]!r}",
                    where="line 1",
                    remedy="give columns path and value, or item fields by name, as typeCode",
                )
            if row[name]:
                found[path.replace("[]", f"[{k}]")] = row[name].strip()
    return found
