"""The form that a field wants, in words: nobody who types a phone number reads a pattern.

Our patterns are a sequence of letters and classes, each with a count; what is no such sequence gets
a sentence without the pattern.
"""

from __future__ import annotations

import re
from typing import Final

_MESSAGE: Final = re.compile(r"Expected `str` matching regex '(.*)'(?= - at |$)", re.DOTALL)
_BOUND: Final = re.compile(
    r"Expected `(int|float|str|array|object)` (of length )?(>=|<=|>|<) (-?[0-9.]+)"
)
_BOUNDS: Final = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_OF: Final = {"int": "a whole number of", "float": "a number of", "str": "characters"}
_PIECE: Final = re.compile(
    r"(\[(?:\\.|[^\]\\^])(?:\\.|[^\]\\])*\]|\\[^A-Za-z0-9]|[^\[\](){}?*+|\\^$.])"
    r"(\{([0-9]+)(?:(,)([0-9]*))?\}|[?*+])?"
)
_RANGES: Final = {
    "A-Z": "capital letters",
    "a-z": "small letters",
    "0-9": "digits",
    "A-Za-z": "letters",
}
# What shows by a part of the pattern what it is.
_KNOWN: Final = (
    ("[0-9a-f]{8}-[0-9a-f]{4}-", "a UUID"),
    ("[0-9a-f]{8}(-[0-9a-f]{4})", "a UUID"),
    (r"(\.[0-9]{1,", "a number such as 12.5"),
    ("[!-~]", "letters, digits and signs without blanks"),
)
_GROUP: Final = re.compile(r"\(([^()]*)\)(\?)?")
_SIGNS: Final = {"-": "-", " ": "blanks", ",": "commas", "'": "apostrophes"}
_OTHER_FORM: Final = "this is not in the form that the API reference gives for it"
_COUNTS: Final = {"": (1, "1"), "?": (0, "1"), "*": (0, ""), "+": (1, "")}


def plainly(message: str) -> str:
    """What a refusal says of a text, with words in the place of a pattern."""
    match = _MESSAGE.search(message)
    if match is None:
        return _bounded(message)
    wanted = form_of(match[1].replace("\\\\", "\\"))
    return f"wanted: {wanted}" if wanted else _OTHER_FORM


def _bounded(message: str) -> str:
    """A bound of a number or of a length in words; any other message as it is."""
    match = _BOUND.match(message)
    if match is None:
        return message
    kind, length, sign, number = match.groups()
    bound = f"{_BOUNDS[sign]} {number}"
    if not length:
        return f"wanted: {_OF[kind]} {bound}" if kind in ("int", "float") else message
    return f"wanted: {bound} {_OF['str'] if kind == 'str' else 'entries'}"


def form_of(pattern: str) -> str:
    r"""A pattern in words; empty for one that is no plain sequence.

    >>> form_of(r"^\+[1-9][0-9]{4,14}\Z")
    '+, then 1 digit from 1 to 9, then 4 to 14 digits'
    """
    body = pattern.removeprefix("^").removesuffix("\\Z").removesuffix("$")
    for sign, known in _KNOWN:
        if sign in body:
            return known
    if (group := _GROUP.fullmatch(body)) is not None:
        ways = [_sequence(each) for each in group[1].split("|")]
        return ", or ".join(["nothing"] * bool(group[2]) + ways) if all(ways) else ""
    return _sequence(body)


def _sequence(body: str) -> str:
    said, at = [], 0
    while at < len(body):
        piece = _PIECE.match(body, at)
        if piece is None:
            return ""
        said.append(_piece(piece))
        at = piece.end()
    return ", then ".join(said)


def _piece(piece: re.Match[str]) -> str:
    letter, count = piece[1], piece[2] or ""
    if letter.startswith("["):
        return f"{_count(piece, count)} {_class(letter[1:-1], one=_is_one(piece, count))}"
    sign = letter.removeprefix("\\")
    return sign if not count else f"{_count(piece, count)} {sign}"


def _is_one(piece: re.Match[str], count: str) -> bool:
    return count in ("", "?") or (piece[3] == "1" and not piece[4]) or piece[5] == "1"


def _count(piece: re.Match[str], count: str) -> str:
    if count in _COUNTS:
        least, most = _COUNTS[count]
        most_words = f"at most {most}" if most else "any number of"
        return most if least and most else ("at least 1" if least else most_words)
    least_said, open_ended, most_said = piece[3], piece[4], piece[5]
    if not open_ended:
        return least_said
    if not most_said:
        return f"at least {least_said}"
    return f"at most {most_said}" if least_said == "0" else f"{least_said} to {most_said}"


def _class(inside: str, *, one: bool) -> str:
    """The letters of a class; `one`: of which a single one is meant."""
    names, signs = [], []
    rest = inside.replace("A-Za-z", "\0")
    if "\0" in rest:
        names.append("letters")
        rest = rest.replace("\0", "")
    for first, last, sign in re.findall(r"(\w)-(\w)|\\?(.)", rest, re.DOTALL):
        if not first:
            signs.append(_SIGNS.get(sign, sign))
        elif (known := _RANGES.get(f"{first}-{last}")) is not None:
            names.append(known)
        else:
            kind = "digits" if first.isdigit() else "letters"
            names.append(f"{kind} from {first} to {last}")
    if one:
        names = [name.replace("digits", "digit").replace("letters", "letter") for name in names]
    said = names + signs
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"
