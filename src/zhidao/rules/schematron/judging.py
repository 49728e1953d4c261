"""One document run along its plans: who judges which node, and what fires there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from zhidao.rules.schematron.matching import Alternative
from zhidao.rules.schematron.planning import Broken, Choice, Plan, ReadyPattern
from zhidao.rules.schematron.ruleset import RuleSet
from zhidao.rules.xpath.code import CURRENT, Env
from zhidao.rules.xpath.nodes import Attribute, Document, Element
from zhidao.rules.xpath.values import OutsideSubset, XPathError


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

    def judge(self, planned: list[tuple[Plan, list[Element]]], env: Env, have: int) -> None:
        """Adds what plans say of the nodes of their kinds. `have`: the document's names as bits."""
        given, left = self.given, self.left
        for plan, nodes in planned:
            if plan.broken:
                self._tell_broken(plan.broken, nodes)
            procedure = plan.procedures.get(have & plan.asks)
            if procedure is None or procedure.young:
                procedure = plan.procedure(have, len(nodes))
            tests = procedure.tests
            for node in nodes if tests else ():
                env[CURRENT] = node
                for number, test in tests:
                    try:
                        if not test(node, env):
                            given.append(_answer(number, node))
                    except XPathError as error:
                        given.append(_answer(number, node, str(error.args[0])))
                    except OutsideSubset:
                        left.add(number)
            for pattern, choices in procedure.choices:
                try:
                    self._choose(choices, nodes, env)
                except OutsideSubset:
                    left.update(pattern.numbers)

    def judge_attributes(
        self, pattern: ReadyPattern, document: Document, env: Env, have: int
    ) -> None:
        """Adds what a pattern says of attributes."""
        try:
            for attribute in _attributes(document):
                for place, one in pattern.attributes:
                    if _matches(one, attribute, env):
                        rule = pattern.rules[place]
                        absent = rule.absent if rule.absent.has_any else None
                        rule.judged(1)
                        choice = Choice(rule, None, rule.open_tests(have), absent)
                        self._ask(choice, [attribute], env)
                        break
        except OutsideSubset:
            self.left.update(pattern.numbers)

    def _choose(self, choices: list[Choice], nodes: list[Element], env: Env) -> None:
        """Of all rules the first that fits a node judges it."""
        rest = nodes
        for one in choices:
            match = one.match
            if match is None:
                self._ask(one, rest, env)
                return
            hit = [node for node in rest if match(node, env)]
            if hit:
                self._ask(one, hit, env)
                if len(hit) == len(rest):
                    return
                taken = set(hit)
                rest = [node for node in rest if node not in taken]

    def _ask(self, one: Choice, nodes: list[Any], env: Env) -> None:
        given = self.given
        tests, lets, absent = one.tests, one.rule.lets, one.absent
        for node in nodes:
            env[CURRENT] = node
            for slot, value in lets:
                env[slot] = value
            if absent is not None:
                given += [_answer(number, node) for number in absent.broken(node)]
            for number, test in tests:
                try:
                    if not test(node, env):
                        given.append(_answer(number, node))
                except XPathError as error:
                    given.append(_answer(number, node, str(error.args[0])))
                except OutsideSubset:
                    self.left.add(number)

    def _tell_broken(self, broken: list[Broken], nodes: list[Element]) -> None:
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
            self.given += [_answer(number, judged) for judged, number in hit]


def _attributes(document: Document) -> Iterator[Attribute]:
    for element in document.elements:
        yield from element.attribute_nodes() if element.attributes else ()


def _matches(one: Alternative, node: Any, env: Env) -> bool:
    if one.tag not in (None, node.tag) or not all(named(node, env) for named in one.named):
        return False
    return one.match is None or one.match(node, env)


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
