"""How alike two readings of names are, in thousandths. Needs the extra `screening`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import Indel, JaroWinkler

from zhidao.finance.domain.screening.names import Reading, fine
from zhidao.finance.domain.screening.screening import ALERT_PERMILLE

_WORD: Final = 800
_WHOLE: Final = 3
_SURELY: Final = 950


def compare(asked: Reading, listed: Reading) -> int:
    """How alike two readings are, 0 to 1000.

    Every word that was asked for must find its like; words that only the listed name has count a
    quarter, since middle names are often left out.
    """
    abjad = asked.abjad or listed.abjad
    left = [fine(word) for word in asked.words] if abjad else list(asked.words)
    right = [fine(word) for word in listed.words] if abjad else list(listed.words)
    # Without blanks: "Abdul Rahman" and "Abdulrahman" are one name in other spellings.
    whole = round(1000 * Indel.normalized_similarity(_joined(left), _joined(right)))
    if sorted(left) == sorted(right):
        if not abjad:
            return 1000
        # The vowels that are written tell names apart whose consonants are the same.
        return 950 + round(40 * Indel.normalized_similarity(asked.whole, listed.whole))
    # Words may be written together or apart.
    return max(_by_words(left, right), whole - 20, 0)


def _by_words(left: Sequence[str], right: Sequence[str]) -> int:
    likes = [[_alike(one, two) for two in right] for one in left]
    found = [max(row) for row in likes]
    back = _covered(right, [max(column) for column in zip(*likes, strict=True)])
    # One short word alone is nobody's name.
    lone = 120 if min(len(left), len(right)) == 1 and len(left) != len(right) else 0
    score = (3 * _covered(left, found) + back) // 4 - lone
    # Of a given name and a family name both must be there; of more, one may be left out.
    if len(left) <= 2 and min(found) < _WORD:
        score = min(score, ALERT_PERMILLE - 20)
    return max(score, ALERT_PERMILLE * _stands_whole(likes, len(right), back))


def _stands_whole(likes: Sequence[Sequence[int]], listed: int, back: int) -> bool:
    """Whether a listed name of three words or more was asked for, one word at most between its own.

    `likes`: how alike each word that was asked for is to each of the `listed` ones; `back`: how
    well these are covered.
    """
    if listed < _WHOLE or back < _SURELY:
        return False
    places = [max(range(len(likes)), key=lambda n: likes[n][word]) for word in range(listed)]
    return max(places) - min(places) <= listed


def _joined(words: Sequence[str]) -> str:
    """All words as one, a letter that ends one and begins the next once, as in a word."""
    return re.sub("(.)\\1+", "\\1", "".join(words))


@lru_cache(maxsize=1 << 16)
def _alike(one: str, two: str) -> int:
    """How alike two words are, 0 to 1000. A short word has too few letters to be misspelt."""
    letters = round(1000 * Indel.normalized_similarity(one, two))
    if min(len(one), len(two)) <= 3:
        return letters if letters > 850 else letters // 2
    return (letters + round(1000 * JaroWinkler.similarity(one, two))) // 2


def _covered(words: Sequence[str], likes: Sequence[int]) -> int:
    """The mean likeness, longer words counting more; below 800 (`_WORD`) a word is another word."""
    total = sum(map(len, words))
    kept = sum(
        len(word) * (like if like >= _WORD else like // 2)
        for word, like in zip(words, likes, strict=True)
    )
    return kept // total
