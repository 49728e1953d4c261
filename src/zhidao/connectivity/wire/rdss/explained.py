"""A sentence field by field: name, value, unit and meaning of each, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from zhidao.connectivity.wire.rdss.frame import take_apart
from zhidao.connectivity.wire.rdss.payload import meaning_of
from zhidao.connectivity.wire.rdss.reading import interpret
from zhidao.connectivity.wire.rdss.sentence import (
    BeamPowers,
    BeamStatus,
    Feedback,
    Levels,
    Other,
    Received3,
    Received21,
    Send3,
    Send21,
    Sentence,
)
from zhidao.connectivity.wire.rdss.tables import (
    FKI_3,
    FKI_21,
    FKI_21_LONG,
    TABLES,
    TCQ_SPACED,
    Column,
)
from zhidao.core.errors import MalformedInput


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field. `value` as it stands; `unit` may be empty; `meaning` for a person."""

    name: str
    value: str
    unit: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class SentenceView:
    """A sentence taken apart. `wrong`: why it is refused, with `code` and `remedy`; else empty."""

    raw: str
    name: str
    title: str
    protocol: str
    direction: str
    fields: tuple[FieldView, ...] = ()
    wrong: str = ""
    code: str = ""
    understood: bool = field(default=True)


def explain(text: str) -> SentenceView:
    """What a line says. Never raises: what is wrong with it stands in `wrong`."""
    raw = text[:80]
    try:
        name, fields = take_apart(text)
    except MalformedInput as error:
        return SentenceView(raw, "", "no sentence", "", "", (), str(error.args[0]), error.code)
    about = TABLES.get(name)
    title, protocol, columns = (
        (about.title, about.protocol, about.columns) if about else ("another sentence", "", ())
    )
    head = (text.rstrip("\r\n"), name, title, protocol, _direction(name))
    try:
        sentence = interpret(name, fields)
    except MalformedInput as error:
        rows = _named(columns, fields) if len(columns) == len(fields) else _numbered(fields)
        return SentenceView(*head, rows, str(error.args[0]), error.code)
    return SentenceView(
        *head, _explained(sentence, columns, fields), understood=not isinstance(sentence, Other)
    )


def _direction(name: str) -> str:
    return {"CC": "to the unit", "BD": "from the unit"}.get(name[:2], "")


def _explained(
    sentence: Sentence, columns: Sequence[Column], fields: Sequence[str]
) -> tuple[FieldView, ...]:
    match sentence:
        case Other():
            rows = _numbered(fields)
        case BeamPowers():
            rows = _rows(_power_columns(sentence), fields)
        case Feedback(hhmmss=time, setting=setting):
            rows = _rows(FKI_3 if time else FKI_21_LONG if setting else FKI_21, fields)
        case Send3(spaced=True):
            rows = _with_payload(_rows(TCQ_SPACED, fields), sentence.data)
        case Send21() | Received21() | Send3() | Received3():
            rows = _with_payload(_rows(columns, fields), sentence.data)
        case _:
            rows = _rows((*columns, *_repeated(sentence, len(fields) - len(columns))), fields)
    return rows


def _repeated(sentence: Sentence, count: int) -> Iterator[Column]:
    """Columns behind those of the table, where a sentence has as many as it likes."""
    for n in range(1, count + 1):
        match sentence:
            case BeamStatus():
                yield Column(f"power of beam {n}", "", POWERS)
            case Levels():
                yield Column(f"C/N0 of beam {n}", "dBHz", {"0": "not heard"})
            case _:
                yield Column(f"further {n}")


POWERS: Final[Mapping[str, str]] = {
    "0": "not locked, or weakest",
    "1": "weak",
    "2": "fair",
    "3": "good",
    "4": "strong",
}


def _rows(columns: Sequence[Column], fields: Sequence[str]) -> tuple[FieldView, ...]:
    return tuple(_row(column, text) for column, text in zip(columns, fields, strict=True))


def _row(column: Column, text: str) -> FieldView:
    plain = text.lstrip("0") or "0" if text.isdigit() else text
    meaning = column.meanings.get(text) or column.meanings.get(plain, "")
    if not text:
        meaning = meaning or "not given"
    elif column.name == "card" and text.strip("0") == "":
        meaning = "no card was found in the unit"
    elif column.shape:
        meaning = _shaped(column.shape, text)
    return FieldView(column.name, text, column.unit if text else "", meaning)


def _shaped(shape: str, text: str) -> str:
    if shape == "clock":
        parts = [text[at : at + 2] for at in range(0, min(len(text), 6), 2)]
        return ":".join(parts) + text[6:]
    whole, _, part = text.partition(".")
    minutes = float(f"{whole[-2:]}.{part or '0'}")
    return f"{int(whole[:-2]) + minutes / 60:.6f} degrees"


def _with_payload(rows: tuple[FieldView, ...], data: bytes) -> tuple[FieldView, ...]:
    """The same, with what the payload says beside it."""
    return tuple(
        FieldView(each.name, each.value, f"{len(data)} bytes", meaning_of(data))
        if each.name == "payload"
        else each
        for each in rows
    )


def _named(columns: Sequence[Column], fields: Sequence[str]) -> tuple[FieldView, ...]:
    """Names and what stands there: of a sentence that is refused, no field means anything."""
    pairs = zip(columns, fields, strict=True)
    return tuple(FieldView(column.name, text) for column, text in pairs)


def _numbered(fields: Sequence[str]) -> tuple[FieldView, ...]:
    return tuple(FieldView(f"field {n}", text) for n, text in enumerate(fields, 1))


def _power_columns(sentence: BeamPowers) -> list[Column]:
    columns = [Column("time", "", shape="clock"), Column("beams of BDS-2")]
    for at, _ in enumerate(sentence.bds2, 1):
        columns += _beam_columns(f"BDS-2 {at}")
    columns.append(Column("beams of BDS-3"))
    for at, beam in enumerate(sentence.bds3, 1):
        columns += _beam_columns(f"BDS-3 {at}")
        columns += [Column(f"BDS-3 {at}: flag")] * (beam.flag is not None)
    return columns


def _beam_columns(what: str) -> list[Column]:
    return [
        Column(f"{what}: beam"),
        Column(f"{what}: C/N0 of data", "dBHz"),
        Column(f"{what}: C/N0 of pilot", "dBHz"),
    ]
