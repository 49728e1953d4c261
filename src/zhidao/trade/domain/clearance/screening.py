"""Names and goods held against an operator's list of sanctions and dual-use codes.

No list is shipped: the operator gives one, and every answer names its date and digest. The match is
of whole words in any order; finer evidence is a person's work.

Finance screens the names of a payment (`finance/domain/screening`) in another way, on purpose: by
likeness, across scripts, over published lists of up to two million entries, because a bank may not
miss one. Here goods codes count too, and a hit is one fact among others for the rules of risk, by
which customs decides. Trade stands below finance and cannot use that index.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.comparison import words


@dataclass(frozen=True, slots=True)
class ScreeningList:
    """Listed names (as sets of words) and HS prefixes. `digest`: SHA-256 of the file, hex."""

    issued_on: date
    digest: str
    names: frozenset[frozenset[str]]
    codes: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing could ever stand on it."""
        return not self.names and not self.codes


@dataclass(frozen=True, slots=True)
class Hit:
    """What matched: the text of the declaration and the list's entry."""

    text: str
    listed: str


def read_list(data: bytes, *, issued_on: date) -> ScreeningList:
    """A list from a CSV with the columns kind (name, hs) and value. Raises MalformedInput."""
    names, codes = set(), []
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise MalformedInput(f"not a CSV in UTF-8: {error}") from error
    for number, row in enumerate(rows, start=1):
        kind, value = (cell.strip() for cell in (*row, "", "")[:2])
        if kind == "name" and words(value):
            names.add(frozenset(words(value)))
        elif kind == "hs" and re.fullmatch(r"[0-9]{2,6}", value, re.ASCII):
            codes.append(value)
        elif row and (number > 1 or kind != "kind"):
            raise MalformedInput(
                "a row is neither name nor hs",
                where=f"line {number}",
                remedy="two columns, kind and value: name,Acme Trading or hs,841370",
            )
    return ScreeningList(
        issued_on, hashlib.sha256(data).hexdigest(), frozenset(names), tuple(sorted(codes))
    )


def screen(listing: ScreeningList, names: Iterable[str], codes: Iterable[str]) -> list[Hit]:
    """Every listed name whose words all stand in a name, and every code under a listed one."""
    hits = []
    for name in names:
        said = set(words(name))
        hits += [Hit(name, " ".join(sorted(entry))) for entry in listing.names if entry <= said]
    for code in codes:
        hits += [Hit(code, prefix) for prefix in listing.codes if code.startswith(prefix)]
    return sorted(set(hits), key=lambda hit: (hit.text, hit.listed))
