"""Names of any script as Latin words that can be compared: readings, folds and skeletons.

A name may have several readings (Mandarin, Korean, Japanese). A *fold* is a word with its usual
spellings made one; a *skeleton* keeps the consonants alone, because Arabic, Hebrew and Thai do not
write all vowels.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.screening.han_names import japanese_readings, korean_readings
from zhidao.finance.domain.screening.look_alikes import look_alikes, without_hidden

NAME_CHARACTERS_MAX: Final = 200
_WORDS_MAX: Final = 12
# Endings differ between languages (Alexander, Alexandros): the first consonants do not.
_PREFIX: Final = 4
# A lone word with so many consonants is found with one of them wrong.
_LONE: Final = 3
# What is left of a word when a legal form is cut off it has at least so many letters.
_STEM: Final = 3
_LONG_FORMS: Final = ("company", "corporation", "limited", "incorporated")
# Forms of address, patronymic particles and legal forms: they tell nobody apart.
NOISE: Final = frozenset(
    (
        "mr mrs ms dr prof sir sheikh shaykh sheik haji hajji hajj mullah maulavi mawlawi general "
        "gen col al el bin ben ibn bint bte de la le du da dos del van der den von the and of ltd "
        "limited co company corp corporation inc llc llp plc gmbh ag sa srl spa bv nv oy ab jsc "
        "ojsc pjsc ooo oao zao pao pte pvt sdn bhd kk fze fzco fzc"
    ).split()
)
# Family names of Korea: the usual spellings stand beside the romanised one.
_HANGUL_FAMILY: Final = {
    "김": "kim",
    "이": "lee",
    "박": "park",
    "최": "choi",
    "정": "jung",
    "강": "kang",
    "조": "cho",
    "윤": "yoon",
    "장": "jang",
    "임": "lim",
    "오": "oh",
    "신": "shin",
    "권": "kwon",
    "안": "ahn",
    "류": "ryu",
    "유": "yoo",
    "우": "woo",
    "문": "moon",
    "백": "baek",
    "허": "heo",
    "노": "noh",
    "주": "joo",
    "구": "koo",
    "성": "sung",
}
_ABJAD: Final = ("ARABIC", "HEBREW", "THAI", "SYRIAC")
_FOLDS: Final = tuple(
    (re.compile(pattern), into)
    for pattern, into in (
        ("[^a-z0-9]", ""),
        ("^yev", "ev"),
        ("shch|sch|tsch|tch|tj|dj|dzh|zh", "c"),
        ("ch|j|q", "c"),
        ("^hs(?=[iu])|sh|ks|x", "s"),
        ("kh|gh|ck|g", "k"),
        ("ph", "f"),
        ("th", "t"),
        ("ts|tz|z", "s"),
        ("eo", "o"),
        ("eu|oo|ou|ow|o", "u"),
        ("ae|e|y", "i"),
        ("(.)\\1+", "\\1"),
    )
)
_COARSE: Final = str.maketrans({**dict.fromkeys("aiuhvw", ""), "d": "t", "b": "p", "r": "l"})
_FINE: Final = str.maketrans(dict.fromkeys("aiuw", ""))


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a name: its words folded. `abjad`: most vowels are not written."""

    words: tuple[str, ...]
    abjad: bool = False
    how: str = "latin"

    @property
    def whole(self) -> str:
        """All words as one."""
        return "".join(self.words)


@lru_cache(maxsize=1 << 18)
def fold(word: str) -> str:
    """A Latin word in its one spelling.

    >>> fold("Mohammed"), fold("Muhamad")
    ('muhamid', 'muhamad')
    """
    word = word.lower()
    for pattern, into in _FOLDS:
        word = pattern.sub(into, word)
    return word


def coarse(folded: str) -> str:
    """The skeleton by which names are found: consonants, the voiced with the voiceless."""
    return _squeezed(folded.translate(_COARSE)) or folded[:1]


@lru_cache(maxsize=1 << 18)
def fine(folded: str) -> str:
    """The skeleton by which names without vowels are compared."""
    return _squeezed(folded.translate(_FINE)) or folded[:1]


def _squeezed(text: str) -> str:
    return re.sub("(.)\\1+", "\\1", text)


def readings(name: str, *, words_max: int = _WORDS_MAX) -> tuple[Reading, ...]:
    """All readings of a name, at least one, the most likely first.

    `words_max`: more words are left out. Raises MalformedInput for a name without letters or with
    more than 200 characters.
    """
    if len(name) > NAME_CHARACTERS_MAX:
        raise MalformedInput(f"a name of more than {NAME_CHARACTERS_MAX} characters")
    plain = without_hidden(name).replace("・", " ").replace("·", " ")
    squeezed = re.sub(r"\s+", "", plain)
    scripts = {_script(letter) for letter in squeezed if letter.isalpha()}
    if not scripts:
        raise MalformedInput("a name needs at least one letter")
    if "HAN" in scripts:
        found = _han(squeezed, plain, words_max)
    elif scripts == {"HANGUL"} and len(squeezed) <= 5:
        found = [_hangul(squeezed)]
    else:
        abjad = bool(scripts & set(_ABJAD))
        words = _words(_latin(plain, abjad=abjad), words_max)
        found = [Reading(words, abjad, min(scripts).lower())]
    found += [
        Reading(_words(_latin(other, abjad=False), words_max), how="look-alike letters")
        for other in look_alikes(plain, scripts)
    ]
    told = (replace(reading, words=tuple(filter(None, reading.words))) for reading in found)
    kept = tuple(dict.fromkeys(reading for reading in told if reading.words))
    # What nobody can read is compared by its own letters.
    return kept or (Reading((squeezed.casefold(),), how="letters"),)


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "?")
    return "HAN" if name.startswith("CJK") else name.split(" ")[0].split("-")[0]


def _latin(text: str, *, abjad: bool) -> str:
    from anyascii import anyascii

    if abjad:
        # The article stands written to its word.
        text = re.sub(r"\bال(?=\w{2})", "", text)
    return str(anyascii(text))


def _words(latin: str, words_max: int) -> tuple[str, ...]:
    """Folded words without what tells nobody apart (unless nothing else is there)."""
    parts = [part for part in re.split(r"[^A-Za-z0-9'`]+", latin) if part][:words_max]
    told = [one for part in parts if (one := _without_form(part.lower().strip("'`")))]
    folded = (fold(part) for part in told or parts)
    return tuple(word for word in folded if word)


@lru_cache(maxsize=1 << 16)
def _without_form(word: str) -> str:
    """A word without a legal form that is written to it; nothing of a form, misspelt or not."""
    if word in NOISE:
        return ""
    for form in _LONG_FORMS:
        if abs(len(word) - len(form)) <= 1 and _near(word, form):
            return ""
        if word.endswith(form) and len(word) >= len(form) + _STEM:
            return word[: -len(form)]
    return word


def _near(word: str, form: str) -> bool:
    """Whether one letter more, less, other, or two exchanged make one of the other."""
    place = next((n for n, (a, b) in enumerate(zip(word, form, strict=False)) if a != b), None)
    if place is None:
        return True
    rest, other = word[place:], form[place:]
    swapped = rest[:2] == other[1::-1] and rest[2:] == other[2:]
    return swapped or rest[1:] in (other, other[1:]) or rest == other[1:]


def _hangul(name: str) -> Reading:
    from anyascii import anyascii

    family = _HANGUL_FAMILY.get(name[0]) or str(anyascii(name[0]))
    given = [str(anyascii(syllable)) for syllable in name[1:]]
    return Reading(tuple(fold(part) for part in (family, *given)), how="hangul")


def _han(squeezed: str, plain: str, words_max: int) -> list[Reading]:
    from pypinyin import lazy_pinyin

    han = [letter for letter in squeezed if _script(letter) == "HAN"]
    found: list[Reading] = []
    if len(han) == len(squeezed):
        syllables = lazy_pinyin(squeezed)
        family = 2 if squeezed[:2] in _DOUBLE and len(squeezed) > 2 else 1
        words = ("".join(syllables[:family]), "".join(syllables[family:]))
        found.append(Reading(tuple(fold(w) for w in words if w), how="mandarin"))
        for how, read in (("korean", korean_readings), ("japanese", japanese_readings)):
            found += (Reading(tuple(map(fold, words)), how=how) for words in read(squeezed))
    else:
        found.append(Reading(_words(_latin(plain, abjad=False), words_max), how="mixed"))
    return found


_DOUBLE: Final = frozenset(
    "欧阳 歐陽 司马 司馬 诸葛 諸葛 上官 夏侯 东方 東方 皇甫 尉迟 公孙 慕容 令狐".split()
)


def spelt(name: str) -> str:
    """A name in its one spelling, as an index of lists reads it.

    Case, marks, the order of words and letters that sound alike do not count.

    >>> spelt("Eric Badege") == spelt("BADEGE, Eric'") != spelt("Eric Baden")
    True
    """
    try:
        return " ".join(sorted(readings(name)[0].words))
    except MalformedInput:
        return without_hidden(name).casefold()


def han_of(name: str) -> str:
    """The Chinese characters of a name, without what stands between them."""
    return "".join(letter for letter in without_hidden(name) if _script(letter) == "HAN")


def whole_keys(reading: Reading) -> tuple[str, str]:
    """The keys under which a reading stands as a whole: its words in any order, and its sound."""
    return f"={''.join(sorted(reading.words))}", f"~{coarse(reading.whole)}"


def found_by(reading: Reading) -> Iterable[str]:
    """The keys under which a reading stands in an index."""
    yield from whole_keys(reading)
    if len(reading.words) == 1:
        # No other word finds it: one letter may be wrong.
        skeleton = coarse(reading.whole)
        if len(skeleton) >= _LONE:
            yield f"<{skeleton}"
            yield from {f"<{skeleton[:n]}{skeleton[n + 1 :]}" for n in range(len(skeleton))}
    for word in reading.words:
        yield f".{word}"
        skeleton = coarse(word)
        yield f"-{skeleton}"
        if len(skeleton) >= _PREFIX:
            yield f"^{skeleton[:_PREFIX]}"
