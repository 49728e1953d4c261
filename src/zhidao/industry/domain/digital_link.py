"""GS1 keys in their one canonical web form: `https://id.gs1.org/01/<gtin>/21/<serial>`.

Source: GS1 Digital Link URI syntax 1.2 (key qualifiers) and EPC Tag Data Standard (URN forms),
as far as the published pairs of the CBV hash test set show; the texts themselves not checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from zhidao.core.errors import MalformedInput

CANONICAL: Final = "https://id.gs1.org"
# Application identifiers by their old short names, and which qualifier counts for identity.
_SHORT_NAMES: Final = {
    "gtin": "01",
    "itip": "8006",
    "cpid": "8010",
    "ser": "21",
    "lot": "10",
    "cpv": "22",
    "sscc": "00",
    "gln": "414",
    "party": "417",
    "giai": "8004",
    "grai": "8003",
}
_PRIMARY: Final = frozenset("00 01 253 255 401 402 414 417 8003 8004 8006 8010 8017 8018".split())
# A serial makes the thing unique, else a lot makes the batch unique; variants never count.
_QUALIFIERS: Final = {
    "01": ("21", "235", "10"),
    "8006": ("21", "10"),
    "8010": ("8011",),
    "414": ("254",),
}
_URN: Final = re.compile(r"urn:epc:(?:id|idpat|class):([a-z]+):(.+)\Z", re.ASCII)
# Letters that an EPC URN may carry plain and a web link must not.
_PERCENT: Final = {letter: f"%{ord(letter):02X}" for letter in "!()*+,:;="}
_WEB: Final = re.compile(r"https?://[^/?#]+(/[^?#]*)?", re.ASCII)


def check_digit(digits: str) -> str:
    """The GS1 check digit: weights 3 and 1 from the right.

    >>> check_digit("401234511111")
    '8'
    """
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return str(-total % 10)


def gtin14(text: str) -> str:
    """A GTIN padded to 14 digits. Raises MalformedInput if its check digit is wrong."""
    if not (text.isascii() and text.isdigit() and 8 <= len(text) <= 14):
        raise MalformedInput(f"not a GTIN: {text[:20]!r}")
    if check_digit(text[:-1]) != text[-1]:
        raise MalformedInput(f"GTIN {text}: the check digit is {check_digit(text[:-1])}")
    return text.zfill(14)


def serial_link(gtin: str, serial: str) -> str:
    """The canonical link of one serialised item."""
    return f"{CANONICAL}/01/{gtin14(gtin)}/21/{serial}"


def lot_link(gtin: str, lot: str) -> str:
    """The canonical link of a lot."""
    return f"{CANONICAL}/01/{gtin14(gtin)}/10/{lot}"


def canonical_link(identifier: str) -> str:
    """The canonical form of an EPC URN or a GS1 web link; anything else comes back unchanged."""
    urn = _URN.match(identifier)
    if urn:
        return _from_urn(urn[1], urn[2]) or identifier
    web = _WEB.match(identifier)
    if web and web[1]:
        return _from_path(web[1].strip("/").split("/")) or identifier
    return identifier


def _from_urn(scheme: str, body: str) -> str | None:
    reader = _URN_READERS.get(scheme)
    parts = body.split(".")
    if reader is None or len(parts) < 2 or not parts[0].isdigit():
        return None
    path = reader(parts)
    return f"{CANONICAL}/{path}" if path else None


def _sgtin(parts: list[str]) -> str:
    base = parts[1][:1] + parts[0] + parts[1][1:]
    gtin = base + check_digit(base)
    return f"01/{gtin}" + _qualifier("21", parts[2:])


def _lgtin(parts: list[str]) -> str:
    base = parts[1][:1] + parts[0] + parts[1][1:]
    return f"01/{base}{check_digit(base)}" + _qualifier("10", parts[2:])


def _upui(parts: list[str]) -> str:
    base = parts[1][:1] + parts[0] + parts[1][1:]
    return f"01/{base}{check_digit(base)}" + _qualifier("235", parts[2:])


def _sscc(parts: list[str]) -> str:
    base = parts[1][:1] + parts[0] + parts[1][1:]
    return f"00/{base}{check_digit(base)}"


def _sgln(parts: list[str]) -> str:
    base = parts[0] + parts[1]
    extension = parts[2:] if parts[2:] != ["0"] else []
    return f"414/{base}{check_digit(base)}" + _qualifier("254", extension)


def _with_check(identifier: str) -> Callable[[list[str]], str]:
    def read(parts: list[str]) -> str:
        base = parts[0] + parts[1]
        serial = ".".join(parts[2:])
        return f"{identifier}/{base}{check_digit(base)}{'' if serial == '*' else serial}"

    return read


def _grai(parts: list[str]) -> str:
    base = parts[0] + parts[1]
    return f"8003/0{base}{check_digit(base)}{'.'.join(parts[2:])}"


def _joined(identifier: str) -> Callable[[list[str]], str]:
    return lambda parts: f"{identifier}/{parts[0]}{'.'.join(parts[1:])}"


def _itip(parts: list[str]) -> str:
    base = parts[1][:1] + parts[0] + parts[1][1:]
    return f"8006/{base}{check_digit(base)}{''.join(parts[2:4])}" + _qualifier("21", parts[4:])


def _cpi(parts: list[str]) -> str:
    return f"8010/{parts[0]}{parts[1]}" + _qualifier("8011", parts[2:])


def _qualifier(identifier: str, rest: list[str]) -> str:
    text = ".".join(rest)
    if not text or text == "*":
        return ""
    return f"/{identifier}/" + "".join(_PERCENT.get(letter, letter) for letter in text)


_URN_READERS: Final[dict[str, Callable[[list[str]], str]]] = {
    "sgtin": _sgtin,
    "lgtin": _lgtin,
    "upui": _upui,
    "sscc": _sscc,
    "sgln": _sgln,
    "pgln": _with_check("417"),
    "gdti": _with_check("253"),
    "sgcn": _with_check("255"),
    "gsrn": _with_check("8018"),
    "gsrnp": _with_check("8017"),
    "gsin": _with_check("402"),
    "giai": _joined("8004"),
    "ginc": _joined("401"),
    "grai": _grai,
    "itip": _itip,
    "cpi": _cpi,
}


def _from_path(parts: list[str]) -> str | None:
    names = [_SHORT_NAMES.get(part, part) for part in parts]
    start = next((i for i, name in enumerate(names[:-1]) if name in _PRIMARY), None)
    if start is None:
        return None
    key, value = names[start], parts[start + 1]
    if key == "01":
        value = value.zfill(14)
    rest = dict(zip(names[start + 2 :: 2], parts[start + 3 :: 2], strict=False))
    for qualifier in _QUALIFIERS.get(key, ()):
        if qualifier in rest:
            return f"{CANONICAL}/{key}/{value}/{qualifier}/{rest[qualifier]}"
    return f"{CANONICAL}/{key}/{value}"
