"""Rules out of their published forms: Schematron source, and the XSLT that two compilers make.

The ISO skeleton writes one mode a pattern with `svrl:failed-assert` in `xsl:otherwise`; SchXslt
writes one mode with `schxslt:rule` and `xsl:if`. Both keep test, id, flag and text, so that what
is read here says the same as the source.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from zhidao.core.errors import MalformedInput
from zhidao.rules.safe_xml import parse_xml
from zhidao.rules.schematron.elements import (
    OWN_VARIABLES,
    SCH,
    Lines,
    declarations,
    namespaces,
    words,
)
from zhidao.rules.schematron.elements import XSL as _XSL
from zhidao.rules.schematron.ruleset import Assert, Let, Pattern, Rule, RuleSet
from zhidao.rules.schematron.source import Include, Source

_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
_SCHXSLT: Final = "{https://doi.org/10.5281/zenodo.1495494}"


def read_schematron(
    data: bytes, include: Include | None = None, lines: Lines | None = None
) -> RuleSet:
    """The rules of a .sch, or of XSLT made from one by the ISO skeleton or SchXslt.

    lines: is told where each assert, rule and variable stands. Raises MalformedInput, with the
    line where it can be known, for anything else.
    """
    lines = lines or Lines()
    root = parse_xml(data)
    if root.tag == SCH + "schema":
        return Source(root, include, lines).rules()
    if root.tag in (_XSL + "stylesheet", _XSL + "transform"):
        if root.find(f".//{_SCHXSLT}rule") is not None:
            return _of_schxslt(root, lines)
        if root.find(f"{_XSL}template/{_SVRL}fired-rule") is not None:
            return _of_skeleton(root, lines)
    raise MalformedInput(
        "these are no Schematron rules, nor XSLT that a known compiler made of them",
        code="rules_unknown",
        where=f"root element {str(root.tag)[:100]}",
        remedy="give the .sch, or XSLT by the ISO skeleton or SchXslt",
    )


def _template_rules(root: etree._Element, within: str) -> list[etree._Element]:
    found = [t for t in root.findall(_XSL + "template") if t.find(within) is not None]
    # The rule with the highest priority is the first of its pattern.
    return sorted(found, key=lambda t: -float(t.get("priority") or 0))


def _of_skeleton(root: etree._Element, lines: Lines) -> RuleSet:
    modes: dict[str, list[Rule]] = {}
    for template in root.findall(_XSL + "template"):
        mode = template.get("mode")
        if mode and template.find(_SVRL + "fired-rule") is not None:
            modes.setdefault(mode, [])
    for template in _template_rules(root, _SVRL + "fired-rule"):
        modes[template.get("mode") or ""].append(
            lines.at(
                template,
                Rule(
                    template.get("match") or "", _skeleton_asserts(template, lines), _lets(template)
                ),
            )
        )
    patterns = tuple(Pattern(mode, tuple(rules)) for mode, rules in modes.items())
    return RuleSet(_title(root), namespaces(root), patterns, _lets(root), declarations(root))


def _skeleton_asserts(template: etree._Element, lines: Lines) -> tuple[Assert, ...]:
    found = []
    for element in template.iter(_SVRL + "failed-assert", _SVRL + "successful-report"):
        parent = element.getparent()
        assert parent is not None
        if element.tag == _SVRL + "failed-assert":
            choose = parent.getparent()
            when = choose.find(_XSL + "when") if choose is not None else None
            if when is None:
                raise MalformedInput("an assert without its test", code="rules_broken")
            found.append(
                lines.at(element, _assert(element, when.get("test") or "", fires_when=False))
            )
        else:
            found.append(
                lines.at(element, _assert(element, parent.get("test") or "", fires_when=True))
            )
    return tuple(found)


def _of_schxslt(root: etree._Element, lines: Lines) -> RuleSet:
    order = [p.get("id") or "" for p in root.iter(_SCHXSLT + "pattern")]
    found: dict[str, list[Rule]] = {name: [] for name in order}
    within = f"{_XSL}choose/{_XSL}otherwise/{_SCHXSLT}rule"
    for template in _template_rules(root, within):
        body = template.find(within)
        assert body is not None
        rule = Rule(
            template.get("match") or "",
            _schxslt_asserts(body, lines),
            (*_lets(template), *_lets(body)),
        )
        found.setdefault(body.get("pattern") or "", []).append(lines.at(template, rule))
    patterns = tuple(Pattern(name, tuple(rules)) for name, rules in found.items() if rules)
    return RuleSet(_title(root), namespaces(root), patterns, _lets(root), declarations(root))


def _schxslt_asserts(body: etree._Element, lines: Lines) -> tuple[Assert, ...]:
    found = []
    for element in body.iter(_SVRL + "failed-assert", _SVRL + "successful-report"):
        test = element.find(f"{_XSL}attribute[@name='test']")
        if test is None:
            raise MalformedInput("an assert without its test", code="rules_broken")
        fires_when = element.tag == _SVRL + "successful-report"
        found.append(lines.at(element, _assert(element, test.text or "", fires_when=fires_when)))
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
        text=words(text) if text is not None else ("",),
        fires_when=fires_when,
    )


def _lets(element: etree._Element) -> tuple[Let, ...]:
    found = []
    for each in element.findall(_XSL + "variable") + element.findall(_XSL + "param"):
        name, select = each.get("name") or "", each.get("select")
        if name.partition(":")[0] in OWN_VARIABLES or name.startswith("schxslt"):
            continue
        if select is None and len(each) == 0 and (each.text or "").strip():
            select = _quoted(each.text or "")
        if select is not None:
            found.append(Let(name, select))
    return tuple(found)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _title(root: etree._Element) -> str:
    output = root.find(f".//{_SVRL}schematron-output")
    return (output.get("title") if output is not None else None) or "Schematron rules"
