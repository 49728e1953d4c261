"""Rules as the smallest XSLT 3.0 that answers: one guarded test an assert, lines of text out.

A line is `F` (fired) or `U` (undecided), the assert's number, the number of the node's element in
document order, the attribute's name if the node is one, and the error's code, by tabs.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from xml.sax.saxutils import quoteattr

from zhidao.rules.schematron.ruleset import Let, Rule, RuleSet

_HEAD: Final = """<xsl:stylesheet version="3.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" \
xmlns:err="http://www.w3.org/2005/xqt-errors" xmlns:xs="http://www.w3.org/2001/XMLSchema"\
{spaces} exclude-result-prefixes="#all">
<xsl:output method="text"/>
<xsl:mode use-accumulators="n_"/>
<xsl:accumulator name="n_" as="xs:integer" initial-value="-1">
<xsl:accumulator-rule match="*" select="$value + 1"/></xsl:accumulator>
"""
_LINE: Final = (
    "<xsl:value-of select=\"'{kind}&#9;{number}&#9;', "
    "ancestor-or-self::*[1]/accumulator-before('n_'), '&#9;', "
    "if (self::attribute()) then concat(namespace-uri(), '}}', local-name()) else '', "
    '{code} \'&#10;\'" separator=""/>'
)
_RESERVED: Final = frozenset(("xsl", "err", "xs", "xml", "xmlns"))


def stylesheet(rules: RuleSet, only: Collection[int] | None = None) -> str:
    """The stylesheet of all asserts, or of those numbered; contexts keep their order."""
    spaces = "".join(
        f" xmlns:{prefix}={quoteattr(space)}"
        for prefix, space in rules.namespaces.items()
        if prefix not in _RESERVED
    )
    out = [_HEAD.format(spaces=spaces)]
    out += [
        f"<xsl:variable name={quoteattr(x.name)} select={quoteattr(x.select)}/>" for x in rules.lets
    ]
    out += rules.functions
    modes, number = [], 0
    for place, pattern in enumerate(rules.patterns):
        wanted, bodies = False, []
        for rule in pattern.rules:
            numbers = range(number, number + len(rule.asserts))
            number += len(rule.asserts)
            wanted = wanted or only is None or any(n in only for n in numbers)
            bodies.append((rule, numbers))
        if wanted:
            modes.append(f"m{place}")
            out += _mode(f"m{place}", bodies, only)
    calls = "".join(f'<xsl:apply-templates select="/" mode="{mode}"/>' for mode in modes)
    out.append(f'<xsl:template match="/">{calls}</xsl:template></xsl:stylesheet>')
    return "\n".join(out)


def _mode(mode: str, bodies: list[tuple[Rule, range]], only: Collection[int] | None) -> list[str]:
    onward = f'<xsl:apply-templates mode="{mode}" select="@*|*"/>'
    # use-accumulators must stand on each mode through which the document is entered.
    out = [
        f'<xsl:mode name="{mode}" use-accumulators="n_"/>',
        f'<xsl:template match="text()" mode="{mode}" priority="-1"/>',
        f'<xsl:template match="@*|node()" mode="{mode}" priority="-2">{onward}</xsl:template>',
        f'<xsl:template match="/" mode="{mode}" priority="-2">{onward}</xsl:template>',
    ]
    for place, (rule, numbers) in enumerate(bodies):
        head = f'<xsl:template match={quoteattr(rule.context)} mode="{mode}" '
        out.append(head + f'priority="{len(bodies) - place}">')
        for one, number in zip(rule.asserts, numbers, strict=True):
            if only is None or number in only:
                out.append(_guarded(number, one.test, rule.lets, fires_when=one.fires_when))
        out.append(f"{onward}</xsl:template>")
    return out


def _guarded(number: int, test: str, lets: tuple[Let, ...], *, fires_when: bool) -> str:
    condition = f"boolean({test})" if fires_when else f"not({test})"
    used = lets if "$" in test else ()
    variables = "".join(
        f"<xsl:variable name={quoteattr(x.name)} select={quoteattr(x.select)}/>" for x in used
    )
    fired = _LINE.format(kind="F", number=number, code="'&#9;',")
    undecided = _LINE.format(
        kind="U", number=number, code="'&#9;', local-name-from-QName($err:code),"
    )
    return (
        f'<xsl:try rollback-output="no">{variables}<xsl:if test={quoteattr(condition)}>{fired}'
        f"</xsl:if><xsl:catch>{undecided}</xsl:catch></xsl:try>"
    )
