"""One wrong value is told once: the paper that says otherwise than all others, not each pair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from zhidao.trade.domain.comparison import Answer, CheckResult, Statement, words
from zhidao.trade.domain.reason_codes import About, Topic

# Of these a rule asks several things, each by itself; the others are one thing under every rule.
_BY_RULE: Final = frozenset((Topic.NAMES, Topic.COUNTRIES, Topic.CONSIGNEES))
_AMOUNTS: Final = (Topic.AMOUNTS_OF_INVOICES, Topic.DRAWN_AMOUNT)
_WORTH: Final = (*_AMOUNTS, Topic.INSURED_AMOUNT, Topic.CUSTOMS_VALUE)
# Questions of one value that are worded apart. What the papers say there need not be equal: who
# is in every disagreement, and agrees with nobody, is the odd one.
_TOGETHER: Final = (
    frozenset(_WORTH),
    frozenset((Topic.PRESENTATION_PERIOD, Topic.COVER_START)),
    frozenset((Topic.ISSUE_DAY,)),
)
# What follows from a value of the same paper that stands apart already.
_FOLLOWS: Final = {
    Topic.NET_AND_GROSS_OF_LINE: (Topic.NET_WEIGHTS, Topic.GROSS_WEIGHTS),
    Topic.CONTAINER_NUMBER: (Topic.CONTAINER_NUMBERS,),
    **dict.fromkeys(_WORTH, (Topic.QUANTITIES_OF_LINE, Topic.DELIVERY_TERMS, *_AMOUNTS)),
}
_OTHERS_MIN: Final = 2
_ABSENT: Final = "absent"
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class _Finding:
    """A finding, and the paper that stands alone in it; empty where none does."""

    answer: CheckResult
    odd: str = ""

    @property
    def topic(self) -> Topic | None:
        return self.answer.about.topic if self.answer.about else None

    @property
    def line(self) -> str:
        return self.answer.about.of if self.answer.about else ""

    @property
    def misses_field(self) -> bool:
        return self.topic is not Topic.LINES and any(s.value == _ABSENT for s in self.sides)

    @property
    def missed(self) -> tuple[str, str] | None:
        """Paper and line of which a field is missed: one such answer tells of them all."""
        known = self.misses_field and self.odd and self.line
        return (self.odd, self.line) if known else None

    @property
    def sides(self) -> tuple[Statement, Statement]:
        return Statement.parse(self.answer.left), Statement.parse(self.answer.right)


def told_once(answers: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """The answers that do not agree; of one thing, one, where a paper stands alone in it.

    Such an answer has the paper's own statement on its left and that of the others on its right.
    """
    found = [one for thing, group in _things(answers).items() for one in _of(thing, group)]
    lines = {one.line for one in found if one.topic is Topic.LINES}
    kept: dict[object, CheckResult] = {}
    for k, one in enumerate(_renumbered(found)):
        if _follows(one, found) or (one.misses_field and one.line in lines):
            continue
        kept.setdefault(one.missed or k, one.answer)
    return tuple(kept.values())


def _things(answers: Iterable[CheckResult]) -> dict[object, list[CheckResult]]:
    """The answers by what they are about."""
    groups: dict[object, list[CheckResult]] = {}
    for k, answer in enumerate(answers):
        groups.setdefault(_thing(answer, k), []).append(answer)
    return groups


def _thing(answer: CheckResult, place: int) -> object:
    about = answer.about
    if about is None:
        return place
    if about.topic in _BY_RULE:
        return answer.rule, about
    if about.topic is Topic.LINES:
        return About(Topic.GOODS_OF_LINE, about.of)
    return next((together for together in _TOGETHER if about.topic in together), about)


def _of(thing: object, group: Sequence[CheckResult]) -> list[_Finding]:
    if thing != _TOGETHER[0]:
        return _of_group(group)
    # Amounts due can be told from one another; what is insured and declared is made of them.
    amounts = [each for each in group if each.about and each.about.topic in _AMOUNTS]
    told = _of_group(amounts)
    if not any(one.odd for one in told):
        return _of_group(group)
    return told + [
        _Finding(each) for each in group if each not in amounts and each.answer is not Answer.AGREE
    ]


def _of_group(group: Sequence[CheckResult]) -> list[_Finding]:
    agreeing = [answer for answer in group if answer.answer is Answer.AGREE]
    differing = [answer for answer in group if answer.answer is not Answer.AGREE]
    odd = _odd_paper(agreeing, differing)
    said = _said_by_others(odd, agreeing, differing) if odd else ""
    if not said:
        return [_Finding(answer) for answer in differing]
    return [_Finding(_only(differing, odd, said), odd)]


def _said_by_others(
    odd: str, agreeing: Sequence[CheckResult], differing: Sequence[CheckResult]
) -> str:
    """What the papers say beside which one is odd; empty if it is not: they differ themselves."""
    own = {s.value for s in _statements(differing) if s.paper == odd}
    others = [s for s in _statements([*agreeing, *differing]) if s.paper != odd]
    count = len(_papers([*agreeing, *differing]) - {odd})
    if count < _OTHERS_MIN:
        return ""
    if len(own) == 1 and _are_alike(others):
        return f"the {count} other papers say {_short(min(others, key=str))}"
    if odd in _papers(agreeing) or not _is_of_one_value(differing):
        return ""
    return f"it fits none of the {count} other papers"


def _is_of_one_value(differing: Sequence[CheckResult]) -> bool:
    """Whether several answers are of one value, worded apart."""
    return len(differing) > 1 and _thing(differing[0], 0) in _TOGETHER


def _only(differing: Sequence[CheckResult], odd: str, said: str) -> CheckResult:
    """One answer for several, of which the first lends its two statements."""
    first = differing[0]
    left, right = Statement.parse(first.left), Statement.parse(first.right)
    own, other = (left, right) if left.paper == odd else (right, left)
    conflict = any(answer.answer is Answer.CONFLICT for answer in differing)
    note = first.note if len({answer.note for answer in differing}) == 1 else None
    more = f"; {note}" if note else ""
    return replace(
        first,
        answer=Answer.CONFLICT if conflict else Answer.UNDECIDED,
        sentence=f"{first.about}: {odd} is the odd one out, it says {_short(own)}, {said}{more}",
        left=str(own),
        right=str(other),
        note=note,
    )


def _are_alike(statements: Iterable[Statement]) -> bool:
    return len({tuple(words(s.value)) for s in statements}) == 1


def _short(statement: Statement) -> str:
    text = statement.value or "nothing"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _odd_paper(agreeing: Sequence[CheckResult], differing: Sequence[CheckResult]) -> str:
    """The one paper that every differing answer is about; empty if there is none such."""
    if not differing:
        return ""
    shared = set.intersection(*(_papers([each]) for each in differing))
    if len(shared) > 1:
        # Two papers differ; whoever agrees with another is not the odd one.
        shared -= _papers(agreeing)
    return shared.pop() if len(shared) == 1 else ""


def _statements(answers: Iterable[CheckResult]) -> list[Statement]:
    return [Statement.parse(text) for answer in answers for text in (answer.left, answer.right)]


def _papers(answers: Iterable[CheckResult]) -> set[str]:
    return {s.paper for s in _statements(answers)}


def _renumbered(found: Sequence[_Finding]) -> list[_Finding]:
    """Goods that one paper has under another line's number: one answer of the two."""
    lacking = {_goods(one) for one in found if one.odd and _lacks(one, one.odd)}
    return [one for one in found if one.topic is not Topic.LINES or not _is_more(one, lacking)]


def _is_more(one: _Finding, lacking: set[tuple[str, tuple[str, ...]]]) -> bool:
    """Whether a paper has goods here that it lacks at another line."""
    has = [(s.paper, tuple(words(s.value))) for s in one.sides if s.value != _ABSENT]
    return len(has) == 1 and has[0] in lacking


def _lacks(one: _Finding, paper: str) -> bool:
    return one.topic is Topic.LINES and any(
        s.paper == paper and s.value == _ABSENT for s in one.sides
    )


def _goods(one: _Finding) -> tuple[str, tuple[str, ...]]:
    """The paper that lacks a line, and what the others say there."""
    other = next(s for s in one.sides if s.paper != one.odd)
    return one.odd, tuple(words(other.value))


def _follows(one: _Finding, told: Iterable[_Finding]) -> bool:
    causes = _FOLLOWS.get(one.topic, ()) if one.topic else ()
    papers = {s.paper for s in one.sides}
    odd = (cause for cause in told if cause.odd and cause is not one)
    return any(cause.odd in papers and cause.topic in causes for cause in odd)
