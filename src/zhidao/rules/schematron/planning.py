"""What all rules do with the nodes of one kind: settled once, run on every document that has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from zhidao.rules.schematron.absence import AbsentPaths
from zhidao.rules.schematron.matching import Alternative, Match
from zhidao.rules.xpath.code import Env, Run
from zhidao.rules.xpath.nodes import Element, Kind
from zhidao.rules.xpath.writing import Writer

# Slots of a rule's variables with the promise that stands there before each node.
Lets = list[tuple[int, Callable[[Env], Any]]]
Tests = list[tuple[int, Run]]
# A test with the names of which each must be in the document for it to be able to fire, as bits.
Guarded = list[tuple[int, tuple[int, Run]]]

# What is asked less often is not worth the time that writing takes: nodes of a rule, documents.
OFTEN: Final = 40
_DOCUMENTS_OFTEN: Final = 6
# Kinds come from documents: bounded, or a stranger could fill the memory with names.
_PLANS_MAX: Final = 20_000
# So do the names that are there, by which a plan has its procedures and a rule its open tests.
_PROCEDURES_MAX: Final = 200


@dataclass(slots=True)
class ReadyRule:
    """One rule: its variables, its tests and the paths that it forbids."""

    lets: Lets
    tests: Guarded
    absent: AbsentPaths
    writer: Writer
    # Nodes that it has to judge before its tests are written out; the numbers of those that are.
    left: int = OFTEN
    done: set[int] = field(default_factory=set)
    # All names that its guards ask for, and the open tests by which of these are there.
    asks: int = 0
    opened: dict[int, Tests] = field(default_factory=dict)

    def open_tests(self, have: int) -> Tests:
        """The tests that can fire in a document with these names."""
        have &= self.asks
        tests = self.opened.get(have)
        if tests is None:
            if self.left <= 0:
                self._write(have)
            if len(self.opened) > _PROCEDURES_MAX:
                self.opened.clear()
            tests = self.opened[have] = [t for guard, t in self.tests if guard & have == guard]
        return tests

    def judged(self, count: int) -> bool:
        """Counts nodes; whether its tests are worth writing out."""
        if 0 < self.left <= count:
            self.opened.clear()
        self.left -= count
        return self.left <= 0

    def _write(self, have: int) -> None:
        for index, (guard, (number, test)) in enumerate(self.tests):
            if number not in self.done and guard & have == guard:
                self.tests[index] = (guard, (number, self.writer.lambda_of(test)))
                self.done.add(number)


@dataclass(slots=True)
class Candidate:
    """A rule that may judge a node, by its place in its pattern; see `Alternative` for the rest.

    `needs` and `wants` are bits here.
    """

    place: int
    match: Match | None
    needs: int
    wants: int


@dataclass(slots=True)
class ReadyPattern:
    """Candidates in order of rules, by tag; `anywhere` for those that any tag may match."""

    numbers: range
    rules: list[ReadyRule] = field(default_factory=list)
    elements: dict[str, list[tuple[Alternative, Candidate]]] = field(default_factory=dict)
    anywhere: list[tuple[Alternative, Candidate]] = field(default_factory=list)
    attributes: list[tuple[int, Alternative]] = field(default_factory=list)

    def file(self, place: int, one: Alternative, needs: int, wants: int) -> None:
        """Adds one branch of the context of the rule at a place, with its names as bits."""
        if one.is_attribute:
            self.attributes.append((place, one))
            return
        candidate = Candidate(place, one.match, needs, wants)
        if one.tag is None:
            self.anywhere.append((one, candidate))
        else:
            self.elements.setdefault(one.tag, []).append((one, candidate))


@dataclass(slots=True)
class Step:
    """What one pattern does with the nodes of a kind: the first candidate that fits judges one.

    `settled`: the first candidate fits always, so that its forbidden paths are known by kind.
    """

    pattern: ReadyPattern
    candidates: list[Candidate]
    settled: bool


@dataclass(slots=True)
class Broken:
    """What an element of a kind breaks by being there: rules of the ancestor `level` steps up."""

    level: int
    numbers: list[int]
    attributes: dict[str, list[int]]


@dataclass(slots=True)
class Choice:
    """One candidate of a procedure. `match` is None where it fits every node that comes so far."""

    rule: ReadyRule
    match: Match | None
    tests: Tests
    # What it forbids, where that is not known by kind.
    absent: AbsentPaths | None


@dataclass(slots=True)
class Procedure:
    """What is done with the nodes of a kind in documents with the same names.

    `tests` are those of every rule that judges all of them and has no variables; `choices` belong
    to the other patterns. `young` are its rules whose tests are not written out yet.
    """

    tests: Tests = field(default_factory=list)
    choices: list[tuple[ReadyPattern, list[Choice]]] = field(default_factory=list)
    young: list[ReadyRule] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """All that is done with the nodes of a kind. `bits`: its name among those of the guards."""

    bits: int
    steps: list[Step]
    broken: list[Broken]
    # Whether there is anything to do at all.
    busy: bool
    # The names that matter to it, and what to do by which of them are there.
    asks: int
    procedures: dict[int, Procedure] = field(default_factory=dict)

    def procedure(self, have: int, count: int) -> Procedure:
        """What to do with so many nodes in a document with these names."""
        have &= self.asks
        procedure = self.procedures.get(have)
        if procedure is None:
            if len(self.procedures) > _PROCEDURES_MAX:
                self.procedures.clear()
            procedure = self.procedures[have] = self._made(have)
        if procedure.young and sum(rule.judged(count) for rule in procedure.young):
            procedure = self.procedures[have] = self._made(have)
        return procedure

    def _made(self, have: int) -> Procedure:
        procedure = Procedure()
        for step in self.steps:
            choices = list(_choices(step, have))
            procedure.young += [one.rule for one in choices if one.rule.left > 0]
            if len(choices) == 1 and _is_plain(choices[0]):
                procedure.tests += choices[0].tests
            elif choices:
                procedure.choices.append((step.pattern, choices))
        return procedure


def _choices(step: Step, have: int) -> Iterator[Choice]:
    for one in step.candidates:
        if one.wants & have != one.wants:
            continue
        rule = step.pattern.rules[one.place]
        match = one.match if one.needs & have == one.needs else None
        walks = rule.absent.has_any and not (match is None and step.settled)
        yield Choice(rule, match, rule.open_tests(have), rule.absent if walks else None)
        if match is None:
            return


def _is_plain(one: Choice) -> bool:
    return one.match is None and one.absent is None and not one.rule.lets


class Plans:
    """The plans of one rule set by kind."""

    def __init__(self, patterns: list[ReadyPattern], bits: dict[str, int], writer: Writer) -> None:
        self._patterns = patterns
        self._bits = bits
        self._writer = writer
        self._documents = 0
        self.known: dict[Kind, Plan] = {}

    def begin(self) -> None:
        """Counts a document; contexts are written out once there have been some."""
        self._documents += 1
        if self._documents == _DOCUMENTS_OFTEN or len(self.known) > _PLANS_MAX:
            self.known.clear()

    def of(self, node: Element, env: Env) -> Plan:
        """The plan of the kind of a node."""
        plan = self.known.get(node.kind)
        if plan is None:
            steps = [step for p in self._patterns if (step := self._step(p, node, env)).candidates]
            broken = list(self._broken(node, steps, env))
            bits = self._bits.get(node.tag, 0)
            asks = 0
            for step in steps:
                for one in step.candidates:
                    asks |= one.needs | one.wants | step.pattern.rules[one.place].asks
            plan = Plan(bits, steps, broken, busy=bool(steps or broken), asks=asks)
            self.known[node.kind] = plan
        return plan

    def _step(self, pattern: ReadyPattern, node: Element, env: Env) -> Step:
        merged = [
            candidate
            for one, candidate in [*pattern.elements.get(node.tag, []), *pattern.anywhere]
            if all(named(node, env) for named in one.named)
        ]
        merged.sort(key=lambda one: one.place)
        if self._documents >= _DOCUMENTS_OFTEN:
            write = self._writer.lambda_of
            for one in merged:
                one.match = one.match and write(one.match)
        return Step(pattern, merged, settled=bool(merged) and merged[0].match is None)

    def _broken(self, node: Element, steps: list[Step], env: Env) -> Iterator[Broken]:
        """What settled rules of the node and of its ancestors forbid at this kind."""
        path: list[str] = []
        judged: Any = node
        while isinstance(judged, Element):
            theirs = steps if judged is node else self.of(judged, env).steps
            for step in theirs:
                absent = step.pattern.rules[step.candidates[0].place].absent
                if step.settled and absent.has_any:
                    numbers, attributes = absent.breaks(path[::-1])
                    if numbers or attributes:
                        yield Broken(len(path), numbers, attributes)
            path.append(judged.tag)
            judged = judged.parent
