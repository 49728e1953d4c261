"""Identifiers of parties and ships, each with the check that its scheme has."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Final

from zhidao.core.errors import MalformedInput

_EORI: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{1,15}", re.ASCII)
_AIR_WAYBILL: Final = re.compile(r"[0-9]{3}-[0-9]{8}", re.ASCII)
_DUNS: Final = re.compile(r"[0-9]{9}", re.ASCII)


def lei(value: str) -> str:
    """A legal entity identifier with right check digits (ISO 17442)."""
    return _checked(value, "stdnum.lei", "LEI")


def uscc(value: str) -> str:
    """China's unified social credit code with its check character (GB 32100-2015)."""
    return _checked(value, "stdnum.cn.uscc", "unified social credit code")


def imo(value: str) -> str:
    """A ship's number with its check digit, seven digits without the letters IMO."""
    return _checked(value, "stdnum.imo", "IMO number")


def eori(value: str) -> str:
    """An EORI number by its form: a country and at most 15 characters.

    The national part has no check that holds in all countries; whether it is registered is not
    asked. python-stdnum 2.2 has no module for it.
    """
    return _formed(value, _EORI, "EORI number", "give a country and 1 to 15 characters after it")


def duns(value: str) -> str:
    """A D-U-N-S number by its form: nine digits. Its check digit was given up by its keeper."""
    return _formed(value, _DUNS, "D-U-N-S number", "give nine digits without hyphens")


def air_waybill(value: str) -> str:
    """An air waybill's number: the airline's prefix, seven digits, and their remainder by seven.

    Source: IATA Cargo Services Conference Resolution 600a; not checked against the text.
    """
    found = _formed(value, _AIR_WAYBILL, "air waybill number", "write it as 172-12345675")
    if int(found[4:11]) % 7 != int(found[11]):
        raise MalformedInput(
            f"air waybill {found}: its last digit is not {int(found[4:11]) % 7}",
            code="wrong_identifier",
            remedy="compare it with the waybill",
        )
    return found


SCHEMES: Final[dict[str, Callable[[str], str]]] = {
    "leiId": lei,
    "usccId": uscc,
    "eoriId": eori,
    "dunsId": duns,
}


def _checked(value: str, module: str, what: str) -> str:
    # Imported where it is used: the package reads its tables on import.
    number = import_module(module)
    failure = import_module("stdnum.exceptions").ValidationError
    try:
        compact = number.validate(value)
    except failure as error:
        raise MalformedInput(
            f"{what} {value[:30]!r}: {error}",
            code="wrong_identifier",
            remedy="compare it with the register",
        ) from error
    if compact != value:
        raise MalformedInput(f"{what} {value[:30]!r} is not in its plain form {compact}")
    return value


def _formed(value: str, form: re.Pattern[str], what: str, remedy: str) -> str:
    if not form.fullmatch(value):
        raise MalformedInput(
            f"not a {what}: {value[:30]!r}", code="wrong_identifier", remedy=remedy
        )
    return value
