"""What all rules do with the nodes of one kind: settled once, run on every document that has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from zhidao.trade.wire.schematron.absence import AbsentPaths
from zhidao.trade.wire.schematron.matching import Alternative, Match
from zhidao.trade.wire.xpath.code import Env, Run
from zhidao.trade.wire.xpath.nodes import Element, Kind
from zhidao.trade.wire.xpath.writing import Writer

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


@dataclass(slots=True)
class ReadyRule:
    """One rule: its variables, its tests and the paths that it forbids."""

    lets: Lets
    tests: Guarded
    absent: AbsentPaths
    # Where the frame holds the document's names as bits.
    names_slot: int
    writer: Writer
    # Nodes that it has to judge before its tests are written out.
    left: int = OFTEN
    done: set[int] = field(default_factory=set)
    # All names that its guards ask for, and the open tests by which of these are there.
    asks: int = 0
    opened: dict[int, Tests] = field(default_factory=dict)


@dataclass(slots=True)
class ReadyPattern:
    """Candidates in order of rules, by tag; `anywhere` for those that any tag may match."""

    numbers: range
    rules: list[ReadyRule] = field(default_factory=list)
    elements: dict[str, list[tuple[int, Alternative, int]]] = field(default_factory=dict)
    anywhere: list[tuple[int, Alternative, int]] = field(default_factory=list)
    attributes: list[tuple[int, Alternative]] = field(default_factory=list)

    def file(self, place: int, one: Alternative, needs: int) -> None:
        """Adds one branch of the context of the rule at a place, with what it needs as bits."""
        if one.is_attribute:
            self.attributes.append((place, one))
        elif one.tag is None:
            self.anywhere.append((place, one, needs))
        else:
            self.elements.setdefault(one.tag, []).append((place, one, needs))


@dataclass(slots=True)
class Step:
    """What one pattern does with the nodes of a kind.

    Of the candidates the first that fits a node judges it; one without a match fits every node, and
    so does one whose match needs, as bits, what the document has not.
    `settled`: the first candidate does, so that its forbidden paths are known by kind.
    """

    pattern: ReadyPattern
    candidates: list[tuple[ReadyRule, Match | None, int]]
    settled: bool


@dataclass(slots=True)
class Broken:
    """What an element of a kind breaks by being there: rules of the ancestor `level` steps up."""

    level: int
    numbers: list[int]
    attributes: dict[str, list[int]]


@dataclass(slots=True)
class Plan:
    """All that is done with the nodes of a kind. `bits`: its name among those of the guards."""

    bits: int
    steps: list[Step]
    broken: list[Broken]
    # Whether there is anything to do at all.
    busy: bool


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
            plan = Plan(bits, steps, broken, busy=bool(steps or broken))
            self.known[node.kind] = plan
        return plan

    def _step(self, pattern: ReadyPattern, node: Element, env: Env) -> Step:
        merged = [
            (place, one.match, needs)
            for place, one, needs in [*pattern.elements.get(node.tag, []), *pattern.anywhere]
            if all(named(node, env) for named in one.named)
        ]
        merged.sort(key=itemgetter(0))
        if self._documents >= _DOCUMENTS_OFTEN:
            write = self._writer.lambda_of
            merged = [(place, match and write(match), needs) for place, match, needs in merged]
        candidates = [(pattern.rules[place], match, needs) for place, match, needs in merged]
        return Step(pattern, candidates, settled=bool(candidates) and candidates[0][1] is None)

    def _broken(self, node: Element, steps: list[Step], env: Env) -> Iterator[Broken]:
        """What settled rules of the node and of its ancestors forbid at this kind."""
        path: list[str] = []
        judged: Any = node
        while isinstance(judged, Element):
            theirs = steps if judged is node else self.of(judged, env).steps
            for step in theirs:
                absent = step.candidates[0][0].absent
                if step.settled and absent.has_any:
                    numbers, attributes = absent.breaks(path[::-1])
                    if numbers or attributes:
                        yield Broken(len(path), numbers, attributes)
            path.append(judged.tag)
            judged = judged.parent
