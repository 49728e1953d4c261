"""Rules compiled to closures, and what they say of a document.

A rule that is asked often is written out as Python source, which says the same in a third of the
time; a process that judges one document never pays for that.

What the compiler does not cover is listed and left to another engine: single asserts, or a whole
pattern where a context is outside, since its first match decides which rule judges a node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from zhidao.trade.wire.schematron.absence import AbsentPaths
from zhidao.trade.wire.schematron.guards import needed_names
from zhidao.trade.wire.schematron.matching import Alternative, Match, alternatives
from zhidao.trade.wire.schematron.ruleset import Let, Pattern, Rule, RuleSet
from zhidao.trade.wire.xpath.code import CURRENT, DOCUMENT, Code, Env, Run, Scope, test_of
from zhidao.trade.wire.xpath.compiler import Compiler
from zhidao.trade.wire.xpath.functions import inverse
from zhidao.trade.wire.xpath.nodes import Attribute, Document, Element
from zhidao.trade.wire.xpath.parser import parse
from zhidao.trade.wire.xpath.values import OutsideSubset, XPathError
from zhidao.trade.wire.xpath.writing import Writer


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


# Slots of a rule's variables with what fills them before each node.
Lets = list[tuple[int, Callable[[Any, Env], Any]]]
Tests = list[tuple[int, Run]]
# A test with the names of which each must be in the document for it to be able to fire, as bits.
Guarded = list[tuple[int, tuple[int, Run]]]


# What is asked less often is not worth the time that writing takes.
_OFTEN: Final = 40


@dataclass(slots=True)
class _Rule:
    lets: Lets
    tests: Guarded
    absent: AbsentPaths
    # Where the frame holds the document's names as bits.
    names_slot: int
    writer: Writer
    # Nodes that it has to judge before its tests are written out.
    left: int = _OFTEN
    done: set[int] = field(default_factory=set)
    # All names that its guards ask for, and the open tests by which of these are there.
    asks: int = 0
    opened: dict[int, Tests] = field(default_factory=dict)


@dataclass(slots=True)
class _Pattern:
    """Candidates in order of rules, by tag; `anywhere` for those that any tag may match."""

    rules: list[_Rule]
    numbers: range
    elements: dict[str, list[tuple[int, Alternative]]]
    anywhere: list[tuple[int, Alternative]]
    attributes: list[tuple[int, Alternative]]
    # By tag and prefix: what of a context depends on the name alone is settled here.
    writer: Writer
    merged: dict[tuple[str, Any], list[tuple[int, Match | None]]] = field(default_factory=dict)
    # Documents that it has to judge before its contexts are written out.
    left: int = 6


class CompiledRules:
    """Rules ready to run. `outside` gives, by number, why an assert is left to another engine."""

    def __init__(self, rules: RuleSet) -> None:
        self.outside: dict[int, str] = {}
        self._namespaces = rules.namespaces
        self._compiler = Compiler()
        self._writer = Writer()
        self._names_slot = self._compiler.slot()
        self._bits: dict[str, int] = {}
        self._names: dict[str, int] = {}
        self._globals: Lets = []
        self._patterns: list[_Pattern] = []
        self._known: dict[str, Code | OutsideSubset] = {}
        for let in rules.lets:
            self._global(let)
        first = 0
        for pattern in rules.patterns:
            count = sum(len(rule.asserts) for rule in pattern.rules)
            self._pattern(pattern, range(first, first + count))
            first += count

    def run(self, document: Document) -> Answers:
        """Every assert's answer at every node of its context, in the order of the rules."""
        answers = Answers(left=set(self.outside))
        env: Env = [None] * self._compiler.slots
        env[DOCUMENT] = document
        env[self._names_slot] = self._names_of(document)
        for slot, start in self._globals:
            env[slot] = start(document, env)
        groups = _by_name(document)
        for pattern in self._patterns:
            found: list[tuple[float, Answer]] = []
            try:
                self._run_pattern(pattern, document, groups, env, found, answers.left)
            except OutsideSubset:
                answers.left.update(pattern.numbers)
                continue
            if found:
                found.sort(key=_in_order)
                answers.given.extend(answer for _, answer in found)
        if answers.left:
            answers.given = [a for a in answers.given if a.number not in answers.left]
        return answers

    def _run_pattern(
        self,
        pattern: _Pattern,
        document: Document,
        groups: Groups,
        env: Env,
        found: list[tuple[float, Answer]],
        left: set[int],
    ) -> None:
        merged, rules = pattern.merged, pattern.rules
        for name, nodes in groups:
            candidates = merged.get(name)
            if candidates is None:
                candidates = _merged(pattern, name, nodes[0], env)
            # Of all rules the first that fits a node judges it.
            rest = nodes
            for place, match in candidates:
                if match is None:
                    _judge(rules[place], rest, env, found, left)
                    break
                hit = [node for node in rest if match(node, env)]
                if hit:
                    _judge(rules[place], hit, env, found, left)
                    if len(hit) == len(rest):
                        break
                    taken = set(hit)
                    rest = [node for node in rest if node not in taken]
        pattern.left -= 1
        if not pattern.left:
            pattern.merged.clear()
        for attribute in _attributes(document) if pattern.attributes else ():
            for place, one in pattern.attributes:
                if _matches(one, attribute, env):
                    _judge(rules[place], [attribute], env, found, left)
                    break

    def _names_of(self, document: Document) -> int:
        """The names of a document that guards ask for, as bits."""
        have = 0
        bits = self._bits
        for tag in document.by_tag:
            have |= bits.get(tag, 0)
        return have

    def _global(self, let: Let) -> None:
        slot = self._compiler.slot()
        code = self._coded(let.select, {})
        self._names = {**self._names, let.name: slot}
        self._globals.append((slot, _lazily(slot, code)))

    def _coded(self, text: str, extra: dict[str, int]) -> Code | OutsideSubset:
        key = text if not extra else ""
        if key and key in self._known:
            return self._known[key]
        try:
            expr = parse(text, self._namespaces)
            code: Code | OutsideSubset = self._compiler.code(expr, Scope({**self._names, **extra}))
        except OutsideSubset as error:
            code = error
        if key:
            self._known[key] = code
        return code

    def _pattern(self, pattern: Pattern, numbers: range) -> None:
        made = _Pattern([], numbers, {}, [], [], self._writer)
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

    def _contexts(self, made: _Pattern, place: int, context: str) -> None:
        expr = parse(context, self._namespaces)
        for one in alternatives(expr, self._compiler, self._names):
            _file(made, place, one)

    def _rule(self, rule: Rule, first: int) -> _Rule:
        extra: dict[str, int] = {}
        made = _Rule([], [], AbsentPaths(), self._names_slot, self._writer)
        for let in rule.lets:
            slot = self._compiler.slot()
            code = self._coded(let.select, dict(extra)) if "$" in let.select or extra else None
            code = code or self._coded(let.select, {})
            extra[let.name] = slot
            made.lets.append((slot, _lazily(slot, code)))
        for number, one in enumerate(rule.asserts, first):
            if not one.fires_when and self._is_absence(made.absent, number, one.test):
                continue
            code = self._coded(one.test, extra if "$" in one.test else {})
            if isinstance(code, OutsideSubset):
                self.outside[number] = str(code)
            else:
                guard = 0 if one.fires_when else self._guard(one.test)
                test = test_of(code)
                made.asks |= guard
                made.tests.append((guard, (number, inverse(test) if one.fires_when else test)))
        return made

    def _guard(self, test: str) -> int:
        try:
            names = needed_names(parse(test, self._namespaces))
        except OutsideSubset:
            return 0
        guard = 0
        for name in names:
            guard |= self._bits.setdefault(name, 1 << len(self._bits))
        return guard

    def _is_absence(self, absent: AbsentPaths, number: int, test: str) -> bool:
        if not test.lstrip().startswith("not"):
            return False
        try:
            return absent.take(number, parse(test, self._namespaces))
        except OutsideSubset:
            return False


def _in_order(found: tuple[float, Answer]) -> tuple[float, int]:
    return found[0], found[1].number


# Elements of one tag and one prefix.
Groups = list[tuple[tuple[str, Any], list[Element]]]


def _by_name(document: Document) -> Groups:
    """The elements by tag, and by prefix where a document writes one name in two ways."""
    groups: Groups = [
        ((tag, nodes[0].prefix), nodes)
        for tag, nodes in document.by_tag.items()
        if tag not in document.mixed
    ]
    for tag in document.mixed:
        nodes = document.by_tag[tag]
        for prefix in {node.prefix for node in nodes}:
            groups.append(((tag, prefix), [n for n in nodes if n.prefix == prefix]))
    return groups


def _attributes(document: Document) -> Iterator[Attribute]:
    for element in document.elements:
        yield from element.attribute_nodes() if element.attributes else ()


def _matches(one: Alternative, node: Any, env: Env) -> bool:
    if one.tag not in (None, node.tag) or not all(named(node, env) for named in one.named):
        return False
    return one.match is None or one.match(node, env)


def _file(made: _Pattern, place: int, one: Alternative) -> None:
    if one.is_attribute:
        made.attributes.append((place, one))
    elif one.tag is None:
        made.anywhere.append((place, one))
    else:
        made.elements.setdefault(one.tag, []).append((place, one))


def _merged(
    pattern: _Pattern, name: tuple[str, Any], node: Element, env: Env
) -> list[tuple[int, Match | None]]:
    """The candidates of a name, given one node that bears it."""
    # Names come from documents: bounded, or a stranger could fill the memory with tags.
    if len(pattern.merged) > _TAGS_MAX:
        pattern.merged.clear()
    merged = [
        (place, one.match)
        for place, one in [*pattern.elements.get(name[0], []), *pattern.anywhere]
        if all(named(node, env) for named in one.named)
    ]
    merged.sort(key=itemgetter(0))
    if pattern.left <= 0:
        write = pattern.writer.lambda_of
        merged = [(place, match and write(match)) for place, match in merged]
    pattern.merged[name] = merged
    return merged


_TAGS_MAX: Final = 5000


def _lazily(slot: int, code: Code | OutsideSubset) -> Callable[[Any, Env], Any]:
    """Fills a slot with a promise; who asks first computes it, who asks later gets the same."""

    def start(node: Any, env: Env) -> Any:
        def value(frame: Env) -> list[Any]:
            if isinstance(code, OutsideSubset):
                raise code
            try:
                items: list[Any] = code.many(node, frame)
            except (XPathError, OutsideSubset) as error:
                frame[slot] = _raising(error)
                raise
            frame[slot] = items
            return items

        return value

    return start


def _raising(error: Exception) -> Callable[[Env], list[Any]]:
    def value(frame: Env) -> list[Any]:
        raise error

    return value


def _write_tests(rule: _Rule, have: int) -> None:
    """Writes out the tests that can fire in this document and are not written yet."""
    for index, (guard, (number, test)) in enumerate(rule.tests):
        if number not in rule.done and guard & have == guard:
            rule.tests[index] = (guard, (number, rule.writer.lambda_of(test)))
            rule.done.add(number)


def _judge(
    rule: _Rule, nodes: list[Any], env: Env, found: list[tuple[float, Answer]], left: set[int]
) -> None:
    tests = _open_tests(rule, len(nodes), env)
    absent = rule.absent if rule.absent.has_any else None
    for node in nodes:
        env[CURRENT] = node
        if rule.lets:
            for slot, start in rule.lets:
                env[slot] = start(node, env)
        if absent is not None:
            for number in absent.broken(node):
                found.append((node.order, _answer(number, node)))  # noqa: PERF401 (mostly empty)
        for number, test in tests:
            try:
                if not test(node, env):
                    found.append((node.order, _answer(number, node)))
            except XPathError as error:
                found.append((node.order, _answer(number, node, str(error.args[0]))))
            except OutsideSubset:
                left.add(number)


def _open_tests(rule: _Rule, count: int, env: Env) -> Tests:
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
