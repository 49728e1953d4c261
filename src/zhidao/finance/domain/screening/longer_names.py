"""Listed names that stand inside longer ones: a firm "of" somebody, a branch, a list of people.

The words of a long name are looked at in runs, as many as a listed name has. A run that is the
listed name, in any order of its words, is a hit; so is one in other spellings if it has three
words or more. Of a listed name with one word that word must be long and rare among all that is
listed: else every firm in a city would be one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from zhidao.finance.domain.screening.names import NAME_CHARACTERS_MAX, Reading

RUN_MAX: Final = 12
"""Words of a listed name that are looked for inside another one."""
HAN_MIN: Final = 3
"""Characters of a listed name that are looked for inside a longer Chinese text."""
HAN_MAX: Final = 12
LONE_LETTERS_MIN: Final = 7
LONE_ENTRIES_MAX: Final = 2
"""Entries of all lists in which a lone word may stand."""
_PAIR_LETTERS_MIN: Final = 8
_PAIR_WORD_MIN: Final = 5
_SAME_PERMILLE: Final = 1000
_JOINED_PERMILLE: Final = 980
"""What two spellings count that differ by blanks alone (`likeness`)."""
_JOINED_LETTERS_MIN: Final = 9
_NEAR_PERMILLE: Final = 950
_OVERLAP: Final = NAME_CHARACTERS_MAX // 2


def pieces(text: str) -> list[str]:
    """A text in pieces of a name's length that overlap by half.

    What is no longer than the overlap stands whole in one of them, wherever it stands.

    >>> [len(piece) for piece in pieces("x" * 350)]
    [200, 200, 150]
    """
    last = max(len(text) - _OVERLAP, 1)
    return [text[start : start + NAME_CHARACTERS_MAX] for start in range(0, last, _OVERLAP)]


def runs(reading: Reading) -> Iterator[Reading]:
    """Every run of words inside a reading, but the whole."""
    words = reading.words
    for length in range(1, min(RUN_MAX, len(words) - 1) + 1):
        for start in range(len(words) - length + 1):
            yield replace(reading, words=words[start : start + length])


def is_inside(
    run: Reading, listed: Reading, *, score_permille: int, is_rare: Callable[[str], bool]
) -> bool:
    """Whether a run of words is a listed name.

    `score_permille`: how alike they are; `is_rare`: whether few entries bear a word.
    """
    if listed.abjad or run.abjad:
        # Without vowels a run of words is too easily another.
        return score_permille >= _SAME_PERMILLE - 10 and len(listed.words) >= 2
    if len(listed.words) == 1:
        return _is_lone(listed, score_permille) and is_rare(listed.words[0])
    if len(listed.words) == 2:
        return _is_pair(listed, score_permille)
    return score_permille >= _NEAR_PERMILLE


def _is_lone(listed: Reading, score_permille: int) -> bool:
    same = score_permille >= _SAME_PERMILLE and len(listed.whole) >= LONE_LETTERS_MIN
    return same or (score_permille >= _JOINED_PERMILLE and len(listed.whole) >= _JOINED_LETTERS_MIN)


def _is_pair(listed: Reading, score_permille: int) -> bool:
    told = max(map(len, listed.words)) >= _PAIR_WORD_MIN
    return told and len(listed.whole) >= _PAIR_LETTERS_MIN and score_permille >= _SAME_PERMILLE
