"""What a list route says of itself, and how rows are ordered, found and written as text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from zhidao.core.errors import MalformedInput

# In a list route's `opt`: its `Listing`.
LISTED: Final = "listed"
# A value is ordered by so much of its beginning; what is alike that far is ordered by its name.
_ORDERED_CHARACTERS: Final = 120
_MINOR: Final = "_minor"
# A spreadsheet takes what begins so for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

FILTERS_MAX: Final = 8
FILTER_CHARACTERS_MAX: Final = 200

_VALUE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CONDITION: Final = re.compile(r"([^:=]+)([:=])(.*)", re.DOTALL)

SortKey = tuple[int, int | str]


def _after(name: str) -> dict[str, Any]:
    return {"after": name}


@dataclass(frozen=True, slots=True)
class Listing:
    """A list route as a table.

    name: of the list, in its address. key: the attributes whose values, with a slash between, are
    a row's name: that behind which the route reads on. columns: attributes by which rows are
    ordered and filtered, and which the file of the whole has. rows: the attribute of the route's
    answer that holds the rows; empty if the answer is the list. further: the attribute that tells
    behind what the next page begins; empty if a page that is not full is the last. behind: how
    the route is told a name. asked: columns for whose exact value the route itself can be asked,
    with the parameter that asks it; so narrowed, no row is read that is not shown.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    rows: str = ""
    further: str = ""
    behind: Callable[[str], dict[str, Any]] = _after
    asked: tuple[tuple[str, str], ...] = ()

    def __deepcopy__(self, _: dict[int, Any]) -> Listing:
        """Itself; see `Access`."""
        return self

    def name_of(self, row: Any) -> str:
        """The name of a row, unlike all others of the list."""
        return "/".join(str(value_of(row, part)) for part in self.key)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asks of a list: the column that orders it, and what rows must contain.

    exact: what a column must be. asked: parameters of the route, and the values that it narrows
    the list to.
    """

    column: str = ""
    descending: bool = False
    filters: tuple[tuple[str, str], ...] = ()
    exact: tuple[tuple[str, str], ...] = ()
    asked: tuple[tuple[str, str], ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the list is wanted in its own order, and whole or as its route narrows it."""
        return not self.column and not self.filters and not self.exact

    def takes(self, row: Any, listing: Listing) -> bool:
        """Whether a row contains everything that is asked for."""
        if any(folded(shown(row, column)) != text for column, text in self.exact):
            return False
        return all(_contains(row, listing, *each) for each in self.filters)


def wanted(
    listing: Listing, *, sort: str, filters: Sequence[str], where: Sequence[str] = ()
) -> Wanted:
    """Reads `sort` (a column, `-` before it: from the end), filters and conditions.

    A filter is `column:text`, `column=value` where the route narrows by that column, or else a
    text that any column contains. where: the same with a column always, `=` for all of it.
    """
    _check_sizes((*filters, *where))
    column = sort.removeprefix("-")
    if column:
        _known(listing, column, "sort by", "sort")
    asked = {each: found for each in (*filters, *where) if (found := _asked(listing, each))}
    contain = [_filter(listing, each) for each in filters if each not in asked]
    exact: list[tuple[str, str]] = []
    for each in where:
        if each in asked:
            continue
        name, sign, text = _condition(each)
        _known(listing, name, "look in", "where")
        (exact if sign == "=" else contain).append((name, folded(text)))
    return Wanted(column, sort.startswith("-"), tuple(contain), tuple(exact), tuple(asked.values()))


def _check_sizes(filters: Sequence[str]) -> None:
    if len(filters) > FILTERS_MAX or any(len(each) > FILTER_CHARACTERS_MAX for each in filters):
        raise MalformedInput(
            f"at most {FILTERS_MAX} filters of {FILTER_CHARACTERS_MAX} characters", where="filter"
        )


def _known(listing: Listing, column: str, what: str, where: str) -> None:
    if column not in listing.columns:
        raise MalformedInput(
            f"{listing.name} has no column {column[:40]!r} to {what}",
            code="unknown_column",
            where=where,
            remedy=f"one of: {', '.join(listing.columns)}",
        )


def _condition(text: str) -> tuple[str, str, str]:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise MalformedInput(
            f"{text[:40]!r} is no condition", where="where", remedy="COLUMN:TEXT or COLUMN=VALUE"
        )
    return found[1], found[2], found[3]


def _asked(listing: Listing, text: str) -> tuple[str, str] | None:
    column, _, value = text.partition("=")
    parameter = dict(listing.asked).get(column)
    # A route checks its own parameters only when a request brings them.
    return (parameter, value) if parameter and _VALUE.fullmatch(value) else None


def _filter(listing: Listing, text: str) -> tuple[str, str]:
    column, colon, rest = text.partition(":")
    if colon and column in listing.columns:
        return column, folded(rest)
    return "", folded(text)


def folded(text: str) -> str:
    """A text as it is compared: one form of each character, no case, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def value_of(row: Any, path: str) -> Any:
    """What a row has under a name; a dot leads into a part of it."""
    for name in path.split("."):
        row = row.get(name) if isinstance(row, dict) else getattr(row, name, None)
    return row


def sort_key(row: Any, column: str) -> SortKey:
    """Where a row stands by one column: nothing first, then numbers, then texts."""
    value = value_of(row, column)
    if value is None or value == "":
        return (0, 0)
    if isinstance(value, int):  # a yes or no is one, too
        return (1, int(value))
    return (2, folded(_text(value))[:_ORDERED_CHARACTERS])


def _contains(row: Any, listing: Listing, column: str, text: str) -> bool:
    columns = (column,) if column else listing.columns
    return any(text in folded(shown(row, each)) for each in columns)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return " ".join(_text(each) for each in value)
    if isinstance(value, dict):
        return " ".join(f"{key}={_text(each)}" for key, each in value.items())
    if isinstance(value, msgspec.Struct):
        return _text(msgspec.to_builtins(value))
    return str(value)


def shown(row: Any, column: str) -> str:
    """A value as text; an amount in its currency's own unit, exactly."""
    value = value_of(row, column)
    exponent = value_of(row, "exponent")
    if column.endswith(_MINOR) and isinstance(value, int) and isinstance(exponent, int):
        return _decimal(value, exponent)
    return _text(value)


def _decimal(minor: int, exponent: int) -> str:
    if exponent == 0:
        return str(minor)
    whole, rest = divmod(abs(minor), 10**exponent)
    return f"{'-' if minor < 0 else ''}{whole}.{rest:0{exponent}d}"


def csv_line(cells: Sequence[str]) -> str:
    """A line of a CSV file (RFC 4180 section 2) in which no cell is a formula."""
    return ",".join(_cell(cell) for cell in cells) + "\r\n"


def csv_row(row: Any, listing: Listing) -> str:
    """A row of the list as a line of its file."""
    return csv_line([shown(row, column) for column in listing.columns])


def csv_head(listing: Listing) -> str:
    """The first line: names of columns, behind the mark by which spreadsheets know UTF-8."""
    return "\ufeff" + csv_line([each.removesuffix(_MINOR) for each in listing.columns])


def _cell(text: str) -> str:
    if text.startswith(_FORMULA) and not _is_number(text):
        text = f"'{text}"
    if any(character in text for character in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _is_number(text: str) -> bool:
    digits = text.removeprefix("-")
    whole, dot, rest = digits.partition(".")
    return whole.isascii() and whole.isdigit() and (not dot or (rest.isascii() and rest.isdigit()))
