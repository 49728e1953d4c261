"""Rules out of their published forms: Schematron source, and the XSLT that two compilers make.

The ISO skeleton writes one mode a pattern with `svrl:failed-assert` in `xsl:otherwise`; SchXslt
writes one mode with `schxslt:rule` and `xsl:if`. Both keep test, id, flag and text, so that what
is read here says the same as the source.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lxml import etree

from zhidao.core.errors import MalformedInput
from zhidao.rules.safe_xml import parse_xml
from zhidao.rules.schematron.ruleset import Assert, Let, Pattern, Rule, RuleSet

_XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"
_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
_SCH: Final = "{http://purl.oclc.org/dsdl/schematron}"
_SCHXSLT: Final = "{https://doi.org/10.5281/zenodo.1495494}"
_INCLUDES_MAX: Final = 50
_OWN_VARIABLES: Final = ("schxslt", "svrl", "error")

# Gives the bytes of a file named beside the source.
Include = Callable[[str], bytes]


def read_schematron(data: bytes, include: Include | None = None) -> RuleSet:
    """The rules of a .sch, or of XSLT made from one by the ISO skeleton or SchXslt.

    Raises MalformedInput for anything else.
    """
    root = parse_xml(data)
    if root.tag == _SCH + "schema":
        return _Source(root, include).rules()
    if root.tag in (_XSL + "stylesheet", _XSL + "transform"):
        if root.find(f".//{_SCHXSLT}rule") is not None:
            return _of_schxslt(root)
        if root.find(f"{_XSL}template/{_SVRL}fired-rule") is not None:
            return _of_skeleton(root)
    raise MalformedInput(
        "these are no Schematron rules, nor XSLT that a known compiler made of them",
        code="rules_unknown",
        where=f"root element {str(root.tag)[:100]}",
        remedy="give the .sch, or XSLT by the ISO skeleton or SchXslt",
    )


def _namespaces(root: etree._Element) -> dict[str, str]:
    return {prefix: space for prefix, space in root.nsmap.items() if prefix}


def _template_rules(root: etree._Element, within: str) -> list[etree._Element]:
    found = [t for t in root.findall(_XSL + "template") if t.find(within) is not None]
    # The rule with the highest priority is the first of its pattern.
    return sorted(found, key=lambda t: -float(t.get("priority") or 0))


def _of_skeleton(root: etree._Element) -> RuleSet:
    modes: dict[str, list[Rule]] = {}
    for template in root.findall(_XSL + "template"):
        mode = template.get("mode")
        if mode and template.find(_SVRL + "fired-rule") is not None:
            modes.setdefault(mode, [])
    for template in _template_rules(root, _SVRL + "fired-rule"):
        modes[template.get("mode") or ""].append(
            Rule(template.get("match") or "", _skeleton_asserts(template), _lets(template))
        )
    patterns = tuple(Pattern(mode, tuple(rules)) for mode, rules in modes.items())
    return RuleSet(_title(root), _namespaces(root), patterns, _lets(root), _functions(root))


def _skeleton_asserts(template: etree._Element) -> tuple[Assert, ...]:
    found = []
    for element in template.iter(_SVRL + "failed-assert", _SVRL + "successful-report"):
        parent = element.getparent()
        assert parent is not None
        if element.tag == _SVRL + "failed-assert":
            choose = parent.getparent()
            when = choose.find(_XSL + "when") if choose is not None else None
            if when is None:
                raise MalformedInput("an assert without its test", code="rules_broken")
            found.append(_assert(element, when.get("test") or "", fires_when=False))
        else:
            found.append(_assert(element, parent.get("test") or "", fires_when=True))
    return tuple(found)


def _of_schxslt(root: etree._Element) -> RuleSet:
    order = [p.get("id") or "" for p in root.iter(_SCHXSLT + "pattern")]
    found: dict[str, list[Rule]] = {name: [] for name in order}
    within = f"{_XSL}choose/{_XSL}otherwise/{_SCHXSLT}rule"
    for template in _template_rules(root, within):
        body = template.find(within)
        assert body is not None
        rule = Rule(
            template.get("match") or "",
            _schxslt_asserts(body),
            (*_lets(template), *_lets(body)),
        )
        found.setdefault(body.get("pattern") or "", []).append(rule)
    patterns = tuple(Pattern(name, tuple(rules)) for name, rules in found.items() if rules)
    return RuleSet(_title(root), _namespaces(root), patterns, _lets(root), _functions(root))


def _schxslt_asserts(body: etree._Element) -> tuple[Assert, ...]:
    found = []
    for element in body.iter(_SVRL + "failed-assert", _SVRL + "successful-report"):
        test = element.find(f"{_XSL}attribute[@name='test']")
        if test is None:
            raise MalformedInput("an assert without its test", code="rules_broken")
        fires_when = element.tag == _SVRL + "successful-report"
        found.append(_assert(element, test.text or "", fires_when=fires_when))
    return tuple(found)


def _assert(element: etree._Element, test: str, *, fires_when: bool) -> Assert:
    def said(name: str) -> str:
        attribute = element.find(f"{_XSL}attribute[@name='{name}']")
        found = attribute.text if attribute is not None else element.get(name)
        return (found or "").strip()

    text = element.find(_SVRL + "text")
    return Assert(
        id=said("id") or "unnamed",
        flag=said("flag") or said("role") or "fatal",
        test=test,
        text=_words(text) if text is not None else ("",),
        fires_when=fires_when,
    )


def _words(element: etree._Element) -> tuple[str, ...]:
    """Words and expressions in turn; white space is left as it is."""
    parts = [element.text or ""]
    for child in element:
        if child.tag in (_XSL + "value-of", _SCH + "value-of"):
            parts += [child.get("select") or "''", child.tail or ""]
        elif child.tag == _SCH + "name":
            parts += [f"name({child.get('path') or '.'})", child.tail or ""]
        else:
            inner = "".join(str(piece) for piece in child.itertext())
            parts[-1] += inner + (child.tail or "")
    return tuple(parts)


def _lets(element: etree._Element) -> tuple[Let, ...]:
    found = []
    for each in element.findall(_XSL + "variable") + element.findall(_XSL + "param"):
        name, select = each.get("name") or "", each.get("select")
        if name.partition(":")[0] in _OWN_VARIABLES or name.startswith("schxslt"):
            continue
        if select is None and len(each) == 0 and (each.text or "").strip():
            select = _quoted(each.text or "")
        if select is not None:
            found.append(Let(name, select))
    return tuple(found)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _functions(root: etree._Element) -> tuple[str, ...]:
    return tuple(
        etree.tostring(each, encoding="unicode", with_tail=False)
        for each in root.findall(_XSL + "function")
        if (each.get("name") or "").partition(":")[0] not in _OWN_VARIABLES
    )


def _title(root: etree._Element) -> str:
    output = root.find(f".//{_SVRL}schematron-output")
    return (output.get("title") if output is not None else None) or "Schematron rules"


class _Source:
    """A .sch with its includes, abstract patterns and abstract rules put in place."""

    def __init__(self, root: etree._Element, include: Include | None) -> None:
        self._root = root
        self._include = include
        self._included = 0
        self._resolve(root)

    def rules(self) -> RuleSet:
        root = self._root
        binding = root.get("queryBinding") or "xslt"
        if binding not in ("xslt2", "xslt3", "xpath2"):
            raise MalformedInput(
                f"rules bound to {binding[:20]!r}", remedy="queryBinding must be xslt2 or xslt3"
            )
        spaces = {ns.get("prefix") or "": ns.get("uri") or "" for ns in root.findall(_SCH + "ns")}
        abstract = {
            p.get("id"): p for p in root.findall(_SCH + "pattern") if p.get("abstract") == "true"
        }
        patterns = [
            self._pattern(pattern, abstract)
            for pattern in root.findall(_SCH + "pattern")
            if pattern.get("abstract") != "true"
        ]
        title = root.findtext(_SCH + "title") or "Schematron rules"
        return RuleSet(
            " ".join(title.split()),
            {**_namespaces(root), **spaces},
            tuple(patterns),
            self._lets(root),
            _functions(root),
        )

    def _resolve(self, element: etree._Element) -> None:
        for child in list(element.iter(_SCH + "include")):
            self._included += 1
            parent = child.getparent()
            if self._included > _INCLUDES_MAX:
                raise MalformedInput(
                    f"rules of more than {_INCLUDES_MAX} includes",
                    code="rules_include",
                    where=child.get("href") or "",
                    remedy="put the parts into one file",
                )
            if self._include is None or parent is None:
                raise MalformedInput("an include that cannot be followed", code="rules_include")
            part = parse_xml(self._include(child.get("href") or ""))
            part.tail = child.tail
            parent.replace(child, part)
            self._resolve(part)

    def _pattern(
        self, pattern: etree._Element, abstract: dict[str | None, etree._Element]
    ) -> Pattern:
        name = pattern.get("id") or pattern.findtext(_SCH + "title") or ""
        values = {
            p.get("name") or "": p.get("value") or "" for p in pattern.findall(_SCH + "param")
        }
        source = pattern
        if pattern.get("is-a"):
            if pattern.get("is-a") not in abstract:
                raise MalformedInput(f"no abstract pattern {pattern.get('is-a')}")
            source = abstract[pattern.get("is-a")]
        # The longest name first: `$ID` must not eat the beginning of `$ID_List`.
        names = sorted(values, key=len, reverse=True)

        def filled(text: str) -> str:
            for each in names:
                text = text.replace("$" + each, values[each])
            return text

        outer = self._lets(source)
        kept = {r.get("id"): r for r in source.findall(_SCH + "rule")}
        rules = [
            Rule(
                filled(rule.get("context") or ""),
                tuple(self._asserts(rule, filled, kept)),
                tuple(Let(x.name, filled(x.select)) for x in (*outer, *self._lets(rule))),
            )
            for rule in source.findall(_SCH + "rule")
            if rule.get("abstract") != "true"
        ]
        return Pattern(name, tuple(rules))

    def _asserts(
        self,
        rule: etree._Element,
        filled: Callable[[str], str],
        kept: dict[str | None, etree._Element],
    ) -> list[Assert]:
        found = []
        for child in rule:
            if child.tag == _SCH + "extends" and child.get("rule") in kept:
                found += self._asserts(kept[child.get("rule")], filled, kept)
            if child.tag not in (_SCH + "assert", _SCH + "report"):
                continue
            words = _words(child)
            found.append(
                Assert(
                    id=child.get("id") or "unnamed",
                    flag=child.get("flag") or child.get("role") or "fatal",
                    test=filled(child.get("test") or ""),
                    text=tuple(filled(w) if n % 2 else w for n, w in enumerate(words)),
                    fires_when=child.tag == _SCH + "report",
                )
            )
        return found

    def _lets(self, element: etree._Element) -> tuple[Let, ...]:
        return tuple(
            Let(each.get("name") or "", each.get("value") or "''")
            for each in element.findall(_SCH + "let")
        )
