"""How two statements about one thing are held against each other: agree, conflict or undecided."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from zhidao.core.text.plain_text import unseen_in
from zhidao.trade.domain.reason_codes import About, Note, Noted


class Answer(StrEnum):
    """Three answers: what a rule cannot tell is a person's question, never silently agreement."""

    AGREE = "agree"
    CONFLICT = "conflict"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a paper says in one place."""

    paper: str
    field: str
    value: str

    def __str__(self) -> str:
        return f"{self.paper}:{self.field} = {' '.join(self.value.split())}"

    @classmethod
    def parse(cls, text: str) -> Statement:
        """The statement of its text, its blanks made one.

        >>> Statement.parse("packing_list:sum of netWeight = 1104")
        Statement(paper='packing_list', field='sum of netWeight', value='1104')
        """
        paper, _, rest = text.partition(":")
        field, _, value = rest.partition(" = ")
        return cls(paper, field, value)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One rule's answer about two statements. `rule` is the row of the cross-check table.

    `about` and `note`: what the sentence says, as codes, where its words have codes.
    """

    rule: str
    answer: Answer
    sentence: str
    left: str
    right: str
    about: About | None = None
    note: Noted | None = None


def same(rule: str, what: About | str, left: Statement, right: Statement) -> CheckResult:
    """Agreement only if both values are the same text."""
    equal = left.value == right.value
    return result(rule, Answer.AGREE if equal else Answer.CONFLICT, what, left, right)


def same_name(rule: str, what: About | str, left: Statement, right: Statement) -> CheckResult:
    """Agreement if two party names differ in case, blanks and punctuation at most.

    A name that is another's beginning is a person's question (a branch, or a shortened form).
    """
    one, two = words(left.value), words(right.value)
    if one == two:
        answer = Answer.AGREE
    elif one[: len(two)] == two or two[: len(one)] == one:
        answer = Answer.UNDECIDED
    else:
        answer = Answer.CONFLICT
    return result(rule, answer, what, left, right)


def near(
    rule: str, what: About | str, left: Statement, right: Statement, *, one: Decimal, two: Decimal
) -> CheckResult:
    """Agreement if two amounts are equal; a small difference is a person's question.

    Papers must not conflict, which is not to be equal (UCP 600 article 14(d); not checked): a
    difference of at most 0.5 per cent looks like rounding and is reported with its size.
    """
    gap = abs(one - two)
    if not gap:
        return result(rule, Answer.AGREE, what, left, right)
    size = f"{gap.normalize():f}"
    if gap * _ROUNDING_SHARE <= max(abs(one), abs(two)):
        note = Noted(Note.MAY_BE_ROUNDING, size)
        return result(rule, Answer.UNDECIDED, what, left, right, note=note)
    return result(rule, Answer.CONFLICT, what, left, right, note=Noted(Note.DIFFERENCE, size))


def described(
    rule: str, what: About | str, left: Statement, right: Statement, *, codes_meet: bool | None
) -> CheckResult:
    """Agreement if the second text names goods of the first in general terms.

    `codes_meet` says whether commodity codes on both papers share one, None where a paper has
    none: codes that are stated and differ are a conflict, texts without a common word a question.
    """
    if codes_meet is False:
        return result(rule, Answer.CONFLICT, what, left, right, note=Noted(Note.HS_DIFFERS))
    common = content_words(left.value) & content_words(right.value)
    answer = Answer.AGREE if common else Answer.UNDECIDED
    return result(rule, answer, what, left, right)


def result(
    rule: str,
    answer: Answer,
    what: About | str,
    left: Statement,
    right: Statement,
    *,
    note: Noted | None = None,
) -> CheckResult:
    """The answer with its sentence; `note` says more about it."""
    sentence = f"{what} {_VERBS[answer]}{f'; {note}' if note else ''}"
    about = what if isinstance(what, About) else None
    return CheckResult(rule, answer, sentence, str(left), str(right), about, note)


_ROUNDING_SHARE: Final = 200
_VERBS: Final = {
    Answer.AGREE: "agree",
    Answer.CONFLICT: "do not agree",
    Answer.UNDECIDED: "need a person's judgement",
}
# The underscore counts as a letter of words in expressions, and joins two for no reader.
_WORD: Final = re.compile(r"[^\W_]+")
# Words that say nothing about the nature of goods.
_EMPTY: Final = frozenset(
    "and or of for the a an with in on to pcs pieces sets boxes cartons packages new goods".split()
)


def words(text: str) -> list[str]:
    """The words of a text without case, accents of compatibility and punctuation."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def names_anybody(text: str) -> bool:
    """Whether a letter that is seen stands in a name.

    >>> names_anybody("3M"), names_anybody("..."), names_anybody("007"), names_anybody("\u3164")
    (True, False, False, False)
    """
    return any(sign.isalpha() and not unseen_in(sign) for sign in text)


def content_words(text: str) -> set[str]:
    """The words of a description that could name goods, plural endings cut off."""
    found = {word for word in words(text) if word not in _EMPTY and not word.isdigit()}
    return {word[:-1] if len(word) > 3 and word.endswith("s") else word for word in found}
