"""A .sch as it is published: includes, phases, abstract patterns and rules, variables by scope.

Source of the terms: ISO/IEC 19757-3 (Schematron), not at hand; read out of published rules. A
variable of a schema, a phase or a pattern is about the whole document and is seen by every
pattern, as both known compilers have it; where two patterns give one name, each sees its own.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from lxml import etree

from zhidao.core.errors import MalformedInput
from zhidao.rules.safe_xml import parse_xml
from zhidao.rules.schematron.elements import (
    SCH,
    XSL,
    Lines,
    declarations,
    namespaces,
    words,
)
from zhidao.rules.schematron.ruleset import Assert, Let, Pattern, Rule, RuleSet

_INCLUDES_MAX: Final = 50
_BINDINGS: Final = ("xslt2", "xslt3", "xpath2", "xpath3", "xpath31")
# Literals and comments, in which nothing is a variable, or else a variable's name.
_TOKEN: Final = re.compile(
    r"\"[^\"]*\"|'[^']*'|\(:.*?:\)|\$\s*([^\W\d][\w.-]*(?::[^\W\d][\w.-]*)?)", re.DOTALL
)

# Gives the bytes of a file named beside the source.
Include = Callable[[str], bytes]


class Source:
    """A .sch with its includes, abstract patterns and abstract rules put in place."""

    def __init__(self, root: etree._Element, include: Include | None, lines: Lines) -> None:
        self._root = root
        self._include = include
        self._lines = lines
        self._included = 0
        self._names: set[str] = set()
        self._resolve(root, "")
        self._abstract_rules = {
            rule.get("id"): rule
            for rule in root.iter(SCH + "rule")
            if rule.get("abstract") == "true"
        }

    def rules(self) -> RuleSet:
        """The rules. Raises MalformedInput, with the line, for what cannot be read."""
        root = self._root
        self._check_root()
        outer = [*self._lets(root), *self._instructions(), *self._lets_of_phase()]
        known = _one_each(outer, self._lines)
        self._names = {let.name for let in known}
        patterns = []
        for source, values in self._patterns():
            pattern, lets = self._pattern(source, values, known)
            known += lets
            patterns.append(pattern)
        spaces = {ns.get("prefix") or "": ns.get("uri") or "" for ns in root.findall(SCH + "ns")}
        title = root.findtext(SCH + "title") or "Schematron rules"
        return RuleSet(
            " ".join(title.split()),
            {**namespaces(root), **spaces},
            tuple(patterns),
            tuple(known),
            declarations(root),
        )

    def _check_root(self) -> None:
        binding = self._root.get("queryBinding") or "xslt"
        if binding not in _BINDINGS:
            raise MalformedInput(
                f"rules bound to {binding[:20]!r}", remedy="queryBinding must be xslt2 or xslt3"
            )
        for name in ("include", "import"):
            found = self._root.find(XSL + name)
            if found is not None:
                raise self._broken(found, f"xsl:{name} is not followed")

    def _broken(self, element: etree._Element, why: str, code: str = "rules_broken") -> Exception:
        return MalformedInput(why, code=code, where=self._lines.place(element))

    # Includes.

    def _resolve(self, element: etree._Element, folder: str) -> None:
        for child in list(element.iter(SCH + "include")):
            self._included += 1
            parent = child.getparent()
            href = child.get("href") or ""
            if self._included > _INCLUDES_MAX:
                raise MalformedInput(
                    f"rules of more than {_INCLUDES_MAX} includes",
                    code="rules_include",
                    where=href,
                    remedy="put the parts into one file",
                )
            if self._include is None or parent is None:
                raise self._broken(child, "an include that cannot be followed", "rules_include")
            # A part names its own parts from where it lies itself.
            file, _, anchor = href.partition("#")
            name = posixpath.normpath(posixpath.join(folder, file))
            part = self._part(child, self._include(name), anchor)
            part.tail = child.tail
            parent.replace(child, part)
            self._lines.included(part, name)
            self._resolve(part, posixpath.dirname(name))

    def _part(self, child: etree._Element, data: bytes, anchor: str) -> etree._Element:
        part = parse_xml(data)
        if anchor:
            found = next((e for e in part.iter("*") if e.get("id") == anchor), None)
            if found is None:
                raise self._broken(child, f"the included file has no {anchor!r}", "rules_include")
            part = found
        if part.tag == SCH + "schema":
            raise self._broken(child, "a whole schema is included", "rules_include")
        return part

    # Variables.

    def _lets(self, element: etree._Element) -> list[Let]:
        return [self._let(each) for each in element.findall(SCH + "let")]

    def _let(self, element: etree._Element) -> Let:
        name, value = element.get("name"), element.get("value")
        if not name or value is None:
            raise self._broken(element, "a variable without its name or value")
        return self._lines.at(element, Let(name, value))

    def _instructions(self) -> Iterator[Let]:
        """Variables that stand as XSLT beside the rules."""
        for element in self._root:
            if element.tag in (XSL + "variable", XSL + "param"):
                if element.get("select") is None:
                    raise self._broken(element, "a variable of XSLT without select")
                yield self._lines.at(
                    element, Let(element.get("name") or "", element.get("select") or "")
                )

    def _phase(self) -> etree._Element | None:
        wanted = self._root.get("defaultPhase", "#ALL")
        if wanted.startswith("#"):
            return None
        for phase in self._root.findall(SCH + "phase"):
            if phase.get("id") == wanted:
                return phase
        raise self._broken(self._root, f"no phase {wanted[:40]!r}")

    def _lets_of_phase(self) -> list[Let]:
        phase = self._phase()
        return self._lets(phase) if phase is not None else []

    # Patterns.

    def _patterns(self) -> Iterator[tuple[etree._Element, etree._Element]]:
        """What to read of each active pattern, and where its parameters stand."""
        every = self._root.findall(SCH + "pattern")
        abstract = {p.get("id"): p for p in every if p.get("abstract") == "true"}
        phase = self._phase()
        if phase is not None:
            active = {one.get("pattern") for one in phase.findall(SCH + "active")}
            every = [pattern for pattern in every if pattern.get("id") in active]
        for pattern in every:
            if pattern.get("abstract") == "true":
                continue
            wanted = pattern.get("is-a")
            if wanted and wanted not in abstract:
                raise MalformedInput(
                    f"no abstract pattern {wanted}", where=self._lines.place(pattern)
                )
            yield (abstract[wanted] if wanted else pattern), pattern

    def _pattern(
        self, source: etree._Element, given: etree._Element, outer: list[Let]
    ) -> tuple[Pattern, list[Let]]:
        """A pattern, and those of its variables that the whole rule set has not yet."""
        values = {p.get("name") or "": p.get("value") or "" for p in given.findall(SCH + "param")}
        filled = _filling(values)
        own = [
            self._lines.same(let, Let(let.name, filled(let.select)))
            for each in ([source] if source is given else [source, given])
            for let in self._lets(each)
        ]
        lets, names = self._lets_of_pattern(own, outer)
        rules = tuple(
            self._rule(rule, filled, names)
            for rule in source.findall(SCH + "rule")
            if rule.get("abstract") != "true"
        )
        name = given.get("id") or given.findtext(SCH + "title") or ""
        return Pattern(name, rules), lets

    def _lets_of_pattern(
        self, own: list[Let], outer: list[Let]
    ) -> tuple[list[Let], dict[str, str]]:
        """The variables that a pattern adds, and what those are called whose name is taken."""
        names: dict[str, str] = {}
        lets = []
        for let in _one_each(own, self._lines):
            select = _renamed(let.select, names)
            if any(x.name == let.name and x.select.split() == select.split() for x in outer):
                continue
            fresh = self._fresh(let.name)
            if fresh != let.name:
                names[let.name] = fresh
            lets.append(self._lines.same(let, Let(fresh, select)))
        return lets, names

    def _fresh(self, name: str) -> str:
        """The name, or another like it where a pattern before has taken it."""
        fresh, number = name, 1
        while fresh in self._names:
            number += 1
            fresh = f"{name}.{number}"
        self._names.add(fresh)
        return fresh

    def _rule(
        self, rule: etree._Element, filled: Callable[[str], str], names: Mapping[str, str]
    ) -> Rule:
        lets, asserts = self._said_by(rule, filled, ())
        seen = dict(names)
        own = []
        for let in _one_each(lets, self._lines):
            own.append(self._lines.same(let, Let(let.name, _renamed(let.select, seen))))
            # From here on the name is the rule's own.
            seen.pop(let.name, None)
        made = Rule(
            _renamed(filled(rule.get("context") or ""), names),
            tuple(self._lines.same(one, _named(one, seen)) for one in asserts),
            tuple(own),
        )
        return self._lines.at(rule, made)

    def _said_by(
        self, rule: etree._Element, filled: Callable[[str], str], above: tuple[etree._Element, ...]
    ) -> tuple[list[Let], list[Assert]]:
        """Variables and asserts of a rule, with those of the abstract rules that it extends."""
        lets: list[Let] = []
        found: list[Assert] = []
        for child in rule:
            if child.tag == SCH + "extends":
                kept = self._abstract_rules.get(child.get("rule") or "")
                if kept is None or kept in above:
                    raise self._broken(child, "it extends a rule that is not there")
                more = self._said_by(kept, filled, (*above, kept))
                lets += more[0]
                found += more[1]
            elif child.tag == SCH + "let":
                let = self._let(child)
                lets.append(self._lines.same(let, Let(let.name, filled(let.select))))
            elif child.tag in (SCH + "assert", SCH + "report"):
                found.append(self._assert(child, filled))
        return lets, found

    def _assert(self, element: etree._Element, filled: Callable[[str], str]) -> Assert:
        if not (element.get("test") or "").strip():
            raise self._broken(element, f"{element.get('id') or 'an assert'} has no test")
        made = Assert(
            id=element.get("id") or "unnamed",
            flag=element.get("flag") or element.get("role") or "fatal",
            test=filled(element.get("test") or ""),
            text=tuple(filled(w) if n % 2 else w for n, w in enumerate(words(element))),
            fires_when=element.tag == SCH + "report",
        )
        return self._lines.at(element, made)


def _one_each(lets: list[Let], lines: Lines) -> list[Let]:
    """Variables of one scope; what is said twice alike is said once.

    Raises MalformedInput where one name has two values.
    """
    found: dict[str, Let] = {}
    for let in lets:
        before = found.setdefault(let.name, let)
        if before.select.split() != let.select.split():
            raise MalformedInput(
                f"the variable {let.name} has two values in one place",
                code="rules_duplicate_let",
                where=f"{lines.of(before)} and {lines.of(let)}",
            )
    return list(found.values())


def _filling(values: Mapping[str, str]) -> Callable[[str], str]:
    """Puts the parameters of an abstract pattern into a text."""
    # The longest name first: `$ID` must not eat the beginning of `$ID_List`.
    names = sorted(values, key=len, reverse=True)

    def filled(text: str) -> str:
        for each in names:
            text = text.replace("$" + each, values[each])
        return text

    return filled


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """An expression with variables called by their other names."""
    if not names:
        return text
    return _TOKEN.sub(lambda m: "$" + names[m[1]] if m[1] in names else m[0], text)


def _named(one: Assert, names: Mapping[str, str]) -> Assert:
    if not names:
        return one
    return Assert(
        one.id,
        one.flag,
        _renamed(one.test, names),
        tuple(_renamed(w, names) if n % 2 else w for n, w in enumerate(one.text)),
        one.fires_when,
    )
