"""Names and goods held against an operator's list of sanctions and dual-use codes.

No list is shipped: the operator gives one, and every answer names its date and digest. A hit is of
whole words in any order. What is only written like a listed name, by letters of another script or
other marks, with its words joined or parted or its legal form left out, is a likeness: it ends what
would be green and adds to no score. Finer evidence is a person's work.

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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.text.confusable import skeletons
from zhidao.trade.domain.comparison import words


@dataclass(frozen=True, slots=True)
class ScreeningList:
    """Listed names (as sets of words) and HS prefixes. `digest`: SHA-256 of the file, hex.

    `readings`: how listed names are read, by their longest word, with their own text; `joined`:
    those without blanks.
    """

    issued_on: date
    digest: str
    names: frozenset[frozenset[str]]
    codes: tuple[str, ...]
    readings: Mapping[str, list[tuple[frozenset[str], str]]] = field(default_factory=dict)
    joined: Mapping[str, str] = field(default_factory=dict)

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
    readings: dict[str, list[tuple[frozenset[str], str]]] = {}
    joined: dict[str, str] = {}
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise MalformedInput(f"not a CSV in UTF-8: {error}") from error
    for number, row in enumerate(rows, start=1):
        kind, value = (cell.strip() for cell in (*row, "", "")[:2])
        if kind == "name" and words(value):
            names.add(frozenset(words(value)))
            for read in _readings(value):
                told = _essential(read)
                readings.setdefault(max(told, key=len), []).append((frozenset(told), value))
                for whole in ("".join(told), "".join(read)):
                    if len(whole) >= _JOINED_MIN:
                        joined[whole] = value
        elif kind == "hs" and re.fullmatch(r"[0-9]{2,6}", value, re.ASCII):
            codes.append(value)
        elif row and (number > 1 or kind != "kind"):
            raise MalformedInput(
                "a row is neither name nor hs",
                where=f"line {number}",
                remedy="two columns, kind and value: name,Acme Trading or hs,841370",
            )
    return ScreeningList(
        issued_on,
        hashlib.sha256(data).hexdigest(),
        frozenset(names),
        tuple(sorted(codes)),
        readings,
        joined,
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


def screen_alike(listing: ScreeningList, names: Iterable[str]) -> list[Hit]:
    """Every listed name that a reader could take a name for, by its letters' shapes."""
    hits: set[Hit] = set()
    for name in names:
        for said in _readings(name):
            there = frozenset(said)
            near = (entry for word in there for entry in listing.readings.get(word, ()))
            hits |= {Hit(name, listed) for entry, listed in near if entry <= there}
            hits |= {Hit(name, listing.joined[run]) for run in _runs(said) if run in listing.joined}
    return sorted(hits, key=lambda hit: (hit.text, hit.listed))


def _readings(name: str) -> Iterator[list[str]]:
    """The words of a name as its letters are read; ä as a and as ae, letters with dots as one."""
    for read in {read for each in {name, name.translate(_SPELT_OUT)} for read in _shapes(each)}:
        if told := _initials_joined(words(read)):
            yield told


def _shapes(name: str) -> set[str]:
    # A capital I is a small l's shape, so that most names would be read in two ways.
    return {read.replace("i", "l") for read in skeletons(name)}


def _initials_joined(parts: list[str]) -> list[str]:
    """B.V. is BV: single letters beside each other make one word."""
    told: list[str] = []
    before = 0
    for part in parts:
        if len(part) == 1 and before == 1:
            told[-1] += part
        else:
            told.append(part)
        before = len(part)
    return told


def _essential(said: list[str]) -> list[str]:
    """The words without legal forms, unless nothing else is left."""
    return [word for word in said if word not in _FORMS] or said


def _runs(said: list[str]) -> Iterator[str]:
    """Words beside each other as one, of names of a length that companies have."""
    for first in range(len(said)):
        for end in range(first + 1, min(len(said), first + _RUN_MAX) + 1):
            yield "".join(said[first:end])


_RUN_MAX: Final = 12
# Fewer letters together stand by chance in other names; of Chinese four are a name.
_JOINED_MIN: Final = 4
_SPELT_OUT: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "oe", "Ø": "Oe"}
    | {"å": "aa", "Å": "Aa", "æ": "ae", "Æ": "Ae"}
)
_FORMS: Final = frozenset(
    word
    for form in (
        "BV NV GmbH AG KG KGaA OHG UG Ltd Limited LLC LLP LP Inc Incorporated Co Company Corp "
        "Corporation SA SAS SARL Srl SpA SL PLC Pte Pvt Pty Oy Oyj AB AS ASA ApS JSC OJSC CJSC "
        "PJSC OOO OAO ZAO PAO TOO LLP Bhd Sdn Kft Zrt Sp AD EOOD DOO Tbk FZE FZCO ООО ОАО ЗАО ПАО "
        "ТОО АО 有限公司 股份有限公司"
    ).split()
    for read in _shapes(form)
    for word in words(read)
)
