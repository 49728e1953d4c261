"""The machine between consignment and document: a table of places, read in both directions.

A document is an ordered map of leaves (`place -> text, number or flag`); the wire makes bytes of
it. Every place is either a row (a field of the consignment), a constant of the form, or derived
(a sum that follows from rows). Reading back takes rows, compares the other two, and lists
whatever is left: nothing of a document is dropped silently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType
from typing import Final, TypeAlias

from zhidao.core.errors import MalformedInput
from zhidao.core.limits import JSON_INTEGER_MAX
from zhidao.trade.domain.model.catalogue import GROUP_MAX, canonical, canonical_of_others
from zhidao.trade.domain.model.consignment import CanonicalConsignment, Origin, Source
from zhidao.trade.domain.model.forms import LINE_CHARACTERS_MAX, plain

Scalar: TypeAlias = str | int | float | bool
Leaves: TypeAlias = dict[str, Scalar]


class As(StrEnum):
    """How a document writes a value."""

    TEXT = "text"
    NUMBER = "number"  # A JSON number.
    INTEGER = "integer"
    FLAG = "flag"
    LINES = "lines"  # A list of lines of at most 35 characters.
    COMPACT_DAY = "compact_day"  # YYYYMMDD, as UN/CEFACT's format 102.
    EDITION = "edition"  # "Incoterms 2020" for 2020.


@dataclass(frozen=True, slots=True)
class Row:
    """A place that says a field of the consignment. `[]` stands in both for the group's members.

    `heard`: a derived part writes the place, reading takes the field from it.
    """

    at: str
    of: str
    how: As = As.TEXT
    heard: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """A place whose value the form itself fixes."""

    at: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class Derived:
    """Places that follow from rows of the same document."""

    compute: Callable[[CanonicalConsignment], Leaves]


@dataclass(frozen=True, slots=True)
class DerivedRow:
    """A place of each member of a group that follows from other rows; `at` has one `[]`."""

    at: str
    group: str
    compute: Callable[[CanonicalConsignment, int], Scalar | None]


Part: TypeAlias = Row | Constant | Derived | DerivedRow


class Syntax(StrEnum):
    """The bytes of a document form."""

    JSON = "json"
    XML = "xml"


@dataclass(frozen=True, slots=True)
class DocumentForm:
    """One kind of document. `number_path` is the consignment's field with the document's number.

    `titles` are English and Chinese; `root` is the XML root in Clark notation.
    """

    kind: str
    titles: tuple[str, str]
    syntax: Syntax
    number_path: str
    parts: tuple[Part, ...]
    root: str = ""

    @property
    def media_type(self) -> str:
        """The media type of the machine form."""
        return "application/json" if self.syntax is Syntax.JSON else "application/xml"

    @property
    def fields(self) -> list[str]:
        """Consignment fields that the document says, in its order."""
        return [part.of for part in self.parts if isinstance(part, Row)]


@dataclass(frozen=True, slots=True)
class Misfit:
    """A place whose value is not what the form or the document's own rows make it."""

    place: str
    seen: str
    wanted: str


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What a document says: fields with their sources, places no field stands for, and misfits."""

    kind: str
    consignment: CanonicalConsignment
    unmapped: tuple[str, ...]
    misfits: tuple[Misfit, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every place was understood and agrees with itself."""
        return not self.unmapped and not self.misfits


def project(consignment: CanonicalConsignment, form: DocumentForm) -> Leaves:
    """The document's leaves in the order of its form; fields that are not there leave no place."""
    leaves: Leaves = {}
    for group, run in groupby(form.parts, _group_at):
        parts = list(run)
        if not group:
            for part in parts:
                _write_one(leaves, consignment, part)
            continue
        size = max((consignment.counts.get(_group_of(part), 0) for part in parts), default=0)
        for k in range(size):
            for part in parts:
                _write_member(leaves, consignment, part, k)
    return leaves


def absorb(leaves: Leaves, form: DocumentForm, *, digest: str, by_others: bool = False) -> Absorbed:
    """The consignment as one document tells it.

    Raises MalformedInput, naming place and field, for a value that its field's form refuses. Of a
    document that others wrote (`by_others`) such a value is left where it stands: its place is
    among the unmapped, and a misfit says why.
    """
    rest = dict(leaves)
    looked_at = MappingProxyType(leaves)
    values: dict[str, str] = {}
    sources: dict[str, Source] = {}
    refused: list[Misfit] = []
    sizes = _sizes(leaves, form)
    read = canonical_of_others if by_others else canonical
    for row in (part for part in form.parts if isinstance(part, Row)):
        indices: Iterable[int | None] = range(sizes[_group_at(row)]) if "[]" in row.at else (None,)
        for k in indices:
            place, path = (row.at, row.of) if k is None else (_at(row.at, k), _at(row.of, k))
            taken = _take(looked_at if row.heard else rest, place, row.how)
            if taken is None:
                continue
            try:
                text = _agreed(path, read(path, taken), values)
            except MalformedInput as error:
                if by_others:
                    refused.append(Misfit(place, taken[:80], str(error.args[0])))
                    continue
                raise MalformedInput(
                    str(error.args[0]),
                    code=error.code,
                    where=f"{form.kind}:{place}",
                    remedy=error.remedy,
                ) from error
            values[path] = text
            sources[path] = Source(Origin.DOCUMENT, digest, place)
    found = CanonicalConsignment(values, sources)
    misfits = (*refused, *_misfits(rest, found, form))
    return Absorbed(form.kind, found, (*(each.place for each in refused), *rest), misfits)


def _agreed(path: str, text: str, values: Mapping[str, str]) -> str:
    """The text, if nothing else was said of the field before."""
    before = values.get(path, text)
    if before != text:
        raise MalformedInput(f"{path} is said twice and differently: {before!r} and {text!r}")
    return text


_NO_GROUP: Final = ""
_INCOTERMS: Final = "Incoterms "


def _group_at(part: Part) -> str:
    """The repeated part of the document that a part stands in, `` if none."""
    place = part.at if isinstance(part, Row | DerivedRow) else ""
    return place.partition("[]")[0] if "[]" in place else _NO_GROUP


def _group_of(part: Part) -> str:
    if isinstance(part, Row):
        return part.of.partition("[]")[0]
    return part.group if isinstance(part, DerivedRow) else _NO_GROUP


def _at(template: str, k: int) -> str:
    return template.replace("[]", f"[{k}]", 1)


def _write_one(leaves: Leaves, consignment: CanonicalConsignment, part: Part) -> None:
    if isinstance(part, Constant):
        leaves[part.at] = part.value
    elif isinstance(part, Derived):
        leaves.update(part.compute(consignment))
    elif isinstance(part, Row) and not part.heard:
        _put(leaves, part.at, consignment.get(part.of), part.how)


def _write_member(leaves: Leaves, consignment: CanonicalConsignment, part: Part, k: int) -> None:
    if isinstance(part, Row):
        _put(leaves, _at(part.at, k), consignment.get(_at(part.of, k)), part.how)
    elif isinstance(part, DerivedRow):
        value = part.compute(consignment, k)
        if value is not None:
            leaves[_at(part.at, k)] = value


def _put(leaves: Leaves, place: str, text: str, how: As) -> None:
    if not text:
        return
    if how is As.LINES:
        for k, line in enumerate(_lines(text)):
            leaves[f"{place}[{k}]"] = line
    elif how is As.NUMBER:
        try:
            leaves[place] = json_number(Decimal(text))
        except MalformedInput as error:
            raise MalformedInput(str(error.args[0]), where=place) from error
    elif how is As.INTEGER:
        leaves[place] = int(text)
    elif how is As.FLAG:
        leaves[place] = text == "true"
    elif how is As.COMPACT_DAY:
        leaves[place] = text.replace("-", "")
    elif how is As.EDITION:
        leaves[place] = _INCOTERMS + text
    else:
        leaves[place] = text


def json_number(value: Decimal) -> int | float:
    """A JSON number that reads back as the same decimal.

    Raises MalformedInput for one with more digits than a double keeps.
    """
    if value == value.to_integral_value() and abs(value) <= JSON_INTEGER_MAX:
        return int(value)
    number = float(value)
    if Decimal(repr(number)) != value:
        raise MalformedInput(f"{value} has more digits than a JSON number keeps")
    return number


def _lines(text: str) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= LINE_CHARACTERS_MAX:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines


def _take(rest: Mapping[str, Scalar], place: str, how: As) -> str | None:
    """The text at a place; it leaves the rest, unless that is only to be looked at."""
    places = [place]
    if how is As.LINES:
        places = []
        while f"{place}[{len(places)}]" in rest:
            places.append(f"{place}[{len(places)}]")
    texts = [_text(rest[each], each, how) for each in places if each in rest]
    if isinstance(rest, dict):
        for each in places:
            rest.pop(each, None)
    return " ".join(texts) or None


def _text(value: Scalar, place: str, how: As) -> str:
    if how in (As.NUMBER, As.INTEGER):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise MalformedInput(f"not a number: {str(value)[:40]!r}", where=place)
        return plain(Decimal(repr(value)))
    if how is As.FLAG:
        if not isinstance(value, bool):
            raise MalformedInput(f"neither true nor false: {str(value)[:40]!r}", where=place)
        return "true" if value else "false"
    if not isinstance(value, str):
        raise MalformedInput(f"not a text: {str(value)[:40]!r}", where=place)
    if how is As.COMPACT_DAY:
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    return value.removeprefix(_INCOTERMS) if how is As.EDITION else value


def _sizes(leaves: Mapping[str, Scalar], form: DocumentForm) -> dict[str, int]:
    """How many members each repeated part of the document has."""
    groups = {_group_at(part) for part in form.parts} - {_NO_GROUP}
    sizes = dict.fromkeys(groups, 0)
    for place in leaves:
        for group in groups:
            if place.startswith(group + "["):
                digits = place[len(group) + 1 :].partition("]")[0]
                k = int(digits) if digits.isdigit() and len(digits) < 6 else GROUP_MAX
                if k >= GROUP_MAX:
                    raise MalformedInput(f"more than {GROUP_MAX} members", where=group)
                sizes[group] = max(sizes[group], k + 1)
    return sizes


def _misfits(
    rest: dict[str, Scalar], found: CanonicalConsignment, form: DocumentForm
) -> Iterable[Misfit]:
    """Takes constants and derived places out of the rest and tells those that are wrong."""
    wanted: Leaves = {}
    for part in form.parts:
        if isinstance(part, Constant):
            wanted[part.at] = part.value
        elif isinstance(part, Derived):
            wanted.update(part.compute(found))
        elif isinstance(part, DerivedRow):
            for k in range(found.counts.get(part.group, 0)):
                _write_member(wanted, found, part, k)
    for place, value in wanted.items():
        seen = rest.pop(place, None)
        if seen is None or seen != value or type(seen) is not type(value):
            yield Misfit(place, "absent" if seen is None else str(seen)[:80], str(value)[:80])
