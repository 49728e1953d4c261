"""A credit and a presentation as JSON: two files, or a folder with both.

Fields are those of `domain.credit.terms` and `domain.credit.papers`; amounts are integers in minor
units, weights grams, days ISO 8601 dates. Unknown fields are refused.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, TypeVar

import msgspec

from zhidao.core.canonical import Json, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.credit.calendar import BankingCalendar
from zhidao.finance.domain.credit.credit_terms import Credit, Value
from zhidao.finance.domain.credit.examination import Examination
from zhidao.finance.domain.credit.papers import Presentation

BYTES_MAX: Final = 1024 * 1024
_T = TypeVar("_T")


class CalendarField(Value, frozen=True, kw_only=True):
    """Banking days of the counter: rest days of the week (Monday 0), holidays, worked days."""

    place: str
    rest: Annotated[list[Annotated[int, msgspec.Meta(ge=0, le=6)]], msgspec.Meta(max_length=6)]
    holidays: Annotated[list[date], msgspec.Meta(max_length=1_000)]
    worked: Annotated[list[date], msgspec.Meta(max_length=1_000)] = msgspec.field(
        default_factory=list
    )


def read_credit(data: bytes) -> Credit:
    """A credit. Raises MalformedInput with the field's path."""
    credit = _read(data, Credit, "credit")
    credit.goods.check()
    return credit


def read_presentation(data: bytes) -> Presentation:
    """A presentation. Raises MalformedInput with the field's path."""
    return _read(data, Presentation, "presentation")


def read_calendar(data: bytes) -> BankingCalendar:
    """A calendar. Raises MalformedInput with the field's path."""
    wire = _read(data, CalendarField, "calendar")
    return BankingCalendar(
        wire.place, frozenset(wire.rest), frozenset(wire.holidays), frozenset(wire.worked)
    )


def plain(value: Credit | Presentation) -> dict[str, Any]:
    """The same as JSON values."""
    made: dict[str, Any] = msgspec.to_builtins(value)
    return made


def examination_plain(examination: Examination) -> dict[str, Json]:
    """The answer as JSON: all that a notice of refusal must hold (UCP 600 article 16(c))."""
    return {
        "complies": examination.complies,
        "checks": examination.checks,
        "examine_until": examination.examine_until.isoformat(),
        "discrepancies": [
            {
                "check": one.check,
                "article": one.article,
                "sentence": one.sentence,
                "left": one.left,
                "right": one.right,
            }
            for one in examination.discrepancies
        ],
        "disregarded": list(examination.disregarded),
    }


def _read(data: bytes, kind: type[_T], what: str) -> _T:
    try:
        return msgspec.convert(parse_strict(data, bytes_max=BYTES_MAX), kind, strict=True)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"{what}: {error}") from error
