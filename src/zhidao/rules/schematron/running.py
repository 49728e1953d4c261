"""Rules compiled to closures, and what they say of a document.

A rule that is asked often is written out as Python source, which says the same in a third of the
time; a process that judges one document never pays for that.

What the compiler does not cover is listed and left to another engine: single asserts, or a whole
pattern where a context is outside, since its first match decides which rule judges a node.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any, Final

from zhidao.rules.schematron.absence import AbsentPaths
from zhidao.rules.schematron.guards import Needed, Value, needed
from zhidao.rules.schematron.judging import Answer, Answers
from zhidao.rules.schematron.matching import alternatives
from zhidao.rules.schematron.planning import (
    Lets,
    Plan,
    Plans,
    ReadyPattern,
    ReadyRule,
)
from zhidao.rules.schematron.ruleset import Assert, Let, Pattern, Rule, RuleSet
from zhidao.rules.xpath.code import CURRENT, DOCUMENT, Code, Env, Run, Scope, test_of
from zhidao.rules.xpath.compiler import Compiler
from zhidao.rules.xpath.declared import functions_of
from zhidao.rules.xpath.functions import inverse
from zhidao.rules.xpath.nodes import Document, Element
from zhidao.rules.xpath.parser import parse
from zhidao.rules.xpath.syntax import Expr
from zhidao.rules.xpath.text_functions import normal_space
from zhidao.rules.xpath.values import OutsideSubset, XPathError
from zhidao.rules.xpath.writing import Writer, is_safe, written


class CompiledRules:
    """Rules ready to run. `outside` gives, by number, why an assert is left to another engine."""

    def __init__(self, rules: RuleSet) -> None:
        self.outside: dict[int, str] = {}
        self._namespaces = rules.namespaces
        self._compiler = Compiler(functions_of(rules.functions))
        self._writer = Writer()
        self._names_slot = self._compiler.slot()
        self._bits: dict[str, int] = {}
        self._values: dict[str, dict[str, int]] = {}
        self._names: dict[str, int] = {}
        self._bits_count = 0
        self._globals: Lets = []
        self._patterns: list[ReadyPattern] = []
        self._plans = Plans(self._patterns, self._bits, self._writer)
        self._parsed: dict[str, Expr] = {}
        self._tests: dict[str, Run] = {}
        for let in rules.lets:
            self._global(let)
        first = 0
        for pattern in rules.patterns:
            count = sum(len(rule.asserts) for rule in pattern.rules)
            self._pattern(pattern, range(first, first + count))
            first += count
        # Only needed while rules are read.
        self._parsed.clear()
        self._tests.clear()

    def run(self, document: Document) -> Answers:
        """Every assert's answer at every node of its context, in the order of the rules."""
        answers = Answers(left=set(self.outside))
        env: Env = [None] * self._compiler.slots
        env[DOCUMENT] = document
        for slot, value in self._globals:
            env[slot] = value
        # All names must be known before the first test runs.
        planned = self._planned(document, env)
        have = env[self._names_slot]
        answers.judge(planned, env, have)
        for pattern in self._patterns:
            if pattern.attributes:
                answers.judge_attributes(pattern, document, env, have)
        if answers.given:
            answers.given = self._in_order(answers.given, answers.left)
        return answers

    def _planned(self, document: Document, env: Env) -> list[tuple[Plan, list[Element]]]:
        """What there is to do, and in the frame the names of the document as bits."""
        self._plans.begin()
        known, have, busy = self._plans.known, 0, []
        for kind, nodes in document.by_kind.items():
            plan = known.get(kind) or self._plans.of(nodes[0], env)
            have |= plan.bits
            if plan.busy:
                busy.append((plan, nodes))
        for tag, table in self._values.items():
            have |= _values_there(document.by_tag.get(tag, ()), tag, table)
        env[self._names_slot] = have
        return busy

    def _in_order(self, found: list[Answer], left: set[int]) -> list[Answer]:
        starts = [pattern.numbers.start for pattern in self._patterns]
        if left:
            found = [answer for answer in found if answer.number not in left]
        return sorted(
            found, key=lambda a: (bisect_right(starts, a.number), a.order, a.attribute, a.number)
        )

    def _global(self, let: Let) -> None:
        slot = self._compiler.slot()
        code = self._coded(let.select, {})
        self._names = {**self._names, let.name: slot}
        self._compiler.outer = self._names
        self._globals.append((slot, _lazily(slot, code, DOCUMENT)))

    def _coded(self, text: str, extra: dict[str, int]) -> Code | OutsideSubset:
        try:
            expr = parse(text, self._namespaces)
            return self._compiler.code(expr, Scope({**self._names, **extra}))
        except OutsideSubset as error:
            return error

    def _pattern(self, pattern: Pattern, numbers: range) -> None:
        made = ReadyPattern(numbers)
        number = numbers.start
        try:
            for place, rule in enumerate(pattern.rules):
                self._contexts(made, place, rule.context)
        except OutsideSubset as error:
            self.outside.update(dict.fromkeys(numbers, f"its pattern's contexts: {error}"))
            return
        for rule in pattern.rules:
            made.rules.append(self._rule(rule, number))
            number += len(rule.asserts)
        self._patterns.append(made)

    def _contexts(self, made: ReadyPattern, place: int, context: str) -> None:
        expr = parse(context, self._namespaces)
        for one in alternatives(expr, self._compiler, self._names):
            made.file(place, one, self._bits_of(one.needs), self._bits_of(one.wants))

    def _rule(self, rule: Rule, first: int) -> ReadyRule:
        extra: dict[str, int] = {}
        made = ReadyRule([], [], AbsentPaths(), self._writer)
        for let in rule.lets:
            slot = self._compiler.slot()
            code = self._coded(let.select, dict(extra)) if "$" in let.select or extra else None
            code = code or self._coded(let.select, {})
            extra[let.name] = slot
            made.lets.append((slot, _lazily(slot, code, CURRENT)))
        for number, one in enumerate(rule.asserts, first):
            try:
                self._assert(made, number, one, extra)
            except OutsideSubset as error:
                self.outside[number] = str(error)
        return made

    def _assert(self, made: ReadyRule, number: int, one: Assert, extra: dict[str, int]) -> None:
        """Adds an assert to its rule. Raises OutsideSubset for one that is not compiled."""
        expr = self._parsed.get(one.test)
        if expr is None:
            expr = self._parsed[one.test] = parse(one.test, self._namespaces)
        if not one.fires_when and made.absent.take(number, expr):
            return
        test = self._test(one.test, expr, extra if "$" in one.test else {})
        guard = 0 if one.fires_when else self._bits_of(needed(expr))
        made.asks |= guard
        made.tests.append((guard, (number, inverse(test) if one.fires_when else test)))

    def _test(self, text: str, expr: Expr, extra: dict[str, int]) -> Run:
        known = None if extra else self._tests.get(text)
        if known is not None:
            return known
        scope = Scope({**self._names, **extra})
        if len(text) < _LONG:
            test = test_of(self._compiler.code(expr, scope))
        else:
            code, emptied = self._compiler.sharing(expr, scope)
            test = _emptying(test_of(code), emptied) if emptied else test_of(code)
        if not extra:
            self._tests[text] = test
        return test

    def _bits_of(self, wanted: Needed) -> int:
        guard = 0
        for one in wanted:
            if isinstance(one, Value):
                table, key = self._values.setdefault(one.tag, {}), one.text
            else:
                table, key = self._bits, one
            if key not in table:
                table[key] = 1 << self._bits_count
                self._bits_count += 1
            guard |= table[key]
        return guard


# A shorter test says nothing twice that is worth a slot.
_LONG: Final = 150


def _emptying(test: Run, slots: list[int]) -> Run:
    """A test that forgets what its expression shares before each node."""

    def run(n: Any, e: Env) -> Any:
        for each in slots:
            e[each] = None
        return test(n, e)

    def source(w: Writer, n: str) -> str:
        def lines(x: str) -> list[str]:
            empty = "".join(f"e[{each}] = " for each in slots)
            return [f"{empty}None", f"return {w.of(test, x)}"]

        return f"{w.function(run, lines)}({n}, e)"

    return written(run, source, safe=is_safe(test))


def _values_there(nodes: Iterable[Element], tag: str, table: dict[str, int]) -> int:
    """Which of the wanted values elements of a tag have, as bits; all where a parent has twins."""
    have = 0
    for node in nodes:
        text = node.string() if node.text is None else node.text
        have |= table.get(text if text.isalnum() else normal_space(text), 0)
        parent: Any = node.parent
        if len(parent.kids[tag]) > 1:
            return sum(table.values())
    return have


def _lazily(slot: int, code: Code | OutsideSubset, place: int) -> Callable[[Env], Any]:
    """A promise for a slot; who asks first computes it, who asks later gets the same.

    `place`: where the frame has the node that the variable is about.
    """

    def value(frame: Env) -> list[Any]:
        if isinstance(code, OutsideSubset):
            raise code
        try:
            items: list[Any] = code.many(frame[place], frame)
        except (XPathError, OutsideSubset) as error:
            frame[slot] = _raising(error)
            raise
        frame[slot] = items
        return items

    return value


def _raising(error: Exception) -> Callable[[Env], list[Any]]:
    def value(frame: Env) -> list[Any]:
        raise error

    return value
