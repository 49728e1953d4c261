"""Names as they are searched: without case, blanks and marks; a container's with its check digit.

A name is found by its beginning. A text of several words is found by the beginning of each word,
one in a script without blanks from each of its characters on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

TERM_CHARACTERS_MAX: Final = 64
# A name of more words is found by its first ones.
WORDS_MAX: Final = 8
_CONTAINER: Final = re.compile(r"[a-z]{3}[ujz][0-9]{6,7}\Z")
_FIRST_CJK, _LAST_CJK = "\u3400", "\u9fff"


def normal(text: str) -> str:
    """A name without anything that people write differently: case, blanks, hyphens, width."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(each for each in plain if each.isalnum())[:TERM_CHARACTERS_MAX]


def terms_of(text: str) -> Iterator[str]:
    """All beginnings' wholes under which a text is found, each once."""
    seen: set[str] = set()
    for part in _parts(text):
        term = normal(part)
        if term and term not in seen:
            seen.add(term)
            yield term


def _parts(text: str) -> Iterator[str]:
    yield text
    words = text.split()[:WORDS_MAX]
    for number in range(1, len(words)):
        yield " ".join(words[number:])
    if any(_FIRST_CJK <= each <= _LAST_CJK for each in text):
        yield from (text[start:] for start in range(1, min(len(text), TERM_CHARACTERS_MAX)))


def asked(text: str) -> tuple[str, ...]:
    """Under what beginnings a typed text is looked up: its own, and without a wrong check digit.

    ISO 6346: four letters, six digits and one more that follows from them. Who mistypes the last
    one means the container all the same.
    """
    term = normal(text)
    if not term:
        return ()
    if len(term) == 11 and _CONTAINER.match(term) and check_digit(term[:10]) != term[10]:
        return (term, term[:10])
    return (term,)


def check_digit(first_ten: str) -> str:
    """The eleventh character of a container's number, by ISO 6346 annex A."""
    total = 0
    for place, character in enumerate(first_ten):
        value = int(character, 36)
        # Multiples of eleven are left out, so letters run 10, 12 to 20, 23 to 31, 34 to 38.
        value += (value > 10) + (value > 20) + (value > 30)
        total += value << place
    return str(total % 11 % 10)
