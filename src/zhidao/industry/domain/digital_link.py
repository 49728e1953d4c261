"""GS1 keys in their one canonical web form: `https://id.gs1.org/01/<gtin>/21/<serial>`.

Two readers: `parse` judges a link and refuses what breaks a rule; `canonical_link` gives EPC URNs
and web links one form for hashing, and leaves alone whatever has not the shape of one.
Source: GS1 Digital Link URI syntax 1.2 (key qualifiers) and EPC Tag Data Standard 1.13, section 6
(URN forms), as far as the published pairs of the CBV hash test set show; the texts not checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from zhidao.core.errors import MalformedInput
from zhidao.industry.domain.application_identifiers import (
    ALPHABET_39,
    ALPHABET_82,
    DATES,
    KEYS,
    ORDERS,
    QUALIFIERS,
    Identifier,
    check_digit,
)

CANONICAL: Final = "https://id.gs1.org"
# Far beyond what a label can carry.
LINK_CHARS_MAX: Final = 2_000
# Application identifiers by their old short names.
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
    "gsrn": "8018",
    "gsrnp": "8017",
    "gcn": "255",
    "gdti": "253",
    "ginc": "401",
    "gsin": "402",
}
# A serial makes the thing unique, else a lot makes the batch unique; variants never count.
_FINEST: Final = ("21", "235", "10", "8011", "254")
_URN: Final = re.compile(r"urn:epc:(id|idpat|class):([a-z]+):([^\s/?#]+)\Z", re.ASCII)
# Letters that an EPC URN may carry plain and a web link must not (Digital Link, table 7-1).
_PERCENT: Final = {letter: f"%{ord(letter):02X}" for letter in "!()*+,:"}
_WEB: Final = re.compile(r"https?://([^/?#\s]+)(/[^?#\s]*)?(?:\?([^#\s]*))?(?:#\S*)?\Z", re.ASCII)
_ESCAPED: Final = re.compile(r"%(.{0,2})", re.DOTALL)
_HEX: Final = frozenset("0123456789abcdefABCDEF")


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


@dataclass(frozen=True, slots=True)
class Element:
    """One application identifier with its value, unescaped; `position`: where the value begins."""

    ai: str
    value: str
    position: int
    escaped: str


@dataclass(frozen=True, slots=True)
class DigitalLink:
    """A web link that keeps the rules: one key, its qualifiers in order, and what stands beside."""

    domain: str
    key: Element
    qualifiers: tuple[Element, ...]
    attributes: tuple[tuple[str, str], ...]

    @property
    def canonical(self) -> str:
        """The link of the finest thing that it names, at `id.gs1.org`."""
        return _finest(self.key, self.qualifiers)


def parse(link: str) -> DigitalLink:
    """Reads and judges a Digital Link of the uncompressed form.

    Raises MalformedInput, which names the application identifier, the place and the rule.

    >>> parse("https://example.org/01/09780345418913/10/A/21/7?17=270100").canonical
    'https://id.gs1.org/01/09780345418913/21/7'
    """
    if len(link) > LINK_CHARS_MAX:
        raise _broken(f"a link has at most {LINK_CHARS_MAX} characters", len(link))
    web = _WEB.match(link)
    if web is None or not web[2]:
        raise _broken("not a web link with a path", 0)
    key, qualifiers = _elements(web[2], web.start(2))
    for element in (key, *qualifiers):
        _judge(element, KEYS.get(element.ai) or QUALIFIERS[element.ai], Identifier.wrong)
    return DigitalLink(web[1], key, qualifiers, tuple(_attributes(web[3] or "", web.start(3))))


def canonical_link(identifier: str) -> str:
    """The canonical form of an EPC URN or a GS1 web link; anything else comes back unchanged.

    Check digits are not asked for: the reference of the event hash does not, and what has a name
    keeps it.
    """
    urn = _URN.match(identifier)
    if urn:
        return _from_urn(urn[1], urn[2], urn[3]) or identifier
    web = _WEB.match(identifier)
    if web is None or not web[2]:
        return identifier
    try:
        key, qualifiers = _elements(web[2], web.start(2))
        for element in (key, *qualifiers):
            rules = KEYS.get(element.ai) or QUALIFIERS[element.ai]
            _judge(element, rules, Identifier.wrong_shape)
    except MalformedInput:
        return identifier
    return _finest(key, qualifiers)


def _broken(rule: str, position: int, ai: str = "") -> MalformedInput:
    named = f"AI {ai} " if ai else ""
    return MalformedInput(
        f"Digital Link: {named}{rule}",
        where=f"character {position}",
        remedy="write the key and its qualifiers as GS1 Digital Link URI syntax has them",
    )


def _finest(key: Element, qualifiers: tuple[Element, ...]) -> str:
    told = {element.ai: element.escaped for element in qualifiers}
    fine = next((f"/{ai}/{told[ai]}" for ai in _FINEST if ai in told), "")
    return f"{CANONICAL}/{key.ai}/{key.escaped}{fine}"


def _elements(path: str, offset: int) -> tuple[Element, tuple[Element, ...]]:
    """The key and its qualifiers. The first key in the path counts; before it may stand anything.

    Raises MalformedInput for what has not the shape of a Digital Link.
    """
    parts = path.removesuffix("/").split("/")[1:]
    names = [_SHORT_NAMES.get(part, part) for part in parts]
    start = next((i for i, name in enumerate(names[:-1]) if name in KEYS), None)
    if start is None:
        raise _broken("there is no GS1 key in the path", offset)
    place = offset + sum(len(part) + 1 for part in parts[:start])
    found: list[Element] = []
    for index in range(start, len(parts), 2):
        place += 1 + len(parts[index]) + 1
        if index + 1 == len(parts):
            raise _broken("has no value", place, names[index])
        found.append(_element(names[index], parts[index + 1], place))
        place += len(parts[index + 1])
    key = found[0]
    _in_order(key, found[1:])
    return key, tuple(found[1:])


def _in_order(key: Element, qualifiers: list[Element]) -> None:
    allowed = ORDERS.get(key.ai, ())
    last = -1
    for element in qualifiers:
        if element.ai not in allowed:
            raise _broken(f"does not qualify AI {key.ai}", element.position, element.ai)
        if allowed.index(element.ai) <= last:
            raise _broken(
                f"stands in wrong order: {', '.join(allowed)}", element.position, element.ai
            )
        last = allowed.index(element.ai)
    if len(qualifiers) > 1 and qualifiers[-1].ai == "235":
        raise _broken("stands with no other qualifier", qualifiers[-1].position, "235")


def _element(ai: str, escaped: str, position: int) -> Element:
    for escape in _ESCAPED.finditer(escaped):
        if len(escape[1]) != 2 or not _HEX.issuperset(escape[1]) or int(escape[1], 16) > 126:
            raise _broken("has a broken percent escape", position + escape.start(), ai)
    value = _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), escaped)
    if ai == "01" and len(value) in (8, 12, 13):
        value = escaped = value.zfill(14)
    return Element(ai, value, position, escaped)


def _judge(element: Element, rules: Identifier, test: Callable[[Identifier, str], str]) -> None:
    if wrong := test(rules, element.value):
        raise _broken(wrong, element.position, element.ai)


def _attributes(query: str, position: int) -> Iterator[tuple[str, str]]:
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in KEYS or name in QUALIFIERS:
            raise _broken("belongs into the path", position, name)
        if name in DATES and (wrong := DATES[name].wrong(value)):
            raise _broken(wrong, position, name)
        yield name, value


def _from_urn(kind: str, scheme: str, body: str) -> str | None:
    """The link of an EPC URN; None for what has not the shape of one."""
    reader = _URN_READERS.get(scheme)
    parts = body.split(".")
    if reader is None or len(parts) < 2 or not _is_prefix(parts[0]):
        return None
    is_pattern = kind == "idpat"
    if is_pattern != (parts[-1] == "*") or (kind == "class") != (scheme == "lgtin"):
        return None
    path = reader(parts)
    return f"{CANONICAL}/{path}" if path else None


def _is_prefix(text: str) -> bool:
    return text.isdigit() and 6 <= len(text) <= 12


def _padded(parts: list[str], digits: int) -> str | None:
    """Prefix and reference with the indicator digit in front, and their check digit."""
    prefix, reference = parts[0], parts[1]
    if not reference.isdigit() or len(prefix) + len(reference) != digits:
        return None
    base = reference[:1] + prefix + reference[1:]
    return base + check_digit(base)


def _joined(parts: list[str], digits: int) -> str | None:
    """Prefix and reference one behind the other, and their check digit."""
    base = parts[0] + parts[1]
    if len(base) != digits or not base.isdigit():
        return None
    return base + check_digit(base)


def _serial(rest: list[str], most: int, letters: frozenset[str] = ALPHABET_82) -> str | None:
    """A serial as a link carries it: empty for a pattern's star, None for what is no serial."""
    text = ".".join(rest)
    if text == "*":
        return ""
    plain = _plain(text)
    if plain is None or not 1 <= len(plain) <= most or not letters.issuperset(plain):
        return None
    return "".join(_PERCENT.get(letter, letter) for letter in text)


def _plain(text: str) -> str | None:
    for escape in _ESCAPED.finditer(text):
        if len(escape[1]) != 2 or not _HEX.issuperset(escape[1]) or int(escape[1], 16) > 126:
            return None
    return _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text)


def _of_item(key: str, ai: str, most: int) -> Callable[[list[str]], str | None]:
    """GTIN and a qualifier: `sgtin`, `lgtin`, `upui`."""

    def read(parts: list[str]) -> str | None:
        gtin, serial = _padded(parts, 13), _serial(parts[2:], most)
        if gtin is None or serial is None:
            return None
        return f"{key}/{gtin}" + (f"/{ai}/{serial}" if serial else "")

    return read


def _itip(parts: list[str]) -> str | None:
    numbers, gtin = parts[2:4], _padded(parts, 13)
    serial = _serial(parts[4:], 20)
    if gtin is None or serial is None or any(len(n) != 2 or not n.isdigit() for n in numbers):
        return None
    return f"8006/{gtin}{''.join(numbers)}" + (f"/21/{serial}" if serial else "")


def _alone(key: str, digits: int, *, padded: bool = False) -> Callable[[list[str]], str | None]:
    """A key of digits without a serial: `sscc`, `gsrn`, `gsrnp`, `gsin`, `pgln`."""

    def read(parts: list[str]) -> str | None:
        value = (_padded if padded else _joined)(parts, digits)
        return f"{key}/{value}" if value and len(parts) == 2 else None

    return read


def _followed(
    key: str, most: int, letters: frozenset[str] = ALPHABET_82, *, head: str = ""
) -> Callable[[list[str]], str | None]:
    """A key of digits with a serial right behind it: `gdti`, `sgcn`, `grai`."""

    def read(parts: list[str]) -> str | None:
        value, serial = _joined(parts, 12), _serial(parts[2:], most, letters)
        return None if value is None or serial is None else f"{key}/{head}{value}{serial}"

    return read


def _sgln(parts: list[str]) -> str | None:
    value, extension = _joined(parts, 12), _serial(parts[2:], 20)
    if value is None or extension is None:
        return None
    return f"414/{value}" + (f"/254/{extension}" if extension not in ("", "0") else "")


def _free(key: str) -> Callable[[list[str]], str | None]:
    """A key that its company makes up: `giai`, `ginc`."""

    def read(parts: list[str]) -> str | None:
        rest = _serial(parts[1:], 30 - len(parts[0]))
        return f"{key}/{parts[0]}{rest}" if rest else None

    return read


def _cpi(parts: list[str]) -> str | None:
    if len(parts) != 3:
        return None
    prefix, reference, serial = parts
    part = _serial([reference], 30 - len(prefix), ALPHABET_39)
    number = _serial([serial], 12, frozenset("0123456789"))
    if not part or number is None:
        return None
    return f"8010/{prefix}{part}" + (f"/8011/{number}" if number else "")


_URN_READERS: Final[dict[str, Callable[[list[str]], str | None]]] = {
    "sgtin": _of_item("01", "21", 20),
    "lgtin": _of_item("01", "10", 20),
    "upui": _of_item("01", "235", 28),
    "itip": _itip,
    "sscc": _alone("00", 17, padded=True),
    "gsrn": _alone("8018", 17),
    "gsrnp": _alone("8017", 17),
    "gsin": _alone("402", 16),
    "pgln": _alone("417", 12),
    "sgln": _sgln,
    "gdti": _followed("253", 17),
    "sgcn": _followed("255", 12, frozenset("0123456789")),
    "grai": _followed("8003", 16, head="0"),
    "giai": _free("8004"),
    "ginc": _free("401"),
    "cpi": _cpi,
}
