"""Rules compiled to closures, and what they say of a document.

A rule that is asked often is written out as Python source, which says the same in a third of the
time; a process that judges one document never pays for that.

What the compiler does not cover is listed and left to another engine: single asserts, or a whole
pattern where a context is outside, since its first match decides which rule judges a node.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from zhidao.trade.wire.schematron.absence import AbsentPaths
from zhidao.trade.wire.schematron.guards import Needed, Value, needed
from zhidao.trade.wire.schematron.matching import Alternative, alternatives
from zhidao.trade.wire.schematron.planning import (
    Broken,
    Lets,
    Plan,
    Plans,
    ReadyPattern,
    ReadyRule,
    Step,
    Tests,
)
from zhidao.trade.wire.schematron.ruleset import Assert, Let, Pattern, Rule, RuleSet
from zhidao.trade.wire.xpath.code import CURRENT, DOCUMENT, Code, Env, Run, Scope, test_of
from zhidao.trade.wire.xpath.compiler import Compiler
from zhidao.trade.wire.xpath.declared import functions_of
from zhidao.trade.wire.xpath.functions import inverse
from zhidao.trade.wire.xpath.nodes import Attribute, Document, Element
from zhidao.trade.wire.xpath.parser import parse
from zhidao.trade.wire.xpath.syntax import Expr
from zhidao.trade.wire.xpath.text_functions import normal_space
from zhidao.trade.wire.xpath.values import OutsideSubset, XPathError
from zhidao.trade.wire.xpath.writing import Writer, is_safe, written


@dataclass(frozen=True, slots=True)
class Answer:
    """An assert, by its number, that fired at a node or could not be decided there.

    `order` is the number of the node's element in the document, `attribute` the full name if the
    node is one. `error` is the XPath error's code where undecided, else empty.
    """

    number: int
    order: int
    attribute: str = ""
    error: str = ""


@dataclass(slots=True)
class Answers:
    """All answers of one run, and the asserts that another engine has yet to judge."""

    given: list[Answer] = field(default_factory=list)
    left: set[int] = field(default_factory=set)


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
        found: list[Answer] = []
        # All names must be known before the first test runs.
        planned = self._planned(document, env)
        have = env[self._names_slot]
        for plan, nodes in planned:
            if plan.broken:
                _tell_broken(plan.broken, nodes, found)
            for step in plan.steps:
                try:
                    _run_step(step, nodes, env, have, found, answers.left)
                except OutsideSubset:
                    answers.left.update(step.pattern.numbers)
        for pattern in self._patterns:
            if pattern.attributes:
                _run_attributes(pattern, document, env, found, answers.left)
        if found:
            answers.given = self._in_order(found, answers.left)
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
            made.file(place, one, self._bits_of(one.needs))

    def _rule(self, rule: Rule, first: int) -> ReadyRule:
        extra: dict[str, int] = {}
        made = ReadyRule([], [], AbsentPaths(), self._names_slot, self._writer)
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


def _run_step(
    step: Step, nodes: list[Element], env: Env, have: int, found: list[Answer], left: set[int]
) -> None:
    """Of all rules the first that fits a node judges it. `have`: the document's names as bits."""
    rest = nodes
    for rule, match, needs in step.candidates:
        if match is None or needs & have != needs:
            _judge(rule, rest, env, found, left, walks=not step.settled)
            return
        hit = [node for node in rest if match(node, env)]
        if hit:
            _judge(rule, hit, env, found, left)
            if len(hit) == len(rest):
                return
            taken = set(hit)
            rest = [node for node in rest if node not in taken]


def _tell_broken(broken: list[Broken], nodes: list[Element], found: list[Answer]) -> None:
    """Each rule once for each node that it judges, however much of it is there."""
    for one in broken:
        hit: set[tuple[Any, int]] = set()
        for node in nodes if one.numbers or one.attributes else ():
            numbers = list(one.numbers)
            for tag in node.attributes:
                numbers += one.attributes.get(tag, ())
            if numbers:
                judged: Any = node
                for _ in range(one.level):
                    judged = judged.parent
                hit.update((judged, number) for number in numbers)
        found.extend(_answer(number, judged) for judged, number in hit)


def _run_attributes(
    pattern: ReadyPattern, document: Document, env: Env, found: list[Answer], left: set[int]
) -> None:
    try:
        for attribute in _attributes(document):
            for place, one in pattern.attributes:
                if _matches(one, attribute, env):
                    _judge(pattern.rules[place], [attribute], env, found, left)
                    break
    except OutsideSubset:
        left.update(pattern.numbers)


def _values_there(nodes: Iterable[Element], tag: str, table: dict[str, int]) -> int:
    """Which of the wanted values elements of a tag have, as bits; all where a parent has twins."""
    have = 0
    for node in nodes:
        text = node.text
        have |= table.get(normal_space(node.string() if text is None else text), 0)
        parent: Any = node.parent
        if len(parent.kids[tag]) > 1:
            return sum(table.values())
    return have


def _attributes(document: Document) -> Iterator[Attribute]:
    for element in document.elements:
        yield from element.attribute_nodes() if element.attributes else ()


def _matches(one: Alternative, node: Any, env: Env) -> bool:
    if one.tag not in (None, node.tag) or not all(named(node, env) for named in one.named):
        return False
    return one.match is None or one.match(node, env)


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


def _write_tests(rule: ReadyRule, have: int) -> None:
    """Writes out the tests that can fire in this document and are not written yet."""
    for index, (guard, (number, test)) in enumerate(rule.tests):
        if number not in rule.done and guard & have == guard:
            rule.tests[index] = (guard, (number, rule.writer.lambda_of(test)))
            rule.done.add(number)


def _judge(
    rule: ReadyRule,
    nodes: list[Any],
    env: Env,
    found: list[Answer],
    left: set[int],
    *,
    walks: bool = True,
) -> None:
    """Asks a rule's tests of nodes; `walks`: what it forbids is not known by kind."""
    tests = rule.opened.get(env[rule.names_slot] & rule.asks) if rule.left < 0 else None
    if tests is None:
        tests = _open_tests(rule, len(nodes), env)
    absent = rule.absent if walks and rule.absent.has_any else None
    lets = rule.lets
    for node in nodes:
        env[CURRENT] = node
        for slot, value in lets:
            env[slot] = value
        if absent is not None:
            for number in absent.broken(node):
                found.append(_answer(number, node))  # noqa: PERF401 (mostly empty)
        for number, test in tests:
            try:
                if not test(node, env):
                    found.append(_answer(number, node))
            except XPathError as error:
                found.append(_answer(number, node, str(error.args[0])))
            except OutsideSubset:
                left.add(number)


def _open_tests(rule: ReadyRule, count: int, env: Env) -> Tests:
    """The tests that can fire in this document; written out when they have been asked often."""
    rule.left -= count
    have = env[rule.names_slot] & rule.asks
    if rule.left <= 0 < rule.left + count:
        rule.opened.clear()
    tests = rule.opened.get(have)
    if tests is None:
        if rule.left <= 0:
            _write_tests(rule, have)
        if len(rule.opened) > _OPENED_MAX:
            rule.opened.clear()
        tests = rule.opened[have] = [t for guard, t in rule.tests if guard & have == guard]
    return tests


_OPENED_MAX: Final = 200


def _answer(number: int, node: Any, error: str = "") -> Answer:
    if type(node) is Attribute:
        return Answer(number, int(node.parent.order), node.tag, error)
    return Answer(number, int(node.order), "", error)


def node_of(document: Document, answer: Answer) -> Element | Attribute:
    """The node that an answer is about."""
    element = document.elements[answer.order]
    if not answer.attribute:
        return element
    attribute = element.attribute(answer.attribute)
    assert attribute is not None
    return attribute


def sorted_answers(answers: Iterable[Answer], rules: RuleSet) -> list[Answer]:
    """Answers of several engines in the one order: pattern, node, assert."""
    place = [index for index, p in enumerate(rules.patterns) for r in p.rules for _ in r.asserts]
    return sorted(answers, key=lambda a: (place[a.number], a.order, a.attribute, a.number))
