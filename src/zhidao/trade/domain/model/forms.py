"""Forms of a field: each takes a typed text to its one canonical text, or says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias

from zhidao.core.errors import MalformedInput
from zhidao.core.limits import EMAIL
from zhidao.core.money import Currency
from zhidao.core.text.plain_text import unseen_in
from zhidao.trade.domain.codes import SELLER_PAYS_CARRIAGE, container_number
from zhidao.trade.domain.codes import unlocode as unlocode_form
from zhidao.trade.domain.model import identifiers
from zhidao.trade.domain.model.code_lists import PACKAGE_KINDS, UNITS, nearest
from zhidao.trade.domain.model.recommendation_codes import PACKAGE_CODES, UNIT_CODES

Form: TypeAlias = Callable[[str], str]
_NUMBER: Final = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?", re.ASCII)
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,34}", re.ASCII)
_SCAC: Final = re.compile(r"[A-Z]{2,4}", re.ASCII)
# DCSA prints goods in lines of 35 characters (EBL 3.0 schema, descriptionOfGoods).
LINE_CHARACTERS_MAX: Final = 35
_DESCRIPTION_MAX: Final = 300


def text(characters_max: int) -> Form:
    """One line of at most so many characters, single blanks, nothing invisible."""

    def check(value: str) -> str:
        if not value or len(value) > characters_max:
            raise MalformedInput(f"{len(value)} characters; 1 to {characters_max} may stand here")
        if unseen_in(value) or value != " ".join(value.split()):
            raise MalformedInput(
                "a text has an invisible character or blanks too many",
                code="unprintable",
                remedy="remove them",
            )
        return value

    _LENGTHS[check] = characters_max
    return check


_LENGTHS: Final[dict[Form, int]] = {}


def length_of(form: Form) -> int:
    """The most characters that a text may have."""
    return _DESCRIPTION_MAX if form is description else _LENGTHS[form]


def description(value: str) -> str:
    """A text that can be printed in lines of 35 characters without breaking a word."""
    checked = text(_DESCRIPTION_MAX)(value)
    if any(len(word) > LINE_CHARACTERS_MAX for word in checked.split()):
        raise MalformedInput(
            f"a word has more than {LINE_CHARACTERS_MAX} characters",
            remedy="part the word; a transport document's lines are no longer",
        )
    return checked


def scac(value: str) -> str:
    """A carrier's code of two to four letters, as NMFTA gives them out (form not checked there)."""
    return _matched(value, _SCAC, "a carrier code", "give two to four capital letters, as SMLX")


def reference(value: str) -> str:
    """A document's number: letters, digits and `._/-`, at most 35."""
    return _matched(value, _REFERENCE, "a reference", "give letters, digits and ._/-, at most 35")


def node_party(value: str) -> str:
    """The name of a party on its node: small letters, digits, `.` and `-`, at most 64."""
    return _matched(
        value,
        re.compile(r"[a-z0-9][a-z0-9.-]{0,63}", re.ASCII),
        "a party's name on a node",
        "give small letters, digits, . and -, at most 64",
    )


def email(value: str) -> str:
    """An address with one @ and a point behind it; whether anybody reads it is not asked."""
    form = re.compile(EMAIL)
    return _matched(value, form, "an e-mail address", "give name@domain")


def day(value: str) -> str:
    """A calendar day as YYYY-MM-DD."""
    try:
        found = date.fromisoformat(value)
    except ValueError as error:
        raise MalformedInput(f"no such day: {value[:20]!r}", code="no_such_day") from error
    if found.isoformat() != value:
        raise MalformedInput(f"not a day as YYYY-MM-DD: {value[:20]!r}")
    return value


def number(value: str) -> str:
    """A plain decimal that is not negative; zeros behind the last digit are cut off."""
    _matched(value, _NUMBER, "a number", "give digits with at most 6 behind a point")
    return plain(Decimal(value))


def positive(value: str) -> str:
    """A number above zero."""
    if number(value) == "0":
        raise MalformedInput("nothing, where an amount is asked")
    return number(value)


def count(value: str) -> str:
    """A whole number of 1 to 1,000,000."""
    if not re.fullmatch(r"[1-9][0-9]{0,6}", value, re.ASCII) or int(value) > 1_000_000:
        raise MalformedInput(f"not a count of 1 to 1,000,000: {value[:20]!r}")
    return value


def flag(value: str) -> str:
    """`true` or `false`."""
    return one_of("true", "false")(value)


def one_of(*codes: str) -> Form:
    """One of a closed list; the refusal shows the list."""

    def check(value: str) -> str:
        if value not in codes:
            raise MalformedInput(
                f"unknown code {value[:20]!r}",
                code="unknown_code",
                remedy="one of " + " ".join(codes),
            )
        return value

    _CHOICES[check] = codes
    return check


_CHOICES: Final[dict[Form, tuple[str, ...]]] = {}


def choices_of(form: Form) -> tuple[str, ...]:
    """The codes of a closed list, none for any other form."""
    if form is flag:
        return ("true", "false")
    listed: dict[Form, tuple[str, ...]] = {unit: tuple(UNITS), package_kind: tuple(PACKAGE_KINDS)}
    return listed.get(form) or _CHOICES.get(form, ())


def country(value: str) -> str:
    """Two capitals, the form of ISO 3166-1 alpha-2; whether it is listed is not asked."""
    return _matched(value, re.compile(r"[A-Z]{2}"), "a country", "give two capitals (ISO 3166-1)")


def currency(value: str) -> str:
    """An ISO 4217 code in use."""
    return Currency(value).code


def unlocode(value: str) -> str:
    """The form of a UN/LOCODE."""
    return unlocode_form(value)


def station(value: str) -> str:
    """A rail station's number by its form: six digits (ESR), or seven or eight (UIC).

    Whether it is in use, a list of stations tells (`code_lists.import_stations`).
    """
    form = re.compile(r"[0-9]{6,8}", re.ASCII)
    return _matched(value, form, "a station number", "give 6 digits (ESR) or 7 to 8 (UIC)")


def hs_code(value: str) -> str:
    """Six digits of the Harmonized System; a chapter of 01 to 97 but 77, which is reserved."""
    _matched(value, re.compile(r"[0-9]{6}", re.ASCII), "an HS code", "give six digits")
    if not 1 <= int(value[:2]) <= 97 or value[:2] == "77":
        raise MalformedInput(f"HS code {value}: no chapter {value[:2]}", code="unknown_code")
    return value


def unit(value: str) -> str:
    """A UN/ECE Recommendation 20 code, or X and one of Recommendation 21."""
    if value[:1] == "X" and value[1:] in PACKAGE_CODES:
        return value
    return _listed(value, UNIT_CODES, UNITS, "UN/ECE Rec. 20 unit")


def package_kind(value: str) -> str:
    """A UN/ECE Recommendation 21 code."""
    return _listed(value, PACKAGE_CODES, PACKAGE_KINDS, "UN/ECE Rec. 21 package")


def container(value: str) -> str:
    """A container number with its check digit (ISO 6346)."""
    return container_number(value)


def imo(value: str) -> str:
    """A ship's IMO number of seven digits, the last one a check."""
    return identifiers.imo(value)


incoterm: Final = one_of(*SELLER_PAYS_CARRIAGE)


def plain(value: Decimal) -> str:
    """The decimal without exponent and without zeros at its end.

    >>> plain(Decimal("1200.50"))
    '1200.5'
    """
    digits = f"{value:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _matched(value: str, pattern: re.Pattern[str], what: str, remedy: str) -> str:
    if not pattern.fullmatch(value):
        raise MalformedInput(f"not {what}: {value[:40]!r}", remedy=remedy)
    return value


def _listed(value: str, codes: Container[str], named: dict[str, str], what: str) -> str:
    if value not in codes:
        raise MalformedInput(
            f"unknown {what} {value[:20]!r}",
            code="unknown_code",
            remedy="nearest: " + " ".join(nearest(value, named)),
        )
    return value
