"""Rules tried before they are installed: what no document could be judged by is named at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.programs.extras import command_for
from zhidao.rules import CompiledRules, Lines, Pattern, Rule, RuleSet, stylesheet
from zhidao.trade.adapters.saxon_rules import Saxon

_NAMED_MAX: Final = 5
# Saxon tells the place in a stylesheet of ours, which nobody has.
_PLACE: Final = re.compile(r"Error (?:at char \d+ )?in \S+ on line \d+ column \d+[^:]*: ?|file:\S*")
_CODE: Final = re.compile(r"\b(X[PTQ][A-Z]{2}\d{4}|FO[A-Z]{2}\d{4})\b")


def try_rules(rules: RuleSet, lines: Lines) -> int:
    """How many asserts are compiled here; every other one is one that Saxon has taken.

    Raises MalformedInput (`rules_refused`) with the line of each piece that neither takes, and
    Unavailable where an assert is left to Saxon, which is not installed.
    """
    count = len(rules.asserts())
    outside = CompiledRules(rules).outside
    try:
        saxon = Saxon()
    except Unavailable as error:
        if not outside:
            return count
        first = min(outside)
        raise Unavailable(
            f"{len(outside)} of {count} asserts, the first {rules.asserts()[first].id}, are left "
            "to Saxon, which is not installed: the rules cannot be tried",
            code="no_saxon",
            where=lines.of(rules.asserts()[first]),
            remedy=command_for("saxon"),
        ) from error
    refused = _why(saxon, rules)
    if refused:
        told = list(_culprits(saxon, rules, lines)) or [("the rules as a whole", "", refused)]
        more = f", and {len(told) - _NAMED_MAX} more" if len(told) > _NAMED_MAX else ""
        raise MalformedInput(
            "; ".join(f"{what} at {where}: {why}" for what, where, why in told[:_NAMED_MAX]) + more,
            code="rules_refused",
            where=told[0][1],
            remedy="correct these lines, or ask the publisher of the rules",
        )
    return count - len(outside)


def _why(saxon: Saxon, rules: RuleSet) -> str:
    """Why Saxon refuses rules, '' if it takes them."""
    try:
        saxon.compiled(stylesheet(rules))
    except Unavailable as error:
        text = str(error.args[0])
        code = _CODE.search(text)
        said = text[code.start() :] if code else _PLACE.sub("", text)
        return " ".join(said.split())[:200]
    return ""


def _culprits(saxon: Saxon, rules: RuleSet, lines: Lines) -> Iterator[tuple[str, str, str]]:
    """Each piece that is refused by itself: what it is, where it stands, why."""
    bare = msgspec.structs.replace(rules, patterns=())
    if _why(saxon, bare):
        yield from _culprits_outside(saxon, bare, lines)
        return
    for pattern in rules.patterns:
        for rule in pattern.rules:
            alone = msgspec.structs.replace(rule, asserts=(), lets=())
            why = _why(saxon, _only(rules, pattern, alone))
            if why:
                yield f"the context {rule.context[:60]!r}", lines.of(rule), why
                continue
            if not _why(saxon, _only(rules, pattern, rule)):
                continue
            for one in rule.asserts:
                single = msgspec.structs.replace(rule, asserts=(one,))
                why = _why(saxon, _only(rules, pattern, single))
                if why:
                    yield one.id, lines.of(one), why


def _culprits_outside(saxon: Saxon, bare: RuleSet, lines: Lines) -> Iterator[tuple[str, str, str]]:
    """Variables of the document, or functions, that are refused."""
    for index, let in enumerate(bare.lets):
        others = tuple(
            let if n == index else msgspec.structs.replace(x, select="()")
            for n, x in enumerate(bare.lets)
        )
        why = _why(saxon, msgspec.structs.replace(bare, lets=others))
        if why and not _why(saxon, msgspec.structs.replace(bare, lets=())):
            yield f"the variable {let.name}", lines.of(let), why
    why = _why(saxon, msgspec.structs.replace(bare, lets=()))
    if why:
        yield "a function of the rules", "", why


def _only(rules: RuleSet, pattern: Pattern, rule: Rule) -> RuleSet:
    single = msgspec.structs.replace(pattern, rules=(rule,))
    return msgspec.structs.replace(rules, patterns=(single,))
