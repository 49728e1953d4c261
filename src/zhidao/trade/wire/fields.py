"""Bounded fields that the JSON papers share, and the strict reading of a whole paper."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Protocol, TypeVar

import msgspec

from zhidao.core.canonical import Json, decode_json, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.limits import JSON_INTEGER_MAX
from zhidao.core.text.plain_text import refuse_unseen
from zhidao.core.versions import check_type
from zhidao.trade.domain.codes import unlocode
from zhidao.trade.domain.consignment import Place

PAPER_BYTES_MAX: Final = 1024 * 1024
Number = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?\Z",
        max_length=19,
        description="A plain decimal: at most 12 digits before the point and 6 after it.",
    ),
]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
ShortOrNone = Annotated[str, msgspec.Meta(max_length=40)]
Reference = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}\Z", max_length=64)
]
# An invoice for each line at most.
InvoiceNumbers = Annotated[list[Reference], msgspec.Meta(max_length=500)]
CountryCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z", max_length=2)]
UnitCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{1,3}\Z", max_length=3)]
PackageCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{2}\Z", max_length=2)]
HsCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}\Z", max_length=6)]
PlaceCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}[A-Z2-9]{3}\Z", max_length=5)]
ContainerCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}[UJZ][0-9]{7}\Z", max_length=11)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
StructT = TypeVar("StructT")


class PlaceField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place by UN/LOCODE and name."""

    unlocode: PlaceCode
    name: Name

    def place(self) -> Place:
        """The place. Raises MalformedInput for another form of code."""
        return Place(unlocode(self.unlocode), self.name)


def read_struct(data: bytes, kind: type[StructT], *, what: str, one_line: bool = True) -> StructT:
    """A paper of one kind out of JSON bytes, with the path of the first wrong field in the error.

    Raises MalformedInput for all that `parse_strict` refuses, unknown or missing fields, wrong
    types, fields beyond their bounds, and characters that cannot be shown; with `one_line`, which
    papers of our own keep, also for line breaks and for blanks around a text.
    """
    plain = parse_paper(data)
    # XML cannot carry controls, and what turns a text around makes a reader see other words.
    refuse_unseen(plain, one_line=one_line)
    if one_line:
        _refuse_blanks(plain, "$")
    check_type(plain, kind, form=what)
    try:
        # From the bytes again, not from `plain`: a number must not pass through a float.
        return decode_json(data, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        raise MalformedInput(
            f"{what}: {message}",
            code="wrong_field",
            where=path.rstrip("`"),
            remedy="correct the field and send the paper again",
        ) from error
    except msgspec.DecodeError as error:
        raise MalformedInput(f"{what}: not JSON: {error}") from error


def parse_paper(data: bytes) -> Json:
    """The values of a JSON paper. Raises MalformedInput as `parse_strict`, with the field.

    A number beyond 2^53-1 is refused before there are fields: it is looked for again.
    """
    try:
        plain: Json = parse_strict(data, bytes_max=PAPER_BYTES_MAX)
    except MalformedInput as error:
        if error.code != "unsafe_integer":
            raise
        where = _where_unsafe(data)
        raise MalformedInput(
            str(error.args[0]), code=error.code, where=where, remedy="write the number as a text"
        ) from error
    return plain


def _where_unsafe(data: bytes) -> str:
    try:
        return next(_unsafe(decode_json(data, object), ""), "")
    except msgspec.DecodeError:
        # It is no JSON further on.
        return ""


def _unsafe(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, int) and abs(value) > JSON_INTEGER_MAX:
        yield path
    members = value.items() if isinstance(value, dict) else ()
    for name, inner in members:
        yield from _unsafe(inner, f"{path}.{name[:40]}" if path else name[:40])
    for index, inner in enumerate(value if isinstance(value, list) else ()):
        yield from _unsafe(inner, f"{path}[{index}]")


def number(text: str) -> Decimal:
    """The exact value of a `Number`."""
    return Decimal(text)


def number_text(value: Decimal) -> str:
    """The plain text of a decimal, exactly as it was typed."""
    return f"{value:f}"


class _Naming(Protocol):
    @property
    def invoice(self) -> str: ...

    @property
    def invoices(self) -> list[str]: ...


def invoice_numbers(document: _Naming, form: str, *, several: bool) -> tuple[str, ...]:
    """The invoices that a paper names: one, or several in a form for several.

    Raises MalformedInput for the other way, for one of several, and for one that stands twice.
    """
    named = document.invoices
    if several is bool(document.invoice) or several is not bool(named):
        raise MalformedInput(
            f"{form} names {'several invoices' if several else 'one invoice'}",
            where="$.invoices" if several else "$.invoice",
        )
    if several and (len(named) < 2 or len({*named}) < len(named)):
        raise MalformedInput(f"{form} names several invoices, each once", where="$.invoices")
    return tuple(named) or (document.invoice,)


def named_invoices(numbers: tuple[str, ...]) -> dict[str, Json]:
    """The field by which a paper names its invoices."""
    return {"invoices": list(numbers)} if len(numbers) > 1 else {"invoice": numbers[0]}


def day(text: str, *, where: str) -> date:
    """A calendar day in the one form YYYY-MM-DD."""
    try:
        value = date.fromisoformat(text)
    except ValueError as error:
        raise MalformedInput(f"no such day: {text[:20]!r}", where=where) from error
    if value.isoformat() != text:
        raise MalformedInput(f"not a day as YYYY-MM-DD: {text[:20]!r}", where=where)
    return value


def _refuse_blanks(value: Any, path: str) -> None:
    if isinstance(value, str):
        if value != value.strip():
            raise MalformedInput(
                "a text has a blank at its start or end",
                code="unprintable",
                where=path,
                remedy="remove it",
            )
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_blanks(item, f"{path}.{key[:40]}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_blanks(item, f"{path}[{index}]")
