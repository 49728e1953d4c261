"""One pack's rules on one document: closures first, Saxon for what they leave, one answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Final

import msgspec
from lxml import etree

from zhidao.core.errors import Unavailable
from zhidao.rules import (
    Answer,
    CompiledRules,
    Document,
    Explainer,
    Rule,
    RuleSet,
    decode_rules,
    node_of,
    read_schematron,
    sorted_answers,
    xml_text,
)
from zhidao.trade.adapters.packs import InstalledPack
from zhidao.trade.adapters.saxon_rules import Saxon, SaxonRules
from zhidao.trade.domain.verdict import Flag, RuleFinding, UndecidedRule
from zhidao.trade.wire.places import place_of_node

PLACES_MAX: Final = 100


class SharedSaxon:
    """One processor for all packs of a process, made when a rule first needs it."""

    def __init__(self) -> None:
        self._saxon: Saxon | None = None

    def get(self) -> Saxon:
        """The processor."""
        if self._saxon is None:
            self._saxon = Saxon()
        return self._saxon


class PackRules:
    """The rules of one pack, compiled at their first use.

    `only_saxon` leaves the closures out: both ways give the same answers.
    """

    def __init__(self, pack: InstalledPack, saxon: SharedSaxon, *, only_saxon: bool) -> None:
        self.rules = rules_of(pack)
        self._saxon = saxon
        self._asserts = self.rules.asserts()
        self.ids = frozenset(one.id for one in self._asserts)
        self._explainer = Explainer(self.rules)
        self._compiled = None if only_saxon else CompiledRules(self.rules)
        self._by_saxon: dict[frozenset[int] | None, SaxonRules] = {}
        self._meeting: CompiledRules | None = None

    def meet(self, root: etree._Element, document: Document) -> bool:
        """Whether some rule is about something in a document, kept or not.

        Where Saxon is needed for that and is not there, `judge` tells so already.
        """
        asking = _asking(self.rules)
        if self._meeting is None:
            self._meeting = CompiledRules(asking)
        found = self._meeting.run(document)
        if found.given or not found.left:
            return bool(found.given)
        try:
            saxon = self._saxon.get()
            return bool(SaxonRules(saxon, asking).run(saxon.document(xml_text(root))))
        except Unavailable:
            return True

    def answers(
        self, root: etree._Element, document: Document
    ) -> tuple[list[Answer], Unavailable | None]:
        """What fired and what is undecided, in the order of the rules.

        With it, why the asserts that are left to Saxon have no answer, if they have none.
        """
        given: list[Answer] = []
        only: frozenset[int] | None = None
        left: set[int] | None = None
        if self._compiled is not None:
            found = self._compiled.run(document)
            if not found.left:
                return found.given, None
            given, left = found.given, found.left
            # What never compiles is kept as one stylesheet, anything else as all rules.
            static = frozenset(self._compiled.outside)
            only = static if left == static else None
        try:
            asked = self._ask_saxon(root, only)
        except Unavailable as error:
            if self._compiled is None and error.code == "no_saxon":
                # Nobody asked for another engine.
                raise
            return given, error
        further = asked if left is None else [a for a in asked if a.number in left]
        return sorted_answers([*given, *further], self.rules), None

    def _ask_saxon(self, root: etree._Element, only: frozenset[int] | None) -> list[Answer]:
        saxon = self._saxon.get()
        if only not in self._by_saxon:
            self._by_saxon[only] = SaxonRules(saxon, self.rules, only)
        document = saxon.document(xml_text(root))
        return sorted_answers(self._by_saxon[only].run(document), self.rules)

    def judge(
        self, root: etree._Element, document: Document
    ) -> tuple[list[RuleFinding], list[UndecidedRule], Unavailable | None]:
        """Findings with values and places, rules without an answer, and why some were not run.

        Of one rule at most 100 places are told; the last then says how many more there are.
        """
        findings: list[RuleFinding] = []
        undecided: list[UndecidedRule] = []
        told: Counter[int] = Counter()
        last: dict[int, int] = {}
        answers, lacking = self.answers(root, document)
        for answer in answers:
            told[answer.number] += 1
            if told[answer.number] > PLACES_MAX:
                continue
            one = self._asserts[answer.number]
            node = node_of(document, answer)
            flag = flag_of(one.flag)
            if answer.error:
                undecided.append(UndecidedRule(one.id, flag, place_of_node(node), answer.error))
                continue
            seen, wanted = self._explainer.seen_and_wanted(one, node, document)
            sentence = self._explainer.sentence(one, node, document)
            last[answer.number] = len(findings)
            findings.append(RuleFinding(one.id, flag, place_of_node(node), sentence, seen, wanted))
        for number, index in last.items():
            if told[number] > PLACES_MAX:
                before = findings[index]
                more = f"{before.sentence} (and at {told[number] - PLACES_MAX} more places)"
                findings[index] = replace(before, sentence=more)
        return findings, undecided, lacking


def _asking(rules: RuleSet) -> RuleSet:
    """The same contexts, each with one assert that nothing keeps."""
    replace_ = msgspec.structs.replace

    def asking(rule: Rule) -> Rule:
        never = (
            replace_(one, test="false()", text=("",), fires_when=False) for one in rule.asserts[:1]
        )
        return replace_(rule, asserts=tuple(never), lets=())

    return replace_(
        rules,
        patterns=tuple(
            replace_(pattern, rules=tuple(map(asking, pattern.rules))) for pattern in rules.patterns
        ),
    )


def flag_of(text: str) -> Flag:
    """The weight of a rule; a word that is not known weighs as much as can be."""
    words = {"warning": Flag.WARNING, "information": Flag.INFORMATION, "info": Flag.INFORMATION}
    return words.get(text.lower(), Flag.FATAL)


def rules_of(pack: InstalledPack) -> RuleSet:
    """The rules of a pack: its compact form, or the XSLT that an older pack has."""
    compact = pack.folder / "rules.json"
    if compact.is_file():
        return decode_rules(compact.read_bytes())
    return read_schematron((pack.folder / "rules.xslt").read_bytes())
